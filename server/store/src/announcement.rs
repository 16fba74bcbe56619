//! What the processes on one database tell one another.
//!
//! On PostgreSQL they use `NOTIFY` and `LISTEN`. An announcement is made after the commit that it tells of, in a transaction of
//! its own: PostgreSQL lets the transactions that notify commit one after another
//! (<https://www.postgresql.org/docs/current/sql-notify.html>), which bookings shall not wait for. It may therefore be lost;
//! nothing that must be right may depend on it.
//!
//! On SQLite nothing is announced: `pragma data_version` tells a process that another one has written
//! (<https://www.sqlite.org/pragma.html#pragma_data_version>), though not what.
//!
//! Whoever listens is told when something may have been missed. While nothing can be heard that is told again and again, so
//! that what depends on hearing is never older than [`DEAF`].

use std::future::pending;
use std::time::Duration;

use cupo_core::ids::OrganizationId;
use serde::{Deserialize, Serialize};
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use sqlx::{PgPool, SqlitePool};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::StoreError;

/// How long may pass, while nothing can be heard, between two times that this is told.
pub const DEAF: Duration = Duration::from_secs(3);

const CHANNEL: &str = "cupo";
/// PostgreSQL takes payloads of less than 8000 bytes.
const PAYLOAD_BYTES: usize = 7_900;
/// Between two proofs that the connection hears: a dead network is silent too.
const BEAT: Duration = Duration::from_secs(1);
/// How long the database may take for what is asked of it here, so that [`DEAF`] holds.
const PATIENCE: Duration = Duration::from_secs(2);
/// Between two tries to listen, and between two looks at SQLite after a failure.
const PAUSE: Duration = Duration::from_millis(500);
/// Between two looks whether another process has written to SQLite.
const LOOK: Duration = Duration::from_millis(250);
/// By which an operator knows the listening connections in `pg_stat_activity`.
const APPLICATION: &str = "cupo listener";

/// What one process tells the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Announcement {
    /// Rows of the organization were changed; jobs may wait.
    Written(OrganizationId),
    /// Jobs wait, and nothing else changed.
    Work,
    /// Requests that counted against a limit.
    Admitted(Admitted),
}

/// How many requests of a client counted against a limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admitted {
    /// The limit's name.
    pub limit: String,
    /// Who asked: a keyed hash, for the address is a person's.
    pub client: String,
    pub count: u32,
}

/// What a process hears.
#[derive(Debug)]
pub enum Heard {
    /// Another process tells something.
    Announced { from: String, announcements: Vec<Announcement> },
    /// From now on all is heard, but something may have been missed before.
    Missed,
    /// Nothing can be heard for this reason. It is told again within [`DEAF`] for as long as that is so.
    Deaf(StoreError),
}

/// An announcement of several things, as it travels.
#[derive(Debug, Serialize, Deserialize, Default, PartialEq, Eq)]
struct Payload {
    from: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    written: Vec<OrganizationId>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    work: bool,
    /// The limit, the client, the count.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    admitted: Vec<(String, String, u32)>,
}

impl Payload {
    fn of(from: &str) -> Self {
        Self { from: from.to_owned(), ..Self::default() }
    }

    fn push(&mut self, announcement: &Announcement) {
        match announcement {
            Announcement::Written(organization_id) => self.written.push(organization_id.clone()),
            Announcement::Work => self.work = true,
            Announcement::Admitted(Admitted { limit, client, count }) => {
                self.admitted.push((limit.clone(), client.clone(), *count));
            }
        }
    }

    fn announcements(self) -> Vec<Announcement> {
        let written = self.written.into_iter().map(Announcement::Written);
        let work = self.work.then_some(Announcement::Work);
        let admitted = self
            .admitted
            .into_iter()
            .map(|(limit, client, count)| Announcement::Admitted(Admitted { limit, client, count }));
        written.chain(work).chain(admitted).collect()
    }
}

