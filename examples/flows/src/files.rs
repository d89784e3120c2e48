//! A vendor that wants bytes where the client gave an address: the host fetches the file, the adapter only says where it goes.

use serde_json::{Value, json};
use witgate_sdk::{Call, Data, Fault, Form, Io, Payload, Request, secret, text};

use crate::answer;

pub(crate) async fn run(call: Call, io: Io) -> Result<(), Fault> {
    let messages: Vec<Value> = call.body.required("messages")?;
    let parts = messages.iter().filter_map(|message| message["content"].as_array()).flatten();
    let mut urls = parts.filter_map(|part| part.pointer("/image_url/url")?.as_str());
    let Some(url) = urls.next() else {
        return Err(Fault::invalid_request("this vendor wants an image").with_param("messages"));
    };
    let file = io.fetch(url).await?;
    // The same file twice: as base64 in JSON, and as a file of a form, which travel side by side.
    let inline = json!({"model": call.model, "mime": file.content_type, "data": file.token});
    let described = io.send(Request::post("/describe").bearer([secret("key")]).json(inline.to_string()));
    let form = Form::multipart().field("purpose", [text("vision")]).file(
        "file",
        "image",
        &file.content_type,
        Data::Held(file.token.clone()),
    );
    let stored = io.send(Request::post("/files").bearer([secret("key")]).payload(Payload::Form(form)));
    let described: Value = described.text().await?.accepted(Fault::from_openai)?.json()?;
    let stored: Value = stored.text().await?.accepted(Fault::from_openai)?.json()?;
    let said =
        format!("{} ({})", described["text"].as_str().unwrap_or_default(), stored["id"].as_str().unwrap_or_default());
    answer(&call, &io, &said, (9, 4));
    Ok(())
}
