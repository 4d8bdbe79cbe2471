//! `$GENERATE`: many records of one line. BIND's directive: a range of numbers, and an owner name and data in which `$`
//! stands for the number, `${offset,width,base}` for one shifted and formatted, `$$` and `\$` for the sign itself.

use std::io::Write;

use crate::limits;

use super::error::{Fault, Outcome, shown};
use super::lexer::{Lexer, Token};

/// `start-stop` or `start-stop/step`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    start: u32,
    stop: u32,
    step: u32,
}

impl Range {
    pub fn of(token: &Token<'_>) -> Outcome<Range> {
        Range::parse(token.text).ok_or_else(|| {
            Fault::of(token, format!("{} is not a range", shown(token.text)))
                .help("write start-stop or start-stop/step, such as 1-254, the start not above the stop")
        })
    }

    fn parse(text: &[u8]) -> Option<Range> {
        let text = std::str::from_utf8(text).ok()?;
        let (bounds, step) = text.split_once('/').unwrap_or((text, "1"));
        let (start, stop) = bounds.split_once('-')?;
        let range = Range { start: plain(start)?, stop: plain(stop)?, step: plain(step)? };
        (range.start <= range.stop && range.step > 0).then_some(range)
    }

    /// How many numbers there are.
    pub fn count(self) -> u64 {
        u64::from((self.stop - self.start) / self.step) + 1
    }

    pub fn numbers(self) -> impl Iterator<Item = u32> {
        // A size of usize is never smaller than that of u32 here, and more steps than are allowed do not come this far.
        (self.start..=self.stop).step_by(self.step as usize)
    }
}

/// Digits alone, in the range that BIND takes.
fn plain(digits: &str) -> Option<u32> {
    let value: u32 = digits.bytes().all(|digit| digit.is_ascii_digit()).then(|| digits.parse().ok())??;
    (value <= i32::MAX as u32).then_some(value)
}

/// Text with places for the number.
#[derive(Debug, Default)]
pub(super) struct Template {
    pieces: Vec<Piece>,
}

#[derive(Debug, PartialEq, Eq)]
enum Piece {
    Text(Vec<u8>),
    Number(Number),
}

/// How a number is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Number {
    offset: i32,
    width: usize,
    base: Base,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Base {
    Decimal,
    Octal,
    Hexadecimal,
    UpperHexadecimal,
    /// Hexadecimal digits as labels, the last first, as names of reverse zones have them.
    Nibbles,
    UpperNibbles,
}

const NUMBER_HELP: &str = "write $, or ${offset}, ${offset,width} or ${offset,width,base} with one of d, o, x, X, n and N for \
     the base; $$ for the sign itself";

impl Template {
    /// The template that one token is.
    pub fn of(token: &Token<'_>) -> Outcome<Template> {
        let mut template = Template::default();
        template.add(token)?;
        Ok(template)
    }

    /// All tokens to the end of the record. One in quotes alone is data inside of them, as BIND has it.
    pub fn of_data(lexer: &mut Lexer<'_>) -> Outcome<Template> {
        let mut template = Template::default();
        let Some(first) = lexer.next_parameter()? else {
            return Ok(template);
        };
        let mut next = lexer.next_parameter()?;
        if first.0.quoted && next.is_none() {
            template.add(&first.0)?;
            return Ok(template);
        }
        template.add_parameter(first)?;
        while let Some(parameter) = next {
            template.push(b" ");
            template.add_parameter(parameter)?;
            next = lexer.next_parameter()?;
        }
        Ok(template)
    }

    fn add_parameter(&mut self, (word, value): (Token<'_>, Option<Token<'_>>)) -> Outcome<()> {
        for token in [Some(word), value].into_iter().flatten() {
            let mark: &[u8] = if token.quoted { b"\"" } else { b"" };
            self.push(mark);
            self.add(&token)?;
            self.push(mark);
        }
        Ok(())
    }

    fn add(&mut self, token: &Token<'_>) -> Outcome<()> {
        let mut rest = token.text;
        while let Some((octet, after)) = rest.split_first() {
            match (octet, after) {
                // An escape is left to those who read what comes of this.
                (b'\\', [_, ..]) => {
                    self.push(&rest[..2]);
                    rest = &rest[2..];
                }
                (b'$', [b'$', after @ ..]) => {
                    self.push(b"$");
                    rest = after;
                }
                (b'$', [b'{', after @ ..]) => {
                    let end = after.iter().position(|octet| *octet == b'}');
                    let format = &after[..end.unwrap_or(after.len())];
                    let number = end.and_then(|_| Number::parse(format)).ok_or_else(|| {
                        let at = token.at + usize::from(token.quoted) + token.text.len() - rest.len();
                        let written = &rest[..rest.len().min(format.len() + 3)];
                        Fault::new(at, written.len(), format!("{} is not a number's format", shown(written)))
                            .help(NUMBER_HELP)
                    })?;
                    self.pieces.push(Piece::Number(number));
                    rest = &after[format.len() + 1..];
                }
                (b'$', after) => {
                    self.pieces.push(Piece::Number(Number { offset: 0, width: 0, base: Base::Decimal }));
                    rest = after;
                }
                (octet, after) => {
                    self.push(std::slice::from_ref(octet));
                    rest = after;
                }
            }
        }
        Ok(())
    }

    fn push(&mut self, octets: &[u8]) {
        match self.pieces.last_mut() {
            Some(Piece::Text(text)) => text.extend_from_slice(octets),
            _ => self.pieces.push(Piece::Text(octets.to_vec())),
        }
    }

