//! Addresses: what an operator pasted and what a catalog declared, joined into the one URL that requests go under.

use std::fmt;

use url::Url;

use crate::{
    EndpointSpec,
    template::{Template, Unfilled},
};

/// Scheme, host and port: what an operator approves.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    /// `http` or `https`.
    pub scheme: String,
    /// Host name or address, lower case, IPv6 in brackets.
    pub host: String,
    /// The port, the scheme's default made explicit.
    pub port: u16,
}

impl Origin {
    /// The origin of a URL; `None` when it is not http(s) or has no host.
    pub fn of(url: &Url) -> Option<Origin> {
        let scheme = url.scheme();
        if scheme != "http" && scheme != "https" {
            return None;
        }
        Some(Origin {
            scheme: scheme.to_owned(),
            host: url.host_str()?.to_ascii_lowercase(),
            port: url.port_or_known_default()?,
        })
    }

    /// Reads the text form back.
    pub fn parse(text: &str) -> Option<Origin> {
        Origin::of(&Url::parse(text).ok()?)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}:{}", self.scheme, self.host, self.port)
    }
}

/// Why an endpoint leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EndpointError {
    /// The provider has no address of its own, and none was typed.
    NoAddress,
    /// A variable of its address has no value.
    NoValue {
        /// The endpoint's name.
        endpoint: String,
        /// The variable's name.
        variable: String,
    },
    /// The value of a variable is not one label of a host name. It is not shown: it may come out of a key.
    BadValue {
        /// The endpoint's name.
        endpoint: String,
        /// The variable's name.
        variable: String,
    },
    /// The address cannot be used; says why.
    Unusable(String),
}

impl fmt::Display for EndpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EndpointError::NoAddress => {
                f.write_str("this provider has no address of its own; give one with --base-url")
            }
            EndpointError::NoValue { endpoint, variable } => {
                write!(f, "the address of endpoint `{endpoint}` needs a value for `{variable}`")
            }
            EndpointError::BadValue { endpoint, variable } => write!(
                f,
                "`{variable}` becomes a part of the host name of endpoint `{endpoint}`: it must be 1 to 63 of a-z, 0-9 and -, \
                 not start or end with -, and not start with xn--"
            ),
            EndpointError::Unusable(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for EndpointError {}

/// The URL that an endpoint's request paths are appended to, without a trailing slash.
///
/// `typed` is the operator's base URL, as people paste it: with or without a trailing slash, a version path, or the whole path of an
/// operation. What the catalog lists as `pasted` is cut off its end and the endpoint's own path put there; a path that ends in a version
/// segment of its own (`/v4`) is kept as it is. `values` has the variables of the catalog's own address, which a typed one does without.
///
/// # Errors
/// There is no such URL; says what to do.
pub fn resolve_endpoint<'v>(
    endpoint: &EndpointSpec,
    typed: Option<&str>,
    values: &dyn Fn(&str) -> Option<&'v str>,
) -> Result<Url, EndpointError> {
    match typed.map(str::trim).filter(|text| !text.is_empty()) {
        Some(typed) => join(endpoint, typed),
        None if endpoint.url.is_empty() => Err(EndpointError::NoAddress),
        None => {
            let url = declared(endpoint, values)?;
            let path = url.path().to_owned();
            Ok(with_path(url, &path))
        }
    }
}

/// The catalog's own address.
fn declared<'v>(endpoint: &EndpointSpec, values: &dyn Fn(&str) -> Option<&'v str>) -> Result<Url, EndpointError> {
    let name = &endpoint.name;
    let unusable = |why: String| EndpointError::Unusable(format!("the adapter's endpoint `{name}` {why}"));
    let filled = Template::read(&endpoint.url).map_err(unusable)?.fill(values).map_err(|unfilled| match unfilled {
        Unfilled::Missing(variable) => EndpointError::NoValue { endpoint: name.clone(), variable },
        Unfilled::Unusable(variable) => EndpointError::BadValue { endpoint: name.clone(), variable },
    })?;
    Url::parse(&filled).map_err(|error| unusable(format!("is not a URL: {error}")))
}

