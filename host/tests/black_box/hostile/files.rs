//! What is hostile as a file: torn, too large, not what its name says, or leading elsewhere.

use std::{fs, os::unix::fs::symlink, path::Path, time::Duration};

use testkit::{eventually, gateway::component};

use super::{
    bombs,
    stage::{self, Stage},
};

/// How long until a file that was dropped in is judged.
const JUDGED: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hostile_file_is_refused_by_name_or_ignored() {
    let stage = stage::bare().await;
    let dir = stage.gateway.plugins_dir();
    let before = stage.gateway.resident_kib();
    let harmless = fs::read(component("hostile/harmless")).unwrap();
    let mut refused: Vec<(String, &str)> = Vec::new();
    let mut drop_in = |name: &str, bytes: &[u8], reason: &'static str| {
        stage.place(bytes, &format!("{name}.wasm"));
        refused.push((format!("{name}.wasm"), reason));
    };
    drop_in("torn", &harmless[..harmless.len() / 2], "not a WebAssembly component");
    drop_in("module", &wat::parse_str("(module)").unwrap(), "core module");
    let compiled = compiled_code(&stage.gateway.data_dir()).expect("the harmless plugin was compiled");
    drop_in("compiled", &compiled, "not a WebAssembly component");
    for (name, bytes, reason) in bombs::all() {
        drop_in(name, &bytes, reason);
    }
    let long = "n".repeat(250);
    drop_in(&long, b"garbage", "not a WebAssembly component");
    drop_in("\u{1b}[2J\u{7}escape", b"garbage", "not a WebAssembly component");
    fs::write(dir.join("trusted.cwasm"), compiled).unwrap();
    let sparse = fs::File::create(stage.gateway.work_dir().join("sparse")).unwrap();
    sparse.set_len(1 << 30).unwrap();
    fs::rename(stage.gateway.work_dir().join("sparse"), dir.join("sparse.wasm")).unwrap();
    refused.push(("sparse.wasm".to_owned(), "larger than the limit"));
    // A link is followed: that is how mounted configuration appears. What it leads to is never quoted.
    let secret = stage.gateway.work_dir().join("shadow");
    fs::write(&secret, format!("root:{}", stage.canary.secret)).unwrap();
    symlink(&secret, dir.join("link.wasm")).unwrap();
    refused.push(("link.wasm".to_owned(), "not a WebAssembly component"));
    symlink("/dev/zero", dir.join("endless.wasm")).unwrap();
    symlink("circle.wasm", dir.join("circle.wasm")).unwrap();
    // The last one is good: the directory is followed as before.
    stage.place(&harmless, "zz-harmless.wasm");
    stage.gateway.wait_for_model(&stage.key, "hostile-harmless").await;
    let judged = async || stage.rows().await.iter().all(|row| row["state"] != "loading");
    eventually("all are judged", JUDGED, judged).await;
    let mut wrong = judge(&stage, &refused).await;
    wrong.extend(stage.echo_lives().await.err());
    fs::remove_file(&secret).unwrap();
    wrong.extend(stage.leaks());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let settled = async || stage.gateway.resident_kib() < before + 128 * 1024;
    eventually("memory returns", JUDGED, settled).await;
}

async fn judge(stage: &Stage, refused: &[(String, &str)]) -> Vec<String> {
    let rows = stage.rows().await;
    let mut wrong = Vec::new();
    for (file, reason) in refused {
        let row = rows.iter().find(|row| row["file"] == file.as_str());
        let found = row.map(|row| format!("{} {}", row["state"], row["reason"])).unwrap_or_default();
        if !found.starts_with("\"refused\"") || !reason.split('|').any(|reason| found.contains(reason)) {
            wrong.push(format!("{file:?}: {reason:?} was expected instead of {found}"));
        }
    }
    for ignored in ["endless.wasm", "circle.wasm", "trusted.cwasm"] {
        if rows.iter().any(|row| row["file"] == ignored) {
            wrong.push(format!("{ignored} should have been ignored"));
        }
    }
    let shown = stage.gateway.cli(&["plugin", "list"]).await.ok().stdout;
    if shown.contains(['\u{1b}', '\u{7}']) {
        wrong.push("a file's name reaches the terminal as it is".to_owned());
    }
    wrong
}

/// Compiled code as the gateway keeps it.
fn compiled_code(dir: &Path) -> Option<Vec<u8>> {
    let mut entries: Vec<_> = fs::read_dir(dir).ok()?.flatten().map(|entry| entry.path()).collect();
    entries.sort();
    entries.iter().find_map(|path| {
        if path.is_dir() {
            return compiled_code(path);
        }
        fs::read(path).ok().filter(|bytes| bytes.starts_with(b"\x7fELF"))
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_compile_bomb_is_stopped_while_others_are_served() {
    let stage = stage::bare_with(&[("WITGATE_PLUGINS_COMPILE_WALL_S", "6")]).await;
    stage.place(&bombs::compile_bomb(), "compile-bomb.wasm");
    let mut served = 0;
    let judged = async || {
        stage.echo_lives().await.unwrap();
        served += 1;
        stage.row("compile-bomb.wasm").await["state"] == "refused"
    };
    eventually("the bomb is refused", JUDGED, judged).await;
    let row = stage.row("compile-bomb.wasm").await;
    let reason = row["reason"].as_str().unwrap_or_default();
    assert!(reason.contains("could not be compiled") && reason.contains("compiler"), "{reason}");
    assert!(served > 3, "{served} requests were served meanwhile");
}
