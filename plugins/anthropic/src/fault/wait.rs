//! When to come back: `retry-after`, else the reset of the limit that is spent.

use witgate_sdk::{Head, Moment};

/// The limits of which headers tell, each with what is left of it and when it is full again.
const LIMITS: &[&str] = &["requests", "tokens", "input-tokens", "output-tokens"];

/// In milliseconds. `now` is in Unix seconds.
pub(super) fn wanted(head: &Head, now: u32) -> Option<u32> {
    head.retry_after_ms().or_else(|| LIMITS.iter().filter_map(|limit| reset(head, limit, now)).max())
}

/// Until this limit is full again, if it is spent.
fn reset(head: &Head, limit: &str, now: u32) -> Option<u32> {
    let header = |what: &str| head.header(&format!("anthropic-ratelimit-{limit}-{what}"));
    if header("remaining")?.trim() != "0" {
        return None;
    }
    let at = Moment::parse(header("reset")?.trim())?.seconds();
    at.checked_sub(now)?.checked_mul(1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(headers: &[(&str, &str)], expected: Option<u32>) {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        assert_eq!(wanted(&Head { headers, ..Head::default() }, 1_700_000_000), expected);
    }

    #[test]
    fn the_latest_reset_of_a_spent_limit_counts() {
        let (requests, tokens) = ("anthropic-ratelimit-requests-reset", "anthropic-ratelimit-input-tokens-reset");
        let resets = [(requests, "2023-11-14T22:13:25Z"), (tokens, "2023-11-14T22:14:20Z")];
        let spent = |name| (name, "0");
        let [first, second] = resets;
        let left = ("anthropic-ratelimit-input-tokens-remaining", "5");
        check(&[first, second, spent("anthropic-ratelimit-requests-remaining"), left], Some(5_000));
        let both =
            [spent("anthropic-ratelimit-requests-remaining"), spent("anthropic-ratelimit-input-tokens-remaining")];
        check(&[first, second, both[0], both[1]], Some(60_000));
        check(&[first, both[0], ("retry-after", "2")], Some(2_000));
        // In the past, and no time at all.
        check(&[(requests, "2023-11-14T22:13:19Z"), both[0]], None);
        check(&[(requests, "soon"), both[0]], None);
        check(&[], None);
    }
}
