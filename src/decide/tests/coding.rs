//! The coding table in decisions.

use super::bench::*;
use crate::decide::*;
use crate::procurement::*;
use jiff::civil::date;

const ALL: &str = "\
when:dimension:CostCenter;when:amount;then:account;then:segment:1;then:segment:2;then:vat_category;then:branch;then:project;then:terms;then:unit\n\
110;1500..;6300;120;P-2031;K0;2;77;14;KRT\n";

/// With a second branch and other terms in the ERP.
fn bench(table: &str) -> Bench {
    let mut bench = Bench::new();
    bench.code(table);
    let branch = Branch { number: "2".into(), name: "Bergen".into(), active: true };
    bench.reference.branches.insert("2".into(), branch);
    bench.reference.credit_terms.insert("14".into(), CreditTerms::default());
    bench
}

#[test]
fn a_row_decides_every_code_of_an_invoice_line_and_its_shares() {
    let bench = bench(ALL);
    let mut invoice = an_invoice();
    invoice.gross = nok(250_000 + 25_000);
    invoice.tax = Some(nok(25_000));
    // Neither is asked for where the row says it.
    invoice.lines[1].taxes.clear();
    invoice.lines[1].unit = Some("PAL".into());
    let plan = bench.invoice_plan(&invoice);
    let [first, shares @ ..] = plan.lines.as_slice() else { panic!("{plan:?}") };
    assert_eq!((first.account.as_str(), first.vat_category.as_str()), ("6540", "K25"));
    assert_eq!((first.branch.as_deref(), first.project.as_deref()), (Some("1"), None));
    assert_eq!(shares.len(), 2);
    // The amount is the line's: a split does not slip below a limit.
    for share in shares {
        let segments = [(1, "120".to_owned()), (2, "P-2031".to_owned())];
        assert_eq!((share.account.as_str(), share.segments.as_slice()), ("6300", &segments[..]));
        assert_eq!((share.vat_category.as_str(), share.unit.as_deref()), ("K0", Some("KRT")));
        assert_eq!((share.branch.as_deref(), share.project.as_deref()), (Some("2"), Some("77")));
    }
    // One branch for each line, one word on terms for the document.
    assert_eq!((plan.branch.as_deref(), plan.terms.as_deref()), (Some("1"), Some("14")));
}

#[test]
fn the_rows_that_decided_are_evidence() {
    let bench = bench(ALL);
    let mut invoice = an_invoice();
    invoice.gross = nok(275_000);
    invoice.tax = Some(nok(25_000));
    let suppliers = crate::mapping::SupplierIndex::new(&bench.reference);
    let inputs = Inputs {
        rules: &bench.rules,
        reference: &bench.reference,
        suppliers: &suppliers,
        vendors: &bench.vendors,
        history: &bench.history,
    };
    let verdict = document(&Document::Invoice(invoice), &inputs);
    let rows = verdict.evidence.remarks.iter().filter(|remark| remark.contains("coding table"));
    assert_eq!(rows.collect::<Vec<_>>(), ["Line 2: row 2 of the coding table."]);
}

#[test]
fn an_order_is_coded_by_the_same_rows_and_has_one_branch() {
    let table = "when:account,then:account,then:branch,then:terms\n6540,6300,2,14\n";
    let plan = bench(table).order_plan(&an_order());
    assert_eq!((plan.branch.as_deref(), plan.terms.as_deref()), (Some("2"), Some("14")));
    assert!(plan.lines.iter().all(|line| line.account == "6300"), "{plan:?}");
}

#[test]
fn what_a_row_leaves_empty_is_left_to_the_other_tables() {
    let table = "when:account,then:account,then:segment:1,then:vat_category\n6540,,,\n";
    assert_eq!(bench(table).invoice_plan(&an_invoice()), Bench::new().invoice_plan(&an_invoice()));
}

