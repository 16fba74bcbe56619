//! Within an organization: a host looks after their own things, and the owner after everybody's.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::Method;

use super::addresses;
use super::attack::{Answer, Try, form, get, json, own_form};
use super::rows::{difference, rows_of};
use super::tenant::Two;

/// What a member whose role is `host` is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refused {
    /// The role does not allow it.
    Forbidden,
    /// What belongs to another member is not to be found.
    NotFound,
    /// It would offer another member's time, which is told at a field.
    Invalid,
}

/// What a server function may be asked for by a host.
enum Allows {
    /// It works for every member, and shows or changes what is their own.
    OwnThings,
    /// By these requests a host goes for what is the owner's.
    Refuses(Refused, Vec<Try>),
}

fn table() -> BTreeMap<&'static str, Allows> {
    use Allows::{OwnThings, Refuses};
    use Refused::{Forbidden, Invalid, NotFound};
    let by_id = |path, noun: &'static str| Refuses(NotFound, vec![form(path, &[("id", noun)])]);
    BTreeMap::from([
        ("session", OwnThings),
        ("is_signed_in", OwnThings),
        ("sign_up_page", OwnThings),
        ("sign_in", OwnThings),
        ("sign_up", OwnThings),
        ("sign_out", OwnThings),
        ("set_language", OwnThings),
        ("document", OwnThings),
        ("overview", OwnThings),
        ("calendars", OwnThings),
        ("connections", OwnThings),
        ("caldav_connect", OwnThings),
        ("feed_connect", OwnThings),
        (
            "calendar_choices_save",
            Refuses(
                NotFound,
                vec![form(
                    "/dashboard/api/calendar_choices_save",
                    &[("form[blocks][0]", "$their.calendar"), ("form[receives]", "$their.calendar")],
                )],
            ),
        ),
        ("account_test", by_id("/dashboard/api/account_test", "$their.account")),
        ("account_refresh", by_id("/dashboard/api/account_refresh", "$their.account")),
        ("account_disconnect", by_id("/dashboard/api/account_disconnect", "$their.account")),
        (
            "account_password",
            Refuses(
                NotFound,
                vec![form(
                    "/dashboard/api/account_password",
                    &[("form[id]", "$their.caldav"), ("form[password]", super::tenant::CALDAV_PASSWORD)],
                )],
            ),
        ),
        ("availability", OwnThings),
        ("schedule", by_id("/dashboard/api/schedule", "$their.schedule")),
        ("schedule_save", Refuses(NotFound, vec![form("/dashboard/api/schedule_save", &SCHEDULE)])),
        ("schedule_preview", Refuses(NotFound, vec![form("/dashboard/api/schedule_preview", &SCHEDULE)])),
        ("schedule_make_default", by_id("/dashboard/api/schedule_make_default", "$their.schedule")),
        ("schedule_delete", by_id("/dashboard/api/schedule_delete", "$their.schedule")),
        ("absence_save", OwnThings),
        ("absence_delete", by_id("/dashboard/api/absence_delete", "$their.absence")),
        ("holiday_calendar_subscribe", OwnThings),
        ("holiday_calendar_upload", OwnThings),
        ("holiday_calendar_delete", by_id("/dashboard/api/holiday_calendar_delete", "$their.holidays")),
        ("event_types", OwnThings),
        ("event_type", by_id("/dashboard/api/event_type", "$their.event_type")),
        ("event_type_save", Refuses(NotFound, vec![own_form("/dashboard/api/event_type_save", "event_type", &[])])),
        (
            "event_type_preview",
            Refuses(NotFound, vec![own_form("/dashboard/api/event_type_preview", "event_type", &[])]),
        ),
        ("event_type_delete", by_id("/dashboard/api/event_type_delete", "$their.event_type")),
        (
            "booking_links",
            Refuses(NotFound, vec![form("/dashboard/api/booking_links", &[("event_type", "$their.link_event_type")])]),
        ),
        (
            "booking_link_make",
            Refuses(
                NotFound,
                vec![form("/dashboard/api/booking_link_make", &[("form[event_type]", "$their.link_event_type")])],
            ),
        ),
        (
            "booking_link_delete",
            Refuses(
                NotFound,
                vec![form(
                    "/dashboard/api/booking_link_delete",
                    &[("id", "$their.link"), ("event_type", "$their.link_event_type")],
                )],
            ),
        ),
        ("why", by_id("/dashboard/api/why", "$their.event_type")),
        ("clock_change", by_id("/dashboard/api/clock_change", "$their.event_type")),
        ("appointments", OwnThings),
        ("appointment", by_id("/dashboard/api/appointment", "$their.pending")),
        ("appointment_confirm", by_id("/dashboard/api/appointment_confirm", "$their.pending")),
        (
            "appointment_decline",
            Refuses(NotFound, vec![form("/dashboard/api/appointment_decline", &[("form[id]", "$their.pending")])]),
        ),
        (
            "appointment_cancel",
            Refuses(NotFound, vec![form("/dashboard/api/appointment_cancel", &[("form[id]", "$their.confirmed")])]),
        ),
        ("failed_jobs", Refuses(Forbidden, vec![form("/dashboard/api/failed_jobs", &[])])),
        (
            "failed_job_retry",
            Refuses(Forbidden, vec![form("/dashboard/api/failed_job_retry", &[("id", "$their.job")])]),
        ),
        ("failed_jobs_retry", Refuses(Forbidden, vec![form("/dashboard/api/failed_jobs_retry", &[])])),
        (
            "failed_job_discard",
            Refuses(Forbidden, vec![form("/dashboard/api/failed_job_discard", &[("id", "$their.job")])]),
        ),
        ("hosts", Refuses(Forbidden, vec![form("/dashboard/api/hosts", &[])])),
        ("sites", OwnThings),
        ("embed", OwnThings),
        ("site_check", OwnThings),
        (
            "theme_save",
            Refuses(
                Forbidden,
                vec![form(
                    "/dashboard/api/theme_save",
                    &[("form[accent]", "#123456"), ("form[scheme]", "dark"), ("form[radius]", "8")],
                )],
            ),
        ),
        (
            "member_add",
            Refuses(
                Forbidden,
                vec![form(
                    "/dashboard/api/member_add",
                    &[
                        ("form[name]", "Somebody"),
                        ("form[email]", "somebody@member.example"),
                        ("form[password]", "another passphrase"),
                        ("form[time_zone]", "Europe/Madrid"),
                    ],
                )],
            ),
        ),
        (
            "site_save",
            Refuses(
                Forbidden,
                vec![
                    form(
                        "/dashboard/api/site_save",
                        &[("form[name]", "Mine"), ("form[origins]", "https://mine.example")],
                    ),
                    form(
                        "/dashboard/api/site_save",
                        &[
                            ("form[id]", "$their.site"),
                            ("form[name]", "Mine"),
                            ("form[origins]", "https://mine.example"),
                        ],
                    ),
                ],
            ),
        ),
        ("site_delete", Refuses(Forbidden, vec![form("/dashboard/api/site_delete", &[("id", "$their.site")])])),
        ("credentials", Refuses(Forbidden, vec![form("/dashboard/api/credentials", &[])])),
        (
            "service_account_add",
            Refuses(Forbidden, vec![form("/dashboard/api/service_account_add", &[("form[key_json]", "{}")])]),
        ),
        (
            "application_add",
            Refuses(Forbidden, vec![form("/dashboard/api/application_add", &[("form[tenant]", "x.example")])]),
        ),
        (
            "credential_delete",
            Refuses(Forbidden, vec![form("/dashboard/api/credential_delete", &[("id", "$their.credential")])]),
        ),
        (
            "mailbox_connect",
            Refuses(
                Forbidden,
                vec![form(
                    "/dashboard/api/mailbox_connect",
                    &[
                        ("form[credential_id]", "$their.credential"),
                        ("form[mailbox]", "ana@example.com"),
                        ("form[user_id]", "$their.user"),
                    ],
                )],
            ),
        ),
        ("mailbox_disconnect", by_id("/dashboard/api/mailbox_disconnect", "$their.account")),
        // The API for hosts, which has the same use cases.
        (
            "/api/v1/event-types/{id}/preview",
            Refuses(
                NotFound,
                vec![json(
                    "/api/v1/event-types/$their.event_type/preview",
                    r#"{"title": "Mine", "slug": "mine", "location_kind": "address", "location_detail": "here"}"#,
                )],
            ),
        ),
        (
            "event_type_save of another member's time",
            Refuses(
                Invalid,
                vec![own_form(
                    "/dashboard/api/event_type_save",
                    "event_type",
                    &[("form[id]", ""), ("form[slug]", "mine")],
                )],
            ),
        ),
    ])
}

