use cupo_simulators::mail::{MailSink, Message};
use lettre::message::header::ContentType;
use lettre::message::{Attachment, MultiPart, SinglePart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

const ICS: &str = "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nEND:VCALENDAR\r\n";

async fn sink() -> MailSink {
    let any = "127.0.0.1:0".parse().unwrap();
    MailSink::start(any, any).await.unwrap()
}

fn transport(sink: &MailSink) -> AsyncSmtpTransport<Tokio1Executor> {
    let address = sink.smtp_address();
    AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(address.ip().to_string())
        .port(address.port())
        .credentials(Credentials::new("anybody".to_owned(), "anything".to_owned()))
        .build()
}

fn mail() -> lettre::Message {
    let calendar: ContentType = "text/calendar; method=REQUEST; charset=utf-8".parse().unwrap();
    let alternative = MultiPart::alternative()
        .singlepart(SinglePart::plain("Hasta el lunes, Zoë.\n.una línea con punto\n".to_owned()))
        .singlepart(SinglePart::html("<p>Hasta el lunes, <b>Zoë</b>.</p>".to_owned()));
    lettre::Message::builder()
        .from("Cupo <citas@cupo.example>".parse().unwrap())
        .to("Zoë <zoe@example.org>".parse().unwrap())
        .subject("Tu cita del lunes, ¿vienes?")
        .multipart(
            MultiPart::mixed()
                .multipart(alternative)
                .singlepart(Attachment::new("cita.ics".to_owned()).body(ICS.to_owned(), calendar)),
        )
        .unwrap()
}

#[tokio::test]
async fn a_mail_with_text_html_and_an_invitation_is_kept_and_read() {
    let sink = sink().await;
    transport(&sink).send(mail()).await.unwrap();
    let answer = reqwest::get(format!("{}/messages", sink.base_url())).await.unwrap();
    let messages: Vec<Message> = answer.json().await.unwrap();
    let [message] = &messages[..] else { panic!("one mail, not {}", messages.len()) };
    assert_eq!(message.from, "Cupo <citas@cupo.example>");
    assert_eq!(message.to, ["zoe@example.org"]);
    assert_eq!(message.envelope.from, "citas@cupo.example");
    assert_eq!(message.subject, "Tu cita del lunes, ¿vienes?");
    assert_eq!(message.text.as_deref().unwrap().replace("\r\n", "\n"), "Hasta el lunes, Zoë.\n.una línea con punto\n");
    assert!(message.html.as_deref().unwrap().contains("<b>Zoë</b>"));
    assert!(message.date.is_some());
    let [attachment] = &message.attachments[..] else { panic!("one attachment") };
    assert_eq!(attachment.filename.as_deref(), Some("cita.ics"));
    assert!(attachment.content_type.starts_with("text/calendar; method=REQUEST"), "{}", attachment.content_type);
    assert_eq!(attachment.text.as_deref(), Some(ICS));
    assert!(message.raw.contains("Subject:"));
    sink.stop().await;
}

#[tokio::test]
async fn a_calendar_alternative_counts_as_an_attachment() {
    let sink = sink().await;
    let calendar: ContentType = "text/calendar; method=CANCEL".parse().unwrap();
    let part = SinglePart::builder().header(calendar).body(ICS.to_owned());
    let mail = lettre::Message::builder()
        .from("a@cupo.example".parse().unwrap())
        .to("b@example.org".parse().unwrap())
        .subject("Cancelled")
        .multipart(MultiPart::alternative().singlepart(SinglePart::plain("x".to_owned())).singlepart(part))
        .unwrap();
    transport(&sink).send(mail).await.unwrap();
    let message = sink.messages().remove(0);
    assert_eq!(message.html, None);
    assert!(message.attachments[0].content_type.starts_with("text/calendar; method=CANCEL"));
    sink.stop().await;
}

#[tokio::test]
async fn mails_are_found_one_by_one_and_forgotten_on_demand() {
    let sink = sink().await;
    let mailer = transport(&sink);
    mailer.send(mail()).await.unwrap();
    mailer.send(mail()).await.unwrap();
    let address = format!("{}/messages", sink.base_url());
    let second: Message = reqwest::get(format!("{address}/2")).await.unwrap().json().await.unwrap();
    assert_eq!(second.id, 2);
    assert_eq!(reqwest::get(format!("{address}/3")).await.unwrap().status(), 404);
    let http = reqwest::Client::builder().build().unwrap();
    assert_eq!(http.delete(&address).send().await.unwrap().status(), 204);
    assert!(sink.messages().is_empty());
    let page = reqwest::get(sink.base_url()).await.unwrap().text().await.unwrap();
    assert!(page.contains("Mail sink"));
    sink.stop().await;
}

#[tokio::test]
async fn a_fault_refuses_as_many_mails_as_it_says() {
    let sink = sink().await;
    let http = reqwest::Client::builder().build().unwrap();
    let faults = format!("{}/control/faults", sink.base_url());
    let arm = |fault| http.post(&faults).json(&fault).send();
    assert_eq!(arm(json!({ "times": 1, "code": 250 })).await.unwrap().status(), 400);
    assert_eq!(arm(json!({ "times": 1, "code": 451 })).await.unwrap().status(), 201);
    let error = transport(&sink).send(mail()).await.unwrap_err();
    assert!(error.is_transient(), "{error}");
    assert_eq!(arm(json!({ "code": 550 })).await.unwrap().status(), 201);
    let error = transport(&sink).send(mail()).await.unwrap_err();
    assert!(error.is_permanent(), "{error}");
    transport(&sink).send(mail()).await.unwrap();
    assert_eq!(sink.messages().len(), 1);
    sink.stop().await;
}

/// A session by hand: sends each line and returns the code of each answer.
async fn converse(sink: &MailSink, lines: &[&str]) -> Vec<String> {
    let mut stream = BufReader::new(TcpStream::connect(sink.smtp_address()).await.unwrap());
    let mut codes = vec![answer(&mut stream).await];
    for line in lines {
        stream.write_all(format!("{line}\r\n").as_bytes()).await.unwrap();
        codes.push(answer(&mut stream).await);
    }
    codes
}

async fn answer(stream: &mut BufReader<TcpStream>) -> String {
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.unwrap();
        if line.as_bytes().get(3) != Some(&b'-') {
            return line[..3].to_owned();
        }
    }
}

