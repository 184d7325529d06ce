//! The scanner finds what a process holds in memory, and resumes the process.
#![cfg(target_os = "linux")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};

use justcall_auth_memory_tests::needles::Needles;
use justcall_auth_memory_tests::{core_file, process};

const KEY: &str = "abc123def456";
const SECRET: &str = "Kx7pQ2mZ9rT4vW8yB3nD6fG1hJ5kL0sAqEwR";

/// A shell that reads a line, holds it in a variable and prints a confirmation. Dropping this value kills it.
struct Shell(Child);

impl Shell {
    fn holding(text: &str) -> Self {
        let mut command = Command::new("sh");
        command.args(["-c", "read -r held; echo read; read -r more; echo \"more\"; read -r end"]);
        let mut shell =
            Self(command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("sh starts"));
        shell.send(text);
        shell
    }

    fn send(&mut self, line: &str) {
        writeln!(self.0.stdin.as_mut().expect("it was piped"), "{line}").expect("the shell reads");
        let mut printed = String::new();
        let mut output = BufReader::new(self.0.stdout.as_mut().expect("it was piped"));
        output.read_line(&mut printed).expect("the shell prints a line");
        assert!(!printed.is_empty(), "the shell has exited");
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        let _killed = self.0.kill();
        let _status = self.0.wait();
    }
}

fn needles() -> Needles {
    Needles::new(KEY.as_bytes(), SECRET.as_bytes()).expect("the system has randomness")
}

fn state(pid: u32) -> char {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("the process runs");
    stat.rsplit(") ").next().and_then(|rest| rest.chars().next()).expect("the line has a state")
}

#[test]
fn it_finds_what_a_process_holds_and_resumes_it() {
    let mut shell = Shell::holding(&format!("{KEY}:{SECRET}"));
    let pid = shell.0.id();
    let stopped = process::stop(pid).expect("a child may be stopped");
    assert_eq!(state(pid), 'T');
    let scan = stopped.scan(&needles()).expect("its memory is read");
    drop(stopped);
    assert!(scan.hits.iter().any(|hit| hit.what == "header, plain"), "{scan:?}");
    assert!(scan.hidden.is_empty() && scan.bytes > 100_000, "{scan:?}");
    shell.send("it runs again");
}

#[test]
fn it_finds_nothing_in_a_process_that_holds_something_else() {
    let shell = Shell::holding("abc123def456:another-one-altogether");
    let scan = process::stop(shell.0.id())
        .expect("a child may be stopped")
        .scan(&needles())
        .expect("its memory is read");
    assert!(scan.hits.is_empty(), "{scan:?}");
}

#[test]
fn it_finds_a_copy_in_a_core_file_at_its_address_in_memory() {
    let shell = Shell::holding(&format!("{KEY}:{SECRET}"));
    let scan = process::stop(shell.0.id())
        .expect("a child may be stopped")
        .scan(&needles())
        .expect("its memory is read");
    let core = core_file::dump_and_scan(shell.0.id(), &needles()).expect("gcore writes a core file");
    for hit in scan.hits.iter().filter(|hit| hit.what == "header, plain") {
        assert!(core.hits.iter().any(|other| other.address == hit.address), "{hit:?}: {core:?}");
    }
}

#[test]
fn it_prints_what_it_finds_without_the_secret() {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    write!(file, "some {KEY}:{SECRET} text").expect("the file is written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_scan"));
    command.arg("--core").arg(file.path()).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut scan = command.spawn().expect("scan was built");
    writeln!(scan.stdin.take().expect("it was piped"), "{KEY}:{SECRET}").expect("scan reads");
    let output = scan.wait_with_output().expect("scan exits");
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("header, plain (after `some `)") && !text.contains(SECRET), "{text}");
}
