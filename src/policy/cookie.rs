//! Server cookies (RFC 7873) in the form that all servers of one address understand (RFC 9018).
//!
//! ```text
//! 0  version 1   1  reserved (3)   4  seconds (4)   8  SipHash-2-4 of client cookie, octets 0 to 7, client address
//! ```

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use siphasher::sip::SipHasher24;

use crate::clock::Unix;
use crate::limits;
use crate::wire::RequestCookie;

/// Seconds a server cookie is good for (RFC 9018 4.3).
const LIFE: i32 = 3600;
/// Seconds after which it is replaced by a new one (RFC 9018 4.3).
const YOUTH: i32 = 1800;
/// Seconds it may be ahead: clocks of servers behind one address differ (RFC 9018 4.3).
const AHEAD: i32 = 300;

/// What the cookie of a request says about its client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cookie {
    /// It has none.
    Absent,
    /// The client has one of its own, and none of ours yet.
    ClientOnly,
    /// Ours: the client gets what is sent to its address.
    Valid,
    /// Not ours, too old, or made for another address.
    Invalid,
}

/// A secret of server cookies.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CookieSecret(pub [u8; 16]);

impl fmt::Debug for CookieSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CookieSecret(..)")
    }
}

/// The secrets in force. Cookies are made with the first and accepted with any of them, so that a secret can be
/// replaced, on several servers one after the other, without a client noticing (RFC 9018 section 5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CookieSecrets {
    first: CookieSecret,
    others: Arc<[CookieSecret]>,
}

impl CookieSecrets {
    /// The secret to make cookies with and others to accept, at most [`limits::COOKIE_SECRETS`] in all.
    pub fn new(first: CookieSecret, others: &[CookieSecret]) -> CookieSecrets {
        let kept = others.len().min(limits::COOKIE_SECRETS - 1);
        CookieSecrets { first, others: others[..kept].into() }
    }

    /// With a new secret in front, and of the old ones that which was in use.
    pub fn replaced(&self, first: CookieSecret) -> CookieSecrets {
        CookieSecrets::new(first, &[self.first])
    }

    /// What the cookie of a request says, and the cookie for the response.
    pub fn check(
        &self,
        request: Option<RequestCookie<'_>>,
        client: IpAddr,
        now: Unix,
    ) -> (Cookie, Option<[u8; 24]>) {
        let Some(request) = request else { return (Cookie::Absent, None) };
        let seconds = now.seconds() as u32;
        let made = || Some(join(request.client, self.first.cookie(request.client, client, seconds)));
        if request.server.is_empty() {
            return (Cookie::ClientOnly, made());
        }
        match self.read(request, client, seconds) {
            Some(ours) if ours.is_of_first && ours.age <= YOUTH => {
                (Cookie::Valid, Some(join(request.client, ours.octets)))
            }
            Some(_) => (Cookie::Valid, made()),
            None => (Cookie::Invalid, made()),
        }
    }

    /// A server cookie that is ours and still of use. The age is judged before the hash is worked out: it is cheaper.
    fn read(&self, request: RequestCookie<'_>, client: IpAddr, now: u32) -> Option<Ours> {
        let octets: [u8; 16] = request.server.try_into().ok()?;
        let [1, _, _, _, a, b, c, d, hash @ ..] = octets else { return None };
        // RFC 1982 arithmetic: the seconds begin anew in 2106.
        let age = now.wrapping_sub(u32::from_be_bytes([a, b, c, d])) as i32;
        if !(-AHEAD..=LIFE).contains(&age) {
            return None;
        }
        let head = *octets.first_chunk().expect("16 octets have a first half");
        let made_it = |secret: &CookieSecret| differs(secret.hash(request.client, head, client), hash) == 0;
        let is_of_first = made_it(&self.first);
        (is_of_first || self.others.iter().any(made_it)).then_some(Ours { octets, age, is_of_first })
    }
}

/// A server cookie that is ours.
struct Ours {
    octets: [u8; 16],
    /// Seconds since it was made; less than zero when another server's clock is ahead.
    age: i32,
    is_of_first: bool,
}

impl CookieSecret {
    fn cookie(self, client_cookie: [u8; 8], client: IpAddr, now: u32) -> [u8; 16] {
        let [a, b, c, d] = now.to_be_bytes();
        let head = [1, 0, 0, 0, a, b, c, d];
        let mut cookie = [0; 16];
        cookie[..8].copy_from_slice(&head);
        cookie[8..].copy_from_slice(&self.hash(client_cookie, head, client));
        cookie
    }

    fn hash(self, client_cookie: [u8; 8], head: [u8; 8], client: IpAddr) -> [u8; 8] {
        let mut hashed = [0; 32];
        hashed[..8].copy_from_slice(&client_cookie);
        hashed[8..16].copy_from_slice(&head);
        let end = match client.to_canonical() {
            IpAddr::V4(address) => {
                hashed[16..20].copy_from_slice(&address.octets());
                20
            }
            IpAddr::V6(address) => {
                hashed[16..].copy_from_slice(&address.octets());
                32
            }
        };
        SipHasher24::new_with_key(&self.0).hash(&hashed[..end]).to_le_bytes()
    }
}

/// Zero for equal octets, found in the same time wherever they differ.
fn differs(ours: [u8; 8], theirs: [u8; 8]) -> u8 {
    ours.iter().zip(&theirs).fold(0, |difference, (a, b)| difference | (a ^ b))
}

