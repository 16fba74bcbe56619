//! Doing what the plan says that goes wrong.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use cupo_simulators::mail::MailFault;
use cupo_simulators::{front, google, microsoft};

use crate::plan::{Dice, Fault, Provider};
use crate::processes::Process;
use crate::say;
use crate::world::World;

/// The product's requests to a provider, sign-in included.
const REQUESTS: &str = "^/(calendar/v3|v1\\.0|token|[^/]+/oauth2/v2\\.0/token)";
/// Those that change events.
const EVENTS: &str = "/events";

/// Does it, announced with its number. What lasts a while goes on by itself.
pub async fn inject(world: &Arc<World>, number: u32, fault: Fault, dice: Dice) -> Result<()> {
    let announce = |what: &str| say(&format!("fault {number}: {what}"));
    match fault {
        Fault::Kill { pause } => {
            let process = any_process(world, dice)?;
            announce(&format!("kill -9 of {}, back after {pause:?}", process.name()));
            process.kill().await?;
            let process = Arc::clone(process);
            tokio::spawn(async move {
                tokio::time::sleep(pause).await;
                told(process.revive().await);
            });
        }
        Fault::Refusal { provider, status, retry_after, times } => {
            announce(&format!("{provider:?} answers {status} to {times} requests, Retry-After {retry_after:?}"));
            let trouble = Trouble { times, status: Some(status), retry_after, ..Trouble::default() };
            trouble.arm(world, provider)?;
        }
        Fault::Delay { provider, delay } => {
            announce(&format!("{provider:?} takes {delay:?} for a request"));
            let delay_ms = u64::try_from(delay.as_millis())?;
            Trouble { delay_ms, ..Trouble::default() }.arm(world, provider)?;
        }
        Fault::LostAnswer { provider, times, of_writes } => {
            let what = if of_writes { "writes" } else { "requests" };
            announce(&format!("{provider:?} does what {times} {what} ask for and answers nothing"));
            Trouble { times, drops: true, of_writes, ..Trouble::default() }.arm(world, provider)?;
        }
        Fault::LostNotification { provider, times } => {
            announce(&format!("{provider:?} loses {times} notifications"));
            Notices { times, lose: true, ..Notices::default() }.arm(world, provider)?;
        }
        Fault::DoubledNotification { provider, times } => {
            announce(&format!("{provider:?} sends {times} notifications twice"));
            Notices { times, double: true, ..Notices::default() }.arm(world, provider)?;
        }
        Fault::LateNotification { provider, delay } => {
            announce(&format!("{provider:?} sends a notification {delay:?} late"));
            Notices { late_ms: u64::try_from(delay.as_millis())?, ..Notices::default() }.arm(world, provider)?;
        }
        Fault::OvertakenNotification { provider, delay } => {
            announce(&format!("{provider:?} lets notifications overtake one for {delay:?}"));
            Notices { overtaken_ms: u64::try_from(delay.as_millis())?, ..Notices::default() }.arm(world, provider)?;
        }
        Fault::ExpiredCursors { provider } => {
            announce(&format!("{provider:?} forgets every sync cursor"));
            match provider {
                Provider::Google => world.calendars.google.expire_sync_tokens(),
                Provider::Microsoft => world.calendars.microsoft.expire_sync_tokens(),
                Provider::Caldav => match &world.calendars.radicale {
                    Some(radicale) => radicale.expire_sync_tokens()?,
                    None => world.calendars.google.expire_sync_tokens(),
                },
            }
        }
        Fault::ExpiredChannels { provider } => {
            announce(&format!("{provider:?} ends every channel without a word"));
            match provider {
                Provider::Microsoft => world.calendars.microsoft.expire_subscriptions(),
                Provider::Google | Provider::Caldav => world.calendars.google.expire_channels(),
            }
        }
        Fault::Revoked { signs_in_after } => revoke(world, number, signs_in_after, dice)?,
        Fault::RefreshRace { provider } => {
            announce(&format!("every access token of {provider:?} ends at once"));
            match provider {
                Provider::Microsoft => world.calendars.microsoft.expire_access_tokens(),
                Provider::Google | Provider::Caldav => world.calendars.google.expire_access_tokens(),
            }
        }
        Fault::MailRefusal { code, times } => {
            announce(&format!("the mail server refuses {times} mails with {code}"));
            world.mail.add_fault(MailFault { times, code })?;
        }
        Fault::FullDisk { lasts } => full_disk(world, number, lasts).await?,
        Fault::DatabaseRestart => {
            announce("the database is restarted at once");
            restart_database(world).await?;
        }
        Fault::ClockStep { seconds, lasts, of_all } => {
            let stepped: Vec<Arc<Process>> =
                if of_all { world.processes.clone() } else { vec![Arc::clone(any_process(world, dice)?)] };
            let names: Vec<&str> = stepped.iter().map(|process| process.name()).collect();
            announce(&format!("the clock of {} jumps {seconds} s ahead for {lasts:?}", names.join(", ")));
            for process in &stepped {
                process.set_clock(seconds)?;
            }
            let world = Arc::clone(world);
            tokio::spawn(async move {
                tokio::time::sleep(lasts).await;
                for process in stepped {
                    if !world.is_settling.load(Ordering::Relaxed) {
                        told(process.set_clock(0));
                    }
                }
            });
        }
    }
    Ok(())
}

