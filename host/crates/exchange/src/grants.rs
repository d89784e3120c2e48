//! Access tokens: obtained by an adapter's grant when a request refers to one, once for all who wait, and kept per channel until they
//! run out. The tokens stay here and in the requests; no guest sees one.

use std::{
    collections::{BTreeMap, HashMap},
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use domain::{ChannelId, Fault, FaultCode, Secret};
use plugin_runtime::{Capability, machine};

use crate::{
    chosen::Chosen,
    driver::{Clock, Driver, End, Subject, broken, refused},
    held::Held,
    rooms::Rooms,
    side::Quiet,
};

/// Access tokens by the names of their grants.
pub(crate) type Tokens = BTreeMap<String, Secret>;

/// How long a failure is remembered, so that those who wait do not ask one after the other.
const FAILURE_KEPT: Duration = Duration::from_secs(1);
/// A token is not used any more when this much of its life is left, or a tenth when that is less.
const MARGIN: Duration = Duration::from_secs(60);
/// The longest life that is believed.
const LONGEST: Duration = Duration::from_secs(30 * 86_400);
/// A token that is said to be good for nothing serves those who wait for it already.
const SHORTEST: Duration = Duration::from_secs(1);
/// How long a grant may take.
const WITHIN: Duration = Duration::from_secs(30);

/// The tokens of all channels. A handle.
#[derive(Clone, Default)]
pub struct Grants {
    slots: Arc<Mutex<HashMap<Key, Arc<Slot>>>>,
}

/// A channel's grant, and a fingerprint of what the token was obtained with: a channel that was changed gets new tokens.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    channel: ChannelId,
    name: String,
    fingerprint: u64,
}

/// Locked for as long as the token is obtained: that is what makes one flight of many.
type Slot = tokio::sync::Mutex<Kept>;

#[derive(Default)]
enum Kept {
    #[default]
    Nothing,
    Token(Secret, Instant),
    Failure(Fault, Instant),
}

impl Kept {
    fn usable(&self) -> Option<Result<Secret, Fault>> {
        match self {
            Kept::Token(token, until) if Instant::now() < *until => Some(Ok(token.clone())),
            Kept::Failure(fault, until) if Instant::now() < *until => Some(Err(fault.clone())),
            _ => None,
        }
    }
}

impl Grants {
    /// The tokens of these grants on a channel.
    pub(crate) async fn tokens(
        &self,
        rooms: Arc<Rooms>,
        chosen: Arc<Chosen>,
        names: Vec<String>,
    ) -> Result<Tokens, Fault> {
        let mut tokens = Tokens::new();
        for name in names {
            let token = self.token(&rooms, &chosen, &name).await?;
            tokens.insert(name, token);
        }
        Ok(tokens)
    }

    async fn token(&self, rooms: &Arc<Rooms>, chosen: &Arc<Chosen>, name: &str) -> Result<Secret, Fault> {
        permitted(chosen, name)?;
        let slot = self.slot(chosen, name);
        if let Ok(kept) = slot.try_lock()
            && let Some(usable) = kept.usable()
        {
            return usable;
        }
        // A task of its own: the client that asked first may leave, the others still wait for the token.
        let (rooms_of_task, chosen, name) = (Arc::clone(rooms), Arc::clone(chosen), name.to_owned());
        let obtaining = rooms.tasks.spawn(async move {
            let mut kept = slot.lock_owned().await;
            if let Some(usable) = kept.usable() {
                return usable;
            }
            let obtained = obtain(&rooms_of_task, &chosen, &name).await;
            *kept = match &obtained {
                Ok((token, lifetime)) => Kept::Token(token.clone(), Instant::now() + usable_for(*lifetime)),
                Err(fault) => Kept::Failure(fault.clone(), Instant::now() + FAILURE_KEPT),
            };
            obtained.map(|(token, _)| token)
        });
        obtaining.await.unwrap_or_else(|_| Err(Fault::new(FaultCode::Internal, "obtaining an access token broke off")))
    }

