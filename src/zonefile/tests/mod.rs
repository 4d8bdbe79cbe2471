//! The room through its doors: zones in, records out, and back.

mod any_rdata;
mod generate;
mod includes;
mod layout;
mod mistakes;
mod printed;
mod types;

use super::*;
use crate::diagnostic::Diagnostic;
use crate::dns::{Name, rdata as wire};

type Outcome = (Vec<String>, Result<Vec<Diagnostic>, Vec<Diagnostic>>);

/// The records of a zone `example.` as people read them, without line ends, and what the parser says.
fn read_with(octets: &[u8], includes: &dyn Includes) -> Outcome {
    let mut files = Files::new("a.zone", octets.to_vec());
    let origin: Name = "example.".parse().unwrap();
    let mut records = Vec::new();
    let said = parse(&mut files, origin.as_ref(), includes, &mut |record| {
        wire::check(record.rr_type, record.rdata).unwrap();
        let Record { owner, ttl, rr_type, rdata, .. } = record;
        let line = format!("{owner} {ttl} IN {rr_type} {:#}", RdataText { rr_type, rdata });
        records.push(line.trim_end().to_owned());
    });
    (records, said)
}

fn read(text: &str) -> Outcome {
    read_with(text.as_bytes(), &NoIncludes)
}

/// The records of a text that is expected to be good.
fn records(text: &str) -> Vec<String> {
    let (records, said) = read(text);
    assert_eq!(said, Ok(vec![]), "{text}");
    records
}

/// The errors of a text, each on one line.
fn errors(text: &str) -> Vec<String> {
    read(text).1.expect_err(text).iter().map(|error| error.to_string()).collect()
}
