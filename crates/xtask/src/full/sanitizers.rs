//! The C and C++ tests with sanitizers: docs/evidence/sanitizers.md.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use xtask_demo::run::{self, cargo, command, output, step, succeed};

use super::report::Report;
use super::stage::Stage;
use super::thread_sanitizer;

const TARGET: &str = "x86_64-unknown-linux-gnu";

struct Sanitizer {
    name: &'static str,
    /// The name for rustc and its runtime. Without one, only the C and C++ code is compiled with the sanitizer.
    rust: Option<(&'static str, &'static str)>,
    compilers: [&'static str; 2],
    /// Misuses of tests/c/planted.c, and the words of the report on each.
    planted: &'static [(&'static str, &'static str)],
}

const SANITIZERS: [Sanitizer; 2] = [
    Sanitizer {
        name: "address",
        rust: Some(("address", "asan")),
        compilers: ["clang", "clang++"],
        planted: &[("use_after_free", "heap-use-after-free"), ("leak", "detected memory leaks")],
    },
    Sanitizer {
        name: "undefined",
        rust: None,
        compilers: ["gcc", "g++"],
        planted: &[("overflow", "signed integer overflow")],
    },
];

/// The tests that run, and the words in the names of those that do not: they replace the allocator themselves, compare
/// messages of one compiler, or have a library of their own.
pub const TESTS: [(&str, &[&str]); 2] = [
    ("abi", &["c_programs::", "requests::", "own_http::", "hostile::"]),
    ("cpp", &["programs::", "service::"]),
];
pub const SKIPPED: [&str; 4] = ["compilers_warn", "panic", "without_exceptions", "aborts"];

const EXPLANATION: &str = "\
The C and C++ programs of the tests, compiled and linked with a sanitizer. With the address sanitizer the library is built with the
nightly compiler and the same sanitizer, so that its own code is checked too, but not the standard library, ring's assembly and libcurl.
The address sanitizer includes the search for leaks. A planted misuse in a program that uses the library shows that each sanitizer is on.
The tests also run under valgrind, with the release build: part `hosts`.

With the thread sanitizer the library and its standard library are those of Debian 13, because only Debian ships the sources of the
latter: without them the sanitizer takes structures behind a contended `std::sync::Mutex` for races. Its planted misuse is a race within
the library: two threads change one configuration.

| sanitizer | tests that passed | seconds | planted and found |
|---|---|---|---|
";

pub fn run(stage: &Stage<'_>) -> Result<()> {
    let planted = "one for each sanitizer, in the last column";
    let report = Report::begin(
        "C and C++ programs with sanitizers",
        "cargo xtask test --full --part sanitizers",
        "none",
        planted,
    );
    let mut rows = String::new();
    for sanitizer in &SANITIZERS {
        let row = step(&format!("the {} sanitizer", sanitizer.name), || sanitizer.run(stage))?;
        writeln!(rows, "{row}")?;
    }
    let row = step("the thread sanitizer", || thread_sanitizer::run(stage))?;
    writeln!(rows, "{row}")?;
    report.write(stage.root, "sanitizers", &format!("{EXPLANATION}{rows}"))
}

impl Sanitizer {
    /// Returns the row of the report.
    fn run(&self, stage: &Stage<'_>) -> Result<String> {
        let library = self.library(stage)?;
        let options = self.options(stage.root)?;
        for (misuse, words) in self.planted {
            let found = self.planted(stage.root, &library, &options, misuse)?;
            ensure!(found.contains(words), "the {} sanitizer did not find `{misuse}`:\n{found}", self.name);
        }
        let begun = Instant::now();
        let mut passed = 0;
        for (name, filters) in TESTS {
            let mut test =
                cargo(stage.root, &["test", "--quiet", "-p", "justcall-auth-ffi", "--test", name, "--"]);
            test.args(filters);
            test.args(SKIPPED.iter().flat_map(|word| ["--skip", word]));
            test.env("JUSTCALL_SANITIZER", format!("{} {}", self.name, options.join(" ")));
            test.env("JUSTCALL_LIB_DIR", &library);
            test.env("CC", self.compilers[0]).env("CXX", self.compilers[1]);
            prepare(&mut test);
            passed += tests_passed(&run::output_shown(&mut test)?)?;
        }
        let found: Vec<&str> = self.planted.iter().map(|(_, words)| *words).collect();
        let seconds = begun.elapsed().as_secs();
        Ok(format!("| {} | {passed} | {seconds} | {} |", self.name, found.join(", ")))
    }

