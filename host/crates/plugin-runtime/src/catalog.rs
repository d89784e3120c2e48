//! Turns what a component says about itself into a `Provider`, or says where its descriptor is wrong.

use domain::{
    EndpointSpec, EnvSpec, Model, ModelPrice, Placement, PlacementSpot, Provider, ProviderError, SecretSpec, TokenClass,
};
use serde_json::Value;
use url::Url;

use crate::{descriptor::At, settings::Settings};

/// Bytes of one descriptor. The longest catalogs (hundreds of models with prices) have a fifth of it.
const DESCRIPTOR_MAX: usize = 1 << 20;
/// Providers of one component.
pub(crate) const PROVIDERS_MAX: usize = 200;
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

type Read<T> = Result<T, ProviderError>;

/// Reads one provider of a component's catalog.
pub(crate) fn parse(id: &str, descriptor: &str) -> Read<(Provider, Settings)> {
    let whole = |what: String| ProviderError { pointer: String::new(), what };
    let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if id.is_empty() || id.len() > 40 || !id.chars().all(legal) {
        return Err(whole(format!("the provider id `{id}` must be 1 to 40 of a-z, 0-9 and -")));
    }
    if descriptor.len() > DESCRIPTOR_MAX {
        return Err(whole(format!("larger than {DESCRIPTOR_MAX} bytes")));
    }
    let value: Value = serde_json::from_str(descriptor).map_err(|error| whole(format!("is not JSON: {error}")))?;
    let root = At::root(&value);
    let built_in = flag(&root, "built_in")?;
    let endpoints = endpoints(&root, built_in)?;
    let secrets = secrets(&root)?;
    let settings = Settings::compile(root.get("settings")?.as_ref(), &secrets)?;
    let provider = Provider {
        id: id.to_owned(),
        title: root.need("title")?.name()?.to_owned(),
        docs: text(&root, "docs")?,
        version: version(&root.need("version")?)?,
        placements: placements(&root, &endpoints)?,
        settings_schema: settings.schema(),
        operations: operations(&root.need("operations")?)?,
        models: models(&root)?,
        env: env(&root, &secrets)?,
        whole_body: flag(&root, "whole_body")?,
        built_in,
        descriptor: descriptor.to_owned(),
        endpoints,
        secrets,
    };
    Ok((provider, settings))
}

fn text(root: &At<'_>, name: &str) -> Read<String> {
    Ok(root.get(name)?.map(|at| at.text()).transpose()?.unwrap_or_default().to_owned())
}

fn flag(root: &At<'_>, name: &str) -> Read<bool> {
    Ok(root.get(name)?.map(|at| at.flag()).transpose()?.unwrap_or(false))
}

fn list<'a>(root: &At<'a>, name: &str) -> Read<Vec<At<'a>>> {
    root.get(name)?.map_or_else(|| Ok(Vec::new()), |at| at.items())
}

/// Reads a name and refuses one that was there before.
fn unique(at: &At<'_>, seen: &mut Vec<String>) -> Read<String> {
    let name = at.name()?.to_owned();
    if seen.contains(&name) {
        return Err(at.wrong(format!("`{name}` is listed twice")));
    }
    seen.push(name.clone());
    Ok(name)
}

fn version(at: &At<'_>) -> Read<String> {
    let text = at.text()?;
    let numbers = text.split('.').filter(|part| part.parse::<u32>().is_ok()).count();
    if numbers == 3 && text.split('.').count() == 3 {
        Ok(text.to_owned())
    } else {
        Err(at.wrong("must be MAJOR.MINOR.PATCH"))
    }
}

fn endpoints(root: &At<'_>, built_in: bool) -> Read<Vec<EndpointSpec>> {
    let mut seen = Vec::new();
    let mut endpoints = Vec::new();
    for at in list(root, "endpoints")? {
        let name = unique(&at.need("name")?, &mut seen)?;
        let url = endpoint_url(&at.need("url")?)?;
        let pasted = at.get("pasted")?.map(|at| at.names()).transpose()?.unwrap_or_default();
        endpoints.push(EndpointSpec { name, url, pasted });
    }
    if endpoints.is_empty() && !built_in {
        return Err(root.wrong("`endpoints` must list at least one, unless the provider is `built_in`"));
    }
    Ok(endpoints)
}

