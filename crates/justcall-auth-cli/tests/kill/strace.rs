//! Programs that are killed at a chosen system call, by Debian's strace.

use std::ffi::OsString;
use std::fs;
use std::io::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// A program with its arguments and its standard input.
pub struct Program {
    pub words: Vec<OsString>,
    pub input: String,
}

impl Program {
    /// Runs the program without strace. Returns true if it succeeds.
    pub fn succeeds(&self) -> bool {
        let mut command = Command::new(&self.words[0]);
        command.args(&self.words[1..]).env_clear().stdout(Stdio::null()).stderr(Stdio::null());
        end(command, &self.input) == End::Success
    }
}

/// The end of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Killed,
    Success,
    Failure,
}

/// A call of an undisturbed run.
#[derive(Debug, Clone)]
pub struct Call {
    pub name: String,
    /// The open file that the call uses or writes to.
    pub file: Option<i32>,
    /// True if the call uses the network.
    pub is_network: bool,
}

/// Runs `program` to its end and lists its calls, in order.
pub fn calls(program: &Program, log: &Path) -> Vec<Call> {
    assert_eq!(run(program, &["-o", log.to_str().expect("UTF-8")]), End::Success, "an undisturbed run");
    let text = fs::read_to_string(log).expect("strace wrote it");
    text.lines()
        .filter_map(|line| {
            // `PID name(arguments) = result`. A resumed call was listed when it started.
            let call = line.trim_start().split_once(' ')?.1.trim_start();
            let (name, arguments) = call.split_once('(')?;
            let is_name = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            let is_network = ["sendto", "recvfrom", "connect", "shutdown", "poll", "ppoll"].contains(&name)
                || arguments.contains("SHUT_");
            let place = if name == "copy_file_range" { 2 } else { 0 };
            let file = arguments.split([',', ')']).nth(place).and_then(|file| file.trim().parse().ok());
            is_name.then(|| Call { name: name.to_owned(), file, is_network })
        })
        .collect()
}

/// A fault that is injected at a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The program is killed before the call, which no handler can prevent.
    Kill,
    /// The call fails.
    Fail,
}

/// Runs `program` and injects `fault` at its `nth` call of `name`.
pub fn inject(program: &Program, fault: Fault, name: &str, nth: usize) -> End {
    let what = match fault {
        Fault::Kill => "signal=KILL",
        Fault::Fail => "error=EIO",
    };
    run(program, &["-e", &format!("inject={name}:{what}:when={nth}"), "-o", "/dev/null"])
}

fn run(program: &Program, options: &[&str]) -> End {
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-e", "signal=none"]).args(options).arg("--").args(&program.words);
    strace.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    strace.stdout(Stdio::null()).stderr(Stdio::null());
    end(strace, &program.input)
}

/// Runs `command` with `input` on its standard input.
fn end(mut command: Command, input: &str) -> End {
    let mut child =
        command.stdin(Stdio::piped()).spawn().expect("it starts; see debian-packages.txt for strace");
    let mut stdin = child.stdin.take().expect("it was piped");
    // A killed program reads no more input.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let status = child.wait().expect("it ends");
    // strace ends like the program, by the same signal.
    match (status.signal(), status.code()) {
        (Some(9), _) | (_, Some(137)) => End::Killed,
        (_, Some(0)) => End::Success,
        _ => End::Failure,
    }
}
