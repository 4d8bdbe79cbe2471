//! What a check of a zone brought to light.

use std::collections::HashMap;

use super::problem::{Report, ZoneError};
use crate::limits::ZONEFILE_ERRORS;

/// The findings of one zone.
#[derive(Debug)]
pub struct Findings<M> {
    /// Errors first; of each kind at most [`ZONEFILE_ERRORS`].
    pub found: Vec<ZoneError<M>>,
    /// How many more there were of the kinds that have more, by their codes.
    pub more: HashMap<&'static str, usize>,
}

impl<M> Findings<M> {
    pub(in crate::zone) fn of(report: Report<M>) -> Findings<M> {
        let mut more = report.kinds.unwrap_or_default();
        more.retain(|_, count| *count > ZONEFILE_ERRORS);
        more.values_mut().for_each(|count| *count -= ZONEFILE_ERRORS);
        let mut found = report.errors;
        found.extend(report.warnings);
        Findings { found, more }
    }
}
