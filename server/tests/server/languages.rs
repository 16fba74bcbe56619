//! The language of what a visitor reads: by the address, by the browser, and as it was when the booking was made.

use cupo_core::text::{self, Locale};
use serde_json::{Value, json};

use crate::world::World;

async fn page(world: &World, path: &str, accept_language: &str) -> String {
    let answer =
        world.client.get(world.url(path)).header("accept", "text/html").header("accept-language", accept_language);
    answer.send().await.unwrap().text().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_public_page_speaks_the_language_of_the_address_or_else_of_the_browser() {
    let world = World::start().await;
    for locale in Locale::ALL {
        let html = format!("<html lang=\"{}\" dir=\"{}\">", locale.tag(), locale.direction());
        let told = format!(">{}<", text::lookup(locale, "public.time_zone"));
        let by_address = page(&world, &format!("/demo/intro?lang={}", locale.as_str()), "ja").await;
        let by_browser = page(&world, "/demo/intro", &format!("ja,{};q=0.9,en;q=0.1", locale.tag())).await;
        for page in [by_address, by_browser] {
            assert!(page.contains(&html) && page.contains(&told), "{locale:?}: {page}");
            assert!(page.contains(&format!("lang=\"{}\"", locale.tag())), "the widget speaks it too: {page}");
        }
    }
    let mexican = page(&world, "/demo/intro?lang=es", "en-GB,es-MX;q=0.5").await;
    assert!(mexican.contains("<html lang=\"es-MX\" dir=\"ltr\">"), "{mexican}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_other_pages_of_a_visitor_speak_every_language() {
    let world = World::start().await;
    let manage = format!("/manage/{}", world.booked().await["token"].as_str().unwrap());
    for locale in Locale::ALL {
        for (path, key) in [
            ("/demo", "public.pick_event_type"),
            (manage.as_str(), "public.your_appointment"),
            ("/nobody/at-all", "error.not_found"),
        ] {
            let page = page(&world, path, locale.tag()).await;
            let told = text::lookup(locale, key);
            assert!(page.contains(told) && page.contains(&format!("dir=\"{}\"", locale.direction())), "{path}: {page}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_widget_gets_its_strings_and_its_refusals_in_every_language() {
    let world = World::start().await;
    for locale in Locale::ALL {
        let path = format!("/embed/v1/event-types/demo/intro?lang={}", locale.tag());
        let view: Value = world.get(&path).await.json().await.unwrap();
        assert_eq!(view["locale"], locale.as_str());
        assert_eq!(view["strings"]["book"], text::lookup(locale, "widget.book"));
        let categories = ["zero", "one", "two", "few", "many", "other"];
        let seats =
            categories.iter().filter(|category| view["strings"].get(format!("seats.{category}")).is_some()).count();
        assert_eq!(seats, if locale == Locale::Ar { 6 } else { 2 }, "{locale:?}");
        let refused: Value =
            world.get(&format!("/embed/v1/event-types/demo/none?lang={}", locale.tag())).await.json().await.unwrap();
        assert_eq!(refused["title"], text::lookup(locale, "error.not_found"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_goes_out_in_the_language_of_the_booking() {
    let world = World::start().await;
    let start = world.slots().await[2];
    world.booked_with("an-arabic-booking", "intro", start, json!({ "locale": "ar-EG" })).await;
    let mail = world
        .until("the mail", async || {
            let mails = world.mail.messages();
            mails.into_iter().find(|mail| mail.to.iter().any(|to| to.contains("vera@example.com")))
        })
        .await;
    assert!(mail.subject.starts_with("تم التأكيد: "), "{}", mail.subject);
    assert!(mail.subject.chars().any(|c| ('٠'..='٩').contains(&c)), "Egypt has its own digits: {}", mail.subject);
    assert!(mail.html.unwrap().contains("<html lang=\"ar-EG\" dir=\"rtl\">"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_dashboard_stays_in_english_and_spanish() {
    let world = World::start().await;
    let cookie = world.sign_in().await;
    for (accept, language) in [("de", "en"), ("ar", "en"), ("es-MX", "es")] {
        let answer = world.client.get(world.url("/sign-in")).header("accept-language", accept).send().await.unwrap();
        let page = answer.text().await.unwrap();
        assert!(page.contains(&format!("lang=\"{language}\"")), "{accept}: {page}");
    }
    let page = world.ask(&cookie, "/dashboard?lang=fr").await.text().await.unwrap();
    assert!(page.contains("lang=\"en\""), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn caches_keep_answers_in_different_languages_apart() {
    let world = World::start().await;
    for path in ["/embed/v1/event-types/demo/intro", "/embed/v1/first?org=demo&event=intro"] {
        let answer = world.get(path).await;
        let vary: Vec<_> = answer.headers().get_all("vary").iter().filter_map(|it| it.to_str().ok()).collect();
        for header in ["Accept-Language", "Cookie", "Origin"] {
            assert!(vary.iter().any(|names| names.contains(header)), "{path}: {header} is not in {vary:?}");
        }
    }
}
