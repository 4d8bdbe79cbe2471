//! The text of a play (`.rpl`): header, ranges of what servers answer, and the steps of a client.

use std::net::IpAddr;
use std::time::Duration;

use namu::dns::{Name, Opcode, Question, Rcode, RrClass, RrType};
use namu::wire::Flags;
use namu::zonefile::{Files, NoIncludes};

use crate::compare::Match;
use crate::message::{Edns, Message, Record};

/// A play.
#[derive(Debug, Default)]
pub struct Scenario {
    /// Key and value, without comments, in the order of the file.
    pub header: Vec<(String, String)>,
    pub title: String,
    pub ranges: Vec<Range>,
    pub steps: Vec<Step>,
}

/// What servers answer while the client is at certain steps.
#[derive(Debug, Default)]
pub struct Range {
    pub from: u32,
    pub to: u32,
    /// None stands for every address that is named somewhere.
    pub addresses: Vec<IpAddr>,
    pub entries: Vec<Entry>,
}

/// Something the client does.
#[derive(Debug)]
pub struct Step {
    pub number: u32,
    pub action: Action,
}

/// What the client does.
#[derive(Debug)]
pub enum Action {
    Query(Entry),
    CheckAnswer(Entry),
    TimePasses(Duration),
    /// An answer for once, where no range holds.
    Reply(Entry),
    Nothing,
}

/// A message with notes around it.
#[derive(Debug, Default)]
pub struct Entry {
    pub matches: Vec<Match>,
    pub adjusts: Vec<Adjust>,
    pub is_mandatory: bool,
    /// As the entry writes it; a query is sent as it is, with EDNS.
    pub message: Message,
    /// The whole message instead.
    pub raw: Option<Vec<u8>>,
}

/// What is changed before an answer is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adjust {
    CopyId,
    CopyQuery,
    RawId,
    DoNotAnswer,
}

/// Reads a play; an error names its line.
pub fn parse(text: &str) -> Result<Scenario, String> {
    let mut lines = Lines { lines: text.lines().enumerate(), number: 0 };
    scenario(&mut lines).map_err(|why| format!("line {}: {why}", lines.number))
}

/// An entry of a test, its lines set apart by `|`.
#[cfg(test)]
pub fn entry(lines: &str) -> Entry {
    let text = lines.replace('|', "\n") + "\nENTRY_END\n";
    read_entry(&mut Lines { lines: text.lines().enumerate(), number: 0 }).unwrap()
}

/// The lines that say something.
struct Lines<'t> {
    lines: std::iter::Enumerate<std::str::Lines<'t>>,
    number: usize,
}

impl<'t> Iterator for Lines<'t> {
    type Item = &'t str;

    fn next(&mut self) -> Option<&'t str> {
        loop {
            let (at, line) = self.lines.next()?;
            self.number = at + 1;
            // Here alone the mark of comments stands between two things.
            let is_list = line.trim_start().starts_with("features:");
            let line = if is_list { line.trim() } else { without_comment(line, ';').trim() };
            if !line.is_empty() {
                return Some(line);
            }
        }
    }
}

/// The part of a line before `mark`, unless that stands in quotes.
pub fn without_comment(line: &str, mark: char) -> &str {
    let mut is_quoted = false;
    let comment = line.char_indices().find(|(_, character)| {
        is_quoted ^= *character == '"';
        *character == mark && !is_quoted
    });
    comment.map_or(line, |(at, _)| &line[..at])
}

