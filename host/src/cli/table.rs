//! What commands print: aligned columns or JSON to standard output, remarks to standard error.

use std::io::{self, Write as _};

use serde_json::Value;

/// Prints rows below their headings, each column as wide as its widest cell. Without rows, what `none` says goes to standard error.
pub(super) fn print(headings: &[&str], rows: &[Vec<String>], none: &str) -> io::Result<()> {
    if rows.is_empty() {
        return remark(none);
    }
    io::stdout().lock().write_all(align(headings, rows).as_bytes())
}

/// Prints a JSON value.
pub(super) fn print_json(value: &Value) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{value:#}")
}

/// Prints a line.
pub(super) fn say(line: &str) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{}", harmless(line))
}

/// A text of several lines that does nothing to the terminal.
pub(super) fn harmless(text: &str) -> String {
    text.split('\n').map(shown).collect::<Vec<_>>().join("\n")
}

/// Tells a person something that is no result.
pub(super) fn remark(line: &str) -> io::Result<()> {
    writeln!(io::stderr().lock(), "{}", harmless(line))
}

/// The first few; a family of vendors in one component would fill the screen. `--json` has them all.
pub(super) fn shorten(names: &[String]) -> String {
    const SHOWN: usize = 5;
    match names.len().saturating_sub(SHOWN) {
        0 => names.join(","),
        more => format!("{} and {more} more", names[..SHOWN].join(",")),
    }
}

/// Unix milliseconds as `2026-11-25 10:30` in UTC.
pub(super) fn time(unix_ms: i64) -> String {
    let (days, minutes) = (unix_ms.div_euclid(86_400_000), unix_ms.rem_euclid(86_400_000) / 60_000);
    // Days since 0000-03-01, in 400-year eras: leap days are then the last days of years.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02}", minutes / 60, minutes % 60)
}

/// A text may be the name of somebody else's file, or what an adapter said: what would do something to the terminal is spelled out.
fn shown(cell: &str) -> String {
    cell.chars()
        .map(|letter| {
            let acts = letter.is_control() || plugin_runtime::turns_direction(letter);
            if acts { letter.escape_unicode().to_string() } else { letter.to_string() }
        })
        .collect()
}

fn align(headings: &[&str], rows: &[Vec<String>]) -> String {
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(|cell| shown(cell)).collect()).collect();
    let mut widths: Vec<usize> = headings.iter().map(|heading| heading.chars().count()).collect();
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    let headings: Vec<String> = headings.iter().map(|&heading| heading.to_owned()).collect();
    for row in std::iter::once(&headings).chain(&rows) {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}")).collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned() {
        let rows = [vec!["1".to_owned(), "main".to_owned()], vec!["12".to_owned(), "ü".to_owned()]];
        assert_eq!(align(&["ID", "NAME"], &rows), "ID  NAME\n1   main\n12  ü\n");
        assert_eq!(align(&["FILE"], &[vec!["\u{1b}[2J\n.wasm".to_owned()]]), "FILE\n\\u{1b}[2J\\u{a}.wasm\n");
        assert_eq!(harmless("a\n\u{202e}b\u{9b}"), "a\n\\u{202e}b\\u{9b}");
    }

    #[test]
    fn times_are_in_utc() {
        assert_eq!(time(0), "1970-01-01 00:00");
        assert_eq!(time(1_709_208_000_000), "2024-02-29 12:00");
        assert_eq!(time(1_767_225_599_000), "2025-12-31 23:59");
    }
}
