//! Reads a TOML file into `section.field` texts with line numbers. What is wrong is collected, not returned at the first.

use toml::de::{DeTable, DeValue};

use super::keys::{KEYS, Key};

/// A key that the file sets.
pub(super) struct Entry {
    pub(super) key: &'static Key,
    pub(super) text: String,
    pub(super) line: usize,
}

/// Every key of a file's text, and every error with its line.
pub(super) fn read(name: &str, text: &str) -> (Vec<Entry>, Vec<String>) {
    let line_of = |offset: usize| text.as_bytes().iter().take(offset).filter(|&&byte| byte == b'\n').count() + 1;
    let (document, broken) = DeTable::parse_recoverable(text);
    let mut entries = Vec::new();
    let mut errors: Vec<(usize, String)> = broken
        .iter()
        .map(|error| (line_of(error.span().map_or(0, |span| span.start)), error.message().to_owned()))
        .collect();
    // After a syntax error the rest of the document is a guess; only the syntax is worth reporting.
    let sections = if errors.is_empty() { Some(document.get_ref()) } else { None };
    for (section, fields) in sections.into_iter().flatten() {
        let line = line_of(section.span().start);
        let section = section.get_ref();
        if !KEYS.iter().any(|key| key.parts().0 == section.as_ref()) {
            errors.push((line, unknown("section", section, KEYS.iter().map(|key| key.parts().0))));
            continue;
        }
        let Some(fields) = fields.get_ref().as_table() else {
            errors.push((line, format!("`{section}` is a section; write [{section}] and its keys below it")));
            continue;
        };
        for (field, value) in fields {
            let line = line_of(field.span().start);
            let name = format!("{section}.{}", field.get_ref());
            match KEYS.iter().find(|key| key.name == name) {
                None => {
                    // Only the field is compared: a shared section would make any two keys look alike.
                    let fields = KEYS.iter().map(|key| key.parts()).filter(|(of, _)| *of == section.as_ref());
                    errors.push((line, unknown("key", field.get_ref(), fields.map(|(_, field)| field))));
                }
                Some(key) => match text_of(key, value.get_ref()) {
                    Ok(text) => entries.push(Entry { key, text, line }),
                    Err(error) => errors.push((line, format!("{name}: {error}"))),
                },
            }
        }
    }
    errors.sort_by_key(|(line, _)| *line);
    (entries, errors.into_iter().map(|(line, error)| format!("{name}:{line}: {error}")).collect())
}

fn text_of(key: &Key, value: &DeValue<'_>) -> Result<String, String> {
    match value {
        DeValue::Integer(number) if key.kind.is_number() => i128::from_str_radix(number.as_str(), number.radix())
            .map(|number| number.to_string())
            .map_err(|_| "the number is too large".to_owned()),
        DeValue::String(text) if !key.kind.is_number() => Ok(text.clone().into_owned()),
        other if key.kind.is_number() => Err(format!("expects a whole number, found {}", other.type_str())),
        other => Err(format!("expects a text in quotes, found {}", other.type_str())),
    }
}

/// The refusal of a name that nothing has, with the nearest name that something has.
pub(crate) fn unknown(what: &str, name: &str, known: impl Iterator<Item = &'static str>) -> String {
    match nearest(name, known) {
        Some(near) => format!("unknown {what} `{name}`; did you mean `{near}`?"),
        None => format!("unknown {what} `{name}`; every key is listed in docs/configuration.md"),
    }
}

/// The known name that a mistyped one most likely meant.
pub(crate) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|candidate| (strsim::jaro_winkler(&name.to_lowercase(), &candidate.to_lowercase()), candidate))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mistake_is_reported_with_its_line() {
        let text = "[server]\nlisten = 3000\nkeepalive = 1\n\n[sever]\nx = 1\n[upstream]\nidle_ms = \"a\"\n[exchange]\ntotal_s = 0x10\n";
        let (entries, errors) = read("witgate.toml", text);
        assert_eq!(
            errors,
            [
                "witgate.toml:2: server.listen: expects a text in quotes, found integer",
                "witgate.toml:3: unknown key `keepalive`; did you mean `keepalive_ms`?",
                "witgate.toml:5: unknown section `sever`; did you mean `server`?",
                "witgate.toml:8: upstream.idle_ms: expects a whole number, found string",
            ]
        );
        assert_eq!(entries.len(), 1);
        assert_eq!((entries[0].key.name, entries[0].text.as_str(), entries[0].line), ("exchange.total_s", "16", 10));
    }

    #[test]
    fn broken_syntax_is_reported_with_its_line() {
        let (entries, errors) = read("w.toml", "[server]\nlisten = \"127.0.0.1:1\"\nlog_level = = 3\n");
        assert!(entries.is_empty());
        assert!(errors[0].starts_with("w.toml:3: "), "{errors:?}");
    }
}
