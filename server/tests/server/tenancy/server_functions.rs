//! The dashboard's server functions.

use super::attack::{
    Entry::{self, Guarded, Public},
    Gives::{Invalid, LeadsTo, WrongCredentials},
    form, own_form, their_form,
};

pub fn entries() -> Vec<(&'static str, Entry)> {
    [session(), calendars(), availability(), event_types(), appointments(), organization()]
        .into_iter()
        .flatten()
        .collect()
}

fn session() -> Vec<(&'static str, Entry)> {
    vec![
        ("POST /dashboard/api/session", Guarded(vec![form("/dashboard/api/session", &[]).own()])),
        ("POST /dashboard/api/is_signed_in", Guarded(vec![form("/dashboard/api/is_signed_in", &[]).own()])),
        ("POST /dashboard/api/sign_up_page", Public("the same for everybody: is it open, which zones are there")),
        (
            "POST /dashboard/api/sign_in",
            Guarded(vec![
                form("/dashboard/api/sign_in", &[("form[email]", "$their.email"), ("form[password]", "$own.password")])
                    .gives(WrongCredentials),
            ]),
        ),
        (
            "POST /dashboard/api/sign_up",
            Guarded(vec![
                form(
                    "/dashboard/api/sign_up",
                    &[
                        ("form[email]", "$their.email"),
                        ("form[password]", "another passphrase"),
                        ("form[name]", "Somebody"),
                        ("form[organization_name]", "Another"),
                        ("form[organization_slug]", "another"),
                        ("form[time_zone]", "Europe/Madrid"),
                    ],
                )
                .gives(Invalid)
                .untold("whoever signs up has no account yet"),
                form(
                    "/dashboard/api/sign_up",
                    &[
                        ("form[email]", "somebody@example.com"),
                        ("form[password]", "another passphrase"),
                        ("form[name]", "Somebody"),
                        ("form[organization_name]", "Another"),
                        ("form[organization_slug]", "$their.org"),
                        ("form[time_zone]", "Europe/Madrid"),
                    ],
                )
                .gives(Invalid)
                .untold("whoever signs up has no organization yet"),
            ]),
        ),
        (
            "POST /dashboard/api/sign_out",
            Guarded(vec![
                form("/dashboard/api/sign_out", &[])
                    .in_spare_session()
                    .gives(LeadsTo("/sign-in"))
                    .untold("it ends there"),
            ]),
        ),
        (
            "POST /dashboard/api/set_language",
            Guarded(vec![form("/dashboard/api/set_language", &[("language", "en")]).own()]),
        ),
        ("POST /dashboard/api/document", Public("the product's own guides")),
        ("POST /dashboard/api/overview", Guarded(vec![form("/dashboard/api/overview", &[]).own()])),
    ]
}

fn calendars() -> Vec<(&'static str, Entry)> {
    let of_account = |path, control: &'static str| {
        let of = |noun| form(path, &[("id", noun)]);
        let mut tries = vec![of("$their.account"), of("$their.caldav"), of("$their.feed")];
        if !control.is_empty() {
            tries = tries.into_iter().map(|attempt| attempt.untold(control)).collect();
        }
        Guarded(tries)
    };
    let password = [("form[id]", "$their.caldav"), ("form[password]", super::tenant::CALDAV_PASSWORD)];
    vec![
        ("POST /dashboard/api/calendars", Guarded(vec![form("/dashboard/api/calendars", &[]).own()])),
        ("POST /dashboard/api/connections", Guarded(vec![form("/dashboard/api/connections", &[]).own()])),
        (
            "POST /dashboard/api/calendar_choices_save",
            Guarded(vec![
                form(
                    "/dashboard/api/calendar_choices_save",
                    &[("form[blocks][0]", "$their.calendar"), ("form[receives]", "$their.calendar")],
                ),
                form(
                    "/dashboard/api/calendar_choices_save",
                    &[("form[blocks][0]", "$their.calendar"), ("form[receives]", "$own.calendar")],
                )
                .own(),
            ]),
        ),
        ("POST /dashboard/api/account_test", of_account("/dashboard/api/account_test", "")),
        ("POST /dashboard/api/account_refresh", of_account("/dashboard/api/account_refresh", "")),
        ("POST /dashboard/api/account_password", Guarded(vec![form("/dashboard/api/account_password", &password)])),
        ("POST /dashboard/api/account_disconnect", of_account("/dashboard/api/account_disconnect", "")),
        (
            "POST /dashboard/api/caldav_connect",
            Guarded(vec![
                form(
                    "/dashboard/api/caldav_connect",
                    &[
                        ("form[preset]", "generic"),
                        ("form[server]", "http://127.0.0.1:1/"),
                        ("form[username]", "somebody"),
                        ("form[password]", "a password"),
                    ],
                )
                .gives(Invalid)
                .untold("nobody answers there"),
            ]),
        ),
        (
            "POST /dashboard/api/feed_connect",
            Guarded(vec![
                form(
                    "/dashboard/api/feed_connect",
                    &[("form[name]", "Team"), ("form[address]", "http://127.0.0.1:1/team.ics")],
                )
                .gives(Invalid)
                .untold("nobody answers there"),
            ]),
        ),
    ]
}

