//! The first few of many in some order, in one pass.

use std::cmp::Ordering;

use super::SHOWN_EXAMPLES;

/// Keeps what comes first; of equals, what was offered first.
#[derive(Debug)]
pub(super) struct Worst<T> {
    kept: Vec<T>,
    order: fn(&T, &T) -> Ordering,
}

impl<T> Worst<T> {
    pub(super) fn new(order: fn(&T, &T) -> Ordering) -> Self {
        let kept = Vec::with_capacity(SHOWN_EXAMPLES + 1);
        Self { kept, order }
    }

    pub(super) fn offer(&mut self, item: T) {
        let at = self
            .kept
            .partition_point(|kept| (self.order)(kept, &item).is_le());
        if at < SHOWN_EXAMPLES {
            self.kept.insert(at, item);
            self.kept.truncate(SHOWN_EXAMPLES);
        }
    }

    pub(super) fn into_vec(self) -> Vec<T> {
        self.kept
    }
}

/// Ascending, what is not a number last.
pub(super) fn ascending(left: f64, right: f64) -> Ordering {
    let key = |value: f64| if value.is_nan() { f64::INFINITY } else { value };
    key(left).total_cmp(&key(right))
}

/// Descending, what is not a number last.
pub(super) fn descending(left: f64, right: f64) -> Ordering {
    ascending(-left, -right)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_first_of_a_stable_order_are_kept(values in prop::collection::vec(0_u8..20, 0..200)) {
            let mut worst = Worst::new(|a: &(u8, usize), b| b.0.cmp(&a.0));
            for (index, value) in values.iter().enumerate() {
                worst.offer((*value, index));
            }
            let mut sorted: Vec<_> = values.iter().enumerate().map(|(i, v)| (*v, i)).collect();
            sorted.sort_by_key(|(value, _)| std::cmp::Reverse(*value));
            sorted.truncate(SHOWN_EXAMPLES);
            prop_assert_eq!(worst.into_vec(), sorted);
        }
    }

    #[test]
    fn what_is_not_a_number_comes_last() {
        let mut values = [f64::NAN, 1.0, -f64::NAN, 2.0];
        values.sort_by(|a, b| descending(*a, *b));
        assert_eq!(values[..2], [2.0, 1.0]);
        values.sort_by(|a, b| ascending(*a, *b));
        assert_eq!(values[..2], [1.0, 2.0]);
    }
}
