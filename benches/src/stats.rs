//! Order statistics of samples: what is reported is a median and the middle half's width.

/// The value below which a share `at` (0 to 1) of `sorted` lies, interpolated; `NAN` without values.
pub(crate) fn quantile(sorted: &[f64], at: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let place = at.clamp(0.0, 1.0) * last as f64;
    let (low, high) = (place.floor() as usize, place.ceil() as usize);
    sorted[low] + (sorted[high] - sorted[low]) * (place - low as f64)
}

/// The values in rising order.
pub(crate) fn sorted(values: impl IntoIterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_unstable_by(f64::total_cmp);
    values
}

/// The middle value.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    quantile(&sorted(values), 0.5)
}

/// The width of the middle half, as a share of the median.
pub(crate) fn spread(values: impl IntoIterator<Item = f64>) -> f64 {
    let sorted = sorted(values);
    (quantile(&sorted, 0.75) - quantile(&sorted, 0.25)) / quantile(&sorted, 0.5)
}

/// The median of `ours / theirs`, pair by pair: what disturbs the machine for a while disturbs both of a pair.
pub(crate) fn paired_ratio(ours: &[f64], theirs: &[f64]) -> f64 {
    median(ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_lies_between_the_middle_two() {
        assert_eq!(median([4.0, 1.0, 3.0, 2.0]), 2.5);
        assert_eq!(median([5.0, 1.0, 3.0]), 3.0);
        assert!(median([]).is_nan());
    }

    #[test]
    fn quantiles_interpolate_and_stay_inside() {
        let values = [10.0, 20.0, 30.0, 40.0, 50.0];
        assert_eq!(quantile(&values, 0.0), 10.0);
        assert_eq!(quantile(&values, 0.875), 45.0);
        assert_eq!(quantile(&values, 7.0), 50.0);
    }

    #[test]
    fn the_spread_ignores_outliers() {
        assert_eq!(spread([10.0, 10.0, 10.0, 10.0, 1_000_000.0]), 0.0);
        assert_eq!(spread([8.0, 9.0, 10.0, 11.0, 12.0]), 0.2);
    }

    /// Both are slow together in the last two pairs: a ratio of medians would say 0.1.
    #[test]
    fn a_ratio_is_taken_within_pairs() {
        assert_eq!(paired_ratio(&[1.0, 10.0, 10.0], &[2.0, 20.0, 20.0]), 0.5);
        assert_eq!(paired_ratio(&[1.0, 1.0, 100.0], &[10.0, 2.0, 200.0]), 0.5);
    }
}
