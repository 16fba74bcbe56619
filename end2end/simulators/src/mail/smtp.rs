//! The receiving side of SMTP (RFC 5321) with AUTH, SIZE, 8BITMIME and SMTPUTF8.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Mailbox;
use super::message::Envelope;

/// The largest mail, in bytes.
const SIZE_LIMIT: usize = 10 * 1024 * 1024;
/// The longest command line; longer than the standard asks for, because AUTH carries data.
const LINE_LIMIT: u64 = 12 * 1024;
const RECIPIENTS_LIMIT: usize = 100;

/// Accepts sessions until `stopping`.
pub(super) async fn accept(
    listener: TcpListener,
    mailbox: Arc<Mailbox>,
    stopping: CancellationToken,
    sessions: TaskTracker,
) {
    loop {
        let accepted = tokio::select! {
            () = stopping.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "an SMTP connection could not be accepted");
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                continue;
            }
        };
        let (mailbox, stopping) = (Arc::clone(&mailbox), stopping.clone());
        sessions.spawn(async move {
            let mut session = Session::new(stream, mailbox);
            let ended = tokio::select! {
                () = stopping.cancelled() => session.reply("421 4.3.2 closing down").await,
                ended = session.run() => ended,
            };
            if let Err(error) = ended {
                tracing::debug!(%error, "an SMTP session ended early");
            }
        });
    }
}

struct Session {
    stream: BufReader<TcpStream>,
    mailbox: Arc<Mailbox>,
    greeted: bool,
    envelope: Option<Envelope>,
}

enum Next {
    Continue,
    Quit,
}

impl Session {
    fn new(stream: TcpStream, mailbox: Arc<Mailbox>) -> Self {
        Self { stream: BufReader::new(stream), mailbox, greeted: false, envelope: None }
    }

    async fn run(&mut self) -> std::io::Result<()> {
        self.reply("220 localhost ESMTP Cupo mail sink").await?;
        loop {
            let Some(line) = self.line().await? else { return Ok(()) };
            let (verb, argument) = line.split_once(' ').unwrap_or((line.as_str(), ""));
            if let Next::Quit = self.command(&verb.to_ascii_uppercase(), argument.trim()).await? {
                return Ok(());
            }
        }
    }

    async fn command(&mut self, verb: &str, argument: &str) -> std::io::Result<Next> {
        match verb {
            "EHLO" | "HELO" if argument.is_empty() => self.reply("501 5.5.4 a host name is needed").await?,
            "HELO" => {
                (self.greeted, self.envelope) = (true, None);
                self.reply("250 localhost").await?;
            }
            "EHLO" => {
                (self.greeted, self.envelope) = (true, None);
                let size = format!("250-SIZE {SIZE_LIMIT}");
                let lines = ["250-localhost", "250-PIPELINING", "250-8BITMIME", "250-SMTPUTF8", &size];
                let answer = format!("{}\r\n250-ENHANCEDSTATUSCODES\r\n250 AUTH PLAIN LOGIN", lines.join("\r\n"));
                self.reply(&answer).await?;
            }
            "AUTH" => self.authenticate(argument).await?,
            "MAIL" => {
                let answer = self.mail(argument);
                self.reply(&answer).await?;
            }
            "RCPT" => {
                let answer = self.recipient(argument);
                self.reply(answer).await?;
            }
            "DATA" => self.data().await?,
            "RSET" => {
                self.envelope = None;
                self.reply("250 2.0.0 forgotten").await?;
            }
            "NOOP" => self.reply("250 2.0.0 ok").await?,
            "VRFY" => self.reply("252 2.1.5 send, and see").await?,
            "QUIT" => {
                self.reply("221 2.0.0 bye").await?;
                return Ok(Next::Quit);
            }
            _ => self.reply("500 5.5.2 unknown command").await?,
        }
        Ok(Next::Continue)
    }

    fn mail(&mut self, argument: &str) -> String {
        if !self.greeted {
            return "503 5.5.1 say EHLO first".to_owned();
        }
        if self.envelope.is_some() {
            return "503 5.5.1 a mail is under way".to_owned();
        }
        let Some((from, parameters)) = path(argument, "FROM:") else {
            return "501 5.5.4 MAIL FROM:<address> is needed".to_owned();
        };
        let size = parameters
            .split_whitespace()
            .find_map(|it| it.to_ascii_uppercase().strip_prefix("SIZE=").map(str::to_owned));
        if size.and_then(|size| size.parse::<usize>().ok()).is_some_and(|size| size > SIZE_LIMIT) {
            return "552 5.3.4 the mail is too large".to_owned();
        }
        if let Some(code) = self.mailbox.refusal() {
            let class = code / 100;
            return format!("{code} {class}.3.0 refused by a fault that a test asked for");
        }
        self.envelope = Some(Envelope { from: from.to_owned(), to: Vec::new() });
        "250 2.1.0 ok".to_owned()
    }

