//! A vendor with HTTP Basic and forms: the one kind of body in which a secret may stand.

use serde_json::Value;
use witgate_sdk::{Call, Fault, Form, Io, Payload, Request, basic, secret, text};

use crate::{answer, question};

pub(crate) async fn run(call: Call, io: Io) -> Result<(), Fault> {
    let id = call.key_part("id").unwrap_or_default().to_owned();
    let form = Form::urlencoded()
        .field("q", [text(question(&call)?)])
        .field("api_id", [text(&id)])
        .field("api_secret", [secret("secret")]);
    let request = Request::post("/ask")
        .header("authorization", [text("Basic "), basic([text(&id)], [secret("secret")])])
        .payload(Payload::Form(form));
    let reply: Value = io.text(request).await?.accepted(Fault::from_openai)?.json()?;
    answer(&call, &io, reply["text"].as_str().unwrap_or_default(), (2, 2));
    Ok(())
}
