//! The address of a panic in the shipped library, which has no debug information: the detached file gives its line.

use std::fs;
use std::path::Path;
use std::process::Command;

use xtask_demo::run::{self, output};
use xtask_package::binary;
use xtask_package::build::Builder;
use xtask_package::target::TARGETS;

/// Prints where the library is in memory, and panics inside it.
const PROGRAM: &str = r#"
#include <stdint.h>
#include <stdio.h>
#include <string.h>
int32_t justcall_test_panic(void **error);
int main(void) {
    char line[512];
    FILE *maps = fopen("/proc/self/maps", "r");
    while (maps && fgets(line, sizeof line, maps))
        if (strstr(line, "libjustcall_auth")) {
            printf("%s", line);
            break;
        }
    fflush(stdout);
    return justcall_test_panic(NULL) == 90 ? 0 : 1;
}
"#;

fn hexadecimal(text: &str) -> u64 {
    u64::from_str_radix(text.trim_start_matches("0x"), 16).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn the_address_of_a_panic_leads_to_its_line() {
    let builder = Builder::new(&run::root(), &TARGETS[0]).expect("the tools are installed");
    let library = builder.library_that_panics().expect("the library builds").shared;
    let folder = tempfile::tempdir().expect("a folder");
    let soname = folder.path().join(binary::soname(&library.path).expect("a soname"));
    fs::copy(&library.path, &soname).expect("a copy");
    let (source, program) = (folder.path().join("panic.c"), folder.path().join("panic"));
    fs::write(&source, PROGRAM).expect("a source");
    let mut cc = Command::new("cc");
    run::succeed(cc.arg(&source).arg(&soname).arg("-o").arg(&program)).expect("it links");
    let mut run = Command::new(&program);
    let done =
        run.env("LD_LIBRARY_PATH", folder.path()).env("RUST_BACKTRACE", "full").output().expect("it starts");
    let (maps, trace) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{trace}");

    // `thread … panicked at FILE:LINE:COLUMN:` is what the addresses must lead to.
    let place = trace.split_once(" panicked at ").expect("a message").1.lines().next().expect("a place");
    let place = place.trim_end_matches(':').rsplit_once(':').expect("a column").0;
    assert!(place.contains("justcall-auth-ffi/src/test_panic.rs:"), "{place}");

    let start = hexadecimal(maps.split('-').next().expect("an address"));
    let end = start + fs::metadata(&library.path).expect("a file").len() * 2;
    let frames = trace.lines().filter_map(|line| line.split_once(": ")?.1.trim().split_once(" - <unknown>"));
    let frames: Vec<u64> = frames
        .map(|(address, _)| hexadecimal(address))
        .filter(|address| (start..end).contains(address))
        .collect();
    assert!(frames.len() > 3, "the trace has addresses only, because the library has no names: {trace}");

    // A debugger finds the file by the build id.
    let id = binary::build_id(&library.path).expect("an id");
    let by_id = Path::new(".build-id").join(&id[..2]).join(format!("{}.debug", &id[2..]));
    let debug = library.path.parent().expect("a folder").join(by_id);
    let lines = |file: &Path| {
        let mut addr2line = Command::new("addr2line");
        // An address of a trace is that of the next instruction.
        let addresses = frames.iter().map(|address| format!("{:#x}", address - start - 1));
        output(addr2line.args(["--inlines", "-e"]).arg(file).args(addresses)).expect("addr2line runs")
    };
    assert!(lines(&debug).contains(place), "{place} is not in:\n{}", lines(&debug));
    assert!(!lines(&library.path).contains(".rs"), "control: the library itself has no lines");
}
