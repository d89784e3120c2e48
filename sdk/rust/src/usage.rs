//! What an answer used, in disjoint classes.

use serde_json::Value;

/// A class of counted things. Token classes are disjoint: `Input` excludes cached, written and audio, `Output` excludes reasoning and audio.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Prompt tokens that are none of the other classes.
    Input,
    /// Prompt tokens read from the vendor's cache.
    CachedRead,
    /// Prompt tokens written to a cache for five minutes.
    CacheWrite5m,
    /// Prompt tokens written to a cache for an hour.
    CacheWrite1h,
    /// Completion tokens that are none of the other classes.
    Output,
    /// Reasoning tokens.
    Reasoning,
    /// Audio tokens in.
    AudioIn,
    /// Audio tokens out.
    AudioOut,
    /// Images made.
    Images,
    /// Seconds of audio.
    Seconds,
    /// Characters.
    Characters,
}

impl Class {
    /// As the contract spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Class::Input => "input",
            Class::CachedRead => "cached-read",
            Class::CacheWrite5m => "cache-write-5m",
            Class::CacheWrite1h => "cache-write-1h",
            Class::Output => "output",
            Class::Reasoning => "reasoning",
            Class::AudioIn => "audio-in",
            Class::AudioOut => "audio-out",
            Class::Images => "images",
            Class::Seconds => "seconds",
            Class::Characters => "characters",
        }
    }
}

/// Absolute counts so far; the last report of an exchange wins. Classes that are absent are 0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Counts by class, each class at most once.
    pub amounts: Vec<(Class, u32)>,
    /// Counted by the adapter, not reported by the vendor.
    pub estimated: bool,
}

impl Usage {
    /// Nothing used.
    pub fn new() -> Usage {
        Usage::default()
    }

    /// With this count of a class; 0 takes the class out.
    #[must_use]
    pub fn with(mut self, class: Class, count: u32) -> Usage {
        self.amounts.retain(|(known, _)| *known != class);
        if count > 0 {
            self.amounts.push((class, count));
        }
        self
    }

    /// With this many plain prompt tokens.
    #[must_use]
    pub fn input(self, count: u32) -> Usage {
        self.with(Class::Input, count)
    }

    /// With this many plain completion tokens.
    #[must_use]
    pub fn output(self, count: u32) -> Usage {
        self.with(Class::Output, count)
    }

    /// Marked as counted by the adapter.
    #[must_use]
    pub fn estimated(mut self) -> Usage {
        self.estimated = true;
        self
    }

    /// The count of a class.
    pub fn count(&self, class: Class) -> u32 {
        self.amounts.iter().find(|(known, _)| *known == class).map_or(0, |(_, count)| *count)
    }

    /// With this many prompt tokens, of which `parts` are of other classes. Parts larger than the total are kept and leave 0 plain ones.
    #[must_use]
    pub fn prompt(self, total: u32, parts: &[(Class, u32)]) -> Usage {
        self.split(Class::Input, total, parts)
    }

    /// With this many completion tokens, of which `parts` are of other classes.
    #[must_use]
    pub fn completion(self, total: u32, parts: &[(Class, u32)]) -> Usage {
        self.split(Class::Output, total, parts)
    }

    fn split(self, rest: Class, total: u32, parts: &[(Class, u32)]) -> Usage {
        let left = parts.iter().fold(total, |left, (_, count)| left.saturating_sub(*count));
        parts.iter().fold(self.with(rest, left), |usage, (class, count)| usage.with(*class, *count))
    }

    /// Everything of both, for adapters that ask a vendor more than once.
    #[must_use]
    pub fn plus(self, other: &Usage) -> Usage {
        let estimated = self.estimated || other.estimated;
        let sum = other.amounts.iter().fold(self, |sum, (class, count)| {
            let count = sum.count(*class).saturating_add(*count);
            sum.with(*class, count)
        });
        Usage { estimated, ..sum }
    }

