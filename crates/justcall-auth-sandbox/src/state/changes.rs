//! The order of all changes, so that a subscriber can ask what is new since it last asked.
//!
//! A subscriber is woken and then reads; nothing is queued for it. One that never reads costs no memory, and one that
//! comes back after a while gets what it missed, or everything if that is no longer known.

use std::collections::{BTreeSet, VecDeque};

use tokio::sync::watch;

/// How many changes of requests are remembered.
const REQUEST_CHANGES_MAX: usize = 65_536;

/// What is sent whole when it has changed; requests are sent one by one.
#[derive(Clone, Copy)]
pub(super) enum Topic {
    Accounts,
    Faults,
    Webhooks,
}

/// The changes of a sandbox, numbered by its revision.
pub(super) struct Changes {
    revision: watch::Sender<u64>,
    /// The revision of the last change of each [`Topic`].
    topics: [u64; 3],
    /// The revision of each change of a request, with the request's number.
    requests: VecDeque<(u64, u64)>,
    /// The changes of requests up to this revision are not known any more.
    requests_known_after: u64,
}

impl Changes {
    /// Creates the record at revision 1, at which everything is new to a subscriber that begins at 0.
    pub(super) fn new() -> Self {
        Self {
            revision: watch::Sender::new(1),
            topics: [1; 3],
            requests: VecDeque::new(),
            requests_known_after: 1,
        }
    }

    /// Returns a receiver that wakes at every change.
    pub(super) fn subscribe(&self) -> watch::Receiver<u64> {
        self.revision.subscribe()
    }

    /// Returns the number of the last change.
    pub(super) fn revision(&self) -> u64 {
        *self.revision.borrow()
    }

    /// Records that something changed.
    pub(super) fn add(&mut self, topic: Topic) {
        self.topics[topic as usize] = self.advance();
    }

    /// Records that a request was added or changed.
    pub(super) fn add_request(&mut self, n: u64) {
        let revision = self.advance();
        if self.requests.len() == REQUEST_CHANGES_MAX {
            self.requests_known_after = self.requests.pop_front().map_or(revision, |(oldest, _)| oldest);
        }
        self.requests.push_back((revision, n));
    }

    /// Records that all requests were forgotten.
    pub(super) fn clear_requests(&mut self) {
        self.requests.clear();
        self.requests_known_after = self.advance();
    }

    /// Returns true if something changed after that revision.
    pub(super) fn has_changed(&self, topic: Topic, since: u64) -> bool {
        self.topics[topic as usize] > since
    }

    /// Returns the numbers of the requests that changed after that revision, or `None` if all must be read again.
    pub(super) fn requests_since(&self, since: u64) -> Option<BTreeSet<u64>> {
        if since < self.requests_known_after {
            return None;
        }
        let first = self.requests.partition_point(|(revision, _)| *revision <= since);
        Some(self.requests.range(first..).map(|(_, n)| *n).collect())
    }

    fn advance(&mut self) -> u64 {
        self.revision.send_modify(|revision| *revision += 1);
        self.revision()
    }
}

#[cfg(test)]
mod tests {
    use super::{Changes, REQUEST_CHANGES_MAX, Topic};

    #[test]
    fn it_reports_what_changed_after_a_revision_and_each_request_once() {
        let mut changes = Changes::new();
        let before = changes.revision();
        changes.add_request(7);
        changes.add(Topic::Faults);
        changes.add_request(7);
        assert!(changes.has_changed(Topic::Faults, before) && !changes.has_changed(Topic::Accounts, before));
        assert_eq!(changes.requests_since(before), Some([7].into()));
        assert_eq!(changes.requests_since(changes.revision()), Some([].into()));
        assert!(changes.has_changed(Topic::Accounts, 0), "a new subscriber gets everything");
        assert_eq!(changes.requests_since(0), None);
    }

    #[test]
    fn it_asks_for_a_new_reading_after_the_requests_were_cleared_or_too_many_changed() {
        let mut changes = Changes::new();
        let before = changes.revision();
        changes.clear_requests();
        assert_eq!(changes.requests_since(before), None);
        let cleared = changes.revision();
        (0..REQUEST_CHANGES_MAX as u64).for_each(|n| changes.add_request(n));
        assert_eq!(changes.requests_since(cleared).map(|all| all.len()), Some(REQUEST_CHANGES_MAX));
        changes.add_request(0);
        assert_eq!(changes.requests_since(cleared), None);
        assert!(changes.requests_since(cleared + 1).is_some());
    }

    #[test]
    fn it_wakes_a_subscriber() {
        let mut changes = Changes::new();
        let mut subscriber = changes.subscribe();
        assert!(!subscriber.has_changed().unwrap());
        changes.add(Topic::Webhooks);
        assert!(subscriber.has_changed().unwrap());
        assert_eq!(*subscriber.borrow_and_update(), changes.revision());
    }
}