const SCHEDULE: [(&str, &str); 3] =
    [("form[id]", "$their.schedule"), ("form[name]", "Mine"), ("form[time_zone]", "Europe/Madrid")];

#[test]
fn every_server_function_says_what_a_host_may_ask_of_it() {
    let table = table();
    let named: BTreeSet<&str> = table.keys().copied().filter(|name| !name.contains([' ', '/'])).collect();
    let functions = addresses::server_functions();
    let found: BTreeSet<&str> = functions.iter().map(|it| it.rsplit('/').next().unwrap()).collect();
    let missing: Vec<_> = found.difference(&named).collect();
    assert!(
        missing.is_empty(),
        "say in roles.rs what a host may ask of {missing:?}: their own things, or by what it is refused"
    );
    let left_over: Vec<_> = named.difference(&found).collect();
    assert!(left_over.is_empty(), "there are no such server functions any more: {left_over:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_gets_and_changes_nothing_that_is_the_owners() {
    let Two { world, mut olga, .. } = Two::start().await;
    let owner = std::mem::replace(&mut olga.cookie, olga.host_cookie.clone());
    let before = rows_of(&world, &olga.nouns["organization"]).await;
    let mut holes = Vec::new();
    for (name, allows) in table() {
        let Allows::Refuses(refused, tries) = allows else { continue };
        for attempt in tries {
            let (request, sent) = attempt.request(&world, &Method::POST, &olga, &olga);
            let answer = Answer::of(request.send().await.unwrap()).await;
            let status = match refused {
                Refused::Forbidden => 403,
                Refused::NotFound => 404,
                Refused::Invalid => 422,
            };
            if answer.status != status {
                holes.push(format!("{name}: {sent} gives {}: {}", answer.status, answer.text));
            }
            let changed = difference(&before, &rows_of(&world, &olga.nouns["organization"]).await);
            if !changed.is_empty() {
                holes.push(format!("{name}: {sent} changes {changed:#?}"));
            }
        }
    }
    assert!(holes.is_empty(), "{}", holes.join("\n\n"));
    // What lists things lists none of the owner's.
    for path in ["calendars", "availability", "event_types", "appointments", "overview"] {
        let path = Box::leak(format!("/dashboard/api/{path}").into_boxed_str());
        let (request, _) = form(path, &[("filter", "pending")]).request(&world, &Method::POST, &olga, &olga);
        let answer = Answer::of(request.send().await.unwrap()).await;
        assert!(answer.works(), "{path}: {}", answer.text);
        let secrets =
            ["account", "calendar", "schedule", "event_type", "pending", "confirmed", "user", "absence", "job"];
        for noun in secrets {
            assert!(!answer.text.contains(&olga.nouns[noun]), "{path} tells {noun}: {}", answer.text);
        }
    }
    let (request, _) = get("/dashboard/credentials").request(&world, &Method::GET, &olga, &olga);
    assert_eq!(request.send().await.unwrap().status(), 403);
    olga.cookie = owner;
    let (request, _) = get("/dashboard/credentials").request(&world, &Method::GET, &olga, &olga);
    assert_eq!(request.send().await.unwrap().status(), 200);
}
