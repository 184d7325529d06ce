//! A process that calls at a fixed rate: `targets/worker.c` on the shared library, or `targets/worker.py` on the module.
//!
//! It says `ready`, begins when it gets a byte, and tells in the end of every call (`call BEGAN ENDED STATUS`) and of every
//! event (`event AT KIND GENERATION`), in nanoseconds of the clock that all processes share.

use std::env;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};
use tempfile::TempDir;

/// Which program calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// C on the shared library.
    C,
    /// Python with the module.
    Python,
}

/// How a process calls.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// Threads that call.
    pub threads: usize,
    /// Calls of each thread.
    pub calls: usize,
    /// From one call of a thread to its next, in nanoseconds.
    pub every: i64,
    /// `rotation_wait`, in milliseconds.
    pub wait_ms: u64,
}

/// The programs, as they were just built: the shared library in `JUSTCALL_LIB_DIR`, the module in `JUSTCALL_PYTHON`.
pub struct Programs {
    folder: TempDir,
    libraries: PathBuf,
    python: PathBuf,
}

impl Programs {
    /// Finds what is there and compiles the C program.
    ///
    /// # Errors
    /// When something is missing; the text says what.
    pub fn find() -> Result<Self> {
        let variable = |name: &str| {
            env::var_os(name).map(PathBuf::from).with_context(|| {
                format!("{name} is not set: `cargo xtask test` sets it, see the documentation of this module")
            })
        };
        let libraries = variable("JUSTCALL_LIB_DIR")?.canonicalize().context("JUSTCALL_LIB_DIR")?;
        let programs = Self { folder: TempDir::new()?, libraries, python: variable("JUSTCALL_PYTHON")? };
        let root = here().ancestors().nth(2).context("two folders deep in the repository")?;
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
        let output = compiler.output().context("there is no C compiler")?;
        ensure!(output.status.success(), "{compiler:?}:\n{}", String::from_utf8_lossy(&output.stderr));
        Ok(programs)
    }

    fn compiled(&self) -> PathBuf {
        self.folder.path().join("worker")
    }

    /// Starts a worker; `service` is the URL and the file with its authority, `tag` goes with every request.
    ///
    /// # Errors
    /// When it does not get ready.
    pub fn start(
        &self,
        language: Language,
        service: [&str; 2],
        source: &str,
        tag: &str,
        load: Load,
    ) -> Result<Worker> {
        let mut command = match language {
            Language::C => Command::new(self.compiled()),
            Language::Python => {
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
        ensure!(line.trim() == "ready", "{command:?} did not get ready: {line:?}");
        Ok(Worker { child, output })
    }
}

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A worker that is ready.
pub struct Worker {
    child: Child,
    output: BufReader<ChildStdout>,
}

/// One call of a worker.
#[derive(Debug, Clone, Copy)]
pub struct Call {
    /// When it began, in nanoseconds.
    pub began: i64,
    /// When it ended, in nanoseconds.
    pub ended: i64,
    /// 0, or the error's number.
    pub status: i32,
}

/// One event of a worker.
#[derive(Debug, Clone, Copy)]
pub struct Event {
    /// When it was told, in nanoseconds.
    pub at: i64,
    /// The number of its kind.
    pub kind: i32,
    /// The pair that it is about.
    pub generation: u64,
}

/// What a worker told.
#[derive(Debug, Clone, Default)]
pub struct Told {
    /// Its calls.
    pub calls: Vec<Call>,
    /// Its events.
    pub events: Vec<Event>,
}

impl Worker {
    /// Lets it begin.
    ///
    /// # Errors
    /// When it is gone.
    pub fn begin(&mut self) -> Result<()> {
        let mut input = self.child.stdin.take().context("it began already")?;
        Ok(input.write_all(b"\n")?)
    }

    /// Waits for its end and takes what it tells.
    ///
    /// # Errors
    /// When it fails.
    pub fn finish(mut self) -> Result<Told> {
        let mut text = String::new();
        self.output.read_to_string(&mut text)?;
        let status = self.child.wait()?;
        ensure!(status.success(), "a worker ended with {status}");
        let mut told = Told::default();
        for line in text.lines() {
            let words: Vec<&str> = line.split(' ').collect();
            match words[..] {
                ["call", began, ended, status] => {
                    told.calls.push(Call {
                        began: began.parse()?,
                        ended: ended.parse()?,
                        status: status.parse()?,
                    });
                }
                ["event", at, kind, generation] => told.events.push(Event {
                    at: at.parse()?,
                    kind: kind.parse()?,
                    generation: generation.parse()?,
                }),
                _ => bail!("a worker told {line:?}"),
            }
        }
        Ok(told)
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // One that has ended is gone already.
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}
