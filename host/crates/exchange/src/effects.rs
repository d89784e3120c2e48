//! The contract's words in ours: faults and usage that an adapter reported.

use std::{collections::BTreeMap, time::Duration};

use domain::{Fault, FaultCode, Secret, TokenClass, Usage};
use plugin_runtime::machine;
use upstream::{Failure, FailureCode};

use crate::mask::masked;

/// What an adapter may blame; everything else in the list is the host's to say.
const ADAPTER_CODES: &[FaultCode] = &[
    FaultCode::InvalidRequest,
    FaultCode::ContentFiltered,
    FaultCode::ContextTooLong,
    FaultCode::ModelMissing,
    FaultCode::CredentialDead,
    FaultCode::CredentialStale,
    FaultCode::ClockSkew,
    FaultCode::AccountEmpty,
    FaultCode::RateLimited,
    FaultCode::Overloaded,
    FaultCode::UpstreamBroken,
    FaultCode::Unsupported,
    FaultCode::AdapterBroken,
];

/// An adapter's fault with the vendor's words masked. The unmasked words go to the operator only.
pub(crate) fn fault(reported: &machine::Fault, secrets: &BTreeMap<String, Secret>) -> Fault {
    let code = FaultCode::parse(&reported.code).filter(|code| ADAPTER_CODES.contains(code));
    let message = masked(&reported.message, secrets);
    let mut fault = match code {
        Some(code) => Fault::new(code, message),
        None => Fault::new(FaultCode::AdapterBroken, message)
            .with_detail(format!("the adapter reported the unknown fault code `{}`", reported.code)),
    };
    fault.upstream_status = reported.status;
    fault.retry_after = reported.retry_after_ms.map(|ms| Duration::from_millis(ms.into()));
    let vendor: Option<serde_json::Value> = serde_json::from_str(&reported.vendor).ok();
    fault.param = vendor.and_then(|vendor| Some(masked(vendor.get("param")?.as_str()?, secrets)));
    fault
}

/// Absolute counts; classes that this host does not know are reported, not billed.
pub(crate) fn usage(reported: &machine::Usage) -> Usage {
    let mut usage = Usage { estimated: reported.estimated, ..Usage::default() };
    for amount in &reported.amounts {
        match TokenClass::parse(&amount.class) {
            Some(class) => {
                let count = usage.counts.entry(class).or_default();
                *count = count.saturating_add(amount.count);
            }
            None => tracing::warn!(
                class = amount.class,
                count = amount.count,
                "the adapter reported an unknown usage class"
            ),
        }
    }
    usage
}

/// A wire failure that the adapter let stand.
pub(crate) fn wire_fault(failure: &Failure) -> Fault {
    let code = match failure.code {
        FailureCode::Connect => FaultCode::UpstreamUnreachable,
        FailureCode::TimeoutFirstByte | FailureCode::TimeoutIdle => FaultCode::UpstreamTimeout,
        FailureCode::RefusedByHost => FaultCode::EgressRefused,
        FailureCode::Reset | FailureCode::TooLarge | FailureCode::BadFraming => FaultCode::UpstreamBroken,
    };
    Fault::new(code, failure.text.clone()).with_detail(failure.detail.clone())
}
