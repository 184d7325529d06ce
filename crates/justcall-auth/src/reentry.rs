//! Which leases this thread is inside: a call that would wait for one of them would wait for itself.
//!
//! That happens where the program's own code runs inside a call: a callback that loads the pair, a handler of signals.

use std::cell::RefCell;

use justcall_auth_protocol::error::Error;

thread_local! {
    static INSIDE: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

/// The thread is inside what lives at this address until it is dropped.
#[derive(Debug)]
pub(crate) struct Mark(usize);

impl Drop for Mark {
    fn drop(&mut self) {
        INSIDE.with_borrow_mut(|inside| {
            // Not the last one: coroutines of one thread end in any order.
            if let Some(at) = inside.iter().rposition(|address| *address == self.0) {
                inside.remove(at);
            }
        });
    }
}

/// Where `thing` lives, which is its name here.
fn address<T: ?Sized>(thing: &T) -> usize {
    std::ptr::from_ref(thing).cast::<()>().addr()
}

/// This thread enters `thing`.
pub(crate) fn enter<T: ?Sized>(thing: &T) -> Mark {
    let address = address(thing);
    INSIDE.with_borrow_mut(|inside| inside.push(address));
    Mark(address)
}

/// Whether this thread is inside `thing`.
pub(crate) fn is_inside<T: ?Sized>(thing: &T) -> bool {
    let address = address(thing);
    INSIDE.with_borrow(|inside| inside.contains(&address))
}

/// The failure of a call that would wait for the call that it was made in.
pub(crate) fn waits_for_itself() -> Error {
    Error::invalid_argument("The call was made inside another call that reads or proves the same pair.").with_hint(
        "A callback that loads the pair, and a handler of signals, may use clients that do not share this pair.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_leaves_what_it_entered_in_any_order() {
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
