//! Many hosts: one is made as people make one, and copied in SQL under other ids.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use cupo_core::event_type::RulesInput;
use cupo_core::ids::{AccountId, CalendarId, OrganizationId};
use cupo_core::interval::Interval;
use cupo_core::text::Locale;
use cupo_engine::clock::{Clock, SystemClock};
use cupo_engine::keyring::{Keyring, RowReference};
use cupo_engine::random::OsRandom;
use cupo_engine::{EventTypeInput, Principal, SignUp};
use cupo_server::assembly;
use cupo_server::config::Config;
use cupo_simulators::google::GoogleSimulator;
use cupo_store::{
    AccountState, AuthKind, BusyInterval, BusyKind, Calendar, CalendarProviderAccount, Provider, Store, account_insert,
    busy_intervals_replace, calendar_upsert,
};
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row};
use url::Url;

use crate::processes::{ENCRYPTION_KEY, SESSION_SECRET};

/// The hosts who have an account at the simulator, by number.
pub const CONNECTED: std::ops::Range<u32> = 0..64;
/// What stands in a host's calendar within the next sixty days.
const BUSY_INTERVALS: i32 = 40;
/// What a host allows Cupo to do.
const SCOPES: [&str; 3] = [
    "https://www.googleapis.com/auth/calendar.events",
    "https://www.googleapis.com/auth/calendar.calendarlist.readonly",
    "https://www.googleapis.com/auth/calendar.freebusy",
];
/// Every table that a host has rows in, parents first.
const TABLES: [&str; 9] = [
    "organization",
    "user",
    "membership",
    "calendar_provider_account",
    "calendar",
    "schedule",
    "event_type",
    "event_type_host",
    "busy_interval",
];

/// A database full of hosts, each with an organization, an account, a calendar and its mirror, a schedule and an event type.
pub struct Population {
    pub hosts: u32,
    pub today: NaiveDate,
    pub bytes_per_host: f64,
    pub filled_in: Duration,
    server_url: String,
    name: String,
    url: String,
}

pub fn mailbox(number: u32) -> String {
    format!("host{number}@example.com")
}

