//! Texts in the reader's language.

use std::fmt::Display;

#[cfg(feature = "ssr")]
use cupo_core::text::LanguageTag;
use cupo_core::text::{self, Locale};

/// The language of this request, with the region by whose customs dates are written.
#[cfg(feature = "ssr")]
pub(crate) fn language() -> LanguageTag {
    use crate::context::RequestContext;
    use leptos::prelude::use_context;
    use_context::<RequestContext>()
        .map(|context| context.locale.into())
        .or_else(use_context::<LanguageTag>)
        .unwrap_or_default()
}

/// The language of this request; in the browser, that of the document.
pub(crate) fn locale() -> Locale {
    #[cfg(feature = "ssr")]
    {
        language().locale()
    }
    #[cfg(not(feature = "ssr"))]
    {
        use leptos::prelude::document;
        document()
            .document_element()
            .and_then(|root| root.get_attribute("lang"))
            .and_then(|language| Locale::parse(&language))
            .unwrap_or(Locale::En)
    }
}

/// The text of a catalogue key.
pub(crate) fn t(key: &'static str) -> &'static str {
    text::lookup(locale(), key)
}

/// The text of a catalogue key with its `{placeholders}` filled in.
pub(crate) fn tf(key: &str, args: &[(&str, &dyn Display)]) -> String {
    text::format(locale(), key, args)
}

/// The text of a catalogue key for a count, by the plural rules of the language.
#[cfg(feature = "ssr")]
pub(crate) fn tn(key: &str, count: usize, args: &[(&str, &dyn Display)]) -> String {
    text::counted(language(), key, count as u64, args)
}

/// The text of a key that is put together from `prefix` and `name`; `None` where the catalogue lacks it.
pub(crate) fn text_of(prefix: &str, name: &str) -> Option<String> {
    let key = format!("{prefix}{}", name.replace('-', "_"));
    let found = text::lookup(locale(), &key);
    (found != key).then(|| found.to_owned())
}