fn endpoint_url(at: &At<'_>) -> Read<String> {
    let text = at.text()?;
    if text.is_empty() {
        return Ok(String::new());
    }
    let url = Url::parse(text).map_err(|error| at.wrong(format!("is not a URL: {error}")))?;
    let plain =
        url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.fragment().is_none();
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() || !plain {
        return Err(at.wrong("must be an http or https URL without user, query or fragment"));
    }
    if text.ends_with('/') {
        return Err(at.wrong("must not end in a slash: request paths are appended to it"));
    }
    Ok(text.to_owned())
}

fn secrets(root: &At<'_>) -> Read<Vec<SecretSpec>> {
    let mut seen = Vec::new();
    let mut secrets = Vec::new();
    for at in list(root, "secrets")? {
        let name = unique(&at.need("name")?, &mut seen)?;
        let title = at.get("title")?.map(|at| at.text()).transpose()?.unwrap_or(&name).to_owned();
        let required = at.get("required")?.map(|at| at.flag()).transpose()?.unwrap_or(true);
        secrets.push(SecretSpec { name, title, required });
    }
    Ok(secrets)
}

fn placements(root: &At<'_>, endpoints: &[EndpointSpec]) -> Read<Vec<Placement>> {
    let mut placements = Vec::new();
    for at in list(root, "placements")? {
        let endpoint = at.need("endpoint")?;
        if !endpoints.iter().any(|known| Ok(known.name.as_str()) == endpoint.text()) {
            return Err(endpoint.wrong(format!("there is no endpoint `{}`", endpoint.text()?)));
        }
        let spot = at.need("in")?;
        let spot = match spot.text()? {
            "header" => PlacementSpot::Header,
            "query" => PlacementSpot::Query,
            other => return Err(spot.wrong(format!("`{other}` must be `header` or `query`"))),
        };
        let name = at.need("name")?;
        let field = match spot {
            PlacementSpot::Header => header(&name)?,
            PlacementSpot::Query => name.name()?.to_owned(),
        };
        placements.push(Placement { endpoint: endpoint.text()?.to_owned(), spot, name: field });
    }
    Ok(placements)
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

fn operations(at: &At<'_>) -> Read<Vec<String>> {
    let mut seen = Vec::new();
    for item in at.items()? {
        unique(&item, &mut seen)?;
    }
    if seen.is_empty() { Err(at.wrong("must list at least one operation")) } else { Ok(seen) }
}

fn models(root: &At<'_>) -> Read<Vec<Model>> {
    let mut seen = std::collections::HashSet::new();
    let mut models = Vec::new();
    for at in list(root, "models")? {
        let id = at.need("id")?.name()?.to_owned();
        if !seen.insert(id.clone()) {
            return Err(at.wrong(format!("model `{id}` is listed twice")));
        }
        let count = |name: &str| Ok(at.get(name)?.map(|at| at.count()).transpose()?.unwrap_or(0));
        let mut prices = list(&at, "prices")?.iter().map(price).collect::<Read<Vec<_>>>()?;
        prices.sort_by(|a, b| a.from.cmp(&b.from));
        models.push(Model {
            id,
            context: count("context")?,
            max_output: count("max_output")?,
            capabilities: at.get("capabilities")?.map(|at| at.names()).transpose()?.unwrap_or_default(),
            prices,
        });
    }
    Ok(models)
}

fn price(at: &At<'_>) -> Read<ModelPrice> {
    let from = at.need("from")?;
    if !is_day(from.text()?) {
        return Err(from.wrong("must be a day, YYYY-MM-DD"));
    }
    let currency = at.need("currency")?;
    if !matches!(currency.text()?, "USD" | "CNY") {
        return Err(currency.wrong("must be `USD` or `CNY`"));
    }
    let mut per_million = Vec::new();
    for (class, amount) in at.need("per_million")?.members()? {
        if TokenClass::parse(class).is_none() {
            return Err(amount.wrong(format!("`{class}` is no class of usage")));
        }
        if !amount.text().is_ok_and(is_decimal) {
            return Err(amount.wrong("must be a decimal number in a string, like \"2.5\", with at most nine decimals"));
        }
        per_million.push((class.to_owned(), amount.text()?.to_owned()));
    }
    Ok(ModelPrice { from: from.text()?.to_owned(), currency: currency.text()?.to_owned(), per_million })
}

/// Whether this is `YYYY-MM-DD` with a month and day that exist in some year.
fn is_day(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts[..] else { return false };
    let number = |text: &str, length: usize, range: std::ops::RangeInclusive<u32>| {
        text.len() == length
            && text.bytes().all(|byte| byte.is_ascii_digit())
            && text.parse().is_ok_and(|n| range.contains(&n))
    };
    number(year, 4, 2000..=9999) && number(month, 2, 1..=12) && number(day, 2, 1..=31)
}

/// Whether this is digits, or digits, a point and up to nine digits: what nano-units can hold.
fn is_decimal(text: &str) -> bool {
    let digits = |text: &str, max: usize| {
        !text.is_empty() && text.len() <= max && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    match text.split_once('.') {
        Some((whole, fraction)) => digits(whole, 9) && digits(fraction, 9),
        None => digits(text, 9),
    }
}

fn env(root: &At<'_>, secrets: &[SecretSpec]) -> Read<EnvSpec> {
    let Some(at) = root.get("env")? else { return Ok(EnvSpec::default()) };
    let mut spec = EnvSpec::default();
    if let Some(names) = at.get("secrets")? {
        for (secret, variables) in names.members()? {
            if !secrets.iter().any(|known| known.name == secret) {
                return Err(variables.wrong(format!("there is no secret `{secret}`")));
            }
            spec.secrets.push((secret.to_owned(), variables_of(&variables)?));
        }
    }
    if let Some(variables) = at.get("base_url")? {
        spec.base_url = variables_of(&variables)?;
    }
    Ok(spec)
}

fn variables_of(at: &At<'_>) -> Read<Vec<String>> {
    let legal = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    at.items()?
        .iter()
        .map(|item| {
            let name = item.name()?;
            if name.chars().all(legal) { Ok(name.to_owned()) } else { Err(item.wrong("must be of A-Z, 0-9 and _")) }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn full() -> Value {
        json!({
            "title": "Vendor", "docs": "https://docs.vendor.test", "version": "1.2.3",
            "endpoints": [{ "name": "api", "url": "https://api.vendor.test/v1", "pasted": ["/v1"] }, { "name": "own", "url": "" }],
            "secrets": [{ "name": "key", "title": "API key" }, { "name": "org", "required": false }],
            "placements": [{ "endpoint": "api", "in": "header", "name": "Authorization" }, { "endpoint": "own", "in": "query", "name": "Sig" }],
            "settings": { "type": "object", "properties": { "region": { "type": "string" } } },
            "operations": ["chat"],
            "models": [{ "id": "m-1", "context": 128_000, "capabilities": ["tools"], "prices": [
                { "from": "2026-01-01", "currency": "USD", "per_million": { "input": "2.5", "output": "10" } },
                { "from": "2025-01-01", "currency": "CNY", "per_million": { "cached-read": "0.000000001" } },
            ] }, { "id": "m-2" }],
            "env": { "secrets": { "key": ["VENDOR_API_KEY"] }, "base_url": ["VENDOR_BASE_URL"] },
            "whole_body": true, "unknown": { "is": "ignored" },
        })
    }

    #[test]
    fn a_full_descriptor_is_read() {
        let (provider, settings) = parse("vendor-1", &full().to_string()).map_err(|error| error.to_string()).unwrap();
        assert_eq!((provider.title.as_str(), provider.version.as_str()), ("Vendor", "1.2.3"));
        assert_eq!(provider.endpoint("api").unwrap().pasted, ["/v1"]);
        assert_eq!(provider.placements[0].name, "authorization");
        assert_eq!(provider.placements[1].name, "Sig");
        assert!(provider.secrets[0].required && !provider.secrets[1].required);
        assert_eq!(provider.secrets[1].title, "org");
        let model = provider.model("m-1").unwrap();
        assert_eq!((model.context, model.max_output), (128_000, 0));
        assert_eq!(model.prices[0].from, "2025-01-01", "oldest first");
        assert_eq!(provider.env.base_url, ["VENDOR_BASE_URL"]);
        assert!(provider.whole_body && !provider.built_in);
        assert!(settings.check(r#"{"region": 1}"#).is_err());
    }

    #[test]
    fn a_wrong_descriptor_is_refused_with_the_place() {
        for (place, value, expected) in [
            ("/title", json!(null), ""),
            ("/title", json!(7), "/title"),
            ("/version", json!("1.2"), "/version"),
            ("/version", json!("1.2.x"), "/version"),
            ("/endpoints", json!([]), ""),
            ("/endpoints/0/name", json!("own"), "/endpoints/1/name"),
            ("/endpoints/0/url", json!("ftp://vendor.test"), "/endpoints/0/url"),
            ("/endpoints/0/url", json!("https://user:pw@vendor.test"), "/endpoints/0/url"),
            ("/endpoints/0/url", json!("https://vendor.test/v1/"), "/endpoints/0/url"),
            ("/endpoints/0/pasted/0", json!(1), "/endpoints/0/pasted/0"),
            ("/secrets/1/name", json!("key"), "/secrets/1/name"),
            ("/secrets/1/required", json!("no"), "/secrets/1/required"),
            ("/placements/0/endpoint", json!("moon"), "/placements/0/endpoint"),
            ("/placements/0/in", json!("body"), "/placements/0/in"),
            ("/placements/0/name", json!("Host"), "/placements/0/name"),
            ("/placements/0/name", json!("a b"), "/placements/0/name"),
            ("/settings/type", json!("array"), "/settings"),
            ("/settings/properties/region", json!({ "type": 5 }), "/settings"),
            ("/operations", json!([]), "/operations"),
            ("/models/1/id", json!("m-1"), "/models/1"),
            ("/models/0/context", json!(-1), "/models/0/context"),
            ("/models/0/prices/0/from", json!("2026-13-01"), "/models/0/prices/0/from"),
            ("/models/0/prices/0/currency", json!("EUR"), "/models/0/prices/0/currency"),
            ("/models/0/prices/0/per_million/input", json!(2.5), "/models/0/prices/0/per_million/input"),
            ("/models/0/prices/0/per_million/input", json!("2,5"), "/models/0/prices/0/per_million/input"),
            ("/models/0/prices/0/per_million", json!({ "widgets": "1" }), "/models/0/prices/0/per_million/widgets"),
            ("/env/secrets", json!({ "nope": ["A"] }), "/env/secrets/nope"),
            ("/env/base_url/0", json!("PATH=1"), "/env/base_url/0"),
            ("/built_in", json!(1), "/built_in"),
        ] {
            let mut descriptor = full();
            if place == "/built_in" {
                descriptor["built_in"] = value.clone();
            } else {
                *descriptor.pointer_mut(place).unwrap() = value.clone();
            }
            match parse("vendor", &descriptor.to_string()) {
                Err(error) => assert_eq!(error.pointer, expected, "{place} = {value}: {error}"),
                Ok(_) => panic!("{place} = {value} was accepted"),
            }
        }
    }

    #[test]
    fn ids_are_short_and_plain() {
        let descriptor = full().to_string();
        for id in ["", "A", "a_b", "a b", "ä", &"a".repeat(41)] {
            assert!(parse(id, &descriptor).is_err(), "{id}");
        }
        assert!(parse(&"a".repeat(40), &descriptor).is_ok());
        assert!(parse("a", "not json").is_err());
        assert!(parse("a", "[]").is_err());
    }

    #[test]
    fn a_built_in_provider_needs_no_endpoint() {
        let descriptor = json!({ "title": "Echo", "version": "0.1.0", "operations": ["chat"], "built_in": true });
        assert!(parse("echo", &descriptor.to_string()).is_ok());
    }
}
