use crate::procurement::{InvoiceKind, Money, PastInvoice};

/// What is wrong between a credit note and what it credits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CreditFault<'a> {
    /// It names no invoice.
    NamesNone,
    /// The invoice that it names is not known.
    Unknown { reference: &'a str },
    /// The invoice that it names is another supplier's, or in another currency.
    Contradicts { reference: &'a str, other: &'a PastInvoice },
    /// More than the invoice, less what other credit notes took back of it.
    TooLarge { gross: Money, of: &'a PastInvoice, credited: Money, left: Money },
    /// More than is left to pay, which a paid invoice shows too: the rest stands to our credit.
    BeyondBalance { of: &'a PastInvoice, balance: Money },
}

/// `others`: the documents that carry the number it credits, and the credit notes that name it too.
pub fn credit_note<'a>(
    gross: Money,
    supplier: &str,
    credits: Option<&'a str>,
    others: &'a [PastInvoice],
) -> Option<CreditFault<'a>> {
    let Some(reference) = credits else { return Some(CreditFault::NamesNone) };
    let invoices =
        || others.iter().filter(|past| past.kind == InvoiceKind::Invoice && past.is_live());
    let fits =
        |past: &&PastInvoice| past.supplier == supplier && past.gross.currency == gross.currency;
    // Suppliers start their numbers again each year: of several, the one that can carry it counts.
    let Some(of) = invoices().filter(fits).max_by_key(|past| (past.gross.minor, past.invoiced_on))
    else {
        return Some(match invoices().max_by_key(|past| &past.document) {
            Some(other) => CreditFault::Contradicts { reference, other },
            None => CreditFault::Unknown { reference },
        });
    };
    let zero = Money::zero(gross.currency);
    let credited = others
        .iter()
        .filter(|past| past.kind == InvoiceKind::CreditNote && past.is_live())
        .filter(fits)
        .try_fold(zero, |sum, past| sum.checked_add(past.gross).ok())?;
    let left = of.gross.checked_add(credited.negated()).ok()?;
    if gross.minor > left.minor {
        return Some(CreditFault::TooLarge { gross, of, credited, left });
    }
    of.balance
        .filter(|balance| balance.currency == gross.currency && gross.minor > balance.minor)
        .map(|balance| CreditFault::BeyondBalance { of, balance })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::procurement::Currency;
    use jiff::civil::date;

    fn nok(minor: i64) -> Money {
        Money::new(minor, Currency::NOK)
    }

    fn past(kind: InvoiceKind, document: &str, gross: i64) -> PastInvoice {
        PastInvoice {
            document: document.into(),
            kind,
            supplier: "50001".into(),
            reference: Some("F-1".into()),
            invoiced_on: Some(date(2026, 9, 1)),
            gross: nok(gross),
            balance: None,
            payment_reference: None,
            status: "Open".into(),
        }
    }

    #[test]
    fn a_credit_note_against_its_invoice() {
        use InvoiceKind::{CreditNote, Invoice};
        let invoice = || past(Invoice, "A", 10_000);
        let credit = |gross| past(CreditNote, "K", gross);
        let abroad = || PastInvoice { supplier: "50002".into(), ..invoice() };
        let in_euro = || PastInvoice {
            gross: Money::new(10_000, Currency::parse("EUR").unwrap()),
            ..invoice()
        };
        let voided = || PastInvoice { status: "Voided".into(), ..invoice() };
        let open = |minor| PastInvoice { balance: Some(nok(minor)), ..invoice() };
        type Case<'a> = (&'a str, i64, Option<&'a str>, Vec<PastInvoice>, &'a str);
        let cases: Vec<Case<'_>> = vec![
            ("all of it", 10_000, Some("F-1"), vec![invoice()], "fits"),
            ("a part", 1, Some("F-1"), vec![invoice()], "fits"),
            ("one øre more", 10_001, Some("F-1"), vec![invoice()], "left 10000"),
            ("what is left", 6_000, Some("F-1"), vec![credit(4_000), invoice()], "fits"),
            ("more than that", 6_001, Some("F-1"), vec![credit(4_000), invoice()], "left 6000"),
            ("all again", 10_000, Some("F-1"), vec![invoice(), credit(10_000)], "left 0"),
            ("no name", 1, None, vec![invoice()], "none"),
            ("nothing known", 1, Some("F-1"), vec![], "unknown"),
            ("only a credit note", 1, Some("F-1"), vec![credit(5)], "unknown"),
            ("voided", 1, Some("F-1"), vec![voided()], "unknown"),
            ("another supplier's", 1, Some("F-1"), vec![abroad()], "contradicts"),
            ("in euro", 1, Some("F-1"), vec![in_euro()], "contradicts"),
            ("one of two fits", 1, Some("F-1"), vec![abroad(), invoice()], "fits"),
            ("open", 10_000, Some("F-1"), vec![open(10_000)], "fits"),
            ("paid", 10_000, Some("F-1"), vec![open(0)], "balance 0"),
            (
                "the larger of two years",
                9,
                Some("F-1"),
                vec![past(Invoice, "B", 5), invoice()],
                "fits",
            ),
        ];
        for (about, gross, credits, others, expected) in cases {
            let found = match credit_note(nok(gross), "50001", credits, &others) {
                None => "fits".to_owned(),
                Some(CreditFault::NamesNone) => "none".into(),
                Some(CreditFault::Unknown { .. }) => "unknown".into(),
                Some(CreditFault::Contradicts { .. }) => "contradicts".into(),
                Some(CreditFault::TooLarge { left, .. }) => format!("left {}", left.minor),
                Some(CreditFault::BeyondBalance { balance, .. }) => {
                    format!("balance {}", balance.minor)
                }
            };
            assert_eq!(found, expected, "{about}");
        }
    }
}
