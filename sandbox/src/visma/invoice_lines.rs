//! The lines of a supplier invoice: patches, coding, links to orders and receipts. A line that does not pass is
//! refused only when the caller asks for line errors; else it is dropped and the document goes in without it.

use super::Desk;
use super::invoice::{Invoice, InvoiceLine};
use super::reply::{Refusal, round};
use super::rules::{self, cut};
use super::wire::Members;
use rust_decimal::Decimal;
use serde_json::{Map, Value};

type Body = Map<String, Value>;

impl Desk<'_> {
    pub fn apply_lines(&self, invoice: &mut Invoice, body: &Body) -> Result<(), Refusal> {
        let strict = body.flag("validateLineDetails") == Some(true);
        for patch in body.rows("invoiceLines") {
            let number = patch.whole("lineNumber");
            let at = number
                .and_then(|number| invoice.lines.iter().position(|line| line.number == number));
            let before = match (patch.text("operation").unwrap_or("Insert"), at) {
                ("Insert", _) => None,
                ("Delete", Some(at)) => {
                    invoice.lines.remove(at);
                    continue;
                }
                ("Update", Some(at)) => Some(at),
                _ => {
                    return Err(Refusal::rule(format!(
                        "Error: Line {} cannot be found in the system.",
                        number.unwrap_or_default()
                    )));
                }
            };
            let from = before.map_or_else(
                || InvoiceLine {
                    quantity: Decimal::ONE,
                    branch: invoice.branch.clone(),
                    ..InvoiceLine::default()
                },
                |at| invoice.lines[at].clone(),
            );
            let mut line = match self.line(invoice, from, patch) {
                Ok(line) => line,
                Err(message) if strict => {
                    return Err(Refusal::rule(format!(
                        "Error: Updating 'Supplier invoice' record raised one or more errors. {message}"
                    )));
                }
                // Swallowed: the rest of the document goes in without this line.
                Err(_) => continue,
            };
            self.link(invoice, &mut line, patch)?;
            match before {
                Some(at) => invoice.lines[at] = line,
                None => {
                    line.number = invoice.next_line;
                    invoice.next_line += 1;
                    invoice.lines.push(line);
                }
            }
        }
        Ok(())
    }

    fn line(
        &self,
        invoice: &Invoice,
        mut line: InvoiceLine,
        patch: &Body,
    ) -> Result<InvoiceLine, String> {
        if let Some(item) = patch.text("inventoryNumber") {
            line.item = Some(
                self.masters
                    .item(item)
                    .ok_or_else(|| rules::cannot_be_found("Inventory"))?
                    .number
                    .clone(),
            );
        }
        if let Some(text) = patch.text("transactionDescription") {
            line.text = cut(text, self.settings.longest_description);
        }
        if let Some(unit) = patch.text("uom") {
            line.unit = Some(rules::unit(self.masters, unit)?);
        }
        rules::project(patch.text("projectId"))?;
        let before = (line.quantity, line.unit_cost, line.cost);
        let given = (
            patch.amount("quantity"),
            patch.amount("unitCostInCurrency"),
            patch.amount("costInCurrency"),
        );
        (line.quantity, line.unit_cost, line.cost) =
            rules::costs(before, given, self.decimals(&invoice.currency));
        let discount = patch.amount("discountAmountInCurrency").or_else(|| {
            patch
                .amount("discountPercent")
                .map(|percent| line.cost * percent / Decimal::ONE_HUNDRED)
        });
        if let Some(discount) = discount {
            line.cost = round(line.cost - discount, self.decimals(&invoice.currency));
        }
        if let Some(account) = patch.text("accountNumber") {
            line.account = rules::account(self.masters, account)?;
        }
        if line.account.is_empty() {
            return Err("Error: 'Account' cannot be empty.".into());
        }
        if patch.contains_key("subaccount") || line.segments.is_empty() {
            line.segments = rules::segments(self.masters, &patch.rows("subaccount"))?;
        }
        if let Some(category) = patch.text("vatCodeId") {
            line.vat_category = if category.is_empty() {
                None
            } else {
                Some(rules::category(self.masters, category)?)
            };
        }
        if let Some(branch) = patch.text("branchNumber").or(patch.text("branch")) {
            line.branch = rules::branch(self.masters, branch)?;
        }
        if let Some(note) = patch.text("note") {
            line.note = cut(note, usize::MAX);
        }
        Ok(line)
    }

    /// Ties the line to an order line or a receipt line of the same supplier.
    fn link(&self, invoice: &Invoice, line: &mut InvoiceLine, patch: &Body) -> Result<(), Refusal> {
        let Some(link) = patch.get("linkLine").and_then(Value::as_object) else { return Ok(()) };
        let (Some(kind), Some(number), Some(wanted)) =
            (link.text("purchaseType"), link.text("purchaseNumber"), link.whole("purchaseLineNbr"))
        else {
            return Err(Refusal::rule("Error: 'linkLine' is not complete."));
        };
        let unknown = |what: &str| Refusal::rule(rules::cannot_be_found(what));
        if kind == "PurchaseReceipt" {
            let receipt = &self
                .state
                .receipts
                .get(number)
                .ok_or_else(|| unknown("Purchase receipt"))?
                .live
                .doc;
            let found = receipt
                .lines
                .iter()
                .find(|line| line.number == wanted)
                .ok_or_else(|| unknown("Purchase receipt line"))?;
            if receipt.supplier != invoice.supplier || receipt.status != "Released" {
                return Err(Refusal::rule(
                    "Error: The purchase receipt is of another supplier or is not released.",
                ));
            }
            line.receipt = Some((number.into(), wanted));
            line.order = Some((found.order.clone(), found.order_line));
            return Ok(());
        }
        let order =
            &self.state.orders.get(number).ok_or_else(|| unknown("Purchase order"))?.live.doc;
        let found = order
            .lines
            .iter()
            .find(|line| line.number == wanted)
            .ok_or_else(|| unknown("Purchase order line"))?;
        if order.supplier != invoice.supplier {
            return Err(Refusal::rule("Error: The purchase order is of another supplier."));
        }
        if matches!(order.status.as_str(), "Cancelled" | "Voided") {
            return Err(Refusal::rule("Error: The purchase order is cancelled."));
        }
        if found.is_stock() {
            return Err(Refusal::rule(
                "Error: A stock item can be linked to a purchase receipt only.",
            ));
        }
        line.order = Some((number.into(), wanted));
        line.receipt = None;
        Ok(())
    }
}
