//! `cargo xtask release --dry-run`: the checks before a release. The release itself is a tag and an upload, which
//! CONTRIBUTING.md describes.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use xtask_demo::run::{cargo, command, output, package};

use crate::sbom::{self, Origin};
use crate::target::TARGETS;
use crate::workspace::{VERSION, graph, require_clean};
use crate::{abi, notices, rust_api, standard_library, symbols};

/// A check, and what to do if it fails.
pub struct Check {
    /// What holds if it succeeds.
    pub promise: &'static str,
    /// Fails with the first thing that is not so.
    pub run: fn(&Path) -> Result<()>,
    /// The remedy.
    pub remedy: &'static str,
}

/// The checks, quick ones first.
pub const CHECKS: &[Check] = &[
    Check { promise: "every change is committed", run: require_clean, remedy: "Commit or remove the file." },
    Check {
        promise: "the version is the same everywhere",
        run: versions,
        remedy: "Set the version in Cargo.toml, in both places, and run: cargo xtask header",
    },
    Check {
        promise: "the changelog has an entry for the version",
        run: changelog,
        remedy: "Rename [Unreleased] in CHANGELOG.md to the version and the date, and begin another [Unreleased].",
    },
    Check {
        promise: "no page says that the version is not released",
        run: status,
        remedy: "Remove the sentence.",
    },
    Check { promise: "the version has no tag yet", run: tag, remedy: "Increase the version." },
    Check {
        promise: "every exported function has a symbol version",
        run: |root| symbols::nodes(root).map(|_| ()),
        remedy: "Follow packaging/abi/README.md.",
    },
    Check {
        promise: "the ABI is that of the baseline",
        run: baseline,
        remedy: "Follow packaging/abi/README.md.",
    },
    Check {
        promise: "the Rust API is that of the baseline",
        run: rust_baseline,
        remedy: "Read the difference, choose the version by it, and run: cargo xtask package --write-abi",
    },
    Check {
        promise: "every crate in the binaries has a licence text",
        run: licences,
        remedy: "Add the crate to SAME_REPOSITORY in crates/xtask-package/src/notices.rs, or replace it.",
    },
    Check {
        promise: "the header is up to date",
        run: |_| output(&mut package("xtask-generate", &["header", "--check"])).map(|_| ()),
        remedy: "Run: cargo xtask header",
    },
    Check {
        promise: "the documentation is up to date",
        run: |_| output(&mut package("xtask-generate", &["docs", "--check"])).map(|_| ()),
        remedy: "Run: cargo xtask docs",
    },
    Check {
        promise: "the documentation of the Rust crates builds without warnings",
        run: rust_documentation,
        remedy: "Correct what rustdoc reports.",
    },
    Check {
        promise: "dist/ was built from this commit and is complete",
        run: packages,
        remedy: "Run: cargo xtask package",
    },
];

/// Runs every check and prints its result. Fails if one of them fails.
pub fn dry_run(root: &Path) -> Result<()> {
    let mut failed = 0;
    for Check { promise, run, remedy } in CHECKS {
        match run(root) {
            Ok(()) => println!("ok      {promise}"),
            Err(error) => {
                failed += 1;
                println!("failed  {promise}\n        {error:#}\n        → {remedy}");
            }
        }
    }
    ensure!(failed == 0, "{failed} of {} checks failed.", CHECKS.len());
    println!("\n✓ {VERSION} can be released: CONTRIBUTING.md has the next steps");
    Ok(())
}

/// Fails if a file states another version than the workspace.
pub fn versions(root: &Path) -> Result<()> {
    let cargo = read(root, "Cargo.toml")?;
    let quoted = |line: &str| Some(line.split_once('"')?.1.split_once('"')?.0.to_owned());
    let stated = cargo.lines().find(|line| line.starts_with("version = ")).and_then(quoted);
    let version = stated.context("Cargo.toml states no version.")?;
    for line in cargo.lines().filter(|line| line.contains("path = ") && line.contains("version = ")) {
        let required = line.split_once("version = ").and_then(|(_, rest)| quoted(rest)).unwrap_or_default();
        let name = line.split(' ').next().unwrap_or_default();
        ensure!(required == version, "Cargo.toml has version {version}, and requires {required} of {name}.");
    }
    let lock = read(root, "Cargo.lock")?;
    let locked = lock.split("[[package]]").find(|entry| entry.contains("\nname = \"justcall-auth\"\n"));
    let locked = locked.and_then(|entry| quoted(entry.split_once("version = ")?.1)).unwrap_or_default();
    ensure!(locked == version, "Cargo.toml has version {version}, and Cargo.lock has {locked}.");
    let header = read(root, "include/justcall_auth.h")?;
    let defined = header.lines().find(|line| line.starts_with("#define JUSTCALL_VERSION_STRING "));
    let defined = defined.and_then(quoted).unwrap_or_default();
    ensure!(defined == version, "Cargo.toml has version {version}, and the header has {defined}.");
    // maturin takes the version from Cargo.toml if pyproject.toml has none.
    let python = read(root, "bindings/python/pyproject.toml")?;
    ensure!(
        python.contains("dynamic = [\"version\"]")
            && !python.lines().any(|line| line.starts_with("version = ")),
        "bindings/python/pyproject.toml states a version; Cargo.toml has {version}."
    );
    ensure!(
        version == VERSION,
        "Cargo.toml has version {version}, and this program was compiled with {VERSION}."
    );
    Ok(())
}

