//! What an answer of the service means: [`classify`] turns a status and a body into success or one row of the table.

use std::time::Duration;

use crate::credentials::Credentials;
use crate::error::{Error, ErrorKind, MAX_MESSAGE};
use crate::printable::shortened;
use crate::response::Response;
use crate::service;

/// The message of a 408: the service, or what stands before it, gave up on the request.
const REQUEST_TIMEOUT: &str = "The service stopped waiting for the rest of the request (HTTP 408).";

/// The longest `Location` that is looked at, in bytes.
const MAX_LOCATION: usize = 8 * 1024;

/// Success for 200–299, else the error that `response` stands for. The HTTP status decides; the body only explains.
///
/// `sent` is the pair that the request carried: it is masked in what the service echoes, and a 401 tells what the local
/// check notes about it. `unix` is the time of day, since the epoch: reset headers count in it.
///
/// # Errors
/// One row of the table, with the response in it.
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
    let said = service::message(response.body());
    let mut error = match kind {
        ErrorKind::InvalidResponse => {
            Error::with_message(kind, format!("The HTTP status {status} is not one that an API gives."))
        }
        ErrorKind::RedirectRefused => redirect(response, sent),
        ErrorKind::Forbidden => forbidden(said.as_deref()),
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
    Err(error.with_service_message(said.map(|said| safe(&said, sent))).with_response(response.clone()))
}

/// The most that a message shows of a host's name, in bytes.
const MAX_HOST: usize = 100;

/// A row-24 failure of an answer that came with a good status.
pub(crate) fn invalid_response(response: &Response, why: &str, sent: Option<&Credentials>) -> Error {
    Error::with_message(
        ErrorKind::InvalidResponse,
        format!("The answer is not what the JustCall API gives: {why}."),
    )
    .with_service_message(service::message(response.body()).map(|said| safe(&said, sent)))
    .with_response(response.clone())
}

/// Masked first, then cut: a secret cut in two would not be recognised.
fn safe(said: &str, sent: Option<&Credentials>) -> String {
    shortened(sent.map_or_else(|| said.to_owned(), |sent| sent.mask(said)), MAX_MESSAGE)
}

/// Names the host that the redirect leads to and nothing more: the rest of a `Location` may hold what it echoes. So may
/// the host itself.
fn redirect(response: &Response, sent: Option<&Credentials>) -> Error {
    let location = response.header("location").filter(|location| location.len() <= MAX_LOCATION);
    let target = location.and_then(|location| location.parse::<http::Uri>().ok());
    let host = target.as_ref().and_then(http::Uri::host);
    let shown = host.map(|host| safe(host, sent));
    let to = shown.map(|host| format!(" to {}", host.get(..MAX_HOST).unwrap_or(&host))).unwrap_or_default();
    Error::with_message(
        ErrorKind::RedirectRefused,
        format!(
            "The service answered with a redirect{to} (HTTP {}), which is never followed with credentials.",
            response.http_status()
        ),
    )
}

fn forbidden(said: Option<&str>) -> Error {
    let reason = service::forbidden_reason(said);
    let error = Error::new(ErrorKind::Forbidden).with_reason(reason);
    match reason {
        "plan" => error.with_hint(
            "The account's plan does not include API access; the Owner can change the plan, or ask JustCall's support. The credentials stay good.",
        ),
        "role" => error.with_hint(
            "This endpoint needs Admin-level credentials: use a pair that an Admin or the Owner generated. The credentials stay good.",
        ),
        "ip" => error.with_hint(
            "This machine's address is not among those allowed for the API key: an Admin can add it in JustCall under Settings → API & Webhooks. The credentials stay good.",
        ),
        "addon" => error.with_hint(
            "This endpoint belongs to an add-on that the account has not bought; the Owner can add it. The credentials work elsewhere.",
        ),
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Response {
        Response::new(status, Vec::new(), body.as_bytes().to_vec())
    }

    #[test]
    fn it_gives_every_status_its_row() {
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
            let error = classify(&answer(status, "<html>"), None, Duration::ZERO).expect_err(name);
            assert_eq!(error.kind().name(), name, "{status}");
            assert_eq!(error.http_status(), status);
            assert!(error.request_sent() && error.response().is_some());
        }
        for status in [200, 201, 204, 299] {
            assert!(classify(&answer(status, ""), None, Duration::ZERO).is_ok(), "{status}");
        }
    }

    #[test]
    fn it_masks_before_it_cuts() {
        let pair = Credentials::new(b"abc123def456", b"sec789xyz000").expect("good");
        let echo = format!("{{\"message\":\"{}sec789xyz000\"}}", "y".repeat(MAX_MESSAGE - 6));
        let error = classify(&answer(400, &echo), Some(&pair), Duration::ZERO).expect_err("400");
        let said = error.service_message().expect("a message");
        assert!(said.len() <= MAX_MESSAGE && !said.contains("sec7"), "{said}");
    }

    #[test]
    fn it_masks_what_an_answer_of_another_shape_echoes() {
        let pair = Credentials::new(b"abc123def456", b"sec789xyz000").expect("good");
        let echo = answer(200, "{\"message\":\"Hello abc123def456:sec789xyz000!\"}");
        let said =
            |sent| invalid_response(&echo, "it is a greeting", sent).service_message().map(str::to_owned);
        assert_eq!(said(Some(&pair)).as_deref(), Some("Hello [redacted]:[redacted]!"));
        assert_eq!(said(None).as_deref(), Some("Hello abc123def456:sec789xyz000!"), "the control");
    }

    #[test]
    fn it_masks_a_pair_in_the_host_that_a_redirect_leads_to() {
        let pair = Credentials::new(b"abc123def456", b"sec789xyz000").expect("good");
        let headers = vec![("location".into(), "https://sec789xyz000.example/abc123def456".into())];
        let error = classify(&Response::new(302, headers, Vec::new()), Some(&pair), Duration::ZERO);
        let message = error.expect_err("302").message().to_owned();
        assert!(message.contains(".example") && !message.contains("sec789xyz000"), "{message}");
    }

    #[test]
    fn it_tells_what_it_notes_about_a_rejected_pair() {
        let pair = Credentials::new(b"abc123def456", b"sec789xyz000").expect("good");
        let error = classify(&answer(401, ""), Some(&pair), Duration::ZERO).expect_err("401");
        assert_eq!(error.findings().len(), 2);
        assert!(error.hint().contains("40 lower-case hexadecimal digits"));
    }
}
