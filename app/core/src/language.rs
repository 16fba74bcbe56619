//! The languages of Cupo, and the regions by whose customs dates and numbers are written.

use std::fmt;

/// A language that Cupo speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Locale {
    /// English.
    #[default]
    En,
    /// Spanish, in words that Spain and Latin America share.
    Es,
    /// Portuguese of Brazil.
    Pt,
    /// French.
    Fr,
    /// German.
    De,
    /// Italian.
    It,
    /// Modern standard Arabic.
    Ar,
}

impl Locale {
    /// Every language, the default first.
    pub const ALL: [Locale; 7] = [Locale::En, Locale::Es, Locale::Pt, Locale::Fr, Locale::De, Locale::It, Locale::Ar];

    /// The languages of the dashboard and of the documents.
    pub const DASHBOARD: [Locale; 2] = [Locale::En, Locale::Es];

    /// Reads a BCP 47 tag by its primary language, such as `es-MX`.
    pub fn parse(tag: &str) -> Option<Self> {
        let primary = tag.trim().split(['-', '_']).next()?;
        Self::ALL.into_iter().find(|locale| locale.as_str().eq_ignore_ascii_case(primary))
    }

    /// The best language for an `Accept-Language` header; English when none fits.
    pub fn negotiate(accept_language: &str) -> Self {
        LanguageTag::negotiate(accept_language).locale()
    }

    /// The primary language subtag, such as `pt`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Es => "es",
            Self::Pt => "pt",
            Self::Fr => "fr",
            Self::De => "de",
            Self::It => "it",
            Self::Ar => "ar",
        }
    }

    /// The BCP 47 tag of the language as Cupo writes it, for readers whose region is not known.
    pub fn tag(self) -> &'static str {
        match self {
            Self::Pt => "pt-BR",
            other => other.as_str(),
        }
    }

    /// The language's name in itself.
    pub fn name(self) -> &'static str {
        match self {
            Self::En => "English",
            Self::Es => "Español",
            Self::Pt => "Português",
            Self::Fr => "Français",
            Self::De => "Deutsch",
            Self::It => "Italiano",
            Self::Ar => "العربية",
        }
    }

    /// Whether it is written from right to left.
    pub fn is_rtl(self) -> bool {
        self == Self::Ar
    }

    /// The value of the `dir` attribute of HTML.
    pub fn direction(self) -> &'static str {
        if self.is_rtl() { "rtl" } else { "ltr" }
    }

    /// The language in which the dashboard speaks to a reader of this one.
    pub fn dashboard(self) -> Self {
        match self {
            Self::Es => Self::Es,
            _ => Self::En,
        }
    }
}

/// A language of Cupo and, where it is known, the reader's region: `es-MX`. The texts are those of the language; dates and
/// numbers follow the customs of the region.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct LanguageTag {
    locale: Locale,
    /// In capital letters, filled up with zeros (ISO 3166-1 or UN M.49); all zeros where none is known.
    region: [u8; 3],
}

impl LanguageTag {
    /// Reads a BCP 47 tag of a language that Cupo speaks (RFC 5646, section 2.1). Scripts, variants and extensions are
    /// left out: the texts do not differ by them.
    pub fn parse(tag: &str) -> Option<Self> {
        let locale = Locale::parse(tag)?;
        let region = tag
            .trim()
            .split(['-', '_'])
            .skip(1)
            // What follows a single letter is an extension.
            .take_while(|part| part.len() > 1)
            .find_map(read_region)
            .unwrap_or_default();
        Some(Self { locale, region })
    }

    /// The best language for an `Accept-Language` header (RFC 9110, section 12.5.4); English when none fits. Where the best
    /// range names no region, the next one of the same language does: browsers send `es,es-MX;q=0.9` too.
    pub fn negotiate(accept_language: &str) -> Self {
        let weighted = accept_language.split(',').filter_map(|range| {
            let mut parts = range.split(';');
            let tag = Self::parse(parts.next()?)?;
            let weight = parts.find_map(|part| part.trim().strip_prefix("q=")?.parse::<f32>().ok()).unwrap_or(1.0);
            (weight > 0.0).then_some((tag, weight))
        });
        // The sort is stable: of equals the first named is preferred.
        let mut weighted: Vec<_> = weighted.collect();
        weighted.sort_by(|a, b| b.1.total_cmp(&a.1));
        let mut tags = weighted.into_iter().map(|(tag, _)| tag);
        let best = tags.next().unwrap_or_default();
        best.or_region_of(tags)
    }

