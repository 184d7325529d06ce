//! What the tests of programs need: the module `justcall_auth.testing`.

use pyo3::prelude::*;

/// Forgets which pairs the service rejected: every client of this process may send them again at once.
///
/// Without it a pair that the service rejected is not sent again for 30 seconds, by any client.
/// For a test in which a pair is rejected and then made good: call it when the pair is good again, or in
/// a fixture of all tests.
///
/// A call that waits for another pair goes on with the one that was rejected. A request that is answered
/// with 401 after this counts as another rejection. Never fails, reads no source and sends nothing; may be
/// called from any thread. After `fork()` it is about the process that calls it.
#[pyfunction]
pub(crate) fn forget_rejections() {
    justcall_auth::testing::forget_rejections();
}
