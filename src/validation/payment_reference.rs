//! Structured payment references and their check digits. A check digit proves that a number was
//! not mistyped and nothing more; text that has not the form of its country's reference is a
//! message to the payee, and no fault.

use super::{Finding, PaymentReferenceRules};
use crate::procurement::check_digit::{all_digits, luhn};
use std::fmt;

/// What a payment reference is, by its form and the supplier's country.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Norway: mod 10 or mod 11, as payee and bank agreed.
    Kid,
    /// Sweden: Luhn. Banks accept wrong ones on their lowest level.
    Ocr,
    /// Denmark: a payment slip's line.
    Fik,
    /// Finland.
    Viitenumero,
    /// ISO 11649.
    CreditorReference,
}

impl Scheme {
    pub fn rule(self, rules: &PaymentReferenceRules) -> Finding {
        match self {
            Self::Kid => rules.no,
            Self::Ocr => rules.se,
            Self::Fik => rules.dk,
            Self::Viitenumero => rules.fi,
            Self::CreditorReference => rules.rf,
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kid => "a Norwegian KID",
            Self::Ocr => "a Swedish OCR number",
            Self::Fik => "a Danish payment line (FIK)",
            Self::Viitenumero => "a Finnish reference number",
            Self::CreditorReference => "a creditor reference (RF)",
        })
    }
}

/// Why a reference can not be paid with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReferenceFault {
    CheckDigit,
    /// So many digits it can not have.
    Length,
}

/// The scheme that a reference is written in and whether it holds. `None`: free text, or a
/// country without a rule.
pub fn payment_reference(
    raw: &str,
    country: Option<&str>,
) -> Option<(Scheme, Result<(), ReferenceFault>)> {
    let compact: String = raw
        .chars()
        .filter(|c| !c.is_whitespace() && *c != '.')
        .map(|c| c.to_ascii_uppercase())
        .collect();
    if is_creditor_reference(&compact) {
        return Some((Scheme::CreditorReference, creditor_reference(&compact)));
    }
    match country.map(|code| code.trim().to_ascii_uppercase()).as_deref() {
        Some("NO") => kid(&compact).map(|outcome| (Scheme::Kid, outcome)),
        Some("SE") => ocr(&compact).map(|outcome| (Scheme::Ocr, outcome)),
        Some("DK") => fik(&compact).map(|outcome| (Scheme::Fik, outcome)),
        Some("FI") => viitenumero(&compact).map(|outcome| (Scheme::Viitenumero, outcome)),
        _ => None,
    }
}

fn checked(passes: bool) -> Result<(), ReferenceFault> {
    if passes { Ok(()) } else { Err(ReferenceFault::CheckDigit) }
}

fn of_length(length: usize, least: usize, most: usize) -> Result<(), ReferenceFault> {
    if (least..=most).contains(&length) { Ok(()) } else { Err(ReferenceFault::Length) }
}

/// A trailing minus is mod 11's check character and belongs to the number; other hyphens part
/// groups.
fn kid(compact: &str) -> Option<Result<(), ReferenceFault>> {
    let minus = compact.ends_with('-');
    let digits = compact.replace('-', "");
    if !all_digits(&digits) {
        return None;
    }
    let length = digits.len() + usize::from(minus);
    let holds = if minus { mod11_check(&digits) == 10 } else { luhn(&digits) || mod11(&digits) };
    Some(of_length(length, 2, 25).and_then(|()| checked(holds)))
}

/// Whether the last digit is mod 11's check of those before it.
fn mod11(digits: &str) -> bool {
    let (body, check) = digits.split_at(digits.len() - 1);
    check.parse() == Ok(mod11_check(body))
}

/// 10 stands for the minus.
fn mod11_check(body: &str) -> u32 {
    let weights = (2..=7).cycle();
    let sum: u32 = body.bytes().rev().zip(weights).map(|(b, w)| u32::from(b - b'0') * w).sum();
    (11 - sum % 11) % 11
}

/// The digit for the length, which some banks ask for, cannot be told from an ordinary one.
fn ocr(compact: &str) -> Option<Result<(), ReferenceFault>> {
    let digits = compact.replace('-', "");
    all_digits(&digits)
        .then(|| of_length(digits.len(), 2, 25).and_then(|()| checked(luhn(&digits))))
}

/// `+71<id+creditor`, with or without the last `<`. Types 71 and 75 carry an id; 73 none; 01, 04 and 15
/// name a giro account. A bare number is not taken for a payment line: it does not say its type.
fn fik(compact: &str) -> Option<Result<(), ReferenceFault>> {
    let line = compact.strip_prefix('+')?;
    let (card, rest) = line.split_once('<')?;
    let (id, creditor) = rest.trim_end_matches('<').split_once('+')?;
    let is_number = |text: &str| text.is_empty() || all_digits(text);
    if !is_number(id) || !all_digits(creditor) {
        return None;
    }
    let with_check = |length: usize| of_length(id.len(), length, length).and(checked(luhn(id)));
    Some(match card {
        "71" => with_check(15).and(of_length(creditor.len(), 8, 8)),
        "75" => with_check(16).and(of_length(creditor.len(), 8, 8)),
        "73" => of_length(id.len(), 0, 0).and(of_length(creditor.len(), 8, 8)),
        // How long the id of these is, is not published; what carries one has a check digit.
        "04" | "15" => checked(id.is_empty() || luhn(id)).and(of_length(creditor.len(), 7, 8)),
        "01" => of_length(id.len(), 0, 0).and(of_length(creditor.len(), 7, 8)),
        _ => return None,
    })
}

