use super::difference::{self, Words};
use super::{Booked, Difference, DifferenceKind, Listed, Of, Own, Owner, Period, Standing};
use crate::procurement::{Currency, DocumentKind, Money};
use std::collections::{BTreeMap, BTreeSet};

/// Documents and their money, in minor units of the line's currency.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sum {
    pub count: i64,
    pub minor: i64,
}

impl Sum {
    fn add(&mut self, count: i64, minor: i64) {
        self.count = self.count.saturating_add(count);
        self.minor = self.minor.saturating_add(minor);
    }
}

/// What one line sums up.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LineKey {
    pub source: String,
    pub connection: String,
    pub company: String,
    pub of: Of,
    /// `None`: not known, so there is no money in it.
    pub currency: Option<Currency>,
}

/// The three books of one currency. Always:
///
/// - `seen = posted + held + ignored + in_flight`,
/// - `jaggaer = seen + coming - unlisted` and by how much the differences to JAGGAER are off,
/// - `visma = posted + on_its_way - not_shown + taken_back + closed_lines` and by how much those to
///   Visma are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Line {
    pub seen: Sum,
    pub posted: Sum,
    pub held: Sum,
    pub ignored: Sum,
    pub in_flight: Sum,
    /// What JAGGAER lists.
    pub jaggaer: Sum,
    /// What of ours Visma lists, and what carries our key.
    pub visma: Sum,
    /// Listed by JAGGAER, and so new that the next poll brings it.
    pub coming: Sum,
    /// Ours, but JAGGAER's list as it was asked for could not show it.
    pub unlisted: Sum,
    /// In Visma already, and not posted yet here: in flight.
    pub on_its_way: Sum,
    /// Posted, but Visma's list as it was asked for need not show it.
    pub not_shown: Sum,
    /// Invoices that were corrected, and the credit notes that took them back: nothing together.
    pub taken_back: Sum,
    /// By how much orders are less in Visma because lines of them were closed there.
    pub closed_lines: Sum,
    /// How many differences begin here, and the sum of what they are off, each without its sign.
    pub differences: Sum,
}

/// What people keyed into Visma: told apart, and no difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ByHand {
    pub company: String,
    pub of: Of,
    pub currency: Option<Currency>,
    pub sum: Sum,
}

/// What the three books say of one period.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    pub period: Period,
    pub lines: Vec<(LineKey, Line)>,
    pub differences: Vec<Difference>,
    pub by_hand: Vec<ByHand>,
}

impl Statement {
    pub fn balances(&self) -> bool {
        self.differences.is_empty()
    }
}

/// Holds the three lists against each other. Each names a document once; their order means nothing. A
/// document belongs to a period by its own date as we know it; else as JAGGAER lists it; else by the day that it
/// was received, or changed.
pub fn reconcile(period: Period, listed: &[Listed], own: &[Own], booked: &[Booked]) -> Statement {
    let rows: BTreeMap<&str, &Listed> = listed.iter().map(|row| (row.id.as_str(), row)).collect();
    let known: BTreeSet<&str> = own.iter().map(|of| of.id.as_str()).collect();
    let mut stands: BTreeMap<&str, Vec<&Booked>> = BTreeMap::new();
    for row in booked {
        if let Owner::Document(id) = &row.owner {
            stands.entry(id).or_default().push(row);
        }
    }
    let mut books = Books::default();
    for of in own {
        let row = rows.get(of.id.as_str()).copied();
        let day = of.on.or_else(|| row.and_then(|row| row.on)).unwrap_or(of.received_on);
        if period.holds(day) {
            books.ours(of);
            books.of_jaggaer(of, row);
            let mut found = stands.remove(of.id.as_str()).unwrap_or_default();
            found.sort_by(|a, b| (&a.document_type, &a.number).cmp(&(&b.document_type, &b.number)));
            books.of_visma(of, &found);
        }
    }
    for row in listed.iter().filter(|row| !known.contains(row.id.as_str())) {
        // A list without dates and stamps says nothing of when: it counts wherever it is looked at.
        if row.on.or(row.changed_on).is_none_or(|day| period.holds(day)) {
            books.stranger_of_jaggaer(row);
        }
    }
    for row in booked.iter().filter(|row| row.is_live && period.holds_of_visma(row.on)) {
        match &row.owner {
            Owner::Document(_) => {}
            Owner::Unknown => books.stranger_of_visma(row),
            Owner::ByHand => books.by_hand(row),
        }
    }
    books.close(period)
}

