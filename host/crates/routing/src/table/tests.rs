//! The table and the order, on small snapshots.

use std::{collections::BTreeMap, sync::Arc};

use domain::{ApiKey, ApiKeyId, Approval, Channel, ChannelId, ChannelModel, ChannelStatus, KeyStatus, Snapshot};

use super::*;
use crate::order;

fn channel(id: i64, priority: i64, weight: u32, models: &[(&str, &str)]) -> Arc<Channel> {
    Arc::new(Channel {
        id: ChannelId(id),
        name: format!("c{id}"),
        provider: "shop".into(),
        base_url: None,
        models: models.iter().map(|(p, u)| ChannelModel { public: (*p).into(), upstream: (*u).into() }).collect(),
        groups: vec!["default".into()],
        priority,
        weight,
        status: ChannelStatus::Enabled,
        settings: "{}".into(),
        secrets: BTreeMap::new(),
        approval: Approval::default(),
    })
}

fn key(models: Option<&[&str]>) -> ApiKey {
    ApiKey {
        id: ApiKeyId(1),
        name: "app".into(),
        prefix: "sk-1234".into(),
        status: KeyStatus::Active,
        group: "default".into(),
        models: models.map(|list| list.iter().map(|&name| name.into()).collect()),
        created_ms: 0,
    }
}

fn table(channels: Vec<Arc<Channel>>) -> Table {
    Table::build(Arc::new(Snapshot { channels, ..Snapshot::default() }), HashMap::new(), 0)
}

#[test]
fn a_key_sees_only_what_it_may_call() {
    let table = table(vec![channel(1, 0, 1, &[("a", "a"), ("b", "vendor/b")])]);
    let names = |key: &ApiKey| table.models(key).into_iter().map(|row| row.id).collect::<Vec<_>>();
    assert_eq!(names(&key(None)), ["a", "b"]);
    assert_eq!(names(&key(Some(&["b", "zzz"]))), ["b"]);
    assert!(table.model(&key(Some(&["b"])), "a").is_none());
    assert_eq!(table.candidates("default", "b")[0].upstream_model, "vendor/b");
    assert!(table.candidates("vip", "b").is_empty());
}

#[test]
fn disabled_channels_offer_nothing() {
    let mut off = Channel::clone(&channel(1, 0, 1, &[("a", "a")]));
    off.status = ChannelStatus::Disabled;
    assert!(table(vec![Arc::new(off)]).candidates("default", "a").is_empty());
}

#[test]
fn priority_first_then_weight() {
    let table = table(vec![
        channel(1, 0, 1, &[("a", "a")]),
        channel(2, 5, 70, &[("a", "a")]),
        channel(3, 5, 30, &[("a", "a")]),
    ]);
    let candidates = table.candidates("default", "a");
    let mut first = [0; 4];
    for chance in 0..10_000 {
        let ordered = order(candidates, chance);
        assert_eq!(ordered.len(), 3);
        assert_eq!(ordered[2].channel.id, ChannelId(1), "the lower priority comes last");
        first[usize::try_from(ordered[0].channel.id.0).unwrap()] += 1;
    }
    assert!((6_800..7_200).contains(&first[2]), "70 of 100 go first to channel 2: {first:?}");
}
