//! Whether an invoice is right in itself: its sums, its tax, its dates, its references, the
//! account it asks to be paid on. Pure; what it finds is told to `decide`, which makes holds or
//! remarks of it.

mod credit_note;
mod dates;
mod exchange_rate;
mod net_of_tax;
mod payee;
mod payment_reference;
mod rules;
mod tax;
mod totals;

pub use credit_note::{CreditFault, credit_note};
pub use dates::{DateFault, dated, due_by_terms};
pub use exchange_rate::{RateFault, exchange_rate};
pub use net_of_tax::{NetOfTax, net_of_tax};
pub use payee::{Masters, PayeeFault, payee};
pub use payment_reference::{ReferenceFault, Scheme, payment_reference};
pub use rules::{ExchangeRateRule, Finding, PaymentReferenceRules, ValidationRules};
pub use tax::{StatedTaxes, TaxBase, TaxFault, stated_taxes};
pub use totals::{LineAmount, line_amount, rounding};
