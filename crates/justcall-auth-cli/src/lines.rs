//! Single lines of a command's output.

use crate::failure::{CYAN, GREEN, YELLOW};

/// Returns a line about a success.
pub(crate) fn success(text: &str) -> String {
    format!("{GREEN}✓{GREEN:#} {text}\n")
}

/// Returns a line about something that works but is rarely intended, and its remedy.
pub(crate) fn caution(text: &str, remedy: &str) -> String {
    format!("{YELLOW}!{YELLOW:#} {text}\n  {CYAN}→{CYAN:#} {remedy}\n")
}

/// Returns the remaining steps, one line each.
pub(crate) fn steps(steps: &[String]) -> String {
    steps.iter().fold(String::new(), |text, step| format!("{text}{CYAN}→{CYAN:#} {step}\n"))
}
