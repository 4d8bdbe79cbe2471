//! The root key trust anchor sentinel (RFC 8509): two names by which anybody can see whether this server trusts a key of
//! the root. The cache knows nothing of it: what is answered depends on the anchors in force.

use super::Recursion;
use super::cached::{Checking, Wants};
use crate::cache::Security;
use crate::dns::{Answer, ErrorCode, ExtendedError, NameRef, QuestionRef, Rcode, RrType};
use crate::validator::TrustAnchors;

const IS_TRUSTED: &[u8] = b"root-key-sentinel-is-ta-";
const IS_NOT_TRUSTED: &[u8] = b"root-key-sentinel-not-ta-";

/// What a name claims of a key of the root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Claim {
    key_tag: u16,
    is_trusted: bool,
}

impl Recursion {
    /// What is said in place of a secure answer to a question whose name claims something of the root's keys that is not
    /// so here.
    pub fn sentinel(
        &self,
        question: QuestionRef<'_>,
        wants: Wants,
        security: Security,
    ) -> Option<Answer<'static>> {
        // RFC 8509 3.1: only what is secure, only addresses, and not for those who check themselves.
        let is_concerned = security == Security::Secure
            && wants.checking == Checking::Enforce
            && matches!(question.rr_type, RrType::A | RrType::AAAA);
        let claim = is_concerned.then(|| Claim::of(question.name)).flatten()?;
        let anchors = self.validation.as_ref()?.anchors.current();
        let error = claim.contradicted(&anchors)?;
        Some(Answer::failure(Rcode::SERVFAIL, error))
    }
}

impl Claim {
    /// RFC 8509 section 2: the leftmost label ends with the key tag, five decimal digits.
    fn of(name: NameRef<'_>) -> Option<Claim> {
        let label = name.first_label()?;
        let after = |prefix: &[u8]| {
            let (head, digits) = label.split_at_checked(prefix.len())?;
            head.eq_ignore_ascii_case(prefix).then_some(digits)
        };
        let (digits, is_trusted) = after(IS_TRUSTED)
            .map(|digits| (digits, true))
            .or(after(IS_NOT_TRUSTED).map(|digits| (digits, false)))?;
        let is_tag = digits.len() == 5 && digits.iter().all(u8::is_ascii_digit);
        let key_tag = std::str::from_utf8(digits).ok().filter(|_| is_tag)?.parse().ok()?;
        Some(Claim { key_tag, is_trusted })
    }

