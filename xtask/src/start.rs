//! `cargo xtask start`: from a clean clone to a gateway that answers, with a key and a curl to try it.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream, ToSocketAddrs as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::os::unix::process::{CommandExt as _, parent_id};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::step::{self, Steps};
use crate::{plugins, tools};

const LISTEN: &str = "127.0.0.1:3000";
const DATA: &str = "data";
const KEY_FILE: &str = "data/dev-key";
const GATEWAY: &str = "target/debug/witgate";

/// The command. Does not return when all goes well: this process becomes the gateway, so Ctrl-C and the exit status are the gateway's.
pub(crate) fn start(arguments: &[String]) -> Result<()> {
    let arguments = arguments.strip_prefix(&["--".to_owned()]).unwrap_or(arguments);
    let listen = listen_address(arguments);
    let mut steps = Steps::default();
    steps.run("port", || port_is_free(&listen))?;
    steps.run("tools", || {
        tools::wasm_target()?;
        tools::debian(&[tools::C_COMPILER])
    })?;
    steps.run("plugins", plugins::build)?;
    // All of the workspace decides on the features of shared crates, so that `start` and `test` reuse each other's builds.
    steps.run("gateway", || step::run(tools::cargo().args(["build", "--workspace", "--bin", "witgate"])))?;
    steps.run("data", || {
        private_directory(Path::new(DATA))?;
        copy_plugins(&Path::new(DATA).join("plugins"))
    })?;
    steps.run("API key", development_key)?;

    println!("==> serve on {listen}; Ctrl-C stops it");
    Command::new(std::env::current_exe()?)
        .args(["announce", &listen, &std::process::id().to_string()])
        .spawn()
        .context("cannot start the announcer")?;
    let error = Command::new(GATEWAY).args(["serve", "--data-dir", DATA]).args(arguments).exec();
    Err(error).with_context(|| format!("cannot run {GATEWAY}"))
}

/// In a process of its own beside the gateway: waits until it is ready, then prints how to call it. Gives up when the gateway has ended.
pub(crate) fn announce(arguments: &[String]) -> Result<()> {
    let [listen, gateway] = arguments else { bail!("`announce` is for `start` alone: ADDRESS PID") };
    let gateway: u32 = gateway.parse()?;
    let deadline = Instant::now() + Duration::from_secs(60);
    while !is_ready(listen) {
        if parent_id() != gateway {
            return Ok(());
        }
        if Instant::now() > deadline {
            bail!("the gateway was not ready within a minute: GET http://{listen}/ready");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let chat = |curl: &str, stream: &str| {
        format!(
            "  {curl} http://{listen}/v1/chat/completions \\\n    -H \"Authorization: Bearer $(cat {KEY_FILE})\" \\\n    \
             -H \"Content-Type: application/json\" \\\n    \
             -d '{{\"model\": \"echo\", {stream}\"messages\": [{{\"role\": \"user\", \"content\": \"Hello!\"}}]}}'"
        )
    };
    println!(
        "\nReady. The built-in model `echo` needs no vendor; the key is in {KEY_FILE}. Try, from another terminal:\n"
    );
    println!("{}\n\n{}\n", chat("curl", ""), chat("curl -N", "\"stream\": true, "));
    Ok(())
}

/// What `--listen` in the gateway's own arguments says, else the default.
fn listen_address(arguments: &[String]) -> String {
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        if let Some(address) = argument.strip_prefix("--listen=") {
            return address.to_owned();
        }
        if argument == "--listen"
            && let Some(address) = rest.next()
        {
            return address.clone();
        }
    }
    LISTEN.to_owned()
}

/// Asks before the long build, not after it.
fn port_is_free(listen: &str) -> Result<()> {
    match TcpListener::bind(listen) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
            bail!(
                "{listen} is taken, perhaps by an earlier start. Stop that, or use another: cargo xtask start -- --listen 127.0.0.1:3001"
            )
        }
        Err(error) => Err(error).with_context(|| format!("cannot listen on {listen}")),
    }
}

fn private_directory(path: &Path) -> Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .with_context(|| format!("cannot make {}", path.display()))
}

/// Copies what `plugins` built into the directory that the gateway watches; files that are the same are left alone.
pub(crate) fn copy_plugins(to: &Path) -> Result<()> {
    for entry in fs::read_dir(plugins::PLUGINS).context("there are no plugins; run `cargo xtask plugins`")? {
        let from = entry?.path();
        if from.extension().is_some_and(|extension| extension == "wasm")
            && let Some(name) = from.file_name()
            && tools::replace(&from, &to.join(name))?
        {
            println!("    {}", to.join(name).display());
        }
    }
    Ok(())
}

/// Makes a key once and keeps it in a file that only its owner can read.
fn development_key() -> Result<()> {
    if fs::read_to_string(KEY_FILE).is_ok_and(|key| !key.trim().is_empty()) {
        println!("    {KEY_FILE} is there already");
        return Ok(());
    }
    let key = create_key(Path::new(GATEWAY), Path::new(DATA), "dev")?;
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(KEY_FILE)?;
    writeln!(file, "{key}")?;
    println!("    wrote {KEY_FILE}");
    Ok(())
}

/// A new API key, by the gateway's own command.
pub(crate) fn create_key(gateway: &Path, data: &Path, name: &str) -> Result<String> {
    let answer =
        step::output(Command::new(gateway).args(["key", "create", "--name", name, "--json", "--data-dir"]).arg(data))?;
    let answer: serde_json::Value =
        serde_json::from_str(&answer).context("`key create --json` did not answer with JSON")?;
    let key = answer.get("key").and_then(|key| key.as_str()).context("`key create --json` answered without `key`")?;
    Ok(key.to_owned())
}

/// Whether `GET /ready` answers 200.
pub(crate) fn is_ready(listen: &str) -> bool {
    let ask = || -> std::io::Result<bool> {
        let wait = Duration::from_secs(1);
        let address = listen.to_socket_addrs()?.next().ok_or(std::io::ErrorKind::NotFound)?;
        let mut socket = TcpStream::connect_timeout(&address, wait)?;
        socket.set_read_timeout(Some(wait))?;
        write!(socket, "GET /ready HTTP/1.1\r\nhost: {listen}\r\nconnection: close\r\n\r\n")?;
        let mut status = [0; 12];
        socket.read_exact(&mut status)?;
        Ok(&status == b"HTTP/1.1 200")
    };
    ask().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_listen_argument_is_seen_in_both_spellings() {
        let of =
            |arguments: &[&str]| listen_address(&arguments.iter().map(|&text| text.to_owned()).collect::<Vec<_>>());
        assert_eq!(of(&[]), LISTEN);
        assert_eq!(of(&["--listen", "127.0.0.1:9"]), "127.0.0.1:9");
        assert_eq!(of(&["--config", "x", "--listen=[::1]:9"]), "[::1]:9");
    }

    #[test]
    fn a_taken_port_is_named_with_a_way_out() {
        let holder = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = holder.local_addr().unwrap().to_string();
        let error = port_is_free(&address).unwrap_err().to_string();
        assert!(error.contains(&address) && error.contains("--listen"), "{error}");
        assert!(!is_ready("127.0.0.1:1"));
    }
}
