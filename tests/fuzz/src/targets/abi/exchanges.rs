//! Calls of clients, exchanges and webhooks.

use justcall_auth_abi as abi;

use super::arguments::{Bytes, Output, Text};
use super::calls::{Call, Headers, Program};
use crate::input::Input;

pub const CALLS: &[Call] = &[
    new_exchange,
    next,
    load,
    authorization,
    answered,
    failed,
    outgoing,
    response,
    verify,
    send,
    client_text,
    client_reload,
    client_numbers,
    protection,
    verify_delivery,
    verify_delivery,
    object_path,
    fire,
    next,
    answered,
];

/// Any client, NULL included. Those of other configurations must not send.
fn client(program: &Program, input: &mut Input) -> *const abi::client::justcall_client {
    let number = usize::from(input.byte());
    if number % 3 == 0 {
        program.handles.clients.any(number / 3)
    } else {
        program.handles.loopback_clients.any(number / 3 + 1)
    }
}

fn new_exchange(program: &mut Program, input: &mut Input) {
    let client = client(program, input);
    let request = program.handles.requests.any(usize::from(input.byte()) + 1);
    program.make(
        |handles| &mut handles.exchanges,
        |out, error| {
            // SAFETY: the client and the request live during the call.
            unsafe { abi::exchange::justcall_exchange_new(client, request, out, error) }
        },
    );
}

fn next(program: &mut Program, input: &mut Input) {
    let exchange = program.handles.exchanges.own(usize::from(input.byte()) + 1);
    let (mut action, mut wait) = (0, u64::MAX);
    let status = program.status(|error| {
        // SAFETY: only this thread uses the exchange, and the outputs live during the call.
        unsafe { abi::exchange::justcall_exchange_next(exchange, &raw mut action, &raw mut wait, error) }
    });
    assert_eq!(status == 0, (1..=4).contains(&action), "status {status}, action {action}");
    assert!(status != 0 || action != 2 || wait > 0, "a wait of nothing");
}

fn load(program: &mut Program, input: &mut Input) {
    let exchange = program.handles.exchanges.own(usize::from(input.byte()) + 1);
    program.status(|error| {
        // SAFETY: only this thread uses the exchange.
        unsafe { abi::exchange::justcall_exchange_load(exchange, error) }
    });
}

fn authorization(program: &mut Program, input: &mut Input) {
    let exchange = program.handles.exchanges.own(usize::from(input.byte()) + 1);
    let mut output = Output::of(input);
    let (buffer, capacity, length) = (output.pointer(), output.capacity(), output.written());
    let status = program.status(|error| {
        // SAFETY: only this thread uses the exchange, and the buffer has this capacity.
        unsafe { abi::exchange::justcall_exchange_authorization(exchange, buffer, capacity, length, error) }
    });
    output.check(status == 0);
}

