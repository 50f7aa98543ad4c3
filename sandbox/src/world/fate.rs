//! What must become of each document: the oracle that the connector's result is held against.

use super::amount;
use super::document::{Invoice, Line, Order};
use super::supplier::Vendor;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// What a document is, in the connector's result as in ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    PurchaseOrder,
    SupplierInvoice,
    CreditNote,
}

/// The one right outcome of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// Stands in Visma once, exactly so.
    Posted(Box<ExpectedDocument>),
    /// Stands in Visma already, keyed by hand, exactly so: taken, not made again.
    Adopted(Box<ExpectedDocument>),
    /// A person must look. Nothing of it stands in Visma.
    Held(Plant),
    /// Before go-live, or taken back in JAGGAER.
    Ignored,
    /// Waits for an order that JAGGAER does not deliver.
    Waiting,
    /// Not approved, not sent.
    NotRipe,
}

/// Why a document was made unpostable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plant {
    /// The connector's code of the hold.
    pub code: &'static str,
    /// Another code that shows the same fault, where a profile does not carry the field that
    /// would show the first.
    pub or: Option<&'static str>,
}

/// A document as it must stand in Visma.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedDocument {
    pub kind: Kind,
    /// Visma's supplier number.
    pub supplier: String,
    /// The supplier's reference; for an order JAGGAER's order number.
    pub reference: String,
    pub currency: String,
    /// Gross of an invoice, net of an order; minor units; positive for a credit note.
    pub amount_minor: i64,
    /// Sorted. One for each share of each line, and one for each header charge.
    pub lines: Vec<ExpectedLine>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExpectedLine {
    pub account: String,
    /// Segment values joined: `110-P-2031`.
    pub subaccount: String,
    pub vat_category: String,
    pub cost_minor: i64,
}

/// A document with its fate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expectation {
    pub kind: Kind,
    pub business_unit: String,
    /// JAGGAER's id.
    pub source_id: String,
    /// JAGGAER's number, for people.
    pub number: String,
    pub fate: Fate,
    /// The other document of a pair of which either may be posted and the other is then held.
    pub twin: Option<String>,
    /// For a held one of a pair: as it would stand in Visma, were it the one that is posted.
    pub otherwise: Option<Box<ExpectedDocument>>,
}

impl Invoice {
    pub const fn kind(&self) -> Kind {
        if self.credit { Kind::CreditNote } else { Kind::SupplierInvoice }
    }

    /// As it must stand in Visma. `None`: Visma does not know the supplier.
    pub fn expected(&self, vendor: &Vendor) -> Option<ExpectedDocument> {
        let mut lines = expected_lines(self.lines.iter(), &self.currency);
        let standard = [self.charges.shipping, self.charges.handling, -self.charges.discount];
        let charges = standard
            .into_iter()
            .map(|charge| (charge, "K25"))
            .chain([(self.charges.rounding, "K0")]);
        for (charge, category) in charges.filter(|(charge, _)| !charge.is_zero()) {
            lines.push(ExpectedLine {
                account: "7770".into(),
                subaccount: "110-000000".into(),
                vat_category: category.into(),
                cost_minor: amount::minor(charge, &self.currency),
            });
        }
        lines.sort();
        Some(ExpectedDocument {
            kind: self.kind(),
            supplier: vendor.visma.as_ref()?.number.clone(),
            reference: self.reference.clone()?,
            currency: self.currency.clone(),
            amount_minor: amount::minor(self.gross, &self.currency),
            lines,
        })
    }
}

impl Order {
    /// As it must stand in Visma. `None`: Visma does not know the supplier.
    pub fn expected(&self, vendor: &Vendor) -> Option<ExpectedDocument> {
        let mut lines = expected_lines(self.lines_in_force(), &self.currency);
        lines.sort();
        Some(ExpectedDocument {
            kind: Kind::PurchaseOrder,
            supplier: vendor.visma.as_ref()?.number.clone(),
            reference: self.number.clone(),
            currency: self.currency.clone(),
            amount_minor: amount::minor(self.net, &self.currency),
            lines,
        })
    }
}

fn expected_lines<'a>(lines: impl Iterator<Item = &'a Line>, currency: &str) -> Vec<ExpectedLine> {
    let mut expected = Vec::new();
    for line in lines {
        for share in &line.shares {
            let project = share.project.as_deref().unwrap_or("000000");
            expected.push(ExpectedLine {
                account: share.account.clone(),
                subaccount: format!("{}-{project}", share.cost_center),
                vat_category: vat_category(&line.tax_code).into(),
                cost_minor: amount::minor(share.amount, currency),
            });
        }
    }
    expected
}

/// Visma's VAT category of a tax code, by the mapping that the sandbox's company uses.
pub fn vat_category(tax_code: &str) -> &'static str {
    match tax_code {
        "NO-15" => "K15",
        "NO-12" => "K12",
        "NO-0" => "K0",
        _ => "K25",
    }
}

/// An invoice that a person keyed into Visma before the connector came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandKeyedInvoice {
    pub document: ExpectedDocument,
    /// Says into which office's company.
    pub business_unit: String,
    pub invoiced_on: jiff::civil::Date,
    pub vat_minor: i64,
    /// Visma's status.
    pub status: &'static str,
    /// Which order line its first line bills.
    pub bills: Option<KeyedBilling>,
}

/// A part of a hand-keyed order line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyedBilling {
    /// Index among the hand-keyed orders, and among that one's lines.
    pub order: usize,
    pub line: usize,
    pub quantity: Decimal,
}

/// What arrived on a hand-keyed order, released in Visma.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandKeyedReceipt {
    pub received_on: jiff::civil::Date,
    pub lines: Vec<KeyedBilling>,
}

/// An order that a person keyed into Visma, JAGGAER's number in its supplier reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandKeyedOrder {
    pub document: ExpectedDocument,
    /// Says into which office's company.
    pub business_unit: String,
    pub ordered_on: jiff::civil::Date,
    /// In the order of JAGGAER's lines.
    pub lines: Vec<HandKeyedOrderLine>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandKeyedOrderLine {
    pub description: String,
    pub quantity: Decimal,
    /// Visma's unit.
    pub unit: String,
    pub unit_cost: Decimal,
    pub expected: ExpectedLine,
}

/// Visma's unit of a JAGGAER unit.
pub fn visma_unit(unit: &str) -> &'static str {
    match unit {
        "HUR" => "TIME",
        "BX" => "KRT",
        "KGM" => "KG",
        _ => "STK",
    }
}

/// An order keyed by hand as it is: its lines have one share each and a plain price.
pub fn key_order(order: &Order, vendor: &Vendor) -> Option<HandKeyedOrder> {
    let lines = order
        .lines_in_force()
        .map(|line| {
            let expected = expected_lines(std::iter::once(line), &order.currency).pop()?;
            Some(HandKeyedOrderLine {
                description: line.description.clone(),
                quantity: line.quantity,
                unit: visma_unit(&line.unit).into(),
                unit_cost: line.price,
                expected,
            })
        })
        .collect::<Option<Vec<_>>>()?;
    Some(HandKeyedOrder {
        document: order.expected(vendor)?,
        business_unit: order.business_unit.clone(),
        ordered_on: order.ordered_on,
        lines,
    })
}
