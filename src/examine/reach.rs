use super::LONGEST_ANSWER;
use crate::doctor::{Answered, Reach, TlsFault, Unreachable};
use jiff::Timestamp;
use reqwest::Url;
use reqwest::header::DATE;
use rustls::CertificateError;
use std::error::Error;
use std::time::Duration;
use tokio::net::lookup_host;

const LONGEST_LOOKUP: Duration = Duration::from_secs(5);

/// Asks the host of an address for its first page, without signing in. Any answer will do.
pub async fn reach(key: &'static str, text: &str) -> Reach {
    let mut seen = Reach {
        key,
        url: text.to_owned(),
        host: String::new(),
        is_encrypted: false,
        is_loopback: false,
        answer: Err(Unreachable::NotAnAddress("it must begin with https://".to_owned())),
    };
    let url = match Url::parse(text) {
        Ok(url) => url,
        Err(error) => {
            seen.answer = Err(Unreachable::NotAnAddress(error.to_string()));
            return seen;
        }
    };
    // Nothing that somebody wrote into the address by mistake, such as a password, is shown.
    seen.url = format!("{}{}", url.origin().ascii_serialization(), url.path());
    let (Some(name), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
        return seen;
    };
    if !matches!(url.scheme(), "http" | "https") {
        return seen;
    }
    let bare = name.trim_matches(['[', ']']);
    seen.host = format!("{name}:{port}");
    seen.is_encrypted = url.scheme() == "https";
    seen.is_loopback = bare == "localhost"
        || bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    seen.answer = answer(&url, bare, port).await;
    seen
}

async fn answer(url: &Url, name: &str, port: u16) -> Result<Answered, Unreachable> {
    let other = |error: &dyn Error| Unreachable::Other(chain(error));
    let http = crate::http::client()
        .connect_timeout(LONGEST_ANSWER)
        .timeout(LONGEST_ANSWER)
        .build()
        .map_err(|error| other(&error))?;
    let mut root = url.clone();
    root.set_path("/");
    root.set_query(None);
    let asked_at = Timestamp::now();
    let error = match http.get(root).send().await {
        Ok(answer) => {
            let date = answer.headers().get(DATE).and_then(|date| date.to_str().ok());
            let date = date.and_then(|date| jiff::fmt::rfc2822::parse(date).ok());
            return Ok(Answered {
                date: date.map(|date| date.timestamp()),
                asked_at,
                answered_at: Timestamp::now(),
            });
        }
        Err(error) => error.without_url(),
    };
    if let Some(fault) = tls_fault(&error) {
        return Err(Unreachable::Tls(fault));
    }
    match tokio::time::timeout(LONGEST_LOOKUP, lookup_host((name, port))).await {
        Ok(Ok(_)) if error.is_timeout() => Err(Unreachable::TimedOut),
        Ok(Ok(_)) if error.is_connect() => Err(Unreachable::NoConnection(chain(&error))),
        Ok(Ok(_)) => Err(other(&error)),
        Ok(Err(lookup)) => Err(Unreachable::NoSuchHost(lookup.to_string())),
        Err(_) => Err(Unreachable::NoSuchHost("the name server did not answer".to_owned())),
    }
}

fn tls_fault(error: &(dyn Error + 'static)) -> Option<TlsFault> {
    let mut cause = Some(error);
    while let Some(this) = cause {
        if let Some(found) = tls_error(this) {
            return Some(fault_of(found));
        }
        cause = this.source();
    }
    None
}

/// Input-output errors hide what they wrap from the chain of causes, and they wrap each other.
fn tls_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    let wrapped = || tls_error(error.downcast_ref::<std::io::Error>()?.get_ref()?);
    error.downcast_ref::<rustls::Error>().or_else(wrapped)
}

fn fault_of(error: &rustls::Error) -> TlsFault {
    let rustls::Error::InvalidCertificate(fault) = error else {
        return match error {
            rustls::Error::InvalidMessage(_) => TlsFault::NotTls,
            other => TlsFault::Other(other.to_string()),
        };
    };
    match fault {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => TlsFault::Expired,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            TlsFault::NotYetValid
        }
        CertificateError::UnknownIssuer => TlsFault::Untrusted,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            TlsFault::WrongName
        }
        CertificateError::Revoked => TlsFault::Revoked,
        // How a certificate that signed itself is told: it is an authority's, used as a server's.
        other if format!("{other:?}").contains("CaUsedAsEndEntity") => TlsFault::Untrusted,
        other => TlsFault::Other(other.to_string()),
    }
}

pub(super) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let words = inner.to_string();
        if !text.contains(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        cause = inner.source();
    }
    text
}
