//! The code that `setup` prints works in programs.
#![cfg(unix)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::SystemTime;

use crate::rotation::Rotation;

/// A pair under a name that is hard to quote, and the code printed for a language.
struct Printed {
    rotation: Rotation,
    lines: String,
}

impl Printed {
    fn for_language(language: &str) -> Self {
        let rotation = Rotation::after_reset();
        let path = rotation.folder.path().join("it's a \"pair\" with \\ and $HOME.json");
        let source = format!("file:{}", path.display());
        let options = ["setup", "--source", &source, "--language", language];
        let done = rotation.feed(&options, &[], &rotation.new);
        assert_eq!(done.exit, 0, "{done:?}");
        let (_, lines) = done.stdout.split_once(":\n\n").expect("lines after an empty one");
        let verified = rotation.feed(&["verify", "--source", &source], &[], "");
        assert_eq!(verified.exit, 0, "{verified:?}");
        Self { lines: lines.to_owned(), rotation }
    }

    /// Writes a file with `text` around the code. Lines that must be outside of functions move to the top.
    fn paste(&self, name: &str, begin: &str, end: &str) -> PathBuf {
        let (above, inside): (Vec<&str>, Vec<&str>) =
            self.lines.lines().partition(|line| line.starts_with("#include"));
        let text = format!("{}\n{begin}\n{}\n{end}\n", above.join("\n"), inside.join("\n"));
        let path = self.rotation.folder.path().join(name);
        fs::write(&path, text).expect("a file");
        path
    }
}

fn succeed(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?} cannot run: {error}"));
    let printed = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} ended with {}:\n{printed}", output.status);
    output
}

const EMAIL: &str = "admin@yourcompany.com";

#[track_caller]
fn prints_the_account(output: &Output) {
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(printed.contains(EMAIL), "{printed}");
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("two folders deep").to_owned()
}

/// Returns the output folder of cargo: `debug` or `release`.
fn built() -> PathBuf {
    Path::new(env!("CARGO_BIN_EXE_justcall-auth")).parent().expect("it is in a folder").to_owned()
}

/// Returns the folder with the newly built C library.
fn library() -> PathBuf {
    if let Some(folder) = std::env::var_os("JUSTCALL_LIB_DIR") {
        return PathBuf::from(folder).canonicalize().expect("JUSTCALL_LIB_DIR is a folder");
    }
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--package", "justcall-auth-ffi", "--lib"]).current_dir(root());
    if built().ends_with("release") {
        cargo.arg("--release");
    }
    succeed(&mut cargo);
    built()
}

fn compiled(compiler: &str, standard: &str, source: &Path) -> Command {
    let program = source.with_extension("program");
    let mut command = Command::new(compiler);
    command.args([standard, "-Wall", "-Wextra", "-Werror", "-pthread"]).arg("-I").arg(root().join("include"));
    command.arg(source).arg("-L").arg(library()).arg("-ljustcall_auth").arg("-o").arg(&program);
    succeed(&mut command);
    let mut run = Command::new(program);
    run.env("LD_LIBRARY_PATH", library());
    run
}

#[test]
fn the_python_lines_run() {
    let printed = Printed::for_language("python");
    assert_eq!(printed.lines.lines().count(), 3, "{}", printed.lines);
    let script = printed.paste("paste.py", "", "");
    // `cargo xtask test` sets this variable. Otherwise the test uses the Python environment that xtask created.
    let python = std::env::var_os("JUSTCALL_PYTHON")
        .map_or_else(|| built().with_file_name("venv").join("bin/python"), PathBuf::from);
    prints_the_account(&succeed(Command::new(python).arg("-B").arg(script)));
}

#[test]
fn the_c_lines_run() {
    let printed = Printed::for_language("c");
    let source = printed.paste(
        "paste.c",
        "#include <stdio.h>\nint main(void) {\n",
        "justcall_account *account = NULL;\nif (status == JUSTCALL_OK) status = justcall_client_verify(client, &account, NULL);\nif (status == JUSTCALL_OK) puts(justcall_account_email(account));\njustcall_account_free(account);\njustcall_client_free(client);\njustcall_config_free(config);\nreturn status;\n}",
    );
    prints_the_account(&succeed(&mut compiled("cc", "-std=c99", &source)));
}

#[test]
fn the_cpp_lines_run() {
    let printed = Printed::for_language("c++");
    assert_eq!(printed.lines.lines().count(), 3, "{}", printed.lines);
    let source = printed.paste(
        "paste.cpp",
        "#include <iostream>\nint main() {\n",
        "std::cout << account.email().value_or(\"?\") << \"\\n\";\n}",
    );
    prints_the_account(&succeed(&mut compiled("c++", "-std=c++17", &source)));
}

#[test]
fn the_rust_lines_run() {
    let printed = Printed::for_language("rust");
    assert_eq!(printed.lines.lines().count(), 3, "{}", printed.lines);
    let source =
        printed.paste("paste.rs", "fn main() -> Result<(), Box<dyn std::error::Error>> {", "Ok(())\n}");
    let program = source.with_extension("program");
    let dependencies = built().join("deps");
    // Cargo keeps older builds; this command was linked with the newest.
    let mut libraries: Vec<(SystemTime, PathBuf)> = fs::read_dir(&dependencies)
        .expect("a folder")
        .map(|entry| entry.expect("an entry"))
        .filter(|entry| {
            let path = entry.path();
            let is_ours = entry.file_name().to_string_lossy().starts_with("libjustcall_auth-");
            is_ours && path.extension().is_some_and(|kind| kind == "rlib")
        })
        .map(|entry| (entry.metadata().and_then(|about| about.modified()).expect("a time"), entry.path()))
        .collect();
    libraries.sort();
    let is_built = libraries.iter().rev().any(|(_, library)| {
        let mut rustc = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
        rustc.args(["--edition=2024", "--extern"]).arg(format!("justcall_auth={}", library.display()));
        rustc.arg("-L").arg(format!("dependency={}", dependencies.display())).arg("-o").arg(&program);
        rustc.arg(&source).output().expect("rustc runs").status.success()
    });
    assert!(is_built, "the lines compile: {}", printed.lines);
    prints_the_account(&succeed(&mut Command::new(program)));
}

#[test]
fn the_curl_lines_run() {
    let printed = Printed::for_language("curl");
    let script = printed.paste("paste.sh", "set -e", "");
    let path = format!("{}:{}", built().display(), std::env::var("PATH").expect("a PATH"));
    let output = succeed(Command::new("sh").arg(script).env("PATH", path));
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(printed.contains("\"success\""), "{printed}");
}
