//! Every case under `fixtures/`, run natively.

use plugin_acme::Chat;
use witgate_sdk::Simple;

#[test]
fn chat() {
    witgate_sdk_testkit::golden::<Simple<Chat>>("fixtures/chat");
}
