//! How often validation said what, keys and DS records among what it judged.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Recursion;
use super::resolved::security_of;
use crate::cache::Security;
use crate::resolver::{Aim, Failure, Resolution, Task};

/// What validation can say, in the order in which it is told.
const VERDICTS: [Security; 4] =
    [Security::Secure, Security::Insecure, Security::Bogus, Security::Indeterminate];

/// How often it said each.
#[derive(Debug, Default)]
pub(super) struct Verdicts([AtomicU64; VERDICTS.len()]);

impl Recursion {
    pub(super) fn count_verdict(&self, task: &Task, answered: &Result<Arc<Resolution>, Failure>) {
        let security = security_of(answered);
        let place = VERDICTS.iter().position(|verdict| *verdict == security);
        if let (Aim::Validated, Some(place)) = (task.aim, place) {
            self.verdicts.0[place].fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Whether anything is validated.
    pub fn validates(&self) -> bool {
        self.validation.is_some()
    }

    /// How many answers of servers validation found to be what, in the words of the access log.
    pub fn validations(&self) -> [(&'static str, u64); VERDICTS.len()] {
        std::array::from_fn(|place| (VERDICTS[place].word(), self.verdicts.0[place].load(Ordering::Relaxed)))
    }
}
