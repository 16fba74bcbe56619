//! A whole world in one call: a store, a simulated Google, a mail sink, an engine, and a clock that a test moves.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use cupo_core::{
    event_type::RulesInput,
    ids::EventTypeId,
    parse::FieldErrors,
    text::Locale,
    wire::{AppointmentView, BookingRequest, CancelRequest, HoldRequest, RescheduleRequest, SeriesScope},
};
use cupo_engine::{
    Engine, EngineError, EngineParts, EngineSettings, EventTypeHostInput, EventTypeInput, Google, GoogleCallback,
    Mailer, MemberInput, Principal, SessionSecret, SignUp, SlotsRequest, clock::ManualClock, keyring::Keyring,
    random::OsRandom,
};
use cupo_providers::{
    FeedConfig, Secret, Transport, TransportConfig,
    google::{
        GoogleEndpoints, GoogleProvider,
        oauth::{GoogleClient, GoogleOauth, REQUIRED_SCOPES},
    },
};
use cupo_simulators::{
    google::{DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, Fault, GoogleOptions, GoogleSimulator},
    mail::{MailSink, Message},
};
use cupo_store::Store;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};
use tempfile::TempDir;
use url::Url;

/// The calendar of the host who signed up.
pub const CALENDAR: &str = "ana@example.com";
/// A Monday, 09:00 in Madrid.
pub const NOW: &str = "2026-11-23T08:00:00Z";

pub fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

pub struct World {
    pub engine: Engine,
    pub clock: Arc<ManualClock>,
    pub google: GoogleSimulator,
    pub mail: MailSink,
    pub principal: Principal,
    pub session: String,
    pub store: Store,
    _directory: TempDir,
}

