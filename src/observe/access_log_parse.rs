//! A line of the access log back to its record. What a program reads that filters a log, and the proof that
//! no request can write a line that means something else.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use super::access_log::{FLAGS, LogRecord};
use super::event::{ExchangeResult, RecursionFacts, Security, Source, Transfer, Transport, UpstreamExchange};
use crate::clock::Unix;
use crate::dns::{ErrorCode, Question, Rcode, RrClass, Serial};

/// A record that owns what it tells; see [`LogRecord`] for the fields. Times are as exact as they were written.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub struct OwnedRecord {
    pub time: Unix,
    pub client: SocketAddr,
    pub transport: Transport,
    pub question: Option<Question>,
    pub rcode: Rcode,
    pub source: Source,
    pub took: Duration,
    pub octets: u32,
    pub flags: u16,
    pub security: Option<Security>,
    pub extended_error: Option<ErrorCode>,
    pub recursion: Option<RecursionFacts>,
    pub transfer: Option<Transfer>,
}

impl OwnedRecord {
    /// The borrowed form, which can be formatted.
    pub fn as_ref(&self) -> LogRecord<'_> {
        LogRecord {
            time: self.time,
            client: self.client,
            transport: self.transport,
            question: self.question.as_ref().map(Question::as_ref),
            rcode: self.rcode,
            source: self.source,
            took: self.took,
            octets: self.octets,
            flags: self.flags,
            security: self.security,
            extended_error: self.extended_error,
            recursion: self.recursion.as_ref(),
            transfer: self.transfer,
        }
    }
}

/// The column of a line that cannot be read, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadColumn(pub &'static str);

impl fmt::Display for BadColumn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a line of the access log: {}", self.0)
    }
}

impl std::error::Error for BadColumn {}

/// Reads a line, with or without its newline. Keys it does not know are passed over: a newer server may have
/// written them. Marker lines (`# dropped 12`) are not records.
pub fn parse(line: &str) -> Result<OwnedRecord, BadColumn> {
    let mut columns = line.strip_suffix('\n').unwrap_or(line).split(' ');
    let mut next = |name| columns.next().ok_or(BadColumn(name)).map(|text| (name, text));
    let mut record = OwnedRecord {
        time: read(next("time")?, time_of)?,
        client: read(next("client")?, client_of)?,
        transport: read(next("transport")?, |text| word_of(&Transport::WORDS, text))?,
        question: question_of(next("qname")?, next("qtype")?)?,
        rcode: read(next("rcode")?, parsed)?,
        source: read(next("source")?, |text| word_of(&Source::WORDS, text))?,
        took: read(next("duration")?, duration_of)?,
        octets: read(next("bytes")?, parsed)?,
        flags: read(next("flags")?, flags_of)?,
        security: read(next("dnssec")?, |text| unless_empty(text, |text| word_of(&Security::WORDS, text)))?,
        extended_error: read(next("ede")?, |text| unless_empty(text, |text| parsed(text).map(ErrorCode)))?,
        recursion: None,
        transfer: None,
    };
    let mut exchanges = Vec::new();
    for fact in columns {
        match fact.split_once('=').ok_or(BadColumn("key=value"))? {
            ("up", text) => exchanges = read(("up", text), exchanges_of)?,
            ("tries", text) => {
                let tries = read(("tries", text), parsed)?;
                record.recursion = Some(RecursionFacts { exchanges: std::mem::take(&mut exchanges), tries });
            }
            ("serial", text) => {
                let serial = Serial(read(("serial", text), parsed)?);
                record.transfer = Some(Transfer { serial, is_whole: true });
            }
            ("transfer", "aborted") => {
                record.transfer.as_mut().ok_or(BadColumn("transfer"))?.is_whole = false;
            }
            _ => {}
        }
    }
    Ok(record)
}

