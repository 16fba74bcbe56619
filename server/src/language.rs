//! The language of an answer.

use axum::http::header::{ACCEPT_LANGUAGE, COOKIE};
use axum::http::{HeaderMap, Uri};
use cupo_core::text::{LanguageTag, Locale};

/// The language that the address or the language switch names, if any.
#[must_use]
pub fn chosen(headers: &HeaderMap, uri: &Uri) -> Option<LanguageTag> {
    let query = uri.query().unwrap_or("");
    url::form_urlencoded::parse(query.as_bytes())
        .find_map(|(name, value)| (name == "lang").then(|| LanguageTag::parse(&value)).flatten())
        .or_else(|| cookie(headers, cupo_app::LANGUAGE_COOKIE).and_then(LanguageTag::parse))
}

/// The language for a reader of whom nothing else is known: chosen, or negotiated by `Accept-Language`.
#[must_use]
pub fn of_request(headers: &HeaderMap, uri: &Uri) -> Locale {
    tag_of_request(headers, uri).locale()
}

/// The same with the region by whose customs dates and numbers are written. Where a language was chosen without one, it is
/// the region of that language that the browser names: `?lang=es` and `Accept-Language: es-MX` make `es-MX`.
#[must_use]
pub fn tag_of_request(headers: &HeaderMap, uri: &Uri) -> LanguageTag {
    match chosen(headers, uri) {
        Some(tag) => with_region(tag, headers),
        None => LanguageTag::negotiate(accepted(headers)),
    }
}

/// The language of a posted form: the one of the page that it stood on, or that of the request.
#[must_use]
pub fn of_form(lang: Option<&str>, headers: &HeaderMap, uri: &Uri) -> LanguageTag {
    lang.and_then(LanguageTag::parse).unwrap_or_else(|| tag_of_request(headers, uri))
}

/// A chosen language with the region that the browser names for it, unless it has its own.
#[must_use]
pub fn with_region(tag: LanguageTag, headers: &HeaderMap) -> LanguageTag {
    let ranges = accepted(headers).split(',').filter_map(|range| range.split(';').next());
    tag.or_region_of(ranges.filter_map(LanguageTag::parse))
}

/// The language by `Accept-Language` alone.
#[must_use]
pub fn negotiated(headers: &HeaderMap) -> Locale {
    Locale::negotiate(accepted(headers))
}

fn accepted(headers: &HeaderMap) -> &str {
    headers.get(ACCEPT_LANGUAGE).and_then(|it| it.to_str().ok()).unwrap_or_default()
}

/// The value of a cookie (RFC 6265, section 4.2); the first one where a name comes twice.
#[must_use]
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|it| it.to_str().ok())
        .flat_map(|it| it.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(key, value)| (key == name).then_some(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(uri: &str, headers: &[(axum::http::HeaderName, &str)]) -> String {
        let headers = headers.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect();
        tag_of_request(&headers, &uri.parse().unwrap()).to_string()
    }

    #[test]
    fn the_address_then_the_switch_then_the_browser_choose_the_language() {
        let browser = (ACCEPT_LANGUAGE, "fr-CA,fr;q=0.9,es-MX;q=0.8");
        let switch = (COOKIE, "cupo_language=es");
        assert_eq!(tag("/ruiz/visit?lang=de", &[browser.clone(), switch.clone()]), "de");
        assert_eq!(tag("/ruiz/visit", &[browser.clone(), switch.clone()]), "es-MX");
        assert_eq!(tag("/ruiz/visit", std::slice::from_ref(&browser)), "fr-CA");
        assert_eq!(tag("/ruiz/visit?lang=nl", &[browser]), "fr-CA", "what is not spoken was not chosen");
        assert_eq!(tag("/ruiz/visit", &[]), "en");
    }

    #[test]
    fn a_chosen_language_takes_its_region_from_the_browser_unless_it_names_one() {
        let browser = [(ACCEPT_LANGUAGE, "en-GB,es-MX;q=0.5")];
        assert_eq!(tag("/?lang=es", &browser), "es-MX");
        assert_eq!(tag("/?lang=es-AR", &browser), "es-AR");
        assert_eq!(tag("/?lang=pt", &browser), "pt-BR");
    }
}
