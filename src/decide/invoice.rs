use super::coding::{self, Header};
use super::lines::{Limits, Line, distinct, shares, sum};
use super::link::{Billing, link};
use super::validate::{self, Computed};
use super::{
    Decision, Evidence, Hold, Inputs, VatRounding, Verdict, header, held, matching, overrides,
};
use crate::mapping::{code_fixed, vat};
use crate::matching::{Billed, Existing, claim_key, existing};
use crate::procurement::{
    Charge, ChargeKind, ErpInvoice, InvoiceKind, InvoicePlan, InvoicePlanLine, Money, Plan,
    Ripeness, Supplier, SupplierInvoice,
};
use crate::validation::NetOfTax;
use jiff::civil::Date;
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};
use std::mem::take;

/// Judges an invoice or a credit note.
pub fn invoice(invoice: &SupplierInvoice, inputs: &Inputs<'_>) -> Verdict {
    let without_look = |decision| Verdict { decision, evidence: Evidence::default() };
    match invoice.ripeness {
        Ripeness::NotYet => return without_look(Decision::NotRipe),
        Ripeness::Cancelled => return without_look(Decision::Cancel),
        Ripeness::Ripe | Ripeness::Unknown => {}
    }
    let take_from = inputs.rules.take_from;
    if invoice.invoiced_on < take_from {
        return without_look(Decision::Ignore(format!(
            "before go-live: invoiced on {}, taken from {take_from}",
            invoice.invoiced_on
        )));
    }
    let net = validate::without_tax(invoice, inputs);
    let mut judgement = Judgement::of(invoice, net.as_ref(), inputs);
    let decision = judgement.decision();
    Verdict { decision, evidence: judgement.evidence }
}

/// One invoice under judgement.
pub(super) struct Judgement<'a, 'd> {
    /// As the source has it.
    pub(super) source: &'d SupplierInvoice,
    /// The same without tax in its lines.
    pub(super) invoice: &'d SupplierInvoice,
    pub(super) inputs: &'a Inputs<'d>,
    /// Reasons that hold whatever the ERP has.
    pub(super) holds: Vec<Hold>,
    /// Reasons that only matter when something is to be written: not for an invoice that a
    /// person has keyed in already.
    pub(super) unwritable: Vec<Hold>,
    pub(super) evidence: Evidence,
}

impl<'a, 'd> Judgement<'a, 'd> {
    /// `net`: the invoice without tax in its lines, where the source gives them with it.
    fn of(source: &'d SupplierInvoice, net: Option<&'d NetOfTax>, inputs: &'a Inputs<'d>) -> Self {
        let mut judgement = Self {
            source,
            invoice: net.map_or(source, |net| &net.invoice),
            inputs,
            holds: Vec::new(),
            unwritable: Vec::new(),
            evidence: Evidence::default(),
        };
        if let Some(left) = net.map(|net| net.left_over).filter(|left| !left.is_zero()) {
            judgement.remark(format!(
                "The lines include tax; {left} that no net amount gives is posted as rounding."
            ));
        }
        judgement
    }

