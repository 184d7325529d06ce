//! Writes what is generated from sources, as `cargo xtask header` and `cargo xtask docs`.

mod dependencies;
mod docs;
mod figures;
mod header;
mod python_errors;
mod python_reference;
mod unsafe_code;

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use xtask_demo::run;

/// Writes what is generated from sources.
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Generate the C header and the list of its symbols, under include/.
    Header {
        /// Fail if they are not up to date, and change nothing.
        #[arg(long)]
        check: bool,
    },
    /// Generate the parts of the documentation and of Python that follow from the table of errors, the docstrings and the
    /// examples.
    Docs {
        /// Fail if they are not up to date, and change nothing.
        #[arg(long)]
        check: bool,
    },
}

fn main() -> ExitCode {
    let root = run::root();
    run::exit_code(match Arguments::parse().what {
        What::Header { check } => header::run(&root, check),
        What::Docs { check } => documents(&root, check),
    })
}

fn documents(root: &Path, check: bool) -> Result<()> {
    python_errors::run(root, check)?;
    python_reference::run(root, check)?;
    dependencies::run(root, check)?;
    docs::run(root, check)
}
