//! The OPT record (RFC 6891 6.1): read from requests and replies, written into responses.

use super::{WireError, u16_at};
use crate::dns::edns::option;
use crate::dns::{Edns, ErrorCode, ExtendedError, Rcode, RrType};
use crate::limits;

/// Octets of an OPT record without options.
pub const OPT_OCTETS: usize = 11;

/// An OPT record as it arrived: the fixed part decoded, the options still octets.
#[derive(Debug, Clone, Copy)]
pub struct Opt<'a> {
    /// Size, version and DO.
    pub edns: Edns,
    /// The upper eight bits of the response code.
    pub extended_rcode: u8,
    options: &'a [u8],
}

impl<'a> Opt<'a> {
    /// From the class, TTL and RDATA of an OPT record. Options must fill the RDATA exactly.
    pub fn read(class: u16, ttl: u32, options: &'a [u8]) -> Result<Opt<'a>, WireError> {
        let [extended_rcode, version, flags, _] = ttl.to_be_bytes();
        let edns = Edns { udp_payload_size: class.max(512), version, dnssec_ok: flags & 0x80 != 0 };
        let opt = Opt { edns, extended_rcode, options };
        // An option that overruns the record makes the whole message malformed, wherever it stands.
        let mut at = 0;
        while at < options.len() {
            at += 4 + usize::from(u16_at(options, at + 2)?);
        }
        if at == options.len() { Ok(opt) } else { Err(WireError::Rdata) }
    }

    /// The options, at most [`limits::EDNS_OPTIONS`] of them.
    pub fn options(self) -> impl Iterator<Item = (u16, &'a [u8])> {
        let mut rest = self.options;
        let options = std::iter::from_fn(move || {
            let (code, length) = (u16_at(rest, 0).ok()?, u16_at(rest, 2).ok()?);
            let data = rest.get(4..4 + usize::from(length))?;
            rest = &rest[4 + data.len()..];
            Some((code, data))
        });
        options.take(limits::EDNS_OPTIONS)
    }

    /// What a request asks for by its options; none when a COOKIE has a length that cannot be (RFC 7873 5.2.2).
    pub fn wishes(self) -> Option<Wishes<'a>> {
        let mut wishes = Wishes::default();
        for (code, data) in self.options() {
            match code {
                option::NSID => wishes.nsid = true,
                option::EXPIRE => wishes.expire = true,
                option::ZONEVERSION => wishes.zone_version = true,
                // RFC 7873 5.2: of several the first is meant.
                option::COOKIE if wishes.cookie.is_none() => wishes.cookie = Some(RequestCookie::read(data)?),
                _ => {}
            }
        }
        Some(wishes)
    }

    /// The extended error, if the message carries one.
    pub fn extended_error(self) -> Option<(ErrorCode, &'a [u8])> {
        let (_, data) = self.options().find(|(code, _)| *code == option::EXTENDED_ERROR)?;
        Some((ErrorCode(u16_at(data, 0).ok()?), &data[2..]))
    }
}

/// What a request asks for by the options of its OPT record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wishes<'a> {
    /// Which server this is (RFC 5001).
    pub nsid: bool,
    /// How long a secondary may serve the zone (RFC 7314).
    pub expire: bool,
    /// From which version of the zone the answer is (RFC 9660).
    pub zone_version: bool,
    /// The client's cookie, and perhaps ours (RFC 7873).
    pub cookie: Option<RequestCookie<'a>>,
}

/// The COOKIE option of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestCookie<'a> {
    /// What the client chose for this server.
    pub client: [u8; 8],
    /// What the client believes to be from this server: nothing, or 8 to 32 octets.
    pub server: &'a [u8],
}

