use super::Hold;
use crate::procurement::{AllocationFault, Money};

impl Hold {
    pub(crate) fn currency_unknown(currency: &str) -> Self {
        Self::new(
            "currency_unknown",
            format!("The currency {currency} is not set up in Visma."),
            "Ask accounting to set up the currency in Visma; then release.",
        )
    }

    pub(crate) fn currency_mixed(currency: &str, other: &str) -> Self {
        Self::new(
            "currency_mixed",
            format!("The document is in {currency}, but amounts on it are in {other}."),
            "Correct the document in JAGGAER, or the place of the currency in the profile; then release.",
        )
    }

    pub(crate) fn amount_too_large(at: &str) -> Self {
        Self::new(
            "amount_too_large",
            format!("{at}: the amounts are too large to be computed."),
            "Check the amounts in JAGGAER and their reading in the profile; then release.",
        )
    }

    pub(crate) fn allocation(at: &str, line: Money, fault: &AllocationFault) -> Self {
        match fault {
            AllocationFault::Amounts { sum } => Self::distribution_unbalanced(
                at,
                &format!("the shares add up to {sum}, the line to {line}"),
            ),
            AllocationFault::Percents { sum } => Self::distribution_unbalanced(
                at,
                &format!("the shares add up to {}%, not to 100", sum.normalize()),
            ),
            AllocationFault::Unclear => Self::distribution_unclear(at),
            AllocationFault::TooLarge => Self::amount_too_large(at),
        }
    }

    fn distribution_unbalanced(at: &str, sums: &str) -> Self {
        Self::new(
            "distribution_unbalanced",
            format!("{at}: {sums}."),
            "Correct the shares of the line in JAGGAER; the document comes again by itself.",
        )
    }

    fn distribution_unclear(at: &str) -> Self {
        Self::new(
            "distribution_unclear",
            format!(
                "{at}: the shares do not all say an amount, nor all a percentage of zero or more."
            ),
            "State each share of the line by amount, or each by percentage, in JAGGAER; the \
             document comes again by itself.",
        )
    }

    pub(crate) fn lines_unbalanced(sum: Money, net: Money) -> Self {
        Self::new(
            "lines_unbalanced",
            format!("Lines and charges add up to {sum}, but the document says {net} net."),
            "Correct the lines or the net amount in JAGGAER; the document comes again by itself.",
        )
    }

    pub(crate) fn total_unbalanced(net: Money, tax: Money, gross: Money) -> Self {
        Self::new(
            "total_unbalanced",
            format!("Net {net} and tax {tax} do not add up to gross {gross}."),
            "Correct the totals in JAGGAER; the document comes again by itself.",
        )
    }

    pub(crate) fn gross_differs(computed: Money, vat: Money, gross: Money) -> Self {
        Self::new(
            "gross_differs",
            format!(
                "Visma would compute {computed} (of which VAT {vat}), but the invoice says {gross}."
            ),
            "Compare the VAT codes of the lines with the supplier's invoice, and correct them in \
             JAGGAER or in [connection.rules.mapping.vat]; then release.",
        )
    }

    pub(crate) fn gross_negative(gross: Money) -> Self {
        Self::new(
            "gross_negative",
            format!(
                "The document's gross is {gross}: an invoice below zero is a credit note, and the reverse."
            ),
            "Correct the type of the document in JAGGAER, or the sign rule in the profile; then release.",
        )
    }

    pub(crate) fn charge_not_mapped(kind: &str, amount: Money) -> Self {
        Self::new(
            "charge_not_mapped",
            format!(
                "The document has a {kind} of {amount} on its header, and no account is configured for that."
            ),
            format!("Say in [connection.rules.charges.{kind}] where it is booked; then release."),
        )
    }
}
