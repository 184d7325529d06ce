//! Support for tests of programs: the module `justcall_auth.testing`.

use pyo3::prelude::*;

/// Forgets which pairs the service rejected: every client of this process may send them again.
///
/// Without it, no client sends a pair again for 30 seconds after the service rejected it. It is for
/// tests that reject a pair and then make it valid: call it when the pair is valid again, or in a
/// fixture of all tests.
///
/// A call that waits for another pair continues with the one that was rejected. If a request is
/// answered with 401 after this, the pair counts as rejected again. Never fails, reads no source and
/// sends nothing. May be called from any thread. In a child of `fork()` it affects the child only.
#[pyfunction]
pub(crate) fn forget_rejections() {
    justcall_auth::testing::forget_rejections();
}
