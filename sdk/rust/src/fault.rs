//! Why an exchange failed: the host's retry, cool-down and disable rules act on the code alone.

use crate::{ErrorBody, Failure, Head};

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $make:ident;)*) => {
        /// The reasons an adapter may give.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Code { $($(#[$doc])* $name,)* }

        impl Code {
            /// As the contract spells it.
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$name => $text,)* }
            }
        }

        impl Fault {
            $($(#[$doc])* pub fn $make(message: impl Into<String>) -> Fault { Fault::new(Code::$name, message) })*
        }
    };
}

codes! {
    /// The client's request is wrong.
    InvalidRequest = "invalid-request", invalid_request;
    /// The vendor's policy refused the content.
    ContentFiltered = "content-filtered", content_filtered;
    /// The request does not fit the model's context.
    ContextTooLong = "context-too-long", context_too_long;
    /// The vendor does not have the model.
    ModelMissing = "model-missing", model_missing;
    /// The channel's credential does not work any more. Disables the channel.
    CredentialDead = "credential-dead", credential_dead;
    /// A cached token ran out early. Another is obtained and the request repeated.
    CredentialStale = "credential-stale", credential_stale;
    /// The vendor refused a signature's time.
    ClockSkew = "clock-skew", clock_skew;
    /// The channel's account has no credit. Disables the channel.
    AccountEmpty = "account-empty", account_empty;
    /// The vendor throttles.
    RateLimited = "rate-limited", rate_limited;
    /// The vendor is busy.
    Overloaded = "overloaded", overloaded;
    /// The vendor answered nonsense or an error of its own.
    UpstreamBroken = "upstream-broken", upstream_broken;
    /// The adapter cannot do this.
    Unsupported = "unsupported", unsupported;
    /// The adapter has a bug.
    AdapterBroken = "adapter-broken", adapter_broken;
}

/// A failure with what the host needs to act and the client needs to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Why.
    pub code: Code,
    /// The vendor's HTTP status, or 0. [`Simple`](crate::Simple) fills it in.
    pub status: u16,
    /// When the vendor wants to be asked again, in milliseconds. [`Simple`](crate::Simple) fills it in from the answer's headers.
    pub retry_after_ms: Option<u32>,
    /// `account-empty`: Unix seconds at which the vendor fills it up again, when it says so.
    pub until: Option<u32>,
    /// The field of the client's request that is to blame, when the vendor or the adapter knows it.
    pub param: Option<String>,
    /// For the client, in the vendor's words. The host masks keys and URLs in it.
    pub message: String,
    /// The vendor's error object, JSON, or empty.
    pub vendor: String,
}

impl Fault {
    /// A fault with a message for the client.
    pub fn new(code: Code, message: impl Into<String>) -> Fault {
        Fault {
            code,
            status: 0,
            retry_after_ms: None,
            until: None,
            param: None,
            message: message.into(),
            vendor: String::new(),
        }
    }

    /// With the vendor's HTTP status.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Fault {
        self.status = status;
        self
    }

    /// With the time to wait before trying again, in milliseconds.
    #[must_use]
    pub fn with_retry_after_ms(mut self, ms: u32) -> Fault {
        self.retry_after_ms = Some(ms);
        self
    }

    /// With the time at which an empty account is filled up again, in Unix seconds.
    #[must_use]
    pub fn with_until(mut self, seconds: u32) -> Fault {
        self.until = Some(seconds);
        self
    }

    /// With the field of the client's request that is to blame.
    #[must_use]
    pub fn with_param(mut self, field: impl Into<String>) -> Fault {
        self.param = Some(field.into());
        self
    }

    /// With what an answer's head knows and the fault does not say yet: the status, and when to ask again.
    #[must_use]
    pub fn with_head(mut self, head: &Head) -> Fault {
        if self.status == 0 {
            self.status = head.status;
        }
        self.retry_after_ms = self.retry_after_ms.or_else(|| head.retry_after_ms());
        self
    }

    /// With the vendor's error object.
    #[must_use]
    pub fn with_vendor(mut self, json: impl Into<String>) -> Fault {
        self.vendor = json.into();
        self
    }

    /// The fault that an answer in OpenAI's error format means: by its code where it has a known one, else by the HTTP status.
    pub fn from_openai(head: &Head, body: &str) -> Fault {
        let error = ErrorBody::parse(body).unwrap_or_default();
        let mut fault = Fault::new(error.fault_code(head.status), error.message);
        if fault.message.is_empty() {
            fault.message = format!("the vendor answered with status {} and no message", head.status);
        }
        fault.param = Some(error.param).filter(|param| !param.is_empty());
        fault.vendor = error.json;
        fault.with_head(head)
    }
}

/// A request that got no answer, or only a part of one.
impl From<Failure> for Fault {
    fn from(failure: Failure) -> Fault {
        Fault::upstream_broken(if failure.text.is_empty() { failure.code } else { failure.text })
    }
}