#[tokio::test]
async fn the_server_keeps_to_the_order_of_the_commands() {
    let sink = sink().await;
    let dialogue = [
        ("MAIL FROM:<a@example.org>", "503"),
        ("EHLO", "501"),
        ("EHLO me", "250"),
        ("AUTH CRAM-MD5", "504"),
        ("AUTH PLAIN ????", "501"),
        ("AUTH LOGIN", "334"),
        ("YW5h", "334"),
        ("eA==", "235"),
        ("RCPT TO:<b@example.org>", "503"),
        ("DATA", "503"),
        ("MAIL FROM:a@example.org", "501"),
        ("MAIL FROM:<a@example.org> SIZE=99999999", "552"),
        ("MAIL FROM:<a@example.org> SIZE=100 BODY=8BITMIME SMTPUTF8", "250"),
        ("MAIL FROM:<a@example.org>", "503"),
        ("DATA", "503"),
        ("RCPT TO:<nobody>", "501"),
        ("RCPT TO:<b@example.org>", "250"),
        ("RSET", "250"),
        ("NOOP", "250"),
        ("HELP", "500"),
        ("MAIL FROM:<>", "250"),
        ("RCPT TO:<ñandú@example.org>", "250"),
        ("DATA", "354"),
        ("Subject: hi\r\n\r\n..dotted\r\n.", "250"),
        ("QUIT", "221"),
    ];
    let lines: Vec<_> = dialogue.iter().map(|(line, _)| *line).collect();
    let expected: Vec<_> = ["220"].into_iter().chain(dialogue.iter().map(|(_, code)| *code)).collect();
    assert_eq!(converse(&sink, &lines).await, expected);
    let message = sink.messages().remove(0);
    assert_eq!(message.envelope.to, ["ñandú@example.org"]);
    assert_eq!(message.text.as_deref().map(str::trim_end), Some(".dotted"));
    sink.stop().await;
}
