//! Numbers on the paper: the supplier's own, and the one to pay by, with right and wrong check digits.

use super::maker::Maker;
use crate::world::document::Invoice;
use crate::world::identifier;
use crate::world::supplier::Country;
use fastrand::Rng;

/// The supplier's number of its invoice: no two alike, in the forms that suppliers use.
pub fn number(index: usize, rng: &mut Rng) -> String {
    let serial = 100_000 + (index * 7_919 + 13) % 900_000;
    match rng.u32(0..5) {
        0 => format!("F-{serial}"),
        1 => format!("{serial}"),
        2 => format!("2026/{serial}"),
        3 => format!("INV {serial}"),
        _ => format!("FÅ{serial}"),
    }
}

/// A reference to pay by that is right in its country.
pub fn of(country: Country, rng: &mut Rng) -> Option<String> {
    let body = body(rng);
    identifier::payment_reference(country, &body)
}

fn body(rng: &mut Rng) -> String {
    let length = rng.usize(7..=13);
    let first = rng.u32(1..=9).to_string();
    (1..length).fold(first, |mut text, _| {
        text.push(char::from(b'0' + rng.u8(0..=9)));
        text
    })
}

/// A Norwegian KID by the other method; the check may be a minus.
pub fn mod_11_kid(rng: &mut Rng) -> String {
    let body = body(rng);
    format!("{body}{}", mod_11_check(&body))
}

fn mod_11_check(body: &str) -> char {
    let sum: u32 = body
        .bytes()
        .rev()
        .zip((2..=7).cycle())
        .map(|(byte, weight): (u8, u32)| u32::from(byte - b'0') * weight)
        .sum();
    match (11 - sum % 11) % 11 {
        10 => '-',
        check => char::from(b'0' + check as u8),
    }
}

/// A creditor reference of ISO 11649.
pub fn creditor(rng: &mut Rng) -> String {
    let body = body(rng);
    format!("RF{:02}{body}", 98 - rf_rest(&format!("{body}RF00")))
}

fn rf_rest(text: &str) -> u64 {
    text.chars().fold(0, |rest, letter| {
        let value = u64::from(letter.to_digit(36).unwrap_or(0));
        (rest * if value > 9 { 100 } else { 10 } + value) % 97
    })
}

/// The last digit becomes the next one.
fn spoiled(reference: &str, by: u8) -> String {
    let (body, last) = reference.split_at(reference.len() - 1);
    let digit = last.bytes().next().map_or(0, |byte| byte.wrapping_sub(b'0') % 10);
    format!("{body}{}", (digit + by) % 10)
}

fn plain(m: &mut Maker, country: Country) -> Invoice {
    let vendor = m.vendor_where(|vendor| vendor.country == country);
    m.plain_invoice(vendor)
}

/// Wrong by both methods that banks use.
pub fn kid_invalid(m: &mut Maker) {
    let mut invoice = plain(m, Country::No);
    let body = body(&mut m.rng);
    let good = identifier::payment_reference(Country::No, &body).unwrap_or_default();
    let other = format!("{body}{}", mod_11_check(&body));
    let wrong = (1..10).map(|by| spoiled(&good, by)).find(|wrong| *wrong != other);
    invoice.payment_reference = wrong;
    m.hold(invoice);
}

pub fn ocr_invalid(m: &mut Maker) {
    let mut invoice = plain(m, Country::Se);
    invoice.payment_reference = of(Country::Se, &mut m.rng).map(|good| spoiled(&good, 1));
    m.hold(invoice);
}

pub fn finnish_invalid(m: &mut Maker) {
    let mut invoice = plain(m, Country::Fi);
    invoice.payment_reference = of(Country::Fi, &mut m.rng).map(|good| spoiled(&good, 3));
    m.hold(invoice);
}

pub fn rf_invalid(m: &mut Maker) {
    let country = *m.rng.choice(&[Country::Fi, Country::De]).expect("not empty");
    let mut invoice = plain(m, country);
    let good = creditor(&mut m.rng);
    invoice.payment_reference = Some(spoiled(&good, 1));
    m.hold(invoice);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_digits_of_published_references() {
        assert_eq!(mod_11_check("12345678"), '5');
        assert_eq!(mod_11_check("104"), '-');
        assert_eq!(rf_rest("539007547034RF18"), 1);
        assert_eq!(rf_rest("539007547034RF17"), 0);
        let mut rng = Rng::with_seed(4);
        for _ in 0..500 {
            let good = creditor(&mut rng);
            let turned = |text: &str| format!("{}{}", &text[4..], &text[..4]);
            assert_eq!(rf_rest(&turned(&good)), 1, "{good}");
            assert_ne!(rf_rest(&turned(&spoiled(&good, 1))), 1, "{good}");
        }
    }
}
