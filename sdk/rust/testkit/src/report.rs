//! What came of running all cases.

use std::collections::BTreeMap;
use std::fmt;

/// The outcome of every case that was run, in order.
#[derive(Debug, Default)]
pub struct Report {
    /// Capability, name, and what is wrong.
    pub outcomes: Vec<(String, String, Result<(), String>)>,
}

impl Report {
    /// Whether every case passed.
    pub fn passed(&self) -> bool {
        self.outcomes.iter().all(|(.., outcome)| outcome.is_ok())
    }

    /// What failed: `chat/plain: ` and what is wrong, for people.
    pub fn failures(&self) -> Vec<String> {
        let failed = |(capability, name, outcome): &(String, String, Result<(), String>)| {
            outcome.as_ref().err().map(|what| format!("{capability}/{name}: {}", what.trim_end()))
        };
        self.outcomes.iter().filter_map(failed).collect()
    }
}

/// `48 cases, 48 passed (chat 44, embeddings 2, account 2)`.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.outcomes.len();
        let failed = self.failures().len();
        write!(f, "{all} {}, {} passed", if all == 1 { "case" } else { "cases" }, all - failed)?;
        if failed > 0 {
            write!(f, ", {failed} failed")?;
        }
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for (capability, ..) in &self.outcomes {
            *counts.entry(capability).or_default() += 1;
        }
        let mut counts: Vec<(&str, usize)> = counts.into_iter().collect();
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let counts: Vec<String> = counts.into_iter().map(|(name, count)| format!("{name} {count}")).collect();
        write!(f, " ({})", counts.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_of_it_is_one_line() {
        let outcome = |capability: &str, outcome| (capability.to_owned(), "x".to_owned(), outcome);
        let mut report = Report { outcomes: vec![outcome("account", Ok(()))] };
        assert_eq!(report.to_string(), "1 case, 1 passed (account 1)");
        report.outcomes.extend([outcome("chat", Ok(())), outcome("chat", Err("no\n".to_owned()))]);
        assert_eq!(report.to_string(), "3 cases, 2 passed, 1 failed (chat 2, account 1)");
        assert_eq!((report.passed(), report.failures()), (false, vec!["chat/x: no".to_owned()]));
    }
}
