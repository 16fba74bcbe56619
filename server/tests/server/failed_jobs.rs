//! The page of work that failed for good, as a browser without a script sees and uses it.

use cupo_core::text::Locale;
use cupo_engine::MemberInput;
use cupo_simulators::google::Fault;
use reqwest::Response;

use crate::world::{World, sign_in_fields};

const PAGE: &str = "/dashboard/failed-jobs";

/// A world in which Google has refused the event of an appointment for good.
async fn with_failed_push() -> World {
    let world = World::start().await;
    let refuses = Fault {
        method: Some("POST".into()),
        path_pattern: Some("/events$".into()),
        status: Some(400),
        ..Fault::default()
    };
    world.google.add_fault(refuses).unwrap();
    world.booked().await;
    let ana = world.ana().await;
    let engine = &world.server.engine;
    world.until("the failure", async || (engine.failed_job_count(&ana).await.unwrap() == 1).then_some(())).await;
    world
}

async fn browse(world: &World, cookie: &str, path: &str) -> String {
    let page = world.client.get(world.url(path)).header("cookie", cookie).header("accept", "text/html").send();
    page.await.unwrap().text().await.unwrap()
}

/// Presses a button of the page.
async fn press(world: &World, cookie: &str, action: &str, fields: &[(&str, &str)]) -> Response {
    world
        .client
        .post(world.url(&format!("/dashboard/api/{action}")))
        .header("cookie", cookie)
        .header("origin", &world.server.base_url)
        .header("referer", world.url(PAGE))
        .header("accept", "text/html")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish())
        .send()
        .await
        .unwrap()
}

async fn job_id(world: &World) -> String {
    world.server.engine.failed_jobs(&world.ana().await).await.unwrap()[0].id.to_string()
}

#[test]
fn every_kind_of_work_has_words_in_every_language() {
    assert!(cupo_engine::JOB_KINDS.contains(&"push_event"));
    for kind in cupo_engine::JOB_KINDS {
        let key = format!("dashboard.job_{kind}");
        for locale in Locale::ALL {
            assert_ne!(cupo_core::text::lookup(locale, &key), key, "{locale:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_work_is_told_in_words_and_pointed_at_from_everywhere() {
    let world = with_failed_push().await;
    let cookie = world.sign_in().await;
    let page = browse(&world, &cookie, &format!("{PAGE}?lang=en")).await;
    for told in
        ["Work that failed", "Write the appointment to the calendar", "Vera Visitor", "after one try", "refused"]
    {
        assert!(page.contains(told), "{told}: {page}");
    }
    assert!(page.contains("action=\"/dashboard/api/failed_job_retry"), "{page}");
    assert!(page.contains("action=\"/dashboard/api/failed_job_discard"), "{page}");
    assert!(!page.contains("action=\"/dashboard/api/failed_jobs_retry"), "one is not all: {page}");
    let page = browse(&world, &cookie, &format!("{PAGE}?lang=es")).await;
    for told in ["Trabajo que falló", "Escribir la cita en el calendario", "tras un intento"] {
        assert!(page.contains(told), "{told}: {page}");
    }
    let overview = browse(&world, &cookie, "/dashboard?lang=en").await;
    assert!(overview.contains("A piece of work failed for good."), "{overview}");
    // In the navigation (twice: beside the page and in the menu) and in the notice.
    assert_eq!(overview.matches(&format!("href=\"{PAGE}\"")).count(), 3, "{overview}");
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_work_is_tried_again_by_a_button() {
    let world = with_failed_push().await;
    let cookie = world.sign_in().await;
    let answer = press(&world, &cookie, "failed_job_retry", &[("id", &job_id(&world).await)]).await;
    assert_eq!(answer.status(), 302);
    assert_eq!(answer.headers()["location"], format!("{PAGE}?notice=job_retried"));
    world.until("the event", async || (!world.events().is_empty()).then_some(())).await;
    let page = browse(&world, &cookie, &format!("{PAGE}?notice=job_retried&lang=en")).await;
    assert!(page.contains("It is tried again from now on.") && page.contains("Nothing has failed."), "{page}");
    let overview = browse(&world, &cookie, "/dashboard?lang=en").await;
    assert!(!overview.contains(PAGE), "nothing points there any more: {overview}");
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_work_is_discarded_by_a_button() {
    let world = with_failed_push().await;
    let cookie = world.sign_in().await;
    let id = job_id(&world).await;
    let answer = press(&world, &cookie, "failed_job_discard", &[("id", &id)]).await;
    assert_eq!(answer.headers()["location"], format!("{PAGE}?notice=job_discarded"));
    assert_eq!(world.server.engine.failed_job_count(&world.ana().await).await.unwrap(), 0);
    world.settle().await;
    assert!(world.events().is_empty());
    let again = press(&world, &cookie, "failed_jobs_retry", &[]).await;
    assert_eq!(again.headers()["location"], format!("{PAGE}?notice=job_retried"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_who_does_not_look_after_the_organization_does_not_see_it() {
    let world = with_failed_push().await;
    let member = MemberInput {
        name: "Dora".into(),
        email: "dora@example.com".into(),
        password: "correct horse".into(),
        time_zone: "Europe/Madrid".into(),
    };
    world.server.engine.member_add(&world.ana().await, member).await.unwrap();
    let mut fields = sign_in_fields("correct horse");
    fields[0].1 = "dora@example.com";
    let answer = world.form("/dashboard/api/sign_in", &fields).await;
    let cookies: Vec<_> = answer.headers().get_all("set-cookie").iter().map(|it| it.to_str().unwrap()).collect();
    let cookie = cookies.iter().find(|it| it.contains("session=")).unwrap().split(';').next().unwrap().to_owned();
    let overview = browse(&world, &cookie, "/dashboard").await;
    assert!(overview.contains("Dora") && !overview.contains(PAGE), "{overview}");
    let page = browse(&world, &cookie, &format!("{PAGE}?lang=en")).await;
    let refusal = cupo_core::text::lookup(Locale::En, "error.forbidden");
    assert!(page.contains(refusal) && !page.contains("Vera Visitor"), "{page}");
    let answer = press(&world, &cookie, "failed_job_discard", &[("id", &job_id(&world).await)]).await;
    assert!(answer.headers()["location"].to_str().unwrap().contains("__err"), "{answer:?}");
    assert_eq!(world.server.engine.failed_job_count(&world.ana().await).await.unwrap(), 1);
}
