//! The world of a run: simulators, a CalDAV server, the product's processes, and an organization that was set up
//! through the same doors as people use.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use chrono::{DateTime, TimeDelta, Utc};
use cupo_simulators::mail::MailSink;

use crate::calendars::{CalendarAt, Calendars};
use crate::configuration::Configuration;
use crate::ledger::Ledger;
use crate::people::{People, Person};
use crate::plan::{Dice, Provider, Store};
use crate::processes::{Launch, Process};
use crate::product::{ORGANIZATION, Product};
use crate::radicale::{self, Radicale};
use crate::store::{Account, Calendar, Reader, User};
use crate::{Options, now, say};

/// How long anything at the start may take.
const PATIENCE: Duration = Duration::from_secs(60);
const PASSWORD: &str = "a password of the run";
/// Hosts move their events into the evenings, where nothing is offered: no event comes to lie on another.
const EVENING_HOURS: usize = 5;
const FIRST_EVENING_HOUR: i64 = 18;
const EVENINGS: usize = 56;

/// Somebody who can be booked.
#[derive(Debug)]
pub struct Host {
    pub user_id: String,
    pub email: String,
    pub cookie: String,
    pub provider: Provider,
    /// Who it is at the provider.
    pub account: String,
    /// The one that receives events first.
    pub calendars: Vec<CalendarAt>,
}

/// Everything there is.
#[derive(Debug)]
pub struct World {
    pub calendars: Calendars,
    pub mail: MailSink,
    pub product: Product,
    pub reader: Reader,
    pub processes: Vec<Arc<Process>>,
    pub hosts: Vec<Host>,
    /// The slugs of what can be booked.
    pub events: Vec<String>,
    pub ledger: Ledger,
    pub options: Options,
    pub database_file: Option<PathBuf>,
    /// Actions that are under way.
    pub busy: AtomicU32,
    /// Held by whoever changes an event of ours by hand: what is noted of it is what was done last.
    pub hand: tokio::sync::Mutex<()>,
    next_evening: AtomicUsize,
    /// The faults are over: no clock is set back any more, for the settling sets them ahead.
    pub is_settling: AtomicBool,
}

impl World {
    pub async fn start(options: &Options) -> Result<Self> {
        fs::create_dir_all(&options.folder)?;
        let people = People::of(options.radicale_python.is_some());
        let radicale = match &options.radicale_python {
            Some(python) => Some(
                Radicale::start(python, options.folder.join("radicale"), &people.accounts(Provider::Caldav)).await?,
            ),
            None => None,
        };
        let calendars = Calendars { google: people.google().await?, microsoft: people.microsoft().await?, radicale };
        let any = "127.0.0.1:0".parse()?;
        let mail = MailSink::start(any, any).await?;
        let servers = if options.store == Store::Postgres { 2 } else { 1 };
        let ports = (0..servers).map(|_| free_port()).collect::<Result<Vec<_>>>()?;
        let addresses: Vec<String> = ports.iter().map(|port| format!("http://127.0.0.1:{port}")).collect();
        let (url, reader, database_file) = database(options)?;
        let configuration = Configuration {
            seed: options.seed,
            public_url: &addresses[0],
            database: &url,
            google: &calendars.google.base_url(),
            microsoft: &calendars.microsoft.base_url(),
            smtp_port: mail.smtp_address().port(),
            has_workers: knows_workers(&options.binary),
        };
        let processes = start_processes(options, &configuration, &ports).await?;
        let product = Product::new(addresses)?;
        until("the servers are ready", async || product.is_ready().await.then_some(())).await?;
        let mut world = Self {
            calendars,
            mail,
            product,
            reader,
            processes,
            hosts: Vec::new(),
            events: Vec::new(),
            ledger: Ledger::default(),
            options: options.clone(),
            database_file,
            busy: AtomicU32::new(0),
            hand: tokio::sync::Mutex::default(),
            next_evening: AtomicUsize::new(0),
            is_settling: AtomicBool::new(false),
        };
        world.found(&people).await?;
        Ok(world)
    }

