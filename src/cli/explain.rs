//! `namu explain`: how a running server answers a question, or answered one.

use std::process::ExitCode;

use clap::Args as Arguments;

use super::control::ask;
use super::running_args::Server;
use crate::daemon::Command;
use crate::daemon::command::{Branch, Explanation};
use crate::dns::{Name, RrType};

pub(super) const EXAMPLES: &str = "\
The question is asked of the running server, on the very path of its clients. Exit code 5: no server is reachable.

Examples:
  namu explain www.example.com
  namu explain example.com MX --fresh       past the cache
  namu explain --id 7f3a                    what `id=7f3a` in the access log was about";

/// How a question is answered.
#[derive(Debug, PartialEq, Eq, Arguments)]
#[command(after_help = EXAMPLES)]
pub struct Explain {
    /// The name
    #[arg(required_unless_present = "id", conflicts_with = "id")]
    pub name: Option<Name>,
    /// The type
    #[arg(value_name = "TYPE", default_value = "A", hide_default_value = true, value_parser = super::query::type_of)]
    pub rr_type: RrType,
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
    let command = match (&explain.name, &explain.id) {
        (Some(name), _) => Command::Explain {
            name: name.clone(),
            rr_type: explain.rr_type.to_string(),
            fresh: explain.fresh,
        },
        (None, id) => Command::ExplainRecorded { id: id.clone().unwrap_or_default() },
    };
    ask(&explain.server, command, explain.json).unwrap_or_else(|code| code)
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
