//! The invoice itself under judgement: what `validation` and `matching` find of it, as holds and
//! remarks.

use super::coding::{self, Header};
use super::header;
use super::hold::{at_line, credit_text, past_text, reference_text, tax_text};
use super::invoice::{Judgement, filled};
use super::lines::Line;
use super::link::Billing;
use super::{ClosedPeriod, Hold, Inputs, VatRounding};
use crate::mapping::vat;
use crate::matching::{Paper, near_duplicates};
use crate::procurement::{
    BankAccount, FinancialPeriod, InvoiceKind, InvoiceLine, Money, Supplier, SupplierInvoice,
};
use crate::validation::{
    CreditFault, DateFault, Finding, Masters, NetOfTax, PayeeFault, StatedTaxes, TaxBase,
    credit_note, dated, due_by_terms, exchange_rate, line_amount, net_of_tax, payee,
    payment_reference, rounding, stated_taxes,
};
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};

/// An invoice whose lines include tax, without it. `None`: they do not, or what VAT they include
/// cannot be told; then the judgement says why.
pub(super) fn without_tax(invoice: &SupplierInvoice, inputs: &Inputs<'_>) -> Option<NetOfTax> {
    if !invoice.prices_include_tax {
        return None;
    }
    let unit = invoice.business_unit.as_deref();
    let (mut holds, mut remarks) = (Vec::new(), Vec::new());
    let supplier = header::supplier(&invoice.vendor, unit, inputs, &mut holds, &mut remarks)?;
    let (tables, reference) = (&inputs.rules.mapping, inputs.reference);
    let wanted = document_on(invoice, inputs);
    let on = booked(wanted, inputs).map_or(wanted, |booked| booked.on);
    let rates = |category: &str| -> Option<Vec<(String, rust_decimal::Decimal)>> {
        let rates = vat::rates_of(category, supplier.vat_zone.as_deref(), on, reference).ok()?;
        Some(rates.into_iter().map(|(id, rate)| (id.to_owned(), rate)).collect())
    };
    let header = Header {
        supplier: Some(supplier),
        vendor: &invoice.vendor,
        business_unit: unit,
        currency: invoice.currency,
        on,
    };
    // One category for all shares of a line, or nothing can be told of what it includes.
    let category = |line: &InvoiceLine| -> Option<String> {
        let own = || vat::category(&line.taxes, &invoice.taxes, tables, reference).ok();
        let found = coding::rows(&Line::of_invoice(line, &invoice.taxes), header, inputs);
        let said = found.into_iter().map(|found| {
            let of_row = found.and_then(|found| found.outcome.vat_category.clone());
            of_row.or_else(own)
        });
        let mut said: BTreeSet<String> = said.collect::<Option<_>>()?;
        let category = said.pop_first()?;
        said.is_empty().then_some(category)
    };
    let of_lines = invoice.lines.iter().map(|line| rates(&category(line)?));
    let of_charges = invoice.charges.iter().map(|charge| {
        if charge.amount.is_zero() {
            return Some(Vec::new());
        }
        rates(&inputs.rules.charges.get(&charge.kind)?.vat_category)
    });
    let rates = of_lines.chain(of_charges).collect::<Option<Vec<_>>>()?;
    let on_each_line = inputs.rules.invoices.vat_rounding == VatRounding::PerLine;
    net_of_tax(invoice, &rates, on_each_line)
}

/// What the ERP will make of the planned lines.
#[derive(Clone, Copy)]
pub(super) struct Computed {
    pub gross: Money,
    pub vat: Money,
}

/// The day that the document asks to be booked on.
pub(super) fn document_on(invoice: &SupplierInvoice, inputs: &Inputs<'_>) -> Date {
    match inputs.rules.invoices.book_on {
        super::BookOn::Accounting => invoice.accounting_on.unwrap_or(invoice.invoiced_on),
        super::BookOn::Invoice => invoice.invoiced_on,
    }
}

/// The period that a document falls in, and the day in it.
pub(super) struct Booked<'a> {
    pub on: Date,
    pub period: &'a FinancialPeriod,
    /// The closed period that it would have fallen in.
    pub instead_of: Option<&'a FinancialPeriod>,
}

