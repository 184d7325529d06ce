//! Every fact about the JustCall API: addresses, header names, body shapes. If the service changes, only this file and
//! `tests/vectors/service/` change.
//!
//! Each fact states its origin: **O** the official reference or an official client, **M** measured live by a third
//! party, **U** the help article "API Authentication" of 2026-03-12.

use std::time::Duration;

use serde_json::Value;

use crate::account::Account;
use crate::diagnose::MAX_HALF;
use crate::error;
use crate::printable::{self, is_printable};
use crate::response::Response;
use crate::{date, json};

/// The base URL of the API. (O, U)
pub const BASE_URL: &str = "https://api.justcall.io";

/// The page that returns the account of the pair. (U; the public reference of v2.1 has no such page)
pub const ACCOUNT_PATH: &str = "/v2/account";

/// The page that the official clients verify with. Its body contains staff data and is discarded. (O)
pub const USERS_PATH: &str = "/v2.1/users?per_page=1";

/// The headers of every request: `Accept` (O), `Content-Type` (U), and the name of the client as the official clients
/// send it (O).
pub const HEADERS: &[(&str, &str)] = &[
    ("accept", "application/json"),
    ("content-type", "application/json"),
    ("x-justcall-client", concat!("justcall-auth/", env!("CARGO_PKG_VERSION"))),
    ("user-agent", concat!("justcall-auth/", env!("CARGO_PKG_VERSION"))),
];

/// The environment variable that most integrations use for the API key.
pub const KEY_VARIABLE: &str = "JUSTCALL_API_KEY";
/// The environment variable that most integrations use for the API secret.
pub const SECRET_VARIABLE: &str = "JUSTCALL_API_SECRET";

/// The header with the signature of a webhook: `hex(HMAC-SHA256(secret, message))`. The message is the secret, the
/// percent-encoded URL, the type and the timestamp, joined with [`WEBHOOK_SEPARATOR`]. (O)
pub const WEBHOOK_SIGNATURE: &str = "x-justcall-signature";
/// The header with the version of the signature. (O)
pub const WEBHOOK_VERSION: &str = "x-justcall-signature-version";
/// The header with the time of the signature. The signature covers the text of the header. (O)
pub const WEBHOOK_TIMESTAMP: &str = "x-justcall-request-timestamp";
/// The only existing version. (O)
pub const WEBHOOK_KNOWN_VERSION: &str = "v1";
/// The separator between the parts of the signed message. (O)
pub const WEBHOOK_SEPARATOR: &str = "|";
/// The field of the body with the webhook's URL. (O)
pub const WEBHOOK_URL_FIELD: &str = "webhook_url";
/// The field of the body with the type of the event. (O)
pub const WEBHOOK_TYPE_FIELD: &str = "type";
/// The characters that percent-encoding of the URL keeps, beside ASCII letters and digits: those of
/// `encodeURIComponent` (O), and those of Python's `quote(safe="")` and other encoders.
pub const WEBHOOK_UNRESERVED: [&[u8]; 2] = [b"-_.~!*'()", b"-_.~"];

/// The location of an event's object in the API: the prefix of the event's type, the path before the identifier, and
/// the member of `data` in the body that contains the identifier. (O; for the sales dialer, from its lists of calls)
pub const WEBHOOK_OBJECTS: &[(&str, &str, &str)] = &[
    ("call.", "/v2.1/calls/", "id"),
    ("jc.call_", "/v2.1/calls/", "id"),
    ("sd.call_", "/v2.1/sales_dialer/calls/", "call_id"),
    ("sms.", "/v2.1/texts/", "id"),
    ("jc.contact_", "/v2.1/contacts/", "id"),
];

/// The interval between two requests at the burst limit of an account, 30, 60 or 90 requests a minute: that of the plan
/// in the middle. (O)
pub(crate) const BURST_INTERVAL: Duration = Duration::from_secs(1);

/// One window of the account's rate limit, from the headers of a response. A figure without a header is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RateWindow {
    /// The number of requests that the window allows.
    pub limit: Option<u64>,
    /// The number of requests left.
    pub remaining: Option<u64>,
    /// When the window is reset, since the epoch.
    pub reset: Option<Duration>,
}

impl RateWindow {
    /// Sets the figure called `what` if it is not set yet. `unix` is when the response came, since the epoch.
    fn set(&mut self, what: &str, value: &str, unix: Duration) {
        let Ok(figure) = value.trim().parse::<u64>() else { return };
        match what {
            "limit" => drop(self.limit.get_or_insert(figure)),
            "remaining" => drop(self.remaining.get_or_insert(figure)),
            "reset" => drop(self.reset.get_or_insert_with(|| reset_time(figure, unix))),
            _ => {}
        }
    }