/// The texts that carry the announcements, each short enough.
fn payloads(from: &str, announcements: &[Announcement]) -> Result<Vec<String>, StoreError> {
    // The names and brackets of a payload, and what surrounds an entry.
    const FRAME: usize = 64;
    const ENTRY: usize = 24;
    let mut texts = Vec::new();
    let (mut payload, mut bytes) = (Payload::of(from), FRAME + from.len());
    for announcement in announcements {
        let entry = ENTRY
            + match announcement {
                Announcement::Written(organization_id) => organization_id.as_str().len(),
                Announcement::Work => 0,
                Announcement::Admitted(admitted) => admitted.limit.len() + admitted.client.len(),
            };
        if bytes + entry > PAYLOAD_BYTES {
            texts.push(serde_json::to_string(&payload)?);
            (payload, bytes) = (Payload::of(from), FRAME + from.len());
        }
        payload.push(announcement);
        bytes += entry;
    }
    texts.push(serde_json::to_string(&payload)?);
    Ok(texts)
}

/// Tells the processes that listen on the same PostgreSQL.
pub(crate) async fn announce(pool: &PgPool, from: &str, announcements: &[Announcement]) -> Result<(), StoreError> {
    if announcements.is_empty() {
        return Ok(());
    }
    for payload in payloads(from, announcements)? {
        sqlx::query("select pg_notify($1, $2)").bind(CHANNEL).bind(payload).execute(pool).await?;
    }
    Ok(())
}

/// What other processes tell, for as long as somebody asks; see [`Store::announcements`](crate::Store::announcements).
#[derive(Debug)]
pub struct Announcements {
    /// The name of this process: it does not listen to itself.
    own: String,
    source: Source,
}

#[derive(Debug)]
enum Source {
    /// Nobody else can reach the database.
    Alone,
    Sqlite {
        writer: SqlitePool,
        version: Option<i64>,
    },
    Postgres {
        options: Box<PgConnectOptions>,
        listening: Option<Box<Listening>>,
    },
}

impl Announcements {
    pub(crate) fn alone(own: &str) -> Self {
        Self { own: own.to_owned(), source: Source::Alone }
    }

    /// `writer` has one connection, the only one of this process that writes: to it, what others wrote is foreign, and
    /// nothing else is.
    pub(crate) fn of_sqlite(own: &str, writer: SqlitePool) -> Self {
        Self { own: own.to_owned(), source: Source::Sqlite { writer, version: None } }
    }

    pub(crate) fn of_postgres(own: &str, options: PgConnectOptions) -> Self {
        let options = Box::new(options.application_name(APPLICATION));
        Self { own: own.to_owned(), source: Source::Postgres { options, listening: None } }
    }

    /// Waits for what is to be heard next. It never ends by itself: a connection that is lost is made again. Whoever gives up
    /// waiting should drop the whole and begin anew, or what comes meanwhile is heard late.
    pub async fn next(&mut self) -> Heard {
        match &mut self.source {
            Source::Alone => pending().await,
            Source::Sqlite { writer, version } => next_of_sqlite(writer, version).await,
            Source::Postgres { options, listening } => next_of_postgres(options, listening, &self.own).await,
        }
    }
}

async fn next_of_sqlite(writer: &SqlitePool, version: &mut Option<i64>) -> Heard {
    loop {
        sleep(LOOK).await;
        let look = sqlx::query_scalar::<_, i64>("pragma data_version").fetch_one(writer);
        match timeout(PATIENCE, look).await {
            Ok(Ok(now)) if *version == Some(now) => {}
            Ok(Ok(now)) => {
                *version = Some(now);
                return Heard::Missed;
            }
            Ok(Err(error)) => {
                sleep(PAUSE).await;
                return Heard::Deaf(error.into());
            }
            Err(_) => return Heard::Deaf(StoreError::Unavailable("a transaction takes long".to_owned())),
        }
    }
}

