use super::Cost;
use super::report::{
    CodeTable, Counts, Example, Group, KindLine, MoneyLine, Report, Suggested, Sum, Todo,
    UnmatchedCode, UnmatchedVendor, VendorTable,
};
use super::todo::{Blocked, Cause, in_order_of_effect};
use crate::decide::{Hold, Wait, WaitFor, catalogue};
use crate::mapping::{Candidate, Dimensions, NamedCode, TableName, Tables, fillings, suggest};
use crate::procurement::{Currency, DocumentKind, Money, ReferenceData};
use jiff::civil::Date;
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Examples of each group.
const EXAMPLES: usize = 3;
/// Holds that a link between a vendor and a supplier, or a supplier put in order, ends.
const OF_THE_VENDOR: [&str; 5] = [
    "supplier_unknown",
    "supplier_conflict",
    "supplier_ambiguous",
    "supplier_link_broken",
    "supplier_blocked",
];

/// A document as the trial run left it.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    pub kind: DocumentKind,
    pub number: String,
    /// `None`: it cannot be read.
    pub on: Option<Date>,
    /// A credit note is negative, an order its net.
    pub amount: Option<Money>,
    pub fate: Fate,
    /// Key of [`Surroundings::vendors`].
    pub vendor: Option<String>,
    /// Its codes, and whether each has a place in its table.
    pub codes: BTreeMap<NamedCode, bool>,
    /// Segments for which a share has no value.
    pub unfilled: BTreeSet<i64>,
    /// The orders that it names; an order its own.
    pub orders: Vec<String>,
}

/// What would become of a document.
#[derive(Debug, Clone, PartialEq)]
pub enum Fate {
    WouldPost,
    /// It stands in the ERP, by a person's hand or ours, and would be taken over.
    AlreadyInVisma,
    Held(Vec<Hold>),
    Waits(Vec<Wait>),
    /// Not approved in the source: received, not judged.
    NotRipe,
    /// Its detail did not come.
    Unread,
    Ignored(String),
}

/// A vendor that documents name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownVendor {
    /// As the clerk knows it.
    pub shown: String,
    pub standing: VendorStanding,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VendorStanding {
    /// By what, for people: `organisation number 988077917`.
    Matched(Vec<String>),
    Unmatched {
        why: String,
        candidates: Vec<Candidate>,
    },
}

/// What the documents were judged in.
pub struct Surroundings<'a> {
    pub connection: &'a str,
    pub source: &'a str,
    pub company: &'a str,
    pub days: i64,
    pub from: Date,
    pub to: Date,
    /// As configured; the run itself goes back further.
    pub take_from: Date,
    /// Documents of the source that no connection takes.
    pub unrouted: &'a [Judged],
    pub vendors: &'a BTreeMap<String, KnownVendor>,
    pub dimensions: &'a Dimensions,
    pub reference: &'a ReferenceData,
    pub tables: &'a Tables,
    pub cost: Cost,
}

/// Counts everything that is dated in the period, or that cannot be dated. Documents before it are
/// looked at only where one in it depends on them.
pub fn tally(documents: &[Judged], of: &Surroundings<'_>) -> Report {
    let dated_inside = |one: &&Judged| one.on.is_none_or(|on| on >= of.from);
    let inside: Vec<&Judged> = documents.iter().filter(dated_inside).collect();
    let unrouted: Vec<&Judged> = of.unrouted.iter().filter(dated_inside).collect();
    let mut counts = Counts::default();
    let mut kinds: BTreeMap<DocumentKind, Counts> = BTreeMap::new();
    for one in &inside {
        counts.add(&one.fate);
        kinds.entry(one.kind).or_default().add(&one.fate);
    }
    let blocked = blocked(&inside, documents);
    let todo = todo(&blocked, counts, of);
    let before = |one: &Judged| one.on.is_some_and(|on| on < of.take_from);
    let not_taken: BTreeSet<&str> = documents
        .iter()
        .filter(|one| one.kind == DocumentKind::PurchaseOrder && before(one))
        .filter(|one| one.fate != Fate::AlreadyInVisma)
        .flat_map(|one| one.orders.iter().map(String::as_str))
        .collect();
    let names_one_not_taken =
        |one: &Judged| one.orders.iter().any(|order| not_taken.contains(order.as_str()));
    let invoices = inside.iter().filter(|one| one.kind == DocumentKind::SupplierInvoice);
    Report {
        connection: of.connection.to_owned(),
        source: of.source.to_owned(),
        company: of.company.to_owned(),
        days: of.days,
        from: of.from,
        to: of.to,
        take_from: of.take_from,
        counts,
        before_go_live: count(
            inside.iter().filter(|one| one.fate == Fate::WouldPost && before(one)),
        ),
        orders_before_go_live: count(
            invoices.filter(|one| !before(one) && names_one_not_taken(one)),
        ),
        share: counts.share(counts.would_post),
        kinds: kinds
            .into_iter()
            .map(|(kind, counts)| KindLine { kind: kind.as_str(), counts })
            .collect(),
        money: money(&inside),
        holds: holds(&inside),
        waits: waits(&inside),
        ignored_because: ignored(&inside),
        unrouted: holds(&unrouted),
        vendors: vendors(&inside, of),
        codes: codes(&inside, of),
        todo,
        trial: None,
        cost: of.cost.clone(),
    }
}

