//! The counters as OpenMetrics 1.0 text, which Prometheus and most monitoring systems read.
//!
//! Labels have few values, all of them fixed in this file. The text contains no secret and does not identify the pair.

use std::fmt::{Display, Write as _};
use std::time::Duration;

use super::latency::BOUNDS;
use super::{CLASSES, METHODS, Metrics, STATUSES, WebhookResults, outcome};
use crate::error::ErrorKind;
use crate::event::EventKind;
use crate::keyring::Keyring;
use crate::policy::Policy;
use crate::time::Moment;

/// The longest text, in bytes.
pub const MAX_SIZE: usize = 24 * 1024;

/// Returns the counters of the clients that share a source, and the state of its pair `now`. `policy` is the policy of
/// one client, for the age at which a pair is due for rotation.
pub fn open_metrics(usage: &Metrics, keyring: &Keyring, policy: &Policy, now: &Moment) -> String {
    let mut text = MetricsText(String::with_capacity(8 * 1024));
    build(&mut text);
    calls(&mut text, usage);
    requests(&mut text, usage);
    webhooks(&mut text, usage.webhooks());
    events(&mut text, usage);
    budget(&mut text, usage);
    pair(&mut text, keyring, policy, now);
    last_used(&mut text, usage);
    text.finish()
}

/// Returns the results of the deliveries that one verifier verified.
pub(crate) fn webhook_metrics(results: &WebhookResults) -> String {
    let mut text = MetricsText(String::with_capacity(2 * 1024));
    build(&mut text);
    webhooks(&mut text, results);
    text.finish()
}

/// Text that grows by one metric family at a time.
struct MetricsText(String);

impl MetricsText {
    fn family(&mut self, name: &str, kind: &str, unit: &str, help: &str) {
        self.line(format_args!("# TYPE justcall_auth_{name} {kind}"));
        if !unit.is_empty() {
            self.line(format_args!("# UNIT justcall_auth_{name} {unit}"));
        }
        self.line(format_args!("# HELP justcall_auth_{name} {help}"));
    }

    fn sample(&mut self, name: &str, labels: &str, value: impl Display) {
        self.line(format_args!("justcall_auth_{name}{labels} {value}"));
    }

    fn gauge(&mut self, name: &str, unit: &str, help: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.family(name, "gauge", unit, help);
            self.sample(name, "", value);
        }
    }

    fn line(&mut self, line: impl Display) {
        writeln!(self.0, "{line}").expect("writing to a String does not fail");
    }

    fn finish(mut self) -> String {
        self.0.push_str("# EOF\n");
        self.0
    }
}

fn build(text: &mut MetricsText) {
    text.family("build", "info", "", "Name and version of the library that records these metrics.");
    text.sample("build_info", concat!("{version=\"", env!("CARGO_PKG_VERSION"), "\"}"), 1);
}

fn calls(text: &mut MetricsText, usage: &Metrics) {
    text.family("calls", "counter", "", "Ended calls, by outcome: `ok` or the name of the error.");
    text.sample("calls_total", "{outcome=\"ok\"}", usage.calls.read(0));
    // Outcomes that never occurred are included, because a rate needs the zero before the first.
    for kind in ErrorKind::ALL.iter().filter(|kind| ends_calls(**kind)) {
        let labels = format!("{{outcome=\"{}\"}}", kind.name());
        text.sample("calls_total", &labels, usage.calls.read(outcome(*kind)));
    }
    text.family("retries", "counter", "", "Retries of calls, for any reason.");
    text.sample("retries_total", "", usage.retries.load(std::sync::atomic::Ordering::Relaxed));
}

/// Returns true if a call can end with this error. Buffers and webhooks are not calls.
fn ends_calls(kind: ErrorKind) -> bool {
    kind != ErrorKind::BufferTooSmall && !kind.name().starts_with("webhook_")
}

fn requests(text: &mut MetricsText, usage: &Metrics) {
    let help = "Requests sent, including retries, by method and HTTP status. The status is `none` if no response arrived.";
    text.family("requests", "counter", "", help);
    for (method, counters) in METHODS.iter().zip(&usage.requests) {
        let statuses = STATUSES.iter().map(ToString::to_string);
        for (index, status) in statuses.chain(CLASSES.iter().map(ToString::to_string)).enumerate() {
            let count = counters.read(index);
            if count > 0 {
                let labels = format!("{{method=\"{method}\",status=\"{status}\"}}");
                text.sample("requests_total", &labels, count);
            }
        }
    }
    let help = "Time from sending a request to its response.";
    text.family("request_duration_seconds", "histogram", "seconds", help);
    let cumulative = usage.latency.cumulative();
    for (bound, count) in BOUNDS.iter().zip(cumulative) {
        let labels = format!("{{le=\"{:?}\"}}", Duration::from_millis(*bound).as_secs_f64());
        text.sample("request_duration_seconds_bucket", &labels, count);
    }
    let total = cumulative[BOUNDS.len()];
    text.sample("request_duration_seconds_bucket", "{le=\"+Inf\"}", total);
    text.sample("request_duration_seconds_count", "", total);
    text.sample("request_duration_seconds_sum", "", usage.latency.sum().as_secs_f64());
    let help = "Requests in the busiest minute so far, where older minutes count less. A spike is reported if a minute has more than twice as many requests.";
    text.gauge("requests_busiest_minute", "", help, Some(usage.spikes.busiest()));
}