/// Each condition alone, fitting and not.
#[test]
fn each_condition_looks_at_what_its_name_says() {
    let cases = [
        ("supplier", "50001", "50002"),
        ("vendor", "V1", "V2"),
        ("category", "Office", "Travel"),
        ("item", "CHAIR-17", "CHAIR-18"),
        ("commodity", "5610*", "5611*"),
        ("project", "P-2031", "P-2032"),
        ("dimension:CostCenter", "100..110", "111.."),
        ("account", "6540", "6300"),
        ("business_unit", "NORDLYS-NO|NORDLYS-SE", "NORDLYS-SE"),
        ("tax", "NO-25", "NO-15"),
        ("currency", "NOK", "EUR"),
        ("amount", "999.99..1500", "..999.99"),
        // The day it is booked on, not the day on the paper.
        ("date", "2026-10-01..", "..2026-09-30"),
    ];
    let mut invoice = an_invoice();
    for line in &mut invoice.lines {
        (line.item, line.commodity) = (Some("CHAIR-17".into()), Some("56101504".into()));
        for share in &mut line.distributions {
            share.segments.insert("Project".into(), "P-2031".into());
        }
    }
    for (condition, fits, fails) in cases {
        for (cell, expected) in [(fits, "6300"), (fails, "6540")] {
            let mut bench = bench(&format!("when:{condition},then:account\n{cell},6300\n"));
            bench.vendors.get_mut("V1").unwrap().category = Some("Office".into());
            let plan = bench.invoice_plan(&invoice);
            let accounts: Vec<&str> = plan.lines.iter().map(|line| line.account.as_str()).collect();
            assert_eq!(accounts, [expected; 3], "{condition} {cell}");
        }
    }
}

#[test]
fn a_row_counts_from_its_first_day_to_its_last() {
    let bench = bench("then:account,valid_from,valid_to\n6300,2026-10-01,2026-10-02\n");
    for (day, account) in [(1, "6300"), (2, "6300"), (3, "6540")] {
        let mut invoice = an_invoice();
        invoice.accounting_on = Some(date(2026, 10, day));
        assert_eq!(bench.invoice_plan(&invoice).lines[0].account, account, "{day}");
    }
    let mut order = an_order();
    assert_eq!(bench.order_plan(&order).lines[0].account, "6540");
    order.ordered_on = date(2026, 10, 1);
    assert_eq!(bench.order_plan(&order).lines[0].account, "6300");
}

/// An asset of 1,500 is credited where it was booked, whatever sign the source gives the line.
#[test]
fn the_sign_of_an_amount_does_not_count() {
    let bench = bench("when:amount,then:account\n1500..,6300\n");
    let mut invoice = an_invoice();
    let line = &mut invoice.lines[1];
    line.net = line.net.negated();
    line.quantity = line.quantity.map(|quantity| -quantity);
    for share in &mut line.distributions {
        share.amount = share.amount.map(Money::negated);
    }
    let first = &mut invoice.lines[0];
    first.net = nok(400_000);
    first.unit_price = Some(dec("400"));
    first.distributions[0].amount = Some(nok(400_000));
    let plan = bench.invoice_plan(&invoice);
    assert!(plan.lines.iter().all(|line| line.account == "6300"), "{plan:?}");
}

#[test]
fn a_values_fault_names_what_could_be_meant() {
    let cases = [
        ("account", "6541", "Did you mean 6540 (Gammel konto)? Correct"),
        ("segment:1", "111", "Did you mean 110 (Salg)? Correct"),
        ("vat_category", "K26", "Did you mean K25 (Kategori K25)"),
        ("terms", "0030", "Did you mean 30"),
        ("branch", "01", "Did you mean 1 ("),
    ];
    for (member, value, says) in cases {
        let decision = bench(&format!("then:{member}\n{value}\n")).invoice(&an_invoice());
        let Decision::Hold(holds) = decision else { panic!("{member}: {decision:?}") };
        assert!(holds[0].fix.starts_with(says), "{member}: {}", holds[0].fix);
    }
}

#[test]
fn a_complete_table_leaves_nothing_to_the_other_tables() {
    let mut bench = bench("when:amount,then:account\n1500..,6300\n");
    bench.rules.mapping.coding_complete = true;
    let Decision::Hold(holds) = bench.invoice(&an_invoice()) else { panic!("held") };
    assert_eq!(
        holds.iter().map(|hold| hold.text.as_str()).collect::<Vec<_>>(),
        ["Line 1: no row of the coding table fits, and the table is declared complete."]
    );
}

#[test]
fn a_charge_too_is_checked_against_the_combinations() {
    let mut bench = Bench::new();
    let table = "account,segment:1,verdict,valid_from\n7770,110,deny,2026-10-01\n".to_owned();
    bench.rules.mapping.combinations = table.try_into().unwrap();
    let mut invoice = an_invoice();
    invoice.charges.push(Charge { kind: ChargeKind::Rounding, amount: nok(1) });
    (invoice.net, invoice.gross) = (None, nok(312_501));
    let Decision::Hold(holds) = bench.invoice(&invoice) else { panic!("held") };
    assert_eq!(
        holds.iter().map(|hold| hold.text.as_str()).collect::<Vec<_>>(),
        ["Charge rounding: account 7770 may not go with 110 in segment 1 (Avdeling) and \
          000000 in segment 2 (Prosjekt), by row 2 of the table of combinations."]
    );
    invoice.accounting_on = Some(date(2026, 9, 30));
    bench.invoice_plan(&invoice);
}

