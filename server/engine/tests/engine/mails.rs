use chrono::TimeDelta;
use cupo_core::{text::Locale, wire::BookingRequest};
use cupo_engine::EventTypeInput;
use cupo_simulators::{
    google::MeetSettings,
    mail::{MailFault, Message},
};
use cupo_store::AppointmentFilter;

use crate::world::{World, because, first_visit, request, to};

const START: &str = "2026-11-25T09:00:00Z";

/// A host without a calendar: our mails invite.
async fn without_calendar() -> World {
    let world = World::new().await;
    let location_detail = "Calle Mayor 1, Madrid".into();
    world.offer(EventTypeInput { location_kind: "address".into(), location_detail, ..first_visit() }).await;
    world
}

fn calendar_of(mail: &Message) -> Option<String> {
    let part = mail.attachments.iter().find(|part| part.content_type.starts_with("text/calendar"))?;
    Some(part.text.clone().unwrap().replace("\r\n ", ""))
}

/// What differs from run to run is replaced by its name.
async fn stable(world: &World, text: &str, token: &str) -> String {
    let mut id = String::new();
    for filter in [AppointmentFilter::Upcoming, AppointmentFilter::Cancelled] {
        let page = world.engine.appointments(&world.principal, filter, None).await.unwrap();
        if let Some(item) = page.items.first() {
            id = item.appointment.id.to_string();
        }
    }
    text.replace(token, "{token}").replace(&id, "{appointment}").replace("\r\n", "\n")
}

#[tokio::test]
async fn both_are_told_of_a_booking_each_in_their_language_and_zone() {
    let world = without_calendar().await;
    let view = world.book("key", START).await;
    world.engine.run_due_jobs().await.unwrap();
    let mails = world.mail.messages();
    assert_eq!(mails.len(), 2);
    let to_visitor = &world.mails_to("leo@visitor.example")[0];
    insta::assert_snapshot!("confirmation_visitor_subject", to_visitor.subject);
    insta::assert_snapshot!(
        "confirmation_visitor_text",
        stable(&world, to_visitor.text.as_deref().unwrap(), &view.token).await
    );
    insta::assert_snapshot!(
        "confirmation_visitor_html",
        stable(&world, to_visitor.html.as_deref().unwrap(), &view.token).await
    );
    let invitation = calendar_of(to_visitor).unwrap();
    insta::assert_snapshot!("confirmation_visitor_ics", stable(&world, &invitation, &view.token).await);
    let to_host = &world.mails_to("ana@clinic.example")[0];
    insta::assert_snapshot!("confirmation_host_subject", to_host.subject);
    insta::assert_snapshot!(
        "confirmation_host_text",
        stable(&world, to_host.text.as_deref().unwrap(), &view.token).await
    );
    assert!(calendar_of(to_host).unwrap().contains("METHOD:PUBLISH"));
}

#[tokio::test]
async fn a_change_and_a_cancellation_replace_the_invitation() {
    let world = without_calendar().await;
    let view = world.book("key", START).await;
    world.engine.run_due_jobs().await.unwrap();
    world.engine.reschedule_by_token(&view.token, &to("2026-11-26T09:00:00Z")).await.unwrap();
    world.engine.run_due_jobs().await.unwrap();
    world.engine.cancel_by_token(&view.token, &because("I am ill")).await.unwrap();
    world.engine.run_due_jobs().await.unwrap();
    let mails = world.mails_to("leo@visitor.example");
    let calendars: Vec<_> = mails.iter().map(|mail| calendar_of(mail).unwrap()).collect();
    let line = |calendar: &str, key: &str| calendar.lines().find(|line| line.starts_with(key)).unwrap().to_owned();
    for (calendar, method, sequence, status) in [
        (&calendars[0], "METHOD:REQUEST", "SEQUENCE:0", "STATUS:CONFIRMED"),
        (&calendars[1], "METHOD:REQUEST", "SEQUENCE:1", "STATUS:CONFIRMED"),
        (&calendars[2], "METHOD:CANCEL", "SEQUENCE:2", "STATUS:CANCELLED"),
    ] {
        for expected in [method, sequence, status] {
            assert_eq!(line(calendar, expected.split_once(':').unwrap().0), expected);
        }
        assert_eq!(line(calendar, "UID"), line(&calendars[0], "UID"));
    }
    insta::assert_snapshot!(
        "change_visitor_text",
        stable(&world, mails[1].text.as_deref().unwrap(), &view.token).await
    );
    insta::assert_snapshot!(
        "cancellation_visitor_text",
        stable(&world, mails[2].text.as_deref().unwrap(), &view.token).await
    );
    let to_host = world.mails_to("ana@clinic.example").pop().unwrap();
    insta::assert_snapshot!(
        "cancellation_host_text",
        stable(&world, to_host.text.as_deref().unwrap(), &view.token).await
    );
}

