//! `explain`: the meaning and the remedy of an error, an HTTP status or a finding.

use std::fmt::Write as _;

use clap::builder::styling::Style;
use justcall_auth::classify::classify;
use justcall_auth::diagnose::{Code, Example};
use justcall_auth::{Error, ErrorKind, Response, Severity};
use justcall_auth_scan::ScanCode;
use serde_json::{Value, json};

use crate::exit::Exit;
use crate::explanations::Explanation;
use crate::failure::{Failure, with_options};
use crate::output::Output;

const BOLD: Style = Style::new().bold();
/// The least similarity of a suggested name (Jaro-Winkler, 0.0 to 1.0), and the number of suggestions.
const MIN_SIMILARITY: f64 = 0.8;
const SUGGESTIONS: usize = 3;

pub(super) fn run(name: Option<&str>, output: &Output) -> Result<(), Failure> {
    match name {
        None => Ok(output.success(&list(), all_json())?),
        Some(name) => {
            let topic = Topic::find(name).ok_or_else(|| unknown(name))?;
            Ok(output.success(&topic.text(), json!({"explanation": topic.json()}))?)
        }
    }
}

/// A topic that can be explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Topic {
    Error(ErrorKind),
    Finding(Code),
    /// A finding of `scan`.
    Leak(ScanCode),
}

impl Topic {
    fn all() -> impl Iterator<Item = Self> {
        let errors = ErrorKind::ALL.iter().copied().map(Self::Error);
        let leaks = ScanCode::ALL.iter().copied().map(Self::Leak);
        errors.chain(Code::ALL.iter().copied().map(Self::Finding)).chain(leaks)
    }

    /// Finds a topic by name, in any case and also with dashes, by number, or by HTTP status.
    fn find(name: &str) -> Option<Self> {
        if let Ok(number) = name.parse() {
            return of_number(number).map(Self::Error);
        }
        let name = normal(name);
        Self::all().find(|topic| topic.name() == name)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Error(kind) => kind.name(),
            Self::Finding(code) => code.name(),
            Self::Leak(code) => code.name(),
        }
    }

    /// Returns the error that the topic causes: a finding of severity error causes malformed credentials, another none.
    fn kind(self) -> Option<ErrorKind> {
        match self {
            Self::Error(kind) => Some(kind),
            Self::Finding(code) => {
                (code.severity() == Severity::Error).then_some(ErrorKind::CredentialsMalformed)
            }
            Self::Leak(_) => None,
        }
    }

    fn message(self) -> String {
        match self {
            Self::Error(kind) => kind.message().to_owned(),
            Self::Finding(code) => code.message().replace("{}", "API key or secret"),
            Self::Leak(code) => code.message().to_owned(),
        }
    }

    fn remedy(self) -> String {
        with_options(match self {
            Self::Error(kind) => kind.remedy(),
            Self::Finding(code) => code.remedy(),
            Self::Leak(code) => code.remedy(),
        })
    }

    fn retryable(self) -> bool {
        self.kind().is_some_and(ErrorKind::retryable)
    }

    fn text(self) -> String {
        let what = match self {
            Self::Error(kind) => kind.number().to_string(),
            Self::Finding(code) => format!("a finding of the local check: {}", code.severity().name()),
            Self::Leak(_) => "a finding of scan".to_owned(),
        };
        let retry = match (self.kind(), self.retryable()) {
            (None, _) if matches!(self, Self::Leak(_)) => "does not help until the cause is removed",
            (None, _) => "not needed: the pair is sent anyway",
            (_, true) => "may help without any change",
            (_, false) => "does not help until the cause is removed",
        };
        let exit = match (self, self.kind()) {
            (Self::Finding(_), Some(kind)) => {
                format!("{} ({})", Explanation::of(kind).exit.code(), kind.name())
            }
            (_, Some(kind)) => Explanation::of(kind).exit.code().to_string(),
            (Self::Leak(_), None) => format!("{} (of scan)", Exit::Failure.code()),
            (_, None) => "none: it is not a failure".to_owned(),
        };
        let mut text = format!(
            "{BOLD}{}{BOLD:#} ({what})\n  {}\n→ {}\n  Retry: {retry}.\n  Exit code: {exit}\n\n{}\n",
            self.name(),
            self.message(),
            self.remedy(),
            self.explanation(),
        );
        if !self.causes().is_empty() {
            write!(text, "\n{BOLD}Causes, the most common first{BOLD:#}\n")
                .expect("a String takes everything");
            for (index, cause) in self.causes().iter().enumerate() {
                writeln!(text, "  {}. {cause}", index + 1).expect("a String takes everything");
            }
        }
        let example = match self {
            Self::Error(kind) => format!("  {}", Explanation::of(kind).example),
            Self::Finding(code) => {
                let Example { bad, good } = code.example();
                format!("  instead of  {bad}\n  write       {good}")
            }
            Self::Leak(code) => {
                let Example { bad, good } = code.example();
                format!("  instead of  {bad}\n  have        {good}")
            }
        };
        write!(text, "\n{BOLD}Example{BOLD:#}\n{example}\n").expect("a String takes everything");
        text
    }

    fn explanation(self) -> &'static str {
        match self {
            Self::Error(kind) => Explanation::of(kind).text,
            Self::Finding(code) => code.explanation(),
            Self::Leak(code) => code.explanation(),
        }
    }

    /// Returns a text for an error. For a finding, returns the wrong input and the right one.
    fn example_json(self) -> Value {
        let Example { bad, good } = match self {
            Self::Error(kind) => return Explanation::of(kind).example.into(),
            Self::Finding(code) => code.example(),
            Self::Leak(code) => code.example(),
        };
        json!({"bad": bad, "good": good})
    }

    fn causes(self) -> &'static [&'static str] {
        match self {
            Self::Error(kind) => Explanation::of(kind).causes,
            // A finding has no separate causes.
            Self::Finding(_) | Self::Leak(_) => &[],
        }
    }

    fn json(self) -> Value {
        let (topic, number, severity) = match self {
            Self::Error(kind) => ("error", Some(kind.number()), None),
            Self::Finding(code) => ("finding", None, Some(code.severity().name())),
            Self::Leak(_) => ("leak", None, None),
        };
        json!({
            "type": topic,
            "name": self.name(),
            "number": number,
            "severity": severity,
            "message": self.message(),
            "remedy": self.remedy(),
            "retryable": self.retryable(),
            "explanation": self.explanation(),
            "causes": self.causes(),
            "example": self.example_json(),
            "exit_code": match self {
                Self::Leak(_) => Some(Exit::Failure.code()),
                _ => self.kind().map(|kind| Explanation::of(kind).exit.code()),
            },
        })
    }
}

