//! From the text of a zone to its records: directives, and what a record inherits from those before it.

use crate::diagnostic::{self, Diagnostic};
use crate::dns::{Name, NameBuf, NameRef, RrClass, RrType, Ttl};
use crate::limits;

use super::error::{Fault, Outcome, did_you_mean, shown};
use super::files::{Files, Includes, Mark};
use super::generate::{Range, Template};
use super::lexer::{Lexer, Token};
use super::rdata::{self, Workspace};
use super::report::Report;
use super::{mnemonics, times};

/// One record of a zone file, class IN. Borrows from the parser: keep copies.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    /// The owner name, in the case it was written.
    pub owner: NameRef<'a>,
    /// The TTL, its own or inherited.
    pub ttl: Ttl,
    /// The type, never a meta-type.
    pub rr_type: RrType,
    /// The RDATA in wire form with names uncompressed; it has passed `dns::rdata::check`.
    pub rdata: &'a [u8],
    /// Where it stands.
    pub mark: Mark,
}

/// Reads a zone: the file in `files` and those it includes, which are added there. `origin` completes relative
/// names until an `$ORIGIN`. Each good record goes to `sink` as it is read, also after errors, so that one run finds
/// them all.
///
/// Returns warnings, or when anything is wrong at most `limits::ZONEFILE_ERRORS` errors, followed by the warnings; then
/// what `sink` got is not to be served. What records mean together (a SOA, CNAME beside other data, names out of the
/// zone) is not asked here.
pub fn parse(
    files: &mut Files,
    origin: NameRef<'_>,
    includes: &dyn Includes,
    sink: &mut dyn FnMut(Record<'_>),
) -> Result<Vec<Diagnostic>, Vec<Diagnostic>> {
    let inherited = Inherited { origin: origin.to_name(), owner: None, default_ttl: None, last_ttl: None };
    parse_from(inherited, files, includes, sink)
}

/// The same with a TTL for records that have none and find none above.
pub fn parse_with_ttl(
    files: &mut Files,
    origin: NameRef<'_>,
    ttl: Ttl,
    includes: &dyn Includes,
    sink: &mut dyn FnMut(Record<'_>),
) -> Result<Vec<Diagnostic>, Vec<Diagnostic>> {
    let default_ttl = Some(ttl);
    let inherited = Inherited { origin: origin.to_name(), owner: None, default_ttl, last_ttl: None };
    parse_from(inherited, files, includes, sink)
}

fn parse_from(
    inherited: Inherited,
    files: &mut Files,
    includes: &dyn Includes,
    sink: &mut dyn FnMut(Record<'_>),
) -> Result<Vec<Diagnostic>, Vec<Diagnostic>> {
    let mut parser = Parser {
        files,
        includes,
        sink,
        report: Report::default(),
        inherited,
        rdata: Vec::new(),
        generated: 0,
        workspace: Workspace::default(),
    };
    parser.file(0);
    parser.report.finish()
}

struct Parser<'p> {
    files: &'p mut Files,
    includes: &'p dyn Includes,
    sink: &'p mut dyn FnMut(Record<'_>),
    report: Report,
    inherited: Inherited,
    /// RDATA of the record being read.
    rdata: Vec<u8>,
    /// Records that `$GENERATE` was asked for so far.
    generated: u64,
    workspace: Workspace,
}

/// What a record takes from the text above it. An included file starts with a copy; what it changes ends with it
/// (RFC 1035 5.1).
#[derive(Clone)]
struct Inherited {
    origin: Name,
    owner: Option<NameBuf>,
    /// Of `$TTL`.
    default_ttl: Option<Ttl>,
    /// Of the last record that had one.
    last_ttl: Option<Ttl>,
}

impl Inherited {
    /// The TTL of a record: its own, that of `$TTL`, or the last one written (RFC 2308 section 4, RFC 1035 5.1).
    fn ttl(&mut self, own: Option<Ttl>, rr_type: RrType, rdata: &[u8]) -> Option<Ttl> {
        self.last_ttl = own.or(self.last_ttl);
        if let Some(ttl) = own.or(self.default_ttl).or(self.last_ttl) {
            return Some(ttl);
        }
        // A SOA without any TTL takes its own last field, and so do the records after it.
        let minimum = rdata.last_chunk().filter(|_| rr_type == RrType::SOA)?;
        self.last_ttl = Some(Ttl::from_wire(u32::from_be_bytes(*minimum)));
        self.last_ttl
    }
}

impl Parser<'_> {
    fn file(&mut self, file: usize) {
        let octets = self.files.octets(file);
        let mut lexer = Lexer::new(&octets);
        if self.files.octet_count() > limits::ZONEFILE_OCTETS {
            let message =
                format!("the files of this zone have more than {} octets together", limits::ZONEFILE_OCTETS);
            self.report.error(self.files, file, *Fault::new(0, 1, message), None);
            return;
        }
        while !lexer.is_at_end() && !self.report.is_full() {
            match self.entry(file, &mut lexer) {
                Ok(()) => lexer.next_line(),
                Err(fault) => {
                    self.report.error(self.files, file, *fault, lexer.open_parenthesis());
                    lexer.skip_record();
                }
            }
        }
    }

    /// A record, a directive or an empty line.
    fn entry(&mut self, file: usize, lexer: &mut Lexer<'_>) -> Outcome<()> {
        let indented = lexer.is_at_blank();
        let Some(first) = lexer.next()? else {
            return Ok(());
        };
        if !first.quoted && first.text.starts_with(b"$") {
            if indented {
                return Err(Fault::of(&first, format!("{} does not begin its line", shown(first.text)))
                    .help("remove the blanks before it; a name that begins so is written \\$"));
            }
            return self.directive(file, lexer, &first);
        }
        if indented {
            return self.record(file, lexer, first, first);
        }
        let mut owner = NameBuf::new();
        rdata::name(&first, self.inherited.origin.as_ref(), &mut owner)?;
        self.inherited.owner = Some(owner);
        let Some(next) = lexer.next()? else {
            return Err(no_type(lexer));
        };
        self.record(file, lexer, first, next)
    }

    /// The rest of a record from `token`, the one after the owner; `first` is where the record begins.
    fn record<'a>(
        &mut self,
        file: usize,
        lexer: &mut Lexer<'a>,
        first: Token<'a>,
        token: Token<'a>,
    ) -> Outcome<()> {
        let Preamble { ttl, rr_type, type_end } = self.preamble(file, lexer, token)?;
        let reader = rdata::Reader {
            lexer,
            origin: self.inherited.origin.as_ref(),
            rr_type,
            out: &mut self.rdata,
            workspace: &mut self.workspace,
        };
        reader.read()?;
        let begins = |message: &str| Fault::new(first.at, type_end - first.at, message);
        let ttl = self.inherited.ttl(ttl, rr_type, &self.rdata).ok_or_else(|| {
            begins("no TTL: neither here nor in any line above")
                .help("begin the file with a default, such as $TTL 1h")
        })?;
        let Some(owner) = self.inherited.owner.as_ref().and_then(|owner| owner.as_name().ok()) else {
            // Said once, not of every line that follows.
            let mut apex = NameBuf::new();
            self.inherited.owner = apex.finish_with(self.inherited.origin.as_ref()).is_ok().then_some(apex);
            return Err(begins("the first record has no owner name")
                .help("begin the line with a name, or with @ for the origin"));
        };
        let mark = Files::mark(file, first.at, type_end - first.at);
        (self.sink)(Record { owner, ttl, rr_type, rdata: &self.rdata, mark });
        Ok(())
    }

    /// TTL and class, each at most once and in either order, and then the type (RFC 1035 5.1).
    fn preamble<'a>(&mut self, file: usize, lexer: &mut Lexer<'a>, first: Token<'a>) -> Outcome<Preamble> {
        let (mut ttl, mut class) = (None, None);
        let mut token = first;
        loop {
            if let Some(seconds) = times::parse_period(token.text).filter(|_| ttl.is_none()) {
                ttl = Some(self.ttl(file, &token, seconds)?);
            } else if let Some(found) = mnemonics::class(token.text).filter(|_| class.is_none()) {
                if found != RrClass::IN {
                    return Err(Fault::of(&token, format!("class {found}; only IN is served")));
                }
                class = Some(found);
            } else {
                let rr_type = record_type(&token)?;
                return Ok(Preamble { ttl, rr_type, type_end: token.end() });
            }
            token = lexer.next()?.ok_or_else(|| no_type(lexer))?;
        }
    }

    fn ttl(&mut self, file: usize, token: &Token<'_>, seconds: u64) -> Outcome<Ttl> {
        let seconds = u32::try_from(seconds)
            .map_err(|_| Fault::of(token, format!("a TTL of more than {} seconds", Ttl::MAX)))?;
        if seconds > Ttl::MAX.seconds() {
            let mark = Files::mark(file, token.at, token.length());
            self.report.warning(
                self.files,
                mark,
                "a TTL of more than 2147483647 seconds counts as 0 (RFC 2181 section 8)",
            );
        }
        Ok(Ttl::from_wire(seconds))
    }

    fn directive(&mut self, file: usize, lexer: &mut Lexer<'_>, directive: &Token<'_>) -> Outcome<()> {
        match directive.text {
            word if word.eq_ignore_ascii_case(b"$ORIGIN") => {
                let token = argument(lexer, "$ORIGIN needs a name", "such as $ORIGIN example.org.")?;
                if token.quoted {
                    let message = format!("{} in quotes; no server reads that", shown(token.text));
                    return Err(Fault::of(&token, message).help("write the name without quotation marks"));
                }
                self.inherited.origin = self.name(&token)?;
                end_of_directive(lexer)
            }
            word if word.eq_ignore_ascii_case(b"$TTL") => {
                let token = argument(lexer, "$TTL needs a time", "such as $TTL 3600 or $TTL 1h")?;
                let seconds = times::parse_period(token.text).ok_or_else(|| {
                    Fault::of(&token, format!("{} is not a TTL", shown(token.text))).help(TTL_HELP)
                })?;
                let ttl = self.ttl(file, &token, seconds)?;
                end_of_directive(lexer)?;
                self.inherited.default_ttl = Some(ttl);
                Ok(())
            }
            word if word.eq_ignore_ascii_case(b"$INCLUDE") => {
                let path = argument(lexer, "$INCLUDE needs a file", "such as $INCLUDE hosts.zone")?;
                let origin = match lexer.next()? {
                    Some(token) => self.name(&token)?,
                    None => self.inherited.origin.clone(),
                };
                end_of_directive(lexer)?;
                self.include(file, &path, origin)
            }
            word if word.eq_ignore_ascii_case(b"$GENERATE") => self.generate(file, lexer, directive),
            word => Err(unknown_directive(directive, word)),
        }
    }

    /// `$GENERATE range owner [TTL] [class] type data`. The owner of the lines below stays what it was.
    fn generate(&mut self, file: usize, lexer: &mut Lexer<'_>, directive: &Token<'_>) -> Outcome<()> {
        const EXAMPLE: &str = "such as $GENERATE 1-254 host-$ A 192.0.2.$";
        let range_token = argument(lexer, "$GENERATE needs a range", EXAMPLE)?;
        let range = Range::of(&range_token)?;
        let owner = argument(lexer, "$GENERATE needs an owner name", EXAMPLE)?;
        let owners = Template::of(&owner)?;
        let type_token = lexer.next()?.ok_or_else(|| no_type(lexer))?;
        let preamble = self.preamble(file, lexer, type_token)?;
        let data = Template::of_data(lexer)?;
        self.generated = self.generated.saturating_add(range.count());
        if self.generated > limits::ZONEFILE_GENERATED {
            let message =
                format!("more than {} records by $GENERATE in this zone", limits::ZONEFILE_GENERATED);
            return Err(Fault::of(&range_token, message));
        }
        let mark = Files::mark(file, directive.at, preamble.type_end - directive.at);
        let (mut owner_text, mut data_text) = (Vec::new(), Vec::new());
        for number in range.numbers() {
            owners.expand(number, &mut owner_text);
            data.expand(number, &mut data_text);
            let written = Token { text: &owner_text, escaped: owner_text.contains(&b'\\'), ..owner };
            // A mistake in what was made is told of where it was made from.
            let at_number = |fault: Box<Fault>, at: usize, length: usize, text: &[u8]| {
                let message = format!("for the number {number}, in {}: {}", shown(text), fault.message);
                Box::new(Fault { at, length, message, help: fault.help })
            };
            self.generated_record(&written, &data_text, &preamble, mark).map_err(
                |(part, fault)| match part {
                    Part::Owner => at_number(fault, owner.at, owner.length(), &owner_text),
                    Part::Data => {
                        let begin = preamble.type_end;
                        at_number(fault, begin, lexer.position() - begin, &data_text)
                    }
                },
            )?;
        }
        Ok(())
    }

    fn generated_record(
        &mut self,
        owner: &Token<'_>,
        data: &[u8],
        preamble: &Preamble,
        mark: Mark,
    ) -> Result<(), (Part, Box<Fault>)> {
        let Preamble { ttl, rr_type, .. } = *preamble;
        let mut buf = NameBuf::new();
        let owner = rdata::name(owner, self.inherited.origin.as_ref(), &mut buf)
            .map_err(|fault| (Part::Owner, fault))?;
        let reader = rdata::Reader {
            lexer: &mut Lexer::new(data),
            origin: self.inherited.origin.as_ref(),
            rr_type,
            out: &mut self.rdata,
            workspace: &mut self.workspace,
        };
        reader.read().map_err(|fault| (Part::Data, fault))?;
        let ttl = self.inherited.ttl(ttl, rr_type, &self.rdata).ok_or_else(|| {
            let fault = Fault::new(0, 1, "no TTL: neither here nor in any line above");
            (Part::Owner, fault.help("begin the file with a default, such as $TTL 1h"))
        })?;
        (self.sink)(Record { owner, ttl, rr_type, rdata: &self.rdata, mark });
        Ok(())
    }

    fn name(&self, token: &Token<'_>) -> Outcome<Name> {
        rdata::name(token, self.inherited.origin.as_ref(), &mut NameBuf::new()).map(NameRef::to_name)
    }

    fn include(&mut self, file: usize, path: &Token<'_>, origin: Name) -> Outcome<()> {
        let mut text = Vec::new();
        rdata::unescape(path, &mut text)?;
        let text = String::from_utf8(text).map_err(|_| Fault::of(path, "the file name is not UTF-8"))?;
        // This file and those around it are that many levels below the zone file.
        if self.files.stack(file).count() > limits::ZONEFILE_INCLUDES {
            let message = format!("$INCLUDE is nested more than {} deep", limits::ZONEFILE_INCLUDES);
            return Err(Fault::of(path, message));
        }
        if self.files.count() >= limits::ZONEFILE_FILES {
            return Err(Fault::of(path, format!("more than {} files are included", limits::ZONEFILE_FILES)));
        }
        let included = self.includes.open(&text, &self.files.name(file)).map_err(|error| {
            Fault::of(path, format!("cannot include {}: {error}", shown(text.as_bytes())))
        })?;
        if self.files.stack(file).any(|above| *self.files.name(above) == *included.name) {
            return Err(Fault::of(path, format!("{} includes itself", included.name)));
        }
        let included = self.files.add(included, Files::mark(file, path.at, path.length()));
        let before = self.inherited.clone();
        self.inherited.origin = origin;
        self.file(included);
        self.inherited = before;
        Ok(())
    }
}

