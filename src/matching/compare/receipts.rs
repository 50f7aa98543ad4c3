//! What is billed in all, against what was received.

use super::Side;
use super::line::{LineComparison, Total};
use super::words::{at, money, plain, round, unit};
use crate::matching::position::{Deviation, Missing};
use crate::matching::{MatchMode, QuantityLimit};
use crate::procurement::OrderLineKind;
use rust_decimal::Decimal;

impl LineComparison<'_> {
    pub(super) fn needs_receipt(&self, total: &Total) -> bool {
        let adds = total.net_now > Decimal::ZERO || total.quantity_now > Decimal::ZERO;
        let kind = match self.position.kind {
            OrderLineKind::Goods | OrderLineKind::Unspecified => true,
            OrderLineKind::Service | OrderLineKind::Limit => self.rules.receipts_for_services,
        };
        let least = self.policy.no_receipt_below.and_then(|of| of.get(&self.bill.currency));
        self.policy.mode == MatchMode::ThreeWay
            && adds
            && kind
            && least.is_none_or(|least| total.net >= *least)
    }

    pub(super) fn receipts(&mut self, total: &Total) -> Option<String> {
        let (received, currency) = (&self.position.received, self.bill.currency);
        if let Some(from) = &received.unknown_unit {
            let to = unit(&self.position.unit);
            let how = format!(
                "what was received in {from} cannot be converted into {to} of {}",
                self.position.shown
            );
            self.add(Side::Never, Deviation::UnitNotConvertible, at(self.claims), how.clone());
            return Some(how);
        }
        let nothing = QuantityLimit::default();
        let limit = self.policy.quantity_over.unwrap_or(&nothing);
        let in_quantity = total.by_quantity && !total.by_amount && received.amount.is_zero();
        let (needed, arrived, allowed) = if in_quantity {
            (total.quantity, received.quantity, limit.allowed(received.quantity))
        } else {
            let value = |quantity| self.position.value(quantity).unwrap_or_default();
            let needed = match total.by_quantity && !total.by_amount {
                true => value(total.quantity),
                false => total.net,
            };
            let arrived = value(received.quantity) + received.amount;
            let limit = QuantityLimit { quantity: limit.quantity.map(value), ..limit.clone() };
            (needed, arrived, limit.allowed(arrived))
        };
        let show = |number: Decimal| match in_quantity {
            true => plain(number),
            false => money(round(number, currency.decimals()), currency),
        };
        let text = format!("{} billed, {} received", show(needed), show(arrived));
        let short = allowed.map(|allowed| needed - arrived - allowed);
        match short.filter(|short| *short > Decimal::ZERO) {
            Some(short) => {
                let how = format!("{text}: {} more must arrive", show(short));
                self.missing.push(Missing {
                    order: self.position.order.clone(),
                    at: at(self.claims),
                    how: how.clone(),
                });
                Some(how)
            }
            None => Some(text),
        }
    }
}
