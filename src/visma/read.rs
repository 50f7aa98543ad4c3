//! From Visma's rows to the core's types. Pure; what cannot be read is said, never guessed.

use super::stamp;
use super::wire::{self, Number};
use super::{CustomField, KeyFields};
use crate::procurement::{
    Currency, ErpInvoice, ErpInvoiceLine, ErpOrder, ErpOrderLine, ErpReceipt, ErpReceiptLine,
    InvoiceKind, Money,
};
use rust_decimal::Decimal;

/// Stands before our key in the note of an invoice.
pub(super) const KEY_MARK: &str = "ml-connector:";

type Result<T> = std::result::Result<T, String>;

pub(super) fn invoice(row: wire::Invoice) -> Result<ErpInvoice> {
    let currency = currency(row.currency_id.as_deref(), "currencyId")?;
    let lines = row
        .invoice_lines
        .unwrap_or_default()
        .into_iter()
        .map(|line| invoice_line(line, currency))
        .collect::<Result<Vec<_>>>()?;
    let document_type = required(row.document_type, "documentType")?;
    let gross = money(row.amount.as_ref(), currency, "amount")?
        .ok_or_else(|| "amount is missing".to_owned())?;
    let pair =
        Pair::of_details(row.detail_total.as_ref(), row.detail_total_in_currency.as_ref(), &lines);
    let balance = pair
        .pick(row.balance.as_ref(), row.balance_in_currency.as_ref(), Some(gross))
        .map_or(Ok(None), |number| money(Some(number), currency, "balance"))?;
    let vat = pair
        .pick(row.vat_total.as_ref(), row.vat_total_in_currency.as_ref(), None)
        .or(row.vat_amount.as_ref())
        .map_or(Ok(None), |number| money(Some(number), currency, "vatTotal"))?;
    Ok(ErpInvoice {
        kind: kind(&document_type),
        document_type,
        number: required(row.reference_number, "referenceNumber")?,
        supplier: supplier(row.supplier)?,
        supplier_reference: filled(row.supplier_reference),
        payment_reference: filled(row.payment_ref_no),
        status: row.status.unwrap_or_default(),
        currency,
        document_on: row.date.as_deref().map(|text| date(text, "date")).transpose()?,
        gross,
        vat,
        balance,
        our_key: row.note.as_deref().and_then(key_in_note),
        version: filled(row.time_stamp),
        modified: filled(row.last_modified_date_time),
        attachments: row
            .attachments
            .unwrap_or_default()
            .into_iter()
            .filter_map(|attachment| filled(attachment.name))
            .collect(),
        lines,
    })
}

fn invoice_line(line: wire::InvoiceLine, currency: Currency) -> Result<ErpInvoiceLine> {
    let number = line.line_number.ok_or_else(|| "a line has no lineNumber".to_owned())?;
    let place = |name: &str| format!("line {number}: {name}");
    Ok(ErpInvoiceLine {
        number,
        cost: money(line.cost_in_currency.as_ref(), currency, &place("costInCurrency"))?
            .ok_or_else(|| place("costInCurrency is missing"))?,
        account: line.account.and_then(|account| filled(account.number)),
        segments: segments(line.subaccount),
        vat_category: line.vat_code.and_then(|code| filled(code.id)),
        quantity: number_of(line.quantity.as_ref(), &place("quantity"))?,
        unit: filled(line.uom),
        order_number: filled(line.po_number),
        order_line: line.po_line_nr,
        receipt_number: filled(line.po_receipt_nbr),
        receipt_line: line.po_receipt_line_nbr,
    })
}

/// What a type of Visma's is; `None`: neither an invoice nor a credit note.
pub fn kind(document_type: &str) -> Option<InvoiceKind> {
    match document_type {
        "Invoice" => Some(InvoiceKind::Invoice),
        "DebitAdj" => Some(InvoiceKind::CreditNote),
        _ => None,
    }
}