fn scenario(lines: &mut Lines<'_>) -> Result<Scenario, String> {
    let mut scenario = Scenario::default();
    for line in lines.by_ref().take_while(|line| *line != "CONFIG_END") {
        let (key, value) = line.split_once(':').ok_or("no `key: value`")?;
        scenario.header.push((key.trim().to_string(), value.trim().to_string()));
    }
    while let Some(line) = lines.next() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["SCENARIO_BEGIN", title @ ..] => scenario.title = title.join(" "),
            ["RANGE_BEGIN", from, to, addresses @ ..] => {
                let mut range = Range { from: number(from)?, to: number(to)?, ..Range::default() };
                range.addresses = addresses.iter().map(|text| address(text)).collect::<Result<_, _>>()?;
                read_range(&mut range, lines)?;
                scenario.ranges.push(range);
            }
            ["STEP", at, action @ ..] => {
                let (number, action) = (number(at)?, read_action(action, lines)?);
                scenario.steps.push(Step { number, action });
            }
            ["SCENARIO_END"] => return Ok(scenario),
            _ => return Err(format!("`{line}` is not expected here")),
        }
    }
    match scenario.steps.is_empty() {
        true => Err("no step".into()),
        // Some plays just end.
        false => Ok(scenario),
    }
}

fn read_action(words: &[&str], lines: &mut Lines<'_>) -> Result<Action, String> {
    let mut entry = || match lines.next() {
        Some("ENTRY_BEGIN") => read_entry(lines),
        line => Err(format!("ENTRY_BEGIN, not {line:?}, is expected here")),
    };
    Ok(match words {
        ["QUERY"] => Action::Query(entry()?),
        ["CHECK_ANSWER"] => Action::CheckAnswer(entry()?),
        ["REPLY"] => Action::Reply(entry()?),
        ["TIME_PASSES", "ELAPSE", seconds] => {
            Action::TimePasses(Duration::from_secs(number(seconds)?.into()))
        }
        ["CHECK_OUT_QUERY"] => {
            entry()?;
            Action::Nothing
        }
        ["NOTHING"] => Action::Nothing,
        _ => return Err(format!("unknown step {words:?}")),
    })
}

fn read_range(range: &mut Range, lines: &mut Lines<'_>) -> Result<(), String> {
    while let Some(line) = lines.next() {
        match line.split_whitespace().collect::<Vec<_>>().as_slice() {
            ["ADDRESS", text] => range.addresses.push(address(text)?),
            ["ENTRY_BEGIN"] => range.entries.push(read_entry(lines)?),
            ["RANGE_END"] => return Ok(()),
            _ => return Err(format!("`{line}` is not expected in a range")),
        }
    }
    Err("the range has no end".into())
}

/// What the next lines of an entry are.
enum Part {
    Notes,
    Question,
    Section(usize),
    Raw,
}

fn read_entry(lines: &mut Lines<'_>) -> Result<Entry, String> {
    let mut entry = Entry::default();
    let mut dnssec_ok = false;
    let mut part = Part::Notes;
    for line in lines.by_ref() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["ENTRY_END"] => {
                entry.message.edns = Some(Edns { dnssec_ok, ..Edns::default() });
                return Ok(entry);
            }
            ["MATCH", words @ ..] => {
                for word in words {
                    entry.matches.extend(Match::read(word)?);
                }
            }
            ["ADJUST", words @ ..] => {
                for word in words {
                    entry.adjusts.push(read_adjust(word)?);
                }
            }
            ["REPLY" | "FLAGS", words @ ..] => dnssec_ok = read_flags(words, &mut entry.message)?,
            ["MANDATORY"] => entry.is_mandatory = true,
            ["RAW"] => part = Part::Raw,
            ["SECTION", "QUESTION"] => part = Part::Question,
            ["SECTION", "ANSWER"] => part = Part::Section(0),
            ["SECTION", "AUTHORITY"] => part = Part::Section(1),
            ["SECTION", "ADDITIONAL"] => part = Part::Section(2),
            words => match part {
                Part::Notes => return Err(format!("`{line}` is not expected in an entry")),
                Part::Question => entry.message.question = Some(read_question(words)?),
                Part::Section(at) => entry.message.sections[at].push(read_record(line)?),
                Part::Raw => entry.raw.get_or_insert_default().extend(octets_of(line)?),
            },
        }
    }
    Err("the entry has no end".into())
}

