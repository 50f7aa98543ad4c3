use super::check_digit::{all_digits, luhn, mod11};
use iban::{IbanLike, ParseIbanError};
use serde::{Deserialize, Serialize};
use std::fmt;

/// An account that a supplier is paid on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct BankAccount {
    pub kind: BankAccountKind,
    /// As written, separators and all.
    pub number: String,
}

/// Which numbers are meant. Bankgiro and plusgiro overlap in form, so the kind travels with the number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BankAccountKind {
    Iban,
    /// A domestic account number (Norwegian kontonummer, ...).
    Bban,
    Bankgiro,
    Plusgiro,
    /// The source does not say which.
    Unspecified,
}

/// What tells one account from another, whichever way each is written: an IBAN and the domestic
/// number inside it have the same key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BankAccountKey {
    /// Never `Iban`: that is a way to write an account, not a kind of account.
    pub kind: BankAccountKind,
    /// ISO 3166 code, when it is known.
    pub country: Option<String>,
    /// The domestic number without separators.
    pub number: String,
    /// The number carries a check of its own that holds, so equal numbers are no accident.
    pub checked: bool,
}

/// Why a number can be no account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BankAccountFault {
    #[error("it is empty")]
    Empty,
    #[error("it does not have the form of {0}")]
    Form(&'static str),
    #[error("its check digits are wrong for {0}")]
    CheckDigit(&'static str),
}

impl BankAccountKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Iban => "IBAN",
            Self::Bban => "account",
            Self::Bankgiro => "bankgiro",
            Self::Plusgiro => "plusgiro",
            Self::Unspecified => "account",
        }
    }
}

const KONTONUMMER_WEIGHTS: &[u32] = &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1];

impl BankAccount {
    /// The account behind the writing. `country` is where a domestic number without one of its own
    /// belongs: the party's country, if that is known. None when nothing is written.
    pub fn key(&self, country: Option<&str>) -> Option<BankAccountKey> {
        let number = self.compact();
        if number.is_empty() {
            return None;
        }
        if let Some((country, domestic)) = self.as_iban() {
            return Some(BankAccountKey {
                kind: BankAccountKind::Bban,
                checked: self.fault(None).is_none(),
                country: Some(country),
                number: domestic,
            });
        }
        let kind = self.form();
        let country = match kind {
            BankAccountKind::Bankgiro | BankAccountKind::Plusgiro => Some("SE".to_owned()),
            _ => country.map(|code| code.trim().to_ascii_uppercase()).filter(|c| !c.is_empty()),
        };
        let number = match (kind, country.as_deref()) {
            (BankAccountKind::Bban | BankAccountKind::Unspecified, Some("DK")) => padded_dk(number),
            _ => number,
        };
        let checked = match kind {
            BankAccountKind::Bankgiro | BankAccountKind::Plusgiro => self.fault(None).is_none(),
            // Only Norway's domestic numbers carry a check, and other countries' can pass it by chance.
            _ => country.as_deref() == Some("NO") && kontonummer(&number).is_ok(),
        };
        Some(BankAccountKey { kind, country, number, checked })
    }

    /// Whether both are the same account: spacing, an IBAN against the number inside it, and a kind
    /// that one side does not say make no difference.
    pub fn same_as(&self, other: &Self) -> bool {
        let country = self.as_iban().or_else(|| other.as_iban()).map(|(country, _)| country);
        let keys = (self.key(country.as_deref()), other.key(country.as_deref()));
        matches!(keys, (Some(left), Some(right)) if left.same_as(&right))
    }

    /// Why this can be no account. `country` as for [`BankAccount::key`]: domestic numbers are
    /// checked by the rules of their country alone.
    pub fn fault(&self, country: Option<&str>) -> Option<BankAccountFault> {
        let compact = self.compact();
        let outcome = if compact.is_empty() {
            Err(BankAccountFault::Empty)
        } else if self.kind == BankAccountKind::Iban || looks_like_iban(&compact) {
            iban(&compact)
        } else {
            match self.form() {
                BankAccountKind::Bankgiro => giro(&compact, 7, "a bankgiro (7 or 8 digits)"),
                BankAccountKind::Plusgiro => giro(&compact, 2, "a plusgiro (2 to 8 digits)"),
                _ => match country.map(|code| code.trim().to_ascii_uppercase()).as_deref() {
                    Some("NO") => kontonummer(&compact),
                    _ if compact.bytes().all(|byte| byte == b'0') => {
                        Err(BankAccountFault::Form("an account number"))
                    }
                    _ => Ok(()),
                },
            }
        };
        outcome.err()
    }