/// `None`: the ERP has no period for the day.
pub(super) fn booked<'a>(wanted: Date, inputs: &Inputs<'a>) -> Option<Booked<'a>> {
    let period = header::period(wanted, inputs)?;
    let as_wanted = Booked { on: wanted, period, instead_of: None };
    let moves = match inputs.rules.invoices.closed_period {
        ClosedPeriod::Hold => false,
        ClosedPeriod::NextOpen => period.closed_in_supplier_ledger,
    };
    let next = || header::next_open_period(period, inputs);
    match moves.then(next).flatten() {
        Some(open) => Some(Booked { on: open.starts_on, period: open, instead_of: Some(period) }),
        None => Some(as_wanted),
    }
}

/// The VAT that the ERP computes on amounts, each with its category. `None`: it cannot be told.
pub(super) type VatOf<'a> = &'a dyn Fn(&[(&str, Money)]) -> Option<Money>;

impl Judgement<'_, '_> {
    /// The day it is booked on and its period.
    pub(super) fn period(&mut self) -> (Date, String) {
        let wanted = document_on(self.invoice, self.inputs);
        let day = wanted.to_string();
        let Some(booked) = booked(wanted, self.inputs) else {
            self.unwritable.push(Hold::period_missing(&day));
            return (wanted, format!("{:04}{:02}", wanted.year(), wanted.month()));
        };
        let period = booked.period;
        if let Some(closed) = booked.instead_of {
            self.remark(format!(
                "Period {}, where {day} belongs, is closed: it is booked on {}, in period {}.",
                closed.id, booked.on, period.id
            ));
        } else if period.closed_in_supplier_ledger {
            self.unwritable.push(Hold::period_closed(&period.id, &day));
        } else if !period.active {
            self.unwritable.push(Hold::period_inactive(&period.id, &day));
        }
        (booked.on, period.id.clone())
    }

    /// What does not depend on who the supplier is.
    pub(super) fn dates_and_rate(&mut self) {
        let (invoice, rules) = (self.invoice, &self.inputs.rules.validation);
        let invoiced = invoice.invoiced_on;
        // A credit note is not due: what stands there is often the invoice's date.
        if let (InvoiceKind::Invoice, Some(due)) = (invoice.kind, invoice.due_on)
            && due < invoiced
        {
            self.holds.push(Hold::due_before_invoice(&due.to_string(), &invoiced.to_string()));
        }
        if let Some(received) = self.inputs.history.received_on {
            match dated(invoiced, received, rules) {
                Some(DateFault::Future { days }) => {
                    self.unwritable.push(Hold::invoice_in_future(invoiced, received, days));
                }
                Some(DateFault::Stale { days }) => {
                    self.unwritable.push(Hold::invoice_stale(invoiced, received, days));
                }
                None => {}
            }
        }
        let reference = self.inputs.reference;
        if let Some(fault) =
            exchange_rate(invoice.currency, invoice.exchange_rate, invoiced, rules, reference)
        {
            self.unwritable.push(Hold::exchange_rate(&fault, invoice.currency.code()));
        }
    }

    /// `terms`: those of the document, in the ERP's words.
    pub(super) fn by_supplier(&mut self, supplier: &Supplier, terms: Option<&str>) {
        self.due_by_terms(supplier, terms);
        self.payment_reference(supplier);
        match self.invoice.kind {
            InvoiceKind::Invoice => self.payee(supplier),
            InvoiceKind::CreditNote => self.credit_note(supplier),
        }
        self.near_duplicates(supplier);
    }

    fn due_by_terms(&mut self, supplier: &Supplier, terms: Option<&str>) {
        let (invoice, reference) = (self.invoice, self.inputs.reference);
        let Some(due) = invoice.due_on.filter(|due| *due >= invoice.invoiced_on) else { return };
        if invoice.kind == InvoiceKind::CreditNote {
            return;
        }
        let Some(id) = terms.or(supplier.credit_terms.as_deref()) else { return };
        let Some(days) = reference.credit_terms.get(id).and_then(|terms| terms.days) else {
            return;
        };
        let allowed = self.inputs.rules.validation.due_days;
        let Some((expected, later)) = due_by_terms(invoice.invoiced_on, due, days, allowed) else {
            return;
        };
        let hold = Hold::due_differs(due, id, days, expected, later);
        // The supplier's usual terms say nothing against a date agreed for one invoice.
        match terms {
            Some(_) => self.unwritable.push(hold),
            None => self.remark(hold.text),
        }
    }

    fn payment_reference(&mut self, supplier: &Supplier) {
        let Some(raw) = filled(self.invoice.payment_reference.as_deref()) else { return };
        let country = self.country(supplier);
        let Some((scheme, Err(fault))) = payment_reference(raw, country) else { return };
        match scheme.rule(&self.inputs.rules.validation.payment_references) {
            Finding::Hold => {
                self.unwritable.push(Hold::payment_reference_invalid(raw, scheme, fault));
            }
            Finding::Remark => self.remark(reference_text(raw, scheme, fault)),
            Finding::Off => {}
        }
    }

