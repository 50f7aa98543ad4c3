//! What JAGGAER is told of a document: how it fares here, and how far it is paid in the ERP. Pure.

use crate::procurement::{ErpInvoice, Money, StatusReport, StatusWord};

/// Characters of a message: sources keep a line or two.
const LONGEST: usize = 1000;

/// How a document fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fare<'a> {
    /// On its way, waiting, or nothing that the source needs to know.
    Underway,
    Posted {
        is_update: bool,
    },
    /// With the sentences of its holds.
    Held(&'a [String]),
    Cancelled,
}

/// `None`: there is nothing (new) to tell.
pub fn of_document(
    fare: Fare<'_>,
    erp_number: Option<&str>,
    revision: Option<i64>,
) -> Option<StatusReport> {
    let (word, message) = match fare {
        Fare::Underway => return None,
        Fare::Posted { is_update: false } => (StatusWord::Created, None),
        Fare::Posted { is_update: true } => (StatusWord::Updated, None),
        Fare::Held(sentences) => (StatusWord::Held, Some(cut(&sentences.join(" ")))),
        // Of what never stood in the ERP the source knows all there is.
        Fare::Cancelled => {
            erp_number?;
            (StatusWord::Cancelled, None)
        }
    };
    let erp_number = erp_number.map(str::to_owned);
    Some(StatusReport { word, erp_number, revision, message, paid: None, remaining: None })
}

/// From what the ERP still owes on it. What is not released, or void, is no matter of payment.
/// `told` is what the source was told last.
pub fn of_payment(invoice: &ErpInvoice, told: Option<&StatusReport>) -> Option<StatusReport> {
    let remaining = invoice.balance?;
    if !invoice.is_released() || remaining.currency != invoice.gross.currency {
        return None;
    }
    let gross = invoice.gross.minor;
    let word = match remaining.minor {
        0 if gross != 0 => StatusWord::Paid,
        left if left.signum() == gross.signum() && left.abs() < gross.abs() => {
            StatusWord::PartlyPaid
        }
        // A payment was taken back.
        left if left == gross && told.is_some() => StatusWord::Payable,
        _ => return None,
    };
    let paid = gross.checked_sub(remaining.minor)?;
    Some(StatusReport {
        word,
        erp_number: Some(invoice.number.clone()),
        revision: None,
        message: None,
        paid: Some(Money::new(paid, invoice.gross.currency)),
        remaining: Some(remaining),
    })
}

fn cut(text: &str) -> String {
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    let begin: String = text.chars().take(LONGEST - 3).collect();
    format!("{begin}...")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::procurement::Currency;

    fn invoice(status: &str, gross: i64, balance: Option<i64>) -> ErpInvoice {
        let money = |minor| Money::new(minor, Currency::NOK);
        ErpInvoice {
            kind: None,
            document_type: "Invoice".into(),
            number: "300001".into(),
            supplier: "50012".into(),
            supplier_reference: None,
            status: status.into(),
            currency: Currency::NOK,
            document_on: None,
            gross: money(gross),
            vat: None,
            balance: balance.map(money),
            payment_reference: None,
            our_key: None,
            version: None,
            modified: None,
            attachments: Vec::new(),
            lines: Vec::new(),
        }
    }

    #[test]
    fn payment_follows_the_balance_of_what_is_released() {
        let before = of_payment(&invoice("Open", 100, Some(40)), None);
        let cases = [
            (invoice("Open", 100, Some(100)), None, None),
            (invoice("Open", 100, Some(100)), before.as_ref(), Some(("payable", 0))),
            (invoice("Open", 100, Some(99)), None, Some(("partly_paid", 1))),
            (invoice("Open", 100, Some(1)), None, Some(("partly_paid", 99))),
            (invoice("Closed", 100, Some(0)), None, Some(("paid", 100))),
            (invoice("Open", 100, Some(0)), None, Some(("paid", 100))),
            // Not released, void, without a balance, of nothing, or more owed than billed.
            (invoice("Hold", 100, Some(0)), None, None),
            (invoice("Balanced", 100, Some(50)), None, None),
            (invoice("Voided", 100, Some(0)), before.as_ref(), None),
            (invoice("Closed", 100, None), None, None),
            (invoice("Closed", 0, Some(0)), None, None),
            (invoice("Open", 100, Some(101)), before.as_ref(), None),
            (invoice("Open", 100, Some(-1)), None, None),
        ];
        for (invoice, told, expected) in cases {
            let report = of_payment(&invoice, told);
            let found =
                report.as_ref().map(|of| (of.word.as_str(), of.paid.map_or(-1, |paid| paid.minor)));
            assert_eq!(found, expected, "{invoice:?}");
            let sum = report.and_then(|of| Some(of.paid?.minor + of.remaining?.minor));
            assert!(sum.is_none_or(|sum| sum == invoice.gross.minor));
        }
    }

    #[test]
    fn a_document_is_told_when_it_stands_or_needs_a_person() {
        let sentences = ["Line 1: too dear.".to_owned(), "No receipt.".to_owned()];
        let told = |fare, number| {
            of_document(fare, number, Some(2)).map(|of| (of.word.as_str(), of.message))
        };
        assert_eq!(told(Fare::Underway, Some("1")), None);
        assert_eq!(told(Fare::Posted { is_update: false }, Some("1")), Some(("created", None)));
        assert_eq!(told(Fare::Posted { is_update: true }, Some("1")), Some(("updated", None)));
        let message = Some("Line 1: too dear. No receipt.".to_owned());
        assert_eq!(told(Fare::Held(&sentences), None), Some(("held", message)));
        assert_eq!(told(Fare::Cancelled, None), None);
        assert_eq!(told(Fare::Cancelled, Some("1")), Some(("cancelled", None)));
        let long = ["ø".repeat(LONGEST + 1)];
        let cut = told(Fare::Held(&long), None).and_then(|of| of.1).expect("a message");
        assert_eq!((cut.chars().count(), cut.ends_with("ø...")), (LONGEST, true));
    }
}
