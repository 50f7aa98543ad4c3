use super::lines::{Limits, Line, distinct, shares, sum};
use super::link::{Billing, link};
use super::{
    BookOn, Decision, Evidence, Hold, Inputs, VatRounding, Verdict, header, held, overrides,
};
use crate::mapping::{code_fixed, vat};
use crate::matching::{Billed, Existing, claim_key, existing};
use crate::procurement::{
    Charge, ChargeKind, ErpInvoice, InvoiceKind, InvoicePlan, InvoicePlanLine, Money, Plan,
    Ripeness, Supplier, SupplierInvoice,
};
use jiff::civil::Date;
use rust_decimal::Decimal;
use std::collections::BTreeMap;
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
    let mut judgement = Judgement::of(invoice, inputs);
    let decision = judgement.decision();
    Verdict { decision, evidence: judgement.evidence }
}

/// One invoice under judgement.
struct Judgement<'a, 'd> {
    invoice: &'d SupplierInvoice,
    inputs: &'a Inputs<'d>,
    /// Reasons that hold whatever the ERP has.
    holds: Vec<Hold>,
    /// Reasons that only matter when something is to be written: not for an invoice that a
    /// person has keyed in already.
    unwritable: Vec<Hold>,
    evidence: Evidence,
}

impl<'a, 'd> Judgement<'a, 'd> {
    fn of(invoice: &'d SupplierInvoice, inputs: &'a Inputs<'d>) -> Self {
        Self {
            invoice,
            inputs,
            holds: Vec::new(),
            unwritable: Vec::new(),
            evidence: Evidence::default(),
        }
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
        let terms = header::terms(invoice.terms.as_deref(), inputs, holds);
        let branch = header::branch(business_unit, inputs, holds);
        let reference = self.reference();
        let document_on = self.document_on();
        self.due();
        let period = self.period(document_on);
        let Some((mut lines, vat)) = self.lines(supplier, branch.as_deref(), document_on) else {
            return self.held_by_all();
        };

        let mut waits = Vec::new();
        let mut adopted = None;
        if let Some(supplier) = supplier {
            let linked = link(invoice, &supplier.number, &mut lines, inputs);
            self.unwritable.extend(linked.holds);
            waits = linked.waits;
            self.evidence.matches = linked.matches;
            adopted = self.existing(supplier, reference, document_on);
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

    fn document_on(&self) -> Date {
        match self.inputs.rules.invoices.book_on {
            BookOn::Accounting => self.invoice.accounting_on.unwrap_or(self.invoice.invoiced_on),
            BookOn::Invoice => self.invoice.invoiced_on,
        }
    }

    /// A credit note is not due: what stands there is often the invoice's date.
    fn due(&mut self) {
        let invoiced = self.invoice.invoiced_on;
        if let (InvoiceKind::Invoice, Some(due)) = (self.invoice.kind, self.invoice.due_on)
            && due < invoiced
        {
            self.holds.push(Hold::due_before_invoice(&due.to_string(), &invoiced.to_string()));
        }
    }

    fn period(&mut self, on: Date) -> String {
        let day = on.to_string();
        match header::period(on, self.inputs) {
            None => {
                self.unwritable.push(Hold::period_missing(&day));
                format!("{:04}{:02}", on.year(), on.month())
            }
            Some(period) => {
                if period.closed_in_supplier_ledger {
                    self.unwritable.push(Hold::period_closed(&period.id, &day));
                } else if !period.active {
                    self.unwritable.push(Hold::period_inactive(&period.id, &day));
                }
                period.id.clone()
            }
        }
    }

    /// The planned lines, and the VAT that the ERP will compute from them. `None` when amounts
    /// cannot be compared at all; no VAT when a line holds.
    fn lines(
        &mut self,
        supplier: Option<&Supplier>,
        branch: Option<&str>,
        document_on: Date,
    ) -> Option<(Vec<Billing>, Option<Money>)> {
        let (invoice, inputs) = (self.invoice, self.inputs);
        let lines: Vec<Line<'_>> =
            invoice.lines.iter().map(|line| Line::of_invoice(line, &invoice.taxes)).collect();
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
            self.holds.push(Hold::no_lines());
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
            let shares = shares(line, limits, inputs, &mut coding);
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
                    branch: branch.map(str::to_owned),
                    project: of.project,
                    link: None,
                },
            }));
        }
        self.charges(branch, &mut planned, &mut coding);
        let complete = coding.is_empty();
        self.holds.append(&mut coding);

        let zero = Money::zero(invoice.currency);
        let charges = invoice.charges.iter().map(|charge| charge.amount);
        let Some(net) = sum(zero, lines.iter().map(|line| line.net).chain(charges)) else {
            self.holds.push(Hold::amount_too_large("The document"));
            return None;
        };
        let balanced = self.totals(net);
        let vat = match (supplier, complete) {
            (Some(supplier), true) => self.vat(&planned, net, supplier, document_on, balanced),
            _ => None,
        };
        Some((planned, vat))
    }

    fn charges(&self, branch: Option<&str>, planned: &mut Vec<Billing>, holds: &mut Vec<Hold>) {
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
            let coding = code_fixed(&rule.account, &rule.segments, &rules.mapping, reference);
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
        let Some(stated) = invoice.net else { return true };
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
        let bases: Vec<(&str, Money)> = planned
            .iter()
            .map(|billing| (billing.line.vat_category.as_str(), billing.line.cost))
            .collect();
        let vat = vat::compute(
            &bases,
            supplier.vat_zone.as_deref(),
            document_on,
            rounding,
            invoice.currency,
            self.inputs.reference,
        );
        let vat = match vat {
            Ok(vat) => vat,
            Err(faults) => {
                self.holds.extend(faults.iter().map(|fault| Hold::vat("The VAT", fault)));
                return None;
            }
        };
        match net.checked_add(vat) {
            // Lines that do not add up are one fault; the gross then differs by the same amount.
            Ok(computed) if computed != invoice.gross && balanced => {
                self.holds.push(Hold::gross_differs(computed, vat, invoice.gross));
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

fn filled(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}
