//! From a case's form to the core's types. Sums that a case leaves out are computed here in plain
//! steps, by nothing of what is tested.

use super::form;
use jiff::civil::Date;
use ml_connector::procurement::*;
use rust_decimal::{Decimal, RoundingStrategy};
use std::collections::BTreeMap;

type Result<T> = std::result::Result<T, String>;

pub fn date(text: &str) -> Result<Date> {
    text.parse().map_err(|error| format!("`{text}`: {error}"))
}

pub fn currency(code: &str) -> Result<Currency> {
    Currency::parse(code).map_err(|error| error.to_string())
}

pub fn money(amount: Decimal, currency: Currency) -> Result<Money> {
    Money::exact(amount, currency).map_err(|error| error.to_string())
}

fn rounded(amount: Decimal, currency: Currency) -> Decimal {
    amount.round_dp_with_strategy(currency.decimals(), RoundingStrategy::MidpointAwayFromZero)
}

fn ripeness(status: &str) -> Result<Ripeness> {
    match status {
        "ripe" => Ok(Ripeness::Ripe),
        "not_yet" => Ok(Ripeness::NotYet),
        "cancelled" => Ok(Ripeness::Cancelled),
        "unknown" => Ok(Ripeness::Unknown),
        other => Err(format!("`{other}` is no status")),
    }
}

