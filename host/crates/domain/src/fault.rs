//! Why an exchange or an attempt failed: a code, who is to blame, and what to tell the client.

use std::time::Duration;

/// Whose doing a fault is. Decides who is alerted and whether a channel's health suffers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// The request was wrong; no other channel will like it better.
    Client,
    /// We could not serve it.
    Gateway,
    /// The vendor or the way to it failed.
    Upstream,
    /// The plugin failed.
    Adapter,
}

macro_rules! fault_codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $blame:ident;)*) => {
        /// The closed list of reasons; the text form is what adapters send and what metrics and records show.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum FaultCode { $($(#[$doc])* $name,)* }

        impl FaultCode {
            /// Every code, in the order of its documentation.
            pub const ALL: &'static [FaultCode] = &[$(FaultCode::$name,)*];

            /// The text form, `kebab-case`.
            pub fn as_str(self) -> &'static str {
                match self { $(FaultCode::$name => $text,)* }
            }

            /// Who is to blame.
            pub fn blame(self) -> Blame {
                match self { $(FaultCode::$name => Blame::$blame,)* }
            }
        }
    };
}

fault_codes! {
    /// The request is wrong.
    InvalidRequest = "invalid-request", Client;
    /// The vendor's policy refused it.
    ContentFiltered = "content-filtered", Client;
    /// It does not fit the model's context.
    ContextTooLong = "context-too-long", Client;
    /// The vendor does not have the model.
    ModelMissing = "model-missing", Upstream;
    /// The channel's credential does not work any more.
    CredentialDead = "credential-dead", Upstream;
    /// A cached token ran out early.
    CredentialStale = "credential-stale", Upstream;
    /// The vendor refused a signature's time.
    ClockSkew = "clock-skew", Gateway;
    /// The channel's account has no credit.
    AccountEmpty = "account-empty", Upstream;
    /// The vendor throttles.
    RateLimited = "rate-limited", Upstream;
    /// The vendor is busy.
    Overloaded = "overloaded", Upstream;
    /// The vendor answered nonsense, an error, or not at all.
    UpstreamBroken = "upstream-broken", Upstream;
    /// The adapter or the host cannot do this.
    Unsupported = "unsupported", Client;
    /// The plugin trapped, hung or broke the contract.
    AdapterBroken = "adapter-broken", Adapter;
    /// A deadline passed while waiting for the vendor.
    UpstreamTimeout = "upstream-timeout", Upstream;
    /// No connection to the vendor.
    UpstreamUnreachable = "upstream-unreachable", Upstream;
    /// The host refused to send what the adapter asked for.
    EgressRefused = "egress-refused", Gateway;
    /// No API key was sent, or several that differ.
    KeyMissing = "key-missing", Client;
    /// The API key is unknown.
    KeyInvalid = "key-invalid", Client;
    /// The API key was revoked.
    KeyRevoked = "key-revoked", Client;
    /// No channel of the key's group offers the model.
    ModelUnknown = "model-unknown", Client;
    /// The key may not call this model.
    ModelForbidden = "model-forbidden", Client;
    /// Channels exist, but none can serve now.
    NoChannel = "no-channel", Gateway;
    /// The request did not arrive in time.
    RequestTimeout = "request-timeout", Client;
    /// The body is larger than the limit.
    BodyTooLarge = "body-too-large", Client;
    /// The route exists in the API but not here, yet.
    NotImplemented = "not-implemented", Client;
    /// There is no such route.
    NotFound = "not-found", Client;
    /// The method does not fit the route.
    MethodNotAllowed = "method-not-allowed", Client;
    /// The server is stopping or not ready.
    Unavailable = "unavailable", Gateway;
    /// The client went away; nobody reads this.
    ClientGone = "client-gone", Client;
    /// Something of ours broke.
    Internal = "internal", Gateway;
}

impl FaultCode {
    /// The code an adapter named; `None` for a text outside the list.
    pub fn parse(text: &str) -> Option<FaultCode> {
        FaultCode::ALL.iter().copied().find(|code| code.as_str() == text)
    }
}

/// Bytes of a detail.
const DETAIL_MAX: usize = 2_000;

/// A failure with everything that the edge needs to answer and the operator needs to act.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// Why.
    pub code: FaultCode,
    /// The vendor's HTTP status, 0 when there was none.
    pub upstream_status: u16,
    /// When to try again.
    pub retry_after: Option<Duration>,
    /// For the client: what was wrong and what to do.
    pub message: String,
    /// For the operator: what the client must not see.
    pub detail: Option<String>,
    /// The request field that is to blame, as OpenAI's `param`.
    pub param: Option<String>,
    /// The vendor's rate-limit headers, for the client.
    pub rate_limits: Vec<(String, String)>,
}

impl Fault {
    /// A fault with a message for the client.
    pub fn new(code: FaultCode, message: impl Into<String>) -> Self {
        Fault {
            code,
            upstream_status: 0,
            retry_after: None,
            message: message.into(),
            detail: None,
            param: None,
            rate_limits: Vec::new(),
        }
    }

    /// Adds what only the operator may read.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        let mut detail = detail.into();
        // It goes into logs, and an adapter may have had a hand in it.
        detail.truncate(detail.floor_char_boundary(DETAIL_MAX));
        self.detail = Some(detail);
        self
    }

    /// Names the request field that is to blame.
    #[must_use]
    pub fn with_param(mut self, param: impl Into<String>) -> Self {
        self.param = Some(param.into());
        self
    }

    /// Says when to try again.
    #[must_use]
    pub fn with_retry_after(mut self, after: Duration) -> Self {
        self.retry_after = Some(after);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_text_of_its_own() {
        for code in FaultCode::ALL {
            assert_eq!(FaultCode::parse(code.as_str()), Some(*code));
        }
        assert_eq!(FaultCode::parse("no-such-code"), None);
    }
}
