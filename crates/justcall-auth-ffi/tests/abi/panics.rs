//! Checks that a panic in any exported function becomes a status or an empty result, and that the handles stay valid.
//!
//! The program is generated like that of `hostile.rs`. A build with the feature `test-panic` panics in the function,
//! inside its guard, when it has read its arguments. A function without a guard only reads a handle.

use std::fmt::Write as _;
use std::fs;

use crate::hostile::valid_call;
use crate::support::header::{self, Prototype};
use crate::support::library;
use crate::support::program::{Link, Program, Standard, succeed};
use crate::support::sandbox::Service;

/// Controls the build with the feature `test-panic`.
const CONTROL: &str = "\
#ifdef __cplusplus
extern \"C\" {
#endif
void justcall_test_panic_in_next_function(void);
int32_t justcall_test_panic_cancel(void);
#ifdef __cplusplus
}
#endif

static int was_guarded;

static void disarm(void) {
    was_guarded = !justcall_test_panic_cancel();
    before_call = NULL;
    after_call = NULL;
}

static void arm(void) {
    before_call = justcall_test_panic_in_next_function;
    after_call = disarm;
}

/* An exchange refuses further use after a panic. */
static void renew_exchanges(void) {
    justcall_exchange_free(good_exchange);
    justcall_exchange_free(scratch_exchange);
    justcall_exchange_free(sending_exchange);
    good_exchange = exchange_that_ended();
    scratch_exchange = exchange_to_send();
    sending_exchange = exchange_to_send();
}

static void reported(const char *name, int must_be_guarded) {
    printf(\"%s %s\\n\", was_guarded ? \"guarded\" : \"reads\", name);
    CHECK(was_guarded || !must_be_guarded);
}

";

/// Whether the function does more than to read a handle.
fn does_more_than_read(function: &Prototype) -> bool {
    function.result == "justcall_status" && function.name != "justcall_error_status"
}

/// Returns a C function that calls `function` with valid arguments and a panic, then without.
fn calls(function: &Prototype) -> String {
    let name = &function.name;
    let panicking = valid_call(function, "JUSTCALL_ERROR_INTERNAL");
    let must = i32::from(does_more_than_read(function));
    let takes_exchange =
        function.parameters.first().is_some_and(|first| first.kind.ends_with("justcall_exchange *"));
    let valid = if must == 1 && takes_exchange {
        let refused = valid_call(function, "JUSTCALL_ERROR_INTERNAL");
        format!("{refused}    renew_exchanges();\n{}", valid_call(function, "JUSTCALL_OK"))
    } else {
        valid_call(function, "JUSTCALL_OK")
    };
    format!(
        "static void call_{name}(void) {{\n    arm();\n{panicking}    reported(\"{name}\", {must});\n{valid}}}\n\n"
    )
}

/// Returns a C statement that frees a handle while the library panics.
fn frees(name: &str) -> String {
    let handle = format!("good_{}", name.trim_start_matches("justcall_").trim_end_matches("_free"));
    format!(
        "    arm();\n    about_to(\"{name}\");\n    {name}({handle});\n    returned();\n    reported(\"{name}\", 1);\n    {handle} = NULL;\n"
    )
}

fn program() -> String {
    let prototypes = header::prototypes();
    let mut code = format!("#include \"hostile.h\"\n\n{CONTROL}");
    let (mut all, mut frees_all) = (String::new(), String::new());
    for symbol in header::symbols() {
        let function = prototypes.iter().find(|function| function.name == symbol);
        let function = function.unwrap_or_else(|| panic!("{symbol} is not in the header"));
        if symbol.ends_with("_free") {
            frees_all += &frees(&symbol);
        } else {
            code += &calls(function);
            writeln!(all, "    call_{symbol}();").expect("a String grows");
        }
    }
    code + "static void call_all(void) {\n"
        + &all
        + "}\n\nint main(int argc, char **argv) {\n    if (!hostile_begin(argc, argv))\n        return 2;\n"
        + "    hostile_run(call_all);\n"
        + &frees_all
        + "    return hostile_end();\n}\n"
}

#[test]
fn it_survives_a_panic_in_every_function() {
    let service = Service::start();
    let folder = tempfile::tempdir().expect("a folder for the test");
    let source = folder.path().join("panics.c");
    fs::write(&source, program()).expect("the test's file");
    let arguments = [service.sandbox.url(), service.ca_file(), &service.good_source()];
    let panicking = library::folder_with_test_panic();
    for standard in [Standard::C99, Standard::Cpp20] {
        let program = Program::compile(&source, standard, Link::Shared(panicking), &[]);
        let printed = succeed(program.command(&arguments).env("RUST_BACKTRACE", "0"));
        let count = |word: &str| printed.lines().filter(|line| line.starts_with(word)).count();
        let (guarded, reads) = (count("guarded "), count("reads "));
        assert_eq!(guarded + reads, header::symbols().len(), "{printed}");
        assert!(guarded > 60, "only {guarded} of {} functions have a guard:\n{printed}", guarded + reads);
        assert!(reads > 20, "the control: only {reads} functions have no guard:\n{printed}");
    }
}
