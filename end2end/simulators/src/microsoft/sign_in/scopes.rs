//! The scopes that the simulator knows.

use std::collections::BTreeSet;

use super::error::SignInError;

/// Before a Graph scope in full.
pub const GRAPH: &str = "https://graph.microsoft.com/";
/// Of OpenID Connect; they are no permissions of an API.
pub const OPENID: [&str; 4] = ["openid", "profile", "email", "offline_access"];
/// Delegated permissions of Graph and what they mean to people.
const DELEGATED: [(&str, &str); 8] = [
    ("User.Read", "Sign you in and read your profile"),
    ("User.ReadBasic.All", "Read all users' basic profiles"),
    ("Calendars.Read", "Read your calendars"),
    ("Calendars.ReadBasic", "Read basic details of your calendars"),
    ("Calendars.ReadWrite", "Have full access to your calendars"),
    ("Calendars.Read.Shared", "Read calendars you can access"),
    ("Calendars.ReadWrite.Shared", "Read and write to calendars you can access"),
    ("MailboxSettings.Read", "Read your mailbox settings"),
];

/// What a person reads on the consent page.
pub fn description(scope: &str) -> &str {
    match DELEGATED.iter().find(|(name, _)| *name == scope) {
        Some((_, description)) => description,
        None if scope == "offline_access" => "Maintain access to data you have given it access to",
        None => "Sign you in and read your profile",
    }
}

/// Reads `scope`, each Graph scope with or without its prefix.
pub fn read(text: &str) -> Result<BTreeSet<String>, SignInError> {
    let known = |scope: &str| {
        let short = scope.strip_prefix(GRAPH).unwrap_or(scope);
        let found = DELEGATED.iter().map(|(name, _)| *name).chain(OPENID).find(|it| it.eq_ignore_ascii_case(short));
        found.map(str::to_owned).ok_or_else(|| {
            let message = format!(
                "The provided request must include a 'scope' input parameter. The scope '{scope}' is not valid."
            );
            SignInError::new(70011, message)
        })
    };
    text.split_whitespace().map(known).collect()
}

/// `scope` of a token answer. Personal accounts get the scopes in full, and `offline_access` is told to nobody.
pub fn told(scopes: &BTreeSet<String>, personal: bool) -> String {
    let told = scopes.iter().filter(|scope| *scope != "offline_access").map(|scope| {
        let is_graph = !OPENID.contains(&scope.as_str());
        if personal && is_graph { format!("{GRAPH}{scope}") } else { scope.clone() }
    });
    told.collect::<Vec<_>>().join(" ")
}
