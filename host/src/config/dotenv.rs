//! Reads the text of a `.env` file. Values are literal: nothing in them is substituted. Errors never quote a value.

/// The variables of a file in their order, and what could not be read: one error, one line.
pub(super) fn read(text: &str) -> (Vec<(String, String)>, Vec<String>) {
    let mut variables = Vec::new();
    let mut errors = Vec::new();
    let mut lines = text.strip_prefix('\u{feff}').unwrap_or(text).lines().zip(1usize..);
    while let Some((line, number)) = lines.next() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let line = match line.strip_prefix("export") {
            Some(rest) if rest.starts_with(char::is_whitespace) => rest.trim_start(),
            _ => line,
        };
        let Some((name, value)) = line.split_once('=').map(|(name, value)| (name.trim_end(), value)) else {
            errors.push(format!(".env:{number}: not of the form NAME=value"));
            continue;
        };
        if !is_name(name) {
            errors.push(format!(".env:{number}: what is before `=` is not a name of letters, digits and `_`"));
            continue;
        }
        let rest = || lines.next().map(|(line, _)| line.to_owned());
        match read_value(value, rest) {
            Ok(value) => variables.push((name.to_owned(), value)),
            Err(error) => errors.push(format!(".env:{number}: {name}: {error}")),
        }
    }
    (variables, errors)
}

fn is_name(text: &str) -> bool {
    text.starts_with(|char: char| char.is_ascii_alphabetic() || char == '_')
        && text.chars().all(|char| char.is_ascii_alphanumeric() || matches!(char, '_' | '.' | '-'))
}

/// The value after `=`. `next` gives the lines that a quoted value may go on in.
fn read_value(text: &str, mut next: impl FnMut() -> Option<String>) -> Result<String, &'static str> {
    let Some(quote) = text.trim_start().chars().next().filter(|char| matches!(char, '\'' | '"')) else {
        // A comment needs white space before it: keys and addresses may hold a `#`.
        let comment = text.char_indices().find(|&(at, char)| char == '#' && text[..at].ends_with([' ', '\t']));
        return Ok(text[..comment.map_or(text.len(), |(at, _)| at)].trim().to_owned());
    };
    let mut line = text.trim_start()[1..].to_owned();
    let mut value = String::new();
    loop {
        let mut chars = line.char_indices();
        while let Some((at, char)) = chars.next() {
            match char {
                '\\' if quote == '"' => match chars.next().map(|(_, char)| char) {
                    Some('n') => value.push('\n'),
                    Some('r') => value.push('\r'),
                    Some('t') => value.push('\t'),
                    Some(escaped @ ('"' | '\\' | '$')) => value.push(escaped),
                    Some(other) => value.extend(['\\', other]),
                    None => value.push('\\'),
                },
                _ if char == quote => {
                    let after = line[at + 1..].trim_start();
                    let ends = after.is_empty() || after.starts_with('#');
                    return if ends { Ok(value) } else { Err("there is text after the closing quote") };
                }
                _ => value.push(char),
            }
        }
        line = next().ok_or("the quote is not closed")?;
        value.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_they_are_written() {
        for (line, value) in [
            ("A=b", "b"),
            ("\u{feff}A=b", "b"),
            (" export A = b # why", "b"),
            ("A=a, b", "a, b"),
            ("A=$HOME/${X}", "$HOME/${X}"),
            ("A=\"$HOME\"", "$HOME"),
            ("A=pa#ss=w\\d", "pa#ss=w\\d"),
            ("A='two  words' # why", "two  words"),
            ("A='it\\n'", "it\\n"),
            (r#"A="a\"b\\c\n\$d\e""#, "a\"b\\c\n$d\\e"),
            ("A='first\nsecond'\n", "first\nsecond"),
            ("A=it's", "it's"),
            ("A= # nothing", ""),
            ("A=\r\n", ""),
        ] {
            assert_eq!(read(line), (vec![("A".to_owned(), value.to_owned())], vec![]), "{line:?}");
        }
    }

    #[test]
    fn mistakes_name_the_variable_and_the_line_and_quote_nothing() {
        let text = "A=1\nsk-hunter2\n\nKEY='hunter2' more\nhunter 2=x\nB=2\nC=\"hunter2\n";
        let (variables, errors) = read(text);
        assert_eq!(variables.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["A", "B"]);
        let starts = [".env:2: not", ".env:4: KEY: ", ".env:5: what", ".env:7: C: the quote"];
        assert_eq!(errors.len(), starts.len(), "{errors:?}");
        for (error, start) in errors.iter().zip(starts) {
            assert!(error.starts_with(start) && !error.contains("hunter"), "{error}");
        }
    }
}
