//! The C and C++ tests with the thread sanitizer, in a Debian 13 in a folder.
//!
//! The sanitizer must see the standard library, too: otherwise it takes every structure behind a contended
//! `std::sync::Mutex` for a race. Debian ships the sources of its standard library, and a clang of the same LLVM with the
//! sanitizer's runtime. The programs of the tests are those of this machine; what they compile and run is built there.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use xtask_demo::debian::DebianRoot;
use xtask_demo::run::{self, cargo, output, output_shown, step, succeed};

use super::sanitizers::{SKIPPED, TESTS, tests_passed};
use super::stage::Stage;

const PACKAGES: &str = "cargo,rustc,rust-src,clang,llvm,libclang-rt-dev,gcc,g++,libc6-dev,libcjson-dev,\
                        libcurl4-openssl-dev,pkg-config,valgrind,ca-certificates";
const TARGET: &str = "x86_64-unknown-linux-gnu";
/// Words in the names of tests that do not run: the program replaces the allocator, as the sanitizer does.
const REPLACES_THE_ALLOCATOR: &str = "it_wipes_every_secret_before_it_frees_it";
/// The misuse of tests/c/planted.c, and the words of the report on it.
const PLANTED: (&str, &str) = ("race", "data race");

/// Runs the tests. Returns the row of the report.
pub fn run(stage: &Stage<'_>) -> Result<String> {
    let root = stage.root;
    let folder = run::target_dir(root).join("full/roots/trixie-threads");
    let debian =
        step("Debian 13 with its Rust and clang", || DebianRoot::ensure(&folder, "trixie", PACKAGES))?;
    debian.trust_certificates()?;
    let enter = |script: &str| debian.script(Some(root), &format!("cd '{}'; {script}", root.display()));
    let built = format!("/target/{TARGET}/debug");
    step("the library and its standard library", || {
        succeed(&mut enter(&format!(
            "export RUSTC_BOOTSTRAP=1 RUSTFLAGS='-Zsanitizer=thread -Zexternal-clangrt'; cargo build --quiet \
             --package justcall-auth-ffi --target {TARGET} -Zbuild-std=std,panic_unwind"
        )))
    })?;

    let (misuse, words) = PLANTED;
    let found = output(&mut enter(&format!(
        "clang -std=c99 -g -Iinclude -Itests/c tests/c/planted.c -pthread -o /tmp/planted -L{built} -ljustcall_auth \
             -fsanitize=thread; export LD_LIBRARY_PATH={built}; ! /tmp/planted {misuse} 2>&1"
    )))?;
    let is_in_library = found.contains("justcall_config_set_timeout_ms");
    ensure!(found.contains(words) && is_in_library, "the thread sanitizer did not find `{misuse}`:\n{found}");

    let begun = Instant::now();
    let mut passed = 0;
    for (name, filters) in TESTS {
        let program = test_program(root, name)?;
        let skipped = SKIPPED.iter().chain([&REPLACES_THE_ALLOCATOR]).map(|word| format!(" --skip {word}"));
        passed += tests_passed(&output_shown(&mut enter(&format!(
            "export JUSTCALL_LIB_DIR={built} CC=clang CXX=clang++ \
                 JUSTCALL_SANITIZER='thread -fsanitize=thread -Wno-unused-command-line-argument'; \
             cd crates/justcall-auth-ffi; '{}' {}{}",
            program.display(),
            filters.join(" "),
            skipped.collect::<String>()
        )))?)?;
    }
    Ok(format!("| thread | {passed} | {} | {words} |", begun.elapsed().as_secs()))
}

/// Builds a program of the library's tests. Returns its path.
fn test_program(root: &Path, name: &str) -> Result<PathBuf> {
    let arguments = ["test", "--quiet", "-p", "justcall-auth-ffi", "--test", name, "--no-run"];
    let mut build = cargo(root, &arguments);
    let messages = output(build.args(["--message-format", "json"]))?;
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut programs = messages.filter(|message| message["target"]["name"] == name);
    let program = programs.find_map(|message| message["executable"].as_str().map(PathBuf::from));
    program.with_context(|| format!("cargo built no program of the tests `{name}`"))
}
