//! The command line on the data of a running server: what it changes is followed, what it refuses it explains.

use std::fs;

use testkit::{TestGateway, eventually, gateway::FOLLOWS};

use crate::{
    expect,
    setup::{self, MODEL, question},
};

async fn channel(gateway: &TestGateway, name: &str) -> serde_json::Value {
    let list = gateway.cli(&["channel", "list", "--json"]).await.ok().json();
    let rows = list.as_array().expect("an array").iter();
    rows.clone().find(|row| row["name"] == name).unwrap_or_else(|| panic!("no channel {name}: {list}")).clone()
}

#[tokio::test]
async fn a_channel_is_disabled_enabled_changed_and_removed_while_the_server_runs() {
    let setup = setup::vendor().await;
    let gateway = &setup.gateway;
    gateway.cli(&["channel", "disable", "main"]).await.ok();
    gateway.wait_for_model_gone(&setup.key, MODEL).await;
    assert_eq!(channel(gateway, "main").await["status"], "disabled");
    gateway.cli(&["channel", "enable", "main"]).await.ok();
    gateway.wait_for_model(&setup.key, MODEL).await;
    setup.lives_on().await;
    gateway.cli(&["channel", "set", "main", "--models", "renamed=upstream-name,gpt-test"]).await.ok();
    gateway.wait_for_model(&setup.key, "renamed").await;
    assert_eq!(setup.chat(&question("renamed")).await.status, 200);
    assert_eq!(setup.vendor.last_request().model().as_deref(), Some("upstream-name"));
    let secret = setup.vendor.last_request().header("authorization").unwrap_or_default().to_owned();
    assert_eq!(secret, format!("Bearer {}", gateway.vendor_secret()), "a change of models keeps the secret");
    gateway.cli(&["channel", "remove", "main"]).await.ok();
    gateway.wait_for_model_gone(&setup.key, "renamed").await;
    expect::error(&setup.ask().await, expect::MODEL_UNKNOWN);
}

#[tokio::test]
async fn a_channel_is_named_by_name_or_by_id() {
    let setup = setup::vendor().await;
    let id = channel(&setup.gateway, "main").await["id"].to_string();
    setup.gateway.cli(&["channel", "disable", id.trim_matches('"')]).await.ok();
    setup.gateway.wait_for_model_gone(&setup.key, MODEL).await;
    let said = setup.gateway.cli(&["channel", "enable", "no-such-channel"]).await.failed();
    assert!(said.contains("no-such-channel"), "{said}");
}

#[tokio::test]
async fn secrets_are_read_from_files_and_from_standard_input() {
    let setup = setup::vendor().await;
    let file = setup.gateway.work_dir().join("keyfile");
    fs::write(&file, "sk-from-a-file-12345\n").unwrap();
    let (gateway, base_url) = (&setup.gateway, setup.vendor.base_url());
    let add = |name: &'static str, secret: String| {
        [
            "channel",
            "add",
            "--name",
            name,
            "--provider",
            "compatible",
            "--base-url",
            &base_url,
            "--models",
            name,
            "--secret",
            &secret,
        ]
        .map(str::to_owned)
        .to_vec()
    };
    let cases = [
        (add("from-file", format!("key=@{}", file.display())), "", "sk-from-a-file-12345"),
        (add("from-input", "key=-".to_owned()), "sk-from-input-12345\n", "sk-from-input-12345"),
    ];
    for (args, input, secret) in cases {
        gateway.forbid_in_log(secret);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let output = gateway.cli_with_input(&args, input).await.ok();
        assert!(!output.stdout.contains(secret) && !output.stderr.contains(secret), "{output:?}");
        let model = args[3];
        gateway.wait_for_model(&setup.key, model).await;
        assert_eq!(setup.chat(&question(model)).await.status, 200);
        let bearer = format!("Bearer {secret}");
        assert_eq!(setup.vendor.last_request().header("authorization"), Some(bearer.as_str()));
    }
    let listed = gateway.cli(&["channel", "list", "--json"]).await.ok().stdout;
    assert!(!listed.contains("sk-from"), "{listed}");
}

