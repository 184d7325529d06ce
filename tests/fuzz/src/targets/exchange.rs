//! Calls that share a keyring, under arbitrary answers, sources and clocks.
//!
//! The simulation checks more promises in a world that behaves like the service. Here nothing has to make sense: a mutator
//! chooses each answer, what the source gives, and how the clocks move.

use std::sync::Arc;
use std::time::Duration;

use justcall_auth::exchange::{Action, Cause};
use justcall_auth_protocol::keyring::SourceRead;
use justcall_auth_protocol::{
    Credentials, Error, ErrorKind, Exchange, Moment, Policy, Request, Response, Shared,
};

use super::NOW;
use crate::Target;
use crate::disclosure::contains;
use crate::input::Input;

pub const TARGET: Target = Target {
    name: "exchange",
    about: "Up to six calls share a keyring. An action is repeated until a report, and no wait is empty. A call ends at its deadline, \
            and makes no more attempts than its retries allow. A POST that may have arrived is not sent again. A pair that was refused \
            is not sent during its cool-down. Another pair comes into use only after an answer accepted it. An error says whether the \
            request was sent, and how often, and contains no secret.",
    check,
    seeds,
    tokens: &[
        "\x00\x00",
        "\x01\x00",
        "\x05\x00\x00",
        "\x05\x00\x01",
        "\x05\x00\x02",
        "\x04\x03",
        "\x07\x01\x05\x00",
        "\x06\x00",
    ],
};

/// How many calls run at the same time.
const CALLS: usize = 6;
/// How many pairs there are.
const PAIRS: usize = 4;
const SECRET: &[u8] = b"secret-of-pair-";
const ACCOUNT: &str = r#"{"status":"success","data":{"account_id":7}}"#;

fn seeds() -> Vec<Vec<u8>> {
    // A GET that loads and succeeds; the same with a refusal and another pair; a POST that is lost; a verification.
    let load = [5, 0, 0];
    let answer = |number: u8| [5, 0, number];
    let texts: [&[&[u8]]; 5] = [
        &[&[0, 0, 0, 0], &[0], &load, &answer(0)],
        &[&[1, 2, 1, 0], &[0], &load, &answer(2), &[7, 1], &load, &answer(0), &answer(0)],
        &[&[1, 3, 0, 0], &[1], &load, &answer(12), &[4, 3], &answer(13), &[4, 3], &answer(0)],
        &[&[0, 2, 0, 0], &[2], &load, &answer(2), &answer(0), &[3, 1], &answer(0)],
        &[&[2, 1, 1, 1], &[0], &[2], &load, &answer(0), &[5, 1, 0], &[6, 0], &[4, 7], &answer(0)],
    ];
    texts.iter().map(|parts| parts.concat()).collect()
}

fn check(data: &[u8]) {
    let mut input = Input::new(data);
    let policy = Policy {
        timeout: input.pick(&[Duration::from_secs(30), Duration::from_secs(1), Duration::ZERO]),
        max_retries: u32::from(input.byte() % 4),
        rotation_wait: input.pick(&[Duration::ZERO, Duration::from_secs(5)]),
        expected_account: input.pick(&[None, None, Some(7)]),
        ..Policy::default()
    };
    let mut world = World {
        policy: Arc::new(policy),
        shared: Shared::new("https://api.justcall.io", Arc::default()),
        now: Moment { monotonic: Duration::from_secs(1), unix: Duration::from_secs(NOW), random: 0 },
        calls: Default::default(),
        source: Some(0),
        pairs: [PairRecord::default(); PAIRS],
        current: None,
    };
    for _ in 0..200 {
        if input.is_empty() {
            break;
        }
        world.step(&mut input);
        world.check_current();
    }
}

struct World {
    policy: Arc<Policy>,
    shared: Shared,
    now: Moment,
    calls: [Option<Call>; CALLS],
    /// The pair in the source, or `None` if it cannot be read.
    source: Option<usize>,
    pairs: [PairRecord; PAIRS],
    current: Option<usize>,
}

/// What the service has said about a pair.
#[derive(Clone, Copy, Default)]
struct PairRecord {
    /// Until when it is not sent again.
    refused_until: Option<Duration>,
    /// When it was accepted last.
    accepted: Option<Duration>,
}

struct Call {
    exchange: Exchange,
    /// The method of the request that it sends for its caller, or `None` if it verifies.
    method: Option<&'static str>,
    /// The pair of the request that is under way, and since when.
    under_way: Option<(usize, Duration)>,
    /// How often its own request was due, and how often it was surely not delivered.
    due: u32,
    unsent: u32,
    /// True if its own request may have arrived and was not refused.
    is_open: bool,
}

