//! Zone files in good order: columns aligned, everything else as its author left it.

use super::entries::{Columns, Entries, Entry, Item};
use super::lexer::Token;

/// Where continued lines and records without an owner begin at least, in characters.
const INDENT: usize = 8;
/// An owner name longer than this does not push the columns of the others.
const OWNER: usize = 24;
/// Nor does a type.
const TYPE: usize = 8;
/// A line longer than this does not push the comments of its neighbours.
const TEXT: usize = 72;

/// The same zone file with aligned columns, for one that [`super::parse`] reads without errors; none for some that it does
/// not. Comments, directives, blank lines, parentheses, spellings and the order of all of them stay; formatting twice changes
/// nothing more.
///
/// Columns are those of the whole file, the column of comments is that of a block: lines with no empty line between them.
pub fn format(octets: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(octets.len() + octets.len() / 4);
    if octets.starts_with(b"\xef\xbb\xbf") {
        out.extend_from_slice(&octets[..3]);
    }
    let mut widths = Widths { owner: INDENT - 1, ..Widths::default() };
    let mut entries = Entries::new(octets);
    while let Some(entry) = entries.next().ok()? {
        widths.add(octets, entry.columns());
    }
    let mut entries = Entries::new(octets);
    let mut block: Vec<Entry<'_>> = Vec::new();
    while let Some(entry) = entries.next().ok()? {
        let ends_block = entry.is_empty();
        block.push(entry);
        if ends_block {
            write_block(octets, &block, &widths, &mut out);
            block.clear();
        }
    }
    write_block(octets, &block, &widths, &mut out);
    Some(out)
}

/// How wide the columns are; 0 for one that is not there.
#[derive(Default)]
struct Widths {
    owner: usize,
    ttl: usize,
    class: usize,
    rr_type: usize,
}

impl Widths {
    fn add(&mut self, octets: &[u8], columns: Option<Columns<'_>>) {
        let Some(Columns { owner, ttl, class, rr_type, .. }) = columns else { return };
        for (width, token, most) in [
            (&mut self.owner, owner, OWNER),
            (&mut self.ttl, ttl, usize::MAX),
            (&mut self.class, class, usize::MAX),
            (&mut self.rr_type, Some(rr_type), TYPE),
        ] {
            let own = token.map_or(0, |token| characters(raw(octets, &token)));
            *width = (*width).max(if own > most { 0 } else { own });
        }
    }

    /// Where data begin.
    fn data(&self) -> usize {
        let column = |width: usize| if width == 0 { 0 } else { width + 1 };
        [self.owner, self.ttl, self.class, self.rr_type].map(column).iter().sum()
    }
}

/// A line without its comment, and the comment.
struct Row<'a> {
    text: Vec<u8>,
    comment: Option<&'a [u8]>,
}

fn write_block(octets: &[u8], block: &[Entry<'_>], widths: &Widths, out: &mut Vec<u8>) {
    let entries: Vec<Vec<Row<'_>>> = block.iter().map(|entry| rows(octets, entry, widths)).collect();
    // Comments of records of one line stand in one column, those within parentheses in one of their own.
    let column_of_block = comment_column(entries.iter().filter(|rows| rows.len() == 1).flatten());
    for rows in &entries {
        let column = if rows.len() == 1 { column_of_block } else { comment_column(rows) };
        rows.iter().for_each(|row| write_row(row, column, out));
    }
}

fn rows<'a>(octets: &[u8], entry: &Entry<'a>, widths: &Widths) -> Vec<Row<'a>> {
    let columns = entry.columns();
    let indent = if columns.is_some() { widths.data() } else { INDENT };
    let mut rows: Vec<Row<'a>> = Vec::with_capacity(entry.lines.len());
    for (index, line) in entry.lines.iter().enumerate() {
        let mut text = Vec::new();
        match &columns {
            Some(columns) if index == 0 => {
                write_columns(octets, columns, widths, &mut text);
                write_items(octets, &line.items[columns.count..], &mut text);
            }
            _ => {
                let is_inside = index > 0 || entry.is_indented;
                pad(&mut text, if is_inside && !line.is_empty() { indent } else { 0 });
                write_items(octets, &line.items, &mut text);
            }
        }
        if line.comment.is_none() || !line.items.is_empty() {
            text.truncate(text.trim_ascii_end().len());
        }
        rows.push(Row { text, comment: line.comment });
    }
    rows
}

fn write_columns(octets: &[u8], columns: &Columns<'_>, widths: &Widths, text: &mut Vec<u8>) {
    let cells = [
        (columns.owner, widths.owner),
        (columns.ttl, widths.ttl),
        (columns.class, widths.class),
        (Some(columns.rr_type), widths.rr_type),
    ];
    for (token, width) in cells.into_iter().filter(|(token, width)| *width > 0 || token.is_some()) {
        let end = characters(text) + width;
        text.extend_from_slice(token.map_or(&[][..], |token| raw(octets, &token)));
        pad(text, end);
        text.push(b' ');
    }
}

