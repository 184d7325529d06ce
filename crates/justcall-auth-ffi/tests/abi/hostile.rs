//! Every exported function survives NULL, empty, malformed and absurd arguments, one at a time and all together.
//!
//! The program is generated from the list of symbols and the header's prototypes, so no function is forgotten: one with a
//! parameter that has no values below fails the test until it gets some.

use std::fmt::Write as _;
use std::fs;

use crate::support::header::{self, Parameter, Prototype};
use crate::support::library;
use crate::support::program::{Link, Program, Standard, succeed};
use crate::support::sandbox::Service;

/// What a call with a value, and good ones beside it, must come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Due {
    /// This status, whose name in C is given.
    Status(&'static str),
    /// This status, and a failure whatever else is passed.
    Always(&'static str),
    /// Nothing but to come back.
    Anything,
}

use Due::{Always, Anything, Status};

const OK: Due = Status("JUSTCALL_OK");
const INVALID: Due = Status("JUSTCALL_ERROR_INVALID_ARGUMENT");
const ALWAYS_INVALID: Due = Always("JUSTCALL_ERROR_INVALID_ARGUMENT");
const MALFORMED: Due = Status("JUSTCALL_ERROR_CREDENTIALS_MALFORMED");
const UNREADABLE: Due = Status("JUSTCALL_ERROR_WEBHOOK_MALFORMED");
const STALE: Due = Status("JUSTCALL_ERROR_WEBHOOK_STALE");
const TOO_SMALL: Due = Status("JUSTCALL_ERROR_BUFFER_TOO_SMALL");

/// An argument: how it is written in C, and what is due.
type Value = (String, Due);

/// The values of a parameter: a good one first, then hostile ones.
fn values(function: &Prototype, index: usize) -> Option<Vec<Value>> {
    let Parameter { kind, name } = &function.parameters[index];
    let has_length = function.parameters.get(index + 1).is_some_and(|next| {
        next.kind == "size_t" && (next.name == "length" || next.name == format!("{name}_length"))
    });
    if let Some(values) = delivery(function, kind, name) {
        return Some(values);
    }
    let list: &[(&str, Due)] = match (kind.as_str(), name.as_str()) {
        (handle, _) if handle.starts_with("justcall_") && handle.ends_with("**") => {
            return Some(outputs(name));
        }
        (handle, _)
            if handle.trim_start_matches("const ").starts_with("justcall_") && handle.ends_with('*') =>
        {
            return Some(handles(function, handle));
        }
        ("const char *", "key" | "secret") if has_length => return Some(halves(name)),
        ("size_t", "key_length" | "secret_length") => &[
            ("12", OK),
            ("0", MALFORMED),
            ("13", MALFORMED),
            ("SIZE_MAX", ALWAYS_INVALID),
            ("SIZE_MAX / 2 + 1", ALWAYS_INVALID),
        ],
        ("const char *", "text") if has_length => &[
            ("good_key", OK),
            ("NULL", INVALID),
            ("not_utf8", OK),
            ("ends_early", OK),
            ("controls", OK),
            ("very_long", OK),
        ],
        ("const char *", _) if !has_length => return texts(function, name),
        ("const void *", "body") if has_length => &[("good_body", OK), ("NULL", INVALID), ("not_utf8", OK)],
        ("void *", "buffer") if has_length => &[("scratch", OK), ("NULL", OK)],
        ("size_t", "length") if function.name == "justcall_wipe" => {
            &[("16", OK), ("0", OK), ("SIZE_MAX", OK), ("SIZE_MAX / 2 + 1", OK)]
        }
        ("size_t", "body_length" | "text_length" | "length") => &[
            ("2", OK),
            ("0", OK),
            ("64", OK),
            ("SIZE_MAX", ALWAYS_INVALID),
            ("SIZE_MAX / 2 + 1", ALWAYS_INVALID),
        ],
        ("size_t", "index") => &[("0", OK), ("1000", OK), ("SIZE_MAX", OK), ("SIZE_MAX / 2 + 1", OK)],
        ("int32_t", "which") => {
            &[("JUSTCALL_RATE_LIMIT", OK), ("INT32_MIN", OK), ("-1", OK), ("6", OK), ("INT32_MAX", OK)]
        }
        ("justcall_load_fn", "load") => &[("load_nothing", OK), ("NULL", ALWAYS_INVALID)],
        ("justcall_event_fn", "handler") => &[("handle_nothing", OK), ("NULL", ALWAYS_INVALID)],
        ("justcall_free_fn", "free_context") => &[("free_nothing", OK), ("NULL", OK)],
        ("void *", "context") => &[("scratch", OK), ("NULL", OK)],
        ("const char *const *", "header_names" | "header_values") => &[
            ("good_headers", OK),
            ("NULL", INVALID),
            ("headers_with_null", INVALID),
            ("headers_not_utf8", OK),
        ],
        ("size_t", "header_count") => {
            &[("1", OK), ("0", OK), ("1001", ALWAYS_INVALID), ("SIZE_MAX", ALWAYS_INVALID)]
        }
        ("char *", "buffer") => &[("scratch", OK), ("NULL", INVALID)],
        ("size_t", "capacity") => &[
            ("sizeof scratch", OK),
            ("0", TOO_SMALL),
            ("1", TOO_SMALL),
            ("SIZE_MAX", ALWAYS_INVALID),
            ("SIZE_MAX / 2 + 1", ALWAYS_INVALID),
        ],
        ("size_t *", "length") => &[("&length", OK), ("NULL", OK)],
        ("int32_t", "http_status") => &[
            ("200", OK),
            ("INT32_MIN", ALWAYS_INVALID),
            ("-1", ALWAYS_INVALID),
            ("0", ALWAYS_INVALID),
            ("99", ALWAYS_INVALID),
            ("1000", ALWAYS_INVALID),
            ("65736", ALWAYS_INVALID),
            ("INT32_MAX", ALWAYS_INVALID),
        ],
        ("int32_t", "n") => {
            &[("1", OK), ("INT32_MIN", ALWAYS_INVALID), ("-1", ALWAYS_INVALID), ("INT32_MAX", OK)]
        }
        ("int32_t", "level") => &[
            ("JUSTCALL_MEMORY_AUTO", OK),
            ("INT32_MIN", ALWAYS_INVALID),
            ("-1", ALWAYS_INVALID),
            ("4", ALWAYS_INVALID),
            ("INT32_MAX", ALWAYS_INVALID),
        ],
        ("justcall_status", "status") => {
            &[("401", OK), ("INT32_MIN", OK), ("-1", OK), ("3", OK), ("INT32_MAX", OK)]
        }
        ("uint64_t", "ms" | "tolerance_s") => &[("5000", OK), ("0", OK), ("UINT64_MAX", OK)],
        _ => return of_steps(kind, name),
    };
    Some(self::list(list))
}

/// Certificates, numbers of an account and of the steps of a call; places for what the steps give.
fn of_steps(kind: &str, name: &str) -> Option<Vec<Value>> {
    let list: &[(&str, Due)] = match (kind, name) {
        // No other bytes are certificates.
        ("const char *", "pem") => {
            &[("good_pem", OK), ("NULL", ALWAYS_INVALID), ("very_long", ALWAYS_INVALID)]
        }
        ("size_t", "pem_length") => &[
            ("good_pem_length", OK),
            ("0", ALWAYS_INVALID),
            ("100", ALWAYS_INVALID),
            ("SIZE_MAX", ALWAYS_INVALID),
            ("SIZE_MAX / 2 + 1", ALWAYS_INVALID),
        ],
        ("size_t", "max_length") => &[("1000", OK), ("0", OK), ("SIZE_MAX", OK)],
        ("int32_t", "cause") => &[
            ("JUSTCALL_CAUSE_CONNECT", OK),
            ("INT32_MIN", ALWAYS_INVALID),
            ("-1", ALWAYS_INVALID),
            ("0", ALWAYS_INVALID),
            ("7", ALWAYS_INVALID),
            ("INT32_MAX", ALWAYS_INVALID),
        ],
        // No account has the number 0.
        ("uint64_t", "id") => &[("5000", OK), ("0", ALWAYS_INVALID), ("UINT64_MAX", OK)],
        ("int32_t", "request_sent") => &[("1", OK), ("INT32_MIN", OK), ("0", OK), ("INT32_MAX", OK)],
        ("int32_t *", "action") => &[("&action", OK), ("NULL", ALWAYS_INVALID)],
        ("int32_t *", "changed") => &[("&changed", OK), ("NULL", OK)],
        ("uint64_t *", "wait_ms") => &[("&wait_ms", OK), ("NULL", OK)],
        _ => return None,
    };
    Some(self::list(list))
}

fn list(values: &[(&str, Due)]) -> Vec<Value> {
    values.iter().map(|(text, due)| ((*text).to_owned(), *due)).collect()
}

/// Places for a handle. A function that can fail needs them all but the one of its error.
fn outputs(name: &str) -> Vec<Value> {
    list(&[(&format!("&{name}"), OK), ("NULL", if name == "error" { OK } else { ALWAYS_INVALID })])
}

/// Handles to use. One that is freed can only be NULL here, and a getter answers for NULL too.
fn handles(function: &Prototype, kind: &str) -> Vec<Value> {
    let handle = kind
        .trim_start_matches("const justcall_")
        .trim_start_matches("justcall_")
        .trim_end_matches([' ', '*']);
    if function.name.ends_with("_free") {
        return list(&[("NULL", OK)]);
    }
    let optional = function.name == "justcall_client_new"
        || handle == "call_options" && function.name.ends_with("_with");
    let owner = match function.name.as_str() {
        // Secrets are either given or a client's.
        "justcall_webhook_use_client" if handle == "webhook" => "clients",
        // Its later calls fail.
        "justcall_client_shutdown" => "shut",
        // Other clients may go on with the pair that is replaced.
        _ if handle == "client" => "good",
        // Only one that is to send has something to give.
        "justcall_exchange_authorization" => "sending",
        _ if kind.starts_with("const ") => "good",
        _ => "scratch",
    };
    list(&[(&format!("{owner}_{handle}"), OK), ("NULL", if optional { OK } else { ALWAYS_INVALID })])
}

/// What a delivery is verified by.
fn delivery(function: &Prototype, kind: &str, name: &str) -> Option<Vec<Value>> {
    if name == "check" {
        return Some(list(&[("see_nothing", OK), ("NULL", ALWAYS_INVALID)]));
    }
    if !matches!(
        function.name.as_str(),
        "justcall_webhook_verify" | "justcall_webhook_verify_with" | "justcall_webhook_event_object_path"
    ) {
        return None;
    }
    let values: &[(&str, Due)] = match (kind, name) {
        ("const char *", _) => return Some(webhook_header(name)),
        ("const void *", "body") => &[("delivery.body", OK), ("NULL", INVALID), ("not_utf8", UNREADABLE)],
        ("size_t", "body_length") => &[
            ("delivery.length", OK),
            ("0", UNREADABLE),
            ("64", UNREADABLE),
            ("SIZE_MAX", ALWAYS_INVALID),
            ("SIZE_MAX / 2 + 1", ALWAYS_INVALID),
        ],
        ("int64_t", "now_unix") => {
            &[("delivery.time", OK), ("0", STALE), ("-1", STALE), ("INT64_MIN", STALE), ("INT64_MAX", STALE)]
        }
        _ => return None,
    };
    Some(list(values))
}

/// A header of a delivery, as it came from a network: anything but a failure of the call's own.
fn webhook_header(name: &str) -> Vec<Value> {
    let (absent, wrong) = match name {
        "signature" => (Status("JUSTCALL_ERROR_WEBHOOK_UNSIGNED"), UNREADABLE),
        "version" => {
            let due = Status("JUSTCALL_ERROR_WEBHOOK_VERSION");
            (due, due)
        }
        _ => (UNREADABLE, UNREADABLE),
    };
    list(&[
        (&format!("delivery.{name}"), OK),
        ("NULL", absent),
        ("\"\"", absent),
        ("not_utf8", wrong),
        ("ends_early", wrong),
        ("controls", wrong),
        ("very_long", wrong),
    ])
}

/// A half of a pair: bytes with a length beside them.
fn halves(name: &str) -> Vec<Value> {
    list(&[
        (&format!("good_{name}"), OK),
        ("NULL", ALWAYS_INVALID),
        ("not_utf8", MALFORMED),
        ("ends_early", MALFORMED),
        ("controls", MALFORMED),
        ("\"            \"", MALFORMED),
    ])
}

/// Text that ends with a NUL; what is good, and what of the rest, depends on what it is for.
fn texts(function: &Prototype, name: &str) -> Option<Vec<Value>> {
    let any = [Anything; 4];
    let (good, [empty, early, control, long], more) = match (function.name.as_str(), name) {
        (_, "source") => ("good_source", [INVALID, Anything, Anything, Anything], &[][..]),
        ("justcall_config_set_proxy", "url") => (
            "\"http://127.0.0.1:1\"",
            [OK, Anything, ALWAYS_INVALID, Anything],
            &["\"https://127.0.0.1:1\""][..],
        ),
        (_, "expected_url") => {
            ("good_url", [ALWAYS_INVALID; 4], &["\"host/path\"", "\"https://\"", "\"**\""][..])
        }
        (_, "url") => ("good_url", [INVALID, Anything, Anything, Anything], &[][..]),
        ("justcall_config_set_ca_file", "path") => {
            ("good_ca_file", [INVALID, Anything, Anything, Anything], &[][..])
        }
        ("justcall_config_set_state_file", "path") => {
            ("\"/dev/null/pairs.json\"", [INVALID, Anything, Anything, Anything], &[][..])
        }
        (_, "path") => ("good_path", [ALWAYS_INVALID; 4], &["\"//host\"", "\"/../x\""][..]),
        (_, "method") => ("\"GET\"", [ALWAYS_INVALID; 4], &["\"get\"", "\"CONNECT\""][..]),
        ("justcall_request_add_query", "name" | "value") => {
            ("\"page\"", [OK, OK, OK, ALWAYS_INVALID], &[][..])
        }
        ("justcall_request_set_header", "name") => {
            ("\"x-note\"", [ALWAYS_INVALID, ALWAYS_INVALID, ALWAYS_INVALID, Anything], &["\"HOST\""][..])
        }
        ("justcall_request_set_header", "value") => {
            ("\"note\"", [OK, OK, ALWAYS_INVALID, Anything], &["\" note\""][..])
        }
        ("justcall_config_set_local_address", "address") => {
            ("\"127.0.0.1\"", [OK, ALWAYS_INVALID, ALWAYS_INVALID, ALWAYS_INVALID], &["\"127.0.0.1:80\""][..])
        }
        // Whatever it is given, it makes an error.
        ("justcall_error_new", "message") => ("\"The database is down.\"", any, &[][..]),
        ("justcall_response_header", "name") => ("\"content-type\"", any, &[][..]),
        _ => return None,
    };
    let mut values = list(&[
        (good, OK),
        ("NULL", ALWAYS_INVALID),
        ("not_utf8", ALWAYS_INVALID),
        ("\"\"", empty),
        ("ends_early", early),
        ("controls", control),
        ("very_long", long),
    ]);
    values.extend(more.iter().map(|text| ((*text).to_owned(), ALWAYS_INVALID)));
    Some(values)
}

/// The calls of one function, as a C function.
fn calls(function: &Prototype) -> String {
    let of = |index| {
        values(function, index).unwrap_or_else(|| {
            let Parameter { kind, name } = &function.parameters[index];
            panic!("{} has a parameter `{kind} {name}`: give it hostile values here", function.name)
        })
    };
    let all: Vec<Vec<Value>> = (0..function.parameters.len()).map(of).collect();
    let good: Vec<Value> = all.iter().map(|values| values[0].clone()).collect();
    let mut code = format!("static void call_{}(void) {{\n", function.name);
    code += &call(function, &good, "JUSTCALL_OK");
    for (index, values) in all.iter().enumerate() {
        for value in &values[1..] {
            let mut arguments = good.clone();
            arguments[index] = value.clone();
            code += &call(function, &arguments, due(value.1));
        }
    }
    let longest = all.iter().map(Vec::len).max().unwrap_or(1);
    for round in 1..longest {
        let hostile = |values: &Vec<Value>| {
            values[1..].get((round - 1) % (values.len() - 1).max(1)).unwrap_or(&values[0]).clone()
        };
        let arguments: Vec<Value> = all.iter().map(hostile).collect();
        let fails = arguments.iter().any(|(_, due)| matches!(due, Always(_)));
        code += &call(function, &arguments, if fails { "ANY_FAILURE" } else { "ANYTHING" });
    }
    code + "}\n\n"
}

fn due(due: Due) -> &'static str {
    match due {
        Status(name) | Always(name) => name,
        Anything => "ANYTHING",
    }
}

