//! The embeddings capability: the client's own request out, the vendor's own answer back, both byte for byte where nothing must change.

use serde::Deserialize;
use serde_json::value::RawValue;
use witgate_sdk::{Body, Call, Fault, Head, Mapper, Message, Out, Request, Usage};

use crate::dialect::{Dialect, Settings};
use crate::splice::Splice;
use crate::wire::says;
use crate::{fault, request, usage};

/// One exchange.
#[derive(Debug)]
pub struct Embeddings {
    call: Call,
    dialect: Dialect<'static>,
}

/// What is looked at in an answer. The vectors are passed on unread.
#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow, default)]
    object: Option<&'a RawValue>,
    #[serde(borrow, default)]
    data: Option<Vec<&'a RawValue>>,
    #[serde(borrow, default)]
    usage: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

impl Mapper for Embeddings {
    fn open(call: Call) -> Result<Self, Fault> {
        Ok(Embeddings { dialect: Dialect::of_call(&call)?, call })
    }

    fn request(&mut self, out: &mut Out) -> Result<Option<Request>, Fault> {
        let settings = Settings::read(std::mem::take(&mut self.call.settings)).map_err(Fault::unsupported)?;
        request::adapt(&mut self.call.body, &self.call.model, &self.dialect, out);
        let path = request::under(&self.call, &self.dialect, self.dialect.embeddings);
        let request = Request::post(path).json(self.call.body.to_json());
        Ok(Some(request::dressed(request, &self.call, &self.dialect, &settings)))
    }

    fn head(&mut self, head: &Head, _: &mut Out) -> Result<(), Fault> {
        fault::redirected(head)
    }

    fn response(&mut self, body: &str, out: &mut Out) -> Result<(), Fault> {
        let text = body.trim_start_matches('\u{feff}').trim();
        let expected = "list of embeddings";
        let Ok(answer) = serde_json::from_str::<Answer<'_>>(text) else { return Err(fault::not_the(text, expected)) };
        if says(answer.error) {
            return Err(fault::in_answer(text));
        }
        if answer.data.is_none_or(|data| data.is_empty()) {
            return Err(fault::not_the(text, expected));
        }
        let mut splice = Splice::new(text);
        match answer.object {
            Some(object) if object.get() == "\"list\"" => {}
            Some(object) => splice.replace(object.get(), "\"list\""),
            None => splice.prepend("\"object\":\"list\","),
        }
        if let Some(counts) = answer.usage.and_then(counted) {
            out.usage(counts);
        }
        out.emit(if splice.is_empty() { text.to_owned() } else { splice.finish() });
        out.finish("stop");
        Ok(())
    }

    fn stream(&mut self, message: Message, out: &mut Out) -> Result<(), Fault> {
        self.response(&message.data, out)
    }

    fn fault(&mut self, head: &Head, body: &str) -> Fault {
        fault::refused(head, body, self.call.now)
    }
}

/// Everything that is counted went in. Servers that only know a total mean the same.
fn counted(raw: &RawValue) -> Option<Usage> {
    if let Some(counts) = usage::read(raw).filter(|counts| counts.count(witgate_sdk::Class::Input) > 0) {
        return Some(counts);
    }
    let total = Body::parse(raw.get()).ok()?.optional::<u32>("total_tokens").ok()??;
    (total > 0).then(|| Usage::new().input(total))
}

#[cfg(test)]
mod tests {
    use super::*;
    use witgate_sdk::{Class, Code, Effect, Event, Machine, Simple};

    /// What becomes of an answer.
    fn effects(body: &str) -> Vec<Effect> {
        let call = Call { operation: "embeddings".into(), provider: "openai".into(), ..Call::default() };
        let mut machine = Simple::<Embeddings>::open(call);
        machine.step(0, vec![Event::Start]);
        let head = Head { id: 1, status: 200, framing: "text".into(), ..Head::default() };
        let message = Message { id: 1, data: body.into(), ..Message::default() };
        machine.step(0, vec![Event::Head(head), Event::Message(message), Event::End(1)])
    }

    #[test]
    fn an_answer_is_passed_on_and_counted() {
        let answer =
            r#"{"object":"list","data":[{"embedding":[0.10,-1e-9]}],"usage":{"prompt_tokens":3,"total_tokens":3}}"#;
        let input = |count| Effect::Usage(Usage::new().input(count));
        assert_eq!(effects(answer), [input(3), Effect::Emit(answer.into()), Effect::Finish("stop".into())]);
        let odd = effects(r#" {"data":[1],"usage":{"total_tokens":4}}"#);
        let mended = r#"{"object":"list","data":[1],"usage":{"total_tokens":4}}"#;
        assert_eq!(odd, [input(4), Effect::Emit(mended.into()), Effect::Finish("stop".into())]);
        assert_eq!(Usage::new().input(4).count(Class::Input), 4);
    }

    #[test]
    fn what_is_no_list_is_an_error() {
        for (body, what) in [
            (r#"{"object":"list","data":[]}"#, "no list of embeddings"),
            (r#"{"error":{"message":"bad input","type":"invalid_request_error"}}"#, "bad input"),
            ("<html>", "a web page"),
            ("", "is empty"),
        ] {
            let effects = effects(body);
            let [Effect::Fail(fault)] = &effects[..] else { panic!("{body}: {effects:?}") };
            assert!(fault.message.contains(what) && fault.code != Code::AdapterBroken, "{body}: {}", fault.message);
        }
    }
}