impl World {
    /// Ana has signed up; nothing is connected and nothing on offer.
    pub async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::connect(&format!("sqlite://{}/cupo.db", directory.path().display())).await.unwrap();
        store.migrate().await.unwrap();
        let google = GoogleSimulator::start(GoogleOptions::default()).await.unwrap();
        google.clock().set(at(NOW));
        let any = "127.0.0.1:0".parse().unwrap();
        let mail = MailSink::start(any, any).await.unwrap();
        let clock = Arc::new(ManualClock::new(at(NOW)));
        let engine = Engine::new(EngineParts {
            store: store.clone(),
            clock: clock.clone(),
            random: Arc::new(OsRandom),
            keyring: Keyring::new(&[[7; 32]]).unwrap(),
            session_secret: SessionSecret::new(vec![9; 32]),
            google: Some(connection_to(&google)),
            mailer: Some(
                Mailer::from_url(&format!("smtp://{}", mail.smtp_address()), "Cupo <cupo@cupo.example>").unwrap(),
            ),
            settings: EngineSettings {
                webhook_url: Some(Url::parse("http://127.0.0.1:9/webhooks/google").unwrap()),
                feeds: FeedConfig { allows_private_addresses: true, ..FeedConfig::default() },
                ..EngineSettings::new(Url::parse("https://cupo.example/").unwrap())
            },
        });
        let signed_in = engine.sign_up(ana()).await.unwrap();
        Self {
            engine,
            clock,
            google,
            mail,
            principal: signed_in.principal,
            session: signed_in.session_token.expose().to_owned(),
            store,
            _directory: directory,
        }
    }

    /// Ana has connected Google, and offers a half-hour first visit on weekdays from 9 to 17 in Madrid.
    pub async fn open_for_business() -> Self {
        let world = Self::new().await;
        world.connect().await;
        world.offer(first_visit()).await;
        world.run().await;
        world.google.clear_exchanges();
        world
    }

    pub async fn connect(&self) {
        self.connect_as(&self.principal, &self.session, CALENDAR).await;
    }

    /// Somebody of the organization connects a Google account.
    pub async fn connect_as(&self, principal: &Principal, session: &str, account: &str) {
        let callback = self.consent_as(principal, session, account, &REQUIRED_SCOPES).await;
        let outcome = self.engine.google_connect_finish(principal, session, callback).await.unwrap();
        assert!(outcome.account_id.is_some());
    }

    /// Another host of the organization, with office hours in Madrid, and their session.
    pub async fn colleague(&self, name: &str, email: &str) -> (Principal, String) {
        let input = MemberInput {
            name: name.into(),
            email: email.into(),
            password: "correct horse".into(),
            time_zone: "Europe/Madrid".into(),
        };
        self.engine.member_add(&self.principal, input).await.unwrap();
        let signed_in = self.engine.sign_in(email, "correct horse").await.unwrap();
        (signed_in.principal, signed_in.session_token.expose().to_owned())
    }

    /// The event type of a slug.
    pub async fn event_type(&self, slug: &str) -> EventTypeId {
        let all = self.engine.event_types(&self.principal).await.unwrap();
        all.into_iter().find(|event_type| event_type.slug.as_str() == slug).unwrap().id
    }

    /// Changes the first visit's form.
    pub async fn change(&self, input: EventTypeInput) {
        let id = self.event_type("first-visit").await;
        self.engine.event_type_save(&self.principal, Some(&id), input).await.unwrap();
    }

    pub async fn offer(&self, input: EventTypeInput) {
        self.engine.event_type_save(&self.principal, None, input).await.unwrap();
    }

    /// Walks through the consent page, granting `scopes`; gives what Google sends the browser back with.
    pub async fn consent(&self, scopes: &[&str]) -> GoogleCallback {
        self.consent_as(&self.principal, &self.session, CALENDAR, scopes).await
    }

    async fn consent_as(&self, principal: &Principal, session: &str, account: &str, scopes: &[&str]) -> GoogleCallback {
        let url = self.engine.google_connect_start(principal, session).await.unwrap();
        let mut form = vec![("request", url.query().unwrap()), ("account", account)];
        form.push(("decision", if scopes.is_empty() { "deny" } else { "allow" }));
        form.extend(scopes.iter().map(|scope| ("scope", *scope)));
        let page = format!("{}/o/oauth2/v2/auth/consent", self.google.base_url());
        let browser = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let answer = browser.post(page).form(&form).send().await.unwrap();
        let back = answer.headers()["location"].to_str().unwrap();
        let back = Url::parse(back).unwrap();
        let field = |name| back.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
        GoogleCallback { state: field("state"), code: field("code"), error: field("error") }
    }

    /// Runs every job that is due, moving the clock on in small steps until nothing falls due within half a minute.
    pub async fn run(&self) {
        for _ in 0..15 {
            self.engine.run_due_jobs().await.unwrap();
            // A conference is pending for a moment of real time.
            tokio::time::sleep(std::time::Duration::from_millis(30)).await;
            self.pass(TimeDelta::seconds(2));
        }
        self.engine.run_due_jobs().await.unwrap();
    }

    /// Time passes for Cupo and for Google.
    pub fn pass(&self, time: TimeDelta) {
        self.clock.advance(time);
        self.google.clock().advance(time);
    }

    pub async fn starts(&self, from: &str, to: &str) -> Vec<DateTime<Utc>> {
        self.try_starts(from, to).await.unwrap()
    }

    pub async fn try_starts(&self, from: &str, to: &str) -> Result<Vec<DateTime<Utc>>, EngineError> {
        let answer = self.engine.slots(&slots_request(from, to)).await?;
        let starts = answer.starts.iter().copied();
        // The answer is generous by design; the visitor's zone is Madrid's here.
        let (first, last) = (from.parse().unwrap(), to.parse().unwrap());
        Ok(starts
            .filter(|start| {
                let date = start.with_timezone(&chrono_tz::Europe::Madrid).date_naive();
                (first..=last).contains(&date)
            })
            .collect())
    }

    pub async fn is_offered(&self, start: &str) -> bool {
        let day = at(start).date_naive().to_string();
        self.starts(&day, &day).await.contains(&at(start))
    }

    pub async fn book(&self, key: &str, start: &str) -> AppointmentView {
        self.engine.book(key, request(start)).await.unwrap().view
    }

    /// The events of Ana's calendar that take place.
    pub fn events(&self) -> Vec<Value> {
        self.events_of(CALENDAR)
    }

    /// The events of a calendar that take place.
    pub fn events_of(&self, calendar: &str) -> Vec<Value> {
        let mut events = self.google.events(calendar).unwrap();
        events.retain(|event| event["status"] != "cancelled");
        events
    }

    pub fn the_event(&self) -> Value {
        let mut events = self.events();
        assert_eq!(events.len(), 1, "{events:#?}");
        events.remove(0)
    }

    /// The requests to Google whose path ends with `end`.
    pub fn calls(&self, method: &str, end: &str) -> usize {
        let exchanges = self.google.exchanges();
        exchanges.iter().filter(|exchange| exchange.method == method && exchange.path.ends_with(end)).count()
    }

    pub fn fault(&self, method: &str, path: &str, times: u32, effect: Fault) {
        let fault = Fault { method: Some(method.into()), path_pattern: Some(path.into()), times, ..effect };
        self.google.add_fault(fault).unwrap();
    }

    /// Nothing of Google's Calendar API answers any more.
    pub fn google_is_down(&self) {
        let down =
            Fault { path_pattern: Some("/calendar/v3/".into()), times: 10_000, status: Some(503), ..Fault::default() };
        self.google.add_fault(down).unwrap();
    }

    /// A notification of the channel that was opened last, as Google sends it.
    pub fn notification(&self, number: u64, token: Option<&str>) -> HeaderMap {
        let channel = self.google.channels().into_iter().find(|channel| channel.calendar == CALENDAR).unwrap();
        let token = token.map(str::to_owned).or(channel.token).unwrap();
        let fields = [
            ("x-goog-channel-id", channel.id),
            ("x-goog-channel-token", token),
            ("x-goog-message-number", number.to_string()),
            ("x-goog-resource-id", channel.resource_id),
            ("x-goog-resource-uri", channel.resource_uri),
            ("x-goog-resource-state", "exists".to_owned()),
        ];
        fields
            .into_iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(&value).unwrap()))
            .collect()
    }

    pub fn mails_to(&self, address: &str) -> Vec<Message> {
        let mut mails = self.mail.messages();
        mails.retain(|mail| mail.to.iter().any(|to| to.contains(address)));
        mails
    }
}

