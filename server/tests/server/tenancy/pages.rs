//! What people look at: the dashboard, and the pages of visitors.

use super::attack::{
    Entry::{self, Guarded, Public},
    Gives::LeadsTo,
    form, get,
};

pub fn entries() -> Vec<(&'static str, Entry)> {
    [dashboard(), visitors(), open()].into_iter().flatten().collect()
}

fn open() -> Vec<(&'static str, Entry)> {
    vec![
        ("GET /", Public("what the product is")),
        ("GET /sign-in", Public("a form")),
        ("GET /sign-up", Public("a form")),
        ("GET /docs", Public("the product's own guides")),
        ("GET /docs/{name}", Public("the product's own guides")),
    ]
}

fn dashboard() -> Vec<(&'static str, Entry)> {
    let own = |path| {
        Guarded(vec![get(path).own(), get(path).by_anybody().gives(LeadsTo("/sign-in")).untold("it needs a session")])
    };
    vec![
        ("GET /dashboard", own("/dashboard")),
        ("GET /dashboard/calendars", own("/dashboard/calendars")),
        ("GET /dashboard/calendars/connect", own("/dashboard/calendars/connect")),
        ("GET /dashboard/calendars/connect/feed", own("/dashboard/calendars/connect/feed")),
        ("GET /dashboard/calendars/connect/{preset}", own("/dashboard/calendars/connect/icloud")),
        ("GET /dashboard/credentials", own("/dashboard/credentials")),
        ("GET /dashboard/availability", own("/dashboard/availability")),
        (
            "GET /dashboard/availability/{id}",
            Guarded(vec![
                get("/dashboard/availability/$their.schedule"),
                get("/dashboard/availability/$their.default_schedule"),
                get("/dashboard/availability/new").own(),
            ]),
        ),
        ("GET /dashboard/event-types", own("/dashboard/event-types")),
        ("GET /dashboard/event-types/new", own("/dashboard/event-types/new")),
        (
            "GET /dashboard/event-types/{id}",
            Guarded(vec![
                get("/dashboard/event-types/$their.event_type"),
                get("/dashboard/event-types/$their.link_event_type"),
            ]),
        ),
        (
            "GET /dashboard/event-types/{id}/why",
            Guarded(vec![get("/dashboard/event-types/$their.event_type/why?date=$their.day")]),
        ),
        (
            "GET /dashboard/event-types/{id}/clock-change",
            Guarded(vec![get("/dashboard/event-types/$their.event_type/clock-change?zone=Europe/Madrid")]),
        ),
        (
            "GET /dashboard/appointments",
            Guarded(vec![
                get("/dashboard/appointments").own(),
                get("/dashboard/appointments?filter=pending").own(),
                get("/dashboard/appointments?filter=upcoming&before=$their.cursor").own(),
            ]),
        ),
        (
            "GET /dashboard/appointments/{id}",
            Guarded(vec![
                get("/dashboard/appointments/$their.pending"),
                get("/dashboard/appointments/$their.confirmed"),
            ]),
        ),
        ("GET /dashboard/sites", own("/dashboard/sites")),
        ("GET /dashboard/embed", own("/dashboard/embed")),
        ("GET /dashboard/embed/preview", Public("it draws what its address says; the calendar in it asks for itself")),
        ("GET /dashboard/hosts", own("/dashboard/hosts")),
        ("GET /dashboard/failed-jobs", own("/dashboard/failed-jobs")),
    ]
}

/// Visitors sign in nowhere: they are let in by secrets, and what is public is so for everybody.
fn visitors() -> Vec<(&'static str, Entry)> {
    let booking = |link| {
        form(
            "/$own.org/$own.link_event",
            &[
                ("slot", "$own.start0"),
                ("tz", "Europe/Madrid"),
                ("name", "Somebody"),
                ("email", "somebody@example.com"),
                ("idempotency_key", "a key of somebody's"),
                ("link", link),
            ],
        )
    };
    vec![
        ("GET /{org}", Guarded(vec![get("/$own.org").own()])),
        (
            "GET /{org}/{slug}",
            Guarded(vec![
                get("/$own.org/$own.event").own(),
                get("/$own.org/$their.event"),
                get("/$own.org/$own.link_event?link=$their.link_token"),
                get("/$their.org/$their.link_event").untold("it needs a link"),
                get("/$their.org/$their.link_event?link=$own.link_token"),
            ]),
        ),
        (
            "POST /{org}/{slug}",
            Guarded(vec![
                booking("$their.link_token").untold("it is booked through the embed API below"),
                booking("$their.manage").untold("a manage link is no booking link"),
            ]),
        ),
        (
            "GET /manage/{token}",
            Guarded(vec![
                get("/manage/$own.manage").own(),
                get("/manage/$their.confirmed").untold("an id is no secret"),
                get("/manage/$their.hold").untold("a hold is no appointment"),
                get("/manage/$their.link_token").untold("a link is no appointment"),
            ]),
        ),
        (
            "POST /manage/{token}/cancel",
            Guarded(vec![
                form("/manage/$their.confirmed/cancel", &[("reason", "")]).untold("an id is no secret"),
                form("/manage/$their.hold/cancel", &[("reason", "")]).untold("a hold is no appointment"),
            ]),
        ),
        (
            "POST /manage/{token}/reschedule",
            Guarded(vec![
                form("/manage/$their.confirmed/reschedule", &[("slot", "$their.start1"), ("tz", "Europe/Madrid")])
                    .untold("an id is no secret"),
            ]),
        ),
    ]
}
