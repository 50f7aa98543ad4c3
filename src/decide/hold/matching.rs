use super::{Entry, Hold, Role, entry};
use crate::matching::{Beyond, Deviation};

#[rustfmt::skip]
pub(super) const ENTRIES: &[Entry] = &[
    entry("ceiling_exceeded", "A blanket line or contract is billed for more than its ceiling", "Buyer", "Raise the ceiling, or have the invoice corrected").by_itself("the order, the contract or what was billed").unless(Role::Buyer),
    entry("charge_over", "Freight or other charges that are not on the order are over the limit", "Buyer", "Accept the charges, or have them credited").by_itself("the limit").unless(Role::Buyer),
    entry("contract_not_valid", "The contract of an order line is not in force on the invoice's date, or is with another supplier", "Buyer", "Renew or correct the contract").by_itself("the contract").unless(Role::Buyer),
    entry("header_only", "An invoice without lines bills an order by its total", "AP", "Have the lines entered in JAGGAER"),
    entry("header_over", "The invoice comes to more than is left to bill on its orders", "Buyer", "Change the order, or have the invoice corrected").by_itself("the order, the limit or what was billed").unless(Role::Buyer),
    entry("line_over", "A line costs more than was ordered", "Buyer", "Change the order, or have the invoice corrected").by_itself("the order, the limit or what was billed").unless(Role::Buyer),
    entry("line_under", "A line costs less than the limit allows, or takes back more than was billed", "Buyer or AP", "Change the order, or have the invoice corrected").by_itself("the order, the limit or what was billed").unless(Role::Buyer),
    entry("order_line_unclear", "A line names an order but not which line of it", "AP", "Name the order line on the invoice").by_itself("the order").unless(Role::Ap),
    entry("order_required", "A line must name an order and does not", "Requester or buyer", "Name the order on the invoice").by_itself("the rule").unless(Role::Buyer),
    entry("price_over", "A price is over the order's", "Buyer", "Change the order, or have the invoice corrected").by_itself("the order, the limit or what was billed").unless(Role::Buyer),
    entry("price_under", "A price is under the order's by more than the limit", "Buyer", "Change the order, or have the invoice corrected").by_itself("the order, the limit or what was billed").unless(Role::Buyer),
    entry("quantity_over", "More is billed than was ordered, or given back than was billed", "Buyer", "Change the order, or have the invoice corrected").by_itself("the order, the limit or what was billed").unless(Role::Buyer),
    entry("quantity_under", "Less is billed than the limit allows", "Buyer", "Change the order, or have the invoice corrected").by_itself("the order, the limit or what was billed").unless(Role::Buyer),
    entry("unit_not_convertible", "Units of invoice, order or receipt cannot be compared", "Integration", "Add a factor to `matching.factors`").by_itself("the factor").unless(Role::Buyer),
];

const CORRECT: &str = "Ask the buyer. Change the order in JAGGAER, or have the supplier correct or credit the invoice; \
                       the buyer may also accept it with a reason.";

impl Hold {
    pub(crate) fn beyond(of: &Beyond) -> Self {
        let text = format!("{}: {}.", of.at, of.how);
        match of.what {
            Deviation::PriceOver => Self::new("price_over", text, CORRECT),
            Deviation::PriceUnder => Self::new("price_under", text, CORRECT),
            Deviation::QuantityOver => Self::new("quantity_over", text, CORRECT),
            Deviation::QuantityUnder => Self::new("quantity_under", text, CORRECT),
            Deviation::LineOver => Self::new("line_over", text, CORRECT),
            Deviation::LineUnder => Self::new("line_under", text, CORRECT),
            Deviation::HeaderOver => Self::new("header_over", text, CORRECT),
            Deviation::ChargeOver => Self::new("charge_over", text, CORRECT),
            Deviation::UnitNotConvertible => Self::new(
                "unit_not_convertible",
                text,
                "Say in [[connection.matching.factors]] how many of the one the other is, or correct \
                 the unit in JAGGAER; then release.",
            ),
            Deviation::CeilingExceeded => Self::ceiling_exceeded(&of.at, &of.how),
        }
    }

    pub(crate) fn ceiling_exceeded(at: &str, how: &str) -> Self {
        Self::new(
            "ceiling_exceeded",
            format!("{at}: {how}."),
            "Ask the buyer to raise the ceiling in JAGGAER, or to have the invoice corrected; the \
             buyer may also accept it with a reason.",
        )
    }

    pub(crate) fn contract_not_valid(at: &str, contract: &str, why: &str) -> Self {
        Self::new(
            "contract_not_valid",
            format!("{at}: the order draws on contract {contract}, {why}."),
            "Ask the buyer to renew or correct the contract in JAGGAER; the buyer may also accept \
             the invoice with a reason.",
        )
    }

    pub(crate) fn order_line_unclear(at: &str, order: &str, best: &str) -> Self {
        Self::new(
            "order_line_unclear",
            format!(
                "{at} names order {order}, but not which of its lines it bills. Most like it is {best}."
            ),
            "Name the order line on the invoice in JAGGAER. If it bills none of them, let it pass \
             with a reason: it is then posted by its own coding.",
        )
    }

    pub(crate) fn order_required(at: &str, why: &str) -> Self {
        Self::new(
            "order_required",
            format!("{at} names no order, but {why}."),
            "Name the order on the invoice in JAGGAER, or have one made; the buyer may also accept \
             the invoice with a reason.",
        )
    }

    pub(crate) fn header_only(order: &str, how: &str) -> Self {
        Self::new(
            "header_only",
            format!("The invoice has no lines and bills order {order} by its total: {how}."),
            "Enter the lines in JAGGAER, or post the invoice by hand in Visma.",
        )
    }
}
