//! One adapter for each shape that a vendor's API can have: read the one that is like yours. Each plays a real vendor's exchange in the
//! fewest lines; the host's black-box tests run every one of them against a scripted vendor.

mod account;
mod array;
mod catalog;
mod files;
mod forms;
mod frames;
mod poll;
mod signed;
mod socket;
mod task;
mod token;

pub use account::{Account, Embeddings};
pub use token::Grant;

use witgate_sdk::{Call, Fault, Io, Script, Stamp, Straight, Usage};

/// Chat completions of whichever provider the channel is of.
pub struct Chat;

impl Script for Chat {
    async fn run(call: Call, io: Io) -> Result<(), Fault> {
        match call.provider.as_str() {
            "flow-poll" => poll::run(call, io).await,
            "flow-task" => task::run(call, io).await,
            "flow-token-jwt" | "flow-token-key" => token::chat(call, io).await,
            "flow-sigv4" | "flow-tc3" | "flow-bce" | "flow-jwt" => signed::run(call, io).await,
            "flow-socket" => socket::run(call, io).await,
            "flow-array" => array::run(call, io).await,
            "flow-files" => files::run(call, io).await,
            "flow-forms" => forms::run(call, io).await,
            other => Err(Fault::adapter_broken(format!("there is no flow for the provider `{other}`"))),
        }
    }
}

/// What the user said last.
fn question(call: &Call) -> Result<String, Fault> {
    let messages: Vec<serde_json::Value> = call.body.required("messages")?;
    let last = messages.iter().rev().find_map(|message| message.get("content")?.as_str().map(str::to_owned));
    last.ok_or_else(|| Fault::invalid_request("there is no message with text").with_param("messages"))
}

/// The whole answer, in whichever form the client asked for: the host cuts it up where it wants a stream.
fn answer(call: &Call, io: &Io, text: &str, tokens: (u32, u32)) {
    io.emit(Stamp::new(call).completion().text(text).finish("stop").to_json());
    io.usage(Usage::new().input(tokens.0).output(tokens.1));
    io.finish("stop");
}

witgate_sdk::adapter! {
    catalog = catalog::Flows,
    chat = Straight<Chat>,
    embeddings = Straight<account::Embeddings>,
    grant = Straight<token::Grant>,
    account = Straight<account::Account>,
    secrets
}
