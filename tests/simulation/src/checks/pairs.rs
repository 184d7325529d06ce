//! The promises about pairs: which is sent, which is used, and who reads the source.

use std::time::Duration;

use justcall_auth_protocol::service;

use crate::call::{Purpose, Task};
use crate::checks::Check;
use crate::coverage::Seen;
use crate::drive::LEASE;
use crate::service::{Account, Answer, Page, Pair, Pool};
use crate::trace::What;
use crate::world::World;

impl World {
    /// `pair` is about to be sent for `page`.
    pub(crate) fn check_send(&mut self, slot: usize, pair: Pair, page: Page, is_proof: bool) {
        let now = self.now;
        let call = &self.calls[slot];
        let (due_since, record, max_retries) = (call.due_since, call.record, call.max_retries);
        let ring = &self.processes[call.process].rings[call.ring];
        let account = self.service.record(pair).account;
        // A host may take the authorization for a proof after the account became known, or after the program set a pair of
        // another account.
        let is_late = is_proof && ring.known.is_some_and(|known| known != account);
        let (expected, known) = (ring.expected, if is_late { call.due_known } else { ring.known });
        let of_process = &self.processes[call.process].refusals;
        let refusal = ring.refusals.known(pair, due_since, call.due_tick);
        // Another keyring of the process may have proven the pair since, or its cool-down may be over first.
        let refusal = refusal.and(of_process.known(pair, due_since, call.due_tick));
        let current = ring.current;
        if page.is_own() && !is_proof && current != Some(pair) {
            let used = current.map_or("none".to_owned(), |current| current.to_string());
            let message = format!("pair {pair} is sent without a lease to prove it; pair {used} is in use");
            self.violate_call(Check::GoodPairKept, slot, message);
        }
        if let Some(refusal) = refusal {
            let message = format!(
                "pair {pair} is sent for {page:?} at {:.6} s; it is known to be bad since {:.6} s, until {:.6} s",
                now.as_secs_f64(),
                refusal.at.as_secs_f64(),
                refusal.until.as_secs_f64()
            );
            self.violate_call(Check::KnownBadPair, slot, message);
        }
        if page.is_own() {
            self.check_account(slot, pair, account, expected, known);
        }
        if page.is_own() && record.is_post_open {
            self.violate_call(
                Check::PostTwice,
                slot,
                "the POST is sent again, and the first may have arrived",
            );
        }
        if record.is_post_closed && self.calls[slot].task == Task::Post && page.is_own() {
            self.saw(Seen::SecondPosts);
        }
        if record.retries + record.refusals > max_retries {
            let message =
                format!("{} attempts more than allowed", record.retries + record.refusals - max_retries);
            self.violate_call(Check::Attempts, slot, message);
        }
        if now < record.not_before {
            let message = format!("it is sent again before {:.6} s", record.not_before.as_secs_f64());
            self.violate_call(Check::Attempts, slot, message);
        }
    }

    fn check_account(
        &mut self,
        slot: usize,
        pair: Pair,
        account: Account,
        expected: Option<Account>,
        known: Option<Account>,
    ) {
        if known.is_some() {
            self.saw(Seen::KnownAccounts);
        }
        if let Some(wanted) = expected.or(known).filter(|wanted| *wanted != account) {
            let why = if expected.is_some() { "expected" } else { "known" };
            let message = format!("pair {pair} is of account {account}; account {wanted} is {why}");
            self.violate_call(Check::AnotherAccount, slot, message);
        }
    }

    /// The request of the flight has arrived.
    pub(crate) fn check_arrival(&mut self, number: usize, is_refused: bool) {
        let flight = &self.flights[number];
        let (slot, process, pair) = (flight.slot, flight.process, flight.pair);
        let (due_since, due_tick) = flight.due;
        let purpose = flight.purpose;
        let refusal = self.processes[process].refusals.known(pair, due_since, due_tick);
        if let Some(refusal) = refusal.filter(|_| is_refused) {
            let message = format!(
                "the service refuses pair {pair} again; the process knows that since {:.6} s",
                refusal.at.as_secs_f64()
            );
            self.violate_call(Check::OneRefusal, slot, message);
        }
        let record = &mut self.calls[slot].record;
        record.arrived += u32::from(purpose.is_subject());
        if purpose == Purpose::Post && !is_refused {
            record.posts_accepted += 1;
            if record.posts_accepted > 1 + record.posts_refused {
                self.violate_call(Check::PostTwice, slot, "the POST has arrived twice");
            }
        }
        if purpose.is_subject() && self.calls[slot].record.is_denied {
            let message = "the error said that nothing was sent, and now a request arrives";
            self.violate_call(Check::RequestSent, slot, message);
        }
    }

