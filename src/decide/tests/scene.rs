//! One order line in Visma and one invoice over it, to change one thing at a time.

use super::bench::*;
use crate::decide::*;
use crate::matching::MatchMode;
use crate::procurement::*;

/// Line 1 of `an_order()`, 10 EA at 100.00, and an invoice over it.
pub(super) struct Scene {
    pub bench: Bench,
    pub invoice: SupplierInvoice,
}

impl Scene {
    /// JAGGAER delivered the order, and we posted it.
    pub fn ours() -> Self {
        let mut bench = Bench::new();
        bench.post(&an_order());
        bench.history.orders.get_mut("PO-1").unwrap().source = Some(an_order());
        let mut scene = Self { bench, invoice: order_invoice() };
        scene.invoice.lines.truncate(1);
        scene.bill("10", 100_000);
        scene
    }

    /// A person keyed the order in: nothing of it is known but what Visma shows.
    pub fn by_hand() -> Self {
        let mut scene = Self::ours();
        let known = scene.known();
        (known.received, known.plan, known.source) = (None, None, None);
        let erp = scene.erp();
        erp.our_key = None;
        erp.lines.truncate(1);
        erp.lines[0].our_key = None;
        scene
    }

    pub fn known(&mut self) -> &mut KnownOrder {
        self.bench.history.orders.get_mut("PO-1").expect("the order")
    }

    pub fn erp(&mut self) -> &mut ErpOrder {
        self.known().erp.as_mut().expect("it stands in Visma")
    }

    pub fn source(&mut self) -> &mut PurchaseOrder {
        self.known().source.as_mut().expect("JAGGAER delivered it")
    }

    pub fn three_way(&mut self) {
        self.bench.rules.matching.mode = MatchMode::ThreeWay;
    }

    pub fn bill(&mut self, quantity: &str, net: i64) {
        let line = &mut self.invoice.lines[0];
        line.quantity = Some(dec(quantity));
        line.unit_price = None;
        self.net(&[net]);
    }

    /// Each line's net, and what the document comes to.
    pub fn net(&mut self, nets: &[i64]) {
        let invoice = &mut self.invoice;
        for (line, net) in invoice.lines.iter_mut().zip(nets) {
            line.net = nok(*net);
            line.distributions = vec![share("6540", "110", None)];
        }
        let net: i64 = nets.iter().sum();
        (invoice.net, invoice.tax) = (Some(nok(net)), Some(nok(net / 4)));
        invoice.gross = nok(net + net / 4);
    }

    pub fn billed(&mut self, order: &str, line: i64, quantity: &str, net: i64) {
        self.bench.history.billed.push(EarlierBilling {
            order: order.into(),
            line,
            document: "Invoice 300001".into(),
            kind: InvoiceKind::Invoice,
            quantity: Some(dec(quantity)),
            net: nok(net),
            by_hand: false,
        });
    }

    pub fn source_receipt(&mut self, line: &str, quantity: Option<&str>, amount: Option<Money>) {
        self.bench.history.source_receipts.push(Receipt {
            source_id: line.into(),
            number: line.into(),
            received_on: None,
            cancelled: false,
            lines: vec![ReceiptLine {
                order_number: "PO-1".into(),
                order_line_number: Some(line.into()),
                order_line_key: None,
                quantity: quantity.map(dec),
                unit: Some("EA".into()),
                amount,
            }],
        });
    }

    pub fn receipt(&mut self, quantity: &str, unit: &str) {
        self.bench.history.receipts.push(ErpReceipt {
            receipt_type: "PoReceipt".into(),
            number: "R1".into(),
            status: "Released".into(),
            supplier: "50001".into(),
            modified: None,
            version: None,
            lines: vec![ErpReceiptLine {
                unit: Some(unit.into()),
                number: 1,
                order_number: Some("000401".into()),
                order_line: Some(11),
                quantity: Some(dec(quantity)),
            }],
        });
    }

    /// The codes that hold it, what it waits for, or nothing when it passes.
    pub fn outcome(&self) -> Vec<String> {
        match self.bench.invoice(&self.invoice) {
            Decision::Plan(_) => vec![],
            Decision::Hold(holds) => holds.into_iter().map(|hold| hold.code).collect(),
            Decision::Wait(waits) => waits.into_iter().map(|wait| wait.text).collect(),
            other => panic!("{other:?}"),
        }
    }

    /// What the first line says it was compared with.
    pub fn text(&self) -> String {
        let verdict = self.bench.verdict(&Document::Invoice(self.invoice.clone()));
        verdict.evidence.matches[0].text.clone()
    }
}

pub(super) type Row<'a> = (&'a str, fn() -> Scene, fn(&mut Scene), &'a [&'a str]);

/// Each row by itself: what it is about, the scene, what is changed in it, what comes out.
pub(super) fn all_come_out(cases: &[Row<'_>]) {
    for (about, start, change, expected) in cases {
        let mut scene = start();
        change(&mut scene);
        assert_eq!(scene.outcome(), *expected, "{about}: {}", scene.text());
    }
}
