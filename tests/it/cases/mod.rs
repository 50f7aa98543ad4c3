//! The case library: each file under `tests/data/cases` is one document with what is known around
//! it and what must become of it. `tests/data/cases/README.md` tells how to read and write them.

mod build;
mod company;
mod form;
mod surroundings;

use company::Company;
use form::{Case, Expect};
use ml_connector::decide::{self, Decision, Hold, Inputs, MatchKind, Override, Verdict, catalogue};
use ml_connector::mapping::SupplierIndex;
use ml_connector::procurement::{Document, InvoiceKind, InvoicePlanLine, Money, Plan};
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Codes that the routes, the posting and the ledger make, not the decision on a document: they have
/// stories of their own.
const MADE_ELSEWHERE: &[&str] = &[
    "batch_not_posted",
    "ledger_differs",
    "release_refused",
    "attachment_failed",
    "attempts_spent",
    "changed_after_posting",
    "changed_after_pruning",
    "correction_open",
    "changed_in_visma",
    "doubled_in_visma",
    "duplicate",
    "no_route",
    "not_cancellable",
    "not_correctable",
    "order_elsewhere",
    "refused_by_visma",
    "route_changed",
    "several_routes",
    "unreadable",
    "unsettled",
];

/// The scenarios that a procurement vendor certifies an integration with.
const CERTIFICATION: &[&str] = &[
    "single line",
    "non-PO",
    "custom field",
    "service lines",
    "several tax lines",
    "attachments",
    "credit memo",
    "void",
    "50 and more at once",
];

#[test]
fn every_case_comes_out_as_it_says() {
    let only = std::env::var("ML_CONNECTOR_CASE").unwrap_or_default();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/cases");
    let mut files = Vec::new();
    collect(&folder, &mut files);
    files.retain(|path| path.to_string_lossy().contains(&only));
    let mut wrong = Vec::new();
    let mut reached: BTreeSet<String> = BTreeSet::new();
    let mut shown: BTreeSet<String> = BTreeSet::new();
    for path in &files {
        let name = path.strip_prefix(&folder).unwrap_or(path).display().to_string();
        let text = std::fs::read_to_string(path).expect("a file that was just listed");
        match run(&text) {
            Ok(case) => {
                reached.extend(case.expect.holds);
                shown.extend(case.shows);
            }
            Err(fault) => wrong.push(format!("{name}: {fault}")),
        }
    }
    println!("{} cases, {} wrong", files.len(), wrong.len());
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n\n"));
    if !only.is_empty() {
        return;
    }
    assert!(files.len() >= 150, "{} cases", files.len());
    let listed: BTreeSet<String> = catalogue()
        .iter()
        .map(|entry| entry.code.to_owned())
        .filter(|code| !MADE_ELSEWHERE.contains(&code.as_str()))
        .collect();
    let missing: Vec<&String> = listed.difference(&reached).collect();
    assert!(missing.is_empty(), "no case shows {missing:?}");
    for scenario in CERTIFICATION {
        let wanted = format!("certification: {scenario}");
        assert!(shown.contains(&wanted), "no case shows `{wanted}`");
    }
}

fn collect(folder: &Path, into: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("the folder of the cases")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            collect(&path, into);
        } else if path.extension().is_some_and(|of| of == "toml")
            && path.file_name().is_some_and(|name| name != "company.toml")
        {
            into.push(path);
        }
    }
}

fn run(text: &str) -> Result<Case, String> {
    let case: Case = toml::from_str(text).map_err(|error| error.to_string())?;
    let judged = judge(&case).map_err(|fault| format!("{}: {fault}", case.title))?;
    let faults = compare(&judged, &case.expect);
    if faults.is_empty() {
        return Ok(case);
    }
    Err(format!("{}\n  {}\n  it came out as {}", case.title, faults.join("\n  "), told(&judged)))
}

