//! A function of the program's own: pairs in a database, another keychain.

use std::panic::{AssertUnwindSafe, catch_unwind};

use justcall_auth_protocol::credentials::Credentials;
use justcall_auth_protocol::error::{Error, ErrorKind};

use super::Loaded;
use crate::reentry;

/// Gives the pair of a client when asked. May be asked on any thread, while the call that needs the pair waits.
pub trait Load: Send + Sync {
    /// The pair as it is now.
    ///
    /// # Errors
    /// Any; `credentials_missing` and `source_unavailable` say what is usually meant.
    fn load(&self) -> Result<Credentials, Error>;

    /// Whether the caller runs inside [`Load::load`]. A call of a client that shares the pair is then refused with
    /// `invalid_argument`, because it would wait for itself.
    ///
    /// By default `load` runs inside as long as its thread does. A host whose threads run several tasks in turn knows
    /// better.
    fn is_entered(&self) -> bool {
        reentry::is_inside(self)
    }
}

/// A closure will do.
impl<F: Fn() -> Result<Credentials, Error> + Send + Sync> Load for F {
    fn load(&self) -> Result<Credentials, Error> {
        self()
    }
}

pub(super) fn load(callback: &dyn Load) -> Result<Loaded, Error> {
    // It is not our code that would panic, and the client is as good as before.
    let _mark = reentry::enter(callback);
    let loaded = catch_unwind(AssertUnwindSafe(|| callback.load()));
    let panicked =
        |_| Error::with_message(ErrorKind::SourceUnavailable, "The callback that loads the pair panicked.");
    Ok(Loaded::new(loaded.map_err(panicked)??, "the callback"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_survives_a_callback_that_panics() {
        let error = load(&|| -> Result<Credentials, Error> { panic!("canary") }).expect_err("it panicked");
        assert_eq!(error.kind(), ErrorKind::SourceUnavailable);
        assert!(!format!("{error:?}").contains("canary"));
        let loaded = load(&|| Credentials::new(b"abc123def456", b"sec789xyz000")).expect("a pair");
        assert_eq!(loaded.pair.credentials.key_hint(), "abc1…f456");
    }
}