/// Ends what lasts, and forgets what has met nothing so far.
pub async fn end(world: &World) -> Result<()> {
    world.is_settling.store(true, Ordering::Relaxed);
    world.calendars.google.clear_faults();
    world.calendars.microsoft.clear_faults();
    if let Some(radicale) = &world.calendars.radicale {
        radicale.front.clear_faults();
    }
    world.mail.clear_faults();
    for process in &world.processes {
        process.limit_files(None).await?;
        process.set_clock(0)?;
        process.revive().await?;
    }
    Ok(())
}

fn any_process(world: &World, dice: Dice) -> Result<&Arc<Process>> {
    dice.choose(1, &world.processes).context("there is no process")
}

fn told(outcome: Result<()>) {
    if let Err(error) = outcome {
        say(&format!("  a fault could not be mended: {error:#}"));
    }
}

/// What happens to requests.
#[derive(Debug, Clone, Copy)]
struct Trouble {
    times: u32,
    status: Option<u16>,
    retry_after: Option<u64>,
    delay_ms: u64,
    drops: bool,
    of_writes: bool,
}

impl Default for Trouble {
    fn default() -> Self {
        Self { times: 1, status: None, retry_after: None, delay_ms: 0, drops: false, of_writes: false }
    }
}

impl Trouble {
    fn arm(self, world: &World, provider: Provider) -> Result<()> {
        let Self { times, status, retry_after, delay_ms, drops, of_writes } = self;
        // Of writes: a method that only they have, or a POST to events; one fault waits for each.
        let pattern = Some(if of_writes { EVENTS } else { REQUESTS }.to_owned());
        let method = of_writes.then(|| "POST".to_owned());
        match (provider, &world.calendars.radicale) {
            (Provider::Microsoft, _) => world.calendars.microsoft.add_fault(microsoft::Fault {
                method,
                path_pattern: pattern,
                times,
                status,
                retry_after,
                delay_ms,
                drop_answer_after_effect: drops,
                ..microsoft::Fault::default()
            }),
            (Provider::Caldav, Some(radicale)) => radicale.front.add_fault(front::Fault {
                method: of_writes.then(|| "PUT".to_owned()),
                path_pattern: None,
                times,
                status,
                retry_after,
                delay_ms,
                drop_answer_after_effect: drops,
            }),
            (Provider::Google | Provider::Caldav, _) => world.calendars.google.add_fault(google::Fault {
                method,
                path_pattern: pattern,
                times,
                status,
                retry_after,
                delay_ms,
                drop_answer_after_effect: drops,
                ..google::Fault::default()
            }),
        }
    }
}