fn join(client: [u8; 8], server: [u8; 16]) -> [u8; 24] {
    let mut cookie = [0; 24];
    cookie[..8].copy_from_slice(&client);
    cookie[8..].copy_from_slice(&server);
    cookie
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
    }

    fn secret(text: &str) -> CookieSecret {
        CookieSecret(hex(text).try_into().unwrap())
    }

    fn at(seconds: u64) -> Unix {
        Unix(seconds * 1_000_000_000)
    }

    fn check(secrets: &CookieSecrets, cookie: &str, client: &str, seconds: u64) -> (Cookie, String) {
        let octets = hex(cookie);
        let (own, server) = octets.split_first_chunk().unwrap();
        let request = RequestCookie { client: *own, server };
        let (verdict, reply) = secrets.check(Some(request), client.parse().unwrap(), at(seconds));
        (verdict, reply.unwrap().iter().map(|octet| format!("{octet:02x}")).collect())
    }

    const SECRET: &str = "e5e973e5a6b2a43f48e7dc849e37bfcf";

    #[test]
    fn cookies_are_those_of_rfc_9018_appendix_a() {
        let secrets = CookieSecrets::new(secret(SECRET), &[]);
        // A.1: a client that has none yet.
        let (verdict, reply) = check(&secrets, "2464c4abcf10c957", "198.51.100.100", 1_559_731_985);
        assert_eq!(verdict, Cookie::ClientOnly);
        assert_eq!(reply, "2464c4abcf10c957010000005cf79f111f8130c3eee29480");
        // A.2: the same one 40 minutes later; its cookie is good and gets renewed.
        let (verdict, renewed) = check(&secrets, &reply, "198.51.100.100", 1_559_734_385);
        assert_eq!(verdict, Cookie::Valid);
        assert_eq!(renewed, "2464c4abcf10c957010000005cf7a871d4a564a1442aca77");
        // A.4: over IPv6, made with the secret before the one in use.
        let rolled = CookieSecrets::new(secret("dd3bdf9344b678b185a6f5cb60fca715"), &[])
            .replaced(secret("445536bcd2513298075a5d379663c962"));
        let client = "2001:db8:220:1:59de:d0f4:8769:82b8";
        let old = "22681ab97d52c298010000005cf7c57926556bd0934c72f8";
        let (verdict, reply) = check(&rolled, old, client, 1_559_741_961);
        assert_eq!(verdict, Cookie::Valid);
        assert_eq!(reply, "22681ab97d52c298010000005cf7c609a6bb79d16625507a");
    }

    #[test]
    fn a_cookie_is_good_for_its_client_and_its_time_only() {
        let secrets = CookieSecrets::new(secret(SECRET), &[]);
        let now = 1_700_000_000;
        let (_, cookie) = check(&secrets, "0102030405060708", "192.0.2.1", now);
        let mut forged = cookie.clone();
        forged.replace_range(46..48, if cookie.ends_with("00") { "01" } else { "00" });
        let other_client = cookie.replacen("0102", "0103", 1);
        let mut version_2 = cookie.clone();
        version_2.replace_range(16..18, "02");
        for (what, cookie, client, seconds, verdict, is_same) in [
            ("at once", &cookie, "192.0.2.1", now, Cookie::Valid, true),
            ("mapped address", &cookie, "::ffff:192.0.2.1", now, Cookie::Valid, true),
            ("young", &cookie, "192.0.2.1", now + 1800, Cookie::Valid, true),
            ("renewed", &cookie, "192.0.2.1", now + 1801, Cookie::Valid, false),
            ("at its end", &cookie, "192.0.2.1", now + 3600, Cookie::Valid, false),
            ("too old", &cookie, "192.0.2.1", now + 3601, Cookie::Invalid, false),
            ("a little ahead", &cookie, "192.0.2.1", now - 300, Cookie::Valid, true),
            ("far ahead", &cookie, "192.0.2.1", now - 301, Cookie::Invalid, false),
            ("another address", &cookie, "192.0.2.2", now, Cookie::Invalid, false),
            ("another client cookie", &other_client, "192.0.2.1", now, Cookie::Invalid, false),
            ("forged", &forged, "192.0.2.1", now, Cookie::Invalid, false),
            ("another version", &version_2, "192.0.2.1", now, Cookie::Invalid, false),
            ("too short", &cookie[..32].to_string(), "192.0.2.1", now, Cookie::Invalid, false),
        ] {
            let (found, reply) = check(&secrets, cookie, client, seconds);
            assert_eq!((found, reply == *cookie), (verdict, is_same), "{what}");
        }
    }

    #[test]
    fn a_secret_replaced_twice_is_forgotten() {
        let old = CookieSecrets::new(CookieSecret([1; 16]), &[]);
        let (_, cookie) = check(&old, "0102030405060708", "192.0.2.1", 9000);
        let once = old.replaced(CookieSecret([2; 16]));
        let twice = once.replaced(CookieSecret([3; 16]));
        assert_eq!(check(&once, &cookie, "192.0.2.1", 9000).0, Cookie::Valid);
        assert_eq!(check(&twice, &cookie, "192.0.2.1", 9000).0, Cookie::Invalid);
        assert!(!format!("{twice:?}").contains('3'), "secrets are not shown");
    }
}
