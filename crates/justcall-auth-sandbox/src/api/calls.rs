//! The calls of an account: a list long enough to page through.

use serde_json::{Value, json};

/// How many calls the list has.
const TOTAL: usize = 57;
/// The id of the first.
const FIRST: usize = 100_000;

/// Returns the calls, which are the same in every account.
pub(super) fn all() -> Vec<Value> {
    (0..TOTAL).map(made_up).collect()
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
