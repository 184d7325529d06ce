//! Headers: those of responses, those of deliveries, and those that a program sets for a request.

use std::time::Duration;

use http::{HeaderName, HeaderValue};
use justcall_auth::service::{self, RateWindow};
use justcall_auth::{Headers, Request, Response, WebhookHeaders};
use justcall_auth_protocol::date;

use super::NOW;
use crate::Target;
use crate::input::Input;

pub const TARGET: Target = Target {
    name: "headers",
    about: "Headers keep their order and are found whatever their case, bytes that are not UTF-8 become U+FFFD. The rate limit \
            and the wait are those of a second implementation. A header of a request that is accepted is one that the transport \
            can send, and never one that carries the pair or chooses the host. Dates agree with `humantime`.",
    check,
    seeds,
    tokens: &[
        "x-rate-limit-limit",
        "x-rate-limit-remaining",
        "X-Rate-Limit-Reset",
        "x-rate-limit-burst-limit",
        "x-rate-limit-burst-remaining",
        "x-rate-limit-burst-reset",
        "X-RateLimit-Limit",
        "x-ratelimit-remaining",
        "x-ratelimit-reset",
        "Retry-After",
        "location",
        "content-encoding",
        "accept-encoding",
        "gzip",
        "identity",
        "deflate",
        "*;q=0",
        "q=1",
        "authorization",
        "Host",
        "connection",
        "x-justcall-signature",
        "x-justcall-signature-version",
        "x-justcall-request-timestamp",
        ": ",
        "\n",
        ",",
        "0",
        "-1",
        "+5",
        "1e12",
        "1800000009",
        "1800000009000",
        "18446744073709551615",
        "Fri, 15 Jan 2027 08:00:30 GMT",
        "2026-11-24T16:10:00Z",
        "2026-02-29T23:59:60.5+14:00",
        "\r",
        "\u{7f}",
        "é",
    ],
};

/// Headers that only the library sets, because they carry the pair, choose the host or delimit the message.
const RESERVED: &[&str] =
    &["authorization", "host", "content-length", "transfer-encoding", "connection", "proxy-authorization"];

fn seeds() -> Vec<Vec<u8>> {
    let texts: [&[u8]; 8] = [
        b"\x00X-Rate-Limit-Remaining: 900\nX-Rate-Limit-Reset: 3000\nX-Rate-Limit-Burst-Remaining: 0\nx-rate-limit-burst-reset: 20",
        b"\x00Retry-After: 45\nX-RateLimit-Reset: 7\nX-RateLimit-Limit: 1800",
        b"\x00retry-after: Fri, 15 Jan 2027 08:00:30 GMT\nx-ratelimit-remaining:  0 \nx-ratelimit-reset: 1800000009000",
        b"\x00X-Justcall-Signature: 00\nx-justcall-signature-version: v1\nx-justcall-request-timestamp: 2024-03-21 17:08:22\nx-justcall-signature: 11",
        b"\x01Accept-Encoding\0gzip, identity;q=0",
        b"\x01X-Custom\0value with blanks",
        b"\x022026-11-24T16:10:00Z",
        b"\x022026-02-28T23:59:60.25-11:30",
    ];
    texts.iter().map(|text| text.to_vec()).collect()
}

fn check(data: &[u8]) {
    let mut input = Input::new(data);
    match input.below(3) {
        0 => check_response(input.rest()),
        1 => check_request(&input.text(), &input.text()),
        _ => check_date(&input.text()),
    }
}

/// Lines `name: value`, as a server sends them.
fn check_response(head: &[u8]) {
    let pairs: Vec<(&[u8], &[u8])> = head
        .split(|byte| *byte == b'\n')
        .map(|line| {
            let colon = line.iter().position(|byte| *byte == b':').unwrap_or(line.len());
            (&line[..colon], line.get(colon + 1..).unwrap_or_default())
        })
        .collect();
    let mut headers = Headers::default();
    for (name, value) in &pairs {
        headers.try_push_lossy(name, value).expect("there is enough memory");
    }
    let model: Vec<(String, String)> = pairs
        .iter()
        .map(|(name, value)| {
            (String::from_utf8_lossy(name).into_owned(), String::from_utf8_lossy(value).into_owned())
        })
        .collect();
    assert!(headers.iter().eq(model.iter().map(|(name, value)| (name.as_str(), value.as_str()))));
    assert_eq!(Headers::from(model.clone()), headers);
    assert_eq!(
        (headers.len(), format!("{headers:?}")),
        (model.len(), format!("Headers {{ len: {}, .. }}", model.len()))
    );
    let model = Model(model);
    for (name, _) in &model.0 {
        assert_eq!(headers.get(&name.to_ascii_uppercase()), model.get(name));
    }
    check_limits(&model, headers);
    check_delivery(&pairs, &model);
}