    /// Upper case, ASCII letters and digits only. Some write the word IBAN before the number.
    fn compact(&self) -> String {
        let alphanumeric = self.number.chars().filter(char::is_ascii_alphanumeric);
        let compact: String = alphanumeric.map(|c| c.to_ascii_uppercase()).collect();
        match compact.strip_prefix("IBAN") {
            Some(rest) => rest.to_owned(),
            None => compact,
        }
    }

    /// Country and domestic number, as people of that country write it.
    fn as_iban(&self) -> Option<(String, String)> {
        let compact = self.compact();
        if !looks_like_iban(&compact) {
            return None;
        }
        let (country, bban) = (compact[..2].to_owned(), &compact[4..]);
        let domestic = match country.as_str() {
            // A bank code of three digits, then the account filled up with zeros on the left.
            "SE" => bban.get(3..).unwrap_or(bban).trim_start_matches('0'),
            // Followed by the owner's kennitala.
            "IS" => bban.get(..12).unwrap_or(bban),
            _ => bban,
        };
        Some((country, domestic.to_owned()))
    }

    /// The kind as told, or as the hyphen tells: Swedes write a bankgiro 5402-9681 and a plusgiro
    /// 286543-4.
    fn form(&self) -> BankAccountKind {
        if self.kind != BankAccountKind::Unspecified {
            return self.kind;
        }
        let number: String = self.number.chars().filter(|c| !c.is_whitespace()).collect();
        let Some((left, right)) = number.split_once('-') else { return self.kind };
        if !all_digits(left) || !all_digits(right) || !luhn(&format!("{left}{right}")) {
            return self.kind;
        }
        match (left.len(), right.len()) {
            (3 | 4, 4) => BankAccountKind::Bankgiro,
            (1..=7, 1) => BankAccountKind::Plusgiro,
            _ => self.kind,
        }
    }
}

impl BankAccountKey {
    pub fn same_as(&self, other: &Self) -> bool {
        use BankAccountKind::Unspecified;
        let country = match (&self.country, &other.country) {
            (Some(left), Some(right)) => left == right,
            (None, _) | (_, None) => true,
        };
        let kind = self.kind == other.kind || [self.kind, other.kind].contains(&Unspecified);
        country && kind && self.number == other.number
    }
}

/// Two letters, two digits, and more than any country's shortest account.
fn looks_like_iban(compact: &str) -> bool {
    let bytes = compact.as_bytes();
    bytes.len() >= 8
        && bytes[..2].iter().all(u8::is_ascii_uppercase)
        && bytes[2..4].iter().all(u8::is_ascii_digit)
}

fn iban(compact: &str) -> Result<(), BankAccountFault> {
    let iban: iban::Iban = compact.parse().map_err(|error| match error {
        ParseIbanError::InvalidBaseIban { source: iban::ParseBaseIbanError::InvalidChecksum } => {
            BankAccountFault::CheckDigit("an IBAN")
        }
        _ => BankAccountFault::Form("an IBAN"),
    })?;
    if iban.country_code() == "NO" { kontonummer(iban.bban()) } else { Ok(()) }
}

/// Numbers that begin with 0000 come from the former postgiro, which used mod 10.
fn kontonummer(compact: &str) -> Result<(), BankAccountFault> {
    let expected = "a Norwegian account number (11 digits)";
    if compact.len() != 11 || !all_digits(compact) || compact.bytes().all(|byte| byte == b'0') {
        return Err(BankAccountFault::Form(expected));
    }
    let passes = match compact.strip_prefix("0000") {
        Some(postgiro) => luhn(postgiro),
        None => mod11(compact, KONTONUMMER_WEIGHTS),
    };
    if passes { Ok(()) } else { Err(BankAccountFault::CheckDigit(expected)) }
}

