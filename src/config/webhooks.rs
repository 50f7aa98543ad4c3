use super::{ConfigError, SecretRef};
use crate::nudge::{Form, Hash, Key, Reader, Scheme, Signed, Signing, Stamp};
use crate::schedule::Poll;
use crate::vault::Vault;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// A secret that stands in an address must not be guessed, and must not need escapes.
const SHORTEST_URL_SECRET: usize = 24;
const LONGEST_URL_SECRET: usize = 200;
const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;

/// Visma's webhooks for one connection, as the file says it. docs/webhooks.md explains each key.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhooksTable {
    /// Left out: in the vault, as `webhook/<connection>`.
    #[serde(default)]
    pub url_secret: Option<SecretRef>,
    #[serde(default)]
    pub signature: SignatureName,
    /// Left out: in the vault, as `webhook-key/<connection>`.
    #[serde(default)]
    pub signing_keys: Vec<SecretRef>,
    #[serde(default)]
    pub signature_header: Option<String>,
    #[serde(default)]
    pub signature_prefix: Option<String>,
    #[serde(default)]
    pub signature_form: Option<FormName>,
    #[serde(default)]
    pub key_form: Option<FormName>,
    #[serde(default)]
    pub signed_text: Option<String>,
    #[serde(default)]
    pub timestamp_header: Option<String>,
    #[serde(default)]
    pub timestamp_prefix: String,
    #[serde(default = "five_minutes")]
    pub tolerance_seconds: i64,
    #[serde(default)]
    pub id_header: Option<String>,
    #[serde(default)]
    pub entity_header: Option<String>,
    #[serde(default)]
    pub entity_paths: Vec<String>,
    #[serde(default)]
    pub reference_paths: Vec<String>,
    #[serde(default)]
    pub entities: BTreeMap<String, Poll>,
    /// What was subscribed to.
    #[serde(default = "all_polls")]
    pub subscribed: Vec<Poll>,
    #[serde(default = "ten")]
    pub repeat_minutes: i64,
    #[serde(default = "ten")]
    pub grace_minutes: i64,
    #[serde(default = "five")]
    pub silent_after: i64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignatureName {
    #[default]
    None,
    Token,
    HmacSha1,
    HmacSha256,
    HmacSha512,
    StandardWebhooks,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FormName {
    Text,
    Base64,
    Hex,
}

impl From<FormName> for Form {
    fn from(name: FormName) -> Self {
        match name {
            FormName::Text => Self::Text,
            FormName::Base64 => Self::Base64,
            FormName::Hex => Self::Hex,
        }
    }
}

/// Where one connection's deliveries come in, and how each is checked and read. Secrets are resolved.
#[derive(Debug)]
pub struct Hook {
    pub connection: String,
    /// The last part of its address; while it is being changed, two.
    pub url_secrets: Vec<SecretString>,
    pub scheme: Scheme,
    pub reader: Reader,
    pub entity_header: Option<String>,
    /// Microseconds within which the same body is the same delivery, where none has an id or a time.
    pub repeat: i64,
}

/// What the polls of a company are held against. In microseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Watched {
    pub polls: BTreeSet<Poll>,
    pub grace: i64,
    /// Changes in a row that only polls found until the webhook counts as silent.
    pub silent_after: i64,
}

impl WebhooksTable {
    pub fn url_secret(&self, connection: &str) -> SecretRef {
        let named = || SecretRef::Vault(format!("webhook/{connection}"));
        self.url_secret.clone().unwrap_or_else(named)
    }

    /// Where the keys of signatures or the tokens are; none where nothing is signed.
    pub fn signing_keys(&self, connection: &str) -> Vec<SecretRef> {
        match (self.signature, self.signing_keys.is_empty()) {
            (SignatureName::None, _) => Vec::new(),
            (_, true) => vec![SecretRef::Vault(format!("webhook-key/{connection}"))],
            (_, false) => self.signing_keys.clone(),
        }
    }

    /// What the file alone can show to be wrong.
    pub(super) fn check(&self, connection: &str) -> Result<(), String> {
        let wrong = |what: String| Err(format!("webhooks of connection `{connection}`: {what}"));
        if let Err(fault) = self.scheme(Vec::new()).map(drop) {
            return wrong(fault);
        }
        if let Err(fault) = self.reader().map(drop) {
            return wrong(fault);
        }
        if self.signature == SignatureName::None && !self.signing_keys.is_empty() {
            return wrong(
                "it has `signing_keys`, but nothing is signed: say with `signature` how (token, hmac_sha1, \
                 hmac_sha256, hmac_sha512, standard_webhooks)"
                    .into(),
            );
        }
        let numbers = [
            ("tolerance_seconds", self.tolerance_seconds, 1, 86_400),
            ("repeat_minutes", self.repeat_minutes, 0, 1_440),
            ("grace_minutes", self.grace_minutes, 0, 1_440),
            ("silent_after", self.silent_after, 1, 100_000),
        ];
        for (key, number, least, most) in numbers {
            if !(least..=most).contains(&number) {
                return wrong(format!("{key} is {number}: write a number from {least} to {most}"));
            }
        }
        Ok(())
    }

