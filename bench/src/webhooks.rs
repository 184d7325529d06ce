//! What it takes to verify a webhook: in Rust beside ring's bare HMAC, in Python beside the usual lines by hand.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::build::Programs;
use crate::server::pinned;
use crate::statistics::Ratio;
use xtask_demo::run::{cargo, output};

/// The test that measures if the environment has the number of rounds, in the release profile: what it measures is private.
const TEST: &str = "webhook::measure_tests::it_measures_an_accepted_verification";
/// One of them is a warm-up.
const ROUNDS: (&str, &str) = ("JUSTCALL_MEASURE_ROUNDS", "41");
const WORKER: &str = "bench/python/webhook.py";

/// What was done.
pub struct Row {
    pub name: &'static str,
    /// How long it took, in nanoseconds.
    pub time: Ratio,
    /// So many times what it is compared with.
    pub to: Option<Ratio>,
}

/// All that was measured.
#[derive(Default)]
pub struct Webhooks {
    pub rows: Vec<Row>,
    /// The check of a signature to ring's bare HMAC.
    pub check: Option<Ratio>,
    /// Whole checks of a delivery a second.
    pub rate: Option<Ratio>,
    /// How many times faster it is in Python than by hand.
    pub python: Option<Ratio>,
}

/// Measures in Rust, and in Python where the module is there.
pub fn measure(root: &Path, programs: &Programs) -> Result<Webhooks> {
    let mut test = pinned(test_program(root)?);
    let [bare, check, whole] = columns(test.env(ROUNDS.0, ROUNDS.1).args(["--exact", TEST, "--nocapture"]))?;
    let in_nanoseconds = |times: &[f64]| Ratio::of(times, &vec![1.0; times.len()]);
    let to_bare = Ratio::of(&check, &bare);
    let mut webhooks = Webhooks {
        rows: vec![
            Row { name: "ring's bare HMAC, its key set up", time: in_nanoseconds(&bare), to: None },
            Row { name: "a signature, given both fields", time: in_nanoseconds(&check), to: Some(to_bare) },
            Row { name: "a delivery of 1 KiB, whole", time: in_nanoseconds(&whole), to: None },
        ],
        check: Some(to_bare),
        rate: Some(Ratio::of(&vec![1e9; whole.len()], &whole)),
        python: None,
    };
    if programs.python_has_ours {
        let [ours, by_hand] = columns(pinned(&programs.python).arg(root.join(WORKER)))?;
        let to_ours = Ratio::of(&by_hand, &ours);
        webhooks.rows.push(Row { name: "the same in Python", time: in_nanoseconds(&ours), to: None });
        webhooks.rows.push(Row {
            name: "the same in Python by hand: hmac, json, quote",
            time: in_nanoseconds(&by_hand),
            to: Some(to_ours),
        });
        webhooks.python = Some(to_ours);
    }
    Ok(webhooks)
}

/// Builds the unit tests of the protocol for release; the path of their program.
fn test_program(root: &Path) -> Result<String> {
    let arguments = ["test", "--quiet", "--release", "-p", "justcall-auth-protocol", "--lib", "--no-run"];
    let said = output(cargo(root, &arguments).arg("--message-format=json"))?;
    let messages = said.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut programs = messages.filter_map(|message| message["executable"].as_str().map(str::to_owned));
    programs.next().context("cargo built no program")
}

/// The figures of each line that begins with `measured`, one list a column; the first line is a warm-up.
fn columns<const WIDTH: usize>(command: &mut Command) -> Result<[Vec<f64>; WIDTH]> {
    let said = output(command)?;
    let mut columns = [const { Vec::new() }; WIDTH];
    for line in said.lines().filter_map(|line| line.strip_prefix("measured ")).skip(1) {
        let figures: Vec<f64> = line.split(' ').map(str::parse).collect::<Result<_, _>>()?;
        ensure!(figures.len() == WIDTH, "cannot read {line:?}");
        columns.iter_mut().zip(figures).for_each(|(column, figure)| column.push(figure));
    }
    ensure!(columns[0].len() >= 20, "too few rounds: {said}");
    Ok(columns)
}