    /// The organization, its hosts with their calendars, and what can be booked.
    async fn found(&mut self, people: &People) -> Result<()> {
        let owner = &people.0[0];
        let cookie = self
            .product
            .enter(
                "sign_up",
                &fields(&[
                    ("name", &owner.name),
                    ("email", &owner.email),
                    ("password", PASSWORD),
                    ("organization_name", "Chaos"),
                    ("organization_slug", ORGANIZATION),
                    ("time_zone", "Europe/Madrid"),
                ]),
            )
            .await
            .context("signing up")?;
        let mut cookies = vec![cookie.clone()];
        for person in &people.0[1..] {
            let (name, email) = (person.name.as_str(), person.email.as_str());
            let member = [("name", name), ("email", email), ("password", PASSWORD), ("time_zone", "Europe/Madrid")];
            self.product.form(&cookie, "member_add", &fields(&member)).await.context("adding a member")?;
            let entered = self.product.enter("sign_in", &fields(&[("email", email), ("password", PASSWORD)])).await;
            cookies.push(entered.context("signing in")?);
        }
        let users: Vec<User> = self.reader.all().await?;
        for (person, cookie) in people.0.iter().zip(&cookies) {
            self.connect(person, cookie).await.with_context(|| format!("connecting {}", person.account))?;
            let user = users.iter().find(|user| user.email == person.email).context("a host is not in the store")?;
            let calendars = self.choose_calendars(&user.id, person.provider, cookie).await?;
            self.hosts.push(Host {
                user_id: user.id.clone(),
                email: person.email.clone(),
                cookie: cookie.clone(),
                provider: person.provider,
                account: person.account.clone(),
                calendars,
            });
        }
        self.offer(&cookie).await?;
        until("every calendar was read", async || {
            let calendars = self.reader.those::<Calendar>("checks_conflicts = 1").await.ok()?;
            calendars.iter().all(|calendar| calendar.synced_at.is_some()).then_some(())
        })
        .await
    }

    /// An evening hour to which nobody has moved anything yet: an appointment of several hosts takes the time of each.
    pub fn evening(&self) -> Option<DateTime<Utc>> {
        let number = self.next_evening.fetch_add(1, Ordering::Relaxed);
        let (day, hour) = (number / EVENING_HOURS, number % EVENING_HOURS);
        let midnight = now().date_naive().and_hms_opt(0, 0, 0)?.and_utc();
        let at = TimeDelta::days(i64::try_from(day).ok()? + 1)
            + TimeDelta::hours(FIRST_EVENING_HOUR + i64::try_from(hour).ok()?);
        (day < EVENINGS).then(|| midnight + at)
    }

    async fn connect(&self, person: &Person, cookie: &str) -> Result<()> {
        let provider = match person.provider {
            Provider::Google => "google",
            Provider::Microsoft => "microsoft",
            Provider::Caldav => {
                let server = self.calendars.radicale.as_ref().context("there is no CalDAV server")?.front.base_url();
                let account = person.account.as_str();
                let form = [
                    ("preset", "generic"),
                    ("server", server.as_str()),
                    ("username", account),
                    ("password", radicale::PASSWORD),
                ];
                return self.product.form(cookie, "caldav_connect", &fields(&form)).await.map(drop);
            }
        };
        self.product.consent(cookie, provider, &person.account, Dice::new(0)).await
    }

