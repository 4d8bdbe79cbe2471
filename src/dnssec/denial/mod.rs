//! Proofs that something is not there (RFC 4035 3.1.3 and 5.4, RFC 5155 7.2 and 8, RFC 6840 4).
//!
//! Given: a zone's chain, or the records of one that came with an answer. Must not know: signatures, caches, what is done
//! with a proof that fails.
//!
//! Each `prove_*` is the half of the one who answers: it picks the records of the chain that an answer needs. Each `check_*`
//! is the half of the one who validates: it looks for the same records under the same names.

mod by_nsec;
mod by_nsec3;
mod check;
mod evidence;
mod hashes;
mod prove;
mod verdict;

#[cfg(test)]
mod tests;

pub use check::{check_no_ds, check_nodata, check_nxdomain, check_wildcard_answer};
pub use evidence::Evidence;
pub use hashes::Hashes;
pub use prove::{
    Chain, ChainKind, Proof, prove_nodata, prove_nxdomain, prove_wildcard_answer, prove_wildcard_nodata,
};
pub use verdict::{Denial, Missing, NoDs};

use crate::dns::{NameBuf, NameRef};

/// The name one label longer than its encloser (RFC 5155 1.3).
fn next_closer<'n>(name: NameRef<'n>, encloser: NameRef<'_>) -> NameRef<'n> {
    name.trim_to(encloser.label_count() + 1)
}

/// The source of synthesis below an encloser (RFC 4592 3.3.1). None where it would be too long to exist.
fn wildcard_of<'b>(encloser: NameRef<'_>, buf: &'b mut NameBuf) -> Option<NameRef<'b>> {
    buf.push_label(b"*").ok()?;
    buf.finish_with(encloser).ok()
}
