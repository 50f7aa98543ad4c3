use super::{Currency, InvoiceKind, Money};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// A batch of the general ledger that the supplier ledger made, as the ERP holds it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ErpBatch {
    pub number: String,
    pub status: String,
    pub currency: Currency,
    /// Of the document's currency into the company's own.
    pub exchange_rate: Option<Decimal>,
    pub version: Option<String>,
    pub modified: Option<String>,
    pub lines: Vec<ErpBatchLine>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ErpBatchLine {
    pub account: String,
    /// By segment id; empty where the ERP tells only the joined number.
    pub segments: Vec<(i64, String)>,
    /// The segments' values joined, as the ERP writes it.
    pub subaccount: Option<String>,
    pub branch: Option<String>,
    /// The number of the document that the line comes from.
    pub reference: Option<String>,
    /// What that document is; `None`: the ERP does not say, or in a word that is not known here.
    pub source: Option<BatchSource>,
    pub supplier: Option<String>,
    /// Debit above zero, credit below, in the batch's currency.
    pub net: Money,
    /// The same in the company's own currency.
    pub base: Option<Decimal>,
}

/// What a line of a batch comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BatchSource {
    Document(InvoiceKind),
    /// A payment, a prepayment: never one of ours.
    Other,
}

impl ErpBatch {
    /// It counts in the ledger.
    pub fn is_posted(&self) -> bool {
        matches!(self.status.as_str(), "Posted" | "Completed")
    }

    pub fn is_void(&self) -> bool {
        self.status == "Voided"
    }

    /// The batch with nothing but the lines of one document; `None`: it has none of them.
    pub fn of_document(&self, kind: InvoiceKind, number: &str, supplier: &str) -> Option<Self> {
        let is_ours = |line: &&ErpBatchLine| {
            line.reference.as_deref() == Some(number)
                && match line.source {
                    Some(source) => source == BatchSource::Document(kind),
                    // Numbers repeat across types; the supplier is the next best witness.
                    None => line.supplier.as_deref().is_none_or(|of| of == supplier),
                }
        };
        let lines: Vec<ErpBatchLine> = self.lines.iter().filter(is_ours).cloned().collect();
        (!lines.is_empty()).then(|| Self { lines, ..self.clone() })
    }
}
