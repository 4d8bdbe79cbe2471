//! Random signed internets: for any seed, what validation says is what the twin says.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use namu::cache::{Cache, CacheOptions, Security};
use namu::dns::{Answer, Question, Rcode, RrType};
use namu::limits;
use namu::observe::Source;
use namu::recursion::{Recursion, Resolved};
use namu::resolver::{Failure, World};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use crate::internet::Internet;
use crate::lab::{trusting, word};
use crate::random::{config, records};
use crate::random_signed_liars::{LIES, liar};
use crate::random_signed_plan::{Act, Asked, FAULTS, Plan, Trouble, plans};
use crate::random_signed_reached::Counts;
use crate::random_signed_tree::{Catalogue, Tree};
use crate::random_signed_twin::{Right, What};

/// Longer than anything is kept, and past the end of all that ends.
const LONGER: Duration = Duration::from_secs(2 * 86_400);

/// How many internets there are; the environment may say that there are more, for a longer hunt.
const INTERNETS: u32 = 600;

/// A validating resolver on an internet that was grown.
struct Lab {
    plan: Plan,
    tree: Arc<Tree>,
    internet: Internet,
    recursion: Arc<Recursion>,
}

/// What came back.
struct Told {
    answer: Answer<'static>,
    security: Security,
    source: Source,
    resolved: Option<Resolved>,
}

/// How much is asked of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Strictness {
    Exact,
    /// It may fail, but not for being bogus.
    MayFail,
    /// Somebody lies.
    NotFooled,
    /// Somebody has lied a while ago.
    Firm,
}

impl Lab {
    fn new(plan: &Plan, known: &mut Catalogue) -> Lab {
        let internet = Internet::new(plan.seed);
        let tree = Arc::new(Tree::grow(&plan.zones, &plan.anchors, &internet, known, internet.now()));
        let cache = Arc::new(Cache::new(CacheOptions { size: 1 << 20, ..CacheOptions::default() }));
        let recursion = trusting(&internet, tree.trust_anchors(), cache);
        let lab = Lab { plan: plan.clone(), tree, internet, recursion };
        lab.make_trouble();
        lab
    }

    fn make_trouble(&self) {
        let zones = &self.tree.zones;
        let host = |at: usize, seed: usize| {
            let hosts = &zones[at % zones.len()].hosts;
            &hosts[seed % hosts.len()]
        };
        match &self.plan.trouble {
            Trouble::None => {}
            Trouble::Faults(faults) => {
                // The root itself is sound: without it there is no internet.
                let faults = faults
                    .iter()
                    .filter(|(at, _)| !zones[at % zones.len()].hosts.contains(&zones[0].hosts[0]));
                faults.for_each(|(at, fault)| {
                    self.internet.fault(host(*at, at + fault), FAULTS[*fault]).unwrap()
                });
            }
            Trouble::Lies(lies) => {
                for (at, lie, percent) in lies {
                    let tamper = liar(*lie, *percent, self.plan.seed, self.tree.clone());
                    // All its hosts, or one beside a sound one.
                    let hosts = &zones[at % zones.len()].hosts;
                    let count = if self.plan.seed.is_multiple_of(3) { 1 } else { hosts.len() };
                    hosts.iter().take(count).for_each(|host| self.internet.tamper(host, tamper.clone()));
                }
            }
        }
    }

