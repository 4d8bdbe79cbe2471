//! The hashes that the checks of one answer have cost.

use super::super::nsec3::{self, Nsec3Params, OwnerHash};
use super::verdict::Failure;
use crate::dns::{Name, NameRef};
use crate::limits;

/// The names hashed for one answer, each once, within [`limits::NSEC3_HASHES`] and [`limits::NSEC3_HASH_BLOCKS`].
#[derive(Debug)]
pub struct Hashes {
    known: Vec<Known>,
    blocks: usize,
    most_blocks: usize,
}

impl Default for Hashes {
    fn default() -> Hashes {
        Hashes::within(limits::NSEC3_HASH_BLOCKS)
    }
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

    /// None yet, and never more than so many blocks of SHA-1.
    pub fn within(most_blocks: usize) -> Hashes {
        Hashes { known: Vec::new(), blocks: 0, most_blocks }
    }

    /// The hash of a name for whoever looks for records to check; none when it would cost too much.
    pub fn of(&mut self, name: NameRef<'_>, params: &Nsec3Params) -> Option<OwnerHash> {
        self.hash(name, params.iterations, &params.salt).ok()
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
        if self.known.len() >= limits::NSEC3_HASHES || blocks > self.most_blocks {
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
