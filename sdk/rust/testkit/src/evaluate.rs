//! Computes what the host would: values made of secrets, and the pieces of a header joined.

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use std::collections::BTreeMap;
use witgate_sdk::{Algorithm, Opaque, Piece};

/// The value of an expression, with these secrets.
///
/// # Errors
/// A secret that is not among them, and a key that is none.
pub fn evaluate(value: &Opaque, secrets: &BTreeMap<String, String>) -> Result<Vec<u8>, String> {
    Ok(match value {
        Opaque::Secret(name) => secret(name, secrets)?.as_bytes().to_vec(),
        Opaque::Text(text) => text.as_bytes().to_vec(),
        Opaque::Concat(values) => {
            values.iter().map(|value| evaluate(value, secrets)).collect::<Result<Vec<_>, _>>()?.concat()
        }
        Opaque::Hash(algorithm, data) => {
            let data = evaluate(data, secrets)?;
            match algorithm {
                Algorithm::Sha1 => Sha1::digest(data).to_vec(),
                Algorithm::Sha256 => Sha256::digest(data).to_vec(),
                Algorithm::Sha512 => Sha512::digest(data).to_vec(),
            }
        }
        Opaque::Hmac(algorithm, key, data) => {
            let (key, data) = (evaluate(key, secrets)?, evaluate(data, secrets)?);
            match algorithm {
                Algorithm::Sha1 => keyed::<Hmac<Sha1>>(&key, &data)?,
                Algorithm::Sha256 => keyed::<Hmac<Sha256>>(&key, &data)?,
                Algorithm::Sha512 => keyed::<Hmac<Sha512>>(&key, &data)?,
            }
        }
        Opaque::Encode(encoding, data) => encode(encoding, &evaluate(data, secrets)?)?.into_bytes(),
        Opaque::Sign("rs256", key, data) => rs256(&evaluate(key, secrets)?, &evaluate(data, secrets)?)?,
        Opaque::Sign(algorithm, ..) => return Err(format!("unknown signature `{algorithm}` (known: rs256)")),
    })
}

/// Pieces joined, as text. An access token is shown by its name, because obtaining it is another exchange.
pub(crate) fn joined(pieces: &[Piece], secrets: &BTreeMap<String, String>) -> Result<String, String> {
    let mut out = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Secret(name) => out.push_str(secret(name, secrets)?),
            Piece::Token(grant) => out.push_str(&format!("{{token:{grant}}}")),
            Piece::Opaque(value) => {
                let bytes = evaluate(value, secrets)?;
                out.push_str(&String::from_utf8(bytes).map_err(|_| format!("{value} is no text; encode it"))?);
            }
            Piece::Basic { user, password } => {
                let pair = format!("{}:{}", joined(user, secrets)?, joined(password, secrets)?);
                out.push_str(&BASE64_STANDARD.encode(pair));
            }
        }
    }
    Ok(out)
}

fn secret<'a>(name: &str, secrets: &'a BTreeMap<String, String>) -> Result<&'a String, String> {
    secrets.get(name).ok_or_else(|| format!("the request holds the secret `{name}`, which is not set in case.json"))
}

fn keyed<M: Mac + KeyInit>(key: &[u8], data: &[u8]) -> Result<Vec<u8>, String> {
    let mut mac = <M as KeyInit>::new_from_slice(key).map_err(|error| error.to_string())?;
    mac.update(data);
    Ok(mac.finalize().into_bytes().to_vec())
}

fn encode(encoding: &str, data: &[u8]) -> Result<String, String> {
    Ok(match encoding {
        "hex" => hex::encode(data),
        "base64" => BASE64_STANDARD.encode(data),
        "base64url" => BASE64_URL_SAFE_NO_PAD.encode(data),
        "url" => data.iter().map(|byte| url_byte(*byte)).collect(),
        other => return Err(format!("unknown encoding `{other}` (known: hex, base64, base64url, url)")),
    })
}

fn url_byte(byte: u8) -> String {
    match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    }
}

#[cfg(not(feature = "rs256"))]
fn rs256(_: &[u8], _: &[u8]) -> Result<Vec<u8>, String> {
    Err("witgate-sdk-testkit was built without its feature `rs256`, which RSA signatures need".to_owned())
}

