//! Microsoft: connecting there and back, the handshake of its subscriptions, and what it tells.

use chrono::{DateTime, TimeDelta, Utc};
use cupo_simulators::microsoft::{Exchange, Fault, LifecycleEvent, MicrosoftOptions, MicrosoftSimulator};
use reqwest::Response;
use serde_json::{Value, json};

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

    /// As [`World::settle`], and nothing is asked of this simulator either.
    async fn settle(&self) {
        let mut asked = usize::MAX;
        self.world
            .until("quiet at Microsoft", async || {
                self.world.settle().await;
                let now = self.simulator.exchanges().len();
                (std::mem::replace(&mut asked, now) == now).then_some(())
            })
            .await;
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

/// An event of half an hour.
fn dentist(start: DateTime<Utc>) -> Value {
    let time = |at: DateTime<Utc>| json!({ "dateTime": at.format("%Y-%m-%dT%H:%M:%S").to_string(), "timeZone": "UTC" });
    json!({ "subject": "Dentist", "start": time(start), "end": time(start + TimeDelta::minutes(30)) })
}

/// The requests for what changed.
fn deltas(simulator: &MicrosoftSimulator) -> Vec<Exchange> {
    simulator.exchanges().into_iter().filter(|it| it.path.ends_with("/calendarView/delta")).collect()
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
        let just = world.url(&format!("{path}?validationToken={}", "x".repeat(1024)));
        assert_eq!(world.client.post(just).send().await.unwrap().text().await.unwrap().len(), 1024);
        let long = world.url(&format!("{path}?validationToken={}", "x".repeat(1025)));
        assert_eq!(world.client.post(long).send().await.unwrap().status(), 413);
        let twice = world.url(&format!("{path}?validationToken=a&validationToken=b"));
        assert_eq!(world.client.post(twice).send().await.unwrap().status(), 400);
        let read = world.url(&format!("{path}?validationToken=a"));
        assert_eq!(world.client.get(read).send().await.unwrap().status(), 405);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handshake_with_notifications_in_it_is_a_handshake_and_nothing_else() {
    let microsoft = Microsoft::start().await;
    microsoft.connect(BEN).await;
    let Microsoft { world, simulator, .. } = &microsoft;
    let subscription = world.until("the subscription", async || simulator.subscriptions().into_iter().next()).await;
    microsoft.settle().await;
    simulator.clear_exchanges();
    let told = json!({ "value": [{
        "subscriptionId": subscription.id, "clientState": subscription.client_state, "changeType": "updated",
        "resource": subscription.resource, "subscriptionExpirationDateTime": "2099-12-01T00:00:00Z",
    }]});
    for path in ["/webhooks/microsoft", "/webhooks/microsoft/lifecycle"] {
        // HTML and a template's braces, a line that would be a header, and a name of a file: text, all of it.
        let token = "<img src=x onerror=alert(1)>{{7*7}}\r\nset-cookie: a=b\n../../etc/passwd";
        let request = world.client.post(world.url(path)).query(&[("validationToken", token)]).json(&told);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "text/plain; charset=utf-8");
        assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
        assert!(!answer.headers().contains_key("set-cookie"));
        assert_eq!(answer.text().await.unwrap(), token);
    }
    microsoft.settle().await;
    assert!(deltas(simulator).is_empty(), "what came with it was not read");
    let request = world.client.post(world.url("/webhooks/microsoft")).json(&told);
    assert_eq!(request.send().await.unwrap().status(), 202);
    world.until("the sync", async || (!deltas(simulator).is_empty()).then_some(())).await;
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
    microsoft.settle().await;
    let start = world.slots().await[0];
    simulator.insert_event(BEN, dentist(start)).unwrap();
    world.until("the corrected slots", async || (!world.slots().await.contains(&start)).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_that_microsoft_removed_is_opened_again() {
    let microsoft = Microsoft::start().await;
    microsoft.connect(BEN).await;
    let Microsoft { world, simulator, .. } = &microsoft;
    let first = world.until("the subscription", async || simulator.subscriptions().into_iter().next()).await;
    microsoft.settle().await;
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
    microsoft.settle().await;
    simulator.clear_exchanges();
    simulator.lifecycle(&first.id, LifecycleEvent::ReauthorizationRequired).unwrap();
    let count = |method: &str, end: &str| {
        let exchanges = simulator.exchanges().into_iter();
        exchanges.filter(|it| it.method == method && it.path.ends_with(end)).count()
    };
    world.until("the renewal", async || (count("PATCH", &first.id) > 0).then_some(())).await;
    microsoft.settle().await;
    assert_eq!(count("PATCH", &first.id), 1, "it is renewed once");
    assert_eq!(count("POST", "/reauthorize"), 0, "the renewal reauthorizes too");
    assert_eq!(count("POST", "/subscriptions"), 0, "it is not opened again");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_missed_notifications_the_calendar_is_read_anew() {
    let microsoft = Microsoft::start().await;
    microsoft.connect(BEN).await;
    let Microsoft { world, simulator, .. } = &microsoft;
    let subscription = world.until("the subscription", async || simulator.subscriptions().into_iter().next()).await;
    microsoft.settle().await;
    let start = world.slots().await[0];
    let lost =
        Fault { lose_notifications: true, path_pattern: Some("/webhooks/microsoft$".to_owned()), ..Fault::default() };
    simulator.add_fault(lost).unwrap();
    simulator.clear_exchanges();
    simulator.insert_event(BEN, dentist(start)).unwrap();
    world.until("the loss", async || simulator.deliveries().iter().any(|it| it.lost).then_some(())).await;
    microsoft.settle().await;
    assert!(world.slots().await.contains(&start), "nobody has told");
    assert!(deltas(simulator).is_empty());

    simulator.lifecycle(&subscription.id, LifecycleEvent::Missed).unwrap();
    world.until("the corrected slots", async || (!world.slots().await.contains(&start)).then_some(())).await;
    let asked = deltas(simulator);
    assert!(asked.first().is_some_and(|it| it.query.contains("startDateTime=")), "a whole round: {asked:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_known_subscription_with_a_wrong_client_state_is_not_believed() {
    let microsoft = Microsoft::start().await;
    microsoft.connect(BEN).await;
    let Microsoft { world, simulator, .. } = &microsoft;
    let subscription = world.until("the subscription", async || simulator.subscriptions().into_iter().next()).await;
    microsoft.settle().await;
    simulator.clear_exchanges();
    let client_state = subscription.client_state.clone().unwrap();
    let tell = async |path: &str, client_state: &str, more: Value| {
        let mut told = json!({
            "subscriptionId": subscription.id,
            "subscriptionExpirationDateTime": "2099-12-01T00:00:00Z",
            "clientState": client_state,
            "resource": subscription.resource,
        });
        told.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let request = world.client.post(world.url(path)).json(&json!({ "value": [told] }));
        assert_eq!(request.send().await.unwrap().status(), 202);
    };
    let changed = json!({ "changeType": "updated" });
    let wrong = format!("{client_state}x");
    tell("/webhooks/microsoft", &wrong, changed.clone()).await;
    tell("/webhooks/microsoft/lifecycle", &wrong, json!({ "lifecycleEvent": "missed" })).await;
    microsoft.settle().await;
    assert!(deltas(simulator).is_empty(), "nobody was believed");

    tell("/webhooks/microsoft", &client_state, changed).await;
    world.until("the sync", async || (!deltas(simulator).is_empty()).then_some(())).await;
}
