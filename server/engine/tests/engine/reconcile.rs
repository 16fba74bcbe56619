//! Comparing the calendars with the appointments: what an interrupted write, a lost answer or a damaged database leaves
//! behind is found, and mended or left alone.

use chrono::{TimeDelta, Timelike};
use cupo_core::{
    appointment::AppointmentStatus,
    ids::{CalendarId, ClaimId},
    text::Locale,
    wire::AppointmentView,
};
use cupo_engine::{
    CalendarChoice, EventTypeInput, Finding, FindingKind, FindingOutcome, Mending, ReconcileReport, ReconcileScope,
    SignUp,
};
use cupo_simulators::{google::Fault, microsoft};
use cupo_store::{Appointment, AppointmentExternalMapping, AppointmentFilter, MeetingState, Provider, mapping_upsert};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, Executor, Row, SqliteConnection};

use crate::world::{CALENDAR, OUTLOOK, World, ana, at, because, event, first_visit, to};

const START: &str = "2026-11-25T09:00:00Z";
const END: &str = "2026-11-25T09:30:00Z";
const LATER: &str = "2026-11-26T14:00:00Z";
const LATER_END: &str = "2026-11-26T14:30:00Z";
const NOBODYS: &str = "018f4e9e-7a3b-7c21-9d7e-3b1f6a2c4d5e";

/// Where the appointment's event stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Google,
    Outlook,
}

const BOTH: [Side; 2] = [Side::Google, Side::Outlook];

/// A world with one calendar account, and what a test does in it by hand.
struct Scene {
    world: World,
    side: Side,
}

impl Scene {
    /// Ana offers a first visit by phone.
    async fn open(side: Side) -> Self {
        let world = World::with_microsoft().await;
        match side {
            Side::Google => world.connect().await,
            Side::Outlook => world.connect_outlook(OUTLOOK).await,
        }
        world.offer(EventTypeInput { location_kind: "phone".into(), ..first_visit() }).await;
        world.run().await;
        Self { world, side }
    }

    /// One visit is booked and stands in the calendar; nothing is under way.
    async fn booked(side: Side) -> (Self, AppointmentView) {
        let scene = Self::open(side).await;
        let view = scene.world.book("key", START).await;
        scene.settle().await;
        assert_eq!(scene.events().len(), 1, "{side:?}");
        scene.world.mail.clear();
        (scene, view)
    }

    async fn settle(&self) {
        self.world.run().await;
        self.world.pass(TimeDelta::minutes(11));
        self.world.engine.run_periodic().await.unwrap();
        self.world.run().await;
    }

