//! Webhooks: the order of `POST webhooks`, and the plan to carry it out.

mod catalogue;
mod delivery;
mod receiver;
mod register;
mod sample;
mod signature;

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::shared::Shared;
use crate::state::WebhookAttempt;
use crate::{ControlError, random};

pub(crate) use catalogue::{known, object};
use delivery::Delivery;
use receiver::Receiver;
pub(crate) use register::Registration;
use signature::{Encoding, TimestampForm};

/// How long the service waits before each of its retries.
const RETRY_DELAYS: [Duration; 5] = [
    Duration::from_secs(60),
    Duration::from_secs(5 * 60),
    Duration::from_secs(15 * 60),
    Duration::from_secs(30 * 60),
    Duration::from_secs(60 * 60),
];
/// The highest number of copies of an event.
const MAX_DUPLICATES: u32 = 1000;
/// The highest number of events.
const MAX_EVENTS: usize = 1000;
/// How far an event may be in the past or the future, in seconds: a hundred years.
const MAX_AGE_S: i64 = 100 * 366 * 24 * 60 * 60;

/// The body of `POST webhooks`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Order {
    url: String,
    webhook_url: Option<String>,
    r#type: Option<Types>,
    data: Option<Value>,
    #[serde(default)]
    probe: bool,
    api_key: Option<String>,
    account_id: Option<u64>,
    generation: Option<usize>,
    #[serde(default)]
    encoding: Encoding,
    timestamp: Option<String>,
    #[serde(default)]
    timestamp_form: TimestampForm,
    #[serde(default)]
    age_s: i64,
    #[serde(default)]
    headers: BTreeMap<String, Option<String>>,
    body: Option<String>,
    #[serde(default)]
    chunked: bool,
    #[serde(default)]
    duplicates: u32,
    #[serde(default)]
    sequence: Sequence,
    #[serde(default)]
    retries: usize,
    #[serde(default)]
    retry_scale: f64,
    #[serde(default)]
    retry_signed_anew: bool,
    timeout_ms: Option<u64>,
}

/// One type of event, or several.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Types {
    One(String),
    Several(Vec<String>),
}

/// The order in which several events arrive.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Sequence {
    #[default]
    InOrder,
    Reversed,
    Shuffled,
}

/// Deliveries that are completely decided and can be made.
pub(crate) struct DeliveryPlan {
    receiver: Receiver,
    deliveries: Vec<Delivery>,
    retries: usize,
    retry_scale: f64,
    retry_signed_anew: bool,
}

impl DeliveryPlan {
    /// Decides everything about the deliveries. Fails if the order is invalid.
    pub(crate) fn new(shared: &Shared, order: &Order) -> Result<Self, ControlError> {
        order.check()?;
        let receiver = Receiver::parse(&order.url, order.timeout_ms)?;
        let secret =
            shared.state().secret(order.api_key.as_deref(), order.account_id, order.generation)?.to_owned();
        let types = match &order.r#type {
            None => vec!["call.completed".to_owned()],
            Some(Types::One(one)) => vec![one.clone()],
            Some(Types::Several(several)) => several.clone(),
        };
        let mut deliveries = Vec::new();
        for (index, name) in types.iter().enumerate() {
            // Events of a sequence are a second apart, as those of one call are. The last one happens now.
            let seconds = i64::try_from(types.len() - 1 - index).expect("limited above");
            deliveries.push(order.delivery(index, name, seconds, &secret)?);
        }
        match order.sequence {
            Sequence::InOrder => {}
            Sequence::Reversed => deliveries.reverse(),
            Sequence::Shuffled => random::shuffle(&mut deliveries),
        }
        let copies = usize::try_from(order.duplicates).expect("limited above") + 1;
        let deliveries = deliveries
            .into_iter()
            .flat_map(|delivery| (0..copies).map(move |copy| Delivery { copy, ..delivery.clone() }))
            .collect();
        Ok(Self {
            receiver,
            deliveries,
            retries: order.retries,
            retry_scale: order.retry_scale,
            retry_signed_anew: order.retry_signed_anew,
        })
    }

    /// Makes the deliveries one after the other. Records every attempt, and returns the report of all.
    pub(crate) async fn carry_out(mut self, shared: &Shared) -> Value {
        let mut attempts = Vec::new();
        for mut delivery in std::mem::take(&mut self.deliveries) {
            for attempt in 0..=self.retries {
                if attempt > 0 {
                    tokio::time::sleep(self.delay(attempt)).await;
                    if self.retry_signed_anew {
                        delivery.sign(now());
                    }
                }
                let outcome = self.receiver.post(&delivery).await;
                let acknowledged = outcome.is_acknowledgement();
                let report = delivery.report(attempt + 1, &outcome);
                let retry = (!acknowledged && attempt < self.retries).then(|| self.delay(attempt + 1));
                record(shared, retry, report.clone());
                attempts.push(report);
                if acknowledged {
                    break;
                }
            }
        }
        json!({"deliveries": attempts})
    }

    /// Returns how long to wait before an attempt. The first one is 0.
    fn delay(&self, attempt: usize) -> Duration {
        RETRY_DELAYS[attempt - 1].mul_f64(self.retry_scale)
    }
}

