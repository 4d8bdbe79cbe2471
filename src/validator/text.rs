//! The state of trust anchors as text, for the file it outlives a restart in. The number in its first line is that of the
//! format.
//!
//! ```text
//! namu-trust-anchors 1
//! point . next 1795305600 window 172800
//! configured ds 4f660802e06d...
//! key 20326 valid since 1795219200 0101030803...
//! key 38696 addpend since 1795219200 until 1797811200 by 20326 0101030803...
//! end
//! ```
//! Times are seconds since 1970, RDATA is hexadecimal. Without its last line the file is not whole.

use std::fmt::{self, Write};

use super::anchors::Anchor;
use super::tracking::{KeyState, NEVER, Point, TrackedKey, Tracking, is_acceptable, key_tag};
use crate::dns::Name;
use crate::limits;

const HEAD: &str = "namu-trust-anchors ";
const VERSION: u32 = 1;

/// Why a text is not the state of trust anchors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Damage {
    /// It is of a format that came later.
    Newer(u32),
    /// This line, counted from 1, is not one that is written there.
    Line(usize),
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Damage::Newer(version) => write!(f, "it has format {version}, which a later namu wrote"),
            Damage::Line(line) => write!(f, "it is damaged at line {line}"),
        }
    }
}

impl std::error::Error for Damage {}

impl Tracking {
    /// Its state, for a file.
    pub fn text(&self) -> String {
        let mut text = format!("{HEAD}{VERSION}\n");
        self.points.iter().try_for_each(|point| point.write(&mut text)).expect("a string takes all");
        text.push_str("end\n");
        text
    }

    /// The state a text tells of; see [`Tracking::resume`].
    pub fn read(text: &str) -> Result<Tracking, Damage> {
        let mut lines = text.split_inclusive('\n').enumerate();
        let version =
            lines.next().and_then(|(_, line)| line.strip_prefix(HEAD)?.strip_suffix('\n')?.parse().ok());
        match version {
            Some(VERSION) => {}
            Some(version) if version > VERSION => return Err(Damage::Newer(version)),
            _ => return Err(Damage::Line(1)),
        }
        let mut points: Vec<Point> = Vec::new();
        let mut last = 1;
        for (number, line) in lines {
            last = number + 1;
            let words: Vec<&str> = line.strip_suffix('\n').unwrap_or_default().split(' ').collect();
            if words[..] == ["end"] && number + 1 == text.lines().count() {
                return Ok(Tracking { points });
            }
            read_line(&words, &mut points).ok_or(Damage::Line(last))?;
        }
        Err(Damage::Line(last + 1))
    }
}

impl Point {
    fn write(&self, out: &mut String) -> fmt::Result {
        let Anchor { apex, ds, keys } = &self.configured;
        match self.next {
            NEVER => writeln!(out, "point {apex} next never window {}", self.window)?,
            next => writeln!(out, "point {apex} next {next} window {}", self.window)?,
        }
        ds.iter().try_for_each(|rdata| writeln!(out, "configured ds {}", Hex(rdata)))?;
        keys.iter().try_for_each(|rdata| writeln!(out, "configured dnskey {}", Hex(rdata)))?;
        self.keys.iter().try_for_each(|key| key.write(out))
    }
}

impl TrackedKey {
    fn write(&self, out: &mut String) -> fmt::Result {
        write!(out, "key {} {} since {}", key_tag(&self.rdata), self.state.word(), self.since)?;
        if self.state == KeyState::AddPend {
            write!(out, " until {}", self.until)?;
        }
        if !self.by.is_empty() {
            let tags: Vec<String> = self.by.iter().map(u16::to_string).collect();
            write!(out, " by {}", tags.join(","))?;
        }
        writeln!(out, " {}", Hex(&self.rdata))
    }
}

/// Adds what a line says; none when it says nothing that could be written there.
fn read_line(words: &[&str], points: &mut Vec<Point>) -> Option<()> {
    if let ["point", apex, "next", next, "window", window] = words {
        let apex: Name = apex.parse().ok()?;
        let is_known = points.iter().any(|point| point.configured.apex == apex);
        if is_known || points.len() >= limits::TRUST_POINTS {
            return None;
        }
        let next = if *next == "never" { NEVER } else { next.parse().ok()? };
        let configured = Anchor { apex, ds: Vec::new(), keys: Vec::new() };
        points.push(Point { configured, keys: Vec::new(), next, window: window.parse().ok()? });
        return Some(());
    }
    let point = points.last_mut()?;
    let Anchor { ds, keys, .. } = &mut point.configured;
    let configured = ds.len() + keys.len();
    match words {
        ["configured", ..] if configured >= limits::ANCHORS_PER_POINT => return None,
        ["key", ..] if point.keys.len() >= limits::ANCHORS_PER_POINT + limits::TRACKED_KEYS => return None,
        ["configured", "ds", rdata] => ds.push(read_hex(rdata)?),
        ["configured", "dnskey", rdata] => keys.push(read_hex(rdata)?),
        ["key", tag, state, "since", since, rest @ ..] => {
            let state = KeyState::ALL.into_iter().find(|known| known.word() == *state)?;
            let (until, by, rdata) = match (state, rest) {
                (KeyState::AddPend, ["until", until, "by", by, rdata]) => {
                    (until.parse().ok()?, read_tags(by)?, rdata)
                }
                (KeyState::AddPend, ["until", until, rdata]) => (until.parse().ok()?, Vec::new(), rdata),
                (KeyState::AddPend, _) => return None,
                (_, [rdata]) => (0, Vec::new(), rdata),
                _ => return None,
            };
            let rdata = read_hex(rdata)?;
            let is_known = point.keys.iter().any(|key| key.rdata == rdata);
            if tag.parse() != Ok(key_tag(&rdata)) || is_known || !is_acceptable(&rdata) {
                return None;
            }
            point.keys.push(TrackedKey { rdata, state, since: since.parse().ok()?, until, by });
        }
        _ => return None,
    }
    Some(())
}

/// Key tags with commas between them: not more than keys are known.
fn read_tags(text: &str) -> Option<Vec<u16>> {
    let most = limits::ANCHORS_PER_POINT + limits::TRACKED_KEYS;
    let tags: Option<Vec<u16>> = text.split(',').take(most + 1).map(|tag| tag.parse().ok()).collect();
    tags.filter(|tags| tags.len() <= most)
}

/// Octets as hexadecimal digits.
struct Hex<'h>(&'h [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

/// RDATA from its digits: not more of it than a trust anchor has.
fn read_hex(digits: &str) -> Option<Box<[u8]>> {
    let is_fit = !digits.is_empty() && digits.len().is_multiple_of(2);
    let octet = |pair: &[u8]| -> Option<u8> {
        let digit = |digit: u8| char::from(digit).to_digit(16);
        u8::try_from(digit(pair[0])? << 4 | digit(pair[1])?).ok()
    };
    let is_bounded = digits.len() <= 2 * limits::TRUST_ANCHOR_OCTETS;
    (is_fit && is_bounded).then(|| digits.as_bytes().chunks_exact(2).map(octet).collect())?
}