/// Fails if CHANGELOG.md has no entry with a date for the version.
pub fn changelog(root: &Path) -> Result<()> {
    let text = read(root, "CHANGELOG.md")?;
    let heading = format!("## [{VERSION}] - ");
    let date = text.lines().find_map(|line| line.strip_prefix(&heading));
    let date = date.with_context(|| format!("CHANGELOG.md has no line `{heading}DATE`."))?;
    let is_date = date.len() == 10 && date.chars().all(|letter| letter.is_ascii_digit() || letter == '-');
    ensure!(is_date, "The date of the entry is `{date}`.");
    Ok(())
}

/// Fails if a page says that nothing was released.
pub fn status(root: &Path) -> Result<()> {
    for file in ["README.md", "CHANGELOG.md", "packaging/abi/README.md", "docs/guide/python.md"] {
        let text = read(root, file)?;
        let found = ["is not released", "is released", "no published packages"]
            .iter()
            .find(|words| text.contains(**words));
        ensure!(found.is_none(), "{file} says \"{}\".", found.unwrap_or(&""));
    }
    Ok(())
}

fn tag(root: &Path) -> Result<()> {
    let tags = output(&mut command(root, "git", &["tag", "--list", &format!("v{VERSION}")]))?;
    ensure!(tags.trim().is_empty(), "The tag v{VERSION} exists.");
    Ok(())
}

fn baseline(root: &Path) -> Result<()> {
    let changes = abi::changes(root, &root.join("include"))?;
    let first = changes.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    ensure!(changes.is_empty(), "abidiff reports: {first}");
    Ok(())
}

fn rust_baseline(root: &Path) -> Result<()> {
    let (current, baseline) = (rust_api::current(root)?, rust_api::baseline(root)?);
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<BTreeSet<_>>();
    let (current, baseline) = (lines(&current), lines(&baseline));
    let first = current.symmetric_difference(&baseline).next();
    ensure!(first.is_none(), "An item was added or removed: {}", first.map_or("", String::as_str));
    Ok(())
}

fn licences(root: &Path) -> Result<()> {
    for file in ["LICENSE-MIT", "LICENSE-APACHE"] {
        read(root, file)?;
    }
    let graph = graph(root, TARGETS[0].triple)?;
    let added = standard_library::notices(root, &TARGETS[0])?;
    for shipped in [&notices::SHIPPED[..], &notices::WHEEL[..]] {
        notices::text(&notices::dependencies(&graph, shipped)?, &added)?;
    }
    Ok(())
}

fn rust_documentation(root: &Path) -> Result<()> {
    let mut doc =
        cargo(root, &["doc", "--quiet", "--no-deps", "-p", "justcall-auth", "-p", "justcall-auth-ffi"]);
    output(doc.env("RUSTDOCFLAGS", "-D warnings")).map(|_| ())
}

fn packages(root: &Path) -> Result<()> {
    let dist = root.join("dist");
    let bill = fs::read_to_string(dist.join(sbom::FILE)).context("There is no dist/.")?;
    let (built, here) = (Origin::stated(&bill)?.commit, crate::workspace::commit(root)?);
    ensure!(built == here, "dist/ was built from commit {built}, and this is {here}.");
    output(&mut command(&dist, "sha256sum", &["--check", "--strict", "--quiet", "SHA256SUMS"])).map(|_| ())
}

fn read(root: &Path, file: &str) -> Result<String> {
    fs::read_to_string(root.join(file)).with_context(|| format!("cannot read {file}"))
}
