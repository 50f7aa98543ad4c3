//! Organisation numbers, VAT numbers and payment references with correct check digits.

use super::supplier::Country;
use fastrand::Rng;

/// The organisation number, bare digits (with the hyphen that belongs to a Finnish one).
pub fn organisation_number(country: Country, rng: &mut Rng) -> String {
    loop {
        let candidate = match country {
            Country::No => weighted(digits(rng, 8, 8), &[3, 2, 7, 6, 5, 4, 3, 2]),
            Country::Se => {
                let body = digits(rng, 9, 5);
                let check = luhn_digit(&body);
                Some(format!("{body}{check}"))
            }
            Country::Dk => weighted(digits(rng, 7, 2), &[2, 7, 6, 5, 4, 3, 2]),
            Country::Fi => weighted(digits(rng, 7, 1), &[7, 9, 10, 5, 8, 4, 2])
                .map(|number| format!("{}-{}", &number[..7], &number[7..])),
            // Day of founding plus 40, month, year, two serial digits, check digit, century.
            Country::Is => {
                let body = format!(
                    "{:02}{:02}{:02}{:02}",
                    40 + rng.u32(1..=28),
                    rng.u32(1..=12),
                    rng.u32(70..=99),
                    rng.u32(20..=99)
                );
                weighted(body, &[3, 2, 7, 6, 5, 4, 3, 2]).map(|number| format!("{number}9"))
            }
            Country::De => Some(format!("HRB {}", rng.u32(10_000..=199_999))),
        };
        if let Some(number) = candidate {
            return number;
        }
    }
}

/// The VAT number that goes with an organisation number.
pub fn vat_number(country: Country, organisation: &str, rng: &mut Rng) -> String {
    match country {
        Country::No => format!("NO{organisation}MVA"),
        Country::Se => format!("SE{organisation}01"),
        Country::Dk => format!("DK{organisation}"),
        Country::Fi => format!("FI{}", organisation.replace('-', "")),
        Country::Is => format!("IS{}", rng.u32(10_000..=149_999)),
        Country::De => {
            let body = digits(rng, 8, 1);
            let check = iso7064(&body);
            format!("DE{body}{check}")
        }
    }
}

/// A Norwegian KID (mod 10), a Swedish OCR (Luhn) or a Finnish reference (7 3 1).
pub fn payment_reference(country: Country, body: &str) -> Option<String> {
    match country {
        Country::No | Country::Se => Some(format!("{body}{}", luhn_digit(body))),
        Country::Fi => {
            let sum: u32 = body
                .bytes()
                .rev()
                .zip([7, 3, 1].into_iter().cycle())
                .map(|(byte, weight)| u32::from(byte - b'0') * weight)
                .sum();
            Some(format!("{body}{}", (10 - sum % 10) % 10))
        }
        Country::Dk | Country::Is | Country::De => None,
    }
}

fn digits(rng: &mut Rng, count: usize, first: u32) -> String {
    let mut text = String::with_capacity(count + 2);
    for index in 0..count {
        let digit = if index == 0 { first.max(rng.u32(1..=9)).min(9) } else { rng.u32(0..=9) };
        text.push(char::from(b'0' + digit as u8));
    }
    text
}

/// Appends the mod 11 check digit; `None` where it would be ten: no such number exists.
fn weighted(body: String, weights: &[u32]) -> Option<String> {
    let sum: u32 = body.bytes().zip(weights).map(|(byte, w)| u32::from(byte - b'0') * w).sum();
    match (11 - sum % 11) % 11 {
        10 => None,
        check => Some(format!("{body}{check}")),
    }
}

fn luhn_digit(body: &str) -> u32 {
    let sum: u32 = body
        .bytes()
        .rev()
        .enumerate()
        .map(|(index, byte)| {
            let digit = u32::from(byte - b'0');
            let doubled = if index % 2 == 0 { digit * 2 } else { digit };
            doubled / 10 + doubled % 10
        })
        .sum();
    (10 - sum % 10) % 10
}

/// ISO 7064 mod 11,10, the check digit of a German VAT number.
fn iso7064(body: &str) -> u32 {
    let product = body.bytes().fold(10, |product, byte| {
        let sum = (u32::from(byte - b'0') + product) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    (11 - product) % 10
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_digits_of_published_numbers() {
        assert_eq!(
            weighted("98807791".into(), &[3, 2, 7, 6, 5, 4, 3, 2]).as_deref(),
            Some("988077917")
        );
        assert_eq!(weighted("1358562".into(), &[2, 7, 6, 5, 4, 3, 2]).as_deref(), Some("13585628"));
        assert_eq!(
            weighted("2077474".into(), &[7, 9, 10, 5, 8, 4, 2]).as_deref(),
            Some("20774740")
        );
        assert_eq!(
            weighted("45040131".into(), &[3, 2, 7, 6, 5, 4, 3, 2]).as_deref(),
            Some("450401315")
        );
        assert_eq!(luhn_digit("123456789"), 7);
        assert_eq!(iso7064("13669597"), 6);
        assert_eq!(payment_reference(Country::No, "234567").as_deref(), Some("2345676"));
        assert_eq!(payment_reference(Country::Fi, "123456").as_deref(), Some("1234561"));
        assert_eq!(payment_reference(Country::Dk, "1"), None);
    }

    #[test]
    fn forms_by_country() {
        let mut rng = Rng::with_seed(1);
        for _ in 0..200 {
            for (country, length) in [
                (Country::No, 9),
                (Country::Se, 10),
                (Country::Dk, 8),
                (Country::Fi, 9),
                (Country::Is, 10),
            ] {
                let number = organisation_number(country, &mut rng);
                assert_eq!(number.len(), length, "{number}");
            }
        }
    }
}
