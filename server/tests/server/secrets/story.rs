//! A story in which every secret has its part.

use std::collections::BTreeSet;
use std::sync::Mutex;

use axum::http::StatusCode;
use cupo_server::Server;
use cupo_server::commands::{SeedOptions, seed};
use cupo_server::config::Config;
use cupo_simulators::google::{GoogleOptions, GoogleSimulator};
use cupo_simulators::mail::MailSink;
use cupo_simulators::microsoft::{
    ApplicationAccess, CONTOSO_TENANT, Client as Registered, MicrosoftOptions, MicrosoftSimulator,
};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use url::{Url, form_urlencoded};

use super::relay::Relay;
use crate::caldav_stand_in::CaldavStandIn;
use crate::counting_server::CountingServer;
use crate::world::{SITE, World, booking, configuration_with_microsoft, today};

const KEY: &str = include_str!("../../../providers/tests/keys/rsa-pkcs8.pem");
const CERTIFICATE: &str = include_str!("../../../providers/tests/keys/certificate.pem");
const FEED: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Example//EN\r\nEND:VCALENDAR\r\n";

const WRONG_GUESS: &str = "my-wrong-guess-of-a-password";
const CALDAV_WRONG: &str = "not-the-app-password";
const CALDAV_FIRST: &str = "abcd-efgh-ijkl-mnop";
const CALDAV_SECOND: &str = "qrst-uvwx-yzab-cdef";
const FEED_SECRET: &str = "private-0123456789abcdef0123";
const REFUSED_FEED_SECRET: &str = "private-fedcba98765432103210";
const APPLICATION_SECRET: &str = "Xq8~application-secret-of-contoso";
const WRONG_APPLICATION_SECRET: &str = "Xq8~another-secret-that-is-wrong";
const WRONG_CHANNEL_TOKEN: &str = "a-made-up-channel-token";
const IDEMPOTENCY_KEY: &str = "an-idempotency-key-of-vera";
const VISITORS: [&str; 3] = ["vera@example.com", "Vera Visitor", "Please ring twice"];

/// The world, with both providers behind relays.
pub struct Story {
    pub world: World,
    google: Relay,
    microsoft: Relay,
    outlook: MicrosoftSimulator,
    caldav: CaldavStandIn,
    /// Ana's cookie.
    cookie: String,
    /// Secrets that were never sent to a provider.
    own: BTreeSet<String>,
    answers: Mutex<Vec<Answer>>,
}

/// An answer of Cupo's, and the secrets that it is there to carry.
pub struct Answer {
    pub what: String,
    pub text: String,
    pub carries: Vec<String>,
}

impl Story {
    pub async fn begins() -> Self {
        let simulator = GoogleSimulator::start(GoogleOptions::default()).await.unwrap();
        let outlook = MicrosoftSimulator::start(MicrosoftOptions::default()).await.unwrap();
        let google = Relay::to(simulator.base_url()).await;
        let microsoft = Relay::to(outlook.base_url()).await;
        let any = "127.0.0.1:0".parse().unwrap();
        let mail = MailSink::start(any, any).await.unwrap();
        let rates = ["sign_in", "bookings", "holds", "slots", "webhooks", "pages"];
        let lifted: String = rates.iter().map(|rate| format!("{rate}_per_minute = 0\n")).collect();
        let limits = format!("{lifted}private_addresses = true\n");
        let text = configuration_with_microsoft(&google.url, &microsoft.url, mail.smtp_address().port(), &limits);
        let config = Config::from_toml(&text).unwrap();
        let server = Server::start(config.clone()).await.unwrap();
        let options = SeedOptions { site_origin: SITE.to_owned(), simulator: Some(google.url.parse().unwrap()) };
        let demo = seed(&server.engine, &config, &options).await.unwrap();
        let own = BTreeSet::from([
            demo.password.clone(),
            config.secrets.session_secret.expose().to_owned(),
            // The encryption key of the configuration.
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8".to_owned(),
            cupo_simulators::google::DEMO_CLIENT_SECRET.to_owned(),
            cupo_simulators::microsoft::DEMO_CLIENT_SECRET.to_owned(),
        ]);
        let client = Client::builder().redirect(Policy::none()).build().unwrap();
        let world = World { server, google: simulator, mail, demo, config, client };
        let caldav = CaldavStandIn::start(CALDAV_FIRST).await;
        let (cookie, answers) = (String::new(), Mutex::default());
        Self { world, google, microsoft, outlook, caldav, cookie, own, answers }
    }

