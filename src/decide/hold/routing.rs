use super::{Entry, Hold, entry};

#[rustfmt::skip]
pub(super) const ENTRIES: &[Entry] = &[
    entry("no_route", "No connection of the source takes the document", "Integration or requester", "Correct it in JAGGAER, or add its value to a `[[connection.route]]`").by_itself("the routes"),
    entry("order_elsewhere", "The invoice bills an order that went to another company", "AP or integration", "Correct the order number or the business unit, or the routes").by_itself("the order or the routes"),
    entry("route_changed", "JAGGAER moved the document to another company after it was written to Visma", "AP", "Move it in JAGGAER back, or move it in Visma by hand"),
    entry("several_routes", "Several connections of the source take the document", "Integration", "Make the routes exclude each other").by_itself("the routes"),
];

impl Hold {
    /// `seen`: what the routes looked at, with what stood there.
    pub(crate) fn no_route(source: &str, seen: &str) -> Self {
        Self::new(
            "no_route",
            format!("No connection of `{source}` takes this document: {seen}."),
            "Correct it in JAGGAER, or add its value to a [[connection.route]] of the configuration; it \
             is routed anew by itself.",
        )
    }

    pub(crate) fn several_routes(connections: &str, seen: &str) -> Self {
        Self::new(
            "several_routes",
            format!("The connections {connections} all take this document: {seen}."),
            "Change the [[connection.route]] entries of the configuration so that only one of them \
             takes it; it is routed anew by itself.",
        )
    }

    /// `to`: where it would go now, in words.
    pub(crate) fn route_changed(company: &str, to: &str) -> Self {
        Self::new(
            "route_changed",
            format!("The document was written to the company `{company}`, and it goes {to} now."),
            "If it was moved by mistake, move it back in JAGGAER. If it belongs to the other company, \
             take it back in Visma by hand and enter it there. If it stays where it is, release it: the change is \
             carried into that company then.",
        )
    }

    pub(crate) fn order_elsewhere(number: &str, connection: &str, company: &str) -> Self {
        Self::new(
            "order_elsewhere",
            format!(
                "Order {number} went by the connection `{connection}` to the company `{company}`; this \
                 invoice goes to another."
            ),
            "Correct the order number or the business unit in JAGGAER, or the routes in the \
             configuration, so that both go to one company.",
        )
    }
}
