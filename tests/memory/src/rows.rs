//! The rows of the matrix: the moments at which a target is scanned, and the steps that lead to each.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::pair::TestPair;
use crate::programs::{ProgramKind, TestPrograms};
use crate::proxy::ProxyProcess;
use crate::sandbox::SandboxProcess;
use crate::target::TargetProcess;
use crate::vault::{VaultLogin, VaultProcess};

/// The protection level that the target requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetLevel {
    /// Locked pages, or an error.
    Locked,
    /// `memfd_secret`, or an error.
    SecretMem,
    /// The heap, which is the positive control: the scan must find the pair.
    Heap,
}

impl TargetLevel {
    /// Returns the name that the library reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Locked => "locked",
            Self::SecretMem => "secretmem",
            Self::Heap => "heap",
        }
    }

    /// Returns the number in the C header.
    fn number(self) -> u8 {
        match self {
            Self::Locked => 1,
            Self::Heap => 2,
            Self::SecretMem => 3,
        }
    }
}

/// The configuration that a row is scanned with.
#[derive(Debug, Clone, Copy)]
pub struct ScanPlan {
    /// The kind of program.
    pub kind: ProgramKind,
    /// The protection level of its pair.
    pub level: TargetLevel,
    /// The number of threads that make calls.
    pub threads: usize,
    /// The size of the transport's buffers, or `None` for the default.
    pub buffers: Option<usize>,
}

/// A target with the service, the pair and the proxy that it uses.
pub struct Stage<'a> {
    /// The service.
    pub sandbox: &'a SandboxProcess,
    /// The target's pair.
    pub pair: TestPair,
    /// The program under test.
    pub target: TargetProcess,
    plan: ScanPlan,
    proxy: Option<ProxyProcess>,
    vault: Option<VaultProcess>,
}

