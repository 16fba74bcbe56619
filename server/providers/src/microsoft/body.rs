//! The text of an event. Teams writes how to join into it, below what its author wrote, and whoever overwrites that
//! ends the meeting (<https://learn.microsoft.com/graph/api/event-update>).

use super::wire;

/// Teams' part begins with a line of underscores; no other text has as many.
const BORDER: &str = "________________________________________";

/// What the author wrote.
pub(super) fn description(body: wire::ItemBody, is_online_meeting: bool) -> Option<String> {
    let content = body.content.unwrap_or_default();
    let is_html = body.content_type.is_some_and(|kind| kind.eq_ignore_ascii_case("html"));
    let text = if is_html { text_of(&content) } else { content };
    let own = if is_online_meeting { text.split(BORDER).next().unwrap_or_default() } else { &text };
    normalized(own)
}

/// A text as it is read back: Exchange keeps line ends of its own and adds some at the end.
pub(super) fn normalized(text: &str) -> Option<String> {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// The HTML of a meeting's body with another text above Teams' part; `None` when there is no such part.
pub(super) fn above_meeting(html: &str, description: &str) -> Option<String> {
    // Beside the line, Teams marks its part by a class.
    let border = [BORDER, "me-email-text"].iter().filter_map(|mark| html.find(mark)).min()?;
    let block = html[..border].rfind("<div").or_else(|| html[..border].rfind("<br")).unwrap_or(border);
    let mut own = String::new();
    for character in description.chars() {
        match character {
            '&' => own.push_str("&amp;"),
            '<' => own.push_str("&lt;"),
            '>' => own.push_str("&gt;"),
            '\n' => own.push_str("<br>"),
            other => own.push(other),
        }
    }
    Some(format!("<html><body><div>{own}</div><br>{}", &html[block..]))
}

/// The text of an HTML body, for answers that were asked for text and are not.
fn text_of(html: &str) -> String {
    let mut text = String::new();
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        text.push_str(&rest[..start]);
        let Some(length) = rest[start..].find('>') else {
            rest = "";
            break;
        };
        let tag = rest[start + 1..start + length].to_ascii_lowercase();
        rest = &rest[start + length + 1..];
        let is_closing = tag.starts_with('/');
        let name = tag.trim_start_matches('/').split(|character: char| !character.is_ascii_alphanumeric()).next();
        match name.unwrap_or_default() {
            "br" => text.push('\n'),
            "p" | "div" | "tr" | "li" if is_closing => text.push('\n'),
            hidden @ ("style" | "script" | "head") if !is_closing => {
                let end = format!("</{hidden}");
                rest = rest.to_ascii_lowercase().find(&end).map_or("", |end| &rest[end..]);
            }
            _ => {}
        }
    }
    text.push_str(rest);
    [("&nbsp;", " "), ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")]
        .iter()
        .fold(text, |text, (entity, character)| text.replace(entity, character))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEAMS: &str = "<html><head><style>.me{}</style></head><body><div>Bring the plans &amp; a pen</div><br>\
        <div style=\"width:100%\"><span>________________________________________</span></div>\
        <div class=\"me-email-text\"><a href=\"https://teams.microsoft.com/l/meetup-join/1\">Join</a></div>\
        </body></html>";

    fn read(kind: &str, content: &str, is_online_meeting: bool) -> Option<String> {
        let body = wire::ItemBody { content_type: Some(kind.into()), content: Some(content.into()) };
        description(body, is_online_meeting)
    }

    #[test]
    fn a_text_is_read_without_line_ends_that_exchange_added() {
        assert_eq!(read("text", "Hello\r\nthere\r\n", false).as_deref(), Some("Hello\nthere"));
        assert_eq!(read("text", "\r\n", false), None);
    }

    #[test]
    fn how_to_join_is_no_part_of_the_description_of_a_meeting() {
        let text = format!("Bring the plans\r\n{BORDER}{BORDER}\r\nMicrosoft Teams meeting\r\n");
        assert_eq!(read("text", &text, true).as_deref(), Some("Bring the plans"));
        assert!(read("text", &text, false).unwrap().contains("Teams"));
    }

    #[test]
    fn html_is_read_as_text() {
        assert_eq!(read("html", TEAMS, true).as_deref(), Some("Bring the plans & a pen"));
        let tricky = "<p>a &lt;b&gt;</p><p>1 &amp;lt; 2<br/>c</p><script>x<y</script><broken";
        assert_eq!(read("HTML", tricky, false).as_deref(), Some("a <b>\n1 &lt; 2\nc"));
    }

    #[test]
    fn another_description_leaves_the_meeting_as_it_is() {
        let html = above_meeting(TEAMS, "Bring <nothing>\nat all").unwrap();
        assert!(html.contains("<div>Bring &lt;nothing&gt;<br>at all</div>"), "{html}");
        assert!(html.contains("https://teams.microsoft.com/l/meetup-join/1"), "{html}");
        assert!(!html.contains("plans"), "{html}");
        assert_eq!(read("html", &html, true).as_deref(), Some("Bring <nothing>\nat all"));
        assert_eq!(above_meeting("<html><body>no meeting</body></html>", "a"), None);
        let borderless = "<body>a<div class=\"me-email-text\">Join</div></body>";
        assert!(
            above_meeting(borderless, "b").unwrap().ends_with("<br><div class=\"me-email-text\">Join</div></body>")
        );
    }
}
