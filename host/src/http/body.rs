//! Reading a request body: decompressed, and never more of it than the limit.

use std::time::Duration;

use async_compression::tokio::bufread::{BrotliDecoder, GzipDecoder, ZlibDecoder, ZstdDecoder};
use axum::extract::Request;
use bytes::Bytes;
use domain::{Fault, FaultCode};
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tokio::io::{AsyncRead, AsyncReadExt};

/// How long a client may take to send its body.
const BODY_TIMEOUT: Duration = Duration::from_secs(120);

/// Bodies below this are copied out of the connection's buffer, bytes.
const SMALL: usize = 8 * 1024;

/// The whole body, at most `limit` bytes before and after decompression.
pub(super) async fn read(request: Request, limit: usize) -> Result<Bytes, Fault> {
    let encoding =
        request.headers().get(CONTENT_ENCODING).map(|value| value.to_str().unwrap_or("?").trim().to_ascii_lowercase());
    let declared = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if declared.is_some_and(|declared| declared > u64::try_from(limit).unwrap_or(u64::MAX)) {
        return Err(too_large(limit));
    }
    let collected = tokio::time::timeout(BODY_TIMEOUT, Limited::new(request.into_body(), limit).collect());
    let raw = match collected.await {
        Err(_) => {
            let seconds = BODY_TIMEOUT.as_secs();
            return Err(Fault::new(
                FaultCode::RequestTimeout,
                format!("the request body did not arrive within {seconds} s"),
            ));
        }
        Ok(Err(error)) if error.downcast_ref::<LengthLimitError>().is_some() => return Err(too_large(limit)),
        Ok(Err(_)) => return Err(Fault::new(FaultCode::ClientGone, "the request body ended early")),
        Ok(Ok(body)) => body.to_bytes(),
    };
    match encoding.as_deref() {
        // A copy of its own: a slice would keep the connection's read buffer alive for as long as the exchange lasts.
        None | Some("" | "identity") if raw.len() < SMALL => Ok(Bytes::copy_from_slice(&raw)),
        None | Some("" | "identity") => Ok(raw),
        Some("gzip" | "x-gzip") => decoded(GzipDecoder::new(raw.as_ref()), limit).await,
        Some("deflate") => decoded(ZlibDecoder::new(raw.as_ref()), limit).await,
        Some("zstd") => decoded(ZstdDecoder::new(raw.as_ref()), limit).await,
        Some("br") => decoded(BrotliDecoder::new(raw.as_ref()), limit).await,
        Some(other) => {
            let message = format!("content-encoding `{other}` is not supported; use gzip, deflate, zstd, br or none");
            Err(Fault::new(FaultCode::InvalidRequest, message))
        }
    }
}

async fn decoded(decoder: impl AsyncRead + Unpin, limit: usize) -> Result<Bytes, Fault> {
    let mut plain = Vec::new();
    let cap = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let read = decoder.take(cap).read_to_end(&mut plain).await;
    read.map_err(|error| {
        Fault::new(FaultCode::InvalidRequest, format!("the compressed request body is damaged: {error}"))
    })?;
    if plain.len() > limit { Err(too_large(limit)) } else { Ok(Bytes::from(plain)) }
}

fn too_large(limit: usize) -> Fault {
    let message = format!("the request body is larger than {limit} bytes (server.body_limit_bytes)");
    Fault::new(FaultCode::BodyTooLarge, message)
}
