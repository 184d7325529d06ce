//! The service: accounts, their pairs, and what it answers. Its record of requests is the truth that checks compare with.

use std::time::Duration;

use justcall_auth_protocol::service::{ACCOUNT_PATH, USERS_PATH};
use justcall_auth_protocol::{Credentials, Response};

use crate::coverage::{Coverage, Seen};
use crate::episode::{AccountPage, Faults};
use crate::random::Random;

/// Pairs are numbers here.
pub type Pair = u32;

/// An account by its number, which is never 0.
pub type Account = u64;

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// The caller's own request.
    Own,
    /// The caller's own request, to the account page.
    OwnAccount,
    /// The account page, to learn about the pair.
    Account,
    /// The page that the client verifies with in place of the account page.
    VerifyPath,
    /// The list of users, to learn about the pair.
    Users,
}

impl Page {
    /// The page of a request to `path`.
    pub fn of(path: &str, is_verifying: bool) -> Self {
        match (path, is_verifying) {
            (ACCOUNT_PATH, false) => Self::OwnAccount,
            (_, false) => Self::Own,
            (ACCOUNT_PATH, true) => Self::Account,
            (USERS_PATH, true) => Self::Users,
            (_, true) => Self::VerifyPath,
        }
    }

    /// Whether a 401 there proves that the pair is not good. The account page may not exist.
    pub fn is_conclusive(self) -> bool {
        !matches!(self, Self::OwnAccount | Self::Account)
    }

    /// Whether it is the caller's own request.
    pub fn is_own(self) -> bool {
        matches!(self, Self::Own | Self::OwnAccount)
    }
}

/// A pair as the service has it.
#[derive(Debug, Clone, Copy)]
pub struct Record {
    /// The account that it belongs to.
    pub account: Account,
    /// The service takes it.
    pub is_live: bool,
}

/// An answer on its way.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The answer itself.
    pub response: Response,
    /// The service refused the pair.
    pub is_refused: bool,
    /// The answer shows that the service knows the pair.
    pub is_accepted: bool,
}

/// The service.
pub struct Service {
    records: Vec<Record>,
    page: AccountPage,
    /// When a pair was last made, taken or refused.
    pub changed_at: Duration,
    bodies: Bodies,
}

/// Answers that are given again and again.
struct Bodies {
    ok: Vec<Response>,
    users: Response,
    refused: Vec<Response>,
    statuses: Vec<(u16, Response)>,
}

