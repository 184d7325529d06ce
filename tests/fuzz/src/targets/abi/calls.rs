//! A program: a sequence of calls that an input chooses.

use std::sync::Arc;

use justcall_auth_abi::error::justcall_error;
use justcall_auth_abi::status::justcall_status;

use super::arguments::{Bytes, Text};
use super::callbacks::Context;
use super::checks;
use super::handles::{Handles, List};
use super::{exchanges, makers};
use crate::input::Input;

/// The most calls of one program.
const MOST_CALLS: usize = 120;

/// A call of one function, with arguments that the input chooses.
pub type Call = fn(&mut Program, &mut Input);

/// A program and its handles.
pub struct Program<'a> {
    pub handles: Handles,
    pub context: &'a Arc<Context>,
    /// How many calls have asked for an error, or for none.
    turns: usize,
}

impl<'a> Program<'a> {
    pub fn new(handles: Handles, context: &'a Arc<Context>) -> Self {
        Self { handles, context, turns: 0 }
    }

    pub fn into_handles(self) -> Handles {
        self.handles
    }

    /// Makes the calls that `input` chooses.
    pub fn run(&mut self, input: &mut Input) {
        for _ in 0..MOST_CALLS {
            if input.is_empty() {
                return;
            }
            let number = input.below(64);
            let calls: &[Call] = match number {
                0..=19 => makers::CALLS,
                20..=39 => exchanges::CALLS,
                _ => READS,
            };
            calls[(number % 20) % calls.len()](self, input);
        }
    }

    /// Calls a function that can fail. Every fourth call passes no place for the error.
    pub fn status(
        &mut self,
        call: impl FnOnce(*mut *mut justcall_error) -> justcall_status,
    ) -> justcall_status {
        self.turns += 1;
        let (status, error) = checks::status(self.turns % 4 > 0, call);
        self.handles.errors.keep(error);
        status
    }

    /// Calls a function that makes a handle, and keeps that in `list`.
    pub fn make<T>(
        &mut self,
        list: fn(&mut Handles) -> &mut List<T>,
        call: impl FnOnce(*mut *mut T, *mut *mut justcall_error) -> justcall_status,
    ) {
        self.turns += 1;
        let (handle, error) = checks::made(self.turns % 4 > 0, call);
        self.handles.errors.keep(error);
        list(&mut self.handles).keep(handle);
    }
}

/// Calls that read a handle or free one, and those that need none.
const READS: &[Call] = &[
    |program, input| {
        let handles = &program.handles;
        let number = input.byte().into();
        // SAFETY: each is NULL or a handle that lives during the call, and may be read on any thread.
        unsafe {
            checks::check_account(handles.accounts.any(number));
            checks::check_report(handles.reports.any(number));
            checks::check_response(handles.responses.any(number));
            checks::check_event(handles.events.any(number));
            checks::check_text(justcall_auth_abi::credentials::justcall_credentials_key_hint(
                handles.credentials.any(number),
            ));
        }
    },
    free,
    free,
    |_, input| {
        let status = i32::from(input.byte()) * 5 - 5;
        checks_name(status);
    },
    |program, input| {
        let text = Bytes::of(input);
        // SAFETY: the bytes live during the call, or are NULL or too long, which is refused.
        program.make(
            |handles| &mut handles.reports,
            |out, error| unsafe {
                justcall_auth_abi::report::justcall_diagnose(text.pointer().cast(), text.length(), out, error)
            },
        );
    },
    |program, input| {
        let (message, status) = (Text::of(input), i32::from(input.byte()) - 1);
        // SAFETY: the text lives during the call.
        let (status, error) = checks::status(true, |error| unsafe {
            justcall_auth_abi::source::justcall_error_new(status, message.pointer(), error)
        });
        assert!(status != 0);
        program.handles.errors.keep(error);
    },
    |program, input| {
        let mut headers = Headers::of(input);
        let (status, body) = (i32::from(input.byte()) * 4 - 20, Bytes::of(input));
        let (names, values, count) = headers.pointers(input);
        // SAFETY: the arrays and the body live during the call, or are refused.
        program.status(|error| unsafe {
            justcall_auth_abi::classify::justcall_classify(
                status,
                names,
                values,
                count,
                body.pointer(),
                body.length(),
                error,
            )
        });
    },
    |_, input| {
        let mut bytes = input.field().to_vec();
        // SAFETY: the buffer has this length.
        unsafe { justcall_auth_abi::library::justcall_wipe(bytes.as_mut_ptr().cast(), bytes.len()) };
        assert!(bytes.iter().all(|byte| *byte == 0));
        // SAFETY: NULL with any length is nothing to wipe.
        unsafe { justcall_auth_abi::library::justcall_wipe(std::ptr::null_mut(), usize::from(input.byte())) };
    },
];

/// Frees NULL or a handle of the program.
fn free(program: &mut Program, input: &mut Input) {
    let (kind, number) = (input.below(14), usize::from(input.byte()));
    let handles = &mut program.handles;
    match kind {
        0 => handles.accounts.free(number),
        1 => handles.options.free(number),
        2 => handles.cancels.free(number),
        3 => handles.clients.free(number),
        4 => handles.loopback_clients.free(number),
        5 => handles.configs.free(number),
        6 => handles.credentials.free(number),
        7 => handles.errors.free(number),
        8 => handles.exchanges.free(number),
        9 => handles.reports.free(number),
        10 => handles.requests.free(number),
        11 => handles.responses.free(number),
        12 => handles.webhooks.free(number),
        _ => handles.events.free(number),
    }
}

fn checks_name(status: i32) {
    let name = justcall_auth_abi::status::justcall_status_name(status);
    assert!(!name.is_null());
    // SAFETY: the text is part of the library.
    unsafe { checks::check_text(name) };
}

/// The headers of a response, as arrays of C.
pub struct Headers {
    texts: Vec<(Text, Text)>,
    names: Vec<*const std::ffi::c_char>,
    values: Vec<*const std::ffi::c_char>,
}

impl Headers {
    pub fn of(input: &mut Input) -> Self {
        const NAMES: [&str; 5] =
            ["retry-after", "x-rate-limit-remaining", "x-rate-limit-reset", "location", "x-a"];
        let count = input.below(4);
        let text = |input: &mut Input| {
            (Text::or(input, &NAMES), Text::or(input, &["0", "3", "1800000000", "https://a.b"]))
        };
        Self { texts: (0..count).map(|_| text(input)).collect(), names: Vec::new(), values: Vec::new() }
    }

    /// Returns both arrays and their length: those of the texts, or hostile ones.
    pub fn pointers(
        &mut self,
        input: &mut Input,
    ) -> (*const *const std::ffi::c_char, *const *const std::ffi::c_char, usize) {
        self.names = self.texts.iter().map(|(name, _)| name.pointer()).collect();
        self.values = self.texts.iter().map(|(_, value)| value.pointer()).collect();
        match input.byte() {
            0 => (std::ptr::null(), std::ptr::null(), 3),
            1 => (self.names.as_ptr(), self.values.as_ptr(), 1001),
            2 => (self.names.as_ptr(), self.values.as_ptr(), usize::MAX),
            3 => (std::ptr::null(), std::ptr::null(), 0),
            _ => (self.names.as_ptr(), self.values.as_ptr(), self.texts.len()),
        }
    }
}
