//! Where everything stands: the file's lists, maps and scalars with line and column.
//!
//! serde_yaml fills the options and keeps no positions; this second reading, over the events of saphyr-parser,
//! keeps nothing but them. It also finds what serde_yaml passes over: keys written twice, aliases, tags.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt::Write;

use saphyr_parser::{Event, Parser, ScalarStyle, Span};

use super::source::{Mistakes, Stretch};
use crate::diagnostic::Diagnostic;
use crate::limits;

/// One list, map or scalar.
pub(super) struct Node {
    parent: usize,
    key: Option<(Box<str>, Stretch)>,
    pub content: Content,
    pub stretch: Stretch,
    children: Vec<usize>,
    /// Taken out, because of a mistake in it that was reported.
    is_pruned: bool,
    /// Something in it was taken out, so that what is missing here may have been written.
    pub is_incomplete: bool,
}

pub(super) enum Content {
    /// The text, and whether it stands without quotes.
    Scalar(Box<str>, bool),
    List,
    Map,
}

/// The nodes of one file; the first is the root. In an arena, so that no depth of nesting costs stack.
pub(super) struct Outline {
    nodes: Vec<Node>,
}

/// The text is not YAML from here on.
pub(super) struct SyntaxError {
    pub line: usize,
    pub column: usize,
    pub message: String,
}

pub(super) const ROOT: usize = 0;

impl Outline {
    /// Reads the events of `text`, which is that of `mistakes` but for stretches painted over.
    pub fn read(text: &str, mistakes: &mut Mistakes<'_>) -> Result<Outline, SyntaxError> {
        let mut outline = Outline { nodes: Vec::new() };
        let mut open: Vec<usize> = Vec::new();
        let mut key: Option<(Box<str>, Stretch)> = None;
        let mut parser = Parser::new_from_str(text);
        while let Some(event) = parser.next_event() {
            let (event, span) = event.map_err(|error| SyntaxError {
                line: error.marker().line(),
                column: error.marker().col() + 1,
                message: error.info().to_owned(),
            })?;
            let stretch = stretch_of(span);
            let unwanted = match &event {
                Event::Alias(_) => Some("aliases (`*name`)"),
                Event::Scalar(_, _, anchor, _) if *anchor != 0 => Some("anchors (`&name`)"),
                Event::SequenceStart(anchor, _) | Event::MappingStart(anchor, _) if *anchor != 0 => {
                    Some("anchors (`&name`)")
                }
                Event::Scalar(_, _, _, Some(_))
                | Event::SequenceStart(_, Some(_))
                | Event::MappingStart(_, Some(_)) => Some("tags (`!name`)"),
                Event::DocumentStart(_) if !outline.nodes.is_empty() => Some("a second document (`---`)"),
                _ => None,
            };
            if let Some(unwanted) = unwanted {
                // A value that stands in two places has its mistakes in two places, and a few lines of
                // aliases can mean a billion values.
                let message = format!("{unwanted} cannot be used in this file");
                return Err(SyntaxError { line: stretch.line, column: stretch.column, message });
            }
            let is_in_map = open.last().is_some_and(|at| matches!(outline.nodes[*at].content, Content::Map));
            let content = match event {
                Event::Scalar(text, _, _, _) if is_in_map && key.is_none() => {
                    key = Some((text.into(), stretch));
                    continue;
                }
                Event::SequenceEnd | Event::MappingEnd => {
                    open.pop();
                    continue;
                }
                Event::SequenceStart(..) | Event::MappingStart(..) if is_in_map && key.is_none() => {
                    let message = "a key is one word".to_owned();
                    return Err(SyntaxError { line: stretch.line, column: stretch.column, message });
                }
                Event::Scalar(text, style, _, _) => Content::Scalar(text.into(), style == ScalarStyle::Plain),
                Event::SequenceStart(..) => Content::List,
                Event::MappingStart(..) => Content::Map,
                _ => continue,
            };
            if open.len() >= limits::CONFIG_DEPTH {
                let message = format!("lists and maps are nested more than {} deep", limits::CONFIG_DEPTH);
                return Err(SyntaxError { line: stretch.line, column: stretch.column, message });
            }
            let is_open = !matches!(content, Content::Scalar(..));
            let node = outline.push(open.last().copied(), key.take(), content, stretch);
            if is_open {
                open.push(node);
            }
        }
        if outline.nodes.is_empty() {
            outline.push(None, None, Content::Map, Stretch { line: 1, column: 1, length: 1 });
        }
        outline.report_duplicates(mistakes);
        Ok(outline)
    }

