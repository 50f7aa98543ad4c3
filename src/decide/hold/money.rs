use super::{Entry, Hold, entry};
use crate::procurement::{AllocationFault, Money};

#[rustfmt::skip]
pub(super) const ENTRIES: &[Entry] = &[
    entry("amount_too_large", "Amounts beyond what can be computed exactly", "Integration", "Check how the profile reads the amounts").by_itself("the profile"),
    entry("charge_not_mapped", "A header charge or discount has no account configured", "Integration", "Add it to `charges`").by_itself("the configuration"),
    entry("currency_mixed", "Amounts in more than one currency on one document", "AP or integration", "Correct the document or the profile").by_itself("the profile"),
    entry("currency_unknown", "Visma does not list the currency", "Accounting", "Set up the currency").by_itself("the currency"),
    entry("distribution_unbalanced", "The shares of a line do not add up to the line", "AP", "Correct the shares in JAGGAER"),
    entry("distribution_unclear", "The shares mix amounts with percentages, or say neither", "AP", "State all by amount or all by percentage"),
    entry("gross_differs", "VAT as Visma computes it gives another gross than the invoice says", "AP", "Compare the VAT codes with the paper").by_itself("the mapping or the VAT rate"),
    entry("gross_negative", "The gross is below zero for its type", "AP or integration", "Correct the type, or the profile's sign rule").by_itself("the profile"),
    entry("lines_unbalanced", "Lines and charges do not add up to the net", "AP", "Correct lines or net in JAGGAER"),
    entry("total_unbalanced", "Net and tax do not add up to the gross", "AP", "Correct the totals in JAGGAER"),
];

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

    pub(crate) fn allocation(at: &str, fault: &AllocationFault) -> Self {
        match fault {
            AllocationFault::Amounts { sum, whole } => Self::distribution_unbalanced(
                at,
                &format!("the shares add up to {sum}, but they divide {whole}"),
            ),
            AllocationFault::Percents { sum } => Self::distribution_unbalanced(
                at,
                &format!("the shares add up to {}%, not to 100", sum.normalize()),
            ),
            AllocationFault::Quantities { sum, whole } => Self::distribution_unbalanced(
                at,
                &format!(
                    "the shares' quantities add up to {}, but they divide {}",
                    sum.normalize(),
                    whole.normalize()
                ),
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
                "{at}: the shares do not all say an amount, nor all a percentage, a quantity or a ratio of zero or more."
            ),
            "State all shares of the line in one way (amount, percentage, quantity or ratio) in \
             JAGGAER; the document comes again by itself.",
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
             JAGGAER or in [connection.mapping.vat]; then release.",
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
            format!("Say in [connection.charges.{kind}] where it is booked; then release."),
        )
    }
}
