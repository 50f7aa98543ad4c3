//! A supplier invoice or credit note as the ERP holds it, and how it reads.

use super::masters::Masters;
use super::order::{subaccount, supplier_name};
use super::reply::{number, round, time, version};
use super::state::{Row, Shown};
use super::vat::Totals;
use jiff::civil::{Date, DateTime};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::collections::BTreeMap;

#[derive(Debug, Clone)]
pub(crate) struct Invoice {
    pub document_type: &'static str,
    pub number: String,
    /// `Hold`, `Balanced`, `Open`, `Closed` or `Voided`.
    pub status: String,
    pub date: Date,
    pub orig_date: Option<Date>,
    pub due: Date,
    pub discount_on: Option<Date>,
    /// `YYYYMM`.
    pub period: String,
    pub supplier: String,
    pub zone: String,
    pub reference: Option<String>,
    pub description: Option<String>,
    pub note: Option<String>,
    pub currency: String,
    pub rate: Decimal,
    pub terms: String,
    pub branch: String,
    pub tax_mode: String,
    pub payment_reference: Option<String>,
    pub pay_selected: bool,
    pub control_amount: Option<Decimal>,
    pub control_vat: Option<Decimal>,
    pub rounding: Decimal,
    /// VAT amounts written by hand into the tax details.
    pub vat_by_hand: BTreeMap<String, Decimal>,
    pub lines: Vec<InvoiceLine>,
    pub next_line: i64,
    pub totals: Totals,
    pub batch: Option<String>,
    pub attachments: Vec<Attachment>,
    /// What payments and credit notes took of it.
    pub paid: Decimal,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct InvoiceLine {
    pub number: i64,
    pub item: Option<String>,
    pub text: Option<String>,
    pub quantity: Decimal,
    pub unit: Option<String>,
    pub unit_cost: Decimal,
    pub cost: Decimal,
    pub account: String,
    pub segments: Vec<(i64, String)>,
    pub vat_category: Option<String>,
    pub branch: String,
    pub note: Option<String>,
    pub order: Option<(String, i64)>,
    pub receipt: Option<(String, i64)>,
    pub attachments: Vec<Attachment>,
}

#[derive(Debug, Clone)]
pub(crate) struct Attachment {
    pub name: String,
    pub id: String,
    pub revision: u32,
}

impl Invoice {
    pub fn on_hold(&self) -> bool {
        self.status == "Hold"
    }

    pub fn released(&self) -> bool {
        !matches!(self.status.as_str(), "Hold" | "Balanced")
    }

    pub fn gross(&self) -> Decimal {
        self.totals.gross + self.rounding
    }

