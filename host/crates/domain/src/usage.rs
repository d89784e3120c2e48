//! What an exchange used, in disjoint classes.

use std::collections::BTreeMap;

/// A class of counted things. Token classes are disjoint: `input` excludes cached and written, `output` excludes reasoning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TokenClass {
    /// Prompt tokens that were neither read from nor written to a cache.
    Input,
    /// Prompt tokens read from the vendor's cache.
    CachedRead,
    /// Prompt tokens written to a cache for five minutes.
    CacheWrite5m,
    /// Prompt tokens written to a cache for an hour.
    CacheWrite1h,
    /// Completion tokens that are not reasoning.
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

impl TokenClass {
    /// Every class with its text form, as the contract spells it.
    pub const ALL: &'static [(TokenClass, &'static str)] = &[
        (TokenClass::Input, "input"),
        (TokenClass::CachedRead, "cached-read"),
        (TokenClass::CacheWrite5m, "cache-write-5m"),
        (TokenClass::CacheWrite1h, "cache-write-1h"),
        (TokenClass::Output, "output"),
        (TokenClass::Reasoning, "reasoning"),
        (TokenClass::AudioIn, "audio-in"),
        (TokenClass::AudioOut, "audio-out"),
        (TokenClass::Images, "images"),
        (TokenClass::Seconds, "seconds"),
        (TokenClass::Characters, "characters"),
    ];

    /// The class of this name.
    pub fn parse(text: &str) -> Option<TokenClass> {
        Self::ALL.iter().find(|(_, name)| *name == text).map(|(class, _)| *class)
    }

    /// The text form.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(class, _)| *class == self).map_or("", |(_, name)| name)
    }
}

/// Absolute counts by class. The last report of an adapter wins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Counts; a class that is absent is 0.
    pub counts: BTreeMap<TokenClass, u32>,
    /// Counted by us, not reported by the vendor.
    pub estimated: bool,
}

impl Usage {
    /// The count of one class.
    pub fn count(&self, class: TokenClass) -> u64 {
        u64::from(self.counts.get(&class).copied().unwrap_or(0))
    }

    /// All prompt tokens, as OpenAI's `prompt_tokens` counts them: cached, written and audio included.
    pub fn prompt_tokens(&self) -> u64 {
        use TokenClass::*;
        [Input, CachedRead, CacheWrite5m, CacheWrite1h, AudioIn].into_iter().map(|class| self.count(class)).sum()
    }

    /// All completion tokens, as OpenAI's `completion_tokens` counts them: reasoning and audio included.
    pub fn completion_tokens(&self) -> u64 {
        use TokenClass::*;
        [Output, Reasoning, AudioOut].into_iter().map(|class| self.count(class)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_include_the_disjoint_classes() {
        let counts = [
            (TokenClass::Input, 10),
            (TokenClass::CachedRead, 5),
            (TokenClass::CacheWrite1h, 2),
            (TokenClass::Output, 7),
            (TokenClass::Reasoning, 4),
        ];
        let usage = Usage { counts: counts.into(), estimated: false };
        assert_eq!((usage.prompt_tokens(), usage.completion_tokens()), (17, 11));
    }
}
