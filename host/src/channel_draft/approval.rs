//! What an operator approves: the addresses, places, access tokens and computations that the adapter of a channel asks for.
//!
//! Making a channel approves what its adapter asks for then. Afterwards only the operator's own words move an approval: a newer build that
//! asks for more waits.

use domain::{Channel, EndpointError, Origin, readable_parts};

use super::{Offer, addresses};

/// What is done to a channel, as far as approvals are concerned.
pub(super) struct Change {
    /// Everything that is asked for is approved.
    pub(super) whole: bool,
    /// The operator named an address, or took it back.
    pub(super) address: bool,
    /// Settings or secrets, of which addresses may be made, are others.
    pub(super) values: bool,
    /// Where each endpoint led before.
    pub(super) before: Vec<Option<Origin>>,
}

/// Makes the approval follow the change. `complete` says whether settings and secrets are in order.
pub(super) fn follow(channel: &mut Channel, offer: &Offer, change: &Change, complete: bool, errors: &mut Vec<String>) {
    let provider = &*offer.provider;
    if provider.endpoints.is_empty() && channel.base_url.is_some() && change.address {
        errors.push(format!("provider `{}` calls no address and takes no base URL", provider.id));
        return;
    }
    let Some(after) = checked(channel, offer, change, complete, errors) else { return };
    let approved = std::mem::take(&mut channel.approval.origins);
    let was_approved =
        |at: usize| change.before.get(at).and_then(Option::as_ref).is_some_and(|old| approved.contains(old));
    let mut origins: Vec<Origin> = Vec::new();
    let mut keep = |origin: &Origin| {
        if !origins.contains(origin) {
            origins.push(origin.clone());
        }
    };
    for (at, origin) in after.iter().enumerate() {
        let typing = at == 0 && change.address;
        if change.whole || typing || was_approved(at) {
            origin.iter().for_each(&mut keep);
        }
    }
    if !change.whole {
        // Of an endpoint that this build does not have: another may have it again.
        let of_none = |origin: &&Origin| !change.before.iter().flatten().any(|old| old == *origin);
        approved.iter().filter(of_none).for_each(keep);
    }
    channel.approval.origins = origins;
    if change.whole || change.address {
        let typed = after.into_iter().next().flatten().filter(|_| channel.base_url.is_some());
        channel.approval.typed_origins = typed.into_iter().collect();
    }
    if change.whole {
        channel.approval.placements = provider.placements.clone();
        channel.approval.grants = provider.grants.iter().map(|grant| grant.name.clone()).collect();
        channel.approval.computes = offer.computes;
        channel.approval.readable = readable_parts(provider);
    }
}

/// Where each endpoint leads now; none when one leads somewhere it must not, or nowhere though it has to lead somewhere.
fn checked(
    channel: &Channel,
    offer: &Offer,
    change: &Change,
    complete: bool,
    errors: &mut Vec<String>,
) -> Option<Vec<Option<Origin>>> {
    let (mut origins, mut good) = (Vec::new(), true);
    for (at, url) in addresses::urls(channel, offer).into_iter().enumerate() {
        let wrong = match &url {
            Err(EndpointError::BadValue { .. }) => complete && (change.whole || change.values),
            Err(EndpointError::NoValue { .. }) => {
                complete && at == 0 && (change.whole || change.address || change.values)
            }
            _ => at == 0 && (change.whole || change.address),
        };
        let refusal = |url| addresses::refusal(url, channel.base_url.is_some(), &offer.provider);
        let error = match &url {
            Err(error) => Some(addresses::explain(error, &offer.provider)),
            Ok(url) => Some(url).filter(|_| at == 0).and_then(refusal),
        };
        if let Some(error) = error.filter(|_| wrong) {
            errors.push(error);
            good = false;
        }
        origins.push(url.ok().and_then(|url| Origin::of(&url)));
    }
    good.then_some(origins)
}

/// What the adapter asks for beyond what was approved, one text each.
pub(crate) fn unapproved(channel: &Channel, offer: &Offer) -> Vec<String> {
    let (provider, approval) = (&*offer.provider, &channel.approval);
    let mut asked: Vec<String> = Vec::new();
    for origin in addresses::origins(channel, offer).into_iter().flatten() {
        if !approval.origins.contains(&origin) && !approval.typed_origins.contains(&origin) {
            asked.push(format!("requests to {origin}"));
        }
    }
    let places = provider.placements.iter().filter(|place| !approval.placements.contains(place));
    asked.extend(places.map(|place| format!("secrets in {place}")));
    let grants = provider.grants.iter().filter(|grant| !approval.grants.contains(&grant.name));
    asked.extend(grants.map(|grant| format!("the access token `{}`", grant.name)));
    let parts = readable_parts(provider).into_iter().filter(|part| !approval.readable.contains(part));
    asked.extend(parts.map(|part| format!("reading {part}")));
    if offer.computes && !approval.computes {
        asked.push("computing with secrets".to_owned());
    }
    asked
}

/// Says so, and what to do.
pub(crate) fn asks_for_more(channel: &str, unapproved: &[String]) -> String {
    let list = unapproved.join(", ");
    format!("its adapter asks for more than was approved ({list}): witgate channel set {channel} --approve")
}
