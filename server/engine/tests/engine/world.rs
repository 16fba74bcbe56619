//! A whole world in one call: a store, a simulated Google, a simulated Microsoft for those who ask for it, a mail sink, an
//! engine, and a clock that a test moves.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use cupo_core::{
    event_type::RulesInput,
    ids::EventTypeId,
    parse::{EmailAddress, FieldErrors},
    text::Locale,
    wire::{AppointmentView, BookingRequest, CancelRequest, HoldRequest, RescheduleRequest, SeriesScope},
};
use cupo_engine::{
    AccountOverview, ConnectStart, Engine, EngineError, EngineParts, EngineSettings, EventTypeHostInput,
    EventTypeInput, Mailer, MemberInput, NotificationOutcome, OauthCallback, Principal, Providers, ProvidersParts,
    SessionSecret, SignUp, SlotsRequest,
    clock::{Clock, ManualClock},
    keyring::Keyring,
    random::{OsRandom, RandomSource},
};
use cupo_providers::{
    FeedConfig, Secret, Transport, TransportConfig,
    google::oauth::{GoogleClient, REQUIRED_SCOPES},
    microsoft::oauth::{ClientCredential, MicrosoftClient},
};
use cupo_simulators::{
    google::{DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, Fault, GoogleOptions, GoogleSimulator},
    mail::{MailSink, Message},
    microsoft::{self, MicrosoftOptions, MicrosoftSimulator},
};
use cupo_store::{Provider, Store, Tx};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};
use tempfile::TempDir;
use url::Url;

/// The calendar of the host who signed up.
pub const CALENDAR: &str = "ana@example.com";
/// Ana's account at Microsoft.
pub const OUTLOOK: &str = "ana@contoso.example";
/// Who runs the installation.
pub const OPERATOR: &str = "operator@cupo.example";
/// A Monday, 09:00 in Madrid.
pub const NOW: &str = "2026-11-23T08:00:00Z";

pub fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

pub struct World {
    pub engine: Engine,
    pub clock: Arc<ManualClock>,
    pub google: GoogleSimulator,
    microsoft: Option<MicrosoftSimulator>,
    pub mail: MailSink,
    pub principal: Principal,
    pub session: String,
    pub store: Store,
    database: String,
    _directory: TempDir,
}

impl World {
    /// Ana has signed up; nothing is connected and nothing on offer.
    pub async fn new() -> Self {
        Self::build(None, None).await
    }

    /// The same, with a Microsoft of which the operator's application has an account.
    pub async fn with_microsoft() -> Self {
        Self::with_microsoft_on(None).await
    }

    /// The same, on a database of its own or on the one of this address.
    pub async fn with_microsoft_on(database: Option<&str>) -> Self {
        let microsoft = MicrosoftSimulator::start(MicrosoftOptions::default()).await.unwrap();
        microsoft.clock().set(at(NOW));
        Self::build(Some(microsoft), database).await
    }

    async fn build(microsoft: Option<MicrosoftSimulator>, database: Option<&str>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let own = || format!("sqlite://{}/cupo.db", directory.path().display());
        let database = database.map_or_else(own, str::to_owned);
        let store = Store::connect(&database).await.unwrap();
        store.migrate().await.unwrap();
        let google = GoogleSimulator::start(GoogleOptions::default()).await.unwrap();
        google.clock().set(at(NOW));
        let any = "127.0.0.1:0".parse().unwrap();
        let mail = MailSink::start(any, any).await.unwrap();
        let clock = Arc::new(ManualClock::new(at(NOW)));
        let engine = engine(&store, &clock, &google, microsoft.as_ref(), &mail, patient());
        let signed_in = engine.sign_up(ana()).await.unwrap();
        Self {
            engine,
            clock,
            google,
            microsoft,
            mail,
            principal: signed_in.principal,
            session: signed_in.session_token.expose().to_owned(),
            store,
            database,
            _directory: directory,
        }
    }

