//! The hashes that the checks of one answer have cost.

use super::super::nsec3::{self, OwnerHash};
use super::verdict::Failure;
use crate::dns::{Name, NameRef};
use crate::limits;

/// The names hashed for one answer, each once, within [`limits::NSEC3_HASHES`] and [`limits::NSEC3_HASH_BLOCKS`].
#[derive(Debug, Default)]
pub struct Hashes {
    known: Vec<Known>,
    blocks: usize,
}

#[derive(Debug)]
struct Known {
    name: Name,
    iterations: u16,
    salt: Box<[u8]>,
    hash: OwnerHash,
}

impl Hashes {
    /// None yet.
    pub fn new() -> Hashes {
        Hashes::default()
    }

    /// The hash of a name, from memory when it was asked for before.
    pub(super) fn hash(
        &mut self,
        name: NameRef<'_>,
        iterations: u16,
        salt: &[u8],
    ) -> Result<OwnerHash, Failure> {
        let mut known = self.known.iter();
        if let Some(known) = known.find(|known| {
            known.name.as_ref() == name && known.iterations == iterations && *known.salt == *salt
        }) {
            return Ok(known.hash);
        }
        let blocks = self.blocks + nsec3::hash_blocks(name, iterations, salt);
        if self.known.len() >= limits::NSEC3_HASHES || blocks > limits::NSEC3_HASH_BLOCKS {
            return Err(Failure::TooManyHashes);
        }
        self.blocks = blocks;
        let hash = nsec3::hash(name, iterations, salt);
        self.known.push(Known { name: name.to_name(), iterations, salt: salt.into(), hash });
        Ok(hash)
    }

    /// How many names were hashed.
    pub fn count(&self) -> usize {
        self.known.len()
    }

    /// How many blocks of SHA-1 that took.
    pub fn blocks(&self) -> usize {
        self.blocks
    }
}
