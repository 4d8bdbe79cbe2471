//! One line per request. The format is a contract (`tests/golden/access_log.txt`): the columns never change,
//! new facts come as `key=value` at the end.
//!
//! `time client transport qname qtype rcode source duration bytes flags dnssec ede [key=value ...]`

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::event::{
    Event, ExchangeResult, RecursionFacts, Security, Source, Transfer, Transport, UpstreamExchange,
};
use crate::clock::Unix;
use crate::dns::name_text::write_octet;
use crate::dns::{ErrorCode, NameRef, QuestionRef, Rcode, RrClass};
use crate::limits;

/// Header flags in the order they are written, with their bits in the second two octets of a header.
/// Opcode and RCODE stand between them and are not flags.
pub const FLAGS: [(u16, &[u8; 2]); 7] = [
    (0x8000, b"qr"),
    (0x0400, b"aa"),
    (0x0200, b"tc"),
    (0x0100, b"rd"),
    (0x0080, b"ra"),
    (0x0020, b"ad"),
    (0x0010, b"cd"),
];

/// The facts of one line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LogRecord<'a> {
    /// When the request was received; written to the microsecond.
    pub time: Unix,
    /// Who asked.
    pub client: SocketAddr,
    /// Through which door.
    pub transport: Transport,
    /// What was asked, none when it could not be read.
    pub question: Option<QuestionRef<'a>>,
    /// The response code.
    pub rcode: Rcode,
    /// Where the answer came from.
    pub source: Source,
    /// From receipt to response; written in whole microseconds below a millisecond, whole milliseconds below
    /// ten seconds, whole seconds above.
    pub took: Duration,
    /// Octets of the response.
    pub octets: u32,
    /// The second two octets of the response's header; only [`FLAGS`] are written.
    pub flags: u16,
    /// What validation found.
    pub security: Option<Security>,
    /// INFO-CODE of the extended error.
    pub extended_error: Option<ErrorCode>,
    /// What recursion did.
    pub recursion: Option<&'a RecursionFacts>,
    /// The zone transfer this was. Nothing is written of it beside what recursion did.
    pub transfer: Option<Transfer>,
}

impl<'a> LogRecord<'a> {
    /// The record of an event; `request` is what the event's question stands in.
    pub fn of(
        event: &'a Event,
        request: &'a [u8],
        client: SocketAddr,
        transport: Transport,
        received: Unix,
        took: Duration,
    ) -> LogRecord<'a> {
        LogRecord {
            time: received,
            client,
            transport,
            question: event.question.and_then(|place| place.question(request)),
            rcode: event.rcode,
            source: event.source,
            took,
            octets: event.octets,
            flags: event.flags,
            security: event.security,
            extended_error: event.extended_error,
            recursion: event.recursion.as_deref(),
            transfer: event.transfer,
        }
    }
}

/// Room for any line.
pub type LineRoom = [u8; limits::ACCESS_LOG_LINE];

/// Writes the line of `record` with its newline to the front of `room`, and returns its length. Allocates nothing.
pub fn format(record: &LogRecord<'_>, room: &mut LineRoom) -> usize {
    let mut line = Line { room, length: 0 };
    line.time(record.time);
    line.push(b' ');
    line.client(record.client);
    line.word(record.transport.word());
    match record.question {
        Some(question) => line.question(question),
        None => line.text(b" - -"),
    }
    line.known(record.rcode.mnemonic(), &record.rcode);
    line.word(record.source.word());
    line.push(b' ');
    line.duration(record.took);
    line.push(b' ');
    line.integer(u64::from(record.octets));
    line.push(b' ');
    line.flags(record.flags);
    line.word(record.security.map_or("-", Security::word));
    line.push(b' ');
    match record.extended_error {
        Some(error) => line.integer(u64::from(error.0)),
        None => line.push(b'-'),
    }
    match (record.recursion, record.transfer) {
        (Some(recursion), _) => line.recursion(recursion),
        (None, Some(transfer)) => line.transfer(transfer),
        (None, None) => {}
    }
    line.push(b'\n');
    line.length
}

/// A line being written.
struct Line<'r> {
    room: &'r mut LineRoom,
    length: usize,
}

