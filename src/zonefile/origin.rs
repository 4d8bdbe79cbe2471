//! The name of a zone, as its file tells it.

use crate::dns::{Name, RrType, name_text};

use super::lexer::{Lexer, Token};
use super::{mnemonics, times};

/// The zone that a file means when nothing else names it: its first `$ORIGIN`, or the owner of its SOA, whichever comes
/// first and is absolute. Reads no further than that and complains about nothing.
pub fn guess_origin(octets: &[u8]) -> Option<Name> {
    let mut lexer = Lexer::new(octets);
    while !lexer.is_at_end() {
        match named_here(&mut lexer) {
            Found::Nothing => lexer.skip_record(),
            Found::Zone(name) => return name,
        }
    }
    None
}

enum Found {
    /// This line says nothing of the zone's name.
    Nothing,
    /// The name, none when it depends on the origin that is sought.
    Zone(Option<Name>),
}

fn named_here(lexer: &mut Lexer<'_>) -> Found {
    let indented = lexer.is_at_blank();
    let Ok(Some(first)) = lexer.next() else {
        return Found::Nothing;
    };
    if first.text.eq_ignore_ascii_case(b"$ORIGIN") && !indented {
        return match lexer.next() {
            Ok(Some(name)) => Found::Zone(absolute(&name)),
            _ => Found::Nothing,
        };
    }
    if indented {
        return Found::Nothing;
    }
    // Perhaps a TTL and a class, and then the type.
    for _ in 0..3 {
        let Ok(Some(token)) = lexer.next() else {
            return Found::Nothing;
        };
        if mnemonics::rr_type(token.text) == Some(RrType::SOA) {
            return Found::Zone(absolute(&first));
        }
        if mnemonics::class(token.text).is_none() && times::parse_period(token.text).is_none() {
            return Found::Nothing;
        }
    }
    Found::Nothing
}

fn absolute(token: &Token<'_>) -> Option<Name> {
    // A relative name comes out longer with a longer origin.
    let one = name_text::parse_name(token.text, None).ok()?;
    let label: Name = "x.".parse().ok()?;
    let other = name_text::parse_name(token.text, Some(label.as_ref())).ok()?;
    (one == other && !token.is_word(b"@")).then_some(one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_zone_is_named_by_its_origin_or_its_soa() {
        for (text, want) in [
            ("$ORIGIN example.org.\n@ SOA a b 1 2 3 4 5\n", Some("example.org.")),
            ("; a comment\n$TTL 1h\nexample.org. 3600 IN SOA (\n a b 1 2 3 4 5)\n", Some("example.org.")),
            ("example.org. IN SOA a b 1 2 3 4 5\n$ORIGIN sub.example.org.\n", Some("example.org.")),
            ("$origin .", Some(".")),
            ("www.example.org. A 192.0.2.1\nexample.org. SOA a b 1 2 3 4 5", Some("example.org.")),
            ("@ SOA a b 1 2 3 4 5\n$ORIGIN sub.example.org.\n", None),
            ("example SOA a b 1 2 3 4 5\n", None),
            ("$ORIGIN example\n", None),
            ("ex\\.  SOA a b 1 2 3 4 5\n", None),
            ("\" (\n) ) SOA\n$ORIGIN\n", None),
            ("", None),
        ] {
            let found = guess_origin(text.as_bytes()).map(|name| name.to_string());
            assert_eq!(found.as_deref(), want, "{text}");
        }
    }
}
