//! The sanitizer with which programs are compiled. `cargo xtask test --full` sets `JUSTCALL_SANITIZER`: its name, then the
//! options of the compiler, separated by spaces. The library in `JUSTCALL_LIB_DIR` must be built with the same sanitizer.

use std::sync::OnceLock;

fn words() -> &'static [String] {
    static WORDS: OnceLock<Vec<String>> = OnceLock::new();
    WORDS.get_or_init(|| {
        let words = std::env::var("JUSTCALL_SANITIZER").unwrap_or_default();
        words.split_ascii_whitespace().map(str::to_owned).collect()
    })
}

/// Returns the name of the sanitizer, or `None` without one.
pub(crate) fn name() -> Option<&'static str> {
    words().first().map(String::as_str)
}

/// Returns the options of the compiler. They follow the source in the command, because they name a library.
pub(crate) fn options() -> &'static [String] {
    words().get(1..).unwrap_or_default()
}