    fn run(&self, counts: &mut Counts) -> Result<(), TestCaseError> {
        let strictness = match &self.plan.trouble {
            Trouble::None => Strictness::Exact,
            Trouble::Faults(_) => Strictness::MayFail,
            Trouble::Lies(_) => Strictness::NotFooled,
        };
        let time = &self.internet.time;
        let mut asked_so_far: Vec<Asked> = Vec::new();
        for act in &self.plan.acts {
            match act {
                Act::Later(seconds) => time.pass(Duration::from_secs(*seconds)),
                Act::End => time.pass(LONGER),
                Act::Ask(asked) => {
                    self.ask(asked, strictness, counts)?;
                    asked_so_far.extend(asked.clone());
                }
                Act::Walk(asked) => {
                    for asked in asked {
                        self.ask(std::slice::from_ref(asked), strictness, counts)?;
                    }
                    asked_so_far.extend(asked.clone());
                }
            }
        }
        if strictness == Strictness::Exact {
            return Ok(());
        }
        self.internet.faults_met().keys().for_each(|fault| counts.see(*fault));
        self.tree.lied.lock().unwrap().iter().for_each(|lie| counts.see(*lie));
        self.internet.heal();
        // What lies have left where nothing is signed holds as long as it may; all else until it may be asked for again.
        time.pass(limits::CACHE_FAILURE_TTL.1);
        let after = match &self.plan.trouble {
            // Delegations are not signed: a forged one is followed until its TTL ends.
            Trouble::Lies(lies) if lies.iter().any(|(_, lie, _)| LIES[*lie].0 == "delegates") => strictness,
            Trouble::Lies(_) => Strictness::Firm,
            _ => Strictness::Exact,
        };
        for asked in &asked_so_far {
            let asked = Asked { checking_disabled: false, ..asked.clone() };
            self.ask(&[asked], after, counts)?;
        }
        time.pass(LONGER);
        for asked in &asked_so_far {
            self.ask(std::slice::from_ref(asked), Strictness::Exact, counts)?;
        }
        Ok(())
    }

    fn ask(&self, asked: &[Asked], strictness: Strictness, counts: &mut Counts) -> Result<(), TestCaseError> {
        let before = self.internet.exchanges();
        let questions: Vec<_> =
            asked.iter().map(|asked| (asked.question(&self.tree), asked.clone())).collect();
        let mut told = self.tell(&questions)?;
        // What is too dear for one question is found by more of them: each leaves what it has found, and takes away what
        // forgers have left for whoever wants no checking.
        for _ in 0..3 {
            let has_failed = |told: &Told| told.answer.rcode == Rcode::SERVFAIL;
            let is_worth = match strictness {
                Strictness::Exact => told.iter().any(is_over_budget),
                Strictness::Firm => told.iter().any(has_failed),
                Strictness::MayFail | Strictness::NotFooled => false,
            };
            if !is_worth {
                break;
            }
            counts.see("asked again");
            self.internet.time.pass(Duration::from_secs(6));
            told = self.tell(&questions)?;
        }
        for ((question, asked), told) in questions.iter().zip(&told) {
            self.check(question, asked, told, strictness, counts).map_err(|error| {
                let error = error.to_string();
                let steps = told.resolved.iter().flat_map(|resolved| resolved.facts.steps.iter());
                let steps: String = steps.map(|step| format!("    {step:?}\n")).collect();
                TestCaseError::fail(format!(
                    "{question} {asked:?}: {error}\n{}\n{steps}",
                    self.internet.ladder(before)
                ))
            })?;
        }
        Ok(())
    }

    /// What comes back for questions at the same instant, and within what bounds.
    fn tell(&self, questions: &[(Question, Asked)]) -> Result<Vec<Told>, TestCaseError> {
        let tell = |(question, asked): &(Question, Asked)| {
            let (recursion, question, time) =
                (self.recursion.clone(), question.clone(), self.internet.time.clone());
            let wants = recursion.wants(asked.dnssec_ok, asked.checking_disabled);
            async move {
                if let Some(cached) = recursion.cached(question.as_ref(), wants, time.now()) {
                    let (answer, security, source) = (cached.to_answer(), cached.security, cached.source);
                    return Told { answer, security, source, resolved: None };
                }
                let resolved = recursion.resolve_with(question, None, wants).await;
                let answer = resolved.to_answer(wants.dnssec_ok);
                Told {
                    answer,
                    security: resolved.security,
                    source: resolved.source,
                    resolved: Some(resolved),
                }
            }
        };
        let (before, began) = (self.internet.exchanges(), self.internet.time.now().tick);
        let told = self.internet.time.run(futures_util::future::join_all(questions.iter().map(tell)));
        let (exchanges, took) =
            (self.internet.exchanges() - before, self.internet.time.now().tick.since(began));
        let most = questions.len() * limits::UPSTREAM_PACKETS as usize;
        prop_assert!(exchanges <= most, "{exchanges} exchanges for {questions:?}");
        prop_assert!(
            took <= limits::QUERY_TIMEOUT + Duration::from_millis(100),
            "{took:?} for {questions:?}"
        );
        Ok(told)
    }

