//! Formats the report for the terminal and for docs/evidence/performance.md.

use std::fmt::Write as _;

use crate::counts;
use crate::goals::Goal;
use crate::measured::Measured;
use crate::memory::Work;
use crate::profile;
use crate::requests::{self, Setting};
use crate::scale::Scale;
use crate::statistics::Ratio;
use crate::texts::{METHOD, PEERS, WHY};

/// All parts of the report.
pub struct BenchReport {
    pub machine: Vec<(&'static str, String)>,
    pub rounds: u32,
    pub requests: u32,
    pub measured: Measured,
    pub goals: Vec<Goal>,
}

impl BenchReport {
    /// Returns only the tables, with aligned columns.
    pub fn for_terminal(&self) -> String {
        let mut text = String::new();
        for (title, table) in self.tables() {
            writeln!(text, "{}\n\n{}", title.replace('`', ""), table.aligned())
                .expect("writing to a String cannot fail");
        }
        text
    }

    /// Returns the page docs/evidence/performance.md.
    pub fn markdown(&self) -> String {
        let mut text = String::from("# What a request costs, beside the usual clients\n\n");
        text.push_str("Written by `cargo xtask bench`: change that, not this file.\n");
        text.push_str("\n![The time of a verification, by client](performance-ladder.svg)\n");
        text.push_str("\n![Requests a second, by the number of threads](performance-threads.svg)\n");
        for (title, table) in self.tables() {
            write!(text, "\n## {title}\n\n{}", table.markdown()).expect("writing to a String cannot fail");
        }
        text.push_str(&self.missed());
        write!(text, "\n## How it was measured\n\n{METHOD}\n").expect("writing to a String cannot fail");
        let (rounds, requests) = (self.rounds, self.requests);
        writeln!(
            text,
            "{rounds} rounds, {requests} requests a peer and round; the first round, a warm-up, is left out."
        )
        .expect("writing to a String cannot fail");
        write!(text, "\n## What each peer does\n\n{PEERS}").expect("writing to a String cannot fail");
        text
    }

    /// Returns a section about the missed goals, or nothing.
    fn missed(&self) -> String {
        let missed: Vec<&Goal> = self.goals.iter().filter(|goal| goal.is_missed()).collect();
        if missed.is_empty() {
            return String::new();
        }
        let mut text = String::from("\n## Goals that were missed\n\n");
        for goal in missed {
            writeln!(text, "- {}: {}", goal.what, ratio(goal.measured))
                .expect("writing to a String cannot fail");
        }
        text + "\n" + WHY
    }

    fn tables(&self) -> Vec<(String, ReportTable)> {
        let mut tables = Vec::new();
        if !self.goals.is_empty() {
            tables.push(("Goals".to_owned(), self.goals_table()));
        }
        let settings = std::iter::once(Setting::USUAL).chain(Setting::OTHERS);
        for (job, setting) in
            settings.flat_map(|setting| [(requests::VERIFY, setting), (requests::POST, setting)])
        {
            if self.measured.requests.iter().any(|row| row.job == job && row.setting == setting) {
                let title =
                    format!("{}, one after the other on one connection: {}", job.title, setting.title());
                tables.push((title, self.requests_table(job, setting)));
            }
        }
        if !self.measured.counts.is_empty() {
            tables.push(("Instructions and allocations of a verification".to_owned(), self.counts_table()));
            tables.push(("Where they are spent, by crate".to_owned(), self.profile_table()));
        }
        if let Some(scale) = &self.measured.scale {
            tables.push(("Threads".to_owned(), threads_table(scale)));
            tables.push(("Pairs, and sizes of a body".to_owned(), sizes_table(scale)));
            tables.push(("Memory of what is idle".to_owned(), idle_table(scale)));
        }
        if !self.measured.phases.is_empty() {
            tables.push(("The phases of a program that verifies".to_owned(), self.phases_table()));
        }
        if !self.measured.startup.is_empty() {
            tables.push(("Start, verify once, end".to_owned(), self.startup_table()));
        }
        if !self.measured.memory.works.is_empty() {
            tables.push(("Protecting the pair: the work itself".to_owned(), self.work_table()));
        }
        if !self.measured.memory.calls.is_empty() {
            tables.push(("Protecting the pair: whole calls (verify, C)".to_owned(), self.call_table()));
        }
        if !self.measured.scan.is_empty() {
            tables.push(("`scan`: searching 256 MiB, one thread".to_owned(), self.scan_table()));
        }
        if !self.measured.cancel.is_empty() {
            tables.push(("Cancelling a call".to_owned(), self.cancel_table()));
        }
        if !self.measured.webhooks.rows.is_empty() {
            tables.push(("Verifying a webhook, on one core".to_owned(), self.webhooks_table()));
        }
        tables.push(("Where".to_owned(), self.machine_table()));
        tables
    }

