//! The response of the service for display, with the pair masked if the service repeats it.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use justcall_auth::service::{RateLimit, RateWindow, rate_limit};
use justcall_auth::{Credentials, Error, Response, copy, printable};
use serde_json::{Map, Value, json};

use crate::json_text::pretty;

/// The largest number of copies of the body in memory at once: masked, printed, in JSON, and while they grow.
const COPIES: usize = 8;

/// A response with the pair masked.
#[derive(Debug)]
pub(crate) struct Answer {
    http_status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    rate_limit: RateLimit,
}

impl Answer {
    /// Masks the halves of `credentials`, the pair of the request, in `response`.
    ///
    /// # Errors
    /// Fails with `out_of_memory` if memory is short for the copies that masking and printing need.
    pub fn new(response: &Response, credentials: Option<&Credentials>) -> Result<Self, Error> {
        let room = copy::check_room(response.body().len().saturating_mul(COPIES));
        room.map_err(|error| error.with_request_sent(true))?;
        let masked = |text: &str| match credentials {
            Some(credentials) => credentials.mask(text),
            None => text.to_owned(),
        };
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), masked(value)))
            .collect();
        // A half is ASCII, so it is inside one chunk of valid text. Other bytes stay unchanged.
        let body = response.body().utf8_chunks().fold(Vec::new(), |mut body, chunk| {
            body.extend(masked(chunk.valid()).as_bytes());
            body.extend(chunk.invalid());
            body
        });
        let rate_limit = rate_limit(response);
        Ok(Self { http_status: response.http_status(), headers, body, rate_limit })
    }

    /// Returns the masked body.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Returns the status and the headers, followed by an empty line.
    pub fn head(&self) -> String {
        let mut head = format!("HTTP {}\n", self.http_status);
        for (name, value) in &self.headers {
            writeln!(head, "{name}: {}", printable::on_lines(value)).expect("a String takes everything");
        }
        head.push('\n');
        head
    }

    /// Returns the body for a terminal: JSON is indented, and other text has no characters that control the terminal.
    pub fn readable(&self) -> String {
        let Ok(text) = std::str::from_utf8(&self.body) else {
            return format!("[{} bytes that are not text: use a pipe or --output]\n", self.body.len());
        };
        // A byte order mark is neither text nor JSON.
        let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
        let mut readable = pretty(text).unwrap_or_else(|| printable::on_lines(text));
        if !readable.is_empty() && !readable.ends_with('\n') {
            readable.push('\n');
        }
        readable
    }

    /// Returns the response for programs, with the body as text, or in base64 if it is not text.
    pub fn json(&self) -> Value {
        let mut headers = Map::new();
        for (name, value) in &self.headers {
            // A repeated header is a list with commas (RFC 9110, section 5.3).
            let joined = match headers.get(name).and_then(Value::as_str) {
                Some(first) => format!("{first}, {value}"),
                None => value.clone(),
            };
            headers.insert(name.clone(), joined.into());
        }
        let mut object = json!({
            "http_status": self.http_status,
            "headers": headers,
            "rate_limit": {"main": window(self.rate_limit.main), "burst": window(self.rate_limit.burst)},
        });
        match std::str::from_utf8(&self.body) {
            Ok(text) => object["body"] = text.into(),
            Err(_) => object["body_base64"] = STANDARD.encode(&self.body).into(),
        }
        object
    }
}

/// Returns a window with its reset in seconds since the epoch, or `null` if the service did not send it.
fn window(window: RateWindow) -> Value {
    json!({
        "limit": window.limit,
        "remaining": window.remaining,
        "reset": window.reset.map(|reset| reset.as_secs()),
    })
}

#[cfg(test)]
mod tests {
    use justcall_auth::Headers;

    use super::*;

    fn answer(body: &[u8]) -> Answer {
        let pair = Credentials::new(b"canary-key-7f3a", b"canary-secret-9d1c").expect("a pair");
        let headers = [("X-Note", "canary-secret-9d1c"), ("Via", "a"), ("via", "b")];
        let headers: Headers = headers.iter().copied().collect();
        Answer::new(&Response::new(200, headers, body.to_vec()), Some(&pair)).expect("memory")
    }

    #[test]
    fn it_masks_the_pair_and_keeps_every_other_byte() {
        let answer = answer(b"\xFF\0canary-key-7f3a:canary-secret-9d1c\xC3\x28\r\n");
        assert_eq!(answer.body(), b"\xFF\0[redacted]:[redacted]\xC3\x28\r\n");
        assert!(answer.head().contains("x-note: [redacted]\n"), "{}", answer.head());
        assert_eq!(answer.readable(), "[27 bytes that are not text: use a pipe or --output]\n");
        assert_eq!(answer.json()["body_base64"], STANDARD.encode(answer.body()));
        assert_eq!(answer.json()["headers"]["via"], "a, b");
    }

    #[test]
    fn it_indents_json_after_a_byte_order_mark() {
        assert_eq!(answer(b"\xEF\xBB\xBF{\"a\":1}").readable(), answer(b"{\"a\":1}").readable());
        assert_eq!(answer(b"\xEF\xBB\xBFtext").readable(), "text\n");
    }
}
