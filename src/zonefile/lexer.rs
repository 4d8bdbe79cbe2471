//! Words and quoted strings of a zone file (RFC 1035 5.1), as slices of its octets. Nothing is copied.
//!
//! A record ends with its line, or inside parentheses with the line on which they close.

use super::error::{Fault, Outcome};

/// What an octet is to the lexer when it stands outside of quotes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Ordinary,
    Blank,
    LineEnd,
    Comment,
    Quote,
    Escape,
    Open,
    Close,
    /// Control characters mean nothing in a zone file and hide in editors: they are refused.
    Control,
}

const CLASSES: [Class; 256] = {
    let mut classes = [Class::Ordinary; 256];
    let mut octet = 0;
    while octet < 256 {
        classes[octet] = match octet as u8 {
            b' ' | b'\t' => Class::Blank,
            b'\n' => Class::LineEnd,
            b';' => Class::Comment,
            b'"' => Class::Quote,
            b'\\' => Class::Escape,
            b'(' => Class::Open,
            b')' => Class::Close,
            0..=0x1f | 0x7f => Class::Control,
            _ => Class::Ordinary,
        };
        octet += 1;
    }
    classes
};

fn class_of(octet: u8) -> Class {
    CLASSES[usize::from(octet)]
}

/// A word or a quoted string.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Token<'a> {
    /// Its octets with escapes as written, without the quotes.
    pub text: &'a [u8],
    /// Where it begins in the file; for a quoted string, at its quotation mark.
    pub at: usize,
    /// Whether it stood in quotes.
    pub quoted: bool,
    /// Whether there is a backslash in it.
    pub escaped: bool,
}

impl Token<'_> {
    /// Octets it covers in the file, quotes included.
    pub fn length(&self) -> usize {
        self.text.len() + if self.quoted { 2 } else { 0 }
    }

    /// Where it ends in the file.
    pub fn end(&self) -> usize {
        self.at + self.length()
    }

    /// Whether it is this word, without quotes.
    pub fn is_word(&self, word: &[u8]) -> bool {
        !self.quoted && self.text == word
    }
}

/// What a file consists of, for those who keep all of it.
pub(super) enum Piece<'a> {
    Token(Token<'a>),
    Open,
    Close,
    /// From its `;` to the end of the line.
    Comment(&'a [u8]),
    LineEnd,
    /// Of the file.
    End,
}

/// Reads one file from left to right.
///
/// Invariant: `next` never goes past the end of a record; only `next_line`, `skip_record` and `next_piece` do.
#[derive(Clone)]
pub(super) struct Lexer<'a> {
    octets: &'a [u8],
    at: usize,
    /// Where the parenthesis that is now open stands.
    open: Option<usize>,
}

impl<'a> Lexer<'a> {
    /// At the beginning of a file; a byte order mark there is no part of the text.
    pub fn new(octets: &'a [u8]) -> Lexer<'a> {
        Lexer { octets, at: if octets.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 }, open: None }
    }

    /// How far the file was read.
    pub fn position(&self) -> usize {
        self.at
    }

    /// Where the parenthesis that is now open stands.
    pub fn open_parenthesis(&self) -> Option<usize> {
        self.open
    }

    /// Whether the whole file was read.
    pub fn is_at_end(&self) -> bool {
        self.at >= self.octets.len()
    }

    /// Whether the next octet is a blank: at the beginning of a line that means the owner of the record before.
    pub fn is_at_blank(&self) -> bool {
        self.octets.get(self.at).is_some_and(|octet| class_of(*octet) == Class::Blank)
    }

