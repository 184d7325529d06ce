//! Classification of responses: [`classify`] maps a status and a body to success or to one row of the error table.

use std::time::Duration;

use crate::credentials::Credentials;
use crate::error::{Error, ErrorKind, MAX_MESSAGE};
use crate::printable::shortened;
use crate::response::Response;
use crate::service;

/// The message of a 408. The service, or a proxy before it, stopped waiting for the request.
const REQUEST_TIMEOUT: &str = "The service did not receive the whole request in time (HTTP 408).";

/// The longest `Location` header that is parsed, in bytes.
const MAX_LOCATION: usize = 8 * 1024;

/// Returns success for the statuses 200–299, otherwise the error for `response`. The HTTP status decides; the body only
/// adds an explanation.
///
/// `sent` is the pair that the request carried. It is masked in the service's message, and an error for a 401 contains
/// the findings about it. `unix` is the time since the epoch, for reset headers.
///
/// # Errors
/// Fails with the row of the error table for the status. The error contains the response.
pub fn classify(response: &Response, sent: Option<&Credentials>, unix: Duration) -> Result<(), Error> {
    let status = response.http_status();
    let kind = match status {
        200..=299 => return Ok(()),
        300..=399 => ErrorKind::RedirectRefused,
        401 => ErrorKind::InvalidCredentials,
        403 => ErrorKind::Forbidden,
        404 => ErrorKind::NotFound,
        422 => ErrorKind::Unprocessable,
        429 => ErrorKind::RateLimited,
        408 | 502..=504 => ErrorKind::Unavailable,
        400..=499 => ErrorKind::BadRequest,
        500..=599 => ErrorKind::ServerError,
        _ => ErrorKind::InvalidResponse,
    };
    let service_message = service::message(response.body());
    let mut error = match kind {
        ErrorKind::InvalidResponse => {
            Error::with_message(kind, format!("The response has the unexpected HTTP status {status}."))
        }
        ErrorKind::RedirectRefused => redirect(response, sent),
        ErrorKind::Forbidden => forbidden(service_message.as_deref()),
        ErrorKind::Unavailable if status == 408 => Error::with_message(kind, REQUEST_TIMEOUT),
        _ => Error::new(kind),
    };
    if kind == ErrorKind::InvalidCredentials {
        error = error.with_findings(sent.map(Credentials::findings).unwrap_or_default());
    }
    if matches!(kind, ErrorKind::RateLimited | ErrorKind::Unavailable | ErrorKind::ServerError) {
        let wait = service::retry_after(response, unix);
        if let Some(wait) = wait.filter(|wait| !wait.is_zero()) {
            let seconds = wait.as_millis().div_ceil(1000);
            error = error
                .clone()
                .with_new_message(format!("{} The service asks to wait {seconds} s.", error.message()));
        }
        error = error.with_retry_after(wait);
    }
    Err(error
        .with_service_message(service_message.map(|text| mask_and_cut(&text, sent)))
        .with_response(response.clone()))
}

/// The longest host name in a message, in bytes.
const MAX_HOST: usize = 100;

/// Returns the error for a response whose status is good but whose content is unexpected.
pub(crate) fn invalid_response(response: &Response, why: &str, sent: Option<&Credentials>) -> Error {
    Error::with_message(
        ErrorKind::InvalidResponse,
        format!("The response does not come from the JustCall API: {why}."),
    )
    .with_service_message(service::message(response.body()).map(|text| mask_and_cut(&text, sent)))
    .with_response(response.clone())
}

/// Masks the pair in the service's text, then cuts the text. Masking comes first, because a secret cut in two would not
/// be found.
fn mask_and_cut(text: &str, sent: Option<&Credentials>) -> String {
    shortened(sent.map_or_else(|| text.to_owned(), |sent| sent.mask(text)), MAX_MESSAGE)
}

/// Names only the host of the redirect, because the rest of a `Location` may echo the pair. The host is masked for the
/// same reason.
fn redirect(response: &Response, sent: Option<&Credentials>) -> Error {
    let location = response.header("location").filter(|location| location.len() <= MAX_LOCATION);
    let target = location.and_then(|location| location.parse::<http::Uri>().ok());
    let host = target.as_ref().and_then(http::Uri::host);
    let shown = host.map(|host| mask_and_cut(host, sent));
    let to = shown.map(|host| format!(" to {}", host.get(..MAX_HOST).unwrap_or(&host))).unwrap_or_default();
    Error::with_message(
        ErrorKind::RedirectRefused,
        format!(
            "The service answered with a redirect{to} (HTTP {}). Redirects are never followed.",
            response.http_status()
        ),
    )
}

