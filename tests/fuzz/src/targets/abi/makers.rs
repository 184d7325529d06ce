//! Calls that make a handle or set it up.

use std::sync::Arc;

use justcall_auth_abi as abi;

use super::SECRET;
use super::arguments::{Bytes, Text};
use super::callbacks::{self, share};
use super::calls::{Call, Program};
use crate::input::Input;

/// Timeouts in milliseconds. A call may wait for another one that never goes on, so none is long, and none is endless.
const TIMEOUTS: [u64; 3] = [1, 5, 20];
const SOURCES: [&str; 6] = ["env:", "env:A_KEY,A_SECRET", "systemd:?key=k", "env:A", "ftp:", ""];

pub const CALLS: &[Call] = &[
    client,
    client,
    credentials,
    request,
    request_setter,
    |program, _| program.handles.options.keep(abi::call_options::justcall_call_options_new()),
    |program, _| program.handles.cancels.keep(abi::cancel::justcall_cancel_new()),
    options_setter,
    webhook,
    webhook_setter,
    webhook_setter,
    config,
    config_text,
    config_number,
    config_callback,
    config_client,
    credentials_load,
];

/// A client of a service that refuses every connection.
fn client(program: &mut Program, input: &mut Input) {
    let config = abi::config::justcall_config_new();
    let url = Text::new("http://127.0.0.1:1");
    let context = share(program.context);
    let is_callback = input.byte() % 2 == 0;
    let credentials = program.handles.credentials.any(input.byte().into());
    // SAFETY: the configuration is this function's, and the other arguments live during the calls.
    unsafe {
        assert_eq!(abi::config::justcall_config_set_base_url(config, url.pointer(), std::ptr::null_mut()), 0);
        assert_eq!(abi::config::justcall_config_set_max_retries(config, 0, std::ptr::null_mut()), 0);
        assert_eq!(abi::config::justcall_config_set_timeout_ms(config, 20, std::ptr::null_mut()), 0);
        if is_callback || credentials.is_null() {
            let (load, free) = (Some(callbacks::load as _), Some(callbacks::free_context as _));
            let set = abi::config::justcall_config_set_source_callback(
                config,
                load,
                context,
                free,
                std::ptr::null_mut(),
            );
            assert_eq!(set, 0);
        } else {
            callbacks::free_context(context);
            let set = abi::config::justcall_config_set_credentials(config, credentials, std::ptr::null_mut());
            assert_eq!(set, 0);
        }
    }
    program.make(
        |handles| &mut handles.loopback_clients,
        |out, error| {
            // SAFETY: the configuration lives during the call.
            unsafe { abi::client::justcall_client_new(config, out, error) }
        },
    );
    // SAFETY: the client keeps what it needs.
    unsafe { abi::config::justcall_config_free(config) };
}

fn credentials(program: &mut Program, input: &mut Input) {
    let (key, secret) = match input.byte() {
        0..=99 => (Bytes::of(input), Bytes::of(input)),
        _ => (Bytes::new(b"keyofthisprogram"), Bytes::new(SECRET.as_bytes())),
    };
    program.make(
        |handles| &mut handles.credentials,
        |out, error| {
            // SAFETY: both halves live during the call, or are refused.
            unsafe {
                abi::credentials::justcall_credentials_new(
                    key.pointer().cast(),
                    key.length(),
                    secret.pointer().cast(),
                    secret.length(),
                    out,
                    error,
                )
            }
        },
    );
}

/// Reads a pair from a source that runs no program and opens no file or connection.
fn credentials_load(program: &mut Program, input: &mut Input) {
    let source = Text::new(input.pick(&SOURCES));
    let options = program.handles.options.any(input.byte().into());
    program.make(
        |handles| &mut handles.credentials,
        |out, error| {
            // SAFETY: the text and the options live during the call.
            unsafe { abi::credentials::justcall_credentials_load_with(source.pointer(), options, out, error) }
        },
    );
}