async fn next_of_postgres(options: &PgConnectOptions, listening: &mut Option<Box<Listening>>, own: &str) -> Heard {
    loop {
        let Some(open) = listening else {
            let opened = timeout(PATIENCE, Listening::open(options, own)).await;
            match opened.unwrap_or_else(|_| Err(silent())) {
                Ok(opened) => {
                    *listening = Some(Box::new(opened));
                    return Heard::Missed;
                }
                Err(error) => {
                    sleep(PAUSE).await;
                    return Heard::Deaf(error);
                }
            }
        };
        match open.next().await {
            // What this version does not understand is of no use to it.
            Ok(text) => match serde_json::from_str::<Payload>(&text) {
                Ok(payload) if payload.from != own => {
                    let from = payload.from.clone();
                    return Heard::Announced { from, announcements: payload.announcements() };
                }
                Ok(_) | Err(_) => {}
            },
            Err(error) => {
                *listening = None;
                return Heard::Deaf(error);
            }
        }
    }
}

fn silent() -> StoreError {
    StoreError::Unavailable("it does not answer".to_owned())
}

/// A connection that listens, and proves it: once a second it tells itself something on a channel that nobody else knows.
/// What is lost between here and the database (a network that drops packets, a proxy that hands the connection to somebody
/// else) makes no other sound.
struct Listening {
    listener: PgListener,
    own_channel: String,
    next_beat: Instant,
    /// Whether what it told itself has not come back yet.
    is_unheard: bool,
}

impl std::fmt::Debug for Listening {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Listening(..)")
    }
}

impl Listening {
    async fn open(options: &PgConnectOptions, own: &str) -> Result<Self, StoreError> {
        // A pool of its own: the other's connections are for transactions, and one that hangs must not block the next.
        let pool = PgPoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None);
        let mut listener = PgListener::connect_with(&pool.connect_with(options.clone()).await?).await?;
        listener.ignore_pool_close_event(true);
        // Whether it was lost must be seen here.
        listener.eager_reconnect(false);
        let own_channel = format!("{CHANNEL}_{own}");
        listener.listen_all([CHANNEL, &own_channel]).await?;
        Ok(Self { listener, own_channel, next_beat: Instant::now(), is_unheard: false })
    }

    /// The next text on the common channel.
    ///
    /// # Errors
    /// When the connection is lost, or proves nothing any more.
    async fn next(&mut self) -> Result<String, StoreError> {
        loop {
            let received = tokio::select! {
                biased;
                received = self.listener.try_recv() => Some(received?.ok_or_else(silent)?),
                () = sleep_until(self.next_beat) => None,
            };
            match received {
                Some(received) if received.channel() == self.own_channel => self.is_unheard = false,
                Some(received) => return Ok(received.payload().to_owned()),
                None if self.is_unheard => return Err(silent()),
                None => self.beat().await?,
            }
        }
    }

    async fn beat(&mut self) -> Result<(), StoreError> {
        let beat = sqlx::query("select pg_notify($1, '')").bind(&self.own_channel).execute(&mut self.listener);
        timeout(PATIENCE, beat).await.map_err(|_| silent())??;
        self.is_unheard = true;
        self.next_beat = Instant::now() + BEAT;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn organization(number: u32) -> OrganizationId {
        OrganizationId::parse(&format!("00000000-0000-7000-8000-{number:012}")).unwrap()
    }

    #[test]
    fn however_much_is_announced_each_payload_is_short_and_none_is_lost() {
        let admitted = |number: u32| Admitted {
            limit: "sign_in".to_owned(),
            client: format!("{number:022}"),
            count: u32::MAX - number,
        };
        let mut all: Vec<Announcement> = (0..3_000).map(|number| Announcement::Written(organization(number))).collect();
        all.push(Announcement::Work);
        all.extend((0..3_000).map(|number| Announcement::Admitted(admitted(number))));
        let texts = payloads("a-process-with-a-name-of-some-length-as-tokens-have", &all).unwrap();
        assert!(texts.iter().all(|text| text.len() < 8_000), "{:?}", texts.iter().map(String::len).max());
        let read = texts.iter().flat_map(|text| serde_json::from_str::<Payload>(text).unwrap().announcements());
        assert_eq!(read.collect::<Vec<_>>(), all);
    }

    #[test]
    fn what_a_later_version_adds_is_passed_over() {
        let text = r#"{"from":"other","work":true,"something":[1,2]}"#;
        let payload: Payload = serde_json::from_str(text).unwrap();
        assert_eq!(payload.announcements(), [Announcement::Work]);
    }
}
