use crate::procurement::{ErpInvoice, InvoiceKind, Money};

/// A supplier's reference in the form in which two spellings of it are the same: upper case,
/// letters and digits only, no leading zeros. Empty when it has neither letter nor digit.
pub fn claim_key(reference: &str) -> String {
    let compact: String =
        reference.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect();
    let stripped = compact.trim_start_matches('0');
    if stripped.is_empty() && !compact.is_empty() { "0".into() } else { stripped.into() }
}

/// What makes an invoice this invoice and no other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Billed<'a> {
    pub kind: InvoiceKind,
    /// The ERP's supplier number.
    pub supplier: &'a str,
    pub reference: &'a str,
    pub gross: Money,
    /// Years it may stand under: of the paper, and of the day it is booked on. Suppliers start
    /// their numbers again in a new year.
    pub years: [i16; 2],
}

/// Whether the ERP holds an invoice already, not counting what this document made itself.
#[derive(Debug, Clone, PartialEq)]
pub enum Existing<'a> {
    No,
    /// A person keyed it in: same supplier, reference, kind, currency and gross.
    Same(&'a ErpInvoice),
    /// Another document of ours made it.
    Ours(&'a ErpInvoice),
    /// The same reference, but another amount or currency, or more than one.
    Other(Vec<&'a ErpInvoice>),
}

pub fn existing<'a>(billed: &Billed<'_>, invoices: &'a [ErpInvoice]) -> Existing<'a> {
    let key = claim_key(billed.reference);
    let mut found: Vec<&ErpInvoice> = invoices
        .iter()
        .filter(|invoice| {
            invoice.kind == Some(billed.kind)
                && invoice.supplier == billed.supplier
                && invoice.is_live()
                && invoice.document_on.is_none_or(|on| billed.years.contains(&on.year()))
                && invoice.supplier_reference.as_deref().is_some_and(|of| claim_key(of) == key)
        })
        .collect();
    // The outcome must not depend on the order in which the ERP listed them.
    found.sort_by(|a, b| (&a.document_type, &a.number).cmp(&(&b.document_type, &b.number)));
    if let Some(ours) = found.iter().find(|invoice| invoice.our_key.is_some()) {
        return Existing::Ours(ours);
    }
    match found.as_slice() {
        [] => Existing::No,
        [only] if only.gross == billed.gross && only.currency == billed.gross.currency => {
            Existing::Same(only)
        }
        _ => Existing::Other(found),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::procurement::Currency;
    use jiff::civil::date;

    #[test]
    fn spellings_of_one_reference() {
        for (raw, key) in [
            ("F-90017", "F90017"),
            (" f 90.017 ", "F90017"),
            ("000123", "123"),
            ("10/20", "1020"),
            ("Ø-7", "Ø7"),
            ("ø7", "Ø7"),
            ("000", "0"),
            ("-- ", ""),
        ] {
            assert_eq!(claim_key(raw), key, "{raw}");
        }
    }

    fn known() -> ErpInvoice {
        ErpInvoice {
            kind: Some(InvoiceKind::Invoice),
            document_type: "Invoice".into(),
            number: "300001".into(),
            supplier: "50001".into(),
            supplier_reference: Some("f 90017".into()),
            status: "Balanced".into(),
            currency: Currency::NOK,
            document_on: Some(date(2026, 9, 28)),
            gross: Money::new(125_000, Currency::NOK),
            vat: None,
            balance: None,
            payment_reference: None,
            our_key: None,
            version: None,
            modified: None,
            attachments: vec![],
            lines: vec![],
        }
    }

    #[test]
    fn the_same_invoice_is_told_from_others() {
        let eur = Currency::parse("EUR").unwrap();
        type Change = fn(&mut ErpInvoice);
        let cases: [(&str, Change, &str); 10] = [
            ("itself", |_| {}, "same"),
            ("another amount", |i| i.gross.minor += 1, "other"),
            ("another supplier", |i| i.supplier = "50002".into(), "no"),
            ("another kind", |i| i.kind = Some(InvoiceKind::CreditNote), "no"),
            ("a payment", |i| i.kind = None, "no"),
            ("voided", |i| i.status = "Voided".into(), "no"),
            ("last year", |i| i.document_on = Some(date(2025, 9, 28)), "no"),
            ("no date known", |i| i.document_on = None, "same"),
            ("another reference", |i| i.supplier_reference = Some("F-9001".into()), "no"),
            ("made by us", |i| i.our_key = Some("k".into()), "ours"),
        ];
        let billed = Billed {
            kind: InvoiceKind::Invoice,
            supplier: "50001",
            reference: "F-90017",
            gross: Money::new(125_000, Currency::NOK),
            years: [2026, 2027],
        };
        let word = |invoices: &[ErpInvoice]| match existing(&billed, invoices) {
            Existing::No => "no",
            Existing::Same(_) => "same",
            Existing::Ours(_) => "ours",
            Existing::Other(_) => "other",
        };
        for (about, change, expected) in cases {
            let mut invoice = known();
            change(&mut invoice);
            assert_eq!(word(&[invoice]), expected, "{about}");
        }
        let mut foreign = known();
        foreign.currency = eur;
        foreign.gross.currency = eur;
        assert_eq!(word(&[foreign]), "other");
        assert_eq!(word(&[known(), known()]), "other", "two of them");
        assert_eq!(word(&[]), "no");
    }
}
