//! What an adapter is told.

/// A name with a JSON text: how the contract grows without a new version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extra {
    /// What it is.
    pub name: String,
    /// Its value, JSON.
    pub json: String,
}

/// Something that happened in an exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The first event of an exchange.
    Start,
    /// An answer's status and headers have arrived.
    Head(Head),
    /// A part of an answer that is whole by itself.
    Message(Message),
    /// The same, but bytes.
    Binary(Binary),
    /// Bytes of an answer that was asked for with [`Framing::Bytes`](crate::Framing::Bytes).
    Body {
        /// The request that is answered.
        id: u32,
        /// The next bytes.
        data: Vec<u8>,
    },
    /// The answer to this request is complete.
    End(u32),
    /// The sleep of this id is over.
    Timer(u32),
    /// A file has arrived.
    Fetched(Fetched),
    /// A request or a fetch got no answer, or its answer broke off.
    Failed(Failure),
    /// The client has left: one last request may be sent, within five seconds.
    Abandoned,
    /// Something newer than this SDK; ignore what you do not know.
    Ext(Extra),
}

/// Status and headers of an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// The request that is answered.
    pub id: u32,
    /// The HTTP status as it came.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// How the answer arrives in fact, as [`Framing::as_str`](crate::Framing::as_str) spells it: `text` for an error, and for an answer of
    /// another kind than asked for.
    pub framing: String,
}

impl Head {
    /// Whether the answer comes whole, as one message: see [`Head::framing`].
    pub fn is_whole(&self) -> bool {
        self.framing == "text"
    }

    /// The first header of this name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// When the vendor wants to be asked again, in milliseconds: from `retry-after-ms`, or from `retry-after` in seconds. A date is not read.
    pub fn retry_after_ms(&self) -> Option<u32> {
        let number = |name, unit: f64| Some(self.header(name)?.trim().parse::<f64>().ok()? * unit);
        let ms = number("retry-after-ms", 1.0).or_else(|| number("retry-after", 1000.0))?;
        (ms.is_finite() && ms >= 0.0).then_some(ms as u32) // `as` saturates
    }
}

/// One SSE event, NDJSON line, element of an array, event-stream frame or WebSocket text message; or a whole
/// [`Framing::Text`](crate::Framing::Text) answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// The request that is answered.
    pub id: u32,
    /// The SSE event's name or the frame's `:event-type` (`:exception-type`, `:error-code`), else empty.
    pub name: String,
    /// The frame's headers.
    pub headers: Vec<(String, String)>,
    /// The text.
    pub data: String,
}

/// A WebSocket binary message, or an event-stream frame whose payload is not text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Binary {
    /// The request that is answered.
    pub id: u32,
    /// The frame's type, else empty.
    pub name: String,
    /// The frame's headers.
    pub headers: Vec<(String, String)>,
    /// The bytes.
    pub data: Vec<u8>,
}

/// A file that [`Effect::Fetch`](crate::Effect::Fetch) brought. The adapter does not get its bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fetched {
    /// The fetch.
    pub id: u32,
    /// In a text body it stands for the file's base64; [`Payload::Held`](crate::Payload::Held) and [`Data::Held`](crate::Data::Held) with
    /// it are the file's bytes.
    pub token: String,
    /// The media type as the file's server says it.
    pub content_type: String,
    /// In bytes.
    pub size: u32,
}

/// Why a request or a fetch got no answer, or only a part of one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Failure {
    /// The request or the fetch.
    pub id: u32,
    /// `connect`, `timeout-first-byte`, `timeout-idle`, `reset`, `too-large`, `bad-framing`, `refused-by-host`.
    pub code: String,
    /// For people.
    pub text: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(name: &str, value: &str) -> Head {
        Head { id: 1, status: 429, headers: vec![(name.into(), value.into())], ..Head::default() }
    }

    #[test]
    fn retry_after_is_read_in_both_units() {
        assert_eq!(head("Retry-After", "2").retry_after_ms(), Some(2000));
        assert_eq!(head("retry-after", " 0.5").retry_after_ms(), Some(500));
        assert_eq!(head("retry-after-ms", "70").retry_after_ms(), Some(70));
        assert_eq!(head("retry-after", "1e300").retry_after_ms(), Some(u32::MAX));
        for value in ["-1", "NaN", "Wed, 21 Oct 2026 07:28:00 GMT", ""] {
            assert_eq!(head("retry-after", value).retry_after_ms(), None, "{value}");
        }
    }
}
