//! Makes the calls of a vector, and compares their rows.

use std::fs;
use std::path::Path;
use std::thread::sleep;

use anyhow::{Context as _, Result, ensure};
use justcall_auth_sandbox::{Sandbox, SandboxConfig};
use serde_json::Value;
use tempfile::TempDir;

use super::caller::{Caller, CallerProgram, Row};
use super::certificates;
use super::clock::{self, Clock};
use super::network;
use super::server::{Server, Surroundings, await_that};
use super::vector::{Action, Expect, PairKind, Step, Vector};

/// The pair whose secret signed the example of the official reference.
const WEBHOOK_PAIR: &str =
    "1f0e9d8c7b6a5948372615041f0e9d8c7b6a5948:ea39089c40790e9dc7a080ec95e849b8fa0fa5fb";

/// What the calls of a vector ended with.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outcome {
    /// The rows without their texts, such as `timeout 0 1`.
    pub rows: Vec<String>,
}

impl Outcome {
    /// Returns the rows as a line.
    pub fn print(&self) -> String {
        self.rows.join("; ")
    }

    /// Reads what [`print`](Self::print) returns.
    ///
    /// # Errors
    /// If there is no line.
    pub fn parse(text: &str) -> Result<Self> {
        let line = text.lines().last().context("no outcome was printed")?;
        Ok(Self { rows: line.split("; ").map(str::to_owned).collect() })
    }
}

/// Runs a vector in the network of this process.
///
/// # Errors
/// If a row is not the expected one, or a part cannot be started.
pub fn run_here(vector: &Vector, program: &CallerProgram, certificates: &Path) -> Result<Outcome> {
    let mut world = World::start(vector, certificates)?;
    let mut caller = world.caller(vector, program, certificates)?;
    let (mut outcome, mut expected) = (Outcome::default(), Some(0));
    for (number, step) in vector.steps.iter().enumerate() {
        match step {
            Step::Act(action) => world.act(action).with_context(|| format!("step {number}"))?,
            Step::Call { call, during, expect } => {
                let before = world.received()?;
                caller.begin(&filled(call))?;
                if let Some((after, action)) = during {
                    sleep(*after);
                    world.act(action)?;
                }
                let row = caller.end(vector.timeout)?;
                compare(&row, expect).with_context(|| format!("step {number}, {call}: {row:?}"))?;
                ensure!(!row.texts.contains(world.secret()), "step {number}: the secret leaks: {row:?}");
                if let Some(received) = expect.received {
                    world
                        .await_requests(before + received)
                        .with_context(|| format!("step {number}: {row:?}"))?;
                }
                expected = expected.zip(expect.received).map(|(all, received)| all + received);
                let Row { name, http_status, request_sent, .. } = row;
                outcome.rows.push(format!("{name} {http_status} {}", u8::from(request_sent)));
            }
        }
    }
    caller.finish()?;
    let received = world.end()?;
    if let Some(expected) = expected {
        ensure!(received == expected, "the server received {received} requests, not {expected}");
    }
    Ok(outcome)
}

/// Replaces `{N}` in a path by N characters.
fn filled(call: &str) -> String {
    let parts = call.split_once('{').and_then(|(before, rest)| {
        let (number, after) = rest.split_once('}')?;
        Some(format!("{before}{}{after}", "x".repeat(number.parse().ok()?)))
    });
    parts.unwrap_or_else(|| call.to_owned())
}

fn compare(row: &Row, expect: &Expect) -> Result<()> {
    ensure!(row.name == expect.name, "it is not {}", expect.name);
    ensure!(row.http_status == expect.http_status, "the status is not {}", expect.http_status);
    ensure!(row.retry_after_ms == expect.retry_after_ms, "the wait is not {:?}", expect.retry_after_ms);
    let sent = expect.request_sent.unwrap_or(row.request_sent);
    ensure!(row.request_sent == sent, "request_sent is not {sent}");
    Ok(())
}

/// The sandbox, the server in front of it, and the clock of the program.
struct World {
    sandbox: Sandbox,
    server: Option<Server>,
    clock: Option<Clock>,
    folder: TempDir,
    pair: String,
}

