use super::Check;
use jiff::Timestamp;

/// How an address was met, before anybody signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach {
    /// Its key in the configuration: `base_url` or `token_url`.
    pub key: &'static str,
    pub url: String,
    /// Name and port.
    pub host: String,
    pub is_encrypted: bool,
    /// Whether the host is this machine.
    pub is_loopback: bool,
    pub answer: Result<Answered, Unreachable>,
}

/// It answered; with which status does not matter yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// What its clock said (the `Date` header).
    pub date: Option<Timestamp>,
    /// What ours said when we asked and when the answer came.
    pub asked_at: Timestamp,
    pub answered_at: Timestamp,
}

/// Why nothing came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unreachable {
    /// The text is no address.
    NotAnAddress(String),
    NoSuchHost(String),
    /// The name is known, but nobody takes the connection.
    NoConnection(String),
    TimedOut,
    Tls(TlsFault),
    Other(String),
}

/// Why an encrypted connection was not made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TlsFault {
    Expired,
    NotYetValid,
    /// No authority that this machine trusts stands behind the certificate.
    Untrusted,
    WrongName,
    Revoked,
    /// What answers there does not speak TLS.
    NotTls,
    Other(String),
}

/// Judges one address. `whose` is `source ID` or `company ID`, `table` its table in the configuration.
pub fn reached(whose: &str, table: &str, reach: &Reach) -> Check {
    let name = format!("{whose}: reach {}", reach.key);
    let (key, host) = (reach.key, &reach.host);
    let why = match &reach.answer {
        Ok(_) if !reach.is_encrypted && !reach.is_loopback => {
            return Check::failed(
                name,
                format!(
                    "{host} answers, but without encryption: secrets would travel in the clear"
                ),
                format!("write https:// in {key} of {table}"),
            );
        }
        Ok(_) if reach.is_encrypted => {
            return Check::good(
                name,
                format!("{host} answers, with a certificate that is trusted"),
            );
        }
        Ok(_) => return Check::good(name, format!("{host} answers")),
        Err(why) => why,
    };
    let (detail, fix) = match why {
        Unreachable::NotAnAddress(text) => (
            format!("`{}` is not an address: {text}", reach.url),
            format!("correct {key} in {table}: it begins with https:// and a host's name"),
        ),
        Unreachable::NoSuchHost(text) => (
            format!("the name {host} is not known (DNS): {text}"),
            format!(
                "correct the host's name in {key} of {table}, or have this machine's name server know it (try `getent hosts {}`)",
                host.rsplit_once(':').map_or(host.as_str(), |(name, _)| name)
            ),
        ),
        Unreachable::NoConnection(text) => (
            format!("{host} cannot be reached: {text}"),
            format!(
                "check {key} ({}) in {table}, and that firewall and proxy let this machine out to that port (HTTPS_PROXY is heeded)",
                reach.url
            ),
        ),
        Unreachable::TimedOut => (
            format!("{host} did not answer in time"),
            format!(
                "check that firewall and proxy let this machine out to {host}, and {key} ({}) in {table}",
                reach.url
            ),
        ),
        Unreachable::Tls(fault) => tls(fault, reach, table),
        Unreachable::Other(text) => {
            (format!("{host}: {text}"), format!("check {key} ({}) in {table}", reach.url))
        }
    };
    Check::failed(name, detail, fix)
}

fn tls(fault: &TlsFault, reach: &Reach, table: &str) -> (String, String) {
    let (key, host) = (reach.key, &reach.host);
    match fault {
        TlsFault::Expired => (
            format!("the certificate of {host} has expired"),
            format!(
                "check this machine's date (`date -u`); if it is right, have whoever runs {host} renew the certificate"
            ),
        ),
        TlsFault::NotYetValid => (
            format!("the certificate of {host} is not valid yet"),
            "set this machine's clock (`timedatectl set-ntp true`): it is behind".to_owned(),
        ),
        TlsFault::Untrusted => (
            format!("the certificate of {host} is signed by nobody whom this machine trusts"),
            "put the authority's certificate (of your proxy, if it opens TLS) into /usr/local/share/ca-certificates and run `update-ca-certificates`".to_owned(),
        ),
        TlsFault::WrongName => (
            format!("the certificate of {host} is for another name"),
            format!("write the name that the certificate carries into {key} of {table}"),
        ),
        TlsFault::Revoked => (
            format!("the certificate of {host} has been revoked"),
            format!("have whoever runs {host} replace the certificate, and send nothing there until then"),
        ),
        TlsFault::NotTls => (
            format!("what answers at {host} does not speak TLS"),
            format!("correct the port, or https:// against http://, in {key} of {table}"),
        ),
        TlsFault::Other(text) => (
            format!("no encrypted connection to {host}: {text}"),
            format!("have whoever runs {host}, or the proxy in between, look at its TLS settings"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;

    fn reach(answer: Result<Answered, Unreachable>, is_encrypted: bool) -> Reach {
        Reach {
            key: "base_url",
            url: "https://erp.example".into(),
            host: "erp.example:443".into(),
            is_encrypted,
            is_loopback: false,
            answer,
        }
    }

    #[test]
    fn each_way_of_not_getting_there_has_its_own_words() {
        let cases = [
            (Unreachable::NoSuchHost("no".into()), "DNS", "getent hosts erp.example`"),
            (Unreachable::NoConnection("refused".into()), "cannot be reached", "firewall"),
            (Unreachable::TimedOut, "in time", "firewall"),
            (Unreachable::Tls(TlsFault::Expired), "expired", "renew"),
            (Unreachable::Tls(TlsFault::NotYetValid), "not valid yet", "clock"),
            (Unreachable::Tls(TlsFault::Untrusted), "trusts", "update-ca-certificates"),
            (Unreachable::Tls(TlsFault::WrongName), "another name", "[[company]]"),
            (Unreachable::Tls(TlsFault::Revoked), "revoked", "replace"),
            (Unreachable::Tls(TlsFault::NotTls), "does not speak TLS", "port"),
            (Unreachable::NotAnAddress("relative".into()), "not an address", "https://"),
        ];
        for (why, detail, fix) in cases {
            let check = reached("company no", "[[company]]", &reach(Err(why.clone()), true));
            assert_eq!(check.verdict, Verdict::Failed, "{why:?}");
            assert!(check.detail.contains(detail), "{why:?}: {}", check.detail);
            assert!(check.fix.contains(fix), "{why:?}: {}", check.fix);
        }
    }

    #[test]
    fn an_answer_in_the_clear_from_another_machine_is_a_fault() {
        let now = Timestamp::UNIX_EPOCH;
        let answered = Ok(Answered { date: None, asked_at: now, answered_at: now });
        let check = |reach: &Reach| reached("company no", "[[company]]", reach).verdict;
        assert_eq!(check(&reach(answered.clone(), true)), Verdict::Good);
        assert_eq!(check(&reach(answered.clone(), false)), Verdict::Failed);
        assert_eq!(check(&Reach { is_loopback: true, ..reach(answered, false) }), Verdict::Good);
    }
}