pub(super) fn order(row: wire::Order, keys: KeyFields) -> Result<ErpOrder> {
    let currency = currency(row.currency.as_deref(), "currency")?;
    let texts =
        [row.custom_str1, row.custom_str2, row.custom_str3, row.custom_str4, row.custom_str5];
    Ok(ErpOrder {
        order_type: required(row.order_type, "orderType")?,
        number: required(row.order_nbr, "orderNbr")?,
        supplier: supplier(row.supplier)?,
        supplier_reference: filled(row.supplier_ref),
        description: filled(row.description),
        on_hold: row.hold.unwrap_or_else(|| row.status.as_deref() == Some("Hold")),
        status: row.status.unwrap_or_default(),
        currency,
        ordered_on: row.date.as_deref().map(|text| date(text, "date")).transpose()?,
        net: money(row.line_total.as_ref(), currency, "lineTotal")?,
        our_key: custom(texts, keys.order),
        version: filled(row.time_stamp),
        modified: filled(row.last_modified_date_time),
        lines: row
            .lines
            .unwrap_or_default()
            .into_iter()
            .map(|line| order_line(line, currency, keys.line))
            .collect::<Result<_>>()?,
    })
}

fn order_line(line: wire::OrderLine, currency: Currency, key: CustomField) -> Result<ErpOrderLine> {
    let number = line.line_nbr.ok_or_else(|| "a line has no lineNbr".to_owned())?;
    let place = |name: &str| format!("line {number}: {name}");
    let texts =
        [line.custom_str1, line.custom_str2, line.custom_str3, line.custom_str4, line.custom_str5];
    Ok(ErpOrderLine {
        number,
        our_key: custom(texts, key),
        line_type: filled(line.line_type),
        description: filled(line.line_description),
        quantity: number_of(line.order_qty.as_ref(), &place("orderQty"))?,
        unit: filled(line.uom),
        unit_cost: number_of(line.unit_cost.as_ref(), &place("unitCost"))?,
        amount: money(line.amount.as_ref(), currency, &place("amount"))?,
        account: line.account.and_then(|account| filled(account.number)),
        segments: segments(line.sub),
        received: number_of(line.qty_on_receipts.as_ref(), &place("qtyOnReceipts"))?,
        completed: line.completed.unwrap_or(false),
        cancelled: line.canceled.unwrap_or(false),
    })
}

pub(super) fn receipt(row: wire::Receipt) -> Result<ErpReceipt> {
    let lines = row.lines.unwrap_or_default().into_iter().map(|line| {
        let number = line.line_nbr.ok_or_else(|| "a line has no lineNbr".to_owned())?;
        Ok(ErpReceiptLine {
            number,
            order_number: filled(line.po_order_nbr),
            order_line: line.po_order_line_nbr,
            quantity: number_of(line.receipt_qty.as_ref(), &format!("line {number}: receiptQty"))?,
            unit: filled(line.uom),
        })
    });
    Ok(ErpReceipt {
        receipt_type: required(row.receipt_type, "receiptType")?,
        number: required(row.receipt_nbr, "receiptNbr")?,
        status: row.status.unwrap_or_default(),
        supplier: supplier(row.supplier)?,
        modified: filled(row.last_modified_date_time),
        version: filled(row.time_stamp),
        lines: lines.collect::<Result<_>>()?,
    })
}

/// Which member of `x` and `xInCurrency` is in the document's currency. The lines' cost surely
/// is; the header's texts say the reverse of its names, so each row is asked by its own sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pair {
    Plain,
    InCurrency,
    Unknown,
}

impl Pair {
    fn of_details(
        plain: Option<&Number>,
        in_currency: Option<&Number>,
        lines: &[ErpInvoiceLine],
    ) -> Self {
        let sum: Decimal = lines.iter().map(|line| line.cost.amount()).sum();
        let is_sum = |number: Option<&Number>| decimal(number) == Some(sum);
        match (is_sum(plain), is_sum(in_currency)) {
            (true, false) => Self::Plain,
            (false, true) => Self::InCurrency,
            (true, true) | (false, false) => Self::Unknown,
        }
    }

