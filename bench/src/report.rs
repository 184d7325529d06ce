//! The report, as people read it on a terminal and in docs/evidence/bench.md.

use std::fmt::Write as _;

use crate::goals::Goal;
use crate::measured::Measured;
use crate::memory::Work;
use crate::requests;
use crate::statistics::Ratio;

/// What each peer does for a request: a ratio means little without what is compared.
const PEERS: &str = "\
Everyone sends the same headers (`Authorization`, `Accept`, `Content-Type`), keeps one connection, has a timeout of 30 s, trusts the
bench's CA file alone, reads the whole body and checks the status. A response of a wrong kind ends the measurement.

- **justcall-auth, C**: one client with every default; checks the JSON and reads the account from it; carries the pair in memory that
  is wiped. So it does more than libcurl does beside it.
- **libcurl, C**: easy interface, one reused handle, no signals; the JSON is not looked at.
- **justcall-auth, Python**: one `Client`; the account as an object.
- **requests**: one `Session`, as it comes; `raise_for_status()`, `.json()`.
- **httpx**: one `Client` with an `ssl` context; `raise_for_status()`, `.json()`.
- **pycurl**: one reused `Curl`; the status compared, `json.loads`.
- **curl**, the command: `--silent --fail --max-time 30 --cacert`.
";

const METHOD: &str = "\
One nginx with one worker on loopback, TLS 1.3, keep-alive without end; it answers 401 unless the pair is right. Clients and nginx share
one processor, so times include nginx's own; CPU is the client's alone (`getrusage`). Each peer is a process that connects once and then makes
its requests on command: in every round all peers, in a new order. Figures are medians over the rounds; a ratio is taken within a round, and its
median stands with a 95 % interval (bootstrap over rounds, fixed seed). Ratios hold between machines; times do not.
The secret work of a call is measured in Rust with the parts that the transport uses, a hundred at a time, as the header through the C
ABI is; whole calls at each level are made by the same C program in turns with each other, and by one on a build whose allocator does not
wipe: that is what wiping all that is freed costs.
A webhook is verified from its headers and body to its event, the secret taken out of the memory that protects it each time, 2,000 at a
time; ring's bare HMAC is `Key::new` and `verify` of the ready message, and the signature's check beside it has the secret in hand.
The interval shows how sure this run is; from run to run on a shared machine a ratio moves by up to 0.03 more.
";

/// Everything that is reported.
pub struct Report {
    pub machine: Vec<(&'static str, String)>,
    pub rounds: u32,
    pub requests: u32,
    pub measured: Measured,
    pub goals: Vec<Goal>,
}

impl Report {
    /// The tables alone, with their columns aligned.
    pub fn for_terminal(&self) -> String {
        let mut text = String::new();
        for (title, table) in self.tables() {
            writeln!(text, "{}\n\n{}", title.replace('`', ""), table.aligned()).expect("a string takes it");
        }
        text
    }

    /// The page docs/evidence/bench.md.
    pub fn markdown(&self) -> String {
        let mut text = String::from("# What a request costs, beside the usual clients\n\n");
        text.push_str("Written by `cargo xtask bench`: change that, not this file.\n");
        for (title, table) in self.tables() {
            write!(text, "\n## {title}\n\n{}", table.markdown()).expect("a string takes it");
        }
        write!(text, "\n## How it was measured\n\n{METHOD}\n").expect("a string takes it");
        let (rounds, requests) = (self.rounds, self.requests);
        writeln!(
            text,
            "{rounds} rounds, {requests} requests a peer and round; the first round, a warm-up, is left out."
        )
        .expect("a string takes it");
        write!(text, "\n## What each peer does\n\n{PEERS}").expect("a string takes it");
        text
    }

    fn tables(&self) -> Vec<(String, Table)> {
        let mut tables = Vec::new();
        if !self.goals.is_empty() {
            tables.push(("Goals".to_owned(), self.goals_table()));
        }
        for job in [requests::VERIFY, requests::POST] {
            if self.measured.requests.iter().any(|row| row.job == job) {
                tables.push((
                    format!("{}, one after the other on one connection", job.title),
                    self.requests_table(job),
                ));
            }
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
            tables.push(("`scan`: looking through 256 MiB, one thread".to_owned(), self.scan_table()));
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

    fn goals_table(&self) -> Table {
        let mut table = Table::new(&["goal", "measured", "verdict"]);
        for goal in &self.goals {
            table.row([goal.what.clone(), ratio(goal.measured), goal.verdict.name().to_owned()]);
        }
        table
    }

    fn requests_table(&self, job: requests::Job) -> Table {
        let mut table = Table::new(&["peer", "median µs", "CPU µs", "to", "time", "CPU"]);
        for row in self.measured.requests.iter().filter(|row| row.job == job) {
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

    fn startup_table(&self) -> Table {
        let mut table =
            Table::new(&["program", "ms", "CPU ms", "peak MiB", "time to curl's", "peak to curl's"]);
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

    fn work_table(&self) -> Table {
        let mut table = Table::new(&["what", "level", "µs"]);
        for row in &self.measured.memory.works {
            let what = match row.work {
                Work::Call => "secret work of a call: take the pair out, put it into the head, wipe",
                Work::Header => "`justcall_client_authorization`",
            };
            table.row([what.to_owned(), row.level.name().to_owned(), ratio(row.time)]);
        }
        table
    }

    fn call_table(&self) -> Table {
        let mut table = Table::new(&["level", "median µs", "CPU µs", "to", "time", "CPU"]);
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

    fn scan_table(&self) -> Table {
        let mut table = Table::new(&["what", "MB/s", "MB a second of processor time"]);
        for row in &self.measured.scan {
            table.row([row.name.clone(), whole(row.speed), whole(row.cpu)]);
        }
        table
    }

    fn cancel_table(&self) -> Table {
        let mut table = Table::new(&["waiting in", "median ms", "latest ms"]);
        for row in &self.measured.cancel {
            table.row([
                row.phase.to_owned(),
                format!("{:.0}", row.took.median),
                format!("{:.0}", row.took.high),
            ]);
        }
        table
    }

    fn webhooks_table(&self) -> Table {
        let mut table = Table::new(&["what", "ns", "to the row before"]);
        for row in &self.measured.webhooks.rows {
            table.row([row.name.to_owned(), whole(row.time), row.to.map_or("–".to_owned(), ratio)]);
        }
        table
    }

    fn machine_table(&self) -> Table {
        let mut table = Table::new(&["what", "which"]);
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

fn whole(speed: Ratio) -> String {
    format!("{:.0} ({:.0}–{:.0})", speed.median, speed.low, speed.high)
}

fn ratio(ratio: Ratio) -> String {
    let digits = if ratio.median < 10.0 { 3 } else { 1 };
    format!("{:.digits$} ({:.digits$}–{:.digits$})", ratio.median, ratio.low, ratio.high)
}

/// Rows of equal width.
struct Table(Vec<Vec<String>>);

impl Table {
    fn new(head: &[&str]) -> Self {
        Self(vec![head.iter().map(|cell| (*cell).to_owned()).collect()])
    }

    fn row<const WIDTH: usize>(&mut self, cells: [String; WIDTH]) {
        self.0.push(cells.into());
    }

    fn markdown(&self) -> String {
        let mut text = String::new();
        for (index, row) in self.0.iter().enumerate() {
            writeln!(text, "| {} |", row.join(" | ")).expect("a string takes it");
            if index == 0 {
                writeln!(text, "|{}", "---|".repeat(row.len())).expect("a string takes it");
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
                write!(line, "{cell:<width$}  ").expect("a string takes it");
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}
