//! Checks that every exported function survives NULL, empty, malformed and extreme arguments, one at a time and together.
//!
//! The program is generated from the list of symbols and the prototypes of the header, so it covers every function. The
//! test fails if a parameter has no values below.

use std::fmt::Write as _;
use std::fs;

use crate::support::header::{self, Parameter, Prototype};
use crate::support::library;
use crate::support::program::{Link, Program, Standard, succeed};
use crate::support::sandbox::Service;

/// The expected result of a call with this value and valid values for the other parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    /// This status, by its name in C.
    Status(&'static str),
    /// This status, and a failure with any other values too.
    Always(&'static str),
    /// Any status: the call only has to return.
    Anything,
}

use Expected::{Always, Anything, Status};

const OK: Expected = Status("JUSTCALL_OK");
const INVALID: Expected = Status("JUSTCALL_ERROR_INVALID_ARGUMENT");
const ALWAYS_INVALID: Expected = Always("JUSTCALL_ERROR_INVALID_ARGUMENT");
const MALFORMED: Expected = Status("JUSTCALL_ERROR_CREDENTIALS_MALFORMED");
const UNREADABLE: Expected = Status("JUSTCALL_ERROR_WEBHOOK_MALFORMED");
const STALE: Expected = Status("JUSTCALL_ERROR_WEBHOOK_STALE");
const TOO_SMALL: Expected = Status("JUSTCALL_ERROR_BUFFER_TOO_SMALL");

/// An argument as a C expression, and the expected result.
type Value = (String, Expected);

/// Returns the values of a parameter: a valid one first, then hostile ones.
fn values(function: &Prototype, index: usize) -> Option<Vec<Value>> {
    let Parameter { kind, name } = &function.parameters[index];
    let has_length = function.parameters.get(index + 1).is_some_and(|next| {
        next.kind == "size_t" && (next.name == "length" || next.name == format!("{name}_length"))
    });
    if let Some(values) = delivery(function, kind, name) {
        return Some(values);
    }
    let list: &[(&str, Expected)] = match (kind.as_str(), name.as_str()) {
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
        _ => return step_values(kind, name),
    };
    Some(self::list(list))
}

/// Returns the values of parameters for certificates, accounts and the steps of a call.
fn step_values(kind: &str, name: &str) -> Option<Vec<Value>> {
    let list: &[(&str, Expected)] = match (kind, name) {
        // Only these bytes are certificates.
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
        // 0 is not the number of an account.
        ("uint64_t", "id") => &[("5000", OK), ("0", ALWAYS_INVALID), ("UINT64_MAX", OK)],
        ("int32_t", "request_sent") => &[("1", OK), ("INT32_MIN", OK), ("0", OK), ("INT32_MAX", OK)],
        ("int32_t *", "action") => &[("&action", OK), ("NULL", ALWAYS_INVALID)],
        ("int32_t *", "changed") => &[("&changed", OK), ("NULL", OK)],
        ("uint64_t *", "wait_ms") => &[("&wait_ms", OK), ("NULL", OK)],
        _ => return None,
    };
    Some(self::list(list))
}

fn list(values: &[(&str, Expected)]) -> Vec<Value> {
    values.iter().map(|(text, expected)| ((*text).to_owned(), *expected)).collect()
}

/// Returns the values of an output for a handle. Only the output for the error may be NULL.
fn outputs(name: &str) -> Vec<Value> {
    list(&[(&format!("&{name}"), OK), ("NULL", if name == "error" { OK } else { ALWAYS_INVALID })])
}

/// Returns the values of a handle. A _free function gets only NULL, because the handles are needed until the end.
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
        // A verifier takes its secrets either one by one or from a client.
        "justcall_webhook_use_client" if handle == "webhook" => "clients",
        // The later calls of this client fail.
        "justcall_client_shutdown" => "shut",
        // Other clients may continue with the replaced pair.
        _ if handle == "client" => "good",
        // Only an exchange whose next action is to send has an authorization.
        "justcall_exchange_authorization" => "sending",
        _ if kind.starts_with("const ") => "good",
        _ => "scratch",
    };
    list(&[(&format!("{owner}_{handle}"), OK), ("NULL", if optional { OK } else { ALWAYS_INVALID })])
}