fn giro(compact: &str, least: usize, expected: &'static str) -> Result<(), BankAccountFault> {
    let zeros = compact.bytes().all(|byte| byte == b'0');
    if !(least..=8).contains(&compact.len()) || !all_digits(compact) || zeros {
        return Err(BankAccountFault::Form(expected));
    }
    if luhn(compact) { Ok(()) } else { Err(BankAccountFault::CheckDigit(expected)) }
}

/// Four digits of the bank, then the account, which people write without its leading zeros.
fn padded_dk(number: String) -> String {
    match number.split_at_checked(4) {
        Some((bank, account)) if all_digits(&number) && (1..10).contains(&account.len()) => {
            format!("{bank}{account:0>10}")
        }
        _ => number,
    }
}

impl fmt::Display for BankAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.as_str(), self.number.trim())
    }
}

/// The text with the middle of every long number left out, as it may be kept for good: of an account
/// its first two signs and its last four. Words and short numbers stay.
pub fn masked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut run = String::new();
    let mut signs = text.chars().peekable();
    while let Some(sign) = signs.next() {
        let next_is_digit = signs.peek().is_some_and(char::is_ascii_digit);
        // An account may be written in groups; a comma or a lower-case word is the end of it.
        let in_a_number = sign.is_ascii_digit()
            || sign.is_ascii_uppercase()
            || (matches!(sign, ' ' | '.' | '-' | '/' | ':') && !run.is_empty() && next_is_digit);
        if in_a_number {
            run.push(sign);
        } else {
            out.push_str(&masked_run(&run));
            run.clear();
            out.push(sign);
        }
    }
    out.push_str(&masked_run(&run));
    out
}

fn masked_run(run: &str) -> String {
    let signs: Vec<char> = run.chars().filter(char::is_ascii_alphanumeric).collect();
    if signs.iter().filter(|sign| sign.is_ascii_digit()).count() < 6 {
        return run.to_owned();
    }
    let (first, last) = (&signs[..2], &signs[signs.len() - 4..]);
    first.iter().chain(['…'].iter()).chain(last).collect()
}

#[cfg(test)]
mod tests {
    use super::BankAccountKind::{Bankgiro, Bban, Iban, Plusgiro, Unspecified};
    use super::*;

    fn account(kind: BankAccountKind, number: &str) -> BankAccount {
        BankAccount { kind, number: number.into() }
    }

    #[test]
    fn what_is_kept_for_good_shows_no_whole_account() {
        for (text, expected) in [
            ("Pay on IBAN NO93 8601 1117 947.", "Pay on IBAN NO…7947."),
            ("on IBAN NO9386011117947, not", "on IBAN NO…7947, not"),
            (
                "account 8601.11.17947. Known: bankgiro 5402-9681.",
                "account 86…7947. Known: bankgiro 54…9681.",
            ),
            ("account 8601/11:17947", "account 86…7947"),
            ("supplier 50012 was paid in 2026", "supplier 50012 was paid in 2026"),
            ("A/S 12, B 34", "A/S 12, B 34"),
            ("", ""),
        ] {
            assert_eq!(masked(text), expected, "{text}");
        }
    }

    #[test]
    fn which_accounts_are_the_same() {
        let cases = [
            (Iban, "NO93 8601 1117 947", Iban, "no9386011117947", true),
            (Iban, "IBAN: NO9386011117947", Bban, "8601.11.17947", true),
            (Iban, "NO9386011117947", Unspecified, "86011117947", true),
            (Unspecified, "NO9386011117947", Bban, "86011117947", true),
            (Iban, "NO9386011117947", Bban, "8601.11.17948", false),
            (Iban, "DK5000400440116243", Bban, "0040 0440116243", true),
            (Iban, "DK5000400440116243", Bban, "0040-440116243", true),
            (Iban, "DK5000400440116243", Bban, "0041-440116243", false),
            (Iban, "SE4550000000058398257466", Bban, "5839 825 746-6", true),
            (Iban, "FI2112345600000785", Bban, "123456-00000785", true),
            (Iban, "IS140159260076545510730339", Bban, "0159-26-007654", true),
            (Iban, "IS140159260076545510730339", Bban, "0159-26-007655", false),
            (Bban, "12345600000785", Bban, "12345600000785", true),
            (Iban, "FI2112345600000785", Iban, "DK2112345600000785", false),
            (Bankgiro, "5402-9681", Bankgiro, "54029681", true),
            (Bankgiro, "54029681", Plusgiro, "54029681", false),
            (Unspecified, "5402-9681", Plusgiro, "54029681", false),
            (Unspecified, "286543-4", Plusgiro, "28 65 43-4", true),
            (Unspecified, "54029681", Bankgiro, "5402-9681", true),
            (Bban, "54029681", Bankgiro, "5402-9681", false),
            (Bban, "", Bban, "", false),
            (Bban, " - ", Bban, "", false),
        ];
        for (left_kind, left, right_kind, right, same) in cases {
            let (left, right) = (account(left_kind, left), account(right_kind, right));
            assert_eq!(left.same_as(&right), same, "{left} and {right}");
            assert_eq!(right.same_as(&left), same, "{right} and {left}");
        }
    }

