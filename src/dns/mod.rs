//! The nouns: names, types, RRsets, questions, answers. Values only.
//!
//! Given: octets and text. Must not know: where they came from or go to; no sockets, zones, caches or clocks.
//! RFC 1035 (names, types), RFC 2181 (RRsets, TTLs), RFC 1982 (serials), RFC 6891 and 8914 (EDNS), RFC 3597.

pub mod answer;
pub mod edns;
pub mod hickory;
pub mod name;
pub mod name_text;
pub mod question;
pub mod rdata;
pub mod rdata_rare;
pub mod rdata_table;
pub mod rrset;
pub mod serial;
pub mod signature_time;
pub mod svc_params;
pub mod ttl;
pub mod types;

pub use answer::{Answer, AnswerRrset, Section};
pub use edns::{Edns, ErrorCode, ExtendedError};
pub use name::{Name, NameBuf, NameError, NameRef};
pub use question::{Question, QuestionRef};
pub use rrset::{Records, RecordsBuf, Rrset, RrsetRef, SharedRrset};
pub use serial::Serial;
pub use signature_time::SignatureTime;
pub use ttl::Ttl;
pub use types::{Opcode, Rcode, RrClass, RrType};
