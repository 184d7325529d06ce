//! `cargo xtask demo`: verifies a pair from every language and from the command, and shows typical failures.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};

pub use crate::build::Python;
use crate::run::{self, step};
use crate::sandbox::RunningSandbox;
use crate::{build, packages};

/// Builds the product and runs the demo. With `live`, verifies the pair in the environment with the real service.
pub fn run(root: &Path, live: bool) -> Result<()> {
    step("Debian packages", || packages::ensure(root, packages::DEMO))?;
    let python = Python::found()?;
    let binaries = step("library, command, sandbox and Python module", || build::product(root))?;
    let python = build::package(root, &binaries, python)?;
    if live { show_live(root, &binaries, &python) } else { run_with(root, &binaries, &python) }
}

/// Runs the demo with a sandbox and the builds in `binaries`. Fails if a program does not print the expected text.
pub fn run_with(root: &Path, binaries: &Path, python: &Python) -> Result<()> {
    let programs = step("examples", || programs(root, binaries, python))?;
    let sandbox = RunningSandbox::start(binaries)?;
    println!("\nA sandbox of the JustCall API listens at {}.", sandbox.member("url"));
    let pair = run::target_dir(root).join("demo").join("pair");
    for scenario in scenarios(&sandbox)? {
        println!("\n━━ {}", scenario.title);
        std::fs::write(&pair, &scenario.pair)?;
        for program in &programs {
            show(program, &scenario, &format!("file:{}", pair.display()), &sandbox)?;
        }
    }
    std::fs::remove_file(pair)?;
    println!("\n✓ every program gave the same result");
    Ok(())
}

/// A scenario, which every program runs.
struct Scenario {
    title: &'static str,
    /// The contents of the credentials file.
    pair: String,
    /// The texts that every program must print.
    expect: Vec<String>,
    succeeds: bool,
}

fn scenarios(sandbox: &RunningSandbox) -> Result<Vec<Scenario>> {
    let good = sandbox.control("pairs", r#"{"email": "admin@yourcompany.com", "plan": "Pro"}"#)?;
    let free = sandbox.control("pairs", r#"{"plan": "Free"}"#)?;
    let half = |pair: &serde_json::Value, name: &str| pair[name].as_str().unwrap_or_default().to_owned();
    let written =
        |pair: &serde_json::Value| format!("{}:{}\n", half(pair, "api_key"), half(pair, "api_secret"));
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    Ok(vec![
        Scenario {
            title: "A good pair: its account",
            pair: written(&good),
            expect: vec![good["account_id"].to_string(), "admin@yourcompany.com".into(), "Pro".into()],
            succeeds: true,
        },
        Scenario {
            title: "A wrong secret: 401",
            pair: format!("{}:{}\n", half(&good, "api_key"), "0".repeat(40)),
            expect: words(&["invalid_credentials", "Invalid API key or secret.", "separated by a colon"]),
            succeeds: false,
        },
        Scenario {
            title: "A plan without API access: 403",
            pair: written(&free),
            expect: words(&[
                "forbidden",
                "does not include API access",
                "Ask the Owner of the account to change the plan",
            ]),
            succeeds: false,
        },
        Scenario {
            title: "A pair with a trailing space: caught before anything is sent",
            pair: written(&good).replace('\n', " \n"),
            expect: words(&["credentials_malformed", "ends with a space or line break", "Nothing was sent"]),
            succeeds: false,
        },
    ])
}

/// A program that verifies a pair.
struct DemoProgram<'a> {
    name: &'static str,
    /// The command without the source, the base URL and the CA file.
    base: Box<dyn Fn() -> Command + 'a>,
    /// Whether these are named options, as those of `justcall-auth`. The examples take them in this order.
    named: bool,
    /// The search path of shared libraries.
    libraries: OsString,
}

impl DemoProgram<'_> {
    fn command(&self, source: &str, sandbox: Option<&RunningSandbox>) -> Command {
        let mut command = (self.base)();
        // Cargo sets this variable to its own folders, which take precedence over the run path of the C programs.
        command.env("LD_LIBRARY_PATH", &self.libraries);
        let mut add = |option: &str, value: &str| {
            if self.named {
                command.arg(option);
            }
            command.arg(value);
        };
        add("--source", source);
        if let Some(sandbox) = sandbox {
            add("--base-url", sandbox.member("url"));
            add("--ca-file", sandbox.member("ca_file"));
        }
        command
    }
}

fn show(
    program: &DemoProgram<'_>,
    scenario: &Scenario,
    source: &str,
    sandbox: &RunningSandbox,
) -> Result<()> {
    let output = program
        .command(source, Some(sandbox))
        .output()
        .with_context(|| format!("cannot run {}", program.name))?;
    let text =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    println!("\n  {}", program.name);
    text.lines().for_each(|line| println!("    {line}"));
    ensure!(output.status.success() == scenario.succeeds, "{} ended with {}", program.name, output.status);
    // The programs may break lines anywhere, so the check ignores line breaks.
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match scenario.expect.iter().find(|expected| !flat.contains(expected.as_str())) {
        Some(absent) => bail!("{} did not print {absent:?}", program.name),
        None => Ok(()),
    }
}

fn show_live(root: &Path, binaries: &Path, python: &Python) -> Result<()> {
    for variable in ["JUSTCALL_API_KEY", "JUSTCALL_API_SECRET"] {
        ensure!(std::env::var_os(variable).is_some(), "--live needs {variable} in the environment");
    }
    let mut failed = Vec::new();
    for program in programs(root, binaries, python)? {
        println!("\n  {}", program.name);
        if !program.command("env:", None).status()?.success() {
            failed.push(program.name);
        }
    }
    ensure!(failed.is_empty(), "not verified by: {}", failed.join(", "));
    Ok(())
}

/// Compiles the examples with the builds in `binaries`. Returns all programs of the demo.
fn programs<'a>(root: &'a Path, binaries: &'a Path, python: &'a Python) -> Result<Vec<DemoProgram<'a>>> {
    let inherited = std::env::var_os("LD_LIBRARY_PATH").unwrap_or_default();
    let folders = std::iter::once(binaries.to_owned()).chain(std::env::split_paths(&inherited));
    let libraries = std::env::join_paths(folders)?;
    let program = |name, named, base: Box<dyn Fn() -> Command + 'a>| {
        let libraries = libraries.clone();
        DemoProgram { name, base, named, libraries }
    };
    let c = build::with_c_library(root, "cc", "examples/c/verify.c", binaries)?;
    let cpp = build::with_c_library(root, "c++", "examples/cpp/verify.cpp", binaries)?;
    let rust = build::with_rust_library(root, "examples/rust/verify.rs", binaries)?;
    let script = move || {
        let mut command = python.command();
        command.arg(root.join("examples/python/verify.py"));
        command
    };
    let verify = move || {
        let mut command = Command::new(binaries.join("justcall-auth"));
        command.arg("verify");
        command
    };
    Ok(vec![
        program("C        examples/c/verify.c", false, Box::new(move || Command::new(&c))),
        program("C++      examples/cpp/verify.cpp", false, Box::new(move || Command::new(&cpp))),
        program("Python   examples/python/verify.py", false, Box::new(script)),
        program("Rust     examples/rust/verify.rs", false, Box::new(move || Command::new(&rust))),
        program("command  justcall-auth verify", true, Box::new(verify)),
    ])
}
