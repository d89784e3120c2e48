//! The OpenAI-compatible family as one component: OpenAI and the vendors and servers that speak its dialect. Each is a file in `catalog/`.

mod account;
mod catalog;
mod chat;
mod dialect;
mod embeddings;
mod fault;
mod mend;
mod request;
mod response;
mod splice;
mod stream;
mod usage;
mod wire;

pub use account::Account;
pub use catalog::Family;
pub use chat::Chat;
pub use embeddings::Embeddings;

use witgate_sdk::Simple;

witgate_sdk::adapter! {
    catalog = Family,
    chat = Simple<Chat>,
    embeddings = Simple<Embeddings>,
    account = Simple<Account>
}
