//! The general ledger: releasing a supplier invoice makes a journal batch, which is read under `/v2/journaltransaction`.
//! A page there is filled by lines, and the count on its rows counts lines.

use super::invoice::{Invoice, InvoiceLine};
use super::masters::Masters;
use super::order::subaccount;
use super::reply::{Refusal, Reply, number, parse_time, round, time, version};
use super::state::{InvoiceKey, Row, Shown};
use super::{Call, Desk, list, vat};
use crate::faults::Fault;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::ops::Range;

const STATUSES: &[&str] =
    &["Hold", "Balanced", "Unposted", "Posted", "Voided", "Scheduled", "Unreleased"];
const MODULE: &str = "ModuleAP";

/// A journal batch of the supplier ledger.
#[derive(Debug, Clone)]
pub(crate) struct Batch {
    pub number: String,
    /// `Unposted`, `Posted` or `Voided`.
    pub status: &'static str,
    pub date: Date,
    /// `YYYYMM`.
    pub period: String,
    pub currency: String,
    pub rate: Decimal,
    pub branch: String,
    pub description: Option<String>,
    pub lines: Vec<BatchLine>,
}

#[derive(Debug, Clone)]
pub(crate) struct BatchLine {
    pub account: String,
    pub segments: Vec<(i64, String)>,
    pub branch: String,
    pub reference: String,
    pub transaction_type: &'static str,
    pub supplier: String,
    pub text: Option<String>,
    pub vat_category: Option<String>,
    pub vat: Option<String>,
    /// Debit above zero, credit below, in the currency of the document.
    pub amount: Decimal,
    /// The same in the company's own currency.
    pub base: Decimal,
}

impl Batch {
    /// One more on a line, one less on another.
    fn shift(&mut self, onto: usize, from: usize) {
        let base = round(self.rate, 2);
        self.lines[onto].amount += Decimal::ONE;
        self.lines[onto].base += base;
        self.lines[from].amount -= Decimal::ONE;
        self.lines[from].base -= base;
    }

    fn sum(&self, of: fn(&BatchLine) -> Decimal) -> Decimal {
        self.lines.iter().map(of).filter(|amount| *amount > Decimal::ZERO).sum()
    }
}

