//! Calls without a pause while a server reloads again and again: connections end at any moment of a call.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, ensure};
use justcall_auth_sandbox::{Sandbox, SandboxConfig};
use serde_json::Map;
use tempfile::TempDir;

use super::caller::{Caller, CallerProgram, Row};
use super::certificates;
use super::run::port_of;
use super::server::{Server, ServerKind, Surroundings};

/// The timeout of a call. None may take that long.
const TIMEOUT: Duration = Duration::from_secs(20);
const RELOADS: usize = 4;
const CALLS: usize = 200;

/// What happened.
#[derive(Debug, Clone, Copy)]
pub struct Storm {
    /// How many calls were made.
    pub calls: usize,
    /// How many of them failed, because their connection ended.
    pub failed: usize,
    /// How many times the server reloaded.
    pub reloads: usize,
    /// How many connections the calls used.
    pub connections: usize,
}

/// Makes GETs and POSTs in turn, without retries, until the server has reloaded four times.
///
/// # Errors
/// If a call ends in a row that does not fit what the server received, or a part cannot be started.
pub fn storm(kind: ServerKind, program: &CallerProgram, folder: &Path) -> Result<Storm> {
    let sandbox = Sandbox::start(SandboxConfig { http: true, ..SandboxConfig::default() })?;
    let around = Surroundings { certificates: folder, certificate: "good", sandbox: port_of(&sandbox)? };
    let mut server = Server::start(kind, &Map::new(), around)?;
    let source = TempDir::new()?;
    let pair = source.path().join("pair");
    fs::write(&pair, format!("{}:{}", sandbox.api_key(), sandbox.api_secret()))?;
    let mut caller = Caller::start(program, &[], &[])?;
    let open = format!(
        "open https://localhost:{} {} file:{} {} 0",
        server.port(),
        certificates::ca_file(folder).display(),
        pair.display(),
        TIMEOUT.as_millis()
    );
    ensure!(caller.call(&open, TIMEOUT)?.name == "ok", "the client cannot be opened");
    let (reloads, is_over) = (AtomicUsize::new(0), AtomicBool::new(false));
    let rows = thread::scope(|scope| {
        let reloading = scope.spawn(|| -> Result<()> {
            while reloads.load(Ordering::SeqCst) < RELOADS && !is_over.load(Ordering::SeqCst) {
                server.reload()?;
                reloads.fetch_add(1, Ordering::SeqCst);
            }
            Ok(())
        });
        let mut rows = Vec::new();
        let mut call = || -> Result<()> {
            while rows.len() < CALLS || (!reloading.is_finished() && rows.len() < CALLS * 1000) {
                let number = rows.len();
                let path = format!("/v2.1/echo?n={number}");
                let call = if is_post(number) { format!("post {path} 2") } else { format!("get {path}") };
                rows.push(caller.call(&call, TIMEOUT)?);
            }
            Ok(())
        };
        let result = call();
        is_over.store(true, Ordering::SeqCst);
        reloading.join().map_err(|_| anyhow!("the reloading thread panicked"))??;
        result.map(|()| rows)
    })?;
    caller.finish()?;
    server.stop()?;
    let seen = server.seen().context("the server records requests")?;
    check(&rows, &seen)?;
    let connections: BTreeSet<&str> = seen.iter().filter_map(|line| line.split(' ').next_back()).collect();
    Ok(Storm {
        calls: rows.len(),
        failed: rows.iter().filter(|row| row.name != "ok").count(),
        reloads: reloads.into_inner(),
        connections: connections.len(),
    })
}

fn is_post(number: usize) -> bool {
    number % 2 == 1
}

/// Compares each row with what the server received for it.
fn check(rows: &[Row], seen: &[String]) -> Result<()> {
    let mut received: BTreeMap<usize, usize> = BTreeMap::new();
    for line in seen {
        let number = line.split(' ').nth(1).and_then(|uri| uri.split_once("n=")?.1.parse().ok());
        *received.entry(number.with_context(|| format!("an unknown request: {line}"))?).or_default() += 1;
    }
    for (number, row) in rows.iter().enumerate() {
        let received = received.get(&number).copied().unwrap_or(0);
        let fits = match row.name.as_str() {
            "ok" => received >= 1,
            "connection_failed" => row.request_sent || received == 0,
            _ => false,
        };
        ensure!(fits, "call {number}: the server received {received} requests, and the call ended: {row:?}");
        ensure!(!is_post(number) || received < 2, "POST number {number} was sent {received} times");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, request_sent: bool) -> Row {
        Row { name: name.into(), http_status: 0, request_sent, retry_after_ms: None, texts: String::new() }
    }

    #[test]
    fn it_notices_requests_that_are_lost_repeated_or_reported_as_not_sent() {
        let seen = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
        let (get, post) = ("GET /v2.1/echo?n=0 200 1", "POST /v2.1/echo?n=1 200 1");
        let good = [row("ok", true), row("ok", true)];
        check(&good, &seen(&[get, post])).expect("each call has its request");
        check(&good, &seen(&[get, get, post])).expect("a GET may be repeated");
        check(&good, &seen(&[get, post, post])).expect_err("a POST is repeated");
        check(&good, &seen(&[get])).expect_err("a success without a request");
        let lost = [row("ok", true), row("connection_failed", true)];
        check(&lost, &seen(&[get])).expect("the request may be lost");
        check(&lost, &seen(&[get, post])).expect("the answer may be lost");
        let not_sent = [row("ok", true), row("connection_failed", false)];
        check(&not_sent, &seen(&[get])).expect("it was not sent");
        check(&not_sent, &seen(&[get, post])).expect_err("it was sent");
        check(&[row("timeout", true)], &[]).expect_err("another row");
    }
}
