//! What every provider's file must be: readable, complete, its prices decimal and dated.

use std::collections::HashSet;

use super::*;

const CAPABILITIES: &[&str] = &["tools", "vision", "reasoning", "json", "embeddings"];
const CLASSES: &[&str] =
    &["input", "cached-read", "cache-write-5m", "cache-write-1h", "output", "reasoning", "audio-in", "audio-out"];

fn whole() -> Vec<(&'static str, Value)> {
    FILES.iter().map(|(id, file)| (*id, descriptor(file).unwrap_or_else(|error| panic!("{id}: {error}")))).collect()
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().map(|item| item.as_str().unwrap()).collect()
}

fn is_decimal(text: &str) -> bool {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.len() <= 9 && text.bytes().all(|byte| byte.is_ascii_digit());
    digits(whole) && digits(part) && !(text.contains('.') && part.ends_with('0'))
}

fn is_date(text: &str) -> bool {
    let parts: Vec<u32> = text.split('-').map(|part| part.parse().unwrap_or(0)).collect();
    text.len() == 10 && matches!(parts[..], [2020..2100, 1..=12, 1..=31])
}

#[test]
fn every_provider_is_offered_once() {
    let providers = Family::providers();
    assert_eq!(providers.len(), FILES.len());
    let ids: HashSet<&str> = FILES.iter().map(|(id, _)| *id).collect();
    assert_eq!(ids.len(), FILES.len());
    for id in ids {
        assert!(
            (1..=40).contains(&id.len())
                && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'),
            "{id}"
        );
    }
}

#[test]
fn every_file_in_the_folder_is_offered() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/catalog");
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let id = name.strip_suffix(".json").unwrap();
        assert!(id.starts_with('_') || file(id).is_some(), "{name} is not in FILES");
    }
}

#[test]
fn descriptors_are_complete() {
    for (id, descriptor) in whole() {
        assert!(descriptor["title"].is_string() && descriptor["version"].is_string(), "{id}");
        let operations = texts(&descriptor["operations"]);
        assert_eq!(operations[0], "chat", "{id}");
        assert!(operations.iter().all(|name| ["chat", "embeddings", "models", "balance"].contains(name)), "{id}");
        let dialect = crate::dialect::Dialect::of(id).unwrap();
        assert_eq!(operations.contains(&"balance"), dialect.balance.is_some(), "{id}");
        let endpoint = &descriptor["endpoints"][0];
        assert_eq!(endpoint["name"], "api", "{id}");
        let url = endpoint["url"].as_str().unwrap();
        assert!(!url.ends_with('/') && (url.is_empty() == (id == "compatible")), "{id}: {url}");
        for pasted in texts(&endpoint["pasted"]) {
            assert!(pasted.starts_with('/') && !pasted.ends_with('/'), "{id}: {pasted}");
        }
        assert_eq!(descriptor["secrets"][0]["name"], "key", "{id}");
        assert_eq!(
            descriptor["placements"],
            serde_json::json!([{"endpoint": "api", "in": "header", "name": "authorization"}]),
            "{id}"
        );
        assert!(
            !texts(&descriptor["env"]["secrets"]["key"]).is_empty()
                && !texts(&descriptor["env"]["base_url"]).is_empty(),
            "{id}"
        );
        assert_eq!(descriptor["settings"]["type"], "object", "{id}");
        for (name, setting) in descriptor["settings"]["properties"].as_object().unwrap() {
            assert!(setting["x-title"]["en"].is_string() && setting["x-title"]["zh-CN"].is_string(), "{id}: {name}");
        }
        assert!(descriptor.get("extends").is_none(), "{id}");
    }
}

