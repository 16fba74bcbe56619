//! A whole organization: something of every noun, and a word that stands in all of it.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use chrono::{DateTime, Days, TimeDelta, Utc};
use cupo_core::event_type::{Listing, Options};
use cupo_core::text::Locale;
use cupo_engine::{
    AbsenceInput, CaldavInput, ConnectStart, CredentialInput, EventTypeInput, FeedInput, MemberInput, OauthCallback,
    Principal, ScheduleInput, SignUp, SiteInput,
};
use cupo_simulators::google::Channel;
use cupo_store::{Provider, Tx};
use serde_json::{Value, json};
use url::{Url, form_urlencoded};

use crate::caldav_stand_in::CaldavStandIn;
use crate::counting_server::CountingServer;
use crate::world::{World, configuration_with_microsoft, set_cookie, starts, today};

/// The password of every member but Ana.
const PASSWORD: &str = "a long and quiet passphrase";
/// The password of every CalDAV account.
pub const CALDAV_PASSWORD: &str = "an app password";
const FEED: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Example//EN\r\nEND:VCALENDAR\r\n";
const KEY: &str = include_str!("../../../providers/tests/keys/rsa-pkcs8.pem");
/// How many free starts a tenant has for those who book with it.
const FREE: [&str; 8] = ["start0", "start1", "start2", "start3", "start4", "start5", "start6", "start7"];

/// Two organizations in one world.
pub struct Two {
    pub world: World,
    pub ana: Tenant,
    pub olga: Tenant,
    /// Servers that hosts of both have named.
    _caldav: CaldavStandIn,
}

/// An organization, what names its things, and who belongs to it.
pub struct Tenant {
    /// The word that stands in all of its texts.
    pub marker: &'static str,
    pub principal: Principal,
    /// The owner's `Cookie` header.
    pub cookie: String,
    /// Another session of the owner.
    pub spare_cookie: String,
    /// The session of a member whose role is `host`.
    pub host_cookie: String,
    /// The ids, secrets and addresses of its things, by what they are.
    pub nouns: BTreeMap<&'static str, String>,
    /// The fields of the forms of its event type and of its schedule, as its own pages fill them in.
    pub forms: BTreeMap<&'static str, Vec<(String, String)>>,
}

impl Two {
    /// Ana's demo and Olga's organization, both complete, and nothing left to do.
    pub async fn start() -> Self {
        // Nobody listens there: what is asked of Microsoft fails at once.
        let microsoft = "http://127.0.0.1:1";
        let world = World::configured(|google, smtp, limits| {
            let more = format!("{limits}private_addresses = true\n");
            // No calendar is read because its time has come: what changes is somebody's doing.
            format!("{}[sync]\npoll_seconds = 604800\n", configuration_with_microsoft(google, microsoft, smtp, &more))
        })
        .await;
        let caldav = CaldavStandIn::start(CALDAV_PASSWORD).await;
        let feed = CountingServer::start(StatusCode::OK, FEED).await;
        let password = world.demo.password.clone();
        let ana = Tenant::new(&world, world.ana().await, &password, "Marigold").await;
        let ana = ana.complete(&world, "ana@example.com", &caldav, &feed).await;
        let form = SignUp {
            email: "olga@example.com".to_owned(),
            password: PASSWORD.to_owned(),
            name: "Olga Oleander".to_owned(),
            organization_name: "Oleander House".to_owned(),
            organization_slug: "house".to_owned(),
            time_zone: "Europe/Madrid".to_owned(),
            locale: Locale::En,
        };
        let olga = world.server.engine.sign_up(form).await.unwrap().principal;
        let olga = Tenant::new(&world, olga, PASSWORD, "Oleander").await;
        let olga = olga.complete(&world, "ben@example.com", &caldav, &feed).await;
        world.settle().await;
        Self { world, ana, olga, _caldav: caldav }
    }
}

impl Tenant {
    async fn new(world: &World, principal: Principal, password: &str, marker: &'static str) -> Self {
        let email = principal.email.as_str();
        let nouns = BTreeMap::from([
            ("organization", principal.organization_id.to_string()),
            ("org", principal.organization_slug.to_string()),
            ("user", principal.user_id.to_string()),
            ("email", email.to_owned()),
            ("password", password.to_owned()),
        ]);
        Self {
            marker,
            cookie: sign_in(world, email, password).await,
            spare_cookie: sign_in(world, email, password).await,
            host_cookie: String::new(),
            principal,
            nouns,
            forms: BTreeMap::new(),
        }
    }

