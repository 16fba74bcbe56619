//! The documents of `app/docs`, rendered from Markdown.

use cupo_core::text::Locale;
use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};

use crate::api::docs::{DocumentGroup, DocumentView};
use crate::text::t;

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

const FOR_HOSTS: &[Document] = documents![
    "getting-started",
    "connecting-google",
    "connecting-microsoft",
    "connecting-caldav",
    "calendar-feeds",
    "availability",
    "event-types",
    "why",
    "embedding"
];

const FOR_OPERATORS: &[Document] = documents!["registering-google", "registering-microsoft"];

fn all() -> impl Iterator<Item = &'static Document> {
    FOR_HOSTS.iter().chain(FOR_OPERATORS)
}

impl Document {
    fn markdown(&self, locale: Locale) -> &'static str {
        if locale.dashboard() == Locale::Es { self.spanish } else { self.english }
    }

    /// The text of the first heading.
    fn title(&self, locale: Locale) -> &'static str {
        self.markdown(locale).lines().find_map(|line| line.strip_prefix("# ")).unwrap_or(self.name)
    }
}

/// The document of a name; the first for an empty one.
pub(crate) fn find(name: &str, locale: Locale) -> Option<DocumentView> {
    let document = match name {
        "" => all().next(),
        name => all().find(|document| document.name == name),
    }?;
    Some(DocumentView {
        title: document.title(locale).to_owned(),
        html: render(document.markdown(locale)),
        contents: vec![
            group(t("dashboard.docs_hosts"), FOR_HOSTS, locale),
            group(t("dashboard.docs_operators"), FOR_OPERATORS, locale),
        ],
    })
}

fn group(title: &str, documents: &'static [Document], locale: Locale) -> DocumentGroup {
    let link = |document: &Document| (format!("/docs/{}", document.name), document.title(locale).to_owned());
    DocumentGroup { title: title.to_owned(), documents: documents.iter().map(link).collect() }
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
        for document in all() {
            let chapters = |locale| document.markdown(locale).lines().filter(|line| line.starts_with("## ")).count();
            assert_ne!(document.title(Locale::En), document.name);
            assert_ne!(document.title(Locale::Es), document.name);
            assert_eq!(chapters(Locale::En), chapters(Locale::Es), "{}", document.name);
        }
    }

    #[test]
    fn every_link_within_the_documents_and_the_pages_leads_to_one() {
        for (document, locale) in all().flat_map(|document| Locale::DASHBOARD.map(|locale| (document, locale))) {
            let links = document.markdown(locale).split("](/docs/").skip(1);
            for name in links.filter_map(|rest| rest.split([')', '#']).next()) {
                assert!(find(name, locale).is_some(), "{} leads to {name}", document.name);
            }
        }
    }

    #[test]
    fn steps_and_examples_are_the_same_in_every_language() {
        for document in all() {
            let count = |locale, starts: &[&str]| {
                let lines = document.markdown(locale).lines().map(str::trim_start);
                lines.filter(|line| starts.iter().any(|start| line.starts_with(start))).count()
            };
            for starts in [&["1. ", "2. ", "3. ", "4. ", "5. ", "6. "][..], &["|"], &["```"]] {
                assert_eq!(count(Locale::En, starts), count(Locale::Es, starts), "{}: {starts:?}", document.name);
            }
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
