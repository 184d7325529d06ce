//! A load callback: a function of the program that supplies the pair, from a database or another keychain.

use std::panic::{AssertUnwindSafe, catch_unwind};

use justcall_auth_protocol::credentials::Credentials;
use justcall_auth_protocol::error::{Error, ErrorKind};

use super::LoadedSource;
use crate::reentry;

/// Supplies the pair of a client. It may run on any thread, while the call that needs the pair waits.
pub trait Load: Send + Sync {
    /// Returns the current pair.
    ///
    /// # Errors
    /// May fail with any error. `credentials_missing` and `source_unavailable` are the usual ones.
    fn load(&self) -> Result<Credentials, Error>;

    /// Returns true if the caller runs inside [`Load::load`]. A call of a client that shares the pair then fails with
    /// `invalid_argument`, because it would wait for itself.
    ///
    /// The default implementation checks the thread. A host whose threads run several tasks in turn must override it.
    fn is_entered(&self) -> bool {
        reentry::is_inside(self)
    }
}

/// Lets a closure be a load callback.
impl<F: Fn() -> Result<Credentials, Error> + Send + Sync> Load for F {
    fn load(&self) -> Result<Credentials, Error> {
        self()
    }
}

pub(super) fn load(callback: &dyn Load) -> Result<LoadedSource, Error> {
    // A panic in the program's own code must not damage the client.
    let _mark = reentry::enter(callback);
    let loaded = catch_unwind(AssertUnwindSafe(|| callback.load()));
    let panicked = |_| Error::with_message(ErrorKind::SourceUnavailable, "The load callback panicked.");
    Ok(LoadedSource::new(loaded.map_err(panicked)??, "the callback"))
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
