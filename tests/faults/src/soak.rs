//! Programs that call without a pause: `targets/soak.c` and `targets/soak.py`. Their memory, descriptors and threads must
//! stay flat.
//!
//! nginx is the service, because it keeps nothing about a request. It answers as the service does, or with 404, and closes
//! some connections without an answer.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use crate::piped::Piped;
use crate::programs::Programs;
use crate::vectors::caller::Language;
use crate::vectors::certificates::{self, Certificates};
use crate::vectors::server::{Server, ServerKind, Surroundings};

/// The part of the time in which a program reaches its usual size.
const WARM_UP: usize = 4;
/// How much the resident memory may grow after that: a share of it in per mille, and an amount in KiB.
const GROWTH: (u64, u64) = (30, 512);
/// How many descriptors and threads more than at first may be open, because calls end at random times.
const SPREAD: u64 = 8;
/// How long a program may take to end.
const END: Duration = Duration::from_secs(120);
const ACCOUNT: &str =
    r#"{"status":"success","data":{"account_id":12345,"email":"admin@yourcompany.com","plan":"Pro"}}"#;

/// A program and what it does.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// C or Python.
    pub language: Language,
    /// The number of threads that share one client.
    pub threads: usize,
    /// The number of clients that exist together before the threads start.
    pub clients: usize,
    /// The planted bug: `memory`, `descriptor`, `thread` or `none`.
    pub plant: &'static str,
}

/// The state of a program at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// Seconds since the program reported first.
    pub second: u64,
    /// How many calls have ended.
    pub calls: u64,
    /// How many of them ended in another row than expected.
    pub failed: u64,
    /// Resident memory in KiB.
    pub resident: u64,
    /// Locked memory in KiB.
    pub locked: u64,
    /// Open descriptors.
    pub descriptors: u64,
    /// Threads.
    pub threads: u64,
}

/// The samples of a program, one each second.
#[derive(Debug, Clone)]
pub struct Soak {
    /// The program.
    pub load: Load,
    /// Its states.
    pub samples: Vec<Sample>,
    /// Its state when the threads have ended: calls and failures.
    pub total: (u64, u64),
}

/// Runs the loads together for `seconds`.
///
/// # Errors
/// If a program cannot be started, or ends early.
pub fn soak(programs: &Programs, loads: &[Load], seconds: u64) -> Result<Vec<Soak>> {
    raise_limit();
    let certificates = Certificates::create()?;
    let around = Surroundings { certificates: certificates.folder(), certificate: "good", sandbox: 1 };
    let server = Server::start(ServerKind::Nginx, &service(), around)?;
    let source = TempDir::new()?;
    fs::write(source.path().join("pair"), "abc123def456:sec789xyz000\n")?;
    let url = format!("https://localhost:{}", server.port());
    let start = |load: &Load| {
        let mut command = programs.soak(load.language);
        command.arg(&url).arg(certificates::ca_file(certificates.folder()));
        command.arg(format!("file:{}/pair", source.path().display()));
        command.arg(load.threads.to_string()).arg(load.clients.to_string()).arg(load.plant);
        Running::start(command, *load)
    };
    let mut running = loads.iter().map(start).collect::<Result<Vec<_>>>()?;
    for program in &mut running {
        program.wait_for_line()?;
    }
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(seconds) {
        sleep(Duration::from_secs(1));
        for program in &mut running {
            program.sample(begun.elapsed().as_secs())?;
        }
    }
    running.into_iter().map(Running::finish).collect()
}

/// Allows a thousand connections, in this process and those that it starts.
fn raise_limit() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    // Cannot fail, because the limit is not above the maximum.
    let _raised = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
}

/// Returns the configuration of the service.
fn service() -> Map<String, Value> {
    let server = [
        format!("location = /v2/account {{ return 200 '{ACCOUNT}'; }}"),
        "location = /v2.1/lost { return 444; }".to_owned(),
        "location = /v2.1/missing { return 404 '{\"status\":\"error\",\"message\":\"No.\"}'; }".to_owned(),
        "location / { return 200 '{\"status\":\"success\",\"data\":[]}'; }".to_owned(),
    ];
    // A thousand threads connect at the same time.
    let listen = ["127.0.0.1:{port} ssl backlog=4096"];
    let sections = json!({"http": ["access_log off;"], "listen": listen, "server": server});
    sections.as_object().cloned().unwrap_or_default()
}