fn forbidden(service_message: Option<&str>) -> Error {
    let reason = service::forbidden_reason(service_message);
    let error = Error::new(ErrorKind::Forbidden).with_reason(reason);
    match reason {
        "plan" => error.with_hint(
            "Ask the Owner of the account to change the plan, or ask JustCall support. The plan does not include API access. The API key and secret remain valid.",
        ),
        "role" => error.with_hint(
            "Use a pair that an Admin or the Owner generated. This endpoint requires Admin-level credentials. The API key and secret remain valid.",
        ),
        "ip" => error.with_hint(
            "Ask an Admin to allow this machine's address for the API key, in JustCall under Settings → API & Webhooks. The API key and secret remain valid.",
        ),
        "addon" => error.with_hint(
            "Ask the Owner of the account to buy the add-on that this endpoint belongs to. The API key and secret work for other endpoints.",
        ),
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(status: u16, body: &str) -> Response {
        Response::new(status, Vec::new(), body.as_bytes().to_vec())
    }

    #[test]
    fn it_maps_every_status_to_its_row() {
        let rows = [
            (301, "redirect_refused"),
            (304, "redirect_refused"),
            (400, "bad_request"),
            (401, "invalid_credentials"),
            (402, "bad_request"),
            (403, "forbidden"),
            (404, "not_found"),
            (405, "bad_request"),
            (418, "bad_request"),
            (422, "unprocessable"),
            (429, "rate_limited"),
            (500, "server_error"),
            (501, "server_error"),
            (502, "unavailable"),
            (503, "unavailable"),
            (504, "unavailable"),
            (599, "server_error"),
            (100, "invalid_response"),
            (199, "invalid_response"),
            (600, "invalid_response"),
            (999, "invalid_response"),
        ];
        for (status, name) in rows {
            let error = classify(&response(status, "<html>"), None, Duration::ZERO).expect_err(name);
            assert_eq!(error.kind().name(), name, "{status}");
            assert_eq!(error.http_status(), status);
            assert!(error.request_sent() && error.response().is_some());
        }
        for status in [200, 201, 204, 299] {
            assert!(classify(&response(status, ""), None, Duration::ZERO).is_ok(), "{status}");
        }
    }

    fn with_header(status: u16, name: &str, value: &str) -> Error {
        let headers = vec![(name.to_owned(), value.to_owned())];
        let response = Response::new(status, headers, Vec::new());
        classify(&response, None, Duration::ZERO).expect_err("a failure")
    }

    #[test]
    fn it_says_what_is_special_about_a_status() {
        let message = |status| {
            let error = classify(&response(status, ""), None, Duration::ZERO).expect_err("a failure");
            error.message().to_owned()
        };
        assert_eq!(message(408), REQUEST_TIMEOUT);
        assert_ne!(message(503), REQUEST_TIMEOUT);
        assert_eq!(message(999), "The response has the unexpected HTTP status 999.");
    }

    #[test]
    fn it_names_a_wait_unless_it_is_over() {
        let (waits, is_over) = (with_header(503, "Retry-After", "5"), with_header(503, "Retry-After", "0"));
        assert!(waits.message().ends_with(" The service asks to wait 5 s."), "{waits}");
        assert!(!is_over.message().contains("wait"), "{is_over}");
        assert_eq!(is_over.retry_after(), Some(Duration::ZERO));
    }

    #[test]
    fn it_names_the_host_of_a_redirect_unless_the_location_is_too_long() {
        let to = |length: usize| {
            let start = "https://elsewhere.example/";
            with_header(302, "Location", &format!("{start}{}", "a".repeat(length - start.len())))
        };
        assert_eq!(MAX_LOCATION, 8192);
        assert!(to(MAX_LOCATION).message().contains("a redirect to elsewhere.example (HTTP 302)"));
        assert!(to(MAX_LOCATION + 1).message().contains("a redirect (HTTP 302)"));
    }

    #[test]
    fn it_hints_at_each_reason_of_a_403() {
        for (message, reason, hint) in [
            ("Your plan does not include API access", "plan", "change the plan"),
            ("You need admin permissions", "role", "an Admin or the Owner generated"),
            ("IP address not allowed", "ip", "this machine's address"),
            ("Buy the AI add-on", "addon", "buy the add-on"),
        ] {
            let error =
                classify(&response(403, &format!("{{\"message\":\"{message}\"}}")), None, Duration::ZERO);
            let error = error.expect_err("403");
            assert_eq!(error.reason(), Some(reason), "{message}");
            assert!(error.hint().contains(hint), "{reason}: {}", error.hint());
        }
    }

    #[test]
    fn it_masks_a_pair_before_it_cuts_the_text() {
        let pair = Credentials::new(b"abc123def456", b"sec789xyz000").expect("good");
        let echo = format!("{{\"message\":\"{}sec789xyz000\"}}", "y".repeat(MAX_MESSAGE - 6));
        let error = classify(&response(400, &echo), Some(&pair), Duration::ZERO).expect_err("400");
        let message = error.service_message().expect("a message");
        assert!(message.len() <= MAX_MESSAGE && !message.contains("sec7"), "{message}");
    }

    #[test]
    fn it_masks_a_pair_in_an_unexpected_response() {
        let pair = Credentials::new(b"abc123def456", b"sec789xyz000").expect("good");
        let echo = response(200, "{\"message\":\"Hello abc123def456:sec789xyz000!\"}");
        let message =
            |sent| invalid_response(&echo, "it is a greeting", sent).service_message().map(str::to_owned);
        assert_eq!(message(Some(&pair)).as_deref(), Some("Hello [redacted]:[redacted]!"));
        assert_eq!(message(None).as_deref(), Some("Hello abc123def456:sec789xyz000!"), "the control");
    }

    #[test]
    fn it_masks_a_pair_in_the_host_of_a_redirect() {
        let pair = Credentials::new(b"abc123def456", b"sec789xyz000").expect("good");
        let headers = vec![("location".into(), "https://sec789xyz000.example/abc123def456".into())];
        let error = classify(&Response::new(302, headers, Vec::new()), Some(&pair), Duration::ZERO);
        let message = error.expect_err("302").message().to_owned();
        assert!(message.contains(".example") && !message.contains("sec789xyz000"), "{message}");
    }

    #[test]
    fn it_reports_findings_about_a_rejected_pair() {
        let pair = Credentials::new(b"abc123def456", b"sec789xyz000").expect("good");
        let error = classify(&response(401, ""), Some(&pair), Duration::ZERO).expect_err("401");
        assert_eq!(error.findings().len(), 2);
        assert!(error.hint().contains("40 lower-case hexadecimal digits"));
    }
}
