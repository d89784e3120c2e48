//! The names that operators give: which ones can be stored, and what to say when nothing has the one they typed.

use crate::StoreError;

const LONGEST: usize = 100;
const SHOWN: usize = 8;

/// Says whether a name can be stored and told apart in listings.
pub(crate) fn check_name(what: &str, name: &str) -> Result<(), StoreError> {
    let reason = if name.trim().is_empty() {
        "is empty"
    } else if name != name.trim() || name.chars().any(char::is_control) {
        "has white space around it or control characters in it"
    } else if name.chars().count() > LONGEST {
        "is longer than 100 characters"
    } else {
        return Ok(());
    };
    Err(StoreError::Invalid(format!("the {what} name {reason}")))
}

/// The sentence for a name that nothing has.
pub(crate) fn not_found<'a>(what: &str, wanted: &str, names: impl Iterator<Item = &'a String>) -> String {
    let names: Vec<&str> = names.map(String::as_str).collect();
    let more = names.len().saturating_sub(SHOWN);
    let shown = names.into_iter().take(SHOWN).collect::<Vec<_>>().join("`, `");
    match (shown.is_empty(), more) {
        (true, _) => format!("there is no {what} `{wanted}`: there are none yet"),
        (false, 0) => format!("there is no {what} `{wanted}`; there are: `{shown}`"),
        (false, more) => format!("there is no {what} `{wanted}`; there are: `{shown}` and {more} more"),
    }
}
