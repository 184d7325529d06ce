//! Random tokens, numbers and decisions.

use tokio_rustls::rustls::crypto::ring;

/// Returns `bytes` random bytes from the system's generator as lower-case hex digits, two for each byte.
pub(crate) fn hex(bytes: usize) -> String {
    let mut raw = vec![0; bytes];
    fill(&mut raw);
    in_hex(&raw)
}

/// Returns bytes as lower-case hex digits.
pub(crate) fn in_hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = |byte: &u8| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]];
    bytes.iter().flat_map(digits).map(char::from).collect()
}

/// Returns true with a probability from 0.0 (never) to 1.0 (always).
pub(crate) fn chance(probability: f64) -> bool {
    let mut raw = [0; 4];
    fill(&mut raw);
    f64::from(u32::from_le_bytes(raw)) < probability * (f64::from(u32::MAX) + 1.0)
}

/// Returns a random number.
pub(crate) fn number() -> u128 {
    let mut raw = [0; 16];
    fill(&mut raw);
    u128::from_le_bytes(raw)
}

/// Puts items into a random order.
pub(crate) fn shuffle<T>(items: &mut [T]) {
    for end in (2..=items.len()).rev() {
        let chosen = number() % u128::try_from(end).expect("a length fits");
        items.swap(end - 1, usize::try_from(chosen).expect("it is below a length"));
    }
}

fn fill(buffer: &mut [u8]) {
    ring::default_provider()
        .secure_random
        .fill(buffer)
        .expect("a system that serves TLS has a working random generator");
}

#[cfg(test)]
mod tests {
    #[test]
    fn it_never_takes_a_chance_of_zero_and_always_one_of_one() {
        assert!((0..1000).all(|_| !super::chance(0.0)));
        assert!((0..1000).all(|_| super::chance(1.0)));
    }

    #[test]
    fn it_shuffles_into_every_order() {
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..1000 {
            let mut items = [1, 2, 3];
            super::shuffle(&mut items);
            seen.insert(items);
        }
        assert_eq!(seen.len(), 6);
    }

    #[test]
    fn it_makes_tokens_of_distinct_lower_case_hex_digits() {
        let token = super::hex(20);
        assert_eq!(token.len(), 40);
        assert!(token.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')));
        assert_ne!(token, super::hex(20));
    }
}
