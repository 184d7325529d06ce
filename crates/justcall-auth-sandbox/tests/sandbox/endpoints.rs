//! The endpoints that the official client calls.

use justcall_auth_sandbox::Sandbox;
use serde_json::{Value, json};

use crate::client::{Answer, Connection, get, measured, pair, pair_in, plain};

/// Every path that the official client (saaslabsco/justcall-mcp-server) reads, with such a query as it sends.
const OFFICIAL: &[&str] = &[
    "users?page=0&per_page=50&status=all",
    "users/123451",
    "user_groups?page=0&per_page=50",
    "user_groups/501",
    "phone-numbers?page=0&per_page=50",
    "phone-numbers/601",
    "calls?fetch_queue_data=true&from_datetime=2026-03-01+00:00:00&page=0&per_page=100&sort=id&order=desc",
    "calls/100042?fetch_ai_data=true",
    "calls/100042/journey",
    "calls/100042/voice-agent",
    "calls/analytics/account?from_datetime=2026-03-01",
    "calls/analytics/agent?agent_ids[]=123451",
    "calls/analytics/number?justcall_numbers[]=14155550000",
    "calls_ai?page=0&per_page=20",
    "calls_ai/100042?fetch_transcription=true",
    "meetings_ai?page=0&per_page=20",
    "meetings_ai/MEf00d",
    "texts?direction=sent&page=0&per_page=100",
    "texts/200042",
    "texts/tags?page=0&per_page=20",
    "texts/tags/701",
    "texts/threads",
    "texts/threads/801?per_page=20",
    "whatsapp/messages?message_direction=incoming&page=0&per_page=20",
    "whatsapp/messages/210042?fetch_template_data=true",
    "whatsapp/messages/templates?justcall_number=14155550000",
    "whatsapp/messages/check-reply?justcall_number=14155550000&contact_number=14155550100",
    "contacts?across_team=true&per_page=100&page=0&order=asc",
    "contacts/1234",
    "contacts/blacklist?status[]=dnd",
    "webhooks?type=call.completed",
    "voice-agents/list",
    "appointments/4321",
    "appointments/available-slots?calendar_link=demo&date=2026-03-21&timezone=UTC",
    "sales_dialer/campaigns?page=0&per_page=20",
    "sales_dialer/campaigns/12345",
    "sales_dialer/campaigns/contacts?campaign_id=12345",
    "sales_dialer/contacts?status=Active&order=ASC",
    "sales_dialer/contacts/5678",
    "sales_dialer/contacts/custom-fields?label=Segment",
    "sales_dialer/contacts/bulk_import/status/77",
    "sales_dialer/calls?page=0&per_page=20",
    "sales_dialer/calls/100042",
    "sales_dialer/analytics?from_datetime=2026-03-01",
];

