//! The moments at which a target is looked at, and how each is reached.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::pair::Pair;
use crate::programs::{Kind, Programs};
use crate::proxy::Proxy;
use crate::sandbox::Sandbox;
use crate::target::Target;

/// How the pair is asked to be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Locked pages, else an error.
    Locked,
    /// `memfd_secret`, else an error.
    SecretMem,
    /// The heap: the control, which shows what would be found.
    Heap,
}

impl Level {
    /// As the library's report calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Locked => "locked",
            Self::SecretMem => "secretmem",
            Self::Heap => "heap",
        }
    }

    /// Its number in the C header.
    fn number(self) -> u8 {
        match self {
            Self::Locked => 1,
            Self::Heap => 2,
            Self::SecretMem => 3,
        }
    }
}

/// What a row is looked at with.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// The program.
    pub kind: Kind,
    /// How its pair is kept.
    pub level: Level,
    /// How many of its threads make calls.
    pub threads: usize,
    /// The size of the transport's buffers; `None` is what ships.
    pub buffers: Option<usize>,
}

/// A program that is on its way to a moment, with what it needs.
pub struct Stage<'a> {
    /// The service.
    pub sandbox: &'a Sandbox,
    /// What the target has and nobody else may.
    pub pair: Pair,
    /// The program.
    pub target: Target,
    plan: Plan,
    proxy: Option<Proxy>,
}

