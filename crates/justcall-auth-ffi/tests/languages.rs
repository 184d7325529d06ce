//! The programs in `examples/ffi`, in six languages, as their README describes them: linted, and run with the library that a
//! plain `cargo build` makes. Set `JUSTCALL_LIB_DIR` to the folder of a built library to have that tested.
//!
//! `cargo xtask test` runs the one for Node.js, `cargo xtask test --full` also the others, which need more packages.

#![cfg(unix)]

#[allow(dead_code, reason = "shared with the tests of the C header, which use the rest")]
#[path = "abi/support/mod.rs"]
mod support;

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use support::program::succeed;
use support::sandbox::Service;
use support::{header, library, root};

/// The longest time that a program may take for a line: enough for a machine under load.
const PATIENCE: Duration = Duration::from_secs(120);
/// Not all ASCII, so that a program that mistakes the encoding fails.
const EMAIL: &str = "zoë@yourcompany.com";
const PATH: &str = "/v2.1/calls?per_page=1";

/// The folder for what is installed and compiled for `language`.
fn workplace(language: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("languages").join(language);
    fs::create_dir_all(&folder).expect("a folder in the target directory");
    folder
}

fn example(file: &str) -> PathBuf {
    root().join("examples/ffi").join(file)
}

/// A library with another ABI, in which every function but `justcall_abi_version` ends the program.
fn library_with_another_abi() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = workplace("another-abi");
        let mut code =
            String::from("#include <stdlib.h>\nunsigned justcall_abi_version(void) { return 2; }\n");
        for symbol in header::symbols().iter().filter(|symbol| *symbol != "justcall_abi_version") {
            code.extend(["void ", symbol, "(void) { abort(); }\n"]);
        }
        let source = folder.join("library.c");
        fs::write(&source, code).expect("the source is written");
        let mut compiler = Command::new("cc");
        succeed(compiler.args(["-shared", "-fPIC", "-o"]).arg(library::shared(&folder)).arg(source));
        folder
    })
}

/// An account of a sandbox, and a file with its pair.
struct Account {
    service: Service,
    folder: tempfile::TempDir,
    pair: Value,
}

impl Account {
    fn new() -> Self {
        let service = Service::start();
        let pair = service.sandbox.control("POST", "pairs", &json!({"email": EMAIL})).expect("an account");
        let account = Self { service, folder: tempfile::tempdir().expect("a folder for the test"), pair };
        account.write();
        account
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("pair")
    }

    fn secret(&self) -> &str {
        self.pair["api_secret"].as_str().expect("a secret")
    }

    /// Writes the pair to the file, whole or not at all.
    fn write(&self) {
        self.write_with(self.secret());
    }

    fn write_with(&self, secret: &str) {
        let beside = self.folder.path().join("new");
        let key = self.pair["api_key"].as_str().expect("a key");
        fs::write(&beside, format!("{key}:{secret}\n")).expect("the test's file");
        fs::rename(&beside, self.path()).expect("the test's folder");
    }

    /// Resets the pair. The file keeps the old one.
    fn reset(&mut self) {
        let old = json!({"api_key": self.pair["api_key"]});
        self.pair = self.service.sandbox.control("POST", "reset", &old).expect("a new pair");
    }

    /// The number of requests that succeeded with a pair of that generation.
    fn successes(&self, generation: u64) -> usize {
        let requests = self.service.sandbox.control("GET", "requests", &Value::Null).expect("the requests");
        let is_one =
            |request: &&Value| request["secret_generation"] == generation && request["status"] == 200;
        requests.as_array().expect("a list").iter().filter(is_one).count()
    }

    /// Prepares a program to use this account and the library in `folder`. `is_named`: the program is given the path of
    /// the library, else the system's loader finds it.
    fn prepare(&self, mut program: Command, folder: &Path, is_named: bool) -> Command {
        for variable in
            ["JUSTCALL_API_KEY", "JUSTCALL_API_SECRET", "CREDENTIALS_DIRECTORY", "JUSTCALL_LIBRARY"]
        {
            program.env_remove(variable);
        }
        if is_named {
            program.env("JUSTCALL_LIBRARY", library::shared(folder));
        }
        program.env("LD_LIBRARY_PATH", folder).env("LC_ALL", "C.UTF-8");
        program.env("JUSTCALL_CREDENTIALS", format!("file:{}", self.path().display()));
        program.env("SSL_CERT_FILE", self.service.ca_file()).arg(self.service.sandbox.url());
        program
    }
}

/// A program that runs.
struct Running {
    process: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended already, unless the test failed.
        let _ended = self.process.kill();
        let _status = self.process.wait();
    }
}

