//! What the component offers: one provider, described in a data file.

use witgate_sdk::{Catalog, Provider};

/// The catalog.
#[derive(Debug)]
pub struct Shop;

impl Catalog for Shop {
    fn providers() -> Vec<Provider> {
        // The version is the crate's: it goes in front of the other members.
        let version = format!("{{\n  \"version\": \"{}\",", env!("CARGO_PKG_VERSION"));
        vec![Provider::new("anthropic", FILE.replacen('{', &version, 1))]
    }
}

pub(crate) const FILE: &str = include_str!("../catalog/anthropic.json");

#[cfg(test)]
mod tests;
