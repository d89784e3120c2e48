//! Write a vendor adapter for Witgate: a pure mapping from a client's request to a vendor's, and back.
//!
//! An adapter does no I/O. It is told what happened ([`Event`]) and answers what to do next ([`Effect`]); most adapters only fill in a
//! [`Mapper`] and let [`Simple`] drive it. One that needs several requests is a [`Script`], an async function over [`Io`]. Secrets are named
//! ([`Piece::Secret`]) or computed with ([`Opaque`], [`sign`]), never seen.
//!
//! Mappings share what is needed again and again: a [`Body`] that is edited rather than rebuilt, [`conversation`] for messages and their
//! parts, [`schema`] for JSON Schemas, [`Stamp`], [`ToolCalls`] and [`EmbeddingList`] for answers, [`Usage`] for counts, [`ErrorBody`] for
//! errors.
//!
//! ```
//! use witgate_sdk::{Call, Catalog, Fault, Framing, Head, Mapper, Message, Out, Provider, Request, Simple, secret, text};
//!
//! struct Shop;
//! impl Catalog for Shop {
//!     fn providers() -> Vec<Provider> {
//!         vec![Provider::new("acme", r#"{"title": "Acme", "version": "0.1.0"}"#)]
//!     }
//! }
//!
//! struct Chat(Call);
//! impl Mapper for Chat {
//!     fn open(call: Call) -> Result<Self, Fault> {
//!         Ok(Chat(call))
//!     }
//!     fn request(&mut self, _: &mut Out) -> Result<Option<Request>, Fault> {
//!         self.0.body.set("model", &self.0.model);
//!         let request = Request::post("/chat/completions")
//!             .header("authorization", [text("Bearer "), secret("key")])
//!             .json(self.0.body.to_string());
//!         Ok(Some(request.framing(if self.0.streaming { Framing::Sse } else { Framing::Text })))
//!     }
//!     fn response(&mut self, body: &str, out: &mut Out) -> Result<(), Fault> {
//!         out.emit(body);
//!         out.finish("stop");
//!         Ok(())
//!     }
//!     fn stream(&mut self, message: Message, out: &mut Out) -> Result<(), Fault> {
//!         if message.data == "[DONE]" {
//!             out.finish("stop");
//!         } else {
//!             out.emit(message.data);
//!         }
//!         Ok(())
//!     }
//!     fn fault(&mut self, head: &Head, body: &str) -> Fault {
//!         Fault::from_openai(head, body)
//!     }
//! }
//!
//! witgate_sdk::adapter! { catalog = Shop, chat = Simple<Chat> }
//! ```
//!
//! Natively the crate is a plain library: mappings are tested without WebAssembly (see the `witgate-sdk-testkit` crate). Built for
//! `wasm32-wasip2`, a `cdylib` with [`adapter!`] is a component.

mod call;
pub use call::Call;

mod body;
pub use body::Body;

mod event;
pub use event::{Binary, Event, Extra, Failure, Fetched, Head, Message};

mod effect;
pub use effect::{Effect, Frame};

mod request;
pub use request::{Framing, Payload, Request};

mod form;
pub use form::{Data, Form, FormEncoding, Part};

mod piece;
pub use piece::{Piece, basic, secret, text, token};

mod opaque;
pub use opaque::{Algorithm, Opaque};

pub mod sign;

mod moment;
pub use moment::Moment;

mod usage;
pub use usage::{Class, Usage};

mod fault;
pub use fault::{Code, Fault};

mod machine;
pub use machine::{Catalog, Machine, Provider};

mod simple;
pub use simple::{Mapper, Out, Simple};

mod script;
pub use script::{Either, Flight, Incoming, Io, Reply, Script, Straight};

mod answer;
pub use answer::{Answer, Chunk, Completion, Stamp};

mod embeddings;
pub use embeddings::{EmbeddingInput, EmbeddingList, embedding_inputs};

