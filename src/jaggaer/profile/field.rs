use super::place::Place;
use jiff::tz::TimeZone;
use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

/// In what notation a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ValueType {
    Text,
    Decimal,
    MinorUnits,
    MoneyObject,
    /// A number with its currency's code before or behind it: `NOK 1 234,50`.
    MoneyText,
    Date,
    Instant,
    EpochMs,
    EpochS,
    Boolean,
    Integer,
}

impl ValueType {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Decimal => "decimal",
            Self::MinorUnits => "minor_units",
            Self::MoneyObject => "money_object",
            Self::MoneyText => "money_text",
            Self::Date => "date",
            Self::Instant => "instant",
            Self::EpochMs => "epoch_ms",
            Self::EpochS => "epoch_s",
            Self::Boolean => "boolean",
            Self::Integer => "integer",
        }
    }
}

/// What becomes of a number's sign when it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Sign {
    #[default]
    Keep,
    Negate,
    /// Without its sign, on credit notes too.
    Absolute,
}

/// One value or a list of them: `at = "$.a"` and `at = ["$.a", "$.b"]`.
#[derive(Debug, Clone)]
pub(crate) struct OneOrMany<T>(pub(crate) Vec<T>);

impl<T> Default for OneOrMany<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Either<T> {
            type Value = OneOrMany<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a list of texts")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                let one = T::deserialize(de::value::StrDeserializer::<E>::new(text))?;
                Ok(OneOrMany(vec![one]))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut all = Vec::new();
                while let Some(one) = seq.next_element()? {
                    all.push(one);
                }
                Ok(OneOrMany(all))
            }
        }
        deserializer.deserialize_any(Either(PhantomData))
    }
}

/// How a date or an instant is written: `iso`, or a strftime pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TimeFormat {
    Iso,
    Pattern(String),
}

impl<'de> Deserialize<'de> for TimeFormat {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text == "iso" {
            return Ok(Self::Iso);
        }
        let sample = jiff::Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC);
        match jiff::fmt::strtime::format(&text, &sample) {
            Ok(_) if text.contains('%') => Ok(Self::Pattern(text)),
            Ok(_) => Err(de::Error::custom(format!(
                "`{text}` is neither `iso` nor a pattern like `%Y-%m-%d %H:%M:%S`"
            ))),
            Err(error) => Err(de::Error::custom(format!("`{text}`: {error}"))),
        }
    }
}

/// A time zone by its IANA name.
#[derive(Debug, Clone)]
pub(crate) struct Zone(pub(crate) TimeZone);

impl<'de> Deserialize<'de> for Zone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        TimeZone::get(&name).map(Self).map_err(|_| {
            de::Error::custom(format!("`{name}` is not a time zone, e.g. `Europe/Oslo` or `UTC`"))
        })
    }
}

/// What a whole profile assumes of a value unless a field says otherwise.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Notation {
    pub(crate) decimal_mark: char,
    pub(crate) group_marks: String,
    pub(crate) money: ValueType,
    pub(crate) amount_member: String,
    pub(crate) currency_member: String,
    pub(crate) date: OneOrMany<TimeFormat>,
    pub(crate) instant: OneOrMany<TimeFormat>,
    pub(crate) zone: Option<Zone>,
    #[serde(rename = "true")]
    pub(crate) true_words: Vec<String>,
    #[serde(rename = "false")]
    pub(crate) false_words: Vec<String>,
}

impl Default for Notation {
    fn default() -> Self {
        Self {
            decimal_mark: '.',
            group_marks: String::new(),
            money: ValueType::Decimal,
            amount_member: "amount".to_owned(),
            currency_member: "currency".to_owned(),
            date: OneOrMany(vec![TimeFormat::Iso]),
            instant: OneOrMany(vec![TimeFormat::Iso]),
            zone: None,
            true_words: vec!["true".to_owned()],
            false_words: vec!["false".to_owned()],
        }
    }
}

/// Where one field stands and how it is written.
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct FieldRule {
    /// The first place that holds a value counts.
    pub(crate) at: OneOrMany<Place>,
    /// Further amounts to add.
    pub(crate) plus: Vec<Place>,
    #[serde(rename = "type")]
    pub(crate) value_type: Option<ValueType>,
    pub(crate) format: Option<OneOrMany<TimeFormat>>,
    pub(crate) zone: Option<Zone>,
    pub(crate) decimal_mark: Option<char>,
    pub(crate) group_marks: Option<String>,
    #[serde(rename = "true")]
    pub(crate) true_words: Option<Vec<String>>,
    #[serde(rename = "false")]
    pub(crate) false_words: Option<Vec<String>>,
    pub(crate) sign: Sign,
    pub(crate) table: BTreeMap<String, String>,
    pub(crate) otherwise: Option<String>,
    pub(crate) keep_unlisted: bool,
    pub(crate) default: Option<String>,
    pub(crate) constant: Option<String>,
}

impl FieldRule {
    pub(crate) fn place_text(&self) -> String {
        self.at.0.iter().map(Place::text).collect::<Vec<_>>().join(", ")
    }
}

/// What kind of value a field of ours is; says which notations fit.
pub(crate) trait Kind {
    const NAME: &'static str;
    const FITS: &'static [ValueType];
    const NUMERIC: bool = false;
}

/// A field of ours of kind `K`, written as a path, a list of paths, or a table of keys.
#[derive(Debug, Clone)]
pub(crate) struct Field<K> {
    pub(crate) rule: FieldRule,
    kind: PhantomData<K>,
}

impl<K: Kind> Field<K> {
    fn checked(rule: FieldRule) -> Result<Self, String> {
        if let Some(value_type) = rule.value_type
            && !K::FITS.contains(&value_type)
        {
            let fits: Vec<_> = K::FITS.iter().map(|fit| fit.as_str()).collect();
            return Err(format!(
                "type `{}` does not fit here: this is {}, so one of: {}",
                value_type.as_str(),
                K::NAME,
                fits.join(", ")
            ));
        }
        if rule.at.0.is_empty() && rule.constant.is_none() {
            return Err("a field needs `at` (where it stands) or `constant`".to_owned());
        }
        if !K::NUMERIC && (rule.sign != Sign::Keep || !rule.plus.is_empty()) {
            return Err(format!("`sign` and `plus` are for numbers; this is {}", K::NAME));
        }
        Ok(Self { rule, kind: PhantomData })
    }
}

impl<'de, K: Kind> Deserialize<'de> for Field<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Forms;
        impl<'de> Visitor<'de> for Forms {
            type Value = FieldRule;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a path like \"$.a.b\", a list of paths, or a table with `at`")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<FieldRule, E> {
                let place = Place::parse(text).map_err(E::custom)?;
                Ok(FieldRule { at: OneOrMany(vec![place]), ..FieldRule::default() })
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<FieldRule, A::Error> {
                let mut places = Vec::new();
                while let Some(place) = seq.next_element::<Place>()? {
                    places.push(place);
                }
                Ok(FieldRule { at: OneOrMany(places), ..FieldRule::default() })
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<FieldRule, A::Error> {
                FieldRule::deserialize(de::value::MapAccessDeserializer::new(map))
            }
        }
        let rule = deserializer.deserialize_any(Forms)?;
        Self::checked(rule).map_err(de::Error::custom)
    }
}
