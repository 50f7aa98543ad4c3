//! An answer before it goes on the wire, and how Visma spells numbers, times and row versions.

use jiff::civil::DateTime;
use rust_decimal::Decimal;
use serde_json::{Number, Value, json};

/// An answer, kept apart from the web framework so that a background job can keep one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    pub fn json(status: u16, value: &Value) -> Self {
        Self::text(status, value.to_string())
    }

    /// A body that is JSON already.
    pub fn text(status: u16, body: String) -> Self {
        Self {
            status,
            headers: vec![("content-type", "application/json; charset=utf-8".into())],
            body: body.into_bytes(),
        }
    }

    pub fn message(status: u16, message: &str) -> Self {
        Self::json(status, &json!({ "message": message }))
    }

    pub fn not_found() -> Self {
        Self::message(404, "The record was not found.")
    }

    pub fn stale() -> Self {
        Self::message(412, "The record has been changed by another process.")
    }

    pub fn unauthorized() -> Self {
        Self::message(401, "Authorization has been denied for this request.")
    }

    pub fn with(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }
}

/// A refused request: status and the text a person would see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub status: u16,
    pub message: String,
}

impl Refusal {
    pub fn rule(message: impl Into<String>) -> Self {
        Self { status: 400, message: message.into() }
    }
}

impl From<Refusal> for Reply {
    fn from(refusal: Refusal) -> Self {
        match refusal.status {
            404 => Self::not_found(),
            412 => Self::stale(),
            status => Self::message(status, &refusal.message),
        }
    }
}

/// A JSON number with at least one decimal, as the service writes its doubles.
pub(crate) fn number(amount: Decimal) -> Value {
    let mut text = amount.normalize().to_string();
    if !text.contains('.') {
        text.push_str(".0");
    }
    Value::Number(text.parse::<Number>().unwrap_or_else(|_| Number::from(0)))
}

/// Rounded as the ERP rounds: half away from zero.
pub(crate) fn round(amount: Decimal, decimals: u32) -> Decimal {
    amount.round_dp_with_strategy(decimals, rust_decimal::RoundingStrategy::MidpointAwayFromZero)
}

/// Company-local time without a zone, with as many fraction digits as the instant needs.
pub(crate) fn time(at: DateTime) -> String {
    let ticks = at.subsec_nanosecond() / 100;
    let mut text = format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}",
        at.year(),
        at.month(),
        at.day(),
        at.hour(),
        at.minute(),
        at.second()
    );
    if ticks > 0 {
        let fraction = format!("{ticks:07}");
        text.push('.');
        text.push_str(fraction.trim_end_matches('0'));
    }
    text
}

/// The row version as the `timeStamp` member shows it: base64 of eight bytes.
pub(crate) fn version(version: u64) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bytes = version.to_be_bytes();
    let mut text = String::with_capacity(12);
    for chunk in bytes.chunks(3) {
        let group = chunk
            .iter()
            .enumerate()
            .fold(0u32, |group, (at, byte)| group | u32::from(*byte) << (16 - 8 * at));
        for at in 0..4 {
            let letter = LETTERS[(group >> (18 - 6 * at) & 63) as usize];
            text.push(if at > chunk.len() { '=' } else { char::from(letter) });
        }
    }
    text
}

/// A date or time as requests spell it; a zone is tolerated and not applied.
pub(crate) fn parse_time(text: &str) -> Option<DateTime> {
    let text = text.trim();
    let text = text.strip_suffix('Z').unwrap_or(text);
    if let Ok(date) = text.parse::<jiff::civil::Date>()
        && text.len() == 10
    {
        return Some(date.at(0, 0, 0, 0));
    }
    let separator = text.as_bytes().get(10)?;
    if *separator != b'T' && *separator != b' ' {
        return None;
    }
    let bare = match text.rfind('+') {
        Some(at) if at > 10 => &text[..at],
        _ => text,
    };
    bare.replacen(' ', "T", 1).parse().ok()
}

/// Percent-decoding of queries and forms; `+` is a space.
pub(crate) fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'+' => out.push(b' '),
            b'%' => match text.get(at + 1..at + 3).and_then(|hex| u8::from_str_radix(hex, 16).ok())
            {
                Some(byte) => {
                    out.push(byte);
                    at += 2;
                }
                None => out.push(b'%'),
            },
            byte => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Name and value pairs of a query string or a form.
pub(crate) fn pairs(text: &str) -> Vec<(String, String)> {
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_versions_are_base64() {
        for (number, text) in
            [(0x5710, "AAAAAAAAVxA="), (0x01_6dc6, "AAAAAAABbcY="), (0, "AAAAAAAAAAA=")]
        {
            assert_eq!(version(number), text);
        }
    }

    #[test]
    fn times_lose_their_trailing_zeros_only() {
        for (given, shown) in [
            ("2026-11-23T08:00:00.5", "2026-11-23T08:00:00.5"),
            ("2026-11-23 08:00:00.930", "2026-11-23T08:00:00.93"),
            ("2026-11-23T08:00:00", "2026-11-23T08:00:00"),
            ("2026-11-23", "2026-11-23T00:00:00"),
            ("2026-11-23T08:00:00.1973217Z", "2026-11-23T08:00:00.1973217"),
        ] {
            assert_eq!(parse_time(given).map(time).as_deref(), Some(shown), "{given}");
        }
        for wrong in ["23.11.2026", "2026-11", "2026-11-23x08:00:00", ""] {
            assert_eq!(parse_time(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn numbers_and_forms() {
        assert_eq!(number(Decimal::new(2_450_000, 2)).to_string(), "24500.0");
        assert_eq!(number(Decimal::new(1_005, 2)).to_string(), "10.05");
        assert_eq!(round(Decimal::new(-2_345, 3), 2), Decimal::new(-235, 2));
        assert_eq!(
            pairs("a=%3E%3D&b=x+y&c"),
            [("a".into(), ">=".into()), ("b".into(), "x y".into()), ("c".into(), String::new())]
        );
    }
}
