//! Random choices that can be repeated.

/// A small generator with a printed seed, so that a failing run can be repeated.
pub struct Random(u64);

impl Random {
    /// Takes the seed from the environment or makes one up, and prints it.
    pub fn seeded() -> Random {
        Random::of(Random::seed())
    }

    /// Makes the generator of a seed.
    pub fn of(seed: u64) -> Random {
        Random(seed)
    }

    /// Takes the seed from the environment or makes one up, and prints it.
    pub fn seed() -> u64 {
        let seed = std::env::var("JM_TEST_SEED")
            .ok()
            .and_then(|seed| seed.parse().ok())
            .unwrap_or_else(|| u64::from(std::process::id()) ^ 0x5eed);
        println!("JM_TEST_SEED={seed}");
        seed
    }

    /// Returns a number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}