    fn payee(&mut self, supplier: &Supplier) {
        let inputs = self.inputs;
        let vendor = self.invoice.vendor.source_id.as_deref().and_then(|id| inputs.vendors.get(id));
        let masters = Masters {
            vendor: vendor.map_or(&[], |vendor| &vendor.bank_accounts),
            supplier: &supplier.bank_accounts,
        };
        let paid: Vec<&BankAccount> =
            inputs.history.paid_to.iter().filter(|of| of.paid).map(|of| &of.account).collect();
        let asked = self.invoice.payee.as_ref();
        let Some(fault) = payee(asked, masters, &paid, self.country(supplier)) else { return };
        if let PayeeFault::NothingKnown { account } = fault {
            self.remark(format!(
                "The invoice asks to be paid on {account}; there is nothing to compare it with."
            ));
        }
        self.unwritable.extend(Hold::payee(&fault, &shown(supplier)));
    }

    fn credit_note(&mut self, supplier: &Supplier) {
        let (invoice, inputs) = (self.invoice, self.inputs);
        let credits = filled(invoice.credits_reference.as_deref());
        let others = &inputs.history.credited;
        let Some(fault) = credit_note(invoice.gross, &supplier.number, credits, others) else {
            return;
        };
        let finding = match fault {
            CreditFault::NamesNone | CreditFault::Unknown { .. } => {
                inputs.rules.validation.unlinked_credit
            }
            CreditFault::Contradicts { .. } | CreditFault::TooLarge { .. } => Finding::Hold,
            CreditFault::BeyondBalance { .. } => Finding::Remark,
        };
        match finding {
            Finding::Hold => self.unwritable.extend(Hold::credit_note(&fault)),
            Finding::Remark => self.remark(credit_text(&fault)),
            Finding::Off => {}
        }
    }

    fn near_duplicates(&mut self, supplier: &Supplier) {
        let invoice = self.invoice;
        let paper = Paper {
            kind: invoice.kind,
            supplier: &supplier.number,
            reference: filled(invoice.supplier_reference.as_deref()),
            invoiced_on: invoice.invoiced_on,
            gross: invoice.gross,
        };
        let found: Vec<String> = near_duplicates(&paper, &self.inputs.history.alike)
            .into_iter()
            .take(SHOWN)
            .map(|(likeness, past)| format!("{likeness} has {}", past_text(past)))
            .collect();
        if !found.is_empty() {
            self.unwritable.push(Hold::duplicate_suspected(&found));
        }
    }

    /// Lines and header rounding by themselves, as the source has them.
    pub(super) fn amounts(&mut self) {
        let invoice = self.source;
        for line in &invoice.lines {
            let Some(found) = line_amount(line) else { continue };
            let hold = Hold::line_amount_differs(&at_line(&line.number), line.net, found.computed);
            match found.over {
                true => self.holds.push(hold),
                false => self.remark(format!(
                    "{}: it bills {}, less than the {} of quantity times price; a discount, as it seems.",
                    at_line(&line.number),
                    line.net,
                    found.computed
                )),
            }
        }
        let limit = self.inputs.rules.validation.rounding_limit(invoice.currency);
        if let Some(rounding) = rounding(&invoice.charges, Money::zero(invoice.currency))
            && rounding.minor.saturating_abs() > limit
        {
            let limit = Money::new(limit, invoice.currency);
            self.holds.push(Hold::rounding_too_large(rounding, limit));
        }
    }