fn request(program: &mut Program, input: &mut Input) {
    let method = Text::or(input, &["GET", "POST", "PUT", "CONNECT", "get"]);
    let path = Text::or(input, &["/v2.1/calls", "/v2/account", "/v2.1/texts/new", "//evil", "/a?b=c", "/.."]);
    program.make(
        |handles| &mut handles.requests,
        |out, error| {
            // SAFETY: both texts live during the call.
            unsafe { abi::request::justcall_request_new(method.pointer(), path.pointer(), out, error) }
        },
    );
}

fn request_setter(program: &mut Program, input: &mut Input) {
    let request = program.handles.requests.own(input.byte().into());
    let cancel = program.handles.cancels.any(input.byte().into());
    let choice = input.below(5);
    let (name, value) =
        (Text::or(input, &["x-a", "authorization", "accept-encoding"]), Text::or(input, &["1", "gzip"]));
    let (body, timeout) = (Bytes::of(input), input.pick(&TIMEOUTS));
    program.status(|error| {
        // SAFETY: only this thread uses the request, and the other arguments live during the call.
        unsafe {
            match choice {
                0 => {
                    abi::request::justcall_request_add_query(request, name.pointer(), value.pointer(), error)
                }
                1 => {
                    abi::request::justcall_request_set_header(request, name.pointer(), value.pointer(), error)
                }
                2 => abi::request::justcall_request_set_body(request, body.pointer(), body.length(), error),
                3 => abi::request::justcall_request_set_timeout_ms(request, timeout, error),
                _ => abi::request::justcall_request_set_cancel(request, cancel, error),
            }
        }
    });
}

fn options_setter(program: &mut Program, input: &mut Input) {
    let options = program.handles.options.own(input.byte().into());
    let cancel = program.handles.cancels.any(input.byte().into());
    let (is_timeout, timeout) = (input.byte() % 2 == 0, input.pick(&TIMEOUTS));
    program.status(|error| {
        // SAFETY: only this thread uses the options, and the cancel handle lives during the call.
        unsafe {
            if is_timeout {
                abi::call_options::justcall_call_options_set_timeout_ms(options, timeout, error)
            } else {
                abi::call_options::justcall_call_options_set_cancel(options, cancel, error)
            }
        }
    });
}

fn webhook(program: &mut Program, input: &mut Input) {
    let url = Text::or(input, &["*", "https://a.b", "https://example.com/hooks"]);
    let tolerance = input.pick(&[600, 0, u64::MAX]);
    program.make(
        |handles| &mut handles.webhooks,
        |out, error| {
            // SAFETY: the text lives during the call.
            unsafe { abi::webhook::justcall_webhook_new(url.pointer(), tolerance, out, error) }
        },
    );
}

fn webhook_setter(program: &mut Program, input: &mut Input) {
    let webhook = program.handles.webhooks.own(input.byte().into());
    let client = program.handles.loopback_clients.any(input.byte().into());
    let choice = input.below(4);
    let (url, mut secret) = (Text::or(input, &["https://a.b"]), Bytes::of(input));
    if input.byte() > 99 {
        secret = Bytes::new(SECRET.as_bytes());
    }
    let context = Arc::clone(program.context);
    program.status(|error| {
        // SAFETY: only this thread uses the verifier, and the other arguments live during the call.
        unsafe {
            match choice {
                0 => abi::webhook::justcall_webhook_add_url(webhook, url.pointer(), error),
                1 => abi::webhook::justcall_webhook_add_secret(
                    webhook,
                    secret.pointer().cast(),
                    secret.length(),
                    error,
                ),
                2 => abi::webhook::justcall_webhook_use_client(webhook, client, error),
                _ => {
                    let (check, free) = (Some(callbacks::was_seen as _), Some(callbacks::free_context as _));
                    let share = share(&context);
                    let status =
                        abi::webhook::justcall_webhook_set_replay_check(webhook, check, share, free, error);
                    give_back_after(status, share);
                    status
                }
            }
        }
    });
}

/// After a failure the context still belongs to the program.
unsafe fn give_back_after(status: i32, share: *mut std::ffi::c_void) {
    if status != 0 {
        // SAFETY: the library has not taken it.
        unsafe { callbacks::free_context(share) };
    }
}

