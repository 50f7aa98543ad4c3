//! What other documents bill of an order's lines: ours by their decisions, all others by the lines
//! that Visma's lists show.

use super::Gatherer;
use crate::decide::EarlierBilling;
use crate::procurement::{ErpOrder, ErpReceipt, InvoiceKind};
use crate::store::{DocumentRow, ErpBilling, OwnBilled};
use crate::sync::error::SyncError;
use std::collections::{BTreeMap, BTreeSet};

/// One document in Visma, however it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Itself {
    our_keys: Vec<String>,
    in_visma: Option<(String, String)>,
}

impl Itself {
    fn of(our_keys: Vec<String>, kind: Option<&str>, number: Option<&str>) -> Self {
        Self {
            our_keys,
            in_visma: kind.zip(number).map(|(kind, number)| (kind.to_owned(), number.to_owned())),
        }
    }

    fn is(&self, billing: &ErpBilling) -> bool {
        billing.our_key.as_ref().is_some_and(|key| self.our_keys.contains(key))
            || self.in_visma.as_ref().is_some_and(|(kind, number)| {
                *kind == billing.document_type && *number == billing.number
            })
    }
}

impl Gatherer<'_> {
    /// What others than `row` bill of the order.
    pub(super) async fn billed(
        &self,
        row: &DocumentRow,
        order: &ErpOrder,
        receipts: &[ErpReceipt],
    ) -> Result<Vec<EarlierBilling>, SyncError> {
        let mut erp = self.store.erp_billing_of_order(self.company, &order.number).await?;
        // A receipt and a return may have the same number.
        let numbers: BTreeSet<&str> = receipts.iter().map(|of| of.number.as_str()).collect();
        for number in numbers {
            for billing in self.store.erp_billing_of_receipt(self.company, number).await? {
                erp.extend(through_receipt(billing, number, order, receipts));
            }
        }
        let mut own = self.store.own_billing_of_order(self.company, &order.number).await?;
        own.retain(|billed| billed.document != row.id);
        let own = least_let_pass(own);
        let own: Vec<(Itself, OwnBilled)> = own
            .into_iter()
            .map(|billed| {
                let (kind, number) = (billed.visma_type.as_deref(), billed.visma_number.as_deref());
                (Itself::of(vec![billed.our_key.clone()], kind, number), billed)
            })
            .collect();
        let (kind, number) = (row.visma_type.as_deref(), row.visma_number.as_deref());
        let itself = Itself::of(self.own_keys(row).to_vec(), kind, number);
        Ok(join(&itself, &own, &erp, order))
    }
}

/// The order line that a receipt's line is of. `None`: of another order.
fn through_receipt(
    billing: ErpBilling,
    number: &str,
    order: &ErpOrder,
    receipts: &[ErpReceipt],
) -> Option<ErpBilling> {
    let order_line = receipts
        .iter()
        .filter(|receipt| receipt.number == number)
        .flat_map(|receipt| &receipt.lines)
        .filter(|line| line.number == billing.receipt_line)
        .find(|line| line.order_number.as_deref() == Some(order.number.as_str()))?
        .order_line?;
    Some(ErpBilling { order: order.number.clone(), order_line, ..billing })
}

