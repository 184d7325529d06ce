//! The figures of every part.

use std::path::Path;

use anyhow::Result;
use xtask_demo::run::step;

use crate::build::BenchPrograms;
use crate::memory::Memory;
use crate::server::Server;
use crate::webhooks::Webhooks;
use crate::{
    BenchOptions, Part, cancel, counts, memory, phases, profile, requests, scale, scan, startup, webhooks,
};

/// The figures. A part that was not measured is empty.
#[derive(Default)]
pub struct Measured {
    pub requests: Vec<requests::RequestRow>,
    pub startup: Vec<startup::StartupRow>,
    pub memory: Memory,
    pub scan: Vec<scan::ScanRow>,
    pub cancel: Vec<cancel::CancelRow>,
    pub webhooks: Webhooks,
    pub counts: Vec<counts::CountRow>,
    pub profile: Vec<profile::ProfileRow>,
    pub scale: Option<scale::Scale>,
    pub phases: Vec<phases::PhaseRow>,
}

impl Measured {
    /// Measures the parts that `options` name.
    pub fn measure(
        root: &Path,
        options: &BenchOptions,
        programs: &BenchPrograms,
        server: &Server,
    ) -> Result<Self> {
        let wants = |part| options.only.is_none_or(|only| only == part);
        let (rounds, requests) = (options.rounds, options.requests);
        let mut measured = Self::default();
        let jobs = [(Part::Verify, requests::VERIFY), (Part::Post, requests::POST)];
        let jobs: Vec<_> = jobs.into_iter().filter_map(|(part, job)| wants(part).then_some(job)).collect();
        if !jobs.is_empty() {
            let work = || requests::measure(programs, server, &jobs, rounds, requests);
            measured.requests = step("requests on one connection", work)?;
        }
        if wants(Part::Startup) {
            let work = || startup::measure(programs, server, rounds);
            measured.startup = step("start, verify once, end", work)?;
        }
        if wants(Part::Memory) {
            let work = || memory::measure(programs, server, rounds, requests);
            measured.memory = step("protecting the pair", work)?;
        }
        if wants(Part::Scan) {
            measured.scan = step("searching text", || scan::measure(root, programs, rounds))?;
        }
        if wants(Part::Cancel) {
            measured.cancel = step("cancelling calls", || cancel::measure(rounds))?;
        }
        if wants(Part::Webhooks) {
            measured.webhooks = step("verifying webhooks", || webhooks::measure(root, programs))?;
        }
        measured.measure_workers(options, &programs.workers, server)?;
        if wants(Part::Startup) {
            let work = || phases::measure(&programs.workers, server, rounds);
            measured.phases = step("the phases of a start", work)?;
        }
        Ok(measured)
    }

    /// Measures the parts that need only the C workers.
    pub fn measure_workers(&mut self, options: &BenchOptions, workers: &Path, server: &Server) -> Result<()> {
        let wants = |part| options.only.is_none_or(|only| only == part);
        if wants(Part::Counts) {
            self.counts = step("counting instructions and allocations", || counts::measure(workers, server))?;
            self.profile = step("profiling a verification", || profile::measure(workers, server))?;
        }
        if wants(Part::Scale) {
            let work = || scale::measure(workers, server, options.rounds);
            self.scale = Some(step("threads, pairs, sizes, idle memory", work)?);
        }
        Ok(())
    }
}
