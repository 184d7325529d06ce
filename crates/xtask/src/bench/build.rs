//! Builds what is measured and what it is measured against.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::run::{cargo, command, output, step, succeed, target_dir};

/// Where the programs are.
pub struct Programs {
    /// The C workers and the launcher.
    pub workers: PathBuf,
    /// The release build of the command.
    pub cli: PathBuf,
    /// Python with the peers, and whether our module is there.
    pub python: PathBuf,
    pub python_has_ours: bool,
    pub python_worker: PathBuf,
}

/// Builds everything.
pub fn all(root: &Path) -> Result<Programs> {
    let release = target_dir(root).join("release");
    step("release build of the library and the command", || {
        succeed(&mut cargo(
            root,
            &["build", "--quiet", "--release", "-p", "justcall-auth-ffi", "-p", "justcall-auth-cli"],
        ))
    })?;
    let workers = step("C workers", || c_workers(root, &release))?;
    let venv = step("Python peers", || venv(root))?;
    let built = step("Python module", || module(root, &venv));
    if let Err(error) = &built {
        println!("  not measured: {error:#}");
    }
    Ok(Programs {
        workers,
        cli: release.join("justcall-auth"),
        python: venv.join("bin/python"),
        python_has_ours: built.is_ok(),
        python_worker: root.join("bench/python/worker.py"),
    })
}

fn c_workers(root: &Path, release: &Path) -> Result<PathBuf> {
    let folder = target_dir(root).join("bench");
    fs::create_dir_all(&folder)?;
    let header = fs::read_to_string(root.join("include/justcall_auth.h")).context("the C header")?;
    let has_request = header.contains("justcall_client_request(");
    let search = format!("-L{}", release.display());
    let find = format!("-Wl,-rpath,{}", release.display());
    let ours = ["-ljustcall_auth", search.as_str(), find.as_str()];
    let programs: [(&str, &[&str]); 3] = [("ours", &ours), ("libcurl", &["-lcurl"]), ("once", &[])];
    for (name, link) in programs {
        let source = format!("bench/c/{name}.c");
        let mut compiler = command(root, "cc", &["-O2", "-Wall", "-Wextra", "-Iinclude", &source, "-o"]);
        compiler.arg(folder.join(name)).args(link);
        if name == "ours" && has_request {
            compiler.arg("-DHAVE_REQUEST");
        }
        succeed(&mut compiler)?;
    }
    Ok(folder)
}

/// The environment with the pinned peers; made anew when they change.
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
        .context("it was built and cannot be imported")?;
    Ok(())
}
