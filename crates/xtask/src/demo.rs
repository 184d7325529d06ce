//! `cargo xtask demo`: the main job from every face, and what its failures look like.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};

use crate::packages;
use crate::python::Venv;
use crate::run::{self, cargo, step, succeed};
use crate::sandbox::Sandbox;

/// Builds what it needs, then shows it.
pub fn run(root: &Path, live: bool) -> Result<()> {
    step("Debian packages", || packages::ensure(root, packages::TESTS))?;
    let venv = step("Python environment", || Venv::ensure(root))?;
    step("Python module", || venv.install_module(root))?;
    if live { show_live(root, &venv) } else { run_with(root, &venv) }
}

/// The demo against a sandbox; it fails when a face does not do what is announced.
pub fn run_with(root: &Path, venv: &Venv) -> Result<()> {
    let faces = step("building the examples", || build(root, venv))?;
    let binaries = run::target_dir(root).join("debug");
    let sandbox = Sandbox::start(&binaries)?;
    println!("\nA sandbox of the JustCall API listens at {}.", sandbox.member("url"));
    let folder = tempfile::tempdir()?;
    for scenario in scenarios(&sandbox)? {
        println!("\n━━ {}", scenario.title);
        let pair = folder.path().join("pair");
        std::fs::write(&pair, &scenario.pair)?;
        for face in &faces {
            show(face, &scenario, &format!("file:{}", pair.display()), &sandbox)?;
        }
    }
    println!("\n✓ every face did the same");
    Ok(())
}

/// One thing to see.
struct Scenario {
    title: &'static str,
    /// What the credentials file holds.
    pair: String,
    /// What must be printed, by every face.
    expect: Vec<String>,
    succeeds: bool,
}

fn scenarios(sandbox: &Sandbox) -> Result<Vec<Scenario>> {
    let good = sandbox.control("pairs", r#"{"email": "admin@yourcompany.com", "plan": "Pro"}"#)?;
    let free = sandbox.control("pairs", r#"{"plan": "Free"}"#)?;
    let half = |pair: &serde_json::Value, name: &str| pair[name].as_str().unwrap_or_default().to_owned();
    let written =
        |pair: &serde_json::Value| format!("{}:{}\n", half(pair, "api_key"), half(pair, "api_secret"));
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    Ok(vec![
        Scenario {
            title: "A good pair: whose is it?",
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
            expect: words(&["forbidden", "does not include API access", "the Owner can change the plan"]),
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

/// A program that verifies a pair: what to call it, and how to run it.
struct Face {
    name: &'static str,
    program: PathBuf,
    /// What comes before the source, the base URL and the CA file.
    leading: Vec<String>,
    /// The command line names its options; the examples take them in order.
    named: bool,
}

impl Face {
    fn command(&self, source: &str, sandbox: Option<&Sandbox>) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.leading);
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

fn show(face: &Face, scenario: &Scenario, source: &str, sandbox: &Sandbox) -> Result<()> {
    let output =
        face.command(source, Some(sandbox)).output().with_context(|| format!("cannot run {}", face.name))?;
    let text =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    println!("\n  {}", face.name);
    text.lines().for_each(|line| println!("    {line}"));
    ensure!(output.status.success() == scenario.succeeds, "{} ended with {}", face.name, output.status);
    // A person reads lines that are broken anywhere; the check does not care where.
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match scenario.expect.iter().find(|expected| !flat.contains(expected.as_str())) {
        Some(absent) => bail!("{} did not say {absent:?}", face.name),
        None => Ok(()),
    }
}

fn show_live(root: &Path, venv: &Venv) -> Result<()> {
    for variable in ["JUSTCALL_API_KEY", "JUSTCALL_API_SECRET"] {
        ensure!(std::env::var_os(variable).is_some(), "--live needs {variable} in the environment");
    }
    let mut failed = Vec::new();
    for face in build(root, venv)? {
        println!("\n  {}", face.name);
        if !face.command("env:", None).status()?.success() {
            failed.push(face.name);
        }
    }
    ensure!(failed.is_empty(), "not verified by: {}", failed.join(", "));
    Ok(())
}

fn build(root: &Path, venv: &Venv) -> Result<Vec<Face>> {
    let packages = ["-p", "justcall-auth-ffi", "-p", "justcall-auth-cli", "-p", "justcall-auth-sandbox"];
    succeed(cargo(root, &["build", "--quiet"]).args(packages))?;
    succeed(&mut cargo(root, &["build", "--quiet", "-p", "justcall-auth", "--example", "verify"]))?;
    let binaries = run::target_dir(root).join("debug");
    let folder = run::target_dir(root).join("demo");
    std::fs::create_dir_all(&folder)?;
    let compile = |compiler: &str, source: &str, name: &str| -> Result<PathBuf> {
        let program = folder.join(name);
        let mut command =
            run::command(root, compiler, &["-O2", "-Wall", "-Wextra", "-Iinclude", source, "-o"]);
        let library = binaries.display();
        command
            .arg(&program)
            .arg(format!("-L{library}"))
            .arg("-ljustcall_auth")
            .arg(format!("-Wl,-rpath,{library}"));
        succeed(&mut command)?;
        Ok(program)
    };
    let face = |name, program, leading: &[&str], named| Face {
        name,
        program,
        leading: leading.iter().map(|word| (*word).to_owned()).collect(),
        named,
    };
    let python = root.join("examples/python/verify.py").display().to_string();
    Ok(vec![
        face("C        examples/c/verify.c", compile("cc", "examples/c/verify.c", "verify-c")?, &[], false),
        face(
            "C++      examples/cpp/verify.cpp",
            compile("c++", "examples/cpp/verify.cpp", "verify-cpp")?,
            &[],
            false,
        ),
        face("Python   examples/python/verify.py", venv.program("python"), &[&python], false),
        face("Rust     examples/rust/verify.rs", binaries.join("examples/verify"), &[], false),
        face("command  justcall-auth verify", binaries.join("justcall-auth"), &["verify"], true),
    ])
}
