//! Contract 0.1, frozen: its types, what the host lends to its components, and the way from and to the types of today.

mod down;
mod up;

use wasmtime::Result;

pub(crate) use bindings::witgate::adapter::{log, machine as interface, secrets};
pub(crate) use down::{batch, call};
pub(crate) use interface::{Batch, Call, Effect};
pub(crate) use up::effect;

use crate::sandbox::Sandbox;

#[allow(unreachable_pub, clippy::large_futures, clippy::too_many_lines, reason = "generated code")]
mod bindings {
    wasmtime::component::bindgen!({
        path: "../../../wit/frozen/0.1.0/wit",
        world: "adapter",
        imports: { default: trappable },
        exports: { default: async },
        additional_derives: [PartialEq],
    });
}

impl interface::Host for Sandbox {}

impl log::Host for Sandbox {
    fn write(&mut self, level: log::Level, text: String) -> Result<()> {
        let level = match level {
            log::Level::Debug => "debug",
            log::Level::Info => "info",
            log::Level::Warn => "warn",
            log::Level::Error => "error",
        };
        self.log.write(level, &text);
        Ok(())
    }
}

impl secrets::Host for Sandbox {
    fn get(&mut self, name: String) -> Result<Option<u32>> {
        self.values.get(&name)
    }

    fn text(&mut self, value: String) -> Result<u32> {
        self.values.text(value)
    }

    fn concat(&mut self, values: Vec<u32>) -> Result<Result<u32, String>> {
        self.values.concat(&values)
    }

    fn hmac(&mut self, algorithm: String, key: u32, data: u32) -> Result<Result<u32, String>> {
        self.values.hmac(&algorithm, key, data)
    }

    fn hash(&mut self, algorithm: String, data: u32) -> Result<Result<u32, String>> {
        self.values.hash(&algorithm, data)
    }

    fn encode(&mut self, encoding: String, data: u32) -> Result<Result<u32, String>> {
        self.values.encode(&encoding, data)
    }
}
