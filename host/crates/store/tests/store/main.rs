//! The store through its public door, on real files: what is written is read back, also by another handle and after a restart.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod api_keys;
mod channels;
mod ledger;
mod opening;
mod parked;
mod plugin_states;
mod snapshot;

use std::path::Path;

use domain::{
    ApiKeyId, Approval, AttemptRecord, ChannelId, ChannelModel, ChannelStatus, Origin, Placement, PlacementSpot,
    RequestId, Secret, TokenClass, Usage, UsageRecord,
};
use store::{NewChannel, OpenOptions, Store};

/// Options for a store in this directory.
fn options(dir: &Path) -> OpenOptions {
    OpenOptions { url: None, data_dir: dir.to_owned(), master_key: None, create: true }
}

async fn open(dir: &Path) -> Store {
    Store::open(options(dir)).await.unwrap()
}

/// A channel with something in every field.
fn new_channel(name: &str) -> NewChannel {
    let origin = Origin { scheme: "https".to_owned(), host: "api.vendor.test".to_owned(), port: 443 };
    NewChannel {
        name: name.to_owned(),
        provider: "vendor".to_owned(),
        base_url: Some("https://api.vendor.test/v1".to_owned()),
        models: vec![ChannelModel { public: "fast".to_owned(), upstream: "vendor-fast-1".to_owned() }],
        groups: vec!["default".to_owned(), "vip".to_owned()],
        priority: -3,
        weight: u32::MAX,
        status: ChannelStatus::Enabled,
        settings: r#"{"region":"eu"}"#.to_owned(),
        secrets: [("key".to_owned(), Secret::new("upstream-secret-0001"))].into(),
        approval: Approval {
            origins: vec![origin.clone()],
            typed_origins: vec![origin],
            placements: vec![Placement {
                endpoint: "api".to_owned(),
                spot: PlacementSpot::Header,
                name: "authorization".to_owned(),
            }],
            grants: vec!["access".to_owned()],
            computes: true,
            readable: vec!["`/id` of `key`".to_owned()],
        },
    }
}

/// A usage record with something in every field.
fn usage_record(request: &str) -> UsageRecord {
    let attempt = AttemptRecord {
        channel: ChannelId(4),
        channel_name: "main".to_owned(),
        fault: "rate-limited".to_owned(),
        upstream_status: 429,
        elapsed_ms: 12,
    };
    UsageRecord {
        request: RequestId(request.to_owned()),
        api_key: ApiKeyId(3),
        operation: "chat".to_owned(),
        model: "fast".to_owned(),
        upstream_model: "vendor-fast-1".to_owned(),
        provider: "vendor".to_owned(),
        channel: Some(ChannelId(4)),
        plugin_version: "1.2.3".to_owned(),
        plugin_digest: "ab".repeat(32),
        streaming: true,
        usage: Usage {
            counts: [(TokenClass::Input, 120), (TokenClass::Output, u32::MAX), (TokenClass::Characters, 1)].into(),
            estimated: true,
        },
        fault: String::new(),
        attempts: vec![attempt],
        losses: vec!["logit_bias".to_owned()],
        started_ms: 1_700_000_000_000,
        first_token_ms: Some(80),
        total_ms: 900,
    }
}
