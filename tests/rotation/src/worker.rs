//! A process that calls at a fixed rate: `targets/worker.c` with the shared library, or `targets/worker.py` with the Python
//! module.
//!
//! A worker prints `ready` and starts to call when it reads a byte. At the end it prints every call (`call BEGAN ENDED
//! STATUS`) and every event (`event AT KIND GENERATION`), with times in nanoseconds of the shared clock.

use std::env;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};
use tempfile::TempDir;

/// The language of a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkerLanguage {
    /// C with the shared library.
    C,
    /// Python with the module.
    Python,
}

/// The calls of a worker.
#[derive(Debug, Clone, Copy)]
pub struct CallLoad {
    /// The number of threads.
    pub threads: usize,
    /// The number of calls of each thread.
    pub calls: usize,
    /// The time from one call of a thread to its next, in nanoseconds.
    pub every: i64,
    /// `rotation_wait`, in milliseconds.
    pub wait_ms: u64,
}

/// The worker programs. `JUSTCALL_LIB_DIR` is the folder of the shared library. `JUSTCALL_PYTHON` is the Python that has the
/// module installed.
pub struct WorkerPrograms {
    folder: TempDir,
    libraries: PathBuf,
    python: PathBuf,
}

impl WorkerPrograms {
    /// Reads the environment and compiles the C worker.
    ///
    /// # Errors
    /// If a variable is not set, or the C worker cannot be compiled.
    pub fn find() -> Result<Self> {
        let variable = |name: &str| {
            env::var_os(name)
                .map(PathBuf::from)
                .with_context(|| format!("{name} is not set; `cargo xtask test` sets it"))
        };
        let libraries = variable("JUSTCALL_LIB_DIR")?.canonicalize().context("JUSTCALL_LIB_DIR")?;
        let programs = Self { folder: TempDir::new()?, libraries, python: variable("JUSTCALL_PYTHON")? };
        let root =
            here().ancestors().nth(2).context("this crate is not two folders deep in the repository")?;
        let mut compiler = Command::new(env::var_os("CC").unwrap_or_else(|| "cc".into()));
        compiler.args([
            "-std=c11",
            "-D_POSIX_C_SOURCE=200809L",
            "-O2",
            "-Wall",
            "-Wextra",
            "-Wpedantic",
            "-Werror",
        ]);
        compiler.arg("-pthread").arg("-I").arg(root.join("include")).arg("-o").arg(programs.compiled());
        compiler
            .arg(here().join("targets/worker.c"))
            .arg("-L")
            .arg(&programs.libraries)
            .arg("-ljustcall_auth");
        let output = compiler.output().context("cannot run the C compiler")?;
        ensure!(output.status.success(), "{compiler:?}:\n{}", String::from_utf8_lossy(&output.stderr));
        Ok(programs)
    }

    fn compiled(&self) -> PathBuf {
        self.folder.path().join("worker")
    }

    /// Starts a worker. `service` is the base URL and the CA file. Every request has `tag` in the header `x-process`.
    ///
    /// # Errors
    /// If the worker does not print `ready`.
    pub fn start(
        &self,
        language: WorkerLanguage,
        service: [&str; 2],
        source: &str,
        tag: &str,
        load: CallLoad,
    ) -> Result<Worker> {
        let mut command = match language {
            WorkerLanguage::C => Command::new(self.compiled()),
            WorkerLanguage::Python => {
                let mut python = Command::new(&self.python);
                python.arg("-B").arg(here().join("targets/worker.py"));
                python
            }
        };
        command.args(service).args([source, tag]);
        command.args([load.threads.to_string(), load.calls.to_string()]);
        command.args([load.every.to_string(), load.wait_ms.to_string()]);
        command.env("LD_LIBRARY_PATH", &self.libraries).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().with_context(|| format!("cannot start {command:?}"))?;
        let mut output = BufReader::new(child.stdout.take().expect("it was piped"));
        let mut line = String::new();
        output.read_line(&mut line)?;
        ensure!(line.trim() == "ready", "{command:?} printed {line:?} in place of ready");
        Ok(Worker { child, output })
    }
}

/// Returns the folder of this crate.
fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A worker that is ready to call.
pub struct Worker {
    child: Child,
    output: BufReader<ChildStdout>,
}

/// One call of a worker.
#[derive(Debug, Clone, Copy)]
pub struct WorkerCall {
    /// When it began, in nanoseconds.
    pub began: i64,
    /// When it ended, in nanoseconds.
    pub ended: i64,
    /// 0, or the number of the error.
    pub status: i32,
}

/// One event of a worker.
#[derive(Debug, Clone, Copy)]
pub struct WorkerEvent {
    /// When the handler was called, in nanoseconds.
    pub at: i64,
    /// The number of its kind.
    pub kind: i32,
    /// The number of the pair that it is about.
    pub generation: u64,
}

/// The calls and events that a worker printed.
#[derive(Debug, Clone, Default)]
pub struct WorkerReport {
    /// Its calls.
    pub calls: Vec<WorkerCall>,
    /// Its events.
    pub events: Vec<WorkerEvent>,
}

impl Worker {
    /// Lets the worker start to call.
    ///
    /// # Errors
    /// If it has exited.
    pub fn begin(&mut self) -> Result<()> {
        let mut input = self.child.stdin.take().context("the worker has already begun")?;
        Ok(input.write_all(b"\n")?)
    }

    /// Waits until the worker exits. Returns its report.
    ///
    /// # Errors
    /// If the worker exits with another status than 0, or prints an unknown line.
    pub fn finish(mut self) -> Result<WorkerReport> {
        let mut text = String::new();
        self.output.read_to_string(&mut text)?;
        let status = self.child.wait()?;
        ensure!(status.success(), "a worker ended with {status}");
        let mut report = WorkerReport::default();
        for line in text.lines() {
            let words: Vec<&str> = line.split(' ').collect();
            match words[..] {
                ["call", began, ended, status] => {
                    report.calls.push(WorkerCall {
                        began: began.parse()?,
                        ended: ended.parse()?,
                        status: status.parse()?,
                    });
                }
                ["event", at, kind, generation] => report.events.push(WorkerEvent {
                    at: at.parse()?,
                    kind: kind.parse()?,
                    generation: generation.parse()?,
                }),
                _ => bail!("a worker printed {line:?}"),
            }
        }
        Ok(report)
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Fails if the worker has already exited.
        let _killed = self.child.kill();
        let _reaped = self.child.wait();
    }
}