fn judge(case: &Case) -> Result<Verdict, String> {
    let company = Company::load(&case.company, &case.rules)?;
    let document = match (&case.invoice, &case.credit_note, &case.judged_order) {
        (Some(invoice), None, None) => Document::Invoice(invoice.build(InvoiceKind::Invoice)?),
        (None, Some(credit), None) => Document::Invoice(credit.build(InvoiceKind::CreditNote)?),
        (None, None, Some(order)) => Document::Order(order.build()?),
        _ => return Err("one of invoice, credit_note and judged_order, please".into()),
    };
    let suppliers = SupplierIndex::new(&company.reference);
    let mut history = surroundings::history(case, &company, &suppliers, &document)?;
    let decide = |history: &decide::History| {
        decide::document(
            &document,
            &Inputs {
                rules: &company.rules,
                reference: &company.reference,
                suppliers: &suppliers,
                vendors: &company.vendors,
                history,
            },
        )
    };
    if !case.set_aside.is_empty() {
        let Decision::Hold(holds) = decide(&history).decision else {
            return Err("it is not held, so nothing can be set aside".into());
        };
        let entries = catalogue();
        for code in &case.set_aside {
            let role = entries.iter().find(|entry| entry.code == code).and_then(|e| e.override_by);
            let role = role.ok_or_else(|| format!("nobody may set `{code}` aside"))?;
            history.overrides.extend(holds.iter().filter(|hold| hold.code == *code).map(|hold| {
                Override {
                    code: hold.code.clone(),
                    text: hold.text.clone(),
                    actor: "anna".into(),
                    role,
                    reason: "seen and agreed".into(),
                }
            }));
        }
    }
    let verdict = decide(&history);
    if decide(&history) != verdict {
        return Err("asked again it came out otherwise".into());
    }
    Ok(verdict)
}

fn plan(verdict: &Verdict) -> Option<&Plan> {
    match &verdict.decision {
        Decision::Plan(plan) | Decision::Adopt { plan, .. } => Some(plan),
        Decision::Wait(_)
        | Decision::Hold(_)
        | Decision::Ignore(_)
        | Decision::NotRipe
        | Decision::Cancel => None,
    }
}

const fn outcome(decision: &Decision) -> &'static str {
    match decision {
        Decision::Plan(_) => "posted",
        Decision::Adopt { .. } => "adopted",
        Decision::Wait(_) => "waiting",
        Decision::Hold(_) => "held",
        Decision::Ignore(_) => "ignored",
        Decision::NotRipe => "not_ripe",
        Decision::Cancel => "cancelled",
    }
}

fn holds(verdict: &Verdict) -> &[Hold] {
    match &verdict.decision {
        Decision::Hold(holds) => holds,
        _ => &[],
    }
}

/// Everything that a person reads about the document.
fn texts(verdict: &Verdict) -> Vec<String> {
    let mut texts: Vec<String> = holds(verdict).iter().map(|hold| hold.text.clone()).collect();
    match &verdict.decision {
        Decision::Wait(waits) => texts.extend(waits.iter().map(|wait| wait.text.clone())),
        Decision::Ignore(reason) => texts.push(reason.clone()),
        _ => {}
    }
    texts.extend(verdict.evidence.matches.iter().map(|line| line.text.clone()));
    texts.extend(verdict.evidence.remarks.iter().cloned());
    texts
}

fn told(verdict: &Verdict) -> String {
    let mut lines = vec![outcome(&verdict.decision).to_owned()];
    lines.extend(holds(verdict).iter().map(|hold| format!("{}: {}", hold.code, hold.text)));
    if let Decision::Wait(waits) = &verdict.decision {
        lines.extend(waits.iter().map(|wait| wait.text.clone()));
    }
    if let Some(Plan::Invoice(plan)) = plan(verdict) {
        lines.extend(plan.lines.iter().map(|line| format!("{:?}", line_of_invoice(line))));
    }
    lines.extend(verdict.evidence.matches.iter().map(|of| format!("{:?}: {}", of.kind, of.text)));
    lines.extend(verdict.evidence.remarks.iter().map(|remark| format!("remark: {remark}")));
    lines.join("\n    ")
}

fn line_of_invoice(line: &InvoicePlanLine) -> [String; 5] {
    coded(&line.account, &line.segments, &line.vat_category, line.cost)
}

fn coded(account: &str, segments: &[(i64, String)], vat: &str, net: Money) -> [String; 5] {
    let segment = |id| {
        segments.iter().find(|(of, _)| *of == id).map_or(String::new(), |(_, value)| value.clone())
    };
    [account.into(), segment(1), segment(2), vat.into(), net.amount().to_string()]
}

/// Notes what is not as expected.
#[derive(Default)]
struct Faults(Vec<String>);

impl Faults {
    fn same<T: PartialEq + std::fmt::Debug>(
        &mut self,
        what: &str,
        wanted: Option<T>,
        got: Option<T>,
    ) {
        if wanted.is_some() && wanted != got {
            self.0.push(format!("{what}: wanted {wanted:?}, got {got:?}"));
        }
    }
}

