//! The command.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::client::{Connection, pair_in, path};

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_justcall-auth-sandbox"));
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The running command; a test that fails does not leave it behind.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(arguments: &[&str]) -> (Running, Value) {
    let mut child = Running(command(arguments).spawn().expect("the command was built"));
    let mut line = String::new();
    let stdout = child.0.stdout.as_mut().expect("it is piped");
    BufReader::new(stdout).read_line(&mut line).expect("it is text");
    assert!(line.ends_with('\n'));
    (child, serde_json::from_str(&line).expect("the line is JSON"))
}

fn account_status(ready: &Value) -> u16 {
    let url = ready["url"].as_str().expect("there is a URL");
    let mut connection =
        Connection::open_url(url, ready["ca_file"].as_str().map(Path::new)).expect("it connects");
    connection.get(&pair_in(ready), "/v2/account").expect("it sends");
    connection.answer().expect("it is answered").status
}

#[cfg(unix)]
#[test]
fn it_announces_itself_serves_and_ends_on_a_signal_without_a_trace() {
    use rustix::process::{Pid, Signal, kill_process};
    for signal in [Signal::TERM, Signal::INT] {
        let (mut child, ready) = start(&[]);
        let ca_file = Path::new(ready["ca_file"].as_str().unwrap()).to_owned();
        assert_eq!(account_status(&ready), 200);
        assert!(ready["control_url"].as_str().is_some_and(|url| path(url).starts_with("/control/")));
        kill_process(Pid::from_child(&child.0), signal).unwrap();
        assert_eq!(child.0.wait().unwrap().code(), Some(0));
        assert!(!ca_file.exists());
        let mut more = String::new();
        child.0.stdout.take().unwrap().read_to_string(&mut more).unwrap();
        child.0.stderr.take().unwrap().read_to_string(&mut more).unwrap();
        assert_eq!(more, "", "one line is all it says");
    }
}

#[test]
fn it_ends_with_its_standard_input_if_told_so() {
    let (mut child, ready) = start(&["--until-stdin-closes", "--http", "--dialect", "measured"]);
    assert_eq!((account_status(&ready), &ready["ca_file"]), (404, &Value::Null));
    drop(child.0.stdin.take());
    assert_eq!(child.0.wait().unwrap().code(), Some(0));
}

#[test]
fn it_serves_on_after_its_standard_input_ends() {
    let (mut child, ready) = start(&["--http"]);
    drop(child.0.stdin.take());
    assert_eq!(account_status(&ready), 200);
}

#[test]
fn it_explains_what_it_will_not_do() {
    let output = command(&["--listen", "0.0.0.0:0"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("not a loopback address"));
    assert!(output.stdout.is_empty());
    let usage = command(&["--http", "--ca-file", "x"]).output().unwrap();
    assert_eq!(usage.status.code(), Some(2));
}

#[test]
fn it_describes_itself() {
    let output = command(&["--help"]).output().unwrap();
    let help = String::from_utf8_lossy(&output.stdout).into_owned();
    for option in ["--listen", "--http", "--ca-file", "--dialect", "--until-stdin-closes", "control_url"] {
        assert!(help.contains(option), "{option}");
    }
}