/// With one blank between them, except within `key="value"`.
fn write_items(octets: &[u8], items: &[Item<'_>], text: &mut Vec<u8>) {
    let mut before = None;
    for item in items {
        let written = match item {
            Item::Token(token) => raw(octets, token),
            Item::Open => b"(",
            Item::Close => b")",
        };
        let is_value = match (before, item) {
            (Some(Item::Token(key)), Item::Token(value)) => {
                !key.quoted && value.quoted && key.end() == value.at
            }
            _ => false,
        };
        if before.is_some() && !is_value {
            text.push(b' ');
        }
        text.extend_from_slice(written);
        before = Some(*item);
    }
}

fn comment_column<'a>(rows: impl IntoIterator<Item = &'a Row<'a>>) -> usize {
    let widths = rows
        .into_iter()
        .filter(|row| row.comment.is_some() && !row.text.trim_ascii().is_empty())
        .map(|row| characters(&row.text))
        .filter(|width| *width <= TEXT);
    widths.max().map_or(0, |width| width + 2)
}

fn write_row(row: &Row<'_>, column: usize, out: &mut Vec<u8>) {
    let begin = out.len();
    out.extend_from_slice(&row.text);
    if let Some(comment) = row.comment {
        if !row.text.trim_ascii().is_empty() {
            let width = characters(&row.text);
            out.resize(begin + row.text.len() + column.saturating_sub(width).max(2), b' ');
        }
        out.extend_from_slice(comment);
    }
    out.push(b'\n');
}

/// As its author wrote it, quotation marks included.
fn raw<'o>(octets: &'o [u8], token: &Token<'_>) -> &'o [u8] {
    &octets[token.at..token.end()]
}

fn pad(text: &mut Vec<u8>, to: usize) {
    let missing = to.saturating_sub(characters(text));
    text.resize(text.len() + missing, b' ');
}

/// Octets that begin a character in UTF-8.
fn characters(octets: &[u8]) -> usize {
    octets.iter().filter(|octet| **octet & 0xc0 != 0x80).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::dns::Name;
    use crate::zonefile::{Files, NoIncludes, parse};

    /// What a file means: its records, none with a mistake in it.
    fn meaning(octets: &[u8]) -> Option<Vec<String>> {
        let mut records = Vec::new();
        let origin: Name = "example.".parse().unwrap();
        parse(&mut Files::new("x", octets.to_vec()), origin.as_ref(), &NoIncludes, &mut |record| {
            let (owner, ttl, rr_type) = (record.owner.octets(), record.ttl, record.rr_type);
            records.push(format!("{owner:?} {ttl} {rr_type} {:?}", record.rdata));
        })
        .ok()
        .map(|_| records)
    }

    fn formatted(text: &str) -> String {
        let once = format(text.as_bytes()).unwrap();
        assert_eq!(meaning(&once), meaning(text.as_bytes()), "{text}");
        assert_eq!(format(&once), Some(once.clone()), "{text}");
        String::from_utf8(once).unwrap()
    }

    #[test]
    fn columns_are_aligned_and_the_rest_stays() {
        let before = "; zone example
$TTL   1h ; default
$ORIGIN example.\t
@ IN SOA ns host (
 2026010101 ; serial
\t7200 ; refresh
   3600
1209600 3600 ) ; the rest
 IN NS ns \r


ns 300 A 192.0.2.1 ; first
   ; indented
www-of-the-company\tIN 60 A\t192.0.2.2 ;second
 AAAA 2001:db8::1
_443._tcp.a.very.long.owner.name.that.sticks.out TLSA 3 1 1 00
t TXT \"a;  b\" c\\;d  ( \"e\"  ; inside

; alone
 f )
s HTTPS 1 . alpn=\"h2\"   port=443
  apl
( odd 5 A
192.0.2.3 )";
        let after = "; zone example
$TTL 1h  ; default
$ORIGIN example.
@                      IN SOA   ns host (
                                2026010101      ; serial
                                7200            ; refresh
                                3600
                                1209600 3600 )  ; the rest
                       IN NS    ns


ns                 300    A     192.0.2.1  ; first
        ; indented
www-of-the-company 60  IN A     192.0.2.2  ;second
                          AAAA  2001:db8::1
_443._tcp.a.very.long.owner.name.that.sticks.out        TLSA  3 1 1 00
t                         TXT   \"a;  b\" c\\;d ( \"e\"  ; inside

                                ; alone
                                f )
s                         HTTPS 1 . alpn=\"h2\" port=443
                          apl
( odd 5 A
        192.0.2.3 )
