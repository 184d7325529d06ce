//! Runs the programs, a slice of time after the other, and records how far each has come.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};

use crate::code;
use crate::full::report::tested_commit;

/// The longest slice, in seconds. A run that is stopped loses at most one.
const SLICE: u64 = 120;
/// The time for the planted bug, in seconds.
const PLANTED_SECONDS: u64 = 120;
/// The longest input, in bytes.
const MAX_LENGTH: &str = "4096";
/// The target that is searched for leaks.
const LEAKING: &str = "abi";
/// The code that all targets share, in git's patterns.
const CODE: &[&str] = &[
    "Cargo.lock",
    "Cargo.toml",
    "crates/justcall-auth",
    "crates/justcall-auth-ffi",
    "crates/justcall-auth-protocol",
    "crates/justcall-auth-scan",
    "crates/justcall-auth-secret",
    ":!crates/*/tests/*",
    "include",
    "tests/fuzz/Cargo.toml",
    "tests/fuzz/abi",
    ":(glob)tests/fuzz/src/*.rs",
    "tests/fuzz/src/targets/mod.rs",
    "fuzz/Cargo.toml",
    "fuzz/src",
];

/// What to run, and where.
pub struct Campaign<'a> {
    pub root: &'a Path,
    pub programs: &'a Path,
    /// The folder for the progress, the inputs and the failures of all targets.
    pub folder: &'a Path,
    pub seeds: &'a Path,
    /// The processor time for each target.
    pub seconds: u64,
    pub seed: u32,
}

/// How far a target has come.
#[derive(Clone, Default)]
pub struct Progress {
    pub executions: u64,
    /// Seconds of processor time.
    pub seconds: f64,
    /// Edges of the code, features (edges with counts and comparisons), and inputs that reached a new one.
    pub edges: u64,
    pub features: u64,
    pub inputs: u64,
    pub slices: u32,
    /// The commit of the last slice.
    pub commit: String,
    /// The input that failed.
    pub failure: Option<PathBuf>,
}

/// The result of one program.
struct Slice {
    progress: Progress,
    is_ok: bool,
}

