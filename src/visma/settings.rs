use super::Error;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How one company in Visma.net is reached. The secret never shows in `Debug`.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Without a trailing slash, e.g. `https://api.finance.visma.net`.
    pub base_url: String,
    pub token_url: String,
    pub client_id: String,
    pub client_secret: SecretString,
    /// Tried where that one is refused: while the secret is being changed, the other side may not know
    /// the new one yet.
    pub previous_secret: Option<SecretString>,
    /// The *company's* tenant id, not the customer's.
    pub tenant_id: String,
    /// Name of the header that carries the tenant id on every call. `None`: no such header.
    pub tenant_header: Option<String>,
    pub scopes: Vec<String>,
    /// Sent on every call, e.g. `ipp-company-id`. Their values may be secrets of a proxy.
    pub extra_headers: Vec<(String, SecretString)>,
    /// Rows asked for in a page. Visma cuts it silently to its own maximum.
    pub page_size: u32,
    /// For one attempt of a read, body included.
    pub read_timeout: Duration,
    /// For one write. Visma's own calls may run four minutes.
    pub write_timeout: Duration,
    pub concurrent_requests: usize,
    /// Least time between two calls once the burst is used up. Zero: not paced.
    pub min_interval: Duration,
    /// Calls that may leave at once before pacing starts.
    pub burst: u32,
    /// Percent of the hourly allowance that reads leave to writes.
    pub reserve_for_writes: u32,
    /// The longest that one read waits for the allowance before it gives up.
    pub allowance_patience: Duration,
    pub key_fields: KeyFields,
    pub supplier_attributes: SupplierAttributes,
    /// What a write that Visma takes as a job says of how its end is to be told.
    pub background_reply: String,
}

impl Settings {
    /// Everything but who we are, as Visma publishes it.
    pub fn new(
        client_id: impl Into<String>,
        client_secret: SecretString,
        tenant_id: impl Into<String>,
    ) -> Self {
        Self {
            base_url: "https://api.finance.visma.net".into(),
            token_url: "https://connect.visma.com/connect/token".into(),
            client_id: client_id.into(),
            client_secret,
            previous_secret: None,
            tenant_id: tenant_id.into(),
            tenant_header: Some("tenant_id".into()),
            scopes: ["read", "create", "update"]
                .map(|verb| format!("vismanet_erp_service_api:{verb}"))
                .into(),
            extra_headers: Vec::new(),
            page_size: 1000,
            read_timeout: Duration::from_secs(90),
            write_timeout: Duration::from_secs(300),
            concurrent_requests: 4,
            min_interval: Duration::from_millis(100),
            burst: 8,
            reserve_for_writes: 20,
            allowance_patience: Duration::from_secs(60),
            key_fields: KeyFields::default(),
            supplier_attributes: SupplierAttributes::default(),
            background_reply: "none".into(),
        }
    }

    /// Leaves out every scope that would let a token write, so that Visma itself refuses one. Scopes
    /// that do not tell, by their last word, are kept.
    pub fn keep_reading_scopes(&mut self) {
        let is_reading = |scope: &String| scope.ends_with(":read");
        if self.scopes.iter().any(is_reading) {
            self.scopes.retain(is_reading);
        }
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        let wrong = |what: &str| Err(Error::Settings(what.to_owned()));
        for (name, url) in [("base_url", &self.base_url), ("token_url", &self.token_url)] {
            match reqwest::Url::parse(url) {
                Ok(parsed) if matches!(parsed.scheme(), "http" | "https") => {}
                _ => return wrong(&format!("{name} `{url}` is not an http(s) address")),
            }
        }
        if self.client_id.trim().is_empty() {
            return wrong("client_id is empty");
        }
        if self.tenant_id.trim().is_empty() {
            return wrong("tenant_id is empty");
        }
        if self.reserve_for_writes > 90 {
            return wrong("reserve_for_writes is a percentage from 0 to 90");
        }
        if self.page_size == 0 || self.concurrent_requests == 0 {
            return wrong("page_size and concurrent_requests must be at least 1");
        }
        Ok(())
    }
}

/// Where an order keeps our keys.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KeyFields {
    pub order: CustomField,
    pub line: CustomField,
}

/// Which attributes of a supplier carry identifiers that Visma has no field for, by the ids that
/// the company gave its attributes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SupplierAttributes {
    pub gln: Option<String>,
    pub duns: Option<String>,
}

/// One of the five free texts of an order or an order line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CustomField {
    #[default]
    CustomStr1,
    CustomStr2,
    CustomStr3,
    CustomStr4,
    CustomStr5,
}

impl CustomField {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CustomStr1 => "customStr1",
            Self::CustomStr2 => "customStr2",
            Self::CustomStr3 => "customStr3",
            Self::CustomStr4 => "customStr4",
            Self::CustomStr5 => "customStr5",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_is_not_shown() {
        let settings = Settings::new("me", SecretString::from("hunter2"), "t");
        assert!(!format!("{settings:?}").contains("hunter2"));
        assert!(settings.check().is_ok());
    }

    #[test]
    fn unusable_settings_are_named() {
        let good = Settings::new("me", SecretString::from("s"), "t");
        let cases: Vec<(Settings, &str)> = vec![
            (Settings { base_url: "api.finance".into(), ..good.clone() }, "base_url"),
            (Settings { token_url: "ftp://x".into(), ..good.clone() }, "token_url"),
            (Settings { tenant_id: " ".into(), ..good.clone() }, "tenant_id"),
            (Settings { client_id: String::new(), ..good.clone() }, "client_id"),
            (Settings { reserve_for_writes: 100, ..good.clone() }, "reserve_for_writes"),
            (Settings { page_size: 0, ..good }, "page_size"),
        ];
        for (settings, name) in cases {
            let error = settings.check().expect_err(name).to_string();
            assert!(error.contains(name), "{error}");
        }
    }

    #[test]
    fn a_reader_asks_for_no_more_than_reading() {
        let of = |scopes: &[&str]| {
            let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
            let mut settings =
                Settings { scopes, ..Settings::new("me", SecretString::from("s"), "t") };
            settings.keep_reading_scopes();
            settings.scopes
        };
        assert_eq!(of(&["erp:read", "erp:create", "erp:update"]), ["erp:read"]);
        assert_eq!(of(&["financials"]), ["financials"]);
    }

    #[test]
    fn custom_fields_are_named_as_on_the_wire() {
        let read: KeyFields =
            serde_json::from_str(r#"{"order":"customStr3"}"#).expect("a known name");
        assert_eq!((read.order.as_str(), read.line.as_str()), ("customStr3", "customStr1"));
        assert!(serde_json::from_str::<KeyFields>(r#"{"order":"customStr6"}"#).is_err());
    }
}
