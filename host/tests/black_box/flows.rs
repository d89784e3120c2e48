//! The shapes a vendor's API can have, each played by an adapter of `examples/flows` against a scripted vendor over real sockets.

mod files;
mod forms;
mod frames;
mod grants;
mod poll;
mod questions;
mod signed;
mod socket;
mod tasks;

use serde_json::Value;
use testkit::{Answer, ScriptedVendor, VendorRequest};

use crate::setup::{self, Setup};

/// The model of every flow.
const MODEL: &str = "flow-1";

/// A gateway with the flows, a channel of this provider in front of a vendor, and a key.
async fn flow(provider: &str, secret: &str) -> Setup {
    flow_on(setup::bare(), provider, secret).await
}

async fn flow_on(builder: testkit::GatewayBuilder, provider: &str, secret: &str) -> Setup {
    let vendor = ScriptedVendor::start().await;
    let gateway = builder.plugin("flows").start().await;
    gateway.forbid_in_log(secret);
    add_channel(&gateway, provider, &format!("http://{}", vendor.address()), secret).await;
    let key = gateway.key("app").await;
    gateway.wait_for_model(&key, MODEL).await;
    Setup { gateway, vendor, key }
}

async fn add_channel(gateway: &testkit::TestGateway, provider: &str, base_url: &str, secret: &str) {
    let add = ["channel", "add", "main", "--provider", provider, "--base-url", base_url, "--models", MODEL];
    gateway.cli_with_input(&[&add[..], &["--secret", "key=-"]].concat(), secret).await.ok();
}

/// Answers by path; what has no answer is a 404 that the test then shows.
fn by_path(vendor: &ScriptedVendor, mut answer: impl FnMut(&str, &VendorRequest) -> Option<Value> + Send + 'static) {
    vendor.always(move |request| {
        let path = request.path.clone();
        answer(&path, request).map_or_else(|| Answer::html(404, "nothing here"), |body| Answer::json(&body))
    });
}

/// The paths that were asked for, in order.
fn paths(requests: &[VendorRequest]) -> Vec<&str> {
    requests.iter().map(|request| request.path.as_str()).collect()
}
