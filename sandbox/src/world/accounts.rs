//! Accounts to be paid on, with correct check digits.

use super::supplier::{BankAccount, Country};
use fastrand::Rng;

/// A new account in the form that its country writes.
pub fn account(country: Country, rng: &mut Rng) -> BankAccount {
    match country {
        Country::No if rng.bool() => BankAccount::Bban(kontonummer(rng)),
        Country::Se => match rng.u32(0..3) {
            0 => BankAccount::Bankgiro(with_luhn(rng, 7)),
            1 => BankAccount::Plusgiro(with_luhn(rng, 6)),
            _ => BankAccount::Iban(iban(country, rng)),
        },
        Country::No | Country::Dk | Country::Fi | Country::Is | Country::De => {
            BankAccount::Iban(iban(country, rng))
        }
    }
}

fn digits(rng: &mut Rng, count: usize) -> String {
    (0..count).map(|_| char::from(b'0' + rng.u8(0..=9))).collect()
}

/// Eleven digits; the last by mod 11.
fn kontonummer(rng: &mut Rng) -> String {
    loop {
        // Not 0000 in front: those are giro numbers with another check.
        let body = format!("{}{}", rng.u32(1201..=9799), digits(rng, 6));
        if let Some(check) = kontonummer_check(&body) {
            return format!("{body}{check}");
        }
    }
}

/// `None` where it would be ten: no such account exists.
pub fn kontonummer_check(body: &str) -> Option<u32> {
    let weights = [5, 4, 3, 2, 7, 6, 5, 4, 3, 2];
    let sum: u32 = body.bytes().zip(weights).map(|(byte, w)| u32::from(byte - b'0') * w).sum();
    Some((11 - sum % 11) % 11).filter(|check| *check < 10)
}

/// A giro number: `count` digits and their Luhn digit.
fn with_luhn(rng: &mut Rng, count: usize) -> String {
    let body = format!("{}{}", rng.u32(1..=9), digits(rng, count - 1));
    let check = luhn(&body);
    format!("{body}{check}")
}

pub fn luhn(body: &str) -> u32 {
    let sum: u32 = body
        .bytes()
        .rev()
        .enumerate()
        .map(|(at, byte)| {
            let digit = u32::from(byte - b'0') * if at % 2 == 0 { 2 } else { 1 };
            digit / 10 + digit % 10
        })
        .sum();
    (10 - sum % 10) % 10
}

fn iban(country: Country, rng: &mut Rng) -> String {
    let body = match country {
        Country::No => kontonummer(rng),
        Country::Dk => digits(rng, 14),
        Country::Fi => with_luhn(rng, 13),
        Country::Se => digits(rng, 20),
        Country::Is => digits(rng, 22),
        Country::De => digits(rng, 18),
    };
    with_check(country.code(), &body)
}

pub fn with_check(country: &str, body: &str) -> String {
    format!("{country}{:02}{body}", 98 - rest(&format!("{body}{country}00")))
}

pub fn rest(text: &str) -> u64 {
    text.chars().fold(0, |rest, letter| {
        let value = u64::from(letter.to_digit(36).unwrap_or(0));
        (rest * if value > 9 { 100 } else { 10 } + value) % 97
    })
}

/// Kind and number as plain text.
pub fn plain(account: &BankAccount) -> (String, String) {
    let (kind, number) = match account {
        BankAccount::Iban(number) => ("iban", number),
        BankAccount::Bban(number) => ("bban", number),
        BankAccount::Bankgiro(number) => ("bankgiro", number),
        BankAccount::Plusgiro(number) => ("plusgiro", number),
    };
    (kind.into(), number.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_digits_of_published_accounts() {
        assert_eq!(kontonummer_check("8601111794"), Some(7));
        assert_eq!(kontonummer_check("1234567890"), Some(3));
        assert_eq!(luhn("5402968"), 1);
        assert_eq!(luhn("286543"), 4);
        assert_eq!(with_check("NO", "86011117947"), "NO9386011117947");
        assert_eq!(with_check("SE", "50000000058398257466"), "SE4550000000058398257466");
        assert_eq!(with_check("IS", "0159260076545510730339"), "IS140159260076545510730339");
    }
}
