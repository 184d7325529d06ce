//! Hostile arguments: texts, bytes and buffers.

use std::ffi::{c_char, c_void};
use std::ptr;

use crate::input::Input;

/// Longer than any text that the library accepts, in bytes.
const TOO_LONG: usize = 129 * 1024;

/// A text for a C function: NULL, too long, or any bytes without a NUL.
pub struct Text(Option<Vec<u8>>);

impl Text {
    /// Returns a text of the input.
    pub fn of(input: &mut Input) -> Self {
        match input.byte() {
            0 => Self(None),
            1 => Self(Some([vec![b'a'; TOO_LONG], vec![0]].concat())),
            _ => Self(Some([input.field(), &[0]].concat())),
        }
    }

    /// Returns a text of the input, or one of `usual`.
    pub fn or(input: &mut Input, usual: &[&str]) -> Self {
        match input.byte() {
            0..=63 => Self::of(input),
            number => Self::new(usual[usize::from(number) % usual.len()]),
        }
    }

    pub fn new(text: &str) -> Self {
        Self(Some([text.as_bytes(), &[0]].concat()))
    }

    /// The pointer is valid as long as this text.
    pub fn pointer(&self) -> *const c_char {
        self.0.as_ref().map_or(ptr::null(), |bytes| bytes.as_ptr().cast())
    }
}

/// Bytes with a length: NULL with or without a length, too long, or any bytes.
pub struct Bytes {
    content: Vec<u8>,
    is_null: bool,
    length: usize,
}

impl Bytes {
    pub fn of(input: &mut Input) -> Self {
        let kind = input.byte();
        let content = input.field().to_vec();
        let length = content.len();
        match kind {
            0 => Self { content, is_null: true, length: 0 },
            1 => Self { content, is_null: true, length: 7 },
            // As from a subtraction that went below zero. It is refused before anything is read.
            2 => Self { content, is_null: false, length: usize::MAX - 1 },
            _ => Self { content, is_null: false, length },
        }
    }

    pub fn new(bytes: &[u8]) -> Self {
        Self { content: bytes.to_vec(), is_null: false, length: bytes.len() }
    }

    /// The pointer is valid as long as these bytes.
    pub fn pointer(&self) -> *const c_void {
        if self.is_null { ptr::null() } else { self.content.as_ptr().cast() }
    }

    pub fn length(&self) -> usize {
        self.length
    }
}

/// What fills a buffer before a call, and stays behind its end.
const FILLED: u8 = 0xA5;

/// A buffer of the program, with bytes behind its end that no call may change.
pub struct Output {
    bytes: Vec<u8>,
    capacity: usize,
    is_null: bool,
    written: usize,
}

impl Output {
    pub fn of(input: &mut Input) -> Self {
        let capacity = input.pick(&[0, 1, 12, 26, 64, 1026, 32 * 1024]);
        Self { bytes: vec![FILLED; capacity + 16], capacity, is_null: input.byte() == 0, written: usize::MAX }
    }

    pub fn pointer(&mut self) -> *mut c_char {
        if self.is_null { ptr::null_mut() } else { self.bytes.as_mut_ptr().cast() }
    }

    pub fn capacity(&self) -> usize {
        self.capacity
    }

    pub fn written(&mut self) -> *mut usize {
        &raw mut self.written
    }

    /// Checks what a call has written.
    pub fn check(&self, is_ok: bool) {
        assert!(
            self.bytes[self.capacity..].iter().all(|byte| *byte == FILLED),
            "written beyond the capacity"
        );
        if is_ok {
            assert!(self.written < self.capacity && self.bytes[self.written] == 0, "no NUL at the end");
            assert!(!self.bytes[..self.written].contains(&0) && self.bytes[..self.written].is_ascii());
        } else {
            assert!(self.bytes.iter().all(|byte| *byte == FILLED), "a failed call has written");
        }
    }
}