/// One call: what it is given, and the checks of what came back.
fn call(function: &Prototype, arguments: &[Value], due: &str) -> String {
    let name = &function.name;
    let given: Vec<&str> = arguments.iter().map(|(text, _)| text.as_str()).collect();
    let written = format!("{name}({})", given.join(", "));
    let mut before = Vec::new();
    let mut after = Vec::new();
    for (parameter, argument) in function.parameters.iter().zip(&given) {
        let Parameter { kind, name } = parameter;
        // Only what is passed is declared: an unused variable would not compile.
        match (kind.strip_suffix("**").map(str::trim), argument.strip_prefix('&')) {
            (Some(handle), Some(place)) => {
                before.push(format!("        {handle} *{place} = POISON({handle});\n"));
                if name != "error" {
                    after.push(format!("        CHECK((status == JUSTCALL_OK) == ({place} != NULL));\n"));
                    after.push(format!("        {handle}_free({place});\n"));
                }
            }
            (None, Some(place)) => {
                let kind = kind.trim_end_matches([' ', '*']);
                before.push(format!("        {kind} {place} = 0;\n"));
            }
            _ => {}
        }
    }
    let (before, after) = (before.concat(), after.concat());
    let due = if name == "justcall_error_new" { "ANY_FAILURE" } else { due };
    let error = if given.last() == Some(&"&error") { "&error" } else { "NULL" };
    let checked = match function.result.as_str() {
        "justcall_status" if name == "justcall_error_status" => format!("        (void){written};\n"),
        "justcall_status" => format!(
            "        justcall_status status = {written};\n        check_call(status, {due}, {error});\n{after}"
        ),
        "const char *" => format!("        check_text_is_whole({written});\n"),
        "const void *" if given.contains(&"&length") => {
            format!("        const void *bytes = {written};\n        check_bytes_are_there(bytes, length);\n")
        }
        "const void *" => format!("        (void){written};\n"),
        // Borrowed: it goes with its owner.
        "const justcall_response *" => format!("        check_response_is_whole({written});\n"),
        "void" | "int32_t" | "int64_t" | "uint32_t" | "uint64_t" | "size_t" => {
            format!("        (void){written};\n")
        }
        handle if handle.starts_with("justcall_") => {
            format!("        {}_free({written});\n", handle.trim_end_matches([' ', '*']))
        }
        other => panic!("{name} returns `{other}`: say here what to check of it"),
    };
    let shown = written.replace('\\', "\\\\").replace('"', "\\\"");
    format!("    {{\n{before}        about_to(\"{shown}\");\n{checked}    }}\n")
}

