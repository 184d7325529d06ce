//! `cargo xtask test --full`: the tests that take longer, and their reports.
//!
//! The packages in clean systems, the wheel and the sources without the checkout, with docs/evidence/packages.md, and whole
//! builds of the product. The console of the sandbox in Chromium, and the examples in other languages. With the release
//! builds, which ship: a rotation that is killed at every system call, and the matrix
//! of `tests/memory`, written into docs/evidence/report.md; processes that call through resets, written into
//! docs/evidence/rotation.md; the fuzz targets under libFuzzer, written into docs/evidence/fuzzing.md; ten thousand tenants in a process, which the Python tests write into docs/evidence/tenants.md;
//! programs in which one system call or one allocation fails, written into docs/evidence/faults.md.

mod faults;
mod rotation;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use xtask_demo::packages;
use xtask_demo::run::{self, cargo, command, package, step, succeed};

use crate::fuzz::FuzzOptions;
use crate::python::{self, Venv};

/// Runs everything. Writes the reports even if a check fails.
pub fn run(root: &Path) -> Result<()> {
    step("Debian packages", || packages::ensure(root, packages::FULL))?;
    step("packages, in Debian 12 and 13 without Rust", || {
        succeed(&mut package("xtask-package", &["package", "--allow-dirty", "--report"]))?;
        succeed(&mut cargo(root, &["test", "--quiet", "-p", "xtask-package", "--test", "clean_root"]))
    })?;
    step("the wheel, the sources, the bills of materials, and VERIFY.md", || {
        succeed(&mut cargo(root, &["test", "--quiet", "-p", "xtask-package", "--test", "dist_files"]))
    })?;
    step("an installation, a panic's address, Debian 13's Rust, and a build in another folder", || {
        let builds = ["test", "--quiet", "-p", "xtask-package", "--test", "builds", "--", "--test-threads=1"];
        succeed(&mut cargo(root, &builds))
    })?;
    step("the console of the sandbox, in Chromium", || {
        succeed(&mut cargo(root, &["test", "--quiet", "-p", "justcall-auth-sandbox", "--test", "console"]))
    })?;
    step("the examples in six languages", || {
        succeed(&mut cargo(root, &["test", "--quiet", "-p", "justcall-auth-ffi", "--test", "languages"]))
    })?;
    let venv = python::venv(root)?;
    let libraries = step("release builds", || build(root, "full", None))?;
    let with_panic =
        step("the build that panics on demand", || build(root, "full-test-panic", Some("test-panic")))?;
    step("Python module, release build", || python_module(root, &venv))?;
    step("Python tests that take longer", || {
        let tests = ["-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", "tests/full"];
        let mut pytest = venv.command(&root.join("bindings/python"), "python", &tests);
        let sandbox = libraries.join("justcall-auth-sandbox");
        python::refuse_skips(root, &run::output_shown(pytest.env("JUSTCALL_SANDBOX_BIN", sandbox))?)
    })?;
    step("100,000 random webhooks, against Python's own hmac", || {
        let tests = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_webhook_differential.py"];
        let mut pytest = venv.command(&root.join("bindings/python"), "python", &tests);
        succeed(pytest.env("JUSTCALL_WEBHOOK_CASES", "100000"))
    })?;
    step("a million random cases, against a second implementation", || second(root))?;
    step("the fuzz targets, ten minutes of processor time each", || fuzz(root, &FuzzOptions::full()))?;
    step("the tests of a host program, with the release build", || hosts(root, &libraries))?;
    let killed = step("a rotation that is killed at every system call", || killed(root, &libraries))?;
    let mut withstood = false;
    step("programs in which one system call or one allocation fails", || {
        withstood = faults::run(root, &libraries, &venv, &machine(root)?)?;
        Ok(())
    })?;
    let mut bridged = false;
    step("processes that call through twenty resets", || {
        bridged = rotation::run(root, &libraries, &venv, &machine(root)?)?;
        Ok(())
    })?;
    let mut good = false;
    step("the memory of processes, scanned from outside", || {
        let mut matrix = Command::new(libraries.join("matrix"));
        matrix.env("JUSTCALL_LIB_DIR", &libraries).env("JUSTCALL_PANIC_LIB_DIR", &with_panic);
        matrix.env("JUSTCALL_PYTHON", venv.program("python")).env_remove("RUST_BACKTRACE");
        matrix.env("JUSTCALL_TEST_BUFFERS", "1");
        let output = matrix.stderr(Stdio::inherit()).output().context("cannot start the matrix")?;
        let table = String::from_utf8_lossy(&output.stdout);
        ensure!(table.lines().count() > 2, "the matrix printed no rows");
        good = output.status.success();
        Ok(fs::write(root.join("docs/evidence/report.md"), report(root, &table, &killed)?)?)
    })?;
    ensure!(withstood, "a failure did not have its documented result: see docs/evidence/faults.md");
    ensure!(bridged, "a reset was not bridged as promised: see docs/evidence/rotation.md");
    ensure!(good, "a moment is not as it must be: see docs/evidence/report.md");
    Ok(())
}

/// Compares a million random cases with a second implementation.
pub fn second(root: &Path) -> Result<()> {
    crate::second::full(root, &python::venv(root)?, &machine(root)?)
}

/// Runs the fuzz targets under libFuzzer.
pub fn fuzz(root: &Path, options: &FuzzOptions) -> Result<()> {
    crate::fuzz::run(root, options, &machine(root)?)
}

/// The feature with which tests choose the size of the transport's buffers.
const BUFFERS: &str = "justcall-auth/test-buffers";

