//! The goals, and the verdict on each.

use crate::cancel::CancelRow;
use crate::measured::Measured;
use crate::memory::{HEAP, Memory, ProtectionLevel, SECRETMEM, WIPING, Work};
use crate::requests::{OURS_C, OURS_PYTHON, RequestRow};
use crate::scan::ScanRow;
use crate::statistics::Ratio;
use crate::webhooks::Webhooks;

/// A request in C takes at most this multiple of libcurl's time.
const C_AT_MOST: f64 = 1.0;
/// A request in Python is at least this many times faster than with requests.
const PYTHON_AT_LEAST: f64 = 12.0;

/// A cancelled call ends within this many milliseconds.
const CANCEL_AT_MOST: f64 = 100.0;

/// The secret work of a call takes at most this many microseconds.
const SECRET_WORK_AT_MOST: f64 = 1.0;
/// Building the header through the C ABI takes at most this many microseconds.
const HEADER_AT_MOST: [(ProtectionLevel, f64); 2] =
    [(ProtectionLevel::SecretMem, 0.3), (ProtectionLevel::Locked, 0.9)];
/// A call with a protected pair takes at most this multiple of the time with a pair on the heap.
const PROTECTED_AT_MOST: f64 = 1.03;

/// `scan` searches at least this many megabytes a second.
const SCAN_AT_LEAST: f64 = 500.0;

/// The check of a webhook's signature takes at most this multiple of the time of ring's bare HMAC.
const SIGNATURE_AT_MOST: f64 = 1.1;
/// At least this many deliveries of 1 KiB are verified a second, on one core.
const DELIVERIES_AT_LEAST: f64 = 500_000.0;
/// A delivery in Python is verified at least this many times faster than by hand.
const BY_HAND_AT_LEAST: f64 = 4.0;

/// A goal and the measured ratio.
pub struct Goal {
    pub what: String,
    pub measured: Ratio,
    pub verdict: GoalVerdict,
}

/// How the measured interval compares with the goal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GoalVerdict {
    Met,
    Missed,
    /// The goal lies within the interval. More rounds or a quieter machine would decide.
    Undecided,
}

impl GoalVerdict {
    fn at_most(measured: Ratio, goal: f64) -> Self {
        if measured.high <= goal {
            Self::Met
        } else if measured.low > goal {
            Self::Missed
        } else {
            Self::Undecided
        }
    }

    fn at_least(measured: Ratio, goal: f64) -> Self {
        Self::at_most(measured.inverted(), 1.0 / goal)
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::Missed => "missed",
            Self::Undecided => "undecided",
        }
    }
}

impl Goal {
    pub fn is_missed(&self) -> bool {
        self.verdict == GoalVerdict::Missed
    }
}

/// Compares the figures with the goals. Omits goals without figures.
pub fn judge(measured: &Measured) -> Vec<Goal> {
    let mut goals = judge_requests(&measured.requests);
    goals.extend(judge_memory(&measured.memory));
    goals.extend(judge_scan(&measured.scan));
    goals.extend(judge_cancel(&measured.cancel));
    goals.extend(judge_webhooks(&measured.webhooks));
    goals
}

fn judge_requests(rows: &[RequestRow]) -> Vec<Goal> {
    rows.iter().filter_map(|row| judge_row(row, row.figures.as_ref()?.wall)).collect()
}

fn judge_scan(rows: &[ScanRow]) -> Vec<Goal> {
    let with_goal = rows.iter().filter(|row| row.has_goal);
    let goal = |row: &ScanRow| Goal {
        what: format!("scan searches {} at {SCAN_AT_LEAST:.0} MB/s or more", row.name),
        measured: row.speed,
        verdict: GoalVerdict::at_least(row.speed, SCAN_AT_LEAST),
    };
    with_goal.map(goal).collect()
}

/// Compares the longest time of each phase, not the interval of the median.
fn judge_cancel(rows: &[CancelRow]) -> Vec<Goal> {
    let goal = |row: &CancelRow| Goal {
        what: format!("{}: a cancelled call ends within {CANCEL_AT_MOST:.0} ms", row.phase),
        measured: row.took,
        verdict: if row.took.high <= CANCEL_AT_MOST { GoalVerdict::Met } else { GoalVerdict::Missed },
    };
    rows.iter().map(goal).collect()
}