    fn or(self, other: Self) -> Self {
        Self {
            limit: self.limit.or(other.limit),
            remaining: self.remaining.or(other.remaining),
            reset: self.reset.or(other.reset),
        }
    }
}

/// The account's rate limit, from the headers of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RateLimit {
    /// The long window, or the only one.
    pub main: RateWindow,
    /// The short window, if there are two.
    pub burst: RateWindow,
}

/// The longest name of a rate limit header, in bytes.
const MAX_RATE_NAME: usize = 64;

/// Returns the rate limit in the headers of `response`. (O writes `Rate-Limit` and has a burst window, U writes
/// `RateLimit`)
pub fn rate_limit(response: &Response) -> RateLimit {
    rate_limit_at(response, response.received())
}

/// Returns the rate limit in a response that came at `unix`, since the epoch.
pub(crate) fn rate_limit_at(response: &Response, unix: Duration) -> RateLimit {
    let (mut official, mut burst, mut help_article) = <(RateWindow, RateWindow, RateWindow)>::default();
    for (name, value) in response.headers().iter() {
        let is_rate_header = name.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("x-rate"));
        if !is_rate_header || name.len() > MAX_RATE_NAME {
            continue;
        }
        let rest = name[6..].to_ascii_lowercase();
        if let Some(what) = rest.strip_prefix("-limit-burst-") {
            burst.set(what, value, unix);
        } else if let Some(what) = rest.strip_prefix("-limit-") {
            official.set(what, value, unix);
        } else if let Some(what) = rest.strip_prefix("limit-") {
            help_article.set(what, value, unix);
        }
    }
    RateLimit { main: official.or(help_article), burst }
}

/// Parses the account in a response of [`ACCOUNT_PATH`]: `{"status":"success","data":{…}}`. (U)
///
/// # Errors
/// Returns what is wrong with the body, as text for people.
pub fn account(body: &[u8]) -> Result<Account, &'static str> {
    let [status, data] = members(body, ["status", "data"]).ok_or("the body is not JSON, or not an object")?;
    if !status.is_some_and(|status| json::is_text(status, "success")) {
        return Err("the body does not contain `\"status\": \"success\"`");
    }
    let fields = data.and_then(|data| json::members(data, ["account_id", "email", "plan"]).ok());
    let [id, email, plan] = fields.ok_or("the body has no `data` object")?;
    let value = |field: Option<&str>| match field.map(json::small_value) {
        None => Ok(None),
        Some(Some(value)) => Ok(Some(value)),
        Some(None) => Err("an account field is not valid JSON, or is longer than 64 KiB"),
    };
    let text = |field| match value(field)? {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(printable::into_one_line(text))),
        Some(_) => Err("an account field is not text"),
    };
    let id = match value(id)? {
        None | Some(Value::Null) => None,
        Some(Value::Number(number)) => Some(number.as_u64().ok_or("the account id is not a whole number")?),
        Some(Value::String(digits)) => {
            Some(digits.parse().map_err(|_| "the account id is not a whole number")?)
        }
        Some(_) => return Err("the account id is not a whole number"),
    };
    Ok(Account::new(id, text(email)?, text(plan)?, ACCOUNT_PATH))
}

/// Returns true if the body is a JSON object, as every JSON response of the API is. (O, U)
pub fn is_json_object(body: &[u8]) -> bool {
    members(body, []).is_some()
}

/// Returns the raw values of these members of a JSON object. Does not build values of the rest, which may be very long.
fn members<'a, const N: usize>(body: &'a [u8], names: [&str; N]) -> Option<[Option<&'a str>; N]> {
    json::members(json::text(body)?, names).ok()
}

/// Returns the error message in the body: `message`, beside a `status` of `error` (U) or `failed` (M). Proxies and
/// older pages use `error`, or an object in it. Control characters are removed.
pub fn message(body: &[u8]) -> Option<String> {
    let [message, error, errors] = members(body, ["message", "error", "errors"])?;
    let texts = [message, error, inner(error), inner(errors.and_then(json::first_element))];
    texts.into_iter().flatten().find_map(beginning).filter(|text| !text.is_empty())
}

/// Returns the `message` of a raw JSON object.
fn inner(object: Option<&str>) -> Option<&str> {
    let [message] = json::members(object?, ["message"]).ok()?;
    message
}

