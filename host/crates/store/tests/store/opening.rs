//! Opening: new and old databases, master keys, versions, several processes at once, modes of files.

use std::{fs, path::Path, str::FromStr};

use domain::Secret;
use sqlx::{Connection, Executor, any::AnyConnectOptions};
use store::{OpenOptions, Store, StoreError};

use crate::{new_channel, open, options};

const OTHER_KEY: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

fn with_key(dir: &Path, key: &str) -> OpenOptions {
    OpenOptions { master_key: Some(Secret::new(key)), ..options(dir) }
}

/// Runs a statement that the store would never run.
pub(crate) async fn tamper(dir: &Path, statement: &'static str) {
    sqlx::any::install_default_drivers();
    let url = format!("sqlite://{}?mode=rw", dir.join("witgate.db").display());
    let mut connection = sqlx::AnyConnection::connect_with(&AnyConnectOptions::from_str(&url).unwrap()).await.unwrap();
    connection.execute(statement).await.unwrap();
    connection.close().await.unwrap();
}

#[tokio::test]
async fn a_missing_database_is_made_only_when_asked() {
    let dir = tempfile::tempdir().unwrap();
    let data_dir = dir.path().join("data");
    let error = Store::open(OpenOptions { create: false, ..options(&data_dir) }).await.unwrap_err();
    assert!(matches!(&error, StoreError::NotFound(text) if text.contains("witgate.db")), "{error}");
    assert!(!data_dir.exists(), "a refused opening leaves nothing behind");

    open(&data_dir).await.close().await;
    Store::open(OpenOptions { create: false, ..options(&data_dir) }).await.unwrap().close().await;
}

#[cfg(unix)]
#[tokio::test]
async fn files_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;

    let dir = tempfile::tempdir().unwrap();
    let data_dir = dir.path().join("a/b c/ü");
    let store = open(&data_dir).await;
    store.add_channel(new_channel("main")).await.unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&data_dir), 0o700);
    for file in ["witgate.db", "witgate.db-wal", "master.key"] {
        assert_eq!(mode(&data_dir.join(file)), 0o600, "{file}");
    }
    store.close().await;
}

#[tokio::test]
async fn another_master_key_is_refused_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    store.add_channel(new_channel("main")).await.unwrap();
    store.close().await;

    let error = Store::open(with_key(dir.path(), OTHER_KEY)).await.unwrap_err();
    assert!(matches!(&error, StoreError::MasterKey(text) if text.contains("not the one")), "{error}");
    assert!(!error.to_string().contains(OTHER_KEY));

    let key = fs::read_to_string(dir.path().join("master.key")).unwrap();
    Store::open(with_key(dir.path(), &key)).await.unwrap().close().await;
}

#[tokio::test]
async fn a_lost_key_file_is_an_error_and_no_new_key_is_made() {
    let dir = tempfile::tempdir().unwrap();
    open(dir.path()).await.close().await;
    let file = dir.path().join("master.key");
    fs::remove_file(&file).unwrap();
    let error = Store::open(options(dir.path())).await.unwrap_err();
    assert!(matches!(&error, StoreError::MasterKey(text) if text.contains("is missing")), "{error}");
    assert!(!file.exists());
}

#[tokio::test]
async fn a_given_master_key_needs_no_file() {
    let dir = tempfile::tempdir().unwrap();
    Store::open(with_key(dir.path(), OTHER_KEY)).await.unwrap().close().await;
    assert!(!dir.path().join("master.key").exists());
    let error = Store::open(with_key(dir.path(), "hunter2")).await.unwrap_err();
    assert!(error.to_string().contains("64 hexadecimal digits"), "{error}");
}

#[tokio::test]
async fn a_database_of_a_newer_program_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    open(dir.path()).await.close().await;
    tamper(dir.path(), "UPDATE schema_version SET version = 999").await;
    let error = Store::open(options(dir.path())).await.unwrap_err();
    assert!(matches!(error, StoreError::Newer { found: 999, known } if known < 999), "{error}");
    assert!(error.to_string().contains("999"));
}

#[tokio::test]
async fn what_is_not_a_database_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("witgate.db"), "just a text, and long enough to be taken for a header".repeat(10))
        .unwrap();
    let error = Store::open(options(dir.path())).await.unwrap_err();
    assert!(matches!(&error, StoreError::Invalid(text) if text.contains("not a SQLite database")), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_may_open_a_new_database_at_the_same_moment() {
    let dir = tempfile::tempdir().unwrap();
    let tasks: Vec<_> = (0..8)
        .map(|number| {
            let options = options(dir.path());
            tokio::spawn(async move {
                let store = Store::open(options).await.unwrap();
                store.add_channel(new_channel(&format!("channel {number}"))).await.unwrap();
                store
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().close().await;
    }
    let store = open(dir.path()).await;
    let ids: Vec<i64> = store.channels().await.unwrap().iter().map(|channel| channel.id.0).collect();
    assert_eq!(ids, (1..=8).collect::<Vec<_>>());
    store.close().await;
}
