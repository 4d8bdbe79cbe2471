//! TSIG (RFC 8945), so far only the answer of a server that holds no keys: BADKEY.

use super::names::{self, Hops};
use super::{WireError, u16_at};
use crate::dns::{NameBuf, NameRef, Rcode, RrClass, RrType};

/// What an unsigned error response repeats of a request's TSIG record (RFC 8945 5.3.2).
#[derive(Debug, Clone)]
pub struct TsigRecord {
    key: NameBuf,
    algorithm: NameBuf,
    /// Time signed (6 octets) and fudge (2 octets).
    time: [u8; 8],
    original_id: u16,
}

impl TsigRecord {
    /// Reads the TSIG record whose owner begins at `at`; `message` was walked before.
    pub fn read(message: &[u8], at: usize) -> Result<TsigRecord, WireError> {
        let mut hops = Hops::of_message();
        let (mut key, mut algorithm) = (NameBuf::new(), NameBuf::new());
        let fixed = names::read_name(message, at, &mut hops, &mut key)?;
        // TSIG stands in class ANY with TTL 0 (RFC 8945 4.2).
        if u16_at(message, fixed + 2)? != RrClass::ANY.0 || super::u32_at(message, fixed + 4)? != 0 {
            return Err(WireError::Rdata);
        }
        let end = fixed + 10 + usize::from(u16_at(message, fixed + 8)?);
        let rdata = message.get(..end).ok_or(WireError::Truncated)?;
        let times = names::read_name(rdata, fixed + 10, &mut hops, &mut algorithm)?;
        let mac = usize::from(u16_at(rdata, times + 8)?);
        let other = usize::from(u16_at(rdata, times + 14 + mac)?);
        if times + 16 + mac + other != end {
            return Err(WireError::Rdata);
        }
        let time = rdata.get(times..times + 8).and_then(|octets| octets.try_into().ok());
        Ok(TsigRecord {
            key,
            algorithm,
            time: time.ok_or(WireError::Truncated)?,
            original_id: u16_at(rdata, times + 10 + mac)?,
        })
    }

    /// The record that says no such key is known: no MAC, error BADKEY.
    pub fn write_bad_key(&self, out: &mut Vec<u8>) {
        let octets = |name: &NameBuf| name.as_name().unwrap_or(NameRef::ROOT).octets().to_vec();
        out.extend(octets(&self.key));
        out.extend(RrType::TSIG.0.to_be_bytes());
        out.extend(RrClass::ANY.0.to_be_bytes());
        out.extend(0u32.to_be_bytes());
        let algorithm = octets(&self.algorithm);
        out.extend((algorithm.len() as u16 + 16).to_be_bytes());
        out.extend(algorithm);
        out.extend(self.time);
        out.extend(0u16.to_be_bytes());
        out.extend(self.original_id.to_be_bytes());
        out.extend(Rcode::BADKEY.0.to_be_bytes());
        out.extend(0u16.to_be_bytes());
    }
}
