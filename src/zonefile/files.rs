//! The files of one zone, and places in them.

use std::sync::Arc;

use crate::diagnostic::Place;
use crate::limits;

/// Opens the files that `$INCLUDE` names. The room itself touches no disk.
pub trait Includes {
    /// The file that `path`, as written in the file called `includer`, means.
    ///
    /// The error is a sentence part for the operator, such as `no such file`.
    fn open(&self, path: &str, includer: &str) -> Result<Included, String>;
}

/// A file that was opened.
#[derive(Debug, Clone)]
pub struct Included {
    /// Its name for the operator. Files with equal names are the same file: that is how a cycle is seen.
    pub name: String,
    /// What is in it.
    pub octets: Vec<u8>,
}

/// For zones that may not include anything.
#[derive(Debug, Clone, Copy)]
pub struct NoIncludes;

impl Includes for NoIncludes {
    fn open(&self, _path: &str, _includer: &str) -> Result<Included, String> {
        Err("$INCLUDE is not allowed here".into())
    }
}

/// All files of one zone as they were read. Keep them as long as there are marks to be explained.
#[derive(Debug)]
pub struct Files {
    files: Vec<File>,
    octet_count: u64,
}

#[derive(Debug)]
struct File {
    name: Arc<str>,
    octets: Arc<Vec<u8>>,
    /// Where it was included from.
    included_at: Option<Mark>,
}

/// Octets of one of the files of a zone: eight octets that can be kept for each record and become a [`Place`]
/// when there is something to say about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    file: u16,
    /// At most 65,535; a longer one is cut.
    length: u16,
    offset: u32,
}

/// A mark has two octets for its file.
const _: () = assert!(limits::ZONEFILE_FILES <= u16::MAX as usize);

impl Files {
    /// The zone file itself; those it includes are added as they are met.
    pub fn new(name: &str, octets: Vec<u8>) -> Files {
        let octet_count = octets.len() as u64;
        let file = File { name: name.into(), octets: Arc::new(octets), included_at: None };
        Files { files: vec![file], octet_count }
    }

    /// Where a mark stands, with the line around it.
    pub fn place(&self, mark: Mark) -> Place {
        let file = &self.files[usize::from(mark.file)];
        let offset = (mark.offset as usize).min(file.octets.len());
        let (before, after) = file.octets.split_at(offset);
        let line_begin = before.iter().rposition(|octet| *octet == b'\n').map_or(0, |at| at + 1);
        let line_end =
            after.iter().position(|octet| *octet == b'\n').map_or(file.octets.len(), |at| offset + at);
        let line = file.octets[line_begin..line_end].trim_ascii_end();
        let inside = (offset - line_begin).min(line.len());
        let marked = &line[inside..(inside + usize::from(mark.length)).min(line.len())];
        Place {
            file: file.name.clone(),
            line: 1 + before.iter().filter(|octet| **octet == b'\n').count(),
            column: 1 + characters(&line[..inside]),
            length: characters(marked).max(1),
            source_line: excerpt(line, inside, marked.len()),
        }
    }

    /// The beginning of the zone file, for what is said of the zone as a whole.
    pub fn beginning(&self) -> Mark {
        Files::mark(0, 0, 1)
    }

    /// `included from FILE:LINE`, from the innermost file outwards, for the file a mark is in.
    pub fn inclusions(&self, mark: Mark) -> Vec<String> {
        let outwards = |mark: &Mark| self.files[usize::from(mark.file)].included_at;
        std::iter::successors(outwards(&mark), outwards)
            .map(|at| {
                let place = self.place(at);
                format!("included from {}:{}", place.file, place.line)
            })
            .collect()
    }

    pub(super) fn mark(file: usize, offset: usize, length: usize) -> Mark {
        Mark {
            file: file as u16,
            length: length.min(usize::from(u16::MAX)) as u16,
            offset: u32::try_from(offset).unwrap_or(u32::MAX),
        }
    }

    pub(super) fn add(&mut self, included: Included, at: Mark) -> usize {
        let Included { name, octets } = included;
        self.octet_count += octets.len() as u64;
        self.files.push(File { name: name.into(), octets: Arc::new(octets), included_at: Some(at) });
        self.files.len() - 1
    }

    pub(super) fn name(&self, file: usize) -> Arc<str> {
        self.files[file].name.clone()
    }

    pub(super) fn octets(&self, file: usize) -> Arc<Vec<u8>> {
        self.files[file].octets.clone()
    }

    pub(super) fn count(&self) -> usize {
        self.files.len()
    }

    /// Octets of all files together.
    pub(super) fn octet_count(&self) -> u64 {
        self.octet_count
    }

    /// This file and those that include it, from the inside out.
    pub(super) fn stack(&self, file: usize) -> impl Iterator<Item = usize> {
        std::iter::successors(Some(file), |file| {
            self.files[*file].included_at.map(|mark| usize::from(mark.file))
        })
    }
}

fn characters(octets: &[u8]) -> usize {
    String::from_utf8_lossy(octets).chars().count()
}

/// The line, or of a very long one what stands near its marked octets. The beginning of a line is only cut off
/// together with what follows the mark, so that a caret past the end still points at it.
fn excerpt(line: &[u8], begin: usize, length: usize) -> String {
    const SIDE: usize = limits::ZONEFILE_EXCERPT;
    // A character has up to four octets.
    const NEAR: usize = 4 * SIDE;
    let end = begin + length.min(NEAR);
    if begin <= NEAR {
        let cut = &line[..line.len().min(end + SIDE)];
        let dots = if cut.len() < line.len() { "…" } else { "" };
        return format!("{}{dots}", visible(cut));
    }
    format!("…{}", visible(&line[begin - SIDE..end]))
}

/// Text without what could command a terminal, character for character. A tab stays, that is what it is for.
fn visible(octets: &[u8]) -> String {
    let visible = |c: char| if c.is_control() && c != '\t' { char::REPLACEMENT_CHARACTER } else { c };
    String::from_utf8_lossy(octets).chars().map(visible).collect()
}