impl Desk<'_> {
    /// Makes the batch of an invoice that is being released; the switchboard may spoil it.
    pub fn book(&mut self, invoice: &mut Invoice) {
        let number = self.next_batch_number();
        let mut batch = self.right_batch(invoice, &number);
        self.spoil(&mut batch, invoice);
        invoice.batch = Some(number.clone());
        let stamp = self.stamp();
        let delay = self.board.fires(Fault::BatchLate).then(|| {
            let faults = self.board.settings();
            let wait = std::time::Duration::from_millis(faults.visible_after_milliseconds);
            (self.state.calls + faults.visible_after_calls, self.now + wait)
        });
        self.state.batches.insert(number, Row::new(batch, stamp, false, delay));
    }

    /// The document is a draft again, or void: its batch counts no more.
    pub fn unbook(&mut self, invoice: &mut Invoice) {
        if let Some(number) = invoice.batch.take() {
            self.change_batch(&number, |batch| batch.status = "Voided");
        }
    }

    /// A person puts the document's batch right and posts it; `false`: the document has none.
    pub fn put_batch_right(&mut self, key: &InvoiceKey) -> bool {
        let Some(invoice) = self.state.invoices.get(key).map(|row| row.live.doc.clone()) else {
            return false;
        };
        let Some(number) = invoice.batch.clone() else { return false };
        let right = self.right_batch(&invoice, &number);
        self.change_batch(&number, |batch| *batch = right);
        true
    }

    fn change_batch(&mut self, number: &str, change: impl FnOnce(&mut Batch)) {
        let stamp = self.stamp();
        if let Some(row) = self.state.batches.get_mut(number) {
            let mut batch = row.live.doc.clone();
            change(&mut batch);
            row.change(batch, stamp, None);
        }
    }

    pub fn next_batch_number(&mut self) -> String {
        let number = self.state.next_batch;
        self.state.next_batch += 1;
        format!("{number:06}")
    }

    /// The batch as it should be.
    pub fn right_batch(&self, invoice: &Invoice, number: &str) -> Batch {
        let masters = self.masters;
        let settings = self.settings;
        let decimals = self.decimals(&invoice.currency);
        // A credit note gives back: all sides the other way round.
        let sign = if invoice.document_type == "DebitAdj" { -Decimal::ONE } else { Decimal::ONE };
        let no_segments: Vec<(i64, String)> =
            masters.segments.iter().map(|segment| (segment.id, segment.default.clone())).collect();
        let plain = |account: &str, amount: Decimal| BatchLine {
            account: account.to_owned(),
            segments: no_segments.clone(),
            branch: invoice.branch.clone(),
            reference: invoice.number.clone(),
            transaction_type: match invoice.document_type {
                "DebitAdj" => "ADR",
                "CreditAdj" => "ACR",
                _ => "INV",
            },
            supplier: invoice.supplier.clone(),
            text: invoice.description.clone(),
            vat_category: None,
            vat: None,
            amount: amount * sign,
            base: round(amount * sign * invoice.rate, 2),
        };
        let mut lines: Vec<BatchLine> = invoice
            .lines
            .iter()
            .zip(self.nets(invoice, decimals))
            .map(|(line, net)| BatchLine {
                segments: line.segments.clone(),
                branch: line.branch.clone(),
                text: line.text.clone(),
                vat_category: line.vat_category.clone(),
                ..plain(&line.account, net)
            })
            .collect();
        if settings.summary_batches {
            let mut merged: Vec<BatchLine> = Vec::new();
            for line in lines {
                let same = |other: &&mut BatchLine| {
                    (&other.account, &other.segments, &other.branch)
                        == (&line.account, &line.segments, &line.branch)
                };
                match merged.iter_mut().find(same) {
                    Some(other) => {
                        other.amount += line.amount;
                        other.base += line.base;
                        (other.text, other.vat_category) = (None, None);
                    }
                    None => merged.push(line),
                }
            }
            lines = merged;
        }
        for tax in invoice.totals.taxes.iter().filter(|tax| !tax.amount.is_zero()) {
            let vat = |line: BatchLine| BatchLine { vat: Some(tax.id.clone()), ..line };
            lines.push(vat(plain(&settings.vat_account, tax.amount)));
            if tax.reverse {
                lines.push(vat(plain(&settings.reverse_vat_account, -tax.amount)));
            }
        }
        if !invoice.rounding.is_zero() {
            lines.push(plain(&settings.rounding_account, invoice.rounding));
        }
        // What rounding leaves in the company's currency falls to the debt.
        let base: Decimal = lines.iter().map(|line| line.base).sum();
        lines
            .push(BatchLine { base: -base, ..plain(&settings.payables_account, -invoice.gross()) });
        Batch {
            number: number.to_owned(),
            status: "Posted",
            date: invoice.date,
            period: invoice.period.clone(),
            currency: invoice.currency.clone(),
            rate: invoice.rate,
            branch: invoice.branch.clone(),
            description: invoice.description.clone(),
            lines,
        }
    }

    /// The lines' costs without the VAT that they may hold; the last line of all takes what rounding leaves.
    fn nets(&self, invoice: &Invoice, decimals: u32) -> Vec<Decimal> {
        let net = |line: &InvoiceLine| {
            let category = line.vat_category.as_deref();
            match vat::of_line(self.masters, &invoice.zone, category) {
                Some(vat) if invoice.tax_mode == "Gross" && vat.kind != "ReverseVat" => {
                    let hundred = Decimal::ONE_HUNDRED;
                    round(line.cost * hundred / (hundred + vat.rate), decimals)
                }
                _ => line.cost,
            }
        };
        let mut nets: Vec<Decimal> = invoice.lines.iter().map(net).collect();
        let left = invoice.totals.net - nets.iter().sum::<Decimal>();
        if let Some(last) = nets.last_mut() {
            *last += left;
        }
        nets
    }

    /// What the switchboard does to a batch: it still adds up, so that only the plan shows the fault.
    fn spoil(&mut self, batch: &mut Batch, invoice: &Invoice) {
        if self.board.fires(Fault::BatchUnposted) {
            batch.status = "Unposted";
        }
        if invoice.lines.is_empty() {
            return;
        }
        if self.board.fires(Fault::BatchWrongAccount) {
            let wrong = if batch.lines[0].account == "7770" { "6860" } else { "7770" };
            batch.lines[0].account = wrong.into();
        }
        if self.board.fires(Fault::BatchWrongSubaccount)
            && let Some((_, value)) = batch.lines[0].segments.first_mut()
        {
            *value = if value == "400" { "230" } else { "400" }.into();
        }
        if self.board.fires(Fault::BatchWrongAmount) {
            batch.shift(0, batch.lines.len() - 1);
        }
        let vat = batch.lines.iter().position(|line| line.vat.is_some());
        if let Some(vat) = vat
            && self.board.fires(Fault::BatchWrongVat)
        {
            batch.shift(vat, 0);
        }
    }

    /// `lastModifiedDateTime` stands alone here: changed at or after it, as far as anybody knows.
    pub fn batches(&mut self, call: &Call) -> Result<Reply, Refusal> {
        if !self.settings.journal_granted {
            let message = "The application is not allowed to do this.".into();
            return Err(Refusal { status: 403, message });
        }
        let status = call.word("status", STATUSES)?;
        let (module, branch, period) =
            (call.query("module"), call.query("branch"), call.query("periodId"));
        let modified = match call.query("lastModifiedDateTime") {
            None => None,
            Some(text) => Some(parse_time(text).ok_or_else(|| {
                Refusal::rule(format!(
                    "The request is invalid. '{text}' is not a date in 'lastModifiedDateTime'."
                ))
            })?),
        };
        call.switch("expandAttachments")?;
        let is = |filter: Option<&str>, value: &str| filter.is_none_or(|filter| filter == value);
        let exact = self.settings.journal_moment_is_exact;
        let (calls, now, masters) = (self.state.calls, self.now, self.masters);
        let batches = std::mem::take(&mut self.state.batches);
        let rows: Vec<_> = batches
            .iter()
            .filter_map(|(number, row)| row.listed(calls, now).map(|shown| (number, shown)))
            .filter(|(_, shown)| {
                is(module, MODULE)
                    && is(status, shown.doc.status)
                    && is(branch, &shown.doc.branch)
                    && is(period, &shown.doc.period)
                    && modified.is_none_or(|modified| match exact {
                        true => shown.modified == modified,
                        false => shown.modified >= modified,
                    })
            })
            .map(|(number, shown)| (number.clone(), shown.doc.lines.len(), shown))
            .collect();
        let body = list::page_of_lines(
            (self.state, self.settings, self.board),
            call,
            self.settings.max_page_journal_lines,
            rows,
            |out, shown, lines, error, (total, max)| {
                if lines.len() == shown.doc.lines.len() {
                    out.push_str(shown.short.get_or_init(|| core(masters, shown, lines)));
                } else {
                    out.push_str(&core(masters, shown, lines));
                }
                out.push_str(&list::tail(error, total, max));
            },
        );
        self.state.batches = batches;
        Ok(Reply::text(200, body?))
    }

    pub fn batch(&self, number: &str) -> Reply {
        match self.state.batches.get(number) {
            None => Reply::not_found(),
            Some(row) => {
                let tail = list::tail("", 1, self.settings.max_page_journal_lines);
                let all = 0..row.live.doc.lines.len();
                Reply::text(200, core(self.masters, &row.live, all) + &tail)
                    .with("etag", format!("\"{}\"", version(row.live.version)))
            }
        }
    }
}

