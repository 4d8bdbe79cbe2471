//! The command line: every command, option and example, declared once.

use std::path::PathBuf;

use clap::{Args as Arguments, CommandFactory, Parser, Subcommand, ValueEnum};

use super::explain::Explain;
use super::query::Query;
use super::running_args::{Cache, Ctl, Zone};
use crate::dns::{Name, NameError};
use crate::options::AddressPort;

const EXAMPLES: &str = "\
Examples:
  namu run                                  serve zones/*.zone and resolve for this machine
  namu run home.arpa.zone --port 5300       serve one zone file
  namu run -c /etc/namu/config.yaml         start with a configuration
  namu check config.yaml zones/home.arpa.zone";

const RUN_EXAMPLES: &str = "\
Without -c no configuration is read from anywhere; listens on 127.0.0.1 and ::1, port 53 or else 5300.

Examples:
  namu run
  namu run home.arpa.zone corp.example.zone --port 5300
  namu run -c config.yaml --listen 192.0.2.53 --listen ::1@5300";

const CHECK_EXAMPLES: &str = "\
Exit code 0: no errors; 1: errors, with --strict also warnings.

Examples:
  namu check config.yaml
  namu check zones/*.zone
  namu check zone example.org example.org.zone
  namu check ./zone                         a file called `zone`";

/// A DNS server: authoritative from zone files, recursive with a cache, and with an access log.
#[derive(Debug, Parser)]
#[command(name = "namu", version, after_help = EXAMPLES, disable_help_subcommand = true)]
pub struct Args {
    /// What to do; without a command the short help is shown.
    #[command(subcommand)]
    pub command: Option<Command>,
}

impl Args {
    /// The help that `namu` alone shows.
    pub fn short_help() -> String {
        Args::command().render_help().to_string()
    }
}

/// The commands.
#[derive(Debug, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Start the server, in the foreground
    Run(Run),
    /// Check configurations and zone files: all mistakes at once
    Check(Check),
    /// Ask or tell a running server
    Ctl(Ctl),
    /// The zones of a running server: list, show, reload, edit
    Zone(Zone),
    /// What a running server has learnt: stats, get, flush, dump, load
    Cache(Cache),
    /// Ask a server a question, as dig does
    Query(Query),
    /// How the running server answers a question, and why it failed
    Explain(Explain),
    /// Show the version
    Version(Version),
}

/// Start the server, in the foreground.
#[derive(Debug, PartialEq, Eq, Arguments)]
#[command(after_help = RUN_EXAMPLES)]
pub struct Run {
    /// Zone files to serve [default without a configuration: zones/*.zone]
    #[arg(value_name = "ZONEFILE")]
    pub zone_files: Vec<PathBuf>,
    /// The configuration
    #[arg(short, long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The port of every listener that names none; 0 lets the kernel choose
    #[arg(long, value_name = "N")]
    pub port: Option<u16>,
    /// Listen here (ADDR or ADDR@PORT) and nowhere else; may be repeated
    #[arg(long, value_name = "ADDR")]
    pub listen: Vec<AddressPort>,
}

/// Check configurations and zone files.
#[derive(Debug, PartialEq, Eq, Arguments)]
#[command(
    after_help = CHECK_EXAMPLES,
    args_conflicts_with_subcommands = true,
    disable_help_subcommand = true,
    override_usage = "namu check [OPTIONS] [PATH]...\n       namu check [OPTIONS] zone ORIGIN FILE",
    subcommand_help_heading = "One zone"
)]
pub struct Check {
    /// Configurations (*.yaml, *.yml) and zone files [default: zones/*.zone]
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// How to say what was found: text, json or sarif [default: text]
    #[arg(
        long,
        default_value = "text",
        global = true,
        hide_possible_values = true,
        hide_default_value = true
    )]
    pub format: Format,
    /// Exit with 1 on warnings too
    #[arg(long, global = true)]
    pub strict: bool,
    /// One zone file under an origin of your choice.
    #[command(subcommand)]
    pub zone: Option<CheckZone>,
}

impl Check {
    /// Origin and file of `zone ORIGIN FILE`. After an option the word is among the paths.
    pub fn one_zone(&self) -> Option<Result<(Name, PathBuf), NameError>> {
        match (&self.zone, self.paths.as_slice()) {
            (Some(CheckZone::Zone { origin, file }), _) => Some(Ok((origin.clone(), file.clone()))),
            (None, [word, origin, file]) if word.as_os_str() == "zone" => {
                let origin = origin.to_string_lossy().parse();
                Some(origin.map(|origin| (origin, file.clone())))
            }
            _ => None,
        }
    }
}

/// How findings are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people, with source lines
    Text,
    /// One JSON object
    Json,
    /// SARIF 2.1.0, for code hosts and editors
    Sarif,
}

/// What `namu check` can be told of a file.
#[derive(Debug, PartialEq, Eq, Subcommand)]
pub enum CheckZone {
    /// Check one zone file under that origin
    Zone {
        /// The origin, such as example.org
        origin: Name,
        /// The zone file
        file: PathBuf,
    },
}

/// Show the version.
#[derive(Debug, PartialEq, Eq, Arguments)]
pub struct Version {
    /// As a JSON object
    #[arg(long)]
    pub json: bool,
}

#[cfg(test)]
mod tests {
    use clap::error::ErrorKind;

    use super::super::running_args::{CACHE_EXAMPLES, CTL_EXAMPLES, ZONE_EXAMPLES};
    use super::super::{explain, query};
    use super::*;
    use crate::cli::running_args::{Server, ZoneOrder};
    use crate::cli::zone_fmt::ZoneFmt;

    fn parse(line: &str) -> Result<Option<Command>, ErrorKind> {
        let parsed = Args::try_parse_from(line.split_whitespace());
        parsed.map(|args| args.command).map_err(|error| error.kind())
    }

    fn paths(paths: &[&str]) -> Vec<PathBuf> {
        paths.iter().map(PathBuf::from).collect()
    }

    #[test]
    fn the_declaration_is_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn run_takes_files_a_configuration_a_port_and_addresses() {
        let plain = Run { zone_files: vec![], config: None, port: None, listen: vec![] };
        assert_eq!(parse("namu run"), Ok(Some(Command::Run(plain))));
        let full = Run {
            zone_files: paths(&["a.zone", "b.zone"]),
            config: Some("c.yaml".into()),
            port: Some(5300),
            listen: vec!["192.0.2.1".parse().unwrap(), "::1@53".parse().unwrap()],
        };
        let line = "namu run a.zone -c c.yaml --port 5300 b.zone --listen 192.0.2.1 --listen ::1@53";
        assert_eq!(parse(line), Ok(Some(Command::Run(full))));
    }

    #[test]
    fn check_tells_a_path_from_the_word_zone() {
        let check = |files: &[&str], zone| {
            let (format, strict) = (Format::Text, false);
            Ok(Some(Command::Check(Check { paths: paths(files), format, strict, zone })))
        };
        let zone = CheckZone::Zone { origin: "example.org".parse().unwrap(), file: "f.zone".into() };
        assert_eq!(parse("namu check"), check(&[], None));
        assert_eq!(parse("namu check a.yaml b.zone"), check(&["a.yaml", "b.zone"], None));
        assert_eq!(parse("namu check zone example.org f.zone"), check(&[], Some(zone)));
        assert_eq!(parse("namu check ./zone"), check(&["./zone"], None));
        assert_eq!(parse("namu check help"), check(&["help"], None));
        assert_eq!(parse("namu check a.yaml zone"), check(&["a.yaml", "zone"], None));
    }

    #[test]
    fn check_takes_its_options_before_and_after_the_word_zone() {
        for line in [
            "namu check --strict --format sarif zone example.org f.zone",
            "namu check zone --strict example.org f.zone --format sarif",
        ] {
            let Ok(Some(Command::Check(check))) = parse(line) else { panic!("{line}") };
            assert!(check.strict && check.format == Format::Sarif, "{line}");
            let zone = check.one_zone().unwrap_or_else(|| panic!("{line}"));
            assert_eq!(zone.unwrap(), ("example.org.".parse().unwrap(), PathBuf::from("f.zone")), "{line}");
        }
        assert_eq!(parse("namu check --format xml"), Err(ErrorKind::InvalidValue));
    }

    #[test]
    fn zone_fmt_takes_files_or_standard_input() {
        let fmt = |files: &[&str], check, stdout| {
            let order = ZoneOrder::Fmt(ZoneFmt { files: paths(files), check, stdout });
            Ok(Some(Command::Zone(Zone { server: Server::default(), order })))
        };
        assert_eq!(parse("namu zone fmt a.zone b.zone"), fmt(&["a.zone", "b.zone"], false, false));
        assert_eq!(parse("namu zone fmt --check -"), fmt(&["-"], true, false));
        assert_eq!(parse("namu zone fmt a.zone --stdout"), fmt(&["a.zone"], false, true));
        assert_eq!(parse("namu zone fmt"), Err(ErrorKind::MissingRequiredArgument));
        assert_eq!(parse("namu zone fmt a --check --stdout"), Err(ErrorKind::ArgumentConflict));
    }

    #[test]
    fn usage_errors_are_clap_s_own_with_exit_code_2() {
        for line in [
            "namu run --port 65536",
            "namu run --listen localhost",
            "namu run --listen 127.0.0.1:53",
            "namu check zone example.org",
            "namu check zone a..b file",
            "namu wander",
            "namu version --yaml",
        ] {
            let error = Args::try_parse_from(line.split_whitespace()).expect_err(line);
            assert_eq!(error.exit_code(), 2, "{line}");
        }
        assert_eq!(parse("namu --version"), Err(ErrorKind::DisplayVersion));
        assert_eq!(parse("namu version --json"), Ok(Some(Command::Version(Version { json: true }))));
        assert_eq!(parse("namu"), Ok(None));
    }

    #[test]
    fn help_fits_one_screen_with_the_examples_last() {
        let mut command = Args::command();
        let mut helps = vec![(command.render_help(), EXAMPLES)];
        let all = [
            ("run", RUN_EXAMPLES),
            ("check", CHECK_EXAMPLES),
            ("ctl", CTL_EXAMPLES),
            ("zone", ZONE_EXAMPLES),
            ("cache", CACHE_EXAMPLES),
        ];
        for (name, examples) in all {
            helps.push((command.find_subcommand_mut(name).unwrap().render_long_help(), examples));
        }
        for (name, examples) in [("query", query::EXAMPLES), ("explain", explain::EXAMPLES)] {
            // No option of these has more to say at length.
            helps.push((command.find_subcommand_mut(name).unwrap().render_help(), examples));
        }
        for (help, examples) in helps {
            let help = help.to_string();
            assert!(help.lines().count() <= 30, "{help}");
            assert!(help.trim_end().ends_with(examples), "{help}");
        }
        assert!(Args::short_help().contains("namu run"));
    }
}
