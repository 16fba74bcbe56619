//! The look of a mail: the same content as plain text and as simple HTML that every mail program shows.

use cupo_core::text::LanguageTag;

/// Something to click.
pub(super) struct Link {
    pub(super) label: String,
    pub(super) url: String,
}

/// A mail's content, top to bottom. Texts are plain; line breaks in them stay.
pub(super) struct Layout {
    pub(super) language: LanguageTag,
    pub(super) heading: String,
    pub(super) intro: String,
    /// Labels and what they say.
    pub(super) facts: Vec<(String, String)>,
    /// The first one is what the reader most likely wants.
    pub(super) links: Vec<Link>,
    pub(super) footer: String,
}

const INK: &str = "#1c2430";
const FAINT: &str = "#5b6675";
const ACCENT: &str = "#0f6b5c";

impl Layout {
    pub(super) fn text(&self) -> String {
        let mut text = format!("{}\n\n{}\n\n", self.heading, self.intro);
        for (label, value) in &self.facts {
            let value = value.replace("\r\n", "\n").replace('\n', "\n  ");
            text.push_str(&format!("{label}:\n  {value}\n"));
        }
        text.push('\n');
        for link in &self.links {
            text.push_str(&format!("{}:\n{}\n\n", link.label, link.url));
        }
        text.push_str("-- \n");
        text.push_str(&self.footer);
        text.push('\n');
        text
    }

    pub(super) fn html(&self) -> String {
        let locale = self.language.locale();
        // Mail programs know no logical properties.
        let (label_padding, link_margin) = match locale.is_rtl() {
            true => ("6px 0 6px 16px", "0 0 8px 8px"),
            false => ("6px 16px 6px 0", "0 8px 8px 0"),
        };
        let mut rows = String::new();
        for (label, value) in &self.facts {
            let value = if locale.is_rtl() { isolated_lines(value) } else { lines(value) };
            rows.push_str(&format!(
                "<tr><td style=\"padding:{label_padding};color:{FAINT};vertical-align:top;white-space:nowrap\">{}</td>\
                 <td style=\"padding:6px 0;vertical-align:top\">{value}</td></tr>\n",
                escape(label),
            ));
        }
        let mut links = String::new();
        for (at, link) in self.links.iter().enumerate() {
            let style = if at == 0 {
                format!("background:{ACCENT};color:#ffffff;border:1px solid {ACCENT}")
            } else {
                format!("background:#ffffff;color:{ACCENT};border:1px solid {ACCENT}")
            };
            links.push_str(&format!(
                "<a href=\"{}\" style=\"display:inline-block;margin:{link_margin};padding:10px 18px;border-radius:8px;\
                 text-decoration:none;font-weight:600;{style}\">{}</a>\n",
                escape(&link.url),
                escape(&link.label)
            ));
        }
        format!(
            "<!doctype html>\n<html lang=\"{lang}\" dir=\"{dir}\">\n<head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width\"><title>{heading}</title></head>\n\
             <body style=\"margin:0;padding:24px 12px;background:#f2f4f6;color:{INK};\
             font:16px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif\">\n\
             <div lang=\"{lang}\" dir=\"{dir}\" style=\"max-width:560px;margin:0 auto;padding:28px;background:#ffffff;border-radius:12px\">\n\
             <h1 style=\"margin:0 0 8px;font-size:22px;line-height:1.3\">{heading}</h1>\n\
             <p style=\"margin:0 0 20px\">{intro}</p>\n\
             <table role=\"presentation\" style=\"border-collapse:collapse;margin:0 0 24px;font-size:16px\">\n{rows}</table>\n\
             <div>\n{links}</div>\n\
             </div>\n\
             <p dir=\"{dir}\" style=\"max-width:560px;margin:16px auto 0;color:{FAINT};font-size:13px;text-align:center\">{footer}</p>\n\
             </body>\n</html>\n",
            lang = self.language,
            dir = locale.direction(),
            heading = escape(&self.heading),
            intro = lines(&self.intro),
            footer = lines(&self.footer),
        )
    }
}

fn lines(text: &str) -> String {
    text.lines().map(escape).collect::<Vec<_>>().join("<br>")
}

/// Each line by its own direction, within text that is read from right to left: a name, an address, a number.
fn isolated_lines(text: &str) -> String {
    text.lines().map(|line| format!("<bdi>{}</bdi>", escape(line))).collect::<Vec<_>>().join("<br>")
}

/// What visitors and hosts wrote is text, never markup.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_wrote_is_never_markup() {
        let layout = Layout {
            language: LanguageTag::default(),
            heading: "<b>".into(),
            intro: "a\n<script>".into(),
            facts: vec![("x".into(), "\"><img src=x>".into())],
            links: vec![Link { label: "l".into(), url: "https://x.example/\"onclick=\"".into() }],
            footer: "'".into(),
        };
        let html = layout.html();
        assert!(!html.contains("<script>") && !html.contains("<img") && !html.contains("\"onclick"));
        assert!(html.contains("a<br>&lt;script&gt;"));
    }

    #[test]
    fn a_mail_in_arabic_runs_from_right_to_left() {
        let html = |tag| {
            Layout {
                language: LanguageTag::parse(tag).unwrap(),
                heading: "h".into(),
                intro: "i".into(),
                facts: vec![("x".into(), "+34 600 123 456\n<Ana>".into())],
                links: vec![Link { label: "l".into(), url: "https://x.example/".into() }],
                footer: "f".into(),
            }
            .html()
        };
        let arabic = html("ar-EG");
        assert!(
            arabic.contains("<html lang=\"ar-EG\" dir=\"rtl\">") && arabic.contains("<div lang=\"ar-EG\" dir=\"rtl\"")
        );
        assert!(arabic.contains("<bdi>+34 600 123 456</bdi><br><bdi>&lt;Ana&gt;</bdi>"), "{arabic}");
        assert!(arabic.contains("padding:6px 0 6px 16px") && arabic.contains("margin:0 0 8px 8px"));
        let german = html("de");
        assert!(german.contains("<html lang=\"de\" dir=\"ltr\">") && !german.contains("<bdi>"));
        assert!(german.contains("padding:6px 16px 6px 0"));
    }
}
