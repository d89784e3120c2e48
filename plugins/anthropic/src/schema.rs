//! JSON schemas that the vendor holds an answer to: it knows a part of the language and refuses the rest.
//!
//! What it refuses goes into the description, where the model still reads it.

use serde_json::value::RawValue;
use witgate_sdk::Body;

use crate::lost::Lost;

/// What the vendor knows. `minItems` is in it for 0 and 1, `format` for some texts.
const KNOWN: &[&str] = &[
    "$schema",
    "$id",
    "$ref",
    "$defs",
    "definitions",
    "type",
    "properties",
    "required",
    "items",
    "additionalProperties",
    "anyOf",
    "allOf",
    "enum",
    "const",
    "default",
    "title",
    "description",
    "nullable",
];
const FORMATS: &[&str] = &["date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"];
/// Deeper schemas are not mended: a guest's stack is small.
const DEPTH: usize = 100;

/// The schema as the vendor takes it, its members in their order: the model writes them in it. `field` is what is told as lost.
pub(crate) fn mended(own: &str, lost: &mut Lost, field: &'static str) -> Result<Box<RawValue>, String> {
    if !own.starts_with('{') {
        return Err("must be a JSON schema".to_owned());
    }
    let mut mending = Mending { told: false };
    let schema = mending.node(own, 0)?;
    if mending.told {
        lost.add(field, "constraints that the vendor does not check were moved into descriptions");
    }
    RawValue::from_string(schema).map_err(|error| error.to_string())
}

/// The schema of a tool's input: the vendor wants `"type": "object"` at its root. One that has it stays as it is.
pub(crate) fn of_object(own: &RawValue) -> Result<Option<Box<RawValue>>, String> {
    let mut members = Body::parse(own.get()).map_err(|fault| fault.message)?;
    if members.raw("type") == Some("\"object\"") {
        return Ok(None);
    }
    members.set("type", "object");
    if !members.contains("properties") {
        members.set("properties", Body::new());
    }
    RawValue::from_string(members.to_json()).map(Some).map_err(|error| error.to_string())
}

struct Mending {
    /// A constraint is no longer checked.
    told: bool,
}

impl Mending {
    fn node(&mut self, own: &str, depth: usize) -> Result<String, String> {
        if !own.starts_with('{') {
            return Ok(own.to_owned());
        }
        if depth > DEPTH {
            return Err(format!("is more than {DEPTH} levels deep"));
        }
        let mut members = parsed(own)?;
        if !members.contains("anyOf") {
            members.rename("oneOf", "anyOf");
        }
        self.hint(&mut members);
        self.close(&mut members);
        for name in ["properties", "$defs", "definitions"] {
            let Some(raw) = members.raw(name).filter(|raw| raw.starts_with('{')) else { continue };
            let mut schemas = parsed(raw)?;
            let names: Vec<String> = schemas.keys().map(str::to_owned).collect();
            for name in names {
                let schema = self.node(schemas.raw(&name).unwrap_or_default(), depth + 1)?;
                schemas.set_raw(&name, schema).map_err(|fault| fault.message)?;
            }
            members.set(name, schemas);
        }
        for name in ["anyOf", "allOf"] {
            let Some(raw) = members.raw(name) else { continue };
            let schemas: Vec<&RawValue> = serde_json::from_str(raw).map_err(|error| error.to_string())?;
            let schemas =
                schemas.iter().map(|schema| self.node(schema.get(), depth + 1)).collect::<Result<Vec<_>, _>>()?;
            members.set_raw(name, format!("[{}]", schemas.join(","))).map_err(|fault| fault.message)?;
        }
        if let Some(raw) = members.raw("items") {
            let schema = self.node(raw, depth + 1)?;
            members.set_raw("items", schema).map_err(|fault| fault.message)?;
        }
        Ok(members.to_json())
    }

