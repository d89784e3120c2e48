//! The layers over each other, and what is said about mistakes.

use super::{Config, Flags, Origin, VariableReport, environment::tests::environment, gather, keys::KEYS, one_api};

fn config(file: &str, real: &[(&str, &str)], flags: &Flags) -> Config {
    let (config, errors) = gather(flags, "w.toml", file, environment(real, ""));
    assert_eq!(errors, Vec::<String>::new());
    config
}

fn origin<'a>(config: &'a Config, name: &str) -> &'a Origin {
    &config.settings.iter().find(|setting| setting.name() == name).unwrap().origin
}

fn report<'a>(config: &'a Config, name: &str) -> &'a VariableReport {
    config.variables.iter().find(|variable| variable.name == name).unwrap()
}

fn listen_flag(text: &str) -> Flags {
    Flags { keys: vec![("--listen", "server.listen", text.to_owned())], ..Flags::default() }
}

#[test]
fn each_layer_beats_the_one_below_and_is_named() {
    let file = "[server]\nlisten = \"127.0.0.1:1\"\n";
    type Variables = &'static [(&'static str, &'static str)];
    let steps: [(&str, Variables, Flags, &str, &str); 5] = [
        ("", &[], Flags::default(), "127.0.0.1:3000", "default"),
        (file, &[], Flags::default(), "127.0.0.1:1", "w.toml:2"),
        (file, &[("PORT", "2")], Flags::default(), "127.0.0.1:2", "PORT"),
        (file, &[("PORT", "2"), ("WITGATE_LISTEN", "0.0.0.0:3")], Flags::default(), "0.0.0.0:3", "WITGATE_LISTEN"),
        (file, &[("PORT", "2"), ("WITGATE_LISTEN", "0.0.0.0:3")], listen_flag("[::]:4"), "[::]:4", "--listen"),
    ];
    for (file, real, flags, listen, from) in steps {
        let config = config(file, real, &flags);
        assert_eq!(config.server.listen.to_string(), listen);
        assert_eq!(origin(&config, "server.listen").to_string(), from);
    }
}

#[test]
fn host_and_port_each_keep_the_other_half() {
    let both = config("", &[("HOST", "0.0.0.0"), ("PORT", "8080")], &Flags::default());
    assert_eq!(both.server.listen.to_string(), "0.0.0.0:8080");
    assert_eq!(origin(&both, "server.listen").to_string(), "HOST and PORT");
    let shell = config("", &[("HOST", "my-laptop")], &Flags::default());
    assert_eq!(shell.server.listen.to_string(), "127.0.0.1:3000");
    assert_eq!(report(&shell, "HOST").became, "ignored");
    let flag = config("", &[("HOST", "0.0.0.0")], &Flags { port: Some(9), ..Flags::default() });
    assert_eq!(flag.server.listen.to_string(), "0.0.0.0:9");
}

#[test]
fn dotenv_is_below_the_real_environment_and_named() {
    let environment = environment(&[("WITGATE_KEEPALIVE_MS", "1")], "WITGATE_KEEPALIVE_MS=2\nRELAY_TIMEOUT=30\n");
    let (config, errors) = gather(&Flags::default(), "w.toml", "", environment);
    assert!(errors.is_empty(), "{errors:?}");
    assert_eq!(config.server.keepalive_ms.as_millis(), 1);
    assert_eq!(config.exchange.total_s.as_secs(), 30);
    assert_eq!(origin(&config, "exchange.total_s").to_string(), "RELAY_TIMEOUT in .env");
}

