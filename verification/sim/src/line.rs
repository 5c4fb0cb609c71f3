//! Whose turn it is: the earliest of a fixed number of times, each of which may change at any moment.
//!
//! # Invariants
//!
//! - **LN1** Each inner node of the tree holds the place of the earlier of its two children; of equal times the lower place
//!   wins, so the order is the same in every run.

/// A tournament over times: changing one costs log₂ of their number, the earliest is at hand.
#[derive(Debug)]
pub(crate) struct Line {
    times: Vec<u64>,
    /// Node 1 is the root; node `i` has the children `2i` and `2i + 1`; the leaves are the places.
    winners: Vec<u32>,
}

impl Line {
    /// Places `0..places`, all with the time `u64::MAX`: never.
    pub(crate) fn new(places: usize) -> Self {
        let width = places.next_power_of_two().max(2);
        let mut line = Self { times: vec![u64::MAX; width], winners: vec![0; width] };
        for node in (1..width).rev() {
            line.winners[node] = line.play(node);
        }
        line
    }

    fn child(&self, node: usize) -> u32 {
        let width = self.times.len();
        if node >= width { (node - width) as u32 } else { self.winners[node] }
    }

    fn play(&self, node: usize) -> u32 {
        let (left, right) = (self.child(2 * node), self.child(2 * node + 1));
        if self.times[right as usize] < self.times[left as usize] { right } else { left }
    }

    /// Sets the time of a place.
    pub(crate) fn set(&mut self, place: usize, time: u64) {
        if self.times[place] == time {
            return;
        }
        self.times[place] = time;
        let mut node = (place + self.times.len()) / 2;
        while node > 0 {
            self.winners[node] = self.play(node);
            node /= 2;
        }
    }

    pub(crate) fn get(&self, place: usize) -> u64 {
        self.times[place]
    }

    /// The place with the earliest time.
    pub(crate) fn first(&self) -> usize {
        self.winners[1] as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    #[test]
    fn the_earliest_is_first_and_the_lower_place_of_equals() {
        for places in [1, 2, 3, 17, 64, 65] {
            let (mut line, mut rng) = (Line::new(places), Rng::new(places as u64));
            let mut model = vec![u64::MAX; places];
            for _ in 0..500 {
                let (place, time) = (rng.below(places as u64) as usize, rng.below(8));
                model[place] = time;
                line.set(place, time);
                let first = (0..places).min_by_key(|&place| (model[place], place)).unwrap();
                assert_eq!((line.first(), line.get(place)), (first, time));
            }
        }
    }
}
