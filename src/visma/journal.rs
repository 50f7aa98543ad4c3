//! From Visma's journal batches to the core's types. Pure.

use super::read::{currency, filled, money, number_of, required, segments};
use super::wire::{Number, Subaccount};
use crate::procurement::{BatchSource, Currency, ErpBatch, ErpBatchLine, InvoiceKind, Money};
use rust_decimal::Decimal;
use serde::Deserialize;

/// The supplier ledger, as batches name it.
pub(super) const MODULE: &str = "ModuleAP";

type Result<T> = std::result::Result<T, String>;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Batch {
    batch_number: Option<String>,
    status: Option<String>,
    currency_id: Option<String>,
    exchange_rate: Option<Number>,
    time_stamp: Option<String>,
    last_modified_date_time: Option<String>,
    journal_transaction_lines: Option<Vec<BatchLine>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct BatchLine {
    line_number: Option<i64>,
    account_number: Option<String>,
    subaccount: Option<Subaccount>,
    branch: Option<String>,
    reference_number: Option<String>,
    transaction_type: Option<String>,
    customer_supplier: Option<String>,
    debit_amount: Option<Number>,
    debit_amount_in_currency: Option<Number>,
    credit_amount: Option<Number>,
    credit_amount_in_currency: Option<Number>,
}

pub(super) fn batch(row: Batch) -> Result<ErpBatch> {
    let currency = currency(row.currency_id.as_deref(), "currencyId")?;
    Ok(ErpBatch {
        number: required(row.batch_number, "batchNumber")?,
        status: row.status.unwrap_or_default(),
        currency,
        exchange_rate: number_of(row.exchange_rate.as_ref(), "exchangeRate")?,
        version: filled(row.time_stamp),
        modified: filled(row.last_modified_date_time),
        lines: row
            .journal_transaction_lines
            .unwrap_or_default()
            .into_iter()
            .map(|line| batch_line(line, currency))
            .collect::<Result<_>>()?,
    })
}

fn batch_line(line: BatchLine, currency: Currency) -> Result<ErpBatchLine> {
    let place = |name: &str| match line.line_number {
        Some(number) => format!("line {number}: {name}"),
        None => name.to_owned(),
    };
    let amount = |number: &Option<Number>, name: &str| {
        money(number.as_ref(), currency, &place(name))
            .map(|money| money.unwrap_or_else(|| Money::zero(currency)))
    };
    let debit = amount(&line.debit_amount_in_currency, "debitAmountInCurrency")?;
    let credit = amount(&line.credit_amount_in_currency, "creditAmountInCurrency")?;
    let base = |number: &Option<Number>, name: &str| number_of(number.as_ref(), &place(name));
    let base = match (
        base(&line.debit_amount, "debitAmount")?,
        base(&line.credit_amount, "creditAmount")?,
    ) {
        (None, None) => None,
        (debit, credit) => {
            debit.unwrap_or(Decimal::ZERO).checked_sub(credit.unwrap_or(Decimal::ZERO))
        }
    };
    Ok(ErpBatchLine {
        account: line
            .account_number
            .clone()
            .and_then(|account| filled(Some(account)))
            .ok_or_else(|| place("accountNumber is missing"))?,
        net: debit.checked_add(credit.negated()).map_err(|error| place(&error.to_string()))?,
        base,
        subaccount: line.subaccount.as_ref().and_then(|sub| filled(sub.number.clone())),
        segments: segments(line.subaccount),
        branch: filled(line.branch),
        reference: filled(line.reference_number),
        source: line.transaction_type.as_deref().and_then(source),
        supplier: filled(line.customer_supplier),
    })
}

/// The words for types are documented nowhere: those of the API and the short ones of the ledger.
fn source(word: &str) -> Option<BatchSource> {
    Some(match word.trim() {
        "INV" | "Invoice" => BatchSource::Document(InvoiceKind::Invoice),
        "ADR" | "DebitAdj" => BatchSource::Document(InvoiceKind::CreditNote),
        "ACR" | "CreditAdj" | "CHK" | "Check" | "VCK" | "VoidCheck" | "PPM" | "Prepayment"
        | "REF" | "Refund" | "QCK" | "QuickCheck" | "VQC" | "VoidQuickCheck" | "Payment" => {
            BatchSource::Other
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
