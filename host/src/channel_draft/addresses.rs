//! Where a channel's endpoints lead: what the catalog declares, filled in with what the operator said.

use std::net::IpAddr;

use domain::{Channel, EndpointError, Origin, Provider, resolve_endpoint, split_secrets};
use serde_json::Value;
use upstream::{Reach, egress};
use url::{Host, Url};

use super::Offer;

/// The URL of each endpoint of the catalog, in its order.
pub(super) fn urls(channel: &Channel, offer: &Offer) -> Vec<Result<Url, EndpointError>> {
    let provider = &*offer.provider;
    // Wrong settings and keys are reported where they are set; here they have no values.
    let settings = (offer.check_settings)(&channel.settings).unwrap_or_else(|_| channel.settings.clone());
    let settings: Value = serde_json::from_str(&settings).unwrap_or_default();
    let keys = split_secrets(provider, &channel.secrets).unwrap_or_default();
    let values = |name: &str| settings.get(name).and_then(Value::as_str).or_else(|| keys.public(name));
    let typed = |at: usize| channel.base_url.as_deref().filter(|_| at == 0);
    let endpoints = provider.endpoints.iter().enumerate();
    endpoints.map(|(at, endpoint)| resolve_endpoint(endpoint, typed(at), &values)).collect()
}

/// The origin of each endpoint; none where it leads nowhere.
pub(super) fn origins(channel: &Channel, offer: &Offer) -> Vec<Option<Origin>> {
    urls(channel, offer).into_iter().map(|url| Origin::of(&url.ok()?)).collect()
}

/// The setting that the first address cannot do without, when the channel has no value for it.
pub(crate) fn missing_setting(channel: &Channel, offer: &Offer) -> Option<String> {
    match urls(channel, offer).into_iter().next()? {
        Err(EndpointError::NoValue { variable, .. }) => Some(variable),
        _ => None,
    }
}

/// Whether a channel of this provider has to name an address.
pub(crate) fn needs_base_url(provider: &Provider) -> bool {
    match provider.endpoints.first().map(|endpoint| resolve_endpoint(endpoint, None, &|_| None)) {
        Some(Ok(url)) => refusal(&url, false, provider).is_some(),
        Some(Err(error)) => error == EndpointError::NoAddress,
        None => false,
    }
}

/// What is wrong with an address in the words of the command line.
pub(super) fn explain(error: &EndpointError, provider: &Provider) -> String {
    match error {
        EndpointError::NoAddress => {
            format!("provider `{}` has no address of its own; give one with --base-url URL", provider.id)
        }
        EndpointError::NoValue { variable, .. } => {
            let parts = provider.secrets.iter().filter_map(|spec| Some((spec, spec.split.as_ref()?)));
            let mut holders = parts.filter(|(_, split)| split.parts.iter().any(|part| part.name == *variable));
            match holders.next() {
                Some((secret, _)) => format!("{error}: it is a part of the secret `{}`", secret.name),
                None => format!("{error}: --setting {variable}=VALUE"),
            }
        }
        EndpointError::BadValue { .. } | EndpointError::Unusable(_) => error.to_string(),
    }
}

/// Why an address must not be called.
pub(super) fn refusal(url: &Url, typed: bool, provider: &Provider) -> Option<String> {
    if url.host_str().is_some_and(egress::is_metadata_name) {
        return Some(format!("base URL `{url}`: metadata services are never called"));
    }
    let reach = if typed { Reach::Typed } else { Reach::Public };
    literal_address(url).filter(|ip| !egress::allowed(*ip, reach)).map(|_| {
        if typed {
            format!("base URL `{url}`: metadata, link-local and unusable addresses are never called")
        } else {
            format!("provider `{}` runs at a private address; say which with --base-url, usually {url}", provider.id)
        }
    })
}

/// The address that a URL spells out, as opposed to a name that is resolved when it is called.
fn literal_address(url: &Url) -> Option<IpAddr> {
    match url.host()? {
        Host::Ipv4(ip) => Some(ip.into()),
        Host::Ipv6(ip) => Some(ip.into()),
        Host::Domain(name) if name == "localhost" || name.ends_with(".localhost") => Some([127, 0, 0, 1].into()),
        Host::Domain(_) => None,
    }
}
