use super::duplicate::claim_key;

/// A supplier's number in the forms under which numbers that look alike are looked up. Two
/// numbers that share a form need not be the same: that is judged later.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReferenceForms {
    /// As [`claim_key`] has it.
    pub key: String,
    /// With letters that are read as digits, and typed for them, as those digits.
    pub look: String,
    /// The digits alone, without a year at either end. Empty when there are none.
    pub digits: String,
}

impl ReferenceForms {
    pub fn of(reference: &str) -> Self {
        let key = claim_key(reference);
        let look: String = key.chars().map(as_digit).collect();
        let look = without_zeros(&look);
        let mut groups: Vec<&str> = reference
            .split(|c: char| !c.is_ascii_digit())
            .filter(|group| !group.is_empty())
            .collect();
        if groups.len() > 1 {
            if is_year(groups[0]) {
                groups.remove(0);
            } else if groups.last().is_some_and(|last| is_year(last)) {
                groups.pop();
            }
        }
        Self { digits: without_zeros(&groups.concat()), look, key }
    }
}

const fn as_digit(c: char) -> char {
    match c {
        'O' | 'Q' | 'D' => '0',
        'I' | 'L' => '1',
        'Z' => '2',
        'S' => '5',
        'G' => '6',
        'B' => '8',
        other => other,
    }
}

fn is_year(digits: &str) -> bool {
    digits.len() == 4 && (digits.starts_with("19") || digits.starts_with("20"))
}

fn without_zeros(text: &str) -> String {
    let stripped = text.trim_start_matches('0');
    if stripped.is_empty() && !text.is_empty() { "0".into() } else { stripped.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_look_alike_share_a_form() {
        for (left, right, look, digits) in [
            ("F-90017", "f 90.017", true, true),
            ("9OO17", "90017", true, false),
            ("F-1OO5", "F-IOOS", true, false),
            ("INV-90017", "90017", false, true),
            ("2026-0012", "12", false, true),
            ("12/2026", "00012", false, true),
            ("2026", "0002026", true, true),
            ("20260012", "12", false, false),
            ("1234-0012", "12", false, false),
            ("90017", "90018", false, false),
            ("A-1", "B-2", false, false),
        ] {
            let (a, b) = (ReferenceForms::of(left), ReferenceForms::of(right));
            assert_eq!(a.look == b.look, look, "{left} {right}: {a:?} {b:?}");
            assert_eq!(a.digits == b.digits, digits, "{left} {right}: {a:?} {b:?}");
        }
        assert_eq!(ReferenceForms::of("-- "), ReferenceForms::default());
        assert_eq!(ReferenceForms::of("ABC").digits, "");
        assert_eq!(ReferenceForms::of("F-000").key, "F000");
        assert_eq!(ReferenceForms::of("000").look, "0");
    }
}
