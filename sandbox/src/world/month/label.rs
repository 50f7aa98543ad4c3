//! What is known of each invoice, and the judgement of what somebody made of it.

use super::cases;
use crate::world::{Expectation, Fate, Kind, World};
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};

/// What must become of an invoice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It must pass.
    Pass,
    /// It must pass, once what is late has come; until then it must wait.
    WaitThenPass,
    /// It must be held, with one of the case's codes.
    Hold,
    /// This one or its twin must be held, with one of the case's codes, and the other must pass.
    HoldOneOfTwo,
}

/// An invoice with what it is there to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    pub source_id: String,
    pub case: &'static str,
    pub verdict: Verdict,
    /// Codes that tell of the fault. Empty when it must pass.
    pub codes: &'static [&'static str],
    /// The other one of [`Verdict::HoldOneOfTwo`].
    pub twin: Option<String>,
}

/// What became of an invoice, in the words of whoever judged it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// `posted`, `held`, `waiting` ...
    pub state: String,
    /// Of its holds.
    pub codes: Vec<String>,
}

/// Invoices of one case.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Row {
    /// Invoices that must not pass, a pair counted once.
    pub planted: usize,
    pub caught: usize,
    pub missed: usize,
    /// Of the missed so many were posted.
    pub wrongly_posted: usize,
    /// Invoices that must pass.
    pub clean: usize,
    pub wrongly_held: usize,
}

/// All labels against all outcomes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Judgement {
    pub caught: usize,
    pub missed: usize,
    pub wrongly_posted: usize,
    pub wrongly_held: usize,
    pub by_case: BTreeMap<&'static str, Row>,
    /// One sentence for each that was missed or wrongly held.
    pub findings: Vec<String>,
}

impl World {
    /// Holds what somebody made of a month against its labels. `before`: when the late receipts
    /// had not come yet; `after`: in the end. Both by JAGGAER's id.
    pub fn judge(
        &self,
        before: &HashMap<String, Outcome>,
        after: &HashMap<String, Outcome>,
    ) -> Judgement {
        let numbers = self.numbers();
        let nothing = Outcome { state: "not seen".into(), codes: Vec::new() };
        let of = |outcomes: &HashMap<String, Outcome>, id: &str| {
            outcomes.get(id).unwrap_or(&nothing).clone()
        };
        let mut judgement = Judgement::default();
        for label in self.labels() {
            let row = judgement.by_case.entry(label.case).or_default();
            let now = of(after, &label.source_id);
            let name = numbers.get(&label.source_id).cloned().unwrap_or_default();
            let finding = match label.verdict {
                Verdict::Pass => row.pass(&now),
                Verdict::WaitThenPass => row.wait(&of(before, &label.source_id), &now),
                Verdict::Hold => row.hold(&now, label.codes),
                Verdict::HoldOneOfTwo => {
                    let twin = of(after, label.twin.as_deref().unwrap_or_default());
                    row.one_of_two(&now, &twin, label.codes)
                }
            };
            if let Some(finding) = finding {
                judgement.findings.push(format!("{}: {name} {finding}", label.case));
            }
        }
        for order in self.expectations().into_iter().filter(|one| one.kind == Kind::PurchaseOrder) {
            if matches!(order.fate, Fate::Posted(_) | Fate::Adopted(_)) {
                let row = judgement.by_case.entry("order").or_default();
                if let Some(finding) = row.pass(&of(after, &order.source_id)) {
                    judgement.findings.push(format!("order: {} {finding}", order.number));
                }
            }
        }
        for row in judgement.by_case.values() {
            judgement.caught += row.caught;
            judgement.missed += row.missed;
            judgement.wrongly_posted += row.wrongly_posted;
            judgement.wrongly_held += row.wrongly_held;
        }
        judgement
    }

    fn numbers(&self) -> HashMap<String, String> {
        let invoices =
            self.expectations().into_iter().filter(|one| one.kind != Kind::PurchaseOrder);
        invoices.map(|Expectation { source_id, number, .. }| (source_id, number)).collect()
    }
}

impl Outcome {
    fn is_posted(&self) -> bool {
        self.state == "posted"
    }

    fn tells(&self, codes: &[&str]) -> bool {
        self.state == "held" && self.codes.iter().any(|code| codes.contains(&code.as_str()))
    }

    fn text(&self) -> String {
        match self.codes.as_slice() {
            [] => format!("is {}", self.state),
            codes => format!("is {} as {}", self.state, codes.join(", ")),
        }
    }
}

impl Row {
    fn pass(&mut self, now: &Outcome) -> Option<String> {
        self.clean += 1;
        if now.is_posted() {
            return None;
        }
        self.wrongly_held += 1;
        Some(format!("{} and should have passed", now.text()))
    }

    fn wait(&mut self, before: &Outcome, now: &Outcome) -> Option<String> {
        self.planted += 1;
        if before.state == "waiting" && now.is_posted() {
            self.caught += 1;
            return None;
        }
        if before.is_posted() {
            self.miss(true);
            return Some("was posted before what it waits for had come".into());
        }
        self.wrongly_held += 1;
        if before.state == "waiting" {
            self.caught += 1;
            return Some(format!("{} though what it waited for has come", now.text()));
        }
        self.miss(false);
        Some(format!("{}, should have waited", before.text()))
    }

    fn hold(&mut self, now: &Outcome, codes: &[&str]) -> Option<String> {
        self.planted += 1;
        if now.tells(codes) {
            self.caught += 1;
            return None;
        }
        self.miss(now.is_posted());
        Some(format!("{}, planted as {}", now.text(), codes.join(" or ")))
    }

    fn one_of_two(&mut self, one: &Outcome, two: &Outcome, codes: &[&str]) -> Option<String> {
        self.planted += 1;
        let told = [one, two].into_iter().filter(|outcome| outcome.tells(codes)).count();
        let posted = [one, two].into_iter().filter(|outcome| outcome.is_posted()).count();
        if told == 0 {
            self.miss(posted == 2);
        } else {
            self.caught += 1;
        }
        if told > 0 && posted == 0 {
            self.wrongly_held += 1;
        }
        if told > 0 && posted == 1 {
            return None;
        }
        let wanted = codes.join(" or ");
        Some(format!("{}, its twin {}, one planted as {wanted}", one.text(), two.text()))
    }

    fn miss(&mut self, posted: bool) {
        self.missed += 1;
        self.wrongly_posted += usize::from(posted);
    }
}

/// Whether a case is one of the faults.
pub fn is_fault(case: &str) -> bool {
    cases::kinds_of_faults().any(|fault| fault == case)
}
