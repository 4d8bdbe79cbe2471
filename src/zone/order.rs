//! The pages of a tree in canonical order, and which of them a name belongs to.

use std::sync::Arc;

use crate::dns::{Name, NameRef};

/// Pages listed together. A new page copies one such list and the list of lists.
const CHUNK: usize = 128;
/// As [`CHUNK`] when all are listed at once: room for pages that split later.
const BULK_CHUNK: usize = 96;

/// A name at or before the first of a page and after the last of the page before it; the page's number.
type Entry = (Name, u32);

/// Page numbers in canonical order of what the pages hold.
///
/// Invariants:
/// - there is a first page, it is listed under the apex and is never removed, so every name of the zone has a page;
/// - no chunk is empty.
#[derive(Clone)]
pub(super) struct Order {
    chunks: Arc<Vec<Arc<Vec<Entry>>>>,
}

impl Order {
    /// From the pages in order; at least one.
    pub(super) fn build(entries: &[Entry]) -> Order {
        debug_assert!(!entries.is_empty());
        Order { chunks: Arc::new(entries.chunks(BULK_CHUNK).map(|chunk| Arc::new(chunk.to_vec())).collect()) }
    }

    /// The page that holds `name`, or would hold it.
    pub(super) fn page_of(&self, name: NameRef<'_>) -> u32 {
        let (chunk, at) = self.place_of(name);
        self.chunks[chunk][at].1
    }

    /// Lists a page whose first name is `first`.
    pub(super) fn insert(&mut self, first: Name, page: u32) {
        let (at_chunk, at) = self.place_of(first.as_ref());
        let chunks = Arc::make_mut(&mut self.chunks);
        let chunk = Arc::make_mut(&mut chunks[at_chunk]);
        chunk.insert(at + 1, (first, page));
        if chunk.len() > CHUNK {
            let right = chunk.split_off(CHUNK / 2);
            chunks.insert(at_chunk + 1, Arc::new(right));
        }
    }

    /// Strikes out the page that held `name`. Not the first page.
    pub(super) fn remove(&mut self, name: NameRef<'_>) {
        let (at_chunk, at) = self.place_of(name);
        debug_assert!((at_chunk, at) != (0, 0), "the page of the apex stays");
        let chunks = Arc::make_mut(&mut self.chunks);
        let chunk = Arc::make_mut(&mut chunks[at_chunk]);
        chunk.remove(at);
        if chunk.is_empty() {
            chunks.remove(at_chunk);
        }
    }

    /// All pages in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = u32> {
        self.chunks.iter().flat_map(|chunk| chunk.iter().map(|(_, page)| *page))
    }

    /// The pages in order from the one that holds `name`.
    pub(super) fn iter_from(&self, name: NameRef<'_>) -> impl Iterator<Item = u32> {
        let (chunk, at) = self.place_of(name);
        let later = self.chunks[chunk + 1..].iter().flat_map(|chunk| chunk.iter());
        self.chunks[chunk][at..].iter().chain(later).map(|(_, page)| *page)
    }

    /// The pages in reverse order from the one that holds `name`, or would hold it.
    pub(super) fn iter_back_from(&self, name: NameRef<'_>) -> impl Iterator<Item = u32> {
        let (chunk, at) = self.place_of(name);
        let earlier = self.chunks[..chunk].iter().rev().flat_map(|chunk| chunk.iter().rev());
        self.chunks[chunk][..=at].iter().rev().chain(earlier).map(|(_, page)| *page)
    }

    /// All pages in reverse order.
    pub(super) fn iter_back(&self) -> impl Iterator<Item = u32> {
        self.chunks.iter().rev().flat_map(|chunk| chunk.iter().rev().map(|(_, page)| *page))
    }

    /// The chunk and the place in it of the last entry at or before `name`.
    fn place_of(&self, name: NameRef<'_>) -> (usize, usize) {
        let chunk = self.chunks.partition_point(|chunk| chunk[0].0.as_ref() <= name).saturating_sub(1);
        let at = self.chunks[chunk].partition_point(|(first, _)| first.as_ref() <= name).saturating_sub(1);
        (chunk, at)
    }
}