    /// Another process of the same installation: it shares the database and nothing else.
    pub async fn another_process(&self) -> Engine {
        let store = Store::connect(&self.database()).await.unwrap();
        engine(&store, &self.clock, &self.google, self.microsoft.as_ref(), &self.mail, patient())
    }

    /// A process with other settings.
    pub fn process_with(&self, settings: EngineSettings) -> Engine {
        engine(&self.store, &self.clock, &self.google, self.microsoft.as_ref(), &self.mail, settings)
    }

    /// A process that draws by another source.
    pub fn process_with_random(&self, random: Arc<dyn RandomSource>) -> Engine {
        let Self { store, clock, google, microsoft, mail, .. } = self;
        engine_with_random(store, clock, google, microsoft.as_ref(), mail, patient(), random)
    }

    /// A process with other encryption keys; those of the others are `[7; 32]` alone.
    pub fn process_with_keys(&self, keys: &[[u8; 32]]) -> Engine {
        let Self { store, clock, google, microsoft, mail, .. } = self;
        let parts = parts(store, clock, google, microsoft.as_ref(), mail, patient(), Arc::new(OsRandom));
        Engine::new(EngineParts { keyring: Keyring::new(keys).unwrap(), ..parts })
    }

    /// The address of the database.
    pub fn database(&self) -> String {
        self.database.clone()
    }

    /// The Microsoft of [`World::with_microsoft`].
    pub fn microsoft(&self) -> &MicrosoftSimulator {
        self.microsoft.as_ref().unwrap()
    }

    /// The one account of the host who signed up.
    pub async fn the_account(&self) -> AccountOverview {
        let mut accounts = self.engine.accounts(&self.principal).await.unwrap();
        assert_eq!(accounts.len(), 1);
        accounts.remove(0)
    }

    /// Ana has connected Google, and offers a half-hour first visit on weekdays from 9 to 17 in Madrid.
    pub async fn open_for_business() -> Self {
        Self::open_for_business_on(None).await
    }

    /// The same, on a database of its own or on the one of this address.
    pub async fn open_for_business_on(database: Option<&str>) -> Self {
        let world = Self::build(None, database).await;
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
        let outcome = self.engine.connect_finish(principal, session, Provider::Google, callback).await.unwrap();
        assert!(outcome.account_id.is_some());
    }

    /// Ana connects an account of Microsoft's.
    pub async fn connect_outlook(&self, account: &str) {
        let callback = self.sign_in_at_microsoft(account, None).await;
        let finish = self.engine.connect_finish(&self.principal, &self.session, Provider::Outlook, callback);
        assert!(finish.await.unwrap().account_id.is_some());
    }

