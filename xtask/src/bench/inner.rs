//! The measuring half of `bench`: starts the three sides, runs the rounds, prints the table.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use super::load::{self, Load};
use super::report::{self, Row, median, microseconds};
use super::sides::Sides;
use super::streams::{self, Pace};
use super::swap;

/// How much is measured.
struct Plan {
    rounds: usize,
    /// Of each window of closed-loop load.
    window: Duration,
    /// Per side and round, one after the other.
    streams: usize,
    open_streams: usize,
    swaps: u32,
    swaps_only: bool,
    /// An adapter's name, microseconds a request and an event, measured before.
    boundary: Vec<(String, f64, f64)>,
}

impl Plan {
    fn of(arguments: &[String]) -> Result<Self> {
        let mut plan = Self {
            rounds: 7,
            window: Duration::from_secs(2),
            streams: 40,
            open_streams: 1000,
            swaps: 1000,
            swaps_only: false,
            boundary: Vec::new(),
        };
        let mut rest = arguments.iter();
        let number = |rest: &mut std::slice::Iter<'_, String>| rest.next().context("a number is missing").cloned();
        while let Some(argument) = rest.next() {
            match argument.as_str() {
                "--quick" => {
                    plan = Self { rounds: 2, window: Duration::from_millis(700), streams: 10, swaps: 20, ..plan };
                }
                "--swaps-only" => {
                    plan.swaps_only = true;
                    plan.swaps = number(&mut rest)?.parse()?;
                }
                "--boundary" => {
                    let name = number(&mut rest)?;
                    plan.boundary.push((name, number(&mut rest)?.parse()?, number(&mut rest)?.parse()?));
                }
                other => bail!("`bench-inner` does not know `{other}`"),
            }
        }
        Ok(plan)
    }
}

/// What one round found on one side.
struct Round {
    alone: Load,
    busy: Load,
    throughput: Load,
    pace: Pace,
    /// CPU time of the gateway a request, while it was busy with 32 connections.
    cpu: Option<Duration>,
}

/// The command, run by `bench` in a release build.
pub(crate) fn measure(arguments: &[String]) -> Result<()> {
    let plan = Plan::of(arguments)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let sides = Sides::start(!plan.swaps_only).await?;
        let mut rows = Vec::new();
        if !plan.swaps_only {
            let at_rest = sides.gateway.resident_bytes()?;
            let rounds = rounds(&plan, &sides).await?;
            rows = compare(&rounds);
            rows.extend(memory(&plan, &sides, at_rest).await?);
        }
        let swaps = swap::under_load(&sides, plan.swaps).await?;
        rows.extend(swaps.rows());
        rows.extend(plan.boundary.iter().flat_map(boundary_rows));
        report::print(&rows);
        if swaps.failed > 0 { bail!("{} requests failed during the swaps", swaps.failed) } else { Ok(()) }
    })
}

/// For each round what each side did, in the order of `Sides::targets`.
async fn rounds(plan: &Plan, sides: &Sides) -> Result<Vec<Vec<Round>>> {
    let targets = sides.targets();
    for target in &targets {
        load::run(target, 8, plan.window / 2).await?.all_passed()?;
    }
    let mut rounds = Vec::new();
    for number in 0..plan.rounds {
        println!("    round {} of {}", number + 1, plan.rounds);
        let mut found: Vec<(usize, Round)> = Vec::new();
        // Each round begins with another side, so that none always inherits the same state of the machine.
        for place in 0..targets.len() {
            let side = (number + place) % targets.len();
            let target = &targets[side];
            let alone = load::run(target, 1, plan.window).await?.all_passed()?;
            let busy = load::run(target, 64, plan.window).await?.all_passed()?;
            let before = sides.gateway.cpu_time()?;
            let throughput = load::run(target, 32, plan.window).await?.all_passed()?;
            let used = sides.gateway.cpu_time()?.saturating_sub(before);
            let count = u32::try_from(throughput.latencies.len()).unwrap_or(u32::MAX).max(1);
            let cpu = target.is_gateway.then(|| used / count);
            let pace = streams::one_after_the_other(target, plan.streams).await?;
            found.push((side, Round { alone, busy, throughput, pace, cpu }));
        }
        found.sort_by_key(|(side, _)| *side);
        rounds.push(found.into_iter().map(|(_, round)| round).collect());
    }
    Ok(rounds)
}