/// The length at which reading a message stops, in bytes. It exceeds the shown length, so that masking sees the whole
/// pair.
const MAX_MESSAGE: usize = 4 * 1024;
const _: () = assert!(MAX_MESSAGE > error::MAX_MESSAGE + 2 * MAX_HALF);

/// Returns the beginning of the raw JSON string `raw`, filtered as by [`printable::on_one_line`]. Returns `None` if
/// `raw` is not a string.
fn beginning(raw: &str) -> Option<String> {
    let mut text = String::new();
    for character in json::characters(raw)? {
        let character = character?;
        if text.len() >= MAX_MESSAGE {
            break;
        }
        let is_removed = !is_printable(character) || text.is_empty() && character.is_whitespace();
        if !is_removed {
            text.push(character);
        }
    }
    text.truncate(text.trim_end().len());
    Some(text)
}

/// Returns the reason of a 403, from its message, or `unspecified` if the message does not name exactly one reason. The
/// messages are those of U (plan, role) and M (add-on). The message for `ip` is unknown; only the feature is documented
/// (U).
pub fn forbidden_reason(message: Option<&str>) -> &'static str {
    let text = message.unwrap_or_default().to_lowercase();
    let words: Vec<&str> =
        text.split(|c: char| !c.is_alphanumeric() && c != '-').filter(|word| !word.is_empty()).collect();
    let contains = |any: &[&str]| words.iter().any(|word| any.contains(word));
    let named = [
        ("plan", contains(&["plan", "plans", "subscription"])),
        ("role", contains(&["admin", "admin-level", "admins", "owner", "role"])),
        ("ip", contains(&["ip", "ips"])),
        ("addon", contains(&["add-on", "addon", "add-ons", "addons"])),
    ];
    let mut reasons = named.iter().filter(|(_, is_named)| *is_named).map(|(reason, _)| *reason);
    match (reasons.next(), reasons.next()) {
        (Some(reason), None) => reason,
        _ => "unspecified",
    }
}

/// Returns how long the service asks to wait: `Retry-After` (U, seconds or an HTTP date), or otherwise the time until
/// the exhausted window is reset (O, U). Times are those of the service, so they are compared with its `Date`, because
/// the clock of this machine may be wrong. `unix` is the time since the epoch by this clock, for a response without one.
pub fn retry_after(response: &Response, unix: Duration) -> Option<Duration> {
    let unix = response.header("date").and_then(|value| date::http_date(value.trim())).unwrap_or(unix);
    if let Some(value) = response.header("retry-after") {
        let value = value.trim();
        if let Ok(seconds) = value.parse::<u64>() {
            return Some(Duration::from_secs(seconds));
        }
        if let Some(date) = date::http_date(value) {
            return Some(date.saturating_sub(unix));
        }
    }
    let RateLimit { main, burst } = rate_limit_at(response, unix);
    let waits = |window: RateWindow| Some((window.remaining == Some(0), window.reset?.saturating_sub(unix)));
    let windows: Vec<(bool, Duration)> = [main, burst].into_iter().filter_map(waits).collect();
    let used_up = windows.iter().filter(|(used_up, _)| *used_up).map(|(_, wait)| *wait).max();
    used_up.or_else(|| windows.iter().map(|(_, wait)| *wait).min())
}

/// A number above this is in milliseconds since the epoch, not in seconds.
pub(crate) const EPOCH_MILLISECONDS: u64 = 1_000_000_000_000;

