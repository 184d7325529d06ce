//! The drivers of exchanges: the library's own loop, or a host, which may also abandon its exchange.

use std::time::Duration;

use justcall_auth_protocol::error::{Error, ErrorKind};
use justcall_auth_protocol::{Action, EventKind, Exchange, Moment, Refresh, Request};

use crate::call::{Call, Doing, Driver, Record, Reference, Task};
use crate::checks::Check;
use crate::coverage::Seen;
use crate::machine::Machine;
use crate::plant::Plant;
use crate::service::Pool;
use crate::trace::What;
use crate::world::{Event, World};

/// A driver that is asked so often at one moment spins.
const MAX_ASKED: u32 = 50;
/// How long a call without a deadline keeps its leases.
pub(crate) const LEASE: Duration = Duration::from_secs(60);

impl World {
    /// `number` calls of `process` begin; if `goes_on`, the next one follows.
    pub(crate) fn begin_calls(&mut self, process: usize, number: u64, goes_on: bool) {
        if self.is_settled() {
            return;
        }
        if goes_on {
            let gap = self.gap(self.episode.call_gap);
            self.queue.add(self.now + gap, Event::Begins(process));
        } else {
            let gap = self.gap(200_000);
            self.queue.add(self.now + gap, Event::Burst(process));
        }
        for _ in 0..number {
            self.begin_call(process);
        }
    }

    fn begin_call(&mut self, process: usize) {
        let clients = &self.processes[process].clients;
        let mut client = self.random.index(clients.len());
        // Few calls go on with a client that is shut down.
        if clients[client].is_shut_down && !self.random.chance(50) {
            client = clients.len() - 1;
        }
        let (policy, ring) = (clients[client].policy.clone(), clients[client].ring);
        let shared = self.processes[process].rings[ring].shared.clone();
        let task = self.draw_task(process);
        let now = self.moment();
        let machine = match task {
            Task::Verify => Machine::sends(Exchange::verify(policy.clone(), shared, &now)),
            Task::Replace(pair) => {
                let credentials = self.pool.credentials(pair, 1);
                Machine::sends(Exchange::replace(policy.clone(), shared, credentials, &now))
            }
            Task::Reload => Machine::Refresh(Refresh::reload(&policy, shared, &now)),
            Task::Find => Machine::Refresh(Refresh::find(&policy, shared, &now)),
            Task::Get | Task::Put | Task::Post | Task::OwnAccount => {
                Machine::sends(Exchange::request(policy.clone(), shared, request(task), &now))
            }
        };
        let slot = self.calls.len();
        let driver = if self.random.chance(500) {
            Driver::BuiltIn
        } else if self.random.chance(900) {
            Driver::PunctualHost
        } else {
            Driver::SlowHost
        };
        self.calls.push(Call {
            number: slot as u64,
            process,
            client,
            ring,
            task,
            driver,
            may_be_late: false,
            left_with: None,
            began: self.now,
            deadline: machine.deadline(),
            max_retries: policy.max_retries,
            machine: Some(machine),
            step: 0,
            doing: Doing::Asking,
            is_cancelled: false,
            held_since: None,
            is_released: false,
            asked: (self.now, 0),
            due_since: self.now,
            due_tick: 0,
            due_known: None,
            record: Record::default(),
        });
        self.count_call(slot);
        if self.random.chance(self.episode.faults.cancelled) {
            let after = self.random.time(0, 3_000);
            self.queue.add(self.now + after, Event::Cancel(slot));
        }
        self.drive(slot);
    }

    fn draw_task(&mut self, process: usize) -> Task {
        match self.random.below(200) {
            0..=69 => Task::Post,
            70..=89 => Task::Put,
            90..=93 => Task::OwnAccount,
            94..=113 => Task::Verify,
            114..=119 => Task::Reload,
            120..=124 => Task::Find,
            125 => {
                let home = self.sources[self.processes[process].source].home;
                let account = if self.random.chance(800) { home } else { 1 };
                let live = self.service.latest(account);
                let dead = self.service.dead(account);
                match live {
                    Some(pair) if dead.is_empty() || self.random.chance(800) => Task::Replace(pair),
                    _ if !dead.is_empty() => Task::Replace(self.random.pick(&dead)),
                    _ => Task::Get,
                }
            }
            _ => Task::Get,
        }
    }

