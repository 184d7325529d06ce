//! An environment for tests.

use std::ffi::OsString;

use super::Environment;

/// An environment that holds these variables alone.
pub(crate) struct Variables<'a>(pub &'a [(&'a str, &'a str)]);

impl Environment for Variables<'_> {
    fn variable(&self, name: &str) -> Option<OsString> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into())
    }
}
