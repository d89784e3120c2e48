//! The deadline for connecting, which reqwest has per client only: a connector layer that reads it from the task that sends the request.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tower::{Layer, Service};

tokio::task_local! {
    /// Set around a request. The connector is called inside the request's own task; only the waiting may move to another one.
    pub(crate) static CONNECT_WITHIN: Duration;
}

type BoxError = Box<dyn Error + Send + Sync>;

/// Wraps reqwest's connector, TLS included.
#[derive(Clone)]
pub(crate) struct ConnectDeadline;

/// Connecting did not come to an end in time.
#[derive(Debug)]
pub(crate) struct ConnectTimedOut(Duration);

impl fmt::Display for ConnectTimedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no connection within {:?}", self.0)
    }
}

impl Error for ConnectTimedOut {}

impl<S> Layer<S> for ConnectDeadline {
    type Service = Hurried<S>;

    fn layer(&self, inner: S) -> Hurried<S> {
        Hurried { inner }
    }
}

/// A connector with a deadline.
#[derive(Clone)]
pub(crate) struct Hurried<S> {
    inner: S,
}

impl<S, R> Service<R> for Hurried<S>
where
    S: Service<R, Error = BoxError>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, target: R) -> Self::Future {
        let connecting = self.inner.call(target);
        let Ok(within) = CONNECT_WITHIN.try_with(|within| *within) else {
            return Box::pin(connecting);
        };
        Box::pin(async move {
            match tokio::time::timeout(within, connecting).await {
                Ok(connected) => connected,
                Err(_) => Err(ConnectTimedOut(within).into()),
            }
        })
    }
}
