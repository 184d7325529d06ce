//! What a check hands back.

use super::code::{Code, Severity};
use crate::table;

/// One thing that the check found. Its texts never hold the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    code: Code,
    message: String,
    place: Option<String>,
}

impl Finding {
    pub(super) fn new(code: Code, subject: Subject) -> Self {
        Self { code, message: code.message().replace("{}", subject.name()), place: None }
    }

    /// A finding about the pair as a whole.
    pub fn of_pair(code: Code) -> Self {
        Self::new(code, Subject::Pair)
    }

    /// A finding about `place`, which the message starts with. A place is safe to log: a variable's name, a path.
    pub fn at(code: Code, place: &str) -> Self {
        Self::of_pair(code).in_place(place)
    }

    /// This finding, made in `place`, which the message then starts with. A place is safe to log.
    #[must_use]
    pub fn in_place(mut self, place: &str) -> Self {
        self.message = format!("{place}: {}", self.message);
        self.place = Some(place.to_owned());
        self
    }

    /// What was found.
    pub fn code(&self) -> Code {
        self.code
    }

    /// How bad it is.
    pub fn severity(&self) -> Severity {
        self.code.severity()
    }

    /// What is the matter, where, and with which half.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to do about it.
    pub fn remedy(&self) -> &'static str {
        self.code.remedy()
    }

    /// Where it was found, if it is about a place: a variable, a file, or several.
    pub fn place(&self) -> Option<&str> {
        self.place.as_deref()
    }
}

/// The worst first; of the same severity the most telling first, the order of the table; each once.
pub(super) fn worst_first(mut found: Vec<Finding>) -> Vec<Finding> {
    found.sort_by_key(|finding| (finding.severity(), finding.code()));
    found.dedup();
    found
}

table! {
    /// What a finding is about.
    pub(super) enum Subject {
        /// What messages call it.
        name: &'static str,
    }

    Key { name: "API key" }
    Secret { name: "API secret" }
    /// Both, as one text.
    Pair { name: "pair" }
    /// Text that may be either half.
    Value { name: "value" }
    /// What a half is called.
    Name { name: "name" }
}