    /// Everything of it, in turn.
    pub async fn is_told(&mut self) {
        self.signing_in().await;
        self.providers_are_connected().await;
        self.own_servers_are_connected().await;
        self.credentials_are_uploaded().await;
        self.visitors_book().await;
        self.providers_refuse_and_repeat_what_they_were_sent().await;
        self.strangers_pretend().await;
        self.pages_are_looked_at().await;
        self.signing_out().await;
        self.world.settle().await;
    }

    /// Every secret that there was.
    pub fn secrets(&self) -> BTreeSet<String> {
        let constants = [
            WRONG_GUESS,
            CALDAV_WRONG,
            CALDAV_FIRST,
            CALDAV_SECOND,
            FEED_SECRET,
            REFUSED_FEED_SECRET,
            APPLICATION_SECRET,
            WRONG_APPLICATION_SECRET,
            WRONG_CHANNEL_TOKEN,
            IDEMPOTENCY_KEY,
        ];
        // Any line of it would give the key away.
        let key = KEY.lines().filter(|line| !line.starts_with('-') && line.len() > 40);
        let all = constants.into_iter().chain(key).map(str::to_owned);
        let heard = self.google.heard().into_values().chain(self.microsoft.heard().into_values()).flatten();
        all.chain(self.own.clone()).chain(heard).collect()
    }

    /// Which kinds of secrets passed between Cupo and a provider.
    pub fn kinds(&self) -> BTreeSet<String> {
        self.google.heard().into_keys().chain(self.microsoft.heard().into_keys()).collect()
    }

    /// How many refresh tokens Microsoft gave, one after another.
    pub fn rotated(&self) -> usize {
        self.microsoft.heard().get("refresh_token").map_or(0, BTreeSet::len)
    }

    /// What names a visitor.
    pub fn visitors() -> [&'static str; 3] {
        VISITORS
    }

