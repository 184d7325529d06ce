//! The developer's commands, as `cargo xtask COMMAND`.

mod full;
mod mutants;
mod python;
mod spelling;
mod test;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};
use xtask_demo::{demo, run};

/// The developer's commands of justcall-auth.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Verify a pair from C, C++, Python, Rust and the command line, and see what failures look like.
    Demo {
        /// Verify the pair in the environment against the real service, in place of the sandbox.
        #[arg(long)]
        live: bool,
    },
    /// Run everything that CI runs: formatting, spelling, lints, drift, links, and the tests of every language.
    Test {
        /// Then search the memory of the release builds at every moment, and write docs/evidence/report.md.
        #[arg(long)]
        full: bool,
        /// Only what `--full` adds.
        #[arg(long)]
        full_only: bool,
    },
    /// Put small faults into the exchange and the keyring, and check that the tests of their crate notice them.
    ///
    /// Needs cargo-mutants, and about an hour on two processors. What no test can notice is listed in
    /// tests/equivalent-mutants.txt.
    Mutants(mutants::Options),
    /// Measure requests and start-up beside libcurl, requests, httpx and pycurl, and write docs/evidence/bench.md.
    #[command(disable_help_flag = true)]
    Bench(Passed),
    /// Simulate processes, calls, resets and faults, and check what the library promises of them.
    #[command(disable_help_flag = true)]
    Simulate(Passed),
    /// Compile the product for Windows, macOS, ARM and with the oldest Rust, run what can be run, and write docs/evidence/platforms.md.
    Platforms,
    /// Generate the C header and the list of its symbols, under include/.
    #[command(disable_help_flag = true)]
    Header(Passed),
    /// Generate the parts of the documentation and of Python that follow from the table of errors and the examples.
    #[command(disable_help_flag = true)]
    Docs(Passed),
    /// Print what a maintainer wants to see before and after a change of layout: long functions, circles, duplicates, words.
    #[command(disable_help_flag = true)]
    House(Passed),
}

/// What the program reads that has the command: its `--help` explains it.
#[derive(Args)]
struct Passed {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    arguments: Vec<OsString>,
}

fn main() -> ExitCode {
    let root = run::root();
    let own = |result: Result<()>| run::exit_code(result);
    match Arguments::parse().command {
        Command::Demo { live } => own(demo::run(&root, live)),
        Command::Test { full, full_only } => own(tests(&root, !full_only, full || full_only)),
        Command::Mutants(options) => own(mutants::run(&root, &options)),
        Command::Bench(passed) => program("justcall-auth-bench", &[], &passed),
        Command::Simulate(passed) => program("justcall-auth-simulation", &[], &passed),
        Command::Platforms => own(run::succeed(&mut run::package("justcall-auth-platforms", &[]))),
        Command::Header(passed) => program("xtask-generate", &["header"], &passed),
        Command::Docs(passed) => program("xtask-generate", &["docs"], &passed),
        Command::House(passed) => program("xtask-house", &[], &passed),
    }
}

/// Runs a command that is a program in another package, which is compiled only now.
fn program(package: &str, leading: &[&str], passed: &Passed) -> ExitCode {
    run::exit_code(run::hand_over(run::package(package, leading).args(&passed.arguments)))
}

fn tests(root: &Path, usual: bool, full: bool) -> Result<()> {
    if usual {
        test::run(root)?;
    }
    if full { full::run(root) } else { Ok(()) }
}