    fn check(
        &self,
        question: &Question,
        asked: &Asked,
        told: &Told,
        strictness: Strictness,
        counts: &mut Counts,
    ) -> Result<(), TestCaseError> {
        let right = self.tree.right(question, self.internet.now());
        let Told { answer, security, .. } = told;
        let spent = told.resolved.iter().flat_map(|resolved| resolved.facts.spent.iter().flatten());
        let verified =
            spent.filter(|one| one.what == "signatures verified").map(|one| one.spent).sum::<u64>();
        prop_assert!(verified <= limits::VERIFICATIONS.into(), "{verified} signatures verified");
        if right.steps.iter().any(|said| said.is_vague) && told.security == Security::Insecure {
            counts.see("vague");
            return Ok(());
        }
        let is_bogus = right.security == Security::Bogus && !asked.checking_disabled;
        let is_right = match is_bogus {
            true => answer.rcode == Rcode::SERVFAIL && answer.answer.is_empty(),
            false => {
                let records = records(answer);
                let is_data = match question.rr_type == RrType::ANY && !right.records.is_empty() {
                    true => {
                        !records.is_empty() && records.iter().all(|record| right.records.contains(record))
                    }
                    false => records == right.records,
                };
                answer.rcode == right.rcode && is_data
            }
        };
        let got = || (word(*security), answer.rcode, records(answer), &told.source, &answer.extended_error);
        prop_assert!(
            !answer.authentic || is_right && right.security == Security::Secure,
            "{:?} is called secure; right is {right:?}",
            got()
        );
        check_proofs(told, asked, &right)?;
        if answer.rcode == Rcode::SERVFAIL {
            prop_assert!(answer.extended_error.is_some(), "SERVFAIL says why");
        }
        let is_stale = told.source == Source::Stale;
        let ttls = answer.answer.iter().chain(answer.authority.iter()).map(|set| set.ttl.seconds());
        prop_assert!(*security != Security::Secure || ttls.max().is_none_or(|ttl| ttl <= 3600), "too long");
        if told.source == Source::Synthesized {
            let first = right.steps.first().expect("something is said");
            let is_open = right.steps.len() > 1 && right.security != Security::Secure;
            prop_assert!(first.security == Security::Secure, "made of what proves nothing: {right:?}");
            prop_assert!(is_open || is_right, "{:?} is made up, not {right:?}", got());
        }
        let is_firm = right.steps.iter().all(|said| said.is_firm);
        match strictness {
            Strictness::Exact => {
                prop_assert!(is_right, "{:?}, not {right:?}", got());
                prop_assert!(!is_stale, "stale");
                if !asked.checking_disabled {
                    prop_assert!(*security == right.security, "{:?}, not {right:?}", got());
                }
            }
            Strictness::MayFail => {
                let has_failed = answer.rcode == Rcode::SERVFAIL;
                prop_assert!(is_right || has_failed, "{:?}, not {right:?}", got());
                if !asked.checking_disabled && !has_failed && !is_stale {
                    prop_assert!(*security == right.security, "{:?}, not {right:?}", got());
                }
            }
            _ if asked.checking_disabled => {}
            Strictness::NotFooled | Strictness::Firm => {
                let has_failed = answer.rcode == Rcode::SERVFAIL;
                // Up to where the first thing is said that anybody might have changed.
                let firm = right.steps.iter().take_while(|said| said.is_firm);
                let is_firmly_bogus = firm.clone().any(|said| said.security == Security::Bogus);
                if is_firm || is_firmly_bogus {
                    prop_assert!(is_right || has_failed, "{:?}, not {right:?}", got());
                    let is_over = strictness == Strictness::Firm && is_firm;
                    prop_assert!(is_right || !is_over, "{:?} still, not {right:?}", got());
                    prop_assert!(
                        has_failed || is_stale || *security == right.security,
                        "{:?}, not {right:?}",
                        got()
                    );
                }
            }
        }
        if !asked.checking_disabled {
            self.count(told, &right, strictness, counts);
        }
        Ok(())
    }

