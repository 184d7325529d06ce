//! The failure of a command, as text and as JSON.

use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;

use clap::builder::styling::{AnsiColor, Style};
use justcall_auth::source::shown;
use justcall_auth::{Error, Finding};
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::argument_mask::ArgumentMask;
use crate::exit::Exit;
use crate::explanations::Explanation;
use crate::output::Output;

/// The style of failures.
pub(crate) const RED: Style = AnsiColor::Red.on_default().bold();
/// The style of successes.
pub(crate) const GREEN: Style = AnsiColor::Green.on_default().bold();
/// The style of warnings.
pub(crate) const YELLOW: Style = AnsiColor::Yellow.on_default().bold();
/// The style of remedies.
pub(crate) const CYAN: Style = AnsiColor::Cyan.on_default();

/// The reason why a command failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// An error of the table.
    Known(Error),
    /// An error of the table, with its response.
    Answered { error: Error, answer: Box<Answer>, include: bool },
    /// Standard output could not be written.
    Output(io::Error),
    /// The file for the response could not be written.
    File { path: PathBuf, error: io::Error },
    /// A failure that the command has already reported, with its exit code.
    Reported(Exit),
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
    /// Reports the failure. Returns the exit code.
    pub fn show(&self, output: &Output) -> Exit {
        match self {
            Self::Known(error) => {
                output.failure(&text(error, output.argument_mask()), &json(error, output.argument_mask()));
                Explanation::of(error.kind()).exit
            }
            Self::Answered { error, answer, include } => {
                let mut object = json(error, output.argument_mask());
                object["response"] = answer.json();
                output.failure(&text(error, output.argument_mask()), &object);
                if !output.is_json() {
                    output.diagnose_answer(answer, *include);
                }
                Explanation::of(error.kind()).exit
            }
            Self::Reported(exit) => *exit,
            Self::File { path, error } => {
                let path = shown(path);
                let path = output.argument_mask().mask(&path);
                output.diagnose(&format!("{RED}✗{RED:#} The file {path} cannot be written: {error}.\n"));
                Exit::Failure
            }
            // The reader of the output has closed it, which needs no report.
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Failure,
            Self::Output(error) => {
                output.diagnose(&format!("{RED}✗{RED:#} Standard output cannot be written: {error}.\n"));
                Exit::Failure
            }
        }
    }
}

/// Returns the hint of an error.
pub(crate) fn hint(error: &Error) -> String {
    with_options(error.hint())
}

/// Returns a text of the library, with the options of the command in place of the settings that it names.
pub(crate) fn with_options(text: &str) -> String {
    const SETTINGS: [(&str, &str); 3] = [
        ("ca_file", "--ca-file"),
        ("max_response_length", "--max-response-length"),
        ("local_address", "--local-address"),
    ];
    SETTINGS.iter().fold(text.to_owned(), |text, (setting, option)| text.replace(setting, option))
}

/// Returns the failure as text: the message, the answer of the service, the hint.
pub(crate) fn text(error: &Error, argument_mask: &ArgumentMask) -> String {
    let mut text = format!("{RED}✗ {}{RED:#}: {}", error.kind().name(), argument_mask.mask(error.message()));
    let status = error.http_status();
    let is_in_message =
        i32::from(status) == error.kind().number() || error.message().contains(&status.to_string());
    if status != 0 && !is_in_message {
        write!(text, " (HTTP {status})").expect("a String takes everything");
    }
    text.push('\n');
    if let Some(message) = error.service_message() {
        writeln!(text, "The service answered: \"{}\"", argument_mask.mask(message))
            .expect("a String takes everything");
    }
    writeln!(text, "{CYAN}→{CYAN:#} {}", argument_mask.mask(&hint(error)))
        .expect("a String takes everything");
    text
}

/// Returns the failure as JSON, without its response.
fn json(error: &Error, argument_mask: &ArgumentMask) -> Value {
    json!({
        "name": error.kind().name(),
        "code": error.kind().number(),
        "message": argument_mask.mask(error.message()),
        "hint": argument_mask.mask(&hint(error)),
        "http_status": error.http_status(),
        "service_message": error.service_message().map(|text| argument_mask.mask(text)),
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
