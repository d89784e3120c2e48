//! Which key a request presents: clients of different dialects put it into different headers, some into several.

use domain::{Fault, FaultCode};

/// The header values of a request that may hold a key, as they came.
#[derive(Clone, Debug, Default)]
pub struct Presented<'a> {
    /// `Authorization`.
    pub authorization: Option<&'a str>,
    /// Every other header that a dialect uses for keys: the bare key.
    pub others: Vec<&'a str>,
}

/// The one key that a request presents, trimmed.
///
/// `Bearer` may be in any case and may be left out. The same key in several headers is one key.
///
/// # Errors
/// `KeyMissing` when there is none, and when there are several that differ: guessing which one is meant would bill the wrong account.
pub fn present<'a>(presented: &Presented<'a>) -> Result<&'a str, Fault> {
    let authorization = presented.authorization.map(bearer);
    let mut keys = authorization
        .iter()
        .filter_map(|authorization| match authorization {
            Authorization::Key(key) => Some(*key),
            Authorization::OtherScheme => None,
        })
        .chain(presented.others.iter().map(|key| key.trim()))
        .filter(|key| !key.is_empty());
    let Some(key) = keys.next() else {
        let message = match authorization {
            Some(Authorization::OtherScheme) => {
                "The Authorization header is not a bearer token. Send the API key as `Authorization: Bearer sk-...`."
            }
            _ => "No API key was sent. Send it as `Authorization: Bearer sk-...`.",
        };
        return Err(Fault::new(FaultCode::KeyMissing, message));
    };
    if keys.any(|other| other != key) {
        return Err(Fault::new(
            FaultCode::KeyMissing,
            "The request carries several API keys that differ. Send one, as `Authorization: Bearer sk-...`, and leave the other key headers out.",
        ));
    }
    Ok(key)
}

#[derive(Clone, Copy)]
enum Authorization<'a> {
    Key(&'a str),
    OtherScheme,
}

fn bearer(value: &str) -> Authorization<'_> {
    let value = value.trim();
    match value.split_once(char::is_whitespace) {
        Some((scheme, key)) if scheme.eq_ignore_ascii_case("bearer") => Authorization::Key(key.trim()),
        Some(_) => Authorization::OtherScheme,
        None if value.eq_ignore_ascii_case("bearer") => Authorization::Key(""),
        None => Authorization::Key(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(authorization: Option<&str>, others: &[&str]) -> Result<String, String> {
        let presented = Presented { authorization, others: others.to_vec() };
        present(&presented).map(str::to_owned).map_err(|fault| {
            assert_eq!(fault.code, FaultCode::KeyMissing);
            fault.message
        })
    }

    #[test]
    fn finds_the_key_wherever_it_is() {
        for authorization in ["Bearer sk-a", "bearer sk-a", "BEARER   sk-a ", " sk-a ", "Bearer\tsk-a"] {
            assert_eq!(check(Some(authorization), &[]).as_deref(), Ok("sk-a"), "{authorization:?}");
        }
        assert_eq!(check(None, &[" sk-a "]).as_deref(), Ok("sk-a"));
        assert_eq!(check(Some("Bearer sk-a"), &["sk-a", ""]).as_deref(), Ok("sk-a"));
        // A proxy's own Basic credentials are no key.
        assert_eq!(check(Some("Basic dTpw"), &["sk-a"]).as_deref(), Ok("sk-a"));
        assert_eq!(check(Some("Bearer "), &["sk-a"]).as_deref(), Ok("sk-a"));
    }

    #[test]
    fn says_what_to_send_when_there_is_none() {
        for (authorization, others) in [(None, &[][..]), (Some(""), &[][..]), (Some("Bearer"), &[" "][..])] {
            let message = check(authorization, others).unwrap_err();
            assert!(
                message.contains("`Authorization: Bearer sk-...`") && message.starts_with("No API key"),
                "{message}"
            );
        }
        assert!(check(Some("Basic dTpw"), &[]).unwrap_err().contains("not a bearer token"));
    }

    #[test]
    fn refuses_to_choose_between_keys_and_repeats_none() {
        let message = check(Some("Bearer sk-first"), &["sk-second"]).unwrap_err();
        assert!(message.contains("several API keys that differ"), "{message}");
        assert!(!message.contains("sk-first") && !message.contains("sk-second"));
        assert!(check(None, &["sk-first", "sk-second"]).is_err());
    }
}