fn check_limits(model: &Model, headers: Headers) {
    let unix = Duration::from_secs(NOW);
    let response = Response::new(429, headers, Vec::new()).with_received(unix);
    let limit = service::rate_limit(&response);
    let main = [model.window("x-rate-limit-", unix), model.window("x-ratelimit-", unix)];
    let either = |figure: fn(&RateWindow) -> Option<u64>| main.iter().find_map(figure);
    let reset = main.iter().find_map(|window| window.reset);
    assert_eq!(limit.main.limit, either(|window| window.limit));
    assert_eq!(limit.main.remaining, either(|window| window.remaining));
    assert_eq!(limit.main.reset, reset);
    assert_eq!(limit.burst, model.window("x-rate-limit-burst-", unix));
    assert_eq!(service::retry_after(&response, unix), model.wait([limit.main, limit.burst], unix));
}

fn check_delivery(pairs: &[(&[u8], &[u8])], model: &Model) {
    let found = format!("{:?}", WebhookHeaders::find(pairs.iter().map(|(name, value)| (name, *value))));
    for (header, field) in [
        (service::WEBHOOK_SIGNATURE, "signature"),
        (service::WEBHOOK_VERSION, "version"),
        (service::WEBHOOK_TIMESTAMP, "timestamp"),
    ] {
        let mut values = pairs.iter().filter(|(name, _)| name.eq_ignore_ascii_case(header.as_bytes()));
        let is_present = match (values.next(), values.next()) {
            (None, _) => false,
            (Some((_, value)), None) => value.iter().any(|byte| !matches!(byte, b' ' | b'\t')),
            // A repeated header counts as present, and is invalid.
            (Some(_), Some(_)) => true,
        };
        assert!(found.contains(&format!("{field}: {is_present}")), "{found}, {:?}", model.0);
    }
    for (name, _) in pairs {
        assert!(!WebhookHeaders::has_name(name) || WebhookHeaders::has_name_of(name.len()));
    }
}

/// A second implementation of what the service's headers mean.
struct Model(Vec<(String, String)>);

impl Model {
    fn get(&self, name: &str) -> Option<&str> {
        let mut values = self.0.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        values.next().map(|(_, value)| value.as_str())
    }

    /// Returns the first number in a header with this name.
    fn figure(&self, name: &str) -> Option<u64> {
        let mut values = self.0.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        values.find_map(|(_, value)| value.trim().parse().ok())
    }

    fn window(&self, prefix: &str, unix: Duration) -> RateWindow {
        let figure = |what: &str| self.figure(&format!("{prefix}{what}"));
        let reset = figure("reset").map(|number| match number {
            1_000_000_000_001.. => Duration::from_millis(number),
            1_000_000_001.. => Duration::from_secs(number),
            seconds => unix + Duration::from_secs(seconds),
        });
        RateWindow { limit: figure("limit"), remaining: figure("remaining"), reset }
    }

    fn wait(&self, windows: [RateWindow; 2], unix: Duration) -> Option<Duration> {
        if let Some(value) = self.get("retry-after").map(str::trim) {
            if let Ok(seconds) = value.parse() {
                return Some(Duration::from_secs(seconds));
            }
            if let Some(date) = date::http_date(value) {
                return Some(date.saturating_sub(unix));
            }
        }
        let wait = |window: &RateWindow| window.reset.map(|reset| reset.saturating_sub(unix));
        let exhausted = windows.iter().filter(|window| window.remaining == Some(0)).filter_map(wait).max();
        exhausted.or_else(|| windows.iter().filter_map(wait).min())
    }
}

/// A header that a program sets.
fn check_request(name: &str, value: &str) {
    let mut request = Request::new("GET", "/v2.1/calls").expect("a path");
    request.set_header("x-before", "1").expect("a header");
    if request.set_header(name, value).is_err() {
        return assert_eq!(request.headers(), [("x-before".to_owned(), "1".to_owned())]);
    }
    let lower = name.to_ascii_lowercase();
    HeaderName::from_bytes(name.as_bytes()).expect("a name that the transport can send");
    HeaderValue::from_bytes(value.as_bytes()).expect("a value that the transport can send");
    assert!(!RESERVED.contains(&lower.as_str()), "{name}");
    let set: Vec<_> = request.headers().iter().filter(|(known, _)| *known == lower).collect();
    assert_eq!(set, [&(lower.clone(), value.to_owned())]);
    assert!(request.default_headers().all(|(default, _)| default != lower));
    if lower == "accept-encoding" {
        let refused = ["br", "deflate", "zstd", "compress", "*"];
        assert!(value.split(',').all(|coding| !refused.contains(&coding.trim())), "{value}");
    }
}

/// A date in a source or a header. `humantime` accepts fewer forms.
fn check_date(text: &str) {
    let seconds = date::rfc3339(text);
    if let Some(time) =
        humantime::parse_rfc3339(text).ok().filter(|_| text.len() == 20 && !text.ends_with(":60Z"))
    {
        let expected = time.duration_since(std::time::UNIX_EPOCH).map(|since| since.as_secs());
        assert_eq!(seconds.and_then(|seconds| u64::try_from(seconds).ok()), expected.ok(), "{text}");
    }
    // A year has about as many days as it has, and no date overflows.
    if let Some(seconds) = seconds {
        let year: i64 = text[..4].parse().expect("four digits");
        let from_year = (year - 1970) * 31_556_952;
        assert!((seconds - from_year).abs() < 3 * 366 * 86_400 / 2, "{text}: {seconds}");
    }
}
