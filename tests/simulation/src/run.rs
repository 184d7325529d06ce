//! Runs episodes, one seed after the other, until there are enough requests.

use std::fmt;
use std::time::{Duration, Instant};

use crate::coverage::{Coverage, Seen};
use crate::plant::Plant;
use crate::violation::Violation;
use crate::world::World;

/// What to run.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The seed of the first episode; the next ones have the next seeds.
    pub seed: u64,
    /// How many requests are enough.
    pub requests: Option<u64>,
    /// For how long to go on, by the machine's clock.
    pub time: Option<Duration>,
    /// How many episodes are enough.
    pub episodes: Option<u64>,
    /// A bug to plant.
    pub plant: Option<Plant>,
}

/// What was run.
#[derive(Debug, Clone)]
pub struct Report {
    /// The seed of the first episode.
    pub seed: u64,
    /// How many episodes.
    pub episodes: u64,
    /// How much time passed in them.
    pub simulated: Duration,
    /// How much time passed outside.
    pub took: Duration,
    /// What was exercised, how often.
    pub coverage: Coverage,
}

/// Runs episodes until one of the limits is reached, or 1 episode if there is none. `progress` is called with what was
/// run so far, after each episode.
///
/// # Errors
/// The first promise that was not kept.
pub fn run(options: &Options, mut progress: impl FnMut(&Report)) -> Result<Report, Box<Violation>> {
    let began = Instant::now();
    let mut world = World::new(options.plant);
    let has_limit = options.requests.is_some() || options.time.is_some();
    let limit = options.episodes.unwrap_or(if has_limit { u64::MAX } else { 1 });
    let mut report = Report {
        seed: options.seed,
        episodes: 0,
        simulated: Duration::ZERO,
        took: Duration::ZERO,
        coverage: Coverage::default(),
    };
    while report.episodes < limit
        && options.requests.is_none_or(|requests| report.coverage.count(Seen::Requests) < requests)
        && options.time.is_none_or(|time| began.elapsed() < time)
    {
        report.simulated += world.run(options.seed.wrapping_add(report.episodes))?;
        report.episodes += 1;
        report.took = began.elapsed();
        report.coverage = world.seen().clone();
        progress(&report);
    }
    Ok(report)
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let times = self.simulated.as_secs_f64() / self.took.as_secs_f64().max(0.001);
        write!(
            f,
            "seeds {} to {}: {} requests, {} resets, {:.1} h simulated in {:.1} s ({times:.0} x)",
            self.seed,
            self.seed.wrapping_add(self.episodes.max(1) - 1),
            self.coverage.count(Seen::Requests),
            self.coverage.count(Seen::Resets),
            self.simulated.as_secs_f64() / 3600.0,
            self.took.as_secs_f64(),
        )
    }
}
