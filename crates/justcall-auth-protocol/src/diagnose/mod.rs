//! The local check of a pair: what is wrong with it, found without the service and told without its value.
//!
//! [`pair`] checks two halves that are given apart, [`secret`] one alone, [`text()`] what people paste: `key:secret`, a header's value, a header
//! line, a fragment of a command. Both take time linear in what they are given, and copy none of it.

mod base64;
mod code;
mod finding;
mod half;
mod name;
mod pair;
mod placeholder;
#[cfg(test)]
mod properties;
mod text;
mod unicode;
mod wrapping;

pub use code::{Code, Example, Severity};
pub use finding::Finding;
pub use half::MAX_HALF;
pub use name::half_name;
pub use pair::{pair, secret};
pub use text::text;
