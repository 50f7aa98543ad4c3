//! The ERP's values that look most like a code: to suggest, never to decide.

use crate::procurement::ReferenceData;

/// A value that could be meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    pub value: String,
    pub description: String,
    /// Percent; what is below the least likely is not suggested.
    pub score: u8,
    /// Why, as a person reads it.
    pub reason: String,
}

/// Below it two texts have too little in common to be worth a person's time.
const LEAST: u8 = 60;

/// A value of the ERP that may be chosen.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    pub value: &'a str,
    pub description: &'a str,
}

/// The best few for a code, the best first; among equals by value.
pub fn nearest<'a>(
    code: &str,
    candidates: impl Iterator<Item = Candidate<'a>>,
    most: usize,
) -> Vec<Suggestion> {
    let code = code.trim();
    let mut found: Vec<Suggestion> = candidates
        .filter_map(|candidate| {
            let (score, reason) = score(code, candidate)?;
            (score >= LEAST).then(|| Suggestion {
                value: candidate.value.to_owned(),
                description: candidate.description.to_owned(),
                score,
                reason,
            })
        })
        .collect();
    found.sort_by(|a, b| b.score.cmp(&a.score).then_with(|| a.value.cmp(&b.value)));
    found.truncate(most);
    found
}

fn score(code: &str, candidate: Candidate<'_>) -> Option<(u8, String)> {
    let (wanted, value) = (code.to_lowercase(), candidate.value.to_lowercase());
    if wanted.is_empty() || value.is_empty() {
        return None;
    }
    let digits = digits(&wanted);
    let of_value = self::digits(&value);
    let mut ways = vec![(
        percent(strsim::normalized_damerau_levenshtein(&wanted, &value)).min(95),
        "the codes are alike".to_owned(),
    )];
    if wanted == value {
        ways.push((99, "the same but for capitals".into()));
    }
    if !digits.is_empty()
        && !of_value.is_empty()
        && digits.trim_start_matches('0') == of_value.trim_start_matches('0')
    {
        let reason = match digits == wanted && of_value == value {
            true => "the same but for leading zeros",
            false => "the same number",
        };
        ways.push((if reason.ends_with("zeros") { 97 } else { 85 }, reason.into()));
    }
    if value.len() > wanted.len() && value.starts_with(&wanted) {
        ways.push((80, format!("it begins with {code}")));
    }
    if wanted.len() > value.len() && value.len() > 1 && wanted.starts_with(&value) {
        ways.push((75, format!("{code} begins with it")));
    }
    let description = candidate.description.to_lowercase();
    if wanted.chars().any(char::is_alphabetic) && !description.is_empty() {
        let whole = percent(strsim::normalized_damerau_levenshtein(&wanted, &description));
        let word = description
            .split(|c: char| !c.is_alphanumeric())
            .map(|word| percent(strsim::normalized_damerau_levenshtein(&wanted, word)))
            .max()
            .unwrap_or(0);
        // A name is weaker evidence than a code.
        let best = u16::from(whole.max(word)) * 9 / 10;
        ways.push((u8::try_from(best).unwrap_or(u8::MAX), format!("its name is like {code}")));
    }
    ways.into_iter().max_by_key(|(score, _)| *score)
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// Of a likeness between 0 and 1.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a likeness of texts between 0 and 1, no amount"
)]
fn percent(likeness: f64) -> u8 {
    (likeness.clamp(0.0, 1.0) * 100.0) as u8
}

/// Accounts that may be booked on.
pub fn accounts(reference: &ReferenceData) -> impl Iterator<Item = Candidate<'_>> {
    let usable = reference.accounts.iter().filter(|(_, of)| of.active && !of.is_cash_account);
    usable.map(|(value, of)| Candidate { value, description: &of.description })
}

/// Active values of a segment.
pub fn segment_values(
    reference: &ReferenceData,
    segment: i64,
) -> impl Iterator<Item = Candidate<'_>> {
    let values = reference.segments.get(&segment).into_iter().flat_map(|of| &of.values);
    let usable = values.filter(|(_, of)| of.active);
    usable.map(|(value, of)| Candidate { value, description: &of.description })
}

pub fn vat_categories(reference: &ReferenceData) -> impl Iterator<Item = Candidate<'_>> {
    let usable = reference.vat_categories.iter().filter(|(_, of)| of.active);
    usable.map(|(value, of)| Candidate { value, description: &of.description })
}

pub fn credit_terms(reference: &ReferenceData) -> impl Iterator<Item = Candidate<'_>> {
    reference
        .credit_terms
        .iter()
        .map(|(value, of)| Candidate { value, description: &of.description })
}

pub fn branches(reference: &ReferenceData) -> impl Iterator<Item = Candidate<'_>> {
    let usable = reference.branches.iter().filter(|(_, of)| of.active);
    usable.map(|(value, of)| Candidate { value, description: &of.name })
}

/// `6540 (Kontorrekvisita)`, for a hold: the one or two that come close.
pub fn near<'a>(code: &str, candidates: impl Iterator<Item = Candidate<'a>>) -> Vec<String> {
    let found = nearest(code, candidates, 2);
    let shown = found.into_iter().map(|of| match of.description.as_str() {
        "" => of.value,
        description => format!("{} ({description})", of.value),
    });
    shown.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCOUNTS: &[(&str, &str)] = &[
        ("4300", "Varekjøp"),
        ("6540", "Kontorrekvisita"),
        ("6541", "Programvare"),
        ("7770", "Frakt"),
    ];

    type Case = (&'static str, &'static [(&'static str, &'static str)], &'static [&'static str]);

    fn found(code: &str, of: &[(&str, &str)]) -> Vec<String> {
        let candidates = of.iter().map(|(value, description)| Candidate { value, description });
        let found = nearest(code, candidates, 2);
        found.into_iter().map(|of| format!("{} {}", of.value, of.reason)).collect()
    }

    #[test]
    fn the_likeliest_first_with_the_reason() {
        let cases: [Case; 8] = [
            ("6542", ACCOUNTS, &["6540 the codes are alike", "6541 the codes are alike"]),
            ("6450", ACCOUNTS, &["6540 the codes are alike"]),
            ("654000", ACCOUNTS, &["6540 654000 begins with it"]),
            ("07770", ACCOUNTS, &["7770 the same but for leading zeros"]),
            ("kontorrekvisit", ACCOUNTS, &["6540 its name is like kontorrekvisit"]),
            ("0999", ACCOUNTS, &[]),
            ("NET21", &[("21", "21 dager"), ("30", "30 dager")], &["21 the same number"]),
            (
                "k25",
                &[("K25", "25 %"), ("K15", "15 %")],
                &["K25 the same but for capitals", "K15 the codes are alike"],
            ),
        ];
        for (code, of, expected) in cases {
            assert_eq!(found(code, of), expected, "{code}");
        }
    }
}
