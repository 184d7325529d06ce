//! The run: workers that call, resets, and sources that follow.

use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context as _, Result};
use justcall_auth_sandbox::{Sandbox, SandboxConfig};
use serde_json::{Value, json};

use crate::now;
use crate::place::{Kind, Place};
use crate::reads::{Read, Reads};
use crate::worker::{Language, Load, Programs, Told};

/// What is to happen.
#[derive(Debug, Clone)]
pub struct Plan {
    /// How the pair is kept.
    pub kind: Kind,
    /// Who calls.
    pub workers: Vec<Language>,
    /// How each of them calls.
    pub load: Load,
    /// The resets in their order.
    pub resets: Vec<Reset>,
}

/// A reset: milliseconds from the begin, and how long after it the sources give the new pair.
#[derive(Debug, Clone, Copy)]
pub struct Reset {
    /// From the begin to the reset.
    pub after_ms: u64,
    /// From the reset to the new pair in the sources.
    pub lag_ms: u64,
}

/// A request as the service saw it.
#[derive(Debug, Clone)]
pub struct Request {
    /// When it came, in nanoseconds of the common clock, to a few milliseconds.
    pub at: i64,
    /// Whose it was.
    pub process: usize,
    /// Which pair the key was of, and which the secret.
    pub generations: (Option<u64>, Option<u64>),
    /// How it was answered.
    pub status: Option<u64>,
}

/// What happened.
#[derive(Debug)]
pub struct Outcome {
    /// What was planned.
    pub plan: Plan,
    /// When the workers began.
    pub began: i64,
    /// When each reset was done, and when the sources had followed.
    pub resets: Vec<(i64, i64)>,
    /// What the workers told.
    pub told: Vec<Told>,
    /// What the service saw.
    pub requests: Vec<Request>,
    /// Who read which source.
    pub reads: Vec<Read>,
}

enum Step {
    Reset,
    Follow,
}

/// Lets it happen.
///
/// # Errors
/// When a program, the sandbox or a source fails; not when a call does.
pub fn run(programs: &Programs, plan: Plan) -> Result<Outcome> {
    let zero = now();
    let sandbox = Sandbox::start(SandboxConfig::default()).context("no sandbox")?;
    let ca_file = sandbox.ca_file().context("TLS is on")?.display().to_string();
    let service = [sandbox.url(), &ca_file];
    let reads = Reads::begin()?;
    let (mut places, mut workers) = (Vec::new(), Vec::new());
    for (process, language) in plan.workers.iter().enumerate() {
        let place = Place::make(plan.kind, sandbox.api_key(), sandbox.api_secret())?;
        reads.add(process, &place)?;
        workers.push(programs.start(
            *language,
            service,
            &place.spelling(),
            &process.to_string(),
            plan.load,
        )?);
        places.push(place);
    }
    let mut steps: Vec<(u64, Step)> = Vec::new();
    for reset in &plan.resets {
        steps.push((reset.after_ms, Step::Reset));
        steps.push((reset.after_ms + reset.lag_ms, Step::Follow));
    }
    let began = now();
    for worker in &mut workers {
        worker.begin()?;
    }
    let mut record = Record { last: 0, zero, requests: Vec::new() };
    let (mut resets, mut next) = (Vec::new(), Value::Null);
    for (after_ms, step) in steps {
        record.collect(&sandbox)?;
        let at = began + i64::try_from(after_ms).expect("a short run") * 1_000_000;
        sleep(Duration::from_nanos(u64::try_from(at - now()).unwrap_or_default()));
        match step {
            Step::Reset => {
                next = sandbox.control("POST", "reset", &json!({})).context("the reset")?;
                resets.push((now(), i64::MAX));
            }
            Step::Follow => {
                let half = |name: &str| next[name].as_str().unwrap_or_default();
                for (process, place) in places.iter_mut().enumerate() {
                    place.prepare(half("api_key"), half("api_secret"))?;
                    reads.add(process, place)?;
                    place.publish()?;
                }
                resets.last_mut().context("a reset came before")?.1 = now();
            }
        }
    }
    let told = workers.into_iter().map(super::worker::Worker::finish).collect::<Result<Vec<Told>>>()?;
    record.collect(&sandbox)?;
    Ok(Outcome { plan, began, resets, told, requests: record.requests, reads: reads.seen() })
}

struct Record {
    last: u64,
    zero: i64,
    requests: Vec<Request>,
}

impl Record {
    /// Takes what the sandbox has recorded since the last time: it does not keep it for ever.
    fn collect(&mut self, sandbox: &Sandbox) -> Result<()> {
        let record = sandbox.control("GET", &format!("requests?since={}", self.last), &Value::Null)?;
        for request in record.as_array().context("a list")? {
            self.last = request["n"].as_u64().context("a number")?;
            let head = request["raw_head"].as_str().unwrap_or_default().to_ascii_lowercase();
            let tag = head.lines().find_map(|line| line.strip_prefix("x-process: ")).context("a tag")?;
            let milliseconds = i64::try_from(request["t_ms"].as_u64().context("a time")?)?;
            self.requests.push(Request {
                at: self.zero + milliseconds * 1_000_000,
                process: tag.trim().parse().context("a number")?,
                generations: (request["key_generation"].as_u64(), request["secret_generation"].as_u64()),
                status: request["status"].as_u64(),
            });
        }
        Ok(())
    }
}
