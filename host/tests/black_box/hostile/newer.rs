//! A newer build of an approved plugin that asks for more than was approved.

use super::{
    ask::ask,
    cases::Is,
    stage::{self, Stage},
};

#[tokio::test]
async fn a_newer_build_gets_no_more_than_was_approved() {
    let stage = stage::bare().await;
    stage.install("harmless", "plug");
    stage.gateway.wait_for_model(&stage.key, "hostile-harmless").await;
    ask(&stage, "harmless", false).await.unwrap().check(&stage, Is::Says("harmless")).await.unwrap();
    let old = stage.row("plug.wasm").await["digest"].clone();
    stage.install("asks-for-more", "plug");
    let judged = async || {
        let row = stage.row("plug.wasm").await;
        row["digest"] != old || row["reason"].as_str().is_some_and(|reason| !reason.is_empty())
    };
    testkit::eventually("the newer build is judged", testkit::gateway::FOLLOWS, judged).await;
    for streaming in [false, true] {
        // Whether the old build answers or the new one is held back: nothing leaves that was not approved.
        ask(&stage, "harmless", streaming).await.unwrap().check(&stage, Is::Ends).await.unwrap();
    }
    assert_eq!(stolen(&stage), None);
    assert_eq!(stage.leaks(), Vec::<String>::new());

    // Once it is approved it works, which shows that only the approval was in its way.
    stage.gateway.cli(&["channel", "set", "env-hostile-harmless", "--approve"]).await.ok();
    let sent = async || {
        ask(&stage, "harmless", false).await.unwrap();
        stolen(&stage).is_some()
    };
    testkit::eventually("the approval is followed", testkit::gateway::FOLLOWS, sent).await;
    assert_eq!(stolen(&stage).as_deref(), Some(stage.canary.secret.as_str()));
}

fn stolen(stage: &Stage) -> Option<String> {
    stage.vendor.requests().iter().find_map(|request| request.header("x-stolen").map(str::to_owned))
}
