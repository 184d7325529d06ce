//! Measures sequential requests on one connection.

use std::process::Command;

use anyhow::{Context as _, Result};

use crate::build::BenchPrograms;
use crate::server::{Dialect, SecretKind, Server, pinned};
use crate::statistics::{Ratio, Shuffle, median};
use crate::worker::{PeerProcess, RequestCost};

/// A kind of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Job {
    /// The worker's command.
    pub name: &'static str,
    /// The heading in the report.
    pub title: &'static str,
}

pub const VERIFY: Job = Job { name: "verify", title: "verify" };
pub const POST: Job = Job { name: "post", title: "`POST /v2/texts`, 1 KiB" };

/// The kind of secret and of service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    pub secret: SecretKind,
    pub dialect: Dialect,
}

impl Setting {
    /// The setting in which every peer is measured.
    pub const USUAL: Self = Self { secret: SecretKind::Hexadecimal, dialect: Dialect::AccountPage };
    /// Those in which the C peers are measured. The peers in Python differ by the same work.
    pub const OTHERS: [Self; 3] = [
        Self { secret: SecretKind::UrlSafeBase64, dialect: Dialect::AccountPage },
        Self { secret: SecretKind::Hexadecimal, dialect: Dialect::NoAccountPage },
        Self { secret: SecretKind::UrlSafeBase64, dialect: Dialect::NoAccountPage },
    ];

    pub fn title(self) -> String {
        format!("{} secret, {}", self.secret.name(), self.dialect.name())
    }
}

/// A client that is measured.
pub struct Peer {
    pub name: &'static str,
    /// The name of the peer that its ratios are taken to.
    pub baseline: &'static str,
    python: bool,
    argument: &'static str,
}

pub const RAW: &str = "raw OpenSSL socket, C";
pub const OURS_C: &str = "justcall-auth, C";
pub const OURS_PYTHON: &str = "justcall-auth, Python";
pub const LIBCURL: &str = "libcurl, C";
pub const PYCURL: &str = "pycurl";
pub const HTTPX: &str = "httpx";
pub const REQUESTS: &str = "requests";

/// The peers, the fastest first: the ladder of the report.
const PEERS: &[Peer] = &[
    Peer { name: RAW, baseline: LIBCURL, python: false, argument: "raw" },
    Peer { name: OURS_C, baseline: LIBCURL, python: false, argument: "ours" },
    Peer { name: LIBCURL, baseline: LIBCURL, python: false, argument: "libcurl" },
    Peer { name: OURS_PYTHON, baseline: PYCURL, python: true, argument: "ours" },
    Peer { name: PYCURL, baseline: PYCURL, python: true, argument: "pycurl" },
    Peer { name: HTTPX, baseline: PYCURL, python: true, argument: "httpx" },
    Peer { name: REQUESTS, baseline: PYCURL, python: true, argument: "requests" },
];

impl Peer {
    /// Returns the command that starts this peer.
    pub fn command(&self, programs: &BenchPrograms, server: &Server, setting: Setting) -> Command {
        let mut command;
        if self.python {
            command = pinned(&programs.python);
            command.arg(&programs.python_worker).arg(self.argument);
        } else {
            command = pinned(programs.workers.join(self.argument));
        }
        command.arg(server.url_of(setting.dialect)).arg(server.ca_file());
        command.env("JUSTCALL_API_SECRET", setting.secret.secret());
        if setting.dialect == Dialect::NoAccountPage {
            command.env("JUSTCALL_BENCH_PATH", setting.dialect.path());
        }
        command
    }
}

/// Returns the peers that can run: all, or all but the Python module if it could not be built.
pub fn peers(programs: &BenchPrograms) -> impl Iterator<Item = &'static Peer> {
    let has_ours = programs.python_has_ours;
    PEERS.iter().filter(move |peer| has_ours || peer.name != OURS_PYTHON)
}

/// The result of one peer's requests of one kind.
pub struct RequestRow {
    pub job: Job,
    pub setting: Setting,
    pub peer: &'static str,
    pub baseline: &'static str,
    pub version: String,
    /// Medians over the rounds, or `None` if the peer does not support such requests.
    pub figures: Option<Figures>,
}

/// The figures of a row.
pub struct Figures {
    /// The times of the rounds, in nanoseconds.
    pub walls: Vec<f64>,
    pub wall_ns: f64,
    pub cpu_ns: f64,
    /// The ratio to the baseline, within a round.
    pub wall: Ratio,
    pub cpu: Ratio,
}

pub fn measure(
    programs: &BenchPrograms,
    server: &Server,
    jobs: &[Job],
    rounds: u32,
    requests: u32,
) -> Result<Vec<RequestRow>> {
    let mut rows = measure_in(programs, server, Setting::USUAL, jobs, rounds, requests)?;
    for setting in Setting::OTHERS {
        let jobs: Vec<Job> = jobs.iter().copied().filter(|job| *job == VERIFY).collect();
        rows.extend(measure_in(programs, server, setting, &jobs, rounds, requests)?);
    }
    Ok(rows)
}

fn measure_in(
    programs: &BenchPrograms,
    server: &Server,
    setting: Setting,
    jobs: &[Job],
    rounds: u32,
    requests: u32,
) -> Result<Vec<RequestRow>> {
    let mut workers = peers(programs)
        .filter(|peer| setting == Setting::USUAL || !peer.python)
        .map(|peer| Ok((peer, PeerProcess::start(peer.name, peer.command(programs, server, setting))?)))
        .collect::<Result<Vec<_>>>()?;
    let mut shuffle = Shuffle::default();
    let mut rows = Vec::new();
    for job in jobs {
        let costs = rounds_of(*job, &mut workers, rounds, requests, &mut shuffle)?;
        for (index, (peer, worker)) in workers.iter().enumerate() {
            let base =
                workers.iter().position(|(other, _)| other.name == peer.baseline).context("no baseline")?;
            rows.push(RequestRow {
                job: *job,
                setting,
                peer: peer.name,
                baseline: peer.baseline,
                version: worker.version.clone(),
                figures: figures(&costs[index], &costs[base]),
            });
        }
    }
    Ok(rows)
}

/// Runs the rounds of one job. Returns the costs of every round, by peer.
fn rounds_of(
    job: Job,
    workers: &mut [(&Peer, PeerProcess)],
    rounds: u32,
    requests: u32,
    shuffle: &mut Shuffle,
) -> Result<Vec<Vec<RequestCost>>> {
    let mut costs = vec![Vec::new(); workers.len()];
    let mut order: Vec<usize> = (0..workers.len()).collect();
    for round in 0..=rounds {
        shuffle.shuffle(&mut order);
        for index in &order {
            let cost = workers[*index].1.perform(job.name, requests)?;
            // The first round is a warm-up.
            if round > 0 {
                costs[*index].extend(cost);
            }
        }
    }
    Ok(costs)
}

fn figures(own: &[RequestCost], base: &[RequestCost]) -> Option<Figures> {
    let of =
        |costs: &[RequestCost], pick: fn(&RequestCost) -> f64| costs.iter().map(pick).collect::<Vec<_>>();
    if own.is_empty() || own.len() != base.len() {
        return None;
    }
    let wall = (of(own, |cost| cost.wall_ns), of(base, |cost| cost.wall_ns));
    let cpu = (of(own, |cost| cost.cpu_ns), of(base, |cost| cost.cpu_ns));
    Some(Figures {
        wall_ns: median(&wall.0),
        cpu_ns: median(&cpu.0),
        wall: Ratio::of(&wall.0, &wall.1),
        cpu: Ratio::of(&cpu.0, &cpu.1),
        walls: wall.0,
    })
}
