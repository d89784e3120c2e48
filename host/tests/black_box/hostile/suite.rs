//! The table, played through.

use std::{collections::BTreeSet, fs, time::Duration};

use testkit::{eventually, gateway::component};

use super::{
    ask::{ask, cut},
    cases::{CASES, Is, SLOW},
    stage::{self, Stage},
};

/// How much more memory than before the suite the gateway may keep, once it has come to rest.
const KEPT_KIB: u64 = 128 * 1024;
/// What one call may add to the log.
const LOGGED_MAX: usize = 64 << 10;

/// Guests with an orderly answer that are asked for a stream too.
const STREAMED: [&str; 4] = ["emit-sse", "echo-secret", "echo-opaque", "loss-crlf"];

#[test]
fn every_guest_of_the_list_is_played() {
    let listed = component("hostile/any").with_file_name("");
    let files = fs::read_dir(&listed).unwrap().flatten();
    let files: BTreeSet<String> =
        files.map(|entry| entry.path().file_stem().unwrap().to_string_lossy().into_owned()).collect();
    let played = CASES.iter().map(|(name, _)| *name).chain(["any", "asks-for-more"]);
    let played: BTreeSet<String> = played.map(str::to_owned).collect();
    assert_eq!(played.len(), CASES.len() + 2, "a guest is in the table twice");
    let differ: Vec<_> = files.symmetric_difference(&played).collect();
    assert!(differ.is_empty(), "in the folder of guests or in the table, but not in both: {differ:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_hostile_guest_fails_alone_cleanly_and_in_time() {
    let stage = stage::everyone().await;
    stage.echo_lives().await.unwrap();
    let before = stage.gateway.resident_kib();
    let mut wrong = refused(&stage).await;
    let called = CASES.iter().filter(|(name, is)| !matches!(is, Is::Refused(_)) && !SLOW.contains(name));
    for (name, is) in called {
        // An answer that is long is streamed in pieces with pauses: a few of those are enough.
        let streams = !matches!(is, Is::Says(_)) || STREAMED.contains(name);
        for streaming in [false, true].into_iter().filter(|streaming| !streaming || streams) {
            if let Err(what) = call(&stage, name, *is, streaming).await {
                wrong.push(format!("{name}{}: {what}", if streaming { " (stream)" } else { "" }));
            }
        }
    }
    wrong.extend(slow(&stage).await);
    wrong.extend(stage.leaks());
    assert!(wrong.is_empty(), "{} of {} guests:\n\n{}\n", wrong.len(), CASES.len(), wrong.join("\n\n"));
    let settled = async || stage.gateway.resident_kib() < before + KEPT_KIB;
    let what = format!("memory returns from {} to {before} KiB", stage.gateway.resident_kib());
    eventually(&what, Duration::from_secs(20), settled).await;
}

/// Those that never serve are named with a reason; what they offer cannot be called.
async fn refused(stage: &Stage) -> Vec<String> {
    let (rows, log) = (stage.rows().await, stage.gateway.log());
    let mut wrong = Vec::new();
    for (name, is) in CASES.iter() {
        let Is::Refused(reasons) = is else { continue };
        let file = format!("{name}.wasm");
        let Some(row) = rows.iter().find(|row| row["file"] == file.as_str()) else {
            wrong.push(format!("{name}: not in the list of plugins"));
            continue;
        };
        let reason = row["reason"].as_str().unwrap_or_default();
        if row["state"] != "refused" || !reasons.split('|').any(|expected| reason.contains(expected)) {
            wrong.push(format!("{name}: {reasons:?} was expected instead of {}", cut(&row.to_string())));
        }
        if reason.contains(|letter: char| letter.is_control()) || reason.len() > 4_096 {
            wrong.push(format!(
                "{name}: a reason of {} bytes that is not fit to be shown: {}",
                reason.len(),
                cut(reason)
            ));
        }
        if !log.lines().any(|line| line.contains("refused") && line.contains(&file)) {
            wrong.push(format!("{name}: the log does not name the file"));
        }
    }
    wrong
}

/// One call, and the harmless plugin right after it.
async fn call(stage: &Stage, name: &str, is: Is, streaming: bool) -> Result<(), String> {
    let logged = stage.gateway.log().len();
    let got = ask(stage, name, streaming).await?;
    got.check(stage, is).await?;
    stage.echo_lives().await?;
    let logged = stage.gateway.log().len() - logged;
    if logged > LOGGED_MAX { Err(format!("{logged} bytes of log")) } else { Ok(()) }
}

/// Those that take as long as they are let, side by side, while others are served.
async fn slow(stage: &Stage) -> Vec<String> {
    let cases = CASES.iter().filter(|(name, _)| SLOW.contains(name));
    let all = cases.map(|(name, is)| async move {
        let result = async { ask(stage, name, false).await?.check(stage, *is).await };
        result.await.map_err(|what| format!("{name}: {what}"))
    });
    let others = async {
        for _ in 0..20 {
            stage.echo_lives().await?;
        }
        Ok(())
    };
    let (results, others) = futures_util::join!(futures_util::future::join_all(all), others);
    results.into_iter().chain([others]).filter_map(Result::err).collect()
}
