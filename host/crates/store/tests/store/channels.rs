//! Channels: every field comes back, names are unique, secrets are nowhere to be read.

use std::fs;

use domain::{ChannelId, ChannelStatus, Secret};
use store::StoreError;

use crate::{new_channel, open, opening::tamper};

#[tokio::test]
async fn every_field_survives_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    let mut added = store.add_channel(new_channel("main")).await.unwrap();
    added.status = ChannelStatus::Disabled;
    added.base_url = None;
    added.secrets.insert("second".to_owned(), Secret::new("upstream-secret-0002"));
    store.save_channel(&added).await.unwrap();
    store.close().await;

    let store = open(dir.path()).await;
    let found = store.channel("main").await.unwrap();
    assert_eq!(format!("{found:?}"), format!("{added:?}"));
    assert_eq!(found.secrets, added.secrets);
    store.close().await;
}

#[tokio::test]
async fn a_channel_is_found_by_name_first_and_by_id_then() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    store.add_channel(new_channel("main")).await.unwrap();
    store.add_channel(new_channel("1")).await.unwrap();
    assert_eq!(store.channel("1").await.unwrap().id, ChannelId(2));
    assert_eq!(store.channel(" main ").await.unwrap().id, ChannelId(1));
    assert_eq!(store.channel("2").await.unwrap().name, "1");
    let error = store.channel("Main").await.unwrap_err();
    assert_eq!(error.to_string(), "there is no channel `Main`; there are: `main`, `1`");
    store.close().await;
}

#[tokio::test]
async fn names_are_unique_and_ids_are_never_used_again() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    let first = store.add_channel(new_channel("main")).await.unwrap();
    let mut second = store.add_channel(new_channel("spare")).await.unwrap();
    let error = store.add_channel(new_channel("main")).await.unwrap_err();
    assert!(matches!(&error, StoreError::Conflict(text) if text.contains("`main`")), "{error}");
    second.name = "main".to_owned();
    assert!(matches!(store.save_channel(&second).await, Err(StoreError::Conflict(_))));
    store.save_channel(&first).await.unwrap();

    store.remove_channel(second.id).await.unwrap();
    assert!(matches!(store.remove_channel(second.id).await, Err(StoreError::NotFound(_))));
    assert!(matches!(store.save_channel(&second).await, Err(StoreError::Conflict(_))));
    second.name = "spare".to_owned();
    assert!(matches!(store.save_channel(&second).await, Err(StoreError::NotFound(_))));
    assert_eq!(store.add_channel(second_again()).await.unwrap().id, ChannelId(3));
    store.close().await;
}

fn second_again() -> store::NewChannel {
    new_channel("spare")
}

#[tokio::test]
async fn what_cannot_work_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    let good = || new_channel("main");
    let long = "x".repeat(101);
    let bad = [
        store::NewChannel { name: String::new(), ..good() },
        store::NewChannel { name: " main".to_owned(), ..good() },
        store::NewChannel { name: long, ..good() },
        store::NewChannel { weight: 0, ..good() },
        store::NewChannel { groups: Vec::new(), ..good() },
        store::NewChannel { settings: "[]".to_owned(), ..good() },
        store::NewChannel { provider: String::new(), ..good() },
    ];
    for channel in bad {
        let text = format!("{channel:?}");
        assert!(matches!(store.add_channel(channel).await, Err(StoreError::Invalid(_))), "{text}");
    }
    assert!(store.channels().await.unwrap().is_empty());
    store.close().await;
}

#[tokio::test]
async fn secrets_are_in_none_of_the_files() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    store.add_channel(new_channel("main")).await.unwrap();
    let (_, key) = store.create_api_key("app", "default", None).await.unwrap();
    let holds = |secret: &str| {
        let entries = fs::read_dir(dir.path()).unwrap();
        let bytes: Vec<u8> = entries.flat_map(|entry| fs::read(entry.unwrap().path()).unwrap()).collect();
        bytes.windows(secret.len()).any(|window| window == secret.as_bytes())
    };
    // Once while the rows are in the write-ahead log, once when they are in the database file.
    for _ in 0..2 {
        assert!(holds("https://api.vendor.test"), "the test must look where the rows are");
        assert!(!holds("upstream-secret-0001"));
        assert!(!holds(key.expose()));
        store.close().await;
    }
}

#[tokio::test]
async fn a_sealed_secret_does_not_open_in_another_row() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    store.add_channel(new_channel("main")).await.unwrap();
    store.add_channel(new_channel("spare")).await.unwrap();
    tamper(dir.path(), "UPDATE channels SET secrets = (SELECT secrets FROM channels WHERE id = 1) WHERE id = 2").await;
    let error = store.channels().await.unwrap_err();
    assert!(matches!(&error, StoreError::Corrupt(text) if text.contains("channels/2/secrets/key")), "{error}");
    store.close().await;
}
