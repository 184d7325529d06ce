//! Single lines of what a command tells a person.

use crate::failure::{CYAN, GREEN, YELLOW};

/// Something is well.
pub(crate) fn well(text: &str) -> String {
    format!("{GREEN}✓{GREEN:#} {text}\n")
}

/// Something works, but is rarely meant; with what to do about it.
pub(crate) fn caution(text: &str, remedy: &str) -> String {
    format!("{YELLOW}!{YELLOW:#} {text}\n  {CYAN}→{CYAN:#} {remedy}\n")
}

/// What is left to do, a line for each.
pub(crate) fn steps(steps: &[String]) -> String {
    steps.iter().fold(String::new(), |text, step| format!("{text}{CYAN}→{CYAN:#} {step}\n"))
}