    fn reader(&self) -> Result<Reader, String> {
        Reader::new(&self.entity_paths, &self.reference_paths, &self.entities)
    }

    fn hash(&self) -> Hash {
        match self.signature {
            SignatureName::HmacSha1 => Hash::Sha1,
            SignatureName::HmacSha512 => Hash::Sha512,
            SignatureName::None
            | SignatureName::Token
            | SignatureName::HmacSha256
            | SignatureName::StandardWebhooks => Hash::Sha256,
        }
    }

    /// Standard Webhooks says of everything how it is; the rest has the defaults of the sister product.
    fn scheme(&self, keys: Vec<Key>) -> Result<Scheme, String> {
        let standard = self.signature == SignatureName::StandardWebhooks;
        let or = |own: &Option<String>, named: &str| {
            own.clone().or_else(|| standard.then(|| named.to_owned()))
        };
        let header = or(&self.signature_header, "webhook-signature");
        let signing = match self.signature {
            SignatureName::None => Signing::Nothing,
            SignatureName::Token => Signing::Token,
            _ => {
                let text = or(&self.signed_text, "{id}.{timestamp}.{body}");
                let signed = Signed::parse(text.as_deref().unwrap_or("{body}"))
                    .map_err(|fault| format!("signed_text: {fault}"))?;
                let form = self.signature_form.map_or(Form::Base64, Form::from);
                if form == Form::Text {
                    return Err("signature_form is base64 or hex".into());
                }
                Signing::Hmac { form, signed }
            }
        };
        if !matches!(signing, Signing::Nothing) && header.is_none() {
            return Err(
                "it needs `signature_header`: the header that carries the signature or the token"
                    .into(),
            );
        }
        let timestamp_header = or(&self.timestamp_header, "webhook-timestamp");
        let id_header = or(&self.id_header, "webhook-id");
        if let Signing::Hmac { signed, .. } = &signing {
            if signed.has_timestamp() && timestamp_header.is_none() {
                return Err(
                    "signed_text has {timestamp}, but no `timestamp_header` says where it is"
                        .into(),
                );
            }
            if signed.has_id() && id_header.is_none() {
                return Err("signed_text has {id}, but no `id_header` says where it is".into());
            }
        }
        Ok(Scheme {
            signing,
            keys,
            header: header.unwrap_or_default(),
            prefix: or(&self.signature_prefix, "v1,").unwrap_or_default(),
            stamp: timestamp_header.map(|header| Stamp {
                header,
                prefix: self.timestamp_prefix.clone(),
                tolerance: self.tolerance_seconds * SECOND,
            }),
            id_header,
        })
    }

    /// With its secrets.
    pub fn resolve(
        &self,
        connection: &str,
        folder: &Path,
        vault: &Vault,
    ) -> Result<Hook, ConfigError> {
        let what = format!("the webhooks of connection `{connection}`");
        let wrong = |reason: String| ConfigError::Secret { what: what.clone(), reason };
        let live = self.url_secret(connection).resolve_live(&what, folder, vault)?;
        let url_secrets: Vec<SecretString> = live.all().cloned().collect();
        for secret in &url_secrets {
            check_url_secret(secret).map_err(|reason| wrong(reason.to_owned()))?;
        }
        let key_form = match (self.key_form, self.signature) {
            (Some(form), _) => form.into(),
            (None, SignatureName::StandardWebhooks) => Form::Base64,
            (None, _) => Form::Text,
        };
        let mut keys = Vec::new();
        for place in self.signing_keys(connection) {
            for secret in place.resolve_live(&what, folder, vault)?.all() {
                keys.push(match self.signature {
                    SignatureName::Token => Key::token(secret),
                    _ => Key::signing(self.hash(), key_form, secret)
                        .map_err(|reason| wrong(format!("a signing key: {reason}")))?,
                });
            }
        }
        Ok(Hook {
            connection: connection.to_owned(),
            url_secrets,
            scheme: self.scheme(keys).map_err(wrong)?,
            reader: self.reader().map_err(wrong)?,
            entity_header: self.entity_header.clone(),
            repeat: self.repeat_minutes * MINUTE,
        })
    }
}

