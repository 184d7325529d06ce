//! `cargo xtask test --full`: the tests that take longer, and their reports in docs/evidence.
//!
//! Each part runs alone, and a part that has passed is not run again for the same commit, so that a run of hours can be
//! interrupted. A part that fails does not stop the others.

mod faults;
mod killed;
mod memory;
mod printed;
pub mod report;
mod rotation;
mod sanitizers;
mod simulation;
mod stage;
mod thread_sanitizer;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use xtask_demo::packages;
use xtask_demo::run::{self, cargo, package, step, succeed};

pub use self::report::Report;
pub use self::stage::Stage;
use crate::fuzz::{self, FuzzOptions};
use crate::mutants::{self, MutantsOptions};
use crate::{python, second};

/// A part of the tests.
struct Part {
    name: &'static str,
    about: &'static str,
    /// The report that the part writes, without its folder and extension, if it must say how to repeat the part.
    report: Option<&'static str>,
    run: fn(&Stage<'_>) -> Result<()>,
}

const PARTS: &[Part] = &[
    Part {
        name: "packages",
        about: "the packages, in Debian 12 and 13 without Rust",
        report: None,
        run: |stage| {
            succeed(&mut package("xtask-package", &["package", "--allow-dirty", "--report"]))?;
            test(stage, "xtask-package", "clean_root", &[])
        },
    },
    Part {
        name: "files",
        about: "the wheel, the sources, the bills of materials, and VERIFY.md",
        report: None,
        run: |stage| test(stage, "xtask-package", "dist_files", &[]),
    },
    Part {
        name: "builds",
        about: "an installation, a panic's address, Debian 13's Rust, and a build in another folder",
        report: None,
        run: |stage| test(stage, "xtask-package", "builds", &["--test-threads=1"]),
    },
    Part {
        name: "console",
        about: "the console of the sandbox, in Chromium",
        report: None,
        run: |stage| test(stage, "justcall-auth-sandbox", "console", &[]),
    },
    Part {
        name: "languages",
        about: "the examples in six languages",
        report: None,
        run: |stage| test(stage, "justcall-auth-ffi", "languages", &[]),
    },
    Part {
        name: "tenants",
        about: "Python tests that take longer: ten thousand tenants in a process",
        report: Some("tenants"),
        run: |stage| {
            let printed = run::output_shown(&mut stage.pytest("tests/full")?)?;
            python::refuse_skips(stage.root, &printed)
        },
    },
    Part {
        name: "webhooks",
        about: "100,000 random webhooks, against Python's own hmac",
        report: None,
        run: |stage| {
            let mut pytest = stage.pytest("tests/test_webhook_differential.py")?;
            succeed(pytest.env("JUSTCALL_WEBHOOK_CASES", "100000"))
        },
    },
    Part {
        name: "second",
        about: "a million random cases, against a second implementation",
        report: Some("second"),
        run: second::full,
    },
    Part {
        name: "hosts",
        about: "the C programs with the release build, also under valgrind: stack frames and findings differ",
        report: None,
        run: |stage| {
            let libraries = stage.libraries()?;
            let arguments = ["test", "--quiet", "-p", "justcall-auth-ffi", "--test", "abi", "--"];
            let mut test = cargo(stage.root, &arguments);
            test.args(["host::", "c_programs::", "requests::"]).env("JUSTCALL_LIB_DIR", libraries);
            succeed(&mut test)
        },
    },
    Part {
        name: "sanitizers",
        about: "the C and C++ programs with the sanitizers of addresses, undefined behaviour and threads",
        report: Some("sanitizers"),
        run: sanitizers::run,
    },
    Part {
        name: "simulation",
        about: "over a hundred million requests in a simulated world",
        report: Some("simulation"),
        run: simulation::run,
    },
    Part {
        name: "fuzzing",
        about: "the fuzz targets under libFuzzer, ten minutes of processor time each",
        report: Some("fuzzing"),
        run: |stage| fuzz::run(stage.root, &FuzzOptions::full()),
    },
    Part {
        name: "killed",
        about: "`rotate` and `setup`, killed at every system call",
        report: Some("killed"),
        run: killed::run,
    },
    Part {
        name: "faults",
        about: "programs in which one system call or one allocation fails",
        report: Some("faults"),
        run: faults::run,
    },
    Part {
        name: "servers",
        about: "calls through real servers, networks and clocks that fail, in Rust, C and Python",
        report: Some("servers"),
        run: |stage| printed::SERVERS.run(stage),
    },
    Part {
        name: "soak",
        about: "ten minutes at full load, in C and Python: memory, descriptors and threads stay flat",
        report: Some("soak"),
        run: |stage| printed::SOAK.run(stage),
    },
    Part {
        name: "rotation",
        about: "processes that call through twenty resets",
        report: Some("rotation"),
        run: rotation::run,
    },
    Part {
        name: "mutants",
        about: "mutation tests, of which only those run that have no result yet",
        report: Some("mutants"),
        run: |stage| mutants::run(stage.root, &MutantsOptions::full()),
    },
    Part {
        name: "memory",
        about: "the memory of processes, searched from outside",
        report: Some("report"),
        run: memory::run,
    },
];

/// Returns the names of the parts, with what each tests.
pub fn parts() -> impl Iterator<Item = (&'static str, &'static str)> {
    PARTS.iter().map(|part| (part.name, part.about))
}

/// Runs the parts that have not passed yet for this commit, or those that `selected` names.
pub fn run(root: &Path, selected: &[String]) -> Result<()> {
    step("Debian packages", || packages::ensure(root, packages::FULL))?;
    let stage = Stage::new(root);
    let mut failed = Vec::new();
    for part in PARTS {
        let is_selected = selected.iter().any(|name| name == part.name);
        if !selected.is_empty() && !is_selected {
            continue;
        }
        if !is_selected && has_passed(root, part)? {
            println!(
                "\n✓ {}: passed before, for this commit (`--part {}` runs it again)",
                part.about, part.name
            );
            continue;
        }
        match step(part.about, || (part.run)(&stage).and_then(|()| check_report(root, part))) {
            Ok(()) => remember(root, part)?,
            Err(error) => {
                eprintln!("\n✗ {error:#}");
                failed.push(part.name);
            }
        }
    }
    if failed.is_empty() {
        return Ok(());
    }
    bail!("these parts failed: {}. `--part NAME` runs one again", failed.join(", "))
}

/// Runs the tests `name` of a package.
fn test(stage: &Stage<'_>, package: &str, name: &str, arguments: &[&str]) -> Result<()> {
    let mut test = cargo(stage.root, &["test", "--quiet", "-p", package, "--test", name, "--"]);
    succeed(test.args(arguments))
}

fn check_report(root: &Path, part: &Part) -> Result<()> {
    part.report.map_or(Ok(()), |name| report::check(root, name))
}

/// The file that contains the commit for which a part has passed.
fn passed(root: &Path, part: &Part) -> PathBuf {
    run::target_dir(root).join("full/passed").join(part.name)
}

/// Files with changes have no name, so a part always runs on them.
fn has_passed(root: &Path, part: &Part) -> Result<bool> {
    let commit = fs::read_to_string(passed(root, part)).unwrap_or_default();
    Ok(!report::has_changes(root)? && commit == report::tested_commit(root)?)
}

fn remember(root: &Path, part: &Part) -> Result<()> {
    if report::has_changes(root)? {
        return Ok(());
    }
    let file = passed(root, part);
    fs::create_dir_all(file.parent().expect("it is in a folder"))?;
    Ok(fs::write(file, report::tested_commit(root)?)?)
}
