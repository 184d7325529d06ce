//! The developer's commands, as `cargo xtask COMMAND`.

mod code;
mod deny;
mod full;
mod fuzz;
mod mutants;
mod python;
mod second;
mod spelling;
mod test;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Args, Parser, Subcommand};
use xtask_demo::{demo, run};

/// The developer's commands of justcall-auth.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version)]
struct XtaskArguments {
    #[command(subcommand)]
    command: XtaskCommand,
}

#[derive(Subcommand)]
enum XtaskCommand {
    /// Verify a pair from C, C++, Python, Rust and the command line, and show typical failures.
    Demo {
        /// Verify the pair in the environment with the real service in place of the sandbox.
        #[arg(long)]
        live: bool,
    },
    /// Run everything that CI runs: formatting, spelling, lints, drift, links, and the tests of every language.
    Test {
        /// Then run the tests that take hours, and write their reports into docs/evidence. Parts that have passed for the same
        /// commit are not run again.
        #[arg(long)]
        full: bool,
        /// Run only the tests that `--full` adds.
        #[arg(long)]
        full_only: bool,
        /// Run only this part of the tests that `--full` adds, even if it has passed. May be given more than once.
        #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(full_parts()))]
        part: Vec<String>,
        /// Run only this step. May be given more than once. A step of tests needs the builds of the steps before it.
        #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(steps()), conflicts_with_all = ["full", "full_only", "part"])]
        step: Vec<String>,
    },
    /// Run mutation tests: put small faults into the code, check that a test detects each, and write docs/evidence/mutants.md.
    ///
    /// Needs cargo-mutants, and hours on two processors. A run goes on where an earlier one ended. tests/surviving-mutants.txt
    /// lists the mutants that no test detects.
    Mutants(mutants::MutantsOptions),
    /// Measure requests and start-up beside libcurl, requests, httpx and pycurl, and write docs/evidence/performance.md.
    #[command(disable_help_flag = true)]
    Bench(Passed),
    /// Simulate processes, calls, resets and faults, and check the library's promises.
    #[command(disable_help_flag = true)]
    Simulate(Passed),
    /// Run the fuzz targets under libFuzzer, and write docs/evidence/fuzzing.md.
    ///
    /// Needs a nightly Rust. Installs cargo-fuzz under target/. A run goes on where an earlier one of the same code ended.
    Fuzz(fuzz::FuzzOptions),
    /// Compare the product with a second implementation on a million random cases, and write docs/evidence/second.md.
    Second,
    /// Compile the product for Windows, macOS, ARM and with the oldest Rust, run what can be run, and write docs/evidence/platforms.md.
    Platforms,
    /// Build the packages that ship, check them, and write them into dist/.
    #[command(disable_help_flag = true)]
    Package(Passed),
    /// Build the release, and install headers, libraries, programs and manual pages below a prefix.
    #[command(disable_help_flag = true)]
    Install(Passed),
    /// Build the commit that files of a release name, and compare the files with what was built.
    #[command(disable_help_flag = true)]
    VerifyRelease(Passed),
    /// Run the checks before a release. Needs `--dry-run`: the release itself is made by hand.
    #[command(disable_help_flag = true)]
    Release(Passed),
    /// Generate the C header and the list of its symbols, under include/.
    #[command(disable_help_flag = true)]
    Header(Passed),
    /// Generate the parts of the documentation and of Python that follow from the table of errors, the docstrings and the
    /// examples.
    #[command(disable_help_flag = true)]
    Docs(Passed),
    /// Print figures of the code to compare before and after a refactoring: long functions, cycles, duplicates, words.
    #[command(disable_help_flag = true)]
    House(Passed),
}

/// The arguments of a command that another package implements, whose `--help` explains them.
#[derive(Args)]
struct Passed {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    arguments: Vec<OsString>,
}

fn main() -> ExitCode {
    let root = run::root();
    let own = |result: Result<()>| run::exit_code(result);
    match XtaskArguments::parse().command {
        XtaskCommand::Demo { live } => own(demo::run(&root, live)),
        XtaskCommand::Test { step, .. } if !step.is_empty() => own(test::run_only(&root, &step)),
        XtaskCommand::Test { full, full_only, part, .. } => {
            let is_partial = full_only || !part.is_empty();
            own(tests(&root, !is_partial, (full || is_partial).then_some(&part)))
        }
        XtaskCommand::Mutants(options) => own(mutants::run(&root, &options)),
        XtaskCommand::Bench(passed) => program("justcall-auth-bench", &[], &passed),
        XtaskCommand::Simulate(passed) => program("justcall-auth-simulation", &[], &passed),
        XtaskCommand::Fuzz(options) => own(fuzz::run(&root, &options)),
        XtaskCommand::Second => own(second::full(&full::Stage::new(&root))),
        XtaskCommand::Platforms => own(run::succeed(&mut run::package("justcall-auth-platforms", &[]))),
        XtaskCommand::Package(passed) => program("xtask-package", &["package"], &passed),
        XtaskCommand::Install(passed) => program("xtask-package", &["install"], &passed),
        XtaskCommand::VerifyRelease(passed) => program("xtask-package", &["verify-release"], &passed),
        XtaskCommand::Release(passed) => program("xtask-package", &["release"], &passed),
        XtaskCommand::Header(passed) => program("xtask-generate", &["header"], &passed),
        XtaskCommand::Docs(passed) => program("xtask-generate", &["docs"], &passed),
        XtaskCommand::House(passed) => program("xtask-house", &[], &passed),
    }
}

/// Runs the program of another package, which is only compiled for its command.
fn program(package: &str, leading: &[&str], passed: &Passed) -> ExitCode {
    run::exit_code(run::hand_over(run::package(package, leading).args(&passed.arguments)))
}

fn tests(root: &Path, usual: bool, full: Option<&Vec<String>>) -> Result<()> {
    if usual {
        test::run(root)?;
    }
    full.map_or(Ok(()), |parts| full::run(root, parts))
}

/// The parts of `--full`, for the help.
fn full_parts() -> Vec<PossibleValue> {
    possible(full::parts())
}

/// The steps of `test`, for the help.
fn steps() -> Vec<PossibleValue> {
    possible(test::steps())
}

fn possible(values: impl Iterator<Item = (&'static str, &'static str)>) -> Vec<PossibleValue> {
    values.map(|(name, about)| PossibleValue::new(name).help(about)).collect()
}
