//! Turns the `dialect` blocks of the catalog files into constants, so that no exchange reads or parses a catalog.

use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

use serde_json::{Map, Value};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=catalog");
    let mut files: Vec<_> =
        fs::read_dir("catalog")?.map(|entry| Ok(entry?.path())).collect::<Result<_, std::io::Error>>()?;
    files.sort();
    let mut table = String::from("&[\n");
    for path in files {
        let id = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let file: Map<String, Value> = serde_json::from_str(&fs::read_to_string(&path)?)?;
        if id.starts_with('_') {
            continue;
        }
        let empty = Map::new();
        let block = file.get("dialect").and_then(Value::as_object).unwrap_or(&empty);
        writeln!(
            table,
            "({id:?}, Dialect {{ {}..Dialect::PLAIN }}),",
            members(block).map_err(|what| format!("{id}: {what}"))?
        )?;
    }
    table.push(']');
    fs::write(Path::new(&env::var("OUT_DIR")?).join("dialects.rs"), table)?;
    Ok(())
}

/// The members of the block as those of a Rust struct; a member that `Dialect` does not have fails to compile.
fn members(block: &Map<String, Value>) -> Result<String, String> {
    let mut out = String::new();
    for (name, value) in block {
        let value = match (name.as_str(), value) {
            ("developer", Value::String(text)) => format!("DeveloperRole::{}", variant(text)),
            ("max_tokens", Value::String(text)) => format!("LimitName::{}", variant(text)),
            ("version" | "abroad", Value::String(text)) => format!("Some({text:?})"),
            ("balance", Value::Object(inner)) => {
                let none = if inner.contains_key("abroad") { "" } else { "abroad: None" };
                format!("Some(Balance {{ {}{none} }})", members(inner)?)
            }
            (_, Value::String(text)) => format!("{text:?}"),
            (_, Value::Bool(flag)) => flag.to_string(),
            (_, Value::Array(items)) => {
                let items: Option<Vec<String>> =
                    items.iter().map(|item| item.as_str().map(|text| format!("{text:?}"))).collect();
                format!("&[{}]", items.ok_or_else(|| format!("`{name}` holds something that is no text"))?.join(", "))
            }
            (_, Value::Object(pairs)) => {
                let pairs: Option<Vec<String>> =
                    pairs.iter().map(|(key, text)| text.as_str().map(|text| format!("({key:?}, {text:?})"))).collect();
                format!("&[{}]", pairs.ok_or_else(|| format!("`{name}` holds something that is no text"))?.join(", "))
            }
            _ => return Err(format!("`{name}` has a value of an unknown kind")),
        };
        out.push_str(&format!("{name}: {value}, "));
    }
    Ok(out)
}

/// `max_tokens` as a variant: `MaxTokens`.
fn variant(text: &str) -> String {
    let capital = |word: &str| word[..1].to_ascii_uppercase() + &word[1..];
    text.split('_').filter(|word| !word.is_empty()).map(capital).collect()
}
