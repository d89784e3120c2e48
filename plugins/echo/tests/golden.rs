//! The cases under `fixtures/`.

use plugin_echo::{Chat, Shop};
use witgate_sdk::{Catalog, Simple};

#[test]
fn chat() {
    witgate_sdk_testkit::golden::<Simple<Chat>>("fixtures/chat");
}

#[test]
fn the_catalog_offers_what_the_edition_has() {
    let [provider] = <[_; 1]>::try_from(Shop::providers()).unwrap();
    let descriptor: serde_json::Value = serde_json::from_str(&provider.descriptor).unwrap();
    let models: Vec<_> = descriptor["models"].as_array().unwrap().iter().map(|model| model["id"].clone()).collect();
    let (version, expected) = if cfg!(feature = "edition-two") {
        ("0.2.0", vec!["echo", "echo-two"])
    } else {
        (env!("CARGO_PKG_VERSION"), vec!["echo"])
    };
    assert_eq!(
        (descriptor["version"].as_str(), models),
        (Some(version), expected.into_iter().map(Into::into).collect())
    );
    assert_eq!(descriptor["built_in"], true);
}
