//! Waits for the first of two.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// What came first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Either<A, B> {
    /// The first one.
    First(A),
    /// The second one.
    Second(B),
}

/// Both under way.
pub(super) struct Race<'a, A, B> {
    pub(super) first: Pin<&'a mut A>,
    pub(super) second: Pin<&'a mut B>,
}

impl<A: Future, B: Future> Future for Race<'_, A, B> {
    type Output = Either<A::Output, B::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if let Poll::Ready(output) = self.first.as_mut().poll(context) {
            return Poll::Ready(Either::First(output));
        }
        self.second.as_mut().poll(context).map(Either::Second)
    }
}
