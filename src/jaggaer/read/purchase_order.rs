use super::scope::{Reader, Scope};
use super::{header, line, rows};
use crate::jaggaer::profile::{Field, OrderLayout, Text};
use crate::procurement::{OrderLine, OrderLineKind, PurchaseOrder};

pub(super) fn read(
    reader: &mut Reader<'_>,
    scope: &Scope<'_>,
    layout: &OrderLayout,
    source_id: &str,
) -> Option<PurchaseOrder> {
    let number = reader.required(scope, "number", &layout.number);
    let (ripeness, status) = header::status(reader, scope, &layout.status);
    let currency = header::currency(reader, scope, &layout.currency);
    let ordered_on = reader.required(scope, "ordered_on", &layout.ordered_on);
    // Without a currency no amount can be read; one problem says more than a hundred.
    currency?;
    let lines = read_lines(reader, scope, layout);
    Some(PurchaseOrder {
        source_id: source_id.to_owned(),
        revision: reader.optional(scope, "revision", &layout.revision),
        ripeness,
        status,
        business_unit: reader.optional(scope, "business_unit", &layout.business_unit),
        ship_to: reader.optional(scope, "ship_to", &layout.ship_to),
        vendor: header::vendor_ref(reader, scope, &layout.vendor),
        promised_on: reader.optional(scope, "promised_on", &layout.promised_on),
        description: reader.optional(scope, "description", &layout.description),
        terms: reader.optional(scope, "terms", &layout.terms),
        net: reader.optional(scope, "net", &layout.net),
        gross: reader.optional(scope, "gross", &layout.gross),
        lines,
        number: number?,
        currency: currency?,
        ordered_on: ordered_on?,
    })
}

fn read_lines(reader: &mut Reader<'_>, scope: &Scope<'_>, layout: &OrderLayout) -> Vec<OrderLine> {
    let layout = &layout.lines;
    let (found, _) = rows(reader, scope, "lines", &layout.list.0);
    let mut lines = Vec::with_capacity(found.len());
    for (index, row) in found.into_iter().enumerate() {
        let scope = scope.line(row, index);
        let name = line::name(reader, &scope, &layout.key, &layout.number);
        let pricing = line::pricing(reader, &scope, &layout.pricing);
        let taxes = line::taxes(reader, &scope, &layout.taxes);
        let distributions = match &layout.distributions {
            Some(shares) => line::distributions(reader, &scope, shares),
            None => Vec::new(),
        };
        let cancelled = reader.optional(&scope, "cancelled", &layout.cancelled).unwrap_or(false);
        let kind = kind(reader, &scope, &layout.kind);
        let contract = reader.optional(&scope, "contract", &layout.contract);
        let item = reader.optional(&scope, "item", &layout.item);
        let description = reader.optional(&scope, "description", &layout.description);
        let commodity = reader.optional(&scope, "commodity", &layout.commodity);
        let requested_on = reader.optional(&scope, "requested_on", &layout.requested_on);
        let (Some((key, number)), Some(net)) = (name, pricing.net) else { continue };
        lines.push(OrderLine {
            kind,
            contract,
            key,
            number,
            cancelled,
            item,
            description: description.unwrap_or_default(),
            commodity,
            quantity: pricing.quantity,
            unit: pricing.unit,
            unit_price: pricing.unit_price,
            price_basis: pricing.price_basis,
            net,
            taxes,
            distributions,
            requested_on,
        });
    }
    lines
}

fn kind(reader: &mut Reader<'_>, scope: &Scope<'_>, field: &Option<Field<Text>>) -> OrderLineKind {
    let unspecified = OrderLineKind::Unspecified;
    let Some(field) = field else { return unspecified };
    let Some(word) = reader.field(scope, "kind", field) else { return unspecified };
    match word.as_str() {
        "goods" => OrderLineKind::Goods,
        "service" => OrderLineKind::Service,
        "limit" => OrderLineKind::Limit,
        _ => {
            let text =
                "the profile's value table makes neither `goods`, `service` nor `limit` of it";
            reader.problem(scope, "kind", field.rule.place_text(), word, text.to_owned());
            unspecified
        }
    }
}
