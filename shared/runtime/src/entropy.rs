//! The one file that rolls dice. Pure code is handed its numbers; whatever else needs one (jitter of a pause, the number
//! of a process, the version of a row) asks here, so that a simulation can say beforehand what will be rolled.

use std::cell::RefCell;

use rand::distr::{Distribution, StandardUniform};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

thread_local! {
    /// What this thread draws from, where somebody has said so. Never set outside a simulation.
    static SEEDED: RefCell<Option<StdRng>> = const { RefCell::new(None) };
}

/// A random value: from the operating system's generator, or from the seed of this thread.
pub fn random<T>() -> T
where
    StandardUniform: Distribution<T>,
{
    let seeded = SEEDED.with_borrow_mut(|seeded| seeded.as_mut().map(RngExt::random));
    seeded.unwrap_or_else(rand::random)
}

/// From now on this thread draws from `seed`: what follows can be repeated, and is no secret to anybody. For
/// simulations only.
pub fn seed_this_thread(seed: u64) {
    SEEDED.with_borrow_mut(|seeded| *seeded = Some(StdRng::seed_from_u64(seed)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seeded_thread_draws_the_same_again_and_another_thread_does_not() {
        let draw = |seed: Option<u64>| {
            let drawn = std::thread::spawn(move || {
                if let Some(seed) = seed {
                    seed_this_thread(seed);
                }
                [(); 4].map(|()| random::<u64>())
            });
            drawn.join().unwrap()
        };
        assert_eq!(draw(Some(7)), draw(Some(7)));
        assert_ne!(draw(Some(7)), draw(Some(8)));
        assert_ne!(draw(None), draw(None));
    }
}
