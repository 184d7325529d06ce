//! The promises about calls: that they end, with what, and what their errors say.

use std::time::Duration;

use justcall_auth_protocol::error::{Error, ErrorKind};

use crate::call::{Doing, Task};
use crate::checks::Check;
use crate::coverage::Seen;
use crate::episode::AccountPage;
use crate::machine::Machine;
use crate::service::Page;
use crate::trace::What;
use crate::world::World;

/// How late a driver may notice a deadline: the longest wait of a call that waits for another one.
const SLACK: Duration = Duration::from_millis(100);
/// So long after the last disturbance no call may fail for want of a pair: the time between two reads of a source whose
/// pair is refused, and a second between two calls that fail at once.
const RECOVERY: Duration = Duration::from_millis(1_400);
/// The same for calls that run into their deadline while nothing is under way.
const LONG_RECOVERY: Duration = Duration::from_secs(5);

impl World {
    /// The call is over.
    pub(crate) fn end(&mut self, slot: usize, result: Result<(), Error>) {
        let machine = self.calls[slot].machine.take().expect("a call ends once");
        self.calls[slot].doing = Doing::Nothing;
        self.calls[slot].step += 1;
        let now = self.now;
        self.ring(slot).readers.retain(|(number, _)| *number != slot as u64);
        self.check_time(slot);
        match result {
            Ok(()) => {
                self.saw(Seen::Succeeded);
                self.note(slot, What::Succeeds);
                let Machine::Exchange(exchange) = machine else { return };
                match self.calls[slot].task {
                    Task::Verify | Task::Replace(_) => {
                        let account = exchange.into_account().map(|account| account.id());
                        self.check_verified(slot, account);
                    }
                    _ => {
                        let status = exchange.into_response().map(|response| response.http_status());
                        self.check_answer(slot, status.ok());
                    }
                }
            }
            Err(error) => {
                self.note(slot, What::Fails(error.kind().name(), error.request_sent()));
                self.count_failure(&error);
                self.check_request_sent(slot, &error);
                self.check_failure(slot, &error, now);
            }
        }
    }

    fn count_failure(&mut self, error: &Error) {
        self.saw(if error.request_sent() { Seen::SentErrors } else { Seen::UnsentErrors });
        self.saw(match error.kind() {
            ErrorKind::InvalidCredentials => Seen::FailedRejected,
            ErrorKind::Timeout => Seen::FailedTimeout,
            ErrorKind::ConnectionFailed => Seen::FailedConnection,
            ErrorKind::Cancelled => Seen::FailedCancelled,
            ErrorKind::WrongAccount => Seen::FailedWrongAccount,
            ErrorKind::SourceUnavailable | ErrorKind::CredentialsMissing => Seen::FailedSource,
            _ => Seen::FailedService,
        });
    }

    fn check_time(&mut self, slot: usize) {
        let call = &self.calls[slot];
        let slack = SLACK + Duration::from_millis(self.episode.oversleep);
        if call.may_be_late || !call.driver.is_punctual() {
            return;
        }
        if let Some(deadline) = call.deadline.filter(|deadline| self.now > *deadline + slack) {
            let message = format!("the call ends after its deadline, {:.6} s", deadline.as_secs_f64());
            self.violate_call(Check::EveryCallEnds, slot, message);
        }
    }

    /// A request that succeeded ends with the last answer.
    fn check_answer(&mut self, slot: usize, status: Option<u16>) {
        let record = &self.calls[slot].record;
        let is_its_own = record.last.is_some_and(|(page, _)| page.is_own());
        if status != Some(record.last_status) || !(200..300).contains(&record.last_status) || !is_its_own {
            let message = format!("it succeeds with {status:?}; the last answer was {}", record.last_status);
            self.violate_call(Check::Attempts, slot, message);
        }
    }

    /// A pair that was verified is of the account that is shown.
    fn check_verified(&mut self, slot: usize, account: Result<Option<u64>, Error>) {
        let last = self.calls[slot].record.last;
        let (Ok(shown), Some((page, pair))) = (account, last) else {
            return self.violate_call(Check::Attempts, slot, "it verifies without an account");
        };
        let record = self.service.record(pair);
        if shown.is_some_and(|shown| shown != record.account) {
            let message = format!("pair {pair} is of account {}, not of {shown:?}", record.account);
            self.violate_call(Check::AnotherAccount, slot, message);
        }
        let ring = self.ring(slot);
        if page == Page::Account && ring.current == Some(pair) && shown.is_some() {
            ring.known = shown;
        }
    }

    fn check_request_sent(&mut self, slot: usize, error: &Error) {
        let record = &mut self.calls[slot].record;
        record.is_denied = !error.request_sent();
        let (due, arrived, taken, unsent) =
            (record.due, record.arrived, record.taken, record.reported_unsent);
        let task = self.calls[slot].task;
        if !matches!(task, Task::Reload | Task::Find) {
            self.check_description(slot, error, due);
        }
        if arrived > 0 && !error.request_sent() {
            let message = format!("the error says that nothing was sent; {arrived} requests arrived");
            self.violate_call(Check::RequestSent, slot, message);
        }
        if error.request_sent() != (taken > unsent) {
            let message = format!(
                "the error has request_sent {}; of {taken} requests {unsent} were surely not sent",
                error.request_sent()
            );
            self.violate_call(Check::RequestSent, slot, message);
        }
    }

