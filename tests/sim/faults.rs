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
    /// It is a resolver: RA set, AA clear, and REFUSED for a query without RD.
    pub recursive: bool,
    /// It has its zones from somebody's cache: RA set and AA clear, with or without RD.
    pub second_hand: bool,
    /// REFUSED for a query with RD.
    pub authoritative_only: bool,
    /// An answer carries records nobody asked for: of another zone, its delegation and the address of its server, and an
    /// address for where an alias leads.
    pub poisons: bool,
    /// Before each reply come more datagrams that are no replies than anybody reads.
    pub strays: bool,
    /// Streams open, and nothing ever comes over them.
    pub stalls: bool,
    /// Every reply has so much to add that it goes over a stream: 40 kB.
    pub swells: bool,
    /// An answer says that the name is an alias of two others.
    pub contradicts: bool,
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
            ["recursive"] => self.recursive = true,
            ["second-hand"] => self.second_hand = true,
            ["authoritative-only"] => self.authoritative_only = true,
            ["poisons"] => self.poisons = true,
            ["strays"] => self.strays = true,
            ["stalls"] => self.stalls = true,
            ["swells"] => self.swells = true,
            ["contradicts"] => self.contradicts = true,
            _ => return Err(format!("unknown fault {words:?}")),
        }
        Ok(())
    }

    /// Each kind of fault by its word, and whether it is on. A new one does not compile until it stands here, and then
    /// the random internets have to meet it.
    pub fn kinds(&self) -> Vec<(&'static str, bool)> {
        let Faults {
            drops,
            silent,
            loss,
            delay,
            duplicates,
            truncates,
            wrong_id,
            wrong_question,
            refuses,
            fails,
            lame,
            no_edns,
            garbage,
            lies,
            changes_case,
            denies_empty,
            no_tcp,
            recursive,
            second_hand,
            authoritative_only,
            poisons,
            strays,
            stalls,
            swells,
            contradicts,
        } = self;
        vec![
            ("drops", *drops > 0),
            ("silent", *silent),
            ("loss", *loss > 0),
            ("delay", !delay.is_zero()),
            ("duplicates", *duplicates),
            ("truncates", *truncates),
            ("wrong-id", *wrong_id),
            ("wrong-question", *wrong_question),
            ("refuses", *refuses),
            ("fails", *fails),
            ("lame", *lame),
            ("no-edns", *no_edns),
            ("garbage", *garbage),
            ("lies", *lies),
            ("changes-case", *changes_case),
            ("denies-empty", *denies_empty),
            ("no-tcp", *no_tcp),
            ("recursive", *recursive),
            ("second-hand", *second_hand),
            ("authoritative-only", *authoritative_only),
            ("poisons", *poisons),
            ("strays", *strays),
            ("stalls", *stalls),
            ("swells", *swells),
            ("contradicts", *contradicts),
        ]
    }
}