impl World {
    fn start(vector: &Vector, certificates: &Path) -> Result<Self> {
        let config = SandboxConfig { http: true, ..SandboxConfig::default() };
        let sandbox = Sandbox::start(config).context("a sandbox")?;
        let around =
            Surroundings { certificates, certificate: &vector.certificate, sandbox: port_of(&sandbox)? };
        let start = |kind| Server::start(kind, &vector.configuration, around);
        let server = vector.server.map(start).transpose()?;
        let folder = TempDir::new()?;
        let pair = match vector.pair {
            PairKind::Sandbox => format!("{}:{}", sandbox.api_key(), sandbox.api_secret()),
            PairKind::Webhook => WEBHOOK_PAIR.to_owned(),
        };
        fs::write(folder.path().join("pair"), &pair)?;
        let clock = vector.clock.as_deref().map(Clock::new).transpose()?;
        let world = Self { sandbox, server, clock, folder, pair };
        world.set_fault(&vector.fault)?;
        Ok(world)
    }

    /// Starts the program and opens its client.
    fn caller(&self, vector: &Vector, program: &CallerProgram, certificates: &Path) -> Result<Caller> {
        let before = vector.uptime.map(clock::with_uptime).transpose()?.unwrap_or_default();
        let variables = self.clock.as_ref().map(Clock::variables).transpose()?.unwrap_or_default();
        let mut caller = Caller::start(program, &before, &variables)?;
        let port = self.server.as_ref().map_or_else(|| port_of(&self.sandbox), |server| Ok(server.port()))?;
        let open = format!(
            "open {} {} file:{}/pair {} {}",
            vector.base_url.replace("{port}", &port.to_string()),
            certificates::ca_file(certificates).display(),
            self.folder.path().display(),
            vector.timeout.as_millis(),
            vector.retries,
        );
        let row = caller.call(&open, vector.timeout)?;
        ensure!(row.name == "ok", "the client cannot be opened: {row:?}");
        Ok(caller)
    }

    fn act(&mut self, action: &Action) -> Result<()> {
        let server = self.server.as_mut().context("the vector has no server");
        match action {
            Action::Reload => server?.reload(),
            Action::Stop => server?.stop(),
            Action::AwaitClose => server?.await_close(),
            Action::Clock(time) => self.clock.as_ref().context("the vector has no clock")?.set(time),
            Action::Run(command) => network::shell(command),
            Action::Fault(fault) => self.set_fault(fault),
        }
    }

    fn set_fault(&self, fault: &Value) -> Result<()> {
        self.sandbox.control("DELETE", "faults", &Value::Null)?;
        if !fault.is_null() {
            self.sandbox.control("POST", "faults", fault)?;
        }
        Ok(())
    }

    fn secret(&self) -> &str {
        self.pair.split_once(':').map_or(&self.pair, |(_, secret)| secret)
    }

    /// Returns how many requests the server has recorded, or the sandbox if there is no server that records them.
    fn received(&self) -> Result<usize> {
        if let Some(seen) = self.server.as_ref().and_then(Server::seen) {
            return Ok(seen.len());
        }
        let requests = self.sandbox.control("GET", "requests", &Value::Null)?;
        Ok(requests.as_array().context("a list")?.len())
    }

    /// Waits until the server has recorded so many requests. It records one after it has answered.
    fn await_requests(&self, count: usize) -> Result<()> {
        await_that(&format!("request number {count}"), || Ok(self.received()? >= count))
    }

    /// Ends the server. Returns how many requests it has recorded.
    fn end(mut self) -> Result<usize> {
        if let Some(server) = &mut self.server {
            server.stop()?;
        }
        self.received()
    }
}

/// Returns the port of a sandbox.
///
/// # Errors
/// If its URL has none.
pub fn port_of(sandbox: &Sandbox) -> Result<u16> {
    let port = sandbox.url().rsplit(':').next().context("a URL has a port")?;
    Ok(port.parse()?)
}
