//! `cargo xtask test`: the command that CI runs.
//!
//! Everything is compiled once, for the whole workspace: `cargo run -p NAME` would compile half of the dependencies again,
//! with fewer features. Steps that wait run beside others.

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

/// A step of a run.
struct Step {
    name: &'static str,
    title: &'static str,
    run: fn(&Path) -> Result<()>,
}

/// Steps on two tracks, which end before the next stage begins.
struct Stage {
    steps: &'static [Step],
    beside: &'static [Step],
}

const STAGES: &[Stage] = &[
    Stage {
        steps: &[
            Step { name: "space", title: "space on the disk", run: space },
            Step { name: "debian", title: "Debian packages", run: debian_packages },
            Step { name: "format", title: "formatting", run: formatting },
        ],
        beside: &[],
    },
    // pip waits for the network.
    Stage {
        steps: &[
            Step { name: "build", title: "build", run: build },
            Step {
                name: "generated",
                title: "the header, the symbols, the documentation and Python's exceptions are up to date",
                run: generated,
            },
        ],
        beside: &[
            Step { name: "venv", title: "Python environment", run: |root| python::venv(root).map(drop) },
            Step { name: "deny", title: "licences, sources and bans of every crate", run: deny::check },
            Step {
                name: "spelling",
                title: "spelling",
                run: |root| spelling::check(root, &python::venv(root)?),
            },
        ],
    },
    // Each of these uses all processors.
    Stage {
        steps: &[
            Step { name: "clippy", title: "clippy", run: clippy },
            Step { name: "rustdoc", title: "documentation builds", run: rustdoc },
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
        ],
        beside: &[],
    },
    // Most tests wait: for a service, for each other, or for one thread.
    Stage {
        steps: &[Step { name: "rust", title: "Rust, C and C++ tests", run: rust_tests }],
        beside: &[
            Step { name: "python", title: "Python tests", run: python_tests },
            Step {
                name: "packages",
                title: "the packages that ship",
                run: |root| one_binary(root, "packages", &[]),
            },
            // After the packages, whose library it counts.
            Step {
                name: "counts",
                title: "instructions and allocations of a verification",
                run: |root| succeed(&mut built(root, "justcall-auth-bench", &["--gate"])),
            },
            Step { name: "node", title: "the example for Node.js", run: node_example },
            Step {
                name: "simulation",
                title: "the simulation: a million requests, or as many as take 30 seconds",
                run: simulation,
            },
            Step { name: "fuzz", title: "the fuzz targets, ten seconds each", run: fuzz_targets },
            Step {
                name: "second",
                title: "20,000 random cases, against a second implementation",
                run: |root| second::test(root, &python::venv(root)?),
            },
            Step { name: "demo", title: "the demo runs", run: demo },
        ],
    },
];

/// All steps, in their usual order.
fn all() -> impl Iterator<Item = &'static Step> {
    STAGES.iter().flat_map(|stage| stage.steps.iter().chain(stage.beside))
}

/// Returns the name and the title of every step.
pub fn steps() -> impl Iterator<Item = (&'static str, &'static str)> {
    all().map(|step| (step.name, step.title))
}

/// Runs everything. A failure ends its own track, and the run when both tracks have ended.
pub fn run(root: &Path) -> Result<()> {
    for Stage { steps, beside } in STAGES {
        if beside.is_empty() {
            run_steps(root, steps.iter())?;
            continue;
        }
        let mut track = built(root, "xtask", &["test"]);
        track.args(beside.iter().flat_map(|step| ["--step", step.name]));
        let titles: Vec<&str> = beside.iter().map(|step| step.title).collect();
        println!("\n▷ on a second track, whose output follows: {}", titles.join("; "));
        side_by_side(|| run_steps(root, steps.iter()), &mut track, &mut io::stdout())?;
    }
    println!("\n✓ everything passed");
    Ok(())
}

/// Runs the steps with these names, in their usual order.
pub fn run_only(root: &Path, names: &[String]) -> Result<()> {
    run_steps(root, all().filter(|step| names.iter().any(|name| name == step.name)))
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
    // This program is in the folder before the first run, too.
    if target.join("debug/justcall-auth-sandbox").exists() {
        return Ok(());
    }
    let printed = run::output(&mut run::command(&target, "df", &["--output=avail", "--block-size=1G", "."]))?;
    check_space(&printed).with_context(|| format!("the disk of {}", target.display()))
}

/// Fails if df, which printed `printed`, has found too little space.
fn check_space(printed: &str) -> Result<()> {
    let free = printed.lines().last().unwrap_or_default().trim();
    let free: u64 = free.parse().with_context(|| format!("df printed {free:?}"))?;
    ensure!(
        free >= SPACE,
        "{free} GB are free, and a first run needs {SPACE} GB. Delete the builds of other clones, or set CARGO_TARGET_DIR to \
         a folder on another disk"
    );
    Ok(())
}

fn debian_packages(root: &Path) -> Result<()> {
    packages::ensure(root, packages::TESTS)?;
    packages::ensure(root, packages::PACKAGE)?;
    packages::ensure(root, packages::COUNTS)
}

fn formatting(root: &Path) -> Result<()> {
    succeed(&mut cargo(root, &["fmt", "--all", "--check"]))
}

/// Builds the commands that the tests start, and the shared library that they load: `cargo test` builds neither.
fn build(root: &Path) -> Result<()> {
    let arguments = ["build", "--quiet", "--workspace", "--exclude", "justcall-auth-python"];
    succeed(&mut cargo(root, &arguments))
}

fn generated(root: &Path) -> Result<()> {
    succeed(&mut built(root, "xtask-generate", &["header", "--check"]))?;
    succeed(&mut built(root, "xtask-generate", &["docs", "--check"]))
}

fn clippy(root: &Path) -> Result<()> {
    let arguments = ["clippy", "--quiet", "--workspace", "--all-targets", "--", "-D", "warnings"];
    succeed(&mut cargo(root, &arguments))
}

fn rustdoc(root: &Path) -> Result<()> {
    let arguments = ["doc", "--quiet", "--workspace", "--no-deps"];
    succeed(cargo(root, &arguments).env("RUSTDOCFLAGS", "-D warnings"))
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

/// Runs the example for Node.js. `--full` runs those of the other languages, which need more packages.
fn node_example(root: &Path) -> Result<()> {
    one_binary(root, "languages", &["--exact", "it_verifies_and_survives_a_reset_from_node_js"])
}

fn simulation(root: &Path) -> Result<()> {
    succeed(&mut built(root, "simulate", &["--requests", "1000000", "--seconds", "30"]))
}

fn fuzz_targets(root: &Path) -> Result<()> {
    succeed(&mut built(root, "justcall-auth-fuzz-targets", &["--seconds", "10", "--seed", "1"]))
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

    use super::{check_space, refuse_ignored, side_by_side, steps};

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
    fn it_refuses_a_disk_with_less_than_12_gb() {
        check_space("Avail\n   12\n").expect("12 GB");
        let error = check_space("Avail\n   11\n").expect_err("11 GB");
        assert!(error.to_string().starts_with("11 GB are free, and a first run needs 12 GB."), "{error}");
        check_space("").expect_err("df printed nothing");
    }

    #[test]
    fn it_names_each_step_once() {
        let names: BTreeSet<_> = steps().map(|(name, _)| name).collect();
        assert_eq!(names.len(), steps().count());
    }
}
