//! The documents of `app/docs`, rendered from Markdown.

use cupo_core::text::Locale;
use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};

use crate::api::docs::DocumentView;

struct Document {
    name: &'static str,
    english: &'static str,
    spanish: &'static str,
}

macro_rules! documents {
    ($($name:literal),*) => {
        &[$(Document {
            name: $name,
            english: include_str!(concat!("../docs/en/", $name, ".md")),
            spanish: include_str!(concat!("../docs/es/", $name, ".md")),
        }),*]
    };
}

const DOCUMENTS: &[Document] =
    documents!["getting-started", "connecting-google", "availability", "event-types", "why", "embedding"];

impl Document {
    fn markdown(&self, locale: Locale) -> &'static str {
        match locale {
            Locale::En => self.english,
            Locale::Es => self.spanish,
        }
    }

    /// The text of the first heading.
    fn title(&self, locale: Locale) -> &'static str {
        self.markdown(locale).lines().find_map(|line| line.strip_prefix("# ")).unwrap_or(self.name)
    }
}

/// The document of a name; the first for an empty one.
pub(crate) fn find(name: &str, locale: Locale) -> Option<DocumentView> {
    let document = match name {
        "" => DOCUMENTS.first(),
        name => DOCUMENTS.iter().find(|document| document.name == name),
    }?;
    Some(DocumentView {
        title: document.title(locale).to_owned(),
        html: render(document.markdown(locale)),
        contents: DOCUMENTS
            .iter()
            .map(|entry| (format!("/docs/{}", entry.name), entry.title(locale).to_owned()))
            .collect(),
    })
}

/// HTML without the first heading, which the page sets itself.
fn render(markdown: &str) -> String {
    let mut in_title = false;
    let events = Parser::new_ext(markdown, Options::ENABLE_TABLES).filter(|event| match event {
        Event::Start(Tag::Heading { level: HeadingLevel::H1, .. }) => {
            in_title = true;
            false
        }
        Event::End(TagEnd::Heading(HeadingLevel::H1)) => {
            in_title = false;
            false
        }
        _ => !in_title,
    });
    let mut rendered = String::with_capacity(markdown.len() * 3 / 2);
    html::push_html(&mut rendered, events);
    // A long line is scrolled to, also by keyboard.
    rendered.replace("<pre>", "<pre tabindex=\"0\">")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_document_has_a_title_and_the_same_chapters_in_every_language() {
        for document in DOCUMENTS {
            let chapters = |locale| document.markdown(locale).lines().filter(|line| line.starts_with("## ")).count();
            assert_ne!(document.title(Locale::En), document.name);
            assert_ne!(document.title(Locale::Es), document.name);
            assert_eq!(chapters(Locale::En), chapters(Locale::Es), "{}", document.name);
        }
    }

    #[test]
    fn the_title_is_left_to_the_page() {
        assert_eq!(render("# Title\n\nText with `code`."), "<p>Text with <code>code</code>.</p>\n");
    }

    #[test]
    fn an_unknown_document_is_not_found() {
        assert!(find("nothing", Locale::En).is_none());
        assert!(find("", Locale::En).is_some());
    }
}