impl Running {
    fn start(mut program: Command) -> Self {
        let mut process = program.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it starts");
        let input = process.stdin.take();
        let output = BufReader::new(process.stdout.take().expect("a pipe"));
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            output.lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        Self { process, input, lines }
    }

    fn line(&self) -> String {
        self.lines.recv_timeout(PATIENCE).expect("the program prints a line")
    }

    fn get(&mut self, path: &str) -> String {
        let input = self.input.as_mut().expect("it is open");
        writeln!(input, "{path}").and_then(|()| input.flush()).expect("the program reads");
        self.line()
    }

    fn end(mut self) {
        drop(self.input.take());
        assert!(self.process.wait().expect("it ends").success(), "it fails at the end of its input");
        assert!(self.lines.recv().is_err(), "it prints more than a line for each path");
    }
}

/// Checks what the README promises of the program that `command` runs.
fn check(command: &dyn Fn() -> Command) {
    let mut account = Account::new();
    it_reports_failures_and_bridges_resets(&mut account, command);
    it_explains_why_a_pair_is_wrong(&account, command);
    it_refuses_a_library_with_another_abi(&account, command);
}

fn it_reports_failures_and_bridges_resets(account: &mut Account, command: &dyn Fn() -> Command) {
    let mut program = Running::start(account.prepare(command(), library::folder(), true));
    assert_eq!(program.line(), format!("verified {EMAIL}"));
    assert_eq!(program.get(PATH), "200");
    assert!(program.get("calls").starts_with("invalid_argument: "), "a path without a slash");
    assert_eq!(program.get(PATH), "200", "a failure changes nothing");

    account.reset();
    account.write();
    for _ in 0..3 {
        assert_eq!(program.get(PATH), "200", "a reset with the new pair in the source");
    }
    assert!(account.successes(2) >= 3, "the calls and the proof of the new pair");

    // The control: the same reset fails the call if the source keeps the old pair.
    account.reset();
    let printed = program.get(PATH);
    assert!(printed.starts_with("invalid_credentials: ") && printed.len() > 40, "{printed}");
    assert_eq!(account.successes(3), 0);
    // The library reads the source at most once a second then.
    account.write();
    let begun = Instant::now();
    while program.get(PATH) != "200" {
        assert!(begun.elapsed() < PATIENCE, "the program does not use the new pair");
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(account.successes(3) >= 1);
    program.end();
}

fn run(mut program: Command) -> (Output, String) {
    let output = program.stdin(Stdio::null()).output().expect("it starts");
    let printed = [&output.stdout[..], &output.stderr].concat();
    (output, String::from_utf8_lossy(&printed).into_owned())
}

fn it_explains_why_a_pair_is_wrong(account: &Account, command: &dyn Fn() -> Command) {
    account.write_with(&"0".repeat(40));
    let (output, printed) = run(account.prepare(command(), library::folder(), false));
    assert!(!output.status.success() && printed.contains("invalid_credentials: "), "{printed}");
    assert!(!printed.contains("verified") && !printed.contains(&"0".repeat(40)), "{printed}");
    account.write();
}

fn it_refuses_a_library_with_another_abi(account: &Account, command: &dyn Fn() -> Command) {
    let (output, printed) = run(account.prepare(command(), library_with_another_abi(), true));
    assert!(!output.status.success() && printed.contains("This program needs ABI 0"), "{printed}");
}

/// A program of debian-packages.txt or debian-packages-full.txt.
fn tool<const N: usize>(name: &str, arguments: [&str; N]) -> Command {
    let mut command = Command::new(name);
    command.args(arguments);
    command
}

/// Puts the example beside the modules that its lock file names. They are installed again when that file changes.
fn install_for_node() -> PathBuf {
    let folder = workplace("node");
    let read = |folder: &Path| fs::read(folder.join("package-lock.json")).ok();
    let is_installed =
        read(&folder) == read(&example("node")) && folder.join("node_modules/.package-lock.json").exists();
    for entry in fs::read_dir(example("node")).expect("the example") {
        let path = entry.expect("an entry").path();
        // A developer may have installed the modules in the example's folder.
        if path.is_file() {
            fs::copy(&path, folder.join(path.file_name().expect("a file"))).expect("it is copied");
        }
    }
    if !is_installed {
        let mut npm = tool("npm", ["ci", "--no-audit", "--no-fund", "--ignore-scripts"]);
        succeed(npm.current_dir(&folder));
    }
    folder
}

#[test]
fn it_verifies_and_survives_a_reset_from_node_js() {
    let folder = install_for_node();
    let lint = |name: &str| Command::new(folder.join("node_modules/.bin").join(name));
    succeed(lint("eslint").current_dir(&folder).args(["--max-warnings=0", "."]));
    succeed(lint("prettier").current_dir(&folder).args(["--check", "."]));
    check(&|| {
        let mut node = Command::new("node");
        node.arg(folder.join("verify.js"));
        node
    });
}

#[test]
fn it_verifies_and_survives_a_reset_from_php() {
    let program = example("php/verify.php");
    succeed(tool("php", ["-l"]).arg(&program));
    succeed(tool("phpcs", ["--standard=PSR12"]).arg(&program));
    check(&|| {
        let mut php = tool("php", ["-d", "ffi.enable=1"]);
        php.arg(&program);
        php
    });
}

#[test]
fn it_verifies_and_survives_a_reset_from_ruby() {
    let program = example("ruby/verify.rb");
    assert_eq!(succeed(tool("ruby", ["-wc"]).arg(&program)), "Syntax OK\n");
    succeed(tool("rubocop", ["--cache", "false"]).arg(&program));
    check(&|| {
        let mut ruby = tool("ruby", ["-w"]);
        ruby.arg(&program);
        ruby
    });
}

#[test]
fn it_verifies_and_survives_a_reset_from_go() {
    let folder = workplace("go");
    let source = example("go/verify.go");
    let program = folder.join("verify");
    let go = |command: &str| {
        let mut go = tool("go", [command]);
        go.env("CGO_CFLAGS", format!("-I{}", root().join("include").display()));
        go.env("CGO_LDFLAGS", format!("-L{}", library::folder().display()));
        go.env("GOCACHE", folder.join("cache")).env("GOFLAGS", "").env("GOPROXY", "off");
        go
    };
    assert_eq!(succeed(tool("gofmt", ["-l"]).arg(&source)), "", "gofmt formats it in another way");
    succeed(go("vet").arg(&source));
    succeed(go("build").arg("-o").arg(&program).arg(&source));
    check(&|| Command::new(&program));
}

/// Compiles the C# program whose `Main` is in the class `main`. Returns the command that runs it.
fn csharp(main: &str, sources: &[&str]) -> impl Fn() -> Command {
    let program = workplace("csharp").join(format!("{main}.exe"));
    let mut compiler = tool("mcs", ["-warnaserror", "-warn:4"]);
    compiler.arg(format!("-out:{}", program.display())).arg(format!("-main:{main}"));
    succeed(compiler.args(sources.iter().map(|source| example("csharp").join(source))));
    move || {
        let mut mono = Command::new("mono");
        mono.arg(&program);
        mono
    }
}

#[test]
fn it_verifies_and_survives_a_reset_from_csharp() {
    check(&csharp("Verify", &["Verify.cs"]));
}

#[test]
fn it_calls_a_handler_in_csharp_until_the_client_is_freed_and_then_frees_its_context() {
    let mut account = Account::new();
    let command = csharp("Events", &["Verify.cs", "Events.cs"]);
    let mut program = Running::start(account.prepare(command(), library::folder(), true));
    assert_eq!(program.get(PATH), "200");
    account.reset();
    account.write();
    let mut printed = vec![program.get(PATH)];
    while printed.last().is_some_and(|line| line.starts_with("event: ")) {
        printed.push(program.line());
    }
    assert_eq!(printed, ["event: pair_rejected", "event: source_changed", "event: rotated", "200"]);
    drop(program.input.take());
    assert_eq!(program.line(), "freed");
    program.end();
}

#[test]
fn it_verifies_and_survives_a_reset_from_java() {
    const JNA: &str = "/usr/share/java/jna.jar";
    let folder = workplace("java");
    let mut compiler = tool("javac", ["-Xlint:all", "-Werror", "-encoding", "UTF-8", "-cp", JNA, "-d"]);
    succeed(compiler.arg(&folder).arg(example("java/Verify.java")));
    check(&|| {
        let mut java = tool("java", ["-cp"]);
        java.arg(format!("{JNA}:{}", folder.display())).arg("Verify");
        java
    });
}

#[test]
fn its_programs_have_at_most_60_lines() {
    let programs = [
        "node/verify.js",
        "php/verify.php",
        "ruby/verify.rb",
        "go/verify.go",
        "csharp/Verify.cs",
        "java/Verify.java",
    ];
    for program in programs {
        let lines = fs::read_to_string(example(program)).expect("the example").lines().count();
        assert!((20..=60).contains(&lines), "{program} has {lines} lines");
    }
}