    fn count_call(&mut self, slot: usize) {
        let call = &self.calls[slot];
        let (name, seen) = match call.task {
            Task::Get => ("GET", Seen::GetCalls),
            Task::Put => ("PUT", Seen::PutCalls),
            Task::Post => ("POST", Seen::PostCalls),
            Task::OwnAccount => ("GET of the account page", Seen::OwnAccountCalls),
            Task::Verify => ("verify", Seen::VerifyCalls),
            Task::Replace(_) => ("replace", Seen::ReplaceCalls),
            Task::Reload => ("reload", Seen::ReloadCalls),
            Task::Find => ("find", Seen::FindCalls),
        };
        let (driver, deadline, client, ring) = (call.driver, call.deadline, call.client, call.ring);
        self.saw(Seen::Calls);
        self.saw(seen);
        self.saw(if driver == Driver::BuiltIn { Seen::BuiltIn } else { Seen::Hosted });
        if deadline.is_none() {
            self.saw(Seen::Unlimited);
        }
        self.note(slot, What::Begins(name, client, ring, deadline));
    }

    /// Asks the exchange what to do, and does it.
    pub(crate) fn drive(&mut self, slot: usize) {
        let now = self.moment();
        let call = &mut self.calls[slot];
        let is_ended = call.is_cancelled || self.processes[call.process].clients[call.client].is_shut_down;
        let Some(machine) = &mut call.machine else { return };
        if is_ended {
            machine.cancel(Error::new(ErrorKind::Cancelled));
        }
        let mut action = machine.next(&now);
        if let (Some(Plant::RushedRelease), true, Ok(Action::Wait(wait))) =
            (self.plant, call.is_released, &action)
        {
            let monotonic = now.monotonic + *wait;
            // The answer has the time of a clock that is ahead; the next one has that of the world.
            drop(machine.next(&Moment { monotonic, ..now }));
            action = machine.next(&now);
        }
        call.step += 1;
        call.asked = if call.asked.0 == self.now { (self.now, call.asked.1 + 1) } else { (self.now, 1) };
        if call.asked.1 > MAX_ASKED {
            return self.violate_call(Check::EveryCallEnds, slot, "the driver spins");
        }
        self.take_events(slot);
        self.observe(slot);
        match action {
            Ok(Action::Load) => self.begin_read(slot),
            Ok(Action::Send { remaining }) => {
                self.check_remaining(slot, remaining);
                self.begin_send(slot);
            }
            Ok(Action::Wait(wait)) => self.wait(slot, wait),
            Ok(Action::Done) => self.end(slot, Ok(())),
            Err(error) => self.end(slot, Err(error)),
        }
    }

    fn take_events(&mut self, slot: usize) {
        let Some(machine) = &mut self.calls[slot].machine else { return };
        for event in machine.take_events() {
            let seen = match event.kind() {
                EventKind::Rotated => Seen::Rotated,
                EventKind::CandidateRejected => Seen::CandidateRejected,
                EventKind::PairRejected => Seen::PairRejected,
                EventKind::WaitingForSource => Seen::WaitingForSource,
                EventKind::Retrying => Seen::Retrying,
                EventKind::RateLimitLow => Seen::RateLimitLow,
                EventKind::SourceChanged => Seen::SourceChanged,
                EventKind::RotationDue => Seen::RotationDue,
                EventKind::UsageSpike => Seen::UsageSpike,
                _ => continue,
            };
            self.saw(seen);
            if event.kind() == EventKind::Retrying {
                self.calls[slot].record.retries += 1;
                let until = self.now + event.wait().unwrap_or_default();
                let record = &mut self.calls[slot].record;
                record.not_before = record.not_before.max(until);
            }
            self.note(slot, What::Event(event.kind().name()));
        }
    }

    fn wait(&mut self, slot: usize, wait: Duration) {
        if wait.is_zero() {
            return self.violate_call(Check::EveryCallEnds, slot, "a wait of nothing would spin");
        }
        if self.plant == Some(Plant::EagerReader) {
            self.check_reader(slot);
        }
        self.hold(slot);
        if self.calls[slot].doing != Doing::Waiting {
            self.note(slot, What::Waits(wait));
        }
        let asleep = wait + self.random.time(0, self.episode.oversleep);
        let call = self.now_doing(slot, Doing::Waiting);
        if self.plant != Some(Plant::LostWakeup) || !self.random.chance(20) {
            self.queue.add(self.now + asleep, Event::Drive(call));
        }
    }

    /// The call does `doing` from now on; what was scheduled for it is void.
    pub(crate) fn now_doing(&mut self, slot: usize, doing: Doing) -> Reference {
        let call = &mut self.calls[slot];
        call.step += 1;
        call.doing = doing;
        Reference { slot, step: call.step }
    }

