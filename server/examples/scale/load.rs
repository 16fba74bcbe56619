//! What is asked of the servers, and how long it takes.

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use chrono::{Days, NaiveDate};
use futures::stream::{self, StreamExt, TryStreamExt};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::population::{CONNECTED, Population};
use crate::processes::Servers;

const CONNECTIONS: usize = 4;
/// Asked before, so that connections are open and statements prepared.
const WARM_UP: usize = 100;
/// Each of them of another host, so that no answer is in a cache.
const SLOTS: usize = 800;
const BOOKINGS: usize = 400;
const BOOKINGS_WARM_UP: usize = 40;

/// How long requests took.
#[derive(Debug, Clone, Copy)]
pub struct Figures {
    pub per_second: f64,
    pub p50: Duration,
    pub p99: Duration,
}

impl Figures {
    pub fn of(mut answers: Vec<Duration>, _elapsed: Duration) -> Self {
        answers.sort_unstable();
        let total: Duration = answers.iter().sum();
        let at = |share: f64| answers[((answers.len() - 1) as f64 * share) as usize];
        // As many requests are under way as there are connections.
        let per_second = (answers.len() * CONNECTIONS) as f64 / total.as_secs_f64();
        Self { per_second, p50: at(0.5), p99: at(0.99) }
    }

    /// Each figure's median.
    pub fn median(all: &[Self]) -> Self {
        let mid = |mut values: Vec<f64>| {
            values.sort_by(f64::total_cmp);
            values[values.len() / 2]
        };
        let seconds = |of: fn(&Self) -> Duration| mid(all.iter().map(|it| of(it).as_secs_f64()).collect());
        Self {
            per_second: mid(all.iter().map(|it| it.per_second).collect()),
            p50: Duration::from_secs_f64(seconds(|it| it.p50)),
            p99: Duration::from_secs_f64(seconds(|it| it.p99)),
        }
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |of: Duration| of.as_secs_f64() * 1000.0;
        write!(f, "{:.0}/s, p50 {:.1} ms, p99 {:.1} ms", self.per_second, ms(self.p50), ms(self.p99))
    }
}

/// Thirty days of slots, of another host each time.
pub async fn slots(population: &Population, servers: &Servers, round: usize) -> Result<Vec<Duration>> {
    let hosts = population.scattered(WARM_UP + SLOTS, round);
    let asked = hosts.into_iter().enumerate().map(|(turn, host)| async move {
        let url = format!("{}{}", servers.address(turn), slots_path(host, population.today, 30));
        let started = Instant::now();
        let answer = servers.client.get(url).send().await?;
        let status = answer.status();
        let body = answer.bytes().await?;
        ensure!(status == StatusCode::OK, "{status}: {}", String::from_utf8_lossy(&body));
        Ok(started.elapsed())
    });
    let times: Vec<Duration> = stream::iter(asked).buffered(CONNECTIONS).try_collect().await?;
    Ok(times[WARM_UP..].to_vec())
}

/// Bookings of hosts with a connected calendar, each at a start of its own.
pub async fn bookings(population: &Population, servers: &Servers, _: usize) -> Result<Vec<Duration>> {
    let wanted = BOOKINGS + BOOKINGS_WARM_UP;
    let hosts: Vec<u32> = CONNECTED.map(|number| population.connected(number)).collect();
    let each = wanted.div_ceil(hosts.len());
    let mut starts = Vec::new();
    for host in &hosts {
        let url = format!("{}{}", servers.address(0), slots_path(*host, population.today, 30));
        let answer: Value = servers.client.get(url).send().await?.json().await?;
        let slots = answer["slots"].as_array().with_context(|| format!("no slots: {answer}"))?;
        ensure!(slots.len() >= each, "host {host} offers {} slots", slots.len());
        starts.push(slots.iter().step_by((slots.len() / each).max(1)).take(each).cloned().collect::<Vec<_>>());
    }
    // Of each host one, then the next of each: those who book at the same time book different hosts.
    let plan =
        (0..each).flat_map(|number| hosts.iter().zip(&starts).map(move |(host, of)| (*host, of[number].clone())));
    let booked = plan.take(wanted).enumerate().map(|(turn, (host, start))| async move {
        let body = json!({
            "org": organization(host), "event": "intro", "start": start, "name": "Vera Visitor",
            "email": "vera@example.com", "time_zone": "Europe/Madrid", "locale": "en",
        });
        let request = servers.client.post(format!("{}/embed/v1/appointments", servers.address(turn)));
        let request = request.header("idempotency-key", format!("{host}/{start}")).json(&body);
        let started = Instant::now();
        let answer = request.send().await?;
        let status = answer.status();
        let answer = answer.text().await?;
        ensure!(status == StatusCode::CREATED, "{status}: {answer}");
        Ok(started.elapsed())
    });
    let times: Vec<Duration> = stream::iter(booked).buffered(CONNECTIONS).try_collect().await?;
    Ok(times[BOOKINGS_WARM_UP..].to_vec())
}

fn organization(host: u32) -> String {
    if host == 0 { "bench".to_owned() } else { format!("bench-{host}") }
}

fn slots_path(host: u32, today: NaiveDate, days: u64) -> String {
    let to = today + Days::new(days - 1);
    format!("/embed/v1/slots?org={}&event=intro&from={today}&to={to}", organization(host))
}
