//! `cargo xtask house`: reports figures of the code, to be compared before and after a refactoring.
//!
//! It never fails because of a figure. The checks that fail a build are in `crates/xtask/tests/architecture.rs` and in the
//! lints.
//!
//! | file | contents |
//! |---|---|
//! | `workspace` | the crates of the workspace and the files that git tracks |
//! | `source` | splits a file into code, comments and literals |
//! | `tokens` | the tokens of Rust code, without those of tests |
//! | `functions` | functions and their lengths |
//! | `modules` | which file of a crate uses which |
//! | `cycles` | dependency cycles between files |
//! | `lints` | figures of clippy: complexity and missing documentation |
//! | `duplicates` | duplicate blocks, found by jscpd |
//! | `words` | the word lists of the project's English |
//! | `counts` | lines, assertions, cases, SAFETY comments |
//! | `table` | the output |

mod counts;
mod cycles;
mod duplicates;
mod functions;
mod lints;
mod modules;
mod source;
mod table;
mod tokens;
mod words;
mod workspace;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::Parser;
use xtask_demo::run;

use crate::table::Table;
use crate::workspace::Workspace;

/// Print figures of the code, to be compared before and after a refactoring.
///
/// Lines, assertions, long files and functions, complex functions, cycles of files, undocumented items, duplicate blocks, and
/// words that the project avoids. Never fails because of a figure.
#[derive(Parser)]
#[command(bin_name = "cargo xtask house")]
struct HouseOptions {
    /// Read another checkout, such as one of an earlier commit.
    #[arg(long, value_name = "FOLDER")]
    tree: Option<PathBuf>,
    /// How many rows the lists of the longest and most complex functions and files have.
    #[arg(long, value_name = "NUMBER", default_value_t = 10)]
    top: usize,
    /// Omit the figures that need compiling or downloads: complexity, undocumented items, duplicate blocks.
    #[arg(long)]
    quick: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    run::exit_code(house(&HouseOptions::parse()))
}

fn house(options: &HouseOptions) -> Result<()> {
    let root = match &options.tree {
        Some(tree) => tree.canonicalize().with_context(|| format!("cannot open {}", tree.display()))?,
        None => run::root(),
    };
    let workspace = Workspace::read(&root)?;
    let mut tables = counts::tables(&workspace);
    tables.push(counts::longest_files(&workspace, options.top));
    tables.push(functions::longest(&workspace, options.top));
    tables.push(cycles::table(&workspace)?);
    if !options.quick {
        tables.extend(lints::tables(&workspace, options.top)?);
        tables.extend(duplicates::tables(&workspace, options.top)?);
    }
    tables.extend(words::tables(&workspace));
    if options.json {
        println!("{}", Table::json(&tables));
    } else {
        for table in &tables {
            println!("{table}");
        }
    }
    Ok(())
}
