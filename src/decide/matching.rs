//! One invoice's lines, brought into the form in which they are compared, and what comes of it.

use super::hold::at_line;
use super::link::{Billing, Linked, Order};
use super::positions::billed;
use super::{Hold, Inputs, MatchKind, MatchedLine, Wait, WaitFor, header};
use crate::matching::{Bill, Claim, Facts, MatchMode, Position, amount, best_fit, compare};
use crate::procurement::{
    ChargeKind, Contract, ErpOrder, ErpOrderLine, InvoiceKind, InvoiceLine, Money, OrderLineKind,
    OrderLineRef, SupplierInvoice,
};
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// The comparison of one invoice while its lines are gathered.
pub(super) struct Matching<'a, 'd> {
    invoice: &'d SupplierInvoice,
    supplier: &'d str,
    inputs: &'d Inputs<'a>,
    claims: Vec<Claim>,
    positions: Vec<Position>,
    /// The contract that each position draws on.
    contracts: Vec<Option<String>>,
    /// The ERP's order number and line to the position.
    places: BTreeMap<(String, i64), usize>,
    /// Of the orders that lines are compared with: what is left to bill.
    left: BTreeMap<String, Money>,
    unmatched: Vec<MatchedLine>,
    holds: Vec<Hold>,
}

impl<'a, 'd> Matching<'a, 'd> {
    pub fn new(invoice: &'d SupplierInvoice, supplier: &'d str, inputs: &'d Inputs<'a>) -> Self {
        Self {
            invoice,
            supplier,
            inputs,
            claims: Vec::new(),
            positions: Vec::new(),
            contracts: Vec::new(),
            places: BTreeMap::new(),
            left: BTreeMap::new(),
            unmatched: Vec::new(),
            holds: Vec::new(),
        }
    }

    pub fn not_matched(&mut self, line: &InvoiceLine, why: &str) {
        self.unmatched.push(MatchedLine {
            key: line.key.clone(),
            line: line.number.clone(),
            kind: MatchKind::NotMatched,
            order: None,
            quantity: None,
            net: line.net,
            text: why.to_owned(),
        });
    }

    /// A line that names no order; a rule may demand one.
    pub fn without_order(&mut self, line: &InvoiceLine, own: &[&Billing]) {
        self.not_matched(line, "names no order: posted by its own coding");
        if self.invoice.kind == InvoiceKind::CreditNote {
            return;
        }
        let facts = Facts {
            vendor: self.supplier,
            category: line.commodity.as_deref(),
            account: one_account(own),
            kind: OrderLineKind::Unspecified,
        };
        let policy = self.inputs.rules.matching.policy(facts);
        if !policy.order_required {
            return;
        }
        let currency = self.invoice.currency;
        let from = policy.order_required_from.and_then(|from| from.get(&currency)).copied();
        let unnamed =
            self.invoice.lines.iter().filter(|line| {
                line.order.as_ref().is_none_or(|of| of.order_number.trim().is_empty())
            });
        let total: Decimal = unnamed.map(|line| line.net.amount()).sum();
        let mut of = vec![format!("what supplier {} bills", self.supplier)];
        of.extend(facts.account.map(|account| format!("on account {account}")));
        of.extend(facts.category.map(|category| format!("of commodity {category}")));
        let of = of.join(" ");
        let why = match from {
            Some(from) if total < from => return,
            Some(from) => format!("{of} must from {from} {currency} on"),
            None => format!("{of} must"),
        };
        self.holds.push(Hold::order_required(&at_line(&line.number), &why));
    }

    /// A line whose order line cannot be told.
    pub fn line_not_found(&mut self, line: &InvoiceLine, of: &OrderLineRef, order: &Order<'_>) {
        let (at, number) = (at_line(&line.number), order.target.number);
        let names_a_line = of.line_key.is_some() || of.line_number.is_some();
        let positions: Vec<&Position> = order.lines.iter().map(|line| &line.position).collect();
        let hold = match best_fit(line, &positions) {
            Some(best) if !names_a_line => {
                let quantity = best.quantity.map(|of| format!("{} ", of.normalize()));
                let best = format!(
                    "{} ({}{}, {})",
                    best.shown,
                    quantity.unwrap_or_default(),
                    best.description,
                    best.net
                );
                Hold::order_line_unclear(&at, number, &best)
            }
            Some(_) | None => Hold::order_line_unknown(&at, number, of.line_number.as_deref()),
        };
        self.not_matched(line, &hold.text);
        if self.invoice.kind == InvoiceKind::Invoice {
            self.holds.push(hold);
        }
    }