    /// The next token of this record, none at its end.
    pub fn next(&mut self) -> Outcome<Option<Token<'a>>> {
        match self.skip_to_token()? {
            None => Ok(None),
            Some(Class::Quote) => self.quoted().map(Some),
            Some(_) => {
                let word = self.word()?;
                if self.octets.get(self.at) == Some(&b'"') {
                    return Err(Fault::new(self.at, 1, "a quotation mark in the middle of a word")
                        .help("put the whole word in quotes, or write \\\" for the mark itself"));
                }
                Ok(Some(word))
            }
        }
    }

    /// Goes to the next token without reading it; whether it is the word `\\#` of RFC 3597 section 5.
    pub fn is_before_generic_form(&mut self) -> Outcome<bool> {
        if self.skip_to_token()? != Some(Class::Escape) {
            return Ok(false);
        }
        let after = self.octets[self.at..].strip_prefix(b"\\#");
        let ends = |octet: &u8| !matches!(class_of(*octet), Class::Ordinary | Class::Escape);
        Ok(after.is_some_and(|after| after.first().is_none_or(ends)))
    }

    /// As [`Lexer::next`] where a word may be `key="value"`: the value is the second token.
    pub fn next_parameter(&mut self) -> Outcome<Option<(Token<'a>, Option<Token<'a>>)>> {
        match self.skip_to_token()? {
            None => Ok(None),
            Some(Class::Quote) => Ok(Some((self.quoted()?, None))),
            Some(_) => {
                let word = self.word()?;
                let quote_follows = self.octets.get(self.at) == Some(&b'"');
                if quote_follows && word.text.ends_with(b"=") {
                    return Ok(Some((word, Some(self.quoted()?))));
                }
                Ok(Some((word, None)))
            }
        }
    }

    /// What comes next, whatever it is; only blanks are passed over. For a file that `next` reads to its end: mistakes with
    /// parentheses are not looked for again.
    pub fn next_piece(&mut self) -> Outcome<Piece<'a>> {
        while let Some(&octet) = self.octets.get(self.at) {
            let begin = self.at;
            match class_of(octet) {
                Class::Ordinary | Class::Escape => return self.word().map(Piece::Token),
                Class::Quote => return self.quoted().map(Piece::Token),
                Class::Comment => {
                    self.skip_comment();
                    return Ok(Piece::Comment(&self.octets[begin..self.at]));
                }
                Class::Blank | Class::Control => self.at += 1,
                Class::LineEnd => {
                    self.at += 1;
                    return Ok(Piece::LineEnd);
                }
                Class::Open => {
                    self.at += 1;
                    self.open = Some(begin);
                    return Ok(Piece::Open);
                }
                Class::Close => {
                    self.at += 1;
                    self.open = None;
                    return Ok(Piece::Close);
                }
            }
        }
        Ok(Piece::End)
    }

    /// Steps over the end of the line at which `next` has stopped.
    pub fn next_line(&mut self) {
        self.at = (self.at + 1).min(self.octets.len());
    }

    /// After an error: goes on behind the end of this record, however it looks.
    pub fn skip_record(&mut self) {
        while let Some(&octet) = self.octets.get(self.at) {
            self.at += 1;
            match class_of(octet) {
                Class::LineEnd if self.open.is_none() => return,
                Class::Comment => self.skip_comment(),
                Class::Escape if self.octets.get(self.at).is_some_and(|next| *next != b'\n') => self.at += 1,
                Class::Quote => self.at = self.end_of_quotes().0,
                Class::Open => self.open = Some(self.at - 1),
                Class::Close => self.open = None,
                _ => {}
            }
        }
        self.open = None;
    }

    /// Blanks, comments, parentheses and the line ends inside them. Tells what begins now, none at the end of
    /// the record.
    fn skip_to_token(&mut self) -> Outcome<Option<Class>> {
        loop {
            let Some(&octet) = self.octets.get(self.at) else {
                return match self.open {
                    None => Ok(None),
                    Some(open) => Err(Fault::new(open, 1, "this parenthesis is never closed")
                        .help("write `)` where the record ends")),
                };
            };
            match class_of(octet) {
                class @ (Class::Ordinary | Class::Escape | Class::Quote) => return Ok(Some(class)),
                Class::Blank => {}
                Class::LineEnd if self.open.is_none() => return Ok(None),
                Class::LineEnd => {}
                Class::Comment => {
                    self.skip_comment();
                    continue;
                }
                Class::Open if self.open.is_some() => {
                    return Err(Fault::new(self.at, 1, "a parenthesis inside of parentheses")
                        .help("close the first with `)`, or write \\( for the sign itself"));
                }
                Class::Open => self.open = Some(self.at),
                Class::Close if self.open.is_none() => {
                    return Err(Fault::new(self.at, 1, "this parenthesis was never opened")
                        .help("remove it, or write \\) for the sign itself"));
                }
                Class::Close => self.open = None,
                // A carriage return before the end of the line belongs to it.
                Class::Control
                    if octet == b'\r' && matches!(self.octets.get(self.at + 1), None | Some(b'\n')) => {}
                Class::Control => return Err(control_character(self.at, octet)),
            }
            self.at += 1;
        }
    }

    fn skip_comment(&mut self) {
        let rest = &self.octets[self.at..];
        self.at += rest.iter().position(|octet| *octet == b'\n').unwrap_or(rest.len());
    }

    fn word(&mut self) -> Outcome<Token<'a>> {
        let begin = self.at;
        let mut escaped = false;
        while let Some(&octet) = self.octets.get(self.at) {
            match class_of(octet) {
                Class::Ordinary => self.at += 1,
                Class::Escape => {
                    escaped = true;
                    self.step_over_escape()?;
                }
                Class::Control if octet != b'\r' => return Err(control_character(self.at, octet)),
                _ => break,
            }
        }
        Ok(Token { text: &self.octets[begin..self.at], at: begin, quoted: false, escaped })
    }

    fn quoted(&mut self) -> Outcome<Token<'a>> {
        let begin = self.at;
        let (end, closed) = self.end_of_quotes_from(begin + 1);
        self.at = end;
        let inside = begin + 1..end - usize::from(closed);
        let text = &self.octets[inside.clone()];
        // A tab is text; any other control character in here is a slip of an editor.
        let control = text.iter().position(|octet| class_of(*octet) == Class::Control && *octet != b'\r');
        if let Some(control) = control {
            return Err(control_character(inside.start + control, text[control]));
        }
        if !closed {
            return Err(Fault::new(begin, 1, "this quotation mark has no partner on its line")
                .help("write `\"` where the string ends; a string may not go on in the next line"));
        }
        if let Some(carriage_return) = text.iter().position(|octet| *octet == b'\r') {
            return Err(control_character(inside.start + carriage_return, b'\r'));
        }
        Ok(Token { text, at: begin, quoted: true, escaped: text.contains(&b'\\') })
    }

    fn end_of_quotes(&self) -> (usize, bool) {
        self.end_of_quotes_from(self.at)
    }

    /// Where the string that goes on at `at` ends, its closing mark included, and whether it has one.
    fn end_of_quotes_from(&self, mut at: usize) -> (usize, bool) {
        while let Some(&octet) = self.octets.get(at) {
            match octet {
                b'"' => return (at + 1, true),
                b'\n' => return (at, false),
                b'\\' if self.octets.get(at + 1).is_some_and(|next| *next != b'\n') => at += 2,
                _ => at += 1,
            }
        }
        (at, false)
    }

    fn step_over_escape(&mut self) -> Outcome<()> {
        match self.octets.get(self.at + 1) {
            None | Some(b'\n' | b'\r') => Err(Fault::new(self.at, 1, "a backslash at the end of the line")
                .help("write \\\\ for the backslash itself; parentheses continue a record on the next line")),
            Some(&next) if class_of(next) == Class::Control => Err(control_character(self.at + 1, next)),
            Some(_) => {
                self.at += 2;
                Ok(())
            }
        }
    }
}

