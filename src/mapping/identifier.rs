//! Organisation numbers and VAT numbers, brought to one form so that the same party is found
//! under every spelling. A check digit proves only that a number was not mistyped.

use crate::procurement::check_digit::{all_digits, gs1, luhn, mod11};

/// An organisation number without separators, prefix or suffix.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrganisationNumber {
    /// ISO 3166 code, when it is known.
    pub country: Option<String>,
    pub number: String,
}

/// A VAT number without separators, country prefix or national suffix.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VatNumber {
    /// ISO 3166 code, when it is known.
    pub country: Option<String>,
    pub number: String,
}

/// Why a text is not usable as an identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdentifierFault {
    #[error("it is empty")]
    Empty,
    #[error("`{value}` does not have the form of {expected}")]
    Form { value: String, expected: &'static str },
    #[error("the check digit of `{value}` is wrong for {expected}")]
    CheckDigit { value: String, expected: &'static str },
}

/// How one country writes its organisation numbers.
struct OrganisationRule {
    country: &'static str,
    expected: &'static str,
    digits: usize,
    check: Check,
}

enum Check {
    /// The weighted sum over all digits is divisible by eleven.
    Mod11(&'static [u32]),
    Luhn,
    None,
}

const ORGANISATION_RULES: &[OrganisationRule] = &[
    OrganisationRule {
        country: "NO",
        expected: "a Norwegian organisation number (9 digits)",
        digits: 9,
        check: Check::Mod11(&[3, 2, 7, 6, 5, 4, 3, 2, 1]),
    },
    OrganisationRule {
        country: "SE",
        expected: "a Swedish organisation number (10 digits)",
        digits: 10,
        check: Check::Luhn,
    },
    OrganisationRule {
        country: "DK",
        expected: "a Danish CVR number (8 digits)",
        digits: 8,
        check: Check::Mod11(&[2, 7, 6, 5, 4, 3, 2, 1]),
    },
    OrganisationRule {
        country: "FI",
        expected: "a Finnish business id (7 digits and a check digit)",
        digits: 8,
        check: Check::Mod11(&[7, 9, 10, 5, 8, 4, 2, 1]),
    },
    OrganisationRule {
        country: "IS",
        expected: "an Icelandic kennitala (10 digits)",
        digits: 10,
        check: Check::Mod11(&[3, 2, 7, 6, 5, 4, 3, 2, 1, 0]),
    },
    OrganisationRule {
        country: "FO",
        expected: "a Faroese V number (6 digits)",
        digits: 6,
        check: Check::None,
    },
];

/// Reads an organisation number as `country` writes it. Without a country, or with one that has
/// no rule here, only the separators go and nothing is checked.
pub fn organisation_number(
    raw: &str,
    country: Option<&str>,
) -> Result<OrganisationNumber, IdentifierFault> {
    let compact = compact(raw);
    if compact.is_empty() {
        return Err(IdentifierFault::Empty);
    }
    let country = country_code(country);
    let rule = country.as_deref().and_then(rule_for);
    let Some(rule) = rule else {
        let expected = "an organisation number";
        if compact.len() < 4 || only_zeros(&compact) {
            return Err(form(raw, expected));
        }
        return Ok(OrganisationNumber { country, number: compact });
    };
    let bare = match rule.country {
        "NO" => compact.strip_prefix("NO").unwrap_or(&compact).trim_end_matches("MVA").to_owned(),
        "DK" => compact.strip_prefix("DK").unwrap_or(&compact).to_owned(),
        // Old Finnish numbers had six digits before the hyphen and are padded.
        "FI" if compact.len() == 7 && raw.contains('-') => format!("0{compact}"),
        _ => compact,
    };
    check(&bare, raw, rule)?;
    Ok(OrganisationNumber { country, number: bare })
}

/// Reads a VAT number. A country prefix on the number itself beats `country`.
pub fn vat_number(raw: &str, country: Option<&str>) -> Result<VatNumber, IdentifierFault> {
    let compact = compact(raw);
    if compact.is_empty() {
        return Err(IdentifierFault::Empty);
    }
    let prefixed = compact.get(..2).filter(|p| p.bytes().all(|b| b.is_ascii_uppercase()));
    let (country, rest) = match prefixed {
        Some(prefix) => (country_code(Some(prefix)), compact[2..].to_owned()),
        None => (country_code(country), compact),
    };
    let number = match country.as_deref() {
        Some("NO") => {
            let digits = rest.trim_end_matches("MVA").to_owned();
            checked(digits, raw, "NO")?
        }
        Some("DK") => checked(rest, raw, "DK")?,
        Some("FI") => checked(rest, raw, "FI")?,
        Some("SE") => {
            let expected = "a Swedish VAT number (12 digits)";
            if rest.len() != 12 || !all_digits(&rest) {
                return Err(form(raw, expected));
            }
            if !luhn(&rest[..10]) || only_zeros(&rest) {
                return Err(IdentifierFault::CheckDigit { value: shown(raw), expected });
            }
            rest
        }
        Some("IS") => {
            let expected = "an Icelandic VAT number (5 or 6 digits)";
            if !matches!(rest.len(), 5 | 6) || !all_digits(&rest) || only_zeros(&rest) {
                return Err(form(raw, expected));
            }
            rest
        }
        _ => {
            if rest.len() < 4 || only_zeros(&rest) {
                return Err(form(raw, "a VAT number"));
            }
            rest
        }
    };
    Ok(VatNumber { country, number })
}

impl VatNumber {
    /// The organisation number that the VAT number contains, where the country builds it so.
    pub fn organisation(&self) -> Option<OrganisationNumber> {
        let number = match self.country.as_deref() {
            Some("NO" | "DK" | "FI") => self.number.clone(),
            Some("SE") => self.number.get(..10)?.to_owned(),
            _ => return None,
        };
        Some(OrganisationNumber { country: self.country.clone(), number })
    }
}

/// Reads a DUNS number. It has no check digit, so fillers are known by their looks.
pub fn duns(raw: &str) -> Result<String, IdentifierFault> {
    let expected = "a DUNS number (9 digits)";
    let number = compact(raw);
    if number.is_empty() {
        return Err(IdentifierFault::Empty);
    }
    if number.len() != 9 || !all_digits(&number) || is_filler(&number) {
        return Err(form(raw, expected));
    }
    Ok(number)
}

/// Reads a GLN, which has GS1's check digit.
pub fn gln(raw: &str) -> Result<String, IdentifierFault> {
    let expected = "a GLN (13 digits)";
    let number = compact(raw);
    if number.is_empty() {
        return Err(IdentifierFault::Empty);
    }
    if number.len() != 13 || !all_digits(&number) || is_filler(&number) {
        return Err(form(raw, expected));
    }
    if !gs1(&number) {
        return Err(IdentifierFault::CheckDigit { value: shown(raw), expected });
    }
    Ok(number)
}

/// Whether the country's organisation numbers have a form of their own here, so that two which
/// differ belong to two companies.
pub fn knows_country(country: &str) -> bool {
    rule_for(country).is_some()
}

fn rule_for(country: &str) -> Option<&'static OrganisationRule> {
    ORGANISATION_RULES.iter().find(|rule| rule.country == country)
}

fn checked(digits: String, raw: &str, country: &str) -> Result<String, IdentifierFault> {
    let rule = rule_for(country).expect("called only with countries of the table");
    check(&digits, raw, rule)?;
    Ok(digits)
}

fn check(bare: &str, raw: &str, rule: &OrganisationRule) -> Result<(), IdentifierFault> {
    let expected = rule.expected;
    if bare.len() != rule.digits || !all_digits(bare) || only_zeros(bare) {
        return Err(form(raw, expected));
    }
    let passes = match rule.check {
        Check::Mod11(weights) => {
            mod11(bare, weights) && !(rule.country == "DK" && bare.starts_with('0'))
        }
        Check::Luhn => luhn(bare),
        Check::None => true,
    };
    if passes { Ok(()) } else { Err(IdentifierFault::CheckDigit { value: shown(raw), expected }) }
}

/// All zeros pass every weighted sum and are nobody's number.
fn only_zeros(text: &str) -> bool {
    text.bytes().all(|byte| byte == b'0')
}

/// One digit all through, or counting up: typed to get past a field, and nobody's number.
fn is_filler(number: &str) -> bool {
    let bytes = number.as_bytes();
    let step = |by: u8| bytes.windows(2).all(|pair| pair[1] == pair[0].wrapping_add(by));
    step(0) || step(1)
}

/// Upper case, and only ASCII letters and digits: every separator people use goes.
fn compact(raw: &str) -> String {
    raw.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect()
}

/// `EL` is what Greece writes on VAT numbers.
fn country_code(country: Option<&str>) -> Option<String> {
    let code = country?.trim().to_ascii_uppercase();
    match code.as_str() {
        "" => None,
        "EL" => Some("GR".into()),
        _ => Some(code),
    }
}

fn form(raw: &str, expected: &'static str) -> IdentifierFault {
    IdentifierFault::Form { value: shown(raw), expected }
}

fn shown(raw: &str) -> String {
    raw.trim().chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn organisation_numbers() {
        let good = [
            ("NO", "988 077 917", "988077917"),
            ("NO", "123456785", "123456785"),
            ("NO", "974.760.673", "974760673"),
            ("no", "NO988077917MVA", "988077917"),
            ("SE", "123456-7897", "1234567897"),
            ("DK", "13585628", "13585628"),
            ("DK", "DK 10 15 08 17", "10150817"),
            ("DK", "25662202", "25662202"),
            ("FI", "2077474-0", "20774740"),
            ("FI", "0245904-2", "02459042"),
            ("FI", "245904-2", "02459042"),
            ("FI", "1032053-4", "10320534"),
            ("IS", "450401-3150", "4504013150"),
            ("FO", "623857", "623857"),
            ("DE", "HRB 12345", "HRB12345"),
        ];
        for (country, raw, number) in good {
            let read = organisation_number(raw, Some(country));
            let read = read.unwrap_or_else(|fault| panic!("{country} {raw}: {fault}"));
            assert_eq!(read.number, number, "{country} {raw}");
            assert_eq!(read.country, Some(country.to_uppercase()));
        }
        let wrong_check = [
            ("NO", "988077918"),
            ("SE", "123456-7891"),
            ("DK", "13585627"),
            ("FI", "2077474-1"),
            ("IS", "530575-0299"),
        ];
        for (country, raw) in wrong_check {
            assert!(
                matches!(
                    organisation_number(raw, Some(country)),
                    Err(IdentifierFault::CheckDigit { .. })
                ),
                "{country} {raw}"
            );
        }
        let wrong_form =
            [("NO", "98807791"), ("NO", "000000000"), ("FO", "1234"), ("SE", "0000000000")];
        for (country, raw) in wrong_form {
            assert!(
                matches!(
                    organisation_number(raw, Some(country)),
                    Err(IdentifierFault::Form { .. })
                ),
                "{country} {raw}"
            );
        }
        assert_eq!(organisation_number(" - ", Some("NO")), Err(IdentifierFault::Empty));
    }

    #[test]
    fn vat_numbers() {
        let good = [
            (None, "NO123456785MVA", Some("NO"), "123456785", Some("123456785")),
            (Some("NO"), "995 525 828 MVA", Some("NO"), "995525828", Some("995525828")),
            (None, "SE123456789701", Some("SE"), "123456789701", Some("1234567897")),
            (Some("NO"), "DK-13585628", Some("DK"), "13585628", Some("13585628")),
            (None, "FI20774740", Some("FI"), "20774740", Some("20774740")),
            (None, "IS00621", Some("IS"), "00621", None),
            (None, "DE 136 695 976", Some("DE"), "136695976", None),
            (None, "EL123456789", Some("GR"), "123456789", None),
        ];
        for (country, raw, of, number, organisation) in good {
            let read = vat_number(raw, country).unwrap_or_else(|fault| panic!("{raw}: {fault}"));
            assert_eq!((read.country.as_deref(), read.number.as_str()), (of, number), "{raw}");
            assert_eq!(read.organisation().map(|o| o.number).as_deref(), organisation, "{raw}");
        }
        for (raw, form) in [
            ("NO123456784MVA", false),
            ("SE123456789001", false),
            ("SE1234567897", true),
            ("DK1358562", true),
            ("IS1234567", true),
        ] {
            match vat_number(raw, None).expect_err(raw) {
                IdentifierFault::Form { .. } => assert!(form, "{raw}"),
                IdentifierFault::CheckDigit { .. } => assert!(!form, "{raw}"),
                IdentifierFault::Empty => panic!("{raw} is not empty"),
            }
        }
    }

    #[test]
    fn duns_and_gln() {
        let outcome = |read: Result<String, IdentifierFault>| match read {
            Ok(number) => number,
            Err(IdentifierFault::Empty) => "empty".into(),
            Err(IdentifierFault::Form { .. }) => "form".into(),
            Err(IdentifierFault::CheckDigit { .. }) => "check digit".into(),
        };
        let cases = [
            ("34-567-8901", "345678901"),
            (" 345678901 ", "345678901"),
            ("34567890", "form"),
            ("3456789O1", "form"),
            ("000000000", "form"),
            ("999999999", "form"),
            ("123456789", "form"),
            (" ", "empty"),
        ];
        for (raw, expected) in cases {
            assert_eq!(outcome(duns(raw)), expected, "{raw}");
        }
        let cases = [
            ("7300010000001", "7300010000001"),
            ("73 0001 0000001", "7300010000001"),
            ("7300010000002", "check digit"),
            ("730001000001", "form"),
            ("0000000000000", "form"),
            ("", "empty"),
        ];
        for (raw, expected) in cases {
            assert_eq!(outcome(gln(raw)), expected, "{raw}");
        }
        assert!(knows_country("NO") && knows_country("FO") && !knows_country("DE"));
    }
}
