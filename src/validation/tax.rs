//! The taxes that an invoice states, on its lines and on its header, against its own lines and
//! against what the ERP will compute.

use crate::mapping::{Tables, vat};
use crate::procurement::{Money, ReferenceData, SupplierInvoice, TaxLine};
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// What of a document one VAT category of the ERP bears on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaxBase {
    /// Lines and charges.
    pub net: Money,
    /// Without the charges, which a supplier may tax otherwise or leave out of the list.
    pub of_lines: Money,
    /// As the ERP computes it on `net`.
    pub tax: Money,
    pub tax_of_lines: Money,
    pub lines: usize,
    /// The buyer owes the tax: none may be charged.
    pub reverse_charge: bool,
}

/// A stated tax that contradicts the document or the ERP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaxFault {
    /// The amount is not the base times the rate. `at`: the line, or nothing for the header.
    Amount { at: Option<String>, tax: String, base: Money, stated: Money, computed: Money },
    /// The header states another base than the lines with that tax add up to.
    Base { tax: String, stated: Money, lines: Money },
    /// The header states another tax than the ERP computes on the lines with it.
    Computed { tax: String, stated: Money, computed: Money },
    /// The taxes of the header do not add up to the document's tax.
    Total { sum: Money, stated: Money },
}

/// What is found of the stated taxes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StatedTaxes {
    pub faults: Vec<TaxFault>,
    /// Tax stated where the buyer owes it.
    pub reverse_charge: Vec<(String, Money)>,
}

/// `bases`: by VAT category. `tolerance`: minor units for one tax; half a unit more for each line
/// that it sums up, since each may have been rounded by itself.
pub fn stated_taxes(
    invoice: &SupplierInvoice,
    bases: &BTreeMap<&str, TaxBase>,
    tolerance: u32,
    tables: &Tables,
    reference: &ReferenceData,
) -> StatedTaxes {
    let mut found = StatedTaxes::default();
    let tolerance = i64::from(tolerance);
    let apart = |left: Money, right: Money, allowed: i64| {
        left.minor.checked_sub(right.minor).is_none_or(|apart| apart.abs() > allowed)
    };
    let mut amount = |at: Option<&str>, tax: &TaxLine, base: Option<Money>, allowed: i64| {
        let (Some(rate), Some(base), Some(stated)) = (tax.rate, base, tax.amount) else { return };
        let exact = base
            .amount()
            .checked_mul(rate)
            .and_then(|exact| exact.checked_div(Decimal::ONE_HUNDRED))
            .and_then(|exact| Money::rounded(exact, base.currency).ok());
        let Some(computed) = exact else { return };
        if apart(stated, computed, allowed) {
            found.faults.push(TaxFault::Amount {
                at: at.map(str::to_owned),
                tax: named(tax),
                base,
                stated,
                computed,
            });
        }
    };
    for line in &invoice.lines {
        let alone = line.taxes.iter().filter(|tax| tax.amount.is_some()).count() == 1;
        for tax in &line.taxes {
            let base = tax.base.or_else(|| alone.then_some(line.net));
            amount(Some(&line.number), tax, base, tolerance);
        }
    }
    let half_of_lines = i64::try_from(invoice.lines.len() / 2).unwrap_or(i64::MAX);
    for tax in &invoice.taxes {
        amount(None, tax, tax.base, tolerance.saturating_add(half_of_lines));
    }

    for line in &invoice.lines {
        let category = vat::category(&line.taxes, &invoice.taxes, tables, reference);
        let reversed = category
            .is_ok_and(|category| bases.get(category.as_str()).is_some_and(|b| b.reverse_charge));
        let stated = line.taxes.iter().filter(|_| reversed);
        found.reverse_charge.extend(stated.filter_map(|tax| {
            let amount = tax.amount.filter(|amount| !amount.is_zero())?;
            Some((format!("line {}", line.number), amount))
        }));
    }
    let mut shown = Money::zero(invoice.currency);
    for (category, taxes) in by_category(&invoice.taxes, tables, reference).unwrap_or_default() {
        let Some(of) = bases.get(category.as_str()) else { continue };
        let names: Vec<String> = taxes.iter().map(|tax| named(tax)).collect();
        let name = names.join(" + ");
        let half_of_lines = i64::try_from(of.lines / 2).unwrap_or(i64::MAX);
        let allowed = tolerance.saturating_add(half_of_lines);
        if let Some(stated) = total(taxes.iter().map(|tax| tax.amount)) {
            if of.reverse_charge {
                if !stated.is_zero() {
                    shown = shown.checked_add(stated).unwrap_or(shown);
                    found.reverse_charge.push((name, stated));
                }
                continue;
            }
            if apart(stated, of.tax, allowed) && apart(stated, of.tax_of_lines, allowed) {
                let tax = name.clone();
                found.faults.push(TaxFault::Computed { tax, stated, computed: of.tax });
            }
        }
        if let Some(stated) = total(taxes.iter().map(|tax| tax.base))
            && apart(stated, of.net, tolerance)
            && apart(stated, of.of_lines, tolerance)
        {
            found.faults.push(TaxFault::Base { tax: name, stated, lines: of.net });
        }
    }
    if let (Some(stated), Some(sum)) =
        (invoice.tax, total(invoice.taxes.iter().map(|tax| tax.amount)))
        && apart(stated, sum, tolerance)
        // Tax that is shown and not charged is in the list and not in the total.
        && sum.checked_add(shown.negated()).is_ok_and(|charged| apart(stated, charged, tolerance))
    {
        found.faults.push(TaxFault::Total { sum, stated });
    }
    found
}

