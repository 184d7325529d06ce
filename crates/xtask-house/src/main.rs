//! `cargo xtask house`: what a maintainer wants to see before and after a change of layout.
//!
//! It informs and never judges: the checks that fail a build are in `crates/xtask/tests/architecture.rs` and in the lints.
//!
//! | file | what it holds |
//! |---|---|
//! | `workspace` | the crates of the workspace and the files that git tracks |
//! | `source` | a file apart: code, comments, literals |
//! | `tokens` | the words of Rust code, without what only tests compile |
//! | `functions` | where functions begin and end |
//! | `modules` | which file of a crate uses which |
//! | `circles` | files that use each other |
//! | `lints` | what clippy measures: complexity and missing documentation |
//! | `duplicates` | blocks that jscpd finds twice |
//! | `words` | the word lists of our English |
//! | `counts` | lines, assertions, cases, SAFETY comments |
//! | `table` | the output |

mod circles;
mod counts;
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

/// Print what a maintainer wants to see before and after a change of layout.
///
/// Lines, assertions, long files and functions, complex functions, circles of files, undocumented items, duplicate blocks, and
/// words that the project avoids. It informs and never fails because of what it finds.
#[derive(Parser)]
#[command(bin_name = "cargo xtask house")]
struct Options {
    /// Look at another checkout, such as one of an earlier commit.
    #[arg(long, value_name = "FOLDER")]
    tree: Option<PathBuf>,
    /// How many rows the lists of the longest and the most complex have.
    #[arg(long, value_name = "NUMBER", default_value_t = 10)]
    top: usize,
    /// Leave out what compiles or downloads: complexity, undocumented items, duplicate blocks.
    #[arg(long)]
    quick: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    run::exit_code(house(&Options::parse()))
}

fn house(options: &Options) -> Result<()> {
    let root = match &options.tree {
        Some(tree) => tree.canonicalize().with_context(|| format!("cannot open {}", tree.display()))?,
        None => run::root(),
    };
    let workspace = Workspace::read(&root)?;
    let mut tables = counts::tables(&workspace);
    tables.push(counts::longest_files(&workspace, options.top));
    tables.push(functions::longest(&workspace, options.top));
    tables.push(circles::table(&workspace)?);
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
