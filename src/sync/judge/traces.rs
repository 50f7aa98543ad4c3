//! What a decision leaves for the documents after it: what it bills of which order line, and the
//! invoice itself until Visma's index shows it. Kept in the transaction of the decision.

use super::Judged;
use super::planned::plan_text;
use crate::audit::hash_text;
use crate::decide::{Decision, Evidence, History, PastInvoice};
use crate::matching::{ReferenceForms, claim_key};
use crate::procurement::{InvoiceKind, InvoicePlan, Link, Plan};
use crate::store::{Change, DocumentState, OwnBilling, Step};
use crate::sync::ids;

impl Judged<'_> {
    /// Only what is carried out leaves a trace. Where nothing is, the trace of an earlier decision
    /// stays: it may stand in Visma, and counts as long as its creation was not refused.
    pub(super) fn keep_traces(&self, change: &mut Change) {
        let goes_on =
            matches!(self.taken_to.get(), Some(DocumentState::Posting | DocumentState::Posted));
        let (plan, adopted) = match &self.decision {
            Decision::Plan(plan) if goes_on => (plan.as_ref(), None),
            Decision::Adopt { plan, document_type, number } if goes_on => {
                (plan.as_ref(), Some((document_type.as_str(), number.as_str())))
            }
            Decision::Plan(_)
            | Decision::Adopt { .. }
            | Decision::Wait(_)
            | Decision::Hold(_)
            | Decision::Ignore(_)
            | Decision::NotRipe
            | Decision::Cancel => return,
        };
        let content = hash_text(&plan_text(plan));
        let Plan::Invoice(plan) = plan else { return };
        let document = self.document;
        let company = &self.connection.company.id;
        let our_key = ids::our_key(company, &document.id, document.corrections, Step::Create, "");
        let billed = billed(plan, &self.evidence, &self.history);
        // Until a change is through, what it changes stands.
        let changes = self.taken_to.get() == Some(&DocumentState::Posting);
        let standing = document.applied_plan.as_deref().filter(|_| changes).map(hash_text);
        let contents = (content.as_str(), standing.as_deref());
        change.keep_own_billing(&document.id, company, &our_key, contents, &billed);
        let in_visma =
            adopted.or(document.visma_type.as_deref().zip(document.visma_number.as_deref()));
        let invoice = PastInvoice {
            document: document.number.clone(),
            kind: plan.kind,
            supplier: plan.supplier.clone(),
            reference: Some(plan.supplier_reference.clone()),
            invoiced_on: Some(plan.invoiced_on),
            gross: plan.gross,
            balance: None,
            payment_reference: plan.payment_reference.clone(),
            status: String::new(),
        };
        let forms = ReferenceForms::of(&plan.supplier_reference);
        change.keep_own_invoice(&document.id, company, &our_key, in_visma, &invoice, &forms);
        if plan.kind == InvoiceKind::CreditNote {
            let credits = self.credits.as_deref().map(claim_key).filter(|key| !key.is_empty());
            let (id, credits) = (&document.id, credits.as_deref());
            change.keep_own_credit(id, company, &our_key, credits, &invoice);
        }
    }
}

/// As the lines were matched; where no line was, as they are linked.
fn billed(plan: &InvoicePlan, evidence: &Evidence, history: &History) -> Vec<OwnBilling> {
    let matched: Vec<OwnBilling> = evidence
        .matches
        .iter()
        .filter_map(|of| {
            let (order, line) = of.order.clone()?;
            Some(OwnBilling { order, line, kind: plan.kind, quantity: of.quantity, net: of.net })
        })
        .collect();
    if !matched.is_empty() {
        return matched;
    }
    let linked = plan.lines.iter().filter_map(|of| {
        let (order, line) = match of.link.as_ref()? {
            Link::Order { number, line } => (number.clone(), *line),
            Link::Receipt { number, line } => received(number, *line, history)?,
        };
        let quantity = Some(of.quantity);
        Some(OwnBilling { order, line, kind: plan.kind, quantity, net: of.cost })
    });
    linked.collect()
}

/// The order line that a receipt's line is of.
fn received(number: &str, line: i64, history: &History) -> Option<(String, i64)> {
    let of = history
        .receipts
        .iter()
        .filter(|receipt| receipt.number == number)
        .flat_map(|receipt| &receipt.lines)
        .find(|of| of.number == line && of.order_number.is_some())?;
    of.order_number.clone().zip(of.order_line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::{MatchKind, MatchedLine};
    use crate::procurement::{
        Currency, ErpReceipt, ErpReceiptLine, InvoicePlanLine, Money, PostingMode,
    };
    use jiff::civil::date;
    use rust_decimal::Decimal;

    fn plan(links: &[Option<Link>]) -> InvoicePlan {
        let line = |link: &Option<Link>| InvoicePlanLine {
            key: "1/1".into(),
            description: String::new(),
            quantity: Decimal::from(4),
            unit: None,
            unit_cost: Decimal::TEN,
            cost: Money::new(4_000, Currency::NOK),
            account: "6540".into(),
            segments: vec![],
            vat_category: "K25".into(),
            branch: None,
            project: None,
            link: link.clone(),
        };
        InvoicePlan {
            kind: InvoiceKind::CreditNote,
            supplier: "50001".into(),
            supplier_reference: "F-1".into(),
            currency: Currency::NOK,
            document_on: date(2026, 9, 28),
            invoiced_on: date(2026, 9, 28),
            period: "202609".into(),
            due_on: None,
            terms: None,
            payment_reference: None,
            branch: None,
            description: String::new(),
            gross: Money::new(5_000, Currency::NOK),
            vat: Money::new(1_000, Currency::NOK),
            mode: PostingMode::Hold,
            lines: links.iter().map(line).collect(),
            attachments: vec![],
        }
    }

    fn matched(order: Option<(&str, i64)>) -> MatchedLine {
        MatchedLine {
            key: "1".into(),
            line: "1".into(),
            kind: MatchKind::TwoWay,
            order: order.map(|(number, line)| (number.to_owned(), line)),
            quantity: None,
            net: Money::new(4_100, Currency::NOK),
            text: String::new(),
        }
    }

    #[test]
    fn a_match_tells_more_than_a_link() {
        let receipt = ErpReceipt {
            receipt_type: "PoReceipt".into(),
            number: "R1".into(),
            status: "Released".into(),
            supplier: "50001".into(),
            modified: None,
            version: None,
            lines: vec![ErpReceiptLine {
                number: 2,
                order_number: Some("000402".into()),
                order_line: Some(7),
                quantity: None,
                unit: None,
            }],
        };
        let history = History { receipts: vec![receipt], ..History::default() };
        let order = Link::Order { number: "000401".into(), line: 11 };
        let through = |line| Some(Link::Receipt { number: "R1".into(), line });
        let plan = plan(&[Some(order), through(2), through(9), None]);
        let told = |matches: Vec<MatchedLine>| {
            let evidence = Evidence { matches, ..Evidence::default() };
            billed(&plan, &evidence, &history)
                .into_iter()
                .map(|of| (of.order, of.line, of.quantity.map(|q| q.to_string()), of.net.minor))
                .collect::<Vec<_>>()
        };
        let four = Some("4".to_owned());
        let linked = vec![
            ("000401".to_owned(), 11, four.clone(), 4_000),
            ("000402".to_owned(), 7, four, 4_000),
        ];
        assert_eq!(told(vec![]), linked);
        assert_eq!(told(vec![matched(None)]), linked);
        let expected = vec![("000403".to_owned(), 1, None, 4_100)];
        assert_eq!(told(vec![matched(None), matched(Some(("000403", 1)))]), expected);
    }
}