impl Bodies {
    fn new() -> Self {
        let plain = |status, body: &str| Response::new(status, Vec::new(), body.as_bytes().to_vec());
        let limits = |remaining: &str| {
            let headers = [("X-Rate-Limit-Limit", "100"), ("X-Rate-Limit-Remaining", remaining)];
            headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
        };
        let error = r#"{"status":"error","message":"No."}"#;
        Self {
            ok: vec![
                plain(200, r#"{"status":"success"}"#),
                plain(201, ""),
                Response::new(200, limits("80"), b"{}".to_vec()),
                Response::new(200, limits("5"), b"{}".to_vec()),
            ],
            users: plain(200, r#"{"status":"success","data":[]}"#),
            refused: vec![
                plain(401, r#"{"status":"failed","message":"Unauthorized"}"#),
                plain(401, "<html>"),
                plain(401, r#"{"status":"error","message":"Invalid API key or secret."}"#),
            ],
            statuses: [302, 400, 404, 408, 422, 500, 502, 503]
                .map(|status| (status, plain(status, error)))
                .to_vec(),
        }
    }

    fn of(&self, status: u16) -> Response {
        let found = self.statuses.iter().find(|(known, _)| *known == status);
        found.map(|(_, response)| response.clone()).expect("a status of the list above")
    }
}

impl Service {
    /// A service without pairs.
    pub fn new() -> Self {
        Self {
            records: Vec::new(),
            page: AccountPage::Shown,
            changed_at: Duration::ZERO,
            bodies: Bodies::new(),
        }
    }

    /// Begins another episode, without pairs.
    pub fn restart(&mut self, page: AccountPage) {
        self.records.clear();
        self.page = page;
        self.changed_at = Duration::ZERO;
    }

    /// Makes a pair of `account`; the service takes it if `is_live`.
    pub fn add(&mut self, account: Account, is_live: bool) -> Pair {
        self.records.push(Record { account, is_live });
        Pair::try_from(self.records.len() - 1).expect("few pairs an episode")
    }

    /// What the service knows of `pair`.
    pub fn record(&self, pair: Pair) -> Record {
        self.records[pair as usize]
    }

    /// From `now` on the service takes `pair`, or does not.
    pub fn set_live(&mut self, pair: Pair, is_live: bool, now: Duration) {
        self.records[pair as usize].is_live = is_live;
        self.changed_at = now;
    }

    /// The live pairs of `account`, the latest last.
    pub fn live(&self, account: Account) -> impl DoubleEndedIterator<Item = Pair> + '_ {
        let is_wanted = move |record: &Record| record.is_live && record.account == account;
        let records = self.records.iter().enumerate().filter(move |(_, record)| is_wanted(record));
        records.map(|(index, _)| Pair::try_from(index).expect("few pairs an episode"))
    }

    /// The latest live pair of `account`.
    pub fn latest(&self, account: Account) -> Option<Pair> {
        self.live(account).next_back()
    }

    /// The pairs of `account` that the service does not take.
    pub fn dead(&self, account: Account) -> Vec<Pair> {
        let is_wanted = |record: &&Record| !record.is_live && record.account == account;
        self.records
            .iter()
            .enumerate()
            .filter(|(_, record)| is_wanted(record))
            .map(|(index, _)| Pair::try_from(index).expect("few pairs an episode"))
            .collect()
    }

    /// The answer to a request for `page` with `pair`.
    pub fn answer(
        &self,
        pair: Pair,
        page: Page,
        faults: &Faults,
        random: &mut Random,
        seen: &mut Coverage,
    ) -> Answer {
        let neutral = |response| Answer { response, is_refused: false, is_accepted: false };
        if let Some(response) = self.fault(faults, random, seen) {
            return neutral(response);
        }
        let record = self.record(pair);
        if page == Page::Account || page == Page::OwnAccount {
            match self.page {
                AccountPage::NotFound => {
                    seen.saw(Seen::AbsentAccountPage);
                    let is_accepted = page == Page::OwnAccount;
                    return Answer { response: self.bodies.of(404), is_refused: false, is_accepted };
                }
                AccountPage::Refused => {
                    seen.saw(Seen::AbsentAccountPage);
                    return neutral(random_of(&self.bodies.refused, random));
                }
                AccountPage::Shown | AccountPage::Hidden => {}
            }
        }
        if !record.is_live {
            seen.saw(Seen::Refused);
            let response = random_of(&self.bodies.refused, random);
            return Answer { response, is_refused: true, is_accepted: false };
        }
        let response = match page {
            Page::Own => self.own(faults, random, seen),
            Page::Users | Page::VerifyPath => self.bodies.users.clone(),
            Page::Account | Page::OwnAccount => self.account(record.account, seen),
        };
        let is_accepted = matches!(response.http_status(), 200..=299 | 403 | 404 | 422);
        Answer { response, is_refused: false, is_accepted }
    }

    fn account(&self, account: Account, seen: &mut Coverage) -> Response {
        let body = if self.page == AccountPage::Hidden {
            seen.saw(Seen::HiddenAccount);
            r#"{"status":"success","data":{"plan":"Pro"}}"#.to_owned()
        } else {
            format!(r#"{{"status":"success","data":{{"account_id":{account}}}}}"#)
        };
        Response::new(200, Vec::new(), body.into_bytes())
    }

    /// What is answered before the pair is looked at.
    fn fault(&self, faults: &Faults, random: &mut Random, seen: &mut Coverage) -> Option<Response> {
        if random.chance(faults.rate_limited) {
            seen.saw(Seen::RateLimited);
            let wait = random.pick(&["0", "1", "3", "20", "45"]);
            let headers = vec![("Retry-After".to_owned(), wait.to_owned())];
            return Some(Response::new(429, headers, Vec::new()));
        }
        if random.chance(faults.server_error) {
            seen.saw(Seen::ServerErrors);
            return Some(self.bodies.of(random.pick(&[500, 502, 503])));
        }
        if random.chance(faults.request_timeout) {
            seen.saw(Seen::RequestTimeouts);
            return Some(self.bodies.of(408));
        }
        if random.chance(faults.proxy_403) {
            seen.saw(Seen::ForbiddenByProxy);
            return Some(Response::new(403, Vec::new(), b"<html>Blocked</html>".to_vec()));
        }
        None
    }

    /// What the caller's own request is answered by a service that knows the pair.
    fn own(&self, faults: &Faults, random: &mut Random, seen: &mut Coverage) -> Response {
        if !random.chance(faults.other_answer) {
            return random_of(&self.bodies.ok, random);
        }
        let (status, what) = random.pick(&[
            (403, Seen::ForbiddenByService),
            (404, Seen::NotFound),
            (422, Seen::Unprocessable),
            (400, Seen::OtherAnswers),
            (302, Seen::OtherAnswers),
        ]);
        seen.saw(what);
        if status == 403 {
            let body = r#"{"status":"error","message":"Your plan has no API access."}"#;
            return Response::new(403, Vec::new(), body.as_bytes().to_vec());
        }
        self.bodies.of(status)
    }

    /// What a captive portal answers in place of the service.
    pub fn portal(is_accepted: bool, seen: &mut Coverage) -> Answer {
        seen.saw(Seen::PortalAnswers);
        let response = Response::new(200, Vec::new(), b"<html>Sign in</html>".to_vec());
        Answer { response, is_refused: false, is_accepted }
    }
}

fn random_of(responses: &[Response], random: &mut Random) -> Response {
    responses[random.index(responses.len())].clone()
}

/// Pairs as the product holds them, made once: to make one takes longer than to send it.
pub struct Pool(Vec<[Credentials; 2]>);

impl Pool {
    /// An empty pool.
    pub fn new() -> Self {
        Self(Vec::new())
    }

    /// `pair` as the product holds it; `copy` chooses between two objects with the same contents.
    pub fn credentials(&mut self, pair: Pair, copy: usize) -> Credentials {
        while self.0.len() <= pair as usize {
            let (key, secret) = (format!("{:040x}", self.0.len()), format!("{:040x}", !self.0.len()));
            let make = || Credentials::new(key.as_bytes(), &secret.as_bytes()[..40]).expect("40 digits");
            self.0.push([make(), make()]);
        }
        self.0[pair as usize][copy % 2].clone()
    }

    /// Which pair `credentials` is: the last four digits of its key.
    pub fn number(credentials: &Credentials) -> Pair {
        let (_, digits) = credentials.key_hint().split_once('…').expect("a long key");
        Pair::from_str_radix(digits, 16).expect("hexadecimal digits")
    }
}
