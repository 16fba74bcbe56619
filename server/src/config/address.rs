//! `public_url` and `listen`: where people reach Cupo, and where it listens.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use cupo_core::parse::RESERVED_SLUGS;
use url::{Host, Url};

use super::reader::{Reader, Show};
use crate::routes::FILES;

/// The two addresses of a server.
#[derive(Debug, Clone)]
pub struct Address {
    /// Where the process listens; port 0 takes any free one.
    pub listen: SocketAddr,
    /// What people and providers type, with the path below which a proxy shows Cupo, if any. `None` when it follows from a loopback `listen`.
    pub public_url: Option<Url>,
}

impl Address {
    /// The public address once the socket is bound to `bound`.
    #[must_use]
    pub fn public_url(&self, bound: SocketAddr) -> Url {
        self.public_url
            .clone()
            .unwrap_or_else(|| format!("http://{bound}/").parse().expect("a socket address makes a valid address"))
    }
}

const PUBLIC_URL: &str = "give the address that browsers use, such as https://book.example.com or https://example.com/book; http only for this machine";

pub fn read(reader: &Reader) -> Option<Address> {
    let default = SocketAddr::from((Ipv4Addr::LOCALHOST, 3000));
    let listen =
        reader.or("listen", default, "give an IP address and a port, such as 127.0.0.1:3000", |text| text.parse().ok());
    let public_url = reader.optional("public_url", PUBLIC_URL, Show::Value, parse_public_url);
    let (listen, public_url) = (listen?, public_url?);
    if let Some(url) = public_url.as_ref().filter(|url| is_taken(first_segment(url))) {
        let found = format!("is {:?}, whose path begins as addresses of Cupo's own do", url.as_str());
        reader.mistake("public_url", found, "give a path that begins with another word, such as /book, or none");
        return None;
    }
    if public_url.is_none() && !listen.ip().is_loopback() {
        reader.mistake("public_url", "is missing", PUBLIC_URL);
        return None;
    }
    Some(Address { listen, public_url })
}

fn parse_public_url(text: &str) -> Option<Url> {
    let url: Url = text.parse().ok()?;
    let secure = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url));
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~/".contains(&byte);
    let path = url.path().bytes().all(is_plain) && !url.path().contains("//");
    let plain = path && url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    (secure && plain && url.has_host()).then_some(url)
}

fn first_segment(url: &Url) -> &str {
    url.path_segments().and_then(|mut segments| segments.next()).unwrap_or_default()
}

/// Whether Cupo has addresses that begin with this segment: behind a proxy that takes the path away they could not be told from
/// those below the path. A test holds both lists to the router.
fn is_taken(segment: &str) -> bool {
    RESERVED_SLUGS.contains(&segment) || FILES.iter().any(|file| file.trim_start_matches('/') == segment)
}

/// Whether an address can only mean this very machine. Browsers keep secure cookies there without TLS.
#[must_use]
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => IpAddr::V4(ip).is_loopback(),
        Some(Host::Ipv6(ip)) => IpAddr::V6(ip).is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}