/// The header's taxes by the ERP's category. `None` when one of them leads to none.
fn by_category<'a>(
    taxes: &'a [TaxLine],
    tables: &Tables,
    reference: &ReferenceData,
) -> Option<BTreeMap<String, Vec<&'a TaxLine>>> {
    let mut found: BTreeMap<String, Vec<&TaxLine>> = BTreeMap::new();
    for tax in taxes {
        let category = vat::category(std::slice::from_ref(tax), &[], tables, reference).ok()?;
        found.entry(category).or_default().push(tax);
    }
    Some(found)
}

/// `None` unless every one is stated, in one currency, and there are any.
fn total(amounts: impl Iterator<Item = Option<Money>>) -> Option<Money> {
    let amounts = amounts.collect::<Option<Vec<Money>>>()?;
    let (first, rest) = amounts.split_first()?;
    rest.iter().try_fold(*first, |sum, amount| sum.checked_add(*amount).ok())
}

/// `NO-25 (25 %)`.
fn named(tax: &TaxLine) -> String {
    let rate = tax.rate.map(|rate| format!("{} %", rate.normalize()));
    match (tax.code.as_deref(), rate) {
        (Some(code), Some(rate)) => format!("{code} ({rate})"),
        (Some(code), None) => code.to_owned(),
        (None, Some(rate)) => rate,
        (None, None) => "tax".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::procurement::{
        Currency, InvoiceKind, InvoiceLine, Ripeness, VatCategory, VendorRef,
    };
    use jiff::civil::date;

    fn nok(minor: i64) -> Money {
        Money::new(minor, Currency::NOK)
    }

    fn tax(code: &str, rate: i64, base: Option<i64>, amount: Option<i64>) -> TaxLine {
        TaxLine {
            code: Some(code.into()),
            rate: Some(rate.into()),
            base: base.map(nok),
            amount: amount.map(nok),
        }
    }

    fn line(number: &str, net: i64, taxes: Vec<TaxLine>) -> InvoiceLine {
        InvoiceLine {
            key: number.into(),
            number: number.into(),
            order: None,
            item: None,
            description: String::new(),
            commodity: None,
            quantity: None,
            unit: None,
            unit_price: None,
            price_basis: None,
            net: nok(net),
            taxes,
            distributions: vec![],
        }
    }

    /// 100.00 at 25 % on two lines and 60.00 at 15 %, as the header and the lines state it.
    fn invoice() -> SupplierInvoice {
        SupplierInvoice {
            order_number: None,
            source_id: "1".into(),
            kind: InvoiceKind::Invoice,
            number: "1".into(),
            supplier_reference: None,
            credits_reference: None,
            ripeness: Ripeness::Ripe,
            status: String::new(),
            business_unit: None,
            ship_to: None,
            vendor: VendorRef::default(),
            currency: Currency::NOK,
            exchange_rate: None,
            prices_include_tax: false,
            payee: None,
            invoiced_on: date(2026, 9, 28),
            accounting_on: None,
            due_on: None,
            terms: None,
            payment_reference: None,
            net: None,
            tax: Some(nok(3_400)),
            gross: nok(19_400),
            charges: vec![],
            taxes: vec![
                tax("A", 25, Some(10_000), Some(2_500)),
                tax("B", 15, Some(6_000), Some(900)),
            ],
            lines: vec![
                line("1", 4_000, vec![tax("A", 25, None, Some(1_000))]),
                line("2", 6_000, vec![tax("A", 25, Some(6_000), Some(1_500))]),
                line("3", 6_000, vec![tax("B", 15, Some(6_000), Some(900))]),
            ],
            attachments: vec![],
        }
    }

    fn found(invoice: &SupplierInvoice, reversed: bool, freight: i64) -> StatedTaxes {
        let mut tables = Tables::default();
        let mut reference = ReferenceData::default();
        for (code, category) in [("A", "K25"), ("B", "K15")] {
            tables.vat.table.insert(code.into(), category.into());
            let known = VatCategory { active: true, ..VatCategory::default() };
            reference.vat_categories.insert(category.into(), known);
        }
        let base = |net: i64, freight: i64, percent: i64, lines| TaxBase {
            net: nok(net + freight),
            of_lines: nok(net),
            tax: nok((net + freight) * percent / 100),
            tax_of_lines: nok(net * percent / 100),
            lines,
            reverse_charge: reversed,
        };
        let bases =
            BTreeMap::from([("K25", base(10_000, freight, 25, 2)), ("K15", base(6_000, 0, 15, 1))]);
        stated_taxes(invoice, &bases, 1, &tables, &reference)
    }

    #[test]
    fn stated_taxes_against_the_document_and_the_erp() {
        type Change = fn(&mut SupplierInvoice);
        let cases: [(&str, Change, &[&str]); 14] = [
            ("as it should be", |_| {}, &[]),
            (
                "none stated",
                |i| {
                    i.taxes.clear();
                    i.lines.iter_mut().for_each(|line| line.taxes.clear());
                },
                &[],
            ),
            ("amounts not stated", |i| i.taxes[0].amount = None, &[]),
            ("a line, one øre", |i| i.lines[0].taxes[0].amount = Some(nok(1_001)), &[]),
            ("a line, two øre", |i| i.lines[0].taxes[0].amount = Some(nok(1_002)), &["amount 1"]),
            (
                "a line with a base of its own",
                |i| i.lines[1].taxes[0].base = Some(nok(6_100)),
                &["amount 2"],
            ),
            (
                "two taxes, one base unknown",
                |i| {
                    i.lines[0].taxes.push(tax("A", 25, None, Some(7)));
                },
                &[],
            ),
            // Each of two lines may have been rounded by itself: one øre more of room.
            (
                "the header, two øre",
                |i| {
                    i.taxes[0].amount = Some(nok(2_502));
                    i.tax = Some(nok(3_402));
                },
                &[],
            ),
            (
                "the header, three øre",
                |i| {
                    i.taxes[0].amount = Some(nok(2_503));
                    i.tax = Some(nok(3_403));
                },
                &["amount of header", "computed"],
            ),
            (
                "moved from one rate to the other",
                |i| {
                    i.taxes[0].amount = Some(nok(2_600));
                    i.taxes[1].amount = Some(nok(800));
                },
                &["amount of header", "amount of header", "computed", "computed"],
            ),
            (
                "another base, and its tax",
                |i| {
                    i.taxes[0] = tax("A", 25, Some(9_000), Some(2_250));
                    i.tax = Some(nok(3_150));
                },
                &["computed", "base"],
            ),
            (
                "one rate in two rows",
                |i| {
                    i.taxes[0] = tax("A", 25, Some(4_000), Some(1_000));
                    i.taxes.push(tax("A", 25, Some(6_000), Some(1_500)));
                },
                &[],
            ),
            ("a code that is not mapped", |i| i.taxes[0].code = Some("Z".into()), &[]),
            ("another total", |i| i.tax = Some(nok(3_402)), &["total"]),
        ];
        for (about, change, expected) in cases {
            let mut document = invoice();
            change(&mut document);
            let mut names: Vec<String> = found(&document, false, 0)
                .faults
                .iter()
                .map(|fault| match fault {
                    TaxFault::Amount { at, .. } => {
                        format!("amount {}", at.as_deref().unwrap_or("of header"))
                    }
                    TaxFault::Base { .. } => "base".into(),
                    TaxFault::Computed { .. } => "computed".into(),
                    TaxFault::Total { .. } => "total".into(),
                })
                .collect();
            let mut expected: Vec<String> = expected.iter().map(|name| (*name).into()).collect();
            names.sort();
            expected.sort();
            assert_eq!(names, expected, "{about}");
        }
    }

    #[test]
    fn a_charge_may_be_in_the_list_or_not() {
        let mut document = invoice();
        assert_eq!(found(&document, false, 1_000), StatedTaxes::default(), "left out");
        document.taxes[0] = tax("A", 25, Some(11_000), Some(2_750));
        document.tax = Some(nok(3_650));
        assert_eq!(found(&document, false, 1_000), StatedTaxes::default(), "taken in");
        document.taxes[0] = tax("A", 25, Some(10_500), Some(2_625));
        document.tax = Some(nok(3_525));
        assert_eq!(found(&document, false, 1_000).faults.len(), 2, "half of it");
    }

    #[test]
    fn tax_that_the_buyer_owes_is_told_apart() {
        let mut document = invoice();
        let at: Vec<String> =
            found(&document, true, 0).reverse_charge.into_iter().map(|(at, _)| at).collect();
        assert_eq!(at, ["line 1", "line 2", "line 3", "B (15 %)", "A (25 %)"]);
        // Shown in the list, not charged.
        document.tax = Some(nok(0));
        assert_eq!(found(&document, true, 0).faults, []);
        document.tax = Some(nok(10));
        assert_eq!(found(&document, true, 0).faults.len(), 1);
        for line in &mut document.lines {
            line.taxes[0].amount = Some(nok(0));
            line.taxes[0].rate = Some(Decimal::ZERO);
        }
        document.taxes.clear();
        assert_eq!(found(&document, true, 0), StatedTaxes::default(), "untaxed is right");
    }
}
