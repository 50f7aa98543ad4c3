use super::{Cause, Cost};
use crate::mapping::SegmentRule;
use jiff::civil::Date;
use serde::Serialize;

/// The whole result. Serialised, it is the JSON of `fit`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    pub connection: String,
    pub source: String,
    pub company: String,
    pub days: i64,
    /// Documents dated from this day on.
    pub from: Date,
    /// Today, in the company's time zone.
    pub to: Date,
    pub take_from: Date,
    #[serde(flatten)]
    pub counts: Counts,
    /// Of the documents that would be posted, those dated before go-live: they would be ignored.
    pub before_go_live: u64,
    /// Invoices that name an order dated before go-live, which is not taken over either.
    pub orders_before_go_live: u64,
    /// Percent of what is not ignored that would be posted.
    pub share: u8,
    pub kinds: Vec<KindLine>,
    pub money: Vec<MoneyLine>,
    pub holds: Vec<Group>,
    pub waits: Vec<Group>,
    pub ignored_because: Vec<Group>,
    /// Of the same source, but taken by no connection: in none of the counts.
    pub unrouted: Vec<Group>,
    pub vendors: VendorTable,
    pub codes: Vec<CodeTable>,
    pub todo: Vec<Todo>,
    /// What was tried: the first suggestion of each entry of `todo` taken for right.
    pub trial: Option<Trial>,
    pub cost: Cost,
}

/// `received = would_post + held + ignored + in_flight`, always.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    pub received: u64,
    /// Those that stand in the ERP already, and would be taken over, among them.
    pub would_post: u64,
    pub already_in_visma: u64,
    pub held: u64,
    pub ignored: u64,
    pub in_flight: u64,
}

/// The same for orders, invoices and credit notes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KindLine {
    pub kind: &'static str,
    #[serde(flatten)]
    pub counts: Counts,
}

/// The same in money: orders net, invoices gross, credit notes negative.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MoneyLine {
    pub of: &'static str,
    pub currency: String,
    pub seen: String,
    pub would_post: String,
    pub held: String,
    pub ignored: String,
    pub in_flight: String,
}

/// An amount of one kind of documents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sum {
    /// `orders` or `invoices`.
    pub of: &'static str,
    pub currency: String,
    pub amount: String,
}

/// Documents with one thing in common: a hold's code, what they wait for, why they are ignored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Group {
    pub code: String,
    pub means: String,
    pub documents: u64,
    pub money: Vec<Sum>,
    pub examples: Vec<Example>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Example {
    pub kind: &'static str,
    pub number: String,
    /// As the clerk would read it.
    pub text: String,
    /// What to do; empty where there is nothing to do.
    pub fix: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct VendorTable {
    /// Vendors that the documents name.
    pub used: u64,
    pub matched: u64,
    /// Suppliers in the ERP.
    pub in_visma: u64,
    /// How many were found by what: `organisation number`, `a person's link`.
    pub matched_by: Vec<(String, u64)>,
    pub unmatched: Vec<UnmatchedVendor>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnmatchedVendor {
    pub vendor: String,
    pub why: String,
    pub documents: u64,
    pub money: Vec<Sum>,
    pub suggestions: Vec<Suggested>,
}

/// What a code or a vendor could be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Suggested {
    pub value: String,
    pub name: String,
    /// Percent.
    pub score: u32,
    pub because: String,
}

/// One mapping table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CodeTable {
    pub table: &'static str,
    pub segment: Option<i64>,
    pub title: String,
    /// Codes that the documents name.
    pub used: u64,
    pub matched: u64,
    /// Values in the ERP. `None`: the ERP gives no list.
    pub in_visma: Option<u64>,
    pub unmatched: Vec<UnmatchedCode>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnmatchedCode {
    pub code: String,
    pub documents: u64,
    pub money: Vec<Sum>,
    pub suggestions: Vec<Suggested>,
}

/// One thing to put right; the list is in the order of effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Todo {
    #[serde(skip)]
    pub cause: Cause,
    /// For a segment without a value: what the suggestion is, as a rule.
    #[serde(skip)]
    pub rule: Option<SegmentRule>,
    /// The table's title, or `Vendor`.
    pub table: String,
    /// Empty for a segment without a value: it needs a rule.
    pub code: String,
    pub suggestion: Option<Suggested>,
    /// Documents that it stops, alone or with others.
    pub documents: u64,
    /// Documents that nothing stops any more with this and all before it.
    pub frees: u64,
    /// Percent of what is not ignored that would be posted then.
    pub share: u8,
}

/// The documents judged once more with the first suggestions taken for right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Trial {
    /// Suggestions that were tried.
    pub values: u64,
    pub would_post: u64,
    pub share: u8,
}

/// What a run that posts nothing cannot know; told with every report.
pub const LIMITS: [&str; 4] = [
    "Orders that would be posted are taken for posted, open, and with nothing received. An invoice for goods \
     that arrived long ago can wait here for a receipt that only a posted order could have.",
    "What Visma refuses by settings of its own (restrictions, numbering, approvals) shows only when something \
     is written.",
    "An invoice that names an order which did not change for a year before the period waits for it here.",
    "Suggestions are likenesses for a person to judge; nothing is mapped by itself.",
];
