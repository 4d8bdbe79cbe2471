//! How a file was when it was read, to know without reading it that it still is.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use twox_hash::XxHash3_64;

use crate::clock::Unix;
use crate::limits;

/// What the system says of a file. A file that is written, replaced or put back has another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) length: u64,
    device: u64,
    inode: u64,
    /// Nanoseconds since 1970; of a file from before, zero.
    pub(super) modified: Unix,
    changed: (i64, i64),
}

impl Stamp {
    pub(super) fn of(about: &Metadata) -> Stamp {
        let seconds = u64::try_from(about.mtime()).unwrap_or(0);
        let nanoseconds = u64::try_from(about.mtime_nsec()).unwrap_or(0);
        Stamp {
            length: about.len(),
            device: about.dev(),
            inode: about.ino(),
            modified: Unix(seconds.saturating_mul(1_000_000_000).saturating_add(nanoseconds)),
            changed: (about.ctime(), about.ctime_nsec()),
        }
    }

    /// The stamp of what is at `path` now, if anything is.
    pub(super) fn at(path: &Path) -> Option<Stamp> {
        std::fs::metadata(path).ok().map(|about| Stamp::of(&about))
    }

    /// How long the file has been left alone; zero when the clock was set back behind it.
    pub(super) fn quiet_for(&self, now: Unix) -> Duration {
        Duration::from_nanos(now.0.saturating_sub(self.modified.0))
    }
}

/// One file that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SeenFile {
    pub(super) path: PathBuf,
    /// None when the file changed while it was read: then what was read is of no version.
    pub(super) stamp: Option<Stamp>,
    pub(super) length: u64,
    mark: ContentMark,
    pub(super) ends_with_newline: bool,
}

impl SeenFile {
    pub(super) fn new(path: &Path, stamp: Option<Stamp>, octets: &[u8]) -> SeenFile {
        SeenFile {
            path: path.into(),
            stamp,
            length: octets.len() as u64,
            mark: ContentMark::of(octets),
            ends_with_newline: octets.last().is_none_or(|last| *last == b'\n'),
        }
    }

    /// Whether it holds the same octets under the same name.
    pub(super) fn is_same_content(&self, other: &SeenFile) -> bool {
        (&self.path, self.length, self.mark) == (&other.path, other.length, other.mark)
    }
}

/// What tells the octets of a file from others. An operator's own files are no attack, so 64 bits are enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContentMark(pub u64);

impl ContentMark {
    /// That of these octets, the same in every build: it is told from process to process.
    pub fn of(octets: &[u8]) -> ContentMark {
        ContentMark(XxHash3_64::oneshot(octets))
    }
}

/// The files of one zone as they were read.
#[derive(Debug, Clone, Default)]
pub(super) struct SeenFiles {
    pub(super) files: Vec<SeenFile>,
    /// A file written again within the grain of its time stamp looks the same: a stamp this young proves nothing.
    is_racy: bool,
}

impl SeenFiles {
    pub(super) fn new(files: Vec<SeenFile>, now: Unix) -> SeenFiles {
        let is_young =
            |file: &SeenFile| file.stamp.is_none_or(|stamp| stamp.quiet_for(now) < limits::STAMP_GRAIN);
        let is_racy = files.iter().any(is_young);
        SeenFiles { files, is_racy }
    }

    /// Whether every file is as it was, by its stamp alone. Nothing is read.
    pub(super) fn are_untouched(&self) -> bool {
        !self.is_racy
            && !self.files.is_empty()
            && self.files.iter().all(|file| file.stamp.is_some() && Stamp::at(&file.path) == file.stamp)
    }

    /// Whether a file has another stamp than when it was read.
    pub(super) fn were_touched(&self) -> bool {
        self.files.iter().any(|file| Stamp::at(&file.path) != file.stamp)
    }

    /// Whether the same octets were read again.
    pub(super) fn have_same_content(&self, other: &SeenFiles) -> bool {
        let (ours, theirs) = (&self.files, &other.files);
        ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(a, b)| a.is_same_content(b))
    }

    /// Whether the zone file itself, which is the first of them, has these octets.
    pub(super) fn begin_with(&self, mark: ContentMark) -> bool {
        self.files.first().is_some_and(|file| file.mark == mark)
    }

    /// Whether `next` looks like these files in the middle of being written, and what tells.
    ///
    /// A file that was read while it changed is of no version. One that got shorter a moment ago may still grow, and one
    /// that lost the newline at its end was probably cut there: that is told first, for waiting does not mend it.
    pub(super) fn doubt(&self, next: &SeenFiles, now: Unix) -> Option<Doubt> {
        if next.files.iter().any(|file| file.stamp.is_none()) {
            return Some(Doubt::Changing);
        }
        let before = |path: &Path| self.files.iter().find(|file| file.path == path);
        let pairs = || next.files.iter().filter_map(|file| Some((before(&file.path)?, file)));
        if pairs().any(|(before, file)| before.ends_with_newline && !file.ends_with_newline) {
            return Some(Doubt::CutOff);
        }
        let is_quiet =
            |file: &SeenFile| file.stamp.is_none_or(|stamp| stamp.quiet_for(now) >= limits::SHRUNK_QUIET);
        let may_grow = pairs().any(|(before, file)| file.length < before.length && !is_quiet(file));
        may_grow.then_some(Doubt::Changing)
    }
}

