//! Looks at a moment and judges it, with the controls that show that something would have been found.

use std::collections::BTreeMap;
use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use crate::process::{Hit, Scan, stop};
use crate::programs::Programs;
use crate::rows::{Level, Plan, Row, Stage};
use crate::sandbox::Sandbox;

/// How many plain copies a thread may have while it makes a call: the pair as it is taken out and the head that it is put
/// into, or that head and the record in which it is encrypted.
const IN_FLIGHT: usize = 2;

/// What was seen at a moment.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// Plain copies in memory; while calls are made, the most at a time.
    pub copies: usize,
    /// Plain copies in the core file.
    pub core_copies: usize,
    /// Where and what, each with how often.
    pub places: BTreeMap<String, usize>,
    /// Why it is not as it must be; empty if it is.
    pub complaints: Vec<String>,
    /// How many copies were seen at level heap, where that is a control.
    pub heap: Option<usize>,
}

impl Outcome {
    /// How many copies were seen in all looks together.
    pub fn seen(&self) -> usize {
        self.places.values().sum()
    }

    /// Keeps where and what these are.
    fn note(&mut self, hits: &[Hit]) {
        for hit in hits {
            let before = if hit.before.is_empty() { "nothing" } else { &hit.before };
            *self.places.entry(format!("{}: {} (after `{before}`)", hit.place, hit.what)).or_default() += 1;
        }
    }

    pub(crate) fn expect(&mut self, holds: bool, complaint: impl Into<String>) {
        if !holds {
            self.complaints.push(complaint.into());
        }
    }

    /// Nothing may be in memory, nor in the core file.
    pub(crate) fn complain_of(&mut self, scan: &Scan, core: &Scan) {
        (self.copies, self.core_copies) = (scan.hits.len(), core.hits.len());
        self.note(&scan.hits);
        self.note(&core.hits);
        self.expect(scan.hits.is_empty(), format!("{} copies in memory", scan.hits.len()));
        self.expect(core.hits.is_empty(), format!("{} copies in the core file", core.hits.len()));
    }

    /// Of calls under way there may be `allowed` copies, each where it is known to be.
    fn complain_of_flight(&mut self, hits: &[Hit], allowed: usize) {
        let most = self.copies;
        self.expect(most <= allowed, format!("{most} copies at a time, where {allowed} are allowed"));
        for hit in hits.iter().filter(|hit| !is_in_named_buffer(hit)) {
            self.complaints.push(format!("outside the named buffers: {} in {}", hit.what, hit.place));
        }
        self.complaints.sort();
        self.complaints.dedup();
    }

    fn complain_of_hiding(&mut self, level: Level, scan: &Scan) {
        let hidden = scan.hidden.iter().filter(|(map, _)| map.starts_with("secretmem")).count();
        let expected = level == Level::SecretMem;
        self.expect((hidden > 0) == expected, format!("{hidden} maps are hidden at level {}", level.name()));
    }
}

/// Looks at `row`: in memory and in a core file, with a planted copy, and at level heap.
///
/// # Errors
/// When the moment cannot be reached, or the target cannot be looked at.
pub fn judge(programs: &Programs, sandbox: &Sandbox, row: &Row, plan: Plan) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    let mut stage = Stage::reach(programs, sandbox, row, plan)?;
    let (scan, core) = (stage.target.scan(&stage.pair.needles)?, stage.target.core(&stage.pair.needles)?);
    outcome.complain_of(&scan, &core);
    if row.is_live {
        outcome.complain_of_hiding(plan.level, &scan);
    }
    let (in_memory, in_core) = planted(&mut stage)?;
    outcome.expect(in_memory, "the control: a planted copy is not found in memory");
    outcome.expect(in_core, "the control: a planted copy is not found in the core file");
    if row.is_live {
        let heap = Stage::reach(programs, sandbox, row, Plan { level: Level::Heap, ..plan })?;
        let seen = heap.target.scan(&heap.pair.needles)?.hits.len();
        outcome.heap = Some(seen);
        outcome.expect(seen > 0, "the control: at level heap nothing is found");
    }
    Ok(outcome)
}