    fn decision(&mut self) -> Decision {
        let (invoice, inputs) = (self.invoice, self.inputs);
        let holds = &mut self.holds;
        let business_unit = invoice.business_unit.as_deref();
        header::status(invoice.ripeness, &invoice.status, holds);
        let remarks = &mut self.evidence.remarks;
        let supplier = header::supplier(&invoice.vendor, business_unit, inputs, holds, remarks);
        let ordered = invoice.lines.iter().any(|line| line.order.is_some());
        let on_order = ordered || invoice.kind == InvoiceKind::CreditNote;
        header::active(&invoice.vendor, on_order, inputs, holds, remarks);
        if let Some(supplier) = supplier {
            header::paid(&invoice.vendor, supplier, inputs, holds, remarks);
        }
        let (document_on, period) = self.period();
        self.dates_and_rate();
        let header = self.header(supplier, document_on);
        let lines = self.source_lines();
        let holds = &mut self.holds;
        let coded = coding::of_document(&lines, header, inputs, holds);
        let terms = header::terms(coded.terms, invoice.terms.as_deref(), inputs, holds);
        let branch = header::branch(coded.branch, business_unit, inputs, holds);
        let reference = self.reference();
        let Some((mut lines, vat)) = self.lines(header, &lines, branch.as_deref()) else {
            return self.held_by_all();
        };

        let mut waits = Vec::new();
        let mut adopted = None;
        if let Some(supplier) = supplier {
            let linked = link(invoice, &supplier.number, &mut lines, inputs);
            self.unwritable.extend(linked.holds);
            waits = linked.waits;
            self.evidence.matches = linked.matches;
            self.evidence.remarks.extend(linked.remarks);
            adopted = self.existing(supplier, reference, document_on);
            self.by_supplier(supplier, terms.as_deref());
        }
        self.holds = overrides::apply(take(&mut self.holds), inputs, &mut self.evidence);
        self.unwritable = overrides::apply(take(&mut self.unwritable), inputs, &mut self.evidence);
        let plan = match (supplier, vat) {
            (Some(supplier), Some(vat)) if self.holds.is_empty() => InvoicePlan {
                kind: invoice.kind,
                supplier: supplier.number.clone(),
                supplier_reference: reference.unwrap_or_default().to_owned(),
                currency: invoice.currency,
                document_on,
                invoiced_on: invoice.invoiced_on,
                period,
                due_on: invoice.due_on,
                terms,
                payment_reference: filled(invoice.payment_reference.as_deref()).map(str::to_owned),
                branch,
                description: self.description(),
                gross: invoice.gross,
                vat,
                mode: inputs.rules.invoices.mode,
                lines: lines.into_iter().map(|billing| billing.line).collect(),
                attachments: match inputs.rules.invoices.attachments {
                    true => invoice.attachments.clone(),
                    false => Vec::new(),
                },
            },
            _ => return self.held_by_all(),
        };
        let plan = Box::new(Plan::Invoice(plan));
        if let Some(known) = adopted {
            return Decision::Adopt {
                plan,
                document_type: known.document_type.clone(),
                number: known.number.clone(),
            };
        }
        if !self.unwritable.is_empty() {
            return held(take(&mut self.unwritable));
        }
        if !waits.is_empty() {
            waits.sort();
            waits.dedup();
            return Decision::Wait(waits);
        }
        Decision::Plan(plan)
    }

    fn held_by_all(&mut self) -> Decision {
        let mut holds = take(&mut self.holds);
        holds.append(&mut self.unwritable);
        held(holds)
    }

