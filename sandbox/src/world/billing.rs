//! What of an order is still to be billed, and the small files that come with invoices.

use super::document::{Line, Order, OrderLineKey};
use fastrand::Rng;
use rust_decimal::Decimal;

/// An order with the quantities of its lines that no invoice has billed.
#[derive(Debug, Clone, PartialEq)]
pub struct Open {
    pub order: usize,
    /// By position of the line; zero for a cancelled one.
    pub left: Vec<Decimal>,
}

impl Open {
    pub fn of(index: usize, order: &Order) -> Self {
        let left = order
            .lines
            .iter()
            .map(|line| if line.cancelled { Decimal::ZERO } else { line.quantity })
            .collect();
        Self { order: index, left }
    }

    fn is_empty(&self) -> bool {
        self.left.iter().all(Decimal::is_zero)
    }

    /// Invoice lines for all that is left. A line that would come to nothing is left out.
    pub fn lines(&self, order: &Order) -> Vec<Line> {
        let mut lines = Vec::new();
        for (line, left) in order.lines.iter().zip(&self.left) {
            if left.is_zero() {
                continue;
            }
            let mut bill = line.clone();
            bill.quantity = *left;
            bill.price = line.price / line.basis;
            bill.basis = Decimal::ONE;
            bill.requested_on = None;
            bill.commodity = None;
            bill.bills = Some(OrderLineKey {
                order_id: order.id.clone(),
                order_number: order.number.clone(),
                revision: order.revision,
                line_number: Some(line.number),
                line_id: Some(line.id.clone()),
            });
            bill.price_out(&order.currency);
            if !bill.net.is_zero() {
                lines.push(bill);
            }
        }
        lines
    }

    /// Takes a part out: some lines, some of them in part. Never nothing.
    fn take_part(&mut self, rng: &mut Rng) -> Self {
        let mut part = Self { order: self.order, left: vec![Decimal::ZERO; self.left.len()] };
        for (left, taken) in self.left.iter_mut().zip(&mut part.left) {
            if left.is_zero() || rng.u32(0..10) < 4 {
                continue;
            }
            let half = (*left / Decimal::TWO).trunc();
            *taken = if !half.is_zero() && rng.bool() { half } else { *left };
            *left -= *taken;
        }
        if part.is_empty() {
            std::mem::swap(&mut part.left, &mut self.left);
        }
        part
    }
}

/// Draws what the next invoice bills: one order whole, a part of one, or several orders of one
/// supplier. `open` must not be empty. The flag says that the order is billed whole.
pub fn draw(open: &mut Vec<Open>, orders: &[Order], rng: &mut Rng) -> Vec<(Open, bool)> {
    let index = rng.usize(0..open.len());
    let chance = rng.u32(0..100);
    if chance < 22 {
        let part = open[index].take_part(rng);
        if open[index].is_empty() {
            open.swap_remove(index);
        }
        return vec![(part, false)];
    }
    let mut bills = vec![(open.swap_remove(index), true)];
    if chance < 34 {
        let first = &orders[bills[0].0.order];
        let fits = |candidate: &Open| {
            let order = &orders[candidate.order];
            order.vendor == first.vendor
                && order.currency == first.currency
                && order.business_unit == first.business_unit
        };
        let most = rng.usize(2..=4);
        while bills.len() < most {
            match open.iter().position(fits) {
                Some(index) => bills.push((open.swap_remove(index), true)),
                None => break,
            }
        }
    }
    bills
}

/// A PDF of one page with one line of text, as small as readers take it.
pub fn pdf(text: &str) -> Vec<u8> {
    let text: String = text.chars().filter(|c| c.is_ascii() && !"()\\".contains(*c)).collect();
    let stream = format!("BT /F1 12 Tf 72 770 Td ({text}) Tj ET");
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_string(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_string(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R \
         /Resources << /Font << /F1 5 0 R >> >> >>"
            .to_string(),
        format!("<< /Length {} >>\nstream\n{stream}\nendstream", stream.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_string(),
    ];
    let mut file = String::from("%PDF-1.4\n");
    let mut offsets = Vec::new();
    for (index, object) in objects.iter().enumerate() {
        offsets.push(file.len());
        file.push_str(&format!("{} 0 obj\n{object}\nendobj\n", index + 1));
    }
    let start = file.len();
    file.push_str(&format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1));
    for offset in offsets {
        file.push_str(&format!("{offset:010} 00000 n \n"));
    }
    file.push_str(&format!(
        "trailer << /Size {} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n",
        objects.len() + 1
    ));
    file.into_bytes()
}

/// One transparent pixel.
pub const PNG: &[u8] = &[
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44, 0x52,
    0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x01, 0x08, 0x06, 0x00, 0x00, 0x00, 0x1f, 0x15, 0xc4,
    0x89, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x44, 0x41, 0x54, 0x78, 0x9c, 0x63, 0x00, 0x01, 0x00, 0x00,
    0x05, 0x00, 0x01, 0x0d, 0x0a, 0x2d, 0xb4, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae,
    0x42, 0x60, 0x82,
];