#[tokio::test]
async fn where_google_invites_our_mail_carries_no_second_invitation_but_the_meeting_link() {
    let world = World::open_for_business().await;
    world.book("key", START).await;
    world.run().await;
    let link = world.the_event()["hangoutLink"].as_str().unwrap().to_owned();
    for mail in world.mail.messages() {
        assert_eq!(calendar_of(&mail), None);
        assert!(mail.text.unwrap().contains(&link) && mail.html.unwrap().contains(&link));
    }
    assert_eq!(world.mail.messages().len(), 2);
}

#[tokio::test]
async fn a_meeting_link_that_does_not_come_holds_the_mail_up_for_a_while_only() {
    let world = World::open_for_business().await;
    world.google.set_meet(MeetSettings { pending_ms: 86_400_000, fail: false });
    let view = world.book("key", START).await;
    world.engine.run_due_jobs().await.unwrap();
    world.pass(TimeDelta::seconds(10));
    world.engine.run_due_jobs().await.unwrap();
    assert!(world.mail.messages().is_empty());
    world.pass(TimeDelta::seconds(11));
    world.engine.run_due_jobs().await.unwrap();
    assert_eq!(world.mail.messages().len(), 2);
    assert!(world.engine.appointment_by_token(&view.token, Locale::En).await.unwrap().meeting_pending);
}

#[tokio::test]
async fn a_mail_that_was_overtaken_by_a_later_change_is_not_sent() {
    let world = without_calendar().await;
    let view = world.book("key", START).await;
    world.engine.reschedule_by_token(&view.token, &to("2026-11-26T09:00:00Z")).await.unwrap();
    world.engine.cancel_by_token(&view.token, &because("")).await.unwrap();
    world.engine.run_due_jobs().await.unwrap();
    let mails = world.mails_to("leo@visitor.example");
    assert_eq!(mails.len(), 1);
    assert!(mails[0].subject.starts_with("Cancelled"));
}

#[tokio::test]
async fn a_mail_that_the_server_cannot_take_now_is_sent_later_and_a_refused_one_is_shown() {
    let world = without_calendar().await;
    world.mail.add_fault(MailFault { times: 2, code: 451 }).unwrap();
    world.book("key", START).await;
    world.engine.run_due_jobs().await.unwrap();
    assert!(world.mail.messages().is_empty());
    world.run().await;
    assert_eq!(world.mail.messages().len(), 2);
    world.mail.add_fault(MailFault { times: 2, code: 550 }).unwrap();
    world.book("key-2", "2026-11-25T10:00:00Z").await;
    world.run().await;
    let failed = world.engine.failed_jobs(&world.principal).await.unwrap();
    assert_eq!(failed.len(), 2);
    assert!(failed.iter().all(|job| job.kind == "send_mail"));
}

#[tokio::test]
async fn a_repeated_mail_bears_the_same_message_id() {
    let world = without_calendar().await;
    let view = world.book("key", START).await;
    world.engine.run_due_jobs().await.unwrap();
    let page = world.engine.appointments(&world.principal, AppointmentFilter::Upcoming, None).await.unwrap();
    let id = &page.items[0].appointment.id;
    let expected = format!("Message-ID: <{id}.0.confirmation.visitor@cupo.example>");
    assert!(world.mails_to("leo@visitor.example")[0].raw.contains(&expected));
    assert!(!world.mails_to("leo@visitor.example")[0].raw.contains("leo@visitor.example@"));
    assert_eq!(view.sequence, 0);
}

#[tokio::test]
async fn what_a_visitor_writes_cannot_add_headers_or_markup() {
    let world = without_calendar().await;
    let hostile = BookingRequest {
        name: "Leo <b>\"x\"</b>".into(),
        notes: Some("line\r\nBcc: victim@example.org\r\n\r\n<script>alert(1)</script>".into()),
        ..request(START)
    };
    world.engine.book("key", hostile).await.unwrap();
    world.engine.run_due_jobs().await.unwrap();
    let mails = world.mail.messages();
    assert_eq!(mails.len(), 2);
    for mail in mails {
        assert_eq!(mail.to.len(), 1);
        assert_eq!(mail.envelope.to.len(), 1);
        let html = mail.html.unwrap();
        assert!(!html.contains("<script>") && !html.contains("<b>"));
    }
}

#[tokio::test]
async fn the_file_to_import_publishes_the_appointment() {
    let world = without_calendar().await;
    let view = world.book("key", START).await;
    let file = world.engine.appointment_ics(&view.token).await.unwrap();
    assert!(view.add_to_calendar.ics.contains(&view.token));
    for line in ["METHOD:PUBLISH", "DTSTART:20261125T090000Z", "DTEND:20261125T093000Z", "SEQUENCE:0"] {
        assert!(file.contains(&format!("{line}\r\n")), "{line} is missing in {file}");
    }
    assert!(!file.contains("ATTENDEE"));
}