/// The statement in the making.
#[derive(Default)]
struct Books {
    lines: BTreeMap<LineKey, Line>,
    differences: Vec<Difference>,
    by_hand: BTreeMap<(String, Of, Option<Currency>), Sum>,
}

impl Books {
    fn line(&mut self, key: &LineKey) -> &mut Line {
        self.lines.entry(key.clone()).or_default()
    }

    fn ours(&mut self, of: &Own) {
        let line = self.line(&key_of(of, of.amount));
        let minor = minor(of.amount);
        line.seen.add(1, minor);
        match of.standing {
            Standing::Posted => line.posted.add(1, minor),
            Standing::Held => line.held.add(1, minor),
            Standing::Ignored => line.ignored.add(1, minor),
            Standing::InFlight => line.in_flight.add(1, minor),
        }
    }

    fn of_jaggaer(&mut self, of: &Own, row: Option<&Listed>) {
        let key = key_of(of, of.amount);
        let Some(row) = row else {
            if of.is_listed {
                let off = vec![(key, Sum { count: -1, minor: -minor(of.amount) })];
                self.differ(DifferenceKind::OnlyWithUs, of, off, difference::only_with_us(of));
            } else {
                self.line(&key).unlisted.add(1, minor(of.amount));
            }
            return;
        };
        let same_row = row.row_hash == of.row_hash;
        // What we could not read we do not read here either: it is held for that.
        let theirs = if same_row && of.amount.is_none() { None } else { row.amount.or(of.amount) };
        self.line(&key_of(of, theirs)).jaggaer.add(1, minor(theirs));
        let off = off(of, of.amount, theirs);
        if same_row {
            if !off.is_empty() {
                let words = match &of.pruned {
                    Some(_) => difference::changed_after_pruning(of, row),
                    None => difference::amount_not_as_listed(of, row),
                };
                self.differ(DifferenceKind::AmountNotAsListed, of, off, words);
            }
        } else if row.is_coming {
            for (key, sum) in off {
                self.line(&key).coming.add(sum.count, sum.minor);
            }
        } else {
            let words = difference::revision_not_seen(of, row);
            self.differ(DifferenceKind::RevisionNotSeen, of, off, words);
        }
    }

    fn of_visma(&mut self, of: &Own, rows: &[&Booked]) {
        let ours = minor(of.amount);
        let key = key_of(of, of.amount);
        let (live, gone): (Vec<&Booked>, Vec<&Booked>) = rows.iter().partition(|row| row.is_live);
        let (taken_back, mut live): (Vec<&Booked>, Vec<&Booked>) =
            live.into_iter().partition(|row| row.is_taken_back);
        let left = self.taken_back(of, &taken_back);
        if of.standing != Standing::Posted {
            // What JAGGAER took back may stand closed in Visma: an order cannot be undone there.
            live.retain(|row| of.standing != Standing::Ignored || !row.is_over);
        }
        for row in &live {
            let amount = row.amount.or(of.amount);
            self.line(&key_of(of, amount)).visma.add(1, minor(amount));
        }
        match (of.standing, live.as_slice()) {
            (Standing::Posted, []) if of.is_moving || !of.is_shown => {
                self.line(&key).not_shown.add(1, ours);
            }
            (Standing::Posted, []) => {
                let off = vec![(key, Sum { count: -1, minor: -ours })];
                let words = difference::missing_in_visma(of, &gone);
                self.differ(DifferenceKind::MissingInVisma, of, off, words);
            }
            (Standing::Posted, [row]) => self.posted_once(of, row),
            (_, []) => {}
            (Standing::InFlight, [row]) => {
                let amount = row.amount.or(of.amount);
                self.line(&key_of(of, amount)).on_its_way.add(1, minor(amount));
            }
            (Standing::Held | Standing::Ignored, [row]) => {
                let amount = row.amount.or(of.amount);
                let off = vec![(key_of(of, amount), Sum { count: 1, minor: minor(amount) })];
                let words = difference::state_differs(of, &live);
                self.differ(DifferenceKind::StateDiffers, of, off, words);
            }
            (standing, [_, _, ..]) => {
                let mut sums: BTreeMap<LineKey, Sum> = BTreeMap::new();
                for row in &live {
                    let amount = row.amount.or(of.amount);
                    sums.entry(key_of(of, amount)).or_default().add(1, minor(amount));
                }
                if standing == Standing::Posted {
                    sums.entry(key).or_default().add(-1, -ours);
                }
                let off = sums.into_iter().collect();
                let words = difference::doubled_in_visma(of, &live);
                self.differ(DifferenceKind::DoubledInVisma, of, off, words);
            }
        }
        if of.is_moving {
            // The credit note is seen before it is known to stand.
            for (key, sum) in left {
                self.line(&key).on_its_way.add(sum.count, sum.minor);
            }
        } else if !left.is_empty() {
            let words = difference::amount_differs(of, &taken_back);
            self.differ(DifferenceKind::AmountDiffers, of, left, words);
        }
    }

