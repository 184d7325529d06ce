//! `doctor`: everything that a call depends on, looked at in the order in which a call needs it.

mod check;
mod look;

use std::time::Instant;

use justcall_auth::diagnostics::{Diagnostics, Route};
use serde_json::{Value, json};

use crate::arguments::Global;
use crate::failure::Failure;
use crate::output::Output;
use crate::spinner::Spinner;
use check::{Check, Status, Verdict};

/// Checks that wait for the network: how long they took is worth knowing.
const TIMED: &[&str] = &["dns", "tcp", "tunnel", "tls", "clock", "verify"];

pub(super) fn run(global: &Global, verify_path: Option<&str>, output: &Output) -> Result<(), Failure> {
    let mut config = global.config()?;
    if let Some(path) = verify_path {
        config.set_verify_path(path)?;
    }
    let diagnostics = Diagnostics::new(&config)?;
    let mut examination = Examination { output, checks: Vec::new() };
    examination.examine(&diagnostics)?;
    examination.conclude()
}

/// The checks made so far.
struct Examination<'a> {
    output: &'a Output,
    checks: Vec<Check>,
}

impl Examination<'_> {
    fn examine(&mut self, diagnostics: &Diagnostics) -> Result<(), Failure> {
        let source = self.check("source", || look::source(diagnostics))?;
        let found = source.as_ref().ok();
        self.check("pair", || (look::pair(&source), ()))?;
        self.check("surroundings", || (look::surroundings(diagnostics), ()))?;
        self.check("permissions", || (look::permissions(found), ()))?;
        self.check("memory", || (look::memory(found), ()))?;
        let route = self.check("proxy", || look::proxy(diagnostics))?;
        let (local_address, is_connected) = self.connect(diagnostics, route.as_ref())?;
        self.check("clock", || (when(is_connected, || look::clock(diagnostics)), ()))?;
        let rate_limit = self.check("verify", || look::verify(diagnostics, found, is_connected))?;
        self.check("rate_limit", || (look::rate_limit(rate_limit), ()))?;
        self.check("local_address", || (look::local_address(local_address, route.as_ref()), ()))
    }

    /// From the look-up to the handshake: the address of this end, and whether a call can be made.
    fn connect(
        &mut self,
        diagnostics: &Diagnostics,
        route: Option<&Route>,
    ) -> Result<(Option<std::net::SocketAddr>, bool), Failure> {
        let addresses = self.check("dns", || look::dns(route))?;
        let mut connection = self.check("tcp", || look::tcp(route, addresses))?;
        let local_address = connection.as_ref().map(|connection| connection.local);
        let is_through = self.check("tunnel", || look::tunnel(route, connection.as_mut()))?;
        let connection = connection.filter(|_| is_through);
        let is_connected = self.check("tls", || look::tls(diagnostics, route, connection))?;
        Ok((local_address, is_connected))
    }

    /// Looks, tells, and hands on what was found.
    fn check<T>(&mut self, name: &'static str, look: impl FnOnce() -> (Verdict, T)) -> Result<T, Failure> {
        let spinner = self.output.is_watched().then(|| Spinner::start(name.replace('_', " ")));
        let begun = Instant::now();
        let (verdict, found) = look();
        let check = Check::new(name, verdict, begun.elapsed());
        drop(spinner);
        if !self.output.is_json() {
            self.output.print(&check.text(TIMED.contains(&name), self.output.unechoed()))?;
        }
        self.checks.push(check);
        Ok(found)
    }

    /// How it ends: as the first check that failed does.
    fn conclude(self) -> Result<(), Failure> {
        let first = self.checks.iter().find_map(Check::exit);
        if self.output.is_json() {
            let checks: Vec<Value> =
                self.checks.iter().map(|check| check.json(self.output.unechoed())).collect();
            Output::print_json(&json!({"ok": first.is_none(), "checks": checks}))?;
        } else {
            self.output.print(&self.summary())?;
        }
        first.map_or(Ok(()), |exit| Err(Failure::Told(exit)))
    }

    fn summary(&self) -> String {
        let count = |status| self.checks.iter().filter(|check| check.status() == status).count();
        match (count(Status::Failed), count(Status::Warning)) {
            (0, 0) => "\nAll is well.\n".to_owned(),
            (0, 1) => "\nCalls work; look at the warning.\n".to_owned(),
            (0, _) => "\nCalls work; look at the warnings.\n".to_owned(),
            (1, _) => "\nOne check failed.\n".to_owned(),
            (failed, _) => format!("\n{failed} checks failed: begin with the first.\n"),
        }
    }
}

/// What is looked at only over a connection that works.
fn when(is_connected: bool, look: impl FnOnce() -> Verdict) -> Verdict {
    if is_connected { look() } else { Verdict::skipped("there is no connection to the service") }
}
