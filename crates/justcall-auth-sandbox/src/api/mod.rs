//! The simulated service: its answers.

mod account;
mod calls;
mod echo;
mod endpoints;
mod objects;
mod users;

use std::net::IpAddr;
use std::time::Instant;

use hyper::body::Bytes;

use crate::Dialect;
use crate::shared::Shared;
use crate::state::{Account, Quota, Standing};
use crate::wire::{Failure, Head, Reply};

/// A request to the service that was read completely.
pub(crate) struct Call {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: Option<String>,
    pub(crate) head: Head,
    pub(crate) body: Bytes,
    pub(crate) peer: IpAddr,
}

impl Call {
    fn reads(&self) -> bool {
        matches!(self.method.as_str(), "GET" | "HEAD")
    }

    /// Returns the raw value of a query parameter.
    fn parameter(&self, name: &str) -> Option<&str> {
        let pairs = self.query.as_deref()?.split('&');
        pairs.filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name).map(|(_, value)| value)
    }
}

/// Returns the service's answer to a request.
pub(crate) fn answer(shared: &Shared, call: &Call) -> Reply {
    if shared.dialect == Dialect::Measured && call.path == "/v2/account" {
        return failure(404, "failed", "Not Found");
    }
    let mut state = shared.state();
    let Some((account, standing)) = state.admit(call.head.authorization(), Instant::now()) else {
        return refusal(shared.dialect);
    };
    let mut reply = match standing.retry_after {
        Some(seconds) => limited(shared.dialect, seconds),
        None => forbidden(account, call).unwrap_or_else(|| route(shared, account, call)),
    };
    add_rate_headers(&mut reply, shared.dialect, &standing);
    reply
}

fn refusal(dialect: Dialect) -> Reply {
    match dialect {
        Dialect::Article => failure(401, "error", "Invalid API key or secret."),
        Dialect::Measured => failure(401, "failed", "Unauthorized"),
    }
}

fn failure(code: u16, status: &str, message: &str) -> Reply {
    Reply::json(code, &Failure { status, message, error_code: None })
}

fn limited(dialect: Dialect, seconds: u64) -> Reply {
    let message = format!("Rate limit exceeded. Retry after {seconds} seconds.");
    let body = Failure { status: "error", message: &message, error_code: Some("RATE_LIMIT_EXCEEDED") };
    let mut reply = Reply::json(429, &body);
    if dialect == Dialect::Article {
        reply.push("Retry-After", &seconds);
    }
    reply
}

/// Returns the refusal of a good pair that may not make this call, if it is refused.
fn forbidden(account: &Account, call: &Call) -> Option<Reply> {
    let message = if !account.allows(call.peer) {
        "Your IP address is not allowed to use this API key."
    } else if !account.has_api_access() {
        "Your account plan does not include API access."
    } else if needs_admin(&call.path) && !account.is_admin() {
        "This endpoint requires Admin-level credentials."
    } else if addon(&call.path).is_some_and(|addon| !account.has_addon(addon)) {
        "AI Review Assist add-on is required to access this endpoint."
    } else {
        return None;
    };
    Some(Reply::error(403, message))
}

/// Returns true if a path is about the account or its users.
fn needs_admin(path: &str) -> bool {
    matches!(path, "/v2/account" | "/v2.1/users") || path.starts_with("/v2.1/users/")
}

fn route(shared: &Shared, account: &mut Account, call: &Call) -> Reply {
    let path = call.path.as_str();
    match path {
        "/v2/account" if call.reads() => account::answer(account),
        "/v2.1/users" if call.reads() => users::answer(account, call),
        path if path == "/v2.1/echo" || path.starts_with("/v2.1/echo/") => echo::answer(call),
        _ => {
            let user = path.strip_prefix("/v2.1/users/").filter(|_| call.reads());
            user.and_then(|id| users::one(account, id))
                .or_else(|| objects::answer(shared, &mut account.objects, call, after_version(path)?))
                .unwrap_or_else(|| Reply::error(404, "Not found."))
        }
    }
}

/// Returns the part of a path after the version. Both versions have the same endpoints.
fn after_version(path: &str) -> Option<&str> {
    path.strip_prefix("/v2.1/").or_else(|| path.strip_prefix("/v2/"))
}

/// Returns the add-on that a path needs: the one of its list.
fn addon(path: &str) -> Option<&'static str> {
    let list = after_version(path)?.split('/').next()?;
    ["meetings_ai", "calls_ai"].into_iter().find(|addon| *addon == list)
}

fn add_rate_headers(reply: &mut Reply, dialect: Dialect, standing: &Standing) {
    let mut add = |prefix: &str, quota: &Quota| {
        reply.push(&format!("{prefix}-Limit"), &quota.limit);
        reply.push(&format!("{prefix}-Remaining"), &quota.remaining);
        reply.push(&format!("{prefix}-Reset"), &quota.reset);
    };
    match dialect {
        Dialect::Article => add("X-RateLimit", &standing.long),
        Dialect::Measured => {
            add("X-Rate-Limit", &standing.long);
            add("X-Rate-Limit-Burst", &standing.burst);
        }
    }
}

/// The requested page of a list: `page` from 0 (default 0), `per_page` from 1 to 100 (default 20).
struct Page {
    number: usize,
    size: usize,
}

impl Page {
    fn of(call: &Call) -> Result<Self, Reply> {
        let number = |name: &str, default: usize| match call.parameter(name) {
            None => Ok(default),
            Some(text) => text.parse().map_err(|_| Reply::error(400, &format!("{name} must be a number."))),
        };
        let page = Self { number: number("page", 0)?, size: number("per_page", 20)? };
        if !(1..=100).contains(&page.size) {
            return Err(Reply::error(400, "per_page must be from 1 to 100."));
        }
        Ok(page)
    }

    /// Returns the indices on this page of a list with `total` items.
    fn range(&self, total: usize) -> std::ops::Range<usize> {
        let begin = self.number.saturating_mul(self.size).min(total);
        begin..begin.saturating_add(self.size).min(total)
    }
}