/// Why files are not taken for a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doubt {
    /// They change now; to be read again when they are quiet.
    Changing,
    /// One ends in the middle of a line, and did not before.
    CutOff,
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn seen(text: &str, modified: u64) -> SeenFile {
        let stamp = Stamp {
            length: text.len() as u64,
            device: 1,
            inode: 2,
            modified: Unix(modified),
            changed: (0, 0),
        };
        SeenFile::new(Path::new("a.zone"), Some(stamp), text.as_bytes())
    }

    #[test]
    fn half_written_files_are_doubted_until_they_are_quiet() {
        let now = Unix(1000 * SECOND);
        let long_ago = now.0 - 100 * SECOND;
        let whole = SeenFiles::new(vec![seen("a\nb\nc\n", long_ago)], now);
        for (text, modified, doubt) in [
            ("a\nb\nc\nd\n", now.0, None),
            ("a\nb\nx\n", now.0, None),
            ("a\nb\n", now.0, Some(Doubt::Changing)),
            ("a\nb\n", long_ago, None),
            ("", now.0, Some(Doubt::Changing)),
            ("a\nb", now.0, Some(Doubt::CutOff)),
            ("a\nb\nc\nd\ne", long_ago, Some(Doubt::CutOff)),
            // A clock that was set back must not keep a zone from being read for ever.
            ("a\nb\nc\n", now.0 + 50 * SECOND, None),
        ] {
            let next = SeenFiles::new(vec![seen(text, modified)], now);
            assert_eq!(whole.doubt(&next, now), doubt, "{text:?} {modified}");
        }
        let changed_while_read = SeenFile { stamp: None, ..seen("a\nb\nc\nd\n", long_ago) };
        let next = SeenFiles::new(vec![changed_while_read], now);
        assert_eq!(whole.doubt(&next, now), Some(Doubt::Changing));
        assert_eq!(SeenFiles::default().doubt(&SeenFiles::new(vec![seen("a", now.0)], now), now), None);

        let part = |text, modified| SeenFile { path: "b.part".into(), ..seen(text, modified) };
        let whole = SeenFiles::new(vec![seen("a\nb\n", long_ago), part("c\nd\n", long_ago)], now);
        let next = SeenFiles::new(vec![seen("a\n", now.0), part("c\nd", now.0)], now);
        assert_eq!(whole.doubt(&next, now), Some(Doubt::CutOff), "one that got shorter hides none cut off");
    }

    #[test]
    fn content_is_told_apart_by_octets_not_by_time() {
        let now = Unix(1000 * SECOND);
        let one = SeenFiles::new(vec![seen("a\n", 1)], now);
        assert!(one.have_same_content(&SeenFiles::new(vec![seen("a\n", 2)], now)));
        assert!(!one.have_same_content(&SeenFiles::new(vec![seen("b\n", 1)], now)));
        assert!(!one.have_same_content(&SeenFiles::new(vec![seen("a\n", 1), seen("b\n", 1)], now)));
    }

    #[test]
    fn a_young_stamp_proves_nothing() {
        let file = std::env::temp_dir().join(format!("namu-stamp-{}", std::process::id()));
        std::fs::write(&file, "a\n").unwrap();
        let stamp = Stamp::at(&file).unwrap();
        let seen = vec![SeenFile::new(&file, Some(stamp), b"a\n")];
        let at = |after: Duration| Unix(stamp.modified.0 + after.as_nanos() as u64);
        assert!(!SeenFiles::new(seen.clone(), at(Duration::ZERO)).are_untouched());
        let old = SeenFiles::new(seen, at(limits::STAMP_GRAIN));
        assert!(old.are_untouched());
        std::fs::write(&file, "ab\n").unwrap();
        assert!(!old.are_untouched());
        std::fs::remove_file(&file).unwrap();
        assert!(!old.are_untouched());
    }
}