fn availability() -> Vec<(&'static str, Entry)> {
    let schedule =
        |path| vec![form(path, &[("id", "$their.schedule")]), form(path, &[("id", "$their.default_schedule")])];
    vec![
        ("POST /dashboard/api/availability", Guarded(vec![form("/dashboard/api/availability", &[]).own()])),
        ("POST /dashboard/api/schedule", Guarded(schedule("/dashboard/api/schedule"))),
        (
            "POST /dashboard/api/schedule_save",
            Guarded(vec![
                their_form("/dashboard/api/schedule_save", "schedule", &[]).gives(Invalid),
                own_form("/dashboard/api/schedule_save", "schedule", &[("form[id]", "$their.schedule")]),
                own_form(
                    "/dashboard/api/schedule_save",
                    "schedule",
                    &[("form[holiday_calendar_ids][0]", "$their.holidays")],
                )
                .gives(Invalid),
            ]),
        ),
        (
            "POST /dashboard/api/schedule_preview",
            Guarded(vec![
                their_form("/dashboard/api/schedule_preview", "schedule", &[]).gives(Invalid),
                own_form("/dashboard/api/schedule_preview", "schedule", &[("form[id]", "$their.schedule")]),
            ]),
        ),
        (
            "POST /dashboard/api/schedule_make_default",
            Guarded(vec![form("/dashboard/api/schedule_make_default", &[("id", "$their.schedule")])]),
        ),
        (
            "POST /dashboard/api/schedule_delete",
            Guarded(vec![
                form("/dashboard/api/schedule_delete", &[("id", "$their.schedule")])
                    .untold("it has become the default one, which stays"),
            ]),
        ),
        (
            "POST /dashboard/api/absence_save",
            Guarded(vec![
                form(
                    "/dashboard/api/absence_save",
                    &[("form[first_date]", "2099-02-01"), ("form[last_date]", "2099-02-02")],
                )
                .own(),
            ]),
        ),
        (
            "POST /dashboard/api/absence_delete",
            Guarded(vec![form("/dashboard/api/absence_delete", &[("id", "$their.absence")])]),
        ),
        (
            "POST /dashboard/api/holiday_calendar_subscribe",
            Guarded(vec![
                form(
                    "/dashboard/api/holiday_calendar_subscribe",
                    &[("form[name]", "Country"), ("form[url]", "$own.feed_address")],
                )
                .own(),
            ]),
        ),
        (
            "POST /dashboard/api/holiday_calendar_upload",
            Guarded(vec![
                form(
                    "/dashboard/api/holiday_calendar_upload",
                    &[("form[name]", "Country"), ("form[ics]", "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n")],
                )
                .own(),
            ]),
        ),
        (
            "POST /dashboard/api/holiday_calendar_delete",
            Guarded(vec![form("/dashboard/api/holiday_calendar_delete", &[("id", "$their.holidays")])]),
        ),
    ]
}

