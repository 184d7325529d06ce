//! Checks a run against each promise.

use crate::run::RunOutcome;

const ROTATED: i32 = 1;
const MILLISECOND: i64 = 1_000_000;
/// The service may receive a request this long after a process's first 401, because it was in flight.
const IN_FLIGHT: i64 = 250 * MILLISECOND;
/// The minimum time between two reads of a source in a gap.
const READ_EVERY: i64 = 250 * MILLISECOND;

/// A promise of the library, and whether a run kept it.
#[derive(Debug)]
pub struct Promise {
    /// The promise.
    pub what: &'static str,
    /// The figure found in the run.
    pub found: String,
    /// Whether it was kept.
    pub kept: bool,
    /// Whether it can only be checked on a machine without other load.
    pub needs_quiet: bool,
}

impl Promise {
    fn new(what: &'static str, found: impl Into<String>, kept: bool) -> Self {
        Self { what, found: found.into(), kept, needs_quiet: false }
    }
}

/// Checks `outcome` against every promise.
pub fn judge(outcome: &RunOutcome) -> Vec<Promise> {
    let processes = 0..outcome.reports.len();
    let threads = outcome.plan.load.threads;
    let resets = outcome.resets.len();

    let calls: usize = outcome.reports.iter().map(|report| report.calls.len()).sum();
    let failed =
        outcome.reports.iter().flat_map(|report| &report.calls).filter(|call| call.status != 0).count();
    let torn =
        outcome.requests.iter().filter(|request| request.generations.0 != request.generations.1).count();
    let unknown = outcome.requests.iter().filter(|request| request.generations.0.is_none()).count();
    let promotions =
        |process: usize| outcome.reports[process].events.iter().filter(|event| event.kind == ROTATED).count();
    let most_promotions = processes.clone().map(promotions).max().unwrap_or(0);
    let last = outcome.reports.iter().map(|report| {
        report
            .events
            .iter()
            .filter(|event| event.kind == ROTATED)
            .map(|event| event.generation)
            .max()
            .unwrap_or(1)
    });
    let all_followed = last.clone().all(|generation| generation == resets as u64 + 1);

    let (mut most_rejected, mut late) = (0, 0);
    for process in processes.clone() {
        for generation in 1..=resets as u64 + 1 {
            let mine = |request: &&crate::run::RecordedRequest| {
                request.process == process && request.generations.0 == Some(generation)
            };
            let rejected =
                || outcome.requests.iter().filter(mine).filter(|request| request.status == Some(401));
            most_rejected = most_rejected.max(rejected().count());
            if let Some(first) = rejected().map(|request| request.at).min() {
                late += rejected().filter(|request| request.at > first + IN_FLIGHT).count();
            }
        }
    }

    let overlaps = outcome.reads.iter().filter(|read| read.overlaps).count();
    let mut too_many_reads = 0;
    for process in processes {
        for (reset, followed) in &outcome.resets {
            let in_gap = |read: &&crate::reads::Read| {
                read.process == process && (*reset..*followed).contains(&read.at)
            };
            let reads = outcome.reads.iter().filter(in_gap).count();
            // A gap that is not a multiple of the minimum time has one read more at each end.
            let allowed = usize::try_from((followed - reset) / READ_EVERY).unwrap_or_default() + 2;
            too_many_reads += reads.saturating_sub(allowed);
        }
    }
    let read = outcome.reads.len();

    let mut promises = vec![
        Promise::new("calls that failed", format!("{failed} of {calls}"), failed == 0 && calls > 0),
        Promise::new(
            "requests with key and secret of different pairs, or of an unknown pair",
            format!("{torn}, {unknown} of {}", outcome.requests.len()),
            torn == 0 && unknown == 0 && outcome.requests.len() >= calls,
        ),
        Promise::new(
            "promotions of a process, at most one per reset",
            format!("{most_promotions} in {resets} resets"),
            most_promotions <= resets,
        ),
        Promise::new(
            "every process ends with the last pair",
            if all_followed { "yes" } else { "no" },
            all_followed,
        ),
        Promise::new(
            "rejected requests of a process per reset, at most one per thread",
            format!("{most_rejected} with {threads} threads"),
            most_rejected <= threads && (resets == 0 || most_rejected > 0),
        ),
        Promise::new("reads of a source at the same time", format!("{overlaps} of {read}"), overlaps == 0),
        Promise::new(
            "reads in the gaps beyond one in 250 ms",
            format!("{too_many_reads} of {read}"),
            too_many_reads == 0 && read > outcome.reports.len() * resets,
        ),
    ];
    promises.push(Promise {
        needs_quiet: true,
        ..Promise::new("requests with a pair after its first 401 in the process", late.to_string(), late == 0)
    });
    promises
}

/// Returns the 99th percentile of the times of calls that began outside the gaps, in nanoseconds.
pub fn p99(outcome: &RunOutcome) -> i64 {
    let in_gap = |began: i64| {
        outcome.resets.iter().any(|(reset, followed)| {
            (*reset - 100 * MILLISECOND..*followed + 500 * MILLISECOND).contains(&began)
        })
    };
    let calls = outcome.reports.iter().flat_map(|report| &report.calls).filter(|call| !in_gap(call.began));
    let mut took: Vec<i64> = calls.map(|call| call.ended - call.began).collect();
    took.sort_unstable();
    took.get(took.len() * 99 / 100).copied().unwrap_or_default()
}
