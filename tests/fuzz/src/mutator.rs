//! Makes new inputs from known ones.

use fastrand::Rng;

/// The longest input, in bytes, unless a known one is longer.
pub const MAX_LENGTH: usize = 4096;

/// Returns a variation of one of `known`, with one to eight changes.
pub fn vary(known: &[Vec<u8>], tokens: &[&str], random: &mut Rng) -> Vec<u8> {
    let mut bytes = if known.is_empty() { Vec::new() } else { known[random.usize(..known.len())].clone() };
    let longest = bytes.len().max(MAX_LENGTH);
    // Half of the variations have one change, a quarter two, and so on.
    loop {
        change(&mut bytes, known, tokens, random);
        if random.usize(..2) == 0 {
            break;
        }
    }
    bytes.truncate(longest);
    bytes
}

fn change(bytes: &mut Vec<u8>, known: &[Vec<u8>], tokens: &[&str], random: &mut Rng) {
    let at = random.usize(..=bytes.len());
    // Mostly short ranges, sometimes long ones.
    let longest = if random.usize(..4) == 0 { bytes.len() } else { 8 };
    let length = (1 + random.usize(..longest.max(1))).min(bytes.len() - at);
    match random.usize(..8) {
        0 if at < bytes.len() => bytes[at] ^= 1 << random.usize(..8),
        1 if at < bytes.len() => bytes[at] = random.u8(..),
        2 => bytes.insert(at, random.u8(..)),
        3 => drop(bytes.drain(at..at + length)),
        4 => {
            let copy = bytes[at..at + length].to_vec();
            let to = random.usize(..=bytes.len());
            bytes.splice(to..to, copy);
        }
        5 if !known.is_empty() => {
            let other = &known[random.usize(..known.len())];
            let from = random.usize(..=other.len());
            let until = from + random.usize(..=other.len() - from);
            bytes.splice(at..at + length, other[from..until].iter().copied());
        }
        _ if !tokens.is_empty() => {
            let replaced = if random.usize(..2) == 0 { 0 } else { length };
            bytes.splice(at..at + replaced, tokens[random.usize(..tokens.len())].bytes());
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn it_makes_different_inputs_and_repeats_them_from_a_seed() {
        let known = [b"abc".to_vec(), Vec::new(), vec![b'x'; 5000]];
        let run = |seed| {
            let mut random = Rng::with_seed(seed);
            (0..1000).map(|_| vary(&known, &["token"], &mut random)).collect::<Vec<_>>()
        };
        let inputs = run(7);
        assert_eq!(inputs, run(7));
        assert!(inputs.iter().all(|input| input.len() <= 5000));
        assert!(inputs.iter().collect::<HashSet<_>>().len() > 600);
        assert!(inputs.iter().any(|input| input.windows(5).any(|window| window == b"token")));
    }
}