    /// Forgets tokens that the vendor does not take any more, unless newer ones are kept already.
    pub(crate) fn forget(&self, chosen: &Chosen, used: &Tokens) {
        for (name, token) in used {
            // Only what is kept: an exchange that began before the channel was changed makes no room for itself again.
            let key = key(chosen, name);
            let Some(slot) = self.slots.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned() else {
                continue;
            };
            // Who holds it is obtaining a newer one.
            let Ok(mut kept) = slot.try_lock() else { continue };
            if matches!(&*kept, Kept::Token(held, _) if held.expose() == token.expose()) {
                *kept = Kept::Nothing;
            }
        }
    }

    fn slot(&self, chosen: &Chosen, name: &str) -> Arc<Slot> {
        let key = key(chosen, name);
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = slots.get(&key) {
            return Arc::clone(slot);
        }
        // What the channel was before it was changed is nobody's any more.
        slots.retain(|other, _| other.channel != key.channel || other.name != key.name);
        Arc::clone(slots.entry(key).or_default())
    }
}

fn key(chosen: &Chosen, name: &str) -> Key {
    Key { channel: chosen.channel.id, name: name.to_owned(), fingerprint: fingerprint(chosen) }
}

fn fingerprint(chosen: &Chosen) -> u64 {
    let mut hasher = DefaultHasher::new();
    for (name, secret) in &chosen.channel.secrets {
        (name, secret.expose()).hash(&mut hasher);
    }
    chosen.adapter.digest().hash(&mut hasher);
    chosen.channel.settings.hash(&mut hasher);
    chosen.endpoints.iter().for_each(|endpoint| endpoint.url.as_str().hash(&mut hasher));
    hasher.finish()
}

fn usable_for(lifetime: Duration) -> Duration {
    let lifetime = lifetime.min(LONGEST);
    lifetime.saturating_sub(MARGIN.min(lifetime / 10)).max(SHORTEST)
}

fn permitted(chosen: &Chosen, name: &str) -> Result<(), Fault> {
    if !chosen.adapter.provider().grants.iter().any(|grant| grant.name == name) {
        return Err(broken(format!(
            "the adapter refers to the access token `{name}`, which its catalog does not declare"
        )));
    }
    if !chosen.channel.approval.grants.iter().any(|granted| granted == name) {
        return Err(refused(format!(
            "the adapter asks to obtain the access token `{name}`, which this channel does not approve; `witgate channel set {} --approve` approves it",
            chosen.channel.name
        )));
    }
    Ok(())
}

/// Runs the adapter's grant. It is given nothing that a client said.
async fn obtain(rooms: &Arc<Rooms>, chosen: &Arc<Chosen>, name: &str) -> Result<(Secret, Duration), Fault> {
    let clock = Clock::new();
    let seed = format!("{:032x}", rand::random::<u128>());
    let call = chosen.call(name, &clock, seed, machine::Payload::Empty);
    let guest = chosen.adapter.open_as(Capability::Grant, name, call, chosen.keys.secrets.clone()).await?;
    let subject = Subject {
        rooms,
        chosen,
        clock,
        began: Instant::now(),
        deadline: Instant::now() + WITHIN,
        // A grant that needs a grant could need itself.
        grants: false,
    };
    let mut side = Quiet::<true>::default();
    let mut driver = Driver::new(subject, guest, Held::nothing());
    match Box::pin(driver.run(&mut side)).await? {
        End::Parked(_) => Err(broken("a grant cannot park".to_owned())),
        End::Complete => {
            let (token, lifetime_s) =
                side.token.take().ok_or_else(|| broken(format!("the grant `{name}` ended without an access token")))?;
            Ok((token, Duration::from_secs(lifetime_s.into())))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_renewed_before_they_run_out() {
        let seconds = Duration::from_secs;
        for (lifetime, usable) in [(3_600, 3_540), (100, 90), (0, 1), (u64::from(u32::MAX), 30 * 86_400 - 60)] {
            assert_eq!(usable_for(seconds(lifetime)), seconds(usable));
        }
    }
}
