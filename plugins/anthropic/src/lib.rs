//! Anthropic's Messages API. The example of a vendor with a dialect of its own: `chat` and `account` are the two capabilities, everything
//! else is what they are made of.

mod ability;
mod account;
mod catalog;
mod chat;
mod citations;
mod fault;
mod lost;
mod names;
mod request;
mod response;
mod schema;
mod settings;
mod stream;
mod usage;
mod wire;

pub use account::Account;
pub use catalog::Shop;
pub use chat::Chat;

witgate_sdk::adapter! { catalog = Shop, chat = witgate_sdk::Simple<Chat>, account = witgate_sdk::Straight<Account> }
