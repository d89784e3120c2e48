//! A guest that misbehaves on demand: the model's name says how. Written against the WIT directly, so that tests of the host do not depend
//! on the SDK. It is built for wasm32-wasip2 and never shipped.
#![cfg(target_arch = "wasm32")]
#![expect(clippy::panic, reason = "this is what it is for")]
#![allow(unsafe_code, reason = "the exports that the bindings generate are functions with C names")]

mod behaviors;

#[allow(missing_docs, unreachable_pub, clippy::allow_attributes_without_reason, reason = "generated code")]
mod bindings {
    wit_bindgen::generate!({
        inline: "package guest:probe; world probe {
            include witgate:adapter/with-catalog@0.2.0;
            include witgate:adapter/with-chat@0.2.0;
            include witgate:adapter/with-secrets@0.2.0;
        }",
        path: "../../../../../wit",
        world: "guest:probe/probe",
        generate_all,
    });
}

use bindings::{
    exports::witgate::adapter::{
        catalog::{self, Provider},
        chat::{self, Batch, Call, Effect},
    },
    witgate::adapter::machine::Event,
};

struct Probe;

/// What an exchange knows: who called, and how many steps there were.
struct Exchange {
    call: Call,
    steps: std::cell::Cell<u32>,
}

const VERSION: &str = if cfg!(feature = "edition-two") { "2.0.0" } else { "1.0.0" };
const TEXT: &str = if cfg!(feature = "edition-two") { "the second edition" } else { "the first edition" };

impl catalog::Guest for Probe {
    fn providers() -> Vec<Provider> {
        let descriptor = format!(
            r#"{{"title": "Probe", "version": "{VERSION}", "operations": ["chat"],
                "endpoints": [{{"name": "api", "url": "http://probe.test/v1", "pasted": ["/v1"]}}],
                "secrets": [{{"name": "key", "title": "Key", "required": false}}],
                "placements": [{{"endpoint": "api", "in": "header", "name": "authorization"}}],
                "settings": {{"type": "object", "additionalProperties": false,
                    "properties": {{"region": {{"type": "string", "default": "here"}}}}}},
                "models": [{{"id": "hello"}}, {{"id": "loop"}}]}}"#
        );
        vec![Provider { id: "probe".to_owned(), descriptor }]
    }
}

impl chat::Guest for Probe {
    type Exchange = Exchange;
}

impl chat::GuestExchange for Exchange {
    fn new(call: Call) -> Self {
        behaviors::construct(&call.model);
        Exchange { call, steps: std::cell::Cell::new(0) }
    }

    fn step(&self, batch: Batch) -> Vec<Effect> {
        self.steps.set(self.steps.get() + 1);
        let started = matches!(batch.events.first(), Some(Event::Start));
        behaviors::step(&self.call, batch.now, self.steps.get(), started)
    }
}

bindings::export!(Probe with_types_in bindings);
