//! Measures how fast `justcall-auth scan` searches text.
//!
//! The text is that of this repository: sources, headers, documents. One variant omits the lines that name JustCall,
//! like most text of a user. The other one has them, and is denser than any text of a user.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, ensure};

use crate::build::BenchPrograms;
use crate::launcher::{Cost, launch};
use crate::server::{KEY, SecretKind};
use crate::statistics::{Ratio, rounds_of};
use xtask_demo::run::{command, output, target_dir};

/// The length of each text, in bytes.
const TEXT: usize = 256 * 1024 * 1024;
/// The length of each file in the folder of many files, in bytes.
const FILE: usize = 8 * 1024;
/// The parts of the repository that make up the text.
const SOURCES: &[&str] = &["crates", "bindings", "include", "tests/c", "tests/cpp", "README.md", "docs"];

/// The speed of one search.
pub struct ScanRow {
    pub name: String,
    /// Megabytes (10^6 bytes) per second of wall-clock time.
    pub speed: Ratio,
    /// Megabytes per second of processor time.
    pub cpu: Ratio,
    /// Whether the goal applies to this row.
    pub has_goal: bool,
}

#[expect(clippy::cast_precision_loss, reason = "a length")]
pub fn measure(root: &Path, programs: &BenchPrograms, rounds: u32) -> Result<Vec<ScanRow>> {
    let texts = Texts::write(root)?;
    let ours = |path: &Path| {
        let mut words =
            vec![programs.cli.display().to_string(), "scan".into(), "--source".into(), texts.source.clone()];
        words.extend(["--baseline".into(), texts.baseline.display().to_string(), path.display().to_string()]);
        words
    };
    let count = vec!["wc".into(), "-l".into(), texts.plain.display().to_string()];
    let candidates = [
        ("text that does not name JustCall".to_owned(), ours(&texts.plain), true),
        (format!("text that names it on one line of {}", texts.every), ours(&texts.dense), true),
        (format!("the former in files of {} KiB", FILE / 1024), ours(&texts.folder), false),
        ("`wc -l` of the former, for comparison".to_owned(), count, false),
    ];
    write_baseline(programs, &texts)?;
    let costs = rounds_of(rounds, candidates.len(), |index| launch(programs, &candidates[index].1))?;
    let mut rows = Vec::new();
    for ((name, _, has_goal), costs) in candidates.into_iter().zip(costs) {
        let speed = |nanoseconds: fn(&Cost) -> f64| {
            Ratio::of_one(&costs.iter().map(|cost| TEXT as f64 / nanoseconds(cost) * 1e3).collect::<Vec<_>>())
        };
        rows.push(ScanRow {
            name,
            speed: speed(|cost| cost.wall_ns),
            cpu: speed(|cost| cost.cpu_ns),
            has_goal,
        });
    }
    Ok(rows)
}

/// The files that are searched.
struct Texts {
    plain: PathBuf,
    dense: PathBuf,
    folder: PathBuf,
    /// The text includes tests with pairs. This baseline lists them, so that a run exits with status 0.
    baseline: PathBuf,
    /// A source whose pair is not in the text. `scan` searches for it, too.
    source: String,
    /// One line of this many names JustCall.
    every: usize,
}

impl Texts {
    fn write(root: &Path) -> Result<Self> {
        let own = own_text(root)?;
        let is_named = |line: &&str| line.to_ascii_lowercase().replace(['_', '-'], "").contains("justcall");
        let plain: String = own.split_inclusive('\n').filter(|line| !is_named(line)).collect();
        let named = own.split_inclusive('\n').filter(is_named).count();
        ensure!(named > 100, "only {named} lines of this repository name JustCall");
        let home = target_dir(root).join("bench/scan");
        let folder = home.join("files");
        let backwards = |half: &str| half.chars().rev().collect::<String>();
        fs::create_dir_all(&folder)?;
        let pair = home.join("pair");
        fs::write(&pair, format!("{}:{}\n", backwards(KEY), backwards(SecretKind::Hexadecimal.secret())))?;
        let texts = Self {
            plain: home.join("plain.txt"),
            dense: home.join("dense.txt"),
            baseline: home.join("baseline"),
            source: format!("file:{}", pair.display()),
            every: own.lines().count() / named,
            folder,
        };
        let plain = repeated(plain.as_bytes());
        fs::write(&texts.plain, &plain)?;
        fs::write(&texts.dense, repeated(own.as_bytes()))?;
        for (index, part) in plain.chunks(FILE).enumerate() {
            fs::write(texts.folder.join(format!("{index:05}.txt")), part)?;
        }
        Ok(texts)
    }
}

/// Returns the text of all sources of the repository, sorted by file name.
fn own_text(root: &Path) -> Result<String> {
    let names = output(command(root, "git", &["ls-files", "-z", "--"]).args(SOURCES))?;
    let mut text = String::new();
    for name in names.split('\0').filter(|name| !name.is_empty()) {
        if let Ok(part) = fs::read_to_string(root.join(name)) {
            text.push_str(&part);
        }
    }
    Ok(text)
}

fn repeated(text: &[u8]) -> Vec<u8> {
    text.iter().copied().cycle().take(TEXT).collect()
}

fn write_baseline(programs: &BenchPrograms, texts: &Texts) -> Result<()> {
    let mut scan = Command::new(&programs.cli);
    scan.args(["scan", "--source", &texts.source, "--write-baseline"]).arg(&texts.baseline).arg(&texts.dense);
    output(&mut scan)?;
    Ok(())
}