    /// Maps OpenAI's `usage` object, in which the details are part of the totals, to the disjoint classes.
    ///
    /// Details larger than their total are kept and leave 0 for the plain class. A server that counts reasoning beside `completion_tokens`
    /// is known by its `total_tokens`.
    pub fn from_openai(usage: &Value) -> Usage {
        let number = |pointer: &str| usage.pointer(pointer).map_or(0, tokens);
        let (prompt, completion) = (number("/prompt_tokens"), number("/completion_tokens"));
        let reasoning = number("/completion_tokens_details/reasoning_tokens");
        let all = u64::from(prompt) + u64::from(completion) + u64::from(reasoning);
        let beside = reasoning > 0 && u64::from(number("/total_tokens")) == all;
        let said = if beside { completion.saturating_add(reasoning) } else { completion };
        Usage::new()
            .prompt(
                prompt,
                &[
                    (Class::CachedRead, number("/prompt_tokens_details/cached_tokens")),
                    (Class::CacheWrite5m, number("/prompt_tokens_details/cache_write_tokens")),
                    (Class::AudioIn, number("/prompt_tokens_details/audio_tokens")),
                ],
            )
            .completion(
                said,
                &[(Class::Reasoning, reasoning), (Class::AudioOut, number("/completion_tokens_details/audio_tokens"))],
            )
    }
}

/// A count as servers write it: an integer, or a float that means one. What is no count is 0.
fn tokens(value: &Value) -> u32 {
    match value.as_u64() {
        Some(count) => u32::try_from(count).unwrap_or(u32::MAX),
        None => value.as_f64().map_or(0, |count| count as u32), // `as` saturates, and NaN is 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(usage: Value, expect: &[(Class, u32)]) {
        assert_eq!(Usage::from_openai(&usage), Usage { amounts: expect.to_vec(), estimated: false }, "{usage}");
    }

    #[test]
    fn details_leave_their_totals() {
        let prompt = json!({"cached_tokens": 4, "cache_write_tokens": 3, "audio_tokens": 2});
        let completion = json!({"reasoning_tokens": 5, "audio_tokens": 1});
        check(
            json!({"prompt_tokens": 10, "completion_tokens": 8, "total_tokens": 18,
                "prompt_tokens_details": prompt, "completion_tokens_details": completion}),
            &[
                (Class::Input, 1),
                (Class::CachedRead, 4),
                (Class::CacheWrite5m, 3),
                (Class::AudioIn, 2),
                (Class::Output, 2),
                (Class::Reasoning, 5),
                (Class::AudioOut, 1),
            ],
        );
    }

    #[test]
    fn reasoning_beside_the_completion_is_not_taken_off_it() {
        let details = json!({"reasoning_tokens": 100});
        let usage = json!({"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 115, "completion_tokens_details": details});
        check(usage, &[(Class::Input, 10), (Class::Output, 5), (Class::Reasoning, 100)]);
    }

    #[test]
    fn strange_counts_never_underflow() {
        let details = json!({"cached_tokens": 9, "audio_tokens": null});
        check(
            json!({"prompt_tokens": 3, "prompt_tokens_details": details, "completion_tokens": 2.0, "completion_tokens_details": null}),
            &[(Class::CachedRead, 9), (Class::Output, 2)],
        );
        check(json!({"prompt_tokens": -3, "completion_tokens": "7"}), &[]);
        check(json!({"prompt_tokens": 99_999_999_999_u64}), &[(Class::Input, u32::MAX)]);
        check(Value::Null, &[]);
    }

    #[test]
    fn parts_leave_their_totals_and_sums_add_up() {
        let usage = Usage::new().prompt(10, &[(Class::CachedRead, 4)]).completion(3, &[(Class::Reasoning, 9)]);
        let counts =
            |usage: &Usage| [Class::Input, Class::CachedRead, Class::Output, Class::Reasoning].map(|c| usage.count(c));
        assert_eq!(counts(&usage), [6, 4, 0, 9]);
        let sum = usage.clone().plus(&Usage::new().input(u32::MAX).output(1).estimated());
        assert_eq!(counts(&sum), [u32::MAX, 4, 1, 9]);
        assert!(sum.estimated && !usage.estimated);
    }
}
