//! bce-auth-v1, the signature of Baidu's cloud.

use super::{Keys, canonical_query, encoded, target};
use crate::{Algorithm, Fault, Moment, Opaque, Request, secret, text};

/// Signs a request with its method, path, query and host, good for `expires_s` seconds: adds `authorization` and, with a session token,
/// `x-bce-security-token`. `url` is where the request's endpoint leads.
///
/// # Errors
/// `adapter-broken` when something that is signed is not known here.
pub fn bce(request: Request, url: &str, keys: &Keys<'_>, expires_s: u32, now: u32) -> Result<Request, Fault> {
    let target = target(&request, url);
    let prefix = format!("bce-auth-v1/{}/{}/{expires_s}", keys.id, Moment::at(now).iso());
    let canonical = format!(
        "{}\n{}\n{}\nhost:{}",
        request.method,
        target.path, // sent percent-encoded, and signed as it is sent
        canonical_query(&request)?,
        encoded(target.host, "")
    );
    // The signing key is the text of the hex digits.
    let hmac = |key, data: &str| Opaque::hex(Opaque::hmac(Algorithm::Sha256, key, Opaque::text(data)));
    let signature = hmac(hmac(Opaque::secret(keys.secret), &prefix), &canonical);
    let mut request = request;
    if let Some(name) = keys.session {
        request = request.header("x-bce-security-token", [secret(name)]);
    }
    Ok(request.header("authorization", [text(format!("{prefix}/host/")), signature.into()]))
}
