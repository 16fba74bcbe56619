use chrono::TimeDelta;
use cupo_core::{text::Locale, wire::BookingRequest};
use cupo_engine::EventTypeInput;
use cupo_simulators::{
    google::MeetSettings,
    mail::{MailFault, Message},
};
use cupo_store::AppointmentFilter;

use crate::world::{World, at, because, body, first_visit, request, to};

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

/// What a visitor who speaks a language reads first: the subject, and when it takes place, at 9:00 UTC and half an hour later
/// each in New York.
const CONFIRMATIONS: [(&str, &str, &str); 8] = [
    ("en-US", "Confirmed: {title}, Wednesday, November 25, 2026", "4:00 AM – 4:30 AM"),
    ("es-MX", "Confirmada: {title}, miércoles, 25 de noviembre de 2026", "4:30 a.m. – 5:00 a.m."),
    ("es-ES", "Confirmada: {title}, miércoles, 25 de noviembre de 2026", "5:00 – 5:30"),
    ("pt-BR", "Confirmado: {title}, quarta-feira, 25 de novembro de 2026", "5:30 – 6:00"),
    ("fr", "Confirmé\u{a0}: {title}, mercredi 25 novembre 2026", "6:00 – 6:30"),
    ("de-AT", "Bestätigt: {title}, Mittwoch, 25. November 2026", "6:30 – 7:00"),
    ("it", "Confermato: {title}, mercoledì 25 novembre 2026", "7:00 – 7:30"),
    ("ar", "تم التأكيد: \u{2068}{title}\u{2069}، الأربعاء، 25 نوفمبر 2026", "7:30 ص – 8:00 ص"),
];

#[tokio::test]
async fn a_visitor_is_written_to_in_the_language_and_by_the_customs_of_the_region_of_the_booking() {
    let world = without_calendar().await;
    for (number, (tag, ..)) in CONFIRMATIONS.iter().enumerate() {
        let start = at(START) + TimeDelta::minutes(30 * number as i64);
        let email = format!("{}@visitor.example", tag.to_lowercase());
        let order = BookingRequest { locale: Some((*tag).to_owned()), email, start, ..request(START) };
        world.engine.book(tag, order).await.unwrap();
    }
    world.engine.run_due_jobs().await.unwrap();
    for (tag, subject, times) in CONFIRMATIONS {
        let mail = world.mails_to(&format!("{tag}@visitor.example").to_lowercase()).pop().expect(tag);
        assert_eq!(mail.subject, subject.replace("{title}", "First visit"), "{tag}");
        let (text, html) = (body(&mail), mail.html.unwrap());
        assert!(text.contains(times) && html.contains(times), "{tag}: {times:?} in {text}");
        let direction = if tag == "ar" { "rtl" } else { "ltr" };
        let language = cupo_core::text::LanguageTag::parse(tag).unwrap();
        assert!(html.contains(&format!("<html lang=\"{language}\" dir=\"{direction}\">")), "{tag}: {html}");
    }
}

#[tokio::test]
async fn what_happens_later_is_told_in_the_language_of_the_booking_too() {
    let world = without_calendar().await;
    let order = BookingRequest { locale: Some("ar".to_owned()), ..request(START) };
    let view = world.engine.book("key", order).await.unwrap().view;
    world.engine.reschedule_by_token(&view.token, &to("2026-11-26T09:00:00Z")).await.unwrap();
    world.engine.cancel_by_token(&view.token, &because("I am ill")).await.unwrap();
    world.engine.run_due_jobs().await.unwrap();
    let subjects: Vec<_> = world.mails_to("leo@visitor.example").into_iter().map(|mail| mail.subject).collect();
    assert!(!subjects.is_empty() && subjects.iter().all(|subject| subject.contains("نوفمبر 2026")), "{subjects:?}");
    assert!(subjects.last().unwrap().starts_with("تم الإلغاء: "), "{subjects:?}");
    let to_host = world.mails_to("ana@clinic.example").pop().unwrap();
    assert!(to_host.subject.starts_with("Cancelada: "), "the host reads Spanish: {}", to_host.subject);
}
