//! JSON as text: white space taken out or put in without touching the order of fields or the spelling of numbers.

/// A piece of a JSON text: one character, or a whole string with its quotes.
fn pieces(json: &str) -> impl Iterator<Item = &str> {
    let mut rest = json;
    std::iter::from_fn(move || {
        rest = rest.trim_start();
        let first = rest.chars().next()?;
        let length = if first == '"' { string_length(rest) } else { first.len_utf8() };
        let (piece, tail) = rest.split_at(length);
        rest = tail;
        Some(piece)
    })
}

fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            '"' if !escaped => return at + 1,
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    text.len()
}

/// Without white space between tokens.
pub(crate) fn squeezed(json: &str) -> String {
    pieces(json).collect()
}

/// With a line for every field and item, two spaces deep.
pub(crate) fn pretty(json: &str) -> String {
    let mut out = String::new();
    let mut depth = 0_usize;
    let mut fresh = false; // just after an opening bracket
    for piece in pieces(json) {
        let line = |depth: usize| format!("\n{}", "  ".repeat(depth));
        match piece {
            "}" | "]" => {
                depth = depth.saturating_sub(1);
                if !fresh {
                    out.push_str(&line(depth));
                }
                out.push_str(piece);
                fresh = false;
                continue;
            }
            _ if fresh => out.push_str(&line(depth)),
            _ => {}
        }
        fresh = matches!(piece, "{" | "[");
        out.push_str(piece);
        match piece {
            "{" | "[" => depth += 1,
            "," => out.push_str(&line(depth)),
            ":" => out.push(' '),
            _ => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_white_space_changes() {
        let text = r#"{"a":[1.50,{"b, \"}":{}}],"c":[ ],"é":"\\"}"#;
        let shown =
            "{\n  \"a\": [\n    1.50,\n    {\n      \"b, \\\"}\": {}\n    }\n  ],\n  \"c\": [],\n  \"é\": \"\\\\\"\n}";
        assert_eq!(pretty(text), shown);
        assert_eq!(squeezed(shown), text.replace("[ ]", "[]"));
    }
}
