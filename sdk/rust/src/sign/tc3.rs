//! TC3-HMAC-SHA256, the signature of Tencent Cloud's API.

use super::{Keys, body, canonical_query, header, sha256_hex, target};
use crate::{Algorithm, Fault, Moment, Opaque, Request, secret, text};

/// Signs a request with its `content-type`, its `x-tc-action` and its body: adds `x-tc-timestamp`, `authorization` and, with a session
/// token, `x-tc-token`. `url` is where the request's endpoint leads.
///
/// # Errors
/// `adapter-broken` when something that is signed is not known here.
pub fn tc3(request: Request, url: &str, keys: &Keys<'_>, service: &str, now: u32) -> Result<Request, Fault> {
    let target = target(&request, url);
    let content_type = header(&request, "content-type")
        .ok_or_else(|| Fault::adapter_broken("the signature needs a `content-type` header that is text"))?;
    let mut headers = format!("content-type:{content_type}\nhost:{}\n", target.host);
    let mut names = "content-type;host".to_owned();
    if let Some(action) = header(&request, "x-tc-action") {
        headers.push_str(&format!("x-tc-action:{}\n", action.to_lowercase()));
        names.push_str(";x-tc-action");
    }
    let (method, path) = (&request.method, &target.path);
    let query = canonical_query(&request)?;
    let canonical = format!("{method}\n{path}\n{query}\n{headers}\n{names}\n{}", sha256_hex(body(&request)?));

    let date = Moment::at(now).date();
    let scope = format!("{date}/{service}/tc3_request");
    let to_sign = format!("TC3-HMAC-SHA256\n{now}\n{scope}\n{}", sha256_hex(canonical.as_bytes()));
    let key = Opaque::concat([Opaque::text("TC3"), Opaque::secret(keys.secret)]);
    let key = [date.as_str(), service, "tc3_request", &to_sign]
        .into_iter()
        .fold(key, |key, part| Opaque::hmac(Algorithm::Sha256, key, Opaque::text(part)));

    let credential = format!("TC3-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature=", keys.id);
    let mut request = request.header("x-tc-timestamp", [text(now.to_string())]);
    if let Some(name) = keys.session {
        request = request.header("x-tc-token", [secret(name)]);
    }
    Ok(request.header("authorization", [text(credential), Opaque::hex(key).into()]))
}
