//! Describes the machine and the commit that the figures belong to.

use std::fs;
use std::path::Path;
use std::process::Command;

use xtask_demo::run::{command, output};

/// Returns the commit, the date and the properties of the machine, each as a name and a value.
pub fn describe(root: &Path) -> Vec<(&'static str, String)> {
    vec![
        ("commit", commit(root)),
        ("date", first_line(Command::new("date").args(["--utc", "+%F %H:%M UTC"]))),
        (
            "processor",
            format!("{} × {}", std::thread::available_parallelism().map_or(1, usize::from), processor()),
        ),
        (
            "load before",
            fs::read_to_string("/proc/loadavg")
                .unwrap_or_default()
                .split(' ')
                .take(3)
                .collect::<Vec<_>>()
                .join(" "),
        ),
        ("scheduling", scheduling()),
        ("system", format!("{}, Linux {}", system(), first_line(Command::new("uname").arg("-r")))),
        ("rustc", first_line(Command::new("rustc").arg("--version"))),
        ("nginx", nginx()),
        ("curl", first_line(Command::new("curl").arg("--version"))),
    ]
}

/// Returns the commit, and whether the measured files have uncommitted changes.
fn commit(root: &Path) -> String {
    let head = first_line(&mut command(root, "git", &["rev-parse", "--short", "HEAD"]));
    let product =
        ["status", "--porcelain", "--", "crates", "bindings/python", "include", "Cargo.lock", "bench"];
    let changed = output(&mut command(root, "git", &product)).unwrap_or_default();
    if changed.is_empty() { head } else { format!("{head}, with changes not committed") }
}

/// Returns the scheduling policy of the peers: `SCHED_RR` under `chrt --rr 1`, which lets them run before other work.
fn scheduling() -> String {
    let line = first_line(Command::new("chrt").arg("--pid").arg(std::process::id().to_string()));
    line.rsplit(": ").next().unwrap_or_default().to_owned()
}

fn processor() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model =
        text.lines().find(|line| line.starts_with("model name")).and_then(|line| line.split_once(':'));
    model.map_or("unknown", |(_, name)| name.trim()).to_owned()
}

fn system() -> String {
    let text = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let name = text.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="));
    name.unwrap_or("unknown").trim_matches('"').to_owned()
}

/// nginx prints its version on standard error.
fn nginx() -> String {
    let search = format!("{}:/usr/sbin", std::env::var("PATH").unwrap_or_default());
    let output = Command::new("nginx").env("PATH", search).arg("-v").output();
    let line = output.map(|output| String::from_utf8_lossy(&output.stderr).into_owned()).unwrap_or_default();
    line.trim().trim_start_matches("nginx version: ").to_owned()
}

fn first_line(command: &mut Command) -> String {
    output(command).unwrap_or_default().lines().next().unwrap_or("unknown").trim().to_owned()
}
