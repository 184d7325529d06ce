//! The goals, and the verdict on each.

use crate::cancel::CancelRow;
use crate::counts::{self, CountRow};
use crate::measured::Measured;
use crate::memory::{HEAP, Memory, ProtectionLevel, SECRETMEM, WIPING, Work};
use crate::profile;
use crate::requests::{HTTPX, OURS_C, OURS_PYTHON, POST, REQUESTS, RequestRow, Setting, VERIFY};
use crate::scale::Scale;
use crate::scan::ScanRow;
use crate::server::{Dialect, MORE_HEADERS, SecretKind};
use crate::startup::{self, StartupRow};
use crate::statistics::Ratio;
use crate::webhooks::Webhooks;

/// A request in C takes at most this multiple of libcurl's time, and of its processor time.
const C_AT_MOST: (f64, f64) = (0.78, 0.68);
/// A request in Python takes at most this multiple of pycurl's time.
const PYTHON_AT_MOST: f64 = 0.55;
/// A request in Python is at least this many times faster than with these clients.
const PYTHON_AT_LEAST: [(&str, f64); 2] = [(REQUESTS, 18.0), (HTTPX, 10.0)];

/// The instructions of a verification, as a multiple of libcurl's.
const INSTRUCTIONS_AT_MOST: [(SecretKind, f64); 2] =
    [(SecretKind::Hexadecimal, 0.55), (SecretKind::UrlSafeBase64, 0.57)];
/// The allocations of a verification.
const ALLOCATIONS_AT_MOST: f64 = 48.0;
const OUR_ALLOCATIONS_AT_MOST: f64 = 15.0;
const HEADER_ALLOCATIONS_AT_MOST: f64 = 2.0;

/// 8 threads make at least this multiple of the requests a second of libcurl.
const THREADS_AT_LEAST: (u32, f64) = (8, 1.25);
/// 99 % of the calls of 32 threads end within this multiple of libcurl's time.
const P99_AT_MOST: f64 = 0.80;
/// A command that verifies once takes at most this multiple of curl's time; a Python program, of an empty interpreter's.
const ONCE_AT_MOST: f64 = 0.25;
const PYTHON_ONCE_AT_MOST: f64 = 1.8;
/// The memory of an idle client and of an idle connection, in bytes.
pub const IDLE_AT_MOST: (f64, f64) = (3.0 * 1024.0, 45.0 * 1024.0);

/// A cancelled call ends within this many milliseconds.
const CANCEL_AT_MOST: f64 = 50.0;

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
const DELIVERIES_AT_LEAST: f64 = 550_000.0;
/// A delivery in Python is verified at least this many times faster than by hand.
const BY_HAND_AT_LEAST: f64 = 7.0;

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
    goals.extend(judge_counts(&measured.counts));
    if !measured.profile.is_empty() {
        let ours = measured.profile.iter().filter(|row| profile::is_ours(&row.crate_name));
        let what =
            format!("a verification: at most {OUR_ALLOCATIONS_AT_MOST:.0} allocations of our own crates");
        goals.push(at_most(what, exactly(ours.map(|row| row.allocations).sum()), OUR_ALLOCATIONS_AT_MOST));
    }
    goals.extend(judge_startup(&measured.startup));
    goals.extend(measured.scale.iter().flat_map(judge_scale));
    goals.extend(judge_memory(&measured.memory));
    goals.extend(judge_scan(&measured.scan));
    goals.extend(judge_cancel(&measured.cancel));
    goals.extend(judge_webhooks(&measured.webhooks));
    goals
}

fn judge_requests(rows: &[RequestRow]) -> Vec<Goal> {
    let mut goals: Vec<Goal> = rows.iter().flat_map(judge_c).collect();
    let usual = |job, peer| {
        let row =
            rows.iter().find(|row| row.job == job && row.setting == Setting::USUAL && row.peer == peer)?;
        row.figures.as_ref()
    };
    for job in [VERIFY, POST] {
        let Some(ours) = usual(job, OURS_PYTHON) else { continue };
        goals.push(at_most(
            format!("{} in Python takes at most {PYTHON_AT_MOST} × pycurl's time", job.name),
            ours.wall,
            PYTHON_AT_MOST,
        ));
        for (peer, goal) in PYTHON_AT_LEAST {
            if let Some(other) = usual(job, peer) {
                let times = Ratio::of(&other.walls, &ours.walls);
                goals.push(Goal {
                    what: format!("{} in Python is at least {goal:.0} × faster than {peer}", job.name),
                    measured: times,
                    verdict: GoalVerdict::at_least(times, goal),
                });
            }
        }
    }
    goals
}

