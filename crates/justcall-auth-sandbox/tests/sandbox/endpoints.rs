//! The endpoints that the official client calls.

use justcall_auth_sandbox::Sandbox;
use serde_json::{Value, json};

use crate::client::{Answer, Connection, get, measured, pair, pair_in, plain};

/// Every path that the official client reads, with the query that it sends.
const READS: &[&str] = &[
    "users?per_page=50&page=0&sort=id&order=desc",
    "users/123451",
    "users/availability",
    "user_groups?per_page=50&page=0",
    "user_groups/501",
    "phone-numbers?per_page=50&page=0",
    "phone-numbers/601",
    "calls?per_page=100&page=0&sort=id&order=desc&from_datetime=2026-03-01%2000:00:00",
    "calls/100042?fetch_ai_data=true",
    "calls/100042/journey",
    "calls/100042/voice-agent",
    "calls/analytics/account",
    "calls/analytics/agent",
    "calls/analytics/number",
    "calls_ai?per_page=20",
    "calls_ai/100042",
    "meetings_ai?per_page=20",
    "meetings_ai/MEf00d",
    "texts?per_page=100&page=0",
    "texts/200042",
    "texts/tags",
    "texts/tags/701",
    "texts/threads",
    "texts/threads/801",
    "whatsapp/messages?per_page=20",
    "whatsapp/messages/210042",
    "whatsapp/messages/templates",
    "contacts?per_page=100",
    "contacts/1234",
    "contacts/status",
    "webhooks",
    "voice-agents/list",
    "voice-agents/calls",
    "appointments",
    "appointments/4321",
    "appointments/available-slots",
    "sales_dialer/campaigns",
    "sales_dialer/campaigns/12345",
    "sales_dialer/campaigns/contact",
    "sales_dialer/campaigns/contacts",
    "sales_dialer/contacts",
    "sales_dialer/contacts/5678",
    "sales_dialer/contacts/custom-fields",
    "sales_dialer/contacts/bulk_import/status/77",
    "sales_dialer/calls",
    "sales_dialer/calls/100042",
    "sales_dialer/analytics",
];

fn call(sandbox: &Sandbox, method: &str, path: &str, body: &Value) -> Answer {
    let authorization = pair(sandbox);
    let headers = [
        ("Authorization", authorization.as_str()),
        ("Accept", "application/json"),
        ("Content-Type", "application/json"),
        ("x-justcall-client", "n8n/1.0"),
    ];
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let mut connection = Connection::open(sandbox).unwrap();
    connection.request(method, &format!("/v2.1/{path}"), &headers, body.as_bytes()).unwrap();
    connection.answer().unwrap()
}

#[test]
fn it_answers_every_read_of_the_official_client_in_both_dialects() {
    for sandbox in [plain(), measured()] {
        sandbox.control("PATCH", "accounts/12345", &json!({"addons": ["meetings_ai", "calls_ai"]})).unwrap();
        for path in READS {
            let answer = call(&sandbox, "GET", path, &Value::Null);
            assert_eq!((answer.status, &answer.json()["status"]), (200, &json!("success")), "{path}");
            assert!(answer.json().get("data").is_some(), "{path}");
        }
        for wrong in ["users/7", "calls/7", "texts/tags/7", "nothing", "sales_dialer", "calls/100042/nothing"]
        {
            assert_eq!(call(&sandbox, "GET", wrong, &Value::Null).status, 404, "the control: {wrong}");
        }
    }
}

#[test]
fn it_refuses_the_lists_of_an_add_on_that_was_not_bought() {
    let sandbox = plain();
    for path in ["meetings_ai", "meetings_ai/MEf00d", "calls_ai", "calls_ai/100042"] {
        let answer = call(&sandbox, "GET", path, &Value::Null);
        assert_eq!(answer.status, 403, "{path}");
        assert!(answer.text().contains("add-on is required"), "{path}");
    }
    assert_eq!(call(&sandbox, "GET", "calls", &Value::Null).status, 200, "the pair works elsewhere");
}

