//! What the descriptor must be: readable, complete, its prices decimal and dated.

use serde_json::Value;

use super::*;

const CLASSES: &[&str] = &["input", "cached-read", "cache-write-5m", "cache-write-1h", "output", "reasoning"];

fn descriptor() -> Value {
    let providers = Shop::providers();
    assert_eq!(providers.len(), 1);
    serde_json::from_str(&providers[0].descriptor).unwrap()
}

#[test]
fn the_descriptor_is_complete() {
    let descriptor = descriptor();
    assert_eq!(descriptor["version"], env!("CARGO_PKG_VERSION"));
    for (name, setting) in descriptor["settings"]["properties"].as_object().unwrap() {
        for title in ["x-title", "x-description"] {
            assert!(setting[title]["en"].is_string() && setting[title]["zh-CN"].is_string(), "{name}: {title}");
        }
        assert_eq!(setting["title"], setting["x-title"]["en"], "{name}");
    }
    assert!(descriptor["title"].is_string() && descriptor["docs"].is_string());
}

/// Prices per million in ten-thousandths, to compute with.
fn fine(price: &Value) -> u64 {
    let text = price.as_str().unwrap();
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    whole.parse::<u64>().unwrap() * 10_000 + format!("{part:0<4}").parse::<u64>().unwrap()
}

#[test]
fn every_class_has_its_price() {
    for model in descriptor()["models"].as_array().unwrap() {
        let id = model["id"].as_str().unwrap();
        let mut last = "";
        for price in model["prices"].as_array().unwrap() {
            let from = price["from"].as_str().unwrap();
            assert!(from.len() == 10 && from > last, "{id}: {from}");
            last = from;
            assert_eq!(price["currency"], "USD", "{id}");
            let classes = &price["per_million"];
            let of = |class: &str| fine(&classes[class]);
            assert_eq!(classes.as_object().unwrap().len(), CLASSES.len(), "{id}");
            // A read costs a tenth, a write a quarter more or twice as much, thinking what output does.
            assert_eq!(of("cached-read") * 10, of("input"), "{id}");
            assert_eq!(of("cache-write-5m") * 4, of("input") * 5, "{id}");
            assert_eq!(of("cache-write-1h"), of("input") * 2, "{id}");
            assert_eq!(of("reasoning"), of("output"), "{id}");
        }
    }
}

#[test]
fn base_urls_work_as_people_paste_them() {
    let descriptor = descriptor();
    let spec = &descriptor["endpoints"][0];
    let pasted = spec["pasted"].as_array().unwrap().iter().map(|path| path.as_str().unwrap().to_owned()).collect();
    let (name, url) = (spec["name"].as_str().unwrap().to_owned(), spec["url"].as_str().unwrap().to_owned());
    let endpoint = domain::EndpointSpec { name, url, pasted };
    for (typed, expected) in [
        ("", "https://api.anthropic.com"),
        ("https://proxy.test", "https://proxy.test"),
        ("https://proxy.test/v1/", "https://proxy.test"),
        ("https://proxy.test/v1/messages", "https://proxy.test"),
        ("https://proxy.test/anthropic", "https://proxy.test/anthropic"),
        ("https://proxy.test/anthropic/v1/messages/count_tokens", "https://proxy.test/anthropic"),
    ] {
        let typed = (!typed.is_empty()).then_some(typed);
        let joined = domain::resolve_endpoint(&endpoint, typed, &|_| None).unwrap();
        assert_eq!(joined.as_str().trim_end_matches('/'), expected, "{typed:?}");
    }
}
