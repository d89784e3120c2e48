//! Expectations are written for people, and for nobody else. The environment is a process's own, so the cases run in a child.

use crate::{Teller, Told, folder};
use std::path::{Path, PathBuf};
use std::process::Command;
use witgate_sdk::{Call, Effect, Event, Request};
use witgate_sdk_testkit::golden;

/// Sends one request and emits its answer.
struct Asking;

impl Told for Asking {
    fn told(_: &Call, _: usize, event: &Event) -> Vec<Effect> {
        match event {
            Event::Start => vec![Effect::Send(Request::get("/models"))],
            Event::Message(message) => vec![Effect::Emit(message.data.clone())],
            Event::End(_) => vec![Effect::Finish("stop".to_owned())],
            _ => Vec::new(),
        }
    }
}

/// Where the child finds its case.
const FOLDER: &str = "WITGATE_TESTKIT_FOLDER";

#[test]
fn child() {
    if let Ok(folder) = std::env::var(FOLDER) {
        golden::<Teller<Asking>>(&folder);
    }
}

/// Runs the case in a child with these variables; whether it passed, and what it said.
fn run(folder: &Path, variables: &[(&str, &str)]) -> (bool, String) {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "update::child", "--nocapture"]).env(FOLDER, folder);
    for name in ["CI", "WITGATE_CI", "UPDATE"] {
        child.env_remove(name);
    }
    let output = child.envs(variables.iter().copied()).output().unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn people_may_have_expectations_written_and_machines_may_not() {
    let written = |folder: &Path, name: &str| -> PathBuf { folder.join("case").join(name) };
    let files = [
        ("case.json", r#"{"source": "s", "provider": "p", "operation": "models"}"#),
        ("upstream-response.json", r#"{"models": []}"#),
        ("upstream-request-2.json", "{}"),
    ];
    let folder = folder("update", "account", &files);
    for variable in ["CI", "WITGATE_CI"] {
        let (passed, said) = run(&folder, &[("UPDATE", "1"), (variable, "true")]);
        assert!(!passed && said.contains(&format!("refused here, because {variable} is set")), "{said}");
        assert!(!written(&folder, "effects.json").exists());
    }
    let (passed, said) = run(&folder, &[]);
    assert!(!passed && said.contains("+   {\"emit\": {\"models\": []}},"), "{said}");
    let (passed, said) = run(&folder, &[("UPDATE", "1")]);
    assert!(passed, "{said}");
    assert!(
        written(&folder, "upstream-request.json").exists() && !written(&folder, "upstream-request-2.json").exists()
    );
    let (passed, said) = run(&folder, &[("CI", "true")]);
    assert!(passed, "{said}");
}