    fn calendar(&self) -> &'static str {
        match self.side {
            Side::Google => CALENDAR,
            Side::Outlook => OUTLOOK,
        }
    }

    /// Another calendar of the account, which nobody ticked.
    fn personal(&self) -> String {
        match self.side {
            Side::Google => self.world.google.calendar_named(CALENDAR, "Personal").unwrap(),
            Side::Outlook => format!("{OUTLOOK}/Personal"),
        }
    }

    fn events(&self) -> Vec<Value> {
        self.events_of(self.calendar())
    }

    fn events_of(&self, calendar: &str) -> Vec<Value> {
        match self.side {
            Side::Google => self.world.events_of(calendar),
            Side::Outlook => self.world.microsoft().events(calendar).unwrap(),
        }
    }

    fn event_id(&self) -> String {
        let events = self.events();
        assert_eq!(events.len(), 1, "{events:#?}");
        events[0]["id"].as_str().unwrap().to_owned()
    }

    fn time(&self, start: &str, end: &str) -> Value {
        match self.side {
            Side::Google => json!({ "start": { "dateTime": start }, "end": { "dateTime": end } }),
            Side::Outlook => {
                let at = |at: &str| json!({ "dateTime": at.trim_end_matches('Z'), "timeZone": "UTC" });
                json!({ "start": at(start), "end": at(end) })
            }
        }
    }

    fn start_of(&self, event: &Value) -> String {
        let text = event["start"]["dateTime"].as_str().unwrap();
        match self.side {
            Side::Google => at(text).format("%Y-%m-%dT%H:%M:%SZ").to_string(),
            Side::Outlook => format!("{}Z", text.split('.').next().unwrap()),
        }
    }

    fn insert(&self, calendar: &str, event: Value) -> String {
        let event = match self.side {
            Side::Google => self.world.google.insert_event(calendar, event).unwrap(),
            Side::Outlook => self.world.microsoft().insert_event(calendar, event).unwrap(),
        };
        event["id"].as_str().unwrap().to_owned()
    }

    /// An event as Cupo writes it, without a trace of it in the database.
    fn insert_ours(&self, calendar: &str, claim: &ClaimId, generation: u32, start: &str, end: &str) -> String {
        self.insert_marked(calendar, claim, generation, "cupo.example", start, end)
    }

    fn insert_marked(
        &self,
        calendar: &str,
        claim: &ClaimId,
        generation: u32,
        installation: &str,
        start: &str,
        end: &str,
    ) -> String {
        let mut event = self.time(start, end);
        match self.side {
            Side::Google => {
                let digits = claim.as_str().replace('-', "");
                let generation = if generation == 0 { String::new() } else { generation.to_string() };
                event["id"] = format!("cupo{digits}{generation}").into();
                event["summary"] = "First visit: Leo Pérez".into();
                event["extendedProperties"] =
                    json!({ "private": { "cupoAppointment": claim, "cupoInstallation": installation } });
            }
            Side::Outlook => {
                event["subject"] = "First visit: Leo Pérez".into();
                event["transactionId"] = format!("cupo:{claim}:{generation}:{installation}").into();
            }
        }
        self.insert(calendar, event)
    }

    fn patch(&self, id: &str, patch: Value) {
        match self.side {
            Side::Google => drop(self.world.google.patch_event(CALENDAR, id, patch).unwrap()),
            Side::Outlook => drop(self.world.microsoft().patch_event(OUTLOOK, id, patch).unwrap()),
        }
    }

    fn delete(&self, id: &str) {
        match self.side {
            Side::Google => self.world.google.delete_event(CALENDAR, id).unwrap(),
            Side::Outlook => self.world.microsoft().delete_event(OUTLOOK, id).unwrap(),
        }
    }

    /// The provider fails every request whose path ends like this.
    fn fail(&self, method: &str, path: &str) {
        match self.side {
            Side::Google => self.world.fault(method, path, 1_000, Fault { status: Some(503), ..Fault::default() }),
            Side::Outlook => {
                let fault = microsoft::Fault {
                    method: Some(method.into()),
                    path_pattern: Some(path.into()),
                    times: 1_000,
                    status: Some(503),
                    ..microsoft::Fault::default()
                };
                self.world.microsoft().add_fault(fault).unwrap();
            }
        }
    }

    fn works_again(&self) {
        self.world.google.clear_faults();
        self.world.microsoft().clear_faults();
        // Whoever failed is not asked for a while.
        self.world.pass(TimeDelta::minutes(2));
    }

    async fn reconcile(&self, mending: Mending) -> ReconcileReport {
        self.world.engine.reconcile(ReconcileScope::All, mending).await.unwrap()
    }

    /// Mends everything and lets the jobs do their part; gives what was found.
    async fn mend(&self) -> Vec<Finding> {
        let report = self.reconcile(Mending::Mend).await;
        assert!(report.failed.is_empty(), "{report:?}");
        self.world.run().await;
        report.findings
    }

    /// The findings of a comparison that mends all it finds, after which nothing is left.
    async fn mend_all(&self) -> Vec<FindingKind> {
        let findings = self.mend().await;
        let left: Vec<_> = findings.iter().filter(|it| it.outcome != FindingOutcome::Mended).collect();
        assert!(left.is_empty(), "{:?} {left:?}", self.side);
        let again = self.reconcile(Mending::Mend).await;
        assert!(again.findings.is_empty() && again.is_settled(), "{:?} {:?}", self.side, again.findings);
        findings.into_iter().map(|finding| finding.kind).collect()
    }

    async fn sql(&self, text: &str) {
        let mut database = SqliteConnection::connect(&self.world.database()).await.unwrap();
        database.execute(AssertSqlSafe(text.to_owned())).await.unwrap();
    }

    /// Every row of the tables that a comparison could change.
    async fn everything(&self) -> Vec<String> {
        let mut database = SqliteConnection::connect(&self.world.database()).await.unwrap();
        let mut rows = Vec::new();
        for (table, columns) in [
            ("appointment", "id, status, start_at, sequence, claim_id"),
            (
                "appointment_external_mapping",
                "claim_id, calendar_id, external_event_id, etag, pushed_sequence, deleted_at",
            ),
            ("busy_interval", "external_event_id, start_at, end_at"),
            ("calendar", "id, sync_cursor, synced_at, reconciled_at"),
            ("job", "kind, payload, state"),
            ("audit_entry", "action, subject_id"),
        ] {
            let columns = columns.split(", ").map(|column| format!("coalesce({column}, 'null')")).collect::<Vec<_>>();
            let text = format!("select {} as line from {table} order by 1", columns.join(" || ' ' || "));
            for row in database.fetch_all(AssertSqlSafe(text)).await.unwrap() {
                rows.push(format!("{table} {}", row.get::<String, _>("line")));
            }
        }
        rows
    }

    async fn appointment(&self) -> (Appointment, Option<AppointmentExternalMapping>) {
        for filter in [AppointmentFilter::Upcoming, AppointmentFilter::Cancelled] {
            let page = self.world.engine.appointments(&self.world.principal, filter, None).await.unwrap();
            if let Some(item) = page.items.into_iter().next() {
                return (item.appointment, item.mapping);
            }
        }
        panic!("nothing was booked");
    }

    async fn seen(&self, view: &AppointmentView) -> AppointmentView {
        self.world.engine.appointment_by_token(&view.token, Locale::En).await.unwrap()
    }

    async fn calendar_ids(&self) -> Vec<(String, CalendarId)> {
        let calendars = self.world.the_account().await.calendars;
        calendars.into_iter().map(|calendar| (calendar.name, calendar.id)).collect()
    }
}

