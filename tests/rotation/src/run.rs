//! Runs workers that call, resets the pair, and writes the new pair to the sources.

use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context as _, Result};
use justcall_auth_sandbox::{Sandbox, SandboxConfig};
use serde_json::{Value, json};

use crate::now;
use crate::reads::{Read, Reads};
use crate::source::{SourceKind, WorkerSource};
use crate::worker::{CallLoad, WorkerLanguage, WorkerPrograms, WorkerReport};

/// The plan of a run.
#[derive(Debug, Clone)]
pub struct RunPlan {
    /// The kind of every worker's source.
    pub kind: SourceKind,
    /// The language of each worker.
    pub workers: Vec<WorkerLanguage>,
    /// The calls of each worker.
    pub load: CallLoad,
    /// The resets in their order.
    pub resets: Vec<PlannedReset>,
}

/// A planned reset.
#[derive(Debug, Clone, Copy)]
pub struct PlannedReset {
    /// The time from the start of the run to the reset, in milliseconds.
    pub after_ms: u64,
    /// The time from the reset until the sources have the new pair, in milliseconds.
    pub lag_ms: u64,
}

/// A request as the service recorded it.
#[derive(Debug, Clone)]
pub struct RecordedRequest {
    /// When it was received, in nanoseconds of the shared clock, exact to a few milliseconds.
    pub at: i64,
    /// The index of the process that sent it.
    pub process: usize,
    /// The number of the pair that the key belongs to, and of that of the secret.
    pub generations: (Option<u64>, Option<u64>),
    /// The HTTP status of the response.
    pub status: Option<u64>,
}

/// The record of a run.
#[derive(Debug)]
pub struct RunOutcome {
    /// The plan.
    pub plan: RunPlan,
    /// When the workers started to call.
    pub began: i64,
    /// When each reset was done, and when the sources had the new pair.
    pub resets: Vec<(i64, i64)>,
    /// The report of each worker.
    pub reports: Vec<WorkerReport>,
    /// The service's record.
    pub requests: Vec<RecordedRequest>,
    /// The reads of the sources.
    pub reads: Vec<Read>,
}

enum ScheduledAction {
    Reset,
    /// Writes the new pair to the sources.
    Publish,
}

/// Runs `plan`.
///
/// # Errors
/// If a program, the sandbox or a source fails. A call that fails is not an error of the run.
pub fn run(programs: &WorkerPrograms, plan: RunPlan) -> Result<RunOutcome> {
    let zero = now();
    let sandbox = Sandbox::start(SandboxConfig::default()).context("cannot start a sandbox")?;
    let ca_file = sandbox.ca_file().context("TLS is on")?.display().to_string();
    let service = [sandbox.url(), &ca_file];
    let reads = Reads::begin()?;
    let (mut sources, mut workers) = (Vec::new(), Vec::new());
    for (process, language) in plan.workers.iter().enumerate() {
        let source = WorkerSource::new(plan.kind, sandbox.api_key(), sandbox.api_secret())?;
        reads.add(process, &source)?;
        workers.push(programs.start(
            *language,
            service,
            &source.spelling(),
            &process.to_string(),
            plan.load,
        )?);
        sources.push(source);
    }
    let mut steps: Vec<(u64, ScheduledAction)> = Vec::new();
    for reset in &plan.resets {
        steps.push((reset.after_ms, ScheduledAction::Reset));
        steps.push((reset.after_ms + reset.lag_ms, ScheduledAction::Publish));
    }
    let began = now();
    for worker in &mut workers {
        worker.begin()?;
    }
    let mut record = SandboxRecord { last: 0, zero, requests: Vec::new() };
    let (mut resets, mut next) = (Vec::new(), Value::Null);
    for (after_ms, step) in steps {
        record.collect(&sandbox)?;
        let at = began + i64::try_from(after_ms).expect("a short run") * 1_000_000;
        sleep(Duration::from_nanos(u64::try_from(at - now()).unwrap_or_default()));
        match step {
            ScheduledAction::Reset => {
                next = sandbox.control("POST", "reset", &json!({})).context("the reset")?;
                resets.push((now(), i64::MAX));
            }
            ScheduledAction::Publish => {
                let half = |name: &str| next[name].as_str().unwrap_or_default();
                for (process, source) in sources.iter_mut().enumerate() {
                    source.prepare(half("api_key"), half("api_secret"))?;
                    reads.add(process, source)?;
                    source.publish()?;
                }
                resets.last_mut().context("there was no reset before")?.1 = now();
            }
        }
    }
    let reports =
        workers.into_iter().map(super::worker::Worker::finish).collect::<Result<Vec<WorkerReport>>>()?;
    record.collect(&sandbox)?;
    Ok(RunOutcome { plan, began, resets, reports, requests: record.requests, reads: reads.so_far() })
}

struct SandboxRecord {
    last: u64,
    zero: i64,
    requests: Vec<RecordedRequest>,
}

impl SandboxRecord {
    /// Adds the requests since the last call. The sandbox only keeps the latest ones.
    fn collect(&mut self, sandbox: &Sandbox) -> Result<()> {
        let record = sandbox.control("GET", &format!("requests?since={}", self.last), &Value::Null)?;
        for request in record.as_array().context("the record is not a list")? {
            self.last = request["n"].as_u64().context("a request has no number")?;
            let head = request["raw_head"].as_str().unwrap_or_default().to_ascii_lowercase();
            let tag = head
                .lines()
                .find_map(|line| line.strip_prefix("x-process: "))
                .context("a request has no x-process header")?;
            let milliseconds = i64::try_from(request["t_ms"].as_u64().context("a request has no time")?)?;
            self.requests.push(RecordedRequest {
                at: self.zero + milliseconds * 1_000_000,
                process: tag.trim().parse().context("x-process is not a number")?,
                generations: (request["key_generation"].as_u64(), request["secret_generation"].as_u64()),
                status: request["status"].as_u64(),
            });
        }
        Ok(())
    }
}