    async fn complete(
        mut self,
        world: &World,
        google_account: &str,
        caldav: &CaldavStandIn,
        feed: &CountingServer,
    ) -> Self {
        self.accounts(world, google_account, caldav, feed).await;
        self.people_and_rules(world).await;
        self.event_types(world).await;
        self.visitors(world).await;
        self.failed_job(world).await;
        self.sign_in_at_a_provider(world).await;
        self.what_a_provider_tells(world, google_account).await;
        self.filled_forms(world).await;
        self.add("now", world.server.engine.now().format("%Y-%m-%dT%H:%M:%S%.6fZ"));
        self
    }

    fn add(&mut self, noun: &'static str, value: impl ToString) {
        self.nouns.insert(noun, value.to_string());
    }

    /// The value of the session's cookie.
    fn session(&self) -> &str {
        self.cookie.split_once('=').unwrap().1
    }

    async fn accounts(&mut self, world: &World, account: &str, caldav: &CaldavStandIn, feed: &CountingServer) {
        let engine = &world.server.engine;
        let me = self.principal.clone();
        if engine.accounts(&me).await.unwrap().is_empty() {
            let start = ConnectStart { provider: Provider::Google, account: None };
            let to = engine.connect_start(&me, self.session(), start).await.unwrap();
            let back = consent(world, to, account).await;
            let value =
                |wanted: &str| back.query_pairs().find_map(|(name, it)| (name == wanted).then(|| it.into_owned()));
            let callback = OauthCallback { state: value("state"), code: value("code"), ..OauthCallback::default() };
            engine.connect_finish(&me, self.session(), Provider::Google, callback).await.unwrap();
        }
        let overview = engine.accounts(&me).await.unwrap().remove(0);
        let target = overview.calendars.iter().find(|calendar| calendar.receives_events).unwrap();
        self.add("account", &overview.account.id);
        self.add("calendar", &target.id);
        let input = CaldavInput {
            preset: "generic".to_owned(),
            server: caldav.url.clone(),
            username: format!("{}-at-home", self.marker.to_lowercase()),
            password: CALDAV_PASSWORD.to_owned(),
        };
        self.add("caldav", engine.connect_caldav(&me, input).await.unwrap());
        let address = format!("http://127.0.0.1:{}/{}.ics", feed.port, self.marker);
        let input = FeedInput { name: format!("{} feed", self.marker), address };
        self.add("feed_address", &input.address);
        self.add("feed", engine.connect_feed(&me, input).await.unwrap());
        let key = json!({
            "type": "service_account",
            "private_key_id": "key-1",
            "private_key": KEY,
            "client_email": format!("{}@project.iam.gserviceaccount.com", self.marker.to_lowercase()),
            "client_id": "104711",
            "token_uri": "https://oauth2.googleapis.com/token",
        });
        let input = CredentialInput::GoogleServiceAccount { key_json: key.to_string() };
        self.add("credential", engine.credential_add(&me, input).await.unwrap());
    }

    async fn people_and_rules(&mut self, world: &World) {
        let engine = &world.server.engine;
        let (me, marker) = (self.principal.clone(), self.marker);
        let email = format!("{}@member.example", marker.to_lowercase());
        let input = MemberInput {
            name: format!("{marker} Member"),
            email: email.clone(),
            password: PASSWORD.to_owned(),
            time_zone: "Europe/Madrid".to_owned(),
        };
        self.add("member", engine.member_add(&me, input).await.unwrap().user_id);
        self.add("member_email", &email);
        self.host_cookie = sign_in(world, &email, PASSWORD).await;
        let holiday = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART;VALUE=DATE:20991224\r\n\
                       SUMMARY:Eve\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
        let name = format!("{marker} holidays");
        let holidays = engine.holiday_calendar_upload(&me, &name, holiday).await.unwrap();
        self.add("holidays", &holidays.id);
        let input = ScheduleInput {
            name: format!("{marker} hours"),
            time_zone: "Europe/Madrid".to_owned(),
            holiday_calendar_ids: vec![holidays.id.to_string()],
            ..ScheduleInput::default()
        };
        self.add("schedule", engine.schedule_save(&me, None, input).await.unwrap().id);
        let default = engine.schedules(&me).await.unwrap().into_iter().find(|it| it.schedule.is_default).unwrap();
        self.add("default_schedule", default.schedule.id);
        let input = AbsenceInput {
            first_date: "2099-01-01".to_owned(),
            last_date: "2099-01-02".to_owned(),
            note: format!("{marker} away"),
            ..AbsenceInput::default()
        };
        self.add("absence", engine.absence_save(&me, input).await.unwrap().id);
        let origins = format!("https://{}.example", marker.to_lowercase());
        let input = SiteInput { name: format!("{marker} site"), origins };
        self.add("site", engine.site_save(&me, None, input).await.unwrap().id);
    }

