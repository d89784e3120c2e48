//! Turns what a component says about itself into a `Provider`, or says where its descriptor is wrong.

use domain::{Provider, ProviderError};
use serde_json::Value;

use crate::{descriptor::At, settings::Settings};

mod keys;
mod places;
mod priced;

/// Bytes of one descriptor. The longest catalogs (hundreds of models with prices) have a fifth of it.
const DESCRIPTOR_MAX: usize = 1 << 20;
/// Providers of one component.
pub(crate) const PROVIDERS_MAX: usize = 200;
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
    let endpoints = places::endpoints(&root, built_in)?;
    let secrets = keys::secrets(&root)?;
    let settings = Settings::compile(root.get("settings")?.as_ref(), &secrets)?;
    places::check_variables(&root, &secrets, &settings)?;
    let provider = Provider {
        id: id.to_owned(),
        title: root.need("title")?.name()?.to_owned(),
        docs: text(&root, "docs")?,
        version: version(&root.need("version")?)?,
        placements: places::placements(&root, &endpoints)?,
        grants: keys::grants(&root)?,
        settings_schema: settings.schema(),
        operations: operations(&root.need("operations")?)?,
        models: priced::models(&root)?,
        env: keys::env(&root, &secrets)?,
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

fn operations(at: &At<'_>) -> Read<Vec<String>> {
    let mut seen = Vec::new();
    for item in at.items()? {
        unique(&item, &mut seen)?;
    }
    if seen.is_empty() { Err(at.wrong("must list at least one operation")) } else { Ok(seen) }
}

#[cfg(test)]
mod tests;
