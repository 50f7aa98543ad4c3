//! Whether amounts add up as the profile reads them. Where they do not, a field is another than
//! the profile thinks.

use crate::procurement::{Money, PurchaseOrder, SupplierInvoice, TaxLine};
use rust_decimal::Decimal;
use serde::Serialize;
use std::collections::BTreeMap;

/// In how many documents or lines a sum holds.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub struct SumCheck {
    /// E.g. `gross = net + tax`.
    pub sum: String,
    pub holds: u64,
    pub of: u64,
    /// The first that does not: what it is and by how much.
    pub example: Option<String>,
}

#[derive(Default)]
pub(super) struct Sums {
    checks: BTreeMap<&'static str, SumCheck>,
    /// Bare amounts seen, and those among them that have no part of a unit.
    amounts: u64,
    whole: u64,
    /// Lines whose tax was counted as if the net held it.
    taxed_documents: u64,
    lines_are_gross: u64,
    hundredfold: u64,
}

impl Sums {
    fn check(&mut self, sum: &'static str, what: &str, left: Decimal, right: Decimal) {
        self.check_within(sum, what, left, right, Decimal::new(1, 2));
    }

    fn check_within(
        &mut self,
        sum: &'static str,
        what: &str,
        left: Decimal,
        right: Decimal,
        allowed: Decimal,
    ) {
        let entry = self.checks.entry(sum).or_insert_with(|| SumCheck {
            sum: sum.to_owned(),
            holds: 0,
            of: 0,
            example: None,
        });
        entry.of += 1;
        if (left - right).abs() <= allowed {
            entry.holds += 1;
        } else if entry.example.is_none() {
            entry.example = Some(format!("{what}: {} and {}", left.normalize(), right.normalize()));
        }
    }

    fn amount(&mut self, amount: Money) {
        if amount.currency.decimals() > 0 && !amount.is_zero() {
            self.amounts += 1;
            self.whole += u64::from(amount.amount().fract().is_zero());
        }
    }

    pub(super) fn add_invoice(&mut self, invoice: &SupplierInvoice) {
        let what = format!("invoice {}", invoice.number);
        let charges: Decimal = invoice.charges.iter().map(|charge| charge.amount.amount()).sum();
        let lines: Decimal = invoice.lines.iter().map(|line| line.net.amount()).sum();
        let line_tax: Option<Decimal> = invoice
            .lines
            .iter()
            .flat_map(|line| &line.taxes)
            .map(|tax| tax.amount.map(|amount| amount.amount()))
            .sum();
        let gross = invoice.gross.amount();
        self.amount(invoice.gross);
        let tax = invoice.tax.map(|tax| tax.amount());
        if let (Some(net), Some(tax)) = (invoice.net, tax) {
            self.check("gross = net + tax", &what, gross, net.amount() + tax);
        } else if let Some(tax) = tax {
            self.check("gross = lines + charges + tax", &what, gross, lines + charges + tax);
        }
        if let Some(net) = invoice.net {
            self.check("net = lines + charges", &what, net.amount(), lines + charges);
        }
        if let Some(tax) = tax.or(line_tax)
            && !tax.is_zero()
        {
            self.taxed_documents += 1;
            self.lines_are_gross += u64::from(lines + charges == gross);
        }
        for line in &invoice.lines {
            let what = format!("{what}, line {}", line.number);
            self.line(&what, line.quantity, line.unit_price, line.price_basis, line.net);
            self.tax(&what, line.net, &line.taxes);
        }
    }

    pub(super) fn add_order(&mut self, order: &PurchaseOrder) {
        let what = format!("order {}", order.number);
        let in_force = order.lines.iter().filter(|line| !line.cancelled);
        let lines: Decimal = in_force.map(|line| line.net.amount()).sum();
        if let Some(net) = order.net {
            self.amount(net);
            self.check("net = lines", &what, net.amount(), lines);
        }
        for line in &order.lines {
            let what = format!("{what}, line {}", line.number);
            self.line(&what, line.quantity, line.unit_price, line.price_basis, line.net);
            self.tax(&what, line.net, &line.taxes);
        }
    }

    fn line(
        &mut self,
        what: &str,
        quantity: Option<Decimal>,
        price: Option<Decimal>,
        basis: Option<Decimal>,
        net: Money,
    ) {
        self.amount(net);
        let (Some(quantity), Some(price)) = (quantity, price) else { return };
        let basis = basis.filter(|basis| !basis.is_zero()).unwrap_or(Decimal::ONE);
        let Some(reckoned) = quantity.checked_mul(price).and_then(|of| of.checked_div(basis))
        else {
            return;
        };
        // A credit note has its sign in the quantity or in the price.
        let (reckoned, net) = (reckoned.abs(), net.amount().abs());
        let hundred = Decimal::ONE_HUNDRED;
        if !net.is_zero() && (reckoned == net * hundred || reckoned * hundred == net) {
            self.hundredfold += 1;
        }
        self.check("line net = quantity × price", what, net, reckoned);
    }

    fn tax(&mut self, what: &str, net: Money, taxes: &[TaxLine]) {
        let [only] = taxes else { return };
        let (Some(rate), Some(amount)) = (only.rate, only.amount) else { return };
        let base = only.base.unwrap_or(net).amount();
        let Some(tax) = base.checked_mul(rate) else { return };
        // Rounded to the unit of the currency, and by some to the crown.
        let unit = Decimal::new(1, net.currency.decimals());
        let reckoned = tax / Decimal::ONE_HUNDRED;
        self.check_within("line tax = net × rate", what, amount.amount(), reckoned, unit);
    }

    pub(super) fn checks(self) -> Vec<SumCheck> {
        self.checks.into_values().collect()
    }

    pub(super) fn hints(&self) -> Vec<String> {
        let mut hints = Vec::new();
        if self.amounts >= 8 && self.whole == self.amounts {
            hints.push(format!(
                "all {} amounts are whole: if the source writes øre or cents, say `money = \
                 \"minor_units\"`",
                self.amounts
            ));
        }
        if self.taxed_documents > 0 && self.lines_are_gross * 2 > self.taxed_documents {
            hints.push(format!(
                "in {} of {} taxed invoices the lines add up to the gross: line amounts probably \
                 include tax; see `prices_include_tax`",
                self.lines_are_gross, self.taxed_documents
            ));
        }
        if self.hundredfold > 0 {
            hints.push(format!(
                "on {} lines quantity × price is a hundred times the net, or a hundredth: one of \
                 them is in minor units and the other is not, or the price is for a hundred",
                self.hundredfold
            ));
        }
        hints
    }
}
