//! Orders and invoices as the world keeps them, before any profile gives them a form.
//!
//! Amounts and quantities of a credit note are positive here; the profiles turn the sign.

use super::amount;
use super::fate::Fate;
use super::supplier::BankAccount;
use jiff::civil::Date;
use rust_decimal::Decimal;

#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    pub id: String,
    pub number: String,
    pub revision: u32,
    pub status: String,
    pub business_unit: String,
    /// Index into the vendors.
    pub vendor: usize,
    pub currency: String,
    pub ordered_on: Date,
    pub promised_on: Option<Date>,
    pub terms_days: Option<u32>,
    pub lines: Vec<Line>,
    pub net: Decimal,
    pub tax: Decimal,
    pub gross: Decimal,
    pub record: Record,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Invoice {
    pub id: String,
    /// JAGGAER's own number.
    pub number: String,
    pub credit: bool,
    /// The number on the supplier's paper.
    pub reference: Option<String>,
    /// For a credit note: id and reference of the invoice it takes back.
    pub credits: Option<(String, String)>,
    pub business_unit: String,
    pub vendor: usize,
    pub currency: String,
    pub invoiced_on: Date,
    pub accounting_on: Option<Date>,
    pub due_on: Option<Date>,
    pub terms_days: Option<u32>,
    pub payment_reference: Option<String>,
    /// Where the paper asks to be paid.
    pub payee: Option<BankAccount>,
    /// The buyer's currency for one unit of the paper's, where the paper says so.
    pub exchange_rate: Option<Decimal>,
    pub lines: Vec<Line>,
    pub charges: Charges,
    pub net: Decimal,
    pub tax: Decimal,
    pub gross: Decimal,
    pub taxes: Vec<Tax>,
    pub workflow: String,
    pub payment: String,
    pub attachments: Vec<Attachment>,
    pub record: Record,
}

/// What every document has beside its content.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    pub created_ms: i64,
    pub updated_ms: i64,
    /// Counts content and stamp: a new one must be rendered anew.
    pub version: u64,
    /// An amount is served as `N/A`.
    pub unreadable: bool,
    /// Not published (yet): JAGGAER does not deliver it.
    pub hidden: bool,
    pub fate: Fate,
}

impl Record {
    pub fn new(updated_ms: i64) -> Self {
        Self {
            created_ms: updated_ms,
            updated_ms,
            version: 1,
            unreadable: false,
            hidden: false,
            fate: Fate::NotRipe,
        }
    }
}

