use super::watch::Pace;
use super::{Condition, Kind};
use secrecy::SecretString;
use std::collections::BTreeSet;

/// Who hears of what. Secrets are resolved; none shows in `Debug`.
#[derive(Debug, Clone)]
pub struct Target {
    pub id: String,
    pub kinds: BTreeSet<Kind>,
    /// `None`: all connections.
    pub connections: Option<BTreeSet<String>>,
    pub pace: Pace,
    pub address: Address,
}

#[derive(Debug, Clone)]
pub enum Address {
    Webhook(Webhook),
    Email(Email),
}

/// A receiver of signed POSTs.
#[derive(Debug, Clone)]
pub struct Webhook {
    pub url: String,
    /// `whsec_` and base64, as Standard Webhooks writes keys.
    pub secret: SecretString,
}

/// A mail server and the people behind it.
#[derive(Debug, Clone)]
pub struct Email {
    pub server: String,
    pub port: u16,
    pub tls: Tls,
    pub login: Option<(String, SecretString)>,
    pub from: String,
    pub to: Vec<String>,
}

/// How the way to the mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// From the first byte; port 465 as a rule.
    Implicit,
    /// After a greeting, and never without; port 587 as a rule.
    Starttls,
    /// Only for a server on this machine; never with a login.
    None,
}

impl Target {
    pub fn hears_of(&self, condition: &Condition) -> bool {
        self.kinds.contains(&condition.kind())
            && match (&self.connections, condition.connection()) {
                (Some(wanted), Some(connection)) => wanted.contains(connection),
                // What concerns a whole system concerns all that use it.
                (Some(_), None) | (None, _) => true,
            }
    }
}
