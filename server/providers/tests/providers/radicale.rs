//! A real CalDAV server: Radicale, in a process and with data of its own.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;

use cupo_providers::{Access, Secret};
use http::{Method, StatusCode};
use tempfile::TempDir;
use url::Url;

/// What is installed, for `cargo xtask test` too.
const REQUIREMENTS: &str = include_str!("../radicale/requirements.txt");

/// A user whose name is an e-mail address.
pub const ANA: &str = "ana@example.com";
/// A user whose name is none.
pub const BEN: &str = "ben";
pub const PASSWORD: &str = "app-password";

pub struct Radicale {
    process: Child,
    folder: TempDir,
    url: Url,
    http: reqwest::Client,
    password: Mutex<String>,
}

impl Radicale {
    /// A server without calendars.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        write_users(folder.path(), PASSWORD);
        let mut told = String::new();
        // It takes no port 0, and a port that was free a moment ago may be another test's now.
        for _ in 0..5 {
            match listening(folder.path()) {
                Ok((process, port)) => {
                    let url = Url::parse(&format!("http://127.0.0.1:{port}/")).unwrap();
                    let (http, password) =
                        (reqwest::Client::builder().build().unwrap(), Mutex::new(PASSWORD.to_owned()));
                    return Self { process, folder, url, http, password };
                }
                Err(words) => told = words,
            }
        }
        panic!("Radicale does not start: {told}");
    }

    pub fn url(&self) -> &Url {
        &self.url
    }

    pub fn home_of(&self, user: &str) -> Url {
        self.url.join(&format!("{}/", user.replace('@', "%40"))).unwrap()
    }

    pub fn access(&self, user: &str) -> Access {
        self.access_with(user, PASSWORD)
    }

    pub fn access_with(&self, user: &str, password: &str) -> Access {
        Access::basic(format!("account of {user}"), self.home_of(user), user, Secret::new(password))
    }

    /// Makes a calendar of a user's in a zone; its id is returned.
    pub async fn make_calendar(&self, user: &str, name: &str, zone: Option<&str>, components: &[&str]) -> String {
        let zone = zone.map(|zone| {
            format!(
                "<C:calendar-timezone>BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VTIMEZONE\r\nTZID:{zone}\r\n\
                 END:VTIMEZONE\r\nEND:VCALENDAR</C:calendar-timezone>"
            )
        });
        let components: String = components.iter().map(|name| format!("<C:comp name=\"{name}\"/>")).collect();
        let body = format!(
            "<C:mkcalendar xmlns:D=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:caldav\" \
             xmlns:A=\"http://apple.com/ns/ical/\">\
             <D:set><D:prop><D:displayname>{name}</D:displayname><A:calendar-color>#1E88E5FF</A:calendar-color>\
             <C:supported-calendar-component-set>{components}</C:supported-calendar-component-set>{}</D:prop></D:set>\
             </C:mkcalendar>",
            zone.unwrap_or_default()
        );
        let url = self.home_of(user).join(&format!("{}/", name.to_ascii_lowercase())).unwrap();
        let made = self.ask(user, "MKCALENDAR", url.as_str(), &[], body).await;
        assert_eq!(made.0, StatusCode::CREATED, "{}", made.1);
        url.to_string()
    }

    /// A request such as the host's own calendar program sends.
    pub async fn ask(
        &self,
        user: &str,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        body: impl Into<String>,
    ) -> (StatusCode, String) {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let password = self.password.lock().unwrap().clone();
        let mut request = self.http.request(method, url).basic_auth(user, Some(password)).body(body.into());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.unwrap();
        (response.status(), response.text().await.unwrap())
    }

    /// Writes an event's lines into a calendar of Ana's, as the host does.
    pub async fn write(&self, calendar: &str, name: &str, lines: &str) -> String {
        let event = if lines.contains("BEGIN:VEVENT") {
            lines.to_owned()
        } else {
            format!("BEGIN:VEVENT\nUID:{name}\nDTSTAMP:20260101T000000Z\n{lines}\nEND:VEVENT")
        };
        let text = format!("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//host//EN\n{event}\nEND:VCALENDAR\n");
        let url = format!("{calendar}{name}.ics");
        let (status, told) =
            self.ask(ANA, "PUT", &url, &[("content-type", "text/calendar")], text.replace('\n', "\r\n")).await;
        assert!(status.is_success(), "{status} {told}");
        url
    }

    pub async fn read(&self, url: &str) -> String {
        let (status, text) = self.ask(ANA, "GET", url, &[], "").await;
        assert_eq!(status, StatusCode::OK, "{text}");
        // What a line was folded into is one line to read.
        text.replace("\r\n ", "").replace("\r\n", "\n")
    }

    pub async fn delete(&self, url: &str) {
        let (status, told) = self.ask(ANA, "DELETE", url, &[], "").await;
        assert!(status.is_success(), "{status} {told}");
    }

    /// The names of the resources of a calendar.
    pub async fn names(&self, calendar: &str) -> Vec<String> {
        let body = "<D:propfind xmlns:D=\"DAV:\"><D:prop><D:getetag/></D:prop></D:propfind>";
        let (status, text) = self.ask(ANA, "PROPFIND", calendar, &[("depth", "1")], body).await;
        assert_eq!(status, StatusCode::MULTI_STATUS);
        let hrefs = text.split("<href>").skip(1).filter_map(|rest| rest.split("</href>").next());
        hrefs.filter_map(|href| href.rsplit('/').next()).filter(|name| !name.is_empty()).map(str::to_owned).collect()
    }

    /// Moves a resource into another calendar, as the host's own calendar program does; its new address is returned.
    pub async fn move_to(&self, url: &str, calendar: &str) -> String {
        let destination = format!("{calendar}{}", url.rsplit('/').next().unwrap());
        let (status, told) = self.ask(ANA, "MOVE", url, &[("destination", &destination)], "").await;
        assert!(status.is_success(), "{status} {told}");
        destination
    }

    /// The users have another password from now on.
    pub fn change_password(&self, password: &str) {
        write_users(self.folder.path(), password);
        password.clone_into(&mut self.password.lock().unwrap());
    }

    /// Forgets every sync token that was given out, as a server does after a while.
    pub fn expire_sync_tokens(&self) {
        let mut folders = vec![self.folder.path().join("data")];
        let mut expired = 0;
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let entry = entry.unwrap();
                if entry.file_name() == "sync-token" {
                    fs::remove_dir_all(entry.path()).unwrap();
                    expired += 1;
                } else if entry.file_type().unwrap().is_dir() {
                    folders.push(entry.path());
                }
            }
        }
        assert!(expired > 0, "no sync token was given out");
    }
}