fn judge_webhooks(webhooks: &Webhooks) -> Vec<Goal> {
    let goal = |what: String, measured, verdict| Goal { what, measured, verdict };
    let check = webhooks.check.map(|measured| {
        let what = format!("a webhook's signature takes at most {SIGNATURE_AT_MOST:.1} × ring's bare HMAC");
        goal(what, measured, GoalVerdict::at_most(measured, SIGNATURE_AT_MOST))
    });
    let rate = webhooks.rate.map(|measured| {
        let what = format!("webhooks of 1 KiB are verified {DELIVERIES_AT_LEAST:.0} times a second or more");
        goal(what, measured, GoalVerdict::at_least(measured, DELIVERIES_AT_LEAST))
    });
    let python = webhooks.python.map(|measured| {
        let what =
            format!("a webhook in Python is verified at least {BY_HAND_AT_LEAST:.0} × faster than by hand");
        goal(what, measured, GoalVerdict::at_least(measured, BY_HAND_AT_LEAST))
    });
    [check, rate, python].into_iter().flatten().collect()
}

fn judge_memory(memory: &Memory) -> Vec<Goal> {
    let works = memory.works.iter().filter_map(|row| {
        let level = row.level.name();
        let (what, goal) = match row.work {
            Work::Call if row.level == ProtectionLevel::Heap => return None,
            Work::Call => (format!("the secret work of a call at level {level}"), SECRET_WORK_AT_MOST),
            Work::Header => {
                let (_, goal) = HEADER_AT_MOST.iter().find(|(level, _)| *level == row.level)?;
                (format!("building the header through the C ABI at level {level}"), *goal)
            }
        };
        let what = format!("{what} takes at most {goal:.1} µs");
        Some(Goal { what, measured: row.time, verdict: GoalVerdict::at_most(row.time, goal) })
    });
    let calls = memory.calls.iter().filter(|row| [WIPING, SECRETMEM].contains(&row.name)).map(|row| Goal {
        what: format!(
            "verify at level {} takes at most {PROTECTED_AT_MOST:.2} × that at level {HEAP}",
            row.name
        ),
        measured: row.wall,
        verdict: GoalVerdict::at_most(row.wall, PROTECTED_AT_MOST),
    });
    works.chain(calls).collect()
}

fn judge_row(row: &RequestRow, wall: Ratio) -> Option<Goal> {
    let job = row.job.name;
    match row.peer {
        OURS_C => Some(Goal {
            what: format!("{job} in C takes at most {C_AT_MOST:.1} × libcurl's time"),
            measured: wall,
            verdict: GoalVerdict::at_most(wall, C_AT_MOST),
        }),
        OURS_PYTHON => Some(Goal {
            what: format!("{job} in Python is at least {PYTHON_AT_LEAST:.0} × faster than requests"),
            measured: wall.inverted(),
            verdict: GoalVerdict::at_least(wall.inverted(), PYTHON_AT_LEAST),
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn between(low: f64, high: f64) -> Ratio {
        Ratio { median: f64::midpoint(low, high), low, high }
    }

    #[test]
    fn it_decides_by_the_whole_interval() {
        assert_eq!(GoalVerdict::at_most(between(0.8, 0.9), 1.0), GoalVerdict::Met);
        assert_eq!(GoalVerdict::at_most(between(0.9, 1.1), 1.0), GoalVerdict::Undecided);
        assert_eq!(GoalVerdict::at_most(between(1.1, 1.2), 1.0), GoalVerdict::Missed);
        assert_eq!(GoalVerdict::at_least(between(13.0, 15.0), 12.0), GoalVerdict::Met);
        assert_eq!(GoalVerdict::at_least(between(11.0, 13.0), 12.0), GoalVerdict::Undecided);
        assert_eq!(GoalVerdict::at_least(between(9.0, 11.0), 12.0), GoalVerdict::Missed);
    }
}
