//! The notebook: facts in, text and numbers out.
//!
//! Given: what happened to each request. Must not know: how any answer was made; no sockets, files or clocks.

pub mod access_log;
pub mod access_log_parse;
pub mod counters;
pub mod event;
pub mod flight_recorder;
pub mod log_writer;
pub mod prometheus;
pub mod recorder;
pub mod step;

pub use counters::{Counters, Totals};
pub use event::{
    DropReason, Event, ExchangeResult, QuestionPlace, RecursionFacts, Security, Source, Transfer, Transport,
    UpstreamExchange,
};
pub use flight_recorder::{FlightRecorder, RecordId};
pub use log_writer::{Complaint, LogOutside, LogSender, LogWriter};
pub use recorder::Recorder;
pub use step::{Choice, DsStep, KeyStep, SignatureStep, Spending, Spendings, Step, WhyStream};
