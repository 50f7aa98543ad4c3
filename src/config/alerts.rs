use super::{ConfigError, SecretRef};
use crate::alert::{
    Address, Email, Kind, Pace, Target, Tls, Webhook, check_webhook_secret, is_webhook_url,
};
use crate::vault::Vault;
use jiff::civil::Date;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::path::Path;

/// When something is worth telling, and whom.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Alerts {
    /// A flow that has not come to a good end for so long stands still; a flow that runs more
    /// seldom, for three times its interval.
    pub stalled_minutes: i64,
    /// A write that is uncertain for longer is told.
    pub uncertain_minutes: i64,
    /// Percent of Visma's hourly allowance; less left is told.
    pub allowance_percent: i64,
    /// Days on which nothing is expected: public holidays, a shutdown.
    #[serde(deserialize_with = "days")]
    pub days_off: BTreeSet<Date>,
    #[serde(rename = "target")]
    pub targets: Vec<AlertTarget>,
}

impl Default for Alerts {
    fn default() -> Self {
        Self {
            stalled_minutes: 60,
            uncertain_minutes: 60,
            allowance_percent: 10,
            days_off: BTreeSet::new(),
            targets: Vec::new(),
        }
    }
}

/// Who hears of what, as the file says it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlertTarget {
    pub id: String,
    /// Left out: everything.
    #[serde(default)]
    pub kinds: Option<Vec<Kind>>,
    /// Left out: all.
    #[serde(default)]
    pub connections: Option<Vec<String>>,
    #[serde(default = "hour")]
    pub quiet_minutes: i64,
    #[serde(default = "day")]
    pub remind_hours: i64,
    #[serde(default)]
    pub webhook: Option<WebhookTable>,
    #[serde(default)]
    pub email: Option<EmailTable>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookTable {
    pub url: String,
    pub secret: SecretRef,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmailTable {
    pub server: String,
    #[serde(default = "submission")]
    pub port: u16,
    #[serde(default)]
    pub tls: TlsName,
    #[serde(default)]
    pub user: Option<String>,
    #[serde(default)]
    pub password: Option<SecretRef>,
    pub from: String,
    pub to: Vec<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TlsName {
    #[default]
    Starttls,
    Implicit,
    None,
}

impl Alerts {
    /// What the file alone can show to be wrong.
    pub(super) fn check(&self, connections: &BTreeSet<&str>) -> Result<(), String> {
        let mut ids = BTreeSet::new();
        for target in &self.targets {
            let wrong = |what: String| Err(format!("alert target `{}`: {what}", target.id));
            if target.id.is_empty() || !ids.insert(&target.id) {
                return Err(format!(
                    "each [[alerts.target]] needs an id of its own; `{}` is empty or there twice",
                    target.id
                ));
            }
            match (&target.webhook, &target.email) {
                (Some(webhook), None) => {
                    if !is_webhook_url(&webhook.url) {
                        return wrong("webhook.url is not an http(s) address".into());
                    }
                }
                (None, Some(email)) => email.check().or_else(wrong)?,
                (Some(_), Some(_)) | (None, None) => {
                    return wrong("it needs either `webhook` or `email`".into());
                }
            }
            let unknown = |id: &&String| !connections.contains(id.as_str());
            if let Some(id) = target.connections.iter().flatten().find(unknown) {
                return wrong(format!("there is no connection `{id}`"));
            }
            if target.quiet_minutes < 0 || target.remind_hours < 0 {
                return wrong("quiet_minutes and remind_hours are not less than 0".into());
            }
        }
        if !(0..=100).contains(&self.allowance_percent) {
            return Err("alerts.allowance_percent is a percentage from 0 to 100".into());
        }
        if self.stalled_minutes < 1 || self.uncertain_minutes < 1 {
            return Err("alerts.stalled_minutes and uncertain_minutes are at least 1".into());
        }
        Ok(())
    }
}

impl EmailTable {
    fn check(&self) -> Result<(), String> {
        if self.to.is_empty() {
            return Err("email.to names nobody".into());
        }
        if self.user.is_some() != self.password.is_some() {
            return Err("email.user and email.password belong together".into());
        }
        if self.user.is_some() && self.tls == TlsName::None {
            return Err("a password never leaves without TLS: set email.tls to \"starttls\" or \"implicit\"".into());
        }
        Ok(())
    }
}

impl AlertTarget {
    /// Where its secret stands, if it needs one.
    pub fn secret(&self) -> Option<&SecretRef> {
        let webhook = self.webhook.as_ref().map(|webhook| &webhook.secret);
        webhook.or_else(|| self.email.as_ref()?.password.as_ref())
    }

    /// With its secrets.
    pub fn resolve(&self, folder: &Path, vault: &Vault) -> Result<Target, ConfigError> {
        let what = format!("alert target `{}`", self.id);
        let address = match (&self.webhook, &self.email) {
            (Some(webhook), _) => {
                let secret = webhook.secret.resolve(&what, folder, vault)?;
                check_webhook_secret(&secret).map_err(|reason| ConfigError::Secret {
                    what: what.clone(),
                    reason: reason.to_owned(),
                })?;
                Address::Webhook(Webhook { url: webhook.url.clone(), secret })
            }
            (None, Some(email)) => {
                let login = match (&email.user, &email.password) {
                    (Some(user), Some(password)) => {
                        Some((user.clone(), password.resolve(&what, folder, vault)?))
                    }
                    _ => None,
                };
                Address::Email(Email {
                    server: email.server.clone(),
                    port: email.port,
                    tls: match email.tls {
                        TlsName::Starttls => Tls::Starttls,
                        TlsName::Implicit => Tls::Implicit,
                        TlsName::None => Tls::None,
                    },
                    login,
                    from: email.from.clone(),
                    to: email.to.clone(),
                })
            }
            (None, None) => {
                return Err(ConfigError::Meaning(format!("{what} has no address")));
            }
        };
        Ok(Target {
            id: self.id.clone(),
            kinds: self
                .kinds
                .clone()
                .map_or_else(|| Kind::ALL.into(), |kinds| kinds.into_iter().collect()),
            connections: self.connections.clone().map(|ids| ids.into_iter().collect()),
            pace: Pace {
                quiet: self.quiet_minutes.saturating_mul(60_000_000),
                remind: self.remind_hours.saturating_mul(3_600_000_000),
            },
            address,
        })
    }
}

fn days<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<BTreeSet<Date>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    texts
        .iter()
        .map(|text| {
            text.parse().map_err(|_| {
                serde::de::Error::custom(format!("`{text}` is not a day such as 2026-12-24"))
            })
        })
        .collect()
}

const fn hour() -> i64 {
    60
}
const fn day() -> i64 {
    24
}
const fn submission() -> u16 {
    587
}
