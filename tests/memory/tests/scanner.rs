//! The scanner sees a process as it is, and lets it go on.
#![cfg(target_os = "linux")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};

use justcall_auth_memory_tests::needles::Needles;
use justcall_auth_memory_tests::{core_file, process};

const KEY: &str = "abc123def456";
const SECRET: &str = "Kx7pQ2mZ9rT4vW8yB3nD6fG1hJ5kL0sAqEwR";

/// A shell that reads a line, which it then holds, and says so; ended with this value.
struct Shell(Child);

impl Shell {
    fn holding(text: &str) -> Self {
        let mut command = Command::new("sh");
        command.args(["-c", "read -r held; echo read; read -r more; echo \"more\"; read -r end"]);
        let mut shell = Self(command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a shell"));
        shell.tell(text);
        shell
    }

    fn tell(&mut self, line: &str) {
        writeln!(self.0.stdin.as_mut().expect("piped"), "{line}").expect("it reads");
        let mut said = String::new();
        BufReader::new(self.0.stdout.as_mut().expect("piped")).read_line(&mut said).expect("it speaks");
        assert!(!said.is_empty(), "the shell is gone");
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _status = self.0.wait();
    }
}

fn needles() -> Needles {
    Needles::new(KEY.as_bytes(), SECRET.as_bytes()).expect("randomness")
}

fn state(pid: u32) -> char {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("it runs");
    stat.rsplit(") ").next().and_then(|rest| rest.chars().next()).expect("a state")
}

#[test]
fn it_finds_what_a_process_holds_and_lets_it_go_on() {
    let mut shell = Shell::holding(&format!("{KEY}:{SECRET}"));
    let pid = shell.0.id();
    let stopped = process::stop(pid).expect("our own child");
    assert_eq!(state(pid), 'T');
    let scan = stopped.scan(&needles()).expect("its memory");
    drop(stopped);
    assert!(scan.hits.iter().any(|hit| hit.what == "header, plain"), "{scan:?}");
    assert!(scan.hidden.is_empty() && scan.bytes > 100_000, "{scan:?}");
    shell.tell("it goes on");
}

#[test]
fn it_finds_nothing_in_a_process_that_holds_something_else() {
    let shell = Shell::holding("abc123def456:another-one-altogether");
    let scan = process::stop(shell.0.id()).expect("our own child").scan(&needles()).expect("its memory");
    assert!(scan.hits.is_empty(), "{scan:?}");
}

#[test]
fn it_finds_it_in_a_core_file_at_the_address_that_it_has_in_memory() {
    let shell = Shell::holding(&format!("{KEY}:{SECRET}"));
    let scan = process::stop(shell.0.id()).expect("our own child").scan(&needles()).expect("its memory");
    let core = core_file::take(shell.0.id(), &needles()).expect("gcore");
    for hit in scan.hits.iter().filter(|hit| hit.what == "header, plain") {
        assert!(core.hits.iter().any(|other| other.address == hit.address), "{hit:?}: {core:?}");
    }
}

#[test]
fn it_is_a_command_that_prints_no_secret() {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    write!(file, "some {KEY}:{SECRET} text").expect("it takes it");
    let mut command = Command::new(env!("CARGO_BIN_EXE_scan"));
    command.arg("--core").arg(file.path()).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut scan = command.spawn().expect("it was built");
    writeln!(scan.stdin.take().expect("piped"), "{KEY}:{SECRET}").expect("it reads");
    let output = scan.wait_with_output().expect("it ends");
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("header, plain (after `some `)") && !text.contains(SECRET), "{text}");
}
