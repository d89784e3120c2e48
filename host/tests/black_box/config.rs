//! Where configuration comes from, how mistakes in it are told, and what `doctor` shows of it.

use std::net::TcpListener;

use crate::setup::{self, question};

/// A port that was free a moment ago.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[tokio::test]
async fn a_dotenv_file_sets_the_port_and_imports_keys() {
    let port = free_port();
    let dotenv =
        format!("# local\nPORT={port}\nAPI_KEYS=sk-imported-0123456789abcdef0123,sk-second-0123456789abcdef0123\n");
    let gateway = setup::bare().plugin("echo").configured_address().dotenv(&dotenv).start().await;
    assert_eq!(gateway.address().port(), port);
    for key in ["sk-imported-0123456789abcdef0123", "sk-second-0123456789abcdef0123"] {
        gateway.forbid_in_log(key);
        assert_eq!(gateway.chat(key, &question("echo")).await.status, 200);
    }
}

#[tokio::test]
async fn flags_win_over_variables_and_variables_over_the_file() {
    let (flag, variable) = (free_port(), free_port());
    let config = format!("[server]\nlisten = \"127.0.0.1:{variable}\"\nkeepalive_ms = 777\n");
    let by_file = setup::bare().configured_address().config(&config).start().await;
    assert_eq!(by_file.address().port(), variable);
    drop(by_file);
    let port = flag.to_string();
    let gateway = setup::bare()
        .configured_address()
        .config(&config)
        .env("WITGATE_LISTEN", "127.0.0.1:1")
        .args(&["--port", &port]);
    assert_eq!(gateway.start().await.address().port(), flag);
}

#[tokio::test]
async fn mistakes_in_the_file_are_told_with_their_lines_all_at_once() {
    let config = "[server]\nlisten = \"127.0.0.1:0\"\nkeepalive = 3\n\n[upstream]\nidle_ms = \"soon\"\n";
    let gateway = setup::bare().config(config).prepare();
    let said = gateway.cli(&["serve"]).await.failed();
    assert!(said.contains("witgate.toml:3") && said.contains("keepalive_ms"), "{said}");
    assert!(said.contains("witgate.toml:6") && said.contains("idle_ms"), "{said}");
}

#[tokio::test]
async fn a_wrong_variable_is_named() {
    let gateway = setup::bare().env("WITGATE_KEEPALIVE_MS", "soon").env("LOCAL_MODELS_DIR", "/models").prepare();
    let said = gateway.cli(&["serve"]).await.failed();
    assert!(said.contains("WITGATE_KEEPALIVE_MS"), "{said}");
    assert!(said.contains("LOCAL_MODELS_DIR") && said.contains("channel add"), "{said}");
}

#[tokio::test]
async fn doctor_shows_every_value_and_where_it_comes_from() {
    let builder = setup::bare().plugin("echo").env("WITGATE_KEEPALIVE_MS", "777").env("SYNC_FREQUENCY", "60");
    let gateway =
        builder.env("WITGATE_MASTER_KEY", &"ab".repeat(32)).config("[upstream]\nidle_ms = 4321\n").start().await;
    let said = gateway.cli(&["doctor"]).await.ok().stdout;
    for text in [
        "server.keepalive_ms",
        "777",
        "WITGATE_KEEPALIVE_MS",
        "upstream.idle_ms",
        "4321",
        "witgate.toml",
        "SYNC_FREQUENCY",
    ] {
        assert!(said.contains(text), "no {text}:\n{said}");
    }
    assert!(!said.contains(&"ab".repeat(32)), "a secret is shown:\n{said}");
}

#[tokio::test]
async fn a_vendors_variable_makes_a_channel() {
    let vendor = testkit::ScriptedVendor::start().await;
    let builder = setup::bare()
        .plugin("openai")
        .env("OPENAI_API_KEY", "sk-from-the-environment-1")
        .env("OPENAI_BASE_URL", &vendor.base_url());
    let gateway = builder.start().await;
    gateway.forbid_in_log("sk-from-the-environment-1");
    let key = gateway.key("app").await;
    gateway.wait_for_model(&key, "gpt-4o-mini").await;
    assert_eq!(gateway.chat(&key, &question("gpt-4o-mini")).await.status, 200);
    assert_eq!(vendor.last_request().header("authorization"), Some("Bearer sk-from-the-environment-1"));
    let set = ["channel", "set", "env-openai", "--base-url", "http://127.0.0.1:9"];
    let said = gateway.cli(&set).await.failed();
    assert!(said.contains("from variables"), "{said}");
}

#[tokio::test]
async fn every_vendor_variable_has_a_line_that_is_true() {
    let builder = setup::bare().plugin("openai").env("UNHEARD_OF_API_KEY", "sk-from-the-environment-2");
    let gateway = builder.env("OPENAI_BASE_URL", "http://127.0.0.1:9").env("API_KEYS", "short").start().await;
    let unknown = "UNHEARD_OF_API_KEY: is set, but no installed adapter knows it";
    assert_eq!(gateway.log().matches(unknown).count(), 1, "{}", gateway.log());
    let said = gateway.cli(&["doctor"]).await.failed();
    for text in ["no installed adapter knows it", "set OPENAI_API_KEY", "must have at least 8 characters"] {
        assert!(said.contains(text), "no {text}:\n{said}");
    }
}

#[tokio::test]
async fn a_server_without_plugins_says_where_it_looked() {
    let gateway = setup::bare().start().await;
    let dir = gateway.plugins_dir().display().to_string();
    assert!(gateway.log().lines().any(|line| line.contains("WARN") && line.contains(&dir)), "{}", gateway.log());
}

#[tokio::test]
async fn a_port_that_is_taken_is_explained() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let gateway = setup::bare().prepare();
    let said = gateway.cli(&["serve", "--listen", &address]).await.failed();
    assert!(said.contains(&address), "{said}");
}
