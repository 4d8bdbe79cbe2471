//! Chance for secrets: the generator of this thread is a cryptographic one, seeded by the kernel.

/// Octets nobody can guess.
pub fn secret() -> [u8; 16] {
    rand::random()
}

#[cfg(test)]
mod tests {
    #[test]
    fn no_secret_comes_twice() {
        assert_ne!(super::secret(), super::secret());
    }
}
