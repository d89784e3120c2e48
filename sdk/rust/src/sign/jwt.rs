//! JSON Web Tokens.

use crate::{Algorithm, Opaque};

/// A token signed with HMAC-SHA256: `header` and `claims` are JSON texts, `secret` is the name of the key in the catalog.
pub fn jwt_hs256(header: &str, claims: &str, secret: &str) -> Opaque {
    let signed = signed(header, claims);
    let signature = Opaque::hmac(Algorithm::Sha256, Opaque::secret(secret), signed.clone());
    whole(signed, signature)
}

/// A token signed with RSASSA-PKCS1-v1_5 and SHA-256: `header` and `claims` are JSON texts, `secret` is the name of the PEM key in the
/// catalog.
pub fn jwt_rs256(header: &str, claims: &str, secret: &str) -> Opaque {
    let signed = signed(header, claims);
    let signature = Opaque::rs256(Opaque::secret(secret), signed.clone());
    whole(signed, signature)
}

fn signed(header: &str, claims: &str) -> Opaque {
    let part = |json: &str| Opaque::base64url(Opaque::text(json));
    Opaque::concat([part(header), Opaque::text("."), part(claims)])
}

fn whole(signed: Opaque, signature: Opaque) -> Opaque {
    Opaque::concat([signed, Opaque::text("."), Opaque::base64url(signature)])
}