impl World {
    fn step(&mut self, input: &mut Input) {
        match input.below(8) {
            0 => self.begin(Some("GET"), input),
            1 => self.begin(Some("POST"), input),
            2 => self.begin(None, input),
            3 => self.replace(input),
            4 => self.advance(input),
            5 => {
                let at = input.below(CALLS);
                if let Some(call) = self.calls[at].take() {
                    self.calls[at] = self.drive(call, input);
                }
            }
            6 => self.leave(input),
            _ => self.source = input.pick(&[Some(0), Some(1), Some(2), Some(3), None]),
        }
    }

    fn begin(&mut self, method: Option<&'static str>, input: &mut Input) {
        let (policy, shared) = (self.policy.clone(), self.shared.clone());
        let exchange = match method {
            None => Exchange::verify(policy, shared, &self.now),
            Some(method) => {
                let path = input.pick(&["/v2.1/calls", "/v2.1/calls", "/v2/account"]);
                let request = Request::new(method, path).expect("a path");
                Exchange::request(policy, shared, request, &self.now)
            }
        };
        self.add(exchange, method);
    }

    /// A pair that is passed by hand is sent even if it was refused.
    fn replace(&mut self, input: &mut Input) {
        let number = input.below(PAIRS);
        let (policy, shared) = (self.policy.clone(), self.shared.clone());
        self.pairs[number].refused_until = None;
        let exchange = Exchange::replace(policy, shared, credentials(number), &self.now);
        self.add(exchange, None);
    }

    fn add(&mut self, exchange: Exchange, method: Option<&'static str>) {
        let call = Call { exchange, method, under_way: None, due: 0, unsent: 0, is_open: false };
        if let Some(place) = self.calls.iter_mut().find(|place| place.is_none()) {
            *place = Some(call);
        }
    }

    /// The clocks go on. That of the epoch may jump.
    fn advance(&mut self, input: &mut Input) {
        let milliseconds = input.pick(&[0, 1, 20, 250, 1_000, 8_000, 30_000, 61_000, 86_400_000]);
        self.now.monotonic += Duration::from_millis(milliseconds);
        self.now.unix = self.now.unix.saturating_add(Duration::from_millis(milliseconds));
        self.now.random = self.now.random.wrapping_mul(31).wrapping_add(u64::from(input.byte()));
        if self.now.random % 5 == 4 {
            self.now.unix = input.pick(&[Duration::ZERO, Duration::from_secs(NOW), Duration::MAX]);
        }
    }

    /// A call is cancelled or forgotten.
    fn leave(&mut self, input: &mut Input) {
        let at = input.below(CALLS);
        let Some(mut call) = self.calls[at].take() else { return };
        if input.byte() % 2 == 1 {
            call.exchange.cancel(Error::new(ErrorKind::Cancelled));
            let end = text(&call.exchange.next(&self.now));
            assert!(
                call.exchange.response().is_ok() || !end.starts_with("Ok"),
                "it goes on after it was cancelled: {end}"
            );
        }
    }

    /// Performs the next action of a call, and returns the call unless it is over.
    fn drive(&mut self, mut call: Call, input: &mut Input) -> Option<Call> {
        let action = call.exchange.next(&self.now);
        assert_eq!(text(&action), text(&call.exchange.next(&self.now)), "another action without a report");
        drop(call.exchange.take_events());
        let is_late = call.exchange.deadline().is_some_and(|deadline| self.now.monotonic >= deadline);
        match action {
            Ok(Action::Done) => {
                assert!(
                    call.exchange
                        .response()
                        .is_ok_and(|response| (200..300).contains(&response.http_status()))
                );
                return None;
            }
            Err(error) => {
                Self::check_error(&call, &error);
                return None;
            }
            Ok(_) => assert!(!is_late, "the call goes on after its deadline"),
        }
        match action.expect("it was checked") {
            Action::Load => self.load(&mut call, input),
            Action::Send { remaining } => {
                let left =
                    call.exchange.deadline().map(|deadline| deadline.saturating_sub(self.now.monotonic));
                assert_eq!(remaining, left);
                self.send(&mut call, input);
            }
            Action::Wait(wait) => assert!(!wait.is_zero(), "a wait of nothing"),
            Action::Done => {}
        }
        Some(call)
    }

    fn load(&mut self, call: &mut Call, input: &mut Input) {
        let read = match (input.below(4), self.source) {
            // The read takes longer.
            (3, _) => return,
            (2, _) if self.current.is_some() => Ok(SourceRead::Unchanged),
            (_, Some(number)) => Ok(SourceRead::Pair(credentials(number).into())),
            (_, None) => Err(Error::new(ErrorKind::SourceUnavailable).with_request_sent(false)),
        };
        call.exchange.loaded(read, &self.now);
    }

