//! `namu explain`: how a running server answers a question, or answered one.

use std::net::IpAddr;
use std::process::ExitCode;

use clap::Args as Arguments;

use super::control::ask;
use super::query::reverse_name;
use super::running_args::Server;
use crate::daemon::Command;
use crate::daemon::report::{Branch, Explanation};
use crate::dns::{Name, RrType};

pub(super) const EXAMPLES: &str = "\
The question is asked of the running server, on the very path of its clients. Exit code 5: no server is reachable.

Examples:
  namu explain www.example.com
  namu explain example.com MX --fresh       past the cache
  namu explain -x 192.0.2.25
  namu explain --id 7f3a                    what `id=7f3a` in the access log was about";

/// How a question is answered.
#[derive(Debug, PartialEq, Eq, Arguments)]
#[command(after_help = EXAMPLES)]
pub struct Explain {
    /// The name
    #[arg(required_unless_present_any = ["id", "reverse"], conflicts_with_all = ["id", "reverse"])]
    pub name: Option<Name>,
    /// The type
    #[arg(value_name = "TYPE", default_value = "A", hide_default_value = true, value_parser = super::query::type_of)]
    pub rr_type: RrType,
    /// The name of an address
    #[arg(short = 'x', value_name = "ADDR", conflicts_with = "id")]
    pub reverse: Option<IpAddr>,
    /// Ask the servers even when the cache knows
    #[arg(long, conflicts_with = "id")]
    pub fresh: bool,
    /// A question that failed or took long: what stands behind `id=` in the access log
    #[arg(long)]
    pub id: Option<String>,
    /// As a JSON object
    #[arg(long)]
    pub json: bool,
    /// Which server.
    #[command(flatten)]
    pub server: Server,
}

pub(super) fn run(explain: &Explain) -> ExitCode {
    ask(&explain.server, explain.command(), explain.json).unwrap_or_else(|code| code)
}

impl Explain {
    fn command(&self) -> Command {
        let asked = match (&self.name, self.reverse) {
            (Some(name), _) => (name.clone(), self.rr_type),
            (None, Some(address)) => (reverse_name(address), RrType::PTR),
            (None, None) => return Command::ExplainRecorded { id: self.id.clone().unwrap_or_default() },
        };
        Command::Explain { name: asked.0, rr_type: asked.1.to_string(), fresh: self.fresh }
    }
}

/// Verdict and hint, the answer, the tree, and what it cost.
pub(super) fn text(explanation: &Explanation) -> String {
    let Explanation { name, rr_type, verdict, hint, .. } = explanation;
    let mut text = format!("{name} {rr_type}: {verdict}\nhint: {hint}\n\n");
    for record in &explanation.answer {
        text.push_str(&format!("   {record}\n"));
    }
    if !explanation.answer.is_empty() {
        text.push('\n');
    }
    draw(&explanation.steps, "", &mut text);
    let spent = explanation.budget.iter().filter(|of| of.spent > 0);
    let spent: Vec<_> = spent.map(|of| format!("{} of {} {}", of.spent, of.most, of.what)).collect();
    if !spent.is_empty() {
        text.push_str(&format!("\nspent: {}\n", spent.join(", ")));
    }
    text
}