impl Soak {
    /// Returns the promises that the program broke.
    pub fn broken(&self) -> Vec<String> {
        let mut broken = Vec::new();
        let (calls, failed) = self.total;
        if failed > 0 || calls == 0 {
            broken.push(format!("{failed} of {calls} calls ended in another row"));
        }
        let warm = &self.samples[self.samples.len() / WARM_UP..];
        let (early, late) = warm.split_at(warm.len() / 2);
        if early.is_empty() {
            broken.push("there are too few samples".to_owned());
            return broken;
        }
        let most =
            |samples: &[Sample], value: fn(&Sample) -> u64| samples.iter().map(value).max().unwrap_or(0);
        for (name, value, allowed) in [
            ("resident memory", (|sample| sample.resident) as fn(&Sample) -> u64, None),
            ("locked memory", |sample| sample.locked, Some(0)),
            ("descriptors", |sample| sample.descriptors, Some(SPREAD)),
            ("threads", |sample| sample.threads, Some(SPREAD)),
        ] {
            let (before, after) = (most(early, value), most(late, value));
            let allowed = allowed.unwrap_or(before * GROWTH.0 / 1000 + GROWTH.1);
            if after > before + allowed {
                broken.push(format!("{name} grew from {before} to {after}"));
            }
        }
        broken
    }

    /// Returns a table with a row for each minute as Markdown.
    pub fn table(&self) -> String {
        let Load { language, threads, clients, .. } = self.load;
        let mut text = format!(
            "\n## {}, {threads} threads on one client, after {clients} clients\n\n\
             | second | calls | failed | resident KiB | locked KiB | descriptors | threads |\n\
             |---|---|---|---|---|---|---|\n",
            language.name()
        );
        let last = self.samples.len().saturating_sub(1);
        let is_shown = |number: &usize| *number == 0 || *number == last || (number + 1) % 60 == 0;
        for number in (0..self.samples.len()).filter(is_shown) {
            let Sample { second, calls, failed, resident, locked, descriptors, threads } =
                self.samples[number];
            let _infallible = writeln!(
                text,
                "| {second} | {calls} | {failed} | {resident} | {locked} | {descriptors} | {threads} |"
            );
        }
        text
    }
}

/// A program that runs.
struct Running {
    load: Load,
    program: Piped,
    counted: (u64, u64),
    samples: Vec<Sample>,
}

impl Running {
    fn start(command: Command, load: Load) -> Result<Self> {
        Ok(Self { load, program: Piped::start(command)?, counted: (0, 0), samples: Vec::new() })
    }

    fn wait_for_line(&mut self) -> Result<()> {
        let line = self.program.lines.recv_timeout(END).context("the program reports nothing")?;
        self.count(&line)
    }

    fn count(&mut self, line: &str) -> Result<()> {
        let words: Vec<&str> = line.split(' ').collect();
        let ["calls", calls, "failed", failed] = words[..] else { bail!("not a report: {line:?}") };
        self.counted = (calls.parse()?, failed.parse()?);
        Ok(())
    }

    fn sample(&mut self, second: u64) -> Result<()> {
        while let Ok(line) = self.program.lines.try_recv() {
            self.count(&line)?;
        }
        ensure!(self.program.child.try_wait()?.is_none(), "the program has ended");
        let folder = PathBuf::from(format!("/proc/{}", self.program.child.id()));
        let status = fs::read_to_string(folder.join("status"))?;
        let number = |name: &str| -> Result<u64> {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).context("a status")?;
            Ok(line.split_whitespace().next().context("a number")?.parse()?)
        };
        let (calls, failed) = self.counted;
        self.samples.push(Sample {
            second,
            calls,
            failed,
            resident: number("VmRSS:")?,
            locked: number("VmLck:")?,
            descriptors: fs::read_dir(folder.join("fd"))?.count() as u64,
            threads: number("Threads:")?,
        });
        Ok(())
    }

    fn finish(mut self) -> Result<Soak> {
        self.program.close();
        let begun = Instant::now();
        while let Ok(line) = self.program.lines.recv_timeout(END.saturating_sub(begun.elapsed())) {
            self.count(&line)?;
        }
        ensure!(begun.elapsed() < END, "the program did not end");
        self.program.succeed()?;
        Ok(Soak { load: self.load, samples: self.samples, total: self.counted })
    }
}

/// Plants each bug and checks that it is noticed within `seconds`. Returns their names.
///
/// # Errors
/// If one is not noticed.
pub fn check_planted(programs: &Programs, seconds: u64) -> Result<Vec<&'static str>> {
    const PLANTS: [(&str, &str); 3] =
        [("memory", "resident memory grew"), ("descriptor", "descriptors grew"), ("thread", "threads grew")];
    let loads = PLANTS.map(|(plant, _)| Load { language: Language::C, threads: 2, clients: 0, plant });
    let soaks = soak(programs, &loads, seconds)?;
    for ((plant, noticed), soak) in PLANTS.into_iter().zip(soaks) {
        let broken = soak.broken();
        let is_noticed = broken.iter().any(|promise| promise.contains(noticed));
        ensure!(is_noticed, "the planted loss of a {plant} is not noticed: {broken:?} {}", soak.table());
    }
    Ok(PLANTS.map(|(plant, _)| plant).to_vec())
}
