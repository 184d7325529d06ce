//! `doctor`: checks everything that a call depends on, in the order in which a call needs it.

mod check;
mod checks;

use std::time::Instant;

use justcall_auth::diagnostics::{Diagnostics, Route};
use serde_json::{Value, json};

use crate::arguments::Global;
use crate::failure::Failure;
use crate::output::Output;
use crate::spinner::Spinner;
use check::{Check, Status, Verdict};

/// The checks that wait for the network. Their time is shown.
const TIMED: &[&str] = &["dns", "tcp", "tunnel", "tls", "clock", "verify"];

pub(super) fn run(global: &Global, verify_path: Option<&str>, output: &Output) -> Result<(), Failure> {
    let mut config = global.config()?;
    if let Some(path) = verify_path {
        config.set_verify_path(path)?;
    }
    let diagnostics = Diagnostics::new(&config)?;
    let mut diagnosis = Diagnosis { output, checks: Vec::new() };
    diagnosis.run_checks(&diagnostics)?;
    diagnosis.conclude()
}

/// The checks so far.
struct Diagnosis<'a> {
    output: &'a Output,
    checks: Vec<Check>,
}

impl Diagnosis<'_> {
    fn run_checks(&mut self, diagnostics: &Diagnostics) -> Result<(), Failure> {
        let source = self.check("source", || checks::source(diagnostics))?;
        let found = source.as_ref().ok();
        self.check("pair", || (checks::pair(&source), ()))?;
        self.check("surroundings", || (checks::surroundings(diagnostics), ()))?;
        self.check("permissions", || (checks::permissions(found), ()))?;
        self.check("memory", || (checks::memory(found), ()))?;
        let route = self.check("proxy", || checks::proxy(diagnostics))?;
        let (local_address, is_connected) = self.connect(diagnostics, route.as_ref())?;
        self.check("clock", || (when(is_connected, || checks::clock(diagnostics)), ()))?;
        let rate_limit = self.check("verify", || checks::verify(diagnostics, found, is_connected))?;
        self.check("rate_limit", || (checks::rate_limit(rate_limit), ()))?;
        self.check("local_address", || (checks::local_address(local_address, route.as_ref()), ()))
    }

    /// Runs the checks from the look-up to the handshake. Returns the local address, and whether calls are possible.
    fn connect(
        &mut self,
        diagnostics: &Diagnostics,
        route: Option<&Route>,
    ) -> Result<(Option<std::net::SocketAddr>, bool), Failure> {
        let addresses = self.check("dns", || checks::dns(route))?;
        let mut connection = self.check("tcp", || checks::tcp(route, addresses))?;
        let local_address = connection.as_ref().map(|connection| connection.local);
        let is_through = self.check("tunnel", || checks::tunnel(route, connection.as_mut()))?;
        let connection = connection.filter(|_| is_through);
        let is_connected = self.check("tls", || checks::tls(diagnostics, route, connection))?;
        Ok((local_address, is_connected))
    }

    /// Runs a check, reports it, and returns its value.
    fn check<T>(&mut self, name: &'static str, run: impl FnOnce() -> (Verdict, T)) -> Result<T, Failure> {
        let spinner = self.output.has_live_terminal().then(|| Spinner::start(name.replace('_', " ")));
        let begun = Instant::now();
        let (verdict, found) = run();
        let check = Check::new(name, verdict, begun.elapsed());
        drop(spinner);
        if !self.output.is_json() {
            self.output.print(&check.text(TIMED.contains(&name), self.output.argument_mask()))?;
        }
        self.checks.push(check);
        Ok(found)
    }

    /// Ends with the exit code of the first check that failed.
    fn conclude(self) -> Result<(), Failure> {
        let first = self.checks.iter().find_map(Check::exit);
        if self.output.is_json() {
            let checks: Vec<Value> =
                self.checks.iter().map(|check| check.json(self.output.argument_mask())).collect();
            Output::print_json(&json!({"ok": first.is_none(), "checks": checks}))?;
        } else {
            self.output.print(&self.summary())?;
        }
        first.map_or(Ok(()), |exit| Err(Failure::Reported(exit)))
    }

    fn summary(&self) -> String {
        let count = |status| self.checks.iter().filter(|check| check.status() == status).count();
        match (count(Status::Failed), count(Status::Warning)) {
            (0, 0) => "\nAll checks passed.\n".to_owned(),
            (0, 1) => "\nCalls work. Check the warning.\n".to_owned(),
            (0, _) => "\nCalls work. Check the warnings.\n".to_owned(),
            (1, _) => "\nOne check failed.\n".to_owned(),
            (failed, _) => format!("\n{failed} checks failed. Start with the first failed check.\n"),
        }
    }
}

/// Runs a check that needs a working connection, or skips it.
fn when(is_connected: bool, run: impl FnOnce() -> Verdict) -> Verdict {
    if is_connected { run() } else { Verdict::skipped("there is no connection to the service") }
}
