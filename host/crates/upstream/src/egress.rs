//! Which addresses a request may go to, and the name resolver that enforces it for every connection, so that a name that changes its
//! address between check and use gains nothing.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

/// How far a request may go. Metadata services of clouds are out of reach in both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reach {
    /// Public addresses only.
    Public,
    /// The operator typed this address: loopback and private ones are allowed too.
    Typed,
}

/// An address, or all addresses of a name, may not be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    /// For the client: what kind of address it is.
    pub(crate) reason: &'static str,
    address: Option<IpAddr>,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address {
            Some(address) => write!(f, "address {address} refused: {}", self.reason),
            None => write!(f, "refused: {}", self.reason),
        }
    }
}

impl std::error::Error for Refused {}

/// Whether a connection to this address is allowed.
pub fn allowed(ip: IpAddr, reach: Reach) -> bool {
    refusal(ip, reach).is_none()
}

/// Whether a host name is one under which clouds offer their metadata service. The address behind a name is checked whenever it is
/// called; this tells an operator at once.
pub fn is_metadata_name(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    matches!(host.split('.').next(), Some("metadata" | "instance-data"))
}

/// Checks what the resolver never sees: the scheme, and addresses written into the URL. The URL parser has already turned decimal, octal
/// and hexadecimal forms into plain ones.
pub(crate) fn check_url(url: &Url, reach: Reach) -> Result<(), Refused> {
    let refuse = |reason| Err(Refused { reason, address: None });
    if !matches!(url.scheme(), "http" | "https") {
        return refuse("only http and https are spoken");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return refuse("a URL must not contain a user name or password");
    }
    let ip = match url.host() {
        None => return refuse("the URL has no host"),
        Some(Host::Domain(_)) => return Ok(()),
        Some(Host::Ipv4(ip)) => IpAddr::V4(ip),
        Some(Host::Ipv6(ip)) => IpAddr::V6(ip),
    };
    match refusal(ip, reach) {
        None => Ok(()),
        Some(reason) => Err(Refused { reason, address: Some(ip) }),
    }
}

/// Resolves with the system's resolver and keeps only the addresses within reach.
pub(crate) struct Resolver {
    pub(crate) reach: Reach,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = self.reach;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            Ok(Box::new(keep_allowed(found, reach)?.into_iter()) as Addrs)
        })
    }
}

/// Only the addresses within reach; an error when there were some and none is.
fn keep_allowed(found: impl Iterator<Item = SocketAddr>, reach: Reach) -> Result<Vec<SocketAddr>, Refused> {
    let mut kept = Vec::new();
    let mut refused = None;
    for address in found {
        match refusal(address.ip(), reach) {
            None => kept.push(address),
            Some(reason) => refused = Some(Refused { reason, address: Some(address.ip()) }),
        }
    }
    match refused {
        Some(refused) if kept.is_empty() => Err(refused),
        _ => Ok(kept),
    }
}

fn refusal(ip: IpAddr, reach: Reach) -> Option<&'static str> {
    match ip {
        IpAddr::V4(ip) => refusal_v4(ip, reach),
        IpAddr::V6(ip) => refusal_v6(ip, reach),
    }
}

const METADATA: &str = "it is a cloud metadata or link-local address";
const NOT_A_HOST: &str = "it is not the address of a host";
const PRIVATE: &str = "it is a private or loopback address, which only an address that the operator typed may be";
const RESERVED: &str = "it is in a reserved range, which only an address that the operator typed may be";

/// Metadata services outside the link-local range.
const METADATA_V4: [Ipv4Addr; 3] =
    [Ipv4Addr::new(100, 100, 100, 200), Ipv4Addr::new(168, 63, 129, 16), Ipv4Addr::new(192, 0, 0, 192)];

fn refusal_v4(ip: Ipv4Addr, reach: Reach) -> Option<&'static str> {
    if ip.is_link_local() || METADATA_V4.contains(&ip) {
        return Some(METADATA);
    }
    if ip.is_unspecified() || ip.is_multicast() || ip.is_broadcast() {
        return Some(NOT_A_HOST);
    }
    if reach == Reach::Typed {
        return None;
    }
    match ip.octets() {
        [10 | 127, ..] | [172, 16..=31, ..] | [192, 168, ..] | [100, 64..=127, ..] => Some(PRIVATE),
        [0, ..] | [240..=255, ..] => Some(RESERVED),
        // Protocol assignments, documentation, the old 6to4 relays, benchmarks.
        [192, 0, 0 | 2, _] | [198, 51, 100, _] | [203, 0, 113, _] | [192, 88, 99, _] | [198, 18 | 19, ..] => {
            Some(RESERVED)
        }
        _ => None,
    }
}

fn refusal_v6(ip: Ipv6Addr, reach: Reach) -> Option<&'static str> {
    let segments = ip.segments();
    if ip.is_unspecified() || ip.is_multicast() {
        return Some(NOT_A_HOST);
    }
    // fe80::/10; fd00:ec2::/32, fd20:ce::254, fd00:c1::a9fe:a9fe and fd00:42::42 are metadata services.
    let metadata = segments[0] & 0xffc0 == 0xfe80
        || segments[..2] == [0xfd00, 0xec2]
        || segments == [0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254]
        || segments == [0xfd00, 0xc1, 0, 0, 0, 0, 0xa9fe, 0xa9fe]
        || segments == [0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42];
    if metadata {
        return Some(METADATA);
    }
    if !ip.is_loopback()
        && let Some(inner) = embedded_v4(segments)
        && let Some(reason) = refusal_v4(inner, reach)
    {
        return Some(reason);
    }
    if reach == Reach::Typed {
        return None;
    }
    match segments {
        // IPv4-mapped and NAT64: it was the inner address that mattered.
        [0, 0, 0, 0, 0, 0xffff, _, _] | [0x64, 0xff9b, 0, 0, 0, 0, _, _] => None,
        [0, 0, 0, 0, 0, 0, 0, 1] | [0xfc00..=0xfdff, ..] | [0xfec0..=0xfeff, ..] => Some(PRIVATE),
        // Teredo and protocol assignments, documentation, 6to4, documentation again.
        [0x2001, 0..=0x1ff, ..] | [0x2001, 0xdb8, ..] | [0x2002, ..] | [0x3fff, 0..=0xfff, ..] => Some(RESERVED),
        [0x2000..=0x3fff, ..] => None,
        _ => Some(RESERVED),
    }
}

/// The IPv4 address that traffic to this IPv6 address ends at: mapped, compatible, NAT64, 6to4.
fn embedded_v4(segments: [u16; 8]) -> Option<Ipv4Addr> {
    let (high, low) = match segments {
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => (high, low),
        [0x2002, high, low, ..] => (high, low),
        _ => return None,
    };
    Some(Ipv4Addr::from(u32::from(high) << 16 | u32::from(low)))
}

#[cfg(test)]
mod tests;
