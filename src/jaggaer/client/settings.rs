use secrecy::SecretString;
use std::fmt;
use std::time::Duration;

/// How the client shows who it is at the token endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuth {
    /// Id and secret in the form.
    #[default]
    Post,
    /// HTTP Basic, both parts form-urlencoded first (RFC 6749, 2.3.1).
    Basic,
    /// There is none: the secret is a key that goes with every call, in the header
    /// `Settings::api_key_header`.
    ApiKey,
}

/// How to reach one JAGGAER instance.
#[derive(Clone)]
pub struct Settings {
    pub base_url: String,
    /// Absent: Keycloak's path for J1P below the base URL.
    pub token_url: Option<String>,
    pub client_id: String,
    pub client_secret: SecretString,
    /// Tried where that one is refused: while the secret is being changed, the other side may not know
    /// the new one yet.
    pub previous_secret: Option<SecretString>,
    pub client_auth: ClientAuth,
    pub scope: Option<String>,
    /// Used with `ClientAuth::ApiKey`.
    pub api_key_header: String,
    pub concurrent_requests: usize,
    /// 0: no limit.
    pub requests_per_second: u32,
    pub page_size: u64,
    pub connect_timeout: Duration,
    /// For one whole answer.
    pub request_timeout: Duration,
    /// How often one read is tried in all.
    pub attempts: u32,
    pub first_backoff: Duration,
    /// Sent with every call of the API, not with the one for the token.
    pub headers: Vec<(String, SecretString)>,
    /// Answers that mean "get a new token", once.
    pub token_expired_statuses: Vec<u16>,
    /// Bytes of one page or document.
    pub largest_page: usize,
    /// Bytes of one file.
    pub largest_attachment: usize,
}

impl Settings {
    pub fn new(base_url: &str, client_id: &str, client_secret: SecretString) -> Self {
        Self {
            base_url: base_url.to_owned(),
            token_url: None,
            client_id: client_id.to_owned(),
            client_secret,
            previous_secret: None,
            client_auth: ClientAuth::default(),
            scope: None,
            api_key_header: "X-API-Key".to_owned(),
            concurrent_requests: 4,
            requests_per_second: 5,
            page_size: 100,
            connect_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(60),
            attempts: 5,
            first_backoff: Duration::from_millis(250),
            headers: Vec::new(),
            token_expired_statuses: vec![401],
            largest_page: 64 << 20,
            largest_attachment: 50 << 20,
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A header may carry a key, so only names are shown.
        let headers: Vec<&String> = self.headers.iter().map(|(name, _)| name).collect();
        f.debug_struct("Settings")
            .field("base_url", &self.base_url)
            .field("token_url", &self.token_url)
            .field("client_id", &self.client_id)
            .field("client_auth", &self.client_auth)
            .field("headers", &headers)
            .finish_non_exhaustive()
    }
}