/// Lets the target make a copy; whether it is found in memory and in a core file, where it is.
fn planted(stage: &mut Stage<'_>) -> Result<(bool, bool)> {
    let address = stage.target.say("plant")?;
    let address = u64::from_str_radix(&address, 16).context("not an address")?;
    let needles = &stage.pair.needles;
    let is_there =
        |scan: Scan| scan.hits.iter().any(|hit| hit.address == address && hit.what == "header, plain");
    let found = (is_there(stage.target.scan(needles)?), is_there(stage.target.core(needles)?));
    stage.target.must("unplant", "ok")?;
    Ok(found)
}

/// Looks `times` times at a program all of whose threads make calls without pause. Copies are there so shortly that not every
/// two hundred looks come upon one: that they would be seen, whoever looks at several programs must find.
///
/// # Errors
/// When it cannot be started or looked at.
pub fn sample(programs: &Programs, sandbox: &Sandbox, plan: Plan, times: usize) -> Result<Outcome> {
    let (mut outcome, hits) = watch(programs, sandbox, plan, times)?;
    outcome.complain_of_flight(&hits, IN_FLIGHT * plan.threads);
    let (heap, _) = watch(programs, sandbox, Plan { level: Level::Heap, ..plan }, times.min(5))?;
    outcome.heap = Some(heap.copies);
    outcome.expect(heap.copies > 0, "the control: at level heap nothing is found");
    Ok(outcome)
}

fn watch(programs: &Programs, sandbox: &Sandbox, plan: Plan, times: usize) -> Result<(Outcome, Vec<Hit>)> {
    let mut outcome = Outcome::default();
    let mut all = Vec::new();
    let mut stage = Stage::busy(programs, sandbox, plan)?;
    let pid = stage.target.pid();
    for time in 0..times {
        // Another part of a call each time. Asleep, not busy: where there is one processor for both, the timer takes it from
        // the target in the middle of whatever that does.
        let_run(pid, 1 + (time * 7 % 13) as u64)?;
        sleep(Duration::from_micros((time * 17 % 251) as u64));
        let scan = stop(pid)?.scan(&stage.pair.needles)?;
        outcome.copies = outcome.copies.max(scan.hits.len());
        outcome.note(&scan.hits);
        all.extend(scan.hits);
    }
    let (in_memory, in_core) = planted(&mut stage)?;
    outcome.expect(in_memory && in_core, "the control: a planted copy is not found");
    stage.target.must("stop", "ok")?;
    if plan.level != Level::Heap {
        let left = stage.target.scan(&stage.pair.needles)?.hits.len();
        outcome.expect(left == 0, format!("{left} copies once the calls have ended"));
    }
    Ok((outcome, all))
}

/// The header in a buffer of its own, or after its name in what is sent, on the heap. In part where the look falls into the
/// moment in which it is written, encrypted or wiped.
fn is_in_named_buffer(hit: &Hit) -> bool {
    hit.what.ends_with("plain") && (hit.place.starts_with("[heap]") || hit.place.starts_with("anonymous"))
}

/// Waits until the threads of a process have waited `times` times for something.
fn let_run(pid: u32, times: u64) -> Result<()> {
    let goal = switches(pid)? + times;
    let begun = Instant::now();
    while switches(pid)? < goal {
        ensure!(begun.elapsed() < Duration::from_secs(20), "the target does nothing");
        std::thread::yield_now();
    }
    Ok(())
}

fn switches(pid: u32) -> Result<u64> {
    let mut sum = 0;
    for thread in fs::read_dir(format!("/proc/{pid}/task"))? {
        let Ok(status) = fs::read_to_string(thread?.path().join("status")) else { continue };
        let count = |line: &str| line.strip_prefix("voluntary_ctxt_switches:")?.trim().parse::<u64>().ok();
        sum += status.lines().find_map(count).unwrap_or_default();
    }
    Ok(sum)
}
