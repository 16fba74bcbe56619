//! An organization sees and changes nothing of another one, whatever address it asks.
//!
//! Which addresses and server functions there are is asked of the running server ([`addresses`]), so that a new one fails
//! here until it stands in a table: [`server_functions`], [`pages`] or [`programs`]. Each entry attacks the things of one
//! organization as the owner of another one, in both directions, and then asks for the same as their owner, who gets it.

mod addresses;
mod attack;
mod pages;
mod programs;
mod roles;
pub mod rows;
mod server_functions;
mod tenant;

use std::collections::{BTreeMap, BTreeSet};

use cupo_core::parse::Slug;
use cupo_server::config::Config;
use reqwest::Method;

use crate::world::{World, configuration};
use attack::{Answer, Control, Entry, Try};
use rows::{difference, rows_of};
use tenant::{Tenant, Two};

/// What stands in every visitor's address bar, or is known to anybody.
const NO_SECRETS: [&str; 6] = ["org", "event", "asking_event", "link_event", "day", "now"];

/// The tables' entries by their addresses.
fn entries_by_address() -> BTreeMap<&'static str, Entry> {
    let listed = [server_functions::entries(), pages::entries(), programs::entries()];
    let mut entries = BTreeMap::new();
    for (address, entry) in listed.into_iter().flatten() {
        assert!(entries.insert(address, entry).is_none(), "{address} has two entries");
    }
    entries
}