    /// Pairs of a correction come to nothing; by how much they do not, if so.
    fn taken_back(&mut self, of: &Own, rows: &[&Booked]) -> Vec<(LineKey, Sum)> {
        let mut sums: BTreeMap<LineKey, i64> = BTreeMap::new();
        for row in rows {
            let key = key_of(of, row.amount);
            let line = self.line(&key);
            line.visma.add(1, minor(row.amount));
            line.taken_back.add(1, 0);
            let sum = sums.entry(key).or_default();
            *sum = sum.saturating_add(minor(row.amount));
        }
        let left = sums.into_iter().filter(|(_, minor)| *minor != 0);
        left.map(|(key, minor)| (key, Sum { count: 0, minor })).collect()
    }

    fn posted_once(&mut self, of: &Own, row: &Booked) {
        if let Some(reason) = &row.unreadable {
            let words = difference::unreadable_in_visma(of, row, reason);
            self.differ(DifferenceKind::UnreadableInVisma, of, Vec::new(), words);
            return;
        }
        let off = off(of, of.amount, row.amount.or(of.amount));
        let same_currency = row.amount.map(|of| of.currency) == of.amount.map(|of| of.currency);
        if off.is_empty() {
        } else if of.is_moving {
            for (key, sum) in off {
                self.line(&key).on_its_way.add(sum.count, sum.minor);
            }
        } else if row.has_closed_lines && same_currency {
            for (key, sum) in off {
                self.line(&key).closed_lines.add(sum.count, sum.minor);
            }
        } else {
            let words = difference::amount_differs(of, &[row]);
            self.differ(DifferenceKind::AmountDiffers, of, off, words);
        }
    }

    fn stranger_of_jaggaer(&mut self, row: &Listed) {
        let key = LineKey {
            source: row.source.clone(),
            connection: row.connection.clone(),
            company: row.company.clone(),
            of: Of::kind(row.kind),
            currency: row.amount.map(|amount| amount.currency),
        };
        let sum = Sum { count: 1, minor: minor(row.amount) };
        let line = self.line(&key);
        line.jaggaer.add(sum.count, sum.minor);
        if row.is_coming {
            line.coming.add(sum.count, sum.minor);
            return;
        }
        let (text, fix) = difference::only_in_jaggaer(row);
        self.push(Difference {
            kind: DifferenceKind::OnlyInJaggaer,
            source: row.source.clone(),
            connection: row.connection.clone(),
            company: row.company.clone(),
            document: None,
            document_kind: Some(row.kind),
            number: row.number.clone().unwrap_or_else(|| row.source_id.clone()),
            supplier: row.vendor.clone(),
            amount: row.amount,
            off: vec![(key, sum)],
            text,
            fix,
        });
    }

