//! The endpoints of v2.1 that the official client calls, as tables: lists of objects, and other calls.
//!
//! Paths and methods are from the API reference. Members of answers that it does not show are invented, as is the shape of
//! an answer about invalid members, since the service's shape is not known.

use serde_json::{Value, json};

use super::calls;
use crate::webhook;

/// A list of objects, each of which can be read by its id.
pub(super) struct Resource {
    /// The path after the version.
    pub(super) path: &'static str,
    /// The member that identifies an object.
    pub(super) id: &'static str,
    pub(super) seed: fn() -> Vec<Value>,
    /// The members that a new object must have; `None` if objects cannot be created here.
    pub(super) create: Option<&'static [&'static str]>,
    pub(super) update: bool,
    pub(super) delete: bool,
}

const fn readable(path: &'static str, id: &'static str, seed: fn() -> Vec<Value>) -> Resource {
    Resource { path, id, seed, create: None, update: false, delete: false }
}

const fn writable(
    path: &'static str,
    seed: fn() -> Vec<Value>,
    required: &'static [&'static str],
) -> Resource {
    Resource { path, id: "id", seed, create: Some(required), update: true, delete: true }
}

/// The lists. The list of users depends on the account and is answered apart.
pub(super) const RESOURCES: &[Resource] = &[
    readable("user_groups", "id", || vec![json!({"id": 501, "name": "Sales", "agents": [123_451]})]),
    readable("phone-numbers", "id", || {
        vec![
            json!({"id": 601, "justcall_number": "14155550000", "justcall_line_name": "Sales line", "number_type": "local"}),
        ]
    }),
    Resource { update: true, ..readable("calls", "id", calls::all) },
    readable("calls_ai", "id", || {
        vec![json!({"id": 100_042, "call_score": 87, "call_summary": "Asked for the offer."})]
    }),
    readable("meetings_ai", "instance_sid", || {
        vec![json!({"instance_sid": "MEf00d", "meeting_title": "Demo", "meeting_score": 91})]
    }),
    readable("texts", "id", || webhook::object("/v2.1/texts/200042").into_iter().collect()),
    writable("texts/tags", || vec![json!({"id": 701, "name": "VIP", "color_code": "#1f5fbf"})], &["name"]),
    readable("texts/threads", "thread_id", || {
        vec![json!({"thread_id": 801, "contact_number": "14155550100", "tags": [701], "unread": 0})]
    }),
    readable("whatsapp/messages", "id", || {
        vec![
            json!({"id": 210_042, "contact_number": "14155550100", "direction": "Incoming", "body": "Hello"}),
        ]
    }),
    writable(
        "contacts",
        || webhook::object("/v2.1/contacts/1234").into_iter().collect(),
        &["contact_number"],
    ),
    writable("webhooks", Vec::new, &["url", "type"]),
    writable(
        "appointments",
        || vec![json!({"id": 4321, "contact_number": "14155550100", "scheduled_at": "2026-03-20 15:00:00"})],
        &["contact_number", "scheduled_at"],
    ),
    writable(
        "sales_dialer/campaigns",
        || vec![json!({"id": 12345, "name": "Renewals", "type": "Autodial"})],
        &["name"],
    ),
    writable(
        "sales_dialer/contacts",
        || vec![json!({"id": 5678, "name": "Rachel Green", "phone": "14155550100"})],
        &["name", "phone"],
    ),
    readable("sales_dialer/calls", "call_id", || {
        webhook::object("/v2.1/sales_dialer/calls/100042").into_iter().collect()
    }),
];

/// What a call that is no list does.
pub(super) enum Action {
    /// Answers with fixed data.
    Read(fn() -> Value),
    /// Requires these members, and answers with the body.
    Write(&'static [&'static str]),
    /// Requires these members, and adds an object to a list.
    Create(&'static str, &'static [&'static str]),
}

/// A call that is no list. `{}` in its path stands for any id.
pub(super) struct Endpoint {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) action: Action,
}

