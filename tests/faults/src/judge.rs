//! Checks what a program did against what the library promises.

use serde_json::Value;

use crate::errnos::{CallClass, FallibleCall};
use crate::programs::Program;
use crate::run::{Case, End, Outcome};
use crate::scenario::{PairLeft, Scenario};

/// The verdict on a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The result of the call: `ok`, the name of an error, or the way in which the program ended.
    pub result: String,
    /// The promises that the run broke.
    pub broken: Vec<String>,
}

/// What failed in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failed {
    /// Nothing.
    Nothing,
    /// A system call, with this error.
    Call {
        /// The call.
        call: &'static FallibleCall,
        /// The error.
        errno: &'static str,
        /// Whether a call of the next call of the library failed too.
        again: bool,
    },
    /// An allocation.
    Allocation,
}

/// The names of the errors of the library that may appear, with their numbers.
const NAMES: [(i64, &str); 12] = [
    (0, "ok"),
    (1, "invalid_argument"),
    (3, "out_of_memory"),
    (10, "credentials_missing"),
    (12, "source_unavailable"),
    (13, "memory_protection"),
    (20, "timeout"),
    (21, "connection_failed"),
    (22, "tls_failed"),
    (24, "invalid_response"),
    (90, "internal"),
    (401, "invalid_credentials"),
];

const MEMORY_ERROR: &str = "MemoryError";

/// The length below which the header calls an allocation small.
const SMALL: usize = 64 * 1024;

/// Returns the errors that fit a failure.
fn fitting(failed: Failed, scenario: Scenario) -> Vec<&'static str> {
    let mut names = vec!["ok"];
    names.extend(match failed {
        Failed::Nothing => &[][..],
        Failed::Allocation => {
            &["out_of_memory", "invalid_argument", "source_unavailable", "connection_failed", "tls_failed"]
        }
        Failed::Call { call, .. } => match call.class {
            CallClass::File => &["source_unavailable", "tls_failed", "connection_failed", "invalid_argument"],
            CallClass::Network => &["connection_failed", "timeout", "source_unavailable", "tls_failed"],
            CallClass::Memory => {
                &["memory_protection", "source_unavailable", "connection_failed", "tls_failed"]
            }
            CallClass::Process => &["source_unavailable", "connection_failed", "timeout", "tls_failed"],
        },
    });
    if matches!(failed, Failed::Call { errno: "ENOMEM" | "ENOBUFS", .. }) {
        names.push("out_of_memory");
    }
    // The call that read the new pair failed, and the service has rejected the old one.
    if matches!(scenario, Scenario::Reset | Scenario::Held) && failed != Failed::Nothing {
        names.push("invalid_credentials");
    }
    names
}

/// Judges a run. `descriptors` is the number of open descriptors after a run without a failure.
pub fn judge(case: Case, failed: Failed, outcome: &Outcome, descriptors: Option<usize>) -> Verdict {
    let mut broken = Vec::new();
    let result = match outcome.end {
        End::Deadline => {
            broken.push("it did not end".to_owned());
            "hang".to_owned()
        }
        End::Signal(signal) => died(failed, signal, outcome, &mut broken),
        End::Exit(status) if case.program == Program::Cli => command(case, status, outcome, &mut broken),
        End::Exit(0) => library(case, failed, outcome, descriptors, &mut broken),
        End::Exit(status) => {
            let last = outcome.stderr.lines().last().unwrap_or_default();
            if failed == Failed::Allocation && case.program == Program::Python && is_of_interpreter(last) {
                // The program catches the `MemoryError` of a call, so it was raised before or after it.
                if last != MEMORY_ERROR {
                    check_sent(case, false, outcome, &mut broken);
                }
                "interpreter".to_owned()
            } else {
                broken.push(format!("the program exited with {status}: {last}"));
                format!("exit {status}")
            }
        }
    };
    if matches!(outcome.end, End::Exit(_)) && !fitting(failed, case.scenario).contains(&result.as_str()) {
        let is_own = ["python", "interpreter", "exit 1"].contains(&result.as_str());
        if !is_own {
            broken.push(format!("{result} does not fit"));
        }
    }
    let names_memory = ["ok", "out_of_memory", "invalid_credentials", "python", "interpreter"]
        .contains(&result.as_str())
        || outcome.stdout.contains("memory");
    if failed == Failed::Allocation && matches!(outcome.end, End::Exit(_)) && !names_memory {
        broken.push(format!("{result} does not name memory: {}", outcome.stdout));
    }
    if result == "ok" && case.scenario.needs_service() && !was_answered(outcome) {
        broken.push("it reports success, but the service answered no request".to_owned());
    }
    let posts = delivered(outcome).filter(|request| request["method"] == "POST").count();
    if posts > 1 {
        broken.push(format!("the POST was delivered {posts} times"));
    }
    if leaks(outcome) {
        broken.push("an output contains a part of a secret".to_owned());
    }
    match &outcome.pair {
        Err(fault) => broken.push(format!("the source: {fault}")),
        Ok(PairLeft::Old)
            if case.program == Program::Cli && case.scenario.is_after_reset() && result == "ok" =>
        {
            broken.push("it reports success, but the source holds the old pair".to_owned());
        }
        Ok(_) => {}
    }
    Verdict { result, broken }
}