/// A moment.
pub struct Row {
    /// As reports call it.
    pub name: &'static str,
    /// Whether the pair is still in use then, so that at level heap it is seen.
    pub is_live: bool,
    /// Whether it belongs to the short form.
    pub is_short: bool,
    /// The one program that it is for, if it is not for every library: that which panics when told to, or that which has
    /// exceptions.
    pub only: Option<Kind>,
    /// Settles what a client must know when it is made.
    prepare: fn(&mut Stage<'_>) -> Result<()>,
    /// Does what makes the moment.
    reach: fn(&mut Stage<'_>) -> Result<()>,
}

const USUAL: Row =
    Row { name: "", is_live: true, is_short: false, only: None, prepare: |_| Ok(()), reach: |_| Ok(()) };

/// Every moment at which nothing may be found.
pub const ROWS: &[Row] = &[
    Row { name: "loaded from a file, idle", is_short: true, reach: load, ..USUAL },
    Row { name: "loaded from a folder, idle", prepare: from_folder, reach: load, ..USUAL },
    Row { name: "loaded from a command, idle", prepare: from_command, reach: load, ..USUAL },
    Row { name: "after 1 verify, pool open, idle", is_short: true, reach: |stage| verify(stage, 1), ..USUAL },
    Row { name: "after 1,000 verifies, pool open, idle", reach: |stage| verify(stage, 1000), ..USUAL },
    Row { name: "after a 401", is_short: true, reach: rejection, ..USUAL },
    Row { name: "after a timeout in mid-send", prepare: short_timeout, reach: timeout, ..USUAL },
    Row { name: "after a reset connection", reach: reset, ..USUAL },
    Row { name: "after a refused redirect", reach: redirect, ..USUAL },
    Row { name: "through a proxy", prepare: through_proxy, reach: |stage| verify(stage, 1), ..USUAL },
    Row { name: "after a caught panic", only: Some(Kind::CWithTestPanic), reach: panic, ..USUAL },
    Row { name: "after a reset, with the new pair", prepare: retries, reach: reset_pair, ..USUAL },
    Row { name: "after a reset, with a pair that was rejected", prepare: retries, reach: reject, ..USUAL },
    Row { name: "after a cancelled call", is_live: false, reach: cancel, ..USUAL },
    Row {
        name: "after an event handler that raised",
        only: Some(Kind::Python),
        prepare: raising_handler,
        reach: reject,
        ..USUAL
    },
    Row { name: "after 100 forged webhooks", is_short: true, reach: forged_webhooks, ..USUAL },
    Row { name: "after 100 genuine webhooks", is_short: true, reach: genuine_webhooks, ..USUAL },
    Row { name: "after replace, for both pairs", reach: replace, ..USUAL },
    Row {
        name: "after a header that the program wiped",
        is_short: true,
        only: Some(Kind::C),
        reach: header,
        ..USUAL
    },
    Row {
        name: "after an exchange, whose echo the program wiped",
        only: Some(Kind::C),
        reach: exchange,
        ..USUAL
    },
    Row { name: "after free", is_live: false, is_short: true, reach: free, ..USUAL },
    Row { name: "waiting for an answer", reach: wait, ..USUAL },
    Row {
        name: "after an echo in an answer, freed",
        is_short: true,
        reach: |stage| echo(stage, 200),
        ..USUAL
    },
    Row { name: "after an echo in a 400, freed", reach: |stage| echo(stage, 400), ..USUAL },
];

impl Row {
    /// Whether it is looked at in programs of this kind.
    pub fn is_for(&self, kind: Kind) -> bool {
        match self.only {
            Some(only) => only == kind,
            None => matches!(kind, Kind::C | Kind::Python),
        }
    }
}

impl<'a> Stage<'a> {
    /// A program with a client, which has done nothing yet.
    fn open(programs: &Programs, sandbox: &'a Sandbox, row: Option<&Row>, plan: Plan) -> Result<Self> {
        sandbox.heal()?;
        let pair = Pair::make(sandbox)?;
        let file = pair.file();
        let target = programs.start(plan.kind, [&file, sandbox.url(), sandbox.ca_file()], plan.buffers)?;
        let mut stage = Self { sandbox, pair, target, plan, proxy: None };
        stage.target.must(&format!("level {}", plan.level.number()), "ok")?;
        if let Some(row) = row {
            (row.prepare)(&mut stage)?;
        }
        stage.target.must("client", "ok")?;
        Ok(stage)
    }

    /// A program at the moment of `row`.
    ///
    /// # Errors
    /// When the moment cannot be reached.
    pub fn reach(programs: &Programs, sandbox: &'a Sandbox, row: &Row, plan: Plan) -> Result<Self> {
        let mut stage = Self::open(programs, sandbox, Some(row), plan)?;
        (row.reach)(&mut stage)?;
        Ok(stage)
    }

    /// A program all of whose threads make calls without pause.
    ///
    /// # Errors
    /// When it does not start.
    pub fn busy(programs: &Programs, sandbox: &'a Sandbox, plan: Plan) -> Result<Self> {
        let mut stage = Self::open(programs, sandbox, None, plan)?;
        verify(&mut stage, 1)?;
        stage.target.must(&format!("loop {}", plan.threads), "started")?;
        Ok(stage)
    }
}

fn load(stage: &mut Stage<'_>) -> Result<()> {
    stage.target.must("load", stage.plan.level.name())
}

fn from_folder(stage: &mut Stage<'_>) -> Result<()> {
    stage.target.must(&format!("source {}", stage.pair.folder_source()), "ok")
}

fn from_command(stage: &mut Stage<'_>) -> Result<()> {
    stage.target.must(&format!("source {}", stage.pair.command_source()), "ok")
}

/// `calls` by each thread, or as many in all when they are many.
fn verify(stage: &mut Stage<'_>, calls: usize) -> Result<()> {
    let threads = stage.plan.threads;
    let each = if calls > threads { calls / threads } else { calls };
    stage.target.must(&format!("verify {each} {threads}"), "ok")
}

fn fails(stage: &mut Stage<'_>, expected: &str) -> Result<()> {
    let said = stage.target.say(&format!("verify 1 {}", stage.plan.threads))?;
    ensure!(said.starts_with(expected), "verify came out as `{said}`, not `{expected}`");
    Ok(())
}

fn rejection(stage: &mut Stage<'_>) -> Result<()> {
    verify(stage, 1)?;
    stage.pair.revoke(stage.sandbox)?;
    fails(stage, "invalid_credentials")
}

fn short_timeout(stage: &mut Stage<'_>) -> Result<()> {
    stage.target.must("timeout 2000", "ok")
}

/// A body larger than all socket buffers, to a service that reads no more.
fn timeout(stage: &mut Stage<'_>) -> Result<()> {
    verify(stage, 1)?;
    let frozen = stage.sandbox.freeze()?;
    let result = stage.target.must("request POST /v2.1/echo 67108864", "timeout send");
    drop(frozen);
    result
}

fn reset(stage: &mut Stage<'_>) -> Result<()> {
    stage.sandbox.fault(&json!({"fault": "reset_after_request"}))?;
    fails(stage, "connection_failed")?;
    stage.sandbox.heal()
}

fn redirect(stage: &mut Stage<'_>) -> Result<()> {
    let elsewhere = json!({"Location": "https://127.0.0.1:1/v2/account"});
    stage.sandbox.fault(&json!({"fault": "answer", "status": 302, "headers": elsewhere}))?;
    fails(stage, "redirect_refused")?;
    stage.sandbox.heal()
}

fn retries(stage: &mut Stage<'_>) -> Result<()> {
    stage.target.must("retries 2", "ok")
}

/// Neither the old pair nor the new one may be there.
fn reset_pair(stage: &mut Stage<'_>) -> Result<()> {
    verify(stage, 1)?;
    stage.pair.reset(stage.sandbox, true)?;
    verify(stage, 1)
}

/// The source has a new pair, and the service knows none of them.
fn reject(stage: &mut Stage<'_>) -> Result<()> {
    verify(stage, 1)?;
    stage.pair.reset(stage.sandbox, false)?;
    fails(stage, "invalid_credentials")
}

/// Their signatures are compared with what the secret makes.
fn forged_webhooks(stage: &mut Stage<'_>) -> Result<()> {
    stage.target.must(&format!("webhooks 100 {} 1711040902", "0".repeat(64)), "webhook_mismatch")
}

/// One that the service signed, again and again.
fn genuine_webhooks(stage: &mut Stage<'_>) -> Result<()> {
    let (signature, time) = stage.sandbox.webhook(stage.pair.key())?;
    stage.target.must(&format!("webhooks 100 {signature} {time}"), "ok")
}

/// The program takes the new pair from the file, which the service knows.
fn replace(stage: &mut Stage<'_>) -> Result<()> {
    verify(stage, 1)?;
    stage.pair.reset(stage.sandbox, true)?;
    stage.target.must("replace", "ok")?;
    verify(stage, 1)
}

fn header(stage: &mut Stage<'_>) -> Result<()> {
    stage.target.must("header", "ok")
}

fn exchange(stage: &mut Stage<'_>) -> Result<()> {
    stage.target.must("exchange", "bad_request")
}

fn raising_handler(stage: &mut Stage<'_>) -> Result<()> {
    retries(stage)?;
    stage.target.must("raise", "ok")
}

fn through_proxy(stage: &mut Stage<'_>) -> Result<()> {
    let proxy = stage.proxy.insert(Proxy::start()?);
    stage.target.must(&format!("proxy {}", proxy.url()), "ok")
}

fn panic(stage: &mut Stage<'_>) -> Result<()> {
    verify(stage, 1)?;
    stage.target.must("panic", "internal")
}

fn free(stage: &mut Stage<'_>) -> Result<()> {
    verify(stage, 1)?;
    stage.target.must("free", "ok")
}

/// Every thread has sent its request, and no answer comes.
fn wait(stage: &mut Stage<'_>) -> Result<()> {
    verify(stage, 1)?;
    stage.sandbox.control("DELETE", "requests", &Value::Null)?;
    stage.sandbox.fault(&json!({"fault": "hang"}))?;
    stage.target.must(&format!("loop {}", stage.plan.threads), "started")?;
    stage.sandbox.await_requests(stage.plan.threads)
}

/// Every thread waits for an answer, and none comes.
fn cancel(stage: &mut Stage<'_>) -> Result<()> {
    wait(stage)?;
    stage.target.must("cancel", "cancelled")
}

/// The header in the body, twice, and in a header of the answer.
fn echo(stage: &mut Stage<'_>, status: u16) -> Result<()> {
    verify(stage, 1)?;
    let body = json!({"message": "You sent {authorization}", "again": "{api_secret}"});
    let headers = json!({"X-Echo": "{authorization}"});
    let fault = json!({"fault": "answer", "status": status, "headers": headers, "body": body});
    stage.sandbox.fault(&fault)?;
    let expected = if status == 200 { "ok" } else { "bad_request" };
    let said = stage.target.say("request GET /v2/account 0")?;
    ensure!(said.starts_with(expected), "the call came out as `{said}`, not `{expected}`");
    stage.sandbox.heal()?;
    stage.target.must("drop", "ok")
}
