//! Scans a program at a moment, with positive controls that show that the scan would find a copy.

use std::collections::BTreeMap;
use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use crate::process::{MemoryHit, Scan, stop};
use crate::programs::TestPrograms;
use crate::rows::{MatrixRow, ScanPlan, Stage, TargetLevel};
use crate::sandbox::SandboxProcess;

/// How many plain copies a thread may have during a call: the pair read from protected memory and the head of the request,
/// or that head and the TLS record before its encryption.
const IN_FLIGHT: usize = 2;

/// The result of a row.
#[derive(Debug, Clone, Default)]
pub struct RowOutcome {
    /// The number of plain copies in memory. For samples of running calls, the maximum of one sample.
    pub copies: usize,
    /// The number of plain copies in the core file.
    pub core_copies: usize,
    /// The descriptions of the copies, each with its count.
    pub places: BTreeMap<String, usize>,
    /// The failed checks. Empty if the row is good.
    pub complaints: Vec<String>,
    /// The number of copies at level heap, if that is a control of the row.
    pub heap: Option<usize>,
}

impl RowOutcome {
    /// Returns the number of copies in all scans together.
    pub fn seen(&self) -> usize {
        self.places.values().sum()
    }

    /// Adds the descriptions of `hits`.
    fn note(&mut self, hits: &[MemoryHit]) {
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

    /// Requires that neither memory nor the core file has a copy.
    pub(crate) fn complain_of(&mut self, scan: &Scan, core: &Scan) {
        (self.copies, self.core_copies) = (scan.hits.len(), core.hits.len());
        self.note(&scan.hits);
        self.note(&core.hits);
        self.expect(scan.hits.is_empty(), format!("{} copies in memory", scan.hits.len()));
        self.expect(core.hits.is_empty(), format!("{} copies in the core file", core.hits.len()));
    }

    /// Requires at most `allowed` copies at a time, each in a known buffer.
    fn complain_of_calls(&mut self, hits: &[MemoryHit], allowed: usize) {
        let most = self.copies;
        self.expect(most <= allowed, format!("{most} copies at a time, at most {allowed} are allowed"));
        for hit in hits.iter().filter(|hit| !is_in_named_buffer(hit)) {
            self.complaints.push(format!("outside the named buffers: {} in {}", hit.what, hit.place));
        }
        self.complaints.sort();
        self.complaints.dedup();
    }

    /// Requires that the kernel hides the pair's pages at level secretmem, and none at other levels.
    fn complain_of_hiding(&mut self, level: TargetLevel, scan: &Scan) {
        let hidden = scan.hidden.iter().filter(|(map, _)| map.starts_with("secretmem")).count();
        let expected = level == TargetLevel::SecretMem;
        self.expect((hidden > 0) == expected, format!("{hidden} maps are hidden at level {}", level.name()));
    }
}

/// Scans memory and a core file at the moment of `row`. The positive controls are a planted copy, and level heap.
///
/// # Errors
/// If the moment cannot be reached, or the target cannot be scanned.
pub fn judge(
    programs: &TestPrograms,
    sandbox: &SandboxProcess,
    row: &MatrixRow,
    plan: ScanPlan,
) -> Result<RowOutcome> {
    let mut outcome = RowOutcome::default();
    let mut stage = Stage::reach(programs, sandbox, row, plan)?;
    let (scan, core) =
        (stage.target.scan(&stage.pair.needles)?, stage.target.scan_core(&stage.pair.needles)?);
    outcome.complain_of(&scan, &core);
    if row.is_live {
        outcome.complain_of_hiding(plan.level, &scan);
    }
    let (in_memory, in_core) = planted(&mut stage)?;
    outcome.expect(in_memory, "control: a planted copy is not found in memory");
    outcome.expect(in_core, "control: a planted copy is not found in the core file");
    if row.is_live {
        let heap = Stage::reach(programs, sandbox, row, ScanPlan { level: TargetLevel::Heap, ..plan })?;
        let seen = heap.target.scan(&heap.pair.needles)?.hits.len();
        outcome.heap = Some(seen);
        outcome.expect(seen > 0, "control: no copy is found at level heap");
    }
    Ok(outcome)
}

/// Lets the target make a copy of the pair. Returns whether a scan finds it at its address, in memory and in a core file.
fn planted(stage: &mut Stage<'_>) -> Result<(bool, bool)> {
    let address = stage.target.run("plant")?;
    let address = u64::from_str_radix(&address, 16).context("the target did not return an address")?;
    let needles = &stage.pair.needles;
    let is_there =
        |scan: Scan| scan.hits.iter().any(|hit| hit.address == address && hit.what == "header, plain");
    let found = (is_there(stage.target.scan(needles)?), is_there(stage.target.scan_core(needles)?));
    stage.target.must("unplant", "ok")?;
    Ok(found)
}

/// Scans a program `times` times while all its threads make calls without pause. Copies exist for microseconds, so a few
/// hundred scans may not see any. The caller checks that the scans of all programs together see some.
///
/// # Errors
/// If the program cannot be started or scanned.
pub fn sample(
    programs: &TestPrograms,
    sandbox: &SandboxProcess,
    plan: ScanPlan,
    times: usize,
) -> Result<RowOutcome> {
    let (mut outcome, hits) = scan_calls(programs, sandbox, plan, times)?;
    outcome.complain_of_calls(&hits, IN_FLIGHT * plan.threads);
    let (heap, _) =
        scan_calls(programs, sandbox, ScanPlan { level: TargetLevel::Heap, ..plan }, times.min(5))?;
    outcome.heap = Some(heap.copies);
    outcome.expect(heap.copies > 0, "control: no copy is found at level heap");
    Ok(outcome)
}

fn scan_calls(
    programs: &TestPrograms,
    sandbox: &SandboxProcess,
    plan: ScanPlan,
    times: usize,
) -> Result<(RowOutcome, Vec<MemoryHit>)> {
    let mut outcome = RowOutcome::default();
    let mut all = Vec::new();
    let mut stage = Stage::busy(programs, sandbox, plan)?;
    let pid = stage.target.pid();
    for time in 0..times {
        // Each scan stops the target in another part of a call. This thread sleeps and does not spin: on a single processor
        // the timer then interrupts the target in the middle of its work.
        let_run(pid, 1 + (time * 7 % 13) as u64)?;
        sleep(Duration::from_micros((time * 17 % 251) as u64));
        let scan = stop(pid)?.scan(&stage.pair.needles)?;
        outcome.copies = outcome.copies.max(scan.hits.len());
        outcome.note(&scan.hits);
        all.extend(scan.hits);
    }
    let (in_memory, in_core) = planted(&mut stage)?;
    outcome.expect(in_memory && in_core, "control: a planted copy is not found");
    stage.target.must("stop", "ok")?;
    if plan.level != TargetLevel::Heap {
        let left = stage.target.scan(&stage.pair.needles)?.hits.len();
        outcome.expect(left == 0, format!("{left} copies after the calls have ended"));
    }
    Ok((outcome, all))
}

/// Whether `hit` is the header in the head of a request, on the stack of its thread, or in a TLS record, on the heap. It
/// may be incomplete if the scan happens while it is written, encrypted or wiped.
fn is_in_named_buffer(hit: &MemoryHit) -> bool {
    let places = ["[stack", "[heap]", "anonymous"];
    hit.what.ends_with("plain") && places.iter().any(|place| hit.place.starts_with(place))
}

/// Waits until the threads of a process have blocked `times` times.
fn let_run(pid: u32, times: u64) -> Result<()> {
    let goal = switches(pid)? + times;
    let begun = Instant::now();
    while switches(pid)? < goal {
        ensure!(begun.elapsed() < Duration::from_secs(20), "the target makes no progress");
        std::thread::yield_now();
    }
    Ok(())
}

/// Returns how often the threads of a process have blocked.
fn switches(pid: u32) -> Result<u64> {
    let mut sum = 0;
    for thread in fs::read_dir(format!("/proc/{pid}/task"))? {
        let Ok(status) = fs::read_to_string(thread?.path().join("status")) else { continue };
        let count = |line: &str| line.strip_prefix("voluntary_ctxt_switches:")?.trim().parse::<u64>().ok();
        sum += status.lines().find_map(count).unwrap_or_default();
    }
    Ok(sum)
}
