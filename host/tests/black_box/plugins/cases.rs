//! Fixtures that are packed into a component: run by a command, and by the server before a build serves.

use std::{fs, path::Path};

use ::fixtures::{archive, section};
use testkit::{TestGateway, gateway::component};

use super::{install, place, state};
use crate::setup::{self, question};

/// The built echo with what `edit` makes of its fixtures.
fn repacked(edit: impl FnOnce(&mut archive::Files)) -> Vec<u8> {
    let wasm = fs::read(component("echo")).unwrap();
    let mut files = archive::unpack(&wasm).unwrap().expect("`cargo xtask plugins` packs its fixtures");
    edit(&mut files);
    section::put(&wasm, archive::SECTION, &archive::encode(&files).unwrap()).unwrap()
}

/// The built echo, one of whose cases expects what it does not do.
fn broken() -> Vec<u8> {
    repacked(|files| {
        let effects = files.get_mut("chat/plain/effects.json").expect("a case of its own");
        let text = String::from_utf8(effects.clone()).unwrap();
        *effects = text.replace(r#"{"finish": "stop"}"#, r#"{"finish": "never"}"#).into_bytes();
    })
}

fn write(gateway: &TestGateway, name: &str, bytes: &[u8]) -> String {
    let path = gateway.work_dir().join(name);
    fs::write(&path, bytes).unwrap();
    path.to_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_packed_cases_of_a_component_are_run() {
    let gateway = setup::bare().prepare();
    let built = component("echo");
    let built = built.to_str().unwrap();
    let said = gateway.cli(&["plugin", "test", built]).await.ok().stdout;
    assert!(said.contains("4 cases, 4 passed (chat 4)"), "{said}");
    let said = gateway.cli(&["plugin", "test", built, "--only", "chat/stream"]).await.ok().stdout;
    assert!(said.contains("1 case, 1 passed (chat 1)"), "{said}");
    let said = gateway.cli(&["plugin", "test", built, "--only", "no-such"]).await.failed();
    assert!(said.contains("`no-such`") && said.contains("chat/stream"), "{said}");

    let broken = write(&gateway, "broken.wasm", &broken());
    let said = gateway.cli(&["plugin", "test", &broken]).await.failed();
    assert!(said.contains("4 cases, 3 passed, 1 failed (chat 4)"), "{said}");
    assert!(said.contains("chat/plain: effects.json differs"), "{said}");
    assert!(said.contains("-   {\"finish\": \"never\"}") && said.contains("+   {\"finish\": \"stop\"}"), "{said}");
    let said = gateway.cli(&["plugin", "check", &broken]).await.failed();
    assert!(said.contains("chat/plain: effects.json differs") && said.contains("witgate plugin test"), "{said}");
    let good = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins/echo/fixtures");
    let said = gateway.cli(&["plugin", "test", &broken, "--fixtures", good.to_str().unwrap()]).await.ok().stdout;
    assert!(said.contains("4 cases, 4 passed"), "{said}");
}

#[tokio::test]
async fn a_component_without_readable_cases_is_told_so() {
    let gateway = setup::bare().prepare();
    let wasm = fs::read(component("probe")).unwrap();
    let without = write(&gateway, "without.wasm", &wasm);
    let said = gateway.cli(&["plugin", "test", &without]).await.failed();
    assert!(said.contains("no fixtures are packed") && said.contains("--fixtures"), "{said}");
    let garbage = section::put(&wasm, archive::SECTION, b"\xff garbage").unwrap();
    let garbage = write(&gateway, "garbage.wasm", &garbage);
    for command in ["test", "check"] {
        let said = gateway.cli(&["plugin", command, &garbage]).await.failed();
        assert!(said.contains("garbage.wasm") && said.contains("cannot be read"), "{said}");
    }
    let text = write(&gateway, "text.wasm", b"hello");
    let said = gateway.cli(&["plugin", "test", &text]).await.failed();
    assert!(said.contains("not a WebAssembly component"), "{said}");
    let said = gateway.cli(&["plugin", "test", "no-such.wasm"]).await.failed();
    assert!(said.contains("no-such.wasm"), "{said}");
}

#[tokio::test]
async fn cases_are_packed_and_replaced() {
    let gateway = setup::bare().prepare();
    let fixtures = gateway.work_dir().join("fixtures");
    let case = fixtures.join("chat/hello");
    fs::create_dir_all(&case).unwrap();
    fs::write(case.join("case.json"), r#"{"source": "echo", "provider": "echo", "model": "echo"}"#).unwrap();
    fs::write(case.join("client.json"), r#"{"model": "echo", "messages": []}"#).unwrap();
    fs::write(case.join("effects.json"), "[]").unwrap();
    let (built, fixtures) = (component("echo"), fixtures.to_str().unwrap().to_owned());
    let out = gateway.work_dir().join("packed.wasm");
    let out = out.to_str().unwrap();
    let said = gateway.cli(&["plugin", "pack", built.to_str().unwrap(), "--fixtures", &fixtures, "--out", out]).await;
    assert!(said.ok().stdout.contains("packed.wasm: packed 1 case\n"));
    let once = fs::read(out).unwrap();
    let said = gateway.cli(&["plugin", "test", out]).await.failed();
    assert!(said.contains("1 case, 0 passed, 1 failed (chat 1)") && said.contains("chat/hello: "), "{said}");
    // Over itself: the same cases in place of the same.
    gateway.cli(&["plugin", "pack", out, "--fixtures", &fixtures]).await.ok();
    assert_eq!(fs::read(out).unwrap(), once);
    let empty = gateway.work_dir().join("empty");
    fs::create_dir_all(&empty).unwrap();
    let said = gateway.cli(&["plugin", "pack", out, "--fixtures", empty.to_str().unwrap()]).await.failed();
    assert!(said.contains("there is no case in it"), "{said}");
    assert_eq!(fs::read(out).unwrap(), once, "nothing was written");
}

#[tokio::test]
async fn a_build_that_fails_its_own_cases_does_not_replace_the_one_that_serves() {
    let (gateway, key) = setup::echo().await;
    let good = state(&gateway, "echo.wasm", "serving").await["digest"].clone();
    place(&gateway, &broken(), "echo.wasm");
    let row = state(&gateway, "echo.wasm", "serving-last-good").await;
    let reason = row["reason"].as_str().unwrap();
    assert!(reason.contains("1 failed") && reason.contains("chat/plain"), "{reason}");
    assert_eq!(row["digest"], good, "{row}");
    assert_eq!(gateway.chat(&key, &question("echo")).await.status, 200);
    install(&gateway, "echo", "echo.wasm");
    state(&gateway, "echo.wasm", "serving").await;
    // One that never served does not begin to.
    place(&gateway, &broken(), "other.wasm");
    let row = state(&gateway, "other.wasm", "refused").await;
    assert!(row["reason"].as_str().unwrap().contains("chat/plain"), "{row}");
}