fn check_url_secret(secret: &SecretString) -> Result<(), &'static str> {
    let text = secret.expose_secret();
    let is_plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if is_plain && (SHORTEST_URL_SECRET..=LONGEST_URL_SECRET).contains(&text.len()) {
        return Ok(());
    }
    Err(
        "the secret of the address has 24 to 200 letters, digits, - and _ (make one with `openssl rand -hex 24`)",
    )
}

impl super::Config {
    /// Where deliveries come in, and why some connections have no such place.
    pub fn hooks(&self, vault: &Vault) -> (Vec<Hook>, Vec<ConfigError>) {
        let (mut hooks, mut faults) = (Vec::<Hook>::new(), Vec::new());
        for connection in &self.connections {
            let Some(table) = &connection.webhooks else { continue };
            match table.resolve(&connection.id, &self.folder, vault) {
                Ok(hook) => match hooks.iter().find(|other| have_one_address(other, &hook)) {
                    None => hooks.push(hook),
                    Some(other) => faults.push(ConfigError::Secret {
                        what: format!("the webhooks of connection `{}`", connection.id),
                        reason: format!(
                            "connection `{}` has the same address: give each a secret of its own",
                            other.connection
                        ),
                    }),
                },
                Err(fault) => faults.push(fault),
            }
        }
        (hooks, faults)
    }

    /// What a company's polls are held against: all that its connections subscribed to. `None`: nothing tells of it.
    pub fn watched(&self, company: &str) -> Option<Watched> {
        let of_company = self.connections.iter().filter(|of| of.company == company);
        let mut watched: Option<Watched> = None;
        for table in of_company.filter_map(|of| of.webhooks.as_ref()) {
            let known = watched.get_or_insert_default();
            known.polls.extend(table.subscribed.iter().filter(|poll| **poll != Poll::Jobs));
            known.grace = known.grace.max(table.grace_minutes * MINUTE);
            known.silent_after = known.silent_after.max(table.silent_after);
        }
        watched
    }
}

fn have_one_address(one: &Hook, other: &Hook) -> bool {
    let texts = |hook: &Hook| -> BTreeSet<String> {
        hook.url_secrets.iter().map(|secret| secret.expose_secret().to_owned()).collect()
    };
    !texts(one).is_disjoint(&texts(other))
}

fn all_polls() -> Vec<Poll> {
    Poll::ALL.into()
}
const fn five_minutes() -> i64 {
    300
}
const fn ten() -> i64 {
    10
}
const fn five() -> i64 {
    5
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> WebhooksTable {
        toml::from_str(text).expect("right")
    }

    #[test]
    fn what_cannot_be_checked_is_refused() {
        for (text, part) in [
            ("signature = \"hmac_sha256\"", "signature_header"),
            ("signature = \"token\"", "signature_header"),
            ("signature = \"hmac_sha1\"\nsignature_header = \"s\"\nsigned_text = \"x\"", "{body}"),
            (
                "signature = \"hmac_sha1\"\nsignature_header = \"s\"\nsigned_text = \"{timestamp}{body}\"",
                "timestamp_header",
            ),
            (
                "signature = \"hmac_sha1\"\nsignature_header = \"s\"\nsigned_text = \"{id}{body}\"",
                "id_header",
            ),
            (
                "signature = \"hmac_sha1\"\nsignature_header = \"s\"\nsignature_form = \"text\"",
                "base64 or hex",
            ),
            ("signing_keys = [{ env = \"X\" }]", "nothing is signed"),
            ("tolerance_seconds = 0", "tolerance_seconds"),
            ("entity_paths = [\"entity\"]", "RFC 9535"),
        ] {
            let fault = table(text).check("no").expect_err(text);
            assert!(fault.contains(part) && fault.contains("`no`"), "{text}: {fault}");
        }
        for text in ["", "signature = \"standard_webhooks\""] {
            assert_eq!(table(text).check("no"), Ok(()), "{text}");
        }
    }

    #[test]
    fn an_address_that_can_be_guessed_is_refused_and_not_repeated() {
        let path = std::env::temp_dir().join(format!("ml_connector_hook_{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("writable");
        let said = |secret: &str| {
            std::fs::write(path.join("s"), secret).expect("writable");
            table("url_secret = { file = \"s\" }").resolve("no", &path, &Vault::default())
        };
        assert!(said(&"k".repeat(24)).is_ok());
        for bad in ["short-secret", &"slash/".repeat(6), &"å".repeat(30), &"k".repeat(201)] {
            let fault = said(bad).expect_err(bad).to_string();
            assert!(fault.contains("24 to 200") && !fault.contains(bad), "{fault}");
        }
        let _ = std::fs::remove_dir_all(&path);
    }
}
