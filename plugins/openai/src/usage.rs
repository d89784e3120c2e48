//! The vendor's token counts in the contract's disjoint classes, whatever place and name a vendor gives them.

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use witgate_sdk::{Class, Usage};

/// Every name under which vendors of the family report a count. Unknown members are the client's to read, not ours.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Reported {
    #[serde(deserialize_with = "count", alias = "input_tokens")]
    prompt_tokens: Option<u32>,
    #[serde(deserialize_with = "count", alias = "output_tokens")]
    completion_tokens: Option<u32>,
    #[serde(deserialize_with = "count")]
    total_tokens: Option<u32>,
    #[serde(deserialize_with = "count")]
    cached_tokens: Option<u32>,
    #[serde(deserialize_with = "count")]
    prompt_cache_hit_tokens: Option<u32>,
    #[serde(deserialize_with = "count")]
    reasoning_tokens: Option<u32>,
    #[serde(alias = "input_tokens_details")]
    prompt_tokens_details: Option<PromptDetails>,
    #[serde(alias = "output_tokens_details")]
    completion_tokens_details: Option<CompletionDetails>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PromptDetails {
    #[serde(deserialize_with = "count")]
    cached_tokens: Option<u32>,
    #[serde(deserialize_with = "count")]
    cache_write_tokens: Option<u32>,
    #[serde(deserialize_with = "count")]
    audio_tokens: Option<u32>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct CompletionDetails {
    #[serde(deserialize_with = "count")]
    reasoning_tokens: Option<u32>,
    #[serde(deserialize_with = "count")]
    audio_tokens: Option<u32>,
}

/// Counts come as integers, as floats and as null.
fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    let number: Option<f64> = Option::deserialize(deserializer)?;
    // A saturating cast: negative counts and NaN become 0.
    Ok(number.map(|number| number as u32))
}

/// Disjoint counts; `None` when the vendor reported nothing, or only zeros, which is what servers send that do not count.
pub(crate) fn read(raw: &RawValue) -> Option<Usage> {
    let reported: Reported = serde_json::from_str(raw.get()).ok()?;
    let prompt_details = reported.prompt_tokens_details.unwrap_or_default();
    let completion_details = reported.completion_tokens_details.unwrap_or_default();
    let prompt = reported.prompt_tokens.unwrap_or(0);
    let completion = match (reported.completion_tokens, reported.total_tokens) {
        (Some(completion), _) => completion,
        (None, Some(total)) => total.saturating_sub(prompt),
        (None, None) => 0,
    };
    if prompt == 0 && completion == 0 {
        return None;
    }
    let cached = prompt_details.cached_tokens.or(reported.prompt_cache_hit_tokens).or(reported.cached_tokens);
    let (cached, rest) = take(prompt, cached);
    let (written, rest) = take(rest, prompt_details.cache_write_tokens);
    let (audio_in, input) = take(rest, prompt_details.audio_tokens);
    let thought = completion_details.reasoning_tokens.or(reported.reasoning_tokens).unwrap_or(0);
    // A vendor that counts reasoning apart shows it by its total.
    let apart =
        thought > 0 && reported.total_tokens == prompt.checked_add(completion).and_then(|sum| sum.checked_add(thought));
    let (reasoning, rest) = if apart { (thought, completion) } else { take(completion, Some(thought)) };
    let (audio_out, output) = take(rest, completion_details.audio_tokens);
    let classes = [
        (Class::Input, input),
        (Class::CachedRead, cached),
        (Class::CacheWrite5m, written),
        (Class::AudioIn, audio_in),
        (Class::Output, output),
        (Class::Reasoning, reasoning),
        (Class::AudioOut, audio_out),
    ];
    let amounts = classes.into_iter().filter(|(_, count)| *count > 0).collect();
    Some(Usage { amounts, estimated: false })
}

/// Splits a part off a whole; a part that is larger than its whole is cut.
fn take(whole: u32, part: Option<u32>) -> (u32, u32) {
    let part = part.unwrap_or(0).min(whole);
    (part, whole - part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str, expected: &[(&str, u32)]) {
        let raw: &RawValue = serde_json::from_str(json).unwrap();
        let usage = read(raw).unwrap_or_default();
        let amounts: Vec<_> = usage.amounts.iter().map(|(class, count)| (class.as_str(), *count)).collect();
        assert_eq!(amounts, expected, "{json}");
    }

    #[test]
    fn classes_are_disjoint_in_every_shape() {
        check(r#"{"prompt_tokens":9,"completion_tokens":2,"total_tokens":11}"#, &[("input", 9), ("output", 2)]);
        check(
            r#"{"prompt_tokens":1310,"completion_tokens":85,"total_tokens":1395,"prompt_tokens_details":{"cached_tokens":1024,"cache_write_tokens":100,"audio_tokens":6},"completion_tokens_details":{"reasoning_tokens":64,"audio_tokens":1}}"#,
            &[
                ("input", 180),
                ("cached-read", 1024),
                ("cache-write-5m", 100),
                ("audio-in", 6),
                ("output", 20),
                ("reasoning", 64),
                ("audio-out", 1),
            ],
        );
        // Cache hits at top level, with and without the details that say the same.
        check(
            r#"{"prompt_tokens":17,"completion_tokens":9,"prompt_cache_hit_tokens":7,"prompt_cache_miss_tokens":10}"#,
            &[("input", 10), ("cached-read", 7), ("output", 9)],
        );
        check(
            r#"{"prompt_tokens":19,"completion_tokens":21,"cached_tokens":10}"#,
            &[("input", 9), ("cached-read", 10), ("output", 21)],
        );
        // Reasoning counted apart: 32 + 9 + 94 = 135.
        check(
            r#"{"prompt_tokens":32,"completion_tokens":9,"total_tokens":135,"completion_tokens_details":{"reasoning_tokens":94}}"#,
            &[("input", 32), ("output", 9), ("reasoning", 94)],
        );
        check(r#"{"input_tokens":3.0,"output_tokens":4,"total_tokens":7}"#, &[("input", 3), ("output", 4)]);
        check(r#"{"prompt_tokens":3,"total_tokens":7}"#, &[("input", 3), ("output", 4)]);
    }

    #[test]
    fn nonsense_counts_nothing() {
        for json in
            ["null", "{}", "[]", r#""x""#, r#"{"prompt_tokens":0,"completion_tokens":0}"#, r#"{"prompt_tokens":-5}"#]
        {
            check(json, &[]);
        }
        check(r#"{"prompt_tokens":5,"completion_tokens":1,"cached_tokens":900}"#, &[("cached-read", 5), ("output", 1)]);
    }
}
