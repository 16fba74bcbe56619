//! `cupo reconcile`, as an operator types it.

use std::time::Duration;

use serde_json::json;

use crate::commands::Operator;
use crate::world::{World, today};

const CALENDAR: &str = "ana@example.com";
/// A claim that nobody knows.
const NOBODYS: &str = "018f4e9e-7a3b-7c21-9d7e-3b1f6a2c4d5e";
const MARKED: &str = "cupo018f4e9e7a3b7c219d7e3b1f6a2c4d5e";

/// An event with the mark of the installation, of which its database knows nothing.
fn leave_behind(world: &World) {
    let installation = world.config.address.public_url(world.config.address.listen).host_str().unwrap().to_owned();
    let start =
        (today() + chrono::Days::new(3)).and_time(chrono::NaiveTime::MIN).and_utc() + chrono::TimeDelta::hours(9);
    let event = json!({
        "id": MARKED,
        "summary": "Introduction: Leo",
        "start": { "dateTime": start.to_rfc3339() },
        "end": { "dateTime": (start + chrono::TimeDelta::minutes(30)).to_rfc3339() },
        "extendedProperties": { "private": { "cupoAppointment": NOBODYS, "cupoInstallation": installation } },
    });
    world.google.insert_event(CALENDAR, event).unwrap();
}

fn stands(world: &World) -> bool {
    let events = world.google.events(CALENDAR).unwrap();
    events.iter().any(|event| event["id"] == MARKED && event["status"] != "cancelled")
}

#[tokio::test(flavor = "multi_thread")]
async fn findings_are_told_line_by_line_and_the_exit_status_says_whether_anything_is_left() {
    let operator = Operator::new();
    let world = operator.world(&operator.sqlite("cupo.db")).await;
    let clean = operator.told(&["reconcile"], &[]).await;
    assert!(clean.ends_with(" findings=0 mended=0 failed=0\n"), "{clean}");
    assert_eq!(clean.lines().count(), 1, "{clean}");

    leave_behind(&world);
    let unknown =
        |told: &str| told.lines().filter(|line| line.starts_with("unknown ") && line.contains(MARKED)).count();
    for arguments in [&["reconcile", "--report-only"][..], &["reconcile", "--organization", "demo"]] {
        let told = operator.refused(arguments, &[]).await;
        assert_eq!(unknown(&told), 1, "{told}");
        assert!(told.contains(" left (unknown)"), "{told}");
        assert!(told.lines().any(|line| line.starts_with("reconciled calendars=")), "{told}");
        assert!(stands(&world));
    }

    let told = operator.told(&["reconcile", "--delete-unknown"], &[]).await;
    assert_eq!(unknown(&told), 1, "{told}");
    // A worker of the server does it.
    while stands(&world) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let clean = operator.told(&["reconcile"], &[]).await;
    assert!(clean.ends_with(" findings=0 mended=0 failed=0\n"), "{clean}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_calendar_that_cannot_be_read_is_told_and_fails_the_command() {
    let operator = Operator::new();
    let world = operator.world(&operator.sqlite("cupo.db")).await;
    let fault = cupo_simulators::google::Fault {
        path_pattern: Some("/calendar/v3/".into()),
        times: 10_000,
        status: Some(503),
        ..Default::default()
    };
    world.google.add_fault(fault).unwrap();
    let told = operator.refused(&["reconcile"], &[]).await;
    assert!(
        told.lines().any(|line| line.starts_with("failed calendar=") && line.ends_with("(provider-failed)")),
        "{told}"
    );
    assert!(told.contains("findings=0 mended=0 failed="), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organization_that_is_not_there_is_an_error() {
    let operator = Operator::new();
    let _world = operator.world(&operator.sqlite("cupo.db")).await;
    let told = operator.refused(&["reconcile", "--organization", "nobody"], &[]).await;
    assert!(told.contains("organization not found"), "{told}");
}
