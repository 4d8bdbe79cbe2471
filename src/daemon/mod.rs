//! The housekeeper: from options to a running house, and from edits to what is served.
//!
//! Given: a configuration and the arguments of `run`. Must not know: how an order arrived. It reads zone files, opens the
//! doors, publishes snapshots, answers signals, and speaks to the operator on standard error.

mod anchors;
mod answering;
mod banner;
mod cached;
pub mod command;
mod difference;
pub mod durable;
mod explain;
mod explain_tree;
mod explain_trust;
mod handle;
mod history;
mod house;
mod listening;
mod loader;
mod log_output;
mod overlays;
mod recursion;
mod reload;
pub mod report;
mod serials;
mod served_doors;
mod stamp;
mod start;
mod state;
mod systemd;
mod talk;
mod versions;
mod watch;
mod zone_file;
mod zone_list;
mod zone_set;

#[cfg(test)]
mod tests;

pub use command::{Command, Refusal, Reply};
pub use difference::Extent;
pub use durable::replace as replace_file;
#[cfg(test)]
pub(crate) use explain::{Told, explanation};
pub use handle::{Handle, append_change};
pub use overlays::read_overlay;
pub use recursion::check_resolver_files;
pub use stamp::ContentMark;
pub use start::{ControlDoor, Exit, OpenControl, Order, run};
pub use talk::{say, say_diagnostics};
pub use versions::{HistoryError, Prepared, VersionOptions, Versions, When};
pub use zone_file::{ReadZone, check_zone, guess_apex, parse_zone_text, read_zone, read_zone_text};
pub use zone_list::zone_files_in;
