//! `cargo xtask test`: the command that CI runs.
//!
//! First everything is compiled, once and with the same features: `cargo run -p NAME` would compile half of the
//! dependencies again, with fewer features. Then the tests run on two tracks side by side, because many of them wait.

use std::io::{self, Read as _, Write};
use std::path::Path;
use std::process::Command;
use std::thread;

use anyhow::{Context as _, Result, bail, ensure};

use xtask_demo::packages;
use xtask_demo::run::{self, cargo, step, succeed};

use crate::{deny, python, second, spelling};

/// What the builds of a run need on the disk, in GB.
const SPACE: u64 = 12;

/// A step of a run. Each one only needs those before it in [`BUILDS`].
struct Step {
    name: &'static str,
    title: &'static str,
    run: fn(&Path) -> Result<()>,
}

/// What the tests need, and the checks that do not run the product. They run one after the other, because each uses all
/// processors or the same files.
const BUILDS: &[Step] = &[
    Step { name: "space", title: "space on the disk", run: space },
    Step {
        name: "debian",
        title: "Debian packages",
        run: |root| {
            packages::ensure(root, packages::TESTS)?;
            packages::ensure(root, packages::PACKAGE)?;
            packages::ensure(root, packages::COUNTS)
        },
    },
    Step {
        name: "format",
        title: "formatting",
        run: |root| succeed(&mut cargo(root, &["fmt", "--all", "--check"])),
    },
    Step {
        name: "build",
        title: "build",
        // The tests start commands and load the shared library, which `cargo test` does not build.
        run: |root| {
            let arguments = ["build", "--quiet", "--workspace", "--exclude", "justcall-auth-python"];
            succeed(&mut cargo(root, &arguments))
        },
    },
    Step {
        name: "generated",
        title: "the header, the symbols, the documentation and Python's exceptions are up to date",
        run: |root| {
            succeed(&mut built(root, "xtask-generate", &["header", "--check"]))?;
            succeed(&mut built(root, "xtask-generate", &["docs", "--check"]))
        },
    },
    Step { name: "venv", title: "Python environment", run: |root| python::venv(root).map(drop) },
    Step { name: "deny", title: "licences, sources and bans of every crate", run: deny::check },
    Step { name: "spelling", title: "spelling", run: |root| spelling::check(root, &python::venv(root)?) },
    Step {
        name: "clippy",
        title: "clippy",
        run: |root| {
            let arguments = ["clippy", "--quiet", "--workspace", "--all-targets", "--", "-D", "warnings"];
            succeed(&mut cargo(root, &arguments))
        },
    },
    Step {
        name: "rustdoc",
        title: "documentation builds",
        run: |root| {
            let arguments = ["doc", "--quiet", "--workspace", "--no-deps"];
            succeed(cargo(root, &arguments).env("RUSTDOCFLAGS", "-D warnings"))
        },
    },
    Step {
        name: "module",
        title: "Python module",
        run: |root| python::install_module(root, &python::venv(root)?),
    },
    Step {
        name: "build-tests",
        title: "build of the tests",
        run: |root| succeed(&mut cargo_test(root, &["--no-run"])?),
    },
];

/// The tests that run on this program's own track.
const TESTS: &[Step] = &[Step { name: "rust", title: "Rust, C and C++ tests", run: rust_tests }];

/// The tests that run beside [`TESTS`].
const TESTS_BESIDE: &[Step] = &[
    Step { name: "python", title: "Python tests", run: python_tests },
    Step { name: "packages", title: "the packages that ship", run: |root| one_binary(root, "packages", &[]) },
    // After the packages, whose library it counts.
    Step {
        name: "counts",
        title: "instructions and allocations of a verification",
        run: |root| succeed(&mut built(root, "justcall-auth-bench", &["--gate"])),
    },
    // `--full` runs those of the other languages, which need more packages.
    Step {
        name: "node",
        title: "the example for Node.js",
        run: |root| {
            one_binary(root, "languages", &["--exact", "it_verifies_and_survives_a_reset_from_node_js"])
        },
    },
    Step {
        name: "simulation",
        title: "the simulation: a million requests, or as many as take 30 seconds",
        run: |root| {
            let arguments = ["--requests", "1000000", "--seconds", "30"];
            succeed(&mut built(root, "justcall-auth-simulation", &arguments))
        },
    },
    Step {
        name: "fuzz",
        title: "the fuzz targets, ten seconds each",
        run: |root| {
            succeed(&mut built(root, "justcall-auth-fuzz-targets", &["--seconds", "10", "--seed", "1"]))
        },
    },
    Step {
        name: "second",
        title: "20,000 random cases, against a second implementation",
        run: |root| second::test(root, &python::venv(root)?),
    },
    Step { name: "demo", title: "the demo runs", run: demo },
];

/// Returns the name and the title of every step.
pub fn steps() -> impl Iterator<Item = (&'static str, &'static str)> {
    [BUILDS, TESTS, TESTS_BESIDE].into_iter().flatten().map(|step| (step.name, step.title))
}

/// Runs everything. A failure ends its own track, and the run when both have ended.
pub fn run(root: &Path) -> Result<()> {
    run_steps(root, BUILDS.iter())?;
    let mut beside = built(root, "xtask", &["test"]);
    beside.args(TESTS_BESIDE.iter().flat_map(|step| ["--step", step.name]));
    println!("\nThe tests run on two tracks. The output of the second one follows that of the first.");
    side_by_side(|| run_steps(root, TESTS.iter()), &mut beside, &mut io::stdout())?;
    println!("\n✓ everything passed");
    Ok(())
}

