use super::bench::*;
use crate::decide::*;
use crate::procurement::*;
use jiff::civil::date;

#[test]
fn an_invoice_becomes_a_complete_plan() {
    let bench = Bench::new();
    let plan = bench.invoice_plan(&an_invoice());
    assert_eq!(plan.supplier, "50001");
    assert_eq!(plan.supplier_reference, "F-90017");
    assert_eq!((plan.document_on, plan.invoiced_on), (date(2026, 10, 1), date(2026, 9, 28)));
    assert_eq!(plan.period, "202610");
    assert_eq!(plan.terms.as_deref(), Some("30"));
    assert_eq!(plan.branch.as_deref(), Some("1"));
    assert_eq!((plan.gross, plan.vat), (nok(312_500), nok(62_500)));
    assert_eq!(plan.description, "I00092");
    let lines: Vec<_> = plan
        .lines
        .iter()
        .map(|l| (l.key.as_str(), l.quantity.to_string(), l.unit_cost.to_string(), l.cost.minor))
        .collect();
    assert_eq!(
        lines,
        [
            ("IL1/1", "10".into(), "100".into(), 100_000),
            ("IL2/1", "3".into(), "300".into(), 90_000),
            ("IL2/2", "2".into(), "300".into(), 60_000),
        ]
    );
    let first = &plan.lines[0];
    assert_eq!(first.account, "6540");
    assert_eq!(first.segments, [(1, "110".to_owned()), (2, "000000".to_owned())]);
    assert_eq!((first.vat_category.as_str(), first.unit.as_deref()), ("K25", Some("STK")));
}

#[test]
fn ripeness_and_go_live_come_first() {
    let bench = Bench::new();
    let with = |ripeness, day| SupplierInvoice {
        ripeness,
        invoiced_on: date(2026, 8, day),
        supplier_reference: None,
        ..an_invoice()
    };
    assert_eq!(bench.invoice(&with(Ripeness::NotYet, 31)), Decision::NotRipe);
    assert_eq!(bench.invoice(&with(Ripeness::Cancelled, 31)), Decision::Cancel);
    for ripeness in [Ripeness::Ripe, Ripeness::Unknown] {
        let Decision::Ignore(why) = bench.invoice(&with(ripeness, 31)) else {
            panic!("older than go-live is never judged")
        };
        assert!(why.contains("before go-live") && why.contains("2026-08-31"), "{why}");
    }
    let first_day = SupplierInvoice {
        invoiced_on: date(2026, 9, 1),
        accounting_on: None,
        due_on: Some(date(2026, 10, 1)),
        ..an_invoice()
    };
    assert_eq!(bench.invoice_plan(&first_day).period, "202609");
}

#[test]
fn the_day_it_is_booked_on() {
    let mut bench = Bench::new();
    bench.rules.invoices.book_on = BookOn::Invoice;
    assert_eq!(bench.invoice_plan(&an_invoice()).document_on, date(2026, 9, 28));
    // The last known period has no successor, so its own end decides.
    bench.reference.periods.retain(|id, _| id.as_str() <= "202611");
    let mut document = an_invoice();
    for (day, period) in [(date(2026, 11, 30), Some("202611")), (date(2026, 12, 1), None)] {
        bench.rules.invoices.book_on = BookOn::Accounting;
        document.accounting_on = Some(day);
        match period {
            Some(period) => assert_eq!(bench.invoice_plan(&document).period, period),
            None => assert_eq!(codes(&bench.invoice(&document)), ["period_missing"]),
        }
    }
    // The same with ends that are the day after.
    for period in bench.reference.periods.values_mut() {
        period.ends_on = period.ends_on.tomorrow().unwrap();
    }
    assert_eq!(codes(&bench.invoice(&document)), ["period_missing"]);
    document.accounting_on = Some(date(2026, 11, 30));
    assert_eq!(bench.invoice_plan(&document).period, "202611");
}

