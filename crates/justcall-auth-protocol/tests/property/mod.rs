//! The number of cases of a property test.

use proptest::prelude::ProptestConfig;

/// Returns a configuration with `cases` cases, or with the number in `PROPTEST_CASES`. proptest itself ignores that
/// variable if a test sets a number.
pub fn config(cases: u32) -> ProptestConfig {
    let default = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    if std::env::var_os("PROPTEST_CASES").is_some() { default } else { ProptestConfig { cases, ..default } }
}
