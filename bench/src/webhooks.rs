//! Measures the verification of a webhook: in Rust compared with ring's bare HMAC, in Python compared with code by hand.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::build::BenchPrograms;
use crate::server::pinned;
use crate::statistics::Ratio;
use xtask_demo::run::{cargo, output};

/// The test that measures if the environment has the number of rounds, in the release profile: what it measures is private.
const TEST: &str = "webhook::measure_tests::it_measures_an_accepted_verification";
/// One of them is a warm-up.
const ROUNDS: (&str, &str) = ("JUSTCALL_MEASURE_ROUNDS", "41");
const WORKER: &str = "bench/python/webhook.py";

/// The time of one way to verify.
pub struct WebhookRow {
    pub name: &'static str,
    /// In nanoseconds.
    pub time: Ratio,
    /// The ratio to the row before.
    pub to: Option<Ratio>,
}

/// The figures of this part.
#[derive(Default)]
pub struct Webhooks {
    pub rows: Vec<WebhookRow>,
    /// The ratio of a signature's check to ring's bare HMAC.
    pub check: Option<Ratio>,
    /// Verified deliveries per second.
    pub rate: Option<Ratio>,
    /// How many times faster the Python module is than code by hand.
    pub python: Option<Ratio>,
}

/// Measures in Rust, and in Python if the module was built.
pub fn measure(root: &Path, programs: &BenchPrograms) -> Result<Webhooks> {
    let mut test = pinned(test_program(root)?);
    let [bare, check, whole] = columns(test.env(ROUNDS.0, ROUNDS.1).args(["--exact", TEST, "--nocapture"]))?;
    let in_nanoseconds = |times: &[f64]| Ratio::of(times, &vec![1.0; times.len()]);
    let to_bare = Ratio::of(&check, &bare);
    let mut webhooks = Webhooks {
        rows: vec![
            WebhookRow { name: "ring's bare HMAC with key setup", time: in_nanoseconds(&bare), to: None },
            WebhookRow { name: "check of the signature", time: in_nanoseconds(&check), to: Some(to_bare) },
            WebhookRow { name: "whole delivery of 1 KiB", time: in_nanoseconds(&whole), to: None },
        ],
        check: Some(to_bare),
        rate: Some(Ratio::of(&vec![1e9; whole.len()], &whole)),
        python: None,
    };
    if programs.python_has_ours {
        let [ours, by_hand] = columns(pinned(&programs.python).arg(root.join(WORKER)))?;
        let to_ours = Ratio::of(&by_hand, &ours);
        webhooks.rows.push(WebhookRow { name: "the same in Python", time: in_nanoseconds(&ours), to: None });
        webhooks.rows.push(WebhookRow {
            name: "the same in Python by hand: hmac, json, quote",
            time: in_nanoseconds(&by_hand),
            to: Some(to_ours),
        });
        webhooks.python = Some(to_ours);
    }
    Ok(webhooks)
}

/// Builds the unit tests of the protocol crate in the release profile. Returns the path of their program.
fn test_program(root: &Path) -> Result<String> {
    let arguments = ["test", "--quiet", "--release", "-p", "justcall-auth-protocol", "--lib", "--no-run"];
    let printed = output(cargo(root, &arguments).arg("--message-format=json"))?;
    let messages = printed.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut programs = messages.filter_map(|message| message["executable"].as_str().map(str::to_owned));
    programs.next().context("cargo built no program")
}

/// Runs `command`. Returns the columns of figures from its lines that begin with `measured`, without the first one, which
/// is a warm-up.
fn columns<const WIDTH: usize>(command: &mut Command) -> Result<[Vec<f64>; WIDTH]> {
    let printed = output(command)?;
    let mut columns = [const { Vec::new() }; WIDTH];
    for line in printed.lines().filter_map(|line| line.strip_prefix("measured ")).skip(1) {
        let figures: Vec<f64> = line.split(' ').map(str::parse).collect::<Result<_, _>>()?;
        ensure!(figures.len() == WIDTH, "cannot read {line:?}");
        columns.iter_mut().zip(figures).for_each(|(column, figure)| column.push(figure));
    }
    ensure!(columns[0].len() >= 20, "fewer than 20 rounds: {printed}");
    Ok(columns)
}
