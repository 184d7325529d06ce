//! For the tests of programs that use this library. A program in production needs nothing of it.

use crate::shared_state::SharedState;

/// Forgets which pairs the service rejected: every client of this process may send them again at once, in place of 30 s
/// later.
///
/// For a test in which a pair is rejected and then made good. Call it between two such tests, or when the pair is good
/// again. A call that waits for another pair goes on with the one that was rejected. A request that is answered with 401
/// after this counts as another rejection.
///
/// It reads no source and sends nothing. After `fork()` it is about the process that calls it.
pub fn forget_rejections() {
    SharedState::forget_rejections();
}
