//! The server as a child process, with everything it writes kept.

use std::{
    io::{BufRead, BufReader, Read},
    net::SocketAddr,
    process::{Child, Command, ExitStatus},
    sync::{Arc, Mutex},
    thread::{self, JoinHandle},
};

use rustix::process::{Pid, Signal, kill_process};

use super::lock;
use crate::wait::{DEADLINE, eventually};

/// What the program prints to stdout once it is ready, before its address.
const READY_LINE: &str = "listening on http://";

pub(super) struct Process {
    child: Child,
    written: Arc<Mutex<String>>,
    readers: Vec<JoinHandle<()>>,
}

impl Process {
    pub(super) fn spawn(mut command: Command) -> Process {
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(error) => panic!("cannot run {:?}: {error}", command.get_program()),
        };
        let written = Arc::new(Mutex::new(String::new()));
        let readers = vec![
            keep(child.stdout.take().expect("stdout is piped"), written.clone()),
            keep(child.stderr.take().expect("stderr is piped"), written.clone()),
        ];
        Process { child, written, readers }
    }

    /// Waits for the line that says where it listens.
    pub(super) async fn address(&mut self) -> SocketAddr {
        let mut address = None;
        let find = || {
            let log = self.log();
            let line = log.lines().find_map(|line| line.trim().strip_prefix(READY_LINE)).map(str::to_owned);
            line.map(|line| line.split_whitespace().next().unwrap_or_default().trim_end_matches('/').to_owned())
        };
        eventually("the gateway says where it listens", DEADLINE, async || {
            address = find();
            address.is_some() || lock(&self.written).contains("\0exited")
        })
        .await;
        let Some(address) = address else {
            panic!("the gateway stopped at start ({:?}); its log:\n{}", self.exited(), self.log());
        };
        match address.parse() {
            Ok(address) => address,
            Err(error) => panic!("{READY_LINE}{address}: {error}"),
        }
    }

    pub(super) fn log(&self) -> String {
        lock(&self.written).replace("\0exited", "")
    }

    /// Its status, once it has stopped and everything it wrote has been read.
    pub(super) fn exited(&mut self) -> Option<ExitStatus> {
        let status = self.child.try_wait().expect("our own child")?;
        for reader in self.readers.drain(..) {
            let _ = reader.join();
        }
        Some(status)
    }

    pub(super) fn terminate(&self) {
        if let Some(pid) = self.pid() {
            // It may have stopped already: then there is nothing to ask.
            let _ = kill_process(pid, Signal::TERM);
        }
    }

    pub(super) fn resident_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
        line.split_whitespace().next().and_then(|number| number.parse().ok()).expect("VmRSS of a running process")
    }

    fn pid(&self) -> Option<Pid> {
        Pid::from_raw(i32::try_from(self.child.id()).ok()?)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only when it has stopped already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Copies lines as they come, so that a full pipe never stops the program.
fn keep(from: impl Read + Send + 'static, to: Arc<Mutex<String>>) -> JoinHandle<()> {
    thread::spawn(move || {
        let mut lines = BufReader::new(from);
        let mut line = Vec::new();
        while lines.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
            lock(&to).push_str(&String::from_utf8_lossy(&line));
            line.clear();
        }
        lock(&to).push_str("\0exited");
    })
}
