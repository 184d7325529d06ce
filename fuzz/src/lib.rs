//! The programs in `fuzz_targets` run the targets of `tests/fuzz` under libFuzzer. Run them with `cargo xtask fuzz`.

use justcall_auth_fuzz_targets::Target;

/// Checks one input of a target.
///
/// # Panics
/// Panics if something does not hold, or if there is no such target.
pub fn check(name: &str, data: &[u8]) {
    (Target::named(name).expect("a target has this name").check)(data);
}
