//! The configuration, its mistakes and its secrets.

use std::io::Write;

use cupo_server::config::{Config, Environment};

fn environment(variables: &[(&str, &str)]) -> Environment {
    Environment::from_variables(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
}

fn file(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

const SECRETS: &str = r#"
[secrets]
encryption_keys = ["k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="]
session_secret = "a session secret of more than 32 characters"
"#;

#[test]
fn all_mistakes_are_told_at_once_with_key_variable_and_what_would_be_right() {
    let text = r#"
public_url = "http://book.example.com/path"
listen = "localhost"
colour = "red"
[database]
url = "mysql://root:hunter2@host/cupo"
[secrets]
encryption_keys = ["k1:dG9vIHNob3J0"]
[google]
client_id = "an id"
api_url = "not an address"
redirect_url = "https://book.example.com"
[smtp]
host = "smtp.example.com"
port = 0
tls = "maybe"
password = "hunter2"
from = "nobody"
[log]
format = "xml"
level = "loud"
[sign_up]
open = "perhaps"
[limits]
slots_per_minute = -1
body_bytes = 7
[metrics]
token = "short"
"#;
    let mistakes = Config::from_toml(text).unwrap_err();
    insta::assert_snapshot!(mistakes);
    assert!(!mistakes.to_string().contains("hunter2"), "no secret is repeated");
}

#[test]
fn what_is_missing_is_told_too() {
    insta::assert_snapshot!(Config::from_toml("listen = \"0.0.0.0:80\"").unwrap_err());
}

#[test]
fn a_file_that_was_named_and_is_not_there_is_a_mistake() {
    let missing = std::path::Path::new("/nowhere/cupo.toml");
    let mistakes = Config::load(Some(missing), environment(&[])).unwrap_err();
    assert!(mistakes.to_string().contains("/nowhere/cupo.toml"), "{mistakes}");
}

#[test]
fn broken_toml_is_a_mistake_that_names_the_file() {
    let file = file("[secrets]\nsession_secret = \"hunter2\n");
    let mistakes = Config::load(Some(file.path()), environment(&[])).unwrap_err().to_string();
    assert!(mistakes.contains(file.path().to_str().unwrap()), "{mistakes}");
    assert!(mistakes.contains("line 2"), "{mistakes}");
    assert!(!mistakes.contains("hunter2"), "the line may hold a secret: {mistakes}");
}

#[test]
fn the_environment_wins_over_the_file_and_keeps_digits_as_they_are() {
    let file = file(&format!("listen = \"127.0.0.1:1\"\n{SECRETS}"));
    let config = Config::load(
        Some(file.path()),
        environment(&[
            ("CUPO_LISTEN", "127.0.0.1:4711"),
            ("CUPO_GOOGLE__CLIENT_ID", "0123"),
            ("CUPO_GOOGLE__CLIENT_SECRET", "000456"),
            ("DATABASE_URL", "postgres://cupo:hunter2@host/cupo"),
            (
                "CUPO_SECRETS__ENCRYPTION_KEYS",
                "k2:AQECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=,k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
            ),
            ("HOME", "/root"),
        ]),
    )
    .unwrap();
    let google = config.google.unwrap();
    assert_eq!(config.address.listen.port(), 4711);
    assert_eq!((google.client_id.as_str(), google.client_secret.expose()), ("0123", "000456"));
    assert_eq!(config.database.url(), "postgres://cupo:hunter2@host/cupo");
    let names: Vec<_> = config.secrets.encryption_keys.iter().map(|key| key.id.as_str()).collect();
    assert_eq!(names, ["k2", "k1"]);
}

#[test]
fn cupos_own_variable_wins_over_database_url() {
    let config = Config::load(
        Some(file(SECRETS).path()),
        environment(&[("CUPO_DATABASE__URL", "sqlite://own.db"), ("DATABASE_URL", "postgres://other")]),
    );
    assert_eq!(config.unwrap().database.url(), "sqlite://own.db");
}

#[test]
fn a_configuration_that_is_printed_shows_no_secret() {
    let text = format!(
        "public_url = \"https://book.example.com\"\n[database]\nurl = \"postgres://cupo:hunter2@host/cupo\"\n{SECRETS}\
         [google]\nclient_id = \"id\"\nclient_secret = \"hunter2\"\n[smtp]\nhost = \"h\"\nusername = \"u\"\npassword = \"hunter2\"\n\
         from = \"Cupo <a@example.com>\"\n[metrics]\ntoken = \"hunter2hunter2hunter2\"\n"
    );
    let shown = format!("{:?}", Config::from_toml(&text).unwrap());
    for secret in ["hunter2", "AAECAwQF", "a session secret"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}

#[test]
fn google_has_its_real_addresses_unless_told_otherwise() {
    let config =
        Config::from_toml(&format!("{SECRETS}[google]\nclient_id = \"id\"\nclient_secret = \"secret\"")).unwrap();
    let google = config.google.unwrap();
    assert_eq!(google.auth_url.as_str(), "https://accounts.google.com/o/oauth2/v2/auth");
    assert_eq!(google.token_url.as_str(), "https://oauth2.googleapis.com/token");
    assert_eq!(google.api_url.as_str(), "https://www.googleapis.com/calendar/v3");
}