    /// Writes the text for one number in place of what is in `out`.
    pub fn expand(&self, number: u32, out: &mut Vec<u8>) {
        out.clear();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => out.extend_from_slice(text),
                Piece::Number(format) => format.write(number, out),
            }
        }
    }
}

impl Number {
    /// What stands between the braces.
    fn parse(format: &[u8]) -> Option<Number> {
        let mut parts = std::str::from_utf8(format).ok()?.split(',');
        let offset = parts.next()?.parse().ok()?;
        let width = match parts.next() {
            None => 0,
            Some(digits) => usize::try_from(plain(digits)?).ok()?,
        };
        let base = match parts.next() {
            None | Some("d") => Base::Decimal,
            Some("o") => Base::Octal,
            Some("x") => Base::Hexadecimal,
            Some("X") => Base::UpperHexadecimal,
            Some("n") => Base::Nibbles,
            Some("N") => Base::UpperNibbles,
            Some(_) => return None,
        };
        let ends = parts.next().is_none() && width <= limits::ZONEFILE_GENERATE_WIDTH;
        ends.then_some(Number { offset, width, base })
    }

    fn write(self, number: u32, out: &mut Vec<u8>) {
        let (value, width) = (i64::from(number) + i64::from(self.offset), self.width);
        // In these bases BIND writes a negative number as its 32 bits.
        let bits = value as u32;
        // Writing to a vector cannot fail.
        let _ = match self.base {
            Base::Decimal => write!(out, "{value:0width$}"),
            Base::Octal => write!(out, "{bits:0width$o}"),
            Base::Hexadecimal => write!(out, "{bits:0width$x}"),
            Base::UpperHexadecimal => write!(out, "{bits:0width$X}"),
            Base::Nibbles => return write_nibbles(bits, width, b"0123456789abcdef", out),
            Base::UpperNibbles => return write_nibbles(bits, width, b"0123456789ABCDEF", out),
        };
    }
}

/// The width counts digits and dots; one that is even ends with a dot.
fn write_nibbles(mut bits: u32, width: usize, digits: &[u8; 16], out: &mut Vec<u8>) {
    let begin = out.len();
    loop {
        out.push(digits[(bits & 15) as usize]);
        bits >>= 4;
        let written = out.len() - begin;
        if bits == 0 && written >= width {
            return;
        }
        out.push(b'.');
        if bits == 0 && written + 1 >= width {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(text: &str, number: u32) -> String {
        let template = Template::of_data(&mut Lexer::new(text.as_bytes())).unwrap();
        let mut out = Vec::new();
        template.expand(number, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn numbers_are_written_as_bind_writes_them() {
        for (text, number, want) in [
            ("a$b", 7, "a7b"),
            ("$$ \\$ \\\\$", 7, "$ \\$ \\\\7"),
            ("${0}${1}${-8}${+2}", 7, "78-19"),
            ("${0,3} ${0,3,d} ${-9,4,d}", 7, "007 007 -002"),
            ("${0,2,x} ${0,0,X} ${0,3,o} ${-19,0,x}", 18, "12 12 022 ffffffff"),
            ("${10,0,x} ${10,0,X}", 1, "b B"),
            ("${0,7,n} ${0,8,n} ${0,0,n} ${0,1,n} ${0,3,N}", 0x1b, "b.1.0.0 b.1.0.0. b.1 b.1 B.1"),
            ("${0,3,n} ${0,4,n}", 5, "5.0 5.0."),
            ("a \"b $\" c", 1, "a \"b 1\" c"),
            ("\"10 m$\"", 1, "10 m1"),
            ("x=\"$\" y", 1, "x=\"1\" y"),
            ("", 1, ""),
        ] {
            assert_eq!(expanded(text, number), want, "{text}");
        }
    }

    #[test]
    fn ranges_end_within_their_bounds() {
        for (text, want) in [
            ("1-3", Some(vec![1, 2, 3])),
            ("3-3", Some(vec![3])),
            ("0-9/4", Some(vec![0, 4, 8])),
            ("0-2147483647/2147483647", Some(vec![0, 2_147_483_647])),
            ("3-1", None),
            ("1-3/0", None),
            ("1", None),
            ("-1-3", None),
            ("+1-3", None),
            ("1-2147483648", None),
            ("1-3/", None),
            ("", None),
        ] {
            let range = Range::parse(text.as_bytes());
            assert_eq!(range.map(|range| range.numbers().collect::<Vec<_>>()), want, "{text}");
            assert_eq!(range.map(|range| range.count() as usize), want.map(|numbers| numbers.len()));
        }
    }

    #[test]
    fn formats_are_refused_where_they_stand() {
        for (text, at, length) in [
            ("a${", 1, 2),
            ("a${}", 1, 3),
            ("${1,}", 0, 5),
            ("${1,2,}", 0, 7),
            ("${1,2,q}x", 0, 8),
            ("${1,2,d,}", 0, 9),
            ("${1,256}", 0, 8),
            ("${x}", 0, 4),
            ("\"a ${x}\"", 3, 4),
            ("b \"a ${x}\"", 5, 4),
        ] {
            let fault = Template::of_data(&mut Lexer::new(text.as_bytes())).unwrap_err();
            assert_eq!((fault.at, fault.length), (at, length), "{text}: {}", fault.message);
        }
    }
}