mod tool_calls;
pub use tool_calls::{ToolCall, ToolCalls};

pub mod conversation;

pub mod schema;

mod aggregate;
pub use aggregate::Aggregator;

mod error_body;
pub use error_body::ErrorBody;

pub mod log;

#[cfg(target_family = "wasm")]
#[doc(hidden)]
pub mod export;

/// Exports an adapter: the catalog and exactly the capabilities that are named.
///
/// `adapter! { catalog = Shop, chat = Simple<Chat> }`. The capabilities are `chat`, `embeddings`, `grant` and `account`: any of them, in this
/// order. A component whose requests hold [`Opaque`] values adds `secrets` at the end; that makes it import the interface of that name,
/// which is how it asks the operator for the permission.
///
/// ```
/// # use witgate_sdk::{Call, Catalog, Effect, Event, Machine, Provider};
/// # struct Shop;
/// # impl Catalog for Shop { fn providers() -> Vec<Provider> { Vec::new() } }
/// # struct Chat; struct Account;
/// # macro_rules! machine { ($($name:ident)*) => { $(impl Machine for $name {
/// #     fn open(_: Call) -> Self { $name }
/// #     fn step(&mut self, _: u32, _: Vec<Event>) -> Vec<Effect> { Vec::new() }
/// # })* } }
/// # machine! { Chat Account }
/// witgate_sdk::adapter! { catalog = Shop, chat = Chat, account = Account, secrets }
/// ```
#[macro_export]
macro_rules! adapter {
    (
        catalog = $catalog:ty
        $(, chat = $chat:ty)?
        $(, embeddings = $embeddings:ty)?
        $(, grant = $grant:ty)?
        $(, account = $account:ty)?
        , secrets $(,)?
    ) => {
        $crate::__shelf! { $catalog }
        $($crate::__door! { chat export_chat WithSecrets $chat })?
        $($crate::__door! { embeddings export_embeddings WithSecrets $embeddings })?
        $($crate::__door! { grant export_grant WithSecrets $grant })?
        $($crate::__door! { account export_account WithSecrets $account })?
    };
    (
        catalog = $catalog:ty
        $(, chat = $chat:ty)?
        $(, embeddings = $embeddings:ty)?
        $(, grant = $grant:ty)?
        $(, account = $account:ty)?
        $(,)?
    ) => {
        $crate::__shelf! { $catalog }
        $($crate::__door! { chat export_chat WithoutSecrets $chat })?
        $($crate::__door! { embeddings export_embeddings WithoutSecrets $embeddings })?
        $($crate::__door! { grant export_grant WithoutSecrets $grant })?
        $($crate::__door! { account export_account WithoutSecrets $account })?
    };
}

#[cfg(target_family = "wasm")]
#[doc(hidden)]
#[macro_export]
macro_rules! __shelf {
    ($catalog:ty) => {
        const _: () = {
            type WitgateCatalog = $crate::export::Shelf<$catalog>;
    $crate::export::catalog::export_catalog!(WitgateCatalog with_types_in $crate::export::catalog);
        };
    };
}

#[cfg(target_family = "wasm")]
#[doc(hidden)]
#[macro_export]
macro_rules! __door {
    ($capability:ident $export:ident $lower:ident $machine:ty) => {
        const _: () = {
            type WitgateDoor = $crate::export::Door<$machine, $crate::export::$lower>;
    $crate::export::$capability::$export!(WitgateDoor with_types_in $crate::export::$capability);
        };
    };
}

// Nothing is exported natively, but what would be is checked.
#[cfg(not(target_family = "wasm"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __shelf {
    ($catalog:ty) => {
        const _: fn() -> Vec<$crate::Provider> = <$catalog as $crate::Catalog>::providers;
    };
}

#[cfg(not(target_family = "wasm"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __door {
    ($capability:ident $export:ident $lower:ident $machine:ty) => {
        const _: fn($crate::Call) -> $machine = <$machine as $crate::Machine>::open;
    };
}