fn filled(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// `PO-1 / 1`: order and line.
pub fn order_line(text: &str) -> (String, Option<String>) {
    match text.split_once(" / ") {
        Some((order, line)) => (order.trim().to_owned(), Some(line.trim().to_owned())),
        None => (text.trim().to_owned(), None),
    }
}

impl form::Line {
    fn number(&self, place: usize) -> String {
        self.number.clone().unwrap_or_else(|| (place + 1).to_string())
    }

    pub fn net(&self, currency: Currency) -> Decimal {
        self.net.unwrap_or_else(|| {
            let price = self.price.unwrap_or(Decimal::ONE_HUNDRED);
            rounded(self.quantity * price / self.per.unwrap_or(Decimal::ONE), currency)
        })
    }

    fn price(&self) -> Option<Decimal> {
        self.price.or(self.net.is_none().then_some(Decimal::ONE_HUNDRED))
    }

    fn taxes(&self, currency: Currency) -> Result<Vec<TaxLine>> {
        if !self.taxes.is_empty() {
            return self.taxes.iter().map(|tax| tax.build(currency)).collect();
        }
        let code = filled(&self.tax).map(|code| TaxLine {
            code: Some(code),
            rate: None,
            base: None,
            amount: None,
        });
        Ok(code.into_iter().collect())
    }

    fn distributions(&self, currency: Currency) -> Result<Vec<Distribution>> {
        if self.shares.is_empty() {
            let share = Distribution {
                segments: segments(&self.account, &self.department, &self.project),
                ..Distribution::default()
            };
            return Ok(vec![share]);
        }
        shares(&self.shares, currency)
    }
}

fn shares(of: &[form::Share], currency: Currency) -> Result<Vec<Distribution>> {
    let mut built = Vec::new();
    for share in of {
        let own = share.currency.as_deref().map_or(Ok(currency), super::build::currency)?;
        let distribution = Distribution {
            amount: share.amount.map(|amount| money(amount, own)).transpose()?,
            percent: share.percent,
            quantity: share.quantity,
            ratio: share.ratio,
            segments: segments(&share.account, &share.department, &share.project),
            parts: shares(&share.parts, currency)?,
        };
        built.extend(vec![distribution; share.times.unwrap_or(1)]);
    }
    Ok(built)
}

fn segments(account: &str, department: &str, project: &str) -> BTreeMap<String, String> {
    [("Account", account), ("CostCenter", department), ("Project", project)]
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

impl form::Tax {
    fn build(&self, currency: Currency) -> Result<TaxLine> {
        Ok(TaxLine {
            code: self.code.clone(),
            rate: self.rate,
            base: self.base.map(|base| money(base, currency)).transpose()?,
            amount: self.amount.map(|amount| money(amount, currency)).transpose()?,
        })
    }
}

fn vendor(id: &str, erp_number: Option<String>) -> VendorRef {
    VendorRef { source_id: filled(id), erp_number, name: None }
}

impl form::Order {
    pub fn build(&self) -> Result<PurchaseOrder> {
        let currency = currency(&self.currency)?;
        let lines = self
            .line
            .iter()
            .enumerate()
            .map(|(place, line)| {
                Ok(OrderLine {
                    key: format!("{}-{}", self.number, line.number(place)),
                    number: line.number(place),
                    cancelled: line.cancelled,
                    kind: match line.kind.as_deref() {
                        None => OrderLineKind::Unspecified,
                        Some("goods") => OrderLineKind::Goods,
                        Some("service") => OrderLineKind::Service,
                        Some("limit") => OrderLineKind::Limit,
                        Some(other) => return Err(format!("`{other}` is no kind of line")),
                    },
                    contract: line.contract.clone(),
                    item: line.item.clone(),
                    description: line.text.clone(),
                    commodity: line.commodity.clone(),
                    quantity: (!line.no_quantity).then_some(line.quantity),
                    unit: filled(&line.unit),
                    unit_price: line.price(),
                    price_basis: line.per,
                    net: money(line.net(currency), currency)?,
                    taxes: line.taxes(currency)?,
                    distributions: line.distributions(currency)?,
                    requested_on: None,
                })
            })
            .collect::<Result<Vec<_>>>()?;
        Ok(PurchaseOrder {
            source_id: format!("id-{}", self.number),
            number: self.number.clone(),
            revision: Some(0),
            ripeness: ripeness(&self.status)?,
            status: self.status.clone(),
            business_unit: filled(&self.business_unit),
            ship_to: None,
            vendor: vendor(&self.vendor, None),
            currency,
            ordered_on: date(&self.date)?,
            promised_on: None,
            description: None,
            terms: self.terms.clone(),
            net: self.net.map(|net| money(net, currency)).transpose()?,
            gross: None,
            lines,
        })
    }
}

impl form::Invoice {
    pub fn build(&self, kind: InvoiceKind) -> Result<SupplierInvoice> {
        let currency = currency(&self.currency)?;
        let lines = self
            .line
            .iter()
            .enumerate()
            .map(|(place, line)| {
                Ok(InvoiceLine {
                    key: format!("L{}", line.number(place)),
                    number: line.number(place),
                    order: line.order.as_deref().map(|order| {
                        let (order_number, line_number) = order_line(order);
                        let line_key =
                            line_number.as_ref().map(|line| format!("{order_number}-{line}"));
                        OrderLineRef { order_number, line_number, line_key }
                    }),
                    item: line.item.clone(),
                    description: line.text.clone(),
                    commodity: line.commodity.clone(),
                    quantity: (!line.no_quantity).then_some(line.quantity),
                    unit: filled(&line.unit),
                    unit_price: line.price(),
                    price_basis: line.per,
                    net: money(line.net(currency), currency)?,
                    taxes: line.taxes(currency)?,
                    distributions: line.distributions(currency)?,
                })
            })
            .collect::<Result<Vec<_>>>()?;
        let charges = self
            .charges
            .iter()
            .map(|(kind, amount)| {
                let kind = match kind.as_str() {
                    "shipping" => ChargeKind::Shipping,
                    "handling" => ChargeKind::Handling,
                    "discount" => ChargeKind::Discount,
                    "rounding" => ChargeKind::Rounding,
                    "other" => ChargeKind::Other,
                    other => return Err(format!("`{other}` is no kind of charge")),
                };
                Ok(Charge { kind, amount: money(*amount, currency)? })
            })
            .collect::<Result<Vec<_>>>()?;
        let (net, tax) = self.sums(currency)?;
        let gross = self.gross.unwrap_or(net + tax);
        let stated = |amount| match self.only_gross {
            true => Ok(None),
            false => money(amount, currency).map(Some),
        };
        Ok(SupplierInvoice {
            source_id: "2526304".into(),
            kind,
            number: "I00092".into(),
            supplier_reference: filled(&self.reference),
            credits_reference: self.credits.clone(),
            ripeness: ripeness(&self.status)?,
            status: self.status.clone(),
            business_unit: filled(&self.business_unit),
            ship_to: None,
            vendor: vendor(&self.vendor, self.supplier_number.clone()),
            currency,
            order_number: self.order.clone(),
            exchange_rate: self.exchange_rate,
            prices_include_tax: self.prices_include_tax,
            payee: self
                .payee
                .as_deref()
                .map(|number| super::company::bank_account(number, self.payee_kind.as_deref())),
            invoiced_on: date(&self.date)?,
            accounting_on: self.booked.as_deref().map(date).transpose()?,
            due_on: self.due.as_deref().map(date).transpose()?,
            terms: self.terms.clone(),
            payment_reference: self.payment_reference.clone(),
            net: stated(net)?,
            tax: stated(tax)?,
            gross: money(gross, currency)?,
            charges,
            taxes: self.taxes.iter().map(|tax| tax.build(currency)).collect::<Result<_>>()?,
            lines,
            attachments: self
                .files
                .iter()
                .enumerate()
                .map(|(nth, name)| AttachmentRef {
                    id: format!("A{nth}"),
                    file_name: name.clone(),
                    content_type: None,
                    size: None,
                    path: None,
                })
                .collect(),
        })
    }

    /// Net and tax, as stated or as they add up: tax for each rate on the sum of its lines. Freight
    /// and handling bear 25 %, other charges none; abroad there is no tax.
    fn sums(&self, currency: Currency) -> Result<(Decimal, Decimal)> {
        let mut bases: BTreeMap<Decimal, Decimal> = BTreeMap::new();
        let abroad = matches!(self.vendor.as_str(), "V2" | "V6");
        let rate = |code: &str| {
            let percent = match code {
                _ if abroad => 0,
                "NO-25" => 25,
                "NO-15" => 15,
                "NO-12" => 12,
                _ => 0,
            };
            Decimal::from(percent)
        };
        for line in &self.line {
            let stated = line.taxes.iter().find_map(|tax| tax.rate).filter(|_| !abroad);
            let code = line.taxes.iter().find_map(|tax| tax.code.as_deref()).unwrap_or(&line.tax);
            *bases.entry(stated.unwrap_or_else(|| rate(code))).or_default() += line.net(currency);
        }
        for (kind, amount) in &self.charges {
            let code = if matches!(kind.as_str(), "shipping" | "handling") { "NO-25" } else { "" };
            *bases.entry(rate(code)).or_default() += *amount;
        }
        let sum: Decimal = bases.values().sum();
        if self.prices_include_tax {
            let tax: Decimal = bases
                .iter()
                .map(|(rate, base)| {
                    rounded(*base * *rate / (Decimal::ONE_HUNDRED + *rate), currency)
                })
                .sum();
            let tax = self.tax.unwrap_or(tax);
            return Ok((self.net.unwrap_or(sum - tax), tax));
        }
        let tax: Decimal = bases
            .iter()
            .map(|(rate, base)| rounded(*base * *rate / Decimal::ONE_HUNDRED, currency))
            .sum();
        Ok((self.net.unwrap_or(sum), self.tax.unwrap_or(tax)))
    }
}