fn webhooks(text: &mut MetricsText, results: &WebhookResults) {
    let help = "Verified webhook deliveries, by result: `ok` or the name of the error.";
    text.family("webhooks", "counter", "", help);
    text.sample("webhooks_total", "{result=\"ok\"}", results.read(None));
    for kind in ErrorKind::ALL {
        let count = results.read(Some(*kind));
        if count > 0 || ends_verifications(*kind) {
            text.sample("webhooks_total", &format!("{{result=\"{}\"}}", kind.name()), count);
        }
    }
}

/// Returns true if the verifier or the source of its secrets can fail with this error. Only a replay check can fail
/// with any other.
fn ends_verifications(kind: ErrorKind) -> bool {
    let is_of_source = matches!(
        kind,
        ErrorKind::InvalidArgument
            | ErrorKind::OutOfMemory
            | ErrorKind::CredentialsMissing
            | ErrorKind::CredentialsMalformed
            | ErrorKind::SourceUnavailable
            | ErrorKind::MemoryProtection
            | ErrorKind::Timeout
            | ErrorKind::Cancelled
    );
    is_of_source || kind.name().starts_with("webhook_")
}

fn events(text: &mut MetricsText, usage: &Metrics) {
    text.family(
        "events",
        "counter",
        "",
        "Reported events, by kind. An alert can fire on the first event of a kind.",
    );
    for (index, kind) in EventKind::ALL.iter().enumerate() {
        let labels = format!("{{event=\"{}\"}}", kind.name());
        text.sample("events_total", &labels, usage.events.read(index));
    }
}

fn budget(text: &mut MetricsText, usage: &Metrics) {
    let budget = &usage.budget;
    let windows = [("main", &budget.main), ("burst", &budget.burst)];
    let mut family = |name: &str, unit: &str, help: &str, figures: [Option<u64>; 2]| {
        if figures.iter().any(Option::is_some) {
            text.family(name, "gauge", unit, help);
            for ((window, _), figure) in windows.iter().zip(figures) {
                if let Some(figure) = figure {
                    text.sample(name, &format!("{{window=\"{window}\"}}"), figure);
                }
            }
        }
    };
    let [main, burst] = windows.map(|(_, window)| window);
    let help = "Requests that the account may send in a window, according to the last response.";
    family("rate_limit", "", help, [main.limit.read(), burst.limit.read()]);
    let help = "Requests that remain in the window, according to the last response.";
    family("rate_limit_remaining", "", help, [main.remaining.read(), burst.remaining.read()]);
    let help = "Unix time at which the window resets.";
    family("rate_limit_reset_timestamp_seconds", "seconds", help, [main.reset.read(), burst.reset.read()]);
    let help = "Requests of the whole account, including other programs, computed from the responses.";
    text.family("account_requests", "counter", "", help);
    text.sample("account_requests_total", "", budget.used());
}

fn pair(text: &mut MetricsText, keyring: &Keyring, policy: &Policy, now: &Moment) {
    let seconds = |time: Option<Duration>| time.map(|time| time.as_secs());
    if let Some(version) = keyring.current() {
        let help = "Number of pairs used so far, including the pair in use.";
        text.gauge("pair_generation", "", help, Some(version.generation()));
        let help = "Age of the pair since its creation. If the source does not contain the creation time, the age counts from the first use in this process.";
        text.gauge("pair_age_seconds", "seconds", help, seconds(Some(version.age(now.unix))));
        let help = "Unix time at which the pair was created, if the source contains it.";
        text.gauge("pair_created_timestamp_seconds", "seconds", help, seconds(version.created_at()));
        let help = "The value is 1 while the service rejects the pair, and 0 otherwise.";
        let is_rejected = keyring.rejected_for(now.monotonic).is_some();
        text.gauge("pair_rejected", "", help, Some(u8::from(is_rejected)));
        let help = "The value is 1 while the source contains a new pair that no call has proven yet, and 0 otherwise.";
        text.gauge("pair_candidate", "", help, Some(u8::from(keyring.candidate().is_some())));
    }
    let due = Some(policy.rotation_due).filter(|due| !due.is_zero());
    let help = "The age from which a pair is due for rotation.";
    text.gauge("pair_rotation_due_seconds", "seconds", help, seconds(due));
}

fn last_used(text: &mut MetricsText, usage: &Metrics) {
    let help = "Unix time at which a pair was last sent.";
    let seconds = usage.last_used().map(|time| time.as_secs());
    text.gauge("last_used_timestamp_seconds", "seconds", help, seconds);
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::service::{RateLimit, RateWindow};

    #[test]
    fn it_never_exceeds_its_maximum_size() {
        let (usage, keyring) = (Metrics::default(), Keyring::new("", Arc::default()));
        usage.requests.iter().for_each(|row| row.fill(u64::MAX));
        usage.calls.fill(u64::MAX);
        usage.events.fill(u64::MAX);
        usage.webhooks.0.fill(u64::MAX);
        let most = Duration::from_secs(u64::MAX - 1);
        let window =
            RateWindow { limit: Some(u64::MAX - 1), remaining: Some(u64::MAX - 1), reset: Some(most) };
        usage.limited(&RateLimit { main: window, burst: window });
        let now = Moment { monotonic: most, unix: most, random: 0 };
        let length = open_metrics(&usage, &keyring, &Policy::default(), &now).len();
        // The text lacks the metrics of a pair: seven short lines and their descriptions.
        assert!((12 * 1024..MAX_SIZE - 2 * 1024).contains(&length), "{length}");
    }
}