    /// RFC 8509 3.2: why the answer is a failure, when the claim is wrong.
    fn contradicted(self, anchors: &TrustAnchors) -> Option<ExtendedError> {
        let Claim { key_tag, is_trusted } = self;
        let root = anchors.anchors().iter().find(|anchor| anchor.apex.as_ref().is_root());
        let is_anchor = root.is_some_and(|root| root.key_tags().any(|tag| tag == key_tag));
        let text = match is_anchor {
            true => format!(
                "the name says that the root's key {key_tag} is not trusted here, and it is (RFC 8509)"
            ),
            false => format!(
                "the name says that the root's key {key_tag} is trusted here, and it is not (RFC 8509)"
            ),
        };
        (is_anchor != is_trusted).then(|| ExtendedError { code: ErrorCode::DNSSEC_BOGUS, text: text.into() })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::cache::{Cache, CacheOptions};
    use crate::resolver::testing::{Outside, TestWorld, question};
    use crate::resolver::{ResolverOptions, RootHints};
    use crate::validator::{AnchorStore, Mode, Validation, ValidationOptions};

    /// A recursion with the built-in anchors of the root, keys 20326 and 38696, and one of `example.`, key 4759.
    fn recursion(mode: Mode) -> Arc<Recursion> {
        let mut anchors = TrustAnchors::builtin();
        let example = "example.".parse::<crate::dns::Name>().unwrap();
        let ds = [&4759u16.to_be_bytes()[..], &[8, 2], &[7; 32]].concat();
        anchors.insert(example.as_ref(), RrType::DS, &ds).unwrap();
        let options = ValidationOptions { mode, ..ValidationOptions::default() };
        let validation = Validation { options, anchors: Arc::new(AnchorStore::new(anchors)) };
        let cache = Arc::new(Cache::new(CacheOptions::default()));
        let hints = RootHints { servers: Box::default() };
        let outside = Arc::new(Outside(Arc::new(TestWorld::default())));
        Recursion::new(cache, outside, hints, ResolverOptions::default()).validating(Arc::new(validation))
    }

    #[test]
    fn a_wrong_claim_of_a_root_key_makes_a_secure_address_a_failure() {
        let recursion = recursion(Mode::Enforce);
        let secure = Security::Secure;
        for (asked, checking_disabled, security, fails) in [
            ("root-key-sentinel-is-ta-20326.test. A", false, secure, false),
            ("root-key-sentinel-is-ta-38696.test. AAAA", false, secure, false),
            ("root-key-sentinel-is-ta-19036.test. A", false, secure, true),
            ("ROOT-KEY-sentinel-IS-ta-19036.test. AAAA", false, secure, true),
            ("root-key-sentinel-not-ta-20326.test. A", false, secure, true),
            ("root-key-sentinel-not-ta-19036.test. A", false, secure, false),
            ("root-key-sentinel-not-ta-20326. A", false, secure, true),
            // The anchor of another zone is none of the root.
            ("root-key-sentinel-is-ta-04759.test. A", false, secure, true),
            ("root-key-sentinel-not-ta-04759.test. A", false, secure, false),
            ("root-key-sentinel-is-ta-00000.test. A", false, secure, true),
            // Five digits of a 16-bit number, in the first label.
            ("root-key-sentinel-is-ta-4759.test. A", false, secure, false),
            ("root-key-sentinel-is-ta-019036.test. A", false, secure, false),
            ("root-key-sentinel-is-ta-99999.test. A", false, secure, false),
            ("root-key-sentinel-is-ta-+9036.test. A", false, secure, false),
            ("root-key-sentinel-is-ta-.test. A", false, secure, false),
            ("www.root-key-sentinel-is-ta-19036.test. A", false, secure, false),
            (". A", false, secure, false),
            // Of other types, without check, or not secure.
            ("root-key-sentinel-is-ta-19036.test. TXT", false, secure, false),
            ("root-key-sentinel-is-ta-19036.test. A", true, secure, false),
            ("root-key-sentinel-is-ta-19036.test. A", false, Security::Insecure, false),
            ("root-key-sentinel-is-ta-19036.test. A", false, Security::Indeterminate, false),
            ("root-key-sentinel-is-ta-19036.test. A", false, Security::Bogus, false),
            ("root-key-sentinel-is-ta-19036.test. A", false, Security::Unchecked, false),
        ] {
            let wants = recursion.wants(true, checking_disabled);
            let said = recursion.sentinel(question(asked).as_ref(), wants, security);
            assert_eq!(said.is_some(), fails, "{asked} {checking_disabled} {security:?}");
            if let Some(answer) = said {
                let code = answer.extended_error.map(|error| error.code);
                assert_eq!((answer.rcode, code), (Rcode::SERVFAIL, Some(ErrorCode::DNSSEC_BOGUS)), "{asked}");
                assert!(!answer.authentic, "{asked}");
            }
        }
    }

    #[test]
    fn who_gives_out_what_is_bogus_says_nothing_of_its_anchors() {
        let recursion = recursion(Mode::Log);
        let asked = question("root-key-sentinel-is-ta-19036.test. A");
        assert!(
            recursion.sentinel(asked.as_ref(), recursion.wants(false, false), Security::Secure).is_none()
        );
    }

    #[test]
    fn anchors_that_change_change_the_answer_at_once() {
        let recursion = recursion(Mode::Enforce);
        let asked = question("root-key-sentinel-is-ta-20326.test. A");
        let wants = recursion.wants(false, false);
        let fails = || recursion.sentinel(asked.as_ref(), wants, Security::Secure).is_some();
        assert!(!fails());
        recursion.validation.as_ref().unwrap().anchors.publish(TrustAnchors::none());
        assert!(fails());
    }
}
