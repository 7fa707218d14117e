//! The prices of a kind's models in whole numbers, for requests of any size and room.

use crate::span::Span;

/// A model's prices by tier, multiplied by a common scale.
#[derive(Clone, Debug)]
pub struct Priced {
    /// The longest input of each tier but the last, in tokens, ascending.
    pub bounds: Vec<u64>,
    /// For each tier, the price of an input token and of an output token. One more than `bounds`.
    pub tiers: Vec<(u128, u128)>,
}

/// The models of a kind. A price divided by `scale` is an amount in their currency.
#[derive(Clone, Debug)]
pub struct Prices {
    models: Vec<Priced>,
    scale: u128,
}

/// Offers are compared in whole numbers of this part of a unit of the currency: to twelve digits
/// behind the point.
const UNITS: u128 = 1_000_000_000_000;
/// The largest scale: an amount below one unit of the currency, times `UNITS`, still fits into
/// 128 bits.
pub const MOST_SCALE: u128 = 1 << 88;

impl Prices {
    /// The prices of these models, on this scale.
    ///
    /// # Panics
    ///
    /// If the scale is zero or above [`MOST_SCALE`], or if a model does not have one tier more than
    /// it has bounds.
    pub fn new(models: Vec<Priced>, scale: u128) -> Self {
        assert!((1..=MOST_SCALE).contains(&scale), "a scale of {scale}");
        assert!(models.iter().all(|each| each.tiers.len() == each.bounds.len() + 1), "tiers");
        Prices { models, scale }
    }

    /// How many models there are.
    pub fn len(&self) -> usize {
        self.models.len()
    }

    /// Whether there is no model.
    pub fn is_empty(&self) -> bool {
        self.models.is_empty()
    }

    /// The lowest price for a request of this size: over the models that take it, the least of the
    /// most that it may cost there, to twelve digits behind the point.
    ///
    /// `takers` are models by index, each with its longest input. `None` if the size exceeds all.
    pub fn least(&self, takers: &[(usize, Option<u64>)], size: Span, answer: u64) -> Option<i64> {
        let taken = takers.iter().filter(|(_, most)| most.is_none_or(|most| size.high <= most));
        let fare = taken.map(|(place, _)| self.models[*place].fare(size, answer)).min()?;
        Some(i64::try_from(self.compared(fare)).unwrap_or(i64::MAX))
    }

    /// A fare in the units of comparison, in two steps where the product would overflow.
    fn compared(&self, fare: u128) -> u128 {
        if let Some(units) = fare.checked_mul(UNITS) {
            return units / self.scale;
        }
        let (whole, rest) = (fare / self.scale, fare % self.scale);
        whole.saturating_mul(UNITS).saturating_add(rest * UNITS / self.scale)
    }
}

impl Priced {
    /// The most that a request of this size may cost. That is at one of the size's ends, or at the
    /// edge of a tier between them, since the next tier may be cheaper.
    fn fare(&self, size: Span, answer: u64) -> u128 {
        let high = self.cost(size.high, answer);
        if size.low == size.high || self.bounds.is_empty() {
            return high;
        }
        let edges = self.bounds.iter().flat_map(|&bound| [bound, bound.saturating_add(1)]);
        let inside = edges.filter(|edge| size.low < *edge && *edge < size.high);
        let all = inside.chain([size.low]).map(|tokens| self.cost(tokens, answer));
        all.fold(high, u128::max)
    }

    fn cost(&self, tokens: u64, answer: u64) -> u128 {
        let (read, written) = self.tiers[self.bounds.partition_point(|bound| *bound < tokens)];
        let read = read.saturating_mul(u128::from(tokens));
        read.saturating_add(written.saturating_mul(u128::from(answer)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten tokens at 3 a token read, then 2; an answer's tokens at 5, then 1.
    fn falling() -> Prices {
        let one = Priced { bounds: vec![10], tiers: vec![(3, 5), (2, 1)] };
        let other = Priced { bounds: vec![], tiers: vec![(4, 0)] };
        Prices::new(vec![one, other], UNITS)
    }

    fn span(low: u64, high: u64) -> Span {
        Span { low, high }
    }

    #[test]
    fn a_fare_is_that_of_the_tier_and_of_the_dearest_size_between_the_ends() {
        let one = [(0, None)];
        for (size, answer, expected) in [
            (span(10, 10), 2, 10 * 3 + 2 * 5),
            (span(11, 11), 2, 11 * 2 + 2),
            (span(8, 12), 2, 10 * 3 + 2 * 5),
            (span(11, 30), 2, 30 * 2 + 2),
            (span(1, 10), 0, 10 * 3),
        ] {
            assert_eq!(falling().least(&one, size, answer), Some(expected));
        }
    }

    #[test]
    fn the_cheapest_is_asked_that_takes_the_request() {
        let (size, prices) = (span(5, 5), falling());
        assert_eq!(prices.least(&[(0, None), (1, None)], size, 2), Some(5 * 4));
        assert_eq!(prices.least(&[(0, Some(5)), (1, Some(4))], size, 2), Some(5 * 3 + 2 * 5));
        assert_eq!(prices.least(&[(0, Some(4)), (1, Some(4))], size, 2), None);
        assert_eq!(prices.least(&[], size, 2), None);
    }

    #[test]
    fn what_is_beyond_all_numbers_is_the_largest_one() {
        let dear = Priced { bounds: vec![], tiers: vec![(u128::MAX, 1)] };
        for scale in [1, MOST_SCALE] {
            let prices = Prices::new(vec![dear.clone()], scale);
            assert_eq!(prices.least(&[(0, None)], span(2, 2), 1), Some(i64::MAX));
        }
    }

    #[test]
    fn a_fare_on_a_fine_scale_has_all_its_digits() {
        // A token is 3 and a third, as far as the scale has places; twelve digits are compared.
        for (scale, expected) in [
            (10_u128.pow(11), 3_333_333_333_330_000),
            (10_u128.pow(20), 3_333_333_333_333_333),
            (10_u128.pow(26), 3_333_333_333_333_333),
            (MOST_SCALE, 3_333_333_333_333_333),
        ] {
            let priced = Priced { bounds: vec![], tiers: vec![(3 * scale + scale / 3, 0)] };
            let found = Prices::new(vec![priced], scale).least(&[(0, None)], span(1000, 1000), 0);
            assert_eq!(found, Some(expected), "{scale}");
        }
    }

    #[test]
    fn a_bound_may_be_the_largest_number() {
        let endless = Priced { bounds: vec![u64::MAX], tiers: vec![(3, 0), (1, 0)] };
        let prices = Prices::new(vec![endless], UNITS);
        assert_eq!(prices.least(&[(0, None)], span(1, 2), 0), Some(6));
    }
}
