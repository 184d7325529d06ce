//! Generated data of events, in the shapes that the documentation shows.

use serde_json::{Value, json};

use super::signature::datetime;

/// The subject of an event.
#[derive(Clone, Copy)]
pub(super) enum Family {
    Call { direction: &'static str, outcome: &'static str },
    Dialer,
    Message { kind: &'static str, direction: &'static str, status: &'static str },
    Contact,
    Appointment,
}

/// Returns the data of an event at a time in milliseconds since 1970. Phone numbers are from the range that is
/// reserved for fiction.
pub(super) fn data(family: Family, at: i128) -> Value {
    let moment = datetime(at);
    let (date, time) = moment.split_once(' ').expect("a date and a time");
    match family {
        Family::Call { direction, outcome } => call(direction, outcome, date, time),
        Family::Dialer => {
            let mut call = call("Outgoing", "answered", date, time);
            // The dialer's lists of calls use this name.
            call["call_id"] = call.as_object_mut().and_then(|members| members.remove("id")).into();
            call["campaign"] = json!({"id": "12345", "name": "Renewals", "type": "Autodial"});
            call
        }
        Family::Message { kind, direction, status } => message(kind, direction, status, date, time),
        Family::Contact => contact(date),
        Family::Appointment => json!({
            "id": 4321,
            "contact_number": "14155550100",
            "contact_name": "Rachel Green",
            "agent_id": 10012,
            "agent_email": "admin@yourcompany.com",
            "scheduled_at": moment,
        }),
    }
}

fn call(direction: &str, outcome: &str, date: &str, time: &str) -> Value {
    json!({
        "id": 100_042,
        "call_sid": "CAf00df00df00df00df00df00df00df00d",
        "contact_number": "14155550100",
        "contact_name": "Rachel Green",
        "contact_email": "rachel@friends.example",
        "justcall_number": "14155550000",
        "justcall_line_name": "Sales line",
        "agent_id": 10012,
        "agent_name": "Jörg O'Neil",
        "agent_email": "admin@yourcompany.com",
        "call_date": date,
        "call_time": time,
        "call_user_date": date,
        "call_user_time": time,
        "cost_incurred": 0.05,
        "call_info": {
            "direction": direction,
            "type": outcome,
            "status": "",
            "disposition": "",
            "notes": "Asked for \"the offer\" 🙂",
            "recording": "https://recordings.justcall.example/100042.mp3",
        },
        "call_duration": {"total_duration": 185, "ring_time": 12, "conversation_time": 173, "hold_time": 0},
    })
}

fn message(kind: &str, direction: &str, status: &str, date: &str, time: &str) -> Value {
    let about = json!({"body": "Hi Rachel, the demo is at 3 pm.", "is_mms": "no", "mms": []});
    let mut message = json!({
        "id": 200_042,
        "contact_number": "14155550100",
        "contact_name": "Rachel Green",
        "justcall_number": "14155550000",
        "justcall_line_name": "Sales line",
        "agent_id": 10012,
        "agent_name": "Jörg O'Neil",
        "agent_email": "admin@yourcompany.com",
        "direction": direction,
        "delivery_status": status,
        "cost_incurred": 0.05,
    });
    for (name, value) in [("date", date), ("time", time), ("user_date", date), ("user_time", time)] {
        message[format!("{kind}_{name}")] = value.into();
    }
    message[format!("{kind}_info")] = about;
    message
}

fn contact(date: &str) -> Value {
    json!({
        "id": 1234,
        "name": "Rachel Green",
        "contact_number": "14155550100",
        "other_numbers": [{"label": "Mobile", "number": "14155550101"}],
        "email": "rachel@friends.example",
        "company": "Friends",
        "notes": [{"description": "wants a demo", "added_at": date}],
        "status": {"blacklist": false, "dnd": true, "dnm": false},
        "status_updated_at": date,
        "created_at": date,
        "agent_id": 10012,
    })
}