    async fn event_types(&mut self, world: &World) {
        let engine = &world.server.engine;
        let (me, marker) = (self.principal.clone(), self.marker);
        let slug = |kind: &str| format!("{}-{kind}", marker.to_lowercase());
        for (noun, slug_noun, kind, options) in [
            ("event_type", "event", "visit", Options { most_occurrences: 4, ..Options::default() }),
            ("asking_event_type", "asking_event", "asks", Options { needs_approval: true, ..Options::default() }),
            ("link_event_type", "link_event", "link", Options { listing: Listing::LinkOnly, ..Options::default() }),
        ] {
            let input = EventTypeInput {
                title: format!("{marker} {kind}"),
                slug: slug(kind),
                description: format!("{marker} {kind}, described"),
                location_kind: "address".to_owned(),
                location_detail: format!("{marker} Street 1"),
                options,
                ..EventTypeInput::default()
            };
            let made = engine.event_type_save(&me, None, input.clone()).await.unwrap();
            // Once more, so that there is a version of before.
            engine.event_type_save(&me, Some(&made.id), input).await.unwrap();
            self.add(noun, &made.id);
            self.add(slug_noun, slug(kind));
        }
        let link_only = self.nouns["link_event_type"].parse().unwrap();
        let made = engine.booking_link_make(&me, &link_only, Some(30)).await.unwrap();
        self.add("link", made.id);
        self.add("link_token", made.url.split_once("link=").unwrap().1);
    }

    /// The free starts of the event type, the earliest first.
    async fn starts(&self, world: &World) -> Vec<DateTime<Utc>> {
        let (org, event) = (&self.nouns["org"], &self.nouns["event"]);
        let (from, to) = (today() + Days::new(2), today() + Days::new(30));
        let path = format!("/embed/v1/slots?org={org}&event={event}&from={from}&to={to}");
        world
            .until("slots", async || {
                let answer = world.get(&path).await;
                if answer.status() != 200 {
                    None
                } else {
                    Some(starts(&answer.json::<Value>().await.unwrap()["slots"]))
                }
            })
            .await
    }

    async fn visitors(&mut self, world: &World) {
        let free = self.starts(world).await;
        // Far enough apart that nothing between them takes another's buffer.
        let mut free = free.into_iter().step_by(4);
        for (kind, event) in [("confirmed", "event"), ("pending", "asking_event")] {
            let body = json!({
                "org": self.nouns["org"], "event": self.nouns[event], "start": free.next().unwrap(),
                "name": format!("{} Visitor", self.marker), "notes": format!("{} notes", self.marker),
                "email": format!("{}@visitor.example", self.marker.to_lowercase()),
                "time_zone": "Europe/Madrid", "locale": "en",
            });
            let key = format!("{}-{kind}", self.marker);
            let answer = world.book(&key, &body).await;
            assert_eq!(answer.status(), 201);
            let booked: Value = answer.json().await.unwrap();
            let noun = if kind == "confirmed" { "manage" } else { "pending_manage" };
            self.add(noun, booked["token"].as_str().unwrap());
            if kind == "confirmed" {
                self.add("idempotency_key", &key);
            }
        }
        let me = &self.principal;
        let of = async |filter| world.server.engine.appointments(me, filter, None).await.unwrap().items;
        let confirmed = of(cupo_store::AppointmentFilter::Upcoming).await;
        let confirmed = confirmed.iter().find(|it| it.appointment.title.starts_with(self.marker)).unwrap();
        let pending = of(cupo_store::AppointmentFilter::Pending).await.remove(0);
        let (confirmed, pending) = (confirmed.appointment.clone(), pending.appointment);
        let cursor = format!("{}.{}", confirmed.start_at.timestamp_micros() + 1, confirmed.id);
        self.add("cursor", cursor);
        self.add("confirmed", confirmed.id);
        self.add("pending", pending.id);
        let body = json!({ "org": self.nouns["org"], "event": self.nouns["event"], "start": free.next().unwrap() });
        let request = world.client.post(world.url("/embed/v1/holds")).json(&body);
        let held: Value = request.send().await.unwrap().json().await.unwrap();
        self.add("hold", held["hold"].as_str().unwrap());
        for noun in FREE {
            self.add(noun, free.next().unwrap().format("%Y-%m-%dT%H:%M:%SZ"));
        }
        self.add("day", today() + Days::new(3));
    }