#[tokio::test]
async fn what_a_channel_cannot_be_is_refused_by_the_name_of_the_field() {
    let setup = setup::vendor().await;
    let base_url = setup.vendor.base_url();
    let base = ["channel", "add", "--name", "x", "--models", "m", "--base-url", &base_url];
    let refused: [(&[&str], &str); 7] = [
        (&["--provider", "no-such-provider"], "no-such-provider"),
        (&["--provider", "compatible", "--setting", "stream_usage=perhaps"], "stream_usage"),
        (&["--provider", "compatible", "--setting", "no_such_setting=1"], "no_such_setting"),
        // What was typed is not repeated: it may be a key without its name.
        (&["--provider", "compatible", "--secret", "no_such_secret=1"], "key=VALUE"),
        (&["--provider", "compatible", "--secret", "key=@/no/such/file"], "/no/such/file"),
        (&["--provider", "openai"], "key"),
        (&["--provider", "compatible", "--weight", "0"], "weight"),
    ];
    for (options, named) in refused {
        let said = setup.gateway.cli(&[base.as_slice(), options].concat()).await.failed();
        assert!(said.contains(named), "{options:?}: {said}");
    }
    let twice =
        ["channel", "add", "--name", "main", "--models", "m", "--provider", "compatible", "--base-url", &base_url];
    assert!(setup.gateway.cli(&twice).await.failed().contains("main"));
}

#[tokio::test]
async fn addresses_that_lead_nowhere_good_are_refused() {
    let gateway = setup::bare().plugin("openai").start().await;
    let metadata = [
        "http://169.254.169.254/latest",
        "http://[fd00:ec2::254]/",
        "http://100.100.100.200/",
        "http://169.254.170.2/",
        "http://[::ffff:169.254.169.254]/",
    ];
    for address in metadata {
        let add = ["channel", "add", "--name", "x", "--provider", "compatible", "--models", "m", "--base-url", address];
        let said = gateway.cli(&add).await.failed();
        assert!(said.contains("metadata"), "{address}: {said}");
    }
    for address in
        ["ftp://vendor.test/", "vendor.test/v1", "http://", "http://user:pass@vendor.test/v1", "file:///etc/passwd", ""]
    {
        let add = ["channel", "add", "--name", "x", "--provider", "compatible", "--models", "m", "--base-url", address];
        let said = gateway.cli(&add).await.failed();
        assert!(said.contains("URL") || said.contains("url") || said.contains("http"), "{address}: {said}");
    }
    assert_eq!(gateway.cli(&["channel", "list", "--json"]).await.ok().json(), serde_json::json!([]));
}

#[tokio::test]
async fn listings_have_what_scripts_rely_on() {
    let setup = setup::vendor().await;
    let row = channel(&setup.gateway, "main").await;
    for name in ["id", "name", "provider", "status", "models"] {
        assert!(row.get(name).is_some(), "no {name}: {row}");
    }
    assert_eq!((row["provider"].as_str(), row["status"].as_str()), (Some("compatible"), Some("enabled")));
    setup.gateway.cli(&["key", "revoke", "app"]).await.ok();
    let keys = setup.gateway.cli(&["key", "list", "--json"]).await.ok();
    assert!(!keys.stdout.contains(&setup.key), "a key is shown once");
    let row = keys.json()[0].clone();
    assert_eq!((row["name"].as_str(), row["status"].as_str()), (Some("app"), Some("revoked")), "{row}");
    assert!(
        setup.key.starts_with(row["prefix"].as_str().expect("a prefix").trim_end_matches(['.', '…', '*'])),
        "{row}"
    );
    let plugins = setup.gateway.cli(&["plugin", "list", "--json"]).await.ok().json();
    for name in ["file", "providers", "version", "digest", "models", "state", "reason"] {
        assert!(plugins[0].get(name).is_some(), "no {name}: {plugins}");
    }
    assert_eq!(plugins[0]["file"], "openai.wasm");
    for args in [["channel", "list"], ["key", "list"], ["plugin", "list"]] {
        let table = setup.gateway.cli(&args).await.ok().stdout;
        assert!(!table.contains(setup.gateway.vendor_secret()) && !table.trim().is_empty(), "{table}");
    }
}

