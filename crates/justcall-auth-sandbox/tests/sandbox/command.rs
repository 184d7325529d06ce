//! The command `justcall-auth-sandbox`.

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

/// The running command. Dropping it kills the process, so that a failed test leaves nothing behind.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(arguments: &[&str]) -> (Running, Value) {
    start_command(&mut command(arguments))
}

fn start_command(command: &mut Command) -> (Running, Value) {
    let mut child = Running(command.spawn().expect("the command was built"));
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
        assert_eq!(more, "", "it prints one line only");
    }
}

#[test]
fn it_exits_when_standard_input_ends_if_the_option_is_set() {
    let (mut child, ready) = start(&["--until-stdin-closes", "--http", "--dialect", "measured"]);
    assert_eq!((account_status(&ready), &ready["ca_file"]), (404, &Value::Null));
    drop(child.0.stdin.take());
    assert_eq!(child.0.wait().unwrap().code(), Some(0));
}

#[test]
fn it_continues_after_standard_input_ends_without_the_option() {
    let (mut child, ready) = start(&["--http"]);
    drop(child.0.stdin.take());
    assert_eq!(account_status(&ready), 200);
}

#[test]
fn it_explains_why_it_refuses_an_option() {
    let output = command(&["--listen", "0.0.0.0:0"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("not a loopback address"));
    assert!(output.stdout.is_empty());
    let usage = command(&["--http", "--ca-file", "x"]).output().unwrap();
    assert_eq!(usage.status.code(), Some(2));
}

/// A folder of programs. Dropping it removes the folder.
#[cfg(target_os = "linux")]
struct Programs(std::path::PathBuf);

#[cfg(target_os = "linux")]
impl Programs {
    /// Creates a folder with an `xdg-open` that runs these lines of shell.
    fn with_opener(lines: &str) -> Self {
        use std::os::unix::fs::PermissionsExt as _;
        static NUMBER: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("sandbox-opener-{}-{number}", std::process::id()));
        std::fs::create_dir(&folder).unwrap();
        let opener = folder.join("xdg-open");
        std::fs::write(&opener, format!("#!/bin/sh\n{lines}\n")).unwrap();
        std::fs::set_permissions(&opener, std::fs::Permissions::from_mode(0o755)).unwrap();
        Self(folder)
    }
}

#[cfg(target_os = "linux")]
impl Drop for Programs {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn it_opens_the_console_in_a_browser() {
    let programs = Programs::with_opener(r#"echo "$1" > "$0.url""#);
    let mut command = command(&["--open"]);
    let (_child, ready) = start_command(command.env("PATH", &programs.0));
    let opened = || std::fs::read_to_string(programs.0.join("xdg-open.url")).unwrap_or_default();
    crate::client::eventually(|| opened().ends_with('\n'));
    let url = opened();
    assert_eq!(ready["console_url"], url.trim_end());
    assert!(url.starts_with("http://127.0.0.1:"), "a browser does not trust the sandbox's authority: {url}");
}

#[cfg(target_os = "linux")]
#[test]
fn it_prints_the_address_of_the_console_if_there_is_no_browser() {
    let failing = Programs::with_opener("exit 3");
    let none = Programs::with_opener("");
    std::fs::remove_file(none.0.join("xdg-open")).unwrap();
    for programs in [failing, none] {
        let mut command = command(&["--open", "--until-stdin-closes"]);
        let (mut child, ready) = start_command(command.env("PATH", &programs.0));
        let mut line = String::new();
        BufReader::new(child.0.stderr.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert!(line.contains(ready["console_url"].as_str().unwrap()), "{line}");
        assert_eq!(account_status(&ready), 200, "it serves all the same");
    }
}

#[test]
fn it_serves_no_console_unless_asked() {
    assert_eq!(start(&[]).1["console_url"], Value::Null);
    let (_child, ready) = start(&["--console"]);
    assert!(ready["console_url"].as_str().is_some_and(|url| url.ends_with("/console/")));
}

#[test]
fn it_describes_itself() {
    let output = command(&["--help"]).output().unwrap();
    let help = String::from_utf8_lossy(&output.stdout).into_owned();
    for option in [
        "--listen",
        "--http",
        "--ca-file",
        "--dialect",
        "--until-stdin-closes",
        "control_url",
        "--console",
        "--open",
    ] {
        assert!(help.contains(option), "{option}");
    }
}
