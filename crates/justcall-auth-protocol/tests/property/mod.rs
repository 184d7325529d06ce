//! How many cases a property is tried with.

use proptest::prelude::ProptestConfig;

/// So many cases as `cases`, or as PROPTEST_CASES says, which proptest reads only where a test names no number.
pub fn config(cases: u32) -> ProptestConfig {
    let default = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    if std::env::var_os("PROPTEST_CASES").is_some() { default } else { ProptestConfig { cases, ..default } }
}
