//! Registers a URL. Its receiver must answer 200 to an unsigned probe, as the service requires.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{DeliveryPlan, Order};
use crate::ControlError;
use crate::shared::Shared;

/// The body of `POST webhooks/urls`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewUrl {
    url: String,
}

/// A URL that is registered if its receiver answers.
pub(crate) struct Registration {
    url: String,
    probe: DeliveryPlan,
}

impl Registration {
    /// Prepares the probe. Fails if the URL leads to another machine or is registered already.
    pub(crate) fn new(shared: &Shared, new: NewUrl) -> Result<Self, ControlError> {
        shared.state().check_webhook_url(&new.url)?;
        let order: Order = serde_json::from_value(json!({"url": new.url, "probe": true}))
            .map_err(ControlError::from_json)?;
        Ok(Self { probe: DeliveryPlan::new(shared, &order)?, url: new.url })
    }

    /// Sends the probe, and registers the URL if the answer is 200.
    pub(crate) async fn carry_out(self, shared: &Shared) -> Result<Value, ControlError> {
        let answer = self.probe.carry_out(shared).await;
        let probe = &answer["deliveries"][0];
        if probe["status"] != 200 {
            let why = match (&probe["status"], &probe["error"]) {
                (Value::Null, Value::String(error)) => error.clone(),
                (status, _) => format!("status {status}"),
            };
            return Err(ControlError::bad_request(format!(
                "the receiver must answer 200 to the unsigned probe; there was {why}"
            )));
        }
        let mut state = shared.state();
        let registered = state.register_webhook_url(self.url)?;
        Ok(serde_json::to_value(registered).expect("it is plain data"))
    }
}
