//! `cargo +nightly fuzz run webhook`: see `fuzz/webhook.rs` for what must hold.

#![no_main]

#[path = "../webhook.rs"]
mod webhook;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    webhook::check_delivery(data);
    webhook::check_body(data);
});
