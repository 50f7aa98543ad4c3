//! What the simulated Visma starts with, from a world.

use crate::visma::masters::{self, KeyedInvoice, KeyedLine, KeyedOrder, Masters};
use crate::world::supplier::BankAccount;
use crate::world::{
    ExpectedLine, HandKeyedInvoice, HandKeyedOrder, HandKeyedReceipt, Kind, World, amount,
};
use rust_decimal::Decimal;

/// Nordlys with the suppliers of the world, and what people keyed in by hand of what belongs to the company.
pub(crate) fn masters(world: &World, belongs: impl Fn(&str) -> bool) -> Masters {
    let suppliers = world
        .visma_suppliers()
        .into_iter()
        .map(|supplier| masters::Supplier {
            number: supplier.number,
            name: supplier.name,
            status: supplier.status.into(),
            corporate_id: supplier.corporate_id,
            vat_registration_id: supplier.vat_registration_id,
            vat_zone: supplier.vat_zone.into(),
            currency: supplier.currency.into(),
            credit_terms: supplier.credit_terms,
            country: supplier.country.into(),
            payment_details: supplier.bank_accounts.iter().map(payment_detail).collect(),
        })
        .collect();
    Masters {
        suppliers,
        orders: world
            .hand_keyed_orders()
            .iter()
            .filter(|order| belongs(&order.business_unit))
            .map(keyed_order)
            .collect(),
        invoices: world
            .hand_keyed_invoices()
            .iter()
            .filter(|invoice| belongs(&invoice.business_unit))
            .map(keyed_invoice)
            .collect(),
        receipts: world.hand_keyed_receipts().iter().map(keyed_receipt).collect(),
        ..masters::nordlys()
    }
}

/// As a company that speaks Norwegian describes its payment method.
fn payment_detail(account: &BankAccount) -> (String, String) {
    let (description, number) = match account {
        BankAccount::Iban(number) => ("IBAN", number),
        BankAccount::Bban(number) => ("Bankkontonummer", number),
        BankAccount::Bankgiro(number) => ("Bankgiro", number),
        BankAccount::Plusgiro(number) => ("Plusgiro", number),
    };
    (description.into(), number.clone())
}

fn keyed_order(order: &HandKeyedOrder) -> KeyedOrder {
    let lines = order.lines.iter().map(|line| KeyedLine {
        description: line.description.clone(),
        item: Some("TJENESTE".into()),
        quantity: line.quantity,
        unit: line.unit.clone(),
        unit_cost: line.unit_cost,
        account: line.expected.account.clone(),
        segments: segments(&line.expected.subaccount),
        vat_category: line.expected.vat_category.clone(),
        order: None,
    });
    KeyedOrder {
        supplier: order.document.supplier.clone(),
        supplier_reference: Some(order.document.reference.clone()),
        description: Some("Registrert for hånd".into()),
        ordered_on: order.ordered_on,
        currency: order.document.currency.clone(),
        branch: "1".into(),
        status: "Open".into(),
        lines: lines.collect(),
    }
}

fn keyed_invoice(invoice: &HandKeyedInvoice) -> KeyedInvoice {
    let document = &invoice.document;
    let line = |(at, line): (usize, &ExpectedLine)| {
        let bills = invoice.bills.filter(|_| at == 0);
        let quantity = bills.map_or(Decimal::ONE, |bills| bills.quantity);
        let cost = Decimal::new(line.cost_minor, amount::decimals(&document.currency));
        KeyedLine {
            description: "Registrert for hånd".into(),
            item: None,
            quantity,
            unit: "STK".into(),
            unit_cost: cost / quantity,
            account: line.account.clone(),
            segments: segments(&line.subaccount),
            vat_category: line.vat_category.clone(),
            order: bills.map(|bills| (bills.order, bills.line)),
        }
    };
    KeyedInvoice {
        document_type: match document.kind {
            Kind::CreditNote => "DebitAdj",
            Kind::SupplierInvoice | Kind::PurchaseOrder => "Invoice",
        }
        .into(),
        supplier: document.supplier.clone(),
        supplier_reference: Some(document.reference.clone()),
        description: Some("Registrert for hånd".into()),
        document_on: invoice.invoiced_on,
        currency: document.currency.clone(),
        branch: "1".into(),
        status: invoice.status.into(),
        lines: document.lines.iter().enumerate().map(line).collect(),
    }
}

fn keyed_receipt(receipt: &HandKeyedReceipt) -> masters::Receipt {
    let lines = receipt.lines.iter().map(|line| masters::ReceiptLine {
        order: line.order,
        order_line: line.line,
        quantity: line.quantity,
    });
    masters::Receipt {
        received_on: receipt.received_on,
        status: "Released".into(),
        lines: lines.collect(),
    }
}

/// `110-P-2031`: the first segment ends at the first separator.
fn segments(subaccount: &str) -> Vec<(i64, String)> {
    let (department, project) = subaccount.split_once('-').unwrap_or((subaccount, "000000"));
    vec![(1, department.into()), (2, project.into())]
}