/// A configuration whose clients never wait long.
fn config(program: &mut Program, _: &mut Input) {
    let config = abi::config::justcall_config_new();
    // SAFETY: the configuration is this function's.
    let set = unsafe { abi::config::justcall_config_set_timeout_ms(config, 20, std::ptr::null_mut()) };
    assert_eq!(set, 0);
    program.handles.configs.keep(config);
}

fn config_text(program: &mut Program, input: &mut Input) {
    let config = program.handles.configs.own(input.byte().into());
    let credentials = program.handles.credentials.any(input.byte().into());
    let choice = input.below(8);
    let source = Text::new(input.pick(&SOURCES));
    let path = Text::new(input.pick(&["", "/nonexistent/folder/file"]));
    let (text, pem) =
        (Text::or(input, &["https://api.justcall.io", "192.0.2.7", "http://proxy:1"]), Bytes::of(input));
    program.status(|error| {
        // SAFETY: only this thread uses the configuration, and the other arguments live during the call.
        unsafe {
            match choice {
                0 => abi::config::justcall_config_set_source(config, source.pointer(), error),
                1 => abi::config::justcall_config_set_credentials(config, credentials, error),
                2 => abi::config::justcall_config_set_base_url(config, text.pointer(), error),
                3 => abi::config::justcall_config_set_verify_path(config, text.pointer(), error),
                4 => abi::config::justcall_config_set_local_address(config, text.pointer(), error),
                5 => abi::config::justcall_config_set_proxy(config, text.pointer(), error),
                6 => {
                    abi::config::justcall_config_set_ca_pem(config, pem.pointer().cast(), pem.length(), error)
                }
                _ => abi::config::justcall_config_set_ca_file(config, path.pointer(), error),
            }
        }
    });
}

fn config_number(program: &mut Program, input: &mut Input) {
    let config = program.handles.configs.own(input.byte().into());
    let choice = input.below(6);
    let number = input.pick(&[0, 1, -1, i32::MAX, i32::MIN, 7, 3]);
    let (size, timeout) = (number.unsigned_abs(), input.pick(&TIMEOUTS));
    program.status(|error| {
        // SAFETY: only this thread uses the configuration.
        unsafe {
            match choice {
                0 => abi::config::justcall_config_set_max_retries(config, number, error),
                1 => abi::config::justcall_config_set_timeout_ms(config, timeout, error),
                2 => abi::config::justcall_config_set_rotation_wait_ms(config, timeout, error),
                3 => abi::config::justcall_config_set_max_response_length(config, size as usize, error),
                4 => abi::config::justcall_config_set_expected_account(config, size.into(), error),
                _ => abi::config::justcall_config_set_memory_protection(config, number, error),
            }
        }
    });
}

fn config_callback(program: &mut Program, input: &mut Input) {
    let config = program.handles.configs.own(input.byte().into());
    let (choice, is_null) = (input.below(2), input.byte() == 0);
    let context = Arc::clone(program.context);
    program.status(|error| {
        let share = share(&context);
        let free = Some(callbacks::free_context as _);
        // SAFETY: only this thread uses the configuration, and the library gives the context back.
        unsafe {
            let status = if choice == 0 {
                let load = (!is_null).then_some(callbacks::load as _);
                abi::config::justcall_config_set_source_callback(config, load, share, free, error)
            } else {
                let handler = (!is_null).then_some(callbacks::handle as _);
                abi::config::justcall_config_set_event_handler(config, handler, share, free, error)
            };
            give_back_after(status, share);
            status
        }
    });
}

/// A client of any configuration. It never sends.
fn config_client(program: &mut Program, input: &mut Input) {
    let config = program.handles.configs.any(input.byte().into());
    program.make(
        |handles| &mut handles.clients,
        |out, error| {
            // SAFETY: the configuration lives during the call.
            unsafe { abi::client::justcall_client_new(config, out, error) }
        },
    );
}
