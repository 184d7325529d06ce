//! The local check of a pair: finds faults without asking the service, and reports them without the value.
//!
//! [`pair`] checks two separate halves, [`secret`] one secret, and [`text()`] what people paste: `key:secret`, the
//! value or line of a header, a fragment of a command. Each takes time linear in its input.

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