fn claim(text: &str) -> ClaimId {
    ClaimId::parse(text).unwrap()
}

#[tokio::test]
async fn where_all_is_well_nothing_is_found_and_nothing_written() {
    for side in BOTH {
        let (scene, _) = Scene::booked(side).await;
        let report = scene.reconcile(Mending::Mend).await;
        assert!(report.is_settled() && report.findings.is_empty(), "{report:?}");
        assert_eq!(
            report.to_string(),
            format!("reconciled calendars={} findings=0 mended=0 failed=0", report.calendars)
        );
        assert!(report.calendars >= 2, "calendars that nobody ticked are looked into too: {report:?}");
        assert_eq!(scene.world.engine.run_due_jobs().await.unwrap(), 0);
        assert!(scene.world.mail.messages().is_empty());
    }
}

#[tokio::test]
async fn an_appointment_that_was_never_written_is_written() {
    for side in BOTH {
        let scene = Scene::open(side).await;
        scene.world.book("key", START).await;
        scene.sql("delete from job where kind = 'push_event'").await;
        scene.settle().await;
        assert!(scene.events().is_empty());
        assert_eq!(scene.mend_all().await, [FindingKind::Unpushed]);
        assert_eq!(scene.start_of(&scene.events()[0]), START);
        assert!(scene.appointment().await.1.is_some());
    }
}

#[tokio::test]
async fn what_is_about_to_be_written_is_no_finding() {
    for side in BOTH {
        let scene = Scene::open(side).await;
        scene.world.book("key", START).await;
        let report = scene.reconcile(Mending::Mend).await;
        assert!(report.findings.is_empty(), "{report:?}");
    }
}

#[tokio::test]
async fn an_event_whose_writing_was_forgotten_is_known_again_and_not_written_twice() {
    for side in BOTH {
        let (scene, _) = Scene::booked(side).await;
        scene.sql("delete from appointment_external_mapping").await;
        assert_eq!(scene.mend_all().await, [FindingKind::Unmapped]);
        let (appointment, mapping) = scene.appointment().await;
        let mapping = mapping.unwrap();
        assert_eq!((mapping.pushed_sequence, scene.events().len()), (appointment.sequence, 1));
    }
}

#[tokio::test]
async fn an_event_that_is_gone_cancels_its_appointment_after_it_was_asked_for_by_its_id() {
    for side in BOTH {
        let (scene, view) = Scene::booked(side).await;
        let id = scene.event_id();
        scene.delete(&id);
        scene.world.google.clear_exchanges();
        scene.world.microsoft().clear_exchanges();
        assert_eq!(scene.mend_all().await, [FindingKind::Gone]);
        assert_eq!(scene.seen(&view).await.status, AppointmentStatus::Cancelled);
        let asked = match side {
            Side::Google => scene.world.calls("GET", &format!("/events/{id}")),
            Side::Outlook => {
                let exchanges = scene.world.microsoft().exchanges();
                exchanges.iter().filter(|call| call.method == "GET" && call.path.contains("/events/")).count()
            }
        };
        assert!(asked > 0, "{side:?}");
        assert!(!scene.world.mails_to("leo@visitor.example").is_empty(), "the visitor is told");
    }
}