#[test]
fn it_creates_reads_updates_and_deletes_objects_of_one_account() {
    let sandbox = plain();
    let other = pair_in(&sandbox.control("POST", "pairs", &Value::Null).unwrap());
    for (list, new, change) in [
        ("contacts", json!({"contact_number": "+14155550123", "name": "Ann"}), json!({"name": "Bea"})),
        ("texts/tags", json!({"name": "New"}), json!({"name": "Old"})),
        (
            "webhooks",
            json!({"url": "https://a.example/", "type": "call.completed"}),
            json!({"type": "sms.sent"}),
        ),
        (
            "appointments",
            json!({"contact_number": "14155550123", "scheduled_at": "2026-04-01 09:00:00"}),
            json!({"scheduled_at": "2026-04-02 09:00:00"}),
        ),
        ("sales_dialer/campaigns", json!({"name": "Spring"}), json!({"name": "Summer"})),
        ("sales_dialer/contacts", json!({"name": "Ann", "phone": "14155550123"}), json!({"name": "Bea"})),
    ] {
        let made = call(&sandbox, "POST", list, &new).json()["data"].clone();
        let object = format!("{list}/{}", made["id"]);
        assert_eq!(call(&sandbox, "GET", &object, &Value::Null).json()["data"], made);
        let all = call(&sandbox, "GET", list, &Value::Null).json();
        assert!(all["data"].as_array().unwrap().contains(&made), "{all}");
        let changed = call(&sandbox, "PUT", &object, &change).json()["data"].clone();
        let (name, value) = change.as_object().unwrap().iter().next().unwrap();
        assert_eq!((&changed[name], &changed["id"]), (value, &made["id"]));
        let mut by_body = change.clone();
        by_body["id"] = made["id"].clone();
        assert_eq!(call(&sandbox, "PUT", list, &by_body).json()["data"], changed);
        assert_eq!(get(&sandbox, &other, &format!("/v2.1/{object}")).status, 404, "another account has none");
        assert_eq!(call(&sandbox, "DELETE", &object, &Value::Null).json()["data"], changed);
        assert_eq!(call(&sandbox, "GET", &object, &Value::Null).status, 404);
        assert_eq!(call(&sandbox, "DELETE", &object, &Value::Null).status, 404);
    }
}

#[test]
fn it_lists_a_text_that_was_sent() {
    let sandbox = plain();
    let text = json!({"justcall_number": "14155550000", "contact_number": "14155550123", "body": "Hello"});
    let sent = call(&sandbox, "POST", "texts/new", &text).json()["data"].clone();
    assert_eq!((&sent["id"], &sent["body"]), (&json!(200_043), &json!("Hello")));
    assert_eq!(call(&sandbox, "GET", "texts/200043", &Value::Null).json()["data"], sent);
    assert_eq!(call(&sandbox, "GET", "texts", &Value::Null).json()["count"], 2);
}

#[test]
fn it_names_each_field_that_is_missing_or_wrong() {
    let sandbox = plain();
    let errors = |path: &str, body: &Value| {
        let answer = call(&sandbox, "POST", path, body);
        assert_eq!(answer.status, 422, "{path} {body}");
        answer.json()["errors"].as_object().unwrap().keys().cloned().collect::<Vec<_>>()
    };
    assert_eq!(errors("texts/new", &json!({})), ["body", "contact_number", "justcall_number"]);
    assert_eq!(errors("contacts", &json!({"contact_number": ""})), ["contact_number"]);
    assert_eq!(errors("contacts", &json!({"contact_number": "12 34"})), ["contact_number"]);
    assert_eq!(
        errors("voice-agents/calls", &json!({"contact_number": 14_155_550_123_u64})),
        ["voice_agent_id"]
    );
    for body in [json!([]), json!("text")] {
        assert_eq!(call(&sandbox, "POST", "contacts", &body).status, 400, "{body}");
    }
    assert_eq!(call(&sandbox, "PUT", "contacts", &json!({"name": "A"})).status, 422, "which contact?");
    assert_eq!(call(&sandbox, "POST", "users", &json!({"name": "A"})).status, 404, "users are only read");
    assert_eq!(call(&sandbox, "POST", "contacts", &json!({"contact_number": "14155550123"})).status, 200);
}

#[test]
fn it_pages_through_objects_that_were_created() {
    let sandbox = plain();
    for number in 0..5 {
        call(&sandbox, "POST", "texts/tags", &json!({"name": format!("Tag {number}")}));
    }
    let first = call(&sandbox, "GET", "texts/tags?per_page=4", &Value::Null).json();
    assert_eq!(first["count"], 4);
    let link = first["next_page_link"].as_str().unwrap();
    let second = get(&sandbox, &pair(&sandbox), link.strip_prefix(sandbox.url()).unwrap()).json();
    assert_eq!((&second["count"], second.get("next_page_link")), (&json!(2), None));
}