fn program() -> String {
    let prototypes = header::prototypes();
    let mut code = "#include \"hostile.h\"\n\n".to_owned();
    let mut all = String::new();
    for symbol in header::symbols() {
        let function = prototypes.iter().find(|function| function.name == symbol);
        code += &calls(function.unwrap_or_else(|| panic!("{symbol} is not in the header")));
        writeln!(all, "    call_{symbol}();").expect("a String grows");
    }
    code + "static void call_all(void) {\n"
        + &all
        + "}\n\nint main(int argc, char **argv) {\n    if (!hostile_begin(argc, argv))\n        return 2;\n"
        + "    hostile_run(call_all);\n    return hostile_end();\n}\n"
}

#[test]
fn it_survives_hostile_arguments_in_every_function() {
    let service = Service::start();
    let folder = tempfile::tempdir().expect("a folder for the test");
    let source = folder.path().join("hostile.c");
    fs::write(&source, program()).expect("the test's file");
    // A key and a secret of 12 bytes, as those that are varied.
    let arguments = [service.sandbox.url(), service.ca_file(), &service.good_source()];
    for standard in [Standard::C99, Standard::Cpp20] {
        let program = Program::compile(&source, standard, Link::Shared(library::folder()), &[]);
        let said = succeed(&mut program.command(&arguments));
        let calls = said.lines().filter(|line| line.starts_with("justcall_")).count();
        assert!(calls > 5 * header::symbols().len(), "only {calls} calls:\n{said}");
    }
}
