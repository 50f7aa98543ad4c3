//! Segments of the ERP's subaccount that documents leave without a value, and the rule that could fill
//! them. To suggest, never to decide.

use super::{Mapped, SegmentRule, Tables};
use crate::procurement::{Distribution, Document, ReferenceData, Segment, parts};
use std::collections::{BTreeMap, BTreeSet};

/// Suggestions for one segment.
const MOST: usize = 3;
/// Percent of a dimension's values that the segment must have for the dimension to be suggested.
const LEAST: u8 = 50;

/// Segments for which a share of the document has no value: no rule names them, or the rule's
/// dimension is not there and it has no default. What a row of the coding table says is not seen here.
pub fn unfilled(document: &Document, tables: &Tables, reference: &ReferenceData) -> BTreeSet<i64> {
    unfilled_in(&shares(document).collect::<Vec<_>>(), tables, reference)
}

fn unfilled_in(
    shares: &[BTreeMap<String, String>],
    tables: &Tables,
    reference: &ReferenceData,
) -> BTreeSet<i64> {
    let lacks_a_value = |id: &&i64| match tables.segments.iter().find(|rule| rule.id == **id) {
        None => true,
        Some(rule) => shares.iter().any(|values| {
            let code = rule.dimension.as_ref().and_then(|dimension| values.get(dimension));
            rule.map(code.map(String::as_str)) == Mapped::Absent
        }),
    };
    reference.segments.keys().filter(lacks_a_value).copied().collect()
}

/// The values of the source's dimensions, over many documents.
#[derive(Debug, Clone, Default)]
pub struct Dimensions {
    shares: u64,
    used: BTreeMap<String, Used>,
}

#[derive(Debug, Clone, Default)]
struct Used {
    shares: u64,
    values: BTreeSet<String>,
}

impl Dimensions {
    pub fn add(&mut self, document: &Document) {
        shares(document).for_each(|values| self.add_share(values));
    }

    fn add_share(&mut self, values: BTreeMap<String, String>) {
        self.shares += 1;
        for (dimension, value) in values {
            let of = self.used.entry(dimension).or_default();
            of.shares += 1;
            of.values.insert(value.trim().to_owned());
        }
    }
}

/// A rule that could fill a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filling {
    pub rule: SegmentRule,
    /// Percent of the dimension's values that the segment has.
    pub score: u8,
    pub reason: String,
}

impl Filling {
    /// As it is written below `[[connection.mapping.segments]]`, on one line.
    pub fn written(&self) -> String {
        let SegmentRule { id, dimension, same_code, default, .. } = &self.rule;
        let quoted = |text: &String| toml::Value::String(text.clone()).to_string();
        let mut said = vec![format!("id = {id}")];
        said.extend(dimension.as_ref().map(|of| format!("dimension = {}", quoted(of))));
        said.extend(same_code.then(|| "same_code = true".to_owned()));
        said.extend(default.as_ref().map(|of| format!("default = {}", quoted(of))));
        said.join(", ")
    }
}

/// The likeliest first. Where a rule stands already, only what it lacks: a default.
pub fn fillings(
    id: i64,
    dimensions: &Dimensions,
    tables: &Tables,
    reference: &ReferenceData,
) -> Vec<Filling> {
    let Some(segment) = reference.segments.get(&id) else { return Vec::new() };
    let nothing = nothing_in_particular(segment);
    let default = |shares: u64| nothing.filter(|_| shares < dimensions.shares).map(str::to_owned);
    if let Some(rule) = tables.segments.iter().find(|rule| rule.id == id) {
        let filled = nothing.map(|value| Filling {
            rule: SegmentRule { default: Some(value.to_owned()), ..rule.clone() },
            score: 100,
            reason: format!("{value} is the segment's value for nothing in particular"),
        });
        return filled.into_iter().collect();
    }
    let taken: BTreeSet<&str> = tables
        .segments
        .iter()
        .filter_map(|rule| rule.dimension.as_deref())
        .chain([tables.account_dimension()])
        .collect();
    let mut found: Vec<(usize, Filling)> = Vec::new();
    for (dimension, used) in &dimensions.used {
        let known = |value: &&String| segment.values.get(*value).is_some_and(|of| of.active);
        let (stand, all) = (used.values.iter().filter(known).count(), used.values.len());
        let score = u8::try_from((stand * 100).checked_div(all).unwrap_or(0)).unwrap_or(100);
        if score < LEAST || taken.contains(dimension.as_str()) {
            continue;
        }
        let rule = SegmentRule {
            id,
            dimension: Some(dimension.clone()),
            same_code: true,
            default: default(used.shares),
            table: BTreeMap::new(),
        };
        let reason = format!("Visma has {stand} of JAGGAER's {all} values of {dimension}");
        found.push((stand, Filling { rule, score, reason }));
    }
    // Of equals the one with more values, and then the first by name.
    found.sort_by(|a, b| b.1.score.cmp(&a.1.score).then_with(|| b.0.cmp(&a.0)));
    let mut fillings: Vec<Filling> = found.into_iter().map(|(_, filling)| filling).collect();
    if fillings.is_empty() {
        fillings.extend(nothing.map(|value| Filling {
            rule: SegmentRule {
                id,
                dimension: None,
                same_code: false,
                default: Some(value.to_owned()),
                table: BTreeMap::new(),
            },
            score: LEAST,
            reason: format!(
                "no dimension of JAGGAER has its values; {value} is its value for nothing in particular"
            ),
        }));
    }
    fillings.truncate(MOST);
    fillings
}

