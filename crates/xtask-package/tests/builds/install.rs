//! `cargo xtask install` on this machine, with its own compiler.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use justcall_auth_sandbox::{Sandbox, SandboxConfig};
use xtask_demo::run;
use xtask_package::binary;

/// Returns the files and links below `folder`, relative to it.
fn files(folder: &Path) -> BTreeSet<String> {
    let printed = run::output(Command::new("find").arg(folder).args(["!", "-type", "d", "-printf", "%P\n"]));
    printed.expect("find lists it").lines().map(str::to_owned).collect()
}

/// Runs `cargo xtask install` with these arguments. Returns the folder of the prefix, below `destination`.
fn install(destination: &Path, arguments: &[&str]) -> PathBuf {
    let mut install = Command::new(env!("CARGO_BIN_EXE_xtask-package"));
    install.args(["install", "--prefix", "/opt/justcall"]).args(arguments).env("DESTDIR", destination);
    run::succeed(&mut install).expect("it installs");
    destination.join("opt/justcall")
}

#[test]
fn it_installs_what_was_asked_for_and_the_command_and_a_program_verify_a_pair() {
    let destination = tempfile::tempdir().expect("a folder");
    let prefix = install(destination.path(), &[]);
    let listed = fs::read_to_string(run::root().join("packaging/installed-files.txt")).expect("the list");
    let is_default = |file: &&str| !file.contains("sandbox");
    let expected: BTreeSet<String> = listed.lines().filter(is_default).map(str::to_owned).collect();
    assert_eq!(files(&prefix), expected);
    assert_eq!(
        binary::exports(&prefix.join("lib/libjustcall_auth.so.0")).expect("nm reads it").len(),
        binary::global_symbols(&prefix.join("lib/libjustcall_auth.a")).expect("nm reads it").len(),
    );

    let sandbox = Sandbox::start(SandboxConfig::default()).expect("a sandbox starts");
    let pair = destination.path().join("pair");
    fs::write(&pair, format!("{}:{}\n", sandbox.api_key(), sandbox.api_secret())).expect("the pair");
    let (source, authority) = (format!("file:{}", pair.display()), sandbox.ca_file().expect("TLS is on"));
    let mut verify = Command::new(prefix.join("bin/justcall-auth"));
    verify.args(["verify", "--source", &source, "--base-url", sandbox.url(), "--ca-file"]).arg(authority);
    assert!(run::output(&mut verify).expect("it verifies").contains("admin@yourcompany.com"));

    let program = destination.path().join("program");
    let mut pkg_config = Command::new("pkg-config");
    pkg_config.args(["--cflags", "--libs", "justcall_auth"]);
    let options =
        run::output(pkg_config.env("PKG_CONFIG_PATH", prefix.join("lib/pkgconfig"))).expect("options");
    let mut cc = Command::new("cc");
    cc.arg(run::root().join("examples/c/verify.c")).args(options.split_whitespace());
    run::succeed(cc.arg("-o").arg(&program)).expect("it links");
    let mut verify = Command::new(&program);
    verify.args([&*source, sandbox.url()]).arg(authority).env("LD_LIBRARY_PATH", prefix.join("lib"));
    assert!(run::output(&mut verify).expect("it verifies").contains("account: 12345\n"));

    // The second time nothing is compiled. Only the command is asked for.
    let prefix = install(&destination.path().join("second"), &["--parts", "command"]);
    let of_command = |file: &String| !file.starts_with("lib/") && !file.starts_with("include/");
    assert_eq!(files(&prefix), expected.into_iter().filter(of_command).collect());
}
