//! Microsoft: connecting there and back, the handshake of its subscriptions, and what it tells.

use cupo_simulators::microsoft::{LifecycleEvent, MicrosoftOptions, MicrosoftSimulator};
use reqwest::Response;
use serde_json::json;

use crate::world::{World, configuration_with_microsoft};

const BEN: &str = "ben@contoso.example";

/// The demo, and Ana has connected Microsoft too.
struct Microsoft {
    world: World,
    simulator: MicrosoftSimulator,
    cookie: String,
}

impl Microsoft {
    async fn start() -> Self {
        let simulator = MicrosoftSimulator::start(MicrosoftOptions::default()).await.unwrap();
        let address = simulator.base_url();
        let world =
            World::configured(|google, smtp, limits| configuration_with_microsoft(google, &address, smtp, limits))
                .await;
        let cookie = world.sign_in().await;
        Self { world, simulator, cookie }
    }

    async fn ask(&self, path: &str) -> Response {
        self.world.ask(&self.cookie, path).await
    }

    /// Walks through the consent page as `account`; gives the path to which the browser is sent back.
    async fn consent(&self, account: &str) -> String {
        let start = self.ask("/oauth/microsoft/start").await;
        let to: url::Url = location(&start).parse().unwrap();
        assert!(to.as_str().starts_with(&self.simulator.base_url()), "{to}");
        let form = [("account", account), ("request", to.query().unwrap()), ("decision", "allow")];
        let mut page = to.clone();
        page.set_path(&format!("{}/consent", to.path()));
        page.set_query(None);
        let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = self.world.client.post(page).header("content-type", "application/x-www-form-urlencoded");
        let back: url::Url = location(&request.body(form).send().await.unwrap()).parse().unwrap();
        format!("{}?{}", back.path(), back.query().unwrap())
    }

    async fn connect(&self, account: &str) {
        let back = self.consent(account).await;
        assert_eq!(location(&self.ask(&back).await), "/dashboard/calendars?notice=connected");
    }
}

fn location(answer: &Response) -> &str {
    assert!(answer.status().is_redirection(), "{}", answer.status());
    answer.headers()["location"].to_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_handshakes_token_is_echoed_as_plain_text_and_as_nothing_else() {
    let world = World::start().await;
    for path in ["/webhooks/microsoft", "/webhooks/microsoft/lifecycle"] {
        let address = world.url(&format!("{path}?validationToken=Validation%3A%20%3Cscript%3E%26%C3%B1"));
        let answer = world.client.post(address).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "text/plain; charset=utf-8");
        assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
        assert_eq!(answer.text().await.unwrap(), "Validation: <script>&ñ");
        let long = world.url(&format!("{path}?validationToken={}", "x".repeat(1025)));
        assert_eq!(world.client.post(long).send().await.unwrap().status(), 413);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_notification_of_ours_is_answered_and_does_nothing() {
    let world = World::start().await;
    let told = json!({ "value": [{
        "subscriptionId": "7f105c7d-2dc5-4530-97cd-4e7ae6534c07", "clientState": "made-up.secret", "changeType": "updated",
        "resource": "Users/x/Events/y", "subscriptionExpirationDateTime": "2026-12-01T00:00:00Z",
    }]});
    for body in [told.to_string(), "{}".to_owned(), "no JSON".to_owned(), String::new()] {
        let request = world.client.post(world.url("/webhooks/microsoft")).header("content-type", "application/json");
        assert_eq!(request.body(body.clone()).send().await.unwrap().status(), 202, "{body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_who_allowed_the_application_is_thanked() {
    let world = World::start().await;
    let back = "/oauth/microsoft/callback?admin_consent=True&tenant=6f2d5c1e-8a0b-4e57-9c3d-2b7f41a86e90";
    assert_eq!(location(&world.get(back).await), "/sign-in?notice=admin_consented");
    let page = world.browse("/sign-in?notice=admin_consented").await.text().await.unwrap();
    assert!(page.contains("Cupo is allowed for your organization"), "{page}");
    let cookie = world.sign_in().await;
    assert_eq!(location(&world.ask(&cookie, back).await), "/dashboard/calendars?notice=admin_consented");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_provider_is_an_unknown_address() {
    let world = World::start().await;
    let cookie = world.sign_in().await;
    assert_eq!(world.ask(&cookie, "/oauth/yahoo/start").await.status(), 404);
    // Known, but the operator has registered no application.
    let unconfigured = world.ask(&cookie, "/oauth/microsoft/start").await;
    assert_eq!(location(&unconfigured), "/dashboard/calendars?error=not-configured");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connected_account_is_subscribed_to_and_its_changes_take_slots_away() {
    let microsoft = Microsoft::start().await;
    microsoft.connect(BEN).await;
    let Microsoft { world, simulator, .. } = &microsoft;
    world.until("the subscription", async || (!simulator.subscriptions().is_empty()).then_some(())).await;
    world.settle().await;
    let start = world.slots().await[0];
    let time = |at: chrono::DateTime<chrono::Utc>| json!({ "dateTime": at.format("%Y-%m-%dT%H:%M:%S").to_string(), "timeZone": "UTC" });
    let end = start + chrono::TimeDelta::minutes(30);
    let event = json!({ "subject": "Dentist", "start": time(start), "end": time(end) });
    simulator.insert_event(BEN, event).unwrap();
    world.until("the corrected slots", async || (!world.slots().await.contains(&start)).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_that_microsoft_removed_is_opened_again() {
    let microsoft = Microsoft::start().await;
    microsoft.connect(BEN).await;
    let Microsoft { world, simulator, .. } = &microsoft;
    let first = world.until("the subscription", async || simulator.subscriptions().into_iter().next()).await;
    world.settle().await;
    simulator.lifecycle(&first.id, LifecycleEvent::SubscriptionRemoved).unwrap();
    world
        .until("another subscription", async || simulator.subscriptions().into_iter().find(|now| now.id != first.id))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_that_needs_it_is_renewed() {
    let microsoft = Microsoft::start().await;
    microsoft.connect(BEN).await;
    let Microsoft { world, simulator, .. } = &microsoft;
    let first = world.until("the subscription", async || simulator.subscriptions().into_iter().next()).await;
    world.settle().await;
    simulator.clear_exchanges();
    simulator.lifecycle(&first.id, LifecycleEvent::ReauthorizationRequired).unwrap();
    let renewals = || {
        let exchanges = simulator.exchanges().into_iter();
        exchanges.filter(|it| it.method == "PATCH" && it.path.ends_with(&first.id)).count()
    };
    world.until("the renewal", async || (renewals() == 1).then_some(())).await;
}
