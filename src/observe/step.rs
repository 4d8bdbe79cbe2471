//! Step: one thing recursion did for a question. The steps of a query, in order, explain its answer.

use crate::dns::{Name, Question, Rcode};

use super::event::UpstreamExchange;

/// One thing recursion did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The cache knew this, nobody was asked.
    Known(Question),
    /// A zone served here said something of this, nobody was asked.
    Here(Question),
    /// The servers the operator named for the names at and below this one are asked next.
    Upstream(Name),
    /// The servers of this zone are asked next.
    Zone {
        /// Its apex.
        apex: Name,
        /// How many name servers its delegation has.
        name_servers: usize,
    },
    /// A question was sent to a server.
    Exchange {
        /// The question.
        question: Question,
        /// The server, and what came of it.
        exchange: UpstreamExchange,
    },
    /// A server referred to the servers of this zone.
    Referral(Name),
    /// The first name is an alias of the second.
    Alias(Name, Name),
    /// The question was answered with this code.
    Found(Question, Rcode),
    /// A question of our own had to be answered first.
    Child(Question),
    /// A question of our own was not answered.
    ChildFailed(Question),
    /// Waiting for this question would have been waiting for ourselves.
    Cycle(Question),
}
