//! The vendor's counts in the contract's disjoint classes. Its input leaves out what was cached; its output includes what was thought.

use serde_json::value::RawValue;
use witgate_sdk::{Class, Usage};

use crate::wire::answer::{Counts, Iteration};

impl Counts {
    /// Reads a report. One that makes no sense is none: it must not cost the answer.
    pub(crate) fn read(raw: &RawValue) -> Option<Counts> {
        serde_json::from_str(raw.get()).ok()
    }

    /// A later report over an earlier one: each count replaces its like, none is added, and what is not told again stays.
    pub(crate) fn update(&mut self, later: Counts) {
        let old = std::mem::take(self);
        *self = Counts {
            input_tokens: later.input_tokens.or(old.input_tokens),
            cache_creation_input_tokens: later.cache_creation_input_tokens.or(old.cache_creation_input_tokens),
            cache_read_input_tokens: later.cache_read_input_tokens.or(old.cache_read_input_tokens),
            cache_creation: later.cache_creation.or(old.cache_creation),
            output_tokens: later.output_tokens.or(old.output_tokens),
            output_tokens_details: later.output_tokens_details.or(old.output_tokens_details),
            iterations: later.iterations.or(old.iterations),
        };
    }

    /// Disjoint counts.
    pub(crate) fn usage(&self) -> Usage {
        let runs = self.runs();
        let total = |own: Option<u32>, of: fn(&Iteration) -> Option<u32>| -> u32 {
            let counted = runs.iter().any(|run| of(run).is_some());
            let sum = runs.iter().filter_map(|run| of(run)).fold(0_u32, u32::saturating_add);
            if counted { sum } else { own.unwrap_or(0) }
        };
        let written = total(self.cache_creation_input_tokens, |run| run.cache_creation_input_tokens);
        let kept =
            self.cache_creation.as_ref().and_then(|kept| kept.ephemeral_1h_input_tokens).unwrap_or(0).min(written);
        let output = total(self.output_tokens, |run| run.output_tokens);
        let thought = self.output_tokens_details.as_ref().and_then(|details| details.thinking_tokens);
        let thought = thought.unwrap_or(0).min(output);
        Usage::new()
            .input(total(self.input_tokens, |run| run.input_tokens))
            .with(Class::CachedRead, total(self.cache_read_input_tokens, |run| run.cache_read_input_tokens))
            .with(Class::CacheWrite5m, written - kept)
            .with(Class::CacheWrite1h, kept)
            .output(output - thought)
            .with(Class::Reasoning, thought)
    }

    /// The runs of the model that was asked for; an advisor is another model. With them, the totals leave out compactions.
    fn runs(&self) -> Vec<&Iteration> {
        let own = |run: &&Iteration| matches!(run.r#type.as_str(), "message" | "compaction");
        self.iterations.iter().flatten().filter(own).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(reports: &[&str], expected: &[(&str, u32)]) {
        let mut counts = Counts::default();
        for report in reports {
            counts.update(Counts::read(serde_json::from_str(report).unwrap()).unwrap());
        }
        let usage = counts.usage();
        let amounts: Vec<_> = usage.amounts.iter().map(|(class, count)| (class.as_str(), *count)).collect();
        assert_eq!(amounts, expected, "{reports:?}");
    }

    #[test]
    fn classes_are_disjoint() {
        check(
            &[
                r#"{"input_tokens":12,"cache_creation_input_tokens":200,"cache_read_input_tokens":1000,"cache_creation":{"ephemeral_5m_input_tokens":150,"ephemeral_1h_input_tokens":50},"output_tokens":95,"output_tokens_details":{"thinking_tokens":40}}"#,
            ],
            &[
                ("input", 12),
                ("cached-read", 1000),
                ("cache-write-5m", 150),
                ("cache-write-1h", 50),
                ("output", 55),
                ("reasoning", 40),
            ],
        );
        check(&[r#"{"input_tokens":3,"cache_creation_input_tokens":7}"#], &[("input", 3), ("cache-write-5m", 7)]);
        check(&[r#"{"output_tokens":5,"output_tokens_details":{"thinking_tokens":9}}"#], &[("reasoning", 5)]);
        check(
            &[r#"{"input_tokens":3.0,"output_tokens":-1,"cache_read_input_tokens":1e300}"#],
            &[("input", 3), ("cached-read", u32::MAX)],
        );
        check(&["{}"], &[]);
        let odd: &RawValue = serde_json::from_str(r#"{"input_tokens":"3"}"#).unwrap();
        assert_eq!(Counts::read(odd), None);
    }

    #[test]
    fn later_reports_replace() {
        let start = r#"{"input_tokens":12,"cache_read_input_tokens":1000,"output_tokens":1}"#;
        let input = ("input", 12);
        check(&[start, r#"{"output_tokens":95}"#], &[input, ("cached-read", 1000), ("output", 95)]);
        // Repeated, not added.
        check(&[start, start], &[input, ("cached-read", 1000), ("output", 1)]);
        // Null is not a count.
        check(
            &[start, r#"{"input_tokens":null,"cache_read_input_tokens":9}"#],
            &[input, ("cached-read", 9), ("output", 1)],
        );
    }

    #[test]
    fn runs_are_summed_without_the_advisor() {
        check(
            &[
                r#"{"input_tokens":10,"output_tokens":5,"cache_read_input_tokens":7,"iterations":[{"type":"compaction","input_tokens":100,"output_tokens":20},{"type":"message","input_tokens":10,"output_tokens":5},{"type":"advisor_message","model":"m","input_tokens":900,"output_tokens":90}]}"#,
            ],
            &[("input", 110), ("cached-read", 7), ("output", 25)],
        );
    }
}
