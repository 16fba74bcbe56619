//! What is kept and shown of the reason for which a job failed.

/// As much of a reason as is kept.
const LONGEST: usize = 300;
/// A run of letters and digits that is at least so long and has both may be a token or a key.
const TOKEN: usize = 20;

/// The reason, fit for people and for the log: on one line, not too long, without what may be a secret (the path and
/// the query of an address, a token, a key) and without mail addresses. The texts of our own errors hold nothing of
/// that kind; those of mail servers and feeds are other people's.
pub(crate) fn told(why: &str) -> String {
    let words: Vec<String> = why.split_whitespace().map(word).collect();
    let mut text = words.join(" ");
    if let Some((end, _)) = text.char_indices().nth(LONGEST) {
        text.truncate(end);
        text.push('…');
    }
    text
}

fn word(word: &str) -> String {
    if let Some((before, address)) = word.split_once("://") {
        let host = address.split(['/', '?', '#']).next().unwrap_or_default();
        // What stands before an `@` names somebody, with their password perhaps.
        let host = host.rsplit('@').next().unwrap_or_default();
        return format!("{before}://{host}/…");
    }
    if word.contains('@') || is_token(word) { "…".to_owned() } else { word.to_owned() }
}

/// Ids of our own are no secrets, and are needed to find what failed.
fn is_token(word: &str) -> bool {
    let is_of_token = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '+' | '/' | '~');
    let parts = word.split(|c: char| !is_of_token(c));
    parts.filter(|part| !is_uuid(part)).any(|part| {
        let has = |test: fn(&char) -> bool| part.chars().any(|c| test(&c));
        part.len() >= TOKEN && has(char::is_ascii_digit) && has(char::is_ascii_alphabetic)
    })
}

fn is_uuid(part: &str) -> bool {
    uuid::Uuid::try_parse(part).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_of_our_own_is_told_as_it_is() {
        for why in [
            "the provider asks to wait 30 s",
            "the provider refused: 400 invalid (start.dateTime)",
            "store: calendar.sync_cursor holds a value that cannot be read",
            "calendar 0193b3a4-6c1e-7a52-9d3f-0123456789ab not found",
            "the calendar account has to be connected again: grant_revoked",
        ] {
            assert_eq!(told(why), why);
        }
    }

    #[test]
    fn what_may_be_a_secret_is_left_out() {
        for (why, kept) in [
            (
                "GET https://ana:pw@cal.example/private-3f9ab2/basic.ics?token=x failed",
                "GET https://cal.example/… failed",
            ),
            ("550 5.1.1 <leo@visitor.example>: no such user", "550 5.1.1 … no such user"),
            ("Bearer ya29a0AfH6SMBx1234567890 refused", "Bearer … refused"),
            ("key=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8= is wrong", "… is wrong"),
            ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "…"),
        ] {
            assert_eq!(told(why), kept);
        }
    }

    #[test]
    fn a_reason_is_one_line_and_not_too_long() {
        assert_eq!(told("a\r\nb\tc  d"), "a b c d");
        assert_eq!(told(&"ñ ".repeat(500)).chars().count(), LONGEST + 1);
    }
}