#[tokio::test(flavor = "multi_thread")]
async fn every_address_and_server_function_has_an_entry_and_no_entry_is_left_over() {
    let world = World::start().await;
    let entries: BTreeSet<String> = entries_by_address().into_keys().map(str::to_owned).collect();
    let found = addresses::addresses(&world).await;
    let functions = addresses::server_functions();
    assert!(functions.is_subset(&found), "not routed: {:?}", functions.difference(&found));
    let missing: Vec<_> = found.difference(&entries).collect();
    assert!(
        missing.is_empty(),
        "Say how another organization is kept out of these, in server/tests/server/tenancy/: a server function in \
         server_functions.rs, a page in pages.rs, anything else in programs.rs. For an address that takes the id or the \
         secret of something, a try with `$their.` and the noun; for one that takes none, `.own()`; for one that knows no \
         tenant, `Entry::Public` and why: {missing:#?}"
    );
    for (address, entry) in entries_by_address() {
        match entry {
            Entry::Public(why) => assert!(!why.is_empty(), "{address}: say why it concerns no tenant"),
            Entry::Guarded(tries) => assert!(!tries.is_empty(), "{address}: an entry without a try shows nothing"),
        }
    }
    let left_over: Vec<_> = entries.difference(&found).collect();
    assert!(left_over.is_empty(), "There are no such addresses any more; remove their entries: {left_over:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_organization_can_take_the_place_of_an_address() {
    let world = World::start().await;
    for pattern in addresses::patterns(&world) {
        let first = pattern.split('/').nth(1).unwrap_or_default();
        // Where the first part is free, it is the organization; and an empty one, or one with a dot, can name none.
        if !first.starts_with('{') {
            assert!(Slug::parse_organization(first).is_err(), "RESERVED_SLUGS lacks {first} of {pattern}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn cupo_below_a_path_that_begins_as_one_of_its_addresses_does_not_start() {
    let world = World::start().await;
    let told = |path: &str| {
        let text = configuration("http://127.0.0.1:9", 9, "");
        Config::from_toml(&format!("public_url = \"https://example.com/{path}\"\n{text}")).map_err(|it| it.to_string())
    };
    for pattern in addresses::patterns(&world) {
        let first = pattern.split('/').nth(1).unwrap_or_default();
        if first.is_empty() || first.starts_with('{') {
            continue;
        }
        for path in [first.to_owned(), format!("{first}/"), format!("{first}/below")] {
            let mistakes = told(&path).expect_err(&path);
            assert!(mistakes.contains("public_url (CUPO_PUBLIC_URL)"), "{mistakes}");
            assert_eq!(mistakes.lines().count(), 2, "{mistakes}");
        }
        told(&format!("{first}x")).unwrap();
    }
    for path in ["", "book", "book/embed"] {
        told(path).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_organization_has_a_row_in_every_table() {
    let Two { world, ana, olga, .. } = Two::start().await;
    for tenant in [&ana, &olga] {
        let rows = rows_of(&world, &tenant.nouns["organization"]).await;
        let empty: Vec<_> = rows.iter().filter(|(_, rows)| rows.is_empty()).map(|(table, _)| table).collect();
        assert!(
            empty.is_empty(),
            "Nothing of {empty:?} can be attacked: server/tests/server/tenancy/tenant.rs has to make a row of it, whose \
             texts hold the tenant's word, and an entry has to go for it"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_of_another_organization_gets_or_changes_anything_at_any_address() {
    let Two { world, ana, olga, .. } = &Two::start().await;
    let (entries, mut holes) = (entries_by_address(), Vec::new());
    for (own, their) in [(olga, ana), (ana, olga)] {
        let organization = &their.nouns["organization"];
        // What they did themselves before, as those who attack, comes to its end.
        world.settle().await;
        let mut before = rows_of(world, organization).await;
        for (address, entry) in &entries {
            let Entry::Guarded(tries) = entry else { continue };
            for attempt in tries {
                let (answer, sent) = ask(world, address, attempt, own, their).await;
                let (expected, text) = (attempt.expected(), &answer.text);
                if !answer.is(expected) {
                    let told = answer.beginning();
                    holes.push(format!("{address}: {sent}: {}, not {expected:?}: {told}", answer.status));
                }
                for secret in secrets_of(their).filter(|secret| !sent.contains(*secret) && text.contains(*secret)) {
                    holes.push(format!("{address}: {sent} tells {secret}: {text}"));
                }
                let after = rows_of(world, organization).await;
                let changed = difference(&before, &after);
                if !changed.is_empty() {
                    holes.push(format!("{address}: {sent} changes {changed:#?}"));
                }
                before = after;
            }
        }
    }
    assert!(holes.is_empty(), "{} holes: {}", holes.len(), holes.join("\n\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_requests_work_for_who_owns_what_they_are_aimed_at() {
    let Two { world, olga, .. } = &Two::start().await;
    let entries = entries_by_address();
    let guarded = |entry| if let Entry::Guarded(tries) = entry { tries } else { Vec::new() };
    let tries =
        entries.into_iter().flat_map(|(address, entry)| guarded(entry).into_iter().map(move |it| (address, it)));
    // What removes things comes last, and what uses something up after what looks at it.
    let mut tries: Vec<_> = tries.filter(|(_, attempt)| attempt.control() == Control::Works).collect();
    tries.sort_by_key(|(address, _)| rank(address));
    let mut refused = Vec::new();
    for (address, attempt) in &tries {
        let (answer, sent) = ask(world, address, attempt, olga, olga).await;
        if !answer.works() {
            refused.push(format!("{address}: {sent} gives {} to its owner: {}", answer.status, answer.beginning()));
        }
    }
    assert!(refused.is_empty(), "{} of {} are refused: {}", refused.len(), tries.len(), refused.join("\n\n"));
}

/// In which order things are done to one organization.
fn rank(address: &str) -> u32 {
    const WORDS: [(&str, u32); 10] = [
        ("GET ", 0),
        ("sign_out", 9),
        ("DELETE ", 8),
        ("_delete", 7),
        ("_disconnect", 6),
        ("_discard", 5),
        ("cancel", 4),
        ("decline", 3),
        ("oauth", 2),
        ("POST /embed/v1/appointments", 2),
    ];
    WORDS.iter().find(|(word, _)| address.contains(word)).map_or(1, |(_, rank)| *rank)
}

fn secrets_of(tenant: &Tenant) -> impl Iterator<Item = &str> {
    let is_secret = |noun: &str| !NO_SECRETS.contains(&noun) && !noun.starts_with("start");
    let nouns = tenant.nouns.iter().filter(move |(noun, _)| is_secret(noun)).map(|(_, value)| value.as_str());
    nouns.chain([tenant.marker])
}

async fn ask(world: &World, address: &str, attempt: &Try, own: &Tenant, their: &Tenant) -> (Answer, String) {
    let (method, pattern) = address.split_once(' ').expect("an address begins with its method");
    assert!(attempt.is_at(pattern), "{address}: a try of it asks another address");
    let method: Method = method.parse().unwrap();
    let (request, sent) = attempt.request(world, &method, own, their);
    (Answer::of(request.send().await.unwrap()).await, sent)
}