fn debit(amount: Decimal) -> Value {
    number(amount.max(Decimal::ZERO))
}

fn credit(amount: Decimal) -> Value {
    number((-amount).max(Decimal::ZERO))
}

fn line(masters: &Masters, number_in_batch: usize, line: &BatchLine) -> Value {
    let account = masters.account(&line.account);
    json!({
        "lineNumber": number_in_batch,
        "accountNumber": line.account,
        "description": account.map(|account| account.description.as_str()),
        "subaccount": subaccount(masters, &line.segments),
        "referenceNumber": line.reference,
        "debitAmount": debit(line.base),
        "debitAmountInCurrency": debit(line.amount),
        "creditAmount": credit(line.base),
        "creditAmountInCurrency": credit(line.amount),
        "transactionDescription": line.text,
        "vatCode": line.vat_category.as_deref().map(|id| json!({
            "id": id,
            "description": masters.category(id).map(|category| category.description.as_str()),
        })),
        "vat": line.vat.as_deref().map(|id| json!({
            "id": id,
            "description": masters.vats.iter().find(|vat| vat.id == id).map(|vat| vat.description.as_str()),
        })),
        "branch": line.branch,
        "customerSupplier": line.supplier,
        "transactionType": line.transaction_type,
        "module": MODULE,
        "uom": null,
        "project": {"internalId": 0, "id": "X", "description": "Non-project"},
        "projectTask": null,
        "attachments": null,
        "quantity": 0.0,
        "inventoryNumber": null,
        "note": null,
    })
}

/// The row's JSON with some of its lines, without its end.
fn core(masters: &Masters, shown: &Shown<Batch>, wanted: Range<usize>) -> String {
    let batch = &shown.doc;
    let lines: Vec<Value> = wanted.map(|at| line(masters, at + 1, &batch.lines[at])).collect();
    let (base, amount) =
        (number(batch.sum(|line| line.base)), number(batch.sum(|line| line.amount)));
    let mut text = json!({
        "module": MODULE,
        "batchNumber": batch.number,
        "status": batch.status,
        "hold": false,
        "transactionDate": format!("{}T00:00:00", batch.date),
        "postPeriod": format!("{}{}", &batch.period[4..], &batch.period[..4]),
        "financialPeriod": batch.period,
        "ledger": "1",
        "ledgerDescription": "Hovedbok",
        "currencyId": batch.currency,
        "exchangeRate": number(batch.rate),
        "autoReversing": false,
        "reversingEntry": false,
        "description": batch.description,
        "originalBatchNumber": null,
        "debitTotal": base.clone(),
        "debitTotalInCurrency": amount.clone(),
        "creditTotal": base.clone(),
        "creditTotalInCurrency": amount.clone(),
        "controlTotal": base,
        "controlTotalInCurrency": amount,
        "createVatTransaction": false,
        "skipVatAmountValidation": false,
        "lastModifiedDateTime": time(shown.modified),
        "transactionCode": null,
        "transactionCodeDescription": null,
        "branch": batch.branch,
        "timeStamp": version(shown.version),
        "journalTransactionLines": lines,
        "attachments": null,
    })
    .to_string();
    text.pop();
    text
}