/// RSASSA-PKCS1-v1_5 with SHA-256. The key is a PEM text, PKCS#8 or PKCS#1.
#[cfg(feature = "rs256")]
fn rs256(pem: &[u8], data: &[u8]) -> Result<Vec<u8>, String> {
    let text = std::str::from_utf8(pem).map_err(|_| "the private key is no PEM text")?;
    let (_, rest) = text.split_once("-----BEGIN ").ok_or("the private key is no PEM text")?;
    let (label, rest) = rest.split_once("-----").ok_or("the private key's PEM text is cut off")?;
    let (body, _) = rest.split_once("-----END").ok_or("the private key's PEM text is cut off")?;
    let body: String = body.split_whitespace().collect();
    let der = BASE64_STANDARD.decode(body).map_err(|error| format!("the private key's PEM text: {error}"))?;
    let key = match label {
        "PRIVATE KEY" => ring::signature::RsaKeyPair::from_pkcs8(&der),
        "RSA PRIVATE KEY" => ring::signature::RsaKeyPair::from_der(&der),
        other => return Err(format!("the private key is a `{other}`, not PKCS#8 or PKCS#1")),
    };
    let key = key.map_err(|error| format!("the private key: {error}"))?;
    let mut signature = vec![0; key.public().modulus_len()];
    let random = ring::rand::SystemRandom::new();
    key.sign(&ring::signature::RSA_PKCS1_SHA256, &random, data, &mut signature)
        .map_err(|_| "the private key cannot sign")?;
    Ok(signature)
}

#[cfg(test)]
mod tests {
    use super::*;
    use witgate_sdk::{secret, text};

    fn shown(value: Opaque) -> String {
        let secrets = BTreeMap::from([("key".to_owned(), "Jefe".to_owned())]);
        joined(&[value.into()], &secrets).unwrap()
    }

    #[test]
    fn values_match_the_published_vectors() {
        // RFC 4231 and RFC 2202, test case 2.
        for (algorithm, expected) in [
            (Algorithm::Sha1, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
            (Algorithm::Sha256, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
            (
                Algorithm::Sha512,
                "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
            ),
        ] {
            let code = Opaque::hmac(algorithm, Opaque::secret("key"), Opaque::text("what do ya want for nothing?"));
            assert_eq!(shown(Opaque::hex(code)), expected);
        }
        let abc = Opaque::concat([Opaque::text("a"), Opaque::text("bc")]);
        assert_eq!(shown(Opaque::hex(Opaque::hash(Algorithm::Sha1, abc))), "a9993e364706816aba3e25717850c26c9cd0d89d");
        assert_eq!(shown(Opaque::url(Opaque::text("?a b/ä~"))), "%3Fa%20b%2F%C3%A4~");
        assert_eq!(shown(Opaque::base64url(Opaque::text("?a b/ä~"))), "P2EgYi_DpH4");
    }

    #[test]
    fn pieces_are_joined_as_the_host_would() {
        let secrets = BTreeMap::from([("key".to_owned(), "open sesame".to_owned())]);
        let basic = witgate_sdk::basic([text("Aladdin")], [secret("key")]);
        assert_eq!(joined(&[text("Basic "), basic], &secrets).unwrap(), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert_eq!(
            joined(&[text("Bearer "), witgate_sdk::token("access")], &secrets).unwrap(),
            "Bearer {token:access}"
        );
        assert!(joined(&[secret("other")], &secrets).unwrap_err().contains("`other`, which is not set"));
        let raw = Opaque::hash(Algorithm::Sha256, Opaque::text(""));
        assert!(joined(&[raw.into()], &secrets).unwrap_err().contains("encode it"));
    }

    #[cfg(feature = "rs256")]
    #[test]
    fn an_rsa_key_is_read_from_both_kinds_of_pem() {
        let data = Opaque::text("what is signed");
        let sign = |pem: &str| {
            let secrets = BTreeMap::from([("key".to_owned(), pem.to_owned())]);
            evaluate(&Opaque::rs256(Opaque::secret("key"), data.clone()), &secrets)
        };
        let (pkcs8, pkcs1) = (include_str!("evaluate/pkcs8.pem"), include_str!("evaluate/pkcs1.pem"));
        let signature = sign(pkcs8).unwrap();
        // `printf 'what is signed' | openssl dgst -sha256 -sign pkcs8.pem | sha256sum`
        assert_eq!(hex::encode(Sha256::digest(&signature)), include_str!("evaluate/signature.sha256").trim());
        assert_eq!(sign(pkcs1).unwrap(), signature);
        for (pem, expected) in [
            ("hello", "no PEM"),
            ("-----BEGIN PRIVATE KEY-----\nAAAA", "cut off"),
            ("-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----", "EC PRIVATE KEY"),
            ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", "the private key"),
        ] {
            assert!(sign(pem).unwrap_err().contains(expected), "{pem}");
        }
    }
}
