//! What the command's exit code says: one table from the error's kind to the code.

use std::process::ExitCode;

use justcall_auth::ErrorKind;

/// How the command ended. Its number is the exit code, which scripts rely on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    Success = 0,
    Failure = 1,
    Usage = 2,
    Credentials = 3,
    Rejected = 4,
    Forbidden = 5,
    RateLimited = 6,
    Network = 7,
    Service = 8,
}

/// Every kind of error and how the command ends with it.
const TABLE: &[(ErrorKind, Exit)] = &[
    (ErrorKind::InvalidArgument, Exit::Usage),
    (ErrorKind::BufferTooSmall, Exit::Failure),
    (ErrorKind::OutOfMemory, Exit::Failure),
    (ErrorKind::CredentialsMissing, Exit::Credentials),
    (ErrorKind::CredentialsMalformed, Exit::Credentials),
    (ErrorKind::SourceUnavailable, Exit::Failure),
    (ErrorKind::MemoryProtection, Exit::Failure),
    (ErrorKind::WrongAccount, Exit::Failure),
    (ErrorKind::Timeout, Exit::Network),
    (ErrorKind::ConnectionFailed, Exit::Network),
    (ErrorKind::TlsFailed, Exit::Network),
    (ErrorKind::RedirectRefused, Exit::Failure),
    (ErrorKind::InvalidResponse, Exit::Failure),
    (ErrorKind::Cancelled, Exit::Failure),
    (ErrorKind::WebhookUnsigned, Exit::Failure),
    (ErrorKind::WebhookMalformed, Exit::Failure),
    (ErrorKind::WebhookMismatch, Exit::Failure),
    (ErrorKind::WebhookStale, Exit::Failure),
    (ErrorKind::WebhookWrongUrl, Exit::Failure),
    (ErrorKind::WebhookVersion, Exit::Failure),
    (ErrorKind::WebhookReplayed, Exit::Failure),
    (ErrorKind::Internal, Exit::Failure),
    (ErrorKind::BadRequest, Exit::Failure),
    (ErrorKind::InvalidCredentials, Exit::Rejected),
    (ErrorKind::Forbidden, Exit::Forbidden),
    (ErrorKind::NotFound, Exit::Failure),
    (ErrorKind::Unprocessable, Exit::Failure),
    (ErrorKind::RateLimited, Exit::RateLimited),
    (ErrorKind::ServerError, Exit::Service),
    (ErrorKind::Unavailable, Exit::Service),
];

impl Exit {
    /// Every way to end, in the order of its code.
    pub const ALL: &[Self] = &[
        Self::Success,
        Self::Failure,
        Self::Usage,
        Self::Credentials,
        Self::Rejected,
        Self::Forbidden,
        Self::RateLimited,
        Self::Network,
        Self::Service,
    ];

    /// How the command ends when it fails with `kind`.
    pub fn of(kind: ErrorKind) -> Self {
        // The kinds may grow in the library before the table does; a test here fails then.
        TABLE.iter().find(|(row, _)| *row == kind).map_or(Self::Failure, |(_, exit)| *exit)
    }

    /// The exit code.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// What the code says, for the help.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => {
                "another failure: redirect, unreadable source or answer, not found, …; `scan` found something"
            }
            Self::Usage => "the arguments are wrong; nothing was done",
            Self::Credentials => "credentials missing or malformed; nothing was sent",
            Self::Rejected => "the service rejected the credentials (401)",
            Self::Forbidden => "the credentials are good but may not do this (403)",
            Self::RateLimited => "rate limited (429)",
            Self::Network => "network, TLS or timeout",
            Self::Service => "the service failed (5xx)",
        }
    }
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
    fn it_has_one_row_for_every_kind_of_error() {
        for kind in ErrorKind::ALL {
            assert_eq!(TABLE.iter().filter(|(row, _)| row == kind).count(), 1, "{kind:?}");
        }
        assert_eq!(TABLE.len(), ErrorKind::ALL.len());
    }

    #[test]
    fn it_never_ends_a_failure_with_success() {
        assert!(TABLE.iter().all(|(_, exit)| *exit != Exit::Success));
    }

    #[test]
    fn it_lists_the_codes_from_zero_without_a_gap() {
        let codes: Vec<usize> = Exit::ALL.iter().map(|exit| exit.code().into()).collect();
        assert_eq!(codes, (0..Exit::ALL.len()).collect::<Vec<_>>());
    }
}
