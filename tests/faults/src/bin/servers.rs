//! `servers`: runs every vector of `servers`, `networks` and `clocks` in every language, prints the rows as Markdown, and
//! fails if a row is not the expected one. `servers TEXT` runs only those whose title contains the text.

use std::process::ExitCode;

use anyhow::{Context as _, Result, ensure};
use justcall_auth_fault_tests::vectors::network::{self, INSIDE};
use justcall_auth_fault_tests::vectors::report::{
    Runner, failures, in_every_language, named, storm_table, tables,
};
use justcall_auth_fault_tests::vectors::vector;

const STORMS: &str = "\
Programs call without a pause, GET and POST in turn, without retries, while the server reloads. *failed* counts the calls whose connection
ended. Each is `connection_failed`, with `request_sent` if the server received the request.
";

fn main() -> Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some((INSIDE, inside)) = arguments.split_first().map(|(first, rest)| (first.as_str(), rest)) {
        if let Err(error) = network::run_inside(inside) {
            eprintln!("{error:#}");
            return Ok(ExitCode::FAILURE);
        }
        return Ok(ExitCode::SUCCESS);
    }
    let runner = Runner::new().context("the programs")?;
    let mut vectors = vector::all()?;
    if let Some(text) = arguments.first() {
        vectors.retain(|vector| vector.title().contains(text));
    }
    ensure!(!vectors.is_empty(), "there is no such vector");
    let finished = runner.run_all(&in_every_language(&vectors));
    let failures = failures(&finished);
    println!("{} vectors, each in three languages; {} failures.", vectors.len(), failures.len());
    print!("{}", tables(&finished));
    if arguments.is_empty() {
        print!("\n## Reloads without a pause\n\n{STORMS}\n{}", storm_table(&runner.storms()?));
    }
    let planted = runner.check_planted(&named("A rate limit with Retry-After")?)?;
    println!("\nPlanted bugs, each noticed: wrong {} of an expected row.", planted.join(", "));
    for failure in &failures {
        eprintln!("{failure}");
    }
    Ok(if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
