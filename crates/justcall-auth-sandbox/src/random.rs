//! Random tokens and chances.

use tokio_rustls::rustls::crypto::ring;

/// `bytes` random bytes from the system's generator, as lower-case hex digits (two a byte).
pub(crate) fn hex(bytes: usize) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut raw = vec![0; bytes];
    fill(&mut raw);
    raw.iter()
        .flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]])
        .map(char::from)
        .collect()
}

/// True with the given probability (0 never, 1 always).
pub(crate) fn chance(probability: f64) -> bool {
    let mut raw = [0; 4];
    fill(&mut raw);
    f64::from(u32::from_le_bytes(raw)) < probability * (f64::from(u32::MAX) + 1.0)
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
    fn it_makes_tokens_of_distinct_lower_case_hex_digits() {
        let token = super::hex(20);
        assert_eq!(token.len(), 40);
        assert!(token.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')));
        assert_ne!(token, super::hex(20));
    }
}
