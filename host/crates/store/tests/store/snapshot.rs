//! The snapshot follows what other processes change, and survives what goes wrong.

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use domain::{ChannelStatus, Snapshot};
use tokio::{sync::oneshot, time::timeout};

use crate::{new_channel, open, opening::tamper};

/// Waits for the snapshot to become so. The limit only says that a broken test ends.
async fn until(snapshot: &Arc<ArcSwap<Snapshot>>, holds: impl Fn(&Snapshot) -> bool) {
    let wait = async {
        while !holds(&snapshot.load()) {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(30), wait).await.expect("the snapshot never changed as expected");
}

#[tokio::test]
async fn the_server_follows_what_commands_change() {
    let dir = tempfile::tempdir().unwrap();
    let (server, command) = (open(dir.path()).await, open(dir.path()).await);
    let (stop, stopped) = oneshot::channel::<()>();
    let watched = server.watch(Duration::from_millis(5), async { drop(stopped.await) }).await.unwrap();
    assert!(watched.snapshot.load().channels.is_empty());

    let mut channel = command.add_channel(new_channel("main")).await.unwrap();
    until(&watched.snapshot, |snapshot| snapshot.channels.len() == 1).await;
    channel.status = ChannelStatus::Disabled;
    command.save_channel(&channel).await.unwrap();
    until(&watched.snapshot, |snapshot| snapshot.channels[0].status == ChannelStatus::Disabled).await;
    command.create_api_key("app", "default", None).await.unwrap();
    until(&watched.snapshot, |snapshot| snapshot.api_keys.len() == 1).await;
    command.remove_channel(channel.id).await.unwrap();
    until(&watched.snapshot, |snapshot| snapshot.channels.is_empty()).await;

    stop.send(()).unwrap();
    watched.task.await.unwrap();
    server.close().await;
    command.close().await;
}

#[tokio::test]
async fn a_damaged_row_leaves_the_last_snapshot_in_place_until_it_is_repaired() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    store.add_channel(new_channel("main")).await.unwrap();
    let watched = store.watch(Duration::from_millis(5), std::future::pending()).await.unwrap();
    tamper(dir.path(), "UPDATE channels SET secrets = 'damaged'").await;
    tamper(dir.path(), "UPDATE counters SET value = value + 1 WHERE name = 'revision'").await;
    assert!(store.snapshot().await.is_err());
    assert_eq!(watched.snapshot.load().channels.len(), 1);
    tamper(dir.path(), "UPDATE channels SET secrets = '{}'").await;
    until(&watched.snapshot, |snapshot| snapshot.channels.iter().all(|channel| channel.secrets.is_empty())).await;
    store.close().await;
    watched.task.await.expect("the task ends by itself when the store is closed");
}

#[tokio::test]
async fn only_changes_that_matter_bump_the_revision() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    let before = store.snapshot().await.unwrap().revision;
    store.publish_plugins(&[]).await.unwrap();
    store.heartbeat("127.0.0.1:3000").await.unwrap();
    assert_eq!(store.snapshot().await.unwrap().revision, before);
    store.add_channel(new_channel("main")).await.unwrap();
    assert!(store.add_channel(new_channel("main")).await.is_err());
    assert_eq!(store.snapshot().await.unwrap().revision, before + 1);
    store.close().await;
}