#[tokio::test]
async fn an_event_that_stands_at_another_time_is_followed() {
    for side in BOTH {
        let (scene, view) = Scene::booked(side).await;
        let id = scene.event_id();
        scene.patch(&id, scene.time(LATER, LATER_END));
        assert_eq!(scene.mend_all().await, [FindingKind::Moved]);
        assert_eq!(scene.seen(&view).await.start, at(LATER));
        assert_eq!(scene.start_of(&scene.events()[0]), LATER, "nothing was pushed back");
        let detail =
            scene.world.engine.appointment(&scene.world.principal, &scene.appointment().await.0.id).await.unwrap();
        let mended = detail.audit.iter().find(|entry| entry.action == "reconcile.mended").unwrap();
        assert_eq!((mended.actor.as_str(), &mended.detail["kind"]), ("system", &json!("moved")));
    }
}

#[tokio::test]
async fn an_event_whose_move_was_seen_and_not_followed_is_followed_now() {
    for side in BOTH {
        let (scene, view) = Scene::booked(side).await;
        scene.patch(&scene.event_id(), scene.time(LATER, LATER_END));
        let etag = match side {
            Side::Google => scene.events()[0]["etag"].as_str().unwrap().to_owned(),
            Side::Outlook => scene.events()[0]["@odata.etag"].as_str().unwrap().to_owned(),
        };
        let etag = etag.replace('\'', "''");
        scene.sql(&format!("update appointment_external_mapping set etag = '{etag}'")).await;
        assert_eq!(scene.mend_all().await, [FindingKind::Moved]);
        assert_eq!(scene.seen(&view).await.start, at(LATER));
    }
}

#[tokio::test]
async fn an_event_that_lies_on_another_appointment_is_reported_and_told_once() {
    for side in BOTH {
        let (scene, view) = Scene::booked(side).await;
        let id = scene.event_id();
        scene.world.book("other", LATER).await;
        scene.settle().await;
        scene.patch(&id, scene.time(LATER, LATER_END));
        for _ in 0..3 {
            let findings = scene.mend().await;
            let kinds: Vec<_> =
                findings.iter().map(|it| (it.kind, it.outcome)).filter(|it| it.0 != FindingKind::Mirror).collect();
            assert_eq!(kinds, [(FindingKind::Moved, FindingOutcome::Left("collides"))]);
        }
        assert_eq!(scene.seen(&view).await.start, at(START));
        let told = scene.world.mails_to("ana@clinic.example");
        assert_eq!(told.iter().filter(|mail| mail.subject.contains("solapa")).count(), 1);
        assert_eq!(scene.events().len(), 2);
    }
}

#[tokio::test]
async fn the_event_of_a_cancelled_appointment_is_deleted() {
    for side in BOTH {
        let (scene, view) = Scene::booked(side).await;
        scene.world.engine.cancel_by_token(&view.token, &because("")).await.unwrap();
        scene.settle().await;
        assert!(scene.events().is_empty());
        let (appointment, _) = scene.appointment().await;
        // The next generation, for the first one was deleted and stays known.
        scene.insert_ours(scene.calendar(), &appointment.claim_id, 1, START, END);
        // Where the provider tells that it is no copy, the round that meets it has it deleted.
        scene.mend_all().await;
        scene.settle().await;
        assert!(scene.events().is_empty(), "{side:?}");
        assert!(scene.world.is_offered(START).await);
    }
}

#[tokio::test]
async fn the_event_of_an_appointment_that_went_to_another_host_is_deleted() {
    for side in BOTH {
        let (scene, view) = Scene::booked(side).await;
        scene.world.engine.cancel_by_token(&view.token, &because("")).await.unwrap();
        scene.settle().await;
        let (appointment, _) = scene.appointment().await;
        let old = appointment.claim_id.clone();
        // Whose first answer was lost, and who has another claim now: of the old one nothing is left but its name.
        scene.sql(&format!("update appointment set claim_id = '{NOBODYS}'")).await;
        scene.sql("delete from appointment_external_mapping").await;
        scene.insert_ours(scene.calendar(), &old, 1, START, END);
        let kinds = scene.mend_all().await;
        assert!(kinds.contains(&FindingKind::Orphan), "{side:?} {kinds:?}");
        assert!(scene.events().is_empty());
    }
}