    /// Every calendar that can be written to blocks; the primary one receives events.
    async fn choose_calendars(&self, user_id: &str, provider: Provider, cookie: &str) -> Result<Vec<CalendarAt>> {
        let mut rows: Vec<Calendar> = self.reader.those(&format!("user_id = '{user_id}' and can_write = 1")).await?;
        rows.sort_by_key(|row| (1 - row.is_primary, row.id.clone()));
        let first = rows.first().context("a host has no calendar to write to")?;
        let mut form = Vec::new();
        for row in &rows {
            for list in ["blocks", "tentative", "unanswered"] {
                form.push((format!("form[{list}][]"), row.id.clone()));
            }
        }
        form.push(("form[receives]".to_owned(), first.id.clone()));
        self.product.form(cookie, "calendar_choices_save", &form).await.context("choosing calendars")?;
        Ok(rows
            .into_iter()
            .map(|row| {
                let name = match provider {
                    Provider::Google | Provider::Microsoft => row.external_id.clone(),
                    Provider::Caldav => {
                        let path = url::Url::parse(&row.external_id).map(|url| url.path().to_owned());
                        path.unwrap_or_default().trim_matches('/').to_owned()
                    }
                };
                CalendarAt { provider, name, external_id: row.external_id }
            })
            .collect())
    }

    async fn offer(&mut self, cookie: &str) -> Result<()> {
        let offers = offers(&self.hosts);
        for Offer { slug, hosts, more } in &offers {
            let mut form = vec![("title", slug.as_str()), ("slug", slug), ("is_active", "on"), ("window_days", "56")];
            if !more.iter().any(|(name, _)| *name == "location_kind") {
                form.extend([("location_kind", "address"), ("location_detail", "Calle Mayor 1")]);
            }
            form.extend(more);
            let mut form = fields(&form);
            form.push(("form[single_host]".to_owned(), format!("h-{}", hosts[0].user_id)));
            for host in hosts {
                form.push((format!("form[hosts][h-{}][takes_part]", host.user_id), "on".to_owned()));
            }
            self.product.form(cookie, "event_type_save", &form).await.with_context(|| format!("offering {slug}"))?;
        }
        self.events = offers.into_iter().map(|offer| offer.slug).collect();
        Ok(())
    }

    /// Signs a host in again at their provider, where the store says that it must be.
    pub async fn sign_in_where_needed(&self, dice: Dice) -> Result<()> {
        let accounts: Vec<Account> = self.reader.those("state = 'reconnect_needed'").await?;
        for account in accounts {
            let host = self.hosts.iter().find(|host| host.user_id == account.user_id);
            self.sign_in(host.context("an account is nobody's")?, dice).await?;
        }
        Ok(())
    }

    /// Signs a host in again at their provider.
    pub async fn sign_in(&self, host: &Host, dice: Dice) -> Result<()> {
        match host.provider {
            Provider::Google => self.product.consent(&host.cookie, "google", &host.account, dice).await,
            Provider::Microsoft => self.product.consent(&host.cookie, "microsoft", &host.account, dice).await,
            Provider::Caldav => {
                let [account] = &self.reader.those::<Account>(&format!("user_id = '{}'", host.user_id)).await?[..]
                else {
                    bail!("the host has not one account");
                };
                let form = [("id", account.id.as_str()), ("password", radicale::PASSWORD)];
                self.product.form(&host.cookie, "account_password", &fields(&form)).await.map(drop)
            }
        }
    }
}

/// What can be booked.
struct Offer<'a> {
    slug: String,
    hosts: Vec<&'a Host>,
    /// Fields of its form that are not the usual ones.
    more: Vec<(&'static str, &'static str)>,
}