/// Runs the steps with these names, in their usual order.
pub fn run_only(root: &Path, names: &[String]) -> Result<()> {
    let is_named = |step: &&Step| names.iter().any(|name| name == step.name);
    run_steps(root, [BUILDS, TESTS, TESTS_BESIDE].into_iter().flatten().filter(is_named))
}

fn run_steps<'a>(root: &Path, steps: impl Iterator<Item = &'a Step>) -> Result<()> {
    for Step { title, run, .. } in steps {
        step(title, || run(root))?;
    }
    Ok(())
}

/// Runs `work`, and `beside` meanwhile. Writes the output of `beside` to `log` in one piece when both have ended.
fn side_by_side(work: impl FnOnce() -> Result<()>, beside: &mut Command, log: &mut impl Write) -> Result<()> {
    let (mut output, writer) = io::pipe().context("cannot create a pipe")?;
    beside.stdout(writer.try_clone()?).stderr(writer);
    let mut child = beside.spawn().with_context(|| format!("cannot start {beside:?}"))?;
    // The command holds ends of the pipe for writing, which would keep it open.
    beside.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    let reader = thread::spawn(move || {
        let mut all = Vec::new();
        output.read_to_end(&mut all).map(|_| all)
    });
    let done = work();
    let ended = child.wait()?;
    let output = reader.join().expect("reading does not panic")?;
    log.write_all(&output)?;
    done?;
    ensure!(ended.success(), "the second track of tests ended with {ended}");
    Ok(())
}

/// Returns the command that runs a program of the step "build".
fn built(root: &Path, name: &str, arguments: &[&str]) -> Command {
    run::command(root, run::target_dir(root).join("debug").join(name), arguments)
}

/// Returns the `cargo test` of all packages. That of one package would compile its dependencies with fewer features again.
fn cargo_test(root: &Path, arguments: &[&str]) -> Result<Command> {
    let mut tests = cargo(root, &["test", "--workspace", "--quiet"]);
    // The C tests must use the library that was just built, and no other build.
    tests.env("JUSTCALL_LIB_DIR", run::target_dir(root).join("debug"));
    // The tests of memory and rotation run Python programs with the module.
    tests.env("JUSTCALL_PYTHON", python::venv(root)?.program("python"));
    tests.args(arguments);
    Ok(tests)
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
fn rust_tests(root: &Path) -> Result<()> {
    refuse_ignored(&run::output_shown(&mut cargo_test(root, &[])?)?)
}

/// Runs the tests of one file or folder that `cargo test` leaves out, with the arguments of its program.
fn one_binary(root: &Path, name: &str, arguments: &[&str]) -> Result<()> {
    let mut test = cargo_test(root, &["--test", name, "--"])?;
    let report = run::output_shown(test.args(arguments))?;
    ensure!(!report.contains(" 0 passed"), "no test of {name} ran");
    refuse_ignored(&report)
}

/// Fails if `report` of `cargo test` has an ignored test.
fn refuse_ignored(report: &str) -> Result<()> {
    let ignored =
        |line: &str| line.split("; ").any(|part| part.ends_with(" ignored") && !part.starts_with("0 "));
    match report.lines().find(|line| line.starts_with("test result:") && ignored(line)) {
        Some(line) => bail!("a test was ignored, which no list allows: {line}"),
        None => Ok(()),
    }
}

/// Runs the demo with the builds that were tested.
fn demo(root: &Path) -> Result<()> {
    let python = xtask_demo::demo::Python::with_package(python::venv(root)?.program("python"));
    xtask_demo::demo::run_with(root, &run::target_dir(root).join("debug"), &python)
}

fn python_tests(root: &Path) -> Result<()> {
    let (project, venv) = (root.join("bindings/python"), python::venv(root)?);
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::process::Command;

    use anyhow::{Result, anyhow};

    use super::{refuse_ignored, side_by_side, steps};

    /// Runs a script beside a track of this result. Returns what the script printed.
    fn beside(script: &str, track: Result<()>) -> Result<String> {
        let mut log = Vec::new();
        side_by_side(|| track, Command::new("sh").args(["-c", script]), &mut log)?;
        Ok(String::from_utf8(log).expect("scripts print UTF-8"))
    }

    #[test]
    fn it_prints_the_output_of_the_second_track() {
        assert_eq!(beside("echo one; echo two >&2; echo three", Ok(())).expect("both"), "one\ntwo\nthree\n");
        let more_than_a_pipe_holds = "head -c 1000000 /dev/zero";
        assert_eq!(beside(more_than_a_pipe_holds, Ok(())).expect("both").len(), 1_000_000);
    }

    #[test]
    fn it_fails_if_one_of_two_tracks_fails() {
        let error = beside("exit 3", Ok(())).expect_err("the second track fails");
        assert!(error.to_string().contains("exit status: 3"), "{error}");
        let error = beside("exit 3", Err(anyhow!("the first track"))).expect_err("both fail");
        assert_eq!(error.to_string(), "the first track");
    }

    #[test]
    fn it_refuses_an_ignored_test() {
        let report =
            |ignored| format!("test result: ok. 10 passed; 0 failed; {ignored} ignored; 0 measured\n");
        refuse_ignored(&report(0)).expect("none is ignored");
        refuse_ignored(&report(10)).expect_err("ten are ignored");
    }

    #[test]
    fn it_names_each_step_once() {
        let names: BTreeSet<_> = steps().map(|(name, _)| name).collect();
        assert_eq!(names.len(), steps().count());
    }
}
