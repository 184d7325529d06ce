//! Runs programs, and prints the step that is running.

use std::ffi::OsString;
use std::io::{self, BufRead as _, BufReader, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio, Termination};
use std::time::Instant;

use anyhow::{Context as _, Result, bail};

/// Prints the title of a step, runs it, and prints how long it took.
pub fn step<T>(title: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    println!("\n▶ {title}");
    let begun = Instant::now();
    let done = work().with_context(|| format!("{title} failed"))?;
    println!("✓ {title} ({:.1} s)", begun.elapsed().as_secs_f64());
    Ok(done)
}

/// Returns the command that runs `program` with `arguments` in `folder`.
pub fn command(folder: &Path, program: impl AsRef<std::ffi::OsStr>, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).args(arguments);
    command
}

/// Runs `command` and shows its output. Fails if the command fails.
pub fn succeed(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start {}", program(command)))?;
    if !status.success() {
        bail!("`{}` ended with {status}", line(command));
    }
    Ok(())
}

/// Runs `command`. Returns its standard output. Fails if the command fails.
pub fn output(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("cannot start {}", program(command)))?;
    if !output.status.success() {
        bail!(
            "`{}` ended with {}:\n{}",
            line(command),
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Runs `command` and shows its standard output as it comes. Returns it, too. Fails if the command fails.
pub fn output_shown(command: &mut Command) -> Result<String> {
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {}", program(command)))?;
    let mut all = String::new();
    for line in BufReader::new(child.stdout.take().expect("it was piped")).lines() {
        let line = line?;
        println!("{line}");
        all.push_str(&line);
        all.push('\n');
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("`{}` ended with {status}", line(command));
    }
    Ok(all)
}

/// Returns a command of the cargo that runs this program, to be run in `root`.
pub fn cargo(root: &Path, arguments: &[&str]) -> Command {
    command(root, cargo_program(), arguments)
}

/// Returns the path of the cargo that runs this program, or `cargo`.
pub fn cargo_program() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// Prints the error of a command, if there is one. Returns the exit code for this program.
pub fn exit_code(result: Result<impl Termination>) -> ExitCode {
    match result {
        Ok(done) => done.report(),
        Err(error) => {
            eprintln!("\n✗ {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Returns the command that builds and runs the program of another package in the current folder.
pub fn package(name: &str, arguments: &[&str]) -> Command {
    package_in_profile("dev", name, arguments)
}

/// Returns the same command for a profile of Cargo.toml. On a terminal, cargo shows what it compiles.
pub fn package_in_profile(profile: &str, name: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(cargo_program());
    command.args(["run", "--profile", profile, "--package", name]);
    if !io::stderr().is_terminal() {
        command.arg("--quiet");
    }
    command.arg("--").args(arguments);
    command
}

/// Runs `command`. Returns its exit code, even if it fails.
pub fn hand_over(command: &mut Command) -> Result<ExitCode> {
    let status = command.status().with_context(|| format!("cannot start {}", program(command)))?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

/// Returns the root of the repository.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).expect("the crate is two folders deep in the repository").to_owned()
}

/// Returns cargo's target folder.
pub fn target_dir(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |folder| root.join(folder))
}

fn program(command: &Command) -> String {
    command.get_program().to_string_lossy().into_owned()
}

fn line(command: &Command) -> String {
    let arguments = command.get_args().map(|argument| argument.to_string_lossy().into_owned());
    std::iter::once(program(command)).chain(arguments).collect::<Vec<_>>().join(" ")
}