fn read<T>(
    (name, text): (&'static str, &str),
    reader: impl FnOnce(&str) -> Option<T>,
) -> Result<T, BadColumn> {
    reader(text).ok_or(BadColumn(name))
}

fn parsed<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

/// `-` is an empty column.
fn unless_empty<T>(text: &str, reader: impl FnOnce(&str) -> Option<T>) -> Option<Option<T>> {
    match text {
        "-" => Some(None),
        text => reader(text).map(Some),
    }
}

fn word_of<T: Copy>(words: &[(T, &str)], text: &str) -> Option<T> {
    words.iter().find(|(_, word)| *word == text).map(|(value, _)| *value)
}

fn question_of(
    qname: (&'static str, &str),
    qtype: (&'static str, &str),
) -> Result<Option<Question>, BadColumn> {
    match (qname.1, qtype.1) {
        ("-", "-") => return Ok(None),
        ("-", _) => return Err(BadColumn(qname.0)),
        _ => {}
    }
    let name = read(qname, parsed)?;
    let (class, rr_type) = match qtype.1.split_once('/') {
        Some((class, rr_type)) => (read((qtype.0, class), parsed)?, rr_type),
        None => (RrClass::IN, qtype.1),
    };
    Ok(Some(Question { name, rr_type: read((qtype.0, rr_type), parsed)?, class }))
}

fn client_of(text: &str) -> Option<SocketAddr> {
    let (address, port) = text.split_once('#')?;
    Some(SocketAddr::new(address.parse().ok()?, port.parse().ok()?))
}

fn flags_of(text: &str) -> Option<u16> {
    if text == "-" {
        return Some(0);
    }
    text.split(',').try_fold(0, |flags, word| {
        FLAGS.iter().find(|(_, known)| known.as_slice() == word.as_bytes()).map(|(bit, _)| flags | bit)
    })
}

fn exchanges_of(text: &str) -> Option<Vec<UpstreamExchange>> {
    text.split(',').map(exchange_of).collect()
}

fn exchange_of(text: &str) -> Option<UpstreamExchange> {
    let (server, result) = text.split_once('/')?;
    let server = match server.contains('#') {
        true => client_of(server)?,
        false => SocketAddr::new(server.parse::<IpAddr>().ok()?, 53),
    };
    let result = match result {
        "lame" => ExchangeResult::Lame,
        "timeout" => ExchangeResult::Timeout,
        "unreachable" => ExchangeResult::Unreachable,
        "malformed" => ExchangeResult::Malformed,
        _ => match duration_of(result) {
            Some(time) => ExchangeResult::Answered(time),
            None => ExchangeResult::Failed(parsed(result)?),
        },
    };
    Some(UpstreamExchange { server, result })
}

fn duration_of(text: &str) -> Option<Duration> {
    let digits = text.find(|character: char| !character.is_ascii_digit())?;
    let value = parsed(&text[..digits])?;
    match &text[digits..] {
        "us" => Some(Duration::from_micros(value)),
        "ms" => Some(Duration::from_millis(value)),
        "s" => Some(Duration::from_secs(value)),
        _ => None,
    }
}

fn time_of(text: &str) -> Option<Unix> {
    const PATTERN: &[u8] = b"0000-00-00T00:00:00.000000Z";
    let octets = text.as_bytes();
    let fits = |(octet, pattern): (&u8, &u8)| match pattern {
        b'0' => octet.is_ascii_digit(),
        _ => octet == pattern,
    };
    if octets.len() != PATTERN.len() || !octets.iter().zip(PATTERN).all(fits) {
        return None;
    }
    let number = |from: usize, to: usize| parsed::<u64>(&text[from..to]);
    let days = day_of(number(0, 4)?, number(5, 7)?, number(8, 10)?)?;
    let (hours, minutes, seconds) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    if hours > 23 || minutes > 59 || seconds > 59 {
        return None;
    }
    let seconds = days * 86_400 + hours * 3600 + minutes * 60 + seconds;
    let micros = seconds.checked_mul(1_000_000)?.checked_add(number(20, 26)?)?;
    micros.checked_mul(1000).map(Unix)
}

/// Days from 1970-01-01 to a Gregorian date, none for a date that does not exist.
fn day_of(year: u64, month: u64, day: u64) -> Option<u64> {
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let lengths = [31, if is_leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let month = usize::try_from(month).ok()?.checked_sub(1)?;
    if year < 1970 || day < 1 || day > *lengths.get(month)? {
        return None;
    }
    // Leap days before this year, less the 477 before 1970.
    let leap_days = (year - 1) / 4 - (year - 1) / 100 + (year - 1) / 400 - 477;
    Some((year - 1970) * 365 + leap_days + lengths[..month].iter().sum::<u64>() + day - 1)
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use proptest::prelude::*;

    use super::super::access_log::format;
    use super::*;
    use crate::dns::{Name, RrType};
    use crate::limits;

    fn line(record: &LogRecord<'_>) -> String {
        let mut room = [0; limits::ACCESS_LOG_LINE];
        let length = format(record, &mut room);
        String::from_utf8(room[..length].to_vec()).expect("lines are ASCII")
    }

    fn any_name() -> impl Strategy<Value = Name> {
        let label = prop_oneof![
            proptest::collection::vec(any::<u8>(), 1..20),
            "[a-z0-9-]{1,12}".prop_map(String::into_bytes),
            Just(b"# dropped 9".to_vec()),
            Just(b"\r\n2026-11-21T".to_vec()),
        ];
        proptest::collection::vec(label, 0..6).prop_map(|labels| {
            let mut octets: Vec<u8> =
                labels.iter().flat_map(|label| [&[label.len() as u8], label.as_slice()].concat()).collect();
            octets.push(0);
            Name::from_wire(&octets).expect("six labels of under twenty octets fit")
        })
    }

    fn any_address() -> impl Strategy<Value = SocketAddr> {
        let address = prop_oneof![
            any::<[u8; 4]>().prop_map(|octets| IpAddr::V4(Ipv4Addr::from(octets))),
            any::<[u8; 16]>().prop_map(|octets| IpAddr::V6(Ipv6Addr::from(octets))),
        ];
        (address, prop_oneof![any::<u16>(), Just(53)]).prop_map(SocketAddr::from)
    }

    /// Durations that lose nothing when they are written.
    fn any_duration() -> impl Strategy<Value = Duration> {
        prop_oneof![
            (0..1000u64).prop_map(Duration::from_micros),
            (1..10_000u64).prop_map(Duration::from_millis),
            (10..=u64::MAX).prop_map(Duration::from_secs),
        ]
    }

    fn any_recursion() -> impl Strategy<Value = RecursionFacts> {
        let result = prop_oneof![
            any_duration().prop_map(ExchangeResult::Answered),
            any::<u16>().prop_map(|rcode| ExchangeResult::Failed(Rcode(rcode))),
            Just(ExchangeResult::Lame),
            Just(ExchangeResult::Timeout),
            Just(ExchangeResult::Unreachable),
            Just(ExchangeResult::Malformed),
        ];
        let exchange =
            (any_address(), result).prop_map(|(server, result)| UpstreamExchange { server, result });
        (proptest::collection::vec(exchange, 0..=limits::ACCESS_LOG_EXCHANGES), any::<u32>())
            .prop_map(|(exchanges, tries)| RecursionFacts { exchanges, tries })
    }

    fn any_record() -> impl Strategy<Value = OwnedRecord> {
        let question = (any_name(), any::<u16>(), prop_oneof![Just(1), any::<u16>()]).prop_map(
            |(name, rr_type, class)| Question { name, rr_type: RrType(rr_type), class: RrClass(class) },
        );
        let flags = any::<u16>().prop_map(|flags| flags & FLAGS.iter().fold(0, |all, (bit, _)| all | bit));
        let words = (
            prop::sample::select(&Transport::WORDS[..]),
            prop::sample::select(&Source::WORDS[..]),
            prop::option::of(prop::sample::select(&Security::WORDS[..])),
        );
        (
            (any::<u64>(), any_address(), words, prop::option::of(question), any::<u16>()),
            (any_duration(), any::<u32>(), flags, prop::option::of(any::<u16>())),
            prop::option::of(any_recursion()),
            prop::option::of((any::<u32>(), any::<bool>())),
        )
            .prop_map(
                |(
                    (time, client, words, question, rcode),
                    (took, octets, flags, ede),
                    recursion,
                    transfer,
                )| {
                    let (transport, source, security) = words;
                    let transfer = transfer.filter(|_| recursion.is_none());
                    let transfer =
                        transfer.map(|(serial, is_whole)| Transfer { serial: Serial(serial), is_whole });
                    OwnedRecord {
                        time: Unix(time / 1000 * 1000),
                        client,
                        transport: transport.0,
                        question,
                        rcode: Rcode(rcode),
                        source: source.0,
                        took,
                        octets,
                        flags,
                        security: security.map(|(security, _)| security),
                        extended_error: ede.map(ErrorCode),
                        recursion,
                        transfer,
                    }
                },
            )
    }

    proptest! {
        #[test]
        fn each_line_reads_back_as_its_record(record in any_record()) {
            let text = line(&record.as_ref());
            let read = parse(&text).unwrap();
            prop_assert_eq!(&read, &record);
            // Equality of names ignores case; the line does not.
            prop_assert_eq!(line(&read.as_ref()), text);
        }

        #[test]
        fn no_request_can_forge_a_line(record in any_record()) {
            let text = line(&record.as_ref());
            let inner = text.strip_suffix('\n').unwrap();
            prop_assert!(inner.bytes().all(|octet| matches!(octet, 0x20..=0x7e)), "{}", text);
            prop_assert!(!inner.contains(['<', '>', '"', '\'', '&', '`']), "{}", text);
            prop_assert!(inner.split(' ').count() >= 12 && !inner.contains("  "));
            prop_assert!(!inner.starts_with('#'));
        }

        #[test]
        fn any_text_reads_as_a_record_or_is_refused(text in "[ -~]{0,80}", at in 0usize..200, other: char) {
            let _ = parse(&text);
            let mut damaged: Vec<char> = GOOD.chars().collect();
            let at = at % damaged.len();
            damaged[at] = other;
            let _ = parse(&damaged.into_iter().collect::<String>());
        }
    }

    const GOOD: &str = "2026-11-21T00:28:03.417262Z 192.0.2.7#53211 udp www.example.com. A NOERROR cache 41us 59 \
        qr,rd,ra secure - up=192.0.2.1/18ms,[x]/timeout tries=4";

    #[test]
    fn a_line_that_is_none_names_its_column() {
        let good = "2026-11-21T00:28:03.417262Z 192.0.2.7#53211 udp www.example.com. A NOERROR cache 41us 59 qr,rd - 6";
        assert_eq!(parse(good).unwrap().extended_error, Some(ErrorCode(6)));
        assert_eq!(parse(&format!("{good} view=lan ttl=212")), parse(good), "keys of a newer server");
        for (from, to, column) in [
            ("2026-11-21T", "2026-02-29T", "time"),
            ("2026-11-21T", "2026-13-21T", "time"),
            ("2026-11-21T", "1969-11-21T", "time"),
            ("2026-11-21T", "2600-11-21T", "time"),
            ("T00:28", "T24:28", "time"),
            ("#53211", "", "client"),
            ("udp", "UDP", "transport"),
            ("www.example.com.", "a..b.", "qname"),
            ("www.example.com.", "-", "qname"),
            (" A ", " NONSENSE ", "qtype"),
            ("NOERROR", "-", "rcode"),
            ("cache", "cash", "source"),
            ("41us", "41", "duration"),
            ("41us", "us", "duration"),
            (" 59 ", " 5.9 ", "bytes"),
            ("qr,rd", "qr,,rd", "flags"),
            (" - 6", " maybe 6", "dnssec"),
            (" - 6", " - six", "ede"),
            (" - 6", " -", "ede"),
            (" - 6", " - 6 up=x/1ms", "up"),
            (" - 6", " - 6 word", "key=value"),
        ] {
            assert_eq!(parse(&good.replace(from, to)), Err(BadColumn(column)), "{from} -> {to}");
        }
        assert_eq!(parse("# dropped 12"), Err(BadColumn("time")));
        assert_eq!(parse(""), Err(BadColumn("time")));
    }
}