    /// The same language, with the region of the first of `others` that has one, unless this one has its own.
    pub fn or_region_of(self, others: impl IntoIterator<Item = Self>) -> Self {
        if self.has_region() {
            return self;
        }
        others.into_iter().find(|other| other.locale == self.locale && other.has_region()).unwrap_or(self)
    }

    /// The language.
    pub fn locale(self) -> Locale {
        self.locale
    }

    /// Whether the region is known.
    pub fn has_region(self) -> bool {
        self.region[0] != 0
    }
}

/// A region's subtag: two letters, or three digits.
fn read_region(part: &str) -> Option<[u8; 3]> {
    let mut region = [0; 3];
    let is_region = match part.len() {
        2 => part.bytes().all(|byte| byte.is_ascii_alphabetic()),
        3 => part.bytes().all(|byte| byte.is_ascii_digit()),
        _ => false,
    };
    region.iter_mut().zip(part.bytes()).for_each(|(place, byte)| *place = byte.to_ascii_uppercase());
    is_region.then_some(region)
}

impl From<Locale> for LanguageTag {
    fn from(locale: Locale) -> Self {
        Self { locale, region: [0; 3] }
    }
}

impl fmt::Display for LanguageTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.has_region() {
            return f.write_str(self.locale.tag());
        }
        write!(f, "{}-", self.locale.as_str())?;
        self.region.iter().filter(|byte| **byte != 0).try_for_each(|byte| write!(f, "{}", char::from(*byte)))
    }
}

impl fmt::Debug for LanguageTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LanguageTag({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_preferred_language_that_is_spoken_wins() {
        for (header, locale) in [
            ("es-MX,es;q=0.9,en;q=0.8", Locale::Es),
            ("nl,en;q=0.3,es;q=0.7", Locale::Es),
            ("en, es", Locale::En),
            ("es;q=0, en;q=0.1", Locale::En),
            ("pt-PT, fr;q=0.9", Locale::Pt),
            ("ar-EG,ar;q=0.9", Locale::Ar),
            ("it;q=0.2, de-CH;q=0.4", Locale::De),
            ("ja", Locale::En),
            ("", Locale::En),
        ] {
            assert_eq!(Locale::negotiate(header), locale, "{header}");
        }
    }

    #[test]
    fn the_region_comes_from_the_range_that_names_one() {
        for (header, tag) in [
            ("es-MX,es;q=0.9,en;q=0.8", "es-MX"),
            ("es,en-GB;q=0.9,es-AR;q=0.8", "es-AR"),
            ("en-GB;q=0.5,fr;q=0.9", "fr"),
            ("pt", "pt-BR"),
            ("ja-JP", "en"),
        ] {
            assert_eq!(LanguageTag::negotiate(header).to_string(), tag, "{header}");
        }
    }

    #[test]
    fn tags_are_read_by_language_and_region() {
        for (tag, read) in [
            ("es-419", "es-419"),
            ("ES_mx", "es-MX"),
            ("ar-Arab-EG", "ar-EG"),
            ("de-1996", "de"),
            ("fr-u-ca-buddhist", "fr"),
            ("en-GB-u-hc-h12", "en-GB"),
            (" it ", "it"),
            ("pt", "pt-BR"),
        ] {
            assert_eq!(LanguageTag::parse(tag).map(|tag| tag.to_string()).as_deref(), Some(read), "{tag}");
        }
        for tag in ["", "nl", "zh-Hant", "english", "-es"] {
            assert_eq!(LanguageTag::parse(tag), None, "{tag}");
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        for tag in Locale::ALL.map(LanguageTag::from).into_iter().chain(LanguageTag::parse("es-419")) {
            let again = LanguageTag::parse(&tag.to_string()).unwrap();
            assert_eq!((again.locale(), again.to_string()), (tag.locale(), tag.to_string()));
        }
    }

    #[test]
    fn the_dashboard_speaks_spanish_to_spanish_readers_and_english_to_all_others() {
        for locale in Locale::ALL {
            assert_eq!(locale.dashboard() == Locale::Es, locale == Locale::Es, "{locale:?}");
            assert!(Locale::DASHBOARD.contains(&locale.dashboard()));
        }
    }
}
