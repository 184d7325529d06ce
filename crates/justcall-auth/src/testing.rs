//! Support for the tests of programs that use this library. A program in production needs none of it.

use crate::shared_state::SharedState;

/// Forgets which pairs the service rejected: all clients of this process may send them again at once, instead of after
/// 30 s.
///
/// Use it in a test in which a pair is rejected and then made valid. Call it between two such tests, or when the pair
/// is valid again. A call that waits for another pair continues with the rejected one. A request that is answered with
/// 401 after this call counts as another rejection.
///
/// Reads no source and sends nothing. After `fork()` it affects only the process that calls it.
pub fn forget_rejections() {
    SharedState::forget_rejections();
}
