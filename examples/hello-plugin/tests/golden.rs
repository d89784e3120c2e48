//! The cases under `fixtures/`.

use hello_plugin::Chat;
use witgate_sdk::Simple;

#[test]
fn chat() {
    witgate_sdk_testkit::golden::<Simple<Chat>>("fixtures/chat");
}