/// The fields that were refused.
pub fn fields(error: EngineError) -> Vec<String> {
    match error {
        EngineError::Invalid(FieldErrors(errors)) => errors.iter().map(|error| error.field.to_string()).collect(),
        other => panic!("not a refusal of fields: {other:?}"),
    }
}

pub fn connection_to(google: &GoogleSimulator) -> Google {
    let url = |path: &str| Url::parse(&format!("{}{path}", google.base_url())).unwrap();
    let transport = Transport::new(TransportConfig::default()).unwrap();
    let client = GoogleClient {
        client_id: DEMO_CLIENT_ID.to_owned(),
        client_secret: Secret::new(DEMO_CLIENT_SECRET),
        auth_url: url("/o/oauth2/v2/auth"),
        token_url: url("/token"),
        revoke_url: url("/revoke"),
        redirect_url: Url::parse("http://127.0.0.1:3000/oauth/google/callback").unwrap(),
    };
    Google {
        provider: GoogleProvider::new(transport.clone(), GoogleEndpoints { api_url: url("/calendar/v3") }),
        oauth: GoogleOauth::new(transport, client),
    }
}

pub fn ana() -> SignUp {
    SignUp {
        email: "ana@clinic.example".into(),
        password: "correct horse".into(),
        name: "Ana Ruiz".into(),
        organization_name: "Clínica Ruiz".into(),
        organization_slug: "ruiz".into(),
        time_zone: "Europe/Madrid".into(),
        locale: Locale::Es,
    }
}

pub fn first_visit() -> EventTypeInput {
    EventTypeInput {
        title: "First visit".into(),
        slug: "first-visit".into(),
        description: "Half an hour to get to know each other.".into(),
        rules: RulesInput { notice_minutes: 60, ..RulesInput::default() },
        location_kind: "meet".into(),
        is_active: true,
        ..EventTypeInput::default()
    }
}

pub fn slots_request<'a>(from: &str, to: &str) -> SlotsRequest<'a> {
    SlotsRequest {
        org: "ruiz",
        event: "first-visit",
        from: from.parse().unwrap(),
        to: to.parse().unwrap(),
        duration: None,
        hold: None,
        reschedule: None,
        host: None,
        link: None,
    }
}

pub fn hold_request(start: &str) -> HoldRequest {
    HoldRequest {
        org: "ruiz".into(),
        event: "first-visit".into(),
        start: at(start),
        duration: None,
        replaces: None,
        host: None,
        link: None,
    }
}

/// A visitor's wish for another time, for this appointment alone.
pub fn to(start: &str) -> RescheduleRequest {
    RescheduleRequest { start: at(start), scope: SeriesScope::This }
}

/// A visitor's reason to cancel this appointment alone.
pub fn because(reason: &str) -> CancelRequest {
    CancelRequest { reason: Some(reason.to_owned()), scope: SeriesScope::This }
}

pub fn request(start: &str) -> BookingRequest {
    BookingRequest {
        org: "ruiz".into(),
        event: "first-visit".into(),
        start: at(start),
        duration: None,
        name: "Leo Pérez".into(),
        email: "leo@visitor.example".into(),
        phone: Some("+34 600 123 456".into()),
        notes: Some("My <first> time".into()),
        time_zone: "America/New_York".into(),
        locale: Some("en".into()),
        hold: None,
        host: None,
        link: None,
        answers: Default::default(),
        recurrence: None,
    }
}

/// The text of a mail.
pub fn body(mail: &Message) -> String {
    mail.text.as_deref().unwrap().replace("\r\n", "\n")
}

/// A host of an event type, required, of weight and priority 1.
pub fn host(principal: &Principal) -> EventTypeHostInput {
    EventTypeHostInput {
        user_id: principal.user_id.to_string(),
        schedule_id: String::new(),
        is_required: true,
        weight: 1,
        priority: 1,
        conflict_calendar_ids: None,
    }
}

/// An event as a person enters it by hand.
pub fn event(title: &str, start: &str, end: &str) -> Value {
    json!({ "summary": title, "start": { "dateTime": start }, "end": { "dateTime": end } })
}
