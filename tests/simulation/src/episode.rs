//! The settings of one episode: how many processes there are, and how often each fault happens.

use std::time::Duration;

use justcall_auth_protocol::Policy;

use crate::random::Random;

/// What the service has in place of an account page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountPage {
    /// The page of the help article, with the account's number.
    Shown,
    /// The page, without the account's number.
    Hidden,
    /// No page: 404.
    NotFound,
    /// No page: 401, whatever the pair is.
    Refused,
}

/// How often each fault happens, in a thousand requests, reads or calls.
#[derive(Debug, Clone, Copy, Default)]
#[allow(missing_docs, reason = "the names are those of the faults in the coverage")]
pub struct Faults {
    pub not_connected: u64,
    pub lost_on_the_way: u64,
    pub lost_answer: u64,
    pub cut_answer: u64,
    pub hanging: u64,
    pub late: u64,
    pub rate_limited: u64,
    pub server_error: u64,
    pub request_timeout: u64,
    pub proxy_403: u64,
    pub portal: u64,
    pub other_answer: u64,
    pub failed_read: u64,
    pub slow_read: u64,
    pub stale_read: u64,
    pub cancelled: u64,
    pub abandoned: u64,
    pub late_authorization: u64,
}

/// The settings of one episode.
#[derive(Debug, Clone)]
pub struct Episode {
    /// How many accounts the service has, and how many processes call it.
    pub accounts: usize,
    /// How many processes there are at the beginning.
    pub processes: usize,
    /// How many clients each process has at the beginning.
    pub clients: usize,
    /// For how long calls begin.
    pub length: Duration,
    /// The mean time between two calls of a process, in milliseconds.
    pub call_gap: u64,
    /// How many calls begin at once, at least and at most, in the first hour.
    pub burst: (u64, u64),
    /// The same after the first hour: bursts of an unusual size.
    pub late_burst: (u64, u64),
    /// The mean time between two resets of an account, in milliseconds.
    pub reset_gap: u64,
    /// How long a source takes to give a new pair, in milliseconds.
    pub source_lag: (u64, u64),
    /// The mean time between two mistakes of a source, in milliseconds; 0 for none.
    pub mistake_gap: u64,
    /// The mean time between two forks, new clients or shutdowns, in milliseconds; 0 for none.
    pub change_gap: u64,
    /// The cool-down of all clients, or `None` if each has a different one.
    pub cool_down: Option<Duration>,
    /// How long a request and its answer are under way together, in milliseconds.
    pub latency: (u64, u64),
    /// How long a read of the source takes, in milliseconds.
    pub read_time: (u64, u64),
    /// By how much a driver oversleeps a wait, at most, in milliseconds. Drivers of a busy machine do; here it also keeps
    /// the calls that wait from being most of what is simulated.
    pub oversleep: u64,
    /// What `/v2/account` is like.
    pub account_page: AccountPage,
    /// How often what goes wrong.
    pub faults: Faults,
    /// Many processes have the same source, and calls wait as long as it takes.
    pub is_fleet: bool,
}

impl Episode {
    /// The settings of an episode.
    pub fn draw(random: &mut Random) -> Self {
        if random.chance(25) {
            return Self::fleet(random);
        }
        let is_calm = random.chance(400);
        // Some of what the library counts takes an hour to show.
        let is_long = random.chance(60);
        let processes = if is_long { 1 } else { random.weighted(&[(4, 1), (3, 2), (2, 3), (1, 5)]) };
        let call_gap = if is_long { 10_000 } else { random.pick(&[200, 400, 800, 2000]) };
        let reset_gap = if is_long { 900_000 } else { random.pick(&[10_000, 20_000, 40_000, 90_000]) };
        Self {
            accounts: random.weighted(&[(2, 1), (3, 2), (1, 3)]),
            processes,
            clients: random.weighted(&[(4, 1), (3, 2), (1, 4)]),
            length: if is_long { random.time(4_000_000, 8_000_000) } else { random.time(60_000, 600_000) },
            burst: if is_long { (5, 15) } else { (10, 60) },
            late_burst: (150, 300),
            call_gap,
            reset_gap,
            source_lag: random.pick(&[(0, 1), (0, 3000), (500, 8000), (2000, 40_000)]),
            mistake_gap: if random.chance(400) { 0 } else { random.pick(&[15_000, 60_000]) },
            change_gap: if random.chance(300) { 0 } else { random.pick(&[20_000, 60_000]) },
            cool_down: random.chance(700).then(|| draw_cool_down(random)),
            latency: random.pick(&[(1, 5), (20, 200), (20, 900)]),
            read_time: random.pick(&[(0, 2), (1, 50), (50, 400)]),
            // The short waits of a burst over an hour would be most of what a run takes.
            oversleep: if is_long { 1_000 } else { random.weighted(&[(1, 0), (4, 300), (10, 1_000)]) },
            account_page: random.weighted(&[
                (6, AccountPage::Shown),
                (1, AccountPage::Hidden),
                (2, AccountPage::NotFound),
                (1, AccountPage::Refused),
            ]),
            faults: if is_calm { Faults::default() } else { Faults::draw(random) },
            is_fleet: false,
        }
    }

