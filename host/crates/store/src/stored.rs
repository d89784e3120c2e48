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
    #[serde(default)]
    grants: Vec<String>,
    /// Rows from before there was a choice: every adapter could.
    #[serde(default = "yes")]
    computes: bool,
    #[serde(default)]
    readable: Vec<String>,
}

fn yes() -> bool {
    true
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
            grants: approval.grants.clone(),
            computes: approval.computes,
            readable: approval.readable.clone(),
        }
    }

    pub(crate) fn read(self) -> Option<Approval> {
        let origins = |texts: Vec<String>| texts.iter().map(|text| Origin::parse(text)).collect::<Option<Vec<_>>>();
        let placement = |stored: StoredPlacement| {
            let spot = PlacementSpot::parse(&stored.r#in)?;
            Some(Placement { endpoint: stored.endpoint, spot, name: stored.name })
        };
        Some(Approval {
            origins: origins(self.origins)?,
            typed_origins: origins(self.typed_origins)?,
            placements: self.placements.into_iter().map(placement).collect::<Option<Vec<_>>>()?,
            grants: self.grants,
            computes: self.computes,
            readable: self.readable,
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

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Approval> {
        serde_json::from_str::<StoredApproval>(text).unwrap().read()
    }

    #[test]
    fn an_approval_comes_back_as_it_was() {
        let placement = |spot| Placement { endpoint: "api".into(), spot, name: "authorization".into() };
        let approval = Approval {
            origins: Origin::parse("https://a.test").into_iter().collect(),
            typed_origins: vec![],
            placements: PlacementSpot::ALL.map(placement).into(),
            grants: vec!["access".into()],
            computes: false,
            readable: vec!["`/id` of `key`".into()],
        };
        assert_eq!(read(&json(&StoredApproval::of(&approval)).unwrap()), Some(approval));
    }

    #[test]
    fn an_approval_of_an_older_version_is_read() {
        let old = r#"{"origins":["https://a.test:443"],"typed_origins":[],
            "placements":[{"endpoint":"api","in":"header","name":"authorization"}]}"#;
        let approval = read(old).unwrap();
        assert!(approval.computes && approval.grants.is_empty() && approval.readable.is_empty());
        assert_eq!(approval.placements[0].spot, PlacementSpot::Header);
        assert_eq!(read(&old.replace("header", "body")), None);
    }
}
