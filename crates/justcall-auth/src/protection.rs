//! The requested and the obtained protection of the pair's memory.

use justcall_auth_protocol::credentials::Credentials;
use justcall_auth_secret::{Level, Protection};

/// The protection of a client's pair at rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProtectionReport {
    asked: Level,
    obtained: Protection,
    why_not: Option<String>,
}

impl ProtectionReport {
    pub(crate) fn new(asked: Level, credentials: &Credentials) -> Self {
        let why_not = credentials.protection_refused().map(|refused| refused.why);
        Self { asked, obtained: credentials.protection(), why_not }
    }

    /// Returns the requested level.
    pub fn asked(&self) -> Level {
        self.asked
    }

    /// Returns the obtained protection.
    pub fn obtained(&self) -> Protection {
        self.obtained
    }

    /// Returns why the system refused a better protection of the requested level, or `None` if it refused nothing.
    pub fn why_not(&self) -> Option<&str> {
        self.why_not.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reports_the_requested_and_the_obtained_protection() {
        let pair = Credentials::new(b"abc123def456", b"sec789xyz000").expect("a good pair");
        let pair = pair.with_protection(Level::Heap).expect("enough memory");
        for asked in [Level::Auto, Level::Heap] {
            let report = ProtectionReport::new(asked, &pair);
            assert_eq!((report.asked(), report.obtained()), (asked, Protection::Heap));
            assert_eq!(report.why_not(), None);
        }
    }
}