    fn stranger_of_visma(&mut self, row: &Booked) {
        let key = LineKey {
            source: String::new(),
            connection: String::new(),
            company: row.company.clone(),
            of: row.of,
            currency: row.amount.map(|amount| amount.currency),
        };
        let sum = Sum { count: 1, minor: minor(row.amount) };
        self.line(&key).visma.add(sum.count, sum.minor);
        let (text, fix) = difference::only_in_visma(row);
        let kind = match (row.of, row.amount) {
            (Of::Orders, _) => DocumentKind::PurchaseOrder,
            (Of::Invoices, Some(amount)) if amount.minor < 0 => DocumentKind::CreditNote,
            (Of::Invoices, _) => DocumentKind::SupplierInvoice,
        };
        self.push(Difference {
            kind: DifferenceKind::OnlyInVisma,
            source: String::new(),
            connection: String::new(),
            company: row.company.clone(),
            document: None,
            document_kind: Some(kind),
            number: row.name(),
            supplier: Some(row.supplier.clone()),
            amount: row.amount,
            off: vec![(key, sum)],
            text,
            fix,
        });
    }

    fn by_hand(&mut self, row: &Booked) {
        let currency = row.amount.map(|amount| amount.currency);
        let sum = self.by_hand.entry((row.company.clone(), row.of, currency)).or_default();
        sum.add(1, minor(row.amount));
    }

    fn differ(
        &mut self,
        kind: DifferenceKind,
        of: &Own,
        mut off: Vec<(LineKey, Sum)>,
        (text, fix): Words,
    ) {
        if off.is_empty() {
            // It is counted although no sum is off.
            off.push((key_of(of, of.amount), Sum::default()));
        }
        let text = match &of.pruned {
            Some(pruned) => format!("{text} {pruned}"),
            None => text,
        };
        self.push(Difference {
            kind,
            source: of.source.clone(),
            connection: of.connection.clone(),
            company: of.company.clone(),
            document: Some(of.id.clone()),
            document_kind: Some(of.kind),
            number: of.number.clone(),
            supplier: of.supplier.clone(),
            amount: of.amount,
            off,
            text,
            fix,
        });
    }

    fn push(&mut self, difference: Difference) {
        for (n, (key, sum)) in difference.off.iter().enumerate() {
            let line = self.lines.entry(key.clone()).or_default();
            line.differences.add(i64::from(n == 0), sum.minor.saturating_abs());
        }
        self.differences.push(difference);
    }

    fn close(mut self, period: Period) -> Statement {
        self.differences.sort_by(|a, b| {
            let key = |of: &Difference| {
                (
                    of.company.clone(),
                    of.connection.clone(),
                    of.kind,
                    of.number.clone(),
                    of.document.clone(),
                    of.text.clone(),
                )
            };
            key(a).cmp(&key(b))
        });
        let by_hand = self.by_hand.into_iter();
        Statement {
            period,
            lines: self.lines.into_iter().collect(),
            differences: self.differences,
            by_hand: by_hand
                .map(|((company, of, currency), sum)| ByHand { company, of, currency, sum })
                .collect(),
        }
    }
}

fn minor(amount: Option<Money>) -> i64 {
    amount.map_or(0, |amount| amount.minor)
}

/// The line of a document of ours for an amount, which may be in another currency than ours.
fn key_of(of: &Own, amount: Option<Money>) -> LineKey {
    LineKey {
        source: of.source.clone(),
        connection: of.connection.clone(),
        company: of.company.clone(),
        of: Of::kind(of.kind),
        currency: amount.map(|amount| amount.currency),
    }
}

/// By how much their sums are off ours for one document that both have. Empty: not at all.
fn off(of: &Own, ours: Option<Money>, theirs: Option<Money>) -> Vec<(LineKey, Sum)> {
    let (here, there) = (key_of(of, ours), key_of(of, theirs));
    if here == there {
        let minor = minor(theirs).saturating_sub(minor(ours));
        return if minor == 0 { Vec::new() } else { vec![(here, Sum { count: 0, minor })] };
    }
    vec![
        (here, Sum { count: -1, minor: -minor(ours) }),
        (there, Sum { count: 1, minor: minor(theirs) }),
    ]
}
