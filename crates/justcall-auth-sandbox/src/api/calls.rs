//! `GET /v2.1/calls`: a list long enough to page through, and each of its calls by itself.

use serde_json::{Value, json};

use super::{Call, Page};
use crate::shared::Shared;
use crate::wire::{List, Reply};

/// How many calls the list has.
const TOTAL: usize = 57;
/// The number of the first.
const FIRST: usize = 100_000;

/// A page of made-up calls, the same in every account.
pub(super) fn answer(shared: &Shared, call: &Call) -> Reply {
    let page = match Page::of(call) {
        Ok(page) => page,
        Err(reply) => return reply,
    };
    let range = page.range(TOTAL);
    let next = (range.end < TOTAL)
        .then(|| format!("{}{}?page={}&per_page={}", shared.url, call.path, page.number + 1, page.size));
    Reply::json(200, &List::new(range.map(made_up).collect(), next))
}

/// The call with a number.
pub(super) fn one(id: &str) -> Option<Value> {
    let index = id.parse::<usize>().ok()?.checked_sub(FIRST)?;
    (index < TOTAL).then(|| made_up(index))
}

fn made_up(index: usize) -> Value {
    json!({
        "id": FIRST + index,
        "contact_number": format!("1415555{:04}", 100 + index),
        "contact_name": format!("Contact {index}"),
        "justcall_number": "14155550000",
        "agent_email": "admin@yourcompany.com",
        "call_date": format!("2026-03-{:02}", 1 + index % 28),
        "call_time": format!("{:02}:{:02}:00", 8 + index % 10, index),
        "call_duration": {"total_duration": 30 + 7 * index},
        "call_info": {"direction": if index.is_multiple_of(2) { "Incoming" } else { "Outgoing" }, "type": "answered"},
    })
}