    fn count(&self, told: &Told, right: &Right, strictness: Strictness, counts: &mut Counts) {
        let mode = match strictness {
            Strictness::Exact => "sound",
            Strictness::MayFail => "faults",
            Strictness::NotFooled => "lies",
            Strictness::Firm => "lied",
        };
        counts.see(format!("{mode}: {} {}", word(told.security), told.answer.rcode));
        if told.security == Security::Bogus {
            let code = told.answer.extended_error.as_ref().map_or(0, |error| error.code.0);
            counts.see(format!("bogus for {code}"));
        }
        let Some(said) = right.steps.last().filter(|said| said.security != Security::Bogus) else { return };
        let is_secure = self.tree.state(said.zone, self.internet.now()).security == Security::Secure;
        if is_secure && strictness == Strictness::Exact {
            let chain = self.tree.zones[said.zone].plan.chain;
            counts.said(said.what, chain, told.source == Source::Synthesized);
        }
    }
}

/// Who asks for proofs gets them with what is secure, and nobody else (RFC 4035 3.2.1).
fn check_proofs(told: &Told, asked: &Asked, right: &Right) -> Result<(), TestCaseError> {
    let Told { answer, security, .. } = told;
    let proofs = answer.authority.iter().filter(|set| set.rrset().rr_type.is_proof()).count();
    if !asked.dnssec_ok {
        let is_shown = answer.answer.iter().chain(answer.authority.iter()).any(|set| set.with_signatures);
        prop_assert!(proofs == 0 && !is_shown, "proofs nobody asked for");
        return Ok(());
    }
    if *security != Security::Secure || answer.rcode == Rcode::SERVFAIL {
        return Ok(());
    }
    let mut is_behind_dname = false;
    for set in answer.answer.iter() {
        let rrset = set.rrset();
        let was_dname = std::mem::replace(&mut is_behind_dname, rrset.rr_type == RrType::DNAME);
        let is_made = was_dname && rrset.rr_type == RrType::CNAME;
        prop_assert!(
            is_made || set.with_signatures && !rrset.signatures.is_empty(),
            "secure without signatures"
        );
    }
    let needs_proof = right.steps.iter().any(|said| said.what != What::Data);
    prop_assert!(!needs_proof || proofs > 0, "secure without proofs");
    Ok(())
}

fn is_over_budget(told: &Told) -> bool {
    let failure = told.resolved.as_ref().and_then(|resolved| resolved.failure.as_ref());
    matches!(failure, Some(Failure::Limit(_) | Failure::CutShort { .. }))
}

#[test]
fn on_random_signed_internets_validation_says_what_the_twin_says() {
    let internets = std::env::var("NAMU_INTERNETS").map_or(INTERNETS, |count| count.parse().unwrap());
    let (known, counts) = (RefCell::new(Catalogue::default()), RefCell::new(Counts::default()));
    let result = TestRunner::new(config(internets))
        .run(&plans(), |plan| Lab::new(&plan, &mut known.borrow_mut()).run(&mut counts.borrow_mut()));
    if let Err(error) = result {
        panic!("{error}");
    }
    if internets >= INTERNETS {
        counts.borrow().assert_all(&FAULTS);
    }
}