#[test]
fn models_are_unique_and_their_prices_decimal_and_dated() {
    for (id, descriptor) in whole() {
        let models = descriptor["models"].as_array().unwrap();
        let mut seen = HashSet::new();
        for model in models {
            let name = model["id"].as_str().unwrap();
            assert!(seen.insert(name), "{id}: {name} twice");
            for capability in texts(&model["capabilities"]) {
                assert!(CAPABILITIES.contains(&capability), "{id} {name}: {capability}");
            }
            for key in ["context", "max_output"] {
                assert!(
                    model.get(key).is_none_or(|count| count.as_u64().is_some_and(|count| count > 0)),
                    "{id} {name}: {key}"
                );
            }
            let mut last = "";
            for price in model["prices"].as_array().into_iter().flatten() {
                let from = price["from"].as_str().unwrap();
                assert!(is_date(from) && from > last, "{id} {name}: {from}");
                last = from;
                assert!(["USD", "CNY"].contains(&price["currency"].as_str().unwrap()), "{id} {name}");
                let classes = price["per_million"].as_object().unwrap();
                for class in ["input", "cached-read", "cache-write-5m", "output", "reasoning"] {
                    assert!(classes.contains_key(class), "{id} {name}: no price for {class}");
                }
                for (class, amount) in classes {
                    assert!(CLASSES.contains(&class.as_str()), "{id} {name}: {class}");
                    assert!(amount.as_str().is_some_and(is_decimal), "{id} {name}: {amount}");
                }
            }
        }
    }
}

#[test]
fn bad_decimals_and_dates_are_told() {
    for text in ["", ".5", "1.", "-1", "1e3", "0.50", "1,5", "1.2.3"] {
        assert!(!is_decimal(text), "{text}");
    }
    for text in ["0", "0.005", "120", "2.5"] {
        assert!(is_decimal(text), "{text}");
    }
    assert!(is_date("2026-08-05") && !is_date("2026-8-5") && !is_date("2026-13-01") && !is_date("soon"));
}

#[test]
fn a_class_without_a_price_costs_what_it_is_part_of() {
    let file = r#"{"extends":"vendor","models":[{"id":"m","prices":[{"per_million":{"input":"2","cached-read":"1","output":"8"}}]}]}"#;
    let prices = &descriptor(file).unwrap()["models"][0]["prices"][0]["per_million"];
    assert_eq!(
        (&prices["cached-read"], &prices["cache-write-5m"], &prices["reasoning"]),
        (&"1".into(), &"2".into(), &"8".into())
    );
}

/// What an operator gets for a pasted base URL, by the host's own rule.
fn joined(id: &str, typed: &str) -> String {
    let endpoint = &descriptor(file(id).unwrap()).unwrap()["endpoints"][0];
    let spec = domain::EndpointSpec {
        name: "api".to_owned(),
        url: endpoint["url"].as_str().unwrap().to_owned(),
        pasted: texts(&endpoint["pasted"]).into_iter().map(str::to_owned).collect(),
    };
    let url = domain::resolve_endpoint(&spec, Some(typed), &|_| None)
        .unwrap_or_else(|error| panic!("{id}: {typed}: {error}"));
    url.as_str().trim_end_matches('/').to_owned()
}

#[test]
fn base_urls_work_as_people_paste_them() {
    for (id, _) in FILES {
        // Where the vendor's own path has no version, one that was pasted may stay: the server knows both.
        let (own, other) = match *id {
            "groq" | "novita" => ("/openai/v1", None),
            "openrouter" => ("/api/v1", None),
            "deepseek" | "compatible" => ("", Some("/v1")),
            "perplexity" => ("", None),
            _ => ("/v1", None),
        };
        let first = own.split("/v1").next().unwrap();
        for prefix in ["", "/v1", own, first] {
            for operation in ["", "/", "/chat/completions", "/chat/completions/", "/models"] {
                let (typed, origin) = (format!("https://h.test{prefix}{operation}"), "https://h.test");
                let got = joined(id, &typed);
                let expected = [Some(own), other].into_iter().flatten().any(|path| got == format!("{origin}{path}"));
                assert!(expected, "{id}: {typed} became {got}");
            }
        }
        // A version of its own is kept, whatever is cut off behind it.
        for operation in ["", "/chat/completions", "/models"] {
            assert_eq!(joined(id, &format!("https://h.test/paas/v4{operation}")), "https://h.test/paas/v4", "{id}");
        }
        // Behind the path of a proxy.
        assert_eq!(joined(id, &format!("https://h.test/proxy{own}")), format!("https://h.test/proxy{own}"), "{id}");
    }
    // An older path of this vendor.
    for operation in ["", "/chat/completions", "/models"] {
        assert_eq!(joined("novita", &format!("https://h.test/v3/openai{operation}")), "https://h.test/openai/v1");
    }
}