    /// The taxes that stand on the document, once the VAT that the ERP will compute is known.
    pub(super) fn taxes(
        &mut self,
        planned: &[Billing],
        computed: Computed,
        vat_of: VatOf<'_>,
        supplier: &Supplier,
    ) {
        let invoice = self.invoice;
        let Some(bases) = self.bases(planned, vat_of, supplier) else {
            self.holds.push(Hold::amount_too_large("The VAT"));
            return;
        };
        let rules = self.inputs.rules;
        let moved = self.moved(planned);
        let compared = bases
            .iter()
            .filter(|(category, of)| of.reverse_charge || !moved.contains(**category))
            .map(|(category, of)| (*category, of.clone()))
            .collect();
        let StatedTaxes { faults, reverse_charge } = stated_taxes(
            invoice,
            &compared,
            rules.validation.tax_tolerance,
            &rules.mapping,
            self.inputs.reference,
        );
        if computed.gross == invoice.gross {
            self.holds.extend(faults.iter().map(Hold::tax_differs));
            for (at, tax) in reverse_charge {
                // Shown for information, as some suppliers do; it is not charged.
                self.remark(format!("The invoice shows {tax} of VAT ({at}) that the buyer owes."));
            }
            return;
        }
        let all_reversed = bases.values().all(|of| of.reverse_charge);
        // Stated as zero, it is not what makes the gross higher; what the list shows is for information.
        let untaxed = invoice.tax.is_some_and(|tax| tax.is_zero());
        let taxed = invoice.tax.is_some() && !untaxed;
        let charged = invoice.gross.checked_add(computed.gross.negated());
        match charged {
            Ok(charged)
                if charged.minor > 0
                    && !untaxed
                    && (!reverse_charge.is_empty() || (all_reversed && taxed)) =>
            {
                let supplier = shown(supplier);
                self.holds.push(Hold::reverse_charge_taxed(
                    &supplier,
                    charged,
                    computed.gross,
                    invoice.gross,
                ));
            }
            _ => {
                let Computed { gross, vat } = computed;
                self.holds.push(Hold::gross_differs(gross, vat, invoice.gross));
                // One fault, one code: these tell where to look.
                for fault in &faults {
                    self.remark(tax_text(fault));
                }
            }
        }
    }

    /// Categories that the coding table takes lines from or gives lines to. What the header states
    /// for a tax is then of other lines than the category has, and says nothing about it.
    fn moved(&self, planned: &[Billing]) -> BTreeSet<String> {
        let (invoice, tables) = (self.invoice, &self.inputs.rules.mapping);
        let stated: Vec<Option<String>> = invoice
            .lines
            .iter()
            .map(|line| {
                vat::category(&line.taxes, &invoice.taxes, tables, self.inputs.reference).ok()
            })
            .collect();
        let mut moved = BTreeSet::new();
        for Billing { source, line, .. } in planned {
            let own = source.and_then(|source| stated.get(source)?.as_ref());
            if let Some(own) = own.filter(|own| **own != line.vat_category) {
                moved.extend([own.clone(), line.vat_category.clone()]);
            }
        }
        moved
    }

    /// `None` when an amount is beyond what can be computed.
    fn bases<'p>(
        &self,
        planned: &'p [Billing],
        vat_of: VatOf<'_>,
        supplier: &Supplier,
    ) -> Option<BTreeMap<&'p str, TaxBase>> {
        let zero = Money::zero(self.invoice.currency);
        let zone = supplier.vat_zone.as_deref();
        let mut bases: BTreeMap<&str, TaxBase> = BTreeMap::new();
        for Billing { line, source, .. } in planned {
            let of = bases.entry(line.vat_category.as_str()).or_insert_with(|| TaxBase {
                net: zero,
                of_lines: zero,
                tax: zero,
                tax_of_lines: zero,
                lines: 0,
                reverse_charge: vat::is_reverse_charge(
                    &line.vat_category,
                    zone,
                    self.inputs.reference,
                ),
            });
            of.net = of.net.checked_add(line.cost).ok()?;
            if source.is_some() {
                of.of_lines = of.of_lines.checked_add(line.cost).ok()?;
                of.lines += 1;
            }
        }
        let all = costs(planned);
        for (category, of) in &mut bases {
            let in_category = |cost: &&(&str, Money)| cost.0 == *category;
            of.tax = vat_of(&all.iter().filter(in_category).copied().collect::<Vec<_>>())?;
            of.tax_of_lines = vat_of(&[(*category, of.of_lines)])?;
        }
        Some(bases)
    }

    /// Where the supplier is, as either master says.
    fn country<'s>(&'s self, supplier: &'s Supplier) -> Option<&'s str> {
        let vendors = self.inputs.vendors;
        let vendor = self.invoice.vendor.source_id.as_deref().and_then(|id| vendors.get(id));
        supplier.country.as_deref().or(vendor.and_then(|vendor| vendor.country.as_deref()))
    }

    pub(super) fn remark(&mut self, text: String) {
        self.evidence.remarks.push(text);
    }
}

/// Likenesses that one hold shows.
const SHOWN: usize = 3;

fn shown(supplier: &Supplier) -> String {
    format!("{} ({})", supplier.number, supplier.name)
}

fn costs(planned: &[Billing]) -> Vec<(&str, Money)> {
    planned.iter().map(|billing| (billing.line.vat_category.as_str(), billing.line.cost)).collect()
}