    fn push(
        &mut self,
        parent: Option<usize>,
        key: Option<(Box<str>, Stretch)>,
        content: Content,
        stretch: Stretch,
    ) -> usize {
        let node = self.nodes.len();
        if let Some(parent) = parent {
            self.nodes[parent].children.push(node);
        }
        self.nodes.push(Node {
            parent: parent.unwrap_or(ROOT),
            key,
            content,
            stretch,
            children: Vec::new(),
            is_pruned: false,
            is_incomplete: false,
        });
        node
    }

    /// serde_yaml keeps the last of two equal keys in silence.
    fn report_duplicates(&mut self, mistakes: &mut Mistakes<'_>) {
        let mut repeated = Vec::new();
        let mut seen = HashMap::new();
        for map in &self.nodes {
            seen.clear();
            for child in &map.children {
                let Some((key, stretch)) = &self.nodes[*child].key else { break };
                match seen.entry(key) {
                    Entry::Vacant(entry) => _ = entry.insert(stretch.line),
                    Entry::Occupied(first) => repeated.push((*child, *first.get())),
                }
            }
        }
        for (node, first) in repeated {
            let message = format!("`{}` is written twice", self.key(node).unwrap_or_default());
            let help = format!("first on line {first}");
            mistakes.add(Diagnostic::error(message).help(help), self.key_stretch(node));
            self.prune(node);
        }
    }

    /// Takes a node out, because a mistake in it was reported.
    pub fn prune(&mut self, node: usize) {
        self.nodes[node].is_pruned = true;
        let mut at = node;
        loop {
            self.nodes[at].is_incomplete = true;
            if at == ROOT {
                break;
            }
            at = self.nodes[at].parent;
        }
    }

    /// Takes out what begins at a stretch that was painted over.
    pub fn prune_at(&mut self, painted: Stretch) {
        let is_there = |stretch: Stretch| (stretch.line, stretch.column) == (painted.line, painted.column);
        let found = self.nodes.iter().position(|node| {
            is_there(node.stretch) || node.key.as_ref().is_some_and(|(_, stretch)| is_there(*stretch))
        });
        if let Some(node) = found {
            self.prune(node);
        }
    }

    pub fn node(&self, node: usize) -> &Node {
        &self.nodes[node]
    }

    /// What stands in a list or map, without what was taken out: in the order and number of the options read.
    pub fn children(&self, node: usize) -> impl Iterator<Item = usize> + '_ {
        self.nodes[node].children.iter().copied().filter(|child| !self.nodes[*child].is_pruned)
    }

    /// The value of a key.
    pub fn child(&self, node: usize, key: &str) -> Option<usize> {
        self.children(node).find(|child| self.key(*child) == Some(key))
    }

    /// The value at the end of a path of keys.
    pub fn find<'k>(&self, path: impl IntoIterator<Item = &'k str>) -> Option<usize> {
        path.into_iter().try_fold(ROOT, |node, key| self.child(node, key))
    }

    /// Every value a path such as `zones[].dnssec` or `listen[].transports[]` leads to.
    pub fn find_all(&self, path: &str) -> Vec<usize> {
        let mut found = vec![ROOT];
        for step in path.split('.') {
            let key = step.trim_end_matches("[]");
            found = found.iter().filter_map(|node| self.child(*node, key)).collect();
            if key.len() < step.len() {
                found = found.iter().flat_map(|node| self.items(*node)).collect();
            }
        }
        found
    }

    /// What stands in a list; nothing, if it is none.
    pub fn items(&self, node: usize) -> impl Iterator<Item = usize> + '_ {
        let is_list = matches!(self.nodes[node].content, Content::List);
        self.children(node).take_while(move |_| is_list)
    }

    pub fn key(&self, node: usize) -> Option<&str> {
        self.nodes[node].key.as_ref().map(|(key, _)| &**key)
    }

    pub fn parent(&self, node: usize) -> usize {
        self.nodes[node].parent
    }

    /// Where the key stands, for an item of a list the item.
    pub fn key_stretch(&self, node: usize) -> Stretch {
        self.nodes[node].key.as_ref().map_or(self.nodes[node].stretch, |(_, stretch)| *stretch)
    }

    /// Where the value stands. That of a list or map is its key: its own beginning may be lines below.
    pub fn value_stretch(&self, node: usize) -> Stretch {
        match &self.nodes[node].content {
            Content::Scalar(text, is_plain) if !(text.is_empty() && *is_plain) => self.nodes[node].stretch,
            _ => self.key_stretch(node),
        }
    }

    /// `zones[3].file`, items counted from 0.
    pub fn path(&self, node: usize) -> String {
        let mut steps = Vec::new();
        let mut at = node;
        while at != ROOT {
            let parent = self.nodes[at].parent;
            steps.push(match self.key(at) {
                Some(key) if parent == ROOT => key.to_owned(),
                Some(key) => format!(".{key}"),
                None => {
                    // Nodes are numbered in the order of the file.
                    let index = self.nodes[parent].children.partition_point(|child| *child < at);
                    format!("[{index}]")
                }
            });
            at = parent;
        }
        steps.into_iter().rev().collect()
    }

    /// What is left from a node on, in the lists and maps that it stands in. The piece ends before the first list, map or
    /// scalar behind so many octets. Only read to find further mistakes: a file with one is never used.
    pub fn print(&self, from: usize, octets: usize) -> Piece {
        let piece = Piece { text: String::new(), lines: Vec::new(), next: None };
        let mut printer = Printer { outline: self, from, octets, piece };
        match self.nodes[ROOT].is_pruned {
            true => printer.line(ROOT, false, "{}"),
            false => printer.value(ROOT),
        }
        printer.piece
    }
}

