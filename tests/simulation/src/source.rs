//! Where the processes get their pairs from: it follows the service, late, early or wrongly.

use std::time::Duration;

use crate::service::{Account, Pair};

/// The source of one process and of its children.
#[derive(Debug, Clone)]
pub struct Source {
    /// The account that its pairs should be of.
    pub home: Account,
    /// A file, which shows that it has changed; otherwise a callback, which gives its pair at each read.
    pub is_file: bool,
    /// What it gives now.
    pub content: Option<Pair>,
    /// Since when it gives that.
    pub since: Duration,
    /// What it gave before, and may still give for a while.
    pub before: Option<Pair>,
    /// How often its content has changed.
    pub version: u64,
}

impl Source {
    /// A source that gives `content`.
    pub fn new(home: Account, is_file: bool, content: Option<Pair>) -> Self {
        Self { home, is_file, content, since: Duration::ZERO, before: content, version: 1 }
    }

    /// From `now` on it gives `content`.
    pub fn set(&mut self, content: Option<Pair>, now: Duration) {
        if self.content == content {
            return;
        }
        self.before = self.content;
        self.content = content;
        self.since = now;
        self.version += 1;
    }
}
