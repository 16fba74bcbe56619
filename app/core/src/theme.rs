//! How an organization's widgets look.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::parse::FieldProblem;

/// The widest rounding of the card's corners, in CSS pixels.
pub const MOST_RADIUS: u8 = 40;

/// An opaque sRGB color, as `#rrggbb` in lower case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Color(String);

impl Color {
    /// Reads `#rgb` or `#rrggbb`, in either case.
    ///
    /// ```
    /// use cupo_core::theme::Color;
    ///
    /// assert_eq!(Color::parse(" #0AF ").unwrap().as_str(), "#00aaff");
    /// assert!(Color::parse("red; } body { display: none").is_err());
    /// ```
    pub fn parse(text: &str) -> Result<Self, FieldProblem> {
        let refused = || FieldProblem::new("error.color");
        let digits = text.trim().strip_prefix('#').ok_or_else(refused)?.to_ascii_lowercase();
        let is_color = matches!(digits.len(), 3 | 6) && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        match (is_color, digits.len()) {
            (true, 3) => Ok(Self("#".chars().chain(digits.chars().flat_map(|digit| [digit, digit])).collect())),
            (true, _) => Ok(Self(format!("#{digits}"))),
            (false, _) => Err(refused()),
        }
    }

    /// `#rrggbb`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Color {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).map_err(|problem| problem.key.to_owned())
    }
}

impl From<Color> for String {
    fn from(color: Color) -> Self {
        color.0
    }
}

/// Which of the widget's color schemes is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scheme {
    /// As the visitor's system has it.
    #[default]
    Auto,
    Light,
    Dark,
    /// By the colors of the page around the widget.
    Page,
}

impl Scheme {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Auto, Self::Light, Self::Dark, Self::Page];

    /// As the attribute `theme` has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Light => "light",
            Self::Dark => "dark",
            Self::Page => "page",
        }
    }

    /// The scheme of that name.
    pub fn parse(text: &str) -> Result<Self, FieldProblem> {
        let named = Self::ALL.into_iter().find(|scheme| scheme.as_str() == text.trim());
        named.ok_or_else(|| FieldProblem::new("error.no_choice").with("value", text))
    }
}

/// How the widgets of an organization look where a page wishes nothing else; by default as they come.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Theme {
    /// The color of what can be pressed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accent: Option<Color>,
    pub scheme: Scheme,
    /// The rounding of the card's corners, in CSS pixels, at most [`MOST_RADIUS`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub radius: Option<u8>,
}

impl Theme {
    /// What the widget is told of it; `None` of one that changes nothing.
    pub fn view(&self) -> Option<ThemeView> {
        let accent = self.accent.as_ref().map(|accent| ("--cupo-accent".to_owned(), accent.to_string()));
        let radius = self.radius.map(|radius| ("--cupo-radius".to_owned(), format!("{radius}px")));
        let view =
            ThemeView { scheme: self.scheme.as_str().to_owned(), style: accent.into_iter().chain(radius).collect() };
        (*self != Self::default()).then_some(view)
    }
}

/// A theme as the loader takes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThemeView {
    /// The value of the attribute `theme` that a page without one gets.
    pub scheme: String,
    /// Custom properties and their values, for those that the page does not set.
    pub style: BTreeMap<String, String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_color_is_six_hexadecimal_digits_and_nothing_that_could_leave_its_place() {
        for (typed, read) in [("#0c6b5a", "#0c6b5a"), ("#ABC", "#aabbcc"), (" #FFFFFF", "#ffffff")] {
            assert_eq!(Color::parse(typed).unwrap().as_str(), read);
        }
        for wrong in ["", "#", "0c6b5a", "#0c6b5", "#0c6b5a00", "#gggggg", "teal", "#fff;color:red", "#ééé"] {
            assert!(Color::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_scheme_is_read_by_the_name_that_the_attribute_has() {
        for scheme in Scheme::ALL {
            assert_eq!(Scheme::parse(scheme.as_str()).unwrap(), scheme);
        }
        assert!(Scheme::parse("night").is_err());
    }

    #[test]
    fn only_what_is_set_is_told_and_nothing_of_what_is_as_it_comes() {
        assert_eq!(Theme::default().view(), None);
        let theme = Theme { accent: Some(Color::parse("#7a1fa2").unwrap()), scheme: Scheme::Dark, radius: Some(4) };
        let json = serde_json::to_value(theme.view()).unwrap();
        let style = serde_json::json!({ "--cupo-accent": "#7a1fa2", "--cupo-radius": "4px" });
        assert_eq!(json, serde_json::json!({ "scheme": "dark", "style": style }));
    }

    #[test]
    fn what_is_stored_is_read_again_and_what_older_versions_stored_too() {
        let theme = Theme { accent: Some(Color::parse("#123456").unwrap()), ..Theme::default() };
        let text = serde_json::to_string(&theme).unwrap();
        assert_eq!(serde_json::from_str::<Theme>(&text).unwrap(), theme);
        assert_eq!(serde_json::from_str::<Theme>("{}").unwrap(), Theme::default());
        assert!(serde_json::from_str::<Theme>(r#"{"accent":"url(x)"}"#).is_err());
    }
}