/// A piece of a file, as YAML with every key and value on a line of its own.
pub(super) struct Piece {
    pub text: String,
    /// For each line its node, and whether the line is its key.
    pub lines: Vec<(usize, bool)>,
    /// Where the next piece begins.
    pub next: Option<usize>,
}

struct Printer<'o> {
    outline: &'o Outline,
    from: usize,
    octets: usize,
    piece: Piece,
}

impl Printer<'_> {
    /// Recursion ends at [`limits::CONFIG_DEPTH`].
    fn value(&mut self, node: usize) {
        let (open, close) = match &self.outline.nodes[node].content {
            // Nothing at all is a value behind a key, but not in a list.
            Content::Scalar(text, true) if text.is_empty() && self.outline.key(node).is_none() => {
                return self.line(node, false, "~");
            }
            Content::Scalar(text, is_plain) => return self.line(node, false, &scalar(text, *is_plain)),
            Content::List => ("[", "]"),
            Content::Map => ("{", "}"),
        };
        self.line(node, false, open);
        let children = &self.outline.nodes[node].children;
        // The last that does not begin behind `from` is it, or holds it.
        let first = children.partition_point(|child| *child <= self.from).saturating_sub(1);
        for child in children[first..].iter().copied().filter(|child| !self.outline.nodes[*child].is_pruned) {
            if child > self.from && self.piece.text.len() >= self.octets {
                self.piece.next.get_or_insert(child);
                break;
            }
            if let Some(key) = self.outline.key(child) {
                self.line(child, true, &format!("? {}", scalar(key, false)));
                self.piece.text.pop();
                self.piece.text.push_str(" :\n");
            }
            self.value(child);
            self.line(child, false, ",");
        }
        self.line(node, false, close);
    }

    /// A space first: `---` and `...` at the first column would end the document.
    fn line(&mut self, node: usize, is_key: bool, text: &str) {
        self.piece.text.push(' ');
        self.piece.text.push_str(text);
        self.piece.text.push('\n');
        self.piece.lines.push((node, is_key));
    }
}

/// As written when that can only be a word or a number; else in quotes, as no other number or word needs to be.
fn scalar(text: &str, is_plain: bool) -> Cow<'_, str> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || "+-._~".contains(c);
    if is_plain
        && text.chars().all(is_word)
        && (text == "~" || text.contains(|c: char| c.is_ascii_alphanumeric()))
    {
        return Cow::Borrowed(text);
    }
    if is_plain && text.is_empty() {
        return Cow::Borrowed("");
    }
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            ' '..='~' if character != '"' && character != '\\' => quoted.push(character),
            _ => {
                let _ = write!(quoted, "\\U{:08X}", u32::from(character));
            }
        }
    }
    quoted.push('"');
    Cow::Owned(quoted)
}

fn stretch_of(span: Span) -> Stretch {
    let length = if span.start.line() == span.end.line() {
        span.end.index().saturating_sub(span.start.index())
    } else {
        1
    };
    Stretch { line: span.start.line(), column: span.start.col() + 1, length: length.max(1) }
}
