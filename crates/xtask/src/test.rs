//! `cargo xtask test`: the command that CI runs.

use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};

use xtask_demo::packages;
use xtask_demo::run::{self, cargo, package, step, succeed};

use crate::python::{self, Venv};
use crate::{deny, second, spelling};

/// What the builds of a run need on the disk, in GB.
const SPACE: u64 = 12;

/// Runs everything, up to the first failure.
pub fn run(root: &Path) -> Result<()> {
    step("space on the disk", || space(root))?;
    step("Debian packages", || {
        packages::ensure(root, packages::TESTS)?;
        packages::ensure(root, packages::PACKAGE)?;
        packages::ensure(root, packages::COUNTS)
    })?;
    step("formatting", || succeed(&mut cargo(root, &["fmt", "--all", "--check"])))?;
    step("the header, the symbols, the documentation and Python's exceptions are up to date", || {
        succeed(&mut package("xtask-generate", &["header", "--check"]))?;
        succeed(&mut package("xtask-generate", &["docs", "--check"]))
    })?;
    let venv = step("Python environment", || python::venv(root))?;
    step("licences, sources and bans of every crate", || deny::check(root))?;
    step("spelling", || spelling::check(root, &venv))?;
    step("clippy", || {
        succeed(&mut cargo(
            root,
            &["clippy", "--quiet", "--workspace", "--all-targets", "--", "-D", "warnings"],
        ))
    })?;
    step("documentation builds", || {
        let arguments = ["doc", "--quiet", "--workspace", "--no-deps"];
        succeed(cargo(root, &arguments).env("RUSTDOCFLAGS", "-D warnings"))
    })?;
    step("Python module", || python::install_module(root, &venv))?;
    step("Rust, C and C++ tests", || rust_tests(root, &venv))?;
    step("instructions and allocations of a verification", || {
        succeed(&mut package("justcall-auth-bench", &["--gate"]))
    })?;
    step("the example for Node.js", || node_example(root))?;
    step("the simulation: a million requests, or as many as take 30 seconds", || {
        succeed(&mut package("justcall-auth-simulation", &["--requests", "1000000", "--seconds", "30"]))
    })?;
    step("the fuzz targets, ten seconds each", || {
        succeed(&mut package("justcall-auth-fuzz-targets", &["--seconds", "10", "--seed", "1"]))
    })?;
    step("20,000 random cases, against a second implementation", || second::test(root, &venv))?;
    step("Python tests", || python_tests(root, &venv))?;
    step("the demo runs", || demo(root, &venv))?;
    println!("\n✓ everything passed");
    Ok(())
}

/// Fails if a first run would fill the disk. A later one finds most of its files there.
fn space(root: &Path) -> Result<()> {
    let target = run::target_dir(root);
    if target.join("debug").is_dir() {
        return Ok(());
    }
    let printed = run::output(&mut run::command(&target, "df", &["--output=avail", "--block-size=1G", "."]))?;
    let free = printed.lines().last().unwrap_or_default().trim();
    let free: u64 = free.parse().with_context(|| format!("df printed {free:?}"))?;
    ensure!(
        free >= SPACE,
        "{free} GB are free on the disk of {}, and a first run needs {SPACE} GB. Delete the builds of other clones, or set \
         CARGO_TARGET_DIR to a folder on another disk",
        target.display(),
    );
    Ok(())
}

/// Runs the Rust tests, which also compile and run the C and C++ programs.
fn rust_tests(root: &Path, venv: &Venv) -> Result<()> {
    // The tests start commands and load the shared library, which `cargo test` does not build.
    succeed(&mut cargo(root, &["build", "--quiet", "--workspace", "--exclude", "justcall-auth-python"]))?;
    let mut tests = cargo(root, &["test", "--workspace", "--quiet"]);
    // The C tests must use the library that was just built, and no other build.
    tests.env("JUSTCALL_LIB_DIR", run::target_dir(root).join("debug"));
    // The tests of memory and rotation run Python programs with the module.
    tests.env("JUSTCALL_PYTHON", venv.program("python"));
    let report = run::output_shown(&mut tests)?;
    let ignored =
        |line: &str| line.split("; ").any(|part| part.ends_with(" ignored") && !part.starts_with("0 "));
    match report.lines().find(|line| line.starts_with("test result:") && ignored(line)) {
        Some(line) => bail!("a test was ignored, which no list allows: {line}"),
        None => Ok(()),
    }
}

/// Runs the example for Node.js. `--full` runs those of the other languages, which need more packages.
fn node_example(root: &Path) -> Result<()> {
    let arguments = ["test", "--quiet", "-p", "justcall-auth-ffi", "--test", "languages", "--"];
    let mut test = cargo(root, &arguments);
    test.args(["--exact", "it_verifies_and_survives_a_reset_from_node_js"]);
    test.env("JUSTCALL_LIB_DIR", run::target_dir(root).join("debug"));
    let report = run::output_shown(&mut test)?;
    ensure!(report.contains(" 1 passed"), "there is no such test");
    Ok(())
}

/// Runs the demo with the builds that were tested.
fn demo(root: &Path, venv: &Venv) -> Result<()> {
    let python = xtask_demo::demo::Python::with_package(venv.program("python"));
    xtask_demo::demo::run_with(root, &run::target_dir(root).join("debug"), &python)
}

fn python_tests(root: &Path, venv: &Venv) -> Result<()> {
    let project = root.join("bindings/python");
    succeed(&mut venv.command(&project, "ruff", &["check", ".", "../../examples/python"]))?;
    succeed(&mut venv.command(&project, "ruff", &["format", "--check", ".", "../../examples/python"]))?;
    succeed(&mut venv.command(&project, "python", &["-m", "mypy"]))?;
    succeed(&mut venv.command(
        &project,
        "python",
        &["-m", "mypy.stubtest", "--allowlist", "stubtest-allowlist.txt", "justcall_auth"],
    ))?;
    let sandbox = run::target_dir(root).join("debug/justcall-auth-sandbox");
    let mut pytest =
        venv.command(&project, "python", &["-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider"]);
    let report = run::output_shown(pytest.env("JUSTCALL_SANDBOX_BIN", sandbox))?;
    python::refuse_skips(root, &report)
}
