//! Every case under `fixtures`, run natively.

#[test]
fn chat() {
    witgate_sdk_testkit::golden::<witgate_sdk::Simple<plugin_anthropic::Chat>>("fixtures/chat");
}

#[test]
fn account() {
    witgate_sdk_testkit::golden::<witgate_sdk::Straight<plugin_anthropic::Account>>("fixtures/account");
}