/// Only zeros, as companies write "none": `000000`.
fn nothing_in_particular(segment: &Segment) -> Option<&str> {
    let zeros = |value: &str| !value.is_empty() && value.chars().all(|of| of == '0');
    let mut active = segment.values.iter().filter(|(_, of)| of.active);
    active.find(|(value, _)| zeros(value)).map(|(value, _)| value.as_str())
}

fn shares(document: &Document) -> impl Iterator<Item = BTreeMap<String, String>> + '_ {
    let lines: Vec<&[Distribution]> = match document {
        Document::Order(order) => order.lines.iter().map(|of| &of.distributions[..]).collect(),
        Document::Invoice(invoice) => {
            invoice.lines.iter().map(|of| &of.distributions[..]).collect()
        }
    };
    lines.into_iter().flat_map(parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::procurement::SegmentValue;

    /// Segment 1 has three centres, of which one is closed; segment 2 has two projects and none.
    fn reference() -> ReferenceData {
        let segment = |id, values: &[(&str, bool)]| {
            let value = |active| SegmentValue { description: String::new(), active };
            let values = values.iter().map(|(of, active)| ((*of).to_owned(), value(*active)));
            let segment = Segment { id, length: 6, values: values.collect(), ..Segment::default() };
            (id, segment)
        };
        let centres = segment(1, &[("110", true), ("120", true), ("390", false)]);
        let projects = segment(2, &[("000000", true), ("P00001", true), ("P00002", true)]);
        ReferenceData { segments: BTreeMap::from([centres, projects]), ..ReferenceData::default() }
    }

    fn values(of: &[(&str, &str)]) -> BTreeMap<String, String> {
        of.iter().map(|(dimension, value)| ((*dimension).into(), (*value).into())).collect()
    }

    fn shares() -> Vec<BTreeMap<String, String>> {
        vec![
            values(&[("Account", "110"), ("CostCenter", "110"), ("Project", "P00001")]),
            values(&[("Account", "120"), ("CostCenter", " 120 "), ("Site", "OSL")]),
            values(&[("Account", "120"), ("CostCenter", "110"), ("Site", "110")]),
        ]
    }

    fn written(id: i64, shares: Vec<BTreeMap<String, String>>, tables: &Tables) -> Vec<String> {
        let mut dimensions = Dimensions::default();
        shares.into_iter().for_each(|values| dimensions.add_share(values));
        let found = fillings(id, &dimensions, tables, &reference());
        found.iter().map(|of| format!("{}: {} %", of.written(), of.score)).collect()
    }

    #[test]
    fn the_dimension_whose_values_the_segment_has_is_suggested_and_the_account_never() {
        assert_eq!(
            written(1, shares(), &Tables::default()),
            [
                "id = 1, dimension = \"CostCenter\", same_code = true: 100 %",
                "id = 1, dimension = \"Site\", same_code = true: 50 %",
            ]
        );
        // Not every share has a project, so the rule needs what stands where there is none.
        assert_eq!(
            written(2, shares(), &Tables::default()),
            ["id = 2, dimension = \"Project\", same_code = true, default = \"000000\": 100 %"]
        );
    }

    #[test]
    fn a_closed_value_is_no_likeness_and_without_any_only_nothing_in_particular_is_left() {
        let closed = vec![values(&[("Site", "390"), ("Ship to", "a \"b\"")])];
        assert!(written(1, closed.clone(), &Tables::default()).is_empty());
        assert_eq!(written(2, closed, &Tables::default()), ["id = 2, default = \"000000\": 50 %"]);
        assert!(written(7, shares(), &Tables::default()).is_empty(), "Visma has no segment 7");
    }

    #[test]
    fn a_rule_that_stands_lacks_at_most_a_default() {
        let rule = SegmentRule {
            id: 2,
            dimension: Some("Project".into()),
            same_code: false,
            default: None,
            table: BTreeMap::from([("X".into(), "P00002".into())]),
        };
        let tables = Tables { segments: vec![rule], ..Tables::default() };
        assert_eq!(
            written(2, shares(), &tables),
            ["id = 2, dimension = \"Project\", default = \"000000\": 100 %"]
        );
        // The dimension is taken: it says nothing of another segment.
        let of_another = vec![values(&[("Project", "110")])];
        assert!(written(1, of_another, &tables).is_empty());
    }

    #[test]
    fn a_segment_is_unfilled_where_one_share_lacks_it() {
        let rule = |default: Option<&str>| SegmentRule {
            id: 2,
            dimension: Some("Project".into()),
            same_code: true,
            default: default.map(str::to_owned),
            table: BTreeMap::new(),
        };
        let with = |rule| Tables { segments: vec![rule], ..Tables::default() };
        let unfilled = |tables: &Tables| unfilled_in(&shares(), tables, &reference());
        assert_eq!(unfilled(&Tables::default()), BTreeSet::from([1, 2]));
        assert_eq!(unfilled(&with(rule(None))), BTreeSet::from([1, 2]));
        assert_eq!(unfilled(&with(rule(Some("000000")))), BTreeSet::from([1]));
        let one = &shares()[..1];
        assert_eq!(unfilled_in(one, &with(rule(None)), &reference()), BTreeSet::from([1]));
    }
}