/// Whether Python itself ended the program with this exception, before the library began its call or where the program does
/// not catch it. pyo3 reports the name of an argument as unknown if it has no memory to decode it.
fn is_of_interpreter(exception: &str) -> bool {
    exception == MEMORY_ERROR || exception.contains("() got an unexpected keyword argument '")
}

/// A signal is allowed if a small allocation failed: the header states that the library then prints a line and aborts.
fn died(failed: Failed, signal: i32, outcome: &Outcome, broken: &mut Vec<String>) -> String {
    const ABORT: i32 = 6;
    let is_memory = match failed {
        Failed::Nothing => false,
        Failed::Allocation => true,
        Failed::Call { call, .. } => call.class == CallClass::Memory,
    };
    let announced = outcome.stderr.lines().find_map(|line| line.strip_prefix("memory allocation of "));
    let length = announced.and_then(|rest| rest.split(' ').next()?.parse::<usize>().ok());
    // The C library reports its own allocations.
    let is_of_libc = outcome.stderr.contains("Fatal glibc error:") && outcome.stderr.contains("memory");
    if signal == ABORT && is_memory && (is_of_libc || length.is_some_and(|length| length < SMALL)) {
        return "abort, announced".to_owned();
    }
    let why = outcome.stderr.lines().find(|line| !line.starts_with("allocations ")).unwrap_or_default();
    broken.push(format!("signal {signal} ended it: {why}"));
    format!("signal {signal}")
}

/// Reads the report of the command.
fn command(case: Case, status: i32, outcome: &Outcome, broken: &mut Vec<String>) -> String {
    if !(0..=8).contains(&status) {
        broken.push(format!("{status} is no exit status of the command"));
    }
    let report = outcome.stdout.lines().last().and_then(|line| serde_json::from_str::<Value>(line).ok());
    let Some(report) = report else {
        // Standard output could not be written: standard error has the reason.
        let is_explained = status == 1 && outcome.stderr.contains('✗');
        if status != 0 && !is_explained {
            broken.push(format!("it exits with {status} without a report"));
        }
        return if status == 0 { "ok".to_owned() } else { "exit 1".to_owned() };
    };
    if report["ok"] == Value::Bool(true) {
        return if status == 0 { "ok".to_owned() } else { format!("exit {status}") };
    }
    let sent = report["error"]["request_sent"] == Value::Bool(true);
    check_sent(case, sent, outcome, broken);
    report["error"]["name"].as_str().unwrap_or("no name").to_owned()
}

/// Reads what the programs in C and Python print.
fn library(
    case: Case,
    failed: Failed,
    outcome: &Outcome,
    descriptors: Option<usize>,
    broken: &mut Vec<String>,
) -> String {
    let Some(line) = outcome.line("result") else {
        broken.push("it printed no result".to_owned());
        return "no result".to_owned();
    };
    if line[0] != "0" {
        check_sent(case, line.get(1) == Some(&"1"), outcome, broken);
    }
    match outcome.line("again").as_deref() {
        Some(["0", ..]) => {}
        Some(_) if matches!(failed, Failed::Call { again: true, .. }) => {}
        again => broken.push(format!("the next call fails: {again:?} {}", outcome.stdout)),
    }
    let allowance = match failed {
        // strace does not run the call that it lets fail, so that the descriptor stays open.
        Failed::Call { call, .. } if call.name == "close" => 1,
        // The replacement of the call is a device, which stays open.
        Failed::Call { call, errno: "ENOSYS", .. } if call.name == "getrandom" => 1,
        _ => 0,
    };
    let open = outcome.line("descriptors").and_then(|line| line.first()?.parse::<usize>().ok());
    match (open, descriptors) {
        (Some(open), Some(before)) if open > before + allowance => {
            broken.push(format!("{open} descriptors are open, not {before}"));
        }
        (None, _) => broken.push("it did not count its descriptors".to_owned()),
        _ => {}
    }
    let number = line[0].parse::<i64>();
    match number.ok().and_then(|number| NAMES.iter().find(|(known, _)| *known == number)) {
        Some((_, name)) => (*name).to_owned(),
        None => line[0].to_owned(),
    }
}

/// A request that the service received must never count as one that was not sent.
fn check_sent(case: Case, sent: bool, outcome: &Outcome, broken: &mut Vec<String>) {
    if !sent
        && case.scenario.needs_service()
        && !case.scenario.is_after_reset()
        && delivered(outcome).count() > 0
    {
        broken.push("the service received the request, but request_sent is false".to_owned());
    }
}

/// Returns the requests of the call under test that arrived whole.
fn delivered(outcome: &Outcome) -> impl Iterator<Item = &Value> {
    outcome.requests.iter().filter(|request| {
        request["query"] != "again=1" && request["head_complete"] == true && request["body_complete"] == true
    })
}

fn was_answered(outcome: &Outcome) -> bool {
    delivered(outcome)
        .any(|request| request["status"].as_u64().is_some_and(|status| (200..300).contains(&status)))
}

/// Returns true if an output contains eight bytes of a secret.
fn leaks(outcome: &Outcome) -> bool {
    let output = format!("{}{}", outcome.stdout, outcome.stderr);
    outcome
        .secrets
        .iter()
        .flat_map(|secret| secret.as_bytes().windows(8))
        .any(|window| std::str::from_utf8(window).is_ok_and(|window| output.contains(window)))
}