    fn send(&mut self, call: &mut Call, input: &mut Input) {
        if call.under_way.is_none() {
            self.depart(call);
        }
        let (number, since) = call.under_way.expect("it was set");
        let is_own = call.method.is_some() && !call.exchange.is_verifying();
        match input.below(16) {
            // The answer takes longer.
            15 => return,
            choice @ 12..=14 => {
                let cause = input.pick(&[Cause::Closed, Cause::Connect, Cause::Timeout, Cause::Tls]);
                let is_sent = choice != 13;
                call.unsent += u32::from(is_own && !is_sent);
                call.is_open |= is_own && is_sent;
                call.exchange.not_answered(cause.into_error(is_sent), &self.now);
            }
            choice => {
                let response = answer(choice);
                self.learn(call, number, since, response.http_status(), is_own);
                call.exchange.answered(response, &self.now);
            }
        }
        call.under_way = None;
    }

    /// Takes the pair for a request that is due.
    fn depart(&mut self, call: &mut Call) {
        let is_own = call.method.is_some() && !call.exchange.is_verifying();
        let number = number(&call.exchange.authorization().expect("a request is due"));
        let now = self.now.monotonic;
        let refused = self.pairs[number].refused_until.filter(|until| now < *until);
        assert!(refused.is_none(), "pair {number} is sent at {now:?}, and is refused until {refused:?}");
        if is_own {
            assert!(
                !call.is_open || call.method != Some("POST"),
                "a POST that may have arrived is sent again"
            );
            call.due += 1;
            assert!(call.due <= 1 + self.policy.max_retries, "{} attempts", call.due);
        }
        call.under_way = Some((number, now));
    }

    /// Records what an answer says about a pair.
    fn learn(&mut self, call: &mut Call, number: usize, since: Duration, status: u16, is_own: bool) {
        let now = self.now.monotonic;
        let record = &mut self.pairs[number];
        let is_account = call.exchange.outgoing().route() == "/v2/account";
        if status == 401 && is_own && !is_account && record.accepted.is_none_or(|accepted| accepted < since) {
            record.refused_until = Some(now + self.policy.cool_down);
        } else if status != 401 {
            // Any other answer may accept the pair.
            *record = PairRecord { refused_until: None, accepted: Some(now) };
        }
        call.is_open |= is_own && !matches!(status, 401 | 429);
    }

    /// Checks that the pair in use was accepted, unless it is the first one.
    fn check_current(&mut self) {
        let version = self.shared.keyring.current();
        let current = version.map(|version| number(version.credentials()));
        if let (Some(before), Some(after)) = (self.current, current) {
            assert!(
                before == after || self.pairs[after].accepted.is_some(),
                "pair {after} replaces {before}"
            );
        }
        assert!(current.is_some() || self.current.is_none(), "the pair in use is lost");
        self.current = current;
    }

    fn check_error(call: &Call, error: &Error) {
        let text = format!("{error} {error:?} {} {:?}", error.hint(), call.exchange);
        assert!(!contains(text.as_bytes(), SECRET), "{text}");
        if let Some(method) = call.method {
            assert_eq!((error.method(), error.attempts()), (Some(method), call.due));
            assert_eq!(error.request_sent(), call.due > call.unsent, "{text}");
        }
    }
}

/// Returns a response by its number. Number 2 is the refusal.
fn answer(choice: usize) -> Response {
    let wait = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
    let (status, headers, body) = match choice {
        0 => (200, Vec::new(), ACCOUNT),
        1 => (200, Vec::new(), "<html>"),
        2 => (401, Vec::new(), r#"{"status":"failed","message":"Invalid credentials"}"#),
        3 => (403, Vec::new(), r#"{"message":"plan"}"#),
        4 => (404, Vec::new(), "{}"),
        5 => (429, wait("retry-after", "3"), "{}"),
        6 => (429, wait("x-ratelimit-reset", "18446744073709551615"), "{}"),
        7 => (500, Vec::new(), "{}"),
        8 => (503, wait("retry-after", "0"), "{}"),
        9 => (302, wait("location", "https://login.example/"), ""),
        10 => (204, Vec::new(), ""),
        _ => (200, Vec::new(), r#"{"status":"success","data":{"account_id":8}}"#),
    };
    Response::new(status, headers, body.into())
}

fn text(action: &Result<Action, Error>) -> String {
    format!("{action:?}")
}

/// Returns a pair by its number. Its memory is made once for each thread.
fn credentials(number: usize) -> Credentials {
    thread_local! {
        static PAIRS_MADE: [Credentials; PAIRS] = std::array::from_fn(|number| {
            let secret = [SECRET, number.to_string().as_bytes()].concat();
            Credentials::new(format!("key-of-pair-{number}").as_bytes(), &secret).expect("a good pair")
        });
    }
    PAIRS_MADE.with(|pairs| pairs[number].clone())
}

/// Returns the number of a pair.
fn number(credentials: &Credentials) -> usize {
    credentials.expose_authorization(|header| usize::from(header[header.len() - 1] - b'0'))
}