    /// The driver of the call reports `answer`: what the library can know from now on.
    pub(crate) fn learn(&mut self, slot: usize, number: usize, page: Page, answer: &Answer) {
        let tick = self.tick();
        let (now, flight) = (self.now, &self.flights[number]);
        let (pair, is_proof, purpose) = (flight.pair, flight.is_proof, flight.purpose);
        let (due_since, _) = flight.due;
        let status = answer.response.http_status();
        let call = &mut self.calls[slot];
        let policy = self.processes[call.process].clients[call.client].policy.clone();
        call.record.last_status = status;
        call.record.last = Some((page, pair));
        let retry_after = answer.response.header("retry-after").and_then(|value| value.parse().ok());
        if let Some(seconds) = retry_after.filter(|_| status == 429) {
            call.record.not_before = now + Duration::from_secs(seconds);
        }
        if purpose == Purpose::Post && (answer.is_refused || matches!(status, 401 | 429)) {
            call.record.is_post_open = false;
            call.record.is_post_closed = true;
            if !answer.is_refused {
                call.record.posts_refused += 1;
            }
        }
        // The account page refuses good pairs too, if it does not exist. A pair that another keyring knows to be refused, whichever
        // client's cool-down counts, needs no other page.
        let of_process = &self.processes[call.process].refusals;
        let is_known = of_process.of(pair).is_some_and(|refusal| now < refusal.until);
        if answer.is_refused && (page.is_conclusive() || page == Page::OwnAccount && is_known) {
            call.record.refusals += 1;
            let until = now + policy.cool_down;
            self.ring(slot).refusals.learn(pair, tick, now, until);
            let process = self.calls[slot].process;
            self.processes[process].refusals.learn(pair, tick, now, until);
        }
        let call = &self.calls[slot];
        let is_replacing = matches!(call.task, Task::Replace(_));
        let is_late = is_proof && !is_replacing && now >= call.deadline.unwrap_or(due_since + LEASE);
        let shown = service::account(answer.response.body()).ok().filter(|_| page == Page::Account);
        let shown = shown.and_then(|account| account.id());
        let ring = self.ring(slot);
        // A pair that must show its account is not accepted before it has.
        let known = ring.known.filter(|_| !is_replacing);
        let wanted = ring.expected.or(known).filter(|_| !page.is_own());
        // What a call finds after the end of its lease has no effect.
        if answer.is_accepted && !is_late && (wanted.is_none() || wanted == shown) {
            if !ring.accepted.contains(&pair) {
                ring.accepted.push(pair);
            }
            if is_proof {
                ring.refusals.forget(pair);
                self.forget_in_process(slot, pair);
                self.end_hold(slot, pair);
            }
        }
        let is_success = (200..300).contains(&status);
        if !is_success && !answer.is_refused {
            self.ring(slot).disturb(now);
        }
        // A good pair whose account is not shown is set aside for a cool-down.
        if is_success && wanted.is_some() && shown.is_none() {
            self.ring(slot).disturb(now + policy.cool_down);
        }
    }

    fn forget_in_process(&mut self, slot: usize, pair: Pair) {
        let now = self.now;
        let process = &mut self.processes[self.calls[slot].process];
        // Its cool-down was in the way of all keyrings that know it.
        if process.refusals.of(pair).is_some() {
            for ring in &mut process.rings {
                ring.disturb(now);
            }
        }
        process.refusals.forget(pair);
    }

    /// Looks at what the call has made of its keyring.
    pub(crate) fn observe(&mut self, slot: usize) {
        let ring = self.ring(slot);
        let current = ring.shared.keyring.current().map(|version| Pool::number(version.credentials()));
        let before = ring.current;
        if current == before {
            return;
        }
        ring.current = current;
        let (known, is_accepted) = (ring.known, current.is_some_and(|pair| ring.accepted.contains(&pair)));
        self.note(slot, What::Current(current));
        let (Some(pair), Some(before)) = (current, before) else { return };
        if !is_accepted {
            let message = format!("pair {pair} takes the place of pair {before}, and was never accepted");
            self.violate_call(Check::GoodPairKept, slot, message);
        }
        let (account, now) = (self.service.record(pair).account, self.now);
        if matches!(self.calls[slot].task, Task::Replace(_)) {
            let ring = self.ring(slot);
            if known.is_some_and(|known| known != account) {
                // Until now, calls had to refuse the pair.
                ring.disturb(now);
            }
            // The account is known again when the call has ended.
            ring.known = None;
        } else if known.is_some_and(|known| known != account) {
            let message =
                format!("pair {pair} of account {account} takes the place of pair {before} of another");
            self.violate_call(Check::AnotherAccount, slot, message);
        }
    }

    /// The call is about to read the source.
    pub(crate) fn check_reader(&mut self, slot: usize) {
        let now = self.now;
        let until = self.calls[slot].deadline.unwrap_or(now + LEASE);
        let ring = self.ring(slot);
        ring.readers.retain(|(_, until)| now < *until);
        let other = ring.readers.iter().find(|(number, _)| *number != slot as u64).copied();
        ring.readers.push((slot as u64, until));
        if let Some((number, _)) = other {
            self.violate_call(Check::OneReader, slot, format!("call {number} reads the source as well"));
        }
    }
}