/// Of a generated record.
enum Part {
    Owner,
    Data,
}

struct Preamble {
    ttl: Option<Ttl>,
    rr_type: RrType,
    type_end: usize,
}

const TTL_HELP: &str = "write seconds, or units as in 1w2d3h4m5s";

fn record_type(token: &Token<'_>) -> Outcome<RrType> {
    let rr_type = mnemonics::rr_type(token.text).filter(|_| !token.quoted).ok_or_else(|| {
        Fault::of(token, format!("unknown RR type {}", shown(token.text)))
            .help(mnemonics::suggest_type(token.text))
    })?;
    if rr_type.is_meta() {
        return Err(Fault::of(token, format!("{rr_type} is a meta-type; no zone can have records of it")));
    }
    Ok(rr_type)
}

fn no_type(lexer: &Lexer<'_>) -> Box<Fault> {
    Fault::new(lexer.position(), 1, "the record ends before its type")
        .help("a record is: owner TTL class type data")
}

fn argument<'a>(lexer: &mut Lexer<'a>, missing: &str, example: &str) -> Outcome<Token<'a>> {
    lexer.next()?.ok_or_else(|| Fault::new(lexer.position(), 1, missing).help(example))
}

fn end_of_directive(lexer: &mut Lexer<'_>) -> Outcome<()> {
    match lexer.next()? {
        None => Ok(()),
        Some(extra) => {
            Err(Fault::of(&extra, format!("{} after the end of the directive", shown(extra.text)))
                .help("remove it, or make it a comment with `;`"))
        }
    }
}

fn unknown_directive(directive: &Token<'_>, word: &[u8]) -> Box<Fault> {
    let known = ["$ORIGIN", "$TTL", "$INCLUDE", "$GENERATE"];
    let near = diagnostic::nearest(&String::from_utf8_lossy(&word[..word.len().min(32)]), known);
    Fault::of(directive, format!("unknown directive {}", shown(word))).help(match near {
        Some(near) => did_you_mean(near),
        None => {
            "there are $ORIGIN, $TTL, $INCLUDE and $GENERATE; a name that begins with $ is written \\$".into()
        }
    })
}