/// A line of an order or an invoice.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Stable over revisions.
    pub id: String,
    pub number: u32,
    pub cancelled: bool,
    pub service: bool,
    /// A blanket line: its net is a ceiling.
    pub limit: bool,
    /// Number of the contract that an order line draws on.
    pub contract: Option<String>,
    pub item: Option<String>,
    pub description: String,
    pub commodity: Option<String>,
    pub quantity: Decimal,
    pub unit: String,
    pub price: Decimal,
    /// The price is for so many units.
    pub basis: Decimal,
    pub net: Decimal,
    pub tax_code: String,
    /// Percent on the paper: 0 where the buyer reckons the VAT.
    pub rate: Decimal,
    pub shares: Vec<Share>,
    pub requested_on: Option<Date>,
    /// Which order line an invoice line bills.
    pub bills: Option<OrderLineKey>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderLineKey {
    pub order_id: String,
    pub order_number: String,
    pub revision: u32,
    /// Without number and id, only the order is named.
    pub line_number: Option<u32>,
    pub line_id: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Share {
    pub percent: Decimal,
    pub amount: Decimal,
    pub account: String,
    pub cost_center: String,
    pub project: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Tax {
    pub code: String,
    pub rate: Decimal,
    pub base: Decimal,
    pub amount: Decimal,
}

/// Goods or services that arrived, as JAGGAER keeps it.
#[derive(Debug, Clone, PartialEq)]
pub struct Receipt {
    pub id: String,
    pub number: String,
    pub received_on: Date,
    pub cancelled: bool,
    pub lines: Vec<ReceiptLine>,
    pub record: Record,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ReceiptLine {
    pub order_number: String,
    pub line_number: u32,
    pub line_id: String,
    pub quantity: Decimal,
    pub unit: String,
    pub amount: Decimal,
    pub currency: String,
}

/// An agreement that order lines draw on.
#[derive(Debug, Clone, PartialEq)]
pub struct Contract {
    pub id: String,
    pub number: String,
    pub title: String,
    /// Index into the vendors.
    pub vendor: usize,
    /// `Draft`, `Executed`, `Expired`, `Terminated`.
    pub status: String,
    pub starts_on: Date,
    pub ends_on: Option<Date>,
    pub currency: String,
    /// What may be spent in all.
    pub value: Option<Decimal>,
    pub consumed: Option<Decimal>,
    pub record: Record,
}

/// Amounts on the header. A discount of 50 is 50 here and takes 50 from the net.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Charges {
    pub shipping: Decimal,
    pub handling: Decimal,
    pub discount: Decimal,
    pub rounding: Decimal,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    pub id: String,
    pub file_name: String,
    pub content_type: &'static str,
    pub bytes: Vec<u8>,
}

impl Line {
    /// Net from quantity and price, and the shares by their percents.
    pub fn price_out(&mut self, currency: &str) {
        self.net = amount::rounded(self.quantity * self.price / self.basis, currency);
        let percents: Vec<Decimal> = self.shares.iter().map(|share| share.percent).collect();
        let amounts = amount::split(self.net, &percents, currency);
        if self.shares.len() > 1 && amounts.iter().any(|share| share.is_zero()) {
            self.shares.truncate(1);
            self.shares[0].percent = Decimal::ONE_HUNDRED;
            self.shares[0].amount = self.net;
            return;
        }
        for (share, amount) in self.shares.iter_mut().zip(amounts) {
            share.amount = amount;
        }
    }

    pub fn vat(&self, currency: &str) -> Decimal {
        amount::vat(self.net, self.rate, currency)
    }
}

/// Net bases by tax code, VAT once per code on the sum: as the supplier's paper has it.
fn taxes<'a>(bases: impl Iterator<Item = (&'a str, Decimal, Decimal)>, currency: &str) -> Vec<Tax> {
    let mut taxes: Vec<Tax> = Vec::new();
    for (code, rate, base) in bases {
        match taxes.iter_mut().find(|tax| tax.code == code) {
            Some(tax) => tax.base += base,
            None => {
                taxes.push(Tax { code: code.into(), rate, base, amount: Decimal::ZERO });
            }
        }
    }
    for tax in &mut taxes {
        tax.amount = amount::vat(tax.base, tax.rate, currency);
    }
    taxes
}

impl Order {
    pub fn lines_in_force(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| !line.cancelled)
    }

    /// Sums the lines in force up.
    pub fn total_up(&mut self) {
        self.net = self.lines_in_force().map(|line| line.net).sum();
        let bases = self.lines_in_force().map(|line| (line.tax_code.as_str(), line.rate, line.net));
        self.tax = taxes(bases, &self.currency).iter().map(|tax| tax.amount).sum();
        self.gross = self.net + self.tax;
    }
}

impl Invoice {
    /// Sums lines and charges up. `domestic`: VAT stands on the paper.
    pub fn total_up(&mut self, domestic: bool) {
        let (code, rate) = standard_vat(domestic);
        let charges = &self.charges;
        let bases = self
            .lines
            .iter()
            .map(|line| (line.tax_code.as_str(), line.rate, line.net))
            .chain(
                [charges.shipping, charges.handling, -charges.discount]
                    .into_iter()
                    .filter(|charge| !charge.is_zero())
                    .map(|charge| (code, rate, charge)),
            )
            .chain((!charges.rounding.is_zero()).then_some((
                "NO-0",
                Decimal::ZERO,
                charges.rounding,
            )));
        self.taxes = taxes(bases, &self.currency);
        self.net = self.lines.iter().map(|line| line.net).sum::<Decimal>()
            + charges.shipping
            + charges.handling
            - charges.discount
            + charges.rounding;
        self.tax = self.taxes.iter().map(|tax| tax.amount).sum();
        self.gross = self.net + self.tax;
    }
}

/// Tax code and rate of ordinary supplies.
pub fn standard_vat(domestic: bool) -> (&'static str, Decimal) {
    if domestic { ("NO-25", Decimal::from(25)) } else { ("EU-RC", Decimal::ZERO) }
}
