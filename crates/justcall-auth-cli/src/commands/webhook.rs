//! `webhook verify`: checks a recorded delivery.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use justcall_auth::webhook::{MAX_BODY, object_path};
use justcall_auth::{Client, Error, WebhookEvent, WebhookHeaders, WebhookVerifier, printable};
use serde_json::json;

use crate::arguments::{Global, WebhookArguments};
use crate::failure::{CYAN, Failure, GREEN};
use crate::help::table;
use crate::input;
use crate::output::Output;

/// The largest accepted size of the headers. Servers allow less.
const MAX_HEADERS: usize = 64 * 1024;

/// The default of `--headers` and `--body`.
const STANDARD_INPUT: &str = "-";

pub(super) fn verify(global: &Global, delivery: &WebhookArguments, output: &Output) -> Result<(), Failure> {
    let mut verifier = match delivery.url.as_slice() {
        [] => WebhookVerifier::for_any_url(),
        [first, others @ ..] => {
            let mut verifier = WebhookVerifier::for_url(first)?;
            others.iter().try_for_each(|url| verifier.add_url(url))?;
            verifier
        }
    };
    verifier.use_secrets_of(Arc::new(Client::new(&global.config()?)?))?;
    if let Some(tolerance) = delivery.tolerance {
        verifier.set_tolerance(tolerance);
    }
    let (head, body) = read(delivery)?;
    let now = delivery.now.unwrap_or_else(current_time);
    let event = verifier.verify(&WebhookHeaders::find(headers(&head)?), &body, now)?;
    let path = object_path(event.event_type(), &body).ok();
    let object = json!({
        "event": {
            "url": event.url(),
            "type": event.event_type(),
            "timestamp": event.timestamp(),
            "secret_index": event.secret_index(),
            "signature": event.signature(),
        },
        "object_path": path,
    });
    Ok(output.success(&text(&event, now, path.as_deref()), object)?)
}

/// Reads the headers and the body. On standard input, an empty line separates them.
fn read(delivery: &WebhookArguments) -> Result<(Vec<u8>, Vec<u8>), Error> {
    let of = |path: &Option<_>| path.clone().unwrap_or_else(|| STANDARD_INPUT.into());
    let (headers, body) = (of(&delivery.headers), of(&delivery.body));
    let read = |path: &Path, what: &str, limit: usize| input::read(path, what, limit as u64);
    if headers != body {
        // One byte more than the limit, so that the library refuses the body as too large.
        return Ok((read(&headers, "header", MAX_HEADERS)?, read(&body, "body", MAX_BODY + 1)?));
    }
    let mut message = read(&headers, "request", MAX_HEADERS + MAX_BODY)?;
    let ends = [&b"\r\n\r\n"[..], b"\n\n"].map(|end| Some((find(&message, end)?, end.len())));
    let Some((at, length)) = ends.into_iter().flatten().min() else {
        return Err(Error::invalid_argument(
            "The request has no empty line between its headers and its body.",
        )
        .with_hint("Pass the headers and the body separately, with --headers and --body."));
    };
    let body = message.split_off(at + length);
    Ok((message, body))
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

/// A name and a value.
type Header<'a> = (&'a [u8], &'a [u8]);

/// Parses the headers. The first line may be a request line.
fn headers(head: &[u8]) -> Result<Vec<Header<'_>>, Error> {
    let mut headers = Vec::new();
    for (number, line) in head.split(|byte| *byte == b'\n').enumerate() {
        let line = line.trim_ascii();
        let last_word = line.rsplit(|byte| *byte == b' ').next().unwrap_or_default();
        let is_request_line = number == 0 && last_word.starts_with(b"HTTP/");
        match line.iter().position(|byte| *byte == b':') {
            _ if line.is_empty() => {}
            Some(colon) if !line[..colon].contains(&b' ') => {
                headers.push((&line[..colon], &line[colon + 1..]));
            }
            _ if is_request_line => {}
            _ => {
                let message = format!("Line {} of the headers is not a header.", number + 1);
                return Err(Error::invalid_argument(message).with_hint("Write each header as 'Name: value'."));
            }
        }
    }
    Ok(headers)
}

fn current_time() -> i64 {
    i64::try_from(justcall_auth::unix_time().as_secs()).unwrap_or(i64::MAX)
}

fn text(event: &WebhookEvent, now: i64, path: Option<&str>) -> String {
    let signed = format!("{} s since 1970-01-01 UTC, {}", event.timestamp(), apart(now, event.timestamp()));
    let secret = match event.secret_index() {
        0 => "that of the pair in use",
        _ => "that of another pair of the source",
    };
    let (url, event_type) = (printable::on_lines(event.url()), printable::on_lines(event.event_type()));
    let rows = [("Type", event_type.as_str()), ("URL", &url), ("Signed", &signed), ("Secret", secret)];
    let mut text = format!("{GREEN}✓{GREEN:#} The delivery is genuine, but its data is not signed.\n");
    table(&mut text, rows.into_iter());
    let fetch = match path {
        Some(path) => format!("justcall-auth request GET {path}"),
        None => "justcall-auth request GET …, with a path of the API reference".to_owned(),
    };
    text + &format!("{CYAN}→{CYAN:#} Before you act on the delivery, fetch its data from the API: {fetch}\n")
}

fn apart(now: i64, then: i64) -> String {
    let apart = Duration::from_secs(now.abs_diff(then)).as_secs();
    if then > now { format!("in {apart} s") } else { format!("{apart} s ago") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_headers_with_and_without_a_request_line() {
        let expected = [(&b"Host"[..], &b" a:80"[..]), (b"X-A", b"")];
        for head in [
            "Host: a:80\r\nX-A:\r\n",
            "POST /hooks HTTP/1.1\nHost: a:80\nX-A:",
            "POST /?to=a:b HTTP/1.1\r\nHost: a:80\r\nX-A:\r\n\r\n",
        ] {
            assert_eq!(headers(head.as_bytes()).expect(head), expected, "{head}");
        }
        for head in ["Host: a\nno header", "Host", "Host: a\nPOST / HTTP/1.1", "two words: a\n"] {
            assert!(headers(head.as_bytes()).is_err(), "{head}");
        }
    }
}
