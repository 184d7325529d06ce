//! How many cases a property is tried with.

use proptest::prelude::ProptestConfig;

/// Returns a configuration with `cases` cases, or with as many as `PROPTEST_CASES` says. proptest reads that variable only
/// where a test gives no number.
pub fn config(cases: u32) -> ProptestConfig {
    let default = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    if std::env::var_os("PROPTEST_CASES").is_some() { default } else { ProptestConfig { cases, ..default } }
}