/// Of a document whose change is not through, refused or lost on the way, Visma may hold the one plan
/// or the other. Each order line counts with what leaves least for the next invoice: the larger
/// billing, the smaller credit. Counting the plan that turns out not to stand could let too much pass.
fn least_let_pass(own: Vec<OwnBilled>) -> Vec<OwnBilled> {
    let (mut counted, unsettled): (Vec<_>, Vec<_>) =
        own.into_iter().partition(|of| of.contents < 2);
    let mut lines: BTreeMap<(String, i64), BTreeMap<String, OwnBilled>> = BTreeMap::new();
    for of in unsettled {
        let by_content = lines.entry((of.document.clone(), of.billing.line)).or_default();
        match by_content.get_mut(&of.content) {
            Some(known) => {
                let (a, b) = (known.billing.quantity, of.billing.quantity);
                known.billing.quantity = a.zip(b).map(|(a, b)| a + b);
                known.billing.net.minor += of.billing.net.minor;
            }
            None => {
                by_content.insert(of.content.clone(), of);
            }
        }
    }
    for by_content in lines.into_values() {
        let only_one = by_content.len() == 1;
        let both = by_content.into_values().reduce(|mut a, b| {
            let credit = a.billing.kind == InvoiceKind::CreditNote;
            let (p, q) = (a.billing.quantity, b.billing.quantity);
            a.billing.quantity = if credit { p.min(q) } else { p.max(q) };
            let (m, n) = (a.billing.net.minor, b.billing.net.minor);
            a.billing.net.minor = if credit { m.min(n) } else { m.max(n) };
            a
        });
        // By the other plan it takes nothing of this line back.
        counted.extend(both.filter(|of| !only_one || of.billing.kind == InvoiceKind::Invoice));
    }
    counted
}

