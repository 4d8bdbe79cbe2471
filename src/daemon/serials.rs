//! Which serial a version is published with (RFC 1982): never one that other servers would not notice.

use crate::clock::Unix;
use crate::config::SerialPolicy;
use crate::dns::Serial;
use crate::observe::access_log::date_of;

/// What there is to know before a version is numbered.
#[derive(Debug, Clone, Copy)]
pub(super) struct Numbering {
    pub(super) policy: SerialPolicy,
    /// The serial published last, and the one the file had then.
    pub(super) published: Serial,
    pub(super) file_before: Serial,
    /// The serial in the file.
    pub(super) file: Serial,
    /// Whether the content is another one.
    pub(super) is_changed: bool,
    /// Whether somebody else signed the SOA or the zone's digest, so that no other serial than the file's is true.
    pub(super) is_sealed: bool,
    pub(super) now: Unix,
}

/// What an operator should know about the serial of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SerialRemark {
    /// It is obeyed, and other servers will not notice the change.
    Unnoticed,
    /// It is obeyed although it is behind what was published.
    Behind,
    /// It went back and is not obeyed.
    WentBack,
}

/// The serial to publish. It is after the published one when the content changed, unless the file is obeyed to the letter.
pub(super) fn number(numbering: &Numbering) -> (Serial, Option<SerialRemark>) {
    let Numbering { policy, published, file_before, file, is_changed, is_sealed, now } = *numbering;
    if file.is_after(published) {
        return (file, None);
    }
    if policy == SerialPolicy::Keep || is_sealed {
        let remark = match file == published {
            true => is_changed.then_some(SerialRemark::Unnoticed),
            false => Some(SerialRemark::Behind),
        };
        return (file, remark);
    }
    // Behind what is published is usual: the file was numbered on. Behind what it said itself is not.
    let went_back = file != file_before && !file.is_after(file_before);
    let serial = if is_changed { next(policy, published, now) } else { published };
    (serial, went_back.then_some(SerialRemark::WentBack))
}

/// A serial after `published`, by the policy if that is after it.
pub(super) fn next(policy: SerialPolicy, published: Serial, now: Unix) -> Serial {
    let wanted = match policy {
        SerialPolicy::Keep | SerialPolicy::Increment => published.plus(1),
        // RFC 1982 3.1: the seconds wrap around in 2106 as serials do.
        SerialPolicy::Unixtime => Serial(now.seconds() as u32),
        SerialPolicy::Date => {
            let (year, month, day) = date_of(now.seconds() / 86_400);
            Serial(((year * 100 + month) * 100 + day).wrapping_mul(100))
        }
    };
    if wanted.is_after(published) { wanted } else { published.plus(1) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use SerialPolicy::*;
    use SerialRemark::*;

    /// 2026-11-21.
    const NOW: Unix = Unix(1_795_219_200_000_000_000);

    #[test]
    fn the_published_serial_moves_with_the_content() {
        for (policy, published, file_before, file, is_changed, want, remark) in [
            (Increment, 41, 41, 41, false, 41, None),
            (Increment, 41, 41, 41, true, 42, None),
            (Increment, 42, 41, 41, true, 43, None),
            (Increment, 42, 41, 41, false, 42, None),
            // The file's serial is a floor.
            (Increment, 42, 41, 50, true, 50, None),
            (Increment, 42, 41, 50, false, 50, None),
            (Increment, 42, 30, 42, true, 43, None),
            // It went back.
            (Increment, 42, 42, 7, true, 43, Some(WentBack)),
            (Increment, 42, 42, 7, false, 42, Some(WentBack)),
            (Increment, 50, 20, 10, true, 51, Some(WentBack)),
            // Neither after nor before, by RFC 1982.
            (Increment, 5, 5, 0x8000_0005, true, 6, Some(WentBack)),
            // Around the end of the numbers.
            (Increment, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff, true, 0, None),
            (Increment, 0xffff_ffff, 0xffff_ffff, 3, true, 3, None),
            (Unixtime, 41, 41, 41, true, 1_795_219_200, None),
            (Unixtime, 1_795_219_200, 41, 41, true, 1_795_219_201, None),
            (Unixtime, 41, 41, 41, false, 41, None),
            (Date, 41, 41, 41, true, 2_026_112_100, None),
            (Date, 2_026_112_100, 41, 41, true, 2_026_112_101, None),
            (Date, 2_026_112_199, 41, 41, true, 2_026_112_200, None),
            (Date, 2_026_112_100, 41, 2_026_112_105, true, 2_026_112_105, None),
            (Keep, 41, 41, 41, false, 41, None),
            (Keep, 41, 41, 41, true, 41, Some(Unnoticed)),
            (Keep, 41, 41, 40, true, 40, Some(Behind)),
            (Keep, 41, 41, 42, true, 42, None),
        ] {
            let numbering = Numbering {
                policy,
                published: Serial(published),
                file_before: Serial(file_before),
                file: Serial(file),
                is_changed,
                is_sealed: false,
                now: NOW,
            };
            assert_eq!(number(&numbering), (Serial(want), remark), "{numbering:?}");
        }
    }

    #[test]
    fn a_signed_soa_keeps_its_serial_whatever_the_policy() {
        for policy in [Keep, Increment, Unixtime, Date] {
            let sealed = Numbering {
                policy,
                published: Serial(41),
                file_before: Serial(41),
                file: Serial(41),
                is_changed: true,
                is_sealed: true,
                now: NOW,
            };
            assert_eq!(number(&sealed), (Serial(41), Some(Unnoticed)));
        }
    }
}
