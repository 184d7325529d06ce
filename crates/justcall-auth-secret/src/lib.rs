//! Memory for secrets: [`Secret`] keeps one, [`WipedBuffer`] carries one for the length of a call.
//!
//! Both are wiped when they are dropped, both show `[redacted]` in `Debug`, and neither can be cloned, displayed or
//! serialised. Code that must see the bytes asks for them with [`Secret::expose`], which keeps every such place easy
//! to find.

#![deny(unsafe_code)]

mod buffer;
mod secret;

pub use buffer::WipedBuffer;
pub use secret::Secret;
pub use zeroize::{Zeroize, Zeroizing};

/// What `Debug` of a secret shows.
pub const REDACTED: &str = "[redacted]";
