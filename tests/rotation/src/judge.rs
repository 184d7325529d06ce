//! What became of a run: each promise with the figure that was found.

use crate::run::Outcome;

const ROTATED: i32 = 1;
const MILLISECOND: i64 = 1_000_000;
/// As long after a process's first 401 a request may come that was on its way.
const ON_ITS_WAY: i64 = 250 * MILLISECOND;
/// How often a source may be read in a gap, at most.
const READ_EVERY: i64 = 250 * MILLISECOND;

/// One promise.
#[derive(Debug)]
pub struct Promise {
    /// What was promised.
    pub what: &'static str,
    /// What was found.
    pub found: String,
    /// Whether it was kept.
    pub kept: bool,
    /// Whether it holds only where the machine is quiet.
    pub needs_quiet: bool,
}

impl Promise {
    fn new(what: &'static str, found: impl Into<String>, kept: bool) -> Self {
        Self { what, found: found.into(), kept, needs_quiet: false }
    }
}

/// Every promise about `outcome`.
pub fn judge(outcome: &Outcome) -> Vec<Promise> {
    let processes = 0..outcome.told.len();
    let threads = outcome.plan.load.threads;
    let resets = outcome.resets.len();

    let calls: usize = outcome.told.iter().map(|told| told.calls.len()).sum();
    let failed = outcome.told.iter().flat_map(|told| &told.calls).filter(|call| call.status != 0).count();
    let torn =
        outcome.requests.iter().filter(|request| request.generations.0 != request.generations.1).count();
    let strangers = outcome.requests.iter().filter(|request| request.generations.0.is_none()).count();
    let promotions =
        |process: usize| outcome.told[process].events.iter().filter(|event| event.kind == ROTATED).count();
    let most_promotions = processes.clone().map(promotions).max().unwrap_or(0);
    let last = outcome.told.iter().map(|told| {
        told.events
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
            let mine = |request: &&crate::run::Request| {
                request.process == process && request.generations.0 == Some(generation)
            };
            let rejected =
                || outcome.requests.iter().filter(mine).filter(|request| request.status == Some(401));
            most_rejected = most_rejected.max(rejected().count());
            if let Some(first) = rejected().map(|request| request.at).min() {
                late += rejected().filter(|request| request.at > first + ON_ITS_WAY).count();
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
            // One at each end of a gap that is no multiple of the time.
            let allowed = usize::try_from((followed - reset) / READ_EVERY).unwrap_or_default() + 2;
            too_many_reads += reads.saturating_sub(allowed);
        }
    }
    let read = outcome.reads.len();

    let mut promises = vec![
        Promise::new("calls that failed", format!("{failed} of {calls}"), failed == 0 && calls > 0),
        Promise::new(
            "requests with halves of two pairs, or of none",
            format!("{torn}, {strangers} of {}", outcome.requests.len()),
            torn == 0 && strangers == 0 && outcome.requests.len() >= calls,
        ),
        Promise::new(
            "promotions of a process, at most one a reset",
            format!("{most_promotions} in {resets} resets"),
            most_promotions <= resets,
        ),
        Promise::new(
            "every process ends with the last pair",
            if all_followed { "yes" } else { "no" },
            all_followed,
        ),
        Promise::new(
            "requests of a process that one reset cost, at most one a thread",
            format!("{most_rejected} with {threads} threads"),
            most_rejected <= threads && (resets == 0 || most_rejected > 0),
        ),
        Promise::new("reads of a source at the same time", format!("{overlaps} of {read}"), overlaps == 0),
        Promise::new(
            "reads beyond one in 250 ms, in the gaps",
            format!("{too_many_reads} of {read}"),
            too_many_reads == 0 && read > outcome.told.len() * resets,
        ),
    ];
    promises.push(Promise {
        needs_quiet: true,
        ..Promise::new("requests with a pair after a process's first 401 for it", late.to_string(), late == 0)
    });
    promises
}

/// The time that 99 of 100 calls take at most, of those that began outside the gaps, in nanoseconds.
pub fn p99(outcome: &Outcome) -> i64 {
    let in_gap = |began: i64| {
        outcome.resets.iter().any(|(reset, followed)| {
            (*reset - 100 * MILLISECOND..*followed + 500 * MILLISECOND).contains(&began)
        })
    };
    let calls = outcome.told.iter().flat_map(|told| &told.calls).filter(|call| !in_gap(call.began));
    let mut took: Vec<i64> = calls.map(|call| call.ended - call.began).collect();
    took.sort_unstable();
    took.get(took.len() * 99 / 100).copied().unwrap_or_default()
}
