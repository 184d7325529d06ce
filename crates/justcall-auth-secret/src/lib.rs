//! Memory for secrets: [`Secret`] holds one between calls, [`WipedBuffer`] and [`StackBuffer`] during a call.
//!
//! Both are wiped on drop, both show `[redacted]` in `Debug`, and neither can be cloned, displayed or serialised. Code
//! that needs the bytes calls [`Secret::expose`], so every such place is easy to find.
//!
//! A secret is stored in pages between guard pages. The pages are locked into memory and excluded from core dumps;
//! their content is encrypted with a key derived from a large random prekey. On request, a secret is stored in memory
//! that only this process can read. [`Secret::protection`] returns the protection obtained, [`Secret::refused`] the
//! reason for a lower one than requested.
//!
//! Not covered: other code in this process, an attached debugger, hibernation images of locked memory.

#![deny(unsafe_code)]

#[allow(unsafe_code)]
mod allocator;
mod arena;
mod buffer;
#[allow(unsafe_code)]
mod environment;
mod fork;
mod level;
#[allow(unsafe_code)]
mod memory;
#[allow(unsafe_code)]
mod process;
#[allow(unsafe_code)]
mod registers;
mod secret;
mod shield;
#[allow(unsafe_code)]
mod stack_buffer;
#[allow(unsafe_code)]
mod thread;

pub use allocator::WipingAllocator;
pub use buffer::WipedBuffer;
pub use environment::scrub_variable;
pub use fork::{ForkOwned, PerProcess};
pub use level::{Level, Protection, Refused};
pub use registers::RegisterWipe;
pub use secret::Secret;
pub use stack_buffer::StackBuffer;
pub use thread::spawn_without_signals;
pub use zeroize::{Zeroize, Zeroizing, zeroize_stack};

/// The text that `Debug` shows for a secret.
pub const REDACTED: &str = "[redacted]";
