//! The addresses of resources: the ids of calendars and events.
//!
//! A server may write one address in several ways (`@` or `%40`, with its host or without). An id must not change with
//! that, so each address is brought into one form: absolute, each character of the path percent-encoded that is not
//! unreserved (RFC 3986 §2.3).

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};
use url::{Host, Url};

use crate::error::ProviderError;

const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The address that `href` names in an answer about `base`; `None` when it names none of the same origin. Query and
/// fragment are no part of a resource's name.
pub(super) fn resolve(base: &Url, href: &str) -> Option<Url> {
    resolve_anywhere(base, href).filter(|url| url.origin() == base.origin())
}

/// As [`resolve`], but the address may be of another origin.
pub(super) fn resolve_anywhere(base: &Url, href: &str) -> Option<Url> {
    let url = base.join(href.trim()).ok()?;
    (url.has_host() && matches!(url.scheme(), "http" | "https")).then(|| canonical(url))
}

fn canonical(mut url: Url) -> Url {
    let segments = url.path().split('/').map(|segment| {
        let bytes: Vec<u8> = percent_decode_str(segment).collect();
        percent_encode(&bytes, ENCODED).to_string()
    });
    let path = segments.collect::<Vec<_>>().join("/");
    url.set_path(&path);
    url.set_query(None);
    url.set_fragment(None);
    url
}

/// The address of a collection, which ends with a slash.
pub(super) fn collection(mut url: Url) -> Url {
    if !url.path().ends_with('/') {
        let path = format!("{}/", url.path());
        url.set_path(&path);
    }
    url
}

/// The address of a resource within a collection.
pub(super) fn within(collection: &Url, name: &str) -> Url {
    let mut url = collection.clone();
    let path = format!("{}{}", collection.path(), percent_encode(name.as_bytes(), ENCODED));
    url.set_path(&path);
    url
}

/// The address in an id that was handed out, which the account's password may be sent to because it is of the origin of
/// the account's home.
pub(super) fn of_id(home: &Url, id: &str) -> Result<Url, ProviderError> {
    let url = Url::parse(id).ok().filter(|url| url.origin() == home.origin());
    url.map(canonical).ok_or_else(|| ProviderError::Rejected("the id is no address of the account's server".into()))
}

/// Whether a password may be sent there: nobody on the way can read it.
pub(super) fn is_secure(url: &Url) -> bool {
    url.scheme() == "https" || is_loopback(url)
}

pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn one_resource_has_one_id_however_its_server_writes_it() {
        let base = url("https://dav.example/calendars/ana/");
        for href in [
            "/calendars/ana%40example.com/b%c3%bcro/1.ics",
            "/calendars/ana@example.com/b\u{fc}ro/1.ics",
            "https://dav.example:443/calendars/ana%40example.com/b%C3%BCro/1.ics",
            "//dav.example/calendars/%61na@example.com/b\u{fc}ro/1.ics#x",
            "../ana@example.com/b\u{fc}ro/./1.ics",
        ] {
            let resolved = resolve(&base, href).unwrap();
            assert_eq!(resolved.as_str(), "https://dav.example/calendars/ana%40example.com/b%C3%BCro/1.ics", "{href}");
            assert_eq!(of_id(&base, resolved.as_str()).unwrap(), resolved);
        }
    }

    #[test]
    fn what_is_encoded_on_purpose_stays_encoded() {
        let base = url("https://dav.example/");
        assert_eq!(resolve(&base, "/a%2Fb%23c%3F%25/").unwrap().path(), "/a%2Fb%23c%3F%25/");
        assert_eq!(resolve(&base, "/%ff").unwrap().path(), "/%FF");
        assert_eq!(resolve(&base, "/a+b").unwrap().path(), "/a%2Bb");
        assert_eq!(within(&url("https://dav.example/a/"), "x/../y@z.ics").path(), "/a/x%2F..%2Fy%40z.ics");
    }

    #[test]
    fn an_address_of_another_origin_is_none_of_the_account() {
        let base = url("https://dav.example/");
        for other in
            ["https://elsewhere.example/a", "http://dav.example/a", "https://dav.example:8443/", "mailto:a@b.c"]
        {
            assert_eq!(resolve(&base, other), None, "{other}");
            assert!(of_id(&base, other).is_err(), "{other}");
        }
        assert!(of_id(&base, "/calendars/").is_err());
    }

    #[test]
    fn a_password_goes_over_tls_or_stays_on_this_machine() {
        for secure in ["https://dav.example", "http://127.0.0.1:5232", "http://[::1]/", "http://localhost:80/"] {
            assert!(is_secure(&url(secure)), "{secure}");
        }
        for insecure in ["http://dav.example", "http://192.168.1.2/", "http://localhost.example/"] {
            assert!(!is_secure(&url(insecure)), "{insecure}");
        }
    }
}
