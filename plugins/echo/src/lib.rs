//! The built-in `echo` vendor: answers with the last user message. It needs no network, no key and no configuration.

mod request;
mod response;
mod stream;

use request::Echo;
use serde_json::json;
use witgate_sdk::{Call, Catalog, Fault, Head, Mapper, Message, Out, Provider, Request, Simple, Usage};

/// What the component offers: one provider.
pub struct Shop;

impl Catalog for Shop {
    fn providers() -> Vec<Provider> {
        let edition_two = cfg!(feature = "edition-two");
        let names = if edition_two { vec!["echo", "echo-two"] } else { vec!["echo"] };
        let free = json!([{"from": "2020-01-01", "currency": "USD", "per_million": {"input": "0", "output": "0"}}]);
        let models: Vec<_> =
            names.iter().map(|id| json!({"id": id, "context": 32_768, "capabilities": [], "prices": free})).collect();
        let descriptor = json!({
            "title": "Echo",
            "docs": "",
            "version": if edition_two { "0.2.0" } else { env!("CARGO_PKG_VERSION") },
            "endpoints": [],
            "secrets": [],
            "placements": [],
            "settings": {"type": "object", "properties": {}, "additionalProperties": false},
            "operations": ["chat"],
            "models": models,
            "built_in": true,
        });
        vec![Provider::new("echo", descriptor.to_string())]
    }
}

/// One echo.
pub struct Chat(Call);

impl Mapper for Chat {
    fn open(call: Call) -> Result<Self, Fault> {
        Ok(Chat(call))
    }

    fn request(&mut self, out: &mut Out) -> Result<Option<Request>, Fault> {
        let echo = Echo::read(&self.0.body)?;
        for (field, what) in &echo.losses {
            out.loss(field, what);
        }
        if self.0.streaming {
            stream::write(&self.0, &echo.text, out);
        } else {
            response::write(&self.0, &echo.text, out);
        }
        out.usage(Usage::new().input(echo.words).output(request::words(&echo.text)));
        out.finish("stop");
        Ok(None)
    }

    fn response(&mut self, _: &str, _: &mut Out) -> Result<(), Fault> {
        Err(Fault::adapter_broken("echo asks nobody, so nobody can answer"))
    }

    fn stream(&mut self, _: Message, _: &mut Out) -> Result<(), Fault> {
        Err(Fault::adapter_broken("echo asks nobody, so nobody can answer"))
    }

    fn fault(&mut self, _: &Head, _: &str) -> Fault {
        Fault::adapter_broken("echo asks nobody, so nobody can answer")
    }
}

witgate_sdk::adapter! { catalog = Shop, chat = Simple<Chat> }
