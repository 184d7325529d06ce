//! The URLs that are registered for webhooks, and the attempts to deliver to them.

use std::collections::VecDeque;

use serde::Serialize;
use serde_json::Value;

use crate::ControlError;

/// How many attempts are remembered; the oldest are forgotten first.
const ATTEMPTS_MAX: usize = 200;
/// How many URLs can be registered.
const URLS_MAX: usize = 20;

/// A URL to which events are sent.
#[derive(Clone, Serialize)]
pub(crate) struct WebhookUrl {
    id: u64,
    url: String,
}

/// One attempt to deliver an event, with the response of the receiver or the reason why there was none.
#[derive(Clone, Serialize)]
pub(crate) struct WebhookAttempt {
    /// Set when it is added to the others.
    n: u64,
    t_ms: u64,
    /// How long until the next attempt; `None` if there is none.
    retry_in_ms: Option<u64>,
    #[serde(flatten)]
    report: Value,
}

impl WebhookAttempt {
    /// Creates the record of an attempt from its report, which is an object.
    pub(crate) fn new(t_ms: u64, retry_in_ms: Option<u64>, report: Value) -> Self {
        Self { n: 0, t_ms, retry_in_ms, report }
    }
}

/// The registered URLs and the last attempts, in the order they were made.
#[derive(Default, Serialize)]
pub(crate) struct Webhooks {
    #[serde(skip)]
    last: u64,
    urls: Vec<WebhookUrl>,
    attempts: VecDeque<WebhookAttempt>,
}

impl Webhooks {
    /// Registers a URL; returns it with its number. Fails if it is registered already, or too many are.
    pub(super) fn register(&mut self, url: String) -> Result<&WebhookUrl, ControlError> {
        self.check_free(&url)?;
        self.last += 1;
        self.urls.push(WebhookUrl { id: self.last, url });
        Ok(self.urls.last().expect("one was just added"))
    }

    /// Fails if a URL cannot be registered, before its receiver is asked.
    pub(super) fn check_free(&self, url: &str) -> Result<(), ControlError> {
        if self.urls.iter().any(|registered| registered.url == url) {
            return Err(ControlError::conflict("that URL is registered already"));
        }
        if self.urls.len() == URLS_MAX {
            return Err(ControlError::conflict(format!("{URLS_MAX} URLs are registered; remove one first")));
        }
        Ok(())
    }

    /// Removes a URL; returns false if there is none with that number.
    pub(super) fn remove(&mut self, id: u64) -> bool {
        let before = self.urls.len();
        self.urls.retain(|registered| registered.id != id);
        self.urls.len() < before
    }

    /// Adds an attempt.
    pub(super) fn add(&mut self, attempt: WebhookAttempt) {
        self.last += 1;
        if self.attempts.len() == ATTEMPTS_MAX {
            self.attempts.pop_front();
        }
        self.attempts.push_back(WebhookAttempt { n: self.last, ..attempt });
    }

    /// Forgets all URLs and attempts.
    pub(super) fn clear(&mut self) {
        self.urls.clear();
        self.attempts.clear();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{ATTEMPTS_MAX, URLS_MAX, WebhookAttempt, Webhooks};

    #[test]
    fn it_registers_a_url_once_and_no_more_than_twenty() {
        let mut webhooks = Webhooks::default();
        for number in 0..URLS_MAX {
            webhooks.register(format!("http://localhost/{number}")).unwrap();
        }
        for url in ["http://localhost/0", "http://localhost/new"] {
            assert_eq!(webhooks.register(url.into()).err().unwrap().status(), 409);
        }
        assert!(webhooks.remove(1) && !webhooks.remove(1));
        webhooks.register("http://localhost/0".into()).unwrap();
    }

    #[test]
    fn it_keeps_the_last_attempts_with_their_reports() {
        let mut webhooks = Webhooks::default();
        for number in 0..=ATTEMPTS_MAX {
            webhooks.add(WebhookAttempt::new(5, Some(1000), json!({"status": number})));
        }
        let shown = serde_json::to_value(&webhooks).unwrap();
        assert_eq!(shown["attempts"].as_array().unwrap().len(), ATTEMPTS_MAX);
        assert_eq!(shown["attempts"][0], json!({"n": 2, "t_ms": 5, "retry_in_ms": 1000, "status": 1}));
    }
}
