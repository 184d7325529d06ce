//! How fast `justcall-auth scan` looks through text.
//!
//! The text is this repository's own: source, headers, documents. Once without the lines that name JustCall, which is what
//! most of anybody's text is like, and once with them, which is as dense as it gets.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, ensure};

use crate::build::Programs;
use crate::launcher::{Cost, launch};
use crate::server::{KEY, SECRET};
use crate::statistics::{Ratio, rounds_of};
use xtask_demo::run::{command, output, target_dir};

/// The length of each text, in bytes.
const TEXT: usize = 256 * 1024 * 1024;
/// The length of a file where there are many, in bytes.
const FILE: usize = 8 * 1024;
/// What of the repository is its text.
const SOURCES: &[&str] = &["crates", "bindings", "include", "tests/c", "tests/cpp", "README.md", "docs"];

/// What was looked at, and by what.
pub struct Row {
    pub name: String,
    /// Megabytes (10^6) a second, as the clock says.
    pub speed: Ratio,
    /// The same for the processor's time.
    pub cpu: Ratio,
    /// Whether the goal is set for it.
    pub has_goal: bool,
}

/// Runs the rounds.
#[expect(clippy::cast_precision_loss, reason = "a length")]
pub fn measure(root: &Path, programs: &Programs, rounds: u32) -> Result<Vec<Row>> {
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
        ("`wc -l` of it, to compare".to_owned(), count, false),
    ];
    write_baseline(programs, &texts)?;
    let costs = rounds_of(rounds, candidates.len(), |index| launch(programs, &candidates[index].1))?;
    let mut rows = Vec::new();
    for ((name, _, has_goal), costs) in candidates.into_iter().zip(costs) {
        let speed = |nanoseconds: fn(&Cost) -> f64| {
            Ratio::of_one(&costs.iter().map(|cost| TEXT as f64 / nanoseconds(cost) * 1e3).collect::<Vec<_>>())
        };
        rows.push(Row { name, speed: speed(|cost| cost.wall_ns), cpu: speed(|cost| cost.cpu_ns), has_goal });
    }
    Ok(rows)
}

/// What is looked at.
struct Texts {
    plain: PathBuf,
    dense: PathBuf,
    folder: PathBuf,
    /// The tests among the text have pairs in them: what is found is passed over, so that a run ends well.
    baseline: PathBuf,
    /// A pair that is in none of it: the text is searched for that as well.
    source: String,
    every: usize,
}

impl Texts {
    fn write(root: &Path) -> Result<Self> {
        let own = own_text(root)?;
        let is_named = |line: &&str| line.to_ascii_lowercase().replace(['_', '-'], "").contains("justcall");
        let plain: String = own.split_inclusive('\n').filter(|line| !is_named(line)).collect();
        let named = own.split_inclusive('\n').filter(is_named).count();
        ensure!(named > 100, "the text of this repository names JustCall");
        let home = target_dir(root).join("bench/scan");
        let folder = home.join("files");
        let backwards = |half: &str| half.chars().rev().collect::<String>();
        fs::create_dir_all(&folder)?;
        let pair = home.join("pair");
        fs::write(&pair, format!("{}:{}\n", backwards(KEY), backwards(SECRET)))?;
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

/// All of the repository's text, in the order of its names.
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

fn write_baseline(programs: &Programs, texts: &Texts) -> Result<()> {
    let mut scan = Command::new(&programs.cli);
    scan.args(["scan", "--source", &texts.source, "--write-baseline"]).arg(&texts.baseline).arg(&texts.dense);
    output(&mut scan)?;
    Ok(())
}
