use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// An ISO 4217 currency code, with the number of decimals of its minor unit.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Currency([u8; 3]);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an ISO 4217 currency code")]
pub struct UnknownCurrency(pub String);

/// ISO 4217 currencies whose minor unit is not two decimals. ISO 4217:2015, table A.1.
const NO_DECIMALS: &[&str] = &[
    "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND",
    "VUV", "XAF", "XOF", "XPF",
];
const THREE_DECIMALS: &[&str] = &["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"];

impl Currency {
    pub const NOK: Self = Self(*b"NOK");

    /// Accepts three ASCII letters in any case.
    pub fn parse(text: &str) -> Result<Self, UnknownCurrency> {
        let bytes = text.trim().as_bytes();
        match bytes {
            [a, b, c] if bytes.iter().all(u8::is_ascii_alphabetic) => {
                Ok(Self([a.to_ascii_uppercase(), b.to_ascii_uppercase(), c.to_ascii_uppercase()]))
            }
            _ => Err(UnknownCurrency(text.chars().take(20).collect())),
        }
    }

    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).expect("checked to be ASCII letters when made")
    }

    /// Decimals of the minor unit: 2 for øre, 0 for ISK.
    pub fn decimals(&self) -> u32 {
        let code = self.code();
        if NO_DECIMALS.contains(&code) {
            0
        } else if THREE_DECIMALS.contains(&code) {
            3
        } else {
            2
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_letters_are_a_currency_and_nothing_else_is() {
        for (text, expected) in [
            ("NOK", Some("NOK")),
            (" nok ", Some("NOK")),
            ("IsK", Some("ISK")),
            ("", None),
            ("NO", None),
            ("NOKK", None),
            ("N0K", None),
            ("578", None),
            ("N K", None),
            // Three bytes, but two letters.
            ("KÅ", None),
        ] {
            let parsed = Currency::parse(text).ok();
            assert_eq!(parsed.as_ref().map(Currency::code), expected, "{text}");
        }
        let long = Currency::parse(&"x".repeat(1_000)).unwrap_err();
        assert_eq!(long.0.len(), 20, "what is refused is told, but not at any length");
    }

    #[test]
    fn decimals_of_the_minor_unit() {
        for (code, decimals) in [("NOK", 2), ("EUR", 2), ("ISK", 0), ("JPY", 0), ("KWD", 3)] {
            let currency = Currency::parse(code).expect("a currency");
            assert_eq!(currency.decimals(), decimals, "{code}");
            assert_eq!(format!("{currency} {currency:?}"), format!("{code} {code}"));
        }
    }
}
