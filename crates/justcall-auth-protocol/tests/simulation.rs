//! The exchange and the keyring in the simulated world of `tests/simulation`, with random faults.

use justcall_auth_simulation::{Options, run};

/// Enough requests to exercise every rule of the exchange and the keyring. `cargo xtask simulate` runs longer.
const REQUESTS: u64 = 30_000;

#[test]
fn it_keeps_its_promises_through_resets_and_faults() {
    let requests = std::env::var("JUSTCALL_SIMULATION_REQUESTS");
    let requests = requests.map_or(REQUESTS, |requests| requests.parse().expect("a number of requests"));
    let options = Options { seed: 1, requests: Some(requests), ..Options::default() };
    if let Err(violation) = run(&options, |_| ()) {
        panic!("{violation}");
    }
}
