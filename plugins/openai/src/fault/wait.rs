//! How long a vendor wants to be left alone, from whichever header or sentence it says so in.

use witgate_sdk::Head;

/// A day: what is longer is a mistake, or a date in another unit.
const LONGEST_MS: f64 = 86_400_000.0;

/// In milliseconds. `now` is in Unix seconds.
pub(super) fn wanted(head: &Head, message: &str, now: u32) -> Option<u32> {
    head.retry_after_ms().or_else(|| reset(head, now)).or_else(|| sentence(message))
}

/// The `x-ratelimit-reset` headers: as a span (`6m0s`), as seconds, or as a point in time in seconds or milliseconds.
fn reset(head: &Head, now: u32) -> Option<u32> {
    // Of the two counters the empty one matters; both are sent with every answer.
    let spent =
        |what: &str| head.header(&format!("x-ratelimit-remaining-{what}")).is_some_and(|left| left.trim() == "0");
    let kind = ["requests", "tokens"].into_iter().find(|what| spent(what));
    let value = kind
        .and_then(|what| head.header(&format!("x-ratelimit-reset-{what}")))
        .or_else(|| head.header("x-ratelimit-reset"))?;
    let value = value.trim();
    let ms = match value.parse::<f64>() {
        Ok(at) if at > 1e12 => at - f64::from(now) * 1000.0,
        Ok(at) if at > 1e9 => (at - f64::from(now)) * 1000.0,
        Ok(seconds) => seconds * 1000.0,
        Err(_) => span(value)?,
    };
    bounded(ms)
}

/// `1h2m3.5s`, `20ms`.
fn span(text: &str) -> Option<f64> {
    let (mut total, mut rest) = (0.0, text);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        let unit = &rest[digits..];
        let letters = unit.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(unit.len());
        total += number
            * match &unit[..letters] {
                "ms" => 1.0,
                "s" => 1000.0,
                "m" => 60_000.0,
                "h" => 3_600_000.0,
                "d" => 86_400_000.0,
                _ => return None,
            };
        rest = &unit[letters..];
    }
    Some(total)
}

/// "Please try again in 7.66s."
pub(super) fn sentence(message: &str) -> Option<u32> {
    let (_, after) = message.split_once("try again in ")?;
    let word = after.split_whitespace().next()?.trim_end_matches(['.', ',']);
    bounded(span(word)?)
}

fn bounded(ms: f64) -> Option<u32> {
    (0.0..=LONGEST_MS).contains(&ms).then_some(ms as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(headers: &[(&str, &str)], message: &str, expected: Option<u32>) {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let head = Head { id: 1, status: 429, headers, ..Head::default() };
        assert_eq!(wanted(&head, message, 1_800_000_000), expected);
    }

    #[test]
    fn every_way_to_say_it() {
        check(&[("retry-after", "2")], "", Some(2000));
        check(&[("retry-after-ms", "350"), ("retry-after", "1")], "", Some(350));
        let both = [
            ("x-ratelimit-reset-requests", "1s"),
            ("x-ratelimit-reset-tokens", "6m0s"),
            ("x-ratelimit-remaining-tokens", "0"),
        ];
        check(&both, "", Some(360_000));
        check(&[("x-ratelimit-reset-requests", "20ms"), ("x-ratelimit-remaining-requests", "0")], "", Some(20));
        check(&[("x-ratelimit-reset", "1800000007000")], "", Some(7000));
        check(&[("x-ratelimit-reset", "1800000003")], "", Some(3000));
        check(&[], "Please try again in 7.66s. Visit us.", Some(7660));
        check(&[("x-ratelimit-reset", "1700000000000")], "", None);
        check(&[("retry-after", "soon")], "try again in a while", None);
        check(&[], "", None);
    }
}