impl Line<'_> {
    fn push(&mut self, octet: u8) {
        self.room[self.length] = octet;
        self.length += 1;
    }

    fn text(&mut self, text: &[u8]) {
        self.room[self.length..self.length + text.len()].copy_from_slice(text);
        self.length += text.len();
    }

    /// For what is rare or has a writer already.
    fn formatted(&mut self, text: fmt::Arguments<'_>) {
        fmt::write(self, text).expect("a line takes any text that fits, and the room fits all lines");
    }

    fn word(&mut self, word: &str) {
        self.push(b' ');
        self.text(word.as_bytes());
    }

    /// A mnemonic, or the generic form of a number that has none.
    fn known(&mut self, mnemonic: Option<&str>, number: &impl fmt::Display) {
        match mnemonic {
            Some(mnemonic) => self.word(mnemonic),
            None => self.formatted(format_args!(" {number}")),
        }
    }

    fn question(&mut self, question: QuestionRef<'_>) {
        self.push(b' ');
        self.name(question.name);
        match question.class {
            RrClass::IN => self.known(question.rr_type.mnemonic(), &question.rr_type),
            class => self.formatted(format_args!(" {class}/{}", question.rr_type)),
        }
    }

    fn name(&mut self, name: NameRef<'_>) {
        for label in name.labels() {
            for &octet in label {
                match octet {
                    b'a'..=b'z' | b'0'..=b'9' | b'A'..=b'Z' | b'-' | b'_' => self.push(octet),
                    _ => self.unusual_octet(octet),
                }
            }
            self.push(b'.');
        }
        if name.is_root() {
            self.push(b'.');
        }
    }

    /// Presentation form, and besides what that escapes nothing a browser or a shell could be led astray with
    /// stands for itself: a log is shown in dashboards and cut up by scripts.
    fn unusual_octet(&mut self, octet: u8) {
        match octet {
            b'"' | b'\'' | b'<' | b'>' | b'&' | b'`' => self.formatted(format_args!("\\{octet:03}")),
            _ => write_octet(octet, self).expect("a line takes any text that fits"),
        }
    }

    fn client(&mut self, client: SocketAddr) {
        self.address(client.ip());
        self.push(b'#');
        self.integer(u64::from(client.port()));
    }

    fn address(&mut self, address: IpAddr) {
        match address {
            IpAddr::V4(address) => {
                let [a, b, c, d] = address.octets();
                self.integer(u64::from(a));
                for octet in [b, c, d] {
                    self.push(b'.');
                    self.integer(u64::from(octet));
                }
            }
            IpAddr::V6(address) => self.formatted(format_args!("{address}")),
        }
    }

    fn flags(&mut self, flags: u16) {
        let before = self.length;
        for (bit, &[first, second]) in FLAGS {
            if flags & bit != 0 {
                self.text(&[first, second, b',']);
            }
        }
        match self.length == before {
            true => self.push(b'-'),
            // The last comma.
            false => self.length -= 1,
        }
    }

    /// ` up=SERVER/RESULT,... tries=N`: a result is the time of a usable reply, a word, or the RCODE of a failure.
    fn recursion(&mut self, recursion: &RecursionFacts) {
        let exchanges = recursion.exchanges.iter().take(limits::ACCESS_LOG_EXCHANGES);
        for (place, exchange) in exchanges.enumerate() {
            self.text(if place == 0 { b" up=" } else { b"," });
            self.exchange(exchange);
        }
        self.text(b" tries=");
        self.integer(u64::from(recursion.tries));
    }

    /// ` serial=N`, and ` transfer=aborted` when not all of that version was sent.
    fn transfer(&mut self, transfer: Transfer) {
        self.text(b" serial=");
        self.integer(u64::from(transfer.serial.0));
        if !transfer.is_whole {
            self.text(b" transfer=aborted");
        }
    }

    fn exchange(&mut self, exchange: &UpstreamExchange) {
        match exchange.server.port() {
            53 => self.address(exchange.server.ip()),
            _ => self.client(exchange.server),
        }
        self.push(b'/');
        match exchange.result {
            ExchangeResult::Answered(time) => self.duration(time),
            ExchangeResult::Lame => self.text(b"lame"),
            ExchangeResult::Timeout => self.text(b"timeout"),
            ExchangeResult::Unreachable => self.text(b"unreachable"),
            ExchangeResult::Malformed => self.text(b"malformed"),
            ExchangeResult::Failed(rcode) => self.formatted(format_args!("{rcode}")),
        }
    }

    /// An integer with its unit: the unit grows so that no more than four digits are read.
    fn duration(&mut self, duration: Duration) {
        let (value, unit) = match duration.as_secs() {
            0 if duration.subsec_micros() < 1000 => (u64::from(duration.subsec_micros()), &b"us"[..]),
            seconds @ 0..10 => (seconds * 1000 + u64::from(duration.subsec_millis()), &b"ms"[..]),
            seconds => (seconds, &b"s"[..]),
        };
        self.integer(value);
        self.text(unit);
    }

    /// `2026-11-21T00:28:03.417262Z` (RFC 3339, in UTC).
    fn time(&mut self, time: Unix) {
        let seconds = time.seconds();
        let micros = (time.0 / 1000 % 1_000_000) as u32;
        let (year, month, day) = date_of(seconds / 86_400);
        let of_day = (seconds % 86_400) as u32;
        let mut text = *b"0000-00-00T00:00:00.000000Z";
        let mut pair = |at: usize, value: u32| {
            text[at] = b'0' + (value / 10) as u8;
            text[at + 1] = b'0' + (value % 10) as u8;
        };
        pair(0, year / 100);
        pair(2, year % 100);
        pair(5, month);
        pair(8, day);
        pair(11, of_day / 3600);
        pair(14, of_day / 60 % 60);
        pair(17, of_day % 60);
        pair(20, micros / 10_000);
        pair(22, micros / 100 % 100);
        pair(24, micros % 100);
        self.text(&text);
    }

    fn integer(&mut self, mut value: u64) {
        // 20 digits hold 2^64 - 1.
        let mut digits = [0; 20];
        let mut at = digits.len();
        loop {
            at -= 1;
            digits[at] = b'0' + (value % 10) as u8;
            value /= 10;
            if value == 0 {
                break;
            }
        }
        self.text(&digits[at..]);
    }
}

