use super::{Entry, Hold, Role, entry};

#[rustfmt::skip]
pub(super) const ENTRIES: &[Entry] = &[
    entry("order_cancelled", "The invoice bills a cancelled order", "Buyer", "Reopen the order, or remove it from the invoice").by_itself("the order"),
    entry("order_currency_differs", "Order and invoice are in different currencies", "AP", "Correct the currency or the order number").by_itself("the order"),
    entry("order_in_visma_differs", "An order keyed in by hand has the same number and other contents", "Buyer or accounting", "Make the two agree, or cancel one").by_itself("the order"),
    entry("order_line_unknown", "The order line that a line bills is not found in Visma", "AP", "Correct the order line on the invoice").by_itself("the order"),
    entry("order_not_taken", "The order was never carried over and is not in Visma", "Buyer or AP", "Key it in with its number as supplier reference").by_itself("the order"),
    entry("order_pruned", "The order is so old that its body was deleted here", "Buyer", "Compare the invoice with the order in Visma").unless(Role::Buyer),
    entry("order_supplier_differs", "Order and invoice have different suppliers", "AP", "Correct the supplier or the order number").by_itself("the order or the link"),
];

impl Hold {
    pub(crate) fn order_in_visma_differs(number: &str, erp: &str, how: &str) -> Self {
        Self::new(
            "order_in_visma_differs",
            format!(
                "Order {number} stands in Visma already as {erp}, keyed in by hand, and differs: {how}."
            ),
            "Correct or cancel the order in Visma, or change the one in JAGGAER; then release.",
        )
    }

    pub(crate) fn order_not_taken(order: &str) -> Self {
        Self::new(
            "order_not_taken",
            format!(
                "Order {order} was not carried over (it is from before go-live) and is not in Visma."
            ),
            "Key the order in by hand in Visma with this number as supplier reference, or post the \
             invoice by hand; then release.",
        )
    }

    pub(crate) fn order_cancelled(order: &str) -> Self {
        Self::new(
            "order_cancelled",
            format!("Order {order} is cancelled."),
            "Ask the buyer whether the invoice is to be paid. Reopen the order, or remove it from \
             the invoice in JAGGAER; then release.",
        )
    }

    pub(crate) fn order_pruned(order: &str) -> Self {
        Self::new(
            "order_pruned",
            format!(
                "Order {order} is so old that what JAGGAER sent of it was deleted here, so the invoice cannot be compared \
                 with it."
            ),
            "Compare it with the order in Visma, and ask the buyer whether it is to be paid. If it is, set this aside with \
             a reason.",
        )
    }

    pub(crate) fn order_supplier_differs(order: &str, ordered: &str, invoiced: &str) -> Self {
        Self::new(
            "order_supplier_differs",
            format!(
                "Order {order} is placed with supplier {ordered}, but {invoiced} sends the invoice."
            ),
            "Correct the supplier or the order number in JAGGAER; then release.",
        )
    }

    pub(crate) fn order_currency_differs(order: &str, ordered: &str, invoiced: &str) -> Self {
        Self::new(
            "order_currency_differs",
            format!("Order {order} is in {ordered}, but the invoice is in {invoiced}."),
            "Correct the currency or the order number in JAGGAER; then release.",
        )
    }

    pub(crate) fn order_line_unknown(at: &str, order: &str, line: Option<&str>) -> Self {
        let which = match line {
            Some(line) => format!("line {line} of order {order} is not found in Visma"),
            None => format!("it cannot be told which line of order {order} it bills"),
        };
        Self::new(
            "order_line_unknown",
            format!("{at}: {which}."),
            "Correct the order line on the invoice in JAGGAER, or the order in Visma; then release.",
        )
    }
}
