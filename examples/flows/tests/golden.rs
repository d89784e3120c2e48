//! The cases under `fixtures/`: one for each shape.

use flows_plugin::{Account, Chat, Embeddings, Grant};
use witgate_sdk::Straight;
use witgate_sdk_testkit::golden;

#[test]
fn chat() {
    golden::<Straight<Chat>>("fixtures/chat");
}

#[test]
fn embeddings() {
    golden::<Straight<Embeddings>>("fixtures/embeddings");
}

#[test]
fn grant() {
    golden::<Straight<Grant>>("fixtures/grant");
}

#[test]
fn account() {
    golden::<Straight<Account>>("fixtures/account");
}
