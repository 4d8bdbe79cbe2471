//! How requests are answered, made from the options.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use super::overlays;
use crate::config::{self, Config, PrivateNetworks, SpecialZones, ZoneOptions};
use crate::diagnostic::Diagnostic;
use crate::limits;
use crate::net::chance;
use crate::policy::{
    Access, AccessError, Acl, ClientLimit, CookieSecret, CookieSecrets, RebindingGuard, SpecialNames,
};
use crate::service::{Identity, RrsetOrder, ServeOptions, Visibility};

/// Who may do what: the lists of `access`, and those of zones.
pub(super) fn access(config: &Config) -> Result<Access, Box<Diagnostic>> {
    // The lists were compiled once already, when the file was checked.
    let undefined = |error: AccessError| Box::new(Diagnostic::error(error.to_string()));
    let access = Access::compile(&config.access, &config.acls).map_err(undefined)?;
    let mut own = Vec::new();
    for zone in &config.zones {
        if let Some(words) = &zone.transfer {
            own.push((zone.name.clone(), Acl::compile(words, &config.acls).map_err(undefined)?));
        }
    }
    Ok(Access { transfer: access.transfer.clone().with_own(own), ..access })
}

/// All but who may do what.
pub(super) fn serve_options(config: &Config) -> Result<ServeOptions, Box<Diagnostic>> {
    let server = &config.server;
    Ok(ServeOptions {
        udp_payload_size: server.udp_payload_size.octets(),
        rrset_order: match server.rrset_order {
            config::RrsetOrder::Rotate => RrsetOrder::Rotate,
            config::RrsetOrder::Fixed => RrsetOrder::Fixed,
            config::RrsetOrder::Random => RrsetOrder::Random,
        },
        extended_errors: server.extended_errors,
        identity: Identity::new(server.identity.0.as_deref(), &server.version_bind.0),
        cookies: server.cookies.then(|| cookie_secrets(config)).transpose()?,
        rate_limit: config.rate_limit.responses.0,
        client_limit: client_limit(config)?,
        special_names: match server.special_zones {
            SpecialZones::Builtin if config.resolver.enabled => Some(Arc::new(SpecialNames::builtin())),
            SpecialZones::Builtin | SpecialZones::None => None,
        },
        overlays: overlays::read(config)?,
        visibility: visibility(config),
        rebinding: rebinding(config),
        dns64: config.resolver.dns64_prefix.0,
        transfers: Arc::default(),
        waiting: Arc::default(),
    })
}

fn client_limit(config: &Config) -> Result<Option<ClientLimit>, Box<Diagnostic>> {
    let Some(limit) = &config.rate_limit.clients.0 else { return Ok(None) };
    let exempt = Acl::compile(&limit.exempt, &config.acls)
        .map_err(|undefined| Diagnostic::error(undefined.to_string()))?;
    Ok(Some(ClientLimit {
        per_second: limit.queries_per_second.0,
        burst: limit.burst.0,
        ipv4_prefix: limit.ipv4_prefix.0,
        ipv6_prefix: limit.ipv6_prefix.0,
        exempt,
    }))
}

/// Which zones clients and the resolver do not see.
fn visibility(config: &Config) -> Visibility {
    let hidden = |is_seen: fn(&ZoneOptions) -> bool| {
        config.primaries().filter(|zone| !is_seen(zone)).map(|zone| zone.name.clone()).collect()
    };
    Visibility::new(hidden(|zone| zone.for_clients), hidden(|zone| zone.for_resolver))
}

/// The guard of addresses that public names may not have.
fn rebinding(config: &Config) -> Option<Arc<RebindingGuard>> {
    let options = &config.resolver;
    match &options.private_networks {
        PrivateNetworks::None => None,
        PrivateNetworks::And(networks) => {
            let networks = networks.iter().map(|network| network.net());
            Some(Arc::new(RebindingGuard::new(networks, options.private_exceptions.clone())))
        }
    }
}

/// The secrets of the file, else one drawn now.
fn cookie_secrets(config: &Config) -> Result<CookieSecrets, Box<Diagnostic>> {
    match &config.server.cookie_secret_file {
        Some(file) => read_secrets(&config.resolve(file)),
        None => Ok(CookieSecrets::new(CookieSecret(chance::secret()), &[])),
    }
}

/// The secrets to use from now on: those of the file as it is now, or a new one beside the one in use.
pub(super) fn next_secrets(
    config: &Config,
    current: &CookieSecrets,
) -> Result<CookieSecrets, Box<Diagnostic>> {
    match &config.server.cookie_secret_file {
        Some(file) => read_secrets(&config.resolve(file)),
        None => Ok(current.replaced(CookieSecret(chance::secret()))),
    }
}

fn read_secrets(path: &Path) -> Result<CookieSecrets, Box<Diagnostic>> {
    let unusable = |why: String| Diagnostic::error(format!("{}: {why}", path.display()));
    let file = File::open(path).map_err(|error| unusable(error.to_string()))?;
    // As long as it may be and one octet more, and that of a device without an end too.
    let mut text = String::new();
    let read = file.take(limits::COOKIE_SECRET_FILE + 1).read_to_string(&mut text);
    let octets = read.map_err(|error| unusable(error.to_string()))?;
    if octets as u64 > limits::COOKIE_SECRET_FILE {
        return Err(unusable(format!("it has more than {} octets", limits::COOKIE_SECRET_FILE)).into());
    }
    parse_secrets(&text).map_err(|why| {
        Box::new(unusable(why).help("write one secret of 32 hexadecimal digits a line, the one in use first"))
    })
}

/// One secret a line; empty lines and what follows `#` are passed over. Never says what it read.
fn parse_secrets(text: &str) -> Result<CookieSecrets, String> {
    let mut secrets = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let digits = line.split('#').next().unwrap_or_default().trim();
        if digits.is_empty() {
            continue;
        }
        let is_secret = digits.len() == 32 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        let secret = u128::from_str_radix(digits, 16).ok().filter(|_| is_secret);
        let secret = secret.ok_or_else(|| format!("line {} is not a secret", number + 1))?;
        secrets.push(CookieSecret(secret.to_be_bytes()));
    }
    match secrets.split_first() {
        None => Err("it has no secret".into()),
        Some(_) if secrets.len() > limits::COOKIE_SECRETS => {
            Err(format!("it has more than {} secrets", limits::COOKIE_SECRETS))
        }
        Some((first, others)) => Ok(CookieSecrets::new(*first, others)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_an_end_is_refused() {
        let said = read_secrets(Path::new("/dev/zero")).unwrap_err().to_string();
        assert!(said.contains("it has more than 4096 octets"), "{said}");
    }

    #[test]
    fn secrets_are_read_and_mistakes_never_show_them() {
        let one = "000102030405060708090a0b0c0d0e0f";
        let octets: Vec<u8> = (0..16).collect();
        let secret = CookieSecret(octets.try_into().unwrap());
        assert_eq!(parse_secrets(one), Ok(CookieSecrets::new(secret, &[])));
        let text = format!("# in use\n{one}\n\n  {one} # before\n");
        assert_eq!(parse_secrets(&text), Ok(CookieSecrets::new(secret, &[secret])));
        for (text, why) in [
            ("", "it has no secret"),
            ("# none", "it has no secret"),
            ("0011", "line 1 is not a secret"),
            (&format!("{one}\n+{}", &one[1..]), "line 2 is not a secret"),
            (&format!("{one}\n").repeat(5), "it has more than 4 secrets"),
        ] {
            assert_eq!(parse_secrets(text), Err(why.into()));
        }
    }
}
