//! Diagnostics in SARIF 2.1.0, which code hosts and editors show at the lines they concern.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Diagnostic, Place};

/// The rule of what has no code: a file that cannot be read, or not understood.
const SYNTAX: &str = "syntax";

/// One log with one run (SARIF 2.1.0 3.13, 3.14).
pub fn sarif(diagnostics: &[Diagnostic]) -> String {
    let rules: BTreeSet<&str> = diagnostics.iter().map(rule).collect();
    let log = json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": env!("CARGO_PKG_NAME"),
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules.iter().map(|rule| json!({"id": rule})).collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "results": diagnostics.iter().map(result).collect::<Vec<_>>(),
        }],
    });
    format!("{log:#}")
}

fn rule(diagnostic: &Diagnostic) -> &'static str {
    diagnostic.code.unwrap_or(SYNTAX)
}

fn result(diagnostic: &Diagnostic) -> Value {
    let sentences = std::iter::once(&diagnostic.message).chain(&diagnostic.help).chain(&diagnostic.notes);
    let text = sentences.map(String::as_str).collect::<Vec<_>>().join("; ");
    let mut result = json!({
        "ruleId": rule(diagnostic),
        "level": diagnostic.severity.word(),
        "message": {"text": text},
        "locations": diagnostic.place.iter().map(location).collect::<Vec<_>>(),
    });
    if let Some((why, place)) = &diagnostic.related {
        let mut related = location(place);
        related["id"] = json!(0);
        related["message"] = json!({"text": why});
        result["relatedLocations"] = json!([related]);
    }
    result
}

fn location(place: &Place) -> Value {
    json!({"physicalLocation": {
        "artifactLocation": {"uri": uri(&place.file)},
        "region": {
            "startLine": place.line,
            "startColumn": place.column,
            "endColumn": place.column + place.length,
        },
    }})
}

/// A path as a URI reference (SARIF 2.1.0 3.4.3, RFC 3986): absolute ones as `file:`, what else is not plain as `%XX`.
fn uri(path: &str) -> String {
    let mut uri = String::from(if path.starts_with('/') { "file://" } else { "" });
    for octet in path.bytes() {
        if octet.is_ascii_alphanumeric() || b"-._~/".contains(&octet) {
            uri.push(char::from(octet));
        } else {
            uri.push_str(&format!("%{octet:02X}"));
        }
    }
    uri
}
