//! Which names belong to the training passages and which to the held-out ones.

/// The two halves of the demo data. Their names, years and numbers are disjoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Split {
    /// Passages to learn from.
    Train,
    /// Held-out passages.
    Dev,
}

impl Split {
    /// The half that `name` belongs to: about one name in six is held out.
    ///
    /// Case does not matter, so that a flower and a ship of the same name fall on the same side.
    pub fn of(name: &str) -> Self {
        // FNV-1a. Its low bits mix poorly, hence the fold.
        let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
        for byte in name.to_lowercase().bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        if (hash ^ (hash >> 32)).is_multiple_of(6) {
            Self::Dev
        } else {
            Self::Train
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sixth_of_the_names_is_held_out() {
        let held_out = (1750..2016)
            .filter(|year| Split::of(&year.to_string()) == Split::Dev)
            .count();
        assert!(
            (30..60).contains(&held_out),
            "{held_out} of 266 years are held out"
        );
        assert_eq!(Split::of("Silver Heron"), Split::of("silver heron"));
    }
}