    pub fn balance(&self) -> Decimal {
        match self.status.as_str() {
            "Closed" | "Voided" => Decimal::ZERO,
            _ => self.gross() - self.paid,
        }
    }
}

fn attachments(files: &[Attachment]) -> Value {
    files
        .iter()
        .map(|file| json!({"name": file.name, "id": file.id, "revision": file.revision}))
        .collect()
}

fn day(date: Date) -> String {
    format!("{date}T00:00:00")
}

fn line(masters: &Masters, invoice: &Invoice, line: &InvoiceLine, full: bool) -> Value {
    let account = masters.account(&line.account);
    let base = |amount: Decimal| number(round(amount * invoice.rate, 2));
    let item = line.item.as_deref().and_then(|item| masters.item(item));
    json!({
        "lineNumber": line.number,
        "inventoryNumber": line.item,
        "externalInventoryId": null,
        "stockItem": item.is_some_and(|item| item.stock),
        "transactionDescription": line.text,
        "quantity": number(line.quantity),
        "uom": line.unit,
        "unitCost": base(line.unit_cost),
        "unitCostInCurrency": number(line.unit_cost),
        "cost": base(line.cost),
        "costInCurrency": number(line.cost),
        "discountPercent": 0.0,
        "discountAmount": 0.0,
        "discountAmountInCurrency": 0.0,
        "manualDiscount": false,
        "account": {
            "type": account.map(|account| account.kind.as_str()),
            "externalCode1": null,
            "externalCode2": null,
            "active": account.is_some_and(|account| account.active),
            "number": line.account,
            "description": account.map(|account| account.description.as_str()),
        },
        "subaccount": subaccount(masters, &line.segments),
        "deferralSchedule": 0,
        "deferralCode": null,
        "vatCode": line.vat_category.as_deref().map(|id| json!({
            "id": id,
            "description": masters.category(id).map(|category| category.description.as_str()),
        })),
        "poNumber": line.order.as_ref().map(|(number, _)| number.as_str()),
        "poLineNr": line.order.as_ref().map(|(_, line)| line),
        "poReceiptNbr": line.receipt.as_ref().map(|(number, _)| number.as_str()),
        "poReceiptLineNbr": line.receipt.as_ref().map(|(_, line)| line),
        "branchNumber": {"number": line.branch, "name": masters.branch(&line.branch).map(|branch| branch.name.as_str())},
        "note": if full { line.note.as_deref() } else { None },
        "project": {"id": "X", "description": "Non-project"},
        "projectTask": null,
        "attachments": if full { attachments(&line.attachments) } else { Value::Null },
    })
}

/// The row's JSON without note, attachments, `errorInfo`, `metadata` and the closing brace.
fn core(masters: &Masters, shown: &Shown<Invoice>, created: DateTime, full: bool) -> String {
    let invoice = &shown.doc;
    let base = |amount: Decimal| number(round(amount * invoice.rate, 2));
    let taxed = invoice
        .totals
        .taxes
        .iter()
        .filter(|tax| !tax.rate.is_zero())
        .map(|tax| tax.taxable)
        .sum::<Decimal>();
    let exempt = invoice.totals.net - taxed;
    let taxes: Vec<Value> = (1..)
        .zip(&invoice.totals.taxes)
        .map(|(at, tax)| {
            json!({
                "taxId": tax.id,
                "recordId": 880 + at,
                "vatId": {"number": tax.id, "description": tax.description},
                "vatRate": number(tax.rate),
                "taxableAmount": number(tax.taxable),
                "vatAmount": number(tax.amount),
            })
        })
        .collect();
    let lines: Vec<Value> =
        invoice.lines.iter().map(|each| line(masters, invoice, each, full)).collect();
    let mut value = json!({
        "taxDetailLines": taxes,
        "invoiceLines": lines,
        "hold": invoice.on_hold(),
        "exchangeRate": number(invoice.rate),
        "paymentRefNo": invoice.payment_reference,
        "creditTerms": {
            "id": invoice.terms,
            "description": masters.terms(&invoice.terms).map(|terms| terms.description.as_str()),
        },
        "cashDiscountDate": day(invoice.discount_on.unwrap_or(invoice.date)),
        "detailTotal": base(invoice.totals.net),
        "detailTotalInCurrency": number(invoice.totals.net),
        "discountTotal": 0.0,
        "discountTotalInCurrency": 0.0,
        "vatTaxableTotal": base(taxed),
        "vatTaxableTotalInCurrency": number(taxed),
        "vatExemptTotal": base(exempt),
        "vatExemptTotalInCurrency": number(exempt),
        "roundingDiff": base(invoice.rounding),
        "roundingDiffInCurrency": number(invoice.rounding),
        "amount": number(invoice.control_amount.unwrap_or(invoice.gross())),
        "vatAmount": number(invoice.control_vat.unwrap_or(invoice.totals.vat)),
        "taxCalculationMode": invoice.tax_mode,
        "supplierTaxZone": {"id": invoice.zone, "description": null, "errorInfo": "", "metadata": {"totalCount": 1, "maxPageSize": 1000}},
        "paySelected": invoice.pay_selected,
    });
    let rest = json!({
        "supplier": {
            "internalId": invoice.supplier.parse::<u64>().ok(),
            "number": invoice.supplier,
            "name": supplier_name(masters, &invoice.supplier),
        },
        "documentType": invoice.document_type,
        "referenceNumber": invoice.number,
        "postPeriod": format!("{}{}", &invoice.period[4..], &invoice.period[..4]),
        "financialPeriod": invoice.period,
        "date": day(invoice.date),
        "origInvoiceDate": invoice.orig_date.map(day),
        "dueDate": day(invoice.due),
        "approvalStatus": "New",
        "status": invoice.status,
        "currencyId": invoice.currency,
        "balance": base(invoice.balance()),
        "balanceInCurrency": number(invoice.balance()),
        "cashDiscount": 0.0,
        "cashDiscountInCurrency": 0.0,
        "paymentMethod": {"id": "10", "description": "Bank transfer"},
        "supplierReference": invoice.reference,
        "description": invoice.description,
        "createdDateTime": time(created),
        "lastModifiedDateTime": time(shown.modified),
        "closedFinancialPeriod": if invoice.status == "Closed" { Some(invoice.period.as_str()) } else { None },
        "location": {"id": "MAIN", "name": "Primary location"},
        "vatTotal": base(invoice.totals.vat),
        "vatTotalInCurrency": number(invoice.totals.vat),
        "branchNumber": {"number": invoice.branch, "name": masters.branch(&invoice.branch).map(|branch| branch.name.as_str())},
        "cashAccount": "1920",
        "timeStamp": version(shown.version),
    });
    if let (Value::Object(members), Value::Object(rest)) = (&mut value, rest) {
        members.extend(rest);
    }
    let mut text = value.to_string();
    text.pop();
    text
}

fn finish(
    out: &mut String,
    note: Option<&Option<String>>,
    files: Option<&[Attachment]>,
    error: &str,
    total: usize,
    max: usize,
) {
    let note = note.and_then(|note| note.as_deref()).map_or(Value::Null, Value::from);
    out.push_str(",\"note\":");
    out.push_str(&note.to_string());
    out.push_str(",\"attachments\":");
    out.push_str(&files.map_or(Value::Null, attachments).to_string());
    out.push_str(&super::list::tail(error, total, max));
}

/// Appends the list row. Notes and attachments are `null` unless asked for.
pub(crate) fn list_row(
    out: &mut String,
    masters: &Masters,
    (row, shown): (&Row<Invoice>, &Shown<Invoice>),
    (with_note, with_files): (bool, bool),
    (error, total, max): (&str, usize, usize),
) {
    out.push_str(shown.short.get_or_init(|| core(masters, shown, row.created, false)));
    finish(
        out,
        with_note.then_some(&shown.doc.note),
        with_files.then_some(&shown.doc.attachments),
        error,
        total,
        max,
    );
}

/// The answer of a single read: everything.
pub(crate) fn single(masters: &Masters, row: &Row<Invoice>) -> String {
    let mut out = core(masters, &row.live, row.created, true);
    finish(&mut out, Some(&row.live.doc.note), Some(&row.live.doc.attachments), "", 1, 1000);
    out
}
