//! The known events, each with its source.

use serde::Serialize;
use serde_json::Value;

use super::sample::{self, Family};

/// A known event.
#[derive(Serialize)]
struct KnownEvent {
    r#type: &'static str,
    /// `official`: in the API reference's calls for webhooks. `article`: in the help article only.
    sure: &'static str,
    #[serde(skip)]
    family: Family,
}

const fn official(name: &'static str, family: Family) -> KnownEvent {
    KnownEvent { r#type: name, sure: "official", family }
}

const fn article(name: &'static str, family: Family) -> KnownEvent {
    KnownEvent { r#type: name, sure: "article", family }
}

/// The events. The API reference of v2.1 lists the official ones; only the help article names the
/// others.
const EVENTS: &[KnownEvent] = &[
    official("call.initiated", Family::Call { direction: "Outgoing", outcome: "unanswered" }),
    official("call.incoming", Family::Call { direction: "Incoming", outcome: "unanswered" }),
    official("call.answered", Family::Call { direction: "Incoming", outcome: "answered" }),
    official("call.missed", Family::Call { direction: "Incoming", outcome: "missed" }),
    official("call.voicemail", Family::Call { direction: "Incoming", outcome: "voicemail" }),
    official("call.enters_queue", Family::Call { direction: "Incoming", outcome: "unanswered" }),
    official("call.exits_queue", Family::Call { direction: "Incoming", outcome: "answered" }),
    official("call.completed", Family::Call { direction: "Incoming", outcome: "answered" }),
    official("call.updated", Family::Call { direction: "Incoming", outcome: "answered" }),
    official("call.ai_voice_agent", Family::Call { direction: "Incoming", outcome: "answered" }),
    official("jc.call_ai_generated", Family::Call { direction: "Incoming", outcome: "answered" }),
    official("sd.call_completed", Family::Dialer),
    official("sd.call_updated", Family::Dialer),
    official("sd.call_ai_generated", Family::Dialer),
    official("sms.sent_received", Family::Message { kind: "sms", direction: "Outgoing", status: "sent" }),
    official("sms.sent", Family::Message { kind: "sms", direction: "Outgoing", status: "sent" }),
    official("sms.received", Family::Message { kind: "sms", direction: "Incoming", status: "received" }),
    official(
        "sms.status_updated",
        Family::Message { kind: "sms", direction: "Outgoing", status: "delivered" },
    ),
    official(
        "whatsapp.message_sent",
        Family::Message { kind: "whatsapp", direction: "Outgoing", status: "sent" },
    ),
    official(
        "whatsapp.message_received",
        Family::Message { kind: "whatsapp", direction: "Incoming", status: "received" },
    ),
    official(
        "whatsapp.message_status_updated",
        Family::Message { kind: "whatsapp", direction: "Outgoing", status: "delivered" },
    ),
    official("jc.contact_status_updated", Family::Contact),
    official("appointment.scheduled", Family::Appointment),
    article("sms.delivered", Family::Message { kind: "sms", direction: "Outgoing", status: "delivered" }),
    article("voicemail.received", Family::Call { direction: "Incoming", outcome: "voicemail" }),
    article("contact.created", Family::Contact),
];

/// Returns the events as `GET webhooks` lists them.
pub(crate) fn known() -> Value {
    serde_json::to_value(EVENTS).expect("they are plain data")
}

/// Returns the data of an event at a time in milliseconds since 1970. An unknown event has the data of a call.
pub(super) fn data(name: &str, at: i128) -> Value {
    let known = EVENTS.iter().find(|event| event.r#type == name).map(|event| event.family);
    sample::data(known.unwrap_or(Family::Call { direction: "Incoming", outcome: "answered" }), at)
}

/// Returns the API's answer for an object of a generated event, except calls.
pub(crate) fn object(path: &str) -> Option<Value> {
    let family = match path {
        "/v2.1/sales_dialer/calls/100042" => Family::Dialer,
        "/v2.1/texts/200042" => Family::Message { kind: "sms", direction: "Outgoing", status: "delivered" },
        "/v2.1/contacts/1234" => Family::Contact,
        _ => return None,
    };
    Some(sample::data(family, 0))
}