/// The middle of what the rounds found for one figure, for direct, nginx and the gateway through one of its adapters.
fn middle(rounds: &[Vec<Round>], gateway: usize, figure: impl Fn(&Round) -> f64) -> [f64; 3] {
    [0, 1, gateway].map(|side| median(rounds.iter().filter_map(|round| round.get(side)).map(&figure)))
}

fn compare(rounds: &[Vec<Round>]) -> Vec<Row> {
    let mut rows = compare_side(rounds, 2, "");
    rows.extend(compare_side(rounds, 3, "anthropic: "));
    rows
}

/// The rows of the gateway with one of its adapters; each figure's name begins with `prefix`.
fn compare_side(rounds: &[Vec<Round>], gateway: usize, prefix: &str) -> Vec<Row> {
    let latency = |name: &str, aim: Option<f64>, figure: &dyn Fn(&Round) -> f64| {
        Row::added(&format!("{prefix}{name}"), middle(rounds, gateway, figure), aim)
    };
    let p50 = |load: &Load| load.percentile(50.0);
    let p99 = |load: &Load| load.percentile(99.0);
    let rate = middle(rounds, gateway, |round| round.throughput.rate());
    let cpu = rounds.iter().filter_map(|round| round.get(gateway)?.cpu).map(microseconds);
    vec![
        latency("p50, 1 connection", Some(200.0), &|round| p50(&round.alone)),
        latency("p99, 1 connection", None, &|round| p99(&round.alone)),
        latency("p50, 64 connections", None, &|round| p50(&round.busy)),
        latency("p99, 64 connections", None, &|round| p99(&round.busy)),
        Row::rate(&format!("{prefix}requests/s, 32 connections"), rate, 0.35),
        Row::single(&format!("{prefix}CPU of the gateway a request"), format!("{:.0} µs", median(cpu)), None),
        latency("time to first token, p50", Some(500.0), &|round| round.pace.first(50.0)),
        latency("time to first token, p99", None, &|round| round.pace.first(99.0)),
        latency("gap between tokens, p50", None, &|round| round.pace.gap(50.0)),
        latency("gap between tokens, p99", None, &|round| round.pace.gap(99.0)),
    ]
}

async fn memory(plan: &Plan, sides: &Sides, at_rest: u64) -> Result<Vec<Row>> {
    let gateway = &sides.targets()[2];
    println!("    {} open streams", plan.open_streams);
    let held = streams::hold(gateway, plan.open_streams).await?;
    let open = sides.gateway.resident_bytes()?;
    drop(held);
    let row = |name: String, bytes: u64, aim: u64| {
        let megabytes = bytes.div_ceil(1_000_000);
        Row::single(&name, format!("{megabytes} MB"), Some((format!("<= {aim} MB"), megabytes <= aim)))
    };
    Ok(vec![
        row("memory at rest".to_owned(), at_rest, 60),
        row(format!("memory at {} open streams", plan.open_streams), open, 160),
    ])
}

fn boundary_rows((name, request, event): &(String, f64, f64)) -> Vec<Row> {
    let row = |what: &str, value: f64, aim: f64| {
        let figure = format!("plugin boundary, {name}, {what}");
        Row::single(&figure, format!("{value:.1} µs"), Some((format!("<= {aim} µs"), value <= aim)))
    };
    vec![row("a request", *request, 30.0), row("an event", *event, 5.0)]
}
