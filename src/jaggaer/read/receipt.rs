use super::scope::{Reader, Scope};
use super::{header, rows};
use crate::jaggaer::profile::ReceiptLayout;
use crate::procurement::{Receipt, ReceiptLine};

pub(super) fn read(
    reader: &mut Reader<'_>,
    scope: &Scope<'_>,
    layout: &ReceiptLayout,
    source_id: &str,
) -> Option<Receipt> {
    let number = reader.required(scope, "number", &layout.number);
    let received_on = reader.optional(scope, "received_on", &layout.received_on);
    let cancelled = reader.optional(scope, "cancelled", &layout.cancelled).unwrap_or(false);
    let layout = &layout.lines;
    let (found, _) = rows(reader, scope, "lines", &layout.list.0);
    let mut lines = Vec::with_capacity(found.len());
    for (index, row) in found.into_iter().enumerate() {
        let scope = scope.line(row, index);
        let order_number = reader.required(&scope, "order", &layout.order);
        let amount = layout.amount.as_ref().and_then(|(amount, currency)| {
            reader.currency = None;
            // A line that was received by quantity carries neither.
            reader.field(&scope, "currency", currency)?;
            header::currency(reader, &scope, currency)?;
            reader.field(&scope, "amount", amount)
        });
        let line = ReceiptLine {
            order_line_number: reader.optional(&scope, "line_number", &layout.line_number),
            order_line_key: reader.optional(&scope, "line_key", &layout.line_key),
            quantity: reader.optional(&scope, "quantity", &layout.quantity),
            unit: reader.optional(&scope, "unit", &layout.unit),
            amount,
            order_number: match order_number {
                Some(number) => number,
                None => continue,
            },
        };
        lines.push(line);
    }
    Some(Receipt {
        source_id: source_id.to_owned(),
        received_on,
        cancelled,
        lines,
        number: number?,
    })
}