fn join(endpoint: &EndpointSpec, typed: &str) -> Result<Url, EndpointError> {
    let unusable = |why: String| Err(EndpointError::Unusable(why));
    let url = match Url::parse(typed) {
        Ok(url) => url,
        Err(error) => {
            return unusable(format!("base URL `{typed}` is not a URL ({error}); write it like https://host/v1"));
        }
    };
    if Origin::of(&url).is_none() {
        return unusable(format!("base URL `{typed}` must start with http:// or https:// and name a host"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return unusable("a base URL must not contain a user name or password; use --secret".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return unusable("a base URL must not contain a query or fragment".to_owned());
    }
    // Only its path matters here, so any value does.
    let own = if endpoint.url.is_empty() { None } else { Some(declared(endpoint, &|_| Some("a"))?) };
    let own = own.as_ref().map_or("", |own| own.path().trim_end_matches('/'));
    let mut path = url.path().trim_end_matches('/').to_owned();
    let mut suffixes: Vec<&str> = endpoint.pasted.iter().map(|suffix| suffix.trim_end_matches('/')).collect();
    suffixes.sort_by_key(|suffix| std::cmp::Reverse(suffix.len()));
    let cut = suffixes.into_iter().filter(|suffix| !suffix.is_empty()).find_map(|suffix| path.strip_suffix(suffix));
    path = cut.unwrap_or(&path).to_owned();
    if !ends_in_version(&path) && !path.ends_with(own) {
        path.push_str(own);
    }
    Ok(with_path(url, &path))
}

fn with_path(mut url: Url, path: &str) -> Url {
    url.set_path(path.trim_end_matches('/'));
    url
}

/// Whether the last segment reads like `v1`, `v1beta` or `v4`.
fn ends_in_version(path: &str) -> bool {
    let last = path.rsplit('/').next().unwrap_or("");
    let mut letters = last.chars();
    letters.next() == Some('v') && letters.next().is_some_and(|c| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(declared: &str, pasted: &[&str], typed: &str, expected: &str) {
        let endpoint = EndpointSpec {
            name: "api".to_owned(),
            url: declared.to_owned(),
            pasted: pasted.iter().map(|&s| s.to_owned()).collect(),
        };
        let typed = (!typed.is_empty()).then_some(typed);
        let url = resolve_endpoint(&endpoint, typed, &|_| None).unwrap();
        assert_eq!(url.as_str().trim_end_matches('/'), expected, "typed {typed:?}");
    }

    #[test]
    fn base_urls_work_as_people_paste_them() {
        let (api, usual) = ("https://api.vendor.test/v1", ["/v1/chat/completions", "/v1"]);
        for typed in [
            "",
            "https://api.vendor.test",
            "https://api.vendor.test/",
            "https://api.vendor.test/v1",
            "https://api.vendor.test/v1/",
            "https://api.vendor.test/v1/chat/completions",
        ] {
            check(api, &usual, typed, "https://api.vendor.test/v1");
        }
        check(api, &usual, "http://127.0.0.1:8080/openai", "http://127.0.0.1:8080/openai/v1");
        check(api, &usual, "https://other.test/api/paas/v4", "https://other.test/api/paas/v4");
        check("https://a.test", &["/v1"], "https://a.test/v1/", "https://a.test");
        check(
            "https://ds.test/compatible-mode/v1",
            &["/api/v1", "/compatible-mode/v1"],
            "https://ds.test/api/v1",
            "https://ds.test/compatible-mode/v1",
        );
        let cut = ["/v1/chat/completions", "/chat/completions", "/v1"];
        check(api, &cut, "https://other.test/paas/v4/chat/completions", "https://other.test/paas/v4");
        check(api, &cut, "https://api.vendor.test/v1/chat/completions", "https://api.vendor.test/v1");
        check("", &["/chat/completions"], "http://127.0.0.1:8000/v1/chat/completions", "http://127.0.0.1:8000/v1");
    }

    #[test]
    fn bad_base_urls_say_what_to_write() {
        let endpoint = EndpointSpec { name: "api".into(), url: "https://a.test/v1".into(), pasted: vec![] };
        for typed in ["api.vendor.test", "ftp://a.test", "https://u:p@a.test", "https://a.test/?x=1", "://"] {
            assert!(resolve_endpoint(&endpoint, Some(typed), &|_| None).is_err(), "{typed} must be refused");
        }
        let nowhere = EndpointSpec { url: String::new(), ..endpoint };
        assert!(resolve_endpoint(&nowhere, None, &|_| None).unwrap_err().to_string().contains("--base-url"));
    }

    #[test]
    fn variables_take_their_values_unless_an_address_is_typed() {
        let endpoint =
            EndpointSpec { name: "api".into(), url: "https://{region}-api.vendor.test/v1".into(), pasted: vec![] };
        let resolve = |typed, value: Option<&'static str>| {
            resolve_endpoint(&endpoint, typed, &|name| value.filter(|_| name == "region"))
                .map(|url| url.as_str().to_owned())
        };
        assert_eq!(resolve(None, Some("eu-1")).unwrap(), "https://eu-1-api.vendor.test/v1");
        assert_eq!(resolve(Some("http://127.0.0.1:1"), None).unwrap(), "http://127.0.0.1:1/v1");
        let name = |variable: &str| ("api".to_owned(), variable.to_owned());
        let (endpoint_name, variable) = name("region");
        assert_eq!(resolve(None, None), Err(EndpointError::NoValue { endpoint: endpoint_name, variable }));
        let error = resolve(None, Some("evil.test/")).unwrap_err().to_string();
        assert!(error.contains("`region`") && !error.contains("evil"), "{error}");
    }
}
