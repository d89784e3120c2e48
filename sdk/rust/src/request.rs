//! A request to the vendor: an endpoint by name, never a host, with values that the host joins from pieces.

use crate::{Extra, Opaque};

/// Part of a header's or a query parameter's value. The host joins the pieces when the request leaves.
#[derive(Clone, Debug, PartialEq)]
pub enum Piece {
    /// Text as it is.
    Text(String),
    /// A secret of the channel, by the name the catalog gave it.
    Secret(String),
    /// A value that the host computes from secrets. Needs `secrets` in [`adapter!`](crate::adapter).
    Opaque(Opaque),
}

/// A piece that is text.
pub fn text(value: impl Into<String>) -> Piece {
    Piece::Text(value.into())
}

/// A piece that is a secret of the channel.
pub fn secret(name: impl Into<String>) -> Piece {
    Piece::Secret(name.into())
}

/// How the answer is to arrive. An answer with an error status always comes as one message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Framing {
    /// One message with the whole body.
    #[default]
    Text,
    /// Body events with bytes as they come.
    Bytes,
    /// One message for every server-sent event.
    Sse,
    /// One message for every line.
    Ndjson,
}

impl Framing {
    /// As the contract spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Framing::Text => "text",
            Framing::Bytes => "bytes",
            Framing::Sse => "sse",
            Framing::Ndjson => "ndjson",
        }
    }
}

/// What a request carries.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Payload {
    /// Nothing.
    #[default]
    Empty,
    /// Text, usually JSON.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A multipart form.
    Form(Vec<Part>),
    /// Bytes that the host keeps under this name; `request` is the client's body as it came.
    Held(String),
}

/// A part of a form.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// The field's name.
    pub name: String,
    /// The file's name, for a file.
    pub filename: Option<String>,
    /// The media type.
    pub content_type: Option<String>,
    /// The content.
    pub data: Data,
}

/// The content of a form's part.
#[derive(Clone, Debug, PartialEq)]
pub enum Data {
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// Bytes that the host keeps under this name.
    Held(String),
}

/// A request to the vendor. Starts as a request to the endpoint `api` with an empty body and a whole-text answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Echoed in every event that answers it. [`Simple`](crate::Simple) sets it.
    pub id: u32,
    /// The HTTP method.
    pub method: String,
    /// An endpoint of the catalog, by name.
    pub endpoint: String,
    /// Starts with `/`, already percent-encoded, no query and no `..`; appended to the endpoint's URL byte for byte.
    pub path: String,
    /// Query parameters, encoded by the host.
    pub query: Vec<(String, Vec<Piece>)>,
    /// Headers.
    pub headers: Vec<(String, Vec<Piece>)>,
    /// The body.
    pub body: Payload,
    /// How the answer is to arrive.
    pub framing: Framing,
    /// What a newer host understands.
    pub extras: Vec<Extra>,
}

impl Request {
    /// A request with any method.
    pub fn new(method: impl Into<String>, path: impl Into<String>) -> Request {
        Request {
            id: 1,
            method: method.into(),
            endpoint: "api".into(),
            path: path.into(),
            query: Vec::new(),
            headers: Vec::new(),
            body: Payload::Empty,
            framing: Framing::Text,
            extras: Vec::new(),
        }
    }

    /// A POST.
    pub fn post(path: impl Into<String>) -> Request {
        Request::new("POST", path)
    }

    /// A GET.
    pub fn get(path: impl Into<String>) -> Request {
        Request::new("GET", path)
    }

    /// To another endpoint than `api`.
    #[must_use]
    pub fn endpoint(mut self, name: impl Into<String>) -> Request {
        self.endpoint = name.into();
        self
    }

    /// With a query parameter.
    #[must_use]
    pub fn query(mut self, name: impl Into<String>, value: impl IntoIterator<Item = Piece>) -> Request {
        self.query.push((name.into(), value.into_iter().collect()));
        self
    }

    /// With a header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl IntoIterator<Item = Piece>) -> Request {
        self.headers.push((name.into(), value.into_iter().collect()));
        self
    }

    /// With a JSON text as body and its content type.
    #[must_use]
    pub fn json(self, text: impl Into<String>) -> Request {
        let mut request = self.header("content-type", [crate::text("application/json")]);
        request.body = Payload::Text(text.into());
        request
    }

    /// With another body.
    #[must_use]
    pub fn payload(mut self, body: Payload) -> Request {
        self.body = body;
        self
    }

    /// With an answer that arrives this way.
    #[must_use]
    pub fn framing(mut self, framing: Framing) -> Request {
        self.framing = framing;
        self
    }
}
