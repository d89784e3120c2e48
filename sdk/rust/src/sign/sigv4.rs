//! AWS Signature Version 4, as services other than S3 want it.

use super::{Keys, body, canonical_query, encoded, plain, sha256_hex, target};
use crate::{Algorithm, Fault, Moment, Opaque, Request, secret, text};

/// Where a signature counts.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// `us-east-1`.
    pub region: &'a str,
    /// `bedrock`.
    pub service: &'a str,
}

/// Signs a request with its text headers, its query and its body: adds `x-amz-date`, `authorization` and, with a session token,
/// `x-amz-security-token`. `url` is where the request's endpoint leads.
///
/// # Errors
/// `adapter-broken` when something that is signed is not known here.
pub fn sigv4(request: Request, url: &str, keys: &Keys<'_>, scope: Scope<'_>, now: u32) -> Result<Request, Fault> {
    let (moment, target) = (Moment::at(now), target(&request, url));
    let date = moment.compact_iso();
    let mut signed =
        vec![("host".to_owned(), Opaque::text(target.host)), ("x-amz-date".to_owned(), Opaque::text(&date))];
    signed.extend(keys.session.map(|name| ("x-amz-security-token".to_owned(), Opaque::secret(name))));
    for (name, value) in &request.headers {
        if let Some(value) = plain(value) {
            signed.push((name.to_lowercase(), Opaque::text(squeezed(&value))));
        }
    }
    signed.sort_by(|(a, _), (b, _)| a.cmp(b));
    let names = signed.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(";");

    // The path is encoded once more than it is sent.
    let path = encoded(&target.path, "/");
    let mut canonical = vec![Opaque::text(format!("{}\n{path}\n{}\n", request.method, canonical_query(&request)?))];
    for (name, value) in signed {
        canonical.extend([Opaque::text(format!("{name}:")), value, Opaque::text("\n")]);
    }
    canonical.push(Opaque::text(format!("\n{names}\n{}", sha256_hex(body(&request)?))));

    let day = moment.compact_date();
    let place = format!("{day}/{}/{}/aws4_request", scope.region, scope.service);
    let to_sign = Opaque::concat([
        Opaque::text(format!("AWS4-HMAC-SHA256\n{date}\n{place}\n")),
        Opaque::hex(Opaque::hash(Algorithm::Sha256, Opaque::concat(canonical))),
    ]);
    let key = Opaque::concat([Opaque::text("AWS4"), Opaque::secret(keys.secret)]);
    let key = [day.as_str(), scope.region, scope.service, "aws4_request"]
        .into_iter()
        .fold(key, |key, part| Opaque::hmac(Algorithm::Sha256, key, Opaque::text(part)));
    let signature = Opaque::hex(Opaque::hmac(Algorithm::Sha256, key, to_sign));

    let credential = format!("AWS4-HMAC-SHA256 Credential={}/{place}, SignedHeaders={names}, Signature=", keys.id);
    let mut request = request.header("x-amz-date", [text(date)]);
    if let Some(name) = keys.session {
        request = request.header("x-amz-security-token", [secret(name)]);
    }
    Ok(request.header("authorization", [text(credential), signature.into()]))
}

/// Without outer white space, and with single spaces inside.
fn squeezed(value: &str) -> String {
    value.split_whitespace().collect::<Vec<_>>().join(" ")
}
