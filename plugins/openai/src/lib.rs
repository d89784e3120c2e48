//! The OpenAI-compatible family as one component: OpenAI and the vendors and servers that speak its dialect. Each is a file in `catalog/`.

mod catalog;
mod chat;
mod dialect;
mod fault;
mod mend;
mod request;
mod response;
mod splice;
mod stream;
mod usage;
mod wire;

pub use catalog::Family;
pub use chat::Chat;

witgate_sdk::adapter! { catalog = Family, chat = witgate_sdk::Simple<Chat> }
