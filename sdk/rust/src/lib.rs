//! Write a vendor adapter for Witgate: a pure mapping from a client's request to a vendor's, and back.
//!
//! An adapter does no I/O. It is told what happened ([`Event`]) and answers what to do next ([`Effect`]); most adapters only fill in a
//! [`Mapper`] and let [`Simple`] drive it. Secrets are named ([`Piece::Secret`]) or computed with ([`Opaque`]), never seen.
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
//!     fn on_message(&mut self, message: Message, out: &mut Out) -> Result<(), Fault> {
//!         out.emit(message.data);
//!         out.finish("stop");
//!         Ok(())
//!     }
//!     fn on_error(&mut self, head: &Head, body: &str) -> Fault {
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
pub use event::{Event, Extra, Failure, Head, Message};

mod effect;
pub use effect::Effect;

mod request;
pub use request::{Data, Framing, Part, Payload, Piece, Request, secret, text};

mod opaque;
pub use opaque::{Algorithm, Opaque};

mod usage;
pub use usage::{Class, Usage};

mod fault;
pub use fault::{Code, Fault};

mod machine;
pub use machine::{Catalog, Machine, Provider};

mod simple;
pub use simple::{Mapper, Out, Simple};

mod answer;
pub use answer::{Chunk, Completion, Stamp};

mod aggregate;
pub use aggregate::Aggregator;

mod error_body;
pub use error_body::ErrorBody;

pub mod log;

#[cfg(target_family = "wasm")]
#[doc(hidden)]
pub mod export;

/// Exports an adapter: exactly the capabilities that are named, and the catalog.
///
/// `adapter! { catalog = Shop, chat = Simple<Chat> }`. A component whose requests hold [`Opaque`] values adds `secrets` at the end; that
/// makes it import the interface of that name, which is how it asks the operator for the permission.
#[macro_export]
macro_rules! adapter {
    (catalog = $catalog:ty, chat = $chat:ty $(,)?) => {
        $crate::__adapter! { $catalog, $chat, WithoutSecrets }
    };
    (catalog = $catalog:ty, chat = $chat:ty, secrets $(,)?) => {
        $crate::__adapter! { $catalog, $chat, WithSecrets }
    };
}

#[cfg(target_family = "wasm")]
#[doc(hidden)]
#[macro_export]
macro_rules! __adapter {
    ($catalog:ty, $chat:ty, $lower:ident) => {
        const _: () = {
            type WitgateCatalog = $crate::export::Shelf<$catalog>;
            type WitgateChat = $crate::export::Door<$chat, $crate::export::$lower>;
    $crate::export::catalog::export_catalog!(WitgateCatalog with_types_in $crate::export::catalog);
    $crate::export::chat::export_chat!(WitgateChat with_types_in $crate::export::chat);
        };
    };
}

#[cfg(not(target_family = "wasm"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __adapter {
    ($catalog:ty, $chat:ty, $lower:ident) => {
        // Nothing is exported natively, but what would be is checked.
        const _: fn() -> Vec<$crate::Provider> = <$catalog as $crate::Catalog>::providers;
        const _: fn($crate::Call) -> $chat = <$chat as $crate::Machine>::open;
    };
}
