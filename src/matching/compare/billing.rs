//! What is billed in all, or given back, against what was ordered.

use super::Side;
use super::line::{LineComparison, Total};
use super::words::{at, money, plain, round};
use crate::matching::position::Deviation;
use crate::matching::{Limit, QuantityLimit};
use crate::procurement::OrderLineKind;
use rust_decimal::Decimal;

impl LineComparison<'_> {
    /// What a credit note gives back, against what was billed.
    pub(super) fn given_back(&mut self, total: &Total) -> Option<String> {
        let billed = &self.position.billed;
        let currency = self.bill.currency;
        let at = at(self.claims);
        let mut texts = Vec::new();
        if total.by_quantity && !billed.by_amount && total.quantity_now > Decimal::ZERO {
            let (back, before) = (total.quantity_now, billed.quantity);
            let mut text = format!("gives back {} of {} billed", plain(back), plain(before));
            if back > before {
                text = format!("{text}, {} too many", plain(back - before));
                self.over += self.worth(back - before);
                self.add(Side::Over, Deviation::QuantityOver, at.clone(), text.clone());
            }
            texts.push(text);
        }
        let before = billed.net.amount();
        let mut text =
            format!("gives back {} of {} billed", money(total.net_now, currency), billed.net);
        if total.net_now > before && total.net_now > Decimal::ZERO {
            let beyond = total.net_now - before;
            text = format!("{text}, {} too much", money(beyond, currency));
            self.over += beyond;
            self.add(Side::Over, Deviation::LineOver, at, text.clone());
        }
        texts.push(text);
        Some(texts.join("; "))
    }

    /// What an invoice and all before it bill, against what was ordered and received.
    pub(super) fn billed(&mut self, total: &Total) -> (Option<String>, bool) {
        // An order line may itself take something off.
        let below = |total: Decimal, now: Decimal, ordered: Decimal| {
            total < ordered.min(Decimal::ZERO) && now < Decimal::ZERO
        };
        let currency = self.bill.currency;
        let ordered = self.ordered().unwrap_or_default();
        if below(total.net, total.net_now, self.position.net.amount())
            || (total.by_quantity && below(total.quantity, total.quantity_now, ordered))
        {
            let how = format!(
                "takes back {} of {}, of which {} was billed before",
                money(-total.net_now, currency),
                self.position.shown,
                self.position.billed.net
            );
            self.add(Side::Never, Deviation::LineUnder, at(self.claims), how.clone());
            return (Some(how), false);
        }
        let mut texts = Vec::new();
        if total.by_quantity {
            texts.push(self.quantity(total));
        }
        if total.by_amount {
            texts.push(self.amount(total));
        }
        let three_way = self.needs_receipt(total);
        if three_way {
            texts.extend(self.receipts(total));
        }
        self.quantity_under(total, three_way);
        ((!texts.is_empty()).then(|| texts.join("; ")), three_way)
    }

    /// The most that will ever be billed of the line.
    fn most(&self) -> Decimal {
        let ordered = self.ordered().unwrap_or_default();
        self.position.ended_at.map_or(ordered, |ended| ended.min(ordered))
    }

    fn quantity(&mut self, total: &Total) -> String {
        let most = self.most();
        let ordered = self.ordered().unwrap_or_default();
        let ended = if most < ordered {
            format!("{} received of {} when the line was completed", plain(most), plain(ordered))
        } else {
            format!("{} ordered", plain(ordered))
        };
        let text = format!(
            "quantity {} against {ended}{}",
            plain(total.quantity),
            self.before(plain(self.position.billed.quantity))
        );
        let over = total.quantity - most;
        if over <= Decimal::ZERO || total.quantity_now <= Decimal::ZERO {
            return text;
        }
        self.over += self.worth(over.min(total.quantity_now));
        let nothing = QuantityLimit::default();
        let limit = self.policy.quantity_over.unwrap_or(&nothing);
        match limit.allowed(most) {
            Some(allowed) if over > allowed => {
                let (limit, beyond) = (limit.shown(), plain(over - allowed));
                let how = format!("{text}, limit {limit}, {beyond} over");
                self.add(Side::Over, Deviation::QuantityOver, at(self.claims), how.clone());
                how
            }
            Some(_) | None => {
                self.remarks.push(format!(
                    "{}: {text}, {} more; this passes.",
                    at(self.claims),
                    plain(over)
                ));
                text
            }
        }
    }

    fn quantity_under(&mut self, total: &Total, three_way: bool) {
        let Some(limit) = self.policy.quantity_under else { return };
        let wanted = match three_way {
            true => self.position.received.quantity,
            false => self.most(),
        };
        let under = wanted - total.quantity;
        if !total.by_quantity || under <= Decimal::ZERO {
            return;
        }
        let Some(allowed) = limit.allowed(wanted) else { return };
        self.under += self.worth(under);
        if under > allowed {
            let word = if three_way { "received" } else { "ordered" };
            let how = format!(
                "quantity {} against {} {word}, limit {}, {} under",
                plain(total.quantity),
                plain(wanted),
                limit.shown(),
                plain(under - allowed)
            );
            self.add(Side::Under, Deviation::QuantityUnder, at(self.claims), how);
        }
    }

    fn amount(&mut self, total: &Total) -> String {
        let currency = self.bill.currency;
        let ceiling = self.position.net.amount();
        let is_limit = self.position.kind == OrderLineKind::Limit;
        let word = if is_limit { "ceiling" } else { "ordered" };
        let before = self.before(self.position.billed.net.to_string());
        let text =
            format!("{} against {} {word}{before}", money(total.net, currency), self.position.net);
        let over = total.net - ceiling;
        if over <= Decimal::ZERO || total.net_now <= Decimal::ZERO {
            return text;
        }
        self.over += over.min(total.net_now);
        let nothing = Limit::default();
        let limit = self.policy.line_over.unwrap_or(&nothing);
        match limit.allowed(ceiling, Decimal::ONE, currency) {
            Some(allowed) if over > round(allowed, currency.decimals()) => {
                let beyond = over - round(allowed, currency.decimals());
                let (limit, beyond) = (limit.shown(currency), money(beyond, currency));
                let how = format!("{text}, limit {limit}, {beyond} over");
                let what = match is_limit {
                    true => Deviation::CeilingExceeded,
                    false => Deviation::LineOver,
                };
                self.add(Side::Over, what, at(self.claims), how.clone());
                how
            }
            Some(_) | None => {
                let more = money(over, currency);
                self.remarks
                    .push(format!("{}: {text}, {more} more; this passes.", at(self.claims)));
                text
            }
        }
    }
}
