//! Entity tags (RFC 9110, section 8.8.3).

use axum::http::HeaderValue;

/// Whether an `If-None-Match` header names the tag, by weak comparison.
#[must_use]
pub fn matches(if_none_match: &HeaderValue, etag: &HeaderValue) -> bool {
    let (header, tag) = (if_none_match.as_bytes(), strong(etag.as_bytes()));
    header == b"*" || header.split(|byte| *byte == b',').any(|item| strong(item.trim_ascii()) == tag)
}

fn strong(tag: &[u8]) -> &[u8] {
    tag.strip_prefix(b"W/").unwrap_or(tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_found_in_a_list_weak_or_strong() {
        let tag = HeaderValue::from_static("\"abc\"");
        for (header, found) in [
            ("\"abc\"", true),
            ("W/\"abc\"", true),
            ("\"x\", \"abc\"", true),
            ("*", true),
            ("\"abcd\"", false),
            ("abc", false),
        ] {
            assert_eq!(matches(&HeaderValue::from_static(header), &tag), found, "{header}");
        }
    }
}