    /// The error names the request, and how often it was sent.
    fn check_description(&mut self, slot: usize, error: &Error, due: u32) {
        let (method, path) = match self.calls[slot].task {
            Task::Put => ("PUT", "/v2.1/contacts/7"),
            Task::Post => ("POST", "/v2.1/texts/new"),
            Task::OwnAccount => ("GET", "/v2/account"),
            Task::Get => ("GET", "/v2.1/calls"),
            _ => ("GET", error.path().unwrap_or_default()),
        };
        // The two pages that verify a pair are one attempt.
        let is_counted = self.calls[slot].task.is_request() && error.attempts() != due
            || error.attempts() > due
            || error.attempts() == 0 && due > 0;
        if error.method() != Some(method) || error.path() != Some(path) || is_counted {
            let message = format!(
                "the error names {} attempts of {:?} {:?}; {due} of {method} {path} were made",
                error.attempts(),
                error.method(),
                error.path()
            );
            self.violate_call(Check::Attempts, slot, message);
        }
    }

    /// The time left for a request that is due.
    pub(crate) fn check_remaining(&mut self, slot: usize, remaining: Option<Duration>) {
        let left = self.calls[slot].deadline.map(|deadline| deadline.saturating_sub(self.now));
        if remaining != left || remaining == Some(Duration::ZERO) {
            self.violate_call(Check::EveryCallEnds, slot, format!("{remaining:?} is left, not {left:?}"));
        }
    }

    /// Whether a good pair was within the wait of a call that failed for want of one.
    fn check_failure(&mut self, slot: usize, error: &Error, now: Duration) {
        let call = &self.calls[slot];
        let is_rejected = error.kind() == ErrorKind::InvalidCredentials;
        let is_past = call.deadline.is_some_and(|deadline| now >= deadline);
        let is_exhausted = call.record.retries + call.record.refusals > call.max_retries;
        let is_about_source_pair = call.task.is_request() || call.task == Task::Verify;
        let is_other = !(is_rejected || error.kind() == ErrorKind::Timeout && is_past);
        // A call whose last request was lost at the deadline did not wait for a pair.
        let was_under_way = call.record.returned == Some(now);
        if call.may_be_late || is_other || is_exhausted || !is_about_source_pair || was_under_way {
            return;
        }
        // A service without an account page may answer 401 there to good pairs, too.
        if call.task == Task::OwnAccount && self.episode.account_page == AccountPage::Refused {
            return;
        }
        let (process, began, not_before) = (call.process, call.began, call.record.not_before);
        let policy = self.processes[process].clients[call.client].policy.clone();
        let ring = &self.processes[process].rings[call.ring];
        // Another keyring of the process may have been refused before; that it was accepted since is not known here.
        let known = [&ring.refusals, &self.processes[process].refusals];
        let is_alone = self.processes[process].rings.len() == 1;
        let first = ring.current.and_then(|pair| {
            let first = ring.refusals.of(pair)?.first;
            Some(if is_alone { first } else { known[1].first(pair)?.min(first) })
        });
        if let Some(first) = first.filter(|first| now < *first + policy.rotation_wait) {
            if !is_past {
                let message = format!(
                    "the call fails {:.3} s after the refusal; calls wait {:.3} s",
                    now.saturating_sub(first).as_secs_f64(),
                    policy.rotation_wait.as_secs_f64()
                );
                return self.violate_call(Check::GoodPairWithinTheWait, slot, message);
            }
        }
        let source = &self.sources[self.processes[process].source];
        let Some(pair) = source.content else { return };
        let record = self.service.record(pair);
        let is_page_shown = self.episode.account_page == AccountPage::Shown && policy.verify_path.is_none();
        let wanted = ring.expected.or(ring.known);
        if !record.is_live || wanted.is_some_and(|wanted| wanted != record.account || !is_page_shown) {
            return;
        }
        // It has no attempt left for a pair in use that was refused: it waits for another call to prove that.
        let is_last_attempt = call.record.retries + call.record.refusals >= call.max_retries;
        if is_past && is_last_attempt && ring.current == Some(pair) {
            return;
        }
        let bad_until = known.iter().filter_map(|refusals| refusals.of(pair)).map(|one| one.latest).max();
        let bad_until = bad_until.unwrap_or_default();
        // A wait that the service asked for is not a wait for a pair.
        let quiet_since =
            [ring.disturbed_until, source.since, self.service.changed_at, bad_until, began, not_before]
                .into_iter()
                .max()
                .expect("six times");
        let (_, read_time) = self.episode.read_time;
        let (_, latency) = self.episode.latency;
        let usual = Duration::from_millis(2 * read_time + 2 * self.episode.oversleep + 2 * latency);
        let recovery = if is_past { LONG_RECOVERY } else { RECOVERY } + usual;
        self.saw(Seen::QuietFailures);
        if now > quiet_since + recovery {
            let message = format!(
                "the call fails with {}, and pair {pair} is good and in the source, undisturbed since {:.6} s",
                error.kind().name(),
                quiet_since.as_secs_f64()
            );
            self.violate_call(Check::GoodPairWithinTheWait, slot, message);
        }
    }
}