    fn begin_send(&mut self, slot: usize) {
        let (tick, known) = (self.tick(), self.ring(slot).known);
        let call = &mut self.calls[slot];
        call.due_known = known;
        let exchange = call.machine.as_mut().expect("what sends has not ended").sending();
        call.due_since = self.now;
        call.due_tick = tick;
        call.record.due += u32::from(!call.task.is_request() || !exchange.is_verifying());
        self.note(slot, What::Due);
        let faults = self.episode.faults;
        if self.calls[slot].driver == Driver::BuiltIn {
            return self.take(slot);
        }
        if self.random.chance(faults.abandoned) {
            self.saw(Seen::AbandonedSending);
            return self.abandon(slot, "before sending", None, Event::Takes);
        }
        if self.random.chance(faults.late_authorization) {
            self.saw(Seen::LateAuthorizations);
            let until = self.now + self.random.time(1, 3_000);
            self.ring(slot).disturb(until);
            self.calls[slot].may_be_late = true;
            let call = self.now_doing(slot, Doing::Holding);
            return self.queue.add(until, Event::Takes(call));
        }
        self.take(slot);
    }

    /// Takes the authorization and sends the request.
    pub(crate) fn take(&mut self, slot: usize) {
        let exchange = self.calls[slot].machine.as_mut().expect("what sends has not ended").sending();
        match exchange.authorization() {
            Ok(credentials) => self.depart(slot, Pool::number(&credentials)),
            // The call is over by now, or must be asked again.
            Err(_) => self.drive(slot),
        }
    }

    /// The host does not go on with the exchange: for ever, until it drops it, or until it comes back late.
    pub(crate) fn abandon(
        &mut self,
        slot: usize,
        what: &'static str,
        flight: Option<usize>,
        comes_back: impl FnOnce(Reference) -> Event,
    ) {
        self.note(slot, What::Abandoned(what));
        let lease = self.calls[slot].deadline.unwrap_or(self.now + LEASE);
        self.ring(slot).disturb(lease);
        self.calls[slot].may_be_late = true;
        self.calls[slot].left_with = flight;
        let call = self.now_doing(slot, Doing::Nothing);
        let after = self.random.time(10, 90_000);
        match self.random.below(3) {
            0 => {}
            1 => self.queue.add(self.now + after, Event::Drop(slot)),
            _ => self.queue.add(self.now + after, comes_back(call)),
        }
    }

    /// Drops an exchange that was left alone.
    pub(crate) fn drop_exchange(&mut self, slot: usize) {
        if self.calls[slot].doing == Doing::Nothing && self.calls[slot].machine.take().is_some() {
            self.saw(Seen::DroppedExchanges);
            self.note(slot, What::Abandoned("dropped"));
            let now = self.now;
            let ring = self.ring(slot);
            ring.readers.retain(|(number, _)| *number != slot as u64);
            ring.disturb(now);
        }
    }

    /// The caller cancels the call, or shuts its client down.
    pub(crate) fn cancel(&mut self, slot: usize) {
        let call = &mut self.calls[slot];
        if call.machine.is_none() || call.doing == Doing::Nothing {
            return;
        }
        call.is_cancelled = true;
        let doing = call.doing;
        self.saw(Seen::Cancellations);
        self.note(slot, What::Cancelled);
        let now = self.now;
        self.ring(slot).disturb(now);
        match doing {
            Doing::Sending(flight) => {
                self.saw(Seen::CancelledInFlight);
                self.stop(slot, flight);
            }
            Doing::Reading(_) => {
                self.saw(Seen::CancelledLoading);
                let source = self.processes[self.calls[slot].process].source;
                // A callback is not interrupted.
                if !self.sources[source].is_file {
                    return;
                }
                self.ring(slot).seen_version = 0;
                self.ring(slot).readers.retain(|(number, _)| *number != slot as u64);
            }
            Doing::Waiting => self.saw(Seen::CancelledWaiting),
            Doing::Holding | Doing::Asking | Doing::Nothing => {}
        }
        self.drive(slot);
    }
}

fn request(task: Task) -> Request {
    let (method, path) = match task {
        Task::Put => ("PUT", "/v2.1/contacts/7"),
        Task::Post => ("POST", "/v2.1/texts/new"),
        Task::OwnAccount => ("GET", "/v2/account"),
        _ => ("GET", "/v2.1/calls"),
    };
    Request::new(method, path).expect("a good path")
}
