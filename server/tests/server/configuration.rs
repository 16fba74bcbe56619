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

#[test]
fn microsoft_takes_a_secret_or_a_certificate_with_its_key_and_says_what_is_missing() {
    let keys = concat!(env!("CARGO_MANIFEST_DIR"), "/providers/tests/keys");
    let read = |lines: &str| Config::from_toml(&format!("{SECRETS}\n[microsoft]\n{lines}"));
    let mistake = |lines: &str| {
        let mistakes = read(lines).unwrap_err().0;
        assert_eq!(mistakes.len(), 1, "{mistakes:?}");
        mistakes[0].key.clone()
    };
    let with_secret = read("client_id = \"id\"\nclient_secret = \"secret\"\ntenant = \"organizations\"").unwrap();
    let microsoft = with_secret.microsoft.unwrap();
    assert_eq!(
        (microsoft.tenant.as_str(), microsoft.graph_url.as_str()),
        ("organizations", "https://graph.microsoft.com/v1.0")
    );
    assert!(!format!("{microsoft:?}").contains("\"secret\""));
    let certificate = format!("client_id = \"id\"\ncertificate_file = \"{keys}/certificate.pem\"\n");
    let whole = format!("{certificate}private_key_file = \"{keys}/rsa-pkcs8.pem\"");
    assert!(read(&whole).unwrap().microsoft.is_some());
    assert!(read("").unwrap().microsoft.is_none());

    assert_eq!(mistake("client_id = \"id\""), "microsoft.client_secret");
    assert_eq!(mistake("client_secret = \"secret\""), "microsoft.client_id");
    assert_eq!(mistake(&certificate), "microsoft.private_key_file");
    assert_eq!(mistake(&format!("{whole}\nclient_secret = \"secret\"")), "microsoft.client_secret");
    assert_eq!(mistake("client_id = \"id\"\nclient_secret = \"s\"\ntenant = \"a/b\""), "microsoft.tenant");
    let absent = whole.replace("certificate.pem", "absent.pem");
    assert_eq!(mistake(&absent), "microsoft.certificate_file");
}

#[test]
fn budgets_are_the_providers_own_unless_others_are_given() {
    let config = Config::from_toml(&format!("{SECRETS}\n[google]\nrequests_per_minute_per_account = 90\n")).unwrap();
    assert_eq!(config.google_budget.per_account, Some(90));
    let usual = cupo_providers::Budgets::default().of("google");
    let own = config.google_budget.over(usual);
    assert_eq!((own.per_account.unwrap().requests, own.per_project), (90, usual.per_project));
    let lifted = Config::from_toml(&format!("{SECRETS}\n[microsoft]\nrequests_per_minute_per_account = 0\n")).unwrap();
    assert_eq!(lifted.microsoft_budget.over(cupo_providers::Budgets::default().of("microsoft")).per_account, None);
    let own = Config::from_toml(&format!("{SECRETS}\n[caldav]\nrequests_per_minute_per_account = 30\n")).unwrap();
    let usual = cupo_providers::Budgets::default().of("caldav");
    let own = own.caldav_budget.over(usual);
    assert_eq!((own.per_account.unwrap().requests, own.per_host), (30, usual.per_host));
    let no_project = Config::from_toml(&format!("{SECRETS}\n[caldav]\nrequests_per_minute_per_project = 30\n"));
    assert_eq!(no_project.unwrap_err().0[0].key, "caldav.requests_per_minute_per_project");
    let wrong = Config::from_toml(&format!("{SECRETS}\n[google]\nrequests_per_minute_per_project = \"many\"\n"));
    assert_eq!(wrong.unwrap_err().0[0].key, "google.requests_per_minute_per_project");
}
