//! Checks that the time of a verification does not depend on where a signature is wrong, by the method of dudect:
//! Welch's t of the times of two classes of signatures in random order. The control is a comparison that leaks, which
//! the test must detect.

#![expect(clippy::cast_precision_loss, reason = "times are far below 2^52 nanoseconds")]

use std::hint::{black_box, spin_loop};
use std::time::Instant;

use super::signature::{LENGTH, Signature};

const SECRET: &[u8] = b"ea39089c40790e9dc7a080ec95e849b8fa0fa5fb";
const PUBLISHED: &[u8] = b"56761bae5b27a784a3ddd2af828bc5def7176bc0a8650199b04c737bd39bbecf";
const URL: &str = "https%3A%2F%2Fwebhook.site%2F3bcea770-370a-4b09-8b66-426f687e08a4";

/// The limit of dudect, beyond which the classes differ. Noise exceeds it once in hundreds of thousands of runs.
const LIMIT: f64 = 4.5;
/// The value that the control must exceed. Otherwise the test could not detect a leak.
const CONTROL_LIMIT: f64 = 50.0;
/// The number of runs that must all exceed the limit. Noise of a loaded machine may exceed it once, but not in each
/// run.
const RUNS: usize = 3;
const SAMPLES: usize = 60_000;

/// Returns two wrong signatures: one differs in the first byte, one in the last.
fn classes() -> [Signature; 2] {
    [0, LENGTH - 1].map(|wrong| {
        let mut signature = Signature::read(PUBLISHED).expect("hexadecimal");
        signature.0[wrong] ^= 1;
        signature
    })
}

/// Returns Welch's t of the times of `check` for the two classes, without the slowest tenth, which contains interrupts.
fn welch_t(check: impl Fn(&Signature) -> bool) -> f64 {
    let classes = classes();
    let mut random = 0x6a75_7374_6361_6c6c_u64;
    let mut times = Vec::with_capacity(SAMPLES);
    for _ in 0..SAMPLES {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let class = usize::from(random >> 63 == 1);
        let start = Instant::now();
        let is_right = check(black_box(&classes[class]));
        let took = start.elapsed();
        assert!(!is_right, "both are wrong");
        times.push((took.as_nanos() as f64, class));
    }
    times.sort_by(|one, other| one.0.total_cmp(&other.0));
    times.truncate(SAMPLES / 10 * 9);
    let [first, second] = [0, 1].map(|wanted| {
        let of_class: Vec<f64> =
            times.iter().filter(|(_, class)| *class == wanted).map(|(time, _)| *time).collect();
        let count = of_class.len() as f64;
        let mean = of_class.iter().sum::<f64>() / count;
        let variance = of_class.iter().map(|time| (time - mean).powi(2)).sum::<f64>() / (count - 1.0);
        (mean, variance / count)
    });
    (first.0 - second.0) / (first.1 + second.1).sqrt()
}

/// Compares until the first byte that differs, as code that leaks does. All bytes but the class's one are right, as for
/// an attacker who knows the others. It compares in a loop, because library code compares 32 bytes at once, and pauses
/// in each step, because optimised code needs about a nanosecond for the whole loop.
fn leaking_check(signature: &Signature) -> bool {
    let right = Signature::read(PUBLISHED).expect("hexadecimal");
    black_box(signature.is_by(SECRET, URL, "call.completed", b"2024-03-21 17:08:22"));
    for (byte, right) in signature.0.iter().zip(right.0) {
        if black_box(*byte) != right {
            return false;
        }
        spin_loop();
    }
    true
}

#[test]
fn it_takes_the_same_time_wherever_a_signature_is_wrong() {
    let control = welch_t(leaking_check).abs();
    assert!(control > CONTROL_LIMIT, "the leak of the control was not detected: |t| is {control:.1}");
    let check =
        |signature: &Signature| signature.is_by(SECRET, URL, "call.completed", b"2024-03-21 17:08:22");
    let mut found = Vec::new();
    for _ in 0..RUNS {
        let t = welch_t(check);
        if t.abs() <= LIMIT {
            println!("t is {t:.1}; of the control {control:.1}");
            return;
        }
        found.push(t);
    }
    panic!("the time depends on where a signature is wrong: t is {found:?}; of the control {control:.1}");
}