    fn goals_table(&self) -> ReportTable {
        let mut table = ReportTable::new(&["goal", "measured", "verdict"]);
        for goal in &self.goals {
            table.row([goal.what.clone(), ratio(goal.measured), goal.verdict.name().to_owned()]);
        }
        table
    }

    fn requests_table(&self, job: requests::Job, setting: Setting) -> ReportTable {
        let mut table = ReportTable::new(&["peer", "median µs", "CPU µs", "to", "time", "CPU"]);
        let is_shown = |row: &&requests::RequestRow| row.job == job && row.setting == setting;
        for row in self.measured.requests.iter().filter(is_shown) {
            let name = row.peer.to_owned();
            let to = row.baseline.to_owned();
            table.row(match &row.figures {
                None => [name, "not measured".into(), "–".into(), to, "–".into(), "–".into()],
                Some(figures) => [
                    name,
                    format!("{:.1}", figures.wall_ns / 1e3),
                    format!("{:.1}", figures.cpu_ns / 1e3),
                    to,
                    ratio(figures.wall),
                    ratio(figures.cpu),
                ],
            });
        }
        table
    }

    fn counts_table(&self) -> ReportTable {
        let mut table = ReportTable::new(&["what", "client", "instructions", "to libcurl", "allocations"]);
        for row in &self.measured.counts {
            let is_base = |other: &&counts::CountRow| other.peer == counts::LIBCURL && other.what == row.what;
            let base =
                self.measured.counts.iter().find(is_base).map_or(f64::NAN, |row| row.counts.instructions);
            table.row([
                row.what.name(),
                row.peer.to_owned(),
                format!("{:.0}", row.counts.instructions),
                format!("{:.3}", row.counts.instructions / base),
                format!("{:.1}", row.counts.allocations),
            ]);
        }
        table
    }

    fn profile_table(&self) -> ReportTable {
        let mut table = ReportTable::new(&["crate", "instructions", "allocations"]);
        let profile = &self.measured.profile;
        for row in profile {
            table.row([
                row.crate_name.clone(),
                format!("{:.0}", row.instructions),
                format!("{:.1}", row.allocations),
            ]);
        }
        let ours = || profile.iter().filter(|row| profile::is_ours(&row.crate_name));
        table.row([
            "all crates of justcall-auth".to_owned(),
            format!("{:.0}", ours().map(|row| row.instructions).sum::<f64>()),
            format!("{:.1}", ours().map(|row| row.allocations).sum::<f64>()),
        ]);
        table
    }

    fn phases_table(&self) -> ReportTable {
        let mut table = ReportTable::new(&[
            "program",
            "load µs",
            "create the client µs",
            "first call µs",
            "more with the system's roots µs",
            "next call µs",
        ]);
        for row in &self.measured.phases {
            let whole = |figure: f64| format!("{figure:.0}");
            table.row([
                row.program.to_owned(),
                whole(row.load),
                whole(row.open),
                whole(row.first),
                whole(row.roots),
                whole(row.next),
            ]);
        }
        table
    }

    fn startup_table(&self) -> ReportTable {
        let mut table =
            ReportTable::new(&["program", "ms", "CPU ms", "peak MiB", "time to curl's", "peak to curl's"]);
        for row in &self.measured.startup {
            table.row([
                row.name.to_owned(),
                format!("{:.1}", row.wall_ms),
                format!("{:.1}", row.cpu_ms),
                format!("{:.1}", row.peak_mib),
                ratio(row.wall),
                ratio(row.peak),
            ]);
        }
        table
    }

    fn work_table(&self) -> ReportTable {
        let mut table = ReportTable::new(&["what", "level", "µs"]);
        for row in &self.measured.memory.works {
            let what = match row.work {
                Work::Call => "secret work of a call: read the pair, write it into the head, wipe",
                Work::Header => "`justcall_client_authorization`",
            };
            table.row([what.to_owned(), row.level.name().to_owned(), ratio(row.time)]);
        }
        table
    }

    fn call_table(&self) -> ReportTable {
        let mut table = ReportTable::new(&["level", "median µs", "CPU µs", "to", "time", "CPU"]);
        for row in &self.measured.memory.calls {
            table.row([
                row.name.to_owned(),
                format!("{:.1}", row.wall_ns / 1e3),
                format!("{:.1}", row.cpu_ns / 1e3),
                row.baseline.to_owned(),
                ratio(row.wall),
                ratio(row.cpu),
            ]);
        }
        table
    }

