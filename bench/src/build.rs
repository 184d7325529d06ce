//! Builds the programs that the bench measures.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use xtask_package::build::{Builder, Library};
use xtask_package::target::Target;

use xtask_demo::run::{cargo, command, output, step, succeed, target_dir};

/// The paths of the programs.
pub struct BenchPrograms {
    /// The folder of the C workers and of `once`.
    pub workers: PathBuf,
    /// The program that measures the secret work of a call, in Rust.
    pub secret_worker: PathBuf,
    /// The command as it is packaged.
    pub cli: PathBuf,
    /// The Python that has the peers installed.
    pub python: PathBuf,
    /// Whether the Python module was built and can be imported.
    pub python_has_ours: bool,
    pub python_worker: PathBuf,
}

pub fn all(root: &Path) -> Result<BenchPrograms> {
    let builder = step("packaging tools", || builder(root))?;
    let packaged = step("the packaged library", || packaged_library(root, &builder))?;
    let library = builder.library()?;
    let cli = step("the packaged command", || Ok(builder.command()?.path))?;
    let not_wiping = step("the library without the wiping allocator", || not_wiping_library(root))?;
    let secret_worker = step("Rust worker", || secret_worker(root))?;
    let workers = step("C workers", || c_workers(root, &packaged, &library, Some(&not_wiping)))?;
    let venv = step("Python peers", || venv(root))?;
    let built = step("Python module", || module(root, &venv));
    if let Err(error) = &built {
        println!("  not measured: {error:#}");
    }
    Ok(BenchPrograms {
        workers,
        secret_worker,
        cli,
        python: venv.join("bin/python"),
        python_has_ours: built.is_ok(),
        python_worker: root.join("bench/python/worker.py"),
    })
}

/// Builds only the C workers of the packaged library, and their peers. Returns their folder.
pub fn workers(root: &Path) -> Result<PathBuf> {
    let builder = step("packaging tools", || builder(root))?;
    let packaged = step("the packaged library", || packaged_library(root, &builder))?;
    step("C workers", || c_workers(root, &packaged, &builder.library()?, None))
}

fn c_workers(root: &Path, packaged: &Path, library: &Library, not_wiping: Option<&Path>) -> Result<PathBuf> {
    let ours = |name, folder: &Path| CProgram { name, source: "ours", link: link(folder) };
    let with = |name: &'static str, libraries: &[&str]| CProgram {
        name,
        source: name,
        link: libraries.iter().map(|library| (*library).to_owned()).collect(),
    };
    let mut programs = vec![
        ours("ours", packaged),
        with("libcurl", &["-lcurl"]),
        with("raw", &["-lssl", "-lcrypto"]),
        with("once", &[]),
        counting_allocator(),
        CProgram { name: "ours-with-symbols", source: "ours", link: link_with_symbols(library) },
    ];
    programs.extend(not_wiping.map(|folder| ours("ours-disable-wiping-allocator", folder)));
    compile(root, root, &programs)
}

/// Builds what the gate of the counts needs. Returns the folder of the worker.
pub fn counted_worker(root: &Path) -> Result<PathBuf> {
    counted_worker_of(root, root)
}

/// Builds the worker of `root` with the library of `checkout`. Returns the folder of the worker.
pub fn counted_worker_of(root: &Path, checkout: &Path) -> Result<PathBuf> {
    let library = packaged_library(checkout, &builder(checkout)?)?;
    let worker = CProgram { name: "ours", source: "ours", link: link(&library) };
    compile(root, checkout, &[worker, counting_allocator()])
}

fn builder(root: &Path) -> Result<Builder> {
    Builder::new(root, Target::named("x86_64-linux-gnu")?)
}

/// Builds the shared library that ships. Returns a folder with the names under which programs look for it.
fn packaged_library(root: &Path, builder: &Builder) -> Result<PathBuf> {
    let library = builder.library()?.shared.path;
    let folder = target_dir(root).join("bench/library");
    fs::create_dir_all(&folder)?;
    for name in ["libjustcall_auth.so", "libjustcall_auth.so.0"] {
        let path = folder.join(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => symlink(&library, path)?,
        }
    }
    Ok(folder)
}

/// Builds into a separate folder, because this build must not ship.
fn not_wiping_library(root: &Path) -> Result<PathBuf> {
    let folder = target_dir(root).join("bench-disable-wiping-allocator");
    let mut library = cargo(root, &["build", "--quiet", "--release", "-p", "justcall-auth-ffi"]);
    succeed(library.args(["--features", "disable-wiping-allocator", "--target-dir"]).arg(&folder))?;
    Ok(folder.join("release"))
}

fn secret_worker(root: &Path) -> Result<PathBuf> {
    let example = ["build", "--quiet", "--release", "-p", "justcall-auth", "--example", "bench_secret"];
    succeed(&mut cargo(root, &example))?;
    Ok(target_dir(root).join("release/examples/bench_secret"))
}

/// A C program, or a library to preload if its name ends with `.so`.
struct CProgram {
    name: &'static str,
    source: &'static str,
    link: Vec<String>,
}

fn counting_allocator() -> CProgram {
    let link = ["-shared", "-fPIC", "-fno-builtin"].map(str::to_owned).to_vec();
    CProgram { name: "count_allocations.so", source: "count_allocations", link }
}

fn link(folder: &Path) -> Vec<String> {
    let folder = folder.display();
    vec!["-ljustcall_auth".to_owned(), format!("-L{folder}"), format!("-Wl,-rpath,{folder}")]
}

/// Links the code that ships before its symbols are removed, so that a profile can name them.
fn link_with_symbols(library: &Library) -> Vec<String> {
    let mut link = vec!["-no-pie".to_owned(), library.unlocalised.display().to_string()];
    link.extend(library.system_libraries.iter().cloned());
    link
}

/// Compiles programs of `root` with the header of `checkout`, into its target folder.
fn compile(root: &Path, checkout: &Path, programs: &[CProgram]) -> Result<PathBuf> {
    let folder = target_dir(checkout).join("bench");
    fs::create_dir_all(&folder)?;
    let include = format!("-I{}", checkout.join("include").display());
    for CProgram { name, source, link } in programs {
        let source = format!("bench/c/{source}.c");
        let flags = ["-O2", "-pthread", "-Wall", "-Wextra", "-Werror", &include, &source, "-o"];
        succeed(command(root, "cc", &flags).arg(folder.join(name)).args(link))?;
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
