//! Pages for people: what they may load, who may frame them, and that they work without JavaScript.

use reqwest::Response;

use crate::world::{SITE, World};

fn header<'a>(answer: &'a Response, name: &str) -> &'a str {
    answer.headers().get(name).map_or("", |it| it.to_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_public_pages_may_be_framed_by_the_organizations_sites_and_the_dashboard_by_nobody() {
    let world = World::start().await;
    let token = world.booked().await["token"].as_str().unwrap().to_owned();
    for path in ["/demo/intro".to_owned(), format!("/manage/{token}")] {
        let answer = world.browse(&path).await;
        assert_eq!(answer.status(), 200);
        let policy = header(&answer, "content-security-policy").to_owned();
        assert!(policy.contains(&format!("frame-ancestors 'self' {SITE}")), "{path}: {policy}");
        assert_eq!(header(&answer, "referrer-policy"), "same-origin");
        assert_eq!(header(&answer, "cache-control"), "no-store");
    }
    let cookie = world.sign_in().await;
    let dashboard = world.client.get(world.url("/dashboard")).header("cookie", cookie).send().await.unwrap();
    let policy = header(&dashboard, "content-security-policy");
    assert!(policy.contains("frame-ancestors 'none'") && policy.contains("'nonce-"), "{policy}");
    assert!(policy.contains("'wasm-unsafe-eval'") && !policy.contains("script-src 'self' 'unsafe-inline'"), "{policy}");
    assert_eq!(header(&dashboard, "x-content-type-options"), "nosniff");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_does_not_exist_is_a_page_for_browsers_and_a_problem_for_programs() {
    let world = World::start().await;
    for path in ["/nobody/nothing", "/a/b/c/d", "/manage/no-such-token"] {
        let answer = world.browse(path).await;
        assert_eq!(answer.status(), 404, "{path}");
        assert!(header(&answer, "content-type").starts_with("text/html"), "{path}");
    }
    let program = world.client.get(world.url("/a/b/c/d")).header("accept", "application/json").send().await.unwrap();
    assert_eq!(header(&program, "content-type"), "application/problem+json");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_without_javascript_books_moves_and_cancels_by_forms() {
    let world = World::start().await;
    let slots = world.slots().await;
    let slot = slots[0].format("%Y-%m-%dT%H:%M:%SZ").to_string();
    let booking = |email: &'static str, key: &'static str| {
        vec![
            ("slot", slot.clone()),
            ("tz", "Europe/Madrid".to_owned()),
            ("name", "Vera Visitor".to_owned()),
            ("email", email.to_owned()),
            ("phone", String::new()),
            ("notes", "I bring <b>cake</b>".to_owned()),
            ("idempotency_key", key.to_owned()),
        ]
    };
    let post = async |path: &str, fields: &[(&str, String)]| {
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        world.form(path, &fields).await
    };

    let typo = post("/demo/intro", &booking("vera(at)example.com", "a-key-for-the-form")).await;
    assert_eq!(typo.status(), 422);
    let page = typo.text().await.unwrap();
    assert!(page.contains("vera(at)example.com") && page.contains("Vera Visitor"), "what was typed is kept");
    assert!(!page.contains("<b>cake</b>"), "and is text, not markup");

    let booked = post("/demo/intro", &booking("vera@example.com", "a-key-for-the-form")).await;
    assert_eq!(booked.status(), 303);
    let manage = header(&booked, "location").to_owned();
    assert!(manage.starts_with("/manage/") && manage.contains("booked=1"), "{manage}");
    assert_eq!(world.browse(&manage).await.status(), 200);

    let late = post("/demo/intro", &booking("late@example.com", "a-key-for-another")).await;
    assert_eq!(late.status(), 409);
    assert!(late.text().await.unwrap().contains("late@example.com"), "nothing typed is lost");

    let path = manage.split('?').next().unwrap().to_owned();
    let other = slots[4].format("%Y-%m-%dT%H:%M:%SZ").to_string();
    let moved = post(&format!("{path}/reschedule"), &[("slot", other), ("tz", "Europe/Madrid".to_owned())]).await;
    assert_eq!(moved.status(), 303);
    assert!(header(&moved, "location").contains("done=rescheduled"), "{:?}", moved.headers());
    let cancelled = post(&format!("{path}/cancel"), &[("reason", "Ill.".to_owned())]).await;
    assert_eq!(cancelled.status(), 303);
    assert!(header(&cancelled, "location").contains("done=cancelled"));
    assert!(world.slots().await.contains(&slots[4]));
}

#[tokio::test(flavor = "multi_thread")]
async fn robots_and_icons_are_where_they_are_looked_for() {
    let world = World::start().await;
    assert!(world.get("/robots.txt").await.text().await.unwrap().contains("Disallow: /manage/"));
    assert_eq!(header(&world.get("/favicon.ico").await, "content-type"), "image/svg+xml");
    assert_eq!(world.get("/assets/../Cargo.toml").await.status(), 404);
    assert_eq!(world.get("/assets/nothing.js").await.status(), 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_widgets_files_are_kept_for_ever_and_come_in_the_best_coding_that_the_browser_reads() {
    let world = World::start().await;
    let loader = world.get("/embed.js").await;
    assert_eq!(header(&loader, "cache-control"), "public, max-age=300");
    let loader = loader.text().await.unwrap();
    let named = |extension: &str| {
        let paths = loader.split('"').filter(|text| text.starts_with("/assets/") && text.ends_with(extension));
        paths.map(str::to_owned).next().unwrap_or_else(|| panic!("the loader names no {extension}"))
    };
    for (extension, content_type) in [(".wasm", "application/wasm"), (".js", "text/javascript; charset=utf-8")] {
        let path = named(extension);
        let mut sizes = Vec::new();
        for (accepted, coding) in [
            ("gzip, deflate, br, zstd", Some("br")),
            ("gzip, zstd", Some("zstd")),
            ("gzip", Some("gzip")),
            ("br;q=0, deflate", None),
        ] {
            let answer = world.client.get(world.url(&path)).header("accept-encoding", accepted).send().await.unwrap();
            let told = answer.headers().get("content-encoding").map(|it| it.to_str().unwrap());
            assert_eq!((answer.status().as_u16(), told), (200, coding), "{path} {accepted}");
            // Only what is told to be WASM is compiled while it arrives.
            assert_eq!(header(&answer, "content-type"), content_type);
            assert_eq!(header(&answer, "cache-control"), "public, max-age=31536000, immutable");
            assert_eq!(header(&answer, "vary"), "Accept-Encoding");
            sizes.push(answer.bytes().await.unwrap().len());
        }
        assert!(sizes[..3].iter().all(|size| *size < sizes[3]), "{path}: {sizes:?}");
        assert!(sizes[0] <= sizes[1] && sizes[0] <= sizes[2], "{path}: {sizes:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_preview_of_the_embed_page_is_for_hosts_and_the_dashboard_alone_frames_it() {
    let world = World::start().await;
    let path = "/dashboard/embed/preview?way=inline&event=demo%2Fintro&accent=%237a1fa2";
    assert_eq!(world.get(path).await.status(), 401);
    let cookie = world.sign_in().await;
    let answer = world.client.get(world.url(path)).header("cookie", cookie).send().await.unwrap();
    let policy = header(&answer, "content-security-policy").to_owned();
    assert!(policy.ends_with("frame-ancestors 'self'"), "{policy}");
    let nonce = policy.split("'nonce-").nth(1).and_then(|rest| rest.split('\'').next()).unwrap();
    let page = answer.text().await.unwrap();
    assert!(page.contains("<cupo-booking event=\"demo/intro\""), "{page}");
    let style = format!("<style nonce=\"{nonce}\">:root{{--cupo-accent:#7a1fa2;}}</style>");
    assert!(page.contains(&style), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_in_a_frame_tells_what_was_done_and_a_page_of_its_own_does_not() {
    let world = World::start().await;
    let appointment = world.booked().await;
    let token = appointment["token"].as_str().unwrap();
    let told = |page: &str| {
        let attribute = |name: &str| page.split(&format!("{name}=\"")).nth(1)?.split('"').next().map(str::to_owned);
        (attribute("data-told"), attribute("data-start"))
    };
    let framed = world.browse(&format!("/manage/{token}?booked=1&embed=1")).await.text().await.unwrap();
    let start = appointment["start"].as_str().unwrap().to_owned();
    assert_eq!(told(&framed), (Some("booked".to_owned()), Some(start)));
    assert!(framed.contains("src=\"/frame.js\""), "{framed}");
    let framed = world.browse("/demo/intro?embed=1").await.text().await.unwrap();
    assert_eq!(told(&framed), (Some("ready".to_owned()), None));
    let alone = world.browse(&format!("/manage/{token}?booked=1")).await.text().await.unwrap();
    assert_eq!(told(&alone), (None, None));
    assert!(!alone.contains("/frame.js"), "{alone}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_loader_its_types_and_the_script_of_frames_are_at_fixed_addresses() {
    let world = World::start().await;
    for (path, kind) in
        [("/embed.js", "text/javascript"), ("/embed.d.ts", "text/plain"), ("/frame.js", "text/javascript")]
    {
        let answer = world.get(path).await;
        assert_eq!(answer.status(), 200, "{path}");
        assert!(header(&answer, "content-type").starts_with(kind), "{path}");
        assert!(header(&answer, "cache-control").starts_with("public, max-age="), "{path}");
    }
}
