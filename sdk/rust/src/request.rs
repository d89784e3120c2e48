//! A request to the vendor: an endpoint by name, never a host, with values that the host joins from pieces.

use crate::{Extra, Form, Piece};

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
    /// One message for every element of the one array.
    JsonArray,
    /// One message (or binary) for every frame of `application/vnd.amazon.eventstream`.
    AwsEventStream,
    /// One message (or binary) for every WebSocket message; the request opens the connection.
    WebSocket,
}

impl Framing {
    /// As the contract spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Framing::Text => "text",
            Framing::Bytes => "bytes",
            Framing::Sse => "sse",
            Framing::Ndjson => "ndjson",
            Framing::JsonArray => "json-array",
            Framing::AwsEventStream => "aws-event-stream",
            Framing::WebSocket => "websocket",
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
    /// Fields and files.
    Form(Form),
    /// Bytes that the host keeps under this name: `request` is the client's body as it came, a fetched file has its token.
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
    /// Query parameters; the host percent-encodes names and values.
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

    /// With `authorization: Bearer` and these pieces.
    #[must_use]
    pub fn bearer(self, value: impl IntoIterator<Item = Piece>) -> Request {
        self.header("authorization", std::iter::once(crate::text("Bearer ")).chain(value))
    }

    /// With `authorization: Basic` and this user and password.
    #[must_use]
    pub fn basic(self, user: impl IntoIterator<Item = Piece>, password: impl IntoIterator<Item = Piece>) -> Request {
        self.header("authorization", [crate::text("Basic "), crate::basic(user, password)])
    }

    /// With a form as body; the host writes the content type.
    #[must_use]
    pub fn form(self, form: Form) -> Request {
        self.payload(Payload::Form(form))
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