#[test]
fn every_mistake_of_every_layer_is_reported_at_once() {
    let real = [
        ("WITGATE_SERVER_BODY_LIMIT_BYTES", "lots"),
        ("PORT", "http"),
        ("LOCAL_MODELS_DIR", "/models"),
        ("WITGATE_LISTEN", "0.0.0.0:1"),
        ("WITGATE_SERVER_LISTEN", "0.0.0.0:2"),
    ];
    let flags = Flags { keys: vec![("--listen", "server.listen", "here".to_owned())], ..Flags::default() };
    let (_, errors) = gather(&flags, "w.toml", "[server]\nlog_format = \"xml\"\nlissten = 1\n", environment(&real, ""));
    let expected = [
        "w.toml:3: unknown key `lissten`; did you mean `listen`?",
        "w.toml:2: server.log_format: `xml` is not one of text, json",
        "PORT: `http` is not a port number",
        "LOCAL_MODELS_DIR: ",
        "WITGATE_SERVER_LISTEN and WITGATE_LISTEN are both set and differ",
        "WITGATE_SERVER_BODY_LIMIT_BYTES: `lots` is not a number of bytes",
        "--listen: `here` is not an IP address and a port",
    ];
    assert_eq!(errors.len(), expected.len(), "{errors:#?}");
    for (error, start) in errors.iter().zip(expected) {
        assert!(error.starts_with(start), "{error}");
    }
    assert!(errors[3].contains("witgate channel add"));
}

#[test]
fn every_variable_of_one_api_is_accepted_with_a_line() {
    let sample = |name: &str| match name {
        "HOST" => "0.0.0.0",
        "SQL_DSN" => "root:123456@tcp(db:3306)/oneapi",
        "DEBUG" => "true",
        "API_KEYS" => "sk-one, sk-two",
        _ => "60",
    };
    let real: Vec<_> = one_api::ROWS
        .iter()
        .map(|row| (row.name, sample(row.name)))
        .filter(|(n, _)| *n != "LOCAL_MODELS_DIR")
        .collect();
    let config = config("", &real, &Flags::default());
    assert_eq!(config.variables.len(), one_api::ROWS.len() - 1);
    assert!(config.variables.iter().all(|variable| !variable.says.is_empty() && !variable.says.contains("123456")));
    assert_eq!(report(&config, "SQL_DSN").became, "ignored");
    assert_eq!(config.data.database, "");
    assert_eq!(config.server.log_level, "debug");
    let names: Vec<_> = config.api_keys.iter().map(|(name, key)| (name.as_str(), key.expose())).collect();
    assert_eq!(names, [("API_KEYS-1", "sk-one"), ("API_KEYS-2", "sk-two"), ("INITIAL_ROOT_TOKEN-1", "60")]);
}

#[test]
fn a_variable_that_something_stronger_beats_says_so() {
    let config = config("", &[("PORT", "2"), ("WITGATE_LISTEN", "0.0.0.0:3")], &Flags::default());
    let report = report(&config, "PORT");
    assert_eq!((report.became, report.says.as_str()), ("overridden", "server.listen comes from WITGATE_LISTEN"));
}

#[test]
fn a_mistyped_variable_is_a_note_and_those_of_kubernetes_are_not() {
    let real = [("WITGATE_KEEPALIVE_MSS", "1"), ("WITGATE_PORT_3000_TCP_ADDR", "10.0.0.1")];
    let config = config("", &real, &Flags::default());
    assert_eq!(
        config.notes,
        ["WITGATE_KEEPALIVE_MSS: ignored: no key has this name; did you mean WITGATE_KEEPALIVE_MS?"]
    );
}

#[test]
fn secrets_are_not_shown() {
    let config = config("", &[("WITGATE_MASTER_KEY", "0123456789")], &Flags::default());
    assert_eq!(config.secrets.master_key.as_ref().unwrap().expose(), "0123456789");
    assert!(!format!("{config:?}").contains("0123456789"));
}

#[test]
fn every_default_is_read_by_its_kind() {
    let config = config("", &[], &Flags::default());
    assert_eq!(config.settings.len(), KEYS.len());
    for key in KEYS {
        assert!(!key.doc.is_empty() && key.kind.read(key.default).is_ok(), "{}", key.name);
    }
}