/// Returns the values of the parameters of a delivery.
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
    let values: &[(&str, Expected)] = match (kind, name) {
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

/// Returns the values of a header of a delivery. Any text from a network is a valid argument: only the delivery is bad.
fn webhook_header(name: &str) -> Vec<Value> {
    let (absent, wrong) = match name {
        "signature" => (Status("JUSTCALL_ERROR_WEBHOOK_UNSIGNED"), UNREADABLE),
        "version" => {
            let expected = Status("JUSTCALL_ERROR_WEBHOOK_VERSION");
            (expected, expected)
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

/// Returns the values of a key or a secret, which have a separate length.
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

/// Returns the values of a NUL-terminated text, by its purpose.
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
        // It creates an error from any text.
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

/// Returns the values of each parameter.
fn all_values(function: &Prototype) -> Vec<Vec<Value>> {
    let of = |index| {
        values(function, index).unwrap_or_else(|| {
            let Parameter { kind, name } = &function.parameters[index];
            panic!("{} has a parameter `{kind} {name}`: add values for it here", function.name)
        })
    };
    (0..function.parameters.len()).map(of).collect()
}

/// Returns the C code for one call with valid values, and the checks of its result.
pub(crate) fn valid_call(function: &Prototype, expected: &str) -> String {
    let good: Vec<Value> = all_values(function).into_iter().map(|mut values| values.remove(0)).collect();
    call(function, &good, expected)
}

/// Returns a C function that makes all calls of one exported function.
fn calls(function: &Prototype) -> String {
    let all = all_values(function);
    let good: Vec<Value> = all.iter().map(|values| values[0].clone()).collect();
    let mut code = format!("static void call_{}(void) {{\n", function.name);
    code += &call(function, &good, "JUSTCALL_OK");
    for (index, values) in all.iter().enumerate() {
        for value in &values[1..] {
            let mut arguments = good.clone();
            arguments[index] = value.clone();
            code += &call(function, &arguments, expected(value.1));
        }
    }
    let longest = all.iter().map(Vec::len).max().unwrap_or(1);
    for round in 1..longest {
        let hostile = |values: &Vec<Value>| {
            values[1..].get((round - 1) % (values.len() - 1).max(1)).unwrap_or(&values[0]).clone()
        };
        let arguments: Vec<Value> = all.iter().map(hostile).collect();
        let fails = arguments.iter().any(|(_, expected)| matches!(expected, Always(_)));
        code += &call(function, &arguments, if fails { "ANY_FAILURE" } else { "ANYTHING" });
    }
    code + "}\n\n"
}

fn expected(expected: Expected) -> &'static str {
    match expected {
        Status(name) | Always(name) => name,
        Anything => "ANYTHING",
    }
}

/// Returns the C code for one call and the checks of its result.
fn call(function: &Prototype, arguments: &[Value], expected: &str) -> String {
    let name = &function.name;
    let passed: Vec<&str> = arguments.iter().map(|(text, _)| text.as_str()).collect();
    let expression = format!("{name}({})", passed.join(", "));
    let mut before = Vec::new();
    let mut after = Vec::new();
    for (parameter, argument) in function.parameters.iter().zip(&passed) {
        let Parameter { kind, name } = parameter;
        // Declares only the passed variables: an unused variable would be a compile error.
        match (kind.strip_suffix("**").map(str::trim), argument.strip_prefix('&')) {
            (Some(handle), Some(place)) => {
                before.push(format!("        {handle} *{place} = POISON({handle});\n"));
                if name != "error" {
                    after.push(format!("        CHECK((result == JUSTCALL_OK) == ({place} != NULL));\n"));
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
    let expected = if name == "justcall_error_new" { "ANY_FAILURE" } else { expected };
    let error = if passed.last() == Some(&"&error") { "&error" } else { "NULL" };
    let result = function.result.as_str();
    let checked = match result {
        "justcall_status" if name != "justcall_error_status" => {
            format!("        check_call(result, {expected}, {error});\n{after}")
        }
        "const char *" => "        check_text_is_whole(result);\n".to_owned(),
        "const void *" if passed.contains(&"&length") => {
            "        check_bytes_are_there(result, length);\n".to_owned()
        }
        // Borrowed: freed with its owner.
        "const justcall_response *" => "        check_response_is_whole(result);\n".to_owned(),
        "void" => String::new(),
        "const void *" | "justcall_status" | "int32_t" | "int64_t" | "uint32_t" | "uint64_t" | "size_t" => {
            "        (void)result;\n".to_owned()
        }
        handle if handle.starts_with("justcall_") => {
            format!("        {}_free(result);\n", handle.trim_end_matches([' ', '*']))
        }
        other => panic!("{name} returns `{other}`: add a check for it here"),
    };
    let stored = if result == "void" { String::new() } else { format!("{result} result = ") };
    let shown = expression.replace('\\', "\\\\").replace('"', "\\\"");
    format!(
        "    {{\n{before}        about_to(\"{shown}\");\n        {stored}{expression};\n        returned();\n{checked}    }}\n"
    )
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
    // The hostile lengths assume a key and a secret of 12 bytes, such as those of the sandbox.
    let arguments = [service.sandbox.url(), service.ca_file(), &service.good_source()];
    for standard in [Standard::C99, Standard::Cpp20] {
        let program = Program::compile(&source, standard, Link::Shared(library::folder()), &[]);
        let printed = succeed(&mut program.command(&arguments));
        let calls = printed.lines().filter(|line| line.starts_with("justcall_")).count();
        assert!(calls > 5 * header::symbols().len(), "only {calls} calls:\n{printed}");
    }
}
