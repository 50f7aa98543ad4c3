use super::{Delivery, Parcel};
use crate::alert::{Email, Tls};
use lettre::message::header::ContentType;
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls as Protection, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use secrecy::ExposeSecret;
use std::time::Duration;

pub(super) async fn send(email: &Email, id: &str, parcel: &Parcel, patience: Duration) -> Delivery {
    let message = match message(email, id, parcel) {
        Ok(message) => message,
        Err(error) => return Delivery::Refused(error),
    };
    let protection = match protection(email) {
        Ok(protection) => protection,
        Err(error) => return Delivery::Refused(error.to_string()),
    };
    let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&email.server)
        .port(email.port)
        .tls(protection)
        .timeout(Some(patience));
    if let Some((user, password)) = &email.login {
        let password = password.expose_secret().to_owned();
        transport = transport.credentials(Credentials::new(user.clone(), password));
    }
    match transport.build().send(message).await {
        Ok(_) => Delivery::Done,
        // The server's own words: it does not repeat what was sent.
        Err(error) if error.is_permanent() => Delivery::Refused(chain(&error)),
        Err(error) => Delivery::Failed(chain(&error)),
    }
}

fn protection(email: &Email) -> Result<Protection, lettre::transport::smtp::Error> {
    let parameters = || TlsParameters::new(email.server.clone());
    Ok(match email.tls {
        Tls::Implicit => Protection::Wrapper(parameters()?),
        Tls::Starttls => Protection::Required(parameters()?),
        Tls::None => Protection::None,
    })
}

fn message(email: &Email, id: &str, parcel: &Parcel) -> Result<Message, String> {
    let mailbox = |address: &str| {
        address
            .parse::<Mailbox>()
            .map_err(|error| format!("`{address}` is not a mail address: {error}"))
    };
    let from = mailbox(&email.from)?;
    let domain = from.email.domain().to_owned();
    let mut message = Message::builder()
        .from(from)
        .subject(format!("ml-connector: {}", parcel.title))
        // The same for all attempts, so that a mail that came twice is seen as one.
        .message_id(Some(format!("<{id}@{domain}>")))
        .header(ContentType::TEXT_PLAIN);
    for to in &email.to {
        message = message.to(mailbox(to)?);
    }
    message.body(parcel.text.clone()).map_err(|error| error.to_string())
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text.push_str(": ");
            text.push_str(&inner_text);
        }
        source = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_in_a_title_makes_no_header() {
        let email = Email {
            server: "mail.example.com".into(),
            port: 587,
            tls: Tls::Starttls,
            login: None,
            from: "ml-connector <no-reply@example.com>".into(),
            to: vec!["ap@example.com".into(), "Kari Å <kari@example.com>".into()],
        };
        let parcel = Parcel {
            title: "1 document\r\nBcc: thief@example.com".into(),
            text: "Ærlig talt".into(),
            payload: serde_json::Value::Null,
        };
        let sent = message(&email, "alert_1", &parcel).expect("a message").formatted();
        let sent = String::from_utf8_lossy(&sent).into_owned();
        let (head, _) = sent.split_once("\r\n\r\n").expect("a head and a body");
        assert!(!head.lines().any(|line| line.starts_with("Bcc")), "{head}");
        assert!(head.contains("Message-ID: <alert_1@example.com>"), "{head}");
        let wrong = Email { to: vec!["not an address".into()], ..email };
        assert!(message(&wrong, "alert_1", &parcel).is_err());
    }
}