impl Counts {
    fn add(&mut self, fate: &Fate) {
        self.received += 1;
        match fate {
            Fate::WouldPost => self.would_post += 1,
            Fate::AlreadyInVisma => {
                self.would_post += 1;
                self.already_in_visma += 1;
            }
            Fate::Held(_) => self.held += 1,
            Fate::Waits(_) | Fate::NotRipe | Fate::Unread => self.in_flight += 1,
            Fate::Ignored(_) => self.ignored += 1,
        }
    }

    /// Percent of what is not ignored, rounded down: 99.9 % is not all.
    pub fn share(&self, of: u64) -> u8 {
        let all = self.received - self.ignored;
        (of.min(all) * 100).checked_div(all).map_or(0, |share| u8::try_from(share).unwrap_or(100))
    }
}

/// Amounts by what they are of and by currency.
#[derive(Default)]
struct Sums(BTreeMap<(&'static str, Currency), i64>);

impl Sums {
    fn add(&mut self, one: &Judged) {
        if let Some(amount) = one.amount {
            let sum = self.0.entry((of(one.kind), amount.currency)).or_default();
            *sum = sum.saturating_add(amount.minor);
        }
    }

    fn told(self) -> Vec<Sum> {
        let told = self.0.into_iter().map(|((of, currency), minor)| Sum {
            of,
            currency: currency.code().to_owned(),
            amount: text(minor, currency),
        });
        told.collect()
    }
}

const fn of(kind: DocumentKind) -> &'static str {
    match kind {
        DocumentKind::PurchaseOrder => "orders",
        DocumentKind::SupplierInvoice | DocumentKind::CreditNote => "invoices",
    }
}

fn text(minor: i64, currency: Currency) -> String {
    Decimal::new(minor, currency.decimals()).to_string()
}

fn count<T>(of: impl Iterator<Item = T>) -> u64 {
    of.fold(0, |sum, _| sum + 1)
}

fn money(inside: &[&Judged]) -> Vec<MoneyLine> {
    let mut sums: BTreeMap<(&'static str, Currency), [i64; 4]> = BTreeMap::new();
    for one in inside {
        let Some(amount) = one.amount else { continue };
        let place = match one.fate {
            Fate::WouldPost | Fate::AlreadyInVisma => 0,
            Fate::Held(_) => 1,
            Fate::Ignored(_) => 2,
            Fate::Waits(_) | Fate::NotRipe | Fate::Unread => 3,
        };
        let sum = &mut sums.entry((of(one.kind), amount.currency)).or_default()[place];
        *sum = sum.saturating_add(amount.minor);
    }
    let line = |((of, currency), sums): ((&'static str, Currency), [i64; 4])| MoneyLine {
        of,
        currency: currency.code().to_owned(),
        seen: text(sums.iter().sum(), currency),
        would_post: text(sums[0], currency),
        held: text(sums[1], currency),
        ignored: text(sums[2], currency),
        in_flight: text(sums[3], currency),
    };
    sums.into_iter().map(line).collect()
}

/// Groups while they are gathered.
#[derive(Default)]
struct Gathered {
    means: String,
    documents: u64,
    sums: Sums,
    examples: Vec<Example>,
}

impl Gathered {
    fn add(&mut self, one: &Judged, text: &str, fix: &str) {
        self.documents += 1;
        self.sums.add(one);
        if self.examples.len() < EXAMPLES {
            self.examples.push(Example {
                kind: one.kind.as_str(),
                number: one.number.clone(),
                text: text.to_owned(),
                fix: fix.to_owned(),
            });
        }
    }
}

/// What holds most first.
fn told(groups: BTreeMap<String, Gathered>) -> Vec<Group> {
    let mut groups: Vec<Group> = groups
        .into_iter()
        .map(|(code, of)| Group {
            code,
            means: of.means,
            documents: of.documents,
            money: of.sums.told(),
            examples: of.examples,
        })
        .collect();
    groups.sort_by(|a, b| b.documents.cmp(&a.documents).then_with(|| a.code.cmp(&b.code)));
    groups
}

fn holds(inside: &[&Judged]) -> Vec<Group> {
    let means: HashMap<&str, &str> =
        catalogue().into_iter().map(|entry| (entry.code, entry.means)).collect();
    let mut groups: BTreeMap<String, Gathered> = BTreeMap::new();
    for one in inside {
        let Fate::Held(holds) = &one.fate else { continue };
        let mut seen = BTreeSet::new();
        for hold in holds.iter().filter(|hold| seen.insert(hold.code.as_str())) {
            let group = groups.entry(hold.code.clone()).or_default();
            group.means = means.get(hold.code.as_str()).map_or_else(String::new, |of| (*of).into());
            group.add(one, &hold.text, &hold.fix);
        }
    }
    told(groups)
}

fn waits(inside: &[&Judged]) -> Vec<Group> {
    let mut groups: BTreeMap<String, Gathered> = BTreeMap::new();
    let mut add = |one: &Judged, code: &str, means: &str, text: &str| {
        let group = groups.entry(code.to_owned()).or_default();
        group.means = means.to_owned();
        group.add(one, text, "");
    };
    for one in inside {
        match &one.fate {
            Fate::Waits(waits) => {
                let mut seen = BTreeSet::new();
                for wait in waits {
                    let (code, means) = match wait.on {
                        WaitFor::Order(_) => ("order", "Its order is held or has not come"),
                        WaitFor::Receipt(_) => ("receipt", "What it bills is not received yet"),
                        WaitFor::Reference(_) => ("reference", "A record in Visma is missing"),
                        WaitFor::Period(_) => ("period", "Its period is not open"),
                    };
                    if seen.insert(code) {
                        add(one, code, means, &wait.text);
                    }
                }
            }
            Fate::NotRipe => add(one, "approval", "Not approved in JAGGAER yet", ""),
            Fate::Unread => add(one, "detail", "Its detail could not be fetched from JAGGAER", ""),
            Fate::WouldPost | Fate::AlreadyInVisma | Fate::Held(_) | Fate::Ignored(_) => {}
        }
    }
    told(groups)
}

fn ignored(inside: &[&Judged]) -> Vec<Group> {
    let mut groups: BTreeMap<String, Gathered> = BTreeMap::new();
    for one in inside {
        let Fate::Ignored(reason) = &one.fate else { continue };
        let what = reason.split(':').next().unwrap_or(reason);
        groups.entry(what.to_owned()).or_default().add(one, reason, "");
    }
    told(groups)
}

/// What stops each document of the period. One that waits for a held order is stopped by what holds
/// the order.
fn blocked(inside: &[&Judged], all: &[Judged]) -> Vec<Blocked> {
    let orders: HashMap<&str, &Judged> = all
        .iter()
        .filter(|one| one.kind == DocumentKind::PurchaseOrder)
        .flat_map(|one| one.orders.iter().map(move |number| (number.as_str(), one)))
        .collect();
    let stopped = inside.iter().filter_map(|one| match &one.fate {
        Fate::Held(holds) => Some(by_its_holds(one, holds)),
        Fate::Waits(waits) => {
            let mut blocked = Blocked { causes: BTreeSet::new(), otherwise: false };
            for wait in waits {
                let order = match &wait.on {
                    WaitFor::Order(number) => orders.get(number.as_str()).copied(),
                    WaitFor::Receipt(_) | WaitFor::Reference(_) | WaitFor::Period(_) => None,
                };
                match order.map(|order| (order, &order.fate)) {
                    Some((order, Fate::Held(holds))) => {
                        let of_the_order = by_its_holds(order, holds);
                        blocked.causes.extend(of_the_order.causes);
                        blocked.otherwise |= of_the_order.otherwise;
                    }
                    _ => blocked.otherwise = true,
                }
            }
            Some(blocked)
        }
        Fate::WouldPost
        | Fate::AlreadyInVisma
        | Fate::NotRipe
        | Fate::Unread
        | Fate::Ignored(_) => None,
    });
    stopped.collect()
}

fn by_its_holds(one: &Judged, holds: &[Hold]) -> Blocked {
    let codes: BTreeSet<&str> = holds.iter().map(|hold| hold.code.as_str()).collect();
    let mut explained: BTreeSet<&str> = BTreeSet::new();
    let mut causes = BTreeSet::new();
    for code in one.codes.iter().filter(|(_, has_a_place)| !**has_a_place).map(|(code, _)| code) {
        let of_it: Vec<&str> =
            code.holds_as().iter().copied().filter(|as_code| codes.contains(as_code)).collect();
        if !of_it.is_empty() {
            explained.extend(of_it);
            causes.insert(Cause::Code(code.clone()));
        }
    }
    if codes.contains("segment_missing") && !one.unfilled.is_empty() {
        explained.insert("segment_missing");
        causes.extend(one.unfilled.iter().copied().map(Cause::Segment));
    }
    if let Some(vendor) = &one.vendor {
        let of_it: Vec<&str> =
            OF_THE_VENDOR.into_iter().filter(|as_code| codes.contains(as_code)).collect();
        if !of_it.is_empty() {
            explained.extend(of_it);
            causes.insert(Cause::Vendor(vendor.clone()));
        }
    }
    Blocked { causes, otherwise: codes.iter().any(|code| !explained.contains(code)) }
}

/// The tables with the first suggestion of each thing to do taken for right, and how many there were.
pub fn taken_for_right(tables: &Tables, todo: &[Todo]) -> (Tables, u64) {
    let mut tables = tables.clone();
    let mut taken = 0;
    // The segments' rules first: the tables of codes below are theirs.
    for rule in todo.iter().filter_map(|of| of.rule.as_ref()) {
        tables.segments.retain(|known| known.id != rule.id);
        tables.segments.push(rule.clone());
        taken += 1;
    }
    for of in todo {
        let Some(suggestion) = &of.suggestion else { continue };
        let (key, value) = match &of.cause {
            Cause::Code(code) => (code.code.clone(), suggestion.value.clone()),
            Cause::Vendor(vendor) => (vendor.clone(), suggestion.value.clone()),
            Cause::Segment(_) => continue,
        };
        let table = match &of.cause {
            Cause::Vendor(_) => Some(&mut tables.suppliers),
            Cause::Segment(_) => None,
            Cause::Code(code) => match code.table {
                TableName::Accounts => Some(&mut tables.accounts.table),
                TableName::Vat => Some(&mut tables.vat.table),
                TableName::Terms => Some(&mut tables.terms.table),
                TableName::Units => Some(&mut tables.units.table),
                TableName::Branches => Some(&mut tables.branches.table),
                TableName::Projects => Some(&mut tables.projects.table),
                TableName::Segments => {
                    let mut rules = tables.segments.iter_mut();
                    rules.find(|rule| Some(rule.id) == code.segment).map(|rule| &mut rule.table)
                }
                TableName::Coding | TableName::Combinations => None,
            },
        };
        if let Some(table) = table {
            table.insert(key, value);
            taken += 1;
        }
    }
    (tables, taken)
}

fn todo(blocked: &[Blocked], counts: Counts, of: &Surroundings<'_>) -> Vec<Todo> {
    let mut would_post = counts.would_post;
    let entry = |effect: super::Effect| {
        would_post += effect.frees;
        let mut rule = None;
        let (table, code, suggestion) = match &effect.cause {
            Cause::Code(code) => (
                title(code.table, code.segment, of.reference),
                code.code.clone(),
                suggestions(code, of).into_iter().next(),
            ),
            Cause::Segment(id) => {
                let found = fillings(*id, of.dimensions, of.tables, of.reference);
                let first = found.into_iter().next();
                rule = first.as_ref().map(|of| of.rule.clone());
                let suggestion = first.map(|of| Suggested {
                    value: of.written(),
                    name: String::new(),
                    score: u32::from(of.score),
                    because: of.reason,
                });
                (title(TableName::Segments, Some(*id), of.reference), String::new(), suggestion)
            }
            Cause::Vendor(key) => {
                let vendor = of.vendors.get(key);
                let suggestion = vendor.and_then(|of| candidates(&of.standing).into_iter().next());
                let shown = vendor.map_or_else(|| key.clone(), |of| of.shown.clone());
                ("Vendor".to_owned(), shown, suggestion)
            }
        };
        Todo {
            cause: effect.cause,
            rule,
            table,
            code,
            suggestion,
            documents: effect.documents,
            frees: effect.frees,
            share: counts.share(would_post),
        }
    };
    in_order_of_effect(blocked).into_iter().map(entry).collect()
}

fn vendors(inside: &[&Judged], of: &Surroundings<'_>) -> VendorTable {
    let mut used: BTreeMap<&str, (u64, Sums)> = BTreeMap::new();
    for one in inside {
        let Some(key) = &one.vendor else { continue };
        let (documents, sums) = used.entry(key).or_default();
        *documents += 1;
        sums.add(one);
    }
    let mut table = VendorTable {
        used: used.len() as u64,
        in_visma: of.reference.suppliers.len() as u64,
        ..VendorTable::default()
    };
    let mut matched_by: BTreeMap<String, u64> = BTreeMap::new();
    for (key, (documents, sums)) in used {
        let Some(vendor) = of.vendors.get(key) else { continue };
        match &vendor.standing {
            VendorStanding::Matched(by) => {
                table.matched += 1;
                let by = by.first().map_or("", String::as_str);
                *matched_by.entry(kind_of_identifier(by)).or_default() += 1;
            }
            VendorStanding::Unmatched { why, .. } => table.unmatched.push(UnmatchedVendor {
                vendor: vendor.shown.clone(),
                why: why.clone(),
                documents,
                money: sums.told(),
                suggestions: candidates(&vendor.standing),
            }),
        }
    }
    table.matched_by = matched_by.into_iter().collect();
    table.matched_by.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    table
        .unmatched
        .sort_by(|a, b| b.documents.cmp(&a.documents).then_with(|| a.vendor.cmp(&b.vendor)));
    table
}

/// `organisation number 988077917` without its number.
fn kind_of_identifier(by: &str) -> String {
    let words = by.split(' ').take_while(|word| !word.chars().any(|c| c.is_ascii_digit()));
    let kind = words.collect::<Vec<_>>().join(" ");
    if kind.is_empty() { "number".to_owned() } else { kind }
}

fn candidates(standing: &VendorStanding) -> Vec<Suggested> {
    let candidates = match standing {
        VendorStanding::Matched(_) => return Vec::new(),
        VendorStanding::Unmatched { candidates, .. } => candidates,
    };
    let of = |of: &Candidate| Suggested {
        value: of.supplier.clone(),
        name: of.name.clone(),
        score: of.score,
        because: of.reasons.join(", "),
    };
    candidates.iter().map(of).collect()
}

fn suggestions(code: &NamedCode, of: &Surroundings<'_>) -> Vec<Suggested> {
    let found = suggest(code, of.tables, of.reference).into_iter();
    let told = found.map(|of| Suggested {
        value: of.value,
        name: of.description,
        score: u32::from(of.score),
        because: of.reason,
    });
    told.collect()
}

/// One code over all documents.
#[derive(Default)]
struct Use {
    lacks_a_place: bool,
    documents: u64,
    sums: Sums,
}

fn codes(inside: &[&Judged], of: &Surroundings<'_>) -> Vec<CodeTable> {
    let mut used: BTreeMap<&NamedCode, Use> = BTreeMap::new();
    for one in inside {
        let held_by: BTreeSet<&str> = match &one.fate {
            Fate::Held(holds) => holds.iter().map(|hold| hold.code.as_str()).collect(),
            _ => BTreeSet::new(),
        };
        for (code, has_a_place) in &one.codes {
            let of_code = used.entry(code).or_default();
            let stopped =
                !has_a_place && code.holds_as().iter().any(|as_code| held_by.contains(as_code));
            // A code without a place may be decided by the coding table: what was judged says so.
            // What was not judged yet says nothing, and without a coding table the place decides.
            let judged = !matches!(one.fate, Fate::NotRipe | Fate::Unread | Fate::Ignored(_));
            let open = !has_a_place && !judged && of.tables.coding.is_empty();
            of_code.lacks_a_place |= stopped || open;
            if stopped || open {
                of_code.documents += 1;
                of_code.sums.add(one);
            }
        }
    }
    let mut tables: BTreeMap<Place, Vec<Used>> = BTreeMap::new();
    for table in [
        TableName::Accounts,
        TableName::Vat,
        TableName::Terms,
        TableName::Units,
        TableName::Branches,
    ] {
        tables.insert((table, None), Vec::new());
    }
    let ruled = of.tables.segments.iter().map(|rule| rule.id);
    for id in ruled.chain(of.reference.segments.keys().copied()) {
        tables.insert((TableName::Segments, Some(id)), Vec::new());
    }
    for (code, of_code) in used {
        tables.entry((code.table, code.segment)).or_default().push((code, of_code));
    }
    let table = |((table, segment), used): (Place, Vec<Used>)| {
        let all = used.len() as u64;
        let mut unmatched: Vec<UnmatchedCode> = used
            .into_iter()
            .filter(|(_, of_code)| of_code.lacks_a_place)
            .map(|(code, of_code)| UnmatchedCode {
                code: code.code.clone(),
                documents: of_code.documents,
                money: of_code.sums.told(),
                suggestions: suggestions(code, of),
            })
            .collect();
        unmatched.sort_by(|a, b| b.documents.cmp(&a.documents).then_with(|| a.code.cmp(&b.code)));
        CodeTable {
            table: table.as_str(),
            segment,
            title: title(table, segment, of.reference),
            used: all,
            matched: all - unmatched.len() as u64,
            in_visma: in_visma(table, segment, of.reference),
            unmatched,
        }
    };
    tables.into_iter().map(table).collect()
}

/// A table, and of segments which one.
type Place = (TableName, Option<i64>);
type Used<'a> = (&'a NamedCode, Use);

fn title(table: TableName, segment: Option<i64>, reference: &ReferenceData) -> String {
    let plain = match table {
        TableName::Accounts => "Accounts",
        TableName::Vat => "VAT codes",
        TableName::Terms => "Payment terms",
        TableName::Units => "Units",
        TableName::Branches => "Branches",
        TableName::Projects => "Projects",
        TableName::Coding => "Coding",
        TableName::Combinations => "Combinations",
        TableName::Segments => {
            let id = segment.unwrap_or_default();
            let name = reference.segments.get(&id).map(|of| of.description.trim());
            return match name.filter(|name| !name.is_empty()) {
                Some(name) => format!("Segment {id} ({name})"),
                None => format!("Segment {id}"),
            };
        }
    };
    plain.to_owned()
}

/// Values that may be used there.
fn in_visma(table: TableName, segment: Option<i64>, reference: &ReferenceData) -> Option<u64> {
    Some(match table {
        TableName::Accounts => count(reference.accounts.values().filter(|of| of.active)),
        TableName::Vat => count(reference.vat_categories.values().filter(|of| of.active)),
        TableName::Terms => reference.credit_terms.len() as u64,
        TableName::Branches => count(reference.branches.values().filter(|of| of.active)),
        TableName::Segments => {
            let of = reference.segments.get(&segment?)?;
            count(of.values.values().filter(|of| of.active))
        }
        TableName::Units | TableName::Projects | TableName::Coding | TableName::Combinations => {
            return None;
        }
    })
}

#[cfg(test)]
mod tests;
