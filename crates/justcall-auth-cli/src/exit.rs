//! What the command's exit code says.

use std::process::ExitCode;

use justcall_auth::table;

table! {
    /// How the command ended. Scripts rely on its code.
    pub(crate) enum Exit {
        /// The exit code.
        code: u8,
        /// What the code says, for the help.
        meaning: &'static str,
    }

    Success { code: 0, meaning: "success" }
    Failure { code: 1,
        meaning: "another failure (redirect, unreadable source or response, not found, …), or findings of `scan`",
    }
    Usage { code: 2, meaning: "the arguments are invalid, and nothing was done" }
    Credentials { code: 3, meaning: "the credentials are missing or malformed, and nothing was sent" }
    Rejected { code: 4, meaning: "the service rejected the credentials (401)" }
    Forbidden { code: 5, meaning: "the credentials are valid but do not permit the request (403)" }
    RateLimited { code: 6, meaning: "rate limited (429)" }
    Network { code: 7, meaning: "network, TLS or timeout" }
    Service { code: 8, meaning: "the service failed (5xx)" }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_lists_the_codes_from_zero_without_a_gap() {
        let codes: Vec<usize> = Exit::ALL.iter().map(|exit| exit.code().into()).collect();
        assert_eq!(codes, (0..Exit::ALL.len()).collect::<Vec<_>>());
    }
}