fn answered(program: &mut Program, input: &mut Input) {
    let exchange = program.handles.exchanges.own(usize::from(input.byte()) + 1);
    let status = input.pick(&[200, 401, 404, 429, 500, 503, 302, 204, 99, 1000, -1, 403]);
    let mut headers = Headers::of(input);
    let body = match input.byte() {
        0..=99 => Bytes::of(input),
        _ => Bytes::new(br#"{"status":"success","data":{"account_id":7}}"#),
    };
    let (names, values, count) = headers.pointers(input);
    program.status(|error| {
        // SAFETY: only this thread uses the exchange, and the other arguments live during the call, or are refused.
        unsafe {
            abi::exchange::justcall_exchange_answered(
                exchange,
                status,
                names,
                values,
                count,
                body.pointer(),
                body.length(),
                error,
            )
        }
    });
}

fn failed(program: &mut Program, input: &mut Input) {
    let exchange = program.handles.exchanges.own(usize::from(input.byte()) + 1);
    let (cause, is_sent) = (i32::from(input.byte() % 9) - 1, i32::from(input.byte() % 3) - 1);
    program.status(|error| {
        // SAFETY: only this thread uses the exchange.
        unsafe { abi::exchange::justcall_exchange_failed(exchange, cause, is_sent, error) }
    });
}

/// The request that an exchange sends.
fn outgoing(program: &mut Program, input: &mut Input) {
    let exchange = program.handles.exchanges.own(input.byte().into()).cast_const();
    // SAFETY: only this thread uses the exchange, and its texts live until the next action is asked for.
    unsafe {
        for text in [abi::exchange::justcall_exchange_method, abi::exchange::justcall_exchange_url] {
            assert_eq!(text(exchange).is_null(), exchange.is_null());
            super::checks::check_text(text(exchange));
        }
        let count = abi::exchange::justcall_exchange_header_count(exchange);
        for index in (0..count).chain([count, usize::MAX]) {
            super::checks::check_text(abi::exchange::justcall_exchange_header_name(exchange, index));
            super::checks::check_text(abi::exchange::justcall_exchange_header_value(exchange, index));
        }
        let mut length = usize::MAX;
        let body = abi::exchange::justcall_exchange_body(exchange, &raw mut length);
        assert!(!body.is_null() || length == 0);
        assert!(matches!(abi::exchange::justcall_exchange_is_verifying(exchange), 0 | 1));
    }
}

fn response(program: &mut Program, input: &mut Input) {
    let exchange = program.handles.exchanges.own(usize::from(input.byte()) + 1).cast_const();
    program.make(
        |handles| &mut handles.responses,
        |out, error| {
            // SAFETY: only this thread uses the exchange.
            unsafe { abi::exchange::justcall_exchange_response(exchange, out, error) }
        },
    );
}

/// A verification that fails, because the service refuses the connection.
fn verify(program: &mut Program, input: &mut Input) {
    let client = program.handles.loopback_clients.any(input.byte().into());
    let options = program.handles.options.any(input.byte().into());
    program.make(
        |handles| &mut handles.accounts,
        |out, error| {
            // SAFETY: the client and the options live during the call.
            unsafe { abi::client::justcall_client_verify_with(client, options, out, error) }
        },
    );
}

/// A request that fails in the same way.
fn send(program: &mut Program, input: &mut Input) {
    let client = program.handles.loopback_clients.any(input.byte().into());
    let request = program.handles.requests.any(input.byte().into());
    let (method, path, body) =
        (Text::or(input, &["GET", "DELETE"]), Text::or(input, &["/v2.1/calls"]), Bytes::of(input));
    let is_whole = input.byte() % 2 == 0;
    program.make(
        |handles| &mut handles.responses,
        |out, error| {
            // SAFETY: the client, the request and the texts live during the call.
            unsafe {
                if is_whole {
                    abi::client::justcall_client_send(client, request, out, error)
                } else {
                    let (body, length) = (body.pointer(), body.length());
                    abi::client::justcall_client_request(
                        client,
                        method.pointer(),
                        path.pointer(),
                        body,
                        length,
                        out,
                        error,
                    )
                }
            }
        },
    );
}

/// Texts of a client, which go into a buffer.
fn client_text(program: &mut Program, input: &mut Input) {
    let client = client(program, input);
    let webhook = program.handles.webhooks.any(input.byte().into());
    let credentials = program.handles.credentials.any(input.byte().into());
    let options = program.handles.options.any(input.byte().into());
    let choice = input.below(5);
    let mut output = Output::of(input);
    let (buffer, capacity, length) = (output.pointer(), output.capacity(), output.written());
    let status = program.status(|error| {
        // SAFETY: the handles live during the call, and the buffer has this capacity.
        unsafe {
            match choice {
                0 => abi::client::justcall_client_usage(client, buffer, capacity, length, error),
                1 => abi::client::justcall_client_key_hint(client, buffer, capacity, length, error),
                2 => abi::client::justcall_client_authorization_with(
                    client, options, buffer, capacity, length, error,
                ),
                3 => abi::webhook::justcall_webhook_usage(webhook, buffer, capacity, length, error),
                _ => abi::credentials::justcall_credentials_authorization(
                    credentials,
                    buffer,
                    capacity,
                    length,
                    error,
                ),
            }
        }
    });
    // A hint has an ellipsis.
    if choice != 1 {
        output.check(status == 0);
    }
}

/// Calls that change a client, which only one thread may make at a time.
fn client_reload(program: &mut Program, input: &mut Input) {
    let client = program.handles.loopback_clients.own(input.byte().into());
    let credentials = program.handles.credentials.any(input.byte().into());
    let options = program.handles.options.any(input.byte().into());
    let is_reload = input.byte() % 2 == 0;
    if input.byte() == 0 {
        // SAFETY: the client lives during the call.
        unsafe { abi::client::justcall_client_shutdown(client) };
    }
    let mut changed = 7;
    let status = program.status(|error| {
        // SAFETY: only this thread changes the client, and the other arguments live during the call.
        unsafe {
            if is_reload {
                abi::client::justcall_client_reload_with(client, options, &raw mut changed, error)
            } else {
                abi::client::justcall_client_replace_with(client, credentials, options, error)
            }
        }
    });
    assert!(!is_reload || (status == 0) == matches!(changed, 0 | 1), "status {status}, changed {changed}");
}

fn client_numbers(program: &mut Program, input: &mut Input) {
    let client = client(program, input);
    // SAFETY: the client lives during the calls.
    unsafe {
        assert!((-1..=7).all(|which| abi::client::justcall_client_rate_limit(client, which) >= -1));
        let _generation = abi::client::justcall_client_generation(client);
    }
}

fn protection(program: &mut Program, input: &mut Input) {
    let client = client(program, input);
    let options = program.handles.options.any(input.byte().into());
    program.make(
        |handles| &mut handles.reports,
        |out, error| {
            // SAFETY: the client and the options live during the call.
            unsafe { abi::client::justcall_client_protection_with(client, options, out, error) }
        },
    );
}

fn verify_delivery(program: &mut Program, input: &mut Input) {
    let webhook = program.handles.webhooks.any(usize::from(input.byte()) + 1);
    let options = program.handles.options.any(input.byte().into());
    let digits = "0".repeat(64);
    let signature = Text::or(input, &[&digits, "00", "sha256=00"]);
    let (version, timestamp) =
        (Text::or(input, &["v1", "v2"]), Text::or(input, &["1711040902", "2024-03-21 17:08:22"]));
    let body = match input.byte() {
        0..=99 => Bytes::of(input),
        _ => Bytes::new(br#"{"type":"call.completed","webhook_url":"https://a.b","data":{"id":7}}"#),
    };
    let now = input.pick(&[1_711_040_902, 0, i64::MAX, i64::MIN]);
    program.make(
        |handles| &mut handles.events,
        |out, error| {
            // SAFETY: the handles and the texts live during the call.
            unsafe {
                abi::webhook::justcall_webhook_verify_with(
                    webhook,
                    signature.pointer(),
                    version.pointer(),
                    timestamp.pointer(),
                    body.pointer(),
                    body.length(),
                    now,
                    options,
                    out,
                    error,
                )
            }
        },
    );
}

fn object_path(program: &mut Program, input: &mut Input) {
    let event = program.handles.events.any(input.byte().into());
    let (body, mut output) = (Bytes::of(input), Output::of(input));
    let (buffer, capacity, length) = (output.pointer(), output.capacity(), output.written());
    let status = program.status(|error| {
        // SAFETY: the event and the body live during the call, and the buffer has this capacity.
        unsafe {
            let (body, body_length) = (body.pointer(), body.length());
            abi::webhook_event::justcall_webhook_event_object_path(
                event,
                body,
                body_length,
                buffer,
                capacity,
                length,
                error,
            )
        }
    });
    output.check(status == 0);
}

/// Ends calls early, on any thread.
fn fire(program: &mut Program, input: &mut Input) {
    let cancel = program.handles.cancels.any(input.byte().into()).cast_mut();
    // SAFETY: the function is thread-safe, and the handle lives during the call.
    unsafe { abi::cancel::justcall_cancel_fire(cancel) };
}
