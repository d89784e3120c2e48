//! RS256 (RSASSA-PKCS1-v1_5 with SHA-256) under a private key that an operator pasted as PEM. No error says anything of the key's text.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ring::{
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};
use zeroize::Zeroizing;

/// Signs `data`. The same key and data always give the same signature.
pub(super) fn sign(pem: &[u8], data: &[u8]) -> Result<Vec<u8>, String> {
    let key = key_pair(pem)?;
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), data, &mut signature)
        .map_err(|_| "the data could not be signed with this key".to_owned())?;
    Ok(signature)
}

fn key_pair(pem: &[u8]) -> Result<RsaKeyPair, String> {
    let not_pem = || {
        "the secret is not a PEM private key (it begins with `-----BEGIN PRIVATE KEY-----` or `-----BEGIN RSA PRIVATE KEY-----`)"
            .to_owned()
    };
    let text = std::str::from_utf8(pem).map_err(|_| not_pem())?;
    let (label, der) = section(text).ok_or_else(not_pem)?;
    let der = der.ok_or("the private key is damaged: what stands between its BEGIN and END lines is not base64")?;
    let key = match label {
        "PRIVATE KEY" => RsaKeyPair::from_pkcs8(&der),
        "RSA PRIVATE KEY" => RsaKeyPair::from_der(&der),
        "ENCRYPTED PRIVATE KEY" => {
            return Err("the private key is encrypted with a passphrase; store it without one".to_owned());
        }
        "EC PRIVATE KEY" => return Err("the private key is not an RSA key, which rs256 needs".to_owned()),
        _ => return Err(not_pem()),
    };
    key.map_err(|why| format!("the private key cannot be used for rs256, which needs RSA of 2048 to 4096 bits ({why})"))
}

/// The label and the bytes of the first section. Line breaks may be missing or written as `\n`: keys are pasted out of JSON files and into
/// one-line variables.
fn section(text: &str) -> Option<(&str, Option<Zeroizing<Vec<u8>>>)> {
    let (label, rest) = text.split_once("-----BEGIN ")?.1.split_once("-----")?;
    let (body, _) = rest.split_once("-----END ")?;
    // With room for all of it: a text that grows leaves copies of its beginning behind.
    let mut digits = Zeroizing::new(String::with_capacity(body.len()));
    for line in body.split("\\n") {
        line.split_whitespace().for_each(|part| digits.push_str(part));
    }
    Some((label, STANDARD.decode(digits.as_bytes()).ok().map(Zeroizing::new)))
}

#[cfg(test)]
mod tests {
    use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};

    use super::*;

    /// A throw-away key, made for these tests with `openssl genrsa 2048`.
    const KEY: &str = "-----BEGIN PRIVATE KEY-----