#[test]
fn header_charges_become_lines() {
    let bench = Bench::new();
    let mut document = an_invoice();
    let charge = |kind, minor| Charge { kind, amount: nok(minor) };
    document.charges = vec![
        charge(ChargeKind::Shipping, 10_000),
        charge(ChargeKind::Discount, 0),
        charge(ChargeKind::Shipping, 100),
        charge(ChargeKind::Rounding, -25),
    ];
    document.net = Some(nok(260_075));
    document.tax = Some(nok(65_025));
    document.gross = nok(325_100);
    let plan = bench.invoice_plan(&document);
    let charges: Vec<_> = plan.lines[3..]
        .iter()
        .map(|line| (line.key.as_str(), line.cost.minor, line.vat_category.as_str()))
        .collect();
    assert_eq!(
        charges,
        [
            ("charge/shipping", 10_000, "K25"),
            ("charge/shipping/2", 100, "K25"),
            ("charge/rounding", -25, "K0")
        ]
    );
    assert_eq!(plan.lines[3].account, "7770");
    assert_eq!(plan.lines[3].segments, [(1, "110".to_owned()), (2, "000000".to_owned())]);
    assert_eq!(plan.vat, nok(65_025));
}

#[test]
fn reverse_charge_adds_nothing() {
    let mut bench = Bench::new();
    let document = SupplierInvoice {
        vendor: vendor("V2"),
        tax: Some(nok(0)),
        gross: nok(250_000),
        ..an_invoice()
    };
    assert_eq!(bench.invoice_plan(&document).vat, nok(0));
    // Invoiced with VAT all the same.
    let charged = SupplierInvoice { vendor: vendor("V2"), ..an_invoice() };
    assert_eq!(codes(&bench.invoice(&charged)), ["reverse_charge_taxed"]);
    // The list shows the tax for information, the header says that none is charged: what the gross
    // has too much is something else.
    let mut higher =
        SupplierInvoice { net: None, tax: Some(nok(0)), gross: nok(250_100), ..charged };
    higher.lines[0].taxes[0].amount = Some(nok(12_500));
    assert_eq!(codes(&bench.invoice(&higher)), ["gross_differs"]);
    bench.rules.invoices.vat_rounding = VatRounding::PerLine;
    assert_eq!(bench.invoice_plan(&document).vat, nok(0));
}

#[test]
fn a_credit_note_says_what_it_credits_and_is_not_linked() {
    let mut bench = Bench::new();
    bench.post(&an_order());
    let document = SupplierInvoice {
        kind: InvoiceKind::CreditNote,
        credits_reference: Some("F-90001".into()),
        due_on: Some(date(2026, 9, 1)),
        ..order_invoice()
    };
    let plan = bench.invoice_plan(&document);
    assert_eq!(plan.kind, InvoiceKind::CreditNote);
    assert_eq!(plan.description, "I00092 credits F-90001");
    assert_eq!(plan.gross, nok(312_500));
    assert!(plan.lines.iter().all(|line| line.link.is_none()));
}

#[test]
fn an_invoice_keyed_in_by_hand_is_adopted() {
    let mut bench = Bench::new();
    bench.history.invoices.push(erp_invoice());
    let adopts = |bench: &Bench, document: &SupplierInvoice| match bench.invoice(document) {
        Decision::Adopt { document_type, number, plan } => {
            assert!(matches!(*plan, Plan::Invoice(_)));
            assert_eq!((document_type.as_str(), number.as_str()), ("Invoice", "300001"));
        }
        other => panic!("not adopted: {other:?}"),
    };
    adopts(&bench, &an_invoice());
    // Nothing is to be written, so neither a closed period nor a missing order matters.
    adopts(&bench, &SupplierInvoice { accounting_on: Some(date(2026, 8, 3)), ..an_invoice() });
    adopts(&bench, &order_invoice());
    // What makes the plan itself doubtful still does.
    let doubtful = SupplierInvoice { business_unit: Some("GONE".into()), ..an_invoice() };
    assert_eq!(codes(&bench.invoice(&doubtful)), ["branch_unknown"]);
    // Another year, another invoice.
    bench.history.invoices[0].document_on = Some(date(2025, 9, 28));
    bench.invoice_plan(&an_invoice());
    // Keyed in on the day of the paper, booked by us in the year after: still the same.
    bench.rules.take_from = date(2025, 1, 1);
    adopts(&bench, &SupplierInvoice { invoiced_on: date(2025, 12, 30), ..an_invoice() });
    // A credit note with the number of an invoice is another document.
    bench.history.invoices = vec![erp_invoice()];
    bench.invoice_plan(&SupplierInvoice { kind: InvoiceKind::CreditNote, ..an_invoice() });
}

