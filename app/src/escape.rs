//! Text for the places where Leptos escapes nothing.

/// Text for the children of a `<textarea>` and for the document's title. Leptos writes both into the server's HTML as they
/// are; in the browser it sets them as text, where nothing must be escaped.
pub(crate) fn raw_text(text: String) -> String {
    if cfg!(feature = "ssr") { text.replace('&', "&amp;").replace('<', "&lt;") } else { text }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::raw_text;

    #[test]
    fn no_text_can_end_the_element_that_holds_it() {
        assert_eq!(raw_text("</title><b> & &lt;".to_owned()), "&lt;/title>&lt;b> &amp; &amp;lt;");
    }
}
