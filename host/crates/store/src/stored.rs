//! Lists and records that a row keeps as JSON text. Forms of their own, so that the vocabulary can change without the database.

use domain::{Approval, AttemptRecord, ChannelId, ChannelModel, Origin, Placement, PlacementSpot};
use serde::{Deserialize, Serialize};

use crate::StoreError;

/// Text of a value that the store keeps as JSON.
pub(crate) fn json(value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Invalid(format!("a value cannot be stored: {error}")))
}

#[derive(Serialize, Deserialize)]
pub(crate) struct StoredModel {
    public: String,
    upstream: String,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct StoredPlacement {
    endpoint: String,
    r#in: String,
    name: String,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct StoredApproval {
    origins: Vec<String>,
    typed_origins: Vec<String>,
    placements: Vec<StoredPlacement>,
}

impl StoredModel {
    pub(crate) fn of(model: &ChannelModel) -> Self {
        StoredModel { public: model.public.clone(), upstream: model.upstream.clone() }
    }

    pub(crate) fn read(self) -> ChannelModel {
        ChannelModel { public: self.public, upstream: self.upstream }
    }
}

impl StoredApproval {
    pub(crate) fn of(approval: &Approval) -> StoredApproval {
        let placement = |placement: &Placement| StoredPlacement {
            endpoint: placement.endpoint.clone(),
            r#in: placement.spot.as_str().to_owned(),
            name: placement.name.clone(),
        };
        StoredApproval {
            origins: approval.origins.iter().map(Origin::to_string).collect(),
            typed_origins: approval.typed_origins.iter().map(Origin::to_string).collect(),
            placements: approval.placements.iter().map(placement).collect(),
        }
    }

    pub(crate) fn read(self) -> Option<Approval> {
        let origins = |texts: Vec<String>| texts.iter().map(|text| Origin::parse(text)).collect::<Option<Vec<_>>>();
        let placement = |stored: StoredPlacement| {
            let spots = [PlacementSpot::Header, PlacementSpot::Query];
            let spot = spots.into_iter().find(|spot| spot.as_str() == stored.r#in)?;
            Some(Placement { endpoint: stored.endpoint, spot, name: stored.name })
        };
        Some(Approval {
            origins: origins(self.origins)?,
            typed_origins: origins(self.typed_origins)?,
            placements: self.placements.into_iter().map(placement).collect::<Option<Vec<_>>>()?,
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(crate) struct StoredAttempt {
    channel: i64,
    channel_name: String,
    fault: String,
    upstream_status: u16,
    elapsed_ms: i64,
}

impl StoredAttempt {
    pub(crate) fn of(attempt: &AttemptRecord) -> Self {
        StoredAttempt {
            channel: attempt.channel.0,
            channel_name: attempt.channel_name.clone(),
            fault: attempt.fault.clone(),
            upstream_status: attempt.upstream_status,
            elapsed_ms: attempt.elapsed_ms,
        }
    }

    pub(crate) fn read(self) -> AttemptRecord {
        AttemptRecord {
            channel: ChannelId(self.channel),
            channel_name: self.channel_name,
            fault: self.fault,
            upstream_status: self.upstream_status,
            elapsed_ms: self.elapsed_ms,
        }
    }
}
