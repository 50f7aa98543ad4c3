//! Writing purchase orders: create, and change by line patches.

use super::order::{Order, OrderLine};
use super::reply::{Refusal, Reply, version};
use super::rules::{self, cut};
use super::state::Row;
use super::wire::{self, Members};
use super::{Call, Desk, members, vat};
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde_json::{Map, Value};

type Body = Map<String, Value>;

const CUSTOM: [&str; 5] = ["customStr1", "customStr2", "customStr3", "customStr4", "customStr5"];

impl Desk<'_> {
    pub fn create_order(&mut self, call: &Call) -> Result<Reply, Refusal> {
        let body = wire::read(&call.body, members::ORDER)?;
        for required in ["supplier", "lines"] {
            if !body.contains_key(required) {
                return Err(Refusal::rule(format!("Error: '{required}' cannot be empty.")));
            }
        }
        let supplier = rules::supplier(self.masters, body.text("supplier").unwrap_or_default())?;
        // A line number is never the place in the list: each order begins somewhere else.
        let first = 1 + i64::from(self.state.random.u8(0..9));
        let mut order = Order {
            order_type: body.text("orderType").unwrap_or("RegularOrder").into(),
            number: String::new(),
            status: "Hold".into(),
            date: self.state.clock.date(),
            promised: None,
            supplier: supplier.number.clone(),
            zone: supplier.vat_zone.clone(),
            reference: None,
            description: None,
            note: None,
            currency: supplier.currency.clone(),
            rate: Decimal::ONE,
            branch: self
                .masters
                .branches
                .iter()
                .find(|branch| branch.main)
                .map_or_else(String::new, |branch| branch.number.clone()),
            terms: supplier.credit_terms.clone(),
            control_total: None,
            dont_print: false,
            dont_email: false,
            custom: Default::default(),
            lines: Vec::new(),
            next_line: first,
            totals: vat::Totals::default(),
        };
        let mut hold = self.settings.hold_by_default;
        self.apply_order(&mut order, &body, &mut hold, true)?;
        if order.lines.is_empty() && !hold {
            return Err(Refusal::rule("Error: A purchase order without lines must be on hold."));
        }
        self.settle_order(&mut order, hold, false);
        let wished =
            body.text("orderNumber").filter(|_| body.flag("overrideNumberSeries") == Some(true));
        order.number = match wished {
            Some(number) if self.state.orders.contains_key(number) => {
                return Err(Refusal::rule("Error: The order number is used already."));
            }
            Some(number) => number.to_owned(),
            None => self.next_order_number(),
        };
        let stamp = self.stamp();
        let delay = self.delay();
        let place = format!("/v1/purchaseorder/{}", order.number);
        self.tell("PurchaseOrder", "Changed", &order.number);
        self.state.orders.insert(order.number.clone(), Row::new(order, stamp, false, delay));
        Ok(self.created(call, &place, stamp.0))
    }

    pub fn next_order_number(&mut self) -> String {
        let number = format!("PO{:06}", self.state.next_order);
        self.state.next_order += 1;
        number
    }

    pub fn change_order(&mut self, call: &Call, number: &str) -> Result<Reply, Refusal> {
        let body = wire::read(&call.body, members::ORDER)?;
        let row =
            self.state.orders.get(number).ok_or(Refusal { status: 404, message: String::new() })?;
        call.check_version(row.live.version)?;
        if body.text("timeStamp").is_some_and(|given| given != version(row.live.version)) {
            return Err(Refusal { status: 412, message: String::new() });
        }
        let mut order = row.live.doc.clone();
        if matches!(order.status.as_str(), "Closed" | "Cancelled" | "Voided") {
            return Err(Refusal::rule(format!(
                "Error: A purchase order in status '{}' cannot be changed.",
                order.status
            )));
        }
        let mut hold = order.status == "Hold";
        self.apply_order(&mut order, &body, &mut hold, false)?;
        self.settle_order(&mut order, hold, true);
        let stamp = self.stamp();
        let delay = self.delay();
        if let Some(row) = self.state.orders.get_mut(number) {
            row.change(order, stamp, delay);
        }
        self.tell("PurchaseOrder", "Changed", number);
        Ok(Reply::empty(204).with("etag", format!("\"{}\"", version(stamp.0))))
    }

    fn apply_order(
        &self,
        order: &mut Order,
        body: &Body,
        hold: &mut bool,
        new: bool,
    ) -> Result<(), Refusal> {
        if let Some(number) = body.text("supplier") {
            let supplier = rules::supplier(self.masters, number)?;
            if !new && supplier.number != order.supplier {
                return Err(Refusal::rule(
                    "Error: The supplier of a purchase order cannot be changed.",
                ));
            }
        }
        if body.text("orderType").is_some_and(|kind| kind != order.order_type) {
            return Err(Refusal::rule("Error: The order type cannot be changed."));
        }
        if let Some(zone) = body.text("supplierVatZone") {
            order.zone = zone.into();
        }
        if let Some(on) = body.time("date") {
            order.date = on.date();
        }
        if let Some(on) = body.time("promisedOn") {
            order.promised = Some(on.date());
        }
        if let Some(id) = body.text("currency") {
            order.currency = self
                .masters
                .currency(id)
                .ok_or_else(|| Refusal::rule(rules::cannot_be_found("Currency")))?
                .id
                .clone();
        }
        order.rate = body.amount("exchangeRate").unwrap_or_else(|| {
            self.masters.currency(&order.currency).map_or(Decimal::ONE, |currency| currency.rate)
        });
        if let Some(id) = body.text("terms") {
            order.terms = self
                .masters
                .terms(id)
                .ok_or_else(|| Refusal::rule(rules::cannot_be_found("Credit terms")))?
                .id
                .clone();
        }
        if let Some(number) = body.text("branch") {
            order.branch = rules::branch(self.masters, number).map_err(Refusal::rule)?;
        }
        let text = |name: &str, longest: usize, into: &mut Option<String>| {
            if let Some(given) = body.text(name) {
                *into = cut(given, longest);
            }
        };
        text("supplierRef", self.settings.longest_reference, &mut order.reference);
        text("description", self.settings.longest_order_description, &mut order.description);
        text("note", usize::MAX, &mut order.note);
        for (at, name) in CUSTOM.into_iter().enumerate() {
            text(name, usize::MAX, &mut order.custom[at]);
        }
        order.dont_print = body.flag("dontPrint").unwrap_or(order.dont_print);
        order.dont_email = body.flag("dontEmail").unwrap_or(order.dont_email);
        order.control_total = body.amount("controlTotal").or(order.control_total);
        *hold = body.flag("hold").unwrap_or(*hold);
        self.apply_order_lines(order, body)
    }

    fn apply_order_lines(&self, order: &mut Order, body: &Body) -> Result<(), Refusal> {
        for patch in body.rows("lines") {
            let number = patch.whole("lineNumber");
            let at =
                number.and_then(|number| order.lines.iter().position(|line| line.number == number));
            match (patch.text("operation").unwrap_or("Insert"), at) {
                ("Insert", _) => {
                    let from = OrderLine {
                        branch: order.branch.clone(),
                        line_type: "GoodsForInventory".into(),
                        ..OrderLine::default()
                    };
                    let mut line = self.order_line(order, from, patch)?;
                    line.number = order.next_line;
                    order.next_line += 1;
                    order.lines.push(line);
                }
                ("Update", Some(at)) => {
                    order.lines[at] = self.order_line(order, order.lines[at].clone(), patch)?
                }
                ("Delete", Some(at))
                    if !order.lines[at].received.is_zero()
                        || self.is_billed(&order.number, order.lines[at].number) =>
                {
                    return Err(Refusal::rule(
                        "Error: A line that has been received or billed cannot be deleted.",
                    ));
                }
                ("Delete", Some(at)) => {
                    order.lines.remove(at);
                }
                _ => {
                    return Err(Refusal::rule(format!(
                        "Error: Line {} cannot be found in the system.",
                        number.unwrap_or_default()
                    )));
                }
            }
        }
        Ok(())
    }

    fn is_billed(&self, number: &str, line: i64) -> bool {
        self.state.invoices.values().any(|row| {
            let invoice = &row.live.doc;
            invoice.status != "Voided"
                && invoice.lines.iter().any(|each| {
                    each.order.as_ref().is_some_and(|(order, at)| order == number && *at == line)
                })
        })
    }

    fn order_line(
        &self,
        order: &Order,
        mut line: OrderLine,
        patch: &Body,
    ) -> Result<OrderLine, Refusal> {
        let rule = |message: String| {
            Refusal::rule(format!(
                "Error: Updating 'Purchase order' record raised one or more errors. {message}"
            ))
        };
        if let Some(kind) = patch.text("lineType") {
            line.line_type = kind.into();
        }
        if let Some(item) = patch.text("inventory") {
            line.item = Some(
                self.masters
                    .item(item)
                    .ok_or_else(|| rule(rules::cannot_be_found("Inventory")))?
                    .number
                    .clone(),
            );
        }
        let stock =
            line.item.as_deref().and_then(|item| self.masters.item(item)).map(|item| item.stock);
        match (line.line_type.as_str(), stock) {
            ("Freight" | "Description", _) => {}
            (_, None) => return Err(rule("'Inventory ID' cannot be empty.".into())),
            (_, Some(stock)) if stock != line.is_stock() => {
                return Err(rule("The line type does not fit the item.".into()));
            }
            (_, Some(_)) => {}
        }
        if let Some(text) = patch.text("lineDescription") {
            line.description = cut(text, self.settings.longest_description);
        }
        if let Some(unit) = patch.text("uom") {
            line.unit = Some(rules::unit(self.masters, unit).map_err(rule)?);
        }
        rules::project(patch.text("project")).map_err(rule)?;
        let before = (line.quantity, line.unit_cost, line.amount);
        let given = (
            patch.amount("orderQty"),
            patch.amount("unitCost"),
            patch.amount("extCost").or(patch.amount("amount")),
        );
        (line.quantity, line.unit_cost, line.amount) =
            rules::costs(before, given, self.decimals(&order.currency));
        if line.quantity < line.received {
            return Err(rule("The quantity is less than what has been received.".into()));
        }
        if let Some(account) = patch.text("account") {
            line.account = Some(rules::account(self.masters, account).map_err(rule)?);
        }
        if patch.contains_key("sub") || line.segments.is_empty() {
            line.segments = rules::segments(self.masters, &patch.rows("sub")).map_err(rule)?;
        }
        if let Some(category) = patch.text("taxCategory") {
            line.vat_category = if category.is_empty() {
                None
            } else {
                Some(rules::category(self.masters, category).map_err(rule)?)
            };
        }
        if let Some(branch) = patch.text("branch") {
            line.branch = rules::branch(self.masters, branch).map_err(rule)?;
        }
        let day =
            |name: &str, before: Option<Date>| patch.time(name).map(|time| time.date()).or(before);
        line.promised = day("promised", line.promised);
        line.requested = day("requested", line.requested);
        if let Some(note) = patch.text("note") {
            line.note = cut(note, usize::MAX);
        }
        for (at, name) in CUSTOM.into_iter().enumerate() {
            if let Some(text) = patch.text(name) {
                line.custom[at] = cut(text, usize::MAX);
            }
        }
        line.completed = patch.flag("completed").unwrap_or(line.completed);
        Ok(line)
    }

    /// Totals and status. An order whose every line is completed or gone has ended.
    pub fn settle_order(&self, order: &mut Order, hold: bool, changed: bool) {
        let lines = order.lines.iter().map(|line| (line.vat_category.as_deref(), line.amount));
        order.totals =
            vat::totals(self.masters, &order.zone, self.decimals(&order.currency), false, lines);
        let ended = changed && order.lines.iter().all(|line| line.completed);
        order.status = match (ended, hold) {
            (true, true) => "Cancelled",
            (true, false) => "Closed",
            (false, true) => "Hold",
            (false, false) if !order.dont_print => "PendingPrint",
            (false, false) if !order.dont_email => "PendingEmail",
            (false, false) => "Open",
        }
        .into();
    }
}