#[tokio::test]
async fn commands_work_while_no_server_runs() {
    let mut gateway = setup::bare().plugin("openai").plugin("echo").prepare();
    let plugins = gateway.cli(&["plugin", "list", "--json"]).await.ok().json();
    assert_eq!(plugins.as_array().map(Vec::len), Some(2), "{plugins}");
    let vendor = testkit::ScriptedVendor::start().await;
    let base_url = vendor.base_url();
    let add =
        ["channel", "add", "--name", "main", "--provider", "compatible", "--base-url", &base_url, "--models", MODEL];
    gateway.cli(&add).await.ok();
    let key = gateway.cli(&["key", "create", "--name", "app", "--json"]).await.ok().json();
    gateway.start_again().await;
    let answer = gateway.chat(key["key"].as_str().expect("a key"), &question(MODEL)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

#[tokio::test]
async fn a_key_is_revoked_by_name_and_two_keys_cannot_share_one() {
    let (gateway, key) = setup::echo().await;
    gateway.cli(&["key", "create", "--name", "app"]).await.failed();
    gateway.cli(&["key", "revoke", "no-such-key"]).await.failed();
    gateway.cli(&["key", "revoke", "app"]).await.ok();
    let refused = async || gateway.get("/v1/models", &key).await.status == 401;
    eventually("the key is refused", FOLLOWS, refused).await;
}

#[tokio::test]
async fn a_component_is_checked_before_it_is_installed() {
    let gateway = setup::bare().prepare();
    let good = testkit::gateway::component("openai");
    let said = gateway.cli(&["plugin", "check", good.to_str().unwrap()]).await.ok().stdout;
    assert!(said.contains("compatible"), "{said}");
    let bad = gateway.work_dir().join("bad.wasm");
    fs::write(&bad, b"\0asm garbage").unwrap();
    gateway.cli(&["plugin", "check", bad.to_str().unwrap()]).await.failed();
    let json = gateway.cli(&["plugin", "check", bad.to_str().unwrap(), "--json"]).await.json();
    assert_eq!(json["ok"], false, "{json}");
    gateway.cli(&["plugin", "check", "/no/such/file.wasm"]).await.failed();
}

#[tokio::test]
async fn a_change_that_says_nothing_is_an_error_with_advice() {
    let setup = setup::vendor().await;
    for (options, advice) in [
        (&[][..], "nothing to set"),
        (&["--base-url", ""], "--base-url default"),
        (&["--group", ""], "--group default"),
        (&["--models", ""], "--models catalog"),
    ] {
        let said = setup.gateway.cli(&[&["channel", "set", "main"], options].concat()).await.failed();
        assert!(said.contains(advice), "{options:?}: {said}");
    }
}

#[tokio::test]
async fn looking_at_a_mistyped_data_directory_makes_nothing() {
    let gateway = setup::bare().plugin("echo").prepare();
    let typo = gateway.work_dir().join("typo");
    for args in [["plugin", "list"].as_slice(), &["doctor"], &["channel", "list"]] {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_witgate"));
        command.args(args).arg("--data-dir").arg(&typo).arg("--plugins-dir").arg(gateway.plugins_dir());
        let output = command.current_dir(gateway.work_dir()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
        assert!(said.contains("echo") || said.contains(typo.to_str().unwrap()), "{args:?}: {said}");
        assert!(!typo.exists(), "{args:?}: {said}");
    }
}

#[tokio::test]
async fn one_server_at_a_time_serves_a_data_directory() {
    let mut gateway = setup::bare().start().await;
    let said = gateway.cli(&["serve", "--listen", "127.0.0.1:0"]).await.failed();
    assert!(said.contains("another witgate serve"), "{said}");
    // The kernel takes the lock back from a server that was killed.
    gateway.kill();
    gateway.start_again().await;
}
