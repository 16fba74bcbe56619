//! `cupo-simulators`: the stand-ins as a program, for the demo and the browser tests.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context;
use clap::{Parser, ValueEnum};
use cupo_simulators::google::{GoogleOptions, GoogleSimulator};
use cupo_simulators::mail::MailSink;
use cupo_simulators::microsoft::{MicrosoftOptions, MicrosoftSimulator};
use cupo_simulators::site::{SampleSite, SiteOptions};
use serde_json::{Map, Value, json};
use tokio::signal::unix::{SignalKind, signal};

/// Local stand-ins for Google Calendar, Microsoft Graph, a mail server, and a business's web site.
///
/// When everything listens, one JSON line on standard output tells the addresses. SIGTERM or Ctrl-C ends it.
#[derive(Debug, Parser)]
#[command(name = "cupo-simulators", version)]
struct Arguments {
    /// What to start.
    #[arg(value_enum)]
    which: Which,
    /// Where the simulated Google listens. Port 0 takes a free one, here and below.
    #[arg(long, default_value = "127.0.0.1:4001")]
    google_listen: SocketAddr,
    /// Where the simulated Microsoft listens.
    #[arg(long, default_value = "127.0.0.1:4004")]
    microsoft_listen: SocketAddr,
    /// Where the mails are shown.
    #[arg(long, default_value = "127.0.0.1:4002")]
    mail_listen: SocketAddr,
    /// Where mail is taken in.
    #[arg(long, default_value = "127.0.0.1:4025")]
    smtp_listen: SocketAddr,
    /// Where the sample site is.
    #[arg(long, default_value = "127.0.0.1:4003")]
    site_listen: SocketAddr,
    /// Where Cupo is, for the tags on the sample site.
    #[arg(long, default_value = "http://127.0.0.1:3000")]
    cupo_url: String,
    /// The event type that the sample site offers, as `org/slug`.
    #[arg(long, default_value = "demo/intro")]
    event: String,
    /// Keeps the simulated Google's world over restarts.
    #[arg(long)]
    state: Option<PathBuf>,
    /// Keeps the simulated Microsoft's world over restarts.
    #[arg(long)]
    microsoft_state: Option<PathBuf>,
    /// Starts the first user with a believable week of appointments.
    #[arg(long)]
    sample_events: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Which {
    All,
    Google,
    Microsoft,
    Mail,
    Site,
}

impl Which {
    fn includes(self, other: Self) -> bool {
        self == Self::All || self == other
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "warn".into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let arguments = Arguments::parse();
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM cannot be awaited")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT cannot be awaited")?;

    let running = Running::start(&arguments).await?;
    announce(&running.addresses())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    running.stop().await;
    Ok(())
}

struct Running {
    google: Option<GoogleSimulator>,
    microsoft: Option<MicrosoftSimulator>,
    mail: Option<MailSink>,
    site: Option<SampleSite>,
}

impl Running {
    async fn start(arguments: &Arguments) -> anyhow::Result<Self> {
        let mut running = Self { google: None, microsoft: None, mail: None, site: None };
        if arguments.which.includes(Which::Google) {
            let options = GoogleOptions {
                listen: arguments.google_listen,
                state_file: arguments.state.clone(),
                sample_events: arguments.sample_events,
                ..GoogleOptions::default()
            };
            running.google = Some(GoogleSimulator::start(options).await?);
        }
        if arguments.which.includes(Which::Microsoft) {
            let options = MicrosoftOptions {
                listen: arguments.microsoft_listen,
                state_file: arguments.microsoft_state.clone(),
                sample_events: arguments.sample_events,
                ..MicrosoftOptions::default()
            };
            running.microsoft = Some(MicrosoftSimulator::start(options).await?);
        }
        if arguments.which.includes(Which::Mail) {
            running.mail = Some(MailSink::start(arguments.smtp_listen, arguments.mail_listen).await?);
        }
        if arguments.which.includes(Which::Site) {
            let (listen, cupo_url) = (arguments.site_listen, arguments.cupo_url.clone());
            running.site =
                Some(SampleSite::start(SiteOptions { listen, cupo_url, event: arguments.event.clone() }).await?);
        }
        Ok(running)
    }

    fn addresses(&self) -> Map<String, Value> {
        let mut addresses = Map::from_iter([("ready".to_owned(), json!(true))]);
        if let Some(google) = &self.google {
            addresses.insert("google".to_owned(), json!(google.base_url()));
        }
        if let Some(microsoft) = &self.microsoft {
            addresses.insert("microsoft".to_owned(), json!(microsoft.base_url()));
        }
        if let Some(mail) = &self.mail {
            addresses.insert("mail".to_owned(), json!(mail.base_url()));
            addresses.insert("smtp".to_owned(), json!(mail.smtp_address()));
        }
        if let Some(site) = &self.site {
            addresses.insert("site".to_owned(), json!(site.base_url()));
        }
        addresses
    }

    async fn stop(self) {
        if let Some(site) = self.site {
            site.stop().await;
        }
        if let Some(mail) = self.mail {
            mail.stop().await;
        }
        if let Some(microsoft) = self.microsoft {
            microsoft.stop().await;
        }
        if let Some(google) = self.google {
            google.stop().await;
        }
    }
}

#[expect(clippy::print_stdout, reason = "the line on standard output is what the starter waits for")]
fn announce(addresses: &Map<String, Value>) -> anyhow::Result<()> {
    use std::io::Write as _;
    println!("{}", serde_json::to_string(addresses)?);
    std::io::stdout().flush().context("standard output is closed")
}
