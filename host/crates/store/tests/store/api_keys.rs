//! API keys: shown once, found by hash, revoked by whatever names them.

use auth::authenticate;
use domain::{FaultCode, KeyStatus};
use store::StoreError;

use crate::open;

#[tokio::test]
async fn a_new_key_authenticates_until_it_is_revoked() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    let (made, secret) = store.create_api_key("app", "vip", Some(vec!["fast".to_owned()])).await.unwrap();
    assert!(secret.expose().starts_with(&made.prefix) && made.prefix.len() == 7);
    store.close().await;

    let store = open(dir.path()).await;
    let snapshot = store.snapshot().await.unwrap();
    let found = authenticate(&snapshot, &store.key_hasher(), secret.expose()).unwrap();
    assert_eq!(format!("{found:?}"), format!("{made:?}"));

    store.revoke_api_key("app").await.unwrap();
    let snapshot = store.snapshot().await.unwrap();
    let fault = authenticate(&snapshot, &store.key_hasher(), secret.expose()).unwrap_err();
    assert_eq!(fault.code, FaultCode::KeyRevoked);
    store.close().await;
}

#[tokio::test]
async fn a_name_is_free_again_after_a_revocation() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    store.create_api_key("app", "default", None).await.unwrap();
    let error = store.create_api_key("app", "default", None).await.unwrap_err();
    assert!(matches!(&error, StoreError::Conflict(text) if text.contains("`app`")), "{error}");
    let first = store.revoke_api_key("app").await.unwrap();
    let (second, _) = store.create_api_key("app", "default", None).await.unwrap();
    assert_eq!(store.revoke_api_key("app").await.unwrap().id, second.id);
    assert_ne!(first.id, second.id);
    store.close().await;
}

#[tokio::test]
async fn a_key_is_revoked_by_name_id_prefix_or_itself() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    let mut made = Vec::new();
    for name in ["a", "b", "c", "d"] {
        made.push(store.create_api_key(name, "default", None).await.unwrap());
    }
    let by = ["a", "2", made[2].0.prefix.as_str(), made[3].1.expose()];
    for (text, (key, _)) in by.into_iter().zip(&made) {
        let revoked = store.revoke_api_key(text).await.unwrap();
        assert_eq!((revoked.id, revoked.status), (key.id, KeyStatus::Revoked));
    }
    assert!(store.api_keys().await.unwrap().iter().all(|key| key.status == KeyStatus::Revoked));
    let revision = store.snapshot().await.unwrap().revision;
    assert_eq!(store.revoke_api_key("a").await.unwrap().id, made[0].0.id, "again is no error");
    assert_eq!(store.snapshot().await.unwrap().revision, revision, "and no change");
    store.close().await;
}

#[tokio::test]
async fn an_ambiguous_or_unknown_name_revokes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    store.import_api_key("one", "sk-same-start-0000000000000001", "default").await.unwrap();
    store.import_api_key("two", "sk-same-start-0000000000000002", "default").await.unwrap();
    let error = store.revoke_api_key("sk-same").await.unwrap_err();
    assert!(
        matches!(&error, StoreError::Conflict(text) if text.contains("`one`") && text.contains("`two`")),
        "{error}"
    );
    let error = store.revoke_api_key("three").await.unwrap_err();
    assert_eq!(error.to_string(), "there is no API key `three`; there are: `one`, `two`");
    let error = store.revoke_api_key("sk-mistyped-0000000000000000000").await.unwrap_err();
    assert!(!error.to_string().contains("mistyped-0000"), "{error}");
    assert!(store.api_keys().await.unwrap().iter().all(|key| key.status == KeyStatus::Active));
    store.close().await;
}

#[tokio::test]
async fn names_and_prefixes_that_mean_nothing_are_explained() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    let digits = store.create_api_key("12", "default", None).await.unwrap_err().to_string();
    assert!(digits.contains("digits only"), "{digits}");
    store.create_api_key("app", "default", None).await.unwrap();
    let said = store.revoke_api_key("sk-").await.unwrap_err().to_string();
    assert!(said.contains("only the beginning of a key"), "{said}");
}

#[tokio::test]
async fn importing_twice_is_importing_once() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    let first = store.import_api_key("env", "my-own-key-1", "default").await.unwrap();
    let again = store.import_api_key("env", " my-own-key-1\n", "default").await.unwrap();
    assert_eq!(first.id, again.id);
    assert_eq!(first.prefix, "my-", "a short key is not half shown");
    let other = store.import_api_key("env", "my-own-key-2", "default").await.unwrap();
    assert_eq!(other.name, "env-2");
    store.revoke_api_key("env").await.unwrap();
    let again = store.import_api_key("env", "my-own-key-1", "default").await.unwrap();
    assert_eq!((again.id, again.status), (first.id, KeyStatus::Revoked), "an import does not undo a revocation");
    for bad in ["", "short", "has a space in it"] {
        assert!(matches!(store.import_api_key("env", bad, "default").await, Err(StoreError::Invalid(_))), "{bad}");
    }
    store.close().await;
}