    /// A line that bills these lines of the order in the ERP.
    pub fn claim(&mut self, line: &InvoiceLine, order: &Order<'_>, lines: &[&ErpOrderLine]) {
        let erp = order.target.erp;
        let first = lines.first().map(|line| line.number);
        let Some(ordered) =
            order.lines.iter().find(|of| first.is_some_and(|first| of.numbers.contains(&first)))
        else {
            return self.not_matched(line, "its order line is cancelled in Visma");
        };
        let place = (erp.number.clone(), ordered.position.line);
        let index = *self.places.entry(place).or_insert_with(|| {
            self.positions.push(ordered.position.clone());
            self.contracts.push(ordered.contract.map(str::to_owned));
            self.positions.len() - 1
        });
        // The order may not say the category or the item; then the invoice does. The
        // least key speaks for several lines, whatever their order.
        let position = &mut self.positions[index];
        let speaks = self.claims.iter().all(|of| of.position != index || of.key > line.key);
        if ordered.position.category.is_none() && speaks {
            position.category.clone_from(&line.commodity);
        }
        if ordered.position.item.is_none() && speaks {
            position.item.clone_from(&line.item);
        }
        self.left.entry(erp.number.clone()).or_insert_with(|| left(erp, self.inputs));
        self.claims.push(Claim {
            key: line.key.clone(),
            number: line.number.clone(),
            position: index,
            quantity: line.quantity,
            unit: line.unit.clone(),
            unit_price: line.unit_price,
            price_basis: line.price_basis,
            net: line.net,
        });
    }

    /// Compares what was gathered.
    pub fn compare(mut self, linked: &mut Linked) {
        let currency = self.invoice.currency;
        let charges = self.invoice.charges.iter().filter(|charge| match charge.kind {
            ChargeKind::Shipping | ChargeKind::Handling | ChargeKind::Other => true,
            ChargeKind::Discount | ChargeKind::Rounding => false,
        });
        let add = |sum: Money, more: Money| sum.checked_add(more).unwrap_or(sum);
        let zero = Money::zero(currency);
        let bill = Bill {
            kind: self.invoice.kind,
            supplier: self.supplier.to_owned(),
            currency,
            claims: std::mem::take(&mut self.claims),
            charges: charges.map(|charge| charge.amount).fold(zero, add),
            left_on_orders: self.left.values().copied().fold(zero, add),
        };
        let rules = &self.inputs.rules.matching;
        let found = compare(&bill, &self.positions, rules);
        self.contracts(&bill);
        linked.holds.append(&mut self.holds);
        linked.holds.extend(found.beyond.iter().map(Hold::beyond));
        linked.waits.extend(found.missing.into_iter().map(|missing| Wait {
            on: WaitFor::Receipt(missing.order),
            text: format!("{}: {}.", missing.at, missing.how),
        }));
        linked.remarks.extend(found.remarks);
        linked.matches = self.unmatched;
        linked.matches.extend(found.lines.into_iter().filter_map(|line| {
            let position = self.positions.get(line.position)?;
            Some(MatchedLine {
                key: line.key,
                line: line.number,
                kind: match (line.skipped, line.three_way) {
                    (true, _) => MatchKind::NotMatched,
                    (false, true) => MatchKind::ThreeWay,
                    (false, false) => MatchKind::TwoWay,
                },
                order: Some((position.order.clone(), position.line)),
                quantity: line.quantity,
                net: line.net,
                text: line.text,
            })
        }));
        linked.matches.sort_by(|a, b| (&a.key, &a.line).cmp(&(&b.key, &b.line)));
    }

    /// The contracts that the billed order lines draw on.
    fn contracts(&mut self, bill: &Bill) {
        if self.invoice.kind == InvoiceKind::CreditNote {
            return;
        }
        let mut drawn: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (index, contract) in self.contracts.iter().enumerate() {
            let facts = Facts {
                vendor: self.supplier,
                category: self.positions[index].category.as_deref(),
                account: self.positions[index].account.as_deref(),
                kind: self.positions[index].kind,
            };
            if let Some(contract) = contract
                && self.inputs.rules.matching.policy(facts).mode != MatchMode::Off
            {
                drawn.entry(contract).or_default().push(index);
            }
        }
        for (number, positions) in drawn {
            let Some(contract) = self.inputs.history.contracts.get(number) else { continue };
            let at = positions
                .iter()
                .map(|index| self.positions[*index].shown.as_str())
                .collect::<Vec<_>>()
                .join(", ");
            let at = format!("The invoice bills {at}");
            let mut holds = Vec::new();
            for why in self.not_valid(contract) {
                holds.push(Hold::contract_not_valid(&at, number, &why));
            }
            if let Some(how) = self.over_ceiling(contract, &positions, bill) {
                holds.push(Hold::ceiling_exceeded(&at, &how));
            }
            self.holds.append(&mut holds);
        }
    }