impl Drop for Radicale {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to end.
        let _ended = self.process.kill();
        let _status = self.process.wait();
    }
}

fn write_users(folder: &Path, password: &str) {
    fs::write(folder.join("users"), format!("{ANA}:{password}\n{BEN}:{password}\n")).unwrap();
}

/// A server on a port that was free; what it said, when it ended at once.
fn listening(folder: &Path) -> Result<(Child, u16), String> {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let settings = format!(
        "[server]\nhosts = 127.0.0.1:{port}\n[auth]\ntype = htpasswd\nhtpasswd_filename = {}\n\
         htpasswd_encryption = plain\ndelay = 0.01\n[rights]\ntype = owner_only\n\
         [storage]\nfilesystem_folder = {}\n[logging]\nlevel = info\n",
        folder.join("users").display(),
        folder.join("data").display()
    );
    let config = folder.join("config");
    fs::write(&config, settings).unwrap();
    let mut process = Command::new(python())
        .args(["-m", "radicale", "--config"])
        .arg(&config)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
    let mut told = String::new();
    for line in &mut lines {
        let line = line.unwrap();
        if line.contains("Listening on") {
            // A full pipe would stop it.
            std::thread::spawn(move || lines.for_each(drop));
            return Ok((process, port));
        }
        told.push_str(&line);
        told.push('\n');
    }
    process.wait().unwrap();
    Err(told)
}

/// The Python that has Radicale; it is installed below the target folder when it is not there yet.
fn python() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let (folder, stamp) = (target.join("radicale"), target.join("radicale/.installed"));
    let python = folder.join("bin/python");
    // Every test is a process of its own, and one of them installs.
    let lock = File::create(target.join("radicale.lock")).unwrap();
    lock.lock().unwrap();
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == REQUIREMENTS) {
        return python;
    }
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder));
    let requirements = folder.join("requirements.txt");
    fs::write(&requirements, REQUIREMENTS).unwrap();
    run(Command::new(&python)
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"])
        .arg(&requirements));
    fs::write(stamp, REQUIREMENTS).unwrap();
    python
}

fn run(command: &mut Command) {
    let outcome = command.stdin(Stdio::null()).output();
    let outcome =
        outcome.unwrap_or_else(|error| panic!("{command:?}: {error}; `cargo xtask test` installs what it needs"));
    assert!(
        outcome.status.success(),
        "{command:?} failed: {}; `cargo xtask test` installs what it needs",
        String::from_utf8_lossy(&outcome.stderr)
    );
}