    /// Work that was given up, as a worker leaves it.
    async fn failed_job(&mut self, world: &World) {
        let id = format!(
            "0190f0a0-0000-7000-8000-{:012x}",
            self.marker.len() * 1_000 + usize::from(self.marker.as_bytes()[1])
        );
        let payload = json!({ "holiday_calendar_id": self.nouns["holidays"] }).to_string();
        let mut tx = world.server.store.write().await.unwrap();
        let Tx::Sqlite(connection) = &mut tx else { panic!("these tests run on SQLite") };
        sqlx::query(
            "insert into job (id, organization_id, kind, payload, run_at, attempts, state, last_error, created_at)
             values ($1, $2, 'refresh_holidays', $3, 0, 25, 'dead', $4, 0)",
        )
        .bind(&id)
        .bind(&self.nouns["organization"])
        .bind(payload)
        .bind(format!("{} did not answer", self.marker))
        .execute(&mut **connection)
        .await
        .unwrap();
        tx.commit().await.unwrap();
        self.add("job", id);
    }

    /// A sign-in at Google that was begun in the spare session, and has not come back yet.
    async fn sign_in_at_a_provider(&mut self, world: &World) {
        let answer = world.ask(&self.spare_cookie, "/oauth/google/start").await;
        let to: Url = answer.headers()["location"].to_str().unwrap().parse().unwrap();
        let state = to.query_pairs().find_map(|(name, it)| (name == "state").then(|| it.into_owned()));
        self.add("state", state.unwrap());
    }

    /// An event that the host adds at Google, and the notification of it.
    async fn what_a_provider_tells(&mut self, world: &World, account: &str) {
        let is_mine = |channel: &Channel| channel.account == account;
        let channel = world.until("the channel", async || world.google.channels().into_iter().find(is_mine)).await;
        let start = (today() + Days::new(1)).and_hms_opt(2, 0, 0).unwrap().and_utc();
        let event = json!({
            "summary": format!("{} dentist", self.marker),
            "start": { "dateTime": start.to_rfc3339() },
            "end": { "dateTime": (start + TimeDelta::minutes(30)).to_rfc3339() },
        });
        world.google.insert_event(account, event).unwrap();
        self.add("channel", &channel.id);
        self.add("channel_token", channel.token.as_deref().unwrap());
        self.add("resource", &channel.resource_id);
    }

    async fn filled_forms(&mut self, world: &World) {
        for (noun, function) in [("event_type", "event_type"), ("schedule", "schedule")] {
            let body = form_urlencoded::Serializer::new(String::new()).append_pair("id", &self.nouns[noun]).finish();
            let request = world.client.post(world.url(&format!("/dashboard/api/{function}")));
            let request = request.header("cookie", &self.cookie).header("origin", &world.server.base_url);
            let request = request.header("content-type", "application/x-www-form-urlencoded").body(body);
            let view: Value = request.send().await.unwrap().json().await.unwrap();
            let mut fields = Vec::new();
            flatten("form", &view["form"], &mut fields);
            assert!(!fields.is_empty(), "{view}");
            self.forms.insert(noun, fields);
        }
    }
}

/// A form as browsers send it.
fn flatten(name: &str, value: &Value, fields: &mut Vec<(String, String)>) {
    match value {
        Value::Object(inner) => inner.iter().for_each(|(key, value)| flatten(&format!("{name}[{key}]"), value, fields)),
        Value::Array(inner) => {
            inner.iter().enumerate().for_each(|(at, value)| flatten(&format!("{name}[{at}]"), value, fields));
        }
        Value::Null => {}
        Value::String(text) => fields.push((name.to_owned(), text.clone())),
        other => fields.push((name.to_owned(), other.to_string())),
    }
}

/// Allows everything on Google's page, and gives the address to which the browser is sent back.
pub async fn consent(world: &World, to: Url, account: &str) -> Url {
    let scopes: String = to.query_pairs().find_map(|(name, it)| (name == "scope").then(|| it.into_owned())).unwrap();
    let mut form = vec![("account", account), ("request", to.query().unwrap()), ("decision", "allow")];
    form.extend(scopes.split_whitespace().map(|scope| ("scope", scope)));
    let mut page = to.clone();
    page.set_path(&format!("{}/consent", to.path()));
    page.set_query(None);
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let request = world.client.post(page).header("content-type", "application/x-www-form-urlencoded").body(body);
    let answer = request.send().await.unwrap();
    answer.headers()["location"].to_str().unwrap().parse().unwrap()
}

async fn sign_in(world: &World, email: &str, password: &str) -> String {
    let answer = world.form("/dashboard/api/sign_in", &[("form[email]", email), ("form[password]", password)]).await;
    set_cookie(&answer).expect("signing in sets the session's cookie").split(';').next().unwrap().to_owned()
}
