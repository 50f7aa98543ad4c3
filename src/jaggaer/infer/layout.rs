//! The fields of one kind of document: header, lines, taxes, shares, status; checked against what
//! adds up.

use super::Confidence;
use super::dictionary::{is_credit, meaning};
use super::notation::{Money, Spelling};
use super::score::{Choice, Shape, choose, fits};
use super::shape::{Inner, Kind, Leaf, Sheet, inner_lists, leaves, place};
use super::targets;
use rust_decimal::Decimal;
use serde_json::Value;
use std::collections::BTreeMap;

/// What was found of one kind of document.
#[derive(Debug, Default)]
pub(super) struct Guessed {
    pub(super) header: Vec<Choice>,
    pub(super) lines: Option<Lines>,
    /// A name and where it stands.
    pub(super) statuses: Vec<(String, Leaf)>,
    /// Amounts of credit notes are written as positive ones.
    pub(super) positive_credits: bool,
    /// Lists of accounts of a supplier, by kind.
    pub(super) accounts: Vec<(&'static str, String, String)>,
    pub(super) sums: Vec<String>,
}

#[derive(Debug)]
pub(super) struct Lines {
    pub(super) list: String,
    pub(super) choices: Vec<Choice>,
    /// Where the taxes of a line stand: a list, or plain members of the line.
    pub(super) taxes: Option<(Option<String>, Vec<Choice>)>,
    pub(super) shares: Option<Shares>,
    /// How often the net is the quantity times the price.
    pub(super) product: Option<(usize, usize)>,
}

#[derive(Debug)]
pub(super) struct Shares {
    pub(super) list: String,
    pub(super) choices: Vec<Choice>,
    pub(super) segments: Segments,
}

#[derive(Debug)]
pub(super) enum Segments {
    /// A list of pairs: where, the dimension's name, its value.
    Pairs(String, String, String),
    Members(BTreeMap<String, String>),
}

impl Guessed {
    pub(super) fn of(&self, field: &str) -> Option<&Choice> {
        self.header.iter().find(|choice| choice.field == field)
    }
}

pub(super) fn guess(sheet: &Sheet, spelling: &Spelling) -> Guessed {
    let wanted = match sheet.entity {
        Kind::Orders => targets::ORDER,
        Kind::Invoices => targets::INVOICE,
        Kind::Suppliers => targets::SUPPLIER,
        Kind::Receipts => targets::RECEIPT,
    };
    let own = with_money(leaves(&sheet.records, sheet.entity == Kind::Suppliers), spelling);
    let mut guessed = Guessed { header: choose(wanted, &own, spelling), ..Guessed::default() };
    let lists = inner_lists(&sheet.records);
    match sheet.entity {
        Kind::Suppliers => guessed.accounts = accounts(&lists),
        Kind::Orders | Kind::Invoices | Kind::Receipts => {
            guessed.lines = lines(sheet.entity, &lists, spelling);
            guessed.statuses = statuses(&own, sheet.entity);
        }
    }
    total_up(&mut guessed, sheet, &own, spelling);
    guessed.positive_credits = positive_credits(&guessed, sheet, spelling);
    guessed
}

/// Where money is an object, the object is the value, and its currency stands inside.
fn with_money(mut all: Vec<Leaf>, spelling: &Spelling) -> Vec<Leaf> {
    let Money::Object(amount, currency) = &spelling.money else { return all };
    let objects: Vec<Vec<String>> = all
        .iter()
        .filter(|leaf| leaf.path.last() == Some(currency) && leaf.path.len() > 1)
        .map(|leaf| leaf.path[..leaf.path.len() - 1].to_vec())
        .collect();
    for leaf in &mut all {
        let Some((own, around)) = leaf.path.split_last() else { continue };
        if own == amount && objects.iter().any(|object| object == around) {
            let around = around.to_vec();
            leaf.tokens = around.iter().flat_map(|n| super::dictionary::tokens(n)).collect();
            leaf.last =
                around.last().map(|name| super::dictionary::tokens(name)).unwrap_or_default();
            leaf.path = around;
        }
    }
    all
}

/// The list of which each row has a quantity, a price, a sum.
fn lines(entity: Kind, lists: &[Inner], spelling: &Spelling) -> Option<Lines> {
    let wanted = if entity == Kind::Receipts { targets::RECEIPT_LINE } else { targets::LINE };
    let weight = |choice: &Choice| match choice.field {
        "quantity" | "net" | "unit_price" | "order" => 5,
        "description" | "number" => 3,
        _ => 1,
    };
    let (_, list, own, mut choices) = lists
        .iter()
        .map(|list| {
            let own = with_money(leaves(&list.rows, false), spelling);
            let choices = choose(wanted, &own, spelling);
            let score: i64 = choices.iter().map(weight).sum();
            (score - list.path.len() as i64, list, own, choices)
        })
        .filter(|(score, ..)| *score >= 5)
        .max_by_key(|(score, ..)| *score)?;
    let product = check_product(&mut choices, &list.rows, &own, spelling);
    let inner = inner_lists(&list.rows);
    Some(Lines {
        list: place(&list.path),
        taxes: taxes(&inner, &own, spelling),
        shares: shares(&inner, spelling),
        choices,
        product,
    })
}

/// The number at a path of a row.
fn number(row: &Value, leaf: &Leaf, spelling: &Spelling) -> Option<Decimal> {
    let mut at = row;
    for name in &leaf.path {
        at = at.get(name.as_str())?;
    }
    match (&spelling.money, at) {
        (Money::Object(amount, _), Value::Object(members)) => {
            spelling.decimal(members.get(amount)?)
        }
        (_, value) => spelling.decimal(value),
    }
}

/// The net is what quantity times price comes to, whatever it is called.
fn check_product(
    choices: &mut Vec<Choice>,
    rows: &[Value],
    own: &[Leaf],
    spelling: &Spelling,
) -> Option<(usize, usize)> {
    let leaf = |choices: &[Choice], field: &str| {
        choices.iter().find(|choice| choice.field == field).map(|choice| choice.leaf.clone())
    };
    let quantity = leaf(choices, "quantity")?;
    let price = leaf(choices, "unit_price")?;
    let basis = leaf(choices, "price_basis");
    let count = |net: &Leaf| {
        let mut holds = 0;
        let mut of = 0;
        for row in rows {
            let read = |leaf: &Leaf| number(row, leaf, spelling);
            let (Some(q), Some(p), Some(net)) = (read(&quantity), read(&price), read(net)) else {
                continue;
            };
            let per = basis.as_ref().and_then(read).filter(|per| !per.is_zero());
            of += 1;
            let product =
                q.checked_mul(p).and_then(|of| of.checked_div(per.unwrap_or(Decimal::ONE)));
            holds += usize::from(
                product.is_some_and(|product| (product.abs() - net.abs()).abs() < Decimal::ONE),
            );
        }
        (holds, of)
    };
    let named = leaf(choices, "net").map(|net| count(&net));
    if let Some((holds, of)) = named
        && holds * 10 >= of * 8
    {
        if let Some(net) = choices.iter_mut().find(|choice| choice.field == "net") {
            net.confidence = Confidence::High;
            net.evidence = format!("{}; quantity × price in {holds} of {of}", net.evidence);
        }
        return named;
    }
    // Another number of the line may be the product.
    let better = own
        .iter()
        .filter(|leaf| fits(Shape::Amount, leaf, spelling))
        .filter(|leaf| leaf.path != quantity.path && leaf.path != price.path)
        .map(|leaf| (count(leaf), leaf))
        .filter(|((holds, of), _)| *of > 0 && *holds * 10 >= *of * 8)
        .max_by_key(|((holds, _), _)| *holds);
    let Some(((holds, of), leaf)) = better else { return named };
    choices.retain(|choice| choice.field != "net" && choice.leaf.path != leaf.path);
    choices.push(Choice {
        field: "net",
        leaf: leaf.clone(),
        confidence: Confidence::High,
        evidence: format!("quantity × price in {holds} of {of}"),
    });
    Some((holds, of))
}

fn has_word(path: &[String], words: &[&str]) -> bool {
    path.iter()
        .flat_map(|name| super::dictionary::tokens(name))
        .any(|of| words.iter().any(|word| of == *word || of.trim_end_matches('s') == *word))
}

fn taxes(
    inner: &[Inner],
    own: &[Leaf],
    spelling: &Spelling,
) -> Option<(Option<String>, Vec<Choice>)> {
    let list = inner.iter().find(|list| has_word(&list.path, &["tax"]));
    if let Some(list) = list {
        let leaves = with_money(leaves(&list.rows, false), spelling);
        let choices = choose(targets::TAX, &leaves, spelling);
        if !choices.is_empty() {
            return Some((Some(place(&list.path)), choices));
        }
    }
    let plain: Vec<Leaf> = own
        .iter()
        .filter(|leaf| leaf.tokens.iter().any(|word| word == "tax"))
        .cloned()
        .map(|mut leaf| {
            // `taxCharge1` of a line is its tax.
            if leaf.last.iter().any(|word| word == "charge1") {
                leaf.last = vec!["tax".into(), "amount".into()];
                leaf.tokens = leaf.last.clone();
            }
            leaf
        })
        .collect();
    let choices = choose(targets::TAX, &plain, spelling);
    let says = choices.iter().any(|choice| matches!(choice.field, "code" | "rate" | "amount"));
    says.then_some((None, choices))
}

/// A list of accounts with their part: by its name or by what stands in it.
fn shares(inner: &[Inner], spelling: &Spelling) -> Option<Shares> {
    const NAMES: &[&str] = &[
        "distribution",
        "allocation",
        "split",
        "kontering",
        "fordeling",
        "accounting",
        "coding",
        "percent",
    ];
    let outer = inner.iter().find(|list| {
        list.path.len() <= 3
            && (has_word(&list.path, NAMES) || holds_accounts(list))
            && !has_word(&list.path, &["tax"])
    })?;
    let own = with_money(leaves(&outer.rows, false), spelling);
    let choices = choose(targets::SHARE, &own, spelling);
    let pairs = inner_lists(&outer.rows).into_iter().find_map(|list| {
        let members = leaves(&list.rows, false);
        let texts = |words: &[&str]| {
            members.iter().find(|leaf| {
                leaf.values.iter().all(Value::is_string)
                    && leaf.last.iter().any(|of| words.contains(&of.as_str()))
            })
        };
        let dimension = texts(&["dimension", "name", "segment", "type"])?;
        let value = texts(&["amount", "code", "number"])?;
        Some(Segments::Pairs(place(&list.path), place(&dimension.path), place(&value.path)))
    });
    let segments = match pairs {
        Some(pairs) => pairs,
        None => {
            let taken: Vec<_> = choices.iter().map(|choice| &choice.leaf.path).collect();
            let members: BTreeMap<String, String> = own
                .iter()
                .filter(|leaf| !taken.contains(&&leaf.path) && fits(Shape::Text, leaf, spelling))
                .filter(|leaf| {
                    !["currency", "description", "id", "sequence", "line", "amount"]
                        .iter()
                        .any(|word| leaf.last.iter().any(|of| of == word))
                })
                .map(|leaf| (dimension(leaf), place(&leaf.path)))
                .collect();
            if members.is_empty() {
                return None;
            }
            Segments::Members(members)
        }
    };
    Some(Shares { list: place(&outer.path), choices, segments })
}

fn holds_accounts(list: &Inner) -> bool {
    let words = ["account", "costcenter", "cost", "project"];
    leaves(&list.rows, false)
        .iter()
        .any(|leaf| leaf.last.iter().any(|of| words.contains(&of.as_str())))
}

/// The names that the connection's mapping uses; others as they are.
fn dimension(leaf: &Leaf) -> String {
    let has = |word: &str| leaf.last.iter().any(|of| of == word);
    if has("account") {
        "Account".into()
    } else if has("costcenter") || has("cost") {
        "CostCenter".into()
    } else if has("project") {
        "Project".into()
    } else {
        leaf.path.last().cloned().unwrap_or_default()
    }
}

/// Members called status of which the dictionary knows a word.
fn statuses(own: &[Leaf], entity: Kind) -> Vec<(String, Leaf)> {
    let of_order = entity == Kind::Orders;
    let mut found: Vec<(String, Leaf)> = Vec::new();
    for leaf in own {
        let named = leaf.tokens.iter().any(|word| word == "status");
        let other = ["match", "validation", "tolerance", "change", "ap", "line", "supplier"]
            .iter()
            .any(|word| leaf.tokens.iter().any(|of| of == word));
        let known = leaf
            .values
            .iter()
            .filter_map(Value::as_str)
            .any(|word| meaning(word, of_order).is_some());
        if !named || other || !known {
            continue;
        }
        let own = leaf.path.last().map(String::as_str).unwrap_or_default();
        let short: String = own.chars().filter(char::is_ascii_alphanumeric).collect();
        let name = short.trim_end_matches("Status").trim_end_matches("status");
        let name = if name.is_empty() { "status" } else { name };
        if !found.iter().any(|(known, _)| known == name) {
            found.push((name.to_owned(), leaf.clone()));
        }
    }
    found
}

/// `gross = net + tax` tells which amounts of the header are which.
fn total_up(guessed: &mut Guessed, sheet: &Sheet, own: &[Leaf], spelling: &Spelling) {
    let leaf = |guessed: &Guessed, field: &str| guessed.of(field).map(|of| of.leaf.clone());
    let (Some(net), Some(tax)) = (leaf(guessed, "net"), leaf(guessed, "tax")) else { return };
    let count = |gross: &Leaf| {
        let mut of = 0;
        let mut holds = 0;
        for record in &sheet.records {
            let read = |leaf: &Leaf| number(record, leaf, spelling);
            if let (Some(net), Some(tax), Some(gross)) = (read(&net), read(&tax), read(gross)) {
                of += 1;
                holds += usize::from(net + tax == gross);
            }
        }
        (holds, of)
    };
    let named = leaf(guessed, "gross").map(|gross| count(&gross));
    let good = |(holds, of): (usize, usize)| of > 0 && holds * 10 >= of * 8;
    let found = match named {
        Some(counted) if good(counted) => Some(counted),
        _ => {
            let better = own
                .iter()
                .filter(|leaf| leaf.path != net.path && leaf.path != tax.path)
                .filter(|leaf| fits(Shape::Amount, leaf, spelling))
                .map(|leaf| (count(leaf), leaf))
                .find(|(counted, _)| good(*counted));
            if let Some((_, leaf)) = better {
                guessed.header.retain(|choice| choice.field != "gross");
                guessed.header.push(Choice {
                    field: "gross",
                    leaf: leaf.clone(),
                    confidence: Confidence::High,
                    evidence: "it is net and tax together".into(),
                });
            }
            better.map(|(counted, _)| counted)
        }
    };
    if let Some((holds, of)) = found {
        guessed.sums.push(format!("gross = net + tax in {holds} of {of}"));
        if let Some(gross) = guessed.header.iter_mut().find(|choice| choice.field == "gross") {
            gross.confidence = Confidence::High;
            gross.evidence = format!("{}; net + tax in {holds} of {of}", gross.evidence);
        }
    }
}

/// Credit notes are there, and none of them has a negative sum.
fn positive_credits(guessed: &Guessed, sheet: &Sheet, spelling: &Spelling) -> bool {
    let (Some(kind), Some(gross)) = (guessed.of("kind"), guessed.of("gross")) else {
        return false;
    };
    let text = |record: &Value| {
        let mut at = record;
        for name in &kind.leaf.path {
            at = at.get(name.as_str())?;
        }
        at.as_str().map(str::to_owned)
    };
    let mut credits = sheet
        .records
        .iter()
        .filter(|record| text(record).is_some_and(|word| is_credit(&word) == Some(true)))
        .filter_map(|record| number(record, &gross.leaf, spelling))
        .peekable();
    credits.peek().is_some() && credits.all(|sum| !sum.is_sign_negative())
}

/// Accounts by the name of the member that holds the number.
fn accounts(lists: &[Inner]) -> Vec<(&'static str, String, String)> {
    let mut found = Vec::new();
    for list in lists {
        for leaf in leaves(&list.rows, false) {
            let name = leaf.last.concat();
            let kind = match name.as_str() {
                "iban" => "iban",
                "bban" | "accountnumber" => "bban",
                "bankgiro" => "bankgiro",
                "plusgiro" => "plusgiro",
                _ => continue,
            };
            found.push((kind, place(&list.path), place(&leaf.path)));
        }
    }
    found
}
