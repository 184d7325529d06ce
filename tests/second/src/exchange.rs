//! Calls of one client in a scripted world, in which every time is known.
//!
//! | script | meaning |
//! |---|---|
//! | `source`, `service` | what the source contains and which pair the service accepts, each from a time on |
//! | `calls` | the calls, one after the other: their distance in time, and what happens to requests with a good pair |
//!
//! All times are in milliseconds.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use justcall_auth_protocol::exchange::Cause;
use justcall_auth_protocol::keyring::SourceRead;
use justcall_auth_protocol::{Action, Credentials, Error, Exchange, Moment, Policy, Request, Shared};
use serde_json::{Value, json};

use crate::{error_named, integer, milliseconds, response_of};

/// More steps than any call of the script needs.
const MOST_STEPS: usize = 10_000;

/// The world of one case.
struct World<'a> {
    case: &'a Value,
    now: u64,
    random: u64,
}

impl World<'_> {
    fn moment(&mut self) -> Moment {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        Moment {
            monotonic: Duration::from_millis(self.now),
            unix: Duration::from_millis(1_800_000_000_000 + self.now),
            random: self.random,
        }
    }

    /// The entry of a history that counts now.
    fn content(&self, history: &str) -> Result<&str> {
        let entries = self.case[history].as_array().context("a history")?;
        let is_past = |entry: &&Value| entry[0].as_u64().is_some_and(|at| at <= self.now);
        let entry = entries.iter().rev().find(is_past).context("a history without a beginning")?;
        entry[1].as_str().context("an entry")
    }

    fn read(&mut self) -> Result<Result<SourceRead, Error>> {
        self.now += integer(&self.case["load_ms"])?;
        let content = self.content("source")?;
        Ok(match content.strip_prefix('!') {
            Some(kind) => Err(error_named(kind)?),
            None => Ok(credentials(content)?.into()),
        })
    }
}

fn credentials(pair: &str) -> Result<Credentials> {
    Ok(Credentials::new(format!("key{pair}").as_bytes(), format!("secret{pair}").as_bytes())?)
}

/// Runs the calls. Returns the steps and the end of each.
pub fn answer(case: &Value) -> Result<Value> {
    let ms = |name: &str| integer(&case[name]).map(Duration::from_millis);
    let policy = Arc::new(Policy {
        timeout: ms("timeout_ms")?,
        rotation_wait: ms("rotation_wait_ms")?,
        max_retries: u32::try_from(integer(&case["max_retries"])?)?,
        ..Policy::default()
    });
    let shared = Shared::new("", Arc::default());
    let mut world = World { case, now: 0, random: integer(&case["random"])? };
    let mut answers = Vec::new();
    for call in case["calls"].as_array().context("calls")? {
        world.now += integer(&call["after_ms"])?;
        let request = Request::new(call["method"].as_str().context("a method")?, "/v2.1/calls")?;
        let exchange = Exchange::request(policy.clone(), shared.clone(), request, &world.moment());
        answers.push(run(&mut world, exchange, call)?);
    }
    Ok(json!({ "calls": answers }))
}

fn run(world: &mut World<'_>, mut exchange: Exchange, call: &Value) -> Result<Value> {
    let mut steps = Vec::new();
    let mut outcomes = call["outcomes"].as_array().context("outcomes")?.iter();
    for _ in 0..MOST_STEPS {
        let now = world.moment();
        match exchange.next(&now) {
            Ok(Action::Load) => {
                steps.push(json!(["load", world.now]));
                let read = world.read()?;
                exchange.loaded(read, &world.moment());
            }
            Ok(Action::Send { .. }) => {
                let pair = pair_of(&exchange.authorization()?)?;
                steps.push(json!(["send", world.now, pair]));
                send(world, &mut exchange, &pair, &mut outcomes)?;
            }
            Ok(Action::Wait(wait)) => world.now += u64::try_from(wait.as_millis())?.max(1),
            Ok(Action::Done) => {
                return Ok(json!({ "steps": steps, "at": world.now, "error": null }));
            }
            Err(error) => return Ok(ended(world, &steps, &error)),
        }
    }
    ensure!(false, "the call does not end");
    Ok(Value::Null)
}

fn pair_of(credentials: &Credentials) -> Result<String> {
    credentials.expose_authorization(|value| {
        let text = std::str::from_utf8(value)?;
        Ok(text.rsplit("secret").next().unwrap_or_default().to_owned())
    })
}

/// Sends the request: a pair that the service does not accept gets 401, and another one the next outcome.
fn send<'a>(
    world: &mut World<'_>,
    exchange: &mut Exchange,
    pair: &str,
    outcomes: &mut impl Iterator<Item = &'a Value>,
) -> Result<()> {
    let refused = json!({ "status": 401, "ms": 20, "headers": [], "body": "" });
    let accepted = json!({ "status": 200, "ms": 20, "headers": [], "body": "{}" });
    let outcome =
        if world.content("service")? == pair { outcomes.next().unwrap_or(&accepted) } else { &refused };
    let arrives = world.now + integer(&outcome["ms"])?;
    // The program's own client stops at the deadline of the call.
    let deadline = exchange.deadline().and_then(|deadline| u64::try_from(deadline.as_millis()).ok());
    if let Some(deadline) = deadline.filter(|deadline| arrives >= *deadline) {
        world.now = deadline;
        exchange.not_answered(Cause::Timeout.into_error(true), &world.moment());
        return Ok(());
    }
    world.now = arrives;
    if let Some(name) = outcome["cause"].as_str() {
        let cause = Cause::ALL.iter().find(|cause| cause.name() == name).context("a cause")?;
        exchange.not_answered(cause.into_error(outcome["sent"] == true), &world.moment());
    } else {
        let status = u16::try_from(integer(&outcome["status"])?)?;
        let response = response_of(status, &outcome["headers"], &outcome["body"]);
        exchange.answered(response, &world.moment());
    }
    Ok(())
}

fn ended(world: &World<'_>, steps: &[Value], error: &Error) -> Value {
    json!({
        "steps": steps,
        "at": world.now,
        "error": error.kind().name(),
        "attempts": error.attempts(),
        "request_sent": error.request_sent(),
        "retry_after": milliseconds(error.retry_after()),
        "reason": error.reason(),
    })
}
