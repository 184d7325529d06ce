//! Measures the secret work of a call: reads the pair from protected memory, writes it into the head of a request, and
//! wipes the head and the registers. The transport uses the same functions.
//!
//! `bench_secret LEVEL` prints `{"version": …}`, then answers each line `secret N` with one line of figures.
//! `JUSTCALL_API_KEY` and `JUSTCALL_API_SECRET` hold the pair.

use std::error::Error;
use std::hint::black_box;
use std::io::{BufRead as _, stdin};
use std::time::Instant;

use justcall_auth::source::ProcessEnvironment;
use justcall_auth::{Credentials, Level, Source, WipedBuffer, WipingAllocator};
use justcall_auth_secret::RegisterWipe;
use rustix::time::{ClockId, Timespec, clock_gettime};

/// The C library and the Python module use the same allocator.
#[global_allocator]
static ALLOCATOR: WipingAllocator = WipingAllocator;

/// The head of a usual request before the pair, and after it.
const BEFORE: &[u8] = b"GET /v2/account HTTP/1.1\r\nhost: api.justcall.io\r\naccept: application/json\r\n\
content-type: application/json\r\nauthorization: ";
const AFTER: &[u8] = b"\r\nuser-agent: justcall-auth/0.1.0\r\naccept-encoding: gzip\r\n\r\n";

/// How many are timed together: reading the clock takes longer than one.
const AT_A_TIME: u32 = 100;

fn main() -> Result<(), Box<dyn Error>> {
    let level = std::env::args().nth(1).ok_or("bench_secret LEVEL")?;
    let level = Level::from_name(&level).ok_or("no such level")?;
    let pair = Source::parse("env:")?.load(&ProcessEnvironment)?.pair.credentials.with_protection(level)?;
    println!("{{\"version\": \"{}\"}}", justcall_auth::VERSION);
    for line in stdin().lock().lines() {
        let line = line?;
        let count = line.strip_prefix("secret ").ok_or("cannot read the command")?.parse()?;
        measure(&pair, count);
    }
    Ok(())
}

fn measure(pair: &Credentials, count: usize) {
    let cpu = cpu_nanoseconds();
    let mut times = Vec::with_capacity(count);
    for _ in 0..count {
        let begun = Instant::now();
        for _ in 0..AT_A_TIME {
            work(pair);
        }
        times.push(begun.elapsed().as_nanos() / u128::from(AT_A_TIME));
    }
    let cpu = (cpu_nanoseconds() - cpu) / i128::from(AT_A_TIME) / count.max(1) as i128;
    times.sort_unstable();
    println!("{{\"median_ns\": {}, \"cpu_ns\": {cpu}}}", times[count / 2]);
}

fn work(pair: &Credentials) {
    let _last = RegisterWipe;
    let mut head = WipedBuffer::with_capacity(BEFORE.len() + pair.authorization_len() + AFTER.len());
    head.push(BEFORE);
    pair.expose_authorization(|value| head.push(value));
    head.push(AFTER);
    black_box(head.as_ref());
}

fn cpu_nanoseconds() -> i128 {
    let Timespec { tv_sec, tv_nsec } = clock_gettime(ClockId::ProcessCPUTime);
    i128::from(tv_sec) * 1_000_000_000 + i128::from(tv_nsec)
}
