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
    if fault.retry_after.is_none() {
        fault.retry_after = reported.until.map(from_now);
    }
    let vendor: Option<serde_json::Value> = serde_json::from_str(&reported.vendor).ok();
    let param = vendor.as_ref().and_then(|vendor| vendor.get("param")?.as_str());
    fault.param = reported.param.as_deref().or(param).map(|param| masked(param, secrets));
    fault
}

/// How long it is until these Unix seconds.
fn from_now(until: u32) -> Duration {
    Duration::from_secs(u64::from(until.saturating_sub(crate::driver::Clock::new().now())))
}

/// Amounts of one report. There are a dozen classes; what comes after these is not looked at.
const AMOUNTS_MAX: usize = 64;

/// Absolute counts; classes that this host does not know are reported, not billed. A count that no exchange can have is cut to `most`, and
/// the whole report then counts as estimated.
pub(crate) fn usage(reported: &machine::Usage, most: u32) -> Usage {
    let mut usage = Usage { estimated: reported.estimated, ..Usage::default() };
    let (mut unknown, mut beyond) = (None, None);
    for amount in reported.amounts.iter().take(AMOUNTS_MAX) {
        let Some(class) = TokenClass::parse(&amount.class) else {
            unknown = Some(amount);
            continue;
        };
        let count = usage.counts.entry(class).or_default();
        *count = count.saturating_add(amount.count);
        if *count > most {
            beyond = Some((class, *count));
            *count = most;
            usage.estimated = true;
        }
    }
    // One line a report, whatever is in it: a guest must not fill the log.
    if let Some((class, count)) = beyond {
        let class = class.as_str();
        tracing::warn!(class, count, most, "the adapter reported more than can be (exchange.usage_max_tokens)");
    }
    if let Some(amount) = unknown {
        let class = &amount.class[..amount.class.floor_char_boundary(40)];
        tracing::warn!(class, count = amount.count, "the adapter reported an unknown usage class");
    }
    usage
}

/// A wire failure that the adapter let stand. Its text may be a vendor's (why a WebSocket was closed), so it is masked like any other.
pub(crate) fn wire_fault(failure: &Failure, secrets: &BTreeMap<String, Secret>) -> Fault {
    let code = match failure.code {
        FailureCode::Connect => FaultCode::UpstreamUnreachable,
        FailureCode::TimeoutFirstByte | FailureCode::TimeoutIdle => FaultCode::UpstreamTimeout,
        FailureCode::RefusedByHost => FaultCode::EgressRefused,
        FailureCode::Reset | FailureCode::TooLarge | FailureCode::BadFraming => FaultCode::UpstreamBroken,
    };
    Fault::new(code, masked(&failure.text, secrets)).with_detail(failure.detail.clone())
}
