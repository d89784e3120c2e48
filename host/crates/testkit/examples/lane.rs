//! Runs a command with a gateway in front of a scripted vendor: how client SDKs in other languages are tested.
//!
//! The command finds the gateway in `WITGATE_BASE_URL` and `WITGATE_API_KEY`, and two models in `WITGATE_MODEL` and `WITGATE_TOOL_MODEL`; both are
//! served by the vendor's default answers. `WITGATE_ECHO_MODEL` is served by the built-in adapter.
#![expect(clippy::expect_used, clippy::print_stderr, reason = "a test lane that cannot go on says why and stops")]

use std::{env, path::Path, process::ExitCode};

use testkit::{ScriptedVendor, TestGateway};

#[tokio::main]
async fn main() -> ExitCode {
    let mut args = env::args_os().skip(1);
    let Some(program) = args.next() else {
        eprintln!("usage: lane COMMAND [ARGUMENT...]");
        return ExitCode::from(2);
    };
    let binary = env::var_os("WITGATE_BINARY")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../target/debug/witgate"), Into::into);
    let vendor = ScriptedVendor::start().await;
    let gateway = TestGateway::builder(binary).plugin("echo").plugin("openai").start().await;
    gateway.channel("vendor", "compatible", &vendor.base_url(), "gpt-test,gpt-tools").await;
    let key = gateway.key("lane").await;
    let status = tokio::process::Command::new(program)
        .args(args)
        .env("WITGATE_BASE_URL", format!("{}/v1", gateway.url()))
        .env("WITGATE_API_KEY", &key)
        .env("WITGATE_MODEL", "gpt-test")
        .env("WITGATE_TOOL_MODEL", "gpt-tools")
        .env("WITGATE_ECHO_MODEL", "echo")
        .status()
        .await
        .expect("the command can be run");
    if status.success() {
        return ExitCode::SUCCESS;
    }
    eprintln!("--- the gateway's log ---\n{}", gateway.log());
    ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}
