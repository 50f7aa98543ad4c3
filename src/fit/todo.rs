//! In which order to put things right, so that each step lets most documents go.

use crate::mapping::NamedCode;
use std::collections::{BTreeMap, BTreeSet};

/// Something that the mapping lacks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    Code(NamedCode),
    /// The id of a segment that has no value where documents need one.
    Segment(i64),
    /// By the key under which it can be linked.
    Vendor(String),
}

/// A document that is stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocked {
    pub causes: BTreeSet<Cause>,
    /// By something that no mapping ends as well.
    pub otherwise: bool,
}

/// What putting one cause right does, all before it in the list being right already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effect {
    pub cause: Cause,
    pub documents: u64,
    pub frees: u64,
}

/// Greedy: next is what frees most documents with those before it; where none frees one alone, what
/// stops most. Ends when nothing more can be freed; what is left stops only documents that are stopped
/// otherwise too, and comes last, by count.
pub fn in_order_of_effect(blocked: &[Blocked]) -> Vec<Effect> {
    let mut stops: BTreeMap<&Cause, u64> = BTreeMap::new();
    for cause in blocked.iter().flat_map(|of| &of.causes) {
        *stops.entry(cause).or_default() += 1;
    }
    let mut open: Vec<BTreeSet<&Cause>> = blocked
        .iter()
        .filter(|of| !of.otherwise && !of.causes.is_empty())
        .map(|of| of.causes.iter().collect())
        .collect();
    let mut left: BTreeMap<&Cause, u64> = stops.clone();
    let mut effects = Vec::new();
    while !left.is_empty() {
        let mut frees: BTreeMap<&Cause, u64> = BTreeMap::new();
        let mut helps: BTreeMap<&Cause, u64> = BTreeMap::new();
        for causes in &open {
            if causes.len() == 1 {
                *frees.entry(causes.first().expect("there is one")).or_default() += 1;
            }
            for cause in causes {
                *helps.entry(cause).or_default() += 1;
            }
        }
        let weight = |cause: &Cause| {
            let of = |counts: &BTreeMap<&Cause, u64>| counts.get(cause).copied().unwrap_or(0);
            (of(&frees), of(&helps), of(&stops))
        };
        // Of equals the first in order, so that two reports agree.
        let best = left.keys().rev().copied().max_by_key(|cause| weight(cause));
        let best = best.expect("something is left");
        let freed = frees.get(best).copied().unwrap_or(0);
        left.remove(best);
        for causes in &mut open {
            causes.remove(best);
        }
        open.retain(|causes| !causes.is_empty());
        effects.push(Effect { cause: best.clone(), documents: stops[best], frees: freed });
    }
    effects
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocked(vendors: &[&str], otherwise: bool) -> Blocked {
        let causes = vendors.iter().map(|of| Cause::Vendor((*of).into())).collect();
        Blocked { causes, otherwise }
    }

    fn order(of: &[Blocked]) -> Vec<(String, u64, u64)> {
        let text = |effect: Effect| match effect.cause {
            Cause::Vendor(vendor) => (vendor, effect.documents, effect.frees),
            Cause::Code(code) => (code.code, effect.documents, effect.frees),
            Cause::Segment(id) => (id.to_string(), effect.documents, effect.frees),
        };
        in_order_of_effect(of).into_iter().map(text).collect()
    }

    fn steps(of: &[(&str, u64, u64)]) -> Vec<(String, u64, u64)> {
        of.iter().map(|(name, documents, frees)| ((*name).to_owned(), *documents, *frees)).collect()
    }

    #[test]
    fn what_frees_most_comes_first() {
        let all = [
            blocked(&["a"], false),
            blocked(&["b"], false),
            blocked(&["b"], false),
            blocked(&["a", "c"], false),
            blocked(&["a", "c"], false),
            blocked(&["a", "c"], false),
        ];
        assert_eq!(order(&all), steps(&[("b", 2, 2), ("a", 4, 1), ("c", 3, 3)]));
    }

    #[test]
    fn a_pair_that_frees_nothing_alone_frees_together() {
        let all = [blocked(&["a", "b"], false), blocked(&["a", "b"], false)];
        assert_eq!(order(&all), steps(&[("a", 2, 0), ("b", 2, 2)]));
    }

    #[test]
    fn a_document_stopped_otherwise_is_freed_by_nothing() {
        let all = [blocked(&["a"], true), blocked(&["a"], true), blocked(&["b"], false)];
        assert_eq!(order(&all), steps(&[("b", 1, 1), ("a", 2, 0)]));
        assert!(order(&[blocked(&[], true), blocked(&[], false)]).is_empty());
    }
}
