//! The account capability: the list of models, page by page, and the count of a request's tokens.

use serde_json::{Value, json};
use witgate_sdk::{Call, Fault, Io, Reply, Request, Script, text};

use crate::settings::Settings;
use crate::wire::answer::{Counted, ModelPage};
use crate::{fault, request};

/// The most pages of models that are asked for. A page has up to a thousand.
const PAGES: u32 = 5;

/// One question.
#[derive(Debug)]
pub struct Account;

impl Script for Account {
    async fn run(call: Call, io: Io) -> Result<(), Fault> {
        let settings = Settings::read(&call);
        let answer = match call.operation.as_str() {
            "models" => models(&settings, &io).await?,
            "count-tokens" => count(&call, &settings, &io).await?,
            other => return Err(Fault::unsupported(format!("the vendor has no `{other}`"))),
        };
        io.emit(answer.to_string());
        Ok(())
    }
}

async fn models(settings: &Settings, io: &Io) -> Result<Value, Fault> {
    let mut models = Vec::new();
    let mut after: Option<String> = None;
    for _ in 0..PAGES {
        let mut request = settings.apply(Request::get("/v1/models")).query("limit", [text("1000")]);
        if let Some(id) = &after {
            request = request.query("after_id", [text(id)]);
        }
        let page: ModelPage = answered(io.text(request).await?, io)?.json()?;
        models.extend(page.data.into_iter().map(|model| json!({"id": model.id})));
        match page.last_id {
            Some(last) if page.has_more => after = Some(last),
            _ => break,
        }
    }
    Ok(json!({"models": models}))
}

async fn count(call: &Call, settings: &Settings, io: &Io) -> Result<Value, Fault> {
    let request = settings.apply(Request::post("/v1/messages/count_tokens")).json(request::count(call, settings)?);
    let counted: Counted = answered(io.text(request).await?, io)?.json()?;
    Ok(json!({"input_tokens": counted.input_tokens}))
}

fn answered(reply: Reply, io: &Io) -> Result<Reply, Fault> {
    reply.accepted(|head, body| fault::answered(head, body, io.now()))
}
