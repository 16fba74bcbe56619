//! What programs ask: widgets, the hosts' API, providers, browsers on their way, and whoever watches the server.

use super::attack::{
    Entry::{self, Guarded, Public},
    Gives::{Invalid, LeadsTo},
    delete, form, get, json,
};

pub fn entries() -> Vec<(&'static str, Entry)> {
    [embed(), rest(), providers(), files()].into_iter().flatten().collect()
}

fn files() -> Vec<(&'static str, Entry)> {
    vec![
        ("GET /assets/{*path}", Public("files of the product")),
        ("GET /embed.js", Public("a file of the product")),
        ("GET /embed.d.ts", Public("a file of the product")),
        ("GET /frame.js", Public("a file of the product")),
        ("GET /meeting-link.js", Public("a file of the product")),
        ("GET /favicon.ico", Public("a file of the product")),
        ("GET /favicon.svg", Public("a file of the product")),
        ("GET /robots.txt", Public("a file of the product")),
        ("GET /healthz", Public("one word")),
        ("GET /readyz", Public("how the server is, and nothing of what it keeps")),
        ("GET /metrics", Public("counts without the names of anybody; for the operator alone")),
    ]
}

/// Visitors' secrets open what they were given for, and nothing of another organization.
fn embed() -> Vec<(&'static str, Entry)> {
    vec![
        (
            "GET /embed/v1/event-types/{org}/{slug}",
            Guarded(vec![
                get("/embed/v1/event-types/$own.org/$own.event").own(),
                get("/embed/v1/event-types/$own.org/$their.event"),
                get("/embed/v1/event-types/$own.org/$own.link_event?link=$their.link_token"),
                get("/embed/v1/event-types/$their.org/$their.link_event?link=$own.link_token"),
            ]),
        ),
        (
            "GET /embed/v1/first",
            Guarded(vec![
                get("/embed/v1/first?org=$own.org&event=$own.event&zone=UTC&markup=1").own(),
                get("/embed/v1/first?org=$own.org&event=$their.event&zone=UTC&markup=1"),
                get("/embed/v1/first?org=$own.org&event=$own.link_event&zone=UTC&markup=1&link=$their.link_token"),
                get("/embed/v1/first?org=$their.org&event=$their.link_event&zone=UTC&markup=1&link=$own.link_token"),
            ]),
        ),
        (
            "GET /embed/v1/slots",
            Guarded(vec![
                get("/embed/v1/slots?org=$own.org&event=$own.event&from=$own.day&to=$own.day").own(),
                get("/embed/v1/slots?org=$own.org&event=$their.event&from=$own.day&to=$own.day"),
                get("/embed/v1/slots?org=$own.org&event=$own.event&from=$own.day&to=$own.day&hold=$their.hold").own(),
                get("/embed/v1/slots?org=$own.org&event=$own.event&from=$own.day&to=$own.day&reschedule=$their.manage"),
                get("/embed/v1/slots?org=$their.org&event=$their.event&from=$own.day&to=$own.day&reschedule=$own.manage"),
                get("/embed/v1/slots?org=$own.org&event=$own.link_event&from=$own.day&to=$own.day&link=$their.link_token"),
                // An appointment of one's own opens no event type that needs a link.
                get("/embed/v1/slots?org=$their.org&event=$their.link_event&from=$own.day&to=$own.day&reschedule=$own.manage")
                    .untold("it needs a link"),
                get("/embed/v1/slots?org=$own.org&event=$own.event&from=$own.day&to=$own.day&host=$their.user")
                    .gives(Invalid)
                    .untold("there is no choice of hosts"),
            ]),
        ),
        (
            "GET /embed/v1/series",
            Guarded(vec![
                get("/embed/v1/series?org=$own.org&event=$their.event&start=$own.start1&frequency=weekly&count=2"),
                get("/embed/v1/series?org=$own.org&event=$own.event&start=$own.start1&frequency=weekly&count=2&hold=$their.hold")
                    .own(),
                get("/embed/v1/series?org=$own.org&event=$own.event&start=$own.start1&frequency=weekly&count=2&link=$their.link_token")
                    .untold("the link is another event type's"),
            ]),
        ),
        (
            "POST /embed/v1/holds",
            Guarded(vec![
                json("/embed/v1/holds", r#"{"org": "$own.org", "event": "$own.event", "start": "$own.start2", "replaces": "$their.hold"}"#)
                    .own(),
                json("/embed/v1/holds", r#"{"org": "$own.org", "event": "$own.link_event", "start": "$own.start3", "link": "$their.link_token"}"#),
                json("/embed/v1/holds", r#"{"org": "$own.org", "event": "$their.event", "start": "$own.start7"}"#),
            ]),
        ),
        (
            "DELETE /embed/v1/holds/{token}",
            Guarded(vec![
                // Nothing is told of holds, not even whether there are any.
                delete("/embed/v1/holds/$their.manage").own(),
                delete("/embed/v1/holds/$their.confirmed").own(),
            ]),
        ),
        (
            "POST /embed/v1/appointments",
            Guarded(vec![
                json(
                    "/embed/v1/appointments",
                    r#"{"org": "$own.org", "event": "$own.event", "start": "$own.start4", "hold": "$their.hold",
                        "name": "Somebody", "email": "somebody@example.com", "time_zone": "Europe/Madrid"}"#,
                )
                .with("idempotency-key", "another-key-of-$own.user")
                .own(),
                // A key counts within its organization.
                json(
                    "/embed/v1/appointments",
                    r#"{"org": "$own.org", "event": "$own.event", "start": "$own.start5",
                        "name": "Somebody", "email": "somebody@example.com", "time_zone": "Europe/Madrid"}"#,
                )
                .with("idempotency-key", "$their.idempotency_key")
                .own()
                .untold("its own organization has used the key"),
                json(
                    "/embed/v1/appointments",
                    r#"{"org": "$own.org", "event": "$own.link_event", "start": "$own.start6", "link": "$their.link_token",
                        "name": "Somebody", "email": "somebody@example.com", "time_zone": "Europe/Madrid"}"#,
                )
                .with("idempotency-key", "a-third-key-of-$own.user"),
            ]),
        ),
        (
            "GET /embed/v1/appointments/{token}",
            Guarded(vec![
                get("/embed/v1/appointments/$own.manage").own(),
                get("/embed/v1/appointments/$their.confirmed").untold("an id is no secret"),
                get("/embed/v1/appointments/$their.hold").untold("a hold is no appointment"),
            ]),
        ),
        (
            "GET /embed/v1/appointments/{token}/calendar.ics",
            Guarded(vec![
                get("/embed/v1/appointments/$own.manage/calendar.ics").own(),
                get("/embed/v1/appointments/$their.confirmed/calendar.ics").untold("an id is no secret"),
            ]),
        ),
        (
            "POST /embed/v1/appointments/{token}/cancel",
            Guarded(vec![
                json("/embed/v1/appointments/$their.pending/cancel", "{}").untold("an id is no secret"),
                json("/embed/v1/appointments/$their.link_token/cancel", "{}").untold("a link is no appointment"),
            ]),
        ),
        (
            "POST /embed/v1/appointments/{token}/reschedule",
            Guarded(vec![
                json("/embed/v1/appointments/$their.confirmed/reschedule", r#"{"start": "$their.start7"}"#)
                    .untold("an id is no secret"),
            ]),
        ),
    ]
}

fn rest() -> Vec<(&'static str, Entry)> {
    vec![
        ("GET /api/v1/event-types", Guarded(vec![get("/api/v1/event-types").own()])),
        (
            "GET /api/v1/event-types/{id}/explain",
            Guarded(vec![get("/api/v1/event-types/$their.event_type/explain?at=$their.start0")]),
        ),
        (
            "GET /api/v1/event-types/{id}/day",
            Guarded(vec![get("/api/v1/event-types/$their.event_type/day?date=$their.day")]),
        ),
        (
            "GET /api/v1/event-types/{id}/slots",
            Guarded(vec![get(
                "/api/v1/event-types/$their.event_type/slots?from=$their.day&to=$their.day&as_of=$their.now",
            )]),
        ),
        (
            "GET /api/v1/event-types/{id}/clock-change",
            Guarded(vec![get("/api/v1/event-types/$their.event_type/clock-change?zone=UTC")]),
        ),
        (
            "POST /api/v1/event-types/{id}/preview",
            Guarded(vec![
                json(
                    "/api/v1/event-types/$their.event_type/preview",
                    r#"{"title": "Mine", "slug": "mine", "location_kind": "address", "location_detail": "here"}"#,
                ),
                json(
                    "/api/v1/event-types/$own.event_type/preview",
                    r#"{"title": "Mine", "slug": "mine", "location_kind": "address", "location_detail": "here",
                        "hosts": [{"user_id": "$their.user"}]}"#,
                )
                .gives(Invalid),
                json(
                    "/api/v1/event-types/$own.event_type/preview",
                    r#"{"title": "Mine", "slug": "mine", "location_kind": "address", "location_detail": "here",
                        "hosts": [{"user_id": "$own.user", "schedule_id": "$their.schedule"}]}"#,
                )
                .gives(Invalid),
                json(
                    "/api/v1/event-types/$own.event_type/preview",
                    r#"{"title": "Mine", "slug": "mine", "location_kind": "address", "location_detail": "here",
                        "hosts": [{"user_id": "$own.user", "target_calendar_id": "$their.calendar"}]}"#,
                )
                .gives(Invalid),
            ]),
        ),
        (
            "POST /api/v1/schedules/{id}/preview",
            Guarded(vec![
                json(
                    "/api/v1/schedules/$their.schedule/preview",
                    r#"{"name": "Mine", "time_zone": "UTC", "weekly_hours": {}}"#,
                ),
                json(
                    "/api/v1/schedules/$own.schedule/preview",
                    r#"{"name": "Mine", "time_zone": "UTC", "weekly_hours": {}, "holiday_calendar_ids": ["$their.holidays"]}"#,
                )
                .gives(Invalid),
            ]),
        ),
        (
            "POST /api/v1/appointments/{id}/confirm",
            Guarded(vec![
                json("/api/v1/appointments/$their.pending/confirm", "{}").untold("the dashboard has confirmed it"),
            ]),
        ),
        (
            "POST /api/v1/appointments/{id}/decline",
            Guarded(vec![
                json("/api/v1/appointments/$their.pending/decline", "{}").untold("the dashboard has confirmed it"),
            ]),
        ),
    ]
}

