use super::header;
use super::scope::{Reader, Scope};
use crate::jaggaer::profile::ContractLayout;
use crate::procurement::Contract;

pub(super) fn read(
    reader: &mut Reader<'_>,
    scope: &Scope<'_>,
    layout: &ContractLayout,
    source_id: &str,
) -> Option<Contract> {
    let number = reader.required(scope, "number", &layout.number);
    let in_force = reader.required(scope, "in_force", &layout.in_force);
    if let Some(currency) = &layout.currency
        && reader.field(scope, "currency", currency).is_some()
    {
        // A contract without a ceiling may come without a currency.
        header::currency(reader, scope, currency);
    }
    Some(Contract {
        source_id: source_id.to_owned(),
        vendor: header::vendor_ref(reader, scope, &layout.vendor),
        starts_on: reader.optional(scope, "starts_on", &layout.starts_on),
        ends_on: reader.optional(scope, "ends_on", &layout.ends_on),
        ceiling: reader.optional(scope, "ceiling", &layout.ceiling),
        consumed: reader.optional(scope, "consumed", &layout.consumed),
        number: number?,
        in_force: in_force?,
    })
}
