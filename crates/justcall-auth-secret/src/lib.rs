//! Memory for secrets: [`Secret`] keeps one, [`WipedBuffer`] carries one for the length of a call.
//!
//! Both are wiped when they are dropped, both show `[redacted]` in `Debug`, and neither can be cloned, displayed or
//! serialised. Code that must see the bytes asks for them with [`Secret::expose`], which keeps every such place easy
//! to find.
//!
//! A secret rests in pages of its own between guard pages: locked into memory, left out of core dumps and encrypted
//! under a key that is derived from a large random prekey; or, where that is asked for, in memory that nobody but this
//! process can read. [`Secret::protection`] says what was obtained, [`Secret::refused`] why not more.
//!
//! Not covered: code that runs in this process, a debugger that calls it, hibernation images of locked memory.

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
mod thread;

pub use allocator::WipingAllocator;
pub use buffer::WipedBuffer;
pub use environment::scrub_variable;
pub use fork::{ForkOwned, PerProcess};
pub use level::{Level, Protection, Refused};
pub use registers::RegisterWipe;
pub use secret::Secret;
pub use thread::spawn_without_signals;
pub use zeroize::{Zeroize, Zeroizing, zeroize_stack};

/// What `Debug` of a secret shows.
pub const REDACTED: &str = "[redacted]";
