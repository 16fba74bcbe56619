//! The code to paste, for each way of embedding and each kind of site.

/// How the calendar appears on a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Inline,
    Popup,
    Floating,
    Page,
    Link,
}

impl Way {
    pub(super) const ALL: [Self; 5] = [Self::Inline, Self::Popup, Self::Floating, Self::Page, Self::Link];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Inline => "inline",
            Self::Popup => "popup",
            Self::Floating => "floating",
            Self::Page => "page",
            Self::Link => "link",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|way| way.as_str() == text)
    }
}

/// What a site is made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Platform {
    Html,
    WordPress,
    Webflow,
    Squarespace,
    React,
    TagManager,
}

impl Platform {
    pub(super) const ALL: [Self; 6] =
        [Self::Html, Self::WordPress, Self::Webflow, Self::Squarespace, Self::React, Self::TagManager];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Html => "html",
            Self::WordPress => "wordpress",
            Self::Webflow => "webflow",
            Self::Squarespace => "squarespace",
            Self::React => "react",
            Self::TagManager => "gtm",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|platform| platform.as_str() == text)
    }
}

/// What was chosen. Empty texts are left out of the code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) way: Way,
    /// `org/slug`.
    pub(super) event: String,
    /// `light`, `dark` or `page`; empty as the organization has it.
    pub(super) theme: String,
    /// `week` or `list`; empty for months.
    pub(super) view: String,
    /// A language; empty for the page's.
    pub(super) lang: String,
    /// What the button or link says.
    pub(super) text: String,
    /// `left`; empty for the usual corner.
    pub(super) side: String,
    /// The organization's accent where it has one: a floating button stands before the calendar has told it.
    pub(super) accent: String,
}

impl Choice {
    /// The attributes of the calendar that were chosen, in the order in which they are written.
    fn wishes(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let wishes = [("theme", self.theme.as_str()), ("view", &self.view), ("lang", &self.lang)];
        wishes.into_iter().filter(|(_, value)| !value.is_empty())
    }

    /// The address of the public page.
    pub(super) fn page(&self, base_url: &str) -> String {
        let lang = if self.lang.is_empty() { String::new() } else { format!("?lang={}", self.lang) };
        format!("{base_url}/{}{lang}", self.event)
    }

    /// The code for a site.
    pub(super) fn snippet(&self, platform: Platform, base_url: &str) -> String {
        match platform {
            Platform::React => self.react(base_url),
            Platform::TagManager => self.tag_manager(base_url),
            _ => self.html(base_url),
        }
    }

    fn html(&self, base_url: &str) -> String {
        let script = format!("<script async src=\"{base_url}/embed.js\"></script>");
        match self.way {
            Way::Inline => format!("{script}\n{}", self.element("")),
            Way::Page => format!("{script}\n{}", self.element(" full-page")),
            Way::Popup => {
                let wishes: String =
                    self.wishes().map(|(name, value)| format!(" data-cupo-{name}=\"{}\"", escaped(value))).collect();
                let page = escaped(&self.page(base_url));
                let (event, text) = (escaped(&self.event), escaped(&self.text));
                format!("{script}\n<a href=\"{page}\" data-cupo-popup=\"{event}\"{wishes}>{text}</a>")
            }
            Way::Floating => {
                let data: String =
                    self.of_button().map(|(name, value)| format!("\n  data-{name}=\"{}\"", escaped(value))).collect();
                format!("<script async src=\"{base_url}/embed.js\"{data}></script>")
            }
            Way::Link => format!("<a href=\"{}\">{}</a>", escaped(&self.page(base_url)), escaped(&self.text)),
        }
    }

    /// The element of the calendar.
    fn element(&self, kind: &str) -> String {
        let wishes: String = self.wishes().map(|(name, value)| format!(" {name}=\"{}\"", escaped(value))).collect();
        format!("<cupo-booking event=\"{}\"{wishes}{kind}></cupo-booking>", escaped(&self.event))
    }

    /// What the script tag of a floating button says, by its `data-` attributes.
    fn of_button(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let own =
            [("floating", self.event.as_str()), ("text", &self.text), ("side", &self.side), ("accent", &self.accent)];
        own.into_iter().filter(|(_, value)| !value.is_empty()).chain(self.wishes())
    }

