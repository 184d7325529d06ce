//! How a command fails, as a person and as a program read it.

use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;

use clap::builder::styling::{AnsiColor, Style};
use justcall_auth::source::shown;
use justcall_auth::{Error, Finding};
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::exit::Exit;
use crate::explanations::Explanation;
use crate::output::Output;
use crate::unechoed::Unechoed;

/// Failures.
pub(crate) const RED: Style = AnsiColor::Red.on_default().bold();
/// What is well.
pub(crate) const GREEN: Style = AnsiColor::Green.on_default().bold();
/// Warnings.
pub(crate) const YELLOW: Style = AnsiColor::Yellow.on_default().bold();
/// Remedies.
pub(crate) const CYAN: Style = AnsiColor::Cyan.on_default();

/// Why a command failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A row of the error table.
    Known(Error),
    /// The same, with the answer that says more.
    Answered { error: Error, answer: Box<Answer>, include: bool },
    /// Standard output could not be written.
    Output(io::Error),
    /// The file that was to take the answer could not be written.
    File { path: PathBuf, error: io::Error },
    /// The command itself has told what is wrong, and how it ends.
    Told(Exit),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Known(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl Failure {
    /// Shows it and says how the command ends.
    pub fn show(&self, output: &Output) -> Exit {
        match self {
            Self::Known(error) => {
                output.failure(&text(error, output.unechoed()), &json(error, output.unechoed()));
                Explanation::of(error.kind()).exit
            }
            Self::Answered { error, answer, include } => {
                let mut object = json(error, output.unechoed());
                object["response"] = answer.json();
                output.failure(&text(error, output.unechoed()), &object);
                if !output.is_json() {
                    output.diagnose_answer(answer, *include);
                }
                Explanation::of(error.kind()).exit
            }
            Self::Told(exit) => *exit,
            Self::File { path, error } => {
                let path = shown(path);
                let path = output.unechoed().mask(&path);
                output.diagnose(&format!("{RED}✗{RED:#} The file {path} cannot be written: {error}.\n"));
                Exit::Failure
            }
            // Whoever read the output has gone, and knows it.
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Failure,
            Self::Output(error) => {
                output.diagnose(&format!("{RED}✗{RED:#} Standard output cannot be written: {error}.\n"));
                Exit::Failure
            }
        }
    }
}

/// For a person: what happened, what the service says, what to do.
pub(crate) fn text(error: &Error, unechoed: &Unechoed) -> String {
    let mut text = format!("{RED}✗ {}{RED:#}: {}", error.kind().name(), unechoed.mask(error.message()));
    let status = error.http_status();
    let is_told = i32::from(status) == error.kind().number() || error.message().contains(&status.to_string());
    if status != 0 && !is_told {
        write!(text, " (HTTP {status})").expect("a String takes everything");
    }
    text.push('\n');
    if let Some(said) = error.service_message() {
        writeln!(text, "The service says: \"{}\"", unechoed.mask(said)).expect("a String takes everything");
    }
    if let Some(wait) = error.retry_after() {
        writeln!(text, "The service asks to wait {} s.", wait.as_secs_f64())
            .expect("a String takes everything");
    }
    writeln!(text, "{CYAN}→{CYAN:#} {}", unechoed.mask(error.hint())).expect("a String takes everything");
    text
}

/// For a program: all that the error carries, but for the response itself.
fn json(error: &Error, unechoed: &Unechoed) -> Value {
    json!({
        "name": error.kind().name(),
        "code": error.kind().number(),
        "message": unechoed.mask(error.message()),
        "hint": unechoed.mask(error.hint()),
        "http_status": error.http_status(),
        "service_message": error.service_message().map(|said| unechoed.mask(said)),
        "retryable": error.retryable(),
        "retry_after": error.retry_after().map(|wait| wait.as_secs_f64()),
        "request_sent": error.request_sent(),
        "reason": error.reason(),
        "findings": error.findings().iter().map(finding).collect::<Vec<_>>(),
    })
}

fn finding(finding: &Finding) -> Value {
    json!({
        "code": finding.code().name(),
        "severity": finding.severity().name(),
        "message": finding.message(),
        "remedy": finding.remedy(),
    })
}