/// Records an attempt, with the time to the next one.
fn record(shared: &Shared, retry: Option<Duration>, report: Value) {
    let retry_in_ms = retry.map(|delay| u64::try_from(delay.as_millis()).expect("an hour at most"));
    let attempt = WebhookAttempt::new(shared.elapsed_ms(), retry_in_ms, report);
    shared.state().add_webhook_attempt(attempt);
}

impl Order {
    fn check(&self) -> Result<(), ControlError> {
        let limits = [
            (self.retries > RETRY_DELAYS.len(), "retries takes 0 to 5, as often as the service tries again"),
            (
                !self.retry_scale.is_finite() || !(0.0..=1.0).contains(&self.retry_scale),
                "retry_scale takes 0.0 (at once) to 1.0 (after the service's 1, 5, 15, 30 and 60 minutes)",
            ),
            (self.duplicates > MAX_DUPLICATES, "duplicates takes 0 to 1000"),
            (self.age_s.abs() > MAX_AGE_S, "age_s takes at most a hundred years, in seconds"),
            (
                matches!(&self.r#type, Some(Types::Several(types)) if types.is_empty() || types.len() > MAX_EVENTS),
                "type takes the name of an event, or a list of 1 to 1000",
            ),
        ];
        let unsendable = self.timestamp.as_deref().is_some_and(|text| receiver::header_value(text).is_none());
        if unsendable {
            return Err(ControlError::bad_request("timestamp holds a character that no header can"));
        }
        match limits.iter().find(|(broken, _)| *broken) {
            Some((_, message)) => Err(ControlError::bad_request(*message)),
            None => Ok(()),
        }
    }

    /// Returns the delivery of an event that is `older` seconds older than the last one.
    fn delivery(&self, event: usize, name: &str, older: i64, secret: &str) -> Result<Delivery, ControlError> {
        let at = now() - i128::from(self.age_s + older) * 1000;
        let webhook_url = self.webhook_url.as_ref().unwrap_or(&self.url);
        let request_id = ulid(at);
        let body = self.body.clone().unwrap_or_else(|| {
            let data = self.data.clone().unwrap_or_else(|| catalogue::data(name, at));
            envelope(&request_id, webhook_url, name, &data)
        });
        let mut delivery = Delivery {
            event,
            copy: 0,
            request_id,
            name: name.to_owned(),
            webhook_url: webhook_url.clone(),
            timestamp: String::new(),
            signature: String::new(),
            secret: secret.to_owned(),
            encoding: self.encoding,
            timestamp_form: self.timestamp_form,
            verbatim: self.timestamp.clone(),
            is_signed: !self.probe,
            headers: receiver::header_changes(&self.headers)?,
            body: body.into(),
            chunked: self.chunked,
        };
        delivery.sign(at);
        Ok(delivery)
    }
}

/// Returns the body with its members in the documented order. A URL always has the same `url_id`.
fn envelope(request_id: &str, webhook_url: &str, name: &str, data: &Value) -> String {
    let url_id = random::in_hex(&Sha256::digest(webhook_url)[..12]);
    let members = [
        ("request_id", json!(request_id)),
        ("webhook_url", json!(webhook_url)),
        ("url_id", json!(url_id)),
        ("type", json!(name)),
        ("data", data.clone()),
    ];
    let members: Vec<String> = members.iter().map(|(name, value)| format!("{name:?}:{value}")).collect();
    format!("{{{}}}", members.join(","))
}

/// Returns an identifier in the form of the service's: a ULID of 48 bits of milliseconds and 80 random ones.
fn ulid(at: i128) -> String {
    const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let number = u128::try_from(at).unwrap_or_default() << 80 | random::number() >> 48;
    let digit = |place: u32| DIGITS[usize::try_from(number >> (5 * place) & 31).expect("five bits")];
    (0..26).rev().map(|place| char::from(digit(place))).collect()
}

/// Returns the time in milliseconds since 1970.
fn now() -> i128 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    i128::try_from(now).expect("a clock that counts milliseconds stays below 2^127")
}

#[cfg(test)]
mod tests {
    #[test]
    fn its_identifiers_begin_with_the_moment() {
        // An example from implementations of ULID.
        let made = super::ulid(1_469_918_176_385);
        assert_eq!((made.len(), &made[..10]), (26, "01ARYZ6S41"));
        assert_eq!(&super::ulid(0)[..10], "0000000000");
        assert_ne!(super::ulid(0), super::ulid(0));
    }

    #[test]
    fn its_body_has_the_members_in_the_documented_order() {
        let body = super::envelope("id", "http://a/\"", "t", &serde_json::json!({"b": 1}));
        assert!(body.starts_with(r#"{"request_id":"id","webhook_url":"http://a/\"","url_id":""#), "{body}");
        assert!(body.ends_with(r#"","type":"t","data":{"b":1}}"#), "{body}");
        assert!(serde_json::from_str::<serde_json::Value>(&body).is_ok());
    }
}
