//! Output on a terminal.

#![cfg(unix)]

use std::fs::{File, OpenOptions};
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::process::Stdio;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::run::{Service, command};

/// Runs the command with a terminal as its standard output. Returns the exit code, the displayed text and standard
/// error.
pub fn run(arguments: &[&str], variables: &[(&str, &str)]) -> (i32, String, String) {
    run_on(arguments, variables, |_| Stdio::piped())
}

/// Runs the command with a terminal as both outputs. Returns the exit code and the displayed text.
pub fn run_on_terminal(arguments: &[&str], variables: &[(&str, &str)]) -> (i32, String) {
    let on_terminal = |terminal: &File| terminal.try_clone().expect("a handle").into();
    let (exit, shown, _) = run_on(arguments, variables, on_terminal);
    (exit, shown)
}

/// Opens a terminal. Returns the end of the user and that of the programs.
pub fn open() -> (File, File) {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a pseudo-terminal");
    grantpt(&master).expect("the terminal is new");
    unlockpt(&master).expect("the terminal is new");
    let name = ptsname(&master, Vec::new()).expect("it has a name");
    let name = std::ffi::OsStr::from_bytes(name.as_bytes());
    let terminal = OpenOptions::new().read(true).write(true).open(name).expect("it opens");
    (master.into(), terminal)
}

fn run_on(
    arguments: &[&str],
    variables: &[(&str, &str)],
    stderr: impl FnOnce(&File) -> Stdio,
) -> (i32, String, String) {
    let (master, terminal) = open();
    // The command is dropped at the end of this statement, which closes this side of the terminal.
    let ended = command(arguments, variables)
        .stderr(stderr(&terminal))
        .stdout(terminal)
        .spawn()
        .and_then(std::process::Child::wait_with_output)
        .expect("it runs");
    let mut shown = Vec::new();
    // After all output, Linux ends the stream of a closed terminal with an error.
    let _ = (&master).read_to_end(&mut shown);
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8").replace("\r\n", "\n");
    (ended.status.code().expect("no signal ended it"), text(shown), text(ended.stderr))
}

const TERM: (&str, &str) = ("TERM", "xterm");

#[test]
fn it_is_coloured_on_a_terminal() {
    let (exit, shown, _) = run(&["explain", "403"], &[TERM]);
    assert_eq!(exit, 0);
    assert!(shown.contains("\u{1b}[1mforbidden\u{1b}[0m"), "{shown:?}");
}

#[test]
fn it_is_plain_on_a_terminal_if_colour_is_disabled() {
    for (arguments, variables) in [
        (&["explain", "403"][..], &[TERM, ("NO_COLOR", "1")][..]),
        (&["explain", "403", "--color", "never"], &[TERM]),
        (&["explain", "403"], &[("TERM", "dumb")]),
    ] {
        let (_, shown, _) = run(arguments, variables);
        assert!(shown.starts_with("forbidden") && !shown.contains('\u{1b}'), "{variables:?} {shown:?}");
    }
}

#[test]
fn it_colours_other_output_only_if_requested() {
    let service = Service::start();
    let plain = service.run(&["verify"]);
    assert!(plain.exit == 0 && !plain.stdout.contains('\u{1b}'), "{plain:?}");
    let coloured = service.run(&["verify", "--color", "always"]);
    assert!(coloured.stdout.contains("\u{1b}["), "{coloured:?}");
    let failed = service.run_as("abc123def456", "sec789xyz000", &["verify", "--color=always"]);
    assert!(failed.stderr.contains("\u{1b}["), "{failed:?}");
    let json = service.run(&["verify", "--color=always", "--json"]);
    assert!(!json.stdout.contains('\u{1b}'), "{json:?}");
    assert!(crate::run::run(&["--color=always", "--help"], &[]).stdout.contains("\u{1b}["));
    assert!(!crate::run::run(&["--help"], &[]).stdout.contains('\u{1b}'));
}
