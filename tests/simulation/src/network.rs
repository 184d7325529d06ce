//! The network between the drivers and the service, and what it loses.

use std::time::Duration;

use justcall_auth_protocol::Response;
use justcall_auth_protocol::error::{Error, ErrorKind};
use justcall_auth_protocol::exchange::Cause;

use crate::call::{Doing, Driver, Fate, Flight, Purpose, Task};
use crate::coverage::Seen;
use crate::plant::Plant;
use crate::service::{Answer, Page, Pair, Service};
use crate::trace::What;
use crate::world::{Event, World};

/// When a connection without a deadline gives up.
const LONGEST: Duration = Duration::from_secs(120);
/// A request that is under way for longer is a fault of the network.
const USUAL: Duration = Duration::from_secs(1);

impl World {
    /// The request leaves with `pair`.
    pub(crate) fn depart(&mut self, slot: usize, pair: Pair) {
        let exchange = self.calls[slot].machine.as_mut().expect("what sends has not ended").sending();
        let page = Page::of(exchange.outgoing().path(), exchange.is_verifying());
        let is_proof = exchange.holds_lease() || matches!(self.calls[slot].task, Task::Replace(_));
        self.saw(Seen::Requests);
        self.note(slot, What::Takes(pair, page));
        self.check_send(slot, pair, page, is_proof);
        self.check_release(slot, pair, is_proof);
        let call = &mut self.calls[slot];
        let purpose = match call.task {
            Task::Post if page.is_own() => Purpose::Post,
            task if page.is_own() || !task.is_request() => Purpose::Subject,
            _ => Purpose::Question,
        };
        call.record.taken += u32::from(purpose.is_subject());
        call.record.is_post_open |= purpose == Purpose::Post;
        let (fate, leaves, returns) = self.draw_fate(slot);
        let call = &self.calls[slot];
        let flight = self.flights.len();
        self.flights.push(Flight {
            slot,
            process: call.process,
            pair,
            page,
            purpose,
            due: (call.due_since, call.due_tick),
            leaves,
            is_proof,
            fate,
            is_called_off: false,
            answer: None,
        });
        let faults = self.episode.faults;
        if self.calls[slot].driver != Driver::BuiltIn && self.random.chance(faults.abandoned) {
            self.saw(Seen::AbandonedTaken);
            if fate.arrives() && self.random.chance(500) {
                self.queue.add(leaves, Event::Arrives(flight));
            } else {
                self.flights[flight].is_called_off = true;
            }
            return self
                .abandon(slot, "after taking the authorization", Some(flight), |_| Event::Returns(flight));
        }
        self.now_doing(slot, Doing::Sending(flight));
        if fate.arrives() {
            let half = self.half_way();
            self.queue.add(leaves + half, Event::Arrives(flight));
        }
        // An answer comes back some time after it was given; everything else ends by itself.
        if fate != Fate::Answered {
            self.queue.add(returns, Event::Returns(flight));
            self.ring(slot).disturb(returns);
        } else if let Some(deadline) = self.limit(slot) {
            self.queue.add(deadline, Event::Returns(flight));
        }
    }

    fn half_way(&mut self) -> Duration {
        let (low, high) = self.episode.latency;
        self.random.time(low, high) / 2
    }

    /// When the driver ends a request that is not answered, if it does.
    fn limit(&self, slot: usize) -> Option<Duration> {
        let call = &self.calls[slot];
        call.deadline.filter(|_| call.driver.is_punctual()).map(|deadline| deadline.max(self.now))
    }

    /// What becomes of a request, when its first byte leaves, and when its driver learns that there is no answer.
    fn draw_fate(&mut self, slot: usize) -> (Fate, Duration, Duration) {
        let faults = self.episode.faults;
        let connects = if self.random.chance(300) { self.half_way() } else { Duration::ZERO };
        let leaves = self.now + connects;
        let fate = if self.random.chance(faults.not_connected) {
            Fate::NotConnected
        } else if self.random.chance(faults.lost_on_the_way) {
            Fate::LostOnTheWay
        } else if self.random.chance(faults.lost_answer) {
            Fate::LostAnswer
        } else if self.random.chance(faults.cut_answer) {
            Fate::CutAnswer
        } else if self.random.chance(faults.hanging) {
            Fate::Hanging
        } else {
            Fate::Answered
        };
        let seen = match fate {
            Fate::Answered => return (fate, leaves, leaves),
            Fate::NotConnected => Seen::NotConnected,
            Fate::LostOnTheWay => Seen::LostOnTheWay,
            Fate::LostAnswer => Seen::LostAnswers,
            Fate::CutAnswer => Seen::CutAnswers,
            Fate::Hanging => Seen::HangingAnswers,
        };
        self.saw(seen);
        let time = match fate {
            Fate::Hanging => LONGEST,
            Fate::NotConnected | Fate::LostOnTheWay => self.random.time(1, 10_000),
            _ => self.half_way() * 3 + Duration::from_millis(1),
        };
        let returns = leaves + time;
        (fate, leaves, self.limit(slot).map_or(returns, |limit| returns.min(limit)))
    }