    /// The settings of a fleet: each process makes few calls, and all of them get the new pair at the same moment. Nothing
    /// else goes wrong.
    fn fleet(random: &mut Random) -> Self {
        let lag = random.pick(&[10_000, 20_000, 30_000]);
        Self {
            accounts: 1,
            processes: 16,
            clients: 1,
            length: random.time(100_000, 300_000),
            burst: (1, 3),
            late_burst: (1, 3),
            // By the time of the new pair, more calls are held than the burst limit allows in a minute.
            call_gap: lag / 8,
            reset_gap: 90_000,
            source_lag: (lag, lag + 1),
            mistake_gap: 0,
            change_gap: 0,
            cool_down: Some(Duration::from_secs(30)),
            latency: random.pick(&[(1, 5), (20, 200)]),
            read_time: random.pick(&[(0, 2), (1, 50)]),
            oversleep: 100,
            account_page: AccountPage::Shown,
            faults: Faults::default(),
            is_fleet: true,
        }
    }

    /// The settings of a client; `home` is the account that its process is for.
    pub fn policy(&self, random: &mut Random, home: u64, other: u64) -> Policy {
        if self.is_fleet {
            let (timeout, rotation_wait) = (Duration::from_secs(120), Duration::from_secs(60));
            return Policy { timeout, rotation_wait, ..Policy::default() };
        }
        Policy {
            verify_path: random.chance(80).then(|| "/v2.1/whoami".to_owned()),
            timeout: Duration::from_millis(random.weighted(&[
                (2, 0),
                (1, 700),
                (2, 5_000),
                (6, 30_000),
                (1, 120_000),
            ])),
            max_retries: random.weighted(&[(1, 0), (1, 1), (5, 2), (1, 3), (1, 4)]),
            expected_account: random.weighted(&[(7, None), (3, Some(home)), (1, Some(other))]),
            rotation_wait: Duration::from_millis(random.weighted(&[
                (4, 0),
                (2, 1_500),
                (4, 10_000),
                (1, 60_000),
            ])),
            cool_down: self.cool_down.unwrap_or_else(|| draw_cool_down(random)),
            rotation_due: Duration::from_secs(random.pick(&[0, 20, 90 * 24 * 60 * 60])),
            ..Policy::default()
        }
    }
}

fn draw_cool_down(random: &mut Random) -> Duration {
    Duration::from_secs(random.weighted(&[(8, 30), (1, 5), (1, 60)]))
}

impl Faults {
    fn draw(random: &mut Random) -> Self {
        let highest = random.pick(&[5, 30, 120]);
        // Some faults are absent from an episode, so that the others are seen by themselves.
        let mut rate = || if random.chance(500) { 0 } else { random.between(1, highest) };
        Self {
            not_connected: rate(),
            lost_on_the_way: rate(),
            lost_answer: rate(),
            cut_answer: rate(),
            hanging: rate(),
            late: rate(),
            rate_limited: rate(),
            server_error: rate(),
            request_timeout: rate(),
            proxy_403: rate(),
            portal: rate(),
            other_answer: rate(),
            failed_read: rate(),
            slow_read: rate(),
            stale_read: rate(),
            cancelled: rate(),
            abandoned: rate() / 4,
            late_authorization: rate(),
        }
    }
}
