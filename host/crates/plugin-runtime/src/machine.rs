//! The vocabulary of the step machine (calls, events, effects) as Rust types, generated from `wit/machine.wit`.

#[expect(missing_docs, reason = "generated from the WIT, which documents every type")]
#[allow(unreachable_pub, clippy::large_futures, clippy::too_many_lines, reason = "generated code")]
mod bindings {
    wasmtime::component::bindgen!({
        path: "../../../wit",
        world: "adapter",
        imports: { default: trappable },
        exports: { default: async },
        additional_derives: [PartialEq],
    });
}

pub use bindings::witgate::adapter::machine::{
    Amount, Atom, Basic, Batch, Binary, Call, Chunk, Data, Effect, Endpoint, Event, Extra, Failure, Fault, Fetched,
    Field, Form, Frame, Granted, Head, Header, Lost, Media, Message, Outgoing, Parked, Part, Pause, Payload, Piece,
    Request, Usage,
};

pub(crate) use bindings::{
    exports::witgate::adapter::catalog::Provider as CatalogEntry,
    witgate::adapter::{log, machine as interface, secrets},
};
