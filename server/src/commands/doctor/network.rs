//! Checks that ask other machines, or this one from outside.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use cupo_engine::clock::Clock;
use cupo_store::Store;
use reqwest::Client;
use reqwest::header::DATE;
use reqwest::redirect::Policy;
use url::Url;

use super::{Finding, TIME_LIMIT};
use crate::assembly;
use crate::config::{Config, is_loopback};

/// Providers refuse assertions of clocks that are further off than a few minutes; slots are wrong before that.
const TOLERATED_SKEW: TimeDelta = TimeDelta::seconds(30);

pub async fn examine(config: &Config, store: Option<Store>, clock: Arc<dyn Clock>) -> Vec<Finding> {
    let client = match Client::builder().timeout(TIME_LIMIT).redirect(Policy::none()).build() {
        Ok(client) => client,
        Err(error) => {
            return vec![Finding::wrong(
                "network",
                format!("no client can be made ({error})."),
                "Check the system's TLS.",
            )];
        }
    };
    let public_url = config.address.public_url(config.address.listen);
    let mut findings = vec![public_address(&client, &public_url).await];
    let login_url = config.microsoft.as_ref().map(|microsoft| &microsoft.login_url);
    match config.google.as_ref().map(|google| &google.token_url).or(login_url) {
        None => findings.push(Finding::left_out("clock", "there is nobody to compare it with")),
        Some(provider) => findings.push(this_clock(&client, provider, &*clock).await),
    }
    match &config.google {
        None => {
            findings.push(Finding::left_out("google", "no client configured: hosts cannot connect accounts of Google"))
        }
        Some(google) => {
            findings.push(notifications("Google", &public_url, google.webhook_url.as_ref(), &google.api_url));
        }
    }
    match &config.microsoft {
        None => findings.push(Finding::left_out(
            "microsoft",
            "no application configured: hosts cannot connect accounts of Microsoft",
        )),
        Some(microsoft) => {
            findings.push(notifications(
                "Microsoft",
                &public_url,
                microsoft.webhook_url.as_ref(),
                &microsoft.graph_url,
            ));
        }
    }
    if config.smtp.is_none() {
        findings.push(Finding::left_out("smtp", "not configured: bookings work, but nobody is told by mail"));
    }
    findings.extend(services(config, store, &public_url, clock).await);
    findings
}

async fn public_address(client: &Client, public_url: &Url) -> Finding {
    const SUBJECT: &str = "public address";
    let mut address = public_url.clone();
    address.set_path(&format!("{}/healthz", crate::prefix::of(public_url)));
    match client.get(address).send().await {
        Ok(answer) if answer.status().is_success() => Finding::fine(SUBJECT, format!("Cupo answers at {public_url}")),
        Ok(answer) => Finding::wrong(
            SUBJECT,
            format!("something else than Cupo answers at {public_url} (status {}).", answer.status()),
            "Point the proxy or the name at this machine, or change public_url.",
        ),
        Err(error) => Finding::wrong(
            SUBJECT,
            format!("nobody answers at {public_url} ({}).", reason(&error)),
            "Start `cupo serve`, then check the name, the firewall, the certificate and the proxy.",
        ),
    }
}

async fn this_clock(client: &Client, provider: &Url, clock: &dyn Clock) -> Finding {
    const SUBJECT: &str = "clock";
    let date = match client.get(provider.clone()).send().await {
        Ok(answer) => answer.headers().get(DATE).and_then(|it| it.to_str().ok()).map(str::to_owned),
        Err(error) => {
            return Finding::left_out(SUBJECT, format!("{} does not answer ({})", host(provider), reason(&error)));
        }
    };
    let theirs = date.as_deref().and_then(|it| DateTime::parse_from_rfc2822(it).ok()).map(|it| it.with_timezone(&Utc));
    let Some(theirs) = theirs else {
        return Finding::left_out(SUBJECT, format!("{} does not tell the time", host(provider)));
    };
    let skew = clock.now() - theirs;
    if skew.abs() <= TOLERATED_SKEW {
        return Finding::fine(
            SUBJECT,
            format!("within {} seconds of {}", TOLERATED_SKEW.num_seconds(), host(provider)),
        );
    }
    let seconds = skew.num_seconds().abs();
    let side = if skew > TimeDelta::zero() { "ahead of" } else { "behind" };
    Finding::wrong(
        SUBJECT,
        format!("this machine's clock is {seconds} seconds {side} that of {}.", host(provider)),
        "Switch on time synchronisation (NTP).",
    )
}

/// The calendar providers and the mail server, asked by the engine as it will ask them at work.
async fn services(config: &Config, store: Option<Store>, public_url: &Url, clock: Arc<dyn Clock>) -> Vec<Finding> {
    let engine = async {
        let store = match store {
            Some(store) => store,
            // The database has its own finding; these questions need none.
            None => Store::connect("sqlite::memory:").await?,
        };
        assembly::engine(config, store, public_url, clock)
    };
    let engine = match engine.await {
        Ok(engine) => engine,
        Err(error) => {
            return vec![Finding::wrong(
                "engine",
                format!("it cannot be put together ({error:#})."),
                "Mend that setting.",
            )];
        }
    };
    // A database that is not there, or not up to date, has its own finding.
    let alerts = engine.operator_alerts().await.unwrap_or_default();
    let alerts = alerts.into_iter().map(|alert| {
        let since = alert.first_at.format("%Y-%m-%d %H:%M UTC");
        let what = format!("{} is refused since {since} ({}).", alert.code.replace('_', " "), alert.detail);
        Finding::wrong("operator alert", what, "Give it a new secret or certificate, in the configuration.")
    });
    let checks = engine.provider_reachability().await.into_iter();
    let checks = checks.map(|check| {
        if check.ok {
            Finding::fine(check.name, check.detail)
        } else {
            Finding::wrong(check.name, format!("{}.", check.detail.trim_end_matches('.')), mend(check.name))
        }
    });
    alerts.chain(checks).collect()
}

fn mend(service: &str) -> &'static str {
    match service {
        "smtp" => {
            "Check the section smtp (host, port, tls, username, password), and that outgoing mail ports are open."
        }
        _ => {
            "Check that this machine may open connections to that service, its DNS, and the addresses in the configuration."
        }
    }
}

/// Providers notify public https addresses only; without notifications calendars are polled.
fn notifications(provider: &str, public_url: &Url, webhook_url: Option<&Url>, api_url: &Url) -> Finding {
    const SUBJECT: &str = "notifications";
    let address = webhook_url.unwrap_or(public_url);
    if address.scheme() == "https" && !is_loopback(address) {
        return Finding::fine(SUBJECT, format!("{provider} posts to {}", host(address)));
    }
    if is_loopback(api_url) {
        return Finding::fine(SUBJECT, format!("the simulator of {provider} posts to this machine"));
    }
    let why = "cannot post to an address without https; changes are polled every few minutes";
    Finding::left_out(SUBJECT, format!("{provider} {why}"))
}

fn host(url: &Url) -> &str {
    url.host_str().unwrap_or("the provider")
}

/// The innermost cause: what the layers above add is the address, which is told anyway.
fn reason(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
