//! The developer's commands, as `cargo xtask COMMAND`.

mod bench;
mod docs;
mod full;
mod header;
mod mutants;
mod platforms;
mod python;
mod python_errors;
mod simulate;
mod test;

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use xtask_demo::{demo, packages, run, sandbox};

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
    /// Measure requests and start-up beside libcurl, requests, httpx and pycurl, and write docs/bench.md.
    Bench(bench::Options),
    /// A part of `bench` that needs a process in which names are not found.
    #[command(hide = true)]
    BenchResolving { rounds: u32 },
    /// Run everything that CI runs: formatting, lints, drift, and the tests of every language.
    Test {
        /// Then look through the memory of the release builds at every moment, and write docs/report.md.
        #[arg(long)]
        full: bool,
        /// Only what `--full` adds.
        #[arg(long)]
        full_only: bool,
    },
    /// Simulate processes, calls, resets and faults, and check what the library promises of them.
    ///
    /// Runs episodes, each with a seed of its own: the first one with --seed, the next ones with the seeds after it. An
    /// episode is a few minutes of simulated time with up to eight processes. The first promise that is not kept ends the
    /// run with the events before it and the command that repeats it.
    Simulate(simulate::Options),
    /// Put small faults into the exchange and the keyring, and check that the tests of their crate notice them.
    ///
    /// Needs cargo-mutants, and about an hour on two processors. What no test can notice is listed in
    /// tests/equivalent-mutants.txt.
    Mutants(mutants::Options),
    /// Compile the product for Windows, macOS, ARM and with the oldest Rust, run what can be run, and write docs/platforms.md.
    Platforms,
    /// Generate the C header and the list of its symbols, under include/.
    Header {
        /// Fail when they are not up to date, and change nothing.
        #[arg(long)]
        check: bool,
    },
    /// Generate what stands in the documentation and in Python from the table of errors and the examples.
    Docs {
        /// Fail when it is not up to date, and change nothing.
        #[arg(long)]
        check: bool,
    },
}

fn main() -> ExitCode {
    let root = run::root();
    let result = match Arguments::parse().command {
        Command::Demo { live } => demo::run(&root, live),
        Command::Bench(options) => bench::run(&root, &options),
        Command::BenchResolving { rounds } => bench::resolve(rounds),
        Command::Test { full_only: true, .. } => full::run(&root),
        Command::Test { full, .. } => {
            test::run(&root).and_then(|()| if full { full::run(&root) } else { Ok(()) })
        }
        Command::Simulate(options) => simulate::run(&options),
        Command::Mutants(options) => mutants::run(&root, &options),
        Command::Platforms => platforms::run(&root),
        Command::Header { check } => header::run(&root, check),
        Command::Docs { check } => documents(&root, check),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\n✗ {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn documents(root: &Path, check: bool) -> Result<()> {
    python_errors::run(root, check)?;
    docs::run(root, check)
}