#[tokio::test]
async fn an_event_of_which_nothing_is_known_stays_until_somebody_says_otherwise() {
    for side in BOTH {
        let scene = Scene::open(side).await;
        let id = scene.insert_ours(scene.calendar(), &claim(NOBODYS), 0, START, END);
        scene.settle().await;
        for _ in 0..2 {
            let report = scene.reconcile(Mending::Mend).await;
            let [finding] = &report.findings[..] else { panic!("{report:?}") };
            assert_eq!((finding.kind, finding.outcome), (FindingKind::Unknown, FindingOutcome::Left("unknown")));
            assert!(finding.event_id.is_some() && !report.is_settled());
            scene.world.run().await;
            assert_eq!(scene.event_id(), id);
        }
        assert!(!scene.world.is_offered(START).await, "it takes time meanwhile");
        let report = scene.reconcile(Mending::MendUnknown).await;
        assert!(report.is_settled(), "{report:?}");
        scene.world.run().await;
        assert!(scene.events().is_empty());
    }
}

#[tokio::test]
async fn what_is_not_ours_is_never_touched() {
    for side in BOTH {
        let (scene, view) = Scene::booked(side).await;
        let own = scene.events()[0].clone();
        let (appointment, _) = scene.appointment().await;
        scene.world.engine.cancel_by_token(&view.token, &because("")).await.unwrap();
        scene.settle().await;
        let dead = &appointment.claim_id;
        let mut theirs = scene.time("2026-11-26T09:00:00Z", "2026-11-26T09:30:00Z");
        theirs[if side == Side::Google { "summary" } else { "subject" }] = "Dentist".into();
        scene.insert(scene.calendar(), theirs);
        scene.insert_marked(
            scene.calendar(),
            dead,
            2,
            "elsewhere.example",
            "2026-11-26T10:00:00Z",
            "2026-11-26T10:30:00Z",
        );
        let mut expected = 2;
        if side == Side::Google {
            // A copy that somebody made has another id, and bears the mark too.
            let mut copy = event("First visit: Leo Pérez", "2026-11-26T11:00:00Z", "2026-11-26T11:30:00Z");
            copy["extendedProperties"] = own["extendedProperties"].clone();
            scene.insert(scene.calendar(), copy);
            expected = 3;
        }
        scene.settle().await;
        let findings = scene.mend().await;
        assert!(findings.is_empty(), "{side:?} {findings:?}");
        assert_eq!(scene.events().len(), expected);
    }
}

#[tokio::test]
async fn the_event_of_another_organization_in_the_same_calendar_is_theirs() {
    for side in BOTH {
        let scene = Scene::open(side).await;
        let sign_up = SignUp { email: "eva@clinic.example".into(), organization_slug: "gil".into(), ..ana() };
        let other = scene.world.engine.sign_up(sign_up).await.unwrap().principal;
        let id = scene.insert_ours(scene.calendar(), &claim(NOBODYS), 0, START, END);
        let mapping = AppointmentExternalMapping {
            claim_id: claim(NOBODYS),
            organization_id: other.organization_id,
            calendar_id: CalendarId::parse(NOBODYS).unwrap(),
            external_event_id: id,
            etag: None,
            ical_uid: None,
            html_link: None,
            meeting_state: MeetingState::None,
            pushed_sequence: 0,
            guests: Vec::new(),
            declined: Vec::new(),
            pushed_start: None,
            untold_since: None,
            deleted_at: None,
        };
        let mut tx = scene.world.store.write().await.unwrap();
        mapping_upsert(&mut tx, &mapping).await.unwrap();
        tx.commit().await.unwrap();
        scene.settle().await;
        let report = scene.reconcile(Mending::MendUnknown).await;
        assert!(report.findings.is_empty(), "{report:?}");
        scene.world.run().await;
        assert_eq!(scene.events().len(), 1);
    }
}