fn read_adjust(word: &str) -> Result<Adjust, String> {
    Ok(match word {
        "copy_id" => Adjust::CopyId,
        "copy_query" => Adjust::CopyQuery,
        "raw_id" => Adjust::RawId,
        "do_not_answer" => Adjust::DoNotAnswer,
        _ => return Err(format!("unknown word of ADJUST `{word}`")),
    })
}

/// Header flags, response code and opcode; says whether DO is among them.
fn read_flags(words: &[&str], message: &mut Message) -> Result<bool, String> {
    const FLAGS: [(&str, Flags); 7] = [
        ("QR", Flags::QR),
        ("AA", Flags::AA),
        ("TC", Flags::TC),
        ("RD", Flags::RD),
        ("RA", Flags::RA),
        ("AD", Flags::AD),
        ("CD", Flags::CD),
    ];
    let mut dnssec_ok = false;
    for word in words {
        if let Some((_, flag)) = FLAGS.iter().find(|(name, _)| name == word) {
            message.flags = message.flags.set_if(*flag, true);
        } else if *word == "DO" {
            dnssec_ok = true;
        } else if let Some(rcode) = (0..24).map(Rcode).find(|rcode| rcode.to_string() == *word) {
            message.rcode = rcode;
        } else if let Some(opcode) = (0..6).map(Opcode).find(|opcode| opcode.to_string() == *word) {
            message.flags = Flags(message.flags.0 | u16::from(opcode.0) << 11);
        } else {
            return Err(format!("unknown word of REPLY `{word}`"));
        }
    }
    Ok(dnssec_ok)
}

fn read_question(words: &[&str]) -> Result<Question, String> {
    let (Some(name), Some(rr_type)) = (words.first(), words.last()) else { return Err("no question".into()) };
    let rr_type: RrType = rr_type.parse().map_err(|error| format!("{rr_type}: {error}"))?;
    let class = if words.contains(&"CH") { RrClass::CH } else { RrClass::IN };
    Ok(Question { class, ..Question::new(read_name(name)?, rr_type) })
}

/// A name is absolute, with a dot at its end or without.
pub fn read_name(text: &str) -> Result<Name, String> {
    let absolute = if text.ends_with('.') { text.to_string() } else { format!("{text}.") };
    absolute.parse().map_err(|error| format!("{text}: {error}"))
}

/// One record as in a zone file. Some plays have signatures with more `=` at their end than base64 can have.
pub fn read_record(line: &str) -> Result<Record, String> {
    record_of(line).or_else(|why| record_of(line.trim_end_matches('=')).map_err(|_| why))
}

fn record_of(line: &str) -> Result<Record, String> {
    let mut files = Files::new("record", format!("$TTL 3600\n{line}\n").into_bytes());
    let mut records = Vec::new();
    let parsed = namu::zonefile::parse(&mut files, Name::root().as_ref(), &NoIncludes, &mut |record| {
        records.push(Record {
            owner: record.owner.to_name(),
            rr_type: record.rr_type,
            class: RrClass::IN,
            ttl: record.ttl.seconds(),
            rdata: record.rdata.to_vec(),
        });
    });
    parsed.map_err(|errors| format!("{line}: {}", errors[0]))?;
    records.pop().filter(|_| records.is_empty()).ok_or_else(|| format!("{line}: not one record"))
}

fn octets_of(line: &str) -> Result<Vec<u8>, String> {
    let digits: String = line.split_whitespace().collect();
    let pairs = (0..digits.len()).step_by(2).map(|at| digits.get(at..at + 2).unwrap_or("odd"));
    pairs.map(|pair| u8::from_str_radix(pair, 16).map_err(|error| format!("{pair}: {error}"))).collect()
}

fn address(text: &str) -> Result<IpAddr, String> {
    text.parse().map_err(|error| format!("{text}: {error}"))
}