    fn not_valid(&self, contract: &Contract) -> Vec<String> {
        let on = self.invoice.invoiced_on;
        let mut faults = Vec::new();
        if !contract.in_force {
            faults.push("which is not in force".to_owned());
        }
        if let Some(starts_on) = contract.starts_on
            && on < starts_on
        {
            faults.push(format!("which begins on {starts_on}; the invoice is of {on}"));
        }
        if let Some(ends_on) = contract.ends_on
            && on > ends_on
        {
            faults.push(format!("which ended on {ends_on}; the invoice is of {on}"));
        }
        let business_unit = self.invoice.business_unit.as_deref();
        let theirs = header::supplier(
            &contract.vendor,
            business_unit,
            self.inputs,
            &mut Vec::new(),
            &mut Vec::new(),
        );
        let (agreed, billing) = (&contract.vendor.source_id, &self.invoice.vendor.source_id);
        match theirs {
            Some(theirs) if theirs.number != self.supplier => faults.push(format!(
                "which is with supplier {} ({}), not {}",
                theirs.number, theirs.name, self.supplier
            )),
            None if agreed.is_some() && billing.is_some() && agreed != billing => {
                let name = contract.vendor.name.as_deref().unwrap_or("another");
                faults.push(format!("which is with another supplier ({name})"));
            }
            Some(_) | None => {}
        }
        faults
    }

    fn over_ceiling(
        &self,
        contract: &Contract,
        positions: &[usize],
        bill: &Bill,
    ) -> Option<String> {
        let ceiling = contract.ceiling.filter(|of| of.currency == bill.currency)?;
        let now: Decimal = bill
            .claims
            .iter()
            .filter(|claim| positions.contains(&claim.position))
            .map(|claim| claim.net.amount())
            .sum();
        let known: Decimal =
            positions.iter().map(|index| self.positions[*index].billed.net.amount()).sum();
        let said = contract.consumed.filter(|of| of.currency == bill.currency);
        let before = said.map_or(known, |said| said.amount().max(known));
        let over = before + now - ceiling.amount();
        (over > Decimal::ZERO && now > Decimal::ZERO).then(|| {
            let currency = bill.currency;
            format!(
                "{now} {currency} on top of {before} {currency} spent before, against the {ceiling} \
                 of contract {}, {over} {currency} over",
                contract.number
            )
        })
    }
}

fn one_account<'b>(own: &[&'b Billing]) -> Option<&'b str> {
    let first = own.first()?.line.account.as_str();
    own.iter().all(|billing| billing.line.account == first).then_some(first)
}

/// What is left to bill on an order.
fn left(erp: &ErpOrder, inputs: &Inputs<'_>) -> Money {
    let before = billed(inputs.history, erp, |_| true);
    let lines = erp.lines.iter().filter(|line| !line.cancelled);
    let sum = lines
        .filter_map(|line| amount(line, erp))
        .try_fold(Money::zero(erp.currency), |sum, more| sum.checked_add(more).ok());
    let net = erp.net.or(sum).unwrap_or(Money::zero(erp.currency));
    net.checked_add(before.net.negated()).unwrap_or(net)
}

/// An invoice without lines that names an order, shown beside it.
pub(super) fn header_only(invoice: &SupplierInvoice, inputs: &Inputs<'_>) -> Option<Hold> {
    let number = invoice.order_number.as_deref().map(str::trim).filter(|of| !of.is_empty())?;
    let known = inputs.history.orders.get(number).and_then(|known| known.erp.as_ref());
    let total = match invoice.net {
        Some(net) => format!("{net} net"),
        None => format!("{} gross", invoice.gross),
    };
    let how = match known {
        Some(erp) => format!(
            "{total} against {} left to bill on it in Visma ({})",
            left(erp, inputs),
            erp.number
        ),
        None => format!("{total}, and the order is not in Visma"),
    };
    Some(Hold::header_only(number, &how))
}