/// Something with each host alone, and something of every kind.
fn offers(hosts: &[Host]) -> Vec<Offer<'_>> {
    let of = |provider: Provider| hosts.iter().filter(|host| host.provider == provider).collect::<Vec<_>>();
    let (google, microsoft, caldav) = (of(Provider::Google), of(Provider::Microsoft), of(Provider::Caldav));
    let meets = |host: &Host| match host.provider {
        Provider::Google if host.user_id == google[0].user_id => vec![("location_kind", "meet")],
        Provider::Microsoft if host.user_id == microsoft[0].user_id => vec![("location_kind", "teams")],
        _ => Vec::new(),
    };
    let alone = hosts.iter().enumerate();
    let mut offers: Vec<Offer<'_>> = alone
        .map(|(number, host)| Offer { slug: format!("with-{number}"), hosts: vec![host], more: meets(host) })
        .collect();
    let one_of_each = [google.first(), microsoft.first(), caldav.first()].into_iter().flatten().copied().collect();
    let mut offer =
        |slug: &str, hosts, more: &[_]| offers.push(Offer { slug: slug.to_owned(), hosts, more: more.to_vec() });
    let round = [("assignment", "round_robin"), ("duration_minutes", "45"), ("buffer_after_minutes", "15")];
    offer("anybody", one_of_each, &round);
    offer("group", vec![google[1]], &[("seats", "4"), ("duration_minutes", "60")]);
    offer("asked", vec![microsoft[1]], &[("needs_approval", "on")]);
    offer("both", vec![google[2], microsoft[2]], &[("assignment", "collective")]);
    if let Some(last) = caldav.last() {
        offer("asked-dav", vec![last], &[("needs_approval", "on"), ("duration_minutes", "45")]);
        offer("group-dav", vec![last], &[("seats", "3")]);
    }
    offers
}

/// Waits until a question is answered with something.
pub async fn until<T>(what: &str, mut question: impl AsyncFnMut() -> Option<T>) -> Result<T> {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = question().await {
            return Ok(answer);
        }
        ensure!(tokio::time::Instant::now() < deadline, "it did not come to pass that {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn fields(form: &[(&str, &str)]) -> Vec<(String, String)> {
    form.iter().map(|(name, value)| (format!("form[{name}]"), (*value).to_owned())).collect()
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Whether `cupo worker` is there; without it the servers run the jobs.
fn knows_workers(binary: &Path) -> bool {
    let helped = Command::new(binary).args(["worker", "--help"]).output();
    helped.is_ok_and(|helped| helped.status.success())
}

/// The address for the product, the driver's own way in, and the file where there is one.
fn database(options: &Options) -> Result<(String, Reader, Option<PathBuf>)> {
    match options.store {
        Store::Sqlite => {
            let file = std::path::absolute(options.folder.join("cupo.db"))?;
            Ok((format!("sqlite://{}", file.display()), Reader::sqlite(&file), Some(file)))
        }
        Store::Postgres => {
            let url = options.postgres_url.clone().context("--postgres-url is needed")?;
            Ok((url.clone(), Reader::postgres(&url)?, None))
        }
    }
}

async fn start_processes(
    options: &Options,
    configuration: &Configuration<'_>,
    ports: &[u16],
) -> Result<Vec<Arc<Process>>> {
    let mut launches: Vec<(String, &str, u16)> =
        ports.iter().enumerate().map(|(number, port)| (format!("server-{}", number + 1), "serve", *port)).collect();
    if configuration.has_workers {
        launches.extend([1, 2].map(|number| (format!("worker-{number}"), "worker", ports[0])));
    } else {
        say("  this product has no `cupo worker`: its servers run the jobs");
    }
    let mut processes = Vec::new();
    for (name, command, port) in launches {
        let file = options.folder.join(format!("{name}.toml"));
        fs::write(&file, configuration.text(port))?;
        let clock = options.faketime.as_ref().map(|library| {
            let file = options.folder.join(format!("{name}.clock"));
            (library.clone(), std::path::absolute(&file).unwrap_or(file))
        });
        let launch = Launch {
            log: options.folder.join(format!("{name}.log")),
            program: options.binary.clone(),
            arguments: vec![command.to_owned(), "--config".to_owned(), file.display().to_string()],
            name,
            clock,
        };
        let is_first = processes.is_empty();
        processes.push(Process::start(launch).await?);
        if is_first {
            // It makes the tables; the others find them.
            let address = Product::new(vec![format!("http://127.0.0.1:{port}")])?;
            until("the first server is ready", async || address.is_ready().await.then_some(())).await?;
        }
    }
    Ok(processes)
}