#[tokio::test]
async fn of_two_events_of_an_appointment_the_known_one_stays() {
    for side in BOTH {
        let (scene, view) = Scene::booked(side).await;
        let id = scene.event_id();
        let (appointment, _) = scene.appointment().await;
        scene.insert_ours(scene.calendar(), &appointment.claim_id, 1, START, END);
        let kinds = scene.mend_all().await;
        assert!(kinds.contains(&FindingKind::Duplicate), "{side:?} {kinds:?}");
        assert_eq!(scene.event_id(), id);
        scene.settle().await;
        assert_eq!(scene.seen(&view).await.status, AppointmentStatus::Confirmed);
        assert!(scene.world.mail.messages().is_empty(), "nobody hears of it");
    }
}

#[tokio::test]
async fn a_second_event_in_another_calendar_goes_whether_or_not_that_one_is_followed() {
    for side in BOTH {
        for is_followed in [false, true] {
            let (scene, view) = Scene::booked(side).await;
            if is_followed {
                let ids = scene.calendar_ids().await;
                let choice = |(_, calendar_id): &(String, CalendarId)| CalendarChoice {
                    calendar_id: calendar_id.clone(),
                    checks_conflicts: true,
                    tentative_blocks: true,
                    unanswered_blocks: true,
                };
                let receives = scene.appointment().await.1.unwrap().calendar_id;
                let choices = ids.iter().map(choice).collect();
                scene
                    .world
                    .engine
                    .calendar_choices_save(&scene.world.principal, choices, Some(receives))
                    .await
                    .unwrap();
                scene.settle().await;
            }
            let id = scene.event_id();
            let (appointment, mapping) = scene.appointment().await;
            let personal = scene.personal();
            // Google's id is the same in each calendar; Outlook has another transaction for each event.
            let generation = if side == Side::Google { 0 } else { 1 };
            scene.insert_ours(&personal, &appointment.claim_id, generation, START, END);
            let report = scene.reconcile(Mending::Mend).await;
            let kinds: Vec<_> = report.findings.iter().map(|finding| finding.kind).collect();
            assert!(kinds.contains(&FindingKind::Elsewhere), "{side:?} {kinds:?}");
            // It is read before it is deleted, and not taken for the appointment's own.
            scene.settle().await;
            assert!(scene.events_of(&personal).is_empty(), "{side:?}");
            assert_eq!(scene.event_id(), id);
            let seen = scene.seen(&view).await;
            assert_eq!((seen.status, seen.start), (AppointmentStatus::Confirmed, at(START)));
            let now = scene.appointment().await.1.unwrap();
            assert_eq!((now.calendar_id, now.deleted_at), (mapping.unwrap().calendar_id, None), "{side:?}");
            assert!(scene.reconcile(Mending::Mend).await.findings.is_empty());
        }
    }
}

#[tokio::test]
async fn a_second_event_stays_when_the_known_one_went_meanwhile() {
    for side in BOTH {
        let (scene, _) = Scene::booked(side).await;
        let (appointment, _) = scene.appointment().await;
        let known = scene.event_id();
        let second = scene.insert_ours(scene.calendar(), &appointment.claim_id, 1, START, END);
        scene.reconcile(Mending::Mend).await;
        scene.delete(&known);
        scene.world.engine.run_due_jobs().await.unwrap();
        assert_eq!(scene.event_id(), second, "{side:?}: nothing is deleted of which no other was seen");
    }
}

#[tokio::test]
async fn an_event_that_is_behind_its_appointment_is_written_again() {
    for side in BOTH {
        let (scene, view) = Scene::booked(side).await;
        scene.world.engine.reschedule_by_token(&view.token, &to(LATER)).await.unwrap();
        scene.sql("delete from job where kind = 'push_event'").await;
        scene.settle().await;
        assert_eq!(scene.start_of(&scene.events()[0]), START);
        assert_eq!(scene.mend_all().await, [FindingKind::Outdated]);
        assert_eq!(scene.start_of(&scene.events()[0]), LATER);
        assert_eq!(scene.seen(&view).await.start, at(LATER));
    }
}

#[tokio::test]
async fn what_was_given_up_is_not_begun_anew_and_stays_a_finding() {
    for side in BOTH {
        let (scene, view) = Scene::booked(side).await;
        scene.world.engine.reschedule_by_token(&view.token, &to(LATER)).await.unwrap();
        scene.sql("update job set state = 'dead' where kind = 'push_event'").await;
        scene.settle().await;
        let report = scene.reconcile(Mending::Mend).await;
        let [finding] = &report.findings[..] else { panic!("{report:?}") };
        assert_eq!((finding.kind, finding.outcome), (FindingKind::Outdated, FindingOutcome::Left("failed")));
        assert!(!report.is_settled());
    }
}

