//! One question's way around the servers of a zone: who was asked, and what came of it. Who is asked next, others say.

use std::net::SocketAddr;
use std::sync::Arc;

use super::exchange::Outcome;
use super::failure::Tried;
use super::{Failure, Limit, NoReply, Task};
use crate::dns::{Name, Question};
use crate::observe::{ExchangeResult, Step, UpstreamExchange};

/// A way around the servers of a zone.
pub struct Round<'t> {
    zone: &'t Name,
    task: &'t Task,
    /// The last word of each server that did not help.
    tried: Vec<Tried>,
    /// How often nobody replied.
    pub silent_tries: u32,
    /// How many replies were of no use.
    pub bad_replies: u32,
}

/// What came of asking a server.
pub struct Heard<T> {
    /// What it said, if it said anything of use.
    pub said: Option<T>,
    /// As it is written down, for the case that nothing comes of it.
    pub tried: Tried,
}

impl<'t> Round<'t> {
    /// Before anybody is asked.
    pub fn new(zone: &'t Name, task: &'t Task) -> Round<'t> {
        Round { zone, task, tried: Vec::new(), silent_tries: 0, bad_replies: 0 }
    }

    /// Writes down what came of asking a server, which `understand` makes something of. The error is that the budget is
    /// spent.
    pub fn hear<T>(
        &mut self,
        question: &Question,
        server: SocketAddr,
        outcome: Result<Outcome, Limit>,
        understand: impl FnOnce(Outcome) -> Result<(T, ExchangeResult), ExchangeResult>,
    ) -> Result<Heard<T>, Failure> {
        let task = self.task;
        let write_down = |result| {
            let exchange = UpstreamExchange { server, result };
            task.step(Step::Exchange { question: question.clone(), exchange });
        };
        let outcome = outcome.map_err(|limit| {
            if matches!(limit, Limit::Time(_)) {
                write_down(ExchangeResult::Timeout);
            }
            self.cut_short(limit, Some(server))
        })?;
        let no_reply = if let Outcome::NoReply(no_reply) = outcome { Some(no_reply) } else { None };
        let understood = understand(outcome);
        let (Ok((_, result)) | Err(result)) = understood;
        write_down(result);
        let said = understood.ok().map(|(said, _)| said);
        Ok(Heard { said, tried: Tried { server, result, no_reply } })
    }

    /// Counts a try that led to nothing.
    pub fn count(&mut self, result: ExchangeResult) {
        match result {
            ExchangeResult::Timeout => self.silent_tries += 1,
            _ => self.bad_replies += 1,
        }
    }

    /// Remembers a server that did not help, and for other questions if it gave no sign of life.
    pub fn failed(&mut self, tried: Tried) {
        let is_silence = matches!(tried.result, ExchangeResult::Timeout | ExchangeResult::Unreachable);
        // A machine without descriptors says nothing about the server.
        if is_silence && tried.no_reply != Some(NoReply::NoSocket) {
            self.task.cache().servers().stayed_silent(tried.server, self.task.now());
        }
        self.keep(tried);
    }

    /// Whether no server has failed yet.
    pub fn is_fresh(&self) -> bool {
        self.tried.is_empty()
    }

    /// The servers that did not help.
    pub fn take_tried(&mut self) -> Arc<[Tried]> {
        std::mem::take(&mut self.tried).into()
    }

    /// The budget is spent, perhaps while waiting for `server`.
    pub fn cut_short(&mut self, limit: Limit, server: Option<SocketAddr>) -> Failure {
        if let (Limit::Time(_), Some(server)) = (limit, server) {
            self.keep(Tried { server, result: ExchangeResult::Timeout, no_reply: None });
        }
        Failure::CutShort { limit, zone: self.zone.clone(), tried: self.take_tried() }
    }

    /// Of each server the last word counts.
    fn keep(&mut self, tried: Tried) {
        match self.tried.iter_mut().find(|known| known.server == tried.server) {
            Some(known) => *known = tried,
            None => self.tried.push(tried),
        }
    }
}
