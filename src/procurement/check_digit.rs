//! The sums by which numbers of the Nordic countries show that they were not mistyped. They prove
//! nothing else: not that the number was ever given to anyone.

/// Whether the digits are divisible by ten under weights 1 and 2 from the right (Luhn, mod 10).
/// Anything but digits fails, and so does nothing at all.
pub fn luhn(text: &str) -> bool {
    let sum: u32 = digits(text)
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let weighted = if place % 2 == 1 { digit * 2 } else { digit };
            weighted / 10 + weighted % 10
        })
        .sum();
    all_digits(text) && sum.is_multiple_of(10)
}

/// Whether the sum of digits times weights, from the left, is divisible by eleven.
pub fn mod11(text: &str, weights: &[u32]) -> bool {
    let sum: u32 = digits(text).zip(weights).map(|(digit, weight)| digit * weight).sum();
    text.len() == weights.len() && all_digits(text) && sum.is_multiple_of(11)
}

/// GS1's mod 10 with weights 3 and 1 (GLN, GTIN): the body's last digit has weight 3.
pub fn gs1(text: &str) -> bool {
    let sum: u32 = digits(text)
        .rev()
        .enumerate()
        .map(|(place, digit)| if place % 2 == 1 { digit * 3 } else { digit })
        .sum();
    all_digits(text) && sum.is_multiple_of(10)
}

/// At least one character, and nothing but the digits 0 to 9.
pub fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn digits(text: &str) -> impl DoubleEndedIterator<Item = u32> + ExactSizeIterator + '_ {
    text.as_bytes().iter().map(|byte| u32::from(byte.wrapping_sub(b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every valid number fails when any one of its digits is another.
    fn only_the_right_digits(valid: &str, passes: impl Fn(&str) -> bool) {
        assert!(passes(valid), "{valid}");
        for place in 0..valid.len() {
            for digit in b'0'..=b'9' {
                let mut bytes = valid.as_bytes().to_vec();
                bytes[place] = digit;
                let other = String::from_utf8(bytes).expect("digits");
                assert_eq!(passes(&other), other == valid, "{other}");
            }
        }
    }

    #[test]
    fn each_sum_finds_each_wrong_digit() {
        for valid in ["54029681", "9020033", "2865434", "1234567897"] {
            only_the_right_digits(valid, luhn);
        }
        for valid in ["86011117947", "12345678903"] {
            only_the_right_digits(valid, |text| mod11(text, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]));
        }
        only_the_right_digits("7300010000001", gs1);
        for text in ["", "12a", "1٣", "-1"] {
            assert!(!luhn(text) && !gs1(text) && !mod11(text, &[1, 1, 1]), "{text}");
        }
        assert!(!mod11("0", &[1, 2]), "the length must be the one of the weights");
    }
}
