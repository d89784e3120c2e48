//! The table of a benchmark, in Markdown: what each side took, what the gateway adds, the aim, and whether it is met.

use std::time::Duration;

/// One figure.
pub(super) struct Row {
    figure: String,
    direct: String,
    nginx: String,
    gateway: String,
    /// What the gateway adds, or how it compares.
    compared: String,
    /// The aim and whether it is met.
    aim: Option<(String, bool)>,
}

impl Row {
    /// Times in microseconds for direct, nginx and the gateway; the aim is for what the gateway adds to direct.
    pub(super) fn added(figure: &str, [direct, nginx, gateway]: [f64; 3], aim: Option<f64>) -> Self {
        let (ours, theirs) = (gateway - direct, nginx - direct);
        Self {
            figure: figure.to_owned(),
            direct: milliseconds(direct),
            nginx: milliseconds(nginx),
            gateway: milliseconds(gateway),
            compared: format!("{:+.2} ms (nginx {:+.2} ms)", ours / 1000.0, theirs / 1000.0),
            aim: aim.map(|aim| (format!("+{} or less", milliseconds(aim)), ours <= aim)),
        }
    }

    /// Rates; the aim is a share of nginx's.
    pub(super) fn rate(figure: &str, [direct, nginx, gateway]: [f64; 3], aim: f64) -> Self {
        let share = gateway / nginx;
        Self {
            figure: figure.to_owned(),
            direct: format!("{direct:.0}"),
            nginx: format!("{nginx:.0}"),
            gateway: format!("{gateway:.0}"),
            compared: format!("{share:.2} of nginx"),
            aim: Some((format!(">= {aim}"), share >= aim)),
        }
    }

    /// A figure of the gateway alone.
    pub(super) fn single(figure: &str, value: String, aim: Option<(String, bool)>) -> Self {
        let none = String::new;
        Self { figure: figure.to_owned(), direct: none(), nginx: none(), gateway: value, compared: none(), aim }
    }

    fn cells(&self) -> [String; 7] {
        let (aim, verdict) = match &self.aim {
            Some((aim, met)) => (aim.clone(), if *met { "met" } else { "MISSED" }),
            None => (String::new(), ""),
        };
        let cell = String::clone;
        [
            cell(&self.figure),
            cell(&self.direct),
            cell(&self.nginx),
            cell(&self.gateway),
            cell(&self.compared),
            aim,
            verdict.to_owned(),
        ]
    }
}

/// Prints the table.
pub(super) fn print(rows: &[Row]) {
    let head = ["figure", "direct", "nginx", "gateway", "compared", "aim", "verdict"].map(str::to_owned);
    println!("\nMiddle of the rounds; one machine, {} cores, all sides in one run.\n", cores());
    println!("| {} |", head.join(" | "));
    println!("|{}", " --- |".repeat(head.len()));
    for row in rows {
        println!("| {} |", row.cells().join(" | "));
    }
    println!();
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The value that `share` percent of the values do not exceed. The values are in rising order.
pub(super) fn percentile(values: &[f64], share: f64) -> f64 {
    let rank = (values.len() as f64 * share / 100.0).ceil() as usize;
    values.get(rank.saturating_sub(1)).copied().unwrap_or(f64::NAN)
}

/// The middle value.
pub(super) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    percentile(&values, 50.0)
}

pub(super) fn microseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

fn milliseconds(microseconds: f64) -> String {
    format!("{:.2} ms", microseconds / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_occurred() {
        let values = [1.0, 2.0, 3.0, 4.0];
        assert_eq!([1.0, 50.0, 75.0, 99.0, 100.0].map(|share| percentile(&values, share)), [1.0, 2.0, 3.0, 4.0, 4.0]);
        assert_eq!(median([9.0, 1.0, 5.0].into_iter()), 5.0);
    }

    #[test]
    fn a_missed_aim_says_so() {
        let row = Row::added("x", [100.0, 200.0, 400.0], Some(200.0));
        assert_eq!(row.cells()[4..], ["+0.30 ms (nginx +0.10 ms)", "+0.20 ms or less", "MISSED"]);
        assert_eq!(Row::rate("x", [9.0, 4.0, 2.0], 0.35).cells()[6], "met");
    }
}
