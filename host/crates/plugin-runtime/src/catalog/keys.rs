//! What a catalog says about credentials: secrets, the parts of composite ones, access tokens, variables that hold them.

use domain::{EnvSpec, GrantSpec, KeyPart, KeySplit, SecretSpec, SplitBy};

use super::{Read, flag, list, text, unique};
use crate::descriptor::At;

/// Parts of one composite key. The longest that is known has five.
const PARTS_MAX: usize = 16;

/// Reads the list of secrets.
pub(super) fn secrets(root: &At<'_>) -> Read<Vec<SecretSpec>> {
    let mut seen = Vec::new();
    let mut secrets = Vec::new();
    let list = list(root, "secrets")?;
    for at in &list {
        let name = unique(&at.need("name")?, &mut seen)?;
        let title = at.get("title")?.map(|at| at.text()).transpose()?.unwrap_or(&name).to_owned();
        let required = at.get("required")?.map(|at| at.flag()).transpose()?.unwrap_or(true);
        secrets.push(SecretSpec { name, title, required, split: None, example: text(at, "example")? });
    }
    // After the names of all secrets: a part must not be called like any of them.
    for (at, secret) in list.iter().zip(&mut secrets) {
        secret.split = at.get("split")?.map(|at| split(&at, &mut seen)).transpose()?;
    }
    Ok(secrets)
}

fn split(at: &At<'_>, seen: &mut Vec<String>) -> Read<KeySplit> {
    let by = match (at.get("separator")?, flag(at, "json")?) {
        (Some(_), true) | (None, false) => return Err(at.wrong("needs either `separator` or `\"json\": true`")),
        (Some(separator), false) if separator.text()?.is_empty() => return Err(separator.wrong("must not be empty")),
        (Some(separator), false) => SplitBy::Separator(separator.text()?.to_owned()),
        (None, true) => SplitBy::Json,
    };
    let parts_at = at.need("parts")?;
    let mut parts: Vec<KeyPart> = Vec::new();
    for item in parts_at.items()? {
        let part = KeyPart {
            name: unique(&item.need("name")?, seen)?,
            pointer: if by == SplitBy::Json { pointer(&item.need("pointer")?)? } else { String::new() },
            public: flag(&item, "public")?,
            optional: flag(&item, "optional")?,
        };
        if by != SplitBy::Json && !part.optional && parts.last().is_some_and(|before| before.optional) {
            return Err(item.wrong("must be optional: the part before it is"));
        }
        parts.push(part);
    }
    // A key of another form would else be taken for a public part, whole.
    if !parts.iter().any(|part| !part.public && !part.optional) || parts.len() < 2 && by != SplitBy::Json {
        return Err(parts_at.wrong("must list at least two parts, one of them neither `public` nor `optional`"));
    }
    if parts.len() > PARTS_MAX {
        return Err(parts_at.wrong(format!("lists more than {PARTS_MAX} parts")));
    }
    Ok(KeySplit { by, parts })
}

fn pointer(at: &At<'_>) -> Read<String> {
    let text = at.text()?;
    if text.starts_with('/') { Ok(text.to_owned()) } else { Err(at.wrong("must be a JSON pointer, like `/client/id`")) }
}

/// Reads the list of access tokens.
pub(super) fn grants(root: &At<'_>) -> Read<Vec<GrantSpec>> {
    let mut seen = Vec::new();
    let mut grants = Vec::new();
    for at in list(root, "grants")? {
        let name = unique(&at.need("name")?, &mut seen)?;
        let title = at.get("title")?.map(|at| at.text()).transpose()?.unwrap_or(&name).to_owned();
        grants.push(GrantSpec { name, title });
    }
    Ok(grants)
}

/// Reads the variables that make a channel exist.
pub(super) fn env(root: &At<'_>, secrets: &[SecretSpec]) -> Read<EnvSpec> {
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
