//! Whom a step machine works for: the client of an exchange, a grant, or a question about an account.

use std::{future::Future, time::Instant};

use domain::{Fault, Secret, Usage};

use crate::{chunk::Look, relay::Relay};

/// What a driver tells, and what it has to watch for.
pub(crate) trait Side: Send {
    /// Whether texts that look like tokens are kept from the guest, which then may name one as its result.
    const WITHHOLDS: bool = false;

    /// Canonical JSON that the adapter made.
    fn emit(&mut self, json: &str) -> impl Future<Output = Result<(), Fault>> + Send;

    /// A plain chunk that goes by the adapter.
    fn pass(&mut self, look: &Look<'_>) -> impl Future<Output = Result<(), Fault>> + Send;

    /// Absolute counts.
    fn set_usage(&mut self, usage: Usage);

    /// A field that could not be mapped.
    fn lose(&mut self, field: String);

    /// The answer is complete; usage may follow.
    fn set_finished(&mut self);

    /// Whether the adapter said so.
    fn finished(&self) -> bool;

    /// Finished, and nothing that may still come matters.
    fn complete(&self) -> bool;

    /// Whether there is something of the answer already. That the client was told to wait is nothing of it.
    fn started(&self) -> bool;

    /// Status and headers of an upstream's answer.
    fn upstream_head(&mut self, status: u16, headers: &http::HeaderMap);

    /// Resolves when nobody wants the answer any more.
    fn left(&mut self) -> impl Future<Output = ()> + Send;

    /// When the next sign of life is due.
    fn ping_at(&self) -> Option<Instant>;

    /// A sign of life.
    fn ping(&mut self) -> impl Future<Output = Result<(), Fault>> + Send;

    /// An access token and how long it is good for, in seconds.
    fn granted(&mut self, token: Secret, lifetime_s: u32) -> Result<(), Fault>;
}

impl Side for Relay {
    async fn emit(&mut self, json: &str) -> Result<(), Fault> {
        Relay::emit(self, json).await
    }

    async fn pass(&mut self, look: &Look<'_>) -> Result<(), Fault> {
        Relay::pass(self, look).await
    }

    fn set_usage(&mut self, usage: Usage) {
        Relay::set_usage(self, usage);
    }

    fn lose(&mut self, field: String) {
        Relay::lose(self, field);
    }

    fn set_finished(&mut self) {
        Relay::set_finished(self);
    }

    fn finished(&self) -> bool {
        Relay::finished(self)
    }

    fn complete(&self) -> bool {
        Relay::complete(self)
    }

    fn started(&self) -> bool {
        self.begun()
    }

    fn upstream_head(&mut self, status: u16, headers: &http::HeaderMap) {
        self.set_upstream_head(status, headers);
    }

    async fn left(&mut self) {
        self.client_left().await;
    }

    fn ping_at(&self) -> Option<Instant> {
        Relay::ping_at(self)
    }

    async fn ping(&mut self) -> Result<(), Fault> {
        Relay::ping(self).await
    }

    fn granted(&mut self, _: Secret, _: u32) -> Result<(), Fault> {
        Err(crate::driver::broken("only a grant may name an access token".to_owned()))
    }
}

/// Nobody's client: what a grant or a question about an account comes to.
#[derive(Default)]
pub(crate) struct Quiet<const WITHHOLDS: bool> {
    /// What was emitted last.
    pub(crate) answer: Option<String>,
    /// The access token with its lifetime in seconds.
    pub(crate) token: Option<(Secret, u32)>,
    finished: bool,
}

impl<const WITHHOLDS: bool> Side for Quiet<WITHHOLDS> {
    const WITHHOLDS: bool = WITHHOLDS;

    async fn emit(&mut self, json: &str) -> Result<(), Fault> {
        if WITHHOLDS {
            return Err(crate::driver::broken("a grant has no client to emit to".to_owned()));
        }
        self.answer = Some(json.to_owned());
        Ok(())
    }

    async fn pass(&mut self, _: &Look<'_>) -> Result<(), Fault> {
        Ok(())
    }

    fn set_usage(&mut self, _: Usage) {}

    fn lose(&mut self, _: String) {}

    fn set_finished(&mut self) {
        self.finished = true;
    }

    fn finished(&self) -> bool {
        self.finished
    }

    fn complete(&self) -> bool {
        self.finished
    }

    fn started(&self) -> bool {
        self.answer.is_some()
    }

    fn upstream_head(&mut self, _: u16, _: &http::HeaderMap) {}

    async fn left(&mut self) {
        std::future::pending().await
    }

    fn ping_at(&self) -> Option<Instant> {
        None
    }

    async fn ping(&mut self) -> Result<(), Fault> {
        Ok(())
    }

    fn granted(&mut self, token: Secret, lifetime_s: u32) -> Result<(), Fault> {
        if !WITHHOLDS {
            return Err(crate::driver::broken("only a grant may name an access token".to_owned()));
        }
        self.token = Some((token, lifetime_s));
        Ok(())
    }
}
