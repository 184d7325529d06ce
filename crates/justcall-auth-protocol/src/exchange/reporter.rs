//! Metrics and events of a call.

use std::mem;
use std::sync::Arc;
use std::time::Duration;

use crate::error::Error;
use crate::event::{Event, EventKind};
use crate::keyring::{Keyring, PairVersion, RejectedPair};
use crate::metrics::{Metrics, Spike};
use crate::response::Response;
use crate::service;
use crate::time::Moment;

/// Counts in the metrics of the source. Keeps the events until the driver takes them.
#[derive(Debug)]
pub(super) struct Reporter {
    metrics: Arc<Metrics>,
    events: Vec<Event>,
}

/// A response with its request's method, its pair and its latency.
pub(super) struct Answered<'a> {
    pub method: &'a str,
    pub response: &'a Response,
    pub version: &'a PairVersion,
    /// The time from sending to the response.
    pub took: Duration,
}

impl Reporter {
    pub fn new(metrics: Arc<Metrics>) -> Self {
        Self { metrics, events: Vec::new() }
    }

    /// Returns the events since the last call of this method.
    pub fn take(&mut self) -> Vec<Event> {
        mem::take(&mut self.events)
    }

    pub fn report(&mut self, event: Event) {
        self.metrics.happened(event.kind());
        self.events.push(event);
    }

    pub fn report_about(&mut self, version: &PairVersion, kind: EventKind, what: &str, http_status: u16) {
        let message = format!("{what}, {}.", version.credentials().key_hint());
        self.report(Event::new(kind, message).with_generation(version.generation()).with_status(http_status));
    }

    /// Reports that the service rejected `version` with `http_status`.
    pub fn rejected(&mut self, rejected: RejectedPair, version: &PairVersion, http_status: u16) {
        let (kind, what) = match rejected {
            RejectedPair::Current => (EventKind::PairRejected, "The service rejected the pair in use"),
            RejectedPair::Candidate => (EventKind::CandidateRejected, "The service rejected the new pair"),
            RejectedPair::CurrentAgain | RejectedPair::Former => return,
        };
        self.report_about(version, kind, what, http_status);
    }

    /// Counts a response and reports the events that follow. `rotation_due` is the age at which a pair should be
    /// replaced, or zero for never.
    pub fn answered(
        &mut self,
        answered: &Answered<'_>,
        keyring: &Keyring,
        rotation_due: Duration,
        now: &Moment,
    ) {
        let Answered { method, response, version, took } = *answered;
        let status = response.http_status();
        let limit = service::rate_limit_at(response, now.unix);
        self.metrics.used(now.unix);
        self.metrics.limited(&limit);
        let spike = self.metrics.answered(method, status, took, now.monotonic);
        self.spike(spike, keyring);
        if let (Some(limit), Some(remaining)) = (limit.main.limit, limit.main.remaining) {
            let is_low = remaining.saturating_mul(10) < limit;
            if self.metrics.set_rate_limit_low(is_low) && is_low {
                let message =
                    format!("The account has {remaining} of {limit} requests left in its rate limit.");
                self.report(Event::new(EventKind::RateLimitLow, message).with_status(status));
            }
        }
        let age = version.age(now.unix);
        if !rotation_due.is_zero() && age >= rotation_due && self.metrics.is_age_news(version.serial()) {
            let days = age.as_secs() / (24 * 60 * 60);
            self.report_about(
                version,
                EventKind::RotationDue,
                &format!("The pair in use is {days} days old"),
                0,
            );
        }
    }

    /// Counts a request without response.
    pub fn not_answered(&mut self, method: &str, keyring: &Keyring, now: &Moment) {
        let spike = self.metrics.not_answered(method, now.monotonic);
        self.spike(spike, keyring);
    }

    /// Counts a retry.
    pub fn retried(&self) {
        self.metrics.retried();
    }

    /// Reports that the call waits before it retries.
    pub fn retrying(&mut self, wait: Duration, error: &Error) {
        let message = format!("The call is retried in {} ms: {}", wait.as_millis(), error.message());
        let event = Event::new(EventKind::Retrying, message).with_status(error.http_status());
        self.report(event.with_wait(wait));
    }

    /// Reports that calls wait up to `wait` for another pair, because the pair in use was rejected at `rejected_at`.
    pub fn waiting(&mut self, wait: Duration, rejected_at: Duration, keyring: &Keyring) {
        if self.metrics.is_waiting_news(rejected_at) {
            let message = format!(
                "The service rejected the pair in use. Calls wait up to {} s until the source contains another pair.",
                wait.as_secs_f64()
            );
            let event = Event::new(EventKind::WaitingForSource, message).with_wait(wait);
            self.report(event.with_generation(current_generation(keyring)));
        }
    }

    /// Counts the end of the call, with its error if it failed.
    pub fn ended(&self, error: Option<&Error>) {
        self.metrics.ended(error);
    }

    fn spike(&mut self, spike: Option<Spike>, keyring: &Keyring) {
        if let Some(Spike { requests, busiest }) = spike {
            let message = format!(
                "The program sent {requests} requests within a minute. The previous maximum was {busiest:.0} requests within a minute."
            );
            let event = Event::new(EventKind::UsageSpike, message);
            self.report(event.with_generation(current_generation(keyring)));
        }
    }
}

fn current_generation(keyring: &Keyring) -> u64 {
    keyring.current().map_or(0, |version| version.generation())
}
