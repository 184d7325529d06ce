//! The targets, one file for each.

pub mod abi;
pub mod account;
pub mod errors;
pub mod exchange;
pub mod headers;
pub mod pair;
pub mod planted;
pub mod rewrite;
pub mod scan;
pub mod sources;
pub mod urls;
pub mod webhook;

/// The time of a delivery or a response, in seconds since the epoch.
const NOW: u64 = 1_800_000_000;
/// A pair that is good in every way.
const KEY: &str = "1f0e9d8c7b6a5948372615041f0e9d8c7b6a5948";
const SECRET: &str = "a9b8c7d6e5f40312213045566778899aabbccdde";

/// Returns the good pair. Its memory is made once for each thread.
fn good_pair() -> justcall_auth::Credentials {
    thread_local! {
        static PAIR: justcall_auth::Credentials =
            justcall_auth::Credentials::new(KEY.as_bytes(), SECRET.as_bytes()).expect("a good pair");
    }
    PAIR.with(Clone::clone)
}
