//! The only place that writes to stdout and stderr.
//!
//! *Invariants.* With `--json` stdout holds one JSON value and nothing else. A closed pipe ends the output
//! in silence.
//!
//! *Source*: ours.

use std::io::{self, BufRead, IsTerminal, Read, Write};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use tracing_subscriber::EnvFilter;

use super::error::CliError;

/// How this run answers.
#[derive(Debug)]
pub(super) struct Out {
    is_json: bool,
}

impl Out {
    pub(super) const fn new(is_json: bool) -> Self {
        Self { is_json }
    }

    /// Whether this run answers in JSON.
    pub(super) const fn is_json(&self) -> bool {
        self.is_json
    }

    /// Answers with a value, or with the same in words.
    pub(super) fn show(&self, value: &impl Serialize, words: &[String]) -> Result<(), CliError> {
        let text = if self.is_json {
            serde_json::to_string(value)? + "\n"
        } else {
            words.iter().map(|line| printable(line) + "\n").collect()
        };
        self.raw(&text)
    }

    /// A bar on stderr for what takes its time, of so many of these; only a person at a terminal sees it.
    pub(super) fn progress(&self, total: u64, of: &'static str) -> ProgressBar {
        if self.is_json || !io::stderr().is_terminal() {
            return ProgressBar::hidden();
        }
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr_with_hz(5));
        let style = ProgressStyle::with_template("{wide_bar} {human_pos} of {human_len} {msg}");
        // Err: the template is wrong, which the first use would have shown; the plain bar does.
        style.map_or_else(|_| bar.clone(), |style| bar.clone().with_style(style)).with_message(of)
    }

    /// The same, of so many bytes that are read or written.
    pub(super) fn bytes_progress(&self, what: &'static str, bytes: u64) -> ProgressBar {
        if self.is_json || !io::stderr().is_terminal() {
            return ProgressBar::hidden();
        }
        let bar = "{msg:>9} [{wide_bar}] {bytes}/{total_bytes}, {eta} left";
        let style = ProgressStyle::with_template(bar);
        let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
        ProgressBar::new(bytes).with_style(style).with_message(what)
    }

    /// A sign of life on stderr while something is waited for; only a person at a terminal sees it.
    pub(super) fn spinner(&self, what: &str) -> ProgressBar {
        if self.is_json || !io::stderr().is_terminal() {
            return ProgressBar::hidden();
        }
        ProgressBar::new_spinner().with_message(printable(what))
    }

    /// Sends the log to stderr, as much of it as the filter lets through.
    pub(super) fn log(&self, filter: &str) {
        // A filter from the config has been checked.
        let filter = EnvFilter::builder().parse_lossy(filter);
        let lines = tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_writer(io::stderr)
            .with_ansi(false);
        // Err: a logger is there already, which only a test may have set up.
        let _set = if self.is_json { lines.json().try_init() } else { lines.try_init() };
    }

    /// Answers with text as it stands.
    pub(super) fn raw(&self, text: &str) -> Result<(), CliError> {
        let mut stdout = io::stdout().lock();
        match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(CliError::Output(error)),
            _ => Ok(()),
        }
    }

    /// Whether the person at the terminal says yes; none if nobody can be asked there.
    pub(super) fn confirm(&self, words: &[String], question: &str) -> Option<bool> {
        if self.is_json || !io::stdin().is_terminal() {
            return None;
        }
        let mut stderr = io::stderr().lock();
        for line in words {
            writeln!(stderr, "{}", printable(line)).ok()?;
        }
        write!(stderr, "{question} Write yes or no: ").ok()?;
        stderr.flush().ok()?;
        let mut answer = String::new();
        io::stdin().lock().take(16).read_line(&mut answer).ok()?;
        Some(answer.trim().eq_ignore_ascii_case("yes"))
    }

    /// Tells what went wrong; there is nobody to tell when that cannot be told.
    pub(super) fn error(&self, error: &CliError) {
        let text = if self.is_json {
            let error = serde_json::json!({ "code": error.code(), "message": error.to_string() });
            serde_json::json!({ "error": error }).to_string()
        } else {
            format!("error: {error} [{}]", error.code())
        };
        let _closed = writeln!(io::stderr(), "{text}");
    }
}

/// What partners wrote must not move the cursor of whoever reads it.
fn printable(line: &str) -> String {
    line.chars().map(|char| if char.is_control() { ' ' } else { char }).collect()
}

/// A number of bytes, as people read it.
pub(super) fn bytes_in_words(bytes: u64) -> String {
    match bytes {
        0..10_000 => format!("{bytes} B"),
        10_000..10_000_000 => format!("{} kB", bytes / 1_000),
        10_000_000.. => format!("{} MB", bytes / 1_000_000),
    }
}

/// For how long something has been so, as people read it.
pub(super) fn age_in_words(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} minutes", seconds / 60),
        7_200..172_800 => format!("{} hours", seconds / 3_600),
        172_800.. => format!("{} days", seconds / 86_400),
    }
}

/// A claimed time, as people read it.
pub(super) fn time_in_words(ms: u64) -> String {
    let time = i64::try_from(ms).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    time.map_or_else(|| format!("{ms} ms"), |time| format!("{time:.0}"))
}

/// One thing or several.
pub(super) fn count_in_words(count: usize, one: &str, several: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {several}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short() {
        assert_eq!(bytes_in_words(9_999), "9999 B");
        assert_eq!(bytes_in_words(10_000), "10 kB");
        assert_eq!(bytes_in_words(12_345_678), "12 MB");
        assert_eq!(count_in_words(1, "note", "notes"), "1 note");
        assert_eq!(count_in_words(0, "note", "notes"), "0 notes");
    }

    #[test]
    fn ages_are_told_in_one_unit() {
        assert_eq!(age_in_words(119), "119 s");
        assert_eq!(age_in_words(120), "2 minutes");
        assert_eq!(age_in_words(90_000), "25 hours");
        assert_eq!(age_in_words(172_800), "2 days");
    }

    #[test]
    fn control_characters_are_not_printed() {
        assert_eq!(printable("a\u{1b}[2Jb\nc\u{9b}é"), "a [2Jb c é");
    }

    #[test]
    fn times_are_universal_and_whole_seconds() {
        assert_eq!(time_in_words(1_511_136_000_123), "2017-11-20T00:00:00Z");
        assert_eq!(time_in_words(u64::MAX), format!("{} ms", u64::MAX));
    }
}