impl Campaign<'_> {
    /// Runs targets until each has had its time or has failed.
    pub fn run_all(&self, names: &[&str], jobs: usize) -> Result<Vec<Progress>> {
        let next = AtomicUsize::new(0);
        let done: Mutex<Vec<Option<Result<Progress>>>> = Mutex::new(names.iter().map(|_| None).collect());
        std::thread::scope(|scope| {
            for _ in 0..jobs.clamp(1, names.len().max(1)) {
                scope.spawn(|| {
                    loop {
                        let at = next.fetch_add(1, Ordering::Relaxed);
                        let Some(name) = names.get(at) else { return };
                        let progress = self.run(name);
                        done.lock().expect("no thread panics with the lock")[at] = Some(progress);
                    }
                });
            }
        });
        let done = done.into_inner().expect("no thread panicked with the lock");
        done.into_iter().map(|one| one.context("the target was not run")?).collect()
    }

    /// Returns the folder of a target with the code that it runs now.
    pub fn home(&self, name: &str) -> Result<PathBuf> {
        // A target is a file, or a file and a folder.
        let own = [format!("fuzz/fuzz_targets/{name}.rs"), format!("tests/fuzz/src/targets/{name}*")];
        let patterns: Vec<&str> = CODE.iter().copied().chain(own.iter().map(String::as_str)).collect();
        Ok(self.folder.join(format!("{name}-{}", code::hash_of_files(self.root, &patterns)?)))
    }

    fn run(&self, name: &str) -> Result<Progress> {
        let home = self.home(name)?;
        fs::create_dir_all(home.join("inputs"))?;
        let record = home.join("progress.json");
        let mut progress =
            fs::read_to_string(&record).ok().map_or_else(|| Ok(Progress::default()), |text| read(&text))?;
        #[expect(clippy::cast_precision_loss, reason = "few seconds")]
        let wanted = self.seconds as f64;
        // A slice has a fraction of a second more or less than its time.
        while progress.failure.is_none() && progress.seconds + 0.5 < wanted {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive, and few")]
            let left = (wanted - progress.seconds).ceil() as u64;
            let slice = self.slice(name, &home, left.min(SLICE), self.seed + progress.slices)?;
            progress = Progress {
                executions: progress.executions + slice.progress.executions,
                seconds: progress.seconds + slice.progress.seconds,
                slices: progress.slices + 1,
                commit: tested_commit(self.root)?,
                failure: (!slice.is_ok).then(|| artifact(&home)).transpose()?,
                ..slice.progress
            };
            fs::write(&record, write(&progress))?;
        }
        println!(
            "  {name}: {} executions in {:.0} s, {} edges",
            progress.executions, progress.seconds, progress.edges
        );
        Ok(progress)
    }

    /// Returns how many executions it took to find the planted bug.
    pub fn find_planted(&self, name: &str) -> Result<u64> {
        let home = self.folder.join(name);
        drop(fs::remove_dir_all(&home));
        fs::create_dir_all(home.join("inputs"))?;
        let slice = self.slice(name, &home, PLANTED_SECONDS, self.seed)?;
        ensure!(!slice.is_ok, "libFuzzer did not find the planted bug in {PLANTED_SECONDS} s");
        artifact(&home)?;
        Ok(slice.progress.executions)
    }

    fn slice(&self, name: &str, home: &Path, seconds: u64, seed: u32) -> Result<Slice> {
        let temporary = home.join("temporary");
        fs::create_dir_all(&temporary)?;
        let program = self.programs.join(name);
        let mut fuzzer = Command::new("bash");
        // The shell prints the processor time of the program after its output.
        fuzzer.args(["-c", "TIMEFORMAT='processor %U %S'; time \"$0\" \"$@\""]).arg(&program);
        fuzzer.arg(home.join("inputs")).arg(self.seeds.join(name));
        let corpus = self.root.join("fuzz/corpus").join(name);
        fuzzer.args(corpus.exists().then_some(corpus));
        fuzzer.arg(format!("-max_total_time={seconds}")).arg(format!("-seed={seed}"));
        fuzzer.arg(format!("-dict={}", self.seeds.join(format!("{name}.dict")).display()));
        fuzzer.arg(format!("-artifact_prefix={}/failure-", home.display()));
        fuzzer.args(["-print_final_stats=1", "-timeout=60", "-rss_limit_mb=3000"]);
        fuzzer.arg(format!("-max_len={MAX_LENGTH}"));
        // Only C programs can leak a handle. The search for leaks after an input takes longer than most inputs.
        fuzzer.arg(format!("-detect_leaks={}", u8::from(name == LEAKING)));
        let output = fuzzer
            .current_dir(self.root)
            .env("TMPDIR", &temporary)
            .env_remove("RUST_BACKTRACE")
            .stdout(Stdio::null())
            .output()
            .with_context(|| format!("cannot start {}", program.display()))?;
        fs::remove_dir_all(&temporary)?;
        let text = String::from_utf8_lossy(&output.stderr);
        fs::write(home.join(format!("log-{seed}")), &*text)?;
        Ok(Slice { progress: parse(&text)?, is_ok: output.status.success() })
    }
}

/// Returns the input that failed.
fn artifact(home: &Path) -> Result<PathBuf> {
    let mut files = fs::read_dir(home)?.filter_map(|entry| Some(entry.ok()?.path()));
    let is_failure =
        |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("failure-"));
    match files.find(is_failure) {
        Some(path) => Ok(path),
        None => bail!("libFuzzer failed without an input: see the log in {}", home.display()),
    }
}

