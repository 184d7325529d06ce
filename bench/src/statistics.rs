//! Medians, ratios and how sure they are; rounds in fair orders.

use anyhow::Result;

/// How often the rounds are drawn again for the interval.
const RESAMPLES: usize = 10_000;
/// Fixed, so that the same figures give the same interval.
const SEED: u64 = 0x6a75_7374_6361_6c6c;

/// The median ratio of paired rounds, with its 95 % interval (percentile bootstrap over the rounds).
#[derive(Debug, Clone, Copy)]
pub struct Ratio {
    pub median: f64,
    pub low: f64,
    pub high: f64,
}

impl Ratio {
    /// Of `own` to `base`, round by round.
    pub fn of(own: &[f64], base: &[f64]) -> Self {
        Self::of_one(&own.iter().zip(base).map(|(own, base)| own / base).collect::<Vec<_>>())
    }

    /// Of rounds that are paired with nothing: their own median.
    pub fn of_one(ratios: &[f64]) -> Self {
        let mut random = Random(SEED);
        let mut medians: Vec<f64> = (0..RESAMPLES)
            .map(|_| median(&ratios.iter().map(|_| ratios[random.below(ratios.len())]).collect::<Vec<_>>()))
            .collect();
        medians.sort_by(f64::total_cmp);
        Self {
            median: median(ratios),
            low: medians[RESAMPLES / 40],
            high: medians[RESAMPLES - 1 - RESAMPLES / 40],
        }
    }

    /// The same comparison seen from the other side: how many times faster.
    pub fn inverted(self) -> Self {
        Self { median: 1.0 / self.median, low: 1.0 / self.high, high: 1.0 / self.low }
    }
}

/// The middle value, or the mean of the two; not a number when there is none.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        length if length % 2 == 1 => sorted[length / 2],
        length => f64::midpoint(sorted[length / 2 - 1], sorted[length / 2]),
    }
}

/// Puts peers into a new order every round, the same orders at every run.
pub struct Shuffle(Random);

impl Default for Shuffle {
    fn default() -> Self {
        Self(Random(SEED))
    }
}

impl Shuffle {
    /// Fisher and Yates.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.0.below(last + 1));
        }
    }
}

/// Gives each of `count` a turn in every round, in a new order; the first round, a warm-up, does not count.
pub fn in_rounds(rounds: u32, count: usize, mut turn: impl FnMut(usize, bool) -> Result<()>) -> Result<()> {
    let mut shuffle = Shuffle::default();
    let mut order: Vec<usize> = (0..count).collect();
    for round in 0..=rounds {
        shuffle.shuffle(&mut order);
        for index in &order {
            turn(*index, round > 0)?;
        }
    }
    Ok(())
}

/// What comes of each turn of [`in_rounds`] that counts.
pub fn rounds_of<T>(
    rounds: u32,
    count: usize,
    mut turn: impl FnMut(usize) -> Result<T>,
) -> Result<Vec<Vec<T>>> {
    let mut results: Vec<Vec<T>> = (0..count).map(|_| Vec::new()).collect();
    in_rounds(rounds, count, |index, counts| {
        let result = turn(index)?;
        if counts {
            results[index].push(result);
        }
        Ok(())
    })?;
    Ok(results)
}

/// `SplitMix64`: enough for orders and draws, and no crate.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).expect("a usize has at most 64 bits");
        usize::try_from(self.next() % bound).expect("below a usize")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_takes_the_middle() {
        assert!((median(&[3.0, 1.0, 2.0]) - 2.0).abs() < 1e-9);
        assert!((median(&[4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < 1e-9);
        assert!(median(&[]).is_nan());
    }

    #[test]
    fn it_encloses_the_median_ratio_and_gives_the_same_interval_again() {
        let base = [100.0; 21];
        let own: Vec<f64> = (0..21_u32).map(|round| 80.0 + f64::from(round)).collect();
        let (first, second) = (Ratio::of(&own, &base), Ratio::of(&own, &base));
        assert!((first.median - 0.9).abs() < 1e-9);
        assert!(first.low < 0.9 && first.low > 0.8 && first.high > 0.9 && first.high < 1.0);
        assert!((first.low - second.low).abs() < 1e-12 && (first.high - second.high).abs() < 1e-12);
        assert!(first.inverted().low < first.inverted().median);
    }

    #[test]
    fn it_keeps_every_item_when_it_shuffles() {
        let mut items = [0, 1, 2, 3, 4, 5];
        Shuffle::default().shuffle(&mut items);
        items.sort_unstable();
        assert_eq!(items, [0, 1, 2, 3, 4, 5]);
    }
}