#[tokio::test]
async fn a_mirror_that_is_wrong_is_replaced_and_the_difference_counted() {
    for side in BOTH {
        let scene = Scene::open(side).await;
        let mut dentist = scene.time(START, END);
        dentist[if side == Side::Google { "summary" } else { "subject" }] = "Dentist".into();
        scene.insert(scene.calendar(), dentist);
        scene.settle().await;
        assert!(!scene.world.is_offered(START).await);
        let hour = 3_600_000_000_i64;
        let moved = format!("start_at = start_at + {hour}, end_at = end_at + {hour}");
        scene.sql(&format!("update busy_interval set external_event_id = 'nothing', {moved}")).await;
        let report = scene.reconcile(Mending::Mend).await;
        let [mirror] = &report.findings[..] else { panic!("{report:?}") };
        assert_eq!((mirror.kind, mirror.count, mirror.outcome), (FindingKind::Mirror, 2, FindingOutcome::Mended));
        assert!(!scene.world.is_offered(START).await && scene.world.is_offered("2026-11-25T10:00:00Z").await);
        assert!(scene.reconcile(Mending::Mend).await.findings.is_empty());
    }
}

#[tokio::test]
async fn reporting_changes_nothing_at_all() {
    for side in BOTH {
        let (scene, _) = Scene::booked(side).await;
        let (appointment, _) = scene.appointment().await;
        for (key, start) in
            [("gone", "2026-11-25T10:00:00Z"), ("moved", "2026-11-25T11:00:00Z"), ("lost", "2026-11-25T12:00:00Z")]
        {
            scene.world.book(key, start).await;
        }
        scene.settle().await;
        let of = |start: &str| {
            let events = scene.events();
            let event = events.iter().find(|event| scene.start_of(event) == start).unwrap();
            event["id"].as_str().unwrap().to_owned()
        };
        let (gone, moved) = (of("2026-11-25T10:00:00Z"), of("2026-11-25T11:00:00Z"));
        scene.delete(&gone);
        scene.patch(&moved, scene.time(LATER, LATER_END));
        let lost = at("2026-11-25T12:00:00Z").timestamp_micros();
        let of_lost = format!("select claim_id from appointment where start_at = {lost}");
        scene.sql(&format!("delete from appointment_external_mapping where claim_id in ({of_lost})")).await;
        scene.insert_ours(scene.calendar(), &appointment.claim_id, 1, START, END);
        scene.insert_ours(scene.calendar(), &claim(NOBODYS), 0, "2026-11-27T10:00:00Z", "2026-11-27T10:30:00Z");
        let (before, events) = (scene.everything().await, scene.events());
        let report = scene.reconcile(Mending::Report).await;
        let mut kinds: Vec<_> = report.findings.iter().map(|finding| finding.kind).collect();
        kinds.sort_unstable();
        let expected = [
            FindingKind::Gone,
            FindingKind::Moved,
            FindingKind::Duplicate,
            FindingKind::Unmapped,
            FindingKind::Mirror,
            FindingKind::Unknown,
        ];
        assert_eq!(kinds, expected, "{side:?}");
        assert_eq!((report.mended(), report.is_settled()), (0, false));
        assert_eq!(scene.everything().await, before, "{side:?}");
        assert_eq!(scene.events(), events, "{side:?}");
        assert!(report.findings[0].to_string().ends_with(" found"), "{}", report.findings[0]);
    }
}

#[tokio::test]
async fn a_calendar_that_cannot_be_read_is_left_alone_and_reported() {
    for side in BOTH {
        let (scene, view) = Scene::booked(side).await;
        let id = scene.event_id();
        scene.delete(&id);
        // Everything can be read but the very event that the round does not name.
        scene.fail("GET", "/events/");
        let before = scene.everything().await;
        let report = scene.reconcile(Mending::Mend).await;
        assert_eq!(report.failed.len(), 1, "{side:?} {report:?}");
        assert_eq!((report.failed[0].code, report.is_settled()), ("provider-failed", false));
        assert!(report.findings.is_empty(), "{report:?}");
        let jobs =
            |rows: &[String]| rows.iter().filter(|row| !row.starts_with("calendar ")).cloned().collect::<Vec<_>>();
        assert_eq!(jobs(&scene.everything().await), jobs(&before));
        assert_eq!(scene.seen(&view).await.status, AppointmentStatus::Confirmed);
        scene.works_again();
        assert_eq!(scene.mend_all().await, [FindingKind::Gone]);
    }
}