fn judge_c(row: &RequestRow) -> Vec<Goal> {
    let Some(figures) = row.figures.as_ref().filter(|_| row.peer == OURS_C) else { return Vec::new() };
    let what = |share: &str, goal: f64| {
        format!("{} in C, {}: at most {goal} × libcurl's {share}", row.job.name, row.setting.title())
    };
    let (wall, cpu) = C_AT_MOST;
    vec![
        at_most(what("time", wall), figures.wall, wall),
        at_most(what("processor time", cpu), figures.cpu, cpu),
    ]
}

fn at_most(what: String, measured: Ratio, goal: f64) -> Goal {
    Goal { what, measured, verdict: GoalVerdict::at_most(measured, goal) }
}

fn exactly(figure: f64) -> Ratio {
    Ratio { median: figure, low: figure, high: figure }
}

fn judge_counts(rows: &[CountRow]) -> Vec<Goal> {
    let mut goals = Vec::new();
    for row in rows.iter().filter(|row| row.peer == counts::OURS) {
        let usual = |row: &&CountRow| row.peer == counts::OURS && row.what.dialect == Dialect::AccountPage;
        if let (Dialect::MoreHeaders, Some(usual)) = (row.what.dialect, rows.iter().find(usual)) {
            let more = (row.counts.allocations - usual.counts.allocations) / f64::from(MORE_HEADERS);
            goals.push(at_most(
                format!("a header of a response costs at most {HEADER_ALLOCATIONS_AT_MOST:.0} allocations"),
                exactly(more),
                HEADER_ALLOCATIONS_AT_MOST,
            ));
            continue;
        }
        let libcurl = rows.iter().find(|other| other.peer == counts::LIBCURL && other.what == row.what);
        let goal = INSTRUCTIONS_AT_MOST.iter().find(|(secret, _)| *secret == row.what.secret);
        if let (Some(libcurl), Some((_, goal))) = (libcurl, goal) {
            let ratio = exactly(row.counts.instructions / libcurl.counts.instructions);
            goals.push(at_most(
                format!("{}: at most {goal} × libcurl's instructions", row.what.name()),
                ratio,
                *goal,
            ));
        }
        goals.push(at_most(
            format!("{}: at most {ALLOCATIONS_AT_MOST:.0} allocations", row.what.name()),
            exactly(row.counts.allocations),
            ALLOCATIONS_AT_MOST,
        ));
    }
    goals
}

fn judge_startup(rows: &[StartupRow]) -> Vec<Goal> {
    let goal = |row: &StartupRow| match row.name {
        startup::OURS | OURS_C => Some(at_most(
            format!("{}, once: at most {ONCE_AT_MOST} × curl's time", row.name),
            row.wall,
            ONCE_AT_MOST,
        )),
        OURS_PYTHON => Some(at_most(
            format!("{}, once: at most {PYTHON_ONCE_AT_MOST} × an empty interpreter's time", row.name),
            row.to_python,
            PYTHON_ONCE_AT_MOST,
        )),
        _ => None,
    };
    rows.iter().filter_map(goal).collect()
}

fn judge_scale(scale: &Scale) -> Vec<Goal> {
    let mut goals = Vec::new();
    let (threads, least) = THREADS_AT_LEAST;
    for row in &scale.threads {
        if row.kind == "free" && row.threads == threads {
            goals.push(Goal {
                what: format!("{threads} threads: at least {least} × libcurl's requests a second"),
                measured: row.rate,
                verdict: GoalVerdict::at_least(row.rate, least),
            });
        } else if row.kind != "free" {
            let what =
                format!("{} threads, {}: p99 at most {P99_AT_MOST:.2} × libcurl's", row.threads, row.kind);
            goals.push(at_most(what, row.p99, P99_AT_MOST));
        }
    }
    let (client, connection) = IDLE_AT_MOST;
    for (what, bytes, most) in
        [("client", scale.idle.client, client), ("connection", scale.idle.connection, connection)]
    {
        let what = format!("an idle {what} takes at most {:.0} KiB of the heap", most / 1024.0);
        goals.push(at_most(what, exactly(bytes / 1024.0), most / 1024.0));
    }
    goals
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
