//! One check: its name, its status, and a remedy.

use std::fmt::Write as _;
use std::time::Duration;

use clap::builder::styling::Style;
use justcall_auth::{Error, Finding, table};
use serde_json::{Value, json};

use crate::argument_mask::ArgumentMask;
use crate::exit::Exit;
use crate::explanations::Explanation;
use crate::failure::{CYAN, GREEN, RED, YELLOW, hint};

const DIM: Style = Style::new().dimmed();
/// The length of the longest name.
const WIDTH: usize = 13;

table! {
    /// The status of a check.
    pub(super) enum Status {
        /// The name in JSON.
        name: &'static str,
        /// The mark in text.
        mark: (char, Style),
    }

    Ok { name: "ok", mark: ('✓', GREEN) }
    /// It works, but is rarely intended.
    Warning { name: "warning", mark: ('!', YELLOW) }
    Failed { name: "failed", mark: ('✗', RED) }
    /// It does not apply, or a check that it needs has failed.
    Skipped { name: "skipped", mark: ('–', DIM) }
}

/// The result of a check.
#[derive(Debug)]
pub(super) struct Verdict {
    status: Status,
    detail: String,
    remedy: Option<String>,
    exit: Option<Exit>,
}

impl Verdict {
    pub fn ok(detail: impl Into<String>) -> Self {
        Self { status: Status::Ok, detail: detail.into(), remedy: None, exit: None }
    }

    /// Returns a result that works, but not as well as it could.
    pub fn caution(detail: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { status: Status::Warning, remedy: Some(remedy.into()), ..Self::ok(detail) }
    }

    pub fn skipped(why: impl Into<String>) -> Self {
        Self { status: Status::Skipped, ..Self::ok(why) }
    }

    pub fn failed(detail: impl Into<String>, remedy: impl Into<String>, exit: Exit) -> Self {
        Self { status: Status::Failed, remedy: Some(remedy.into()), exit: Some(exit), ..Self::ok(detail) }
    }

    pub fn error(error: &Error) -> Self {
        let mut detail = error.message().to_owned();
        if let Some(text) = error.service_message() {
            detail = format!("{detail} The service answered: \"{text}\"");
        }
        Self::failed(detail, hint(error), Explanation::of(error.kind()).exit)
    }

    /// Returns a warning with `findings`, or the status ok with the text `well` if there are none.
    pub fn warning(findings: &[Finding], well: impl Into<String>) -> Self {
        if findings.is_empty() {
            return Self::ok(well);
        }
        let join = |texts: Vec<&str>| texts.join(" ");
        let remedies = findings.iter().map(Finding::remedy).collect();
        Self {
            status: Status::Warning,
            remedy: Some(join(remedies)),
            ..Self::ok(join(findings.iter().map(Finding::message).collect()))
        }
    }

    /// Returns the same result with a remedy, although the status is ok.
    pub fn with_remedy(self, remedy: impl Into<String>) -> Self {
        Self { remedy: Some(remedy.into()), ..self }
    }
}

/// A check with its result and its time.
#[derive(Debug)]
pub(super) struct Check {
    pub name: &'static str,
    verdict: Verdict,
    took: Duration,
}

impl Check {
    pub fn new(name: &'static str, verdict: Verdict, took: Duration) -> Self {
        Self { name, verdict, took }
    }

    pub fn status(&self) -> Status {
        self.verdict.status
    }

    /// Returns the exit code of the command if this is the first check that failed.
    pub fn exit(&self) -> Option<Exit> {
        self.verdict.exit
    }

    fn millis(&self) -> Option<u64> {
        let took = u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX);
        (self.status() != Status::Skipped).then_some(took)
    }

    /// Returns one line and the remedy below it. The line ends with the time if `is_timed` is true.
    pub fn text(&self, is_timed: bool, argument_mask: &ArgumentMask) -> String {
        let (mark, style) = self.status().mark();
        let name = self.name.replace('_', " ");
        let time = match self.millis().filter(|_| is_timed) {
            Some(millis) => format!(" {DIM}({millis} ms){DIM:#}"),
            None => String::new(),
        };
        let detail = argument_mask.mask(&self.verdict.detail);
        let mut text = format!("{style}{mark}{style:#} {name:WIDTH$}  {detail}{time}\n");
        if let Some(remedy) = &self.verdict.remedy {
            writeln!(text, "  {CYAN}→{CYAN:#} {}", argument_mask.mask(remedy))
                .expect("a String takes everything");
        }
        text
    }

    pub fn json(&self, argument_mask: &ArgumentMask) -> Value {
        json!({
            "name": self.name,
            "status": self.status().name(),
            "detail": argument_mask.mask(&self.verdict.detail),
            "remedy": self.verdict.remedy.as_deref().map(|remedy| argument_mask.mask(remedy)),
            "ms": self.millis(),
        })
    }
}