    fn react(&self, base_url: &str) -> String {
        // What JSX would take for an expression is written as text; everything else it reads as HTML does.
        let jsx = |html: String| html.replace('{', "&#123;").replace('}', "&#125;");
        let single = |element: String| element.replace("></cupo-booking>", " />");
        let (shown, loaded) = match self.way {
            Way::Inline => (single(self.element("")), String::new()),
            Way::Page => (single(self.element(" full-page=\"\"")), String::new()),
            Way::Popup => (jsx(self.html(base_url).lines().skip(1).collect()), String::new()),
            Way::Link => return format!("export function Booking() {{\n  return {};\n}}", jsx(self.html(base_url))),
            Way::Floating => {
                let data =
                    self.of_button().map(|(name, value)| format!("    script.dataset.{name} = {};\n", quoted(value)));
                ("null".to_owned(), data.collect())
            }
        };
        // A script that another component has loaded brings no button.
        let button = if self.way == Way::Floating { "[data-floating]" } else { "" };
        format!(
            "import {{ useEffect }} from \"react\";\n\n\
             export function Booking() {{\n  useEffect(() => {{\n    const src = {};\n    \
             if (document.querySelector(`script[src=\"${{src}}\"]{button}`)) return;\n    \
             const script = Object.assign(document.createElement(\"script\"), {{ src, async: true }});\n\
             {loaded}    document.head.append(script);\n  }}, []);\n  return {shown};\n}}",
            quoted(&format!("{base_url}/embed.js"))
        )
    }

    fn tag_manager(&self, base_url: &str) -> String {
        let loader = quoted(&format!("{base_url}/embed.js"));
        let mut lines = vec![
            "<script>".to_owned(),
            "  var script = document.createElement(\"script\");".to_owned(),
            format!("  script.src = {loader};"),
        ];
        match self.way {
            Way::Inline | Way::Page => {
                lines.push("  var calendar = document.createElement(\"cupo-booking\");".to_owned());
                let kind = (self.way == Way::Page).then_some(("full-page", ""));
                let attributes = [("event", self.event.as_str())].into_iter().chain(self.wishes()).chain(kind);
                lines.extend(
                    attributes
                        .map(|(name, value)| format!("  calendar.setAttribute({}, {});", quoted(name), quoted(value))),
                );
                lines.push("  document.querySelector(\"#booking\").appendChild(calendar);".to_owned());
            }
            Way::Popup | Way::Link => {
                lines.push("  document.querySelectorAll('a[href=\"#booking\"]').forEach(function (link) {".to_owned());
                let page = quoted(&self.page(base_url));
                lines.push(format!("    link.href = {page};"));
                if self.way == Way::Popup {
                    lines.push(format!("    link.setAttribute(\"data-cupo-popup\", {});", quoted(&self.event)));
                    lines.extend(self.wishes().map(|(name, value)| {
                        format!("    link.setAttribute(\"data-cupo-{name}\", {});", quoted(value))
                    }));
                }
                lines.push("  });".to_owned());
            }
            Way::Floating => {
                lines.extend(
                    self.of_button().map(|(name, value)| format!("  script.dataset.{name} = {};", quoted(value))),
                );
            }
        }
        if self.way == Way::Link {
            lines.drain(1..3);
        } else {
            lines.push("  document.head.appendChild(script);".to_owned());
        }
        lines.push("</script>".to_owned());
        lines.join("\n")
    }
}

