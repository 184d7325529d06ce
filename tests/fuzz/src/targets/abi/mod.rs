//! The C ABI: sequences of calls with hostile arguments, on three threads, whose handles are freed in any order.
//!
//! An input is split into three programs. The first one makes handles. The other two run at the same time: each uses the
//! first one's handles where the header allows several threads, and its own ones otherwise. Then everything that is left is
//! freed, in an order that the input chooses. No program does what the header forbids.

mod arguments;
mod callbacks;
mod calls;
mod checks;
mod exchanges;
mod handles;
mod makers;

use std::sync::Arc;
use std::thread;

use callbacks::Context;
use calls::Program;
use handles::Handles;
use justcall_auth_abi::library::justcall_forget_rejections;

use crate::Target;
use crate::disclosure::contains;
use crate::input::Input;

pub const TARGET: Target = Target {
    name: "abi",
    about: "Sequences of calls of the C functions with NULL, hostile texts, lengths and numbers, on two threads, with frees in any order. \
            An error is stored exactly if a status is one, an output exactly if there is none, every text is UTF-8, no text \
            contains the secret, no buffer is written beyond its capacity, and each context of a callback is freed once.",
    check,
    seeds,
    tokens: &[
        "env:",
        "env:A,B",
        "systemd:",
        "https://api.justcall.io",
        "http://127.0.0.1:1",
        "http://10.0.0.1",
        "GET",
        "POST",
        "/v2.1/calls",
        "/v2/account",
        "//evil",
        "authorization",
        "accept-encoding",
        "x-a",
        "v1",
        "1711040902",
        "{\"type\":\"call.completed\",\"webhook_url\":\"https://a.b\"}",
        "https://a.b",
        "*",
        "\u{0}",
        "\u{fe}",
        "\u{ff}",
        "abc123def456:sec789xyz000",
        "192.0.2.7",
        "-----BEGIN CERTIFICATE-----",
    ],
};

/// The secret of the pairs that sources give. No text may contain it.
const SECRET: &str = "secretofthisprogram0123456789abcdef";
/// Separates the programs of an input.
const SEPARATOR: u8 = 0xFE;

fn seeds() -> Vec<Vec<u8>> {
    // A client, a request, an exchange that is driven; a webhook; hostile arguments.
    let make: &[u8] = &[0, 0, 1, 1, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8, 0];
    let drive: &[u8] = &[20, 0, 21, 0, 22, 0, 20, 0, 23, 0, 24, 0, 20, 0, 25, 0, 26, 0];
    let read: &[u8] = &[30, 0, 31, 0, 32, 0, 33, 0, 34, 0, 35, 0, 36, 0, 37, 0, 38, 0, 39, 0];
    let everything: Vec<u8> = (0..=63).flat_map(|number| [number, 1]).collect();
    vec![
        [make, &[SEPARATOR], drive, &[SEPARATOR], read].concat(),
        [make, drive, &[SEPARATOR], drive, read, &[SEPARATOR], drive].concat(),
        [&everything[..], &[SEPARATOR], &everything, &[SEPARATOR], &everything].concat(),
        [&everything[..], &everything[..], b"GET\0/v2.1/calls\0"].concat(),
    ]
}

fn check(data: &[u8]) {
    if contains(data, SECRET.as_bytes()) {
        return;
    }
    // What one input made the library remember must not change the next one.
    justcall_forget_rejections();
    let mut programs = data.split(|byte| *byte == SEPARATOR);
    let mut next = || programs.next().unwrap_or_default();
    let (first, second, third) = (next(), next(), next());
    let context = Arc::new(Context::default());
    let order = data.iter().fold(0_u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(*byte));
    let mut setup = Program::new(Handles::default(), &context);
    setup.run(&mut Input::new(first));
    let shared = setup.into_handles();
    let (mut one, mut two) = thread::scope(|scope| {
        let (mine, theirs) = (Program::new(shared.lent(), &context), Program::new(shared.lent(), &context));
        let other = scope.spawn(move || {
            let mut program = theirs;
            program.run(&mut Input::new(third));
            program.into_handles()
        });
        let mut program = mine;
        program.run(&mut Input::new(second));
        (program.into_handles(), other.join().expect("the other thread has not panicked"))
    });
    let mut all = shared;
    if order % 2 == 0 {
        all.free_all(order);
        one.free_all(order / 2);
        two.free_all(order / 3);
    } else {
        two.free_all(order);
        one.free_all(order / 3);
        all.free_all(order / 2);
    }
    assert_eq!(Arc::strong_count(&context), 1, "a context of a callback was not freed, or was freed twice");
}
