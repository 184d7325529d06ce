//! The classification of responses that are no success.

use std::time::Duration;

use justcall_auth::classify::classify;
use justcall_auth::{Credentials, ErrorKind, Response, printable, service};

use super::{KEY, NOW, SECRET, good_pair};
use crate::Target;
use crate::disclosure::contains;
use crate::input::Input;
use crate::json::{self, Model};
use crate::seeds;

pub const TARGET: Target = Target {
    name: "errors",
    about: "The status alone decides on the error. The message of the service is one that `serde_json` finds too, is short and \
            printable, and an echoed pair is masked in every text of the error.",
    check,
    seeds: || {
        let mut bodies = Vec::new();
        for case in &seeds::vectors("verify") {
            bodies.extend(seeds::texts(case["faults"].as_array().map_or(&[][..], Vec::as_slice), "/body"));
        }
        bodies.push(format!(r#"{{"status":"failed","message":"Hello {KEY}:{SECRET}!"}}"#).into_bytes());
        bodies.push(br#"{"error":{"message":"inner"},"errors":[{"message":"first"}]}"#.to_vec());
        bodies.push(br#"{"status":"error","message":"Admin-level credentials are needed"}"#.to_vec());
        bodies.sort();
        bodies.dedup();
        let statuses = [401_u16, 403, 429, 503, 302];
        let numbered = bodies.into_iter().enumerate();
        numbered.map(|(at, body)| [&statuses[at % 5].to_be_bytes()[..], b"\0", &body].concat()).collect()
    },
    tokens: &[
        KEY,
        SECRET,
        "\"message\":",
        "\"error\":",
        "\"errors\":",
        "\"status\":",
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"failed\"",
        "plan",
        "role",
        "Admin",
        "Owner",
        "IP",
        "add-on",
        "\\u0061",
        "\\n",
        "\\u202e",
        "\\ud800",
        "null",
        "7",
        "\u{feff}",
        "https://",
        "/v2/account",
        "Retry-After",
        "\u{1b}[31m",
    ],
};

fn check(data: &[u8]) {
    let mut input = Input::new(data);
    let status = u16::from_be_bytes([input.byte(), input.byte()]) % 1000;
    let location = input.text();
    let body = input.rest();
    let headers = vec![("location".to_owned(), location.clone()), ("retry-after".to_owned(), location)];
    let response = Response::new(status, headers, body.to_vec());
    let pair = good_pair();
    let unix = Duration::from_secs(NOW);
    let message = service::message(body);
    check_message(message.as_deref(), body);
    let Err(error) = classify(&response, Some(&pair), unix) else {
        return assert!((200..300).contains(&status), "{status}");
    };
    assert_eq!((error.kind(), error.http_status()), (kind_of(status).expect("no success"), status));
    assert!(error.request_sent() && error.response().is_some_and(|kept| kept.body() == body));
    assert_eq!(error.service_message().is_some(), message.is_some());
    assert!(error.service_message().is_none_or(|text| text.len() <= 512));
    assert_eq!(error.reason().is_some(), error.kind() == ErrorKind::Forbidden);
    let is_late =
        matches!(error.kind(), ErrorKind::RateLimited | ErrorKind::Unavailable | ErrorKind::ServerError);
    assert!(error.retry_after().is_none() || is_late);
    check_masked(&pair, &format!("{error} {error:?} {} {:?}", error.hint(), error.service_message()));
    let again = classify(&response, Some(&pair), unix).expect_err("it failed before");
    assert_eq!(format!("{again:?}"), format!("{error:?}"), "the classification is not repeatable");
}

fn check_masked(pair: &Credentials, text: &str) {
    for half in [KEY, SECRET] {
        assert!(!contains(text.as_bytes(), half.as_bytes()), "the pair is shown: {text}");
    }
    assert_eq!(pair.mask(text), text);
}

/// Returns the error for a status, or `None` for a success.
fn kind_of(status: u16) -> Option<ErrorKind> {
    Some(match status {
        401 => ErrorKind::InvalidCredentials,
        403 => ErrorKind::Forbidden,
        404 => ErrorKind::NotFound,
        408 | 502 | 503 | 504 => ErrorKind::Unavailable,
        422 => ErrorKind::Unprocessable,
        429 => ErrorKind::RateLimited,
        _ => match status / 100 {
            2 => return None,
            3 => ErrorKind::RedirectRefused,
            4 => ErrorKind::BadRequest,
            5 => ErrorKind::ServerError,
            _ => ErrorKind::InvalidResponse,
        },
    })
}

/// Checks the message that was found in `body`.
fn check_message(message: Option<&str>, body: &[u8]) {
    let text = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    let values = match json::object(text, &["message", "error", "errors"]) {
        Model::Unknown => return,
        Model::Refused => return assert_eq!(message, None),
        Model::Found(values) => values,
    };
    let [text, error, errors] = [0, 1, 2].map(|at| values[at].last());
    let inner = |object: Option<&serde_json::Value>| object.and_then(|object| object.get("message")).cloned();
    let places =
        [text.cloned(), error.cloned(), inner(error), inner(errors.and_then(|errors| errors.get(0)))];
    let found = places.iter().flatten().find_map(serde_json::Value::as_str);
    let Some(found) = found.map(printable::on_one_line).filter(|found| !found.is_empty()) else {
        return assert_eq!(message, None);
    };
    let message = message.expect("the model finds a message");
    // A long message is read only at its beginning.
    assert!(found == message || message.len() > 4000 && found.starts_with(message), "{found:?} {message:?}");
}