    pub fn answers(&self) -> std::sync::MutexGuard<'_, Vec<Answer>> {
        self.answers.lock().unwrap()
    }

    /// Sends a request, and keeps its answer.
    async fn send(&self, what: &str, request: RequestBuilder, carries: &[&str]) -> Kept {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.text().await.unwrap();
        let text = format!("{status}\n{headers:?}\n{body}");
        let carries = carries.iter().map(|it| (*it).to_owned()).collect();
        self.answers().push(Answer { what: what.to_owned(), text, carries });
        let header = |name: &str| headers.get(name).map(|it| it.to_str().unwrap().to_owned()).unwrap_or_default();
        Kept { status, body, location: header("location"), cookie: header("set-cookie") }
    }

    /// Says of the last answer that it is there to carry this.
    fn carries(&self, secret: &str) {
        self.answers().last_mut().unwrap().carries.push(secret.to_owned());
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.world.client.request(method, self.world.url(path)).header("cookie", &self.cookie);
        request.header("origin", &self.world.server.base_url)
    }

    async fn get(&self, path: &str) -> Kept {
        self.send(path, self.request(Method::GET, path).header("accept", "text/html"), &[]).await
    }

    /// A form, once as the dashboard's script sends it and once as a browser without one does.
    async fn both_forms(&self, function: &str, fields: &[(&str, &str)]) -> Kept {
        self.form(function, fields, "text/html").await;
        self.form(function, fields, "application/json").await
    }

    async fn form(&self, function: &str, fields: &[(&str, &str)], accept: &str) -> Kept {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = self.request(Method::POST, &format!("/dashboard/api/{function}")).header("accept", accept);
        let request = request.header("referer", self.world.url("/dashboard"));
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(body);
        self.send(function, request, &[]).await
    }

    async fn signing_in(&mut self) {
        let wrong = [("form[email]", "ana@example.com"), ("form[password]", WRONG_GUESS)];
        self.both_forms("sign_in", &wrong).await;
        let password = self.world.demo.password.clone();
        let right = [("form[email]", "ana@example.com"), ("form[password]", password.as_str())];
        let answer = self.form("sign_in", &right, "text/html").await;
        self.cookie = answer.cookie.split(';').next().unwrap().to_owned();
        let session = self.cookie.split_once('=').unwrap().1.to_owned();
        self.carries(&session);
        self.own.insert(session);
    }

    async fn providers_are_connected(&self) {
        for (provider, account) in [("google", "ben@example.com"), ("microsoft", "ben@contoso.example")] {
            let start = self.get(&format!("/oauth/{provider}/start")).await;
            let to: Url = start.location.parse().unwrap();
            let state = to.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
            self.carries(&state);
            let back = self.consent(&to, account).await;
            let back = format!("{}?{}", back.path(), back.query().unwrap());
            let answer = self.get(&back).await;
            assert_eq!(answer.location, "/dashboard/calendars?notice=connected");
            // Used up.
            self.get(&back).await;
        }
        self.world.settle().await;
        // Access tokens end before their time: they are refreshed, and Microsoft gives another refresh token.
        self.world.google.expire_access_tokens();
        self.outlook.expire_access_tokens();
        for account in self.accounts().await {
            self.both_forms("account_test", &[("id", &account)]).await;
        }
    }

    async fn consent(&self, to: &Url, account: &str) -> Url {
        let mut form = vec![("account".to_owned(), account.to_owned()), ("decision".to_owned(), "allow".to_owned())];
        form.push(("request".to_owned(), to.query().unwrap().to_owned()));
        if to.path().starts_with("/o/oauth2") {
            let (_, scopes) = to.query_pairs().find(|(name, _)| name == "scope").unwrap();
            form.extend(scopes.split_whitespace().map(|scope| ("scope".to_owned(), scope.to_owned())));
        }
        let mut page = to.clone();
        page.set_path(&format!("{}/consent", to.path()));
        page.set_query(None);
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = self.world.client.post(page).header("content-type", "application/x-www-form-urlencoded");
        let answer = request.body(body).send().await.unwrap();
        answer.headers()["location"].to_str().unwrap().parse().unwrap()
    }

    async fn accounts(&self) -> Vec<String> {
        let accounts = self.world.server.engine.accounts(&self.world.ana().await).await.unwrap();
        accounts.iter().map(|overview| overview.account.id.to_string()).collect()
    }

    async fn own_servers_are_connected(&self) {
        let before = self.accounts().await;
        let caldav = |password| {
            [
                ("form[preset]", "generic"),
                ("form[server]", self.caldav.url.as_str()),
                ("form[username]", "ana-at-home"),
                ("form[password]", password),
            ]
        };
        self.both_forms("caldav_connect", &caldav(CALDAV_WRONG)).await;
        let answer = self.form("caldav_connect", &caldav(CALDAV_FIRST), "application/json").await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let id = self.accounts().await.into_iter().find(|id| !before.contains(id)).unwrap();
        self.caldav.set_password(CALDAV_SECOND);
        self.both_forms("account_test", &[("id", &id)]).await;
        self.both_forms("account_password", &[("form[id]", &id), ("form[password]", CALDAV_WRONG)]).await;
        let new = [("form[id]", id.as_str()), ("form[password]", CALDAV_SECOND)];
        let answer = self.form("account_password", &new, "application/json").await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let good = CountingServer::start(StatusCode::OK, FEED).await;
        let bad = CountingServer::start(StatusCode::FORBIDDEN, REFUSED_FEED_SECRET).await;
        let at = |port: u16, secret: &str| format!("http://127.0.0.1:{port}/calendar/{secret}/basic.ics");
        let (good, bad) = (at(good.port, FEED_SECRET), at(bad.port, REFUSED_FEED_SECRET));
        self.both_forms("feed_connect", &[("form[name]", "Refused"), ("form[address]", &bad)]).await;
        let fields = [("form[name]", "Team"), ("form[address]", good.as_str())];
        let answer = self.form("feed_connect", &fields, "application/json").await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        self.world.settle().await;
    }

    async fn credentials_are_uploaded(&self) {
        let key = json!({
            "type": "service_account",
            "private_key_id": "key-1",
            "private_key": KEY,
            "client_email": "cupo@project.iam.gserviceaccount.com",
            "client_id": "104711",
            "token_uri": "https://oauth2.googleapis.com/token",
        });
        let broken = json!({ "type": "service_account", "private_key": KEY, "client_email": "x" }).to_string();
        self.both_forms("service_account_add", &[("form[key_json]", &broken)]).await;
        let answer =
            self.form("service_account_add", &[("form[key_json]", &key.to_string())], "application/json").await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        self.outlook.add_client(Registered {
            client_id: "an-application".to_owned(),
            client_secret: Some(APPLICATION_SECRET.to_owned()),
            certificates: vec![CERTIFICATE.to_owned()],
            application: Some(ApplicationAccess {
                tenant: CONTOSO_TENANT.to_owned(),
                permissions: vec!["Calendars.ReadWrite".to_owned(), "User.Read.All".to_owned()],
                mailboxes: vec!["ana@contoso.example".to_owned()],
            }),
            ..Registered::default()
        });
        let application = |proof, secret, certificate, key| {
            [
                ("form[tenant]", CONTOSO_TENANT),
                ("form[client_id]", "an-application"),
                ("form[proof]", proof),
                ("form[client_secret]", secret),
                ("form[certificate_pem]", certificate),
                ("form[private_key_pem]", key),
            ]
        };
        self.both_forms("application_add", &application("secret", WRONG_APPLICATION_SECRET, "", "")).await;
        self.both_forms("application_add", &application("certificate", "", "no certificate", KEY)).await;
        // The assertion is for the relay, which is not whom Microsoft calls itself: it is signed, sent and refused.
        self.both_forms("application_add", &application("certificate", "", CERTIFICATE, KEY)).await;
        let fields = application("secret", APPLICATION_SECRET, "", "");
        let answer = self.form("application_add", &fields, "application/json").await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let ana = self.world.ana().await;
        for credential in self.world.server.engine.credentials(&ana).await.unwrap() {
            let (id, user) = (credential.id.to_string(), ana.user_id.to_string());
            let mailbox = [
                ("form[credential_id]", id.as_str()),
                ("form[mailbox]", "ana@contoso.example"),
                ("form[user_id]", user.as_str()),
            ];
            // Microsoft lets the application in; Google has never heard of the service account.
            self.form("mailbox_connect", &mailbox, "application/json").await;
        }
        self.world.settle().await;
    }

    async fn visitors_book(&mut self) {
        let start = self.world.slots().await[0];
        let mut body = booking(start);
        body["notes"] = json!(VISITORS[2]);
        let hold = json!({ "org": "demo", "event": "intro", "start": start });
        let answer = self.send("hold", self.request(Method::POST, "/embed/v1/holds").json(&hold), &[]).await;
        let hold = text_of(&answer.body, "hold");
        self.carries(&hold);
        self.own.insert(hold.clone());
        self.get(&format!("/embed/v1/slots?org=demo&event=intro&from={0}&to={0}&hold={hold}", today())).await;
        body["hold"] = json!(hold);
        let mut manage = String::new();
        // The second time it is a replay, and the third one another request under the same key.
        for (attempt, name) in ["Vera Visitor", "Vera Visitor", "Vera Visitor again"].into_iter().enumerate() {
            body["name"] = json!(name);
            let request = self.request(Method::POST, "/embed/v1/appointments");
            let answer = self.send("book", request.header("idempotency-key", IDEMPOTENCY_KEY).json(&body), &[]).await;
            assert_eq!(answer.status, if attempt < 2 { 201 } else { 422 });
            if attempt < 2 {
                manage = text_of(&answer.body, "token");
                self.carries(&manage);
            }
        }
        self.own.insert(manage.clone());
        let mails = || self.world.mail.messages();
        self.world.until("the mail", async || (!mails().is_empty()).then_some(())).await;
        self.world.settle().await;
        let carries = [manage.as_str()];
        for path in ["", "/calendar.ics"] {
            let path = format!("/embed/v1/appointments/{manage}{path}");
            self.send(&path, self.request(Method::GET, &path), &carries).await;
        }
        let page = format!("/manage/{manage}");
        self.send(&page, self.request(Method::GET, &page).header("accept", "text/html"), &carries).await;
        let link = self.booking_link().await;
        let page = format!("/demo/intro?link={link}");
        self.send(&page, self.request(Method::GET, &page).header("accept", "text/html"), &[&link]).await;
        self.get("/demo/intro?link=no-such-link-as-this").await;
        let cancel = format!("/embed/v1/appointments/{manage}/cancel");
        let request = self.request(Method::POST, &cancel).json(&json!({ "reason": VISITORS[2] }));
        let answer = self.send(&cancel, request, &carries).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        self.world.settle().await;
    }

    async fn booking_link(&mut self) -> String {
        let event_type = self.world.event_type_id(&self.cookie, "intro").await;
        let fields = [("form[event_type]", event_type.as_str()), ("form[days]", "7")];
        let answer = self.form("booking_link_make", &fields, "application/json").await;
        let address: String = serde_json::from_str(&answer.body).unwrap();
        let link = address.split_once("link=").unwrap().1.to_owned();
        self.carries(&link);
        self.own.insert(link.clone());
        link
    }

    /// Errors whose bodies hold the very tokens: of pulls by the worker, of tests by the host, of refreshes.
    async fn providers_refuse_and_repeat_what_they_were_sent(&self) {
        let accounts = self.accounts().await;
        for status in [500, 403, 401] {
            self.google.echo("/events", status, 6);
            self.google.echo("/calendarList", status, 1);
            self.google.echo("/freeBusy", status, 2);
            self.microsoft.echo("/delta", status, 6);
            self.microsoft.echo("/calendars", status, 1);
            for account in &accounts {
                self.form("account_test", &[("id", account)], "application/json").await;
                self.form("account_refresh", &[("id", account)], "application/json").await;
                self.form("account_refresh", &[("id", account)], "application/json").await;
            }
            let start = today().and_hms_opt(3, 0, 0).unwrap().and_utc() + chrono::TimeDelta::days(1);
            let event = json!({
                "summary": "Dentist",
                "start": { "dateTime": start.to_rfc3339() },
                "end": { "dateTime": (start + chrono::TimeDelta::minutes(30)).to_rfc3339() },
            });
            self.world.google.insert_event("ana@example.com", event).unwrap();
            self.world.settle().await;
        }
        // At last the refresh tokens themselves are refused, and repeated.
        self.google.echo("/token", 400, 20);
        self.microsoft.echo("/token", 400, 20);
        self.world.google.expire_access_tokens();
        self.outlook.expire_access_tokens();
        for account in &accounts {
            self.both_forms("account_refresh", &[("id", account)]).await;
            self.form("account_test", &[("id", account)], "application/json").await;
        }
        for relay in [&self.google, &self.microsoft] {
            assert_eq!(relay.echoed(), BTreeSet::from([400, 401, 403, 500]));
        }
    }

    async fn strangers_pretend(&self) {
        let channel = self.world.google.channels().into_iter().next();
        let id = channel.as_ref().map_or("no-channel", |channel| channel.id.as_str()).to_owned();
        let request = self.request(Method::POST, "/webhooks/google").header("x-goog-channel-id", id);
        let request =
            request.header("x-goog-channel-token", WRONG_CHANNEL_TOKEN).header("x-goog-message-number", "9000");
        self.send("webhook", request.header("x-goog-resource-state", "exists"), &[]).await;
        let told = json!({ "value": [{
            "subscriptionId": "7f105c7d-2dc5-4530-97cd-4e7ae6534c07", "clientState": WRONG_CHANNEL_TOKEN,
            "changeType": "updated", "resource": "x", "subscriptionExpirationDateTime": "2026-12-01T00:00:00Z",
        }]});
        self.send("webhook", self.request(Method::POST, "/webhooks/microsoft").json(&told), &[]).await;
    }

    async fn pages_are_looked_at(&self) {
        for path in [
            "/dashboard",
            "/dashboard/calendars",
            "/dashboard/calendars/connect/caldav",
            "/dashboard/credentials",
            "/dashboard/availability",
            "/dashboard/event-types",
            "/dashboard/appointments?filter=cancelled",
            "/dashboard/sites",
            "/dashboard/embed",
            "/dashboard/hosts",
            "/metrics",
            "/readyz",
            "/no/such/address",
        ] {
            self.get(path).await;
        }
        let event_type = self.world.event_type_id(&self.cookie, "intro").await;
        self.get(&format!("/dashboard/event-types/{event_type}")).await;
        for function in ["calendars", "credentials", "overview", "appointments", "session", "sites", "embed", "hosts"] {
            self.form(function, &[("filter", "cancelled")], "application/json").await;
        }
        let ana = self.world.ana().await;
        let cancelled = cupo_store::AppointmentFilter::Cancelled;
        for item in self.world.server.engine.appointments(&ana, cancelled, None).await.unwrap().items {
            self.get(&format!("/dashboard/appointments/{}", item.appointment.id)).await;
        }
    }

    async fn signing_out(&self) {
        self.form("sign_out", &[], "text/html").await;
        // The cookie goes along once more, and is worth nothing.
        self.get("/dashboard/calendars").await;
    }
}

/// What of an answer the story goes on with.
struct Kept {
    status: u16,
    body: String,
    location: String,
    cookie: String,
}

fn text_of(body: &str, member: &str) -> String {
    let value: Value = serde_json::from_str(body).unwrap();
    value[member].as_str().unwrap_or_else(|| panic!("{member} is not in {body}")).to_owned()
}
