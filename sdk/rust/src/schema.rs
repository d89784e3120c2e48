//! Translates JSON Schemas of tools and answers for vendors that know only a part of the language.
//!
//! The order of fields stays, because models answer in it, and numbers stay as they are written.

use crate::{Body, Fault};

/// Schemas deeper than this are refused: references may be nested without end.
const MAX_DEPTH: usize = 64;
/// Schemas with more parts than this, references resolved, are refused: a few references to references multiply.
const MAX_PARTS: usize = 10_000;

/// What a vendor does not know.
#[derive(Clone, Copy, Debug, Default)]
pub struct Limits<'a> {
    /// `$ref` is not known: what is referred to is put in its place, and `$defs` and `definitions` are dropped.
    pub no_refs: bool,
    /// Keywords that are refused: they are dropped and reported.
    pub drop: &'a [&'a str],
    /// `null` among the types is written as `"nullable": true`.
    pub nullable: bool,
    /// `const` is written as an `enum` of one.
    pub no_const: bool,
    /// `oneOf` is written as `anyOf`.
    pub no_one_of: bool,
}

/// A schema in the vendor's part of the language, and the keywords that were dropped, each once.
///
/// # Errors
/// `invalid-request` when it is no schema, refers to something that is not in it or to itself, or is too large.
pub fn translate(schema: &str, limits: Limits<'_>) -> Result<(String, Vec<String>), Fault> {
    let root: Body = parse(schema)?;
    let mut work = Work { root: &root, limits, parts: 0, dropped: Vec::new(), inside: Vec::new() };
    let out = work.schema(root.clone(), 0)?;
    Ok((out, work.dropped))
}

struct Work<'a> {
    root: &'a Body,
    limits: Limits<'a>,
    parts: usize,
    dropped: Vec<String>,
    /// References that are being resolved.
    inside: Vec<String>,
}

fn parse(json: &str) -> Result<Body, Fault> {
    Body::parse(json).map_err(|fault| Fault::invalid_request(format!("a JSON schema is {}", fault.message)))
}

impl Work<'_> {
    /// A schema that may be `true` or `false` too, which stay.
    fn any(&mut self, json: &str, depth: usize) -> Result<String, Fault> {
        if json.starts_with('{') { self.schema(parse(json)?, depth) } else { Ok(json.to_owned()) }
    }

    fn schema(&mut self, schema: Body, depth: usize) -> Result<String, Fault> {
        self.parts += 1;
        if depth > MAX_DEPTH || self.parts > MAX_PARTS {
            return Err(Fault::invalid_request(format!(
                "a JSON schema is too large: at most {MAX_DEPTH} levels and {MAX_PARTS} parts, references resolved"
            )));
        }
        if self.limits.no_refs
            && let Some(Ok(reference)) = schema.get::<String>("$ref")
        {
            return self.resolved(&schema, reference, depth);
        }
        let mut out = Body::new();
        for name in schema.keys() {
            let raw = schema.raw(name).unwrap_or("null");
            if self.limits.no_refs && matches!(name, "$defs" | "definitions") {
                continue;
            }
            if self.limits.drop.contains(&name) {
                self.drop(name);
                continue;
            }
            let (name, value) = match name {
                "properties" | "patternProperties" | "$defs" | "definitions" | "dependentSchemas" => {
                    (name, self.named(raw, depth)?)
                }
                "anyOf" | "allOf" | "prefixItems" => (name, self.listed(raw, depth)?),
                "oneOf" => (if self.limits.no_one_of { "anyOf" } else { name }, self.listed(raw, depth)?),
                "items" if raw.starts_with('[') => (name, self.listed(raw, depth)?),
                "items"
                | "additionalProperties"
                | "not"
                | "if"
                | "then"
                | "else"
                | "contains"
                | "propertyNames"
                | "unevaluatedItems"
                | "unevaluatedProperties" => (name, self.any(raw, depth + 1)?),
                "const" if self.limits.no_const => ("enum", format!("[{raw}]")),
                _ => (name, raw.to_owned()),
            };
            out.set_raw(name, value)?;
        }
        if self.limits.nullable {
            nullable(&mut out)?;
        }
        Ok(out.to_json())
    }

    /// What a reference refers to, with the fields beside the reference over it.
    fn resolved(&mut self, schema: &Body, reference: String, depth: usize) -> Result<String, Fault> {
        let wrong = |what: &str| Fault::invalid_request(format!("a JSON schema refers to `{reference}`, {what}"));
        if self.inside.contains(&reference) {
            return Err(wrong("which refers to itself; this vendor cannot be told about it"));
        }
        let path = reference.strip_prefix('#').ok_or_else(|| wrong("which is not a place in it (`#/...`)"))?;
        let mut found = self.root.clone();
        for step in path.split('/').skip(1) {
            let step = step.replace("~1", "/").replace("~0", "~");
            found =
                found.raw(&step).and_then(|raw| Body::parse(raw).ok()).ok_or_else(|| wrong("which is not there"))?;
        }
        for name in schema.keys().filter(|name| *name != "$ref") {
            found.set_raw(name, schema.raw(name).unwrap_or("null").to_owned())?;
        }
        self.inside.push(reference);
        let out = self.schema(found, depth + 1);
        self.inside.pop();
        out
    }

    /// Schemas by name.
    fn named(&mut self, json: &str, depth: usize) -> Result<String, Fault> {
        let mut schemas = parse(json)?;
        let names: Vec<String> = schemas.keys().map(str::to_owned).collect();
        for name in names {
            let schema = self.any(schemas.raw(&name).unwrap_or("true"), depth + 1)?;
            schemas.set_raw(&name, schema)?;
        }
        Ok(schemas.to_json())
    }

    /// A list of schemas.
    fn listed(&mut self, json: &str, depth: usize) -> Result<String, Fault> {
        let schemas: Vec<&serde_json::value::RawValue> = serde_json::from_str(json)
            .map_err(|_| Fault::invalid_request("a JSON schema has something else where a list of schemas must be"))?;
        let schemas: Vec<String> =
            schemas.into_iter().map(|raw| self.any(raw.get(), depth + 1)).collect::<Result<_, Fault>>()?;
        Ok(format!("[{}]", schemas.join(",")))
    }

    fn drop(&mut self, keyword: &str) {
        if !self.dropped.iter().any(|known| known == keyword) {
            self.dropped.push(keyword.to_owned());
        }
    }
}

/// `{"type": ["string", "null"]}` and `{"anyOf": [{...}, {"type": "null"}]}` as the rest with `"nullable": true`.
fn nullable(schema: &mut Body) -> Result<(), Fault> {
    let mut found = false;
    if let Some(Ok(types)) = schema.get::<Vec<String>>("type") {
        let rest: Vec<&String> = types.iter().filter(|name| *name != "null").collect();
        found = rest.len() < types.len();
        match rest[..] {
            [only] => schema.set("type", only),
            _ => schema.set("type", rest),
        }
    }
    if let Some(Ok(schemas)) = schema.get::<Vec<Body>>("anyOf") {
        let is_null = |schema: &&Body| schema.raw("type") != Some("\"null\"");
        let rest: Vec<&Body> = schemas.iter().filter(is_null).collect();
        if rest.len() < schemas.len() {
            found = true;
            if let [only] = rest[..] {
                schema.remove("anyOf");
                for name in only.keys() {
                    schema.set_raw(name, only.raw(name).unwrap_or("null").to_owned())?;
                }
            } else {
                schema.set("anyOf", rest);
            }
        }
    }
    if found {
        schema.set("nullable", true);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