    fn scan_table(&self) -> ReportTable {
        let mut table = ReportTable::new(&["what", "MB/s", "MB a second of processor time"]);
        for row in &self.measured.scan {
            table.row([row.name.clone(), whole(row.speed), whole(row.cpu)]);
        }
        table
    }

    fn cancel_table(&self) -> ReportTable {
        let mut table = ReportTable::new(&["waiting in", "median ms", "latest ms"]);
        for row in &self.measured.cancel {
            table.row([
                row.phase.to_owned(),
                format!("{:.0}", row.took.median),
                format!("{:.0}", row.took.high),
            ]);
        }
        table
    }

    fn webhooks_table(&self) -> ReportTable {
        let mut table = ReportTable::new(&["what", "ns", "to the row before"]);
        for row in &self.measured.webhooks.rows {
            table.row([row.name.to_owned(), whole(row.time), row.to.map_or("–".to_owned(), ratio)]);
        }
        table
    }

    fn machine_table(&self) -> ReportTable {
        let mut table = ReportTable::new(&["what", "which"]);
        for (name, value) in &self.machine {
            table.row([(*name).to_owned(), value.clone()]);
        }
        let mut seen = Vec::new();
        for row in &self.measured.requests {
            if !seen.contains(&row.peer) {
                seen.push(row.peer);
                table.row([row.peer.to_owned(), row.version.clone()]);
            }
        }
        table
    }
}

fn threads_table(scale: &Scale) -> ReportTable {
    let mut table =
        ReportTable::new(&["threads", "start", "requests/s", "to libcurl", "p99 ms", "to libcurl"]);
    for row in &scale.threads {
        table.row([
            row.threads.to_string(),
            row.kind.to_owned(),
            format!("{:.0}", row.per_second),
            ratio(row.rate),
            format!("{:.2}", row.p99_ms),
            ratio(row.p99),
        ]);
    }
    table
}

fn sizes_table(scale: &Scale) -> ReportTable {
    let mut table = ReportTable::new(&[
        "what",
        "median µs",
        "CPU µs",
        "CPU for each call or byte, to the first",
        "CPU to libcurl",
    ]);
    for row in &scale.sizes {
        let figure = |figure: Option<f64>| {
            figure.filter(|figure| !figure.is_nan()).map_or("–".to_owned(), |figure| format!("{figure:.2}"))
        };
        table.row([
            row.what.clone(),
            format!("{:.1}", row.wall_us),
            format!("{:.1}", row.cpu_us),
            figure(Some(row.to_first)),
            figure(row.to_libcurl),
        ]);
    }
    table
}

fn idle_table(scale: &Scale) -> ReportTable {
    let mut table = ReportTable::new(&["what", "bytes of the heap"]);
    table.row(["a client that has verified, of 1,000".to_owned(), format!("{:.0}", scale.idle.client)]);
    table.row([
        format!("a connection with TLS, of {:.0}", scale.idle.connections),
        format!("{:.0}", scale.idle.connection),
    ]);
    table
}

fn whole(speed: Ratio) -> String {
    format!("{:.0} ({:.0}–{:.0})", speed.median, speed.low, speed.high)
}

fn ratio(ratio: Ratio) -> String {
    let digits = if ratio.median < 10.0 { 3 } else { 1 };
    format!("{:.digits$} ({:.digits$}–{:.digits$})", ratio.median, ratio.low, ratio.high)
}

/// Rows of equal length, the first one with the headings.
struct ReportTable(Vec<Vec<String>>);

impl ReportTable {
    fn new(head: &[&str]) -> Self {
        Self(vec![head.iter().map(|cell| (*cell).to_owned()).collect()])
    }

    fn row<const WIDTH: usize>(&mut self, cells: [String; WIDTH]) {
        self.0.push(cells.into());
    }

    fn markdown(&self) -> String {
        let mut text = String::new();
        for (index, row) in self.0.iter().enumerate() {
            writeln!(text, "| {} |", row.join(" | ")).expect("writing to a String cannot fail");
            if index == 0 {
                writeln!(text, "|{}", "---|".repeat(row.len())).expect("writing to a String cannot fail");
            }
        }
        text
    }

    fn aligned(&self) -> String {
        let columns = self.0.first().map_or(0, Vec::len);
        let widest = |column: usize| self.0.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns).map(widest).collect();
        let mut text = String::new();
        for row in &self.0 {
            let mut line = String::from("  ");
            for (cell, width) in row.iter().zip(&widths) {
                write!(line, "{cell:<width$}  ").expect("writing to a String cannot fail");
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}
