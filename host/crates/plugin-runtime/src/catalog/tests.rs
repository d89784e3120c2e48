//! A full descriptor is read, a wrong one is refused with the place.

use domain::SplitBy;
use serde_json::json;

use super::*;

fn full() -> Value {
    json!({
        "title": "Vendor", "docs": "https://docs.vendor.test", "version": "1.2.3",
        "endpoints": [{ "name": "api", "url": "https://api.vendor.test/v1", "pasted": ["/v1"] }, { "name": "own", "url": "" }],
        "secrets": [{ "name": "key", "title": "API key" }, { "name": "org", "required": false }],
        "placements": [{ "endpoint": "api", "in": "header", "name": "Authorization" }, { "endpoint": "own", "in": "query", "name": "Sig" }],
        "grants": [{ "name": "access" }],
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
        ("/placements/1/in", json!("bearer"), "/placements/1/name"),
        ("/placements/1/name", json!(null), "/placements/1"),
        ("/grants/0/name", json!(""), "/grants/0/name"),
        ("/grants", json!([{ "name": "a" }, { "name": "a" }]), "/grants/1/name"),
        ("/secrets/0/title", json!(1), "/secrets/0/title"),
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

#[test]
fn placements_are_of_five_kinds() {
    let mut descriptor = full();
    descriptor["placements"] = json!([
        { "endpoint": "api", "in": "header", "name": "X-Sig" }, { "endpoint": "api", "in": "query", "name": "sig" },
        { "endpoint": "api", "in": "form", "name": "apiKey" }, { "endpoint": "api", "in": "bearer" },
        { "endpoint": "own", "in": "basic", "name": "Authorization" },
    ]);
    let (provider, _) = parse("vendor", &descriptor.to_string()).map_err(|error| error.to_string()).unwrap();
    let shown: Vec<_> = provider.placements.iter().map(ToString::to_string).collect();
    let expected = [
        "header `x-sig` at endpoint `api`",
        "query `sig` at endpoint `api`",
        "form field `apiKey` at endpoint `api`",
        "bearer token at endpoint `api`",
        "basic authorization at endpoint `own`",
    ];
    assert_eq!(shown, expected);
    assert_eq!(provider.placements[3].name, "authorization");
    assert_eq!(provider.grants[0].title, "access");
}

fn composite() -> Value {
    let mut descriptor = full();
    descriptor["secrets"] = json!([
        { "name": "key", "example": "ID|CODE|REGION", "split": { "separator": "|", "parts": [
            { "name": "id", "public": true }, { "name": "code" }, { "name": "zone", "public": true, "optional": true },
        ] } },
        { "name": "account", "required": false, "split": { "json": true, "parts": [
            { "name": "email", "pointer": "/client_email", "public": true }, { "name": "pem", "pointer": "/private_key" },
        ] } },
    ]);
    descriptor["endpoints"] = json!([
        { "name": "api", "url": "https://{region}-api.vendor.test/v1" },
        { "name": "own", "url": "https://{zone}.vendor.test" },
    ]);
    descriptor
}

#[test]
fn composite_keys_and_addresses_with_variables_are_read() {
    let (provider, _) = parse("vendor", &composite().to_string()).map_err(|error| error.to_string()).unwrap();
    assert_eq!(provider.secrets[0].example, "ID|CODE|REGION");
    let split = provider.secrets[0].split.as_ref().unwrap();
    assert_eq!(split.by, SplitBy::Separator("|".into()));
    let flags: Vec<_> = split.parts.iter().map(|part| (part.name.as_str(), part.public, part.optional)).collect();
    assert_eq!(flags, [("id", true, false), ("code", false, false), ("zone", true, true)]);
    let split = provider.secrets[1].split.as_ref().unwrap();
    assert_eq!((&split.by, split.parts[1].pointer.as_str()), (&SplitBy::Json, "/private_key"));
    assert_eq!(provider.endpoints[0].url, "https://{region}-api.vendor.test/v1");
}

#[test]
fn wrong_splits_and_variables_are_refused_with_the_place() {
    let part =
        |name: &str, public: bool, optional: bool| json!({ "name": name, "public": public, "optional": optional });
    for (place, value, expected) in [
        ("/secrets/0/split", json!({ "parts": [part("a", false, false)] }), "/secrets/0/split"),
        ("/secrets/0/split", json!({ "json": true, "separator": "|", "parts": [] }), "/secrets/0/split"),
        ("/secrets/0/split", json!({ "separator": "|" }), "/secrets/0/split"),
        ("/secrets/0/split/separator", json!(""), "/secrets/0/split/separator"),
        ("/secrets/0/split/parts", json!([]), "/secrets/0/split/parts"),
        ("/secrets/0/split/parts", json!([part("a", false, false)]), "/secrets/0/split/parts"),
        ("/secrets/0/split/parts", json!([part("a", true, false), part("b", true, false)]), "/secrets/0/split/parts"),
        ("/secrets/0/split/parts", json!([part("a", true, false), part("b", false, true)]), "/secrets/0/split/parts"),
        ("/secrets/0/split/parts", json!([part("a", true, true), part("b", false, false)]), "/secrets/0/split/parts/1"),
        ("/secrets/0/split/parts/1/name", json!("id"), "/secrets/0/split/parts/1/name"),
        ("/secrets/0/split/parts/1/name", json!("account"), "/secrets/0/split/parts/1/name"),
        ("/secrets/1/split/parts/0/name", json!("code"), "/secrets/1/split/parts/0/name"),
        ("/secrets/0/split/parts/0/public", json!("no"), "/secrets/0/split/parts/0/public"),
        ("/secrets/1/split/parts/0/pointer", json!("client_email"), "/secrets/1/split/parts/0/pointer"),
        ("/secrets/1/split/parts/0/pointer", json!(null), "/secrets/1/split/parts/0"),
        ("/endpoints/0/url", json!("https://{moon}.vendor.test"), "/endpoints/0/url"),
        ("/endpoints/0/url", json!("https://{code}.vendor.test"), "/endpoints/0/url"),
        ("/endpoints/0/url", json!("https://vendor.test/{region}"), "/endpoints/0/url"),
        ("/settings/properties/region", json!({ "type": ["string", "null"] }), "/endpoints/0/url"),
        ("/settings/properties/region", json!({ "type": "string", "default": "a.b" }), "/endpoints/0/url"),
        ("/settings/properties", json!({ "region": { "type": "string" }, "pem": {} }), "/settings/properties/pem"),
    ] {
        let mut descriptor = composite();
        *descriptor.pointer_mut(place).unwrap() = value.clone();
        match parse("vendor", &descriptor.to_string()) {
            Err(error) => assert_eq!(error.pointer, expected, "{place} = {value}: {error}"),
            Ok(_) => panic!("{place} = {value} was accepted"),
        }
    }
    for region in [json!({ "enum": ["eu", "us"] }), json!({ "type": "string", "default": "eu-1" })] {
        let mut descriptor = composite();
        descriptor["settings"]["properties"]["region"] = region.clone();
        assert!(parse("vendor", &descriptor.to_string()).is_ok(), "{region}");
    }
}