    /// Ana signs in at Microsoft and allows all; gives what it sends the browser back with.
    pub async fn sign_in_at_microsoft(&self, account: &str, again: Option<&AccountOverview>) -> OauthCallback {
        let start = ConnectStart { provider: Provider::Outlook, account: again.map(|it| it.account.id.clone()) };
        let url = self.engine.connect_start(&self.principal, &self.session, start).await.unwrap();
        let form = [("request", url.query().unwrap()), ("account", account), ("decision", "allow")];
        decide(&format!("{}{}", self.microsoft().base_url(), url.path()), &form).await
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
    pub async fn consent(&self, scopes: &[&str]) -> OauthCallback {
        self.consent_as(&self.principal, &self.session, CALENDAR, scopes).await
    }

    async fn consent_as(&self, principal: &Principal, session: &str, account: &str, scopes: &[&str]) -> OauthCallback {
        let start = ConnectStart { provider: Provider::Google, account: None };
        let url = self.engine.connect_start(principal, session, start).await.unwrap();
        let mut form = vec![("request", url.query().unwrap()), ("account", account)];
        form.push(("decision", if scopes.is_empty() { "deny" } else { "allow" }));
        form.extend(scopes.iter().map(|scope| ("scope", *scope)));
        decide(&format!("{}/o/oauth2/v2/auth/consent", self.google.base_url()), &form).await
    }

    /// Runs every job that is due, moving the clock on in small steps until nothing falls due within half a minute. What is
    /// large is boxed: the tests' own stacks are small, and hold each of a test's many steps apart.
    pub async fn run(&self) {
        for _ in 0..15 {
            Box::pin(self.engine.run_due_jobs()).await.unwrap();
            // A conference is pending for a moment of real time.
            tokio::time::sleep(std::time::Duration::from_millis(30)).await;
            self.pass(TimeDelta::seconds(2));
        }
        Box::pin(self.engine.run_due_jobs()).await.unwrap();
    }

    /// Time passes for Cupo and for the providers.
    pub fn pass(&self, time: TimeDelta) {
        self.clock.advance(time);
        self.google.clock().advance(time);
        if let Some(microsoft) = &self.microsoft {
            microsoft.clock().advance(time);
        }
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
        Box::pin(self.engine.book(key, request(start))).await.unwrap().view
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

    /// Google notifies; gives what became of it.
    pub async fn notify(&self, headers: &HeaderMap) -> NotificationOutcome {
        self.engine.notifications(Provider::Google, headers, &[]).await.unwrap().remove(0)
    }

    /// The kinds of the jobs that wait or run, and when they are due, in that order.
    pub async fn jobs(&self) -> Vec<(String, DateTime<Utc>)> {
        let query = "select kind, run_at from job where state = 'pending' order by run_at, id";
        let rows: Vec<(String, i64)> = match &mut self.store.read().await.unwrap() {
            Tx::Sqlite(connection) => sqlx::query_as(query).fetch_all(&mut **connection).await.unwrap(),
            Tx::Postgres(connection) => sqlx::query_as(query).fetch_all(&mut **connection).await.unwrap(),
        };
        rows.into_iter().map(|(kind, at)| (kind, DateTime::from_timestamp_micros(at).unwrap())).collect()
    }

    /// The answer to a question for a number.
    pub async fn count(&self, query: &str) -> i64 {
        let query = sqlx::AssertSqlSafe(query);
        match &mut self.store.read().await.unwrap() {
            Tx::Sqlite(connection) => sqlx::query_scalar(query).fetch_one(&mut **connection).await.unwrap(),
            Tx::Postgres(connection) => sqlx::query_scalar(query).fetch_one(&mut **connection).await.unwrap(),
        }
    }

    /// Changes the database by hand.
    pub async fn sql(&self, statement: &str) {
        let mut tx = self.store.write().await.unwrap();
        let statement = sqlx::query(sqlx::AssertSqlSafe(statement));
        match &mut tx {
            Tx::Sqlite(connection) => drop(statement.execute(&mut **connection).await.unwrap()),
            Tx::Postgres(_) => panic!("not SQLite"),
        }
        tx.commit().await.unwrap();
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

/// Presses a button on a consent page and follows nothing; gives what the browser is sent back with.
async fn decide(page: &str, form: &[(&str, &str)]) -> OauthCallback {
    let browser = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let answer = browser.post(page).form(form).send().await.unwrap();
    let back = Url::parse(answer.headers()["location"].to_str().unwrap()).unwrap();
    let field = |name| back.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    OauthCallback {
        state: field("state"),
        code: field("code"),
        error: field("error"),
        error_description: field("error_description"),
    }
}

fn engine(
    store: &Store,
    clock: &Arc<ManualClock>,
    google: &GoogleSimulator,
    microsoft: Option<&MicrosoftSimulator>,
    mail: &MailSink,
    settings: EngineSettings,
) -> Engine {
    engine_with_random(store, clock, google, microsoft, mail, settings, Arc::new(OsRandom))
}

fn engine_with_random(
    store: &Store,
    clock: &Arc<ManualClock>,
    google: &GoogleSimulator,
    microsoft: Option<&MicrosoftSimulator>,
    mail: &MailSink,
    settings: EngineSettings,
    random: Arc<dyn RandomSource>,
) -> Engine {
    Engine::new(parts(store, clock, google, microsoft, mail, settings, random))
}

fn parts(
    store: &Store,
    clock: &Arc<ManualClock>,
    google: &GoogleSimulator,
    microsoft: Option<&MicrosoftSimulator>,
    mail: &MailSink,
    settings: EngineSettings,
    random: Arc<dyn RandomSource>,
) -> EngineParts {
    let mailer = format!("smtp://{}", mail.smtp_address());
    EngineParts {
        store: store.clone(),
        clock: clock.clone(),
        random,
        keyring: Keyring::new(&[[7; 32]]).unwrap(),
        session_secret: SessionSecret::new(vec![9; 32]),
        providers: providers(clock, google, microsoft, &settings.feeds),
        mailer: Some(Mailer::from_url(&mailer, "Cupo <cupo@cupo.example>").unwrap()),
        settings,
    }
}

/// A busy machine is no dead provider.
pub fn patient() -> EngineSettings {
    EngineSettings { stale_patience: std::time::Duration::from_secs(10), ..delivered() }
}

/// As Cupo is delivered, on this machine.
pub fn delivered() -> EngineSettings {
    EngineSettings {
        google_webhook_url: Some(Url::parse("http://127.0.0.1:9/webhooks/google").unwrap()),
        feeds: FeedConfig { allows_private_addresses: true, ..FeedConfig::default() },
        operator_email: Some(EmailAddress::parse(OPERATOR).unwrap()),
        ..EngineSettings::new(Url::parse("https://cupo.example/").unwrap())
    }
}

fn providers(
    clock: &Arc<ManualClock>,
    google: &GoogleSimulator,
    microsoft: Option<&MicrosoftSimulator>,
    feeds: &FeedConfig,
) -> Providers {
    let url = |base: &str, path: &str| Url::parse(&format!("{base}{path}")).unwrap();
    let base = google.base_url();
    let redirect_url = |provider: &str| url("http://127.0.0.1:3000", &format!("/oauth/{provider}/callback"));
    // Nobody listens at the address of a Microsoft that there is not.
    let login_url = url(&microsoft.map_or_else(|| "http://127.0.0.1:9".to_owned(), MicrosoftSimulator::base_url), "");
    let present = clock.clone();
    let transport = Transport::new(TransportConfig::default()).unwrap();
    Providers::new(ProvidersParts {
        guarded_transport: transport.clone(),
        transport,
        feeds: feeds.clone(),
        clock: cupo_providers::Clock::new(move || present.now()),
        google_api_url: url(&base, "/calendar/v3"),
        google_token_url: url(&base, "/token"),
        google_client: Some(GoogleClient {
            client_id: DEMO_CLIENT_ID.to_owned(),
            client_secret: Secret::new(DEMO_CLIENT_SECRET),
            auth_url: url(&base, "/o/oauth2/v2/auth"),
            token_url: url(&base, "/token"),
            revoke_url: url(&base, "/revoke"),
            redirect_url: redirect_url("google"),
        }),
        microsoft_graph_url: login_url.join("v1.0").unwrap(),
        microsoft_login_url: login_url.clone(),
        microsoft_client: microsoft.map(|_| MicrosoftClient {
            client_id: microsoft::DEMO_CLIENT_ID.to_owned(),
            credential: ClientCredential::Secret(Secret::new(microsoft::DEMO_CLIENT_SECRET)),
            tenant: "common".to_owned(),
            redirect_url: redirect_url("microsoft"),
            login_url,
        }),
    })
    .unwrap()
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
        tracking: Default::default(),
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
        target_calendar_id: None,
    }
}

/// An event as a person enters it by hand.
pub fn event(title: &str, start: &str, end: &str) -> Value {
    json!({ "summary": title, "start": { "dateTime": start }, "end": { "dateTime": end } })
}