fn event_types() -> Vec<(&'static str, Entry)> {
    vec![
        ("POST /dashboard/api/event_types", Guarded(vec![form("/dashboard/api/event_types", &[]).own()])),
        (
            "POST /dashboard/api/event_type",
            Guarded(vec![form("/dashboard/api/event_type", &[("id", "$their.event_type")])]),
        ),
        (
            "POST /dashboard/api/event_type_save",
            Guarded(vec![
                their_form("/dashboard/api/event_type_save", "event_type", &[]),
                own_form("/dashboard/api/event_type_save", "event_type", &[("form[id]", "$their.event_type")]),
                own_form(
                    "/dashboard/api/event_type_save",
                    "event_type",
                    &[("form[hosts][h-$their.user][takes_part]", "on"), ("form[assignment]", "collective")],
                )
                .gives(Invalid)
                .untold("one host alone is no team"),
                own_form(
                    "/dashboard/api/event_type_save",
                    "event_type",
                    &[("form[hosts][h-$own.user][schedule_id]", "$their.schedule")],
                )
                .gives(Invalid),
                own_form(
                    "/dashboard/api/event_type_save",
                    "event_type",
                    &[
                        ("form[hosts][h-$own.user][own_calendars]", "on"),
                        ("form[hosts][h-$own.user][calendar_ids][0]", "$their.calendar"),
                    ],
                )
                .gives(Invalid),
                own_form(
                    "/dashboard/api/event_type_save",
                    "event_type",
                    &[("form[hosts][h-$own.user][target_calendar_id]", "$their.calendar")],
                )
                .gives(Invalid),
            ]),
        ),
        (
            "POST /dashboard/api/event_type_preview",
            Guarded(vec![
                their_form("/dashboard/api/event_type_preview", "event_type", &[]),
                own_form("/dashboard/api/event_type_preview", "event_type", &[("form[id]", "$their.event_type")]),
            ]),
        ),
        (
            "POST /dashboard/api/event_type_delete",
            Guarded(vec![form("/dashboard/api/event_type_delete", &[("id", "$their.event_type")])]),
        ),
        (
            "POST /dashboard/api/booking_links",
            Guarded(vec![form("/dashboard/api/booking_links", &[("event_type", "$their.link_event_type")])]),
        ),
        (
            "POST /dashboard/api/booking_link_make",
            Guarded(vec![form(
                "/dashboard/api/booking_link_make",
                &[("form[event_type]", "$their.link_event_type"), ("form[days]", "7")],
            )]),
        ),
        (
            "POST /dashboard/api/booking_link_delete",
            Guarded(vec![
                form(
                    "/dashboard/api/booking_link_delete",
                    &[("id", "$their.link"), ("event_type", "$own.link_event_type")],
                ),
                form(
                    "/dashboard/api/booking_link_delete",
                    &[("id", "$their.link"), ("event_type", "$their.link_event_type")],
                )
                .untold("the first try has removed it"),
            ]),
        ),
        ("POST /dashboard/api/why", Guarded(vec![form("/dashboard/api/why", &[("id", "$their.event_type")])])),
        (
            "POST /dashboard/api/clock_change",
            Guarded(vec![form(
                "/dashboard/api/clock_change",
                &[("id", "$their.event_type"), ("zone", "Europe/Madrid")],
            )]),
        ),
    ]
}

fn appointments() -> Vec<(&'static str, Entry)> {
    let list = |filter| form("/dashboard/api/appointments", &[("filter", filter)]).own();
    vec![
        (
            "POST /dashboard/api/appointments",
            Guarded(vec![
                list("upcoming"),
                list("pending"),
                list("past"),
                list("cancelled"),
                form("/dashboard/api/appointments", &[("filter", "upcoming"), ("before", "$their.cursor")]).own(),
            ]),
        ),
        (
            "POST /dashboard/api/appointment",
            Guarded(vec![
                form("/dashboard/api/appointment", &[("id", "$their.pending")]),
                form("/dashboard/api/appointment", &[("id", "$their.confirmed")]),
            ]),
        ),
        (
            "POST /dashboard/api/appointment_confirm",
            Guarded(vec![form("/dashboard/api/appointment_confirm", &[("id", "$their.pending")])]),
        ),
        (
            "POST /dashboard/api/appointment_decline",
            Guarded(vec![
                form("/dashboard/api/appointment_decline", &[("form[id]", "$their.pending"), ("form[reason]", "No")])
                    .untold("it was confirmed before"),
            ]),
        ),
        (
            "POST /dashboard/api/appointment_cancel",
            Guarded(vec![form(
                "/dashboard/api/appointment_cancel",
                &[("form[id]", "$their.confirmed"), ("form[reason]", "No")],
            )]),
        ),
    ]
}

