//! The documents that people keyed in before the connector came.

use super::Desk;
use super::invoice::{Invoice, InvoiceLine};
use super::invoice_write::document_type;
use super::masters::{KeyedInvoice, KeyedLine, KeyedOrder, Receipt};
use super::order::{Order, OrderLine};
use super::receipt::{PurchaseReceipt, PurchaseReceiptLine};
use super::reply::round;
use super::state::Row;
use super::vat;
use jiff::ToSpan;
use jiff::civil::Date;
use rust_decimal::Decimal;
use std::collections::BTreeMap;

impl Desk<'_> {
    /// # Panics
    /// When the seed data name a supplier, an order or a line that is not there.
    pub fn key_in_documents(&mut self) {
        let masters = self.masters;
        let orders: Vec<String> =
            masters.orders.iter().map(|order| self.key_in_order(order)).collect();
        for receipt in &masters.receipts {
            self.key_in_receipt(receipt, &orders);
        }
        for invoice in &masters.invoices {
            self.key_in_invoice(invoice, &orders);
        }
    }

    /// A document of a day was changed on that day.
    fn keyed_on(&mut self, on: Date) -> (u64, jiff::civil::DateTime) {
        let (row, _) = self.state.stamp(true);
        let second = i8::try_from(row % 60).unwrap_or(0);
        (row, on.at(9, 14, second, 870_000_000).min(self.settings.now))
    }

    fn key_in_order(&mut self, keyed: &KeyedOrder) -> String {
        let supplier = self
            .masters
            .supplier(&keyed.supplier)
            .expect("a keyed order names a supplier of the company");
        let first = 1 + i64::from(self.state.random.u8(0..9));
        let decimals = self.decimals(&keyed.currency);
        let is_stock = |line: &KeyedLine| {
            line.item
                .as_deref()
                .and_then(|item| self.masters.item(item))
                .is_some_and(|item| item.stock)
        };
        let lines: Vec<OrderLine> = (first..)
            .zip(&keyed.lines)
            .map(|(number, line)| OrderLine {
                number,
                line_type: if is_stock(line) { "GoodsForInventory" } else { "Service" }.into(),
                item: line.item.clone(),
                description: Some(line.description.clone()),
                unit: Some(line.unit.clone()),
                quantity: line.quantity,
                unit_cost: line.unit_cost,
                amount: round(line.quantity * line.unit_cost, decimals),
                vat_category: Some(line.vat_category.clone()),
                account: Some(line.account.clone()),
                segments: line.segments.clone(),
                branch: keyed.branch.clone(),
                completed: keyed.status == "Closed",
                ..OrderLine::default()
            })
            .collect();
        let totals = vat::totals(
            self.masters,
            &supplier.vat_zone,
            decimals,
            false,
            lines.iter().map(|line| (line.vat_category.as_deref(), line.amount)),
        );
        let order = Order {
            order_type: "RegularOrder".into(),
            number: self.next_order_number(),
            status: keyed.status.clone(),
            date: keyed.ordered_on,
            promised: None,
            supplier: keyed.supplier.clone(),
            zone: supplier.vat_zone.clone(),
            reference: keyed.supplier_reference.clone(),
            description: keyed.description.clone(),
            note: None,
            currency: keyed.currency.clone(),
            rate: self
                .masters
                .currency(&keyed.currency)
                .map_or(Decimal::ONE, |currency| currency.rate),
            branch: keyed.branch.clone(),
            terms: supplier.credit_terms.clone(),
            control_total: None,
            dont_print: true,
            dont_email: true,
            custom: Default::default(),
            next_line: first + i64::try_from(lines.len()).unwrap_or(0),
            lines,
            totals,
        };
        let number = order.number.clone();
        let stamp = self.keyed_on(keyed.ordered_on);
        self.state.orders.insert(number.clone(), Row::new(order, stamp, true, None));
        number
    }

    pub(crate) fn key_in_receipt(&mut self, receipt: &Receipt, orders: &[String]) {
        let number = format!("PR{:06}", self.state.next_receipt);
        self.state.next_receipt += 1;
        let mut lines = Vec::new();
        let mut head = (String::new(), String::new(), String::new());
        for (at, line) in (1..).zip(&receipt.lines) {
            let row = self
                .state
                .orders
                .get_mut(&orders[line.order])
                .expect("a keyed receipt names a keyed order");
            let mut order = row.live.doc.clone();
            head = (order.supplier.clone(), order.currency.clone(), order.branch.clone());
            let ordered = &mut order.lines[line.order_line];
            if receipt.status == "Released" {
                ordered.received += line.quantity;
            }
            lines.push(PurchaseReceiptLine {
                number: at,
                line_type: ordered.line_type.clone(),
                item: ordered.item.clone(),
                text: ordered.description.clone(),
                unit: ordered.unit.clone(),
                ordered: ordered.quantity,
                quantity: line.quantity,
                unit_cost: ordered.unit_cost,
                order: order.number.clone(),
                order_line: ordered.number,
            });
            let stamp = (row.live.version, row.live.modified);
            row.change(order, stamp, None);
        }
        let (supplier, currency, branch) = head;
        let receipt = PurchaseReceipt {
            number: number.clone(),
            status: receipt.status.clone(),
            date: receipt.received_on,
            supplier,
            currency,
            branch,
            lines,
        };
        let stamp = self.keyed_on(receipt.date);
        self.state.receipts.insert(number, Row::new(receipt, stamp, true, None));
    }

    fn key_in_invoice(&mut self, keyed: &KeyedInvoice, orders: &[String]) {
        let supplier = self
            .masters
            .supplier(&keyed.supplier)
            .expect("a keyed invoice names a supplier of the company");
        let kind =
            document_type(&keyed.document_type).expect("a keyed invoice has a type that exists");
        let decimals = self.decimals(&keyed.currency);
        let lines: Vec<InvoiceLine> = (1..)
            .zip(&keyed.lines)
            .map(|(number, line)| InvoiceLine {
                number,
                item: line.item.clone(),
                text: Some(line.description.clone()),
                quantity: line.quantity,
                unit: Some(line.unit.clone()),
                unit_cost: line.unit_cost,
                cost: round(line.quantity * line.unit_cost, decimals),
                account: line.account.clone(),
                segments: line.segments.clone(),
                vat_category: Some(line.vat_category.clone()),
                branch: keyed.branch.clone(),
                order: line.order.map(|(order, at)| {
                    let number = &orders[order];
                    (number.clone(), self.state.orders[number].live.doc.lines[at].number)
                }),
                ..InvoiceLine::default()
            })
            .collect();
        let totals = vat::totals(
            self.masters,
            &supplier.vat_zone,
            decimals,
            false,
            lines.iter().map(|line| (line.vat_category.as_deref(), line.cost)),
        );
        let days = self.masters.terms(&supplier.credit_terms).map_or(0, |terms| terms.days);
        let number = self.next_invoice_number(kind);
        let released = !matches!(keyed.status.as_str(), "Hold" | "Balanced");
        let mut invoice = Invoice {
            document_type: kind,
            number: number.clone(),
            status: keyed.status.clone(),
            date: keyed.document_on,
            orig_date: None,
            due: keyed.document_on.saturating_add(days.days()),
            discount_on: None,
            period: format!("{:04}{:02}", keyed.document_on.year(), keyed.document_on.month()),
            supplier: keyed.supplier.clone(),
            zone: supplier.vat_zone.clone(),
            reference: keyed.supplier_reference.clone(),
            description: keyed.description.clone(),
            note: None,
            currency: keyed.currency.clone(),
            rate: self
                .masters
                .currency(&keyed.currency)
                .map_or(Decimal::ONE, |currency| currency.rate),
            terms: supplier.credit_terms.clone(),
            branch: keyed.branch.clone(),
            tax_mode: "TaxSetting".into(),
            payment_reference: None,
            pay_selected: false,
            control_amount: None,
            control_vat: None,
            rounding: Decimal::ZERO,
            vat_by_hand: BTreeMap::new(),
            next_line: i64::try_from(lines.len()).unwrap_or(0) + 1,
            lines,
            totals,
            batch: None,
            attachments: Vec::new(),
            paid: Decimal::ZERO,
        };
        let stamp = self.keyed_on(keyed.document_on);
        if released {
            let number = self.next_batch_number();
            let batch = self.right_batch(&invoice, &number);
            self.state.batches.insert(number.clone(), Row::new(batch, stamp, true, None));
            invoice.batch = Some(number);
        }
        self.state.invoices.insert((kind, number), Row::new(invoice, stamp, true, None));
    }
}