const fn read(path: &'static str, data: fn() -> Value) -> Endpoint {
    Endpoint { method: "GET", path, action: Action::Read(data) }
}

const fn write(method: &'static str, path: &'static str, required: &'static [&'static str]) -> Endpoint {
    Endpoint { method, path, action: Action::Write(required) }
}

/// The calls that are no list. They are matched before objects, so that `texts/new` is no text.
pub(super) const ENDPOINTS: &[Endpoint] = &[
    read("users/availability", || json!([{"agent_id": 123_451, "available": true}])),
    write("PUT", "users/availability", &["agent_id"]),
    read("calls/analytics/account", || json!({"total_calls": 57, "answered_calls": 57})),
    read("calls/analytics/agent", || json!([{"agent_id": 123_451, "total_calls": 57}])),
    read("calls/analytics/number", || json!([{"justcall_number": "14155550000", "total_calls": 57}])),
    read(
        "calls/{}/journey",
        || json!([{"event": "answered", "agent_id": 123_451, "at": "2026-03-01 08:00:00"}]),
    ),
    read("calls/{}/voice-agent", || json!({"voice_agent_id": 901, "transcript": []})),
    Endpoint {
        method: "POST",
        path: "texts/new",
        action: Action::Create("texts", &["justcall_number", "body", "contact_number"]),
    },
    write("POST", "texts/checkreply", &["contact_number"]),
    write("POST", "texts/threads/tag", &["thread_id", "tag_id"]),
    Endpoint {
        method: "POST",
        path: "whatsapp/messages/send",
        action: Action::Create("whatsapp/messages", &["justcall_number", "contact_number"]),
    },
    write("POST", "whatsapp/messages/check-reply", &["contact_number"]),
    read("whatsapp/messages/templates", || json!([{"id": 220_001, "name": "reminder", "language": "en"}])),
    read(
        "contacts/status",
        || json!([{"id": 1234, "status": {"blacklist": false, "dnd": true, "dnm": false}}]),
    ),
    write("POST", "contacts/status", &["contact_number"]),
    write("PUT", "contacts/status", &["contact_number"]),
    write("POST", "contacts/bulk-add/blacklist", &["contacts"]),
    read("voice-agents/list", || json!([{"id": 901, "name": "Reception"}])),
    write("POST", "voice-agents/calls", &["voice_agent_id", "contact_number"]),
    read("voice-agents/calls", || json!([{"id": 100_042, "voice_agent_id": 901}])),
    read(
        "appointments/available-slots",
        || json!([{"start": "2026-03-21 09:00:00", "end": "2026-03-21 09:30:00"}]),
    ),
    read("sales_dialer/campaigns/contact", || json!([{"campaign_id": 12345, "contact_id": 5678}])),
    read("sales_dialer/campaigns/contacts", || json!([{"campaign_id": 12345, "contact_id": 5678}])),
    write("POST", "sales_dialer/campaigns/contact", &["campaign_id"]),
    write("DELETE", "sales_dialer/campaigns/contact", &["campaign_id"]),
    read("sales_dialer/contacts/custom-fields", || json!([{"id": 1, "label": "Segment", "type": "text"}])),
    write("POST", "sales_dialer/contacts/bulk_import", &["contacts"]),
    read(
        "sales_dialer/contacts/bulk_import/status/{}",
        || json!({"status": "completed", "imported": 1, "failed": 0}),
    ),
    write("POST", "sales_dialer/contacts/bulk-add-dnca", &["contacts"]),
    read("sales_dialer/analytics", || json!({"total_calls": 1, "connected": 1})),
];

/// Returns true if a path has the pattern of an endpoint.
pub(super) fn fits(pattern: &str, path: &str) -> bool {
    let (pattern, path) = (pattern.split('/'), path.split('/'));
    pattern.clone().count() == path.clone().count()
        && pattern.zip(path).all(|(wanted, part)| wanted == part || (wanted == "{}" && !part.is_empty()))
}
