//! Reads of the source: what they give, how long they take, and how they fail.

use std::time::Duration;

use justcall_auth_protocol::error::{Error, ErrorKind};
use justcall_auth_protocol::keyring::{LoadedPair, SourceRead};

use crate::call::{Doing, Driver, Reading};
use crate::coverage::Seen;
use crate::plant::Plant;
use crate::trace::What;
use crate::world::{Event, World};

impl World {
    /// The call's driver begins to read the source.
    pub(crate) fn begin_read(&mut self, slot: usize) {
        self.saw(Seen::SourceReads);
        self.note(slot, What::Reads);
        self.check_reader(slot);
        let (low, high) = self.episode.read_time;
        let time = self.random.time(low, high);
        if self.calls[slot].driver != Driver::BuiltIn && self.random.chance(self.episode.faults.abandoned) {
            self.saw(Seen::AbandonedLoading);
            return self.abandon(slot, "reading", None, Event::ReadEnds);
        }
        let faults = self.episode.faults;
        let source = self.processes[self.calls[slot].process].source;
        let is_file = self.sources[source].is_file;
        let mut until = self.now + time;
        let reading = if self.random.chance(faults.failed_read) {
            Reading::Fails
        } else if self.random.chance(faults.stale_read) {
            Reading::Stale
        } else if self.random.chance(faults.slow_read) {
            until = self.slow_read(slot, is_file);
            if is_file { Reading::TooSlow } else { Reading::Current }
        } else {
            Reading::Current
        };
        // What reads a file or runs a command obeys the deadline.
        let (reading, until) = match self.calls[slot].deadline.filter(|deadline| *deadline < until) {
            Some(deadline) if is_file => (Reading::TooSlow, deadline),
            cut => {
                self.calls[slot].may_be_late |= cut.is_some();
                (reading, until)
            }
        };
        let call = self.now_doing(slot, Doing::Reading(reading));
        self.queue.add(until, Event::ReadEnds(call));
    }

    /// When a read that takes too long ends: a file or a command obeys the deadline, a callback does not.
    fn slow_read(&mut self, slot: usize, is_file: bool) -> Duration {
        self.saw(Seen::SlowReads);
        if !is_file {
            let time = self.random.time(1_000, 70_000);
            self.calls[slot].may_be_late = true;
            self.ring(slot).disturb(Duration::ZERO);
            let until = self.now + time;
            self.ring(slot).disturb(until);
            return until;
        }
        let limit = self.now + Duration::from_secs(10);
        let until = self.calls[slot].deadline.map_or(limit, |deadline| deadline.min(limit));
        self.ring(slot).disturb(until);
        until
    }

    /// The read is over: reports what it gave, as the library does for every driver.
    pub(crate) fn end_read(&mut self, slot: usize) {
        let Doing::Reading(reading) = self.calls[slot].doing else {
            // A host that was away comes back.
            self.saw(Seen::LateReports);
            self.calls[slot].doing = Doing::Reading(Reading::Current);
            return self.end_read(slot);
        };
        let process = self.calls[slot].process;
        let result = self.read(process, slot, reading);
        let now = self.moment();
        let call = &mut self.calls[slot];
        let is_over = call.is_cancelled || call.deadline.is_some_and(|deadline| self.now >= deadline);
        call.doing = Doing::Asking;
        let machine = call.machine.as_mut().expect("what reads has not ended");
        let mut is_ignored = false;
        match result {
            Err(error) if is_over => machine.cancel(error),
            result => is_ignored = !machine.loaded(result, &now),
        }
        if is_ignored {
            self.ring(slot).seen_version = 0;
        }
        self.ring(slot).readers.retain(|(number, _)| *number != slot as u64);
        self.drive(slot);
    }

    fn read(&mut self, process: usize, slot: usize, reading: Reading) -> Result<SourceRead, Error> {
        let source = self.sources[self.processes[process].source].clone();
        let now = self.now;
        let is_blind = self.plant == Some(Plant::BlindDetector);
        let ring = self.ring(slot);
        if reading != Reading::Current {
            ring.disturb(now);
        }
        if matches!(reading, Reading::Fails | Reading::TooSlow) {
            ring.seen_version = 0;
            self.saw(Seen::FailedReads);
            let kind =
                if reading == Reading::Fails { ErrorKind::SourceUnavailable } else { ErrorKind::Timeout };
            self.note(slot, What::ReadFailed(kind.name()));
            return Err(Error::new(kind));
        }
        let is_same = ring.seen_version == source.version || is_blind && ring.seen_version > 0;
        if reading == Reading::Current && source.is_file && is_same {
            self.saw(Seen::UnchangedReads);
            self.note(slot, What::Unchanged);
            return Ok(SourceRead::Unchanged);
        }
        let content = if reading == Reading::Stale { source.before } else { source.content };
        let Some(pair) = content else {
            ring.seen_version = 0;
            self.note(slot, What::ReadFailed("credentials_missing"));
            return Err(Error::new(ErrorKind::CredentialsMissing));
        };
        if reading == Reading::Stale {
            ring.seen_version = 0;
            self.saw(Seen::StaleReads);
        } else {
            ring.seen_version = source.version;
        }
        self.note(slot, What::Gave(Some(pair)));
        let copy = self.random.index(2);
        let found = LoadedPair {
            is_watched: source.is_file,
            previous_compromised: self.random.chance(100),
            ..LoadedPair::from(self.pool.credentials(pair, copy))
        };
        Ok(SourceRead::Pair(found))
    }
}
