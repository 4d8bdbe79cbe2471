//! What can be wrong with a host of the simulated internet.

use std::time::Duration;

/// Everything that goes wrong at one host. The default is that nothing does.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    /// Datagrams that get lost before the host sees them, from the next one on.
    pub drops: u32,
    /// Nothing ever comes back, by datagram or stream.
    pub silent: bool,
    /// Loss in percent, each way.
    pub loss: u32,
    /// Longer than the ordinary round trip by this.
    pub delay: Duration,
    /// Each reply comes twice.
    pub duplicates: bool,
    /// Every UDP reply is empty and truncated.
    pub truncates: bool,
    /// A forged reply with another id comes before the true one.
    pub wrong_id: bool,
    /// A forged reply to another question comes before the true one.
    pub wrong_question: bool,
    /// REFUSED for everything.
    pub refuses: bool,
    /// SERVFAIL for everything.
    pub fails: bool,
    /// Answers without authority: AA clear, no data, a referral to the root.
    pub lame: bool,
    /// FORMERR for a query with EDNS.
    pub no_edns: bool,
    /// Replies that are no DNS message.
    pub garbage: bool,
    /// A referral or answer carries addresses for names of other zones too.
    pub lies: bool,
    /// The question comes back in lower case.
    pub changes_case: bool,
    /// No name exists that owns nothing, though others exist below it.
    pub denies_empty: bool,
    /// Nobody listens on TCP.
    pub no_tcp: bool,
}

impl Faults {
    /// Turns on the fault that `words` name; `words` is what stands behind the host in a scenario.
    pub fn turn_on(&mut self, words: &[&str]) -> Result<(), String> {
        let number = |text: &str| text.parse::<u32>().map_err(|error| format!("{text}: {error}"));
        match words {
            ["none"] => *self = Faults::default(),
            ["drops", count] => self.drops = number(count)?,
            ["loss", percent] => self.loss = number(percent)?,
            ["delay", milliseconds] => self.delay = Duration::from_millis(number(milliseconds)?.into()),
            ["silent"] => self.silent = true,
            ["duplicates"] => self.duplicates = true,
            ["truncates"] => self.truncates = true,
            ["wrong-id"] => self.wrong_id = true,
            ["wrong-question"] => self.wrong_question = true,
            ["refuses"] => self.refuses = true,
            ["fails"] => self.fails = true,
            ["lame"] => self.lame = true,
            ["no-edns"] => self.no_edns = true,
            ["garbage"] => self.garbage = true,
            ["lies"] => self.lies = true,
            ["changes-case"] => self.changes_case = true,
            ["denies-empty"] => self.denies_empty = true,
            ["no-tcp"] => self.no_tcp = true,
            _ => return Err(format!("unknown fault {words:?}")),
        }
        Ok(())
    }
}
