//! What becomes of each variable that may be a vendor's: one line a variable, the same for the log and for `witgate doctor`.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use domain::{Channel, ChannelStatus};

use super::{claims, env_name, follow, is_retired, wanted};
use crate::{
    channel_draft::Offer,
    config::{Environment, is_own_variable},
};

/// One variable and what it does.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Line {
    /// Its name.
    pub(crate) variable: String,
    /// What it does. Never its text, an address aside that is refused.
    pub(crate) says: String,
    /// Whether it does not do what it was set for.
    pub(crate) matter: bool,
}

/// Every variable that is set and that a catalog names, or whose name ends as those of vendors do.
pub(crate) fn lines(offers: &[Offer], channels: &[Channel], environment: &Environment) -> Vec<Line> {
    let mut lines = Vec::new();
    let claims = claims(offers, channels);
    for offer in offers {
        let provider = &*offer.provider;
        let name = env_name(provider);
        let existing = channels.iter().find(|channel| channel.name == name);
        let wanted = wanted(provider, environment, &claims);
        let used = wanted.as_ref().map(|wanted| wanted.variables.clone()).unwrap_or_default();
        let made = wanted.map(|wanted| follow(offer, existing, &name, &wanted));
        let says = match (&made, existing) {
            (None, _) => String::new(),
            (Some(Err(why)), _) => format!("makes no channel of provider {}: {why}", provider.id),
            (Some(Ok(_)), Some(channel)) if channel.status == ChannelStatus::Disabled && !is_retired(channel) => {
                format!("fills channel {name}, which is disabled")
            }
            (Some(Ok(None)), _) => format!("fills channel {name}"),
            (Some(Ok(Some(_))), _) => format!("fills channel {name} when the server starts"),
        };
        let matter = matches!(made, Some(Err(_)));
        lines.extend(used.iter().map(|used| Line { variable: (*used).to_owned(), says: says.clone(), matter }));
        let secrets = provider.env.secrets.iter().map(|(_, names)| (names, true));
        for (names, secret) in secrets.chain([(&provider.env.base_url, false)]) {
            for variable in
                names.iter().filter(|&name| environment.get(name).is_some() && !used.contains(&name.as_str()))
            {
                let taken = secret && claims.get(variable.as_str()) != Some(&provider.id.as_str());
                let before = names.iter().find(|name| used.contains(&name.as_str()));
                let says = match (taken, before) {
                    (true, _) => format!("is not used for provider {}: it is another's, or ours", provider.id),
                    (false, Some(before)) => format!("is not used: {before} comes first"),
                    (false, None) => continue,
                };
                lines.push(Line { variable: variable.clone(), says, matter: taken });
            }
        }
    }
    lines.extend(unknown(offers, environment));
    lines
}

/// Variables that look like a vendor's and that no catalog names.
fn unknown(offers: &[Offer], environment: &Environment) -> Vec<Line> {
    let known: BTreeSet<&str> = offers
        .iter()
        .flat_map(|offer| {
            offer.provider.env.secrets.iter().flat_map(|(_, names)| names).chain(&offer.provider.env.base_url)
        })
        .map(String::as_str)
        .collect();
    let vendors = |name: &str| name.ends_with("_API_KEY") || name.ends_with("_BASE_URL");
    let unknown = environment.iter().map(|(name, _)| name);
    let unknown = unknown.filter(|name| vendors(name) && !is_own_variable(name) && !known.contains(name));
    unknown
        .map(|name| Line {
            variable: name.to_owned(),
            says: "is set, but no installed adapter knows it; it does nothing".to_owned(),
            matter: true,
        })
        .collect()
}

/// Whether this process has not said it yet.
pub(super) fn is_news(line: &Line) -> bool {
    static SAID: Mutex<BTreeSet<Line>> = Mutex::new(BTreeSet::new());
    SAID.lock().unwrap_or_else(PoisonError::into_inner).insert(line.clone())
}