";
        assert_eq!(formatted(before), after);
    }

    #[test]
    fn what_is_hardly_a_zone_file_is_kept_too() {
        for (text, want) in [
            ("", ""),
            ("  ", ""),
            ("\n \n", "\n\n"),
            (";", ";\n"),
            ("\u{feff}\u{feff}a 1 NS b", "\u{feff}\u{feff}a      1 NS b\n"),
            ("(\n)", "(\n        )\n"),
            ("\"a b\" 1 TXT \"x\"\"y\"z", "\"a b\"   1 TXT \"x\" \"y\" z\n"),
            ("$GENERATE  1-2 a$  1  MX \"10 $\"", "$GENERATE 1-2 a$ 1 MX \"10 $\"\n"),
            ("é 1 NS b\nabcdefghij 1 NS b", "é          1 NS b\nabcdefghij 1 NS b\n"),
        ] {
            assert_eq!(formatted(text), want, "{text}");
        }
        assert_eq!(format(b"a 1 TXT \"x"), None);
    }

    #[test]
    fn long_lines_do_not_push_the_comments_of_others() {
        let long = format!("b 1 TXT {} ; b\n", "x".repeat(TEXT));
        let text = formatted(&format!("a 1 NS a ; a\n{long}c 1 NS cc ; c\n"));
        let columns: Vec<_> = text.lines().map(|line| line.find(';').unwrap()).collect();
        assert_eq!(columns[0], columns[2]);
        assert!(columns[0] < 30 && columns[1] > TEXT, "{text}");
    }

    /// Lines of which some make a zone file together.
    fn lines() -> impl Strategy<Value = String> {
        let line = prop_oneof![
            3 => "(a|@|bb\\.c|\"q r\"|) {1,3}(7|IN|7 {1,2}IN|IN\t1h|) ?(A 192\\.0\\.2\\.1|TXT x \"y;\"\tz|NS b|APL)",
            2 => "(a|) (\\( ?)?(7|IN|) ?(\\( ?)?TXT (\\()? ?(a|\"b\")(\n|\r\n| |; c\n|\n\n){0,3}(\\))? ?(x|) ?(\\))?",
            1 => "(s|) 1 SVCB 1 \\. (alpn=h2|alpn=\"h2\"key7=\"/\"|port=1 ohttp)",
            1 => " {0,2}|\t",
            1 => " {0,2};[ -~\u{e9}]{0,9}",
            1 => "\\$(ORIGIN|TTL|GENERATE)  ?(7|b|1-2 a\\$ 1 TXT \"\\$\"|1-2 a\\$ TXT a {0,2}\\$)",
            1 => "[ -~\t\n]{0,12}",
        ];
        let comment = prop_oneof![4 => Just(String::new()), 1 => " ?;[ -~]{0,5}"];
        let end = prop_oneof![9 => Just("\n"), 1 => Just("\r\n")];
        prop::collection::vec((line, comment, end), 0..12)
            .prop_map(|lines| lines.into_iter().map(|(line, comment, end)| line + &comment + end).collect())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

        #[test]
        fn formatting_keeps_the_meaning_and_is_done_once(text in lines(), cut: prop::sample::Index) {
            // Most lines are good by themselves: what remains of a text without its bad entries is tried as well.
            let good: String = text
                .split_inclusive('\n')
                .filter(|line| meaning(format!("$TTL 1\na NS b\n{line}").as_bytes()).is_some())
                .collect();
            let cut = text.char_indices().nth(cut.index(text.chars().count() + 1)).map_or(text.len(), |(at, _)| at);
            for text in [&text[..], &text[..cut], &good] {
                let text = format!("$TTL 1\na NS b\n{text}");
                let Some(before) = meaning(text.as_bytes()) else { continue };
                let once = format(text.as_bytes()).expect("it was read without a mistake");
                prop_assert_eq!(meaning(&once), Some(before), "{}", String::from_utf8_lossy(&once));
                prop_assert_eq!(format(&once), Some(once.clone()), "{}", String::from_utf8_lossy(&once));
                // Nothing but blanks and the order of TTL and class is another.
                prop_assert_eq!(visible(&once), visible(text.as_bytes()));
            }
        }

        #[test]
        fn arbitrary_octets_do_no_harm(octets in prop::collection::vec(any::<u8>(), 0..200)) {
            let formatted = format(&octets);
            if let Some(before) = meaning(&octets) {
                prop_assert_eq!(meaning(&formatted.expect("it was read without a mistake")), Some(before));
            }
        }
    }

    /// The octets that are no blanks, in their order by value.
    fn visible(octets: &[u8]) -> Vec<u8> {
        let mut visible: Vec<u8> =
            octets.iter().copied().filter(|octet| !octet.is_ascii_whitespace()).collect();
        visible.sort_unstable();
        visible
    }
}
