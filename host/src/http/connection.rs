//! Connections: driven by hand because `axum::serve` has no header timeout. TCP_NODELAY always: without it small chunks wait 40 ms.

use std::{
    convert::Infallible,
    future::poll_fn,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::body::Body;
use domain::{Fault, FaultCode};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{Edge, access_log, openai};

/// How long a connection that has served a request may wait for the next one. Longer than clients keep theirs, so that they close first.
const IDLE: Duration = Duration::from_secs(120);

/// Accepts until `stop` is cancelled. Returns the connections that are still open: each finishes what it is doing, then closes.
pub(crate) async fn accept(
    listener: TcpListener,
    edge: Edge,
    header_timeout: Duration,
    stop: CancellationToken,
) -> TaskTracker {
    let connections = TaskTracker::new();
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    // Out of file descriptors, usually: accepting again at once would spin.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
            () = stop.cancelled() => break,
        };
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY could not be set");
        }
        connections.spawn(serve(stream, edge.clone(), header_timeout, stop.clone()));
    }
    connections.close();
    connections
}

/// Serves one connection to its end.
///
/// hyper's timeout for headers also runs while a connection is idle. One that has sent nothing is therefore taken up again until `IDLE`;
/// one that has sent half a request is told so and closed.
async fn serve(stream: TcpStream, edge: Edge, header_timeout: Duration, stop: CancellationToken) {
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(header_timeout);
    let busy = Arc::new(AtomicBool::new(false));
    let mut io = TokioIo::new(stream);
    let mut idle = IDLE;
    loop {
        let (edge, begins) = (edge.clone(), Arc::clone(&busy));
        let service = service_fn(move |request: hyper::Request<Incoming>| {
            begins.store(true, Ordering::Relaxed);
            let edge = edge.clone();
            Box::pin(async move { Ok::<_, Infallible>(edge.answer(request.map(Body::new)).await) })
        });
        let mut connection = server.serve_connection(io, service);
        let mut stopping = false;
        let ended = loop {
            tokio::select! {
                ended = poll_fn(|cx| connection.poll_without_shutdown(cx)) => break ended,
                () = stop.cancelled(), if !stopping => {
                    stopping = true;
                    std::pin::Pin::new(&mut connection).graceful_shutdown();
                }
            }
        };
        let parts = connection.into_parts();
        io = parts.io;
        idle = if busy.swap(false, Ordering::Relaxed) { header_timeout } else { idle.saturating_add(header_timeout) };
        match ended {
            Err(error) if error.is_timeout() && !parts.read_buf.is_empty() => {
                too_slow(io.inner_mut(), header_timeout).await;
                break;
            }
            Err(error) if error.is_timeout() && idle < IDLE && !stopping => {}
            Err(error) => {
                tracing::debug!(%error, "a connection ended early");
                break;
            }
            Ok(()) => break,
        }
    }
    // The peer may be gone already; then there is nothing to close.
    let _closed = io.inner_mut().shutdown().await;
}

/// Half a request and then silence.
async fn too_slow(stream: &mut TcpStream, after: Duration) {
    let message = format!("the request's headers did not arrive within {} ms", after.as_millis());
    let body = openai::envelope(&Fault::new(FaultCode::RequestTimeout, message)).to_string();
    let response = format!(
        "HTTP/1.1 408 Request Timeout\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\
         access-control-allow-origin: *\r\nx-request-id: {}\r\n\r\n{body}",
        body.len(),
        access_log::new_request_id(),
    );
    let _told = stream.write_all(response.as_bytes()).await;
}