#[tokio::test]
async fn an_appointment_that_is_booked_while_the_calendar_is_read_is_taken_for_nothing_else() {
    let (scene, view) = Scene::booked(Side::Google).await;
    scene.world.fault("GET", "/events$", 1_000, Fault { delay_ms: 400, ..Fault::default() });
    let engine = scene.world.engine.clone();
    let comparing = tokio::spawn(async move { engine.reconcile(ReconcileScope::All, true).await.unwrap() });
    let mut number = 0;
    while !comparing.is_finished() {
        number += 1;
        let start = at("2026-11-25T10:00:00Z") + TimeDelta::minutes(30 * number);
        if start < at("2026-11-25T16:00:00Z") {
            scene.world.book(&format!("key-{number}"), &start.to_rfc3339()).await;
        }
        scene.world.engine.run_due_jobs().await.unwrap();
    }
    let report = comparing.await.unwrap();
    assert!(number > 1, "something was booked meanwhile");
    assert!(report.failed.is_empty() && report.findings.is_empty(), "{report:?}");
    scene.works_again();
    scene.settle().await;
    let booked =
        scene.world.engine.appointments(&scene.world.principal, AppointmentFilter::Upcoming, None).await.unwrap();
    assert_eq!(booked.items.len(), scene.events().len());
    assert_eq!(scene.seen(&view).await.status, AppointmentStatus::Confirmed);
}

#[tokio::test]
async fn of_one_organization_only_its_own_calendars_are_compared() {
    let (scene, _) = Scene::booked(Side::Google).await;
    let slug = |text: &str| cupo_core::parse::Slug::parse(text).unwrap();
    let own = scene.world.engine.reconcile(ReconcileScope::Organization(slug("ruiz")), true).await.unwrap();
    assert!(own.calendars >= 2);
    let sign_up = SignUp { email: "eva@clinic.example".into(), organization_slug: "gil".into(), ..ana() };
    scene.world.engine.sign_up(sign_up).await.unwrap();
    let other = scene.world.engine.reconcile(ReconcileScope::Organization(slug("gil")), true).await.unwrap();
    assert_eq!(other.calendars, 0);
    assert!(scene.world.engine.reconcile(ReconcileScope::Organization(slug("nobody")), true).await.is_err());
}

#[tokio::test]
async fn every_calendar_is_compared_once_in_its_hosts_night() {
    let (scene, view) = Scene::booked(Side::Google).await;
    scene.delete(&scene.event_id());
    // Nothing tells, and nothing is polled: only the comparison can find it.
    scene.sql("delete from provider_subscription").await;
    let compared = async || {
        let mut database = SqliteConnection::connect(&scene.world.database()).await.unwrap();
        let rows = database.fetch_all("select reconciled_at from calendar order by id").await.unwrap();
        rows.into_iter().map(|row| row.get::<i64, _>(0)).collect::<Vec<_>>()
    };
    let calendars = scene.reconcile(Mending::Report).await.calendars;
    let mut hours = Vec::new();
    for _ in 0..(60 * 6) {
        scene.world.pass(TimeDelta::minutes(10));
        scene.world.engine.run_periodic().await.unwrap();
        scene.sql("delete from job where kind in ('pull_changes', 'open_channel', 'upkeep')").await;
        let before = compared().await;
        scene.world.engine.run_due_jobs().await.unwrap();
        let now = cupo_engine::clock::Clock::now(&*scene.world.clock).with_timezone(&chrono_tz::Europe::Madrid);
        let count = compared().await.iter().zip(&before).filter(|(new, old)| new != old).count();
        hours.extend(std::iter::repeat_n(now.hour(), count));
    }
    assert_eq!(hours.len(), calendars, "each once: {hours:?}");
    assert!(hours.iter().all(|hour| (2..5).contains(hour)), "{hours:?}");
    assert_eq!(scene.seen(&view).await.status, AppointmentStatus::Cancelled);
    let account = scene.world.the_account().await;
    assert_eq!(account.account.provider, Provider::Google);
}