    /// Builds the library. Returns its folder.
    fn library(&self, stage: &Stage<'_>) -> Result<PathBuf> {
        let target = run::target_dir(stage.root);
        let Some((name, _)) = self.rust else {
            succeed(&mut cargo(stage.root, &["build", "--quiet", "-p", "justcall-auth-ffi"]))?;
            return Ok(target.join("debug"));
        };
        let target = target.join(format!("full-{}", self.name));
        let mut build = nightly(stage.root, &["cargo", "build", "--quiet", "-p", "justcall-auth-ffi"]);
        build.args(["--target", TARGET, "--target-dir"]).arg(&target);
        succeed(build.env("RUSTFLAGS", format!("-Zsanitizer={name}")))?;
        Ok(target.join(TARGET).join("debug"))
    }

    /// The options of the compiler. The runtime is that of the nightly compiler, because a program must have only one. So
    /// only clang's first stage is passed the sanitizer, because otherwise the linker would add clang's runtime.
    fn options(&self, root: &Path) -> Result<Vec<String>> {
        let sanitizer = format!("-fsanitize={}", self.name);
        let Some((_, runtime)) = self.rust else {
            return Ok(vec![sanitizer, "-fno-sanitize-recover=all".to_owned()]);
        };
        let folder = output(&mut nightly(root, &["rustc", "--print", "target-libdir"]))?;
        let runtime = format!("{}/librustc-nightly_rt.{runtime}.a", folder.trim());
        let words = ["-Xclang", &sanitizer, "-fno-omit-frame-pointer", "-Wl,--whole-archive", &runtime];
        let linking = ["-Wl,--no-whole-archive", "-Wl,--export-dynamic", "-lm", "-ldl", "-lrt"];
        Ok(words.into_iter().chain(linking).map(str::to_owned).collect())
    }

    /// Compiles and runs a program with a misuse. Returns what it printed.
    fn planted(&self, root: &Path, library: &Path, options: &[String], misuse: &str) -> Result<String> {
        let program = run::target_dir(root).join(format!("planted-{}", self.name));
        let mut compiler = command(root, self.compilers[0], &["-std=c99", "-g", "-Iinclude", "-Itests/c"]);
        compiler.args(["tests/c/planted.c", "-pthread", "-o"]).arg(&program);
        succeed(compiler.arg("-L").arg(library).arg("-ljustcall_auth").args(options))?;
        let mut planted = command(root, &program, &[misuse]);
        prepare(planted.env("LD_LIBRARY_PATH", library));
        let output = planted.output().context("cannot start the program with a misuse")?;
        ensure!(!output.status.success(), "a program with `{misuse}` succeeded");
        Ok(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// Lets a report end the program with a status that the tests do not expect.
fn prepare(command: &mut Command) {
    command.env("ASAN_OPTIONS", "allocator_may_return_null=1:detect_leaks=1");
    command.env("UBSAN_OPTIONS", "print_stacktrace=1");
}

fn nightly(root: &Path, arguments: &[&str]) -> Command {
    let mut command = command(root, "rustup", &["run", "nightly"]);
    command.args(arguments).env_remove("RUSTUP_TOOLCHAIN");
    command
}

/// The number of tests that passed. A run of none is an error.
pub fn tests_passed(printed: &str) -> Result<u32> {
    let line = printed.lines().find_map(|line| line.strip_prefix("test result: ok. "));
    let passed = line.and_then(|line| line.split(' ').next()).context("no result of the tests")?.parse()?;
    ensure!(passed > 0, "no test ran");
    Ok(passed)
}
