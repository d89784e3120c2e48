//! Reads `--secret` options: `NAME=VALUE`, `NAME=@FILE`, `NAME=-`, or the part after `=` alone when the provider has exactly one secret.
//! No message repeats a value.

use std::io::Read;

use domain::{Provider, Secret};

use crate::channel_draft::unknown_secret;

/// Adds what the options say to `secrets`; returns what is wrong with them. `-` may be used once, it reads to the end.
pub(super) fn read(
    options: &[String],
    provider: &Provider,
    stdin: &mut impl Read,
    secrets: &mut Vec<(String, Secret)>,
) -> Vec<String> {
    let mut errors = Vec::new();
    let mut stdin = Some(stdin);
    for option in options {
        let read = split(option, provider).and_then(|(name, source)| {
            if secrets.iter().any(|(other, _)| *other == name) {
                return Err(format!("secret `{name}` is given twice"));
            }
            Ok((value(&name, source, &mut stdin)?, name))
        });
        match read {
            Ok((secret, name)) => secrets.push((name, secret)),
            Err(error) => errors.push(error),
        }
    }
    errors
}

/// The secret's name and where its value is.
fn split<'a>(option: &'a str, provider: &Provider) -> Result<(String, &'a str), String> {
    let only = match provider.secrets.as_slice() {
        [] => return Err(format!("provider `{}` takes no secret", provider.id)),
        [only] => Some(&only.name),
        _ => None,
    };
    match (option.split_once('='), only) {
        (Some((name, source)), _) if provider.secrets.iter().any(|secret| secret.name == name) => {
            Ok((name.to_owned(), source))
        }
        // A key may end in `=`, as base64 does; anything else before a `=` is most likely a mistyped name, or else a value that is
        // better written with its name. It is not repeated, as it may be half a key.
        (Some((name, source)), Some(only)) if looks_like_a_name(name) && !source.trim_matches('=').is_empty() => {
            Err(format!("--secret names none of the secrets of provider `{}`; write {only}=VALUE", provider.id))
        }
        (_, Some(only)) => Ok((only.clone(), option)),
        (Some((name, _)), None) if looks_like_a_name(name) => Err(unknown_secret(provider, name)),
        (_, None) => {
            let names: Vec<_> = provider.secrets.iter().map(|secret| secret.name.as_str()).collect();
            Err(format!(
                "provider `{}` has several secrets ({}); write --secret NAME=VALUE",
                provider.id,
                names.join(", ")
            ))
        }
    }
}

fn looks_like_a_name(text: &str) -> bool {
    text.len() <= 40
        && text.starts_with(|char: char| char.is_ascii_lowercase())
        && text.chars().all(|char| char.is_ascii_lowercase() || char.is_ascii_digit() || matches!(char, '_' | '-'))
}

fn value(name: &str, source: &str, stdin: &mut Option<&mut impl Read>) -> Result<Secret, String> {
    let text = if source == "-" {
        let stdin = stdin.take().ok_or_else(|| format!("secret `{name}`: standard input was read already"))?;
        let mut text = String::new();
        stdin.read_to_string(&mut text).map_err(|error| format!("secret `{name}`: standard input: {error}"))?;
        text
    } else if let Some(file) = source.strip_prefix('@') {
        std::fs::read_to_string(file).map_err(|error| format!("secret `{name}`: file {file}: {error}"))?
    } else {
        return Ok(Secret::new(source));
    };
    // Some editors put a byte order mark before the text.
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.is_empty() {
        return Err(format!("secret `{name}`: nothing was read"));
    }
    Ok(Secret::new(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel_draft::tests::provider;

    fn run(options: &[&str], names: usize) -> Result<Vec<(String, String)>, Vec<String>> {
        let mut provider = provider();
        provider.secrets.truncate(names);
        let options: Vec<String> = options.iter().map(|&option| option.to_owned()).collect();
        let mut secrets = Vec::new();
        let errors = read(&options, &provider, &mut "from stdin\n".as_bytes(), &mut secrets);
        if errors.is_empty() {
            Ok(secrets.into_iter().map(|(name, secret)| (name, secret.expose().to_owned())).collect())
        } else {
            Err(errors)
        }
    }

    fn one(value: &str) -> Result<Vec<(String, String)>, Vec<String>> {
        Ok(vec![("key".to_owned(), value.to_owned())])
    }

    #[test]
    fn values_files_and_standard_input() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("key");
        std::fs::write(&file, "\u{feff}from file\r\n").unwrap();
        let file = file.display();
        assert_eq!(run(&["key=v"], 2), one("v"));
        assert_eq!(run(&[&format!("key=@{file}")], 2), one("from file"));
        assert_eq!(run(&["key=-"], 2), one("from stdin"));
        assert_eq!(run(&["v"], 1), one("v"));
        assert_eq!(run(&[&format!("@{file}")], 1), one("from file"));
        assert_eq!(run(&["-"], 1), one("from stdin"));
        assert_eq!(run(&["c2VjcmV0=="], 1), one("c2VjcmV0=="));
        assert_eq!(run(&["key=a=b"], 1), one("a=b"));
    }

    #[test]
    fn mistakes_are_explained_without_the_value() {
        for (options, names, part) in [
            (&["kee=hunter2"][..], 1, "write key=VALUE"),
            (&["kee=hunter2"], 2, "no secret `kee`"),
            (&["hunter2"], 2, "several secrets (key, project)"),
            (&["hunter2"], 0, "takes no secret"),
            (&["key=hunter2", "key=hunter2"], 1, "given twice"),
            (&["key=-", "project=-"], 2, "read already"),
            (&["key=@/no/such/file"], 1, "/no/such/file"),
        ] {
            let errors = run(options, names).unwrap_err().join("\n");
            assert!(errors.contains(part) && !errors.contains("hunter2"), "{options:?}: {errors}");
        }
    }
}
