//! A persistent sequence: versions share all but the path to what changed.

use std::sync::Arc;

/// Children of a branch and items of a leaf. A change copies one array of this size per level, and copying an
/// array of `Arc`s counts up each of them, so wider is not cheaper: 32 keeps a million items four levels deep.
const WIDTH: usize = 1 << WIDTH_BITS;
const WIDTH_BITS: u32 = 5;

/// Items by position. Cloning it copies two words; changing a clone leaves the original as it was.
///
/// Invariants:
/// - all leaves are equally deep: `height` branches above each;
/// - every array but the rightmost of its level is full.
#[derive(Clone)]
pub(super) struct Sequence<T> {
    root: Branch<T>,
    height: u32,
    len: usize,
}

#[derive(Clone)]
enum Branch<T> {
    Leaf(Arc<[T]>),
    Inner(Arc<[Branch<T>]>),
}

impl<T: Clone> Sequence<T> {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The item at `at`, which is below the length.
    pub(super) fn get(&self, at: usize) -> &T {
        let mut branch = &self.root;
        let mut shift = self.height * WIDTH_BITS;
        loop {
            match branch {
                Branch::Leaf(items) => return &items[at % WIDTH],
                Branch::Inner(children) => branch = &children[(at >> shift) % WIDTH],
            }
            shift = shift.wrapping_sub(WIDTH_BITS);
        }
    }

    /// The item at `at`, to be changed in this version only.
    pub(super) fn get_mut(&mut self, at: usize) -> &mut T {
        let mut branch = &mut self.root;
        let mut shift = self.height * WIDTH_BITS;
        loop {
            match branch {
                Branch::Leaf(items) => return &mut Arc::make_mut(items)[at % WIDTH],
                Branch::Inner(children) => branch = &mut Arc::make_mut(children)[(at >> shift) % WIDTH],
            }
            shift = shift.wrapping_sub(WIDTH_BITS);
        }
    }

    /// Adds an item at the end.
    pub(super) fn push(&mut self, item: T) {
        if self.len == WIDTH << (self.height * WIDTH_BITS) {
            self.root = Branch::Inner([self.root.clone()].into());
            self.height += 1;
        }
        self.root.push(self.len, self.height * WIDTH_BITS, item);
        self.len += 1;
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        (0..self.len).map(|at| self.get(at))
    }
}

impl<T: Clone> Branch<T> {
    fn push(&mut self, at: usize, shift: u32, item: T) {
        match self {
            Branch::Leaf(items) => *items = items.iter().cloned().chain([item]).collect(),
            Branch::Inner(children) => {
                let child = (at >> shift) % WIDTH;
                if child < children.len() {
                    Arc::make_mut(children)[child].push(at, shift - WIDTH_BITS, item);
                } else {
                    let path = Branch::path(shift - WIDTH_BITS, item);
                    *children = children.iter().cloned().chain([path]).collect();
                }
            }
        }
    }

    /// Branches with one child each down to a leaf with one item.
    fn path(shift: u32, item: T) -> Branch<T> {
        match shift {
            0 => Branch::Leaf([item].into()),
            _ => Branch::Inner([Branch::path(shift - WIDTH_BITS, item)].into()),
        }
    }
}

impl<T: Clone> FromIterator<T> for Sequence<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Sequence<T> {
        let (leaves, len) = chunks(items);
        let mut level: Vec<Branch<T>> = leaves.into_iter().map(Branch::Leaf).collect();
        let mut height = 0;
        while level.len() > 1 {
            level = chunks(level).0.into_iter().map(Branch::Inner).collect();
            height += 1;
        }
        let root = level.pop().unwrap_or_else(|| Branch::Leaf([].into()));
        Sequence { root, height, len }
    }
}

/// Arrays of `WIDTH` items, the last perhaps shorter, and how many items there were.
fn chunks<T>(items: impl IntoIterator<Item = T>) -> (Vec<Arc<[T]>>, usize) {
    let mut items = items.into_iter();
    let (mut chunks, mut len) = (Vec::new(), 0);
    loop {
        let chunk: Vec<T> = items.by_ref().take(WIDTH).collect();
        if chunk.is_empty() {
            return (chunks, len);
        }
        len += chunk.len();
        chunks.push(chunk.into());
    }
}

/// A sequence whose places are given out and taken back: an item keeps its number as long as it lives.
#[derive(Clone)]
pub(super) struct Slots<T> {
    items: Sequence<Option<T>>,
    free: Arc<Vec<u32>>,
}

impl<T: Clone> Slots<T> {
    /// The item of a number that was given out and not taken back.
    pub(super) fn get(&self, number: u32) -> &T {
        self.items.get(number as usize).as_ref().expect("only numbers of living items are kept")
    }

    /// As [`Slots::get`], to be changed in this version only.
    pub(super) fn get_mut(&mut self, number: u32) -> &mut T {
        self.items.get_mut(number as usize).as_mut().expect("only numbers of living items are kept")
    }

    /// Keeps an item and says under which number.
    pub(super) fn insert(&mut self, item: T) -> u32 {
        if !self.free.is_empty() {
            let number = Arc::make_mut(&mut self.free).pop().expect("it was just seen not to be empty");
            *self.items.get_mut(number as usize) = Some(item);
            return number;
        }
        self.items.push(Some(item));
        u32::try_from(self.items.len() - 1).expect("memory ends long before 2^32 pages or zones")
    }

    /// Takes a number back.
    pub(super) fn remove(&mut self, number: u32) {
        *self.items.get_mut(number as usize) = None;
        Arc::make_mut(&mut self.free).push(number);
    }

    /// The living items in the order of their numbers.
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.items.iter().flatten()
    }
}

impl<T: Clone> FromIterator<T> for Slots<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Slots<T> {
        Slots { items: items.into_iter().map(Some).collect(), free: Arc::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_pushed_equals_what_is_collected() {
        for len in [0, 1, 31, 32, 33, 1023, 1024, 1025, 40_000] {
            let collected: Sequence<usize> = (0..len).collect();
            let mut pushed: Sequence<usize> = [].into_iter().collect();
            (0..len).for_each(|item| pushed.push(item));
            assert!(collected.iter().copied().eq(0..len) && pushed.iter().copied().eq(0..len), "{len}");
        }
    }

    #[test]
    fn an_old_version_stays_unchanged() {
        let old: Sequence<usize> = (0..2000).collect();
        let mut new = old.clone();
        *new.get_mut(1500) = 7;
        new.push(2000);
        assert!(old.iter().copied().eq(0..2000));
        assert_eq!((*new.get(1500), *new.get(1499), new.len()), (7, 1499, 2001));
    }

    #[test]
    fn numbers_taken_back_are_given_out_again() {
        let old: Slots<char> = ['a', 'b', 'c'].into_iter().collect();
        let mut slots = old.clone();
        slots.remove(1);
        assert!(slots.iter().copied().eq(['a', 'c']));
        assert_eq!((slots.insert('d'), slots.insert('e')), (1, 3));
        assert!(slots.iter().copied().eq(['a', 'd', 'c', 'e']) && old.iter().copied().eq(['a', 'b', 'c']));
    }
}
