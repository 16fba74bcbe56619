//! Who asks, as limits know them: by a keyed hash, so that neither memory nor an announcement is a list of people.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::extract::ConnectInfo;
use axum::http::{Extensions, HeaderMap};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use siphasher::sip128::SipHasher24;

/// Finds out who asks.
#[derive(Debug, Clone, Copy)]
pub struct ClientAddress {
    /// Whether `X-Forwarded-For` is written by a proxy that can be trusted.
    pub trust_proxy: bool,
}

impl ClientAddress {
    /// The client's address; `None` without a socket, which happens in no server.
    pub fn of(self, headers: &HeaderMap, extensions: &Extensions) -> Option<IpAddr> {
        if self.trust_proxy
            && let Some(forwarded) = last_forwarded(headers)
        {
            return Some(forwarded);
        }
        extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip())
    }
}

/// The last address is the one that the trusted proxy itself has seen; those before it are hearsay.
fn last_forwarded(headers: &HeaderMap) -> Option<IpAddr> {
    let header = headers.get_all("x-forwarded-for").iter().next_back()?.to_str().ok()?;
    header.rsplit(',').next()?.trim().parse().ok()
}

/// One subscriber of IPv6 has a whole /64.
fn network(ip: IpAddr) -> Ipv6Addr {
    match ip.to_canonical() {
        IpAddr::V4(v4) => v4.to_ipv6_mapped(),
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64)),
    }
}

/// A client by its hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Client([u8; 16]);

impl Client {
    /// As announcements write it.
    pub fn to_text(self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// As [`Self::to_text`] wrote it.
    pub fn parse(text: &str) -> Option<Self> {
        URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok().map(Self)
    }

    /// Some number that is evenly spread.
    pub fn index(self) -> usize {
        self.0[0].into()
    }
}

/// The key of the hashes. It comes from the session secret, so that all processes of an installation agree, and nobody who
/// reads along can try out the addresses that there are.
#[derive(Clone)]
pub struct ClientKey(SipHasher24);

impl std::fmt::Debug for ClientKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ClientKey(..)")
    }
}

impl ClientKey {
    pub fn of_secret(session_secret: &str) -> Self {
        let derived = Sha256::new().chain_update(b"rate limits\0").chain_update(session_secret).finalize();
        let mut key = [0; 16];
        key.copy_from_slice(&derived[..16]);
        Self(SipHasher24::new_with_key(&key))
    }

    /// Whoever asks from the address.
    pub fn of_address(&self, ip: IpAddr) -> Client {
        Client(self.0.hash(&network(ip).octets()).as_bytes())
    }

    /// Whoever asks for the account of an e-mail address.
    pub fn of_account(&self, email: &str) -> Client {
        let text = format!("account\0{}", email.trim().to_lowercase());
        Client(self.0.hash(text.as_bytes()).as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn request(forwarded: &[&str]) -> Request<()> {
        let mut builder = Request::builder();
        for value in forwarded {
            builder = builder.header("x-forwarded-for", *value);
        }
        let mut request = builder.body(()).unwrap();
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([192, 0, 2, 1], 9))));
        request
    }

    #[test]
    fn a_forwarded_address_counts_only_from_a_trusted_proxy_and_only_the_last() {
        let spoofed = request(&["203.0.113.9, 198.51.100.7"]);
        let of = |trust_proxy: bool, request: &Request<()>| {
            ClientAddress { trust_proxy }.of(request.headers(), request.extensions()).unwrap().to_string()
        };
        assert_eq!(of(false, &spoofed), "192.0.2.1");
        assert_eq!(of(true, &spoofed), "198.51.100.7");
        assert_eq!(of(true, &request(&["203.0.113.9", "198.51.100.8"])), "198.51.100.8");
        assert_eq!(of(true, &request(&["nonsense"])), "192.0.2.1");
    }

    #[test]
    fn a_subscriber_of_ipv6_is_one_client() {
        let key = ClientKey::of_secret("a secret");
        let of = |ip: &str| key.of_address(ip.parse().unwrap());
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), of("2001:db8:1:2:ffff::"));
        assert_ne!(of("2001:db8:1:2:3:4:5:6"), of("2001:db8:1:3::"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
    }

    #[test]
    fn processes_with_one_secret_agree_and_an_account_is_one_however_it_is_written() {
        let (one, same, other) =
            (ClientKey::of_secret("a secret"), ClientKey::of_secret("a secret"), ClientKey::of_secret("another"));
        let address = "192.0.2.1".parse().unwrap();
        assert_eq!(one.of_address(address), same.of_address(address));
        assert_ne!(one.of_address(address), other.of_address(address));
        assert_eq!(one.of_account(" Ana@Example.com"), same.of_account("ana@example.com"));
        assert_ne!(one.of_account("ana@example.com"), one.of_account("bea@example.com"));
        let client = one.of_address(address);
        assert_eq!(Client::parse(&client.to_text()), Some(client));
        assert_eq!(Client::parse("192.0.2.1"), None);
    }
}