/// What Pipedream's and n8n's nodes and an MCP server of another author read.
const OTHERS: &[&str] = &[
    "phone-numbers?capabilities=sms",
    "users?per_page=1",
    "users",
    "calls",
    "calls/100042?fetch_queue_data=1",
    "calls_ai/100042?platform=justcall&fetch_transcription=true",
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
fn it_answers_every_read_of_the_public_clients_in_both_dialects() {
    for sandbox in [plain(), measured()] {
        sandbox.control("PATCH", "accounts/12345", &json!({"addons": ["meetings_ai", "calls_ai"]})).unwrap();
        for path in OFFICIAL.iter().chain(OTHERS) {
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
        (
            "contacts",
            json!({"contact_number": "+14155550123", "first_name": "Ann"}),
            json!({"first_name": "Bea"}),
        ),
        ("texts/tags", json!({"name": "New"}), json!({"name": "Old"})),
        (
            "webhooks",
            json!({"url": "https://a.example/", "type": "call.completed"}),
            json!({"type": "sms.sent"}),
        ),
        (
            "appointments",
            json!({
                "calendar_link": "demo", "customer_first_name": "Ann", "customer_last_name": "Lee",
                "customer_email": "ann@a.example", "customer_number": "14155550123", "customer_timezone": "UTC",
                "appointment_customer_date": "2026-04-01", "appointment_customer_time": "09:00:00",
            }),
            json!({"appointment_customer_time": "10:00:00"}),
        ),
        (
            "sales_dialer/campaigns",
            json!({"name": "Spring", "country_code": "US"}),
            json!({"name": "Summer"}),
        ),
        (
            "sales_dialer/contacts",
            json!({"name": "Ann", "phone_number": "14155550123"}),
            json!({"name": "Bea"}),
        ),
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
    assert_eq!(errors("contacts", &json!({"contact_number": ""})), ["contact_number", "first_name"]);
    assert_eq!(
        errors("contacts", &json!({"contact_number": "12 34", "first_name": "A"})),
        ["contact_number"]
    );
    assert_eq!(
        errors("contacts/bulk-add/blacklist", &json!({"contact_numbers": ["1"], "add_to": null})),
        ["add_to"]
    );
    for body in [json!([]), json!("text")] {
        assert_eq!(call(&sandbox, "POST", "contacts", &body).status, 400, "{body}");
    }
    assert_eq!(call(&sandbox, "PUT", "contacts", &json!({"name": "A"})).status, 422, "which contact?");
    assert_eq!(call(&sandbox, "POST", "users", &json!({"name": "A"})).status, 404, "users are only read");
    assert_eq!(
        call(&sandbox, "POST", "contacts", &json!({"contact_number": 14_155_550_123_u64, "first_name": "A"}))
            .status,
        200
    );
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

#[test]
fn it_removes_a_webhook_by_the_path_of_another_client() {
    let sandbox = plain();
    let made =
        call(&sandbox, "POST", "webhooks", &json!({"url": "https://a.example/"})).json()["data"].clone();
    let path = format!("webhooks/url/{}", made["id"]);
    assert_eq!(call(&sandbox, "DELETE", &path, &Value::Null).json()["data"], made);
    assert_eq!(call(&sandbox, "GET", "webhooks", &Value::Null).json()["count"], 0);
}

#[test]
fn it_accepts_every_write_of_the_official_client() {
    let sandbox = plain();
    let numbers = json!({"justcall_number": "14155550000", "contact_number": "14155550100", "body": "Hello"});
    for (method, path, body) in [
        ("PUT", "users/availability", json!({"agent_id": 123_451, "available": true})),
        ("PUT", "calls/100042", json!({"notes": "Called back", "rating": 5})),
        ("POST", "texts/new", numbers.clone()),
        ("POST", "texts/checkreply", json!({"contact_number": "14155550100"})),
        ("POST", "texts/threads/tag", json!({"thread_id": 801, "tag_id": 701})),
        ("POST", "whatsapp/messages/send", numbers),
        ("PUT", "contacts/status", json!({"id": 1234, "add_to": ["dnd"]})),
        (
            "POST",
            "contacts/bulk-add/blacklist",
            json!({"contact_numbers": ["14155550100"], "add_to": ["dnd"]}),
        ),
        ("POST", "voice-agents/calls", json!({"contact_number": "14155550100"})),
        (
            "POST",
            "sales_dialer/campaigns/contact",
            json!({"campaign_id": 12345, "phone_number": "14155550100"}),
        ),
        ("POST", "sales_dialer/contacts/bulk_import", json!({"contacts": []})),
        ("POST", "sales_dialer/contacts/bulk-add-dnca", json!({"contact_ids": [5678]})),
    ] {
        let answer = call(&sandbox, method, path, &body);
        assert_eq!((answer.status, &answer.json()["status"]), (200, &json!("success")), "{method} {path}");
    }
    assert_eq!(call(&sandbox, "GET", "calls/100042", &Value::Null).json()["data"]["notes"], "Called back");
    assert_eq!(call(&sandbox, "GET", "whatsapp/messages", &Value::Null).json()["count"], 2);
}