    #[test]
    fn which_numbers_can_be_accounts() {
        let iban = "an IBAN";
        let norwegian = "a Norwegian account number (11 digits)";
        let (form, digit) = (BankAccountFault::Form, BankAccountFault::CheckDigit);
        let (bankgiro, plusgiro) = ("a bankgiro (7 or 8 digits)", "a plusgiro (2 to 8 digits)");
        let cases = [
            (Iban, "NO93 8601 1117 947", None, None),
            (Iban, "SE4550000000058398257466", Some("NO"), None),
            (Iban, "DK5000400440116243", None, None),
            (Iban, "FI2112345600000785", None, None),
            (Iban, "IS140159260076545510730339", None, None),
            (Iban, "NO94 8601 1117 947", None, Some(digit(iban))),
            (Iban, "NO9386011117", None, Some(digit(iban))),
            (Unspecified, "NO9486011117947", None, Some(digit(iban))),
            (Iban, "86011117947", None, Some(form(iban))),
            (Iban, "NO9", None, Some(form(iban))),
            (Bban, "8601.11.17947", Some("NO"), None),
            (Bban, "8601.11.17948", Some("no "), Some(digit(norwegian))),
            (Bban, "8601.11.1794", Some("NO"), Some(form(norwegian))),
            (Bban, "0000.28.65434", Some("NO"), None),
            (Bban, "0000.28.65435", Some("NO"), Some(digit(norwegian))),
            (Bban, "00000000000", Some("NO"), Some(form(norwegian))),
            // A Swedish account of eleven digits knows nothing of mod 11.
            (Bban, "8601.11.17948", Some("SE"), None),
            (Bban, "8601.11.17948", None, None),
            (Bban, "0000 0000", None, Some(form("an account number"))),
            (Bankgiro, "902-0033", None, None),
            (Bankgiro, "5402-9682", None, Some(digit(bankgiro))),
            (Bankgiro, "902003", None, Some(form(bankgiro))),
            (Bankgiro, "0000-0000", None, Some(form(bankgiro))),
            (Plusgiro, "2865434", None, None),
            (Plusgiro, "2865435", None, Some(digit(plusgiro))),
            (Plusgiro, "123456789", None, Some(form(plusgiro))),
            (Unspecified, " . ", None, Some(BankAccountFault::Empty)),
        ];
        for (kind, number, country, fault) in cases {
            assert_eq!(account(kind, number).fault(country), fault, "{number} in {country:?}");
        }
    }

    #[test]
    fn only_a_number_with_a_check_of_its_own_is_no_accident() {
        let cases = [
            (Iban, "NO9386011117947", None, true),
            (Iban, "NO9486011117947", None, false),
            (Bban, "86011117947", Some("NO"), true),
            (Bban, "86011117947", None, false),
            (Bban, "86011117947", Some("SE"), false),
            (Bankgiro, "5402-9681", None, true),
            (Bankgiro, "5402-9682", None, false),
            (Unspecified, "5402-9681", Some("SE"), true),
            (Unspecified, "54029681", Some("SE"), false),
        ];
        for (kind, number, country, checked) in cases {
            let key = account(kind, number).key(country).expect("a number");
            assert_eq!(key.checked, checked, "{number} in {country:?}");
        }
    }
}