fn compare(verdict: &Verdict, expect: &Expect) -> Vec<String> {
    let mut faults = Faults::default();
    faults.same("outcome", Some(expect.outcome.as_str()), Some(outcome(&verdict.decision)));
    let wanted: BTreeSet<&str> = expect.holds.iter().map(String::as_str).collect();
    let got: BTreeSet<&str> = holds(verdict).iter().map(|hold| hold.code.as_str()).collect();
    faults.same("holds", Some(wanted), Some(got));
    let texts = texts(verdict);
    for says in &expect.says {
        if !texts.iter().any(|text| text.contains(says)) {
            faults.0.push(format!("nothing says `{says}`"));
        }
    }
    for silent in &expect.silent_on {
        if texts.iter().any(|text| text.contains(silent)) {
            faults.0.push(format!("something says `{silent}`"));
        }
    }
    if !expect.matched.is_empty() {
        let word = |kind| match kind {
            MatchKind::NotMatched => "not_matched",
            MatchKind::TwoWay => "two_way",
            MatchKind::ThreeWay => "three_way",
        };
        let got: Vec<&str> = verdict.evidence.matches.iter().map(|line| word(line.kind)).collect();
        let wanted: Vec<&str> = expect.matched.iter().map(String::as_str).collect();
        faults.same("matched", Some(wanted), Some(got));
    }
    let (amount, lines, supplier, terms, branch) = match plan(verdict) {
        Some(Plan::Invoice(plan)) => {
            faults.same("vat", expect.vat, Some(plan.vat.amount()));
            faults.same("period", expect.period.as_ref(), Some(&plan.period));
            let booked = plan.document_on.to_string();
            faults.same("booked", expect.booked.as_ref(), Some(&booked));
            faults.same("files", expect.files, Some(plan.attachments.len()));
            let lines: Vec<[String; 5]> = plan.lines.iter().map(line_of_invoice).collect();
            // Whatever a case leaves unsaid, lines and VAT are the gross.
            let net: Decimal = plan.lines.iter().map(|line| line.cost.amount()).sum();
            faults.same("gross", Some(plan.gross.amount()), Some(net + plan.vat.amount()));
            (plan.gross, lines, &plan.supplier, &plan.terms, &plan.branch)
        }
        Some(Plan::Order(plan)) => {
            let line = |line: &ml_connector::procurement::OrderPlanLine| {
                coded(&line.account, &line.segments, &line.vat_category, line.amount)
            };
            let lines: Vec<[String; 5]> = plan.lines.iter().map(line).collect();
            (plan.net, lines, &plan.supplier, &plan.terms, &plan.branch)
        }
        None => {
            if !expect.lines.is_empty() || expect.gross.is_some() || expect.supplier.is_some() {
                faults.0.push("there is no plan to compare".into());
            }
            return faults.0;
        }
    };
    faults.same("gross", expect.gross, Some(amount.amount()));
    faults.same("supplier", expect.supplier.as_ref(), Some(supplier));
    faults.same("terms", expect.terms.as_ref(), terms.as_ref());
    faults.same("branch", expect.branch.as_ref(), branch.as_ref());
    faults.same("line count", expect.line_count, Some(lines.len()));
    if !expect.lines.is_empty() {
        faults.same("lines", Some(&expect.lines), Some(&lines));
    }
    faults.0
}

/// A case that expects something else than what comes out must fail, or the library checks nothing.
#[test]
fn a_case_can_fail() {
    let clean = "title = 't'\n[invoice]\nline = [{}]\n[expect]\n";
    let with = |expect: &str| run(&format!("{clean}{expect}"));
    with("outcome = 'posted'\nlines = [['6540', '110', '000000', 'K25', '100.00']]")
        .expect("clean");
    let wrong: BTreeMap<&str, &str> = BTreeMap::from([
        ("outcome = 'held'", "outcome"),
        ("outcome = 'posted'\nholds = ['price_over']", "holds"),
        ("outcome = 'posted'\nsays = ['no such words']", "says"),
        ("outcome = 'posted'\ngross = '124.99'", "gross"),
        ("outcome = 'posted'\nlines = [['6540', '120', '000000', 'K25', '100.00']]", "lines"),
        ("outcome = 'posted'\nmatched = ['three_way']", "matched"),
        ("outcome = 'posted'\nno_such_key = 1", "no_such_key"),
    ]);
    for (expect, word) in wrong {
        let fault = with(expect).err().unwrap_or_default();
        assert!(fault.contains(word), "{expect}: {fault}");
    }
}