fn control_character(at: usize, octet: u8) -> Box<Fault> {
    Fault::new(at, 1, format!("a control character (octet {octet})"))
        .help(format!("remove it, or write \\{octet:03} if it is meant"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Tokens record by record as (octets, quoted), the last list perhaps unfinished; none when there is a mistake.
    type Records = Option<Vec<Vec<(Vec<u8>, bool)>>>;

    fn records(octets: &[u8]) -> Records {
        let mut lexer = Lexer::new(octets);
        let mut records = vec![];
        while !lexer.is_at_end() {
            let mut tokens = vec![];
            while let Some(token) = lexer.next().ok()? {
                assert_eq!(&octets[token.at..token.end()].len(), &token.length());
                assert_eq!(token.escaped, token.text.contains(&b'\\'));
                tokens.push((token.text.to_vec(), token.quoted));
            }
            records.push(tokens);
            lexer.next_line();
        }
        Some(records)
    }

    /// The same, one octet at a time and by RFC 1035 5.1 alone.
    fn records_octet_by_octet(octets: &[u8]) -> Records {
        let (mut records, mut tokens) = (vec![], vec![]);
        let (mut word, mut string): (Option<Vec<u8>>, Option<Vec<u8>>) = (None, None);
        let (mut open, mut comment, mut escaped) = (false, false, false);
        for octet in octets {
            if escaped {
                escaped = false;
                (*octet >= b' ' || *octet == b'\t').then_some(())?;
                string.as_mut().or(word.as_mut())?.push(*octet);
                continue;
            }
            if let Some(text) = &mut string {
                match octet {
                    b'"' => tokens.push((string.take()?, true)),
                    b'\n' => return None,
                    octet => {
                        escaped = *octet == b'\\';
                        text.push(*octet);
                    }
                }
                continue;
            }
            comment &= *octet != b'\n';
            if comment {
                continue;
            }
            if b" \n;()\t".contains(octet) {
                tokens.extend(word.take().map(|word| (word, false)));
            }
            match octet {
                b'"' if word.is_some() => return None,
                b'"' => string = Some(vec![]),
                b';' => comment = true,
                b'(' if open => return None,
                b')' if !open => return None,
                b'(' | b')' => open = *octet == b'(',
                b'\n' if !open => records.push(std::mem::take(&mut tokens)),
                b'\n' | b' ' | b'\t' => {}
                octet => {
                    escaped = *octet == b'\\';
                    word.get_or_insert_default().push(*octet);
                }
            }
        }
        (!escaped && string.is_none() && !open).then_some(())?;
        tokens.extend(word.map(|word| (word, false)));
        if octets.last().is_some_and(|last| *last != b'\n') {
            records.push(tokens);
        }
        Some(records)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

        #[test]
        fn the_lexer_agrees_with_its_slow_twin(
            octets in prop::collection::vec(prop::sample::select(&b"ab\\\"();\n \t\n a"[..]), 0..24)
        ) {
            prop_assert_eq!(records(&octets), records_octet_by_octet(&octets));
        }
    }

    #[test]
    fn after_a_mistake_the_next_record_is_found() {
        for (text, rest) in [
            ("bad\nnext", "next"),
            ("bad (\n b ; )\n )\nnext", "next"),
            ("bad \"(\" ( \")\"\n) \nnext", "next"),
            ("bad \\( \\\nnext", "next"),
            ("bad \"unclosed\nnext", "next"),
            ("bad ; \" (\nnext", "next"),
            ("bad (\nnever closed", ""),
        ] {
            let mut lexer = Lexer::new(text.as_bytes());
            lexer.skip_record();
            assert_eq!(&text[lexer.position()..], rest, "{text}");
            assert_eq!(lexer.open_parenthesis(), None);
        }
    }
}