/// Each document once. Of a document of ours its decision tells more than Visma's lines, which
/// carry one link for each order line and none on a credit note; unless what stands in Visma
/// differs from it, or was voided.
fn join(
    itself: &Itself,
    own: &[(Itself, OwnBilled)],
    erp: &[ErpBilling],
    order: &ErpOrder,
) -> Vec<EarlierBilling> {
    let by_decision = |of: &OwnBilled| {
        let differs = of.attention.as_deref().is_some_and(|of| of.starts_with("differs_in_visma"));
        !(differs && of.in_index)
    };
    let counted: Vec<&(Itself, OwnBilled)> = own.iter().filter(|(_, of)| by_decision(of)).collect();
    let ours = counted.iter().filter(|(_, of)| !of.voided).map(|(_, of)| EarlierBilling {
        order: of.billing.order.clone(),
        line: of.billing.line,
        document: match (&of.visma_type, &of.visma_number) {
            (Some(kind), Some(number)) => format!("{kind} {number}"),
            (_, None) | (None, _) => of.number.clone(),
        },
        kind: of.billing.kind,
        quantity: of.billing.quantity,
        net: of.billing.net,
        by_hand: of.by_hand,
    });
    let unit_of = |line: i64| order.lines.iter().find(|of| of.number == line)?.unit.as_deref();
    let theirs = erp
        .iter()
        .filter(|of| of.is_live() && !itself.is(of))
        .filter(|of| !counted.iter().any(|(known, _)| known.is(of)))
        .map(|of| {
            let same_unit = match (of.unit.as_deref(), unit_of(of.order_line)) {
                (Some(billed), Some(ordered)) => billed.eq_ignore_ascii_case(ordered),
                (None, _) | (_, None) => true,
            };
            EarlierBilling {
                order: of.order.clone(),
                line: of.order_line,
                document: format!("{} {}", of.document_type, of.number),
                kind: of.kind,
                // A quantity in another unit says nothing here; the amount does.
                quantity: of.quantity.filter(|quantity| same_unit && !quantity.is_zero()),
                net: of.net,
                by_hand: of.our_key.is_none(),
            }
        });
    let mut billed: Vec<EarlierBilling> = ours.chain(theirs).collect();
    billed.sort_by(|a, b| {
        (&a.order, a.line, &a.document, a.quantity, a.net.minor).cmp(&(
            &b.order,
            b.line,
            &b.document,
            b.quantity,
            b.net.minor,
        ))
    });
    billed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::procurement::{Currency, ErpOrderLine, ErpReceiptLine, Money};
    use crate::store::OwnBilling;
    use rust_decimal::Decimal;

    fn order() -> ErpOrder {
        let line = |number: i64, unit: &str| ErpOrderLine {
            number,
            our_key: None,
            line_type: None,
            description: None,
            quantity: Some(Decimal::TEN),
            unit: Some(unit.into()),
            unit_cost: None,
            amount: None,
            account: None,
            segments: vec![],
            received: None,
            completed: false,
            cancelled: false,
        };
        ErpOrder {
            order_type: "RegularOrder".into(),
            number: "000401".into(),
            supplier: "50001".into(),
            supplier_reference: None,
            description: None,
            status: "Open".into(),
            on_hold: false,
            currency: Currency::NOK,
            ordered_on: None,
            net: None,
            our_key: None,
            version: None,
            modified: None,
            lines: vec![line(11, "STK"), line(12, "TIM")],
        }
    }

    fn by_visma(number: &str, our_key: Option<&str>) -> ErpBilling {
        ErpBilling {
            document_type: "Invoice".into(),
            number: number.into(),
            line: 1,
            kind: InvoiceKind::Invoice,
            our_key: our_key.map(str::to_owned),
            status: "Balanced".into(),
            order: "000401".into(),
            order_line: 11,
            receipt_line: 0,
            quantity: Some(Decimal::from(4)),
            unit: Some("stk".into()),
            net: Money::new(40_000, Currency::NOK),
        }
    }

    fn by_us(document: &str) -> (Itself, OwnBilled) {
        let billed = OwnBilled {
            document: document.into(),
            our_key: document.into(),
            number: format!("I-{document}"),
            attention: None,
            visma_type: None,
            visma_number: None,
            in_index: false,
            voided: false,
            by_hand: false,
            content: "p".into(),
            contents: 1,
            billing: OwnBilling {
                order: "000401".into(),
                line: 11,
                kind: InvoiceKind::Invoice,
                quantity: Some(Decimal::from(3)),
                net: Money::new(30_000, Currency::NOK),
            },
        };
        (Itself { our_keys: vec![document.into()], in_visma: None }, billed)
    }

    fn told(own: &[(Itself, OwnBilled)], erp: &[ErpBilling]) -> Vec<String> {
        let itself = Itself {
            our_keys: vec!["self".into()],
            in_visma: Some(("Invoice".into(), "300009".into())),
        };
        let text = |of: EarlierBilling| {
            let quantity = of.quantity.map_or("amount".into(), |quantity| quantity.to_string());
            let hand = if of.by_hand { " by hand" } else { "" };
            format!("{}: {quantity} of {}{hand}", of.document, of.line)
        };
        join(&itself, own, erp, &order()).into_iter().map(text).collect()
    }

    type OfOurs = fn(&mut (Itself, OwnBilled));
    type OfVisma = fn(&mut ErpBilling);

    #[test]
    fn each_document_counts_once() {
        let cases: [(&str, OfOurs, OfVisma, &[&str]); 9] = [
            ("two documents", |_| {}, |_| {}, &["I-a: 3 of 11", "Invoice 300001: 4 of 11 by hand"]),
            ("the same by our key", |_| {}, |of| of.our_key = Some("a".into()), &["I-a: 3 of 11"]),
            (
                "the same by Visma's number, adopted",
                |(itself, of)| {
                    itself.in_visma = Some(("Invoice".into(), "300001".into()));
                    of.visma_type = Some("Invoice".into());
                    of.visma_number = Some("300001".into());
                    (of.in_index, of.by_hand) = (true, true);
                },
                |_| {},
                &["Invoice 300001: 3 of 11 by hand"],
            ),
            (
                "ours was voided in Visma",
                |(_, of)| (of.in_index, of.voided) = (true, true),
                |of| (of.our_key, of.status) = (Some("a".into()), "Voided".into()),
                &[],
            ),
            (
                "changed in Visma since",
                |(_, of)| {
                    of.in_index = true;
                    of.attention = Some("differs_in_visma: quantity: compare".into());
                },
                |of| of.our_key = Some("a".into()),
                &["Invoice 300001: 4 of 11"],
            ),
            ("voided", |_| {}, |of| of.status = "Voided".into(), &["I-a: 3 of 11"]),
            ("itself by key", |_| {}, |of| of.our_key = Some("self".into()), &["I-a: 3 of 11"]),
            ("itself by number", |_| {}, |of| of.number = "300009".into(), &["I-a: 3 of 11"]),
            (
                "in another unit",
                |_| {},
                |of| of.unit = Some("KRT".into()),
                &["I-a: 3 of 11", "Invoice 300001: amount of 11 by hand"],
            ),
        ];
        for (about, change_ours, change_visma, expected) in cases {
            let (mut ours, mut visma) = (by_us("a"), by_visma("300001", None));
            change_ours(&mut ours);
            change_visma(&mut visma);
            assert_eq!(told(&[ours], &[visma]), expected, "{about}");
        }
    }

    /// An invoice of 3 whose change to 8 was refused, and the other way round: 8 counts until Visma says.
    #[test]
    fn a_change_that_is_not_through_counts_with_what_leaves_least() {
        let of = |content: &str, line: i64, quantity: i64, kind: InvoiceKind, contents: i64| {
            let mut of = by_us("a").1;
            (of.content, of.contents) = (content.into(), contents);
            of.billing.kind = kind;
            of.billing.line = line;
            of.billing.quantity = Some(Decimal::from(quantity));
            of.billing.net = Money::new(quantity * 10_000, Currency::NOK);
            of
        };
        let told = |own: Vec<OwnBilled>| {
            let mut told: Vec<(i64, String, i64)> = least_let_pass(own)
                .into_iter()
                .map(|of| {
                    let quantity = of.billing.quantity.map_or("amount".into(), |q| q.to_string());
                    (of.billing.line, quantity, of.billing.net.minor)
                })
                .collect();
            told.sort();
            told
        };
        let line = |n: i64, quantity: &str, net: i64| (n, quantity.to_owned(), net);
        use InvoiceKind::{CreditNote, Invoice};
        assert_eq!(told(vec![of("p", 11, 3, Invoice, 1)]), [line(11, "3", 30_000)]);
        for (stands, wanted) in [(3, 8), (8, 3)] {
            let own = vec![of("p", 11, stands, Invoice, 2), of("q", 11, wanted, Invoice, 2)];
            assert_eq!(told(own), [line(11, "8", 80_000)], "{stands} {wanted}");
            let own = vec![of("p", 11, stands, CreditNote, 2), of("q", 11, wanted, CreditNote, 2)];
            assert_eq!(told(own), [line(11, "3", 30_000)], "credit {stands} {wanted}");
        }
        // Two shares of one line are one billing; a line that only one of the plans has counts, too.
        let own = vec![
            of("p", 11, 3, Invoice, 2),
            of("p", 11, 2, Invoice, 2),
            of("q", 11, 4, Invoice, 2),
            of("q", 12, 1, Invoice, 2),
        ];
        assert_eq!(told(own), [line(11, "5", 50_000), line(12, "1", 10_000)]);
        assert_eq!(told(vec![of("p", 11, 3, CreditNote, 2)]), []);
        let mut by_amount = of("q", 11, 9, Invoice, 2);
        by_amount.billing.quantity = None;
        assert_eq!(told(vec![of("p", 11, 3, Invoice, 2), by_amount]), [line(11, "3", 90_000)]);
    }

    #[test]
    fn a_receipt_leads_to_its_order_line() {
        let receipt = ErpReceipt {
            receipt_type: "PoReceipt".into(),
            number: "R1".into(),
            status: "Released".into(),
            supplier: "50001".into(),
            modified: None,
            version: None,
            lines: vec![
                ErpReceiptLine {
                    number: 1,
                    order_number: Some("000402".into()),
                    order_line: Some(11),
                    quantity: None,
                    unit: None,
                },
                ErpReceiptLine {
                    number: 2,
                    order_number: Some("000401".into()),
                    order_line: Some(12),
                    quantity: None,
                    unit: None,
                },
            ],
        };
        let through = |receipt_line: i64| {
            let billing = ErpBilling {
                order: String::new(),
                order_line: 0,
                receipt_line,
                ..by_visma("300001", None)
            };
            let found = through_receipt(billing, "R1", &order(), std::slice::from_ref(&receipt));
            found.map(|of| (of.order, of.order_line))
        };
        assert_eq!(through(2), Some(("000401".into(), 12)));
        assert_eq!(through(1), None, "a line of another order");
        assert_eq!(through(3), None, "no such line");
    }
}
