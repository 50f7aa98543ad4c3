//! The form of a case file: every key that a case may have. What is left out is said here too.

use rust_decimal::Decimal;
use serde::Deserialize;
use std::collections::BTreeMap;

/// One file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    pub title: String,
    /// Why the outcome is right.
    #[serde(default)]
    #[expect(dead_code, reason = "for people")]
    pub why: String,
    /// The scenarios and rules that it stands for, e.g. `certification: void`.
    #[serde(default)]
    pub shows: Vec<String>,
    /// Changes to `company.toml`, under the same names.
    #[serde(default)]
    pub company: toml::Table,
    /// Changes to the connection's rules, as in the configuration file.
    #[serde(default)]
    pub rules: toml::Table,
    /// Orders that invoices may name.
    #[serde(default)]
    pub order: Vec<Order>,
    #[serde(default)]
    pub receipt: Vec<Receipt>,
    #[serde(default)]
    pub contract: Vec<Contract>,
    /// Other invoices' billing of order lines.
    #[serde(default)]
    pub billed: Vec<Billed>,
    /// Other invoices and credit notes, in Visma or on their way.
    #[serde(default)]
    pub earlier: Vec<Earlier>,
    /// Accounts that earlier invoices of the vendor were paid on, the latest first.
    #[serde(default)]
    pub paid_to: Vec<PaidTo>,
    /// The day the document came.
    #[serde(default)]
    pub received: Option<String>,
    /// Codes of holds that the right person sets aside, in the words they have then.
    #[serde(default)]
    pub set_aside: Vec<String>,
    pub invoice: Option<Invoice>,
    pub credit_note: Option<Invoice>,
    pub judged_order: Option<Order>,
    pub expect: Expect,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Invoice {
    #[serde(default = "v1")]
    pub vendor: String,
    /// The ERP number that the document itself carries.
    pub supplier_number: Option<String>,
    /// The number on the supplier's paper; empty: none.
    #[serde(default = "reference")]
    pub reference: String,
    /// For a credit note: the supplier's number of the invoice it takes back.
    pub credits: Option<String>,
    #[serde(default = "ripe")]
    pub status: String,
    #[serde(default = "unit_no")]
    pub business_unit: String,
    #[serde(default = "nok")]
    pub currency: String,
    pub exchange_rate: Option<Decimal>,
    #[serde(default)]
    pub prices_include_tax: bool,
    /// `NO93 8601 1117 947`; an IBAN if it starts with letters, unless `payee_kind` says otherwise.
    pub payee: Option<String>,
    pub payee_kind: Option<String>,
    #[serde(default = "invoiced")]
    pub date: String,
    pub booked: Option<String>,
    pub due: Option<String>,
    pub terms: Option<String>,
    pub payment_reference: Option<String>,
    /// An order that the whole document names.
    pub order: Option<String>,
    /// What the paper states; left out: as the lines add up.
    pub net: Option<Decimal>,
    pub tax: Option<Decimal>,
    pub gross: Option<Decimal>,
    /// The paper states no net and no tax.
    #[serde(default)]
    pub only_gross: bool,
    #[serde(default)]
    pub charges: BTreeMap<String, Decimal>,
    /// Taxes as the header states them.
    #[serde(default)]
    pub taxes: Vec<Tax>,
    #[serde(default)]
    pub line: Vec<Line>,
    #[serde(default)]
    pub files: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    pub number: String,
    #[serde(default = "v1")]
    pub vendor: String,
    #[serde(default = "ripe")]
    pub status: String,
    #[serde(default = "unit_no")]
    pub business_unit: String,
    #[serde(default = "nok")]
    pub currency: String,
    #[serde(default = "ordered")]
    pub date: String,
    pub terms: Option<String>,
    pub net: Option<Decimal>,
    /// Where it stands: `posted` (by us), `pruned` (the same, and its body was deleted since), `by_hand`, `in_flight`,
    /// `held`, `cancelled`, `ignored`, or `unknown` (JAGGAER has not delivered it and Visma does not have it).
    #[serde(default = "posted")]
    pub stands: String,
    #[serde(default)]
    pub line: Vec<Line>,
}