#[test]
fn limits_of_visma_are_kept() {
    let mut bench = Bench::new();
    bench.rules.invoices.description_length = 10;
    let mut document = an_invoice();
    document.lines[0].description = "  Ærfuglens   dun ".into();
    document.lines[1].description = " ".into();
    document.supplier_reference = Some("9".repeat(40));
    let plan = bench.invoice_plan(&document);
    assert_eq!(plan.lines[0].description, "Ærfuglens");
    assert_eq!(plan.lines[1].description, "Line 2");
    assert_eq!(plan.supplier_reference.len(), 40);
}

#[test]
fn attachments_are_carried_only_when_wanted() {
    let mut bench = Bench::new();
    let file = AttachmentRef {
        id: "A1".into(),
        file_name: "f.pdf".into(),
        content_type: None,
        size: None,
        path: None,
    };
    let document = SupplierInvoice { attachments: vec![file.clone()], ..an_invoice() };
    assert_eq!(bench.invoice_plan(&document).attachments, [file]);
    bench.rules.invoices.attachments = false;
    assert!(bench.invoice_plan(&document).attachments.is_empty());
}

#[test]
fn material_tells_changes_that_matter_from_those_that_do_not() {
    type Change = fn(&mut SupplierInvoice);
    let before = material(&Document::Invoice(an_invoice()));
    let after = |change: Change| {
        let mut changed = an_invoice();
        change(&mut changed);
        material(&Document::Invoice(changed))
    };
    let immaterial: &[Change] = &[
        |i| i.status = "Archived".into(),
        |i| i.vendor.name = Some("New name AS".into()),
        |i| i.lines.reverse(),
        |i| i.lines[0].quantity = Some(dec("10.000")),
        |i| i.lines[0].unit_price = Some(dec("100.00")),
    ];
    let matters: &[Change] = &[
        |i| i.ripeness = Ripeness::Cancelled,
        |i| i.gross.minor += 1,
        |i| i.supplier_reference = None,
        |i| i.due_on = None,
        |i| i.vendor.source_id = Some("V2".into()),
        |i| i.lines[0].distributions[0].segments.clear(),
        |i| i.lines[1].distributions.reverse(),
        |i| i.lines[0].taxes = vec![tax("NO-0")],
        |i| {
            i.lines.pop();
        },
    ];
    for (nth, change) in immaterial.iter().enumerate() {
        assert_eq!(after(*change), before, "immaterial change {nth}");
    }
    for (nth, change) in matters.iter().enumerate() {
        assert_ne!(after(*change), before, "material change {nth}");
    }
    let order_text = |change: fn(&mut PurchaseOrder)| {
        let mut changed = an_order();
        change(&mut changed);
        material(&Document::Order(changed))
    };
    assert_eq!(order_text(|o| o.revision = Some(7)), order_text(|_| {}));
    assert_eq!(order_text(|o| o.lines.reverse()), order_text(|_| {}));
    // How many decimals a number is written with changes nothing, wherever it stands.
    let written = |rate: &str| {
        let number = Some(dec(rate));
        let tax = TaxLine { rate: number, ..tax("NO-25") };
        let part = Distribution { quantity: number, ..share("6540", "110", None) };
        let share =
            Distribution { percent: number, ratio: number, parts: vec![part.clone()], ..part };
        let mut invoice = an_invoice();
        (invoice.exchange_rate, invoice.taxes) = (number, vec![tax.clone()]);
        let line = &mut invoice.lines[0];
        (line.quantity, line.price_basis) = (number, number);
        (line.taxes, line.distributions) = (vec![tax.clone()], vec![share.clone()]);
        let mut order = an_order();
        let line = &mut order.lines[0];
        (line.quantity, line.unit_price, line.price_basis) = (number, number, number);
        (line.taxes, line.distributions) = (vec![tax], vec![share]);
        [material(&Document::Invoice(invoice)), material(&Document::Order(order))]
    };
    assert_eq!(written("25.00"), written("25"));
    assert_ne!(written("25.01"), written("25"));
    assert_ne!(order_text(|o| o.lines[0].cancelled = true), order_text(|_| {}));
}
