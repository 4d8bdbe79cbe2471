//! Presentation format of zones: text to records and records to text (RFC 1035 section 5).
//!
//! Given: octets of files, an origin, and an object that opens included files. Must not know: where the text came
//! from or what becomes of the records; no disk, no zones, no clocks.
//! RFC 1035 (zone files), RFC 2308 section 4 (`$TTL`), BIND's `$GENERATE`, RFC 3597 (unknown types), RFC 9460 (SvcParams), and for each
//! type the RFC named in `dns::rdata_table`.

mod encodings;
mod entries;
mod error;
mod files;
mod format;
mod generate;
mod lexer;
mod location;
mod mnemonics;
mod origin;
mod parser;
mod printer;
mod rare;
mod rdata;
mod rdata_lists;
mod report;
mod svc_params;
mod times;

pub use files::{Files, Included, Includes, Mark, NoIncludes};
pub use format::format;
pub use origin::guess_origin;
pub use parser::{Record, parse, parse_with_ttl};
pub use printer::{RdataText, write_record, write_rrset};

#[cfg(test)]
mod tests;