/// What happens to notifications.
#[derive(Debug, Clone, Copy)]
struct Notices {
    times: u32,
    lose: bool,
    double: bool,
    late_ms: u64,
    overtaken_ms: u64,
}

impl Default for Notices {
    fn default() -> Self {
        Self { times: 1, lose: false, double: false, late_ms: 0, overtaken_ms: 0 }
    }
}

impl Notices {
    fn arm(self, world: &World, provider: Provider) -> Result<()> {
        let Self { times, lose, double, late_ms, overtaken_ms } = self;
        if provider == Provider::Microsoft {
            return world.calendars.microsoft.add_fault(microsoft::Fault {
                times,
                lose_notifications: lose,
                double_notifications: double,
                late_notifications_ms: late_ms,
                overtaken_notifications_ms: overtaken_ms,
                ..microsoft::Fault::default()
            });
        }
        world.calendars.google.add_fault(google::Fault {
            times,
            lose_notifications: lose,
            double_notifications: double,
            late_notifications_ms: late_ms,
            overtaken_notifications_ms: overtaken_ms,
            ..google::Fault::default()
        })
    }
}

fn revoke(world: &Arc<World>, number: u32, signs_in_after: Duration, dice: Dice) -> Result<()> {
    let revocable: Vec<usize> =
        (0..world.hosts.len()).filter(|at| world.hosts[*at].provider != Provider::Caldav).collect();
    let at = *dice.choose(1, &revocable).context("there is nobody to revoke")?;
    let host = &world.hosts[at];
    say(&format!(
        "fault {number}: the tokens of {} are revoked, signed in again after {signs_in_after:?}",
        host.account
    ));
    match host.provider {
        Provider::Microsoft => world.calendars.microsoft.revoke(&host.account),
        Provider::Google | Provider::Caldav => world.calendars.google.revoke(&host.account),
    }
    let world = Arc::clone(world);
    tokio::spawn(async move {
        tokio::time::sleep(signs_in_after).await;
        if let Err(error) = world.sign_in(&world.hosts[at], dice).await {
            // Another fault struck the sign-in: whoever settles signs in again.
            say(&format!("  {} could not sign in again yet: {error:#}", world.hosts[at].account));
        }
    });
    Ok(())
}

/// The write-ahead log cannot grow beyond what it is.
async fn full_disk(world: &World, number: u32, lasts: Duration) -> Result<()> {
    let file = world.database_file.as_ref().context("the database is no file")?;
    let log = file.with_extension("db-wal");
    let size = fs::metadata(&log).or_else(|_| fs::metadata(file)).map(|data| data.len()).unwrap_or_default();
    say(&format!("fault {number}: no file of the product can grow beyond {size} bytes for {lasts:?}"));
    for process in &world.processes {
        process.limit_files(Some(size)).await?;
    }
    let processes = world.processes.clone();
    tokio::spawn(async move {
        tokio::time::sleep(lasts).await;
        for process in processes {
            told(process.limit_files(None).await);
        }
    });
    Ok(())
}

/// `pg_ctl restart --mode=immediate`, as its owner.
async fn restart_database(world: &World) -> Result<()> {
    let options = &world.options;
    let program = options.pg_ctl.as_ref().context("--pg-ctl is needed to restart the database")?;
    let data = options.pg_data.as_ref().context("--pg-data is needed to restart the database")?;
    let mut command = Command::new(program);
    command.args(["restart", "--mode=immediate", "--wait", "--timeout=60", "--log"]).arg(data.join("../log"));
    command.arg("--pgdata").arg(data).current_dir(data);
    if let (Some(uid), Some(gid)) = (options.pg_uid, options.pg_gid) {
        command.uid(uid).gid(gid);
    }
    let output = tokio::task::spawn_blocking(move || command.output()).await??;
    ensure!(
        output.status.success(),
        "the database could not be restarted: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}
