//! A finding of a check.

use super::code::{Code, Severity};
use crate::table;

/// One fault or note that a check found. Its texts never contain the value.
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

    /// Creates a finding about the pair as a whole.
    pub fn of_pair(code: Code) -> Self {
        Self::new(code, Subject::Pair)
    }

    /// Creates a finding about `place`. The message starts with the place. A place is safe to log, such as the name of
    /// a variable or a path.
    pub fn at(code: Code, place: &str) -> Self {
        Self::of_pair(code).in_place(place)
    }

    /// Returns this finding with its place, which the message then starts with. A place is safe to log.
    #[must_use]
    pub fn in_place(mut self, place: &str) -> Self {
        self.message = format!("{place}: {}", self.message);
        self.place = Some(place.to_owned());
        self
    }

    /// Returns the code.
    pub fn code(&self) -> Code {
        self.code
    }

    /// Returns the severity.
    pub fn severity(&self) -> Severity {
        self.code.severity()
    }

    /// Returns the message: the fault, the place and the half.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns the instruction that removes the fault.
    pub fn remedy(&self) -> &'static str {
        self.code.remedy()
    }

    /// Returns the place, such as a variable, a file or several, or `None` if the finding has none.
    pub fn place(&self) -> Option<&str> {
        self.place.as_deref()
    }
}

/// Sorts by severity, then by the order of the table, which starts with the most specific code. Removes duplicates.
pub(super) fn worst_first(mut found: Vec<Finding>) -> Vec<Finding> {
    found.sort_by_key(|finding| (finding.severity(), finding.code()));
    found.dedup();
    found
}

table! {
    /// The subject of a finding.
    pub(super) enum Subject {
        /// Returns the name that messages use.
        name: &'static str,
    }

    Key { name: "API key" }
    Secret { name: "API secret" }
    /// Both halves, as one text.
    Pair { name: "pair" }
    /// A text that may be either half.
    Value { name: "value" }
    /// The name of a half.
    Name { name: "name" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_names_its_place_if_it_has_one() {
        let finding = Finding::of_pair(Code::OneHalf);
        assert_eq!(finding.place(), None);
        let placed = finding.clone().in_place("JUSTCALL_AUTH");
        assert_eq!(placed.place(), Some("JUSTCALL_AUTH"));
        assert_eq!(placed.message(), format!("JUSTCALL_AUTH: {}", finding.message()));
        assert_eq!(placed, Finding::at(Code::OneHalf, "JUSTCALL_AUTH"));
    }
}
