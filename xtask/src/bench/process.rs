//! A process that is measured: started with its output in a file, watched through /proc, stopped when dropped.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

pub(super) struct Process {
    child: Child,
}

impl Process {
    /// Starts the command; what it prints goes to `log`.
    pub(super) fn start(command: &mut Command, log: &Path) -> Result<Self> {
        let file = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        let child =
            command.spawn().with_context(|| format!("cannot run {}", command.get_program().to_string_lossy()))?;
        Ok(Self { child })
    }

    /// Whether it has not ended.
    pub(super) fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Memory that it occupies now.
    pub(super) fn resident_bytes(&self) -> Result<u64> {
        let status = self.proc("status")?;
        let kibibytes = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        Ok(kibibytes.context("/proc says nothing about memory")? * 1024)
    }

    /// Processor time that it has used so far, all threads together. Resolution: 10 ms.
    pub(super) fn cpu_time(&self) -> Result<Duration> {
        const TICKS_A_SECOND: u64 = 100; // fixed in the kernel's interface to user space
        let stat = self.proc("stat")?;
        // The name of the program, in brackets, may hold anything; what follows it are numbers.
        let (_, numbers) = stat.rsplit_once(')').context("/proc has no figures")?;
        let field = |index: usize| numbers.split_whitespace().nth(index).and_then(|text| text.parse::<u64>().ok());
        let ticks =
            field(11).zip(field(12)).map(|(user, system)| user + system).context("/proc says nothing about time")?;
        Ok(Duration::from_millis(ticks * 1000 / TICKS_A_SECOND))
    }

    fn proc(&self, file: &str) -> Result<String> {
        let path = format!("/proc/{}/{file}", self.child.id());
        fs::read_to_string(&path).with_context(|| format!("cannot read {path}; has the process ended?"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // SIGTERM first: nginx passes it on to its worker, which SIGKILL would leave behind.
        let told = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        let deadline = Instant::now() + Duration::from_secs(5);
        while told.is_ok() && self.is_alive() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(20));
        }
        // It has ended, or does not listen; either way nothing is left to do about an error here.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