    fn pick<'a>(
        self,
        plain: Option<&'a Number>,
        in_currency: Option<&'a Number>,
        unpaid: Option<Money>,
    ) -> Option<&'a Number> {
        let (p, c) = (decimal(plain), decimal(in_currency));
        match self {
            Self::Plain => plain,
            Self::InCurrency => in_currency,
            Self::Unknown if p == c || c.is_none() => plain,
            Self::Unknown if p.is_none() => in_currency,
            // Nothing paid yet: the open amount is the whole amount.
            Self::Unknown => {
                let unpaid = unpaid.map(|money| money.amount());
                [(p, plain), (c, in_currency)]
                    .into_iter()
                    .find(|(value, _)| unpaid.is_some() && *value == unpaid)
                    .and_then(|(_, number)| number)
            }
        }
    }
}

/// Our key, wherever it stands in a note that people may have written into.
pub(super) fn key_in_note(note: &str) -> Option<String> {
    let (_, rest) = note.split_once(KEY_MARK)?;
    let end = rest
        .find(|char: char| !(char.is_ascii_alphanumeric() || "-_.:/#".contains(char)))
        .unwrap_or(rest.len());
    filled(Some(rest[..end].trim_end_matches(['.', ':']).to_owned()))
}

fn custom(texts: [Option<String>; 5], field: CustomField) -> Option<String> {
    let [one, two, three, four, five] = texts;
    filled(match field {
        CustomField::CustomStr1 => one,
        CustomField::CustomStr2 => two,
        CustomField::CustomStr3 => three,
        CustomField::CustomStr4 => four,
        CustomField::CustomStr5 => five,
    })
}

pub(super) fn segments(subaccount: Option<wire::Subaccount>) -> Vec<(i64, String)> {
    let mut segments: Vec<_> = subaccount
        .and_then(|subaccount| subaccount.segments)
        .unwrap_or_default()
        .into_iter()
        .filter_map(|segment| Some((segment.segment_id?, segment.segment_value?.trim().to_owned())))
        .collect();
    segments.sort_unstable();
    segments
}

fn supplier(supplier: Option<wire::Numbered>) -> Result<String> {
    required(supplier.and_then(|supplier| supplier.number), "supplier.number")
}

/// Text that says something, trimmed.
pub(super) fn filled(text: Option<String>) -> Option<String> {
    let text = text?;
    let trimmed = text.trim();
    if trimmed.is_empty() {
        None
    } else if trimmed.len() == text.len() {
        Some(text)
    } else {
        Some(trimmed.to_owned())
    }
}

pub(super) fn required(text: Option<String>, name: &str) -> Result<String> {
    filled(text).ok_or_else(|| format!("{name} is missing"))
}

pub(super) fn date(text: &str, name: &str) -> Result<jiff::civil::Date> {
    stamp::day(text).ok_or_else(|| format!("{name} `{text}` is not a date"))
}

pub(super) fn currency(code: Option<&str>, name: &str) -> Result<Currency> {
    let code = code.ok_or_else(|| format!("{name} is missing"))?;
    Currency::parse(code).map_err(|error| format!("{name}: {error}"))
}

fn decimal(number: Option<&Number>) -> Option<Decimal> {
    number_of(number, "").ok().flatten()
}

/// A number by its own text: no double in between.
pub(super) fn number_of(number: Option<&Number>, name: &str) -> Result<Option<Decimal>> {
    let Some(number) = number else { return Ok(None) };
    let text = number.to_string();
    let read = if text.contains(['e', 'E']) {
        Decimal::from_scientific(&text).ok()
    } else {
        Decimal::from_str_exact(&text).ok()
    };
    read.map(Some)
        .ok_or_else(|| format!("{name} `{text}` is not a number that can be kept exactly"))
}

pub(super) fn money(
    number: Option<&Number>,
    currency: Currency,
    name: &str,
) -> Result<Option<Money>> {
    number_of(number, name)?
        .map(|amount| Money::exact(amount, currency).map_err(|error| format!("{name}: {error}")))
        .transpose()
}

#[cfg(test)]
mod tests;