    fn reference(&mut self) -> Option<&'d str> {
        let limit = self.inputs.rules.invoices.reference_length;
        let reference = filled(self.invoice.supplier_reference.as_deref());
        match reference {
            None => self.holds.push(Hold::supplier_reference_missing(None)),
            Some(given) if claim_key(given).is_empty() => {
                self.holds.push(Hold::supplier_reference_missing(Some(given)));
            }
            Some(given) if given.chars().count() > limit => {
                self.holds.push(Hold::supplier_reference_too_long(given, limit));
            }
            Some(_) => {}
        }
        reference
    }

    fn header(&self, supplier: Option<&'d Supplier>, on: Date) -> Header<'d> {
        let invoice = self.invoice;
        Header {
            supplier,
            vendor: &invoice.vendor,
            business_unit: invoice.business_unit.as_deref(),
            currency: invoice.currency,
            on,
        }
    }

    fn source_lines(&self) -> Vec<Line<'d>> {
        let invoice = self.invoice;
        invoice.lines.iter().map(|line| Line::of_invoice(line, &invoice.taxes)).collect()
    }

    /// The planned lines, and the VAT that the ERP will compute from them. `None` when amounts
    /// cannot be compared at all; no VAT when a line holds.
    fn lines(
        &mut self,
        header: Header<'_>,
        lines: &[Line<'_>],
        branch: Option<&str>,
    ) -> Option<(Vec<Billing>, Option<Money>)> {
        let (invoice, inputs) = (self.invoice, self.inputs);
        let amounts = lines
            .iter()
            .flat_map(Line::amounts)
            .chain(invoice.charges.iter().map(|charge| charge.amount))
            .chain(invoice.net)
            .chain(invoice.tax)
            .chain([invoice.gross]);
        let one_currency = header::currency(invoice.currency, amounts, inputs, &mut self.holds);
        distinct(lines.iter().map(|line| line.key), &mut self.holds);
        if lines.is_empty() && invoice.charges.is_empty() {
            self.holds.push(matching::header_only(invoice, inputs).unwrap_or_else(Hold::no_lines));
        }
        if !one_currency {
            return None;
        }

        let rules = &inputs.rules.invoices;
        let limits = Limits {
            description_length: rules.description_length,
            unit_cost_decimals: rules.unit_cost_decimals,
        };
        let mut coding = Vec::new();
        let mut planned = Vec::new();
        for (source, line) in lines.iter().enumerate() {
            let shares = shares(line, header, limits, inputs, &mut coding);
            let remarks = &mut self.evidence.remarks;
            for row in shares.iter().filter_map(|share| share.row).collect::<BTreeSet<_>>() {
                remarks.push(format!("Line {}: row {row} of the coding table.", line.number));
            }
            planned.extend(shares.into_iter().enumerate().map(|(share, of)| Billing {
                source: Some(source),
                share,
                line: InvoicePlanLine {
                    key: of.key,
                    description: of.description,
                    quantity: of.quantity,
                    unit: of.unit,
                    unit_cost: of.unit_cost,
                    cost: of.cost,
                    account: of.account,
                    segments: of.segments,
                    vat_category: of.vat_category,
                    branch: of.branch.or_else(|| branch.map(str::to_owned)),
                    project: of.project,
                    link: None,
                },
            }));
        }
        self.charges(header.on, branch, &mut planned, &mut coding);
        let complete = coding.is_empty();
        self.holds.append(&mut coding);

        let zero = Money::zero(invoice.currency);
        let charges = invoice.charges.iter().map(|charge| charge.amount);
        let Some(net) = sum(zero, lines.iter().map(|line| line.net).chain(charges)) else {
            self.holds.push(Hold::amount_too_large("The document"));
            return None;
        };
        self.amounts();
        let balanced = self.totals(net);
        let vat = match (header.supplier, complete) {
            (Some(supplier), true) => self.vat(&planned, net, supplier, header.on, balanced),
            _ => None,
        };
        Some((planned, vat))
    }

    fn charges(
        &self,
        on: Date,
        branch: Option<&str>,
        planned: &mut Vec<Billing>,
        holds: &mut Vec<Hold>,
    ) {
        let (rules, reference) = (self.inputs.rules, self.inputs.reference);
        let mut seen: BTreeMap<ChargeKind, usize> = BTreeMap::new();
        for Charge { kind, amount } in &self.invoice.charges {
            if amount.is_zero() {
                continue;
            }
            let name = kind.as_str();
            let Some(rule) = rules.charges.get(kind) else {
                holds.push(Hold::charge_not_mapped(name, *amount));
                continue;
            };
            let at = format!("Charge {name}");
            let coding = code_fixed(&rule.account, &rule.segments, on, &rules.mapping, reference);
            let category = vat::checked_category(&rule.vat_category, reference);
            if let Err(fault) = &category {
                holds.push(Hold::vat(&at, fault));
            }
            if let Err(faults) = &coding {
                holds.extend(faults.iter().map(|fault| Hold::coding(&at, fault)));
            }
            let (Ok(coding), Ok(vat_category)) = (coding, category) else { continue };
            let nth = seen.entry(*kind).or_default();
            *nth += 1;
            planned.push(Billing {
                source: None,
                share: 0,
                line: InvoicePlanLine {
                    key: match nth {
                        1 => format!("charge/{name}"),
                        nth => format!("charge/{name}/{nth}"),
                    },
                    description: at,
                    quantity: Decimal::ONE,
                    unit: None,
                    unit_cost: amount.amount().normalize(),
                    cost: *amount,
                    account: coding.account,
                    segments: coding.segments,
                    vat_category,
                    branch: branch.map(str::to_owned),
                    project: coding.project,
                    link: None,
                },
            });
        }
    }

    /// Whether the lines add up to the stated net.
    fn totals(&mut self, net: Money) -> bool {
        let invoice = self.invoice;
        let gross = invoice.gross;
        if gross.minor < 0 {
            self.holds.push(Hold::gross_negative(gross));
        }
        let source = self.source;
        if source.prices_include_tax {
            let lines = source.lines.iter().map(|line| line.net);
            let charges = source.charges.iter().map(|charge| charge.amount);
            match sum(Money::zero(source.currency), lines.chain(charges)) {
                Some(with_tax) if with_tax == gross => {}
                Some(with_tax) => {
                    self.holds.push(Hold::lines_unbalanced_with_tax(with_tax, gross));
                    return false;
                }
                None => {
                    self.holds.push(Hold::amount_too_large("The document"));
                    return false;
                }
            }
        }
        // Where VAT cannot be told, the lines still include it: there is no net to compare.
        let Some(stated) = invoice.net.filter(|_| !invoice.prices_include_tax) else { return true };
        if let Some(tax) = invoice.tax
            && stated.checked_add(tax) != Ok(gross)
        {
            self.holds.push(Hold::total_unbalanced(stated, tax, gross));
        }
        if stated != net {
            self.holds.push(Hold::lines_unbalanced(net, stated));
        }
        stated == net
    }

    fn vat(
        &mut self,
        planned: &[Billing],
        net: Money,
        supplier: &Supplier,
        document_on: Date,
        balanced: bool,
    ) -> Option<Money> {
        let invoice = self.invoice;
        let rounding = match self.inputs.rules.invoices.vat_rounding {
            VatRounding::PerRate => vat::Rounding::PerVatId,
            VatRounding::PerLine => vat::Rounding::PerLine,
        };
        let (currency, reference) = (invoice.currency, self.inputs.reference);
        let compute = |costs: &[(&str, Money)]| {
            let zone = supplier.vat_zone.as_deref();
            vat::compute(costs, zone, document_on, rounding, currency, reference)
        };
        let costs: Vec<(&str, Money)> = planned
            .iter()
            .map(|billing| (billing.line.vat_category.as_str(), billing.line.cost))
            .collect();
        let vat = match compute(&costs) {
            Ok(vat) => vat,
            Err(faults) => {
                self.holds.extend(faults.iter().map(|fault| Hold::vat("The VAT", fault)));
                return None;
            }
        };
        match net.checked_add(vat) {
            // Lines that do not add up are one fault; the gross then differs by the same amount.
            Ok(gross) if balanced => {
                let vat_of = |costs: &[(&str, Money)]| compute(costs).ok();
                self.taxes(planned, Computed { gross, vat }, &vat_of, supplier);
            }
            Ok(_) => {}
            Err(_) => self.holds.push(Hold::amount_too_large("The document")),
        }
        Some(vat)
    }

    /// The same invoice in the ERP, keyed in by a person.
    fn existing(
        &mut self,
        supplier: &Supplier,
        reference: Option<&str>,
        document_on: Date,
    ) -> Option<&'d ErpInvoice> {
        let reference = reference.filter(|reference| !claim_key(reference).is_empty())?;
        let billed = Billed {
            kind: self.invoice.kind,
            supplier: &supplier.number,
            reference,
            gross: self.invoice.gross,
            years: [self.invoice.invoiced_on.year(), document_on.year()],
        };
        let shown = format!("{} ({})", supplier.number, supplier.name);
        let known = |of: &ErpInvoice| {
            format!("{} {} over {}, status {}", of.document_type, of.number, of.gross, of.status)
        };
        match existing(&billed, &self.inputs.history.invoices) {
            Existing::No => None,
            Existing::Same(same) => Some(same),
            Existing::Ours(ours) => {
                self.holds.push(Hold::duplicate(
                    reference,
                    &shown,
                    &format!("posted as {}", known(ours)),
                ));
                None
            }
            Existing::Other(others) => {
                let others: Vec<String> = others.into_iter().map(known).collect();
                self.holds.push(Hold::duplicate_in_visma(reference, &shown, &others.join("; ")));
                None
            }
        }
    }

    /// Nothing links a credit note to its invoice in the ERP; the text is where it is said.
    fn description(&self) -> String {
        let invoice = self.invoice;
        let number = filled(Some(&invoice.number)).unwrap_or(&invoice.source_id);
        let text = match (invoice.kind, filled(invoice.credits_reference.as_deref())) {
            (InvoiceKind::CreditNote, Some(credited)) => format!("{number} credits {credited}"),
            (InvoiceKind::CreditNote | InvoiceKind::Invoice, _) => number.to_owned(),
        };
        header::cut(&text, self.inputs.rules.invoices.description_length)
    }
}

pub(super) fn filled(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}
