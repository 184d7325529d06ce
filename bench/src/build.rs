//! Builds the programs that the bench measures.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use xtask_demo::run::{cargo, command, output, step, succeed, target_dir};

/// The paths of the programs.
pub struct BenchPrograms {
    /// The folder of the C workers and of `once`.
    pub workers: PathBuf,
    /// The program that measures the secret work of a call, in Rust.
    pub secret_worker: PathBuf,
    /// The release build of the command.
    pub cli: PathBuf,
    /// The Python that has the peers installed.
    pub python: PathBuf,
    /// Whether the Python module was built and can be imported.
    pub python_has_ours: bool,
    pub python_worker: PathBuf,
}

pub fn all(root: &Path) -> Result<BenchPrograms> {
    let release = target_dir(root).join("release");
    step("release build of the library and the command", || {
        succeed(&mut cargo(
            root,
            &["build", "--quiet", "--release", "-p", "justcall-auth-ffi", "-p", "justcall-auth-cli"],
        ))
    })?;
    let not_wiping = step("the library without the wiping allocator", || not_wiping_library(root))?;
    let secret_worker = step("Rust worker", || secret_worker(root, &release))?;
    let workers = step("C workers", || c_workers(root, &release, &not_wiping))?;
    let venv = step("Python peers", || venv(root))?;
    let built = step("Python module", || module(root, &venv));
    if let Err(error) = &built {
        println!("  not measured: {error:#}");
    }
    Ok(BenchPrograms {
        workers,
        secret_worker,
        cli: release.join("justcall-auth"),
        python: venv.join("bin/python"),
        python_has_ours: built.is_ok(),
        python_worker: root.join("bench/python/worker.py"),
    })
}

/// Builds into a separate folder, because this build must not ship.
fn not_wiping_library(root: &Path) -> Result<PathBuf> {
    let folder = target_dir(root).join("bench-disable-wiping-allocator");
    let mut library = cargo(root, &["build", "--quiet", "--release", "-p", "justcall-auth-ffi"]);
    succeed(library.args(["--features", "disable-wiping-allocator", "--target-dir"]).arg(&folder))?;
    Ok(folder.join("release"))
}

fn secret_worker(root: &Path, release: &Path) -> Result<PathBuf> {
    let example = ["build", "--quiet", "--release", "-p", "justcall-auth", "--example", "bench_secret"];
    succeed(&mut cargo(root, &example))?;
    Ok(release.join("examples/bench_secret"))
}

fn c_workers(root: &Path, release: &Path, not_wiping: &Path) -> Result<PathBuf> {
    let folder = target_dir(root).join("bench");
    fs::create_dir_all(&folder)?;
    let link = |folder: &Path| {
        let folder = folder.display();
        ["-ljustcall_auth".to_owned(), format!("-L{folder}"), format!("-Wl,-rpath,{folder}")].to_vec()
    };
    let programs = [
        ("ours", "ours", link(release)),
        ("ours-disable-wiping-allocator", "ours", link(not_wiping)),
        ("libcurl", "libcurl", vec!["-lcurl".to_owned()]),
        ("once", "once", vec![]),
    ];
    for (name, source, link) in programs {
        let source = format!("bench/c/{source}.c");
        let mut compiler = command(root, "cc", &["-O2", "-Wall", "-Wextra", "-Iinclude", &source, "-o"]);
        compiler.arg(folder.join(name)).args(link);
        succeed(&mut compiler)?;
    }
    Ok(folder)
}

/// Creates a virtual environment with the pinned peers, unless the existing one has the same pins.
fn venv(root: &Path) -> Result<PathBuf> {
    let folder = target_dir(root).join("bench-venv");
    let requirements = root.join("bench/python/requirements.txt");
    let wanted = fs::read_to_string(&requirements).context("cannot read requirements.txt")?;
    let stamp = folder.join("requirements.txt");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(folder);
    }
    let python = std::env::var_os("PYTHON").unwrap_or_else(|| "python3".into());
    output(Command::new(python).args(["-m", "venv", "--clear"]).arg(&folder))
        .context("Python 3.10 or newer with venv is needed (Debian: python3-venv)")?;
    let pip = ["-m", "pip", "install", "--quiet", "--requirement"];
    succeed(command(root, folder.join("bin/python"), &pip).arg(&requirements))?;
    fs::write(stamp, wanted)?;
    Ok(folder)
}

fn module(root: &Path, venv: &Path) -> Result<()> {
    let mut maturin = command(
        &root.join("bindings/python"),
        venv.join("bin/maturin"),
        &["develop", "--quiet", "--release"],
    );
    maturin.env("VIRTUAL_ENV", venv).env("CARGO_TARGET_DIR", target_dir(root));
    output(&mut maturin)?;
    let import = ["-c", "import justcall_auth"];
    output(&mut command(root, venv.join("bin/python"), &import))
        .context("the module was built, but cannot be imported")?;
    Ok(())
}