/// Neither the order of the columns in the file nor that of the rows says who wins.
#[test]
fn columns_settle_in_the_order_of_the_manual() {
    let order = [
        "supplier",
        "vendor",
        "item",
        "commodity",
        "category",
        "project",
        "dimension:CostCenter",
        "dimension:Site",
        "account",
        "business_unit",
        "tax",
        "currency",
        "amount",
        "date",
    ];
    // Each fits the invoice below; the earlier column says a beginning, the widest of conditions.
    let beginnings =
        ["5*", "V*", "C*", "5*", "O*", "P*", "1*", "N*", "6*", "N*", "N*", "N*", "", ""];
    let exact = [
        "50001",
        "V1",
        "CHAIR",
        "5610",
        "Office",
        "P-2031",
        "110",
        "North",
        "6540",
        "NORDLYS-NO",
        "NO-25",
        "NOK",
        "1000|1500",
        "2026-10-01",
    ];
    let mut invoice = an_invoice();
    for line in &mut invoice.lines {
        (line.item, line.commodity) = (Some("CHAIR".into()), Some("5610".into()));
        for share in &mut line.distributions {
            share.segments.insert("Project".into(), "P-2031".into());
            share.segments.insert("Site".into(), "North".into());
        }
    }
    for at in 0..order.len() - 1 {
        let early = if beginnings[at].is_empty() { "0.." } else { beginnings[at] };
        let (first, second) = (order[at], order[at + 1]);
        let late = exact[at + 1];
        for table in [
            format!("when:{first};when:{second};then:account\n{early};;6300\n;{late};7770\n"),
            format!("when:{second};when:{first};then:account\n{late};;7770\n;{early};6300\n"),
        ] {
            let mut bench = bench(&table);
            bench.vendors.get_mut("V1").unwrap().category = Some("Office".into());
            let plan = bench.invoice_plan(&invoice);
            assert!(plan.lines.iter().all(|line| line.account == "6300"), "{table}");
        }
    }
}

/// Two taxes on one line are no tax that a row could ask for.
#[test]
fn a_line_of_several_taxes_fits_no_single_one() {
    let bench = bench("when:tax,then:account\nEU-RC,6300\n");
    let mut invoice = an_invoice();
    invoice.lines[0].taxes.push(tax("EU-RC"));
    assert!(bench.invoice_plan(&invoice).lines.iter().all(|line| line.account == "6540"));
    invoice.lines[0].taxes.remove(0);
    assert_eq!(bench.invoice_plan(&invoice).lines[0].account, "6300");
}

/// Lines for two branches: the document itself stays with its business unit's.
#[test]
fn a_document_takes_a_branch_only_from_rows_that_agree() {
    let mut bench = bench("when:amount,then:branch\n..1000,3\n1001..,2\n");
    let branch = Branch { number: "3".into(), name: "Stavanger".into(), active: true };
    bench.reference.branches.insert("3".into(), branch);
    let plan = bench.invoice_plan(&an_invoice());
    let branches: Vec<&str> = plan.lines.iter().filter_map(|line| line.branch.as_deref()).collect();
    assert_eq!((plan.branch.as_deref(), branches), (Some("1"), vec!["3", "2", "2"]));
}

/// Of two shares one is decided by a row; the other still takes the line's own VAT and unit.
#[test]
fn a_row_speaks_for_its_own_share_only() {
    let table = "when:dimension:CostCenter,then:vat_category,then:unit\n120,K0,KRT\n";
    let mut invoice = an_invoice();
    invoice.lines[1].distributions[1].segments.insert("CostCenter".into(), "120".into());
    (invoice.tax, invoice.gross) = (Some(nok(47_500)), nok(297_500));
    let plan = bench(table).invoice_plan(&invoice);
    let said: Vec<(&str, Option<&str>)> =
        plan.lines.iter().map(|line| (line.vat_category.as_str(), line.unit.as_deref())).collect();
    assert_eq!(said, [("K25", Some("STK")), ("K25", Some("STK")), ("K0", Some("KRT"))]);
}

/// What may not be booked is no help.
#[test]
fn a_closed_or_a_cash_account_is_not_suggested() {
    for account in ["6998", "1921"] {
        let decision = bench(&format!("then:account\n{account}\n")).invoice(&an_invoice());
        let Decision::Hold(holds) = decision else { panic!("{account}: {decision:?}") };
        assert!(holds[0].fix.starts_with("Correct"), "{}", holds[0].fix);
    }
}