/// Weights 7, 3, 1 from the right; leading zeros mean nothing.
fn viitenumero(compact: &str) -> Option<Result<(), ReferenceFault>> {
    if !all_digits(compact) {
        return None;
    }
    let digits = compact.trim_start_matches('0');
    let (body, check) = digits.split_at(digits.len().saturating_sub(1));
    let weights = [7, 3, 1].into_iter().cycle();
    let sum: u32 = body.bytes().rev().zip(weights).map(|(b, w)| u32::from(b - b'0') * w).sum();
    let holds = check.parse() == Ok((10 - sum % 10) % 10);
    Some(of_length(digits.len(), 3, 20).and_then(|()| checked(holds)))
}

/// RF, two digits, and then up to 21 letters and digits: what only begins like one is free text.
fn is_creditor_reference(compact: &str) -> bool {
    let bytes = compact.as_bytes();
    bytes.len() > 4
        && compact.starts_with("RF")
        && bytes[2..4].iter().all(u8::is_ascii_digit)
        && bytes[4..].iter().all(u8::is_ascii_alphanumeric)
}

fn creditor_reference(compact: &str) -> Result<(), ReferenceFault> {
    of_length(compact.len(), 5, 25)?;
    let (front, body) = compact.split_at(4);
    let rest = body.chars().chain(front.chars()).fold(0_u32, |rest, c| {
        let value = c.to_digit(36).unwrap_or_default();
        (rest * if value > 9 { 100 } else { 10 } + value) % 97
    });
    checked(rest == 1)
}

#[cfg(test)]
mod tests {
    use super::ReferenceFault::{CheckDigit, Length};
    use super::Scheme::{CreditorReference, Fik, Kid, Ocr, Viitenumero};
    use super::*;

    #[test]
    fn references_by_country() {
        let good = |scheme| Some((scheme, Ok(())));
        let bad = |scheme, fault| Some((scheme, Err(fault)));
        let cases = [
            // Either method will do.
            ("NO", "2345676", good(Kid)),
            ("NO", "602243", good(Kid)),
            ("no", "0005 0670 1000 172", good(Kid)),
            ("NO", "123456785", good(Kid)),
            ("NO", "104-", good(Kid)),
            ("NO", "10 4-", good(Kid)),
            ("NO", "105-", bad(Kid, CheckDigit)),
            ("NO", "004711009283", bad(Kid, CheckDigit)),
            ("NO", "7", bad(Kid, Length)),
            ("NO", "-", None),
            ("NO", "00000000000000000000000000", bad(Kid, Length)),
            ("NO", "Faktura 90017", None),
            ("NO", "", None),
            ("SE", "1230", good(Ocr)),
            ("SE", "12351", good(Ocr)),
            ("SE", "123067", good(Ocr)),
            ("SE", "123068", bad(Ocr, CheckDigit)),
            ("SE", "F 123068", None),
            ("DK", "+71<004040400000669+12345678<", good(Fik)),
            ("DK", "+71< 004040400000669 +12345678", good(Fik)),
            ("DK", "+71<004040400000668+12345678<", bad(Fik, CheckDigit)),
            ("DK", "+71<4040400000669+12345678<", bad(Fik, Length)),
            ("DK", "+71<004040400000669+1234567<", bad(Fik, Length)),
            ("DK", "+75<0004040400000669+12345678<", good(Fik)),
            ("DK", "+73<+12345678<", good(Fik)),
            ("DK", "+73<1+12345678<", bad(Fik, Length)),
            ("DK", "+01<+1234567<", good(Fik)),
            ("DK", "+04<0004040400000669+1234567<", good(Fik)),
            ("DK", "+04<0004040400000668+1234567<", bad(Fik, CheckDigit)),
            ("DK", "+99<1+12345678<", None),
            ("DK", "90018", None),
            ("FI", "1234561", good(Viitenumero)),
            ("FI", "12345 3", good(Viitenumero)),
            ("FI", "0000 1234561", good(Viitenumero)),
            ("FI", "123", good(Viitenumero)),
            ("FI", "1234562", bad(Viitenumero, CheckDigit)),
            ("FI", "17", bad(Viitenumero, Length)),
            ("FI", "000", bad(Viitenumero, Length)),
            ("FI", "RF18 5390 0754 7034", good(CreditorReference)),
            ("DE", "RF185390075470Y", good(CreditorReference)),
            ("DE", "rf18539007547034", good(CreditorReference)),
            ("NO", "RF17539007547034", bad(CreditorReference, CheckDigit)),
            ("NO", "RF18000000000000000000000000", bad(CreditorReference, Length)),
            ("NO", "RFQ-22", None),
            ("NO", "RF18", None),
            ("DE", "4711", None),
            ("IS", "4711", None),
        ];
        for (country, raw, expected) in cases {
            assert_eq!(payment_reference(raw, Some(country)), expected, "{country} {raw}");
        }
        assert_eq!(payment_reference("2345677", None), None);
    }

    #[test]
    fn every_single_wrong_digit_of_a_finnish_reference_is_found() {
        let good = "13245768910";
        let outcome = |text: &str| payment_reference(text, Some("FI")).expect("digits").1;
        let digits = (0..10).map(|check| format!("1324576891{check}"));
        assert_eq!(digits.filter(|text| outcome(text).is_ok()).count(), 1, "one check fits");
        for at in 0..good.len() {
            let others = (0..10).map(|digit| {
                let mut text = good.to_owned();
                text.replace_range(at..=at, &digit.to_string());
                text
            });
            assert_eq!(others.filter(|text| outcome(text).is_ok()).count(), 1, "place {at}");
        }
    }
}