/// Reads the output of libFuzzer: the last line with `cov:`, the statistics, and the processor time.
fn parse(text: &str) -> Result<Progress> {
    let status = text.lines().rfind(|line| line.starts_with('#') && line.contains(" cov: "));
    let after = |name: &str| -> u64 {
        let rest = status.and_then(|line| line.split_once(name)).map_or("", |(_, rest)| rest.trim_start());
        let digits = rest.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
        digits.parse().unwrap_or_default()
    };
    let executions = text.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
    let executions = executions
        .and_then(|number| number.trim().parse().ok())
        .context("libFuzzer printed no statistics")?;
    let times = text.lines().rfind(|line| line.starts_with("processor ")).context("bash printed no time")?;
    let seconds = times.split(' ').filter_map(|word| word.parse::<f64>().ok()).sum();
    Ok(Progress {
        executions,
        seconds,
        edges: after("cov:"),
        features: after("ft:"),
        inputs: after("corp:"),
        ..Progress::default()
    })
}

fn write(progress: &Progress) -> String {
    let Progress { executions, seconds, edges, features, inputs, slices, commit, failure } = progress;
    json!({
        "executions": executions, "seconds": seconds, "edges": edges, "features": features, "inputs": inputs,
        "slices": slices, "commit": commit, "failure": failure,
    })
    .to_string()
}

fn read(text: &str) -> Result<Progress> {
    let json: Value = serde_json::from_str(text).context("the progress of an earlier run")?;
    let number = |name: &str| json[name].as_u64().context("the progress of an earlier run lacks a number");
    Ok(Progress {
        executions: number("executions")?,
        seconds: json["seconds"].as_f64().unwrap_or_default(),
        edges: number("edges")?,
        features: number("features")?,
        inputs: number("inputs")?,
        slices: number("slices")?.try_into()?,
        commit: json["commit"].as_str().unwrap_or("unknown").to_owned(),
        failure: json["failure"].as_str().map(PathBuf::from),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "\
INFO: Seed: 1
#2\tINITED cov: 190 ft: 191 corp: 1/1b exec/s: 0 rss: 40Mb
#4096\tREDUCE cov: 1203 ft: 4021 corp: 310/12Kb lim: 43 exec/s: 4096 rss: 61Mb L: 5/40 MS: 1 EraseBytes-
#262144\tDONE   cov: 1311 ft: 4400 corp: 402/17Kb lim: 60 exec/s: 8000 rss: 70Mb
Done 262144 runs in 31 second(s)
stat::number_of_executed_units: 262144
stat::average_exec_per_sec:     8456
processor 29.120 1.500
";

    #[test]
    fn it_reads_the_figures_of_libfuzzer_and_keeps_them() {
        let progress = Progress { commit: "0a1b2c3".to_owned(), ..parse(OUTPUT).expect("figures") };
        let kept = read(&write(&progress)).expect("what was written");
        assert_eq!(kept.commit, "0a1b2c3");
        for progress in [progress, kept] {
            assert_eq!((progress.executions, progress.edges, progress.features), (262_144, 1311, 4400));
            assert_eq!((progress.inputs, progress.slices, progress.failure), (402, 0, None));
            assert!((progress.seconds - 30.62).abs() < 0.001, "{}", progress.seconds);
        }
        assert!(parse("Segmentation fault\n").is_err());
    }

    #[test]
    fn it_knows_the_code_of_every_target() {
        let (root, folder) = (xtask_demo::run::root(), Path::new("target"));
        let campaign = Campaign { root: &root, programs: folder, folder, seeds: folder, seconds: 0, seed: 0 };
        let targets = fs::read_dir(root.join("fuzz/fuzz_targets")).expect("the targets");
        let names: Vec<String> = targets
            .map(|target| target.expect("a target").path())
            .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
            .collect();
        let homes: std::collections::HashSet<PathBuf> =
            names.iter().map(|name| campaign.home(name).expect(name)).collect();
        assert!(names.len() > 10 && homes.len() == names.len(), "{homes:?}");
        campaign.home("unknown").expect_err("there is no such target");
    }
}