impl fmt::Write for Line<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.text(text.as_bytes());
        Ok(())
    }
}

/// The Gregorian date of a day since 1970-01-01. Years are counted from March, so that the leap day ends one,
/// and in cycles of 400 years of 146,097 days. [`Unix`] ends in 2554, so four digits hold every year.
pub fn date_of(day: u64) -> (u32, u32, u32) {
    // 719,468 days lie between 0000-03-01 and 1970-01-01; the sum is below 2^20 for every Unix.
    let day = day as u32 + 719_468;
    let (cycle, of_cycle) = (day / 146_097, day % 146_097);
    let year_of_cycle = (of_cycle - of_cycle / 1460 + of_cycle / 36_524 - of_cycle / 146_096) / 365;
    let of_year = of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
    // From March on, five months have 153 days.
    let march_month = (5 * of_year + 2) / 153;
    let day_of_month = of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = cycle * 400 + year_of_cycle + u32::from(month <= 2);
    (year, month, day_of_month)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::{Name, Question, RrType, Serial};
    use crate::observe::access_log_parse::parse;

    fn question(name: &str, rr_type: RrType) -> Question {
        Question::new(name.parse().unwrap(), rr_type)
    }

    fn line(record: &LogRecord<'_>) -> String {
        let mut room = [0; limits::ACCESS_LOG_LINE];
        let length = format(record, &mut room);
        String::from_utf8(room[..length].to_vec()).unwrap()
    }

    fn written(write: impl FnOnce(&mut Line<'_>)) -> String {
        let mut line = Line { room: &mut [0; limits::ACCESS_LOG_LINE], length: 0 };
        write(&mut line);
        String::from_utf8(line.room[..line.length].to_vec()).unwrap()
    }

    fn base(question: &Question) -> LogRecord<'_> {
        LogRecord {
            // 2026-11-21T00:28:03.417262Z
            time: Unix(1_795_220_883_417_262_999),
            client: "192.0.2.7:53211".parse().unwrap(),
            transport: Transport::Udp,
            question: Some(question.as_ref()),
            rcode: Rcode::NOERROR,
            source: Source::Cache,
            took: Duration::from_nanos(41_900),
            octets: 59,
            flags: 0x81a0,
            security: Some(Security::Secure),
            extended_error: None,
            recursion: None,
            transfer: None,
        }
    }

    #[test]
    fn lines_are_those_of_the_golden_file() {
        let www = question("www.example.com.", RrType::A);
        let broken = question("broken.example.", RrType::AAAA);
        let version = Question { class: RrClass::CH, ..question("version.bind.", RrType::TXT) };
        let forged =
            Question::new(Name::from_wire(b"\x0d \x1b[1m\"<b>\n#;\xff\x03a.B\0").unwrap(), RrType(65280));
        let up = |server: &str, result| UpstreamExchange { server: server.parse().unwrap(), result };
        let recursion = RecursionFacts {
            exchanges: vec![
                up("198.51.100.4:53", ExchangeResult::Answered(Duration::from_millis(18))),
                up("203.0.113.9:53", ExchangeResult::Timeout),
                up("[2001:db8::9]:5353", ExchangeResult::Failed(Rcode::REFUSED)),
                up("192.0.2.99:53", ExchangeResult::Lame),
            ],
            tries: 5,
        };
        let unasked = RecursionFacts::default();
        let axfr = question("example.com.", RrType::AXFR);
        let records = [
            base(&www),
            LogRecord {
                question: Some(broken.as_ref()),
                rcode: Rcode::SERVFAIL,
                source: Source::Recursion,
                took: Duration::from_micros(812_999),
                octets: 45,
                flags: 0x8182,
                security: Some(Security::Bogus),
                extended_error: Some(ErrorCode(6)),
                recursion: Some(&recursion),
                ..base(&broken)
            },
            LogRecord { source: Source::Recursion, security: None, recursion: Some(&unasked), ..base(&www) },
            LogRecord {
                client: "[2001:db8::7]:4044".parse().unwrap(),
                transport: Transport::Tcp,
                source: Source::Authoritative,
                took: Duration::from_micros(3999),
                octets: 20481,
                flags: 0x8400,
                security: None,
                ..base(&www)
            },
            LogRecord {
                rcode: Rcode::REFUSED,
                source: Source::Refused,
                extended_error: Some(ErrorCode(18)),
                security: None,
                ..base(&version)
            },
            LogRecord {
                rcode: Rcode::NXDOMAIN,
                source: Source::NegativeCache,
                security: Some(Security::Insecure),
                flags: 0xffff,
                ..base(&forged)
            },
            LogRecord {
                question: None,
                rcode: Rcode::FORMERR,
                source: Source::Malformed,
                octets: 12,
                flags: 0x8001,
                security: None,
                ..base(&www)
            },
            LogRecord {
                question: None,
                rcode: Rcode(3841),
                source: Source::Dropped,
                took: Duration::from_millis(10_999),
                octets: 0,
                flags: 0,
                security: Some(Security::Indeterminate),
                ..base(&www)
            },
            LogRecord {
                transport: Transport::Tcp,
                source: Source::Authoritative,
                flags: 0x8400,
                security: None,
                transfer: Some(Transfer { serial: Serial(2_026_112_101), is_whole: true }),
                ..base(&axfr)
            },
            LogRecord {
                transport: Transport::Tcp,
                source: Source::Authoritative,
                flags: 0,
                security: None,
                transfer: Some(Transfer { serial: Serial(7), is_whole: false }),
                ..base(&axfr)
            },
        ];
        let text: String = records.iter().map(line).collect();
        assert_eq!(text, include_str!("../../tests/golden/access_log.txt"));
        assert!(text.lines().all(|line| parse(line).is_ok()));
    }

    #[test]
    fn times_are_dates_of_the_gregorian_calendar() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00.000000Z"),
            (951_782_399, "2000-02-28T23:59:59.000000Z"),
            (951_782_400, "2000-02-29T00:00:00.000000Z"),
            (4_107_542_400, "2100-03-01T00:00:00.000000Z"),
            (18_446_744_073, "2554-07-21T23:34:33.000000Z"),
        ] {
            assert_eq!(written(|line| line.time(Unix(seconds * 1_000_000_000))), text);
        }
    }

    #[test]
    fn durations_have_the_unit_that_fits() {
        for (micros, text) in [
            (0, "0us"),
            (999, "999us"),
            (1000, "1ms"),
            (9_999_999, "9999ms"),
            (10_000_000, "10s"),
            (3_600_000_000, "3600s"),
        ] {
            assert_eq!(written(|line| line.duration(Duration::from_micros(micros))), text);
        }
    }

    #[test]
    fn the_longest_line_fits_its_room() {
        let longest = [&b"\x3f"[..], &[0xff; 63]].concat();
        let octets = [&longest.repeat(3)[..], b"\x3d", &[0xff; 61], b"\0"].concat();
        let question = Question {
            name: Name::from_wire(&octets).unwrap(),
            rr_type: RrType(u16::MAX),
            class: RrClass(u16::MAX),
        };
        let server = "[2001:db88:8888:8888:8888:8888:8888:8888]:65535".parse().unwrap();
        let exchange = UpstreamExchange { server, result: ExchangeResult::Answered(Duration::MAX) };
        let recursion = RecursionFacts { exchanges: vec![exchange; 100], tries: u32::MAX };
        let record = LogRecord {
            client: server,
            rcode: Rcode(u16::MAX),
            source: Source::Authoritative,
            took: Duration::MAX,
            octets: u32::MAX,
            flags: u16::MAX,
            security: Some(Security::Indeterminate),
            extended_error: Some(ErrorCode(u16::MAX)),
            recursion: Some(&recursion),
            ..base(&question)
        };
        let text = line(&record);
        assert_eq!(text.matches("2001:").count(), 1 + limits::ACCESS_LOG_EXCHANGES);
    }
}