fn draw(branches: &[Branch], before: &str, text: &mut String) {
    for (place, branch) in branches.iter().enumerate() {
        let is_last = place + 1 == branches.len();
        let (fork, line) = if is_last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        text.push_str(&format!("{before}{fork}{}\n", branch.text));
        draw(&branch.below, &format!("{before}{line}"), text);
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::sync::Arc;
    use std::time::Duration;

    use clap::Parser;

    use super::*;
    use crate::cli::args::{self as cli, Args};
    use crate::daemon::{Told, explanation};
    use crate::dns::{ErrorCode, ExtendedError, Question, Rcode, Ttl};
    use crate::observe::{
        Choice, ExchangeResult, RecordId, Security, Source, Spending, Step, UpstreamExchange, WhyStream,
    };
    use crate::recursion::testing::SignedLab;
    use crate::validator::ValidationOptions;

    fn name(text: &str) -> Name {
        text.parse().unwrap()
    }

    fn question(text: &str) -> Question {
        let (owner, rr_type) = text.split_once(' ').unwrap();
        Question::new(name(owner), rr_type.parse().unwrap())
    }

    fn asked(last: u8, why: Choice, what: &str, result: ExchangeResult) -> [Step; 2] {
        let server = SocketAddr::from(([192, 0, 2, last], 53));
        let exchange = UpstreamExchange { server, result };
        let patience = Duration::from_millis(376);
        [Step::Chosen { server, why, patience }, Step::Exchange { question: question(what), exchange }]
    }

    fn zone(apex: &str, name_servers: usize) -> [Step; 1] {
        [Step::Zone { apex: name(apex), name_servers }]
    }

    #[test]
    fn what_is_explained_is_named_by_name_address_or_id() {
        let command = |words: &str| {
            let words = ["namu", "explain"].into_iter().chain(words.split_whitespace());
            match Args::try_parse_from(words).ok()?.command? {
                cli::Command::Explain(explain) => Some(explain.command()),
                _ => None,
            }
        };
        let explains = |name: &str, rr_type: &str, fresh| {
            Some(Command::Explain { name: name.parse().unwrap(), rr_type: rr_type.into(), fresh })
        };
        assert_eq!(command("www.test AAAA"), explains("www.test.", "AAAA", false));
        assert_eq!(command("-x 192.0.2.25 --fresh"), explains("25.2.0.192.in-addr.arpa.", "PTR", true));
        let under_documentation = format!("1.{}8.b.d.0.1.0.0.2.ip6.arpa.", "0.".repeat(23));
        assert_eq!(command("-x 2001:db8::1"), explains(&under_documentation, "PTR", false));
        assert_eq!(command("--id 7f3a"), Some(Command::ExplainRecorded { id: "7f3a".into() }));
        for words in ["", "-x www.test", "www.test -x 192.0.2.25", "-x 192.0.2.25 --id 7f3a"] {
            assert_eq!(command(words), None, "{words}");
        }
    }

    /// A walk with everything in it that can be told: it ends at servers that are silent or lame.
    fn walk() -> Vec<Step> {
        let milliseconds = Duration::from_millis;
        let answered = |after| ExchangeResult::Answered(milliseconds(after));
        let alias = question("alias.example. A");
        let known = Step::Known {
            question: alias,
            age: Duration::from_secs(12),
            ttl: Ttl::saturating(288),
            credibility: "answer of the zone's own server",
        };
        let truncated = Step::Stream("192.0.2.2:53".parse().unwrap(), WhyStream::Truncated);
        let [chosen, exchange] = asked(2, Choice::Only, "ns.other. A", answered(9));
        let refused = asked(5, Choice::LastResort, "www.broken. A", ExchangeResult::Failed(Rcode::REFUSED));
        let steps: [&[Step]; 11] = [
            &[known, Step::Alias(name("alias.example."), name("www.broken."))],
            &[Step::Nearest(name("."), Ttl::saturating(3600))],
            &zone(".", 13),
            &asked(1, Choice::Fastest(13, milliseconds(18)), "www.broken. A", answered(18)),
            &[Step::Referral(name("broken."))],
            &zone("broken.", 2),
            &asked(4, Choice::Untried(2), "www.broken. A", ExchangeResult::Timeout),
            &[Step::Child(question("ns.other. A"))],
            &zone("other.", 1),
            &[chosen, truncated, exchange, Step::Found(question("ns.other. A"), Rcode::NOERROR)],
            &[refused[0].clone(), Step::WithoutEdns("192.0.2.5:53".parse().unwrap()), refused[1].clone()],
        ];
        let rest = [
            Step::Child(question("ns.ring. A")),
            Step::Cycle(question("ns.ring. A")),
            Step::Child(question("ns.lost. A")),
            Step::FailedBefore(
                question("ns.lost. A"),
                Arc::new(ExtendedError::new(ErrorCode::NETWORK_ERROR, "no route")),
            ),
            Step::ChildFailed(question("ns.lost. A")),
        ];
        let last = asked(4, Choice::Again(1), "www.broken. A", ExchangeResult::Lame);
        [&steps.concat()[..], &rest, &last].concat()
    }

    fn told() -> Told {
        let spending = |what, spent, most| Spending { what, spent, most };
        let text = "no name server of broken. gave a usable answer: 192.0.2.4 lame, 192.0.2.5 REFUSED";
        Told {
            question: question("alias.example. A"),
            rcode: Rcode::SERVFAIL,
            source: Source::Recursion,
            error: Some(ExtendedError::new(ErrorCode::NO_REACHABLE_AUTHORITY, text)),
            security: None,
            took: Duration::from_micros(812_345),
            steps: walk().into(),
            spent: Some([
                spending("packets", 6, 64),
                spending("octets", 512, 100_000),
                spending("addresses", 4, 26),
                spending("referrals", 1, 24),
                spending("aliases", 1, 10),
                spending("questions of our own", 3, 16),
                spending("of those denied", 0, 5),
                spending("questions for keys", 0, 32),
                spending("signatures verified", 0, 16),
                spending("milliseconds", 812, 5000),
            ]),
            answer: Vec::new(),
            id: Some(RecordId(0x7f3a)),
            time: Some(1_795_220_883),
        }
    }

    #[test]
    fn text_and_json_are_those_of_the_golden_files() {
        let explanation = explanation(&told());
        assert_eq!(text(&explanation), include_str!("../../tests/golden/explain.txt"));
        let json = serde_json::to_string_pretty(&explanation).unwrap() + "\n";
        assert_eq!(json, include_str!("../../tests/golden/explain.json"));
    }

    /// What is told of a question in the signed internet of tests, asked after these.
    fn of_signed(asked: &str, before: &[&str]) -> Explanation {
        let lab = SignedLab::new(ValidationOptions { signaling: false, ..ValidationOptions::default() });
        for asked in before {
            lab.world.run(lab.recursion.resolve(question(asked)));
        }
        let resolved = lab.world.run(lab.recursion.resolve(question(asked)));
        let security = Security::WORDS.iter().find(|(_, word)| *word == resolved.security.word());
        let answer = resolved.to_answer(false);
        let mut records = String::new();
        for rrset in answer.answer.iter() {
            crate::zonefile::write_rrset(rrset.rrset(), &mut records).unwrap();
        }
        explanation(&Told {
            question: question(asked),
            rcode: resolved.rcode,
            source: resolved.source,
            error: resolved.extended_error,
            security: security.map(|(security, _)| *security),
            took: Duration::from_millis(80),
            steps: resolved.facts.steps,
            spent: None,
            answer: records.lines().filter(|line| !line.contains(" RRSIG ")).map(str::to_owned).collect(),
            id: resolved.facts.id,
            time: None,
        })
    }

    #[test]
    fn chains_of_trust_are_those_of_the_golden_files() {
        let all = ["www.example. A", "no.example. A", "www.plain. A", "old.example. A", "bare.example. A"];
        let told: Vec<String> = all.iter().map(|asked| text(&of_signed(asked, &[]))).collect();
        let golden = include_str!("../../tests/golden/explain_chain.txt");
        assert_eq!(told.join("\n"), golden);
        let json =
            serde_json::to_string_pretty(&of_signed("old.example. A", &["www.example. A"])).unwrap() + "\n";
        assert_eq!(json, include_str!("../../tests/golden/explain_chain.json"));
    }

    #[test]
    fn of_servers_asked_at_once_each_is_told_with_its_own_reason() {
        let answered = ExchangeResult::Answered(Duration::from_millis(9));
        let [first, _] = asked(1, Choice::Parallel(2), "a.test. A", ExchangeResult::Timeout);
        let [second, exchange] = asked(2, Choice::Parallel(2), "a.test. A", answered);
        let silent = Step::Stream("192.0.2.1:53".parse().unwrap(), WhyStream::Silent);
        let [ordered, over_tcp] = asked(1, Choice::Ordered(2), "b.test. A", answered);
        let steps = vec![Step::Upstream(name("test.")), first, second, exchange, ordered, silent, over_tcp];
        let text = text(&explanation(&Told { steps: steps.into(), ..told() }));
        for line in [
            "192.0.2.2 udp a.test. A: answered in 9 ms (one of 2 asked at once)\n",
            "192.0.2.1 tcp b.test. A: answered in 9 ms, over TCP since it was silent over UDP \
             (first of 2 in the configured order)\n",
        ] {
            assert!(text.contains(line), "{line}{text}");
        }
    }

    #[test]
    fn each_end_has_its_verdict_and_hint() {
        let apex = name("home.test.");
        let known = |question: &str| Step::Known {
            question: self::question(question),
            age: Duration::from_secs(5),
            ttl: Ttl::saturating(7),
            credibility: "answer",
        };
        let failed = |text: &'static str| ExtendedError::new(ErrorCode::NETWORK_ERROR, text);
        let before = failed("nobody there; id=7f3a");
        let local = |serial| vec![Step::LocalZone { apex: apex.clone(), serial }];
        let silent = asked(4, Choice::Only, "a.test. A", ExchangeResult::Timeout);
        let silent = [&zone("test.", 1)[..], &silent].concat();
        let good = asked(4, Choice::Only, "a.test. A", ExchangeResult::Answered(Duration::from_millis(3)));
        let useless = asked(5, Choice::Untried(2), "a.test. A", ExchangeResult::Lame);
        let upstream = [Step::Upstream(name("test."))];
        let (none, some) = (vec![], vec!["a.test. 300 IN A 192.0.2.1".to_owned()]);
        for (rcode, source, steps, error, answer, verdict, hint) in [
            (
                Rcode::NOERROR,
                Source::Authoritative,
                local(Some(7)),
                None,
                &some,
                "says the zone home.test.",
                "zone edit",
            ),
            (
                Rcode::SERVFAIL,
                Source::Authoritative,
                local(None),
                Some(failed("not loaded")),
                &none,
                "not loaded",
                "mend the file",
            ),
            (
                Rcode::NXDOMAIN,
                Source::Local,
                vec![Step::SpecialName(apex.clone())],
                None,
                &none,
                "no such name",
                "special-zones",
            ),
            (
                Rcode::NOERROR,
                Source::Cache,
                vec![known("a.test. A")],
                None,
                &some,
                "data 5 s old",
                "--fresh a.test. A",
            ),
            (
                Rcode::NOERROR,
                Source::NegativeCache,
                vec![known("a.test. A")],
                None,
                &none,
                "no such data",
                "--fresh",
            ),
            (
                Rcode::SERVFAIL,
                Source::FailureCache,
                vec![Step::FailedBefore(question("a.test. A"), Arc::new(before.clone()))],
                Some(before.clone()),
                &none,
                "it failed a moment ago",
                "namu explain --id 7f3a",
            ),
            (
                Rcode::REFUSED,
                Source::Refused,
                vec![],
                Some(failed("not allowed")),
                &none,
                "not allowed",
                "`access`",
            ),
            (
                Rcode::SERVFAIL,
                Source::Recursion,
                silent,
                Some(failed("silent")),
                &none,
                "after 1 exchange and",
                "on the internet",
            ),
            (
                Rcode::SERVFAIL,
                Source::Recursion,
                [&zone("a.test.", 1)[..], &asked(4, Choice::Only, "a.test. A", ExchangeResult::Unreachable)]
                    .concat(),
                Some(failed("nobody there")),
                &none,
                "after 1 exchange and",
                "the servers of a.test. are down or do not talk to us; ask yourself: `namu query a.test. A @192.0.2.4 -p 53`",
            ),
            (
                Rcode::SERVFAIL,
                Source::Recursion,
                [
                    &zone("test.", 1)[..],
                    &asked(4, Choice::Only, "a.test. A", ExchangeResult::Failed(Rcode::REFUSED)),
                ]
                .concat(),
                Some(failed("refused")),
                &none,
                "after 1 exchange and",
                "192.0.2.4 answers REFUSED for test.; its owner",
            ),
            (
                Rcode::SERVFAIL,
                Source::Forward,
                [&upstream[..], &asked(4, Choice::Only, "a.test. A", ExchangeResult::Timeout)].concat(),
                Some(failed("silent")),
                &none,
                "after 1 exchange and",
                "the servers that the configuration names for test. are down",
            ),
            (
                Rcode::SERVFAIL,
                Source::Forward,
                [&upstream[..], &asked(4, Choice::Only, "a.test. A", ExchangeResult::Failed(Rcode::REFUSED))]
                    .concat(),
                Some(failed("refused")),
                &none,
                "after 1 exchange and",
                "192.0.2.4, which the configuration names for test., answers REFUSED",
            ),
            (
                Rcode::SERVFAIL,
                Source::Recursion,
                [
                    &zone("test.", 1)[..],
                    &good,
                    &[Step::Alias(name("a.test."), name("b.test."))],
                    &[Step::FailedBefore(question("b.test. A"), Arc::new(before.clone()))],
                ]
                .concat(),
                Some(before.clone()),
                &none,
                "nobody there",
                "`namu explain --id 7f3a` tells what was tried; `namu explain --fresh b.test. A` tries again",
            ),
            (
                Rcode::NOERROR,
                Source::Recursion,
                [&useless[..], &good].concat(),
                None,
                &some,
                "NOERROR, after 2 exchanges",
                "192.0.2.5 was of no use (lame), others answered",
            ),
            (
                Rcode::NOERROR,
                Source::Cache,
                vec![known("a.test. A")],
                Some(ExtendedError::new(ErrorCode::BLOCKED, "stripped")),
                &none,
                "stripped",
                "add a.test. to `resolver.private-exceptions`",
            ),
            (
                Rcode::NOERROR,
                Source::Recursion,
                good.to_vec(),
                None,
                &some,
                "NOERROR, after 1 exchange",
                "192.0.2.4 with 3 ms",
            ),
        ] {
            let told = Told {
                question: question("a.test. A"),
                rcode,
                source,
                error,
                steps: steps.into(),
                answer: answer.clone(),
                id: None,
                time: None,
                ..told()
            };
            let explanation = explanation(&told);
            assert!(explanation.verdict.contains(verdict), "{}", explanation.verdict);
            assert!(explanation.hint.contains(hint), "{}", explanation.hint);
        }
    }

    #[test]
    fn steps_that_were_cut_off_still_make_a_tree() {
        for length in 0..walk().len() {
            let told = Told { steps: walk()[..length].into(), ..told() };
            let explanation = explanation(&told);
            assert_eq!(explanation.steps.is_empty(), length == 0, "{length}");
            assert!(text(&explanation).ends_with("milliseconds\n"), "{length}");
        }
    }
}