/// Returns the time of a reset: above 1e12 epoch milliseconds, above 1e9 epoch seconds, otherwise seconds from now.
fn reset_time(reset: u64, unix: Duration) -> Duration {
    if reset > EPOCH_MILLISECONDS {
        Duration::from_millis(reset)
    } else if reset > 1_000_000_000 {
        Duration::from_secs(reset)
    } else {
        unix.saturating_add(Duration::from_secs(reset))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::headers::Headers;

    const NOW: Duration = Duration::from_secs(1_800_000_000);

    fn response(headers: &[(&str, &str)]) -> Response {
        let headers: Headers = headers.iter().copied().collect();
        Response::new(429, headers, Vec::new())
    }

    #[test]
    fn it_reads_the_wait_from_every_spelling() {
        let wait = |headers: &[(&str, &str)]| retry_after(&response(headers), NOW).map(|wait| wait.as_secs());
        assert_eq!(wait(&[("Retry-After", "45")]), Some(45));
        assert_eq!(wait(&[("Retry-After", "Fri, 15 Jan 2027 08:00:30 GMT")]), Some(30));
        assert_eq!(wait(&[("Retry-After", "Fri, 15 Jan 2027 07:00:00 GMT")]), Some(0));
        assert_eq!(wait(&[("X-RateLimit-Reset", "7")]), Some(7));
        assert_eq!(wait(&[("X-Rate-Limit-Reset", "1800000009")]), Some(9));
        assert_eq!(wait(&[("X-Rate-Limit-Reset", "1800000009000")]), Some(9));
        assert_eq!(wait(&[("Retry-After", "soon"), ("X-RateLimit-Reset", "7")]), Some(7));
        assert_eq!(wait(&[("Retry-After", "-1")]), None);
        assert_eq!(wait(&[]), None);
    }

    #[test]
    fn it_waits_as_long_on_a_machine_whose_clock_is_wrong() {
        let date = ("Date", "Fri, 15 Jan 2027 08:00:00 GMT");
        let hour = Duration::from_secs(3600);
        for unix in [NOW, NOW.saturating_sub(hour), NOW + hour, Duration::ZERO, NOW * 2] {
            let wait = |header: (&str, &str)| {
                let wait = retry_after(&response(&[date, header]), unix).expect("there is a wait");
                wait.as_secs()
            };
            assert_eq!(wait(("Retry-After", "45")), 45);
            assert_eq!(wait(("Retry-After", "Fri, 15 Jan 2027 08:00:30 GMT")), 30);
            assert_eq!(wait(("X-RateLimit-Reset", "7")), 7);
            assert_eq!(wait(("X-Rate-Limit-Reset", "1800000009")), 9);
        }
        let without = |date: &str| {
            let headers = [("Date", date), ("Retry-After", "Fri, 15 Jan 2027 08:00:30 GMT")];
            retry_after(&response(&headers), NOW.saturating_sub(hour)).expect("there is a wait").as_secs()
        };
        assert_eq!((without("yesterday"), without("")), (3630, 3630), "the clock of this machine counts");
    }

    #[test]
    fn it_distinguishes_the_three_forms_of_a_reset() {
        for (reset, seconds) in [
            (1_000_000_000, NOW.as_secs() + 1_000_000_000),
            (1_000_000_001, 1_000_000_001),
            (EPOCH_MILLISECONDS, EPOCH_MILLISECONDS),
            (EPOCH_MILLISECONDS + 1000, 1_000_000_001),
        ] {
            assert_eq!(reset_time(reset, NOW).as_secs(), seconds, "{reset}");
        }
    }

    #[test]
    fn it_waits_for_the_exhausted_window() {
        let both = [
            ("X-Rate-Limit-Remaining", "900"),
            ("X-Rate-Limit-Reset", "3000"),
            ("X-Rate-Limit-Burst-Remaining", "0"),
            ("X-Rate-Limit-Burst-Reset", "20"),
        ];
        assert_eq!(retry_after(&response(&both), NOW), Some(Duration::from_secs(20)));
    }

    #[test]
    fn it_removes_control_characters_from_messages() {
        let body = br#"{"status":"failed","message":" a\u001b[31mb\r\nc\u202e "}"#;
        assert_eq!(message(body).as_deref(), Some("a[31mbc"));
        assert_eq!(message(b"<html>"), None);
        assert_eq!(
            message(br#"{"errors":[{"message":"first"},{"message":"second"}]}"#).as_deref(),
            Some("first")
        );
        for none in
            [&br#"{"errors":[]}"#[..], br#"{"errors":{}}"#, br#"{"message":7}"#, br#"{"message":" "}"#, b"[]"]
        {
            assert_eq!(message(none), None);
        }
        let long = format!(
            "{{\"error\":{{\"a\":[{}1],\"message\":\"{}\"}}}}",
            "1,".repeat(100_000),
            "y".repeat(100_000)
        );
        assert_eq!(message(long.as_bytes()).map(|text| text.len()), Some(MAX_MESSAGE));
        assert_eq!(message(br#"{"error":{"message":"inner"}}"#).as_deref(), Some("inner"));
    }

    #[test]
    fn it_dates_a_rate_limit_by_when_the_response_was_received() {
        let limited =
            response(&[("X-Rate-Limit-Remaining", "6"), ("X-Rate-Limit-Reset", "7")]).with_received(NOW);
        let main = rate_limit(&limited).main;
        assert_eq!((main.remaining, main.reset), (Some(6), Some(NOW + Duration::from_secs(7))));
    }
}
