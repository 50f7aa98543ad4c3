use serde::{Deserialize, Deserializer};
use std::net::{Ipv4Addr, SocketAddr};

/// How `serve` runs.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServeConfig {
    /// Where /health, /ready and /metrics are answered. `None`: nowhere.
    #[serde(deserialize_with = "listen")]
    pub listen: Option<SocketAddr>,
    /// Rounds at a time in this process; others wait for their turn.
    #[serde(deserialize_with = "at_least_one")]
    pub rounds_at_a_time: usize,
    /// Seconds between two early polls of one list, at least.
    #[serde(deserialize_with = "gap")]
    pub nudge_gap_seconds: u32,
    /// Where this process is reached from outside, for `ping` to look at; left out: it cannot be looked at.
    pub public_url: Option<String>,
    /// Seconds after a request to stop, at most, until the process ends whatever is in hand.
    pub drain_seconds: u64,
}

impl Default for ServeConfig {
    fn default() -> Self {
        Self {
            listen: Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 8600))),
            rounds_at_a_time: 16,
            nudge_gap_seconds: 60,
            public_url: None,
            drain_seconds: 60,
        }
    }
}

fn listen<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SocketAddr>, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text == "none" {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| {
        serde::de::Error::custom(format!(
            "listen: `{text}` is no address with a port; write for example \"127.0.0.1:8600\", or \"none\""
        ))
    })
}

fn gap<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    match u32::deserialize(deserializer)? {
        seconds @ 1..=3600 => Ok(seconds),
        _ => Err(serde::de::Error::custom("nudge_gap_seconds: 1 to 3600")),
    }
}

fn at_least_one<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    match usize::deserialize(deserializer)? {
        0 => Err(serde::de::Error::custom("rounds_at_a_time: at least 1")),
        n => Ok(n),
    }
}