/// A moment at which a target is scanned.
pub struct MatrixRow {
    /// The name in the report.
    pub name: &'static str,
    /// Whether the client still holds the pair at this moment, so that a scan at level heap must find it.
    pub is_live: bool,
    /// Whether the short variant includes it.
    pub is_short: bool,
    /// The only kind of program that it applies to, or `None` for [`ProgramKind::C`] and [`ProgramKind::Python`].
    pub only: Option<ProgramKind>,
    /// Sets options before the client is created.
    prepare: fn(&mut Stage<'_>) -> Result<()>,
    /// Takes the target to the moment.
    reach: fn(&mut Stage<'_>) -> Result<()>,
}

const USUAL: MatrixRow = MatrixRow {
    name: "",
    is_live: true,
    is_short: false,
    only: None,
    prepare: |_| Ok(()),
    reach: |_| Ok(()),
};

/// All rows. No scan may find a copy at any of them.
pub const ROWS: &[MatrixRow] = &[
    MatrixRow { name: "loaded from a file, idle", is_short: true, reach: load, ..USUAL },
    MatrixRow { name: "loaded from a folder, idle", prepare: from_folder, reach: load, ..USUAL },
    MatrixRow { name: "loaded from a command, idle", prepare: from_command, reach: load, ..USUAL },
    MatrixRow {
        name: "loaded from Vault with a token, idle",
        is_short: true,
        prepare: |stage| from_vault(stage, VaultLogin::Token),
        reach: load,
        ..USUAL
    },
    MatrixRow {
        name: "loaded from Vault with an AppRole, idle",
        prepare: |stage| from_vault(stage, VaultLogin::AppRole),
        reach: load,
        ..USUAL
    },
    MatrixRow {
        name: "loaded from Vault with a JWT, idle",
        prepare: |stage| from_vault(stage, VaultLogin::Jwt),
        reach: load,
        ..USUAL
    },
    MatrixRow {
        name: "after a reset, with the new pair in Vault",
        prepare: |stage| from_vault(stage, VaultLogin::Token).and_then(|()| retries(stage)),
        reach: reset_pair,
        ..USUAL
    },
    MatrixRow {
        name: "after 1 verify, pool open, idle",
        is_short: true,
        reach: |stage| verify(stage, 1),
        ..USUAL
    },
    MatrixRow { name: "after 1,000 verifies, pool open, idle", reach: |stage| verify(stage, 1000), ..USUAL },
    MatrixRow { name: "after a 401", is_short: true, reach: rejection, ..USUAL },
    MatrixRow { name: "after a timeout in mid-send", prepare: short_timeout, reach: timeout, ..USUAL },
    MatrixRow { name: "after a reset connection", reach: reset, ..USUAL },
    MatrixRow { name: "after a refused redirect", reach: redirect, ..USUAL },
    MatrixRow { name: "through a proxy", prepare: through_proxy, reach: |stage| verify(stage, 1), ..USUAL },
    MatrixRow {
        name: "after a caught panic",
        only: Some(ProgramKind::CWithTestPanic),
        reach: panic,
        ..USUAL
    },
    MatrixRow { name: "after a reset, with the new pair", prepare: retries, reach: reset_pair, ..USUAL },
    MatrixRow {
        name: "after a reset, with a pair that was rejected",
        prepare: retries,
        reach: reject,
        ..USUAL
    },
    MatrixRow { name: "after a cancelled call", is_live: false, reach: cancel, ..USUAL },
    MatrixRow {
        name: "after an event handler that raised",
        only: Some(ProgramKind::Python),
        prepare: raising_handler,
        reach: reject,
        ..USUAL
    },
    MatrixRow { name: "after 100 forged webhooks", is_short: true, reach: forged_webhooks, ..USUAL },
    MatrixRow { name: "after 100 genuine webhooks", is_short: true, reach: genuine_webhooks, ..USUAL },
    MatrixRow { name: "after replace, for both pairs", reach: replace, ..USUAL },
    MatrixRow {
        name: "after a header that the program wiped",
        is_short: true,
        only: Some(ProgramKind::C),
        reach: header,
        ..USUAL
    },
    MatrixRow {
        name: "after an exchange, whose echo the program wiped",
        only: Some(ProgramKind::C),
        reach: exchange,
        ..USUAL
    },
    MatrixRow { name: "after free", is_live: false, is_short: true, reach: free, ..USUAL },
    MatrixRow { name: "waiting for an answer", reach: wait, ..USUAL },
    MatrixRow {
        name: "after an echo in an answer, freed",
        is_short: true,
        reach: |stage| echo(stage, 200),
        ..USUAL
    },
    MatrixRow { name: "after an echo in a 400, freed", reach: |stage| echo(stage, 400), ..USUAL },
];

impl MatrixRow {
    /// Whether the row applies to programs of this kind.
    pub fn is_for(&self, kind: ProgramKind) -> bool {
        match self.only {
            Some(only) => only == kind,
            None => matches!(kind, ProgramKind::C | ProgramKind::Python),
        }
    }
}

impl<'a> Stage<'a> {
    /// Starts a program and creates a client, without a call.
    fn open(
        programs: &TestPrograms,
        sandbox: &'a SandboxProcess,
        row: Option<&MatrixRow>,
        plan: ScanPlan,
    ) -> Result<Self> {
        sandbox.clear_faults()?;
        let pair = TestPair::create(sandbox)?;
        let file = pair.file();
        let target = programs.start(plan.kind, [&file, sandbox.url(), sandbox.ca_file()], plan.buffers)?;
        let mut stage = Self { sandbox, pair, target, plan, proxy: None, vault: None };
        stage.target.must(&format!("level {}", plan.level.number()), "ok")?;
        if let Some(row) = row {
            (row.prepare)(&mut stage)?;
        }
        stage.target.must("client", "ok")?;
        Ok(stage)
    }

    /// Starts a program and takes it to the moment of `row`.
    ///
    /// # Errors
    /// If the moment cannot be reached.
    pub fn reach(
        programs: &TestPrograms,
        sandbox: &'a SandboxProcess,
        row: &MatrixRow,
        plan: ScanPlan,
    ) -> Result<Self> {
        let mut stage = Self::open(programs, sandbox, Some(row), plan)?;
        (row.reach)(&mut stage)?;
        Ok(stage)
    }

    /// Starts a program all of whose threads make calls without pause.
    ///
    /// # Errors
    /// If it does not start.
    pub fn busy(programs: &TestPrograms, sandbox: &'a SandboxProcess, plan: ScanPlan) -> Result<Self> {
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

fn from_vault(stage: &mut Stage<'_>, login: VaultLogin) -> Result<()> {
    let vault = stage.vault.insert(VaultProcess::start(&stage.pair)?);
    let source = vault.source(login, &mut stage.pair)?;
    stage.target.must(&format!("source {source}"), "ok")
}

/// Lets each thread verify `calls` times. If `calls` exceeds the number of threads, it is the total of all threads.
fn verify(stage: &mut Stage<'_>, calls: usize) -> Result<()> {
    let threads = stage.plan.threads;
    let each = if calls > threads { calls / threads } else { calls };
    stage.target.must(&format!("verify {each} {threads}"), "ok")
}

fn fails(stage: &mut Stage<'_>, expected: &str) -> Result<()> {
    let result = stage.target.run(&format!("verify 1 {}", stage.plan.threads))?;
    ensure!(result.starts_with(expected), "verify gave `{result}`, not `{expected}`");
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

/// Sends a body larger than all socket buffers to a service that has stopped reading.
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
    stage.sandbox.clear_faults()
}

fn redirect(stage: &mut Stage<'_>) -> Result<()> {
    let elsewhere = json!({"Location": "https://127.0.0.1:1/v2/account"});
    stage.sandbox.fault(&json!({"fault": "answer", "status": 302, "headers": elsewhere}))?;
    fails(stage, "redirect_refused")?;
    stage.sandbox.clear_faults()
}

fn retries(stage: &mut Stage<'_>) -> Result<()> {
    stage.target.must("retries 2", "ok")
}

/// Resets the pair; the needles then include the old pair and the new one.
fn reset_pair(stage: &mut Stage<'_>) -> Result<()> {
    verify(stage, 1)?;
    stage.pair.reset(stage.sandbox, true)?;
    if let Some(vault) = &stage.vault {
        vault.store(&stage.pair)?;
    }
    verify(stage, 1)
}

/// Writes a new pair to the source that the service does not know, and revokes the old one.
fn reject(stage: &mut Stage<'_>) -> Result<()> {
    verify(stage, 1)?;
    stage.pair.reset(stage.sandbox, false)?;
    fails(stage, "invalid_credentials")
}

/// Verifies forged webhooks, for which the library computes the correct signature.
fn forged_webhooks(stage: &mut Stage<'_>) -> Result<()> {
    stage.target.must(&format!("webhooks 100 {} 1711040902", "0".repeat(64)), "webhook_mismatch")
}

/// Verifies a genuine webhook 100 times.
fn genuine_webhooks(stage: &mut Stage<'_>) -> Result<()> {
    let (signature, time) = stage.sandbox.webhook(stage.pair.key())?;
    stage.target.must(&format!("webhooks 100 {signature} {time}"), "ok")
}

/// Lets the program replace the client's pair with the new one from the file.
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
    let proxy = stage.proxy.insert(ProxyProcess::start()?);
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

/// Lets every thread send a request to which no response comes.
fn wait(stage: &mut Stage<'_>) -> Result<()> {
    verify(stage, 1)?;
    stage.sandbox.control("DELETE", "requests", &Value::Null)?;
    stage.sandbox.fault(&json!({"fault": "hang"}))?;
    stage.target.must(&format!("loop {}", stage.plan.threads), "started")?;
    stage.sandbox.await_requests(stage.plan.threads)
}

/// Cancels calls that wait for a response.
fn cancel(stage: &mut Stage<'_>) -> Result<()> {
    wait(stage)?;
    stage.target.must("cancel", "cancelled")
}

/// Lets the service echo the `Authorization` value in the body and in a header of the response, and the secret again.
fn echo(stage: &mut Stage<'_>, status: u16) -> Result<()> {
    verify(stage, 1)?;
    let body = json!({"message": "You sent {authorization}", "again": "{api_secret}"});
    let headers = json!({"X-Echo": "{authorization}"});
    let fault = json!({"fault": "answer", "status": status, "headers": headers, "body": body});
    stage.sandbox.fault(&fault)?;
    let expected = if status == 200 { "ok" } else { "bad_request" };
    let result = stage.target.run("request GET /v2/account 0")?;
    ensure!(result.starts_with(expected), "the call gave `{result}`, not `{expected}`");
    stage.sandbox.clear_faults()?;
    stage.target.must("drop", "ok")
}