/// A text within HTML, in an attribute too.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A text as JavaScript writes it, inside a script element too. Braces are for the tag manager, which takes two of them for a
/// variable of its own.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '<' => quoted.push_str("\\u003c"),
            '{' => quoted.push_str("\\u007b"),
            '\n' | '\r' => quoted.push(' '),
            letter => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "https://book.example.com";

    fn choice(way: Way) -> Choice {
        Choice {
            way,
            event: "acme/visit".to_owned(),
            theme: "dark".to_owned(),
            view: String::new(),
            lang: "es".to_owned(),
            text: "Book \"now\" & here".to_owned(),
            side: String::new(),
            accent: "#7a1fa2".to_owned(),
        }
    }

    #[test]
    fn each_way_has_its_code_with_what_was_chosen_and_nothing_else() {
        let script = "<script async src=\"https://book.example.com/embed.js\"></script>\n";
        let text = "Book &quot;now&quot; &amp; here";
        let page = "https://book.example.com/acme/visit?lang=es";
        for (way, code) in [
            (
                Way::Inline,
                format!("{script}<cupo-booking event=\"acme/visit\" theme=\"dark\" lang=\"es\"></cupo-booking>"),
            ),
            (
                Way::Page,
                format!(
                    "{script}<cupo-booking event=\"acme/visit\" theme=\"dark\" lang=\"es\" full-page></cupo-booking>"
                ),
            ),
            (
                Way::Popup,
                format!(
                    "{script}<a href=\"{page}\" data-cupo-popup=\"acme/visit\" data-cupo-theme=\"dark\" data-cupo-lang=\"es\">{text}</a>"
                ),
            ),
            (
                Way::Floating,
                format!(
                    "<script async src=\"https://book.example.com/embed.js\"\n  data-floating=\"acme/visit\"\n  data-text=\"{text}\"\n  \
                     data-accent=\"#7a1fa2\"\n  data-theme=\"dark\"\n  data-lang=\"es\"></script>"
                ),
            ),
            (Way::Link, format!("<a href=\"{page}\">{text}</a>")),
        ] {
            for platform in [Platform::Html, Platform::WordPress, Platform::Webflow, Platform::Squarespace] {
                assert_eq!(choice(way).snippet(platform, BASE), code);
            }
        }
    }

    #[test]
    fn code_for_react_loads_the_script_once() {
        let code = choice(Way::Inline).snippet(Platform::React, BASE);
        assert!(code.contains("const src = \"https://book.example.com/embed.js\";"), "{code}");
        assert!(code.contains("return <cupo-booking event=\"acme/visit\" theme=\"dark\" lang=\"es\" />;"), "{code}");
        let code = choice(Way::Floating).snippet(Platform::React, BASE);
        assert!(code.contains("    script.dataset.floating = \"acme/visit\";\n"), "{code}");
        assert!(code.contains("return null;"), "{code}");
        // Beside another component, which has loaded the script without a button.
        assert!(code.contains("`script[src=\"${src}\"][data-floating]`"), "{code}");
        assert!(choice(Way::Page).snippet(Platform::React, BASE).contains(" full-page=\"\" />"));
    }

    #[test]
    fn a_link_in_react_is_a_component_and_braces_are_text_everywhere() {
        let braces = |way| Choice { text: "Book {{now}}".to_owned(), ..choice(way) };
        let page = "https://book.example.com/acme/visit?lang=es";
        let link = braces(Way::Link).snippet(Platform::React, BASE);
        let text = "Book &#123;&#123;now&#125;&#125;";
        assert_eq!(link, format!("export function Booking() {{\n  return <a href=\"{page}\">{text}</a>;\n}}"));
        assert!(braces(Way::Popup).snippet(Platform::React, BASE).contains(&format!(">{text}</a>;")));
        for platform in [Platform::React, Platform::TagManager] {
            let code = braces(Way::Floating).snippet(platform, BASE);
            assert!(code.contains("script.dataset.text = \"Book \\u007b\\u007bnow}}\";"), "{code}");
        }
    }

    #[test]
    fn code_for_a_tag_manager_closes_no_script_early() {
        for way in Way::ALL {
            let hostile = Choice { text: "</script><b>".to_owned(), ..choice(way) };
            let code = hostile.snippet(Platform::TagManager, BASE);
            assert_eq!(code.matches("</script>").count(), 1, "{code}");
        }
        let code = choice(Way::Popup).snippet(Platform::TagManager, BASE);
        assert!(code.contains("link.setAttribute(\"data-cupo-popup\", \"acme/visit\");"), "{code}");
        assert!(!choice(Way::Link).snippet(Platform::TagManager, BASE).contains("embed.js"));
    }

    #[test]
    fn ways_and_platforms_are_read_by_their_names() {
        assert!(Way::ALL.into_iter().all(|way| Way::parse(way.as_str()) == Some(way)));
        assert!(Platform::ALL.into_iter().all(|platform| Platform::parse(platform.as_str()) == Some(platform)));
        assert_eq!((Way::parse("frame"), Platform::parse("")), (None, None));
    }
}
