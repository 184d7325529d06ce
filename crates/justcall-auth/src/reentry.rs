//! Detection of calls that would wait for themselves: the leases that are held further up on this thread's stack.
//!
//! A call can wait for itself if the program's own code runs inside a call: a load callback, or a handler of signals.

use std::cell::RefCell;

use justcall_auth_protocol::error::Error;

thread_local! {
    static INSIDE: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

/// Marks that the thread is inside the value at this address, until the mark is dropped.
#[derive(Debug)]
pub(crate) struct Mark(usize);

impl Drop for Mark {
    fn drop(&mut self) {
        INSIDE.with_borrow_mut(|inside| {
            // The entry is not always the last one, because coroutines of one thread end in any order.
            if let Some(at) = inside.iter().rposition(|address| *address == self.0) {
                inside.remove(at);
            }
        });
    }
}

/// Returns the address of `thing`, which identifies it here.
fn address<T: ?Sized>(thing: &T) -> usize {
    std::ptr::from_ref(thing).cast::<()>().addr()
}

/// Marks that this thread enters `thing`.
pub(crate) fn enter<T: ?Sized>(thing: &T) -> Mark {
    let address = address(thing);
    INSIDE.with_borrow_mut(|inside| inside.push(address));
    Mark(address)
}

/// Returns true if this thread is inside `thing`.
pub(crate) fn is_inside<T: ?Sized>(thing: &T) -> bool {
    let address = address(thing);
    INSIDE.with_borrow(|inside| inside.contains(&address))
}

/// Returns the error of a call that would wait for the call that it was made in.
pub(crate) fn waits_for_itself() -> Error {
    Error::invalid_argument("A call cannot start inside another call that reads or proves the same pair.")
        .with_hint("In a load callback or a signal handler, use only clients that do not share this pair.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_leaves_marks_in_any_order() {
        let (first, second) = (Box::new(1), Box::new(2));
        let (in_first, in_second) = (enter(&*first), enter(&*second));
        drop(in_first);
        assert!(!is_inside(&*first) && is_inside(&*second));
        let again = enter(&*second);
        drop(in_second);
        assert!(is_inside(&*second), "it was entered twice");
        drop(again);
        assert!(!is_inside(&*second));
    }
}