/// Providers sign in nowhere: a notification is believed by the secret of its channel.
fn providers() -> Vec<(&'static str, Entry)> {
    let microsoft = |path| {
        json(
            path,
            r#"{"value": [{"subscriptionId": "$their.channel", "clientState": "$own.channel_token", "changeType": "updated",
                "lifecycleEvent": "subscriptionRemoved", "resource": "Users/x/Events/y",
                "subscriptionExpirationDateTime": "2099-12-01T00:00:00Z"}]}"#,
        )
        .own()
        .by_anybody()
    };
    vec![
        (
            "GET /oauth/{provider}/start",
            Guarded(vec![
                get("/oauth/google/start?account=$their.account")
                    .gives(LeadsTo("/dashboard/calendars?error=not-found")),
            ]),
        ),
        (
            "GET /oauth/{provider}/callback",
            Guarded(vec![
                get("/oauth/google/callback?state=$their.state&code=a-code")
                    .gives(LeadsTo("/dashboard/calendars?error=state-expired"))
                    .untold("there is no such code"),
                // Nobody else's refusal uses the state up.
                get("/oauth/google/callback?state=$their.state&error=access_denied")
                    .gives(LeadsTo("/dashboard/calendars?error=state-expired"))
                    .untold("a refusal is no success"),
            ]),
        ),
        (
            "POST /webhooks/google",
            Guarded(vec![
                form("/webhooks/google", &[])
                    .with("x-goog-channel-id", "$their.channel")
                    .with("x-goog-channel-token", "$own.channel_token")
                    .with("x-goog-message-number", "900")
                    .with("x-goog-resource-id", "$their.resource")
                    .with("x-goog-resource-state", "exists")
                    .own()
                    .by_anybody(),
                form("/webhooks/google", &[])
                    .with("x-goog-channel-id", "$their.channel")
                    .with("x-goog-channel-token", "$their.channel")
                    .with("x-goog-message-number", "901")
                    .with("x-goog-resource-id", "$their.resource")
                    .with("x-goog-resource-state", "not_exists")
                    .own()
                    .by_anybody(),
            ]),
        ),
        ("POST /webhooks/microsoft", Guarded(vec![microsoft("/webhooks/microsoft")])),
        ("POST /webhooks/microsoft/lifecycle", Guarded(vec![microsoft("/webhooks/microsoft/lifecycle")])),
    ]
}