/// Builds the library, and without `feature` also the other programs of the matrix, into a separate folder, because these
/// builds must not ship.
fn build(root: &Path, folder: &str, feature: Option<&str>) -> Result<PathBuf> {
    let target = run::target_dir(root).join(folder);
    let mut library = cargo(root, &["build", "--quiet", "--release", "-p", "justcall-auth-ffi"]);
    library.arg("--target-dir").arg(&target);
    library.args(["--features", BUFFERS]).args(feature.iter().flat_map(|feature| ["--features", feature]));
    succeed(&mut library)?;
    if feature.is_none() {
        let mut others = cargo(root, &["build", "--quiet", "--release", "-p", "justcall-auth-cli"]);
        others.args(["-p", "justcall-auth-sandbox", "-p", "justcall-auth-memory-tests"]);
        others.args([
            "-p",
            "justcall-auth-rotation-tests",
            "-p",
            "justcall-auth-fault-tests",
            "--target-dir",
        ]);
        succeed(others.arg(&target))?;
    }
    Ok(target.join("release"))
}

/// Installs the release build of the module. The next `cargo xtask test` installs the debug build again.
fn python_module(root: &Path, venv: &Venv) -> Result<()> {
    let project = root.join("bindings/python");
    let mut maturin = venv.command(&project, "maturin", &["develop", "--quiet", "--release"]);
    maturin.args(["--features", BUFFERS]);
    succeed(maturin.env("CARGO_TARGET_DIR", run::target_dir(root).join("full")))
}

/// Runs the tests of a host program, which `cargo xtask test` runs with the debug build. Stack frames and valgrind's
/// findings differ in a release build.
fn hosts(root: &Path, libraries: &Path) -> Result<()> {
    let mut test = cargo(root, &["test", "--quiet", "-p", "justcall-auth-ffi", "--test", "abi", "host::"]);
    succeed(test.env("JUSTCALL_LIB_DIR", libraries))
}

/// Kills the command at every system call. Returns the rows that the test prints.
fn killed(root: &Path, programs: &Path) -> Result<String> {
    let mut test = cargo(root, &["test", "--quiet", "-p", "justcall-auth-cli", "--test", "kill", "--"]);
    test.args(["--nocapture", "--test-threads=1"]).env("JUSTCALL_KILL_EVERYWHERE", "1");
    let printed = run::output(test.env("JUSTCALL_CLI", programs.join("justcall-auth")))?;
    // The test harness prints its progress as dots, also before a row.
    let rows: String =
        printed.lines().filter_map(|line| line.find('|').map(|at| format!("{}\n", &line[at..]))).collect();
    ensure!(!rows.is_empty(), "the test printed no rows");
    Ok(rows)
}

const KILLED: &str = "\
## Commands killed at every system call

`strace` kills the release build with SIGKILL at each system call from its start to its end, each time in a fresh folder. *old* and
*new* count the runs that left the old pair (for setup: no pair) and the new one. No run left a part of a pair, a file that others
could read, or different file permissions. Each following run succeeded and removed the remains. *Where a call fails*: strace makes one
file system call per run fail with EIO instead, and the command cleans up itself. Positive controls: the same test detects a writer
that writes in place, and one whose temporary file others can read.

| what | different calls | old | new | wrong |
|---|---|---|---|---|
";

const EXPLANATION: &str = "\
A scanner in another process stops the program, reads every readable mapping through `/proc/PID/mem`, and searches for the
`Authorization` value, the secret, any eight bytes of it, its base64 at every alignment and its hex. Then it searches a core file
written by `gcore`, registers included. *copies* and *in the core file* count the finds, which must be zero. Only a program that makes
calls without pause may have two copies per thread at a time: the pair read from protected memory and the request's head, or that head
and the TLS record before its encryption. They exist for microseconds, so not every row of samples sees one. The last line counts those
of all samples. Every row has two positive controls: the scan finds a planted copy in memory and in the core file, and it finds the pair
in the same program at level heap (*at level heap*). The command accepts no planted copy, so its control is the same command without the
right to lock memory. At level secretmem the kernel refuses to read the pair's pages (EIO) in every row in which the client holds the
pair. At other levels it refuses none.
";

fn report(root: &Path, table: &str, killed: &str) -> Result<String> {
    let mut text = String::from("# Results of the long tests\n\n");
    text.push_str(
        "Written by `cargo xtask test --full`: change that, not this file.\n\n| what | which |\n|---|---|\n",
    );
    for (name, value) in machine(root)? {
        writeln!(text, "| {name} | {value} |")?;
    }
    write!(text, "\n{KILLED}{killed}\n## Plain copies of the secret in memory\n\n{EXPLANATION}\n{table}")?;
    Ok(text)
}

fn machine(root: &Path) -> Result<[(&'static str, String); 5]> {
    let line = |command: &mut Command| run::output(command).map(|text| text.trim().to_owned());
    let mut commit = line(&mut command(root, "git", &["rev-parse", "--short", "HEAD"]))?;
    let product = [
        "status",
        "--porcelain",
        "--",
        "crates",
        "bindings/python",
        "include",
        "tests/memory",
        "tests/faults",
        "tests/fuzz",
    ];
    if !line(&mut command(root, "git", &product))?.is_empty() {
        commit.push_str(", with changes not committed");
    }
    Ok([
        ("commit", commit),
        ("date", line(Command::new("date").args(["--utc", "+%F %H:%M UTC"]))?),
        ("kernel", line(Command::new("uname").args(["-s", "-r", "-m"]))?),
        ("C library", line(Command::new("getconf").arg("GNU_LIBC_VERSION"))?),
        ("rustc", line(Command::new("rustc").arg("--version"))?),
    ])
}