fn number(text: &str) -> Result<u32, String> {
    text.parse().map_err(|error| format!("{text}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAY: &str = "
        ; a comment
        stub-addr: 192.0.2.1   # the root
        feature-list: server=local-data: \"a. TXT ;\"
        CONFIG_END
        SCENARIO_BEGIN one line of title
        STEP 1 QUERY
        ENTRY_BEGIN
        REPLY RD DO
        SECTION QUESTION
        www.example IN AAAA
        ENTRY_END
        RANGE_BEGIN 0 100
            ADDRESS 192.0.2.1 ; the root
            ADDRESS 2001:db8::1
        ENTRY_BEGIN
            ADJUST copy_id copy_query
            MANDATORY
            MATCH opcode subdomain
            REPLY QR AA NXDOMAIN
            SECTION QUESTION
            example. IN NS
            SECTION AUTHORITY
            example. SOA a. b. ( 1 2 3 4 5 )
            SECTION ADDITIONAL
            ns.example 60 IN A 192.0.2.2
        ENTRY_END
        RANGE_END
        STEP 2 TIME_PASSES ELAPSE 10
        STEP 3 QUERY
        ENTRY_BEGIN
        RAW
        0001 8a
        ff
        ENTRY_END
        SCENARIO_END
        ";

    #[test]
    fn a_play_is_read_whole() {
        let play = parse(PLAY).unwrap();
        assert_eq!(play.title, "one line of title");
        assert_eq!(play.header[1], ("feature-list".into(), "server=local-data: \"a. TXT ;\"".into()));
        let range = &play.ranges[0];
        assert_eq!((range.from, range.to, range.addresses.len(), range.entries.len()), (0, 100, 2, 1));
        let entry = &range.entries[0];
        assert_eq!(entry.adjusts, [Adjust::CopyId, Adjust::CopyQuery]);
        assert!(entry.is_mandatory && entry.message.flags == Flags::QR.set_if(Flags::AA, true));
        assert_eq!(entry.message.rcode, Rcode::NXDOMAIN);
        let ttls = entry.message.sections.each_ref().map(|records| records.first().map(|record| record.ttl));
        assert_eq!(ttls, [None, Some(3600), Some(60)]);
        let numbers: Vec<_> = play.steps.iter().map(|step| step.number).collect();
        assert_eq!(numbers, [1, 2, 3]);
        let Action::Query(query) = &play.steps[0].action else { panic!("{:?}", play.steps[0]) };
        assert_eq!(
            query.message.question,
            Some(Question::new("www.example.".parse().unwrap(), RrType::AAAA))
        );
        assert!(query.message.edns.as_ref().unwrap().dnssec_ok);
        assert!(matches!(play.steps[1].action, Action::TimePasses(time) if time.as_secs() == 10));
        assert!(
            matches!(&play.steps[2].action, Action::Query(Entry { raw: Some(raw), .. }) if raw == &[0, 1, 0x8a, 0xff])
        );
    }

    #[test]
    fn mistakes_are_told_with_their_line() {
        for (from, to, want) in [
            ("CONFIG_END", "CONFIG-END", "line 5: no `key: value`"),
            ("MATCH opcode", "MATCH colour", "line 19: unknown word of MATCH `colour`"),
            ("copy_query", "copy_all", "line 17: unknown word of ADJUST `copy_all`"),
            ("QR AA", "QR XX", "line 20: unknown word of REPLY `XX`"),
            ("RANGE_END", "", "line 29: `STEP 2 TIME_PASSES ELAPSE 10` is not expected in a range"),
            ("STEP 2 TIME_PASSES", "STEP 2 SLEEPS", "line 29: unknown step [\"SLEEPS\", \"ELAPSE\", \"10\"]"),
            ("0001 8a", "0001 8", "line 33: odd: invalid digit found in string"),
        ] {
            assert_eq!(parse(&PLAY.replacen(from, to, 1)).unwrap_err(), want);
        }
        assert!(parse(&PLAY.replace("A 192.0.2.2", "A 192.0.2")).unwrap_err().starts_with("line 26: "));
    }

    #[test]
    fn comments_begin_outside_quotes() {
        for (line, want) in [("a ; b", "a "), ("a \"x;y\" ; b", "a \"x;y\" "), (";", ""), ("a", "a")] {
            assert_eq!(without_comment(line, ';'), want);
        }
    }
}