impl<'a> RequestCookie<'a> {
    /// RFC 7873 section 4: 8 octets alone, or 16 to 40 with the server's part.
    fn read(data: &'a [u8]) -> Option<RequestCookie<'a>> {
        let (client, server) = data.split_first_chunk()?;
        (server.is_empty() || (8..=32).contains(&server.len()))
            .then_some(RequestCookie { client: *client, server })
    }
}

/// The OPT record of a message we send.
#[derive(Debug, Clone, Copy, Default)]
pub struct OptToWrite<'e> {
    /// The UDP payload size we take.
    pub udp_payload_size: u16,
    /// The DO bit; a response repeats that of its request (RFC 3225 section 3).
    pub dnssec_ok: bool,
    /// The name of this server (RFC 5001), at most [`limits::IDENTITY`] octets.
    pub nsid: Option<&'e [u8]>,
    /// The client's part and ours (RFC 7873).
    pub cookie: Option<[u8; 24]>,
    /// Seconds (RFC 7314).
    pub expire: Option<u32>,
    /// The zone's label count and serial (RFC 9660).
    pub zone_version: Option<(u8, u32)>,
    /// Sent along when there is room.
    pub extended_error: Option<&'e ExtendedError>,
}

impl OptToWrite<'_> {
    /// The octets the record has without the extended error. A response without EDNS has room for all of them.
    pub fn octets(&self) -> usize {
        let of = |data: Option<usize>| data.map_or(0, |octets| 4 + octets);
        OPT_OCTETS
            + of(self.nsid.map(<[u8]>::len))
            + of(self.cookie.map(|cookie| cookie.len()))
            + of(self.expire.map(|_| 4))
            + of(self.zone_version.map(|_| 6))
    }

    /// Writes the record at the front of `out` and returns its octets. `out` has room for [`OptToWrite::octets`] at
    /// least; the extended error loses its text, then goes altogether, when it does not fit.
    pub fn write(&self, rcode: Rcode, out: &mut [u8]) -> usize {
        let mut end = OPT_OCTETS;
        let mut push = |code: u16, data: &[u8]| {
            let length = data.len() as u16;
            out[end..end + 2].copy_from_slice(&code.to_be_bytes());
            out[end + 2..end + 4].copy_from_slice(&length.to_be_bytes());
            out[end + 4..end + 4 + data.len()].copy_from_slice(data);
            end += 4 + data.len();
        };
        if let Some(nsid) = self.nsid {
            push(option::NSID, nsid);
        }
        if let Some(cookie) = self.cookie {
            push(option::COOKIE, &cookie);
        }
        if let Some(seconds) = self.expire {
            push(option::EXPIRE, &seconds.to_be_bytes());
        }
        if let Some((labels, serial)) = self.zone_version {
            // RFC 9660 section 2: the labels of the zone's name, type 0 (SOA-SERIAL), the serial.
            let [a, b, c, d] = serial.to_be_bytes();
            push(option::ZONEVERSION, &[labels, 0, a, b, c, d]);
        }
        end += self.write_extended_error(&mut out[end..]);
        let mut head = [0; OPT_OCTETS];
        head[1..3].copy_from_slice(&RrType::OPT.0.to_be_bytes());
        head[3..5].copy_from_slice(&self.udp_payload_size.to_be_bytes());
        head[5] = (rcode.0 >> 4) as u8;
        head[7] = if self.dnssec_ok { 0x80 } else { 0 };
        head[9..11].copy_from_slice(&((end - OPT_OCTETS) as u16).to_be_bytes());
        out[..OPT_OCTETS].copy_from_slice(&head);
        end
    }

    fn write_extended_error(&self, room: &mut [u8]) -> usize {
        let Some(error) = self.extended_error.filter(|_| room.len() >= 6) else { return 0 };
        let text = error.text.as_bytes();
        let text = if 6 + text.len() <= room.len() { text } else { &[] };
        let length = 2 + text.len() as u16;
        room[..2].copy_from_slice(&option::EXTENDED_ERROR.to_be_bytes());
        room[2..4].copy_from_slice(&length.to_be_bytes());
        room[4..6].copy_from_slice(&error.code.0.to_be_bytes());
        room[6..6 + text.len()].copy_from_slice(text);
        6 + text.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(octets: &[u8]) -> Option<Vec<(u16, Vec<u8>)>> {
        let opt = Opt::read(1232, 0x0000_8000, octets).ok()?;
        assert!(opt.edns.dnssec_ok && opt.edns.version == 0);
        Some(opt.options().map(|(code, data)| (code, data.to_vec())).collect())
    }

    #[test]
    fn options_must_fill_their_record() {
        assert_eq!(options(b""), Some(vec![]));
        assert_eq!(options(b"\0\x03\0\0\0\x09\0\x01x"), Some(vec![(3, vec![]), (9, b"x".to_vec())]));
        for octets in [&b"\0\x03\0\x09"[..], b"\0\x03", b"\0\x03\0\0\0"] {
            assert_eq!(options(octets), None, "{octets:?}");
        }
    }

    #[test]
    fn options_are_read_up_to_their_bound() {
        let many = b"\0\x03\0\0".repeat(limits::EDNS_OPTIONS + 1);
        assert_eq!(options(&many).unwrap().len(), limits::EDNS_OPTIONS);
    }

    #[test]
    fn an_extended_error_gives_way_when_there_is_no_room() {
        let error = ExtendedError::new(ErrorCode::PROHIBITED, "not for you");
        let opt =
            OptToWrite { udp_payload_size: 1232, extended_error: Some(&error), ..OptToWrite::default() };
        for (room, want) in
            [(64, OPT_OCTETS + 17), (OPT_OCTETS + 16, OPT_OCTETS + 6), (OPT_OCTETS + 5, OPT_OCTETS)]
        {
            assert_eq!(opt.write(Rcode::REFUSED, &mut vec![0; room]), want);
        }
    }
    #[test]
    fn options_are_written_as_they_are_read() {
        let opt = OptToWrite {
            udp_payload_size: 1232,
            nsid: Some(b"ns1"),
            cookie: Some(*b"clientckserver-cookie-16"),
            expire: Some(604_800),
            zone_version: Some((2, 7)),
            ..OptToWrite::default()
        };
        let mut out = [0xff; 128];
        assert_eq!(opt.write(Rcode::NOERROR, &mut out), opt.octets());
        let read = options(&out[OPT_OCTETS..opt.octets()]).unwrap();
        let want: [(u16, &[u8]); 4] = [
            (3, b"ns1"),
            (10, b"clientckserver-cookie-16"),
            (9, &[0, 9, 0x3a, 0x80]),
            (19, &[2, 0, 0, 0, 0, 7]),
        ];
        assert!(read.iter().map(|(code, data)| (*code, &data[..])).eq(want), "{read:?}");
    }

    #[test]
    fn all_options_together_fit_into_the_smallest_response() {
        let opt = OptToWrite {
            nsid: Some(&[0; limits::IDENTITY]),
            cookie: Some([0; 24]),
            expire: Some(0),
            zone_version: Some((0, 0)),
            ..OptToWrite::default()
        };
        assert!(12 + 255 + 4 + opt.octets() <= 512);
    }

    #[test]
    fn wishes_are_understood_and_a_cookie_of_another_length_is_not() {
        let wishes = |octets: &[u8]| Opt::read(1232, 0, octets).unwrap().wishes().map(|w| format!("{w:?}"));
        let plain = wishes(b"\0\x03\0\0\0\x09\0\0\0\x13\0\0").unwrap();
        assert_eq!(plain.matches("true").count(), 3, "{plain}");
        for (octets, sound) in
            [(7, false), (8, true), (9, false), (15, false), (16, true), (40, true), (41, false)]
        {
            let cookie = [&b"\0\x0a\0"[..], &[octets], &vec![7; octets.into()]].concat();
            assert_eq!(wishes(&cookie).is_some(), sound, "{octets}");
        }
    }
}
