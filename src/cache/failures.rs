//! Resolution failures (RFC 9520): a question nobody could answer is not asked again at once.

use std::sync::Arc;
use std::time::Duration;

use super::table::Table;
use crate::clock::{Age, Now};
use crate::dns::{ExtendedError, NameRef, Question, QuestionRef};
use crate::limits;

/// The failures remembered. They concern a question, whichever servers were asked (RFC 9520 2.1 to 2.5).
pub(super) struct Failures {
    table: Table<Question, Failure>,
}

struct Failure {
    error: Arc<ExtendedError>,
    expires: Age,
}

impl Failures {
    pub(super) fn new() -> Failures {
        Failures { table: Table::new(limits::CACHE_FAILURES, limits::CACHE_FAILURES_OCTETS, octets) }
    }

    /// Remembers a failure for `lifetime`, but neither shorter nor longer than RFC 9520 3.2 allows.
    pub(super) fn put(&self, question: QuestionRef<'_>, error: ExtendedError, lifetime: Duration, now: Now) {
        let (shortest, longest) = limits::CACHE_FAILURE_TTL;
        let expires = now.age.plus(lifetime.clamp(shortest, longest));
        let failure = Failure { error: Arc::new(error), expires };
        self.table.update(question.to_question(), |_| Some(failure));
    }

    pub(super) fn find(&self, question: QuestionRef<'_>, now: Now) -> Option<Arc<ExtendedError>> {
        let is = |other: &Question| other.as_ref() == question;
        self.table.find(question, is, |failure| (now.age < failure.expires).then(|| failure.error.clone()))?
    }

    /// Forgets the failures of names that are `meant`; says how many those were.
    pub(super) fn remove_all(&self, meant: impl Fn(NameRef<'_>) -> bool) -> usize {
        self.table.remove_all(|question| meant(question.name.as_ref()))
    }
}

fn octets(question: &Question, failure: &Failure) -> usize {
    size_of::<(Question, Failure)>()
        + size_of::<ExtendedError>()
        + question.name.octets().len()
        + failure.error.text.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::cache::tests::{name, second};
    use crate::dns::{ErrorCode, RrType};

    fn error() -> ExtendedError {
        ExtendedError::new(ErrorCode::NO_REACHABLE_AUTHORITY, "no server answered")
    }

    #[test]
    fn a_failure_is_remembered_for_its_question_and_its_time() {
        let failures = Failures::new();
        let question = Question::new(name("broken.example."), RrType::A);
        failures.put(question.as_ref(), error(), Duration::from_secs(5), second(10));
        let upper = Question::new(name("BROKEN.example."), RrType::A);
        assert_eq!(failures.find(upper.as_ref(), second(14)).as_deref(), Some(&error()));
        assert_eq!(failures.find(upper.as_ref(), second(15)), None);
        let other_type = Question::new(name("broken.example."), RrType::AAAA);
        assert_eq!(failures.find(other_type.as_ref(), second(10)), None);
    }

    #[test]
    fn the_time_is_kept_between_one_second_and_five_minutes() {
        for (asked, kept) in [(0, 1), (1, 1), (300, 300), (301, 300)] {
            let failures = Failures::new();
            let question = Question::new(name("broken.example."), RrType::A);
            failures.put(question.as_ref(), error(), Duration::from_secs(asked), second(0));
            assert!(failures.find(question.as_ref(), second(kept - 1)).is_some(), "{asked}");
            assert!(failures.find(question.as_ref(), second(kept)).is_none(), "{asked}");
        }
    }
}
