//! Which fault may try the next channel. Never after the first byte, never for what is the client's own doing.

use domain::{Blame, Fault, FaultCode};

use crate::relay::Relay;

/// Whether another channel may be tried after `fault`.
pub(crate) fn may_retry(fault: &Fault, relay: &Relay) -> bool {
    !relay.started() && worth_retrying(fault)
}

fn worth_retrying(fault: &Fault) -> bool {
    match fault.code.blame() {
        Blame::Client => false,
        Blame::Upstream | Blame::Adapter => true,
        Blame::Gateway => matches!(fault.code, FaultCode::EgressRefused | FaultCode::ClockSkew),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clients_own_faults_are_final() {
        for (code, again) in [
            (FaultCode::InvalidRequest, false),
            (FaultCode::ContextTooLong, false),
            (FaultCode::ClientGone, false),
            (FaultCode::RateLimited, true),
            (FaultCode::AdapterBroken, true),
            (FaultCode::UpstreamTimeout, true),
            (FaultCode::EgressRefused, true),
            (FaultCode::Internal, false),
        ] {
            assert_eq!(worth_retrying(&Fault::new(code, "x")), again, "{code:?}");
        }
    }
}
