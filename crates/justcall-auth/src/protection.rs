//! What was asked of the memory that keeps the pair, what was obtained, and why not more.

use justcall_auth_protocol::credentials::Credentials;
use justcall_auth_secret::{Level, Protection};

/// How a client's pair is protected while it rests.
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

    /// What was asked for.
    pub fn asked(&self) -> Level {
        self.asked
    }

    /// What was obtained.
    pub fn obtained(&self) -> Protection {
        self.obtained
    }

    /// Why it is not the best that was asked for, where it is not.
    pub fn why_not(&self) -> Option<&str> {
        self.why_not.as_deref()
    }
}