impl Population {
    pub async fn make(server_url: &str, hosts: u32, google: &GoogleSimulator) -> Result<Self> {
        let name = format!("cupo_scale_{hosts}_{}", std::process::id());
        let mut server = PgConnection::connect(server_url).await?;
        server.execute(AssertSqlSafe(format!("create database {name} template template0"))).await?;
        server.close().await?;
        let mut url: Url = server_url.parse()?;
        url.set_path(&name);
        let url = url.to_string();
        let started = Instant::now();

        let store = Store::connect(&url).await?;
        store.migrate().await?;
        let now = SystemClock.now();
        let template = template(&store, &url, now).await?;
        store.close().await;

        let mut database = PgConnection::connect(&url).await?;
        let empty = size(&mut database).await?;
        copy(&mut database, &template, hosts).await?;
        let mut population = Self {
            hosts,
            today: now.date_naive(),
            bytes_per_host: 0.0,
            filled_in: Duration::ZERO,
            server_url: server_url.to_owned(),
            name,
            url,
        };
        population.connect(&mut database, google, now).await?;
        database.execute("vacuum analyze").await?;
        database.execute("checkpoint").await?;
        population.bytes_per_host = (size(&mut database).await? - empty) as f64 / f64::from(hosts);
        population.filled_in = started.elapsed();
        database.close().await?;
        Ok(population)
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// The host of an account at the simulator: they are spread over the whole population.
    pub fn connected(&self, number: u32) -> u32 {
        number * (self.hosts / CONNECTED.end)
    }

    /// So many different hosts from everywhere, other ones each round as far as there are.
    pub fn scattered(&self, count: usize, round: usize) -> Vec<u32> {
        // A stride that shares no factor with the sizes goes through all before it meets one again.
        const STRIDE: u64 = 7_919;
        let first = (round * count) as u64;
        (first..first + count as u64).map(|turn| ((turn * STRIDE) % u64::from(self.hosts)) as u32).collect()
    }

    pub async fn remove(self) -> Result<()> {
        let mut server = PgConnection::connect(&self.server_url).await?;
        server.execute(AssertSqlSafe(format!("drop database {} with (force)", self.name))).await?;
        Ok(())
    }

    /// Gives some accounts what opens a mailbox of the simulator.
    async fn connect(&self, database: &mut PgConnection, google: &GoogleSimulator, now: DateTime<Utc>) -> Result<()> {
        let keyring = Keyring::new(&[ENCRYPTION_KEY])?;
        for number in CONNECTED {
            let host = self.connected(number);
            let slug = if host == 0 { "bench".to_owned() } else { format!("bench-{host}") };
            let account = sqlx::query(
                "select a.id, a.organization_id from calendar_provider_account a
                   join organization o on o.id = a.organization_id where o.slug = $1",
            )
            .bind(slug)
            .fetch_one(&mut *database)
            .await?;
            let (id, organization): (String, String) = (account.try_get("id")?, account.try_get("organization_id")?);
            let organization_id = OrganizationId::parse(&organization).context("an organization's id")?;
            let row = RowReference { table: "calendar_provider_account", id: &id, organization_id: &organization_id };
            let tokens = google.issue_tokens(&mailbox(number), &SCOPES)?;
            let credentials = json!({
                "kind": "oauth", "access_token": tokens.access_token, "refresh_token": tokens.refresh_token,
                "expires_at": now + TimeDelta::minutes(50),
            });
            let sealed = keyring.seal(&OsRandom, row, credentials.to_string().as_bytes());
            sqlx::query("update calendar_provider_account set token_ciphertext = $2 where id = $1")
                .bind(&id)
                .bind(sealed)
                .execute(&mut *database)
                .await?;
            sqlx::query("update calendar set external_id = $2 where account_id = $1")
                .bind(&id)
                .bind(mailbox(number))
                .execute(&mut *database)
                .await?;
        }
        Ok(())
    }
}

async fn size(database: &mut PgConnection) -> Result<i64> {
    Ok(sqlx::query_scalar("select pg_database_size(current_database())").fetch_one(database).await?)
}

/// The first host, made through the use cases.
async fn template(store: &Store, url: &str, now: DateTime<Utc>) -> Result<OrganizationId> {
    let config = Config::from_toml(&format!(
        "[database]\nurl = \"{url}\"\n[secrets]\nsession_secret = \"{SESSION_SECRET}\"\n\
         encryption_keys = [\"k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\"]\n"
    ))?;
    let public_url = config.address.public_url(config.address.listen);
    let engine = assembly::engine(&config, store.clone(), &public_url, Arc::new(SystemClock))?;
    let form = SignUp {
        email: "bench@example.com".to_owned(),
        password: "a password for a benchmark".to_owned(),
        name: "Bench Mark".to_owned(),
        organization_name: "Bench".to_owned(),
        organization_slug: "bench".to_owned(),
        time_zone: "Europe/Madrid".to_owned(),
        locale: Locale::En,
    };
    let principal = engine.sign_up(form).await?.principal;
    let input = EventTypeInput {
        title: "Introduction".to_owned(),
        slug: "intro".to_owned(),
        location_kind: "address".to_owned(),
        location_detail: "Calle Mayor 1".to_owned(),
        rules: RulesInput { increment_minutes: 15, ..RulesInput::default() },
        ..EventTypeInput::default()
    };
    engine.event_type_save(&principal, None, input).await?;
    calendar(store, &principal, now).await?;
    Ok(principal.organization_id)
}

async fn calendar(store: &Store, principal: &Principal, now: DateTime<Utc>) -> Result<()> {
    let Principal { organization_id, user_id, .. } = principal;
    let account = CalendarProviderAccount {
        id: AccountId::parse("00000000-0000-7000-8000-000000000001").expect("this is a UUID"),
        organization_id: organization_id.clone(),
        user_id: user_id.clone(),
        provider: Provider::Google,
        auth_kind: AuthKind::UserOauth,
        email: "bench@example.com".to_owned(),
        impersonated_email: None,
        credential_id: None,
        scopes: SCOPES.iter().map(|&scope| scope.to_owned()).collect(),
        token_ciphertext: None,
        token_version: 0,
        state: AccountState::Active,
        state_reason: None,
        claims_challenge: None,
        created_at: now,
        updated_at: now,
    };
    let id = CalendarId::parse("00000000-0000-7000-8000-000000000002").expect("this is a UUID");
    let calendar = Calendar {
        id: id.clone(),
        organization_id: organization_id.clone(),
        account_id: account.id.clone(),
        user_id: user_id.clone(),
        external_id: "bench@example.com".to_owned(),
        name: "Bench".to_owned(),
        time_zone: None,
        color: None,
        can_write: true,
        is_primary: true,
        meetings: Vec::new(),
        checks_conflicts: true,
        receives_events: true,
        tentative_blocks: true,
        unanswered_blocks: true,
        sync_cursor: Some("cursor".to_owned()),
        synced_at: Some(now),
        mirror_until: Some(now + TimeDelta::days(365)),
        sync_error: None,
    };
    let step = TimeDelta::days(60) / BUSY_INTERVALS;
    let busy = (0..BUSY_INTERVALS).map(|number| {
        let start = now + step * number;
        BusyInterval {
            calendar_id: id.clone(),
            organization_id: organization_id.clone(),
            external_event_id: format!("event{number:04}of26characters"),
            interval: Interval { start, end: start + TimeDelta::minutes(30) },
            kind: BusyKind::Busy,
            title: Some("A meeting of the host".to_owned()),
        }
    });
    let busy: Vec<BusyInterval> = busy.collect();
    let mut tx = store.write().await?;
    account_insert(&mut tx, &account).await?;
    calendar_upsert(&mut tx, &calendar).await?;
    busy_intervals_replace(&mut tx, organization_id, &id, busy, now).await?;
    tx.commit().await?;
    Ok(())
}

/// Copies the first host: a copy's ids begin with its number, and so do its hashes; its slug and its address end or begin
/// with it.
async fn copy(database: &mut PgConnection, template: &OrganizationId, hosts: u32) -> Result<()> {
    for table in TABLES {
        let columns: Vec<(String, String)> = sqlx::query_as(
            "select column_name::text, data_type::text from information_schema.columns
              where table_schema = 'public' and table_name = $1 order by ordinal_position",
        )
        .bind(table)
        .fetch_all(&mut *database)
        .await?;
        let names: Vec<String> = columns.iter().map(|(name, _)| format!("\"{name}\"")).collect();
        let values: Vec<String> = columns.iter().map(|(name, kind)| copied(table, name, kind)).collect();
        let of_template = match table {
            "organization" => "t.id = $1",
            "user" => "t.id in (select user_id from membership where organization_id = $1)",
            _ => "t.organization_id = $1",
        };
        let text = format!(
            "insert into \"{table}\" ({}) select {} from \"{table}\" t, generate_series(1, $2) n where {of_template}",
            names.join(", "),
            values.join(", ")
        );
        sqlx::query(AssertSqlSafe(text))
            .bind(template.as_str())
            .bind(i32::try_from(hosts - 1)?)
            .execute(&mut *database)
            .await
            .with_context(|| format!("copying {table}"))?;
    }
    Ok(())
}

fn copied(table: &str, name: &str, kind: &str) -> String {
    let is_id = name == "id" || (name.ends_with("_id") && !name.starts_with("external"));
    match (table, name) {
        ("organization", "slug") => "t.slug || '-' || n".to_owned(),
        ("user", "email") => "n || '.' || t.email".to_owned(),
        _ if is_id && kind == "text" => {
            format!("overlay(t.\"{name}\" placing lpad(to_hex(n), 8, '0') from 1 for 8)")
        }
        _ => format!("t.\"{name}\""),
    }
}