    fn recipient(&mut self, argument: &str) -> &'static str {
        let Some(envelope) = self.envelope.as_mut() else { return "503 5.5.1 MAIL comes first" };
        match path(argument, "TO:") {
            Some((to, _)) if to.contains('@') && envelope.to.len() < RECIPIENTS_LIMIT => {
                envelope.to.push(to.to_owned());
                "250 2.1.5 ok"
            }
            Some((to, _)) if to.contains('@') => "452 4.5.3 too many recipients",
            _ => "501 5.5.4 RCPT TO:<address> is needed",
        }
    }

    async fn data(&mut self) -> std::io::Result<()> {
        let Some(envelope) = self.envelope.take_if(|envelope| !envelope.to.is_empty()) else {
            return self.reply("503 5.5.1 RCPT comes first").await;
        };
        self.reply("354 end with a line that has a dot alone").await?;
        match self.content().await? {
            Some(raw) => {
                self.mailbox.keep(envelope, raw);
                self.reply("250 2.0.0 kept").await
            }
            None => self.reply("552 5.3.4 the mail is too large").await,
        }
    }

    /// The lines up to the dot, with the sender's extra dots removed; `None` when they are too many.
    async fn content(&mut self) -> std::io::Result<Option<Vec<u8>>> {
        let mut content = Vec::new();
        let mut too_large = false;
        let mut line = Vec::new();
        loop {
            line.clear();
            if self.stream.read_until(b'\n', &mut line).await? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            match line.as_slice() {
                b".\r\n" | b".\n" => return Ok((!too_large).then_some(content)),
                [b'.', stuffed @ ..] => content.extend_from_slice(stuffed),
                line => content.extend_from_slice(line),
            }
            if content.len() > SIZE_LIMIT {
                too_large = true;
                content.clear();
            }
        }
    }

    /// Takes any name and password: nothing here is worth guarding.
    async fn authenticate(&mut self, argument: &str) -> std::io::Result<()> {
        let (mechanism, first) = argument.split_once(' ').unwrap_or((argument, ""));
        let answers = match (mechanism.to_ascii_uppercase().as_str(), first) {
            ("PLAIN", "") => self.ask(&["334 "]).await?,
            ("PLAIN", first) => vec![first.to_owned()],
            ("LOGIN", "") => self.ask(&["334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6"]).await?,
            ("LOGIN", _) => self.ask(&["334 UGFzc3dvcmQ6"]).await?,
            _ => return self.reply("504 5.5.4 PLAIN or LOGIN").await,
        };
        if answers.iter().all(|answer| STANDARD.decode(answer).is_ok()) {
            self.reply("235 2.7.0 welcome").await
        } else {
            self.reply("501 5.5.2 that is no base64").await
        }
    }

    async fn ask(&mut self, prompts: &[&str]) -> std::io::Result<Vec<String>> {
        let mut answers = Vec::new();
        for prompt in prompts {
            self.reply(prompt).await?;
            answers.push(self.line().await?.unwrap_or_default());
        }
        Ok(answers)
    }

    /// A command line without its end; `None` when the peer is gone.
    async fn line(&mut self) -> std::io::Result<Option<String>> {
        let mut line = Vec::new();
        if (&mut self.stream).take(LINE_LIMIT).read_until(b'\n', &mut line).await? == 0 {
            return Ok(None);
        }
        if line.last() != Some(&b'\n') {
            self.reply("500 5.5.2 the line is too long").await?;
            return Ok(None);
        }
        Ok(Some(String::from_utf8_lossy(&line).trim_end().to_owned()))
    }

    async fn reply(&mut self, answer: &str) -> std::io::Result<()> {
        self.stream.write_all(format!("{answer}\r\n").as_bytes()).await?;
        self.stream.flush().await
    }
}

/// The address in `FROM:<address> parameters`, and the parameters.
fn path<'a>(argument: &'a str, keyword: &str) -> Option<(&'a str, &'a str)> {
    let start = argument.get(..keyword.len()).filter(|start| start.eq_ignore_ascii_case(keyword))?;
    let (address, parameters) = argument[start.len()..].trim_start().strip_prefix('<')?.split_once('>')?;
    Some((address, parameters.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_a_command_is_read_with_its_parameters() {
        assert_eq!(path("FROM:<ana@example.com> SIZE=12", "FROM:"), Some(("ana@example.com", "SIZE=12")));
        assert_eq!(path("from: <>", "FROM:"), Some(("", "")));
        assert_eq!(path("FROM:ana@example.com", "FROM:"), None);
        assert_eq!(path("TO:<ñandú@example.com>", "TO:"), Some(("ñandú@example.com", "")));
    }
}