MIIEvgIBADANBgkqhkiG9w0BAQEFAASCBKgwggSkAgEAAoIBAQCkF+EKUm1s5xI+HUJhHTGWXfqxFKmNRNOAUGtfUABd88+bxvvSeww8fEqwYKZ/47aKFiaWamN5bJ3Y
2ucJocECNusk3xYmaJ89V00hkyEmIh+W6upEstmxb0Nu/bv7qdzK+4XycO5upaUUy7g9wgBef8oHT9Sn5aogcqUuPYOJ0Nd9bkT1XqghtJpoFYYEd55W8YrRgS/iCg9w
pPmK9/7MZvYsAvqBpjy3onijeMnlBdiHz0Z0QK7udYnYjkp90itBg/XlxwnKAZxPg4IQhoG7OPbW4oMC6zBxLixD4c59amAI4DN6P6mxMj0NeoMMy50WYszuDF6DliW9
IMzN32fPAgMBAAECggEABqv0RplcjgDEuU/Mb7eVjFnDCpYereBUtRl2WohQxRq+Bl7MK4RwCYZU+kZ261yhaSXgNcQ0Y5VEXOYxkWIWDEMzwx3RTO7hPC49GmNc0qvk
GulV0xGhtj9VP442qW0AZ1ePD6Q10LvdZWYPCW75phEno3p3pZS553Q7cRDaznllisb1bF/H4+lsj8PfOrRffT073o7SQjHsHYlCJm3rjc9NNMJYyyceCSo4fDZn1hHX
nJTrR7SMWqSEwdFTfSEWrPXzSBpl4ObRyjEZoR14XKne/AFbMKS5ud99wCgE3s9ftGxnBA5ljsCknPz1biCx5/tYvdXp7QtyAcUj8tsM2QKBgQDgCr/Nl0LpVb4i7/tG
EDmt70Wjc4fyATM6kjEibUy6rRSa62RVT5d2NQ9DCkIYXXTRTdpCKdA+AqdPm/xwT5opHqQ/i+Bx+r1Z3IIo3T1+FwWa5+Qt8ZSc9bJj/9dzh8QT4NrDTbyqNVnwgt5p
oknMprSOFWFhB0P5XsdSSBxA9QKBgQC7gAHIMSA8QtWVO+sT6nEvkConhsIS/TPDao0A5lyfA/k8e8lw/5HNiOkYWalJUek3fe1EaJWsgeLYV8UgZ9iuy+ef8QSqg+9S
KnrI1l8kcpWoa7Qutv91bi9mnHN6OCrUratzeSO1wtgIhIphovLLZQLk+uJj8YPvVy/7dG47MwKBgQDSgEcGXAC6S52CJgjpI4WOLyo3EO3CK+5+Ma2IszlMjCK4DEMR
BN9CaUgVrSW8ztJbddKEJ9VI7iVVXzIoNCKcT/Xy3vHbJcOTEuQYkQad2fOiQA7cPAduEkuyOUetfPp10ua4aenB4q7Gk691gM3mQxuSA/SivbjYLH0KikZBoQKBgHgC
b6GN5/8KHCCfsFAX/4gc8w5Hj5KN5ALRAR0xVNkmtvECniWoPs9aMS+3u8XFGsu82w+tDRfULrigPPkH3sXKlx9lKcJmHdjufZZst4rhmG6rOTGpSYsFEmvP+Y2hw7BK
1HFdeQDOjG2vP89Md7C9n4OmHR8xJ2wa1whQNnnHAoGBAIe0h2VpGg86qkJPIEa92vEc3O3kCljpDfrULgYQaph70HCTALmmTEtabquIFCjQ1FEJq+ABd8tLg7Bp/88b
qi3jtuBnPa/V4jXM3jp0CF99cF4I18xpE856cef9QxgJmTHcVnIfki1rgl3562y1dICt8MGKSmDtk11U9sMZsSIQ
-----END PRIVATE KEY-----";

    /// PKCS#8 is a header of 26 bytes around PKCS#1.
    fn pkcs1() -> String {
        let der = section(KEY).unwrap().1.unwrap();
        format!("-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----", STANDARD.encode(&der[26..]))
    }

    #[test]
    fn a_signature_is_what_openssl_makes_and_the_public_key_accepts_it() {
        let signature = sign(KEY.as_bytes(), b"header.claims").unwrap();
        // printf header.claims | openssl dgst -sha256 -sign key.pem | xxd -p
        let expected = "1d46ae9db303dc898fae04918b814ac421828c18905e46e034943cfbf3c3f1f38899dde3d27c5de5abbb3e6f730ff67e8b3891156923cc3f2110d1a2c0b6e118332e079f2a1d7d412e45813318c572a3712fb19c9d7f4e6655968899e02d0a6180d5e1452f2b95289c217cf95f7fb40803fbb0cde3fba085da723d8fe699b212795d094b3cebfaa01c350c22428d6dfa31c43dd1ff319988007bc6cca08ce825df4fb156c63f25868675ce8b5f430a545e8db319888dc39995a5a869c3afc4c69532a28bb3797d1bc4fa05455317676fcfba119f7881c364b9a06f88d53e5c835cf987c9c82979740137e3c055f81d25b9578042b76374618fe6755b9014af46";
        assert_eq!(hex::encode(&signature), expected);
        let public = key_pair(KEY.as_bytes()).unwrap().public().as_ref().to_vec();
        let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public);
        assert!(public.verify(b"header.claims", &signature).is_ok());
        assert!(public.verify(b"header.claimz", &signature).is_err());
    }

    #[test]
    fn a_key_is_taken_in_every_form_that_people_paste() {
        let expected = sign(KEY.as_bytes(), b"x").unwrap();
        for form in [
            pkcs1(),
            KEY.replace('\n', "\\n"),
            KEY.replace('\n', " "),
            KEY.replace('\n', "\r\n"),
            format!("Bag Attributes\n    friendlyName: test\n{KEY}\n"),
        ] {
            assert_eq!(sign(form.as_bytes(), b"x").unwrap(), expected, "{form}");
        }
    }

    #[test]
    fn a_wrong_key_is_told_what_it_is_and_never_shown() {
        let elliptic = "-----BEGIN PRIVATE KEY-----
            MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg10U+PXrxmNCZRD85xZlc3VNWrZKQqjVg5NtlIoBfNA2hRANCAATGOaQhEQGIrkjfIjrlxPnSESF2
            ZNTQts2sVgfBLz+vYkLfuJllSlKo7GyUXwrH+Yh+7zUmilhkfwAx4Kmjx1XY
            -----END PRIVATE KEY-----";
        let canary = "MIIEvgIBADANBgkqhkiG9w0BAQEFAASCBKgw";
        for (pem, expected) in [
            (format!("sk-{canary}"), "not a PEM private key"),
            (format!("-----BEGIN PRIVATE KEY-----\n{canary}"), "not a PEM private key"),
            (format!("-----BEGIN CERTIFICATE-----\n{canary}\n-----END CERTIFICATE-----"), "not a PEM private key"),
            (format!("-----BEGIN PRIVATE KEY-----\n{canary}!\n-----END PRIVATE KEY-----"), "not base64"),
            (format!("-----BEGIN PRIVATE KEY-----\n{canary}\n-----END PRIVATE KEY-----"), "cannot be used for rs256"),
            (KEY.replace("PRIVATE", "ENCRYPTED PRIVATE"), "passphrase"),
            (KEY.replace("PRIVATE", "EC PRIVATE"), "not an RSA key"),
            (elliptic.to_owned(), "cannot be used for rs256"),
        ] {
            let error = sign(pem.as_bytes(), b"x").unwrap_err();
            assert!(error.contains(expected), "{error}");
            assert!(!error.contains(&canary[..8]), "{error}");
        }
        assert!(sign(b"\xff\xfe", b"x").unwrap_err().contains("not a PEM private key"));
    }
}
