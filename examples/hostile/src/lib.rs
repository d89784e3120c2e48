//! One guest with many hostile behaviours; bytes in its data say which one a copy has. Written against the WIT directly, so that it can say
//! what no SDK would let it say. See `README.md` for the list.
#![cfg(target_arch = "wasm32")]
#![allow(
    unsafe_code,
    reason = "exports are functions with C names; strings that are none and foreign memory are the point"
)]
#![expect(clippy::panic, clippy::print_stdout, clippy::print_stderr, reason = "this is what it is for")]

mod behavior;
mod catalog;
mod exhaust;
mod liar;
mod raw;
mod request;
mod spy;
mod thief;
mod turn;

#[allow(missing_docs, unreachable_pub, clippy::allow_attributes_without_reason, reason = "generated code")]
mod bindings {
    wit_bindgen::generate!({
        inline: "package guest:hostile; world hostile {
            include witgate:adapter/with-catalog@0.2.0;
            include witgate:adapter/with-chat@0.2.0;
            include witgate:adapter/with-embeddings@0.2.0;
            include witgate:adapter/with-grant@0.2.0;
            include witgate:adapter/with-account@0.2.0;
            include witgate:adapter/with-secrets@0.2.0;
        }",
        path: "../../wit",
        world: "guest:hostile/hostile",
        generate_all,
    });
}

use std::cell::{Cell, RefCell};

use bindings::{
    exports::witgate::adapter::{account, catalog as catalog_export, chat, embeddings, grant},
    witgate::adapter::machine::{Batch, Call, Effect},
};

use crate::turn::Turn;

struct Hostile;

/// One exchange of whatever capability: how it behaves, what it was called with, how often it was stepped and what it was shown.
struct Exchange {
    name: String,
    call: Call,
    in_grant: bool,
    steps: Cell<u32>,
    seen: RefCell<String>,
}

impl catalog_export::Guest for Hostile {
    fn providers() -> Vec<catalog_export::Provider> {
        exhaust::catalog();
        catalog::providers()
    }
}

impl Exchange {
    fn begin(call: Call, in_grant: bool) -> Exchange {
        let name = behavior::of(&call);
        exhaust::constructor(&name, in_grant);
        Exchange { name, call, in_grant, steps: Cell::new(0), seen: RefCell::default() }
    }

    fn go_on(&self, batch: &Batch) -> Vec<Effect> {
        self.steps.set(self.steps.get() + 1);
        Turn::new(self, batch).effects()
    }
}

macro_rules! capability {
    ($interface:ident, $in_grant:expr) => {
        impl $interface::Guest for Hostile {
            type Exchange = Exchange;
        }

        impl $interface::GuestExchange for Exchange {
            fn new(call: Call) -> Self {
                Exchange::begin(call, $in_grant)
            }

            fn step(&self, batch: Batch) -> Vec<Effect> {
                self.go_on(&batch)
            }
        }
    };
}

capability!(chat, false);
capability!(embeddings, false);
capability!(account, false);
capability!(grant, true);

bindings::export!(Hostile with_types_in bindings);
