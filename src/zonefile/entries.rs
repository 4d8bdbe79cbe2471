//! A zone file as it is laid out: its entries with their lines, words, parentheses and comments. Nothing but blanks is lost.

use super::error::Outcome;
use super::lexer::{Lexer, Piece, Token};
use super::{mnemonics, times};

/// A record, a directive, or a line without either; with the lines that parentheses add.
pub(super) struct Entry<'a> {
    /// Whether the first line begins with a blank, which stands for the owner of the record above.
    pub is_indented: bool,
    /// At least one.
    pub lines: Vec<Line<'a>>,
}

/// What stands on one line.
#[derive(Default)]
pub(super) struct Line<'a> {
    pub items: Vec<Item<'a>>,
    /// From its `;` on, without blanks at its end.
    pub comment: Option<&'a [u8]>,
}

#[derive(Clone, Copy)]
pub(super) enum Item<'a> {
    Token(Token<'a>),
    Open,
    Close,
}

/// The columns a record has before its data, when they stand on its first line without parentheses.
#[derive(Clone, Copy)]
pub(super) struct Columns<'a> {
    pub owner: Option<Token<'a>>,
    pub ttl: Option<Token<'a>>,
    pub class: Option<Token<'a>>,
    pub rr_type: Token<'a>,
    /// How many items of the line they are.
    pub count: usize,
}

/// The entries of a file one by one. For files that were read without errors; an error ends it.
pub(super) struct Entries<'a> {
    lexer: Lexer<'a>,
}

impl<'a> Entries<'a> {
    pub fn new(octets: &'a [u8]) -> Entries<'a> {
        Entries { lexer: Lexer::new(octets) }
    }

    /// None at the end of the file.
    pub fn next(&mut self) -> Outcome<Option<Entry<'a>>> {
        let is_indented = self.lexer.is_at_blank();
        let mut lines = vec![Line::default()];
        loop {
            let last = lines.len() - 1;
            let piece = self.lexer.next_piece()?;
            match piece {
                Piece::Token(token) => lines[last].items.push(Item::Token(token)),
                Piece::Open => lines[last].items.push(Item::Open),
                Piece::Close => lines[last].items.push(Item::Close),
                Piece::Comment(comment) => lines[last].comment = Some(comment.trim_ascii_end()),
                Piece::LineEnd if self.lexer.open_parenthesis().is_some() => lines.push(Line::default()),
                Piece::LineEnd => return Ok(Some(Entry { is_indented, lines })),
                // A last line without an end, unless there is nothing on it.
                Piece::End if last == 0 && lines[0].is_empty() => return Ok(None),
                Piece::End => return Ok(Some(Entry { is_indented, lines })),
            }
        }
    }
}

impl Line<'_> {
    pub fn is_empty(&self) -> bool {
        self.items.is_empty() && self.comment.is_none()
    }
}

impl<'a> Entry<'a> {
    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.lines.len() == 1 && self.lines[0].is_empty()
    }

    /// The columns of a record that has them; directives have none.
    pub fn columns(&self) -> Option<Columns<'a>> {
        let mut tokens = self.lines[0].items.iter().map_while(|item| match item {
            Item::Token(token) => Some(*token),
            Item::Open | Item::Close => None,
        });
        let owner = match self.is_indented {
            true => None,
            false => Some(tokens.next()?),
        };
        if owner.is_some_and(|owner| !owner.quoted && owner.text.starts_with(b"$")) {
            return None;
        }
        let (mut ttl, mut class) = (None, None);
        // As the parser does: each at most once, in either order.
        loop {
            let token = tokens.next()?;
            if ttl.is_none() && times::parse_period(token.text).is_some() {
                ttl = Some(token);
            } else if class.is_none() && mnemonics::class(token.text).is_some() {
                class = Some(token);
            } else {
                let count = [owner, ttl, class].iter().flatten().count() + 1;
                return Some(Columns { owner, ttl, class, rr_type: token, count });
            }
        }
    }
}
