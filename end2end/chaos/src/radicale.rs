//! A real CalDAV server, Radicale, with data of its own; the product reaches it through a front that can fail.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, bail, ensure};
use cupo_simulators::front::Front;
use reqwest::header::{ETAG, IF_MATCH};
use reqwest::{Method, Response};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// Everybody's.
pub const PASSWORD: &str = "app-password";

#[derive(Debug)]
pub struct Radicale {
    _process: Child,
    folder: PathBuf,
    url: String,
    http: reqwest::Client,
    pub front: Front,
}

impl Radicale {
    /// A server with a calendar `work` for each of the users.
    pub async fn start(python: &Path, folder: PathBuf, users: &[String]) -> Result<Self> {
        fs::create_dir_all(&folder)?;
        let passwords: String = users.iter().map(|user| format!("{user}:{PASSWORD}\n")).collect();
        fs::write(folder.join("users"), passwords)?;
        let (process, port) = listening(python, &folder).await?;
        let url = format!("http://127.0.0.1:{port}");
        let front = Front::start("127.0.0.1:0".parse()?, &url).await?;
        let http = reqwest::Client::builder().no_proxy().build()?;
        let radicale = Self { _process: process, folder, url, http, front };
        for user in users {
            let body = "<C:mkcalendar xmlns:D=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:caldav\"><D:set><D:prop>\
                <D:displayname>work</D:displayname><C:supported-calendar-component-set><C:comp name=\"VEVENT\"/>\
                </C:supported-calendar-component-set></D:prop></D:set></C:mkcalendar>";
            radicale.ask(&format!("{user}/work"), "MKCALENDAR", "", Some(body.to_owned()), None).await?;
        }
        Ok(radicale)
    }

    /// A request such as the host's own calendar program sends. `calendar` is `user/name`, `etag` what the resource must still
    /// have.
    async fn ask(
        &self,
        calendar: &str,
        method: &str,
        resource: &str,
        body: Option<String>,
        etag: Option<&str>,
    ) -> Result<Response> {
        let user = calendar.split('/').next().unwrap_or_default();
        let method = Method::from_bytes(method.as_bytes())?;
        let request = self.http.request(method.clone(), format!("{}/{calendar}/{resource}", self.url));
        let request = request.basic_auth(user, Some(PASSWORD));
        let request = match etag {
            Some(etag) => request.header(IF_MATCH, etag),
            None => request,
        };
        let request = match body {
            Some(body) if method == Method::PUT => request.header("content-type", "text/calendar").body(body),
            Some(body) => request.body(body),
            None => request,
        };
        let answer = request.send().await?;
        let status = answer.status();
        ensure!(status.is_success(), "{method} {calendar}/{resource} was answered {status}");
        Ok(answer)
    }

    /// The text of a resource, and its etag.
    pub async fn read(&self, calendar: &str, resource: &str) -> Result<(String, String)> {
        let answer = self.ask(calendar, "GET", resource, None, None).await?;
        let etag = answer.headers().get(ETAG).context("a resource has an etag")?.to_str()?.to_owned();
        Ok((answer.text().await?, etag))
    }

    pub async fn write(&self, calendar: &str, resource: &str, text: &str) -> Result<()> {
        self.ask(calendar, "PUT", resource, Some(text.to_owned()), None).await.map(drop)
    }

    /// Writes over what was read with this etag; fails where somebody has changed or deleted it since.
    pub async fn rewrite(&self, calendar: &str, resource: &str, text: &str, etag: &str) -> Result<()> {
        self.ask(calendar, "PUT", resource, Some(text.to_owned()), Some(etag)).await.map(drop)
    }

    pub async fn delete(&self, calendar: &str, resource: &str) -> Result<()> {
        self.ask(calendar, "DELETE", resource, None, None).await.map(drop)
    }

    /// The resources of a calendar as they lie in the server's folder: names and texts.
    pub fn files(&self, calendar: &str) -> Result<Vec<(String, String)>> {
        let folder = self.folder.join("data/collection-root").join(calendar);
        let mut files = Vec::new();
        for entry in fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if !name.starts_with('.') && entry.file_type()?.is_file() {
                // One that was deleted meanwhile is none.
                match fs::read_to_string(entry.path()) {
                    Ok(text) => files.push((name, text)),
                    Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                    Err(error) => return Err(error).with_context(|| format!("cannot read {name}")),
                }
            }
        }
        Ok(files)
    }

    /// Forgets every sync token that was given out, as a server does after a while.
    pub fn expire_sync_tokens(&self) -> Result<()> {
        let mut folders = vec![self.folder.join("data")];
        while let Some(folder) = folders.pop() {
            let Ok(entries) = fs::read_dir(&folder) else { continue };
            for entry in entries {
                let entry = entry?;
                if entry.file_name() == "sync-token" {
                    match fs::remove_dir_all(entry.path()) {
                        // The server writes into it at this moment: that token is a new one.
                        Err(error) if error.kind() != std::io::ErrorKind::DirectoryNotEmpty => return Err(error.into()),
                        Ok(()) | Err(_) => {}
                    }
                } else if entry.file_type()?.is_dir() {
                    folders.push(entry.path());
                }
            }
        }
        Ok(())
    }
}

/// A server on a port that was free a moment ago: it takes no port 0.
async fn listening(python: &Path, folder: &Path) -> Result<(Child, u16)> {
    let mut told = String::new();
    for _ in 0..5 {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let config = folder.join("config");
        fs::write(
            &config,
            format!(
                "[server]\nhosts = 127.0.0.1:{port}\nmax_connections = 40\n[auth]\ntype = htpasswd\n\
                 htpasswd_filename = {}\nhtpasswd_encryption = plain\ndelay = 0.01\n[rights]\ntype = owner_only\n\
                 [storage]\nfilesystem_folder = {}\n[logging]\nlevel = info\n",
                folder.join("users").display(),
                folder.join("data").display()
            ),
        )?;
        let mut process = Command::new(python)
            .args(["-m", "radicale", "--config"])
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {}", python.display()))?;
        let words = process.stderr.take().context("Radicale has a standard error")?;
        let mut lines = BufReader::new(words).lines();
        while let Some(line) = lines.next_line().await? {
            if line.contains("Listening on") {
                // A full pipe would stop it.
                tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
                return Ok((process, port));
            }
            told.push_str(&line);
            told.push('\n');
        }
    }
    bail!("Radicale does not start: {told}")
}
