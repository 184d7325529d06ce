//! Measures a verification, for `cargo xtask bench`. The bench runs this test in the release profile, sets the number
//! of rounds, and parses the printed lines. Without rounds, the test checks that the measured code works.

#![expect(clippy::cast_precision_loss, reason = "times are far below 2^52 nanoseconds")]

use std::hint::black_box;
use std::time::Instant;

use ring::hmac;

use super::signature::Signature;
use super::url::{EncodedUrl, Expected};
use super::{WebhookHeaders, WebhookVerifier};

const SECRET: &[u8] = b"ea39089c40790e9dc7a080ec95e849b8fa0fa5fb";
const SIGNATURE: &[u8] = b"56761bae5b27a784a3ddd2af828bc5def7176bc0a8650199b04c737bd39bbecf";
const URL: &str = "https://webhook.site/3bcea770-370a-4b09-8b66-426f687e08a4";
const ENCODED: &str = "https%3A%2F%2Fwebhook.site%2F3bcea770-370a-4b09-8b66-426f687e08a4";
const TYPE: &str = "call.completed";
const TIME: &[u8] = b"2024-03-21 17:08:22";
const NOW: i64 = 1_711_040_902;

/// The body of a call event of 1 KiB, most of it short fields.
const BODY: &str = include_str!("../../../../bench/webhook.json");

/// The number of rounds to measure.
const ROUNDS: &str = "JUSTCALL_MEASURE_ROUNDS";
const CALLS_PER_ROUND: u32 = 2000;

/// Returns the time of one call of `work`, in nanoseconds.
fn time<R>(mut work: impl FnMut() -> R) -> f64 {
    let start = Instant::now();
    for _ in 0..CALLS_PER_ROUND {
        black_box(work());
    }
    start.elapsed().as_nanos() as f64 / f64::from(CALLS_PER_ROUND)
}

/// Prints three figures per round, in nanoseconds: ring's HMAC with its key setup, the verification of a signature from
/// both fields, and the verification of a delivery from its headers and body.
#[test]
fn it_measures_an_accepted_verification() {
    let message = [SECRET, b"|", ENCODED.as_bytes(), b"|", TYPE.as_bytes(), b"|", TIME].concat();
    let tag: Vec<u8> = SIGNATURE
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).expect("ASCII"), 16).expect("hexadecimal"))
        .collect();
    let bare = || {
        let key = hmac::Key::new(hmac::HMAC_SHA256, black_box(SECRET));
        hmac::verify(&key, black_box(&message), &tag).is_ok()
    };
    let expected = Expected::These(vec![EncodedUrl::expected(URL).expect("a URL")]);
    let check = || {
        let signature = Signature::read(black_box(SIGNATURE)).expect("hexadecimal");
        let url = expected.encode(black_box(URL)).expect("memory");
        url.encodings().any(|form| signature.is_by(black_box(SECRET), form, black_box(TYPE), black_box(TIME)))
    };
    let mut verifier = WebhookVerifier::for_url(URL).expect("a URL");
    verifier.add_secret(SECRET).expect("a secret");
    let headers = [
        ("Host", "webhook.site"),
        ("Content-Type", "application/json"),
        ("X-JustCall-Signature", std::str::from_utf8(SIGNATURE).expect("ASCII")),
        ("X-JustCall-Signature-Version", "v1"),
        ("X-JustCall-Request-Timestamp", std::str::from_utf8(TIME).expect("ASCII")),
    ];
    let whole = || {
        let headers = WebhookHeaders::find(black_box(headers));
        verifier.verify(&headers, black_box(BODY.as_bytes()), black_box(NOW)).is_ok()
    };
    assert!(bare() && check() && whole(), "the measured code works");
    let rounds = std::env::var(ROUNDS).map_or(0, |rounds| rounds.parse().expect("a number"));
    for _ in 0..rounds {
        println!("measured {} {} {}", time(bare), time(check), time(whole));
    }
}
