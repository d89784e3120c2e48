//! The signed URL of iFLYTEK's WebSockets: host, date and request line under an HMAC, in query parameters.

use super::{Keys, target};
use crate::{Algorithm, Moment, Opaque, Request, text};

/// Signs a request's host, time and path: adds the query parameters `authorization`, `date` and `host`. `url` is where the request's
/// endpoint leads.
#[must_use]
pub fn url_hmac(request: Request, url: &str, keys: &Keys<'_>, now: u32) -> Request {
    let target = target(&request, url);
    let date = Moment::at(now).http();
    let line = format!("{} {} HTTP/1.1", request.method, target.path);
    let to_sign = Opaque::text(format!("host: {}\ndate: {date}\n{line}", target.host));
    let authorization = Opaque::base64(Opaque::concat([
        Opaque::text(format!(
            "api_key=\"{}\", algorithm=\"hmac-sha256\", headers=\"host date request-line\", signature=\"",
            keys.id
        )),
        Opaque::base64(Opaque::hmac(Algorithm::Sha256, Opaque::secret(keys.secret), to_sign)),
        Opaque::text("\""),
    ]));
    request
        .query("authorization", [authorization.into()])
        .query("date", [text(date)])
        .query("host", [text(target.host)])
}