fn organization() -> Vec<(&'static str, Entry)> {
    vec![
        ("POST /dashboard/api/hosts", Guarded(vec![form("/dashboard/api/hosts", &[]).own()])),
        (
            "POST /dashboard/api/member_add",
            Guarded(vec![
                form(
                    "/dashboard/api/member_add",
                    &[
                        ("form[name]", "Somebody"),
                        ("form[email]", "$their.member_email"),
                        ("form[password]", "another passphrase"),
                        ("form[time_zone]", "Europe/Madrid"),
                    ],
                )
                .gives(Invalid)
                .untold("who is a member cannot become one"),
            ]),
        ),
        ("POST /dashboard/api/sites", Guarded(vec![form("/dashboard/api/sites", &[]).own()])),
        ("POST /dashboard/api/embed", Guarded(vec![form("/dashboard/api/embed", &[]).own()])),
        (
            "POST /dashboard/api/theme_save",
            Guarded(vec![
                form(
                    "/dashboard/api/theme_save",
                    &[("form[accent]", "#123456"), ("form[scheme]", "dark"), ("form[radius]", "8")],
                )
                .own(),
            ]),
        ),
        (
            "POST /dashboard/api/site_check",
            Guarded(vec![
                form("/dashboard/api/site_check", &[("event", "any/thing"), ("address", "http://127.0.0.1:9/")]).own(),
            ]),
        ),
        ("POST /dashboard/api/failed_jobs", Guarded(vec![form("/dashboard/api/failed_jobs", &[]).own()])),
        (
            "POST /dashboard/api/failed_job_retry",
            Guarded(vec![form("/dashboard/api/failed_job_retry", &[("id", "$their.job")])]),
        ),
        ("POST /dashboard/api/failed_jobs_retry", Guarded(vec![form("/dashboard/api/failed_jobs_retry", &[]).own()])),
        (
            "POST /dashboard/api/failed_job_discard",
            Guarded(vec![
                form("/dashboard/api/failed_job_discard", &[("id", "$their.job")])
                    .untold("it has been tried again before"),
            ]),
        ),
        (
            "POST /dashboard/api/site_save",
            Guarded(vec![form(
                "/dashboard/api/site_save",
                &[("form[id]", "$their.site"), ("form[name]", "Mine"), ("form[origins]", "https://mine.example")],
            )]),
        ),
        (
            "POST /dashboard/api/site_delete",
            Guarded(vec![form("/dashboard/api/site_delete", &[("id", "$their.site")])]),
        ),
        ("POST /dashboard/api/credentials", Guarded(vec![form("/dashboard/api/credentials", &[]).own()])),
        (
            "POST /dashboard/api/service_account_add",
            Guarded(vec![
                form("/dashboard/api/service_account_add", &[("form[key_json]", "{}")])
                    .gives(Invalid)
                    .untold("it takes no id, and a key that is none is refused to everybody"),
            ]),
        ),
        (
            "POST /dashboard/api/application_add",
            Guarded(vec![
                form("/dashboard/api/application_add", &[("form[tenant]", "not a tenant")])
                    .gives(Invalid)
                    .untold("it takes no id, and an application that is none is refused to everybody"),
            ]),
        ),
        (
            "POST /dashboard/api/credential_delete",
            Guarded(vec![form("/dashboard/api/credential_delete", &[("id", "$their.credential")])]),
        ),
        (
            "POST /dashboard/api/mailbox_connect",
            Guarded(vec![
                form(
                    "/dashboard/api/mailbox_connect",
                    &[
                        ("form[credential_id]", "$their.credential"),
                        ("form[mailbox]", "ana@example.com"),
                        ("form[user_id]", "$own.user"),
                    ],
                )
                .untold("Google does not know the service account"),
                form(
                    "/dashboard/api/mailbox_connect",
                    &[
                        ("form[credential_id]", "$own.credential"),
                        ("form[mailbox]", "ana@example.com"),
                        ("form[user_id]", "$their.user"),
                    ],
                )
                .untold("Google does not know the service account"),
            ]),
        ),
        (
            "POST /dashboard/api/mailbox_disconnect",
            Guarded(vec![
                form("/dashboard/api/mailbox_disconnect", &[("id", "$their.account")])
                    .untold("account_disconnect does the same"),
            ]),
        ),
    ]
}
