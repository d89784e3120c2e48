//! Where requests may go and where in them secrets may stand: endpoints and placements.

use domain::{EndpointSpec, Placement, PlacementSpot, SecretSpec, address_variables, is_label};

use super::{Read, list, unique};
use crate::{
    descriptor::At,
    settings::{Settings, Text},
};

/// Headers that the host alone writes; a secret placed in one could change where a request goes or where it ends.
const HOST_HEADERS: [&str; 10] = [
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "upgrade",
    "te",
    "trailer",
    "expect",
    "proxy-authorization",
    "proxy-connection",
];
/// The header of bearer tokens and of HTTP Basic.
const AUTHORIZATION: &str = "authorization";

/// Reads the list of endpoints.
pub(super) fn endpoints(root: &At<'_>, built_in: bool) -> Read<Vec<EndpointSpec>> {
    let mut seen = Vec::new();
    let mut endpoints = Vec::new();
    for at in list(root, "endpoints")? {
        let name = unique(&at.need("name")?, &mut seen)?;
        let url_at = at.need("url")?;
        let url = url_at.text()?.to_owned();
        variables(&url_at)?;
        let pasted = at.get("pasted")?.map(|at| at.names()).transpose()?.unwrap_or_default();
        endpoints.push(EndpointSpec { name, url, pasted });
    }
    if endpoints.is_empty() && !built_in {
        return Err(root.wrong("`endpoints` must list at least one, unless the provider is `built_in`"));
    }
    Ok(endpoints)
}

fn variables(url: &At<'_>) -> Read<Vec<String>> {
    if url.text()?.is_empty() { Ok(Vec::new()) } else { address_variables(url.text()?).map_err(|what| url.wrong(what)) }
}

/// Every variable of an address must have somewhere to come from.
pub(super) fn check_variables(root: &At<'_>, secrets: &[SecretSpec], settings: &Settings) -> Read<()> {
    let parts = || secrets.iter().filter_map(|secret| secret.split.as_ref()).flat_map(|split| &split.parts);
    for endpoint in list(root, "endpoints")? {
        let url = endpoint.need("url")?;
        for name in variables(&url)? {
            match settings.text(&name) {
                Text::Setting { default: Some(default) } if !is_label(default) => {
                    return Err(url.wrong(format!("the default of setting `{name}` is not one label of a host name")));
                }
                Text::Setting { .. } => {}
                Text::Other => return Err(url.wrong(format!("setting `{name}` must be of type string to stand here"))),
                Text::Absent if parts().any(|part| part.public && part.name == name) => {}
                Text::Absent => {
                    return Err(url.wrong(format!("`{name}` is neither a setting nor a public part of a secret")));
                }
            }
        }
    }
    Ok(())
}

/// Reads the list of placements.
pub(super) fn placements(root: &At<'_>, endpoints: &[EndpointSpec]) -> Read<Vec<Placement>> {
    let mut placements = Vec::new();
    for at in list(root, "placements")? {
        let endpoint = at.need("endpoint")?;
        if !endpoints.iter().any(|known| Ok(known.name.as_str()) == endpoint.text()) {
            return Err(endpoint.wrong(format!("there is no endpoint `{}`", endpoint.text()?)));
        }
        let spot_at = at.need("in")?;
        let Some(spot) = PlacementSpot::parse(spot_at.text()?) else {
            let known = PlacementSpot::ALL.map(|spot| format!("`{}`", spot.as_str())).join(", ");
            return Err(spot_at.wrong(format!("`{}` must be one of {known}", spot_at.text()?)));
        };
        let name = match spot {
            PlacementSpot::Header => header(&at.need("name")?)?,
            PlacementSpot::Query | PlacementSpot::Form => at.need("name")?.name()?.to_owned(),
            PlacementSpot::Bearer | PlacementSpot::Basic => authorization(&at)?,
        };
        placements.push(Placement { endpoint: endpoint.text()?.to_owned(), spot, name });
    }
    Ok(placements)
}

fn authorization(placement: &At<'_>) -> Read<String> {
    match placement.get("name")? {
        Some(name) if !name.text()?.eq_ignore_ascii_case(AUTHORIZATION) => {
            Err(name.wrong(format!("must be left out: this is always the header `{AUTHORIZATION}`")))
        }
        _ => Ok(AUTHORIZATION.to_owned()),
    }
}

fn header(at: &At<'_>) -> Read<String> {
    let name = at.name()?.to_ascii_lowercase();
    let legal = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if !name.chars().all(legal) {
        return Err(at.wrong("is not a header name"));
    }
    if HOST_HEADERS.contains(&name.as_str()) {
        return Err(at.wrong(format!("header `{name}` belongs to the host")));
    }
    Ok(name)
}
