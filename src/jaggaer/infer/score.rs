//! Which value is which field: by the words of its name, and only where the shape of what stands
//! there allows it.

use super::Confidence;
use super::notation::Spelling;
use super::shape::Leaf;
use super::targets::Target;
use serde_json::Value;
use std::collections::HashSet;

/// What kind of value a field is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Text,
    /// Another in every record.
    Id,
    /// One of few words.
    Word,
    Day,
    Instant,
    Amount,
    Number,
    Count,
    Currency,
}

/// A field with the value that it was given.
#[derive(Debug, Clone)]
pub(super) struct Choice {
    pub(super) field: &'static str,
    pub(super) leaf: Leaf,
    pub(super) confidence: Confidence,
    pub(super) evidence: String,
}

/// Gives each field at most one value, and each value to one field: the best pair first.
pub(super) fn choose(targets: &[Target], leaves: &[Leaf], spelling: &Spelling) -> Vec<Choice> {
    let mut pairs = Vec::new();
    for (t, target) in targets.iter().enumerate() {
        for (l, leaf) in leaves.iter().enumerate() {
            if let Some((score, words)) = score(target, leaf)
                && fits(target.shape, leaf, spelling)
            {
                pairs.push((score, std::cmp::Reverse((t, l)), words));
            }
        }
    }
    pairs.sort_by_key(|pair| std::cmp::Reverse((pair.0, pair.1)));
    let (mut fields, mut values) = (HashSet::new(), HashSet::new());
    let mut choices: Vec<(usize, Choice)> = Vec::new();
    for (score, std::cmp::Reverse((t, l)), words) in pairs {
        if fields.contains(&t) || values.contains(&l) {
            continue;
        }
        fields.insert(t);
        values.insert(l);
        let leaf = &leaves[l];
        let rival = leaves.iter().enumerate().any(|(other, leaf)| {
            other != l
                && !values.contains(&other)
                && self::score(&targets[t], leaf).is_some_and(|(of, _)| of >= score)
                && fits(targets[t].shape, leaf, spelling)
        });
        let confidence = match (score, rival) {
            (_, true) => Confidence::Low,
            (s, false) if s >= 20 => Confidence::High,
            (s, false) if s >= 10 => Confidence::Medium,
            _ => Confidence::Low,
        };
        let evidence = format!("named `{words}`, in {} of {}", leaf.values.len(), leaf.of);
        choices.push((
            t,
            Choice { field: targets[t].field, leaf: leaf.clone(), confidence, evidence },
        ));
    }
    choices.sort_by_key(|(t, _)| *t);
    choices.into_iter().map(|(_, choice)| choice).collect()
}

/// How well a name fits, and the words by which it does.
fn score(target: &Target, leaf: &Leaf) -> Option<(i64, &'static str)> {
    if target.not.iter().any(|word| leaf.tokens.iter().any(|of| of == word)) {
        return None;
    }
    target
        .names
        .iter()
        .enumerate()
        .filter_map(|(rank, name)| {
            let mut left = leaf.tokens.clone();
            let mut words = 0;
            for word in name.split(' ') {
                let at = left.iter().position(|of| of == word)?;
                left.remove(at);
                words += 1;
            }
            // What the member itself is called says more than where it stands.
            let own = name.split(' ').any(|word| leaf.last.iter().any(|of| of == word));
            let own_whole = leaf.last.iter().all(|of| name.split(' ').any(|word| word == of));
            let score = 10 * words + if own { 4 } else { -6 } + if own_whole { 4 } else { 0 }
                - 2 * left.len() as i64
                - leaf.path.len() as i64
                - rank as i64;
            Some((score, *name))
        })
        .filter(|(score, _)| *score > 0)
        .max_by_key(|(score, _)| *score)
}

/// Nine of ten values must be of the shape: one may be broken.
pub(super) fn fits(shape: Shape, leaf: &Leaf, spelling: &Spelling) -> bool {
    let all = leaf.values.len();
    let most = |test: &dyn Fn(&Value) -> bool| {
        leaf.values.iter().filter(|value| test(value)).count() * 10 >= all * 9
    };
    let distinct = || leaf.values.iter().map(ToString::to_string).collect::<HashSet<_>>().len();
    match shape {
        Shape::Text => most(&|value| value.is_string() || value.is_number()),
        Shape::Id => {
            most(&|value| value.is_string() || value.is_number()) && distinct() * 10 >= all * 9
        }
        Shape::Word => most(&|value| value.is_string()) && (distinct() <= 12),
        Shape::Day => most(&|value| spelling.is_day(value)),
        Shape::Instant => most(&|value| spelling.is_instant(value)),
        Shape::Amount => most(&|value| spelling.decimal(value).is_some()),
        Shape::Number => most(&|value| spelling.decimal(value).is_some()),
        Shape::Count => {
            most(&|value| spelling.decimal(value).is_some_and(|number| number.fract().is_zero()))
        }
        Shape::Currency => most(&|value| {
            value.as_str().is_some_and(|code| {
                code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase())
            })
        }),
    }
}