/// Returns the kind of a number of the error table, or of an HTTP status without a separate row, such as 502.
fn of_number(number: i32) -> Option<ErrorKind> {
    ErrorKind::from_number(number).or_else(|| {
        let status = u16::try_from(number).ok().filter(|status| (300..=599).contains(status))?;
        let answer = Response::new(status, Vec::new(), Vec::new());
        classify(&answer, None, std::time::Duration::ZERO).err().map(|error| error.kind())
    })
}

fn normal(name: &str) -> String {
    name.to_ascii_lowercase().replace('-', "_")
}

/// Returns the error for an unknown name. The message does not contain the name, which may be a pasted secret.
fn unknown(name: &str) -> Error {
    let name = normal(name);
    let mut near: Vec<(f64, &str)> = Topic::all()
        .map(|topic| (strsim::jaro_winkler(&name, topic.name()), topic.name()))
        .filter(|(similarity, _)| *similarity >= MIN_SIMILARITY)
        .collect();
    near.sort_by(|(left, _), (right, _)| right.total_cmp(left));
    let names: Vec<&str> = near.into_iter().take(SUGGESTIONS).map(|(_, name)| name).collect();
    let hint = if names.is_empty() {
        "Run `justcall-auth explain` for a list.".to_owned()
    } else {
        format!("Did you mean {}? Run `justcall-auth explain` for a list.", names.join(" or "))
    };
    Error::invalid_argument("No error, HTTP error status or finding has that name.").with_hint(hint)
}

fn list() -> String {
    let width = Topic::all().map(|topic| topic.name().len()).max().unwrap_or_default();
    let mut text = format!("{BOLD}Errors{BOLD:#}\n");
    for kind in ErrorKind::ALL {
        writeln!(text, "  {:3}  {:width$}  {}", kind.number(), kind.name(), kind.message())
            .expect("a String takes everything");
    }
    write!(text, "\n{BOLD}Findings of the local check{BOLD:#}\n").expect("a String takes everything");
    for code in Code::ALL {
        let topic = Topic::Finding(*code);
        writeln!(text, "  {:7}  {:width$}  {}", code.severity().name(), topic.name(), topic.message())
            .expect("a String takes everything");
    }
    write!(text, "\n{BOLD}Findings of scan{BOLD:#}\n").expect("a String takes everything");
    for code in ScanCode::ALL {
        writeln!(text, "  {:7}  {:width$}  {}", "leak", code.name(), code.message())
            .expect("a String takes everything");
    }
    text
}

fn all_json() -> Value {
    let json = |which: fn(&Topic) -> bool| Topic::all().filter(which).map(Topic::json).collect::<Vec<_>>();
    json!({
        "errors": json(|topic| matches!(topic, Topic::Error(_))),
        "findings": json(|topic| matches!(topic, Topic::Finding(_))),
        "leaks": json(|topic| matches!(topic, Topic::Leak(_))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_explains_every_name_and_each_once() {
        for topic in Topic::all() {
            assert_eq!(Topic::find(topic.name()), Some(topic));
            assert_eq!(Topic::find(&topic.name().to_uppercase().replace('_', "-")), Some(topic));
            assert_eq!(Topic::all().filter(|other| other.name() == topic.name()).count(), 1);
            assert!(!topic.text().contains("{}"), "{topic:?}");
        }
    }

    #[test]
    fn it_explains_a_status_as_the_library_classifies_it() {
        assert_eq!(of_number(502), Some(ErrorKind::Unavailable));
        assert_eq!(of_number(418), Some(ErrorKind::BadRequest));
        assert_eq!(of_number(301), Some(ErrorKind::RedirectRefused));
        for nothing in [-1, 0, 7, 200, 600, 70_000] {
            assert_eq!(of_number(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn it_suggests_similar_names_without_repeating_the_input() {
        assert!(unknown("forbiden").hint().contains("Did you mean forbidden"));
        let error = unknown("canary99");
        assert!(!error.message().contains("canary99") && !error.hint().contains("canary99"));
    }
}
