//! The log that a plugin may write to: a bounded ring, off until somebody wants to read it.

use std::{
    collections::VecDeque,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use crate::sandbox::Tail;

const LINES_MAX: usize = 256;
const LINE_BYTES_MAX: usize = 1024;
/// Lines a second that go to the server's log, of all guests of one plugin.
const LINES_A_SECOND: u32 = 100;

/// The last lines that a plugin's guests wrote, across exchanges.
#[derive(Debug, Default)]
pub(crate) struct PluginLog {
    on: AtomicBool,
    lines: Mutex<VecDeque<String>>,
    /// Name of the plugin's file, when its lines go to the server's log as well.
    aloud: Option<String>,
    pace: Mutex<Pace>,
}

/// How many lines there were in the second that runs.
#[derive(Debug, Default)]
struct Pace {
    since: Option<Instant>,
    lines: u32,
    dropped: u32,
}

impl PluginLog {
    /// The log of a plugin file. `aloud`: on from the start, and its lines go to the server's log too.
    pub(crate) fn of(file: &str, aloud: bool) -> PluginLog {
        let log = PluginLog { aloud: aloud.then(|| file.to_owned()), ..PluginLog::default() };
        log.set(aloud);
        log
    }

    /// Whether somebody reads it.
    pub(crate) fn is_on(&self) -> bool {
        self.on.load(Ordering::Relaxed)
    }

    /// Starts or stops keeping lines; stopping forgets them.
    pub(crate) fn set(&self, on: bool) {
        self.on.store(on, Ordering::Relaxed);
        if !on {
            self.lines.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
    }

    /// Keeps a line, cut to its limit, when the log is on.
    pub(crate) fn write(&self, level: &str, text: &str) {
        if !self.on.load(Ordering::Relaxed) {
            return;
        }
        let line = format!("{level}: {}", cut(text, LINE_BYTES_MAX));
        if let Some(file) = &self.aloud {
            self.say(file, &line);
        }
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == LINES_MAX {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    /// Keeps why a guest failed, and what it wrote to stderr, line by line.
    pub(crate) fn failure(&self, stderr: &Tail, why: &str) {
        if self.is_on() {
            stderr.text().lines().for_each(|line| self.write("stderr", line));
            self.write("error", why);
        }
    }

    /// Puts a line into the server's log, unless there were too many in this second.
    fn say(&self, file: &str, line: &str) {
        let mut pace = self.pace.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if pace.since.is_none_or(|since| now.duration_since(since) >= Duration::from_secs(1)) {
            if pace.dropped > 0 {
                tracing::info!(target: "plugin", file, dropped = pace.dropped, "lines were left out");
            }
            *pace = Pace { since: Some(now), ..Pace::default() };
        }
        if pace.lines == LINES_A_SECOND {
            pace.dropped += 1;
            return;
        }
        pace.lines += 1;
        tracing::info!(target: "plugin", file, text = one_line(line));
    }

    /// What is kept now, oldest first.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

/// The longest prefix of `text` that fits `max` bytes and ends at a character.
pub(crate) fn cut(text: &str, max: usize) -> &str {
    if text.len() <= max { text } else { &text[..text.floor_char_boundary(max)] }
}

/// A guest's text as one line that does nothing to who looks at it: what would clear a terminal or begin a line of a log is spelled out.
pub fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for letter in text.trim_end().chars() {
        match letter {
            '\n' => line.push_str(" / "),
            '\r' => {}
            '\t' => line.push(' '),
            letter if letter.is_control() || turns_direction(letter) => line.extend(letter.escape_unicode()),
            letter => line.push(letter),
        }
    }
    line
}

/// Whether this character begins a line or turns the direction of what follows, though it is no control character.
pub fn turns_direction(letter: char) -> bool {
    matches!(letter, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ring_is_bounded_and_off_by_default() {
        let log = PluginLog::default();
        log.write("info", "nobody reads this");
        assert!(log.lines().is_empty());
        log.set(true);
        for number in 0..300 {
            log.write("info", &format!("{number} {}", "ä".repeat(2000)));
        }
        let lines = log.lines();
        assert_eq!(lines.len(), LINES_MAX);
        assert!(lines[0].starts_with("info: 44 "), "{}", &lines[0][..20]);
        assert!(lines.iter().all(|line| line.len() <= LINE_BYTES_MAX + 6));
    }

    #[test]
    fn a_line_is_one_line_and_harmless() {
        assert_eq!(one_line("a\r\nb\tc\u{1b}[2J\u{202e}d\n"), "a / b c\\u{1b}[2J\\u{202e}d");
        assert_eq!(one_line("名前"), "名前");
    }
}
