//! QNAME minimisation (RFC 9156): how much of a name the servers of each zone on the way to it are shown.

use super::options::Minimisation;
use crate::dns::{NameRef, Question, RrType};
use crate::limits;

/// How far the walk to one name has come.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    minimisation: Minimisation,
    /// Labels of the name that servers have been shown, or that the delegation in use has.
    shown: usize,
    /// Questions for a part of the name so far.
    steps: u32,
}

/// What to ask the servers of the zone that was reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// The question itself.
    Whole,
    /// This question for an ancestor of the name, to learn whether a zone begins there.
    Part(Question),
}

impl Progress {
    /// At the beginning of a walk.
    pub fn new(minimisation: Minimisation) -> Progress {
        Progress { minimisation, shown: 0, steps: 0 }
    }

    /// The servers of a zone, or the cache, know nothing that leads away from this part of the name.
    pub fn passed(&mut self, part: &Question) {
        self.shown = part.name.as_ref().label_count();
    }

    /// A part is asked of servers.
    pub fn asked(&mut self) {
        self.steps += 1;
    }

    /// From here on the whole name is asked.
    pub fn give_up(&mut self) {
        self.minimisation = Minimisation::None;
    }

    /// Whether servers that know no empty non-terminals, or only whole names, are put up with.
    pub fn is_relaxed(&self) -> bool {
        self.minimisation == Minimisation::Relaxed
    }

    /// What to ask the servers of the zone at `apex` (RFC 9156 3). A name one label below what they have been shown is
    /// asked whole: nothing would be hidden but its type, at the price of a round trip.
    pub fn next_question(&self, question: &Question, apex: NameRef<'_>) -> Next {
        let name = question.name.as_ref();
        let (total, shown) = (name.label_count(), self.shown.max(apex.label_count()));
        if self.minimisation == Minimisation::None || self.steps >= limits::MINIMISED_STEPS {
            return Next::Whole;
        }
        let mut labels = shown + labels_to_add(total.saturating_sub(shown), self.steps);
        // RFC 9156 2.3: labels with an underscore are no boundaries of administration, so they are shown together.
        while labels < total
            && name.trim_to(labels).first_label().is_some_and(|label| label.starts_with(b"_"))
        {
            labels += 1;
        }
        if shown + 1 >= total || labels >= total {
            return Next::Whole;
        }
        // RFC 9156 2.1: the type is hidden too; A is the most common one, and every server knows it.
        Next::Part(Question {
            name: name.trim_to(labels).to_name(),
            rr_type: RrType::A,
            class: question.class,
        })
    }
}

/// How many of the `hidden` labels to show next: one at first, then so many that the bound on steps is enough for the
/// longest name (RFC 9156 2.3).
fn labels_to_add(hidden: usize, steps: u32) -> usize {
    if steps < limits::MINIMISED_SINGLE_LABELS {
        return 1;
    }
    let left = limits::MINIMISED_STEPS.saturating_sub(steps).max(1);
    (hidden / left as usize).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::Name;
    use crate::resolver::testing::question;

    /// What the servers of `apex` are asked after so many labels were shown in so many steps.
    fn next(minimisation: Minimisation, asked: &str, apex: &str, shown: usize, steps: u32) -> String {
        let apex: Name = apex.parse().unwrap();
        match (Progress { minimisation, shown, steps }).next_question(&question(asked), apex.as_ref()) {
            Next::Whole => "whole".into(),
            Next::Part(part) => part.to_string(),
        }
    }

    #[test]
    fn a_zone_is_shown_one_label_more_than_it_has() {
        use Minimisation::*;
        for (what, minimisation, asked, apex, shown, want) in [
            ("the root", Relaxed, "www.example.org. TXT", ".", 0, "org. A"),
            ("a top zone", Relaxed, "www.example.org. TXT", "org.", 0, "example.org. A"),
            ("one label below", Relaxed, "www.example.org. TXT", "example.org.", 0, "whole"),
            ("strictly the same", Strict, "www.example.org. TXT", "org.", 0, "example.org. A"),
            ("not at all", None, "www.example.org. TXT", ".", 0, "whole"),
            ("one label in all", Relaxed, "org. DS", ".", 0, "whole"),
            ("the root itself", Relaxed, ". NS", ".", 0, "whole"),
            ("the apex", Relaxed, "example.org. A", "example.org.", 0, "whole"),
            ("DS at the parent", Relaxed, "example.org. DS", "org.", 0, "whole"),
            ("a part that was shown", Relaxed, "a.b.c.org. A", "org.", 2, "b.c.org. A"),
            ("a part, one label above", Relaxed, "a.b.c.org. A", "org.", 3, "whole"),
            (
                "underscores go together",
                Relaxed,
                "_25._tcp.mail.example.org. TLSA",
                "example.org.",
                3,
                "whole",
            ),
            (
                "but not before",
                Relaxed,
                "_25._tcp.mail.example.org. TLSA",
                "example.org.",
                0,
                "mail.example.org. A",
            ),
            ("nor those behind", Relaxed, "a.b._c.example.org. A", "example.org.", 0, "b._c.example.org. A"),
        ] {
            assert_eq!(next(minimisation, asked, apex, shown, 0), want, "{what}");
        }
    }

    #[test]
    fn the_longest_name_is_shown_in_ten_questions() {
        for (labels, want) in [
            // RFC 9156 2.3 has this example: 1, 1, 1, 1, 2, 2, 2, 2, 3, and the last 3 with the whole name.
            (18, vec![1, 2, 3, 4, 6, 8, 10, 12, 15]),
            (5, vec![1, 2, 3, 4]),
            (127, vec![1, 2, 3, 4, 24, 44, 64, 85, 106]),
        ] {
            let asked = question(&format!("{} A", "a.".repeat(labels)));
            let mut progress = Progress::new(Minimisation::Relaxed);
            let mut shown = Vec::new();
            while let Next::Part(part) = progress.next_question(&asked, NameRef::ROOT) {
                progress.asked();
                progress.passed(&part);
                shown.push(part.name.as_ref().label_count());
            }
            assert_eq!(shown, want, "{labels}");
            assert!((shown.len() as u32) < limits::MINIMISED_STEPS);
        }
    }

    #[test]
    fn after_giving_up_or_ten_steps_the_whole_name_is_asked() {
        let asked = question("a.b.c.d. A");
        let mut progress = Progress::new(Minimisation::Relaxed);
        progress.give_up();
        assert_eq!(progress.next_question(&asked, NameRef::ROOT), Next::Whole);
        assert_eq!(next(Minimisation::Strict, "a.b.c.d. A", ".", 1, limits::MINIMISED_STEPS), "whole");
    }
}