    /// Moves what the vendor does not know into the description.
    fn hint(&mut self, members: &mut Body) {
        let known = |name: &&str| is_known(name, members.raw(name).unwrap_or_default());
        let unknown: Vec<String> = members.keys().filter(|name| !known(name)).map(str::to_owned).collect();
        if unknown.is_empty() {
            return;
        }
        let hints: Vec<String> =
            unknown.iter().map(|name| format!("{name}: {}", members.raw(name).unwrap_or_default())).collect();
        unknown.iter().for_each(|name| {
            members.remove(name);
        });
        let hints = format!("{{{}}}", hints.join(", "));
        let described = members.get::<String>("description").and_then(Result::ok);
        members.set("description", described.map_or(hints.clone(), |text| format!("{text}\n\n{hints}")));
        self.told = true;
    }

    /// Every object says that it has no other members.
    fn close(&mut self, members: &mut Body) {
        let object = members.raw("type").is_some_and(|kind| kind.contains("\"object\""));
        if object && members.raw("additionalProperties") != Some("false") {
            self.told |= members.contains("additionalProperties");
            members.set("additionalProperties", false);
        }
    }
}

fn parsed(own: &str) -> Result<Body, String> {
    Body::parse(own).map_err(|fault| fault.message)
}

fn is_known(name: &str, value: &str) -> bool {
    match name {
        "minItems" => matches!(value, "0" | "1"),
        "format" => FORMATS.contains(&value.trim_matches('"')),
        name => KNOWN.contains(&name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(own: &str, expected: &str, told: bool) {
        let mut lost = Lost::default();
        assert_eq!(mended(own, &mut lost, "f").unwrap().get(), expected);
        assert_eq!(lost != Lost::default(), told, "{own}");
    }

    #[test]
    fn what_the_vendor_knows_stays_in_its_order() {
        let point = concat!(
            r##"{"type":"object","properties":{"z":{"type":"integer","enum":[1, 2]},"when":{"type":"string","format":"date"},"##,
            r##""all":{"type":"array","minItems":1,"items":{"$ref":"#/$defs/p"}}},"required":["z"],"##,
            r##""additionalProperties":false,"$defs":{"p":{"anyOf":[{"type":"null"}]}}}"##
        );
        check(point, point, false);
    }

    #[test]
    fn constraints_become_hints() {
        check(
            r#"{"type":"integer","minimum":1,"description":"A count."}"#,
            r#"{"type":"integer","description":"A count.\n\n{minimum: 1}"}"#,
            true,
        );
        check(
            r#"{"oneOf":[{"type":"string","pattern":"^a","maxLength":3}]}"#,
            r#"{"anyOf":[{"type":"string","description":"{pattern: \"^a\", maxLength: 3}"}]}"#,
            true,
        );
        check(r#"{"type":"array","minItems":2}"#, r#"{"type":"array","description":"{minItems: 2}"}"#, true);
        check(r#"{"format":"color"}"#, r#"{"description":"{format: \"color\"}"}"#, true);
    }

    #[test]
    fn objects_are_closed() {
        check(
            r#"{"type":["object","null"],"properties":{"minimum":{"type":"string"}}}"#,
            r#"{"type":["object","null"],"properties":{"minimum":{"type":"string"}},"additionalProperties":false}"#,
            false,
        );
        check(
            r#"{"type":"object","additionalProperties":{"type":"string"}}"#,
            r#"{"type":"object","additionalProperties":false}"#,
            true,
        );
    }

    #[test]
    fn only_schemas_of_a_sane_depth_are_mended() {
        assert!(mended("[]", &mut Lost::default(), "f").is_err());
        let deep = format!("{}1{}", r#"{"items":"#.repeat(120), "}".repeat(120));
        assert!(mended(&deep, &mut Lost::default(), "f").is_err());
    }

    #[test]
    fn inputs_of_tools_are_objects() {
        let mend = |own: &str| {
            of_object(&RawValue::from_string(own.to_owned()).unwrap()).map(|raw| raw.map(|raw| raw.get().to_owned()))
        };
        assert_eq!(mend(r#"{"type":"object"}"#), Ok(None));
        assert_eq!(mend("{}"), Ok(Some(r#"{"type":"object","properties":{}}"#.to_owned())));
        assert!(mend("true").is_err());
    }
}
