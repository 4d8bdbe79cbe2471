//! Names that do not exist but for a wildcard (RFC 4592).

use super::answer::{Answering, Step, Synthesis};
use super::negative;
use crate::zone::Node;

/// RFC 4592 3.3.1: the only wildcard that counts is the one right below the closest encloser, the source
/// of synthesis; if there is none the name does not exist.
pub(super) fn synthesise<'a>(answering: &mut Answering<'a>, closest_encloser: Node<'a>) -> Step<'a> {
    match closest_encloser.wildcard() {
        Some(source_of_synthesis) => {
            answering.answer_from(source_of_synthesis, Synthesis::Wildcard { closest_encloser })
        }
        None => {
            negative::nxdomain(answering, closest_encloser);
            Step::Done
        }
    }
}
