//! Checks that `config.default.toml` and `docs/configuration.md` say what the tables say. `UPDATE=1 cargo test -p witgate` rewrites them.

use std::{fmt::Write as _, path::Path};

use super::{
    Flags, Origin,
    environment::Environment,
    gather,
    keys::{KEYS, Key},
    one_api::{Meaning, ROWS},
};

fn default_file() -> String {
    let mut text = String::from(
        "# Every key of the configuration with its default. Copy what you change into `witgate.toml`, or name a file with --config.\n\
         # Order: default, this file, environment (.env included), flags. Each key also has the variable named beside it.\n",
    );
    let mut section = "";
    for key in KEYS {
        let (of, field) = key.parts();
        if of != section {
            section = of;
            let _ = write!(text, "\n#{}\n[{section}]\n", key.section_doc);
        }
        for line in key.doc {
            let _ = write!(text, "\n#{line}");
        }
        let value = if key.kind.is_number() { key.default.to_owned() } else { format!("\"{}\"", key.default) };
        let _ = write!(text, "\n# {}. {}\n{field} = {value}\n", key.kind.describe(), variables(key, ""));
    }
    text
}

fn variables(key: &Key, quote: &str) -> String {
    let names = key.short_env.iter().map(|&name| name.to_owned()).chain([key.env()]);
    names.map(|name| format!("{quote}{name}{quote}")).collect::<Vec<_>>().join(" or ")
}

fn keys_table() -> String {
    let mut text = String::from("| key | default | holds | variable | what it does |\n|---|---|---|---|---|\n");
    for key in KEYS {
        let default = if key.default.is_empty() { "(empty)".to_owned() } else { format!("`{}`", key.default) };
        let doc = key.doc.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ");
        let _ = writeln!(
            text,
            "| `{}` | {default} | {} | {} | {doc} |",
            key.name,
            key.kind.describe(),
            variables(key, "`")
        );
    }
    text
}

fn one_api_table() -> String {
    let mut text = String::from("| variable | here |\n|---|---|\n");
    for row in ROWS {
        let word = match row.meaning {
            Meaning::Sets(..) | Meaning::ApiKeys(_) => "",
            Meaning::Later => "Later: ",
            Meaning::Nothing => "No meaning here: ",
            Meaning::Refused => "Refused: ",
        };
        let _ = writeln!(text, "| `{}` | {word}{} |", row.name, row.says);
    }
    text
}

/// Puts a text between the two markers of a page.
fn between(page: &str, name: &str, text: &str) -> String {
    let (open, close) = (format!("<!-- {name}: made by a test -->\n"), format!("<!-- {name}: end -->"));
    let (head, rest) = page.split_once(&open).unwrap_or_else(|| panic!("no `{open}` in the page"));
    let (_, tail) = rest.split_once(&close).unwrap_or_else(|| panic!("no `{close}` in the page"));
    format!("{head}{open}\n{text}\n{close}{tail}")
}

fn check(path: &Path, expected: &str) {
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, expected).unwrap();
    }
    let found = std::fs::read_to_string(path).unwrap_or_default();
    assert!(found == expected, "{} is not what the tables say; run UPDATE=1 cargo test -p witgate", path.display());
}

#[test]
fn the_default_file_holds_every_key_and_changes_nothing() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("config.default.toml");
    check(&path, &default_file());
    let (config, errors) = gather(&Flags::default(), "w.toml", &default_file(), Environment::default());
    assert_eq!(errors, Vec::<String>::new());
    for (setting, key) in config.settings.iter().zip(KEYS) {
        assert!(matches!(setting.origin, Origin::File(..)), "{} is missing in the file", key.name);
        assert_eq!(setting.text, key.default, "{}", key.name);
    }
}

#[test]
fn the_reference_page_holds_both_tables() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/configuration.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let page = between(&page, "keys", &keys_table());
    check(&path, &between(&page, "one-api", &one_api_table()));
}