    /// The request arrives at the service, which answers it.
    pub(crate) fn arrive(&mut self, number: usize) {
        let flight = &self.flights[number];
        if flight.is_called_off {
            return;
        }
        let (slot, pair, page) = (flight.slot, flight.pair, flight.page);
        self.saw(Seen::Arrivals);
        let faults = self.episode.faults;
        let mut answer = if self.random.chance(faults.portal) {
            Service::portal(page.is_own(), &mut self.seen)
        } else {
            self.service.answer(pair, page, &faults, &mut self.random, &mut self.seen)
        };
        self.note(slot, What::Arrives(pair, answer.response.http_status()));
        self.check_arrival(number, answer.is_refused);
        if self.plant == Some(Plant::ResendingPool) && self.flights[number].fate == Fate::LostAnswer {
            self.note(slot, What::Fault("the pool sends it again"));
            self.check_arrival(number, false);
        }
        self.spoil(page, &mut answer);
        let fate = self.flights[number].fate;
        self.flights[number].answer = Some(answer);
        if fate == Fate::Answered {
            let mut back = self.half_way();
            if self.random.chance(faults.late) {
                self.saw(Seen::LateAnswers);
                back += self.random.time(1_000, 40_000);
            }
            self.queue.add(self.now + back, Event::Returns(number));
            if back > USUAL {
                let until = self.now + back;
                self.ring(slot).disturb(until);
            }
        }
    }

    /// What a planted proxy makes of an answer.
    fn spoil(&mut self, page: Page, answer: &mut Answer) {
        match self.plant {
            Some(Plant::TurnedRefusals) if answer.is_refused => {
                answer.response = Response::new(404, Vec::new(), Vec::new());
                answer.is_refused = false;
            }
            Some(Plant::CachedAccountPage) if page == Page::Account && !answer.is_refused => {
                let body = br#"{"status":"success","data":{"account_id":1}}"#;
                answer.response = Response::new(200, Vec::new(), body.to_vec());
                (answer.is_refused, answer.is_accepted) = (false, true);
            }
            _ => {}
        }
    }

    /// The driver gets the answer, or learns that there is none.
    pub(crate) fn come_back(&mut self, number: usize) {
        let (slot, page) = (self.flights[number].slot, self.flights[number].page);
        let call = &self.calls[slot];
        let is_late = call.doing == Doing::Nothing && call.left_with == Some(number);
        if call.machine.is_none() || !is_late && call.doing != Doing::Sending(number) {
            return;
        }
        let is_past = call.deadline.is_some_and(|deadline| self.now >= deadline);
        if is_late || is_past && !call.driver.is_punctual() {
            self.saw(Seen::LateReports);
        }
        self.calls[slot].doing = Doing::Asking;
        let answer = self.flights[number].answer.take();
        match answer.filter(|_| matches!(self.flights[number].fate, Fate::Answered)) {
            Some(answer) if !(is_past && self.calls[slot].driver.is_punctual()) => {
                self.report_answer(slot, number, page, answer);
            }
            _ => self.report_failure(slot, number, is_past),
        }
        self.drive(slot);
    }

    fn report_answer(&mut self, slot: usize, number: usize, page: Page, answer: Answer) {
        let status = answer.response.http_status();
        self.note(slot, What::Answered(status));
        self.calls[slot].record.returned = Some(self.now);
        self.learn(slot, number, page, &answer);
        let Answer { mut response, is_refused, .. } = answer;
        let now = self.moment();
        let exchange =
            self.calls[slot].machine.as_mut().expect("what gets an answer has not ended").sending();
        if is_refused && self.plant == Some(Plant::HiddenRefusals) {
            let lost = Error::new(ErrorKind::ConnectionFailed).with_request_sent(true);
            return exchange.not_answered(lost, &now);
        }
        if self.plant == Some(Plant::HastyRetries) {
            response = Response::new(status, Vec::new(), response.body().to_vec());
        }
        exchange.answered(response, &now);
    }

    fn report_failure(&mut self, slot: usize, number: usize, is_past: bool) {
        let flight = &self.flights[number];
        let fate = flight.fate;
        let has_left = fate != Fate::NotConnected && self.now >= flight.leaves && !flight.is_called_off;
        let cause = match fate {
            _ if is_past => Cause::Timeout,
            Fate::NotConnected => self.random.pick(&[Cause::Resolve, Cause::Connect, Cause::Tls]),
            _ => Cause::Closed,
        };
        let mut is_sent = has_left;
        if !has_left {
            // The driver ends the attempt: it does not arrive any more.
            self.flights[number].is_called_off = true;
            self.calls[slot].record.reported_unsent += u32::from(self.flights[number].purpose.is_subject());
            self.calls[slot].record.is_post_open &= self.flights[number].purpose != Purpose::Post;
        }
        match self.plant {
            Some(Plant::DeniedRequests) if self.calls[slot].task != Task::Post => is_sent = false,
            Some(Plant::ClaimedRequests) => is_sent = true,
            _ => {}
        }
        self.note(slot, What::NotAnswered(cause.name(), is_sent));
        self.calls[slot].record.returned = Some(self.now);
        let now = self.moment();
        self.ring(slot).disturb(now.monotonic);
        let exchange =
            self.calls[slot].machine.as_mut().expect("what gets no answer has not ended").sending();
        exchange.not_answered(cause.into_error(is_sent), &now);
    }

    /// The driver ends a request of a call that was cancelled.
    pub(crate) fn stop(&mut self, slot: usize, number: usize) {
        let flight = &mut self.flights[number];
        let is_subject = flight.purpose.is_subject();
        let has_left = flight.fate != Fate::NotConnected && self.now >= flight.leaves;
        flight.is_called_off |= !has_left;
        // A host asks its exchange first, which then ends; the library reports what it knows.
        if self.calls[slot].driver == Driver::BuiltIn {
            if !has_left {
                self.calls[slot].record.reported_unsent += u32::from(is_subject);
            }
            let now = self.moment();
            let exchange =
                self.calls[slot].machine.as_mut().expect("what is cancelled has not ended").sending();
            let error = Error::new(ErrorKind::Cancelled).with_request_sent(has_left);
            exchange.not_answered(error, &now);
        }
    }
}
