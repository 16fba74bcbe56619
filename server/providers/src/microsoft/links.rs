//! The addresses that Graph's answers hand out: next links and delta links. A token is sent to none that leads
//! elsewhere.

use url::Url;

/// `link`, if it is of the origin of `base` and its path is below that of `base`.
pub(super) fn below(base: &Url, link: &str) -> Option<Url> {
    let link = Url::parse(link).ok()?;
    let has_no_user = link.username().is_empty() && link.password().is_none();
    let path = link.path().strip_prefix(base.path().trim_end_matches('/'))?;
    // `Url::origin` of a scheme that is not the web's equals nothing.
    (link.origin() == base.origin() && has_no_user && path.starts_with('/')).then_some(link)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_below_graphs_own_address_is_followed() {
        let base = Url::parse("https://graph.microsoft.com/v1.0").unwrap();
        let good = "https://graph.microsoft.com/v1.0/me/calendars/A%2Fb=/calendarView/delta?$deltatoken=R0us%2Bx";
        assert_eq!(below(&base, good).unwrap().as_str(), good);
        assert!(below(&base, "https://GRAPH.microsoft.com:443/v1.0/me").is_some());
        for bad in [
            "http://graph.microsoft.com/v1.0/me",
            "https://graph.microsoft.com.evil.example/v1.0/me",
            "https://graph.microsoft.com@evil.example/v1.0/me",
            "https://someone@graph.microsoft.com/v1.0/me",
            "https://graph.microsoft.com:8443/v1.0/me",
            "https://graph.microsoft.com/v1.0evil/me",
            "https://graph.microsoft.com/v1.0/../beta/me",
            "https://graph.microsoft.com/beta/me",
            "/v1.0/me",
            "javascript:alert(1)",
            "",
        ] {
            assert_eq!(below(&base, bad), None, "{bad}");
        }
    }

    #[test]
    fn a_base_that_ends_in_a_slash_is_the_same_base() {
        let base = Url::parse("http://127.0.0.1:9/v1.0/").unwrap();
        assert!(below(&base, "http://127.0.0.1:9/v1.0/me").is_some());
    }
}
