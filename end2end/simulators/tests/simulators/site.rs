use cupo_simulators::site::{SampleSite, SiteOptions};

const CUPO: &str = "http://127.0.0.1:3000";

async fn site() -> SampleSite {
    let listen = "127.0.0.1:0".parse().unwrap();
    let options = SiteOptions { listen, cupo_url: format!("{CUPO}/"), event: "demo/intro".to_owned() };
    SampleSite::start(options).await.unwrap()
}

async fn page(site: &SampleSite, path: &str) -> (u16, String, String) {
    let answer = reqwest::get(format!("{}{path}", site.base_url())).await.unwrap();
    let policy = answer.headers().get("content-security-policy").map(|it| it.to_str().unwrap().to_owned());
    (answer.status().as_u16(), answer.text().await.unwrap(), policy.unwrap_or_default())
}

#[tokio::test]
async fn the_business_page_carries_the_pasted_tag_in_both_languages() {
    let site = site().await;
    for (path, language) in [("/", "en"), ("/es", "es"), ("/?lang=es", "es"), ("/es?lang=en", "en")] {
        let (status, html, _) = page(&site, path).await;
        assert_eq!(status, 200);
        assert!(html.contains(&format!("<html lang=\"{language}\">")), "{path}");
        assert!(html.contains(&format!("<script async src=\"{CUPO}/embed.js\"></script>")), "{path}");
        assert!(html.contains("<cupo-booking event=\"demo/intro\"></cupo-booking>"), "{path}");
    }
    site.stop().await;
}

#[tokio::test]
async fn the_other_pages_carry_their_variants() {
    let site = site().await;
    let two = page(&site, "/two?a=one/first&b=two/second").await.1;
    assert!(two.contains("<cupo-booking event=\"one/first\">") && two.contains("<cupo-booking event=\"two/second\">"));
    let tag = page(&site, "/tag?event=org/slug").await.1;
    assert!(tag.contains(&format!("<script async src=\"{CUPO}/embed.js\" data-event=\"org/slug\"></script>")));
    assert!(!tag.contains("<cupo-booking"));
    assert!(page(&site, "/hostile").await.1.contains("/hostile.css"));
    let (_, html, policy) = page(&site, "/csp").await;
    assert!(html.contains("<cupo-booking"));
    assert!(policy.contains(&format!("script-src {CUPO};")) && !policy.contains("wasm-unsafe-eval"), "{policy}");
    site.stop().await;
}

#[tokio::test]
async fn a_cupo_below_a_path_is_named_with_it_but_in_a_policy_by_its_origin() {
    let listen = "127.0.0.1:0".parse().unwrap();
    let options = SiteOptions { listen, cupo_url: format!("{CUPO}/book/"), event: "demo/intro".to_owned() };
    let site = SampleSite::start(options).await.unwrap();
    let (_, html, policy) = page(&site, "/csp").await;
    assert!(html.contains(&format!("<script async src=\"{CUPO}/book/embed.js\"></script>")), "{html}");
    assert!(policy.contains(&format!("script-src {CUPO};")), "{policy}");
    site.stop().await;
}

#[tokio::test]
async fn a_malformed_event_or_language_is_refused() {
    let site = site().await;
    for path in ["/?event=nonsense", "/hostile?event=a/%22%3E", "/two?a=x", "/tag?event=A/b", "/?lang=fr"] {
        assert_eq!(page(&site, path).await.0, 400, "{path}");
    }
    site.stop().await;
}

#[tokio::test]
async fn a_site_without_a_cupo_or_an_event_does_not_start() {
    let listen = "127.0.0.1:0".parse().unwrap();
    let wrong_url = SiteOptions { listen, cupo_url: "cupo".to_owned(), event: "demo/intro".to_owned() };
    assert!(SampleSite::start(wrong_url).await.is_err());
    let wrong_event = SiteOptions { listen, cupo_url: CUPO.to_owned(), event: "intro".to_owned() };
    assert!(SampleSite::start(wrong_event).await.is_err());
}
