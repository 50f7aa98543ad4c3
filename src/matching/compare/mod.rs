//! The comparison itself. The rules in words, numbered, are `docs/matching.md`.

mod billing;
mod line;
mod price;
mod receipts;
mod words;

use super::position::{Beyond, Bill, Claim, Comparison, Deviation, Position};
use super::{Facts, Limit, MatchRules};
use crate::procurement::InvoiceKind;
use line::LineComparison;
use rust_decimal::Decimal;
use words::{money, passes, round};

/// Compares an invoice with the order lines that it bills.
pub fn compare(bill: &Bill, positions: &[Position], rules: &MatchRules) -> Comparison {
    let mut out = Comparison::default();
    let mut found: Vec<(Side, Beyond)> = Vec::new();
    let mut over = bill.charges.amount().max(Decimal::ZERO);
    let mut net = Decimal::ZERO;
    for (index, position) in positions.iter().enumerate() {
        let mut claims: Vec<&Claim> =
            bill.claims.iter().filter(|claim| claim.position == index).collect();
        if claims.is_empty() {
            continue;
        }
        claims.sort_by(|a, b| (&a.key, &a.number).cmp(&(&b.key, &b.number)));
        let facts = Facts {
            vendor: &bill.supplier,
            category: position.category.as_deref(),
            account: position.account.as_deref(),
            kind: position.kind,
        };
        let mut line = LineComparison::new(bill, position, &claims, rules, rules.policy(facts));
        line.run();
        over += line.over;
        if !line.skipped {
            net += claims.iter().map(|claim| claim.net.amount()).sum::<Decimal>();
        }
        found.append(&mut line.beyond());
        out.lines.append(&mut line.compared);
        out.missing.append(&mut line.missing);
        out.remarks.append(&mut line.remarks);
    }
    if bill.kind == InvoiceKind::Invoice && out.lines.iter().any(|line| !line.skipped) {
        found.extend(whole(bill, net, rules));
    }
    let small = rules.small_difference.get(&bill.currency).copied();
    for (side, beyond) in found {
        if side == Side::Over && small.is_some_and(|small| over <= small) {
            out.remarks.push(passes(&beyond));
        } else {
            out.beyond.push(beyond);
        }
    }
    out.lines.sort_by(|a, b| (&a.key, &a.number).cmp(&(&b.key, &b.number)));
    out.remarks.sort();
    out.beyond.sort();
    out.missing.sort();
    out
}

/// What the charges and the invoice in all deviate by.
fn whole(bill: &Bill, net: Decimal, rules: &MatchRules) -> Vec<(Side, Beyond)> {
    let currency = bill.currency;
    let mut found = Vec::new();
    let mut limited = |what, limit: &Limit, amount: Decimal, base: Decimal, how: String| {
        let Some(allowed) = limit.allowed(base, Decimal::ONE, currency) else { return };
        let most = round(allowed, currency.decimals());
        if amount > most {
            let (limit, beyond) = (limit.shown(currency), money(amount - most, currency));
            let how = format!("{how}, limit {limit}, {beyond} over");
            found.push((Side::Over, Beyond { what, at: "The invoice".into(), how }));
        }
    };
    let charges = bill.charges.amount();
    if let Some(limit) = rules.of_document(&bill.supplier, |of| of.charge_over.as_ref()) {
        let how = format!("charges of {} that are not on the order", bill.charges);
        limited(Deviation::ChargeOver, limit, charges, net, how);
    }
    if let Some(limit) = rules.of_document(&bill.supplier, |of| of.header_over.as_ref()) {
        let (total, left) = (net + charges, bill.left_on_orders);
        let how = format!("{} against {left} left on the order", money(total, currency));
        limited(Deviation::HeaderOver, limit, total - left.amount(), left.amount(), how);
    }
    found
}

/// What a small difference may let pass: only together with others of its side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Over,
    Under,
    Never,
}
