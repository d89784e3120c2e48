//! The door to the host: generated bindings and the glue between them and the SDK's own types. The only place with generated code.
#![allow(missing_docs, reason = "generated code, and hidden glue that only `adapter!` names")]

mod incoming;
mod outgoing;

use crate::{Effect, Fault, Machine, Opaque, log};
use std::cell::RefCell;
use std::marker::PhantomData;

/// What capabilities share: the vocabulary and the host's interfaces.
pub mod shared {
    wit_bindgen::generate!({ path: "../../wit", world: "imports", generate_all, generate_unused_types: true });
}

use shared::witgate::adapter::{log as host_log, machine, secrets};

pub mod catalog {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "with-catalog",
        pub_export_macro: true,
        export_macro_name: "export_catalog",
        with: { "witgate:adapter/log@0.2.0": crate::export::shared::witgate::adapter::log },
    });
}

macro_rules! capabilities {
    ($($name:ident, $world:literal, $export:literal;)*) => {$(
        pub mod $name {
            wit_bindgen::generate!({
                path: "../../wit",
                world: $world,
                pub_export_macro: true,
                export_macro_name: $export,
                with: {
                    "witgate:adapter/log@0.2.0": crate::export::shared::witgate::adapter::log,
                    "witgate:adapter/machine@0.2.0": crate::export::shared::witgate::adapter::machine,
                },
            });
        }

        impl<M: Machine, L: Lower> $name::exports::witgate::adapter::$name::Guest for Door<M, L> {
            type Exchange = Room<M, L>;
        }

        impl<M: Machine, L: Lower> $name::exports::witgate::adapter::$name::GuestExchange for Room<M, L> {
            fn new(call: machine::Call) -> Self {
                Room::open(call)
            }

            fn step(&self, batch: machine::Batch) -> Vec<machine::Effect> {
                self.told(batch)
            }
        }
    )*};
}

/// Whether this component computes with secrets. Only [`WithSecrets`] makes it import the interface.
pub trait Lower: 'static {
    /// The number of the value on the host's side.
    fn lower(value: Opaque) -> Result<u32, String>;
}

pub struct WithoutSecrets;

impl Lower for WithoutSecrets {
    fn lower(_: Opaque) -> Result<u32, String> {
        Err("the adapter computes with secrets, but its `adapter!` does not say `secrets`".to_owned())
    }
}

pub struct WithSecrets;

impl Lower for WithSecrets {
    fn lower(value: Opaque) -> Result<u32, String> {
        match value {
            Opaque::Secret(name) => {
                secrets::get(&name).ok_or_else(|| format!("the secret `{name}` is not set on this channel"))
            }
            Opaque::Text(text) => Ok(secrets::text(&text)),
            Opaque::Concat(values) => {
                secrets::concat(&values.into_iter().map(Self::lower).collect::<Result<Vec<_>, _>>()?)
            }
            Opaque::Hmac(algorithm, key, data) => {
                secrets::hmac(algorithm.as_str(), Self::lower(*key)?, Self::lower(*data)?)
            }
            Opaque::Hash(algorithm, data) => secrets::hash(algorithm.as_str(), Self::lower(*data)?),
            Opaque::Encode(encoding, data) => secrets::encode(encoding, Self::lower(*data)?),
            Opaque::Sign(algorithm, key, data) => secrets::sign(algorithm, Self::lower(*key)?, Self::lower(*data)?),
        }
    }
}

/// The exported catalog.
pub struct Shelf<C>(PhantomData<C>);

impl<C: crate::Catalog + 'static> catalog::exports::witgate::adapter::catalog::Guest for Shelf<C> {
    fn providers() -> Vec<catalog::exports::witgate::adapter::catalog::Provider> {
        hear_panics();
        let shown = |provider: crate::Provider| catalog::exports::witgate::adapter::catalog::Provider {
            id: provider.id,
            descriptor: provider.descriptor,
        };
        C::providers().into_iter().map(shown).collect()
    }
}

/// The exported capability: a door behind which every exchange gets a machine.
pub struct Door<M, L>(PhantomData<(M, L)>);

// The whole list: a component exports those that its `adapter!` names.
capabilities! {
    chat, "with-chat", "export_chat";
    embeddings, "with-embeddings", "export_embeddings";
    grant, "with-grant", "export_grant";
    account, "with-account", "export_account";
}

/// One exchange. A call that could not be read fails in its first step.
pub struct Room<M, L> {
    machine: RefCell<Result<M, Option<Fault>>>,
    lower: PhantomData<L>,
}

impl<M: Machine, L: Lower> Room<M, L> {
    fn open(call: machine::Call) -> Self {
        hear_panics();
        let machine = incoming::call(call).map(M::open).map_err(Some);
        Room { machine: RefCell::new(machine), lower: PhantomData }
    }

    fn told(&self, batch: machine::Batch) -> Vec<machine::Effect> {
        let effects = match &mut *self.machine.borrow_mut() {
            Ok(machine) => machine.step(batch.now, batch.events.into_iter().map(incoming::event).collect()),
            Err(fault) => fault.take().map(Effect::Fail).into_iter().collect(),
        };
        outgoing::effects::<L>(effects)
    }
}

/// A panic ends the exchange with a trap; its text would be lost without the log.
fn hear_panics() {
    std::panic::set_hook(Box::new(|panic| log::error(&panic.to_string())));
}

/// What [`log`] calls in a component.
pub(crate) fn write_log(level: log::Level, text: &str) {
    let level = match level {
        log::Level::Debug => host_log::Level::Debug,
        log::Level::Info => host_log::Level::Info,
        log::Level::Warn => host_log::Level::Warn,
        log::Level::Error => host_log::Level::Error,
    };
    host_log::write(level, text);
}