/// A line of an order or an invoice.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// Left out: its place, from 1.
    pub number: Option<String>,
    #[serde(default = "text")]
    pub text: String,
    pub item: Option<String>,
    pub commodity: Option<String>,
    /// On an invoice: `PO-1 / 1` bills line 1 of order PO-1; `PO-1` alone names no line.
    pub order: Option<String>,
    /// On an order: goods, service or limit.
    pub kind: Option<String>,
    pub contract: Option<String>,
    #[serde(default)]
    pub cancelled: bool,
    #[serde(default = "one")]
    pub quantity: Decimal,
    /// The line states no quantity.
    #[serde(default)]
    pub no_quantity: bool,
    #[serde(default = "ea")]
    pub unit: String,
    /// Left out: 100.00, or none where the line states its net.
    pub price: Option<Decimal>,
    /// The price is for so many units.
    pub per: Option<Decimal>,
    pub net: Option<Decimal>,
    #[serde(default = "no25")]
    pub tax: String,
    /// The line's tax as stated, in full.
    #[serde(default)]
    pub taxes: Vec<Tax>,
    /// Empty: none.
    #[serde(default = "a6540")]
    pub account: String,
    #[serde(default = "d110")]
    pub department: String,
    #[serde(default)]
    pub project: String,
    /// In place of account, department and project.
    #[serde(default)]
    pub shares: Vec<Share>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Share {
    pub amount: Option<Decimal>,
    /// Of the amount, where it is another than the document's.
    pub currency: Option<String>,
    pub percent: Option<Decimal>,
    pub quantity: Option<Decimal>,
    pub ratio: Option<Decimal>,
    /// Empty: as the share above it, or none.
    #[serde(default)]
    pub account: String,
    #[serde(default)]
    pub department: String,
    #[serde(default)]
    pub project: String,
    #[serde(default)]
    pub parts: Vec<Share>,
    /// So many shares like this one.
    pub times: Option<usize>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tax {
    pub code: Option<String>,
    pub rate: Option<Decimal>,
    pub base: Option<Decimal>,
    pub amount: Option<Decimal>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    #[serde(default = "receipt_number")]
    pub number: String,
    /// `PO-1 / 1`.
    pub order: String,
    pub quantity: Option<Decimal>,
    #[serde(default = "ea")]
    pub unit: String,
    pub amount: Option<Decimal>,
    /// `visma` or `jaggaer`.
    #[serde(default = "visma")]
    pub at: String,
    /// `received`, `cancelled` or, in Visma, `on_hold` (not released).
    #[serde(default = "received")]
    pub state: String,
    /// Sent back.
    #[serde(default)]
    pub returned: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contract {
    pub number: String,
    #[serde(default = "v1")]
    pub vendor: String,
    #[serde(default = "yes")]
    pub in_force: bool,
    pub from: Option<String>,
    /// The last day.
    pub to: Option<String>,
    pub ceiling: Option<Decimal>,
    pub consumed: Option<Decimal>,
    #[serde(default = "nok")]
    pub currency: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Billed {
    /// `PO-1 / 1`.
    pub order: String,
    pub quantity: Option<Decimal>,
    pub net: Decimal,
    #[serde(default = "other_invoice")]
    pub by: String,
    #[serde(default)]
    pub by_hand: bool,
    #[serde(default)]
    pub credit_note: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Earlier {
    #[serde(default = "number")]
    pub number: String,
    #[serde(default = "s50001")]
    pub supplier: String,
    pub reference: Option<String>,
    #[serde(default)]
    pub credit_note: bool,
    #[serde(default = "earlier_on")]
    pub date: String,
    #[serde(default = "nok")]
    pub currency: String,
    pub gross: Decimal,
    pub balance: Option<Decimal>,
    pub payment_reference: Option<String>,
    /// The number of the invoice that it credits.
    pub credits: Option<String>,
    #[serde(default = "open")]
    pub status: String,
    /// Made by the connector for another document of JAGGAER's.
    #[serde(default)]
    pub ours: bool,
    /// Received from JAGGAER, not in Visma yet.
    #[serde(default)]
    pub on_its_way: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaidTo {
    pub account: String,
    pub kind: Option<String>,
    #[serde(default = "earlier_on")]
    pub date: String,
    #[serde(default = "yes")]
    pub paid: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    pub outcome: String,
    /// Exactly these codes, each once.
    #[serde(default)]
    pub holds: Vec<String>,
    /// Each stands somewhere in the holds, waits, match texts or remarks.
    #[serde(default)]
    pub says: Vec<String>,
    /// None of these stands there.
    #[serde(default)]
    pub silent_on: Vec<String>,
    pub supplier: Option<String>,
    pub gross: Option<Decimal>,
    pub vat: Option<Decimal>,
    pub period: Option<String>,
    pub booked: Option<String>,
    pub terms: Option<String>,
    pub branch: Option<String>,
    pub files: Option<usize>,
    /// Account, department, project, VAT category, net amount of each planned line, in order.
    #[serde(default)]
    pub lines: Vec<[String; 5]>,
    /// How many lines are planned, where they are too many to list.
    pub line_count: Option<usize>,
    /// How each source line was matched: not_matched, two_way, three_way.
    #[serde(default)]
    pub matched: Vec<String>,
}

macro_rules! defaults {
    ($($name:ident = $value:expr;)*) => { $(fn $name() -> String { $value.into() })* };
}
defaults! {
    v1 = "V1"; reference = "F-90017"; ripe = "ripe"; unit_no = "NORDLYS-NO"; nok = "NOK"; invoiced = "2026-09-28";
    ordered = "2026-09-15"; posted = "posted"; text = "Kontorstol"; ea = "EA"; no25 = "NO-25"; a6540 = "6540"; d110 = "110";
    receipt_number = "R-1"; visma = "visma"; received = "received"; other_invoice = "Invoice 300007"; number = "300001";
    s50001 = "50001"; earlier_on = "2026-09-10"; open = "Open";
}

fn yes() -> bool {
    true
}

fn one() -> Decimal {
    Decimal::ONE
}
