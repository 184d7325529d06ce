//! The endpoints of v2.1 that the official client calls, as tables: lists of objects, and other calls.
//!
//! Paths, methods and required members are those of the official client (saaslabsco/justcall-mcp-server). The members of
//! answers are partly invented, as is the shape of an answer about invalid members, since the service's is not known.

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
        vec![json!({"id": 601, "justcall_number": "14155550000", "justcall_line_name": "Sales line"})]
    }),
    Resource { update: true, ..readable("calls", "id", calls::all) },
    readable("calls_ai", "id", || {
        vec![json!({"id": 100_042, "call_score": 87, "call_summary": "Asked for the offer."})]
    }),
    readable("meetings_ai", "instance_sid", || {
        vec![json!({"instance_sid": "MEf00d", "meeting_title": "Demo", "meeting_score": 91})]
    }),
    readable("texts", "id", || webhook::object("/v2.1/texts/200042").into_iter().collect()),
    writable("texts/tags", || vec![json!({"id": 701, "name": "VIP", "color": "#1f5fbf"})], &["name"]),
    readable("texts/threads", "thread_id", || {
        vec![json!({"thread_id": 801, "contact_number": "14155550100", "tags": [701]})]
    }),
    readable("whatsapp/messages", "id", || {
        vec![json!({"id": 210_042, "contact_number": "14155550100", "message_direction": "incoming"})]
    }),
    writable(
        "contacts",
        || webhook::object("/v2.1/contacts/1234").into_iter().collect(),
        &["first_name", "contact_number"],
    ),
    writable("webhooks", Vec::new, &["url"]),
    writable(
        "appointments",
        || {
            vec![
                json!({"id": 4321, "customer_number": "14155550100", "appointment_customer_date": "2026-03-20"}),
            ]
        },
        &[
            "calendar_link",
            "customer_first_name",
            "customer_last_name",
            "customer_email",
            "customer_number",
            "customer_timezone",
            "appointment_customer_date",
            "appointment_customer_time",
        ],
    ),
    writable(
        "sales_dialer/campaigns",
        || vec![json!({"id": 12345, "name": "Renewals", "country_code": "US", "type": "Autodial"})],
        &["name", "country_code"],
    ),
    writable(
        "sales_dialer/contacts",
        || vec![json!({"id": 5678, "name": "Rachel Green", "phone_number": "14155550100"})],
        &["name", "phone_number"],
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

const fn create(path: &'static str, list: &'static str, required: &'static [&'static str]) -> Endpoint {
    Endpoint { method: "POST", path, action: Action::Create(list, required) }
}

const fn write(method: &'static str, path: &'static str, required: &'static [&'static str]) -> Endpoint {
    Endpoint { method, path, action: Action::Write(required) }
}

/// The calls that are no list. They are matched before objects, so that `texts/new` is no text.
pub(super) const ENDPOINTS: &[Endpoint] = &[
    write("PUT", "users/availability", &[]),
    read("calls/analytics/account", || json!({"total_calls": 57, "answered_calls": 57})),
    read("calls/analytics/agent", || json!([{"agent_id": 123_451, "total_calls": 57}])),
    read("calls/analytics/number", || json!([{"justcall_number": "14155550000", "total_calls": 57}])),
    read("calls/{}/journey", || json!([{"event": "answered", "at": "2026-03-01 08:00:00"}])),
    read("calls/{}/voice-agent", || json!({"voice_agent_id": 901, "transcript": []})),
    create("texts/new", "texts", &["justcall_number", "contact_number", "body"]),
    write("POST", "texts/checkreply", &["contact_number"]),
    write("POST", "texts/threads/tag", &[]),
    create("whatsapp/messages/send", "whatsapp/messages", &["justcall_number", "contact_number"]),
    read("whatsapp/messages/check-reply", || json!([])),
    read(
        "whatsapp/messages/templates",
        || json!([{"id": 220_001, "name": "reminder", "language": "English"}]),
    ),
    write("PUT", "contacts/status", &[]),
    read("contacts/blacklist", || json!([])),
    write("POST", "contacts/bulk-add/blacklist", &["contact_numbers", "add_to"]),
    read("voice-agents/list", || json!([{"id": 901, "name": "Reception"}])),
    write("POST", "voice-agents/calls", &[]),
    read("appointments/available-slots", || json!([{"start": "09:00:00", "end": "09:30:00"}])),
    write("POST", "sales_dialer/campaigns/contact", &[]),
    read("sales_dialer/campaigns/contacts", || json!([{"campaign_id": 12345, "contact_id": 5678}])),
    read("sales_dialer/contacts/custom-fields", || json!([{"id": 1, "label": "Segment", "type": "text"}])),
    write("POST", "sales_dialer/contacts/bulk_import", &["contacts"]),
    read("sales_dialer/contacts/bulk_import/status/{}", || json!({"status": "completed", "imported": 1})),
    write("POST", "sales_dialer/contacts/bulk-add-dnca", &[]),
    read("sales_dialer/analytics", || json!({"total_calls": 1, "connected": 1})),
];

/// Returns true if a path has the pattern of an endpoint.
pub(super) fn fits(pattern: &str, path: &str) -> bool {
    let (pattern, path) = (pattern.split('/'), path.split('/'));
    pattern.clone().count() == path.clone().count()
        && pattern.zip(path).all(|(wanted, part)| wanted == part || (wanted == "{}" && !part.is_empty()))
}
