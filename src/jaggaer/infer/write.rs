//! The proposal as text: each guess with its evidence, and what a person must say.

use super::dictionary::{Meaning, is_credit, meaning};
use super::layout::{Guessed, Lines, Segments};
use super::notation::{Money, Spelling};
use super::score::Choice;
use super::shape::{Kind, Leaf, Sheet, inner_lists, leaves, place};
use super::{Confidence, Guess, Proposal};
use serde_json::Value;
use std::collections::BTreeSet;

struct Writer {
    text: String,
    guesses: Vec<Guess>,
    todo: Vec<String>,
    feed: String,
}

pub(super) fn proposal(sheets: &[Sheet], layouts: &[Guessed], spelling: &Spelling) -> Proposal {
    let mut to =
        Writer { text: String::new(), guesses: Vec::new(), todo: Vec::new(), feed: String::new() };
    to.line("# Proposed from samples. Each guess stands with its evidence; what says TODO a person must");
    to.line("# answer from the API document. docs/profiles.md explains every key. Then:");
    to.line("#   ml-connector profile check FILE --sample SAMPLE");
    to.line("name = \"proposed\"");
    to.line("");
    to.notation(spelling);
    for (sheet, guessed) in sheets.iter().zip(layouts) {
        to.feed = sheet.entity.name().to_owned();
        to.feed(sheet, guessed, spelling);
    }
    Proposal { text: to.text, guesses: to.guesses, todo: to.todo }
}

/// A text as TOML writes it.
fn quoted(text: &str) -> String {
    let mut out = "\"".to_owned();
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// One value for a comment: short, and on one line.
fn example(leaf: &Leaf) -> String {
    leaf.values.first().map(crate::jaggaer::read::shown).unwrap_or_default()
}

impl Writer {
    fn line(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    fn todo(&mut self, what: String) {
        self.line(&format!("# TODO {what}"));
        let feed = if self.feed.is_empty() { String::new() } else { format!("{}: ", self.feed) };
        self.todo.push(format!("{feed}{what}"));
    }

    fn note(&mut self, field: &str, place: &str, confidence: Confidence, evidence: &str) {
        self.guesses.push(Guess {
            feed: self.feed.clone(),
            field: field.to_owned(),
            place: place.to_owned(),
            confidence,
            evidence: evidence.to_owned(),
        });
    }

    fn choice(&mut self, choice: &Choice, key: &str, around: &str) {
        self.field(choice, key, &quoted(&place(&choice.leaf.path)), around);
    }

    fn field(&mut self, choice: &Choice, key: &str, value: &str, around: &str) {
        let (confidence, evidence) = (choice.confidence, choice.evidence.as_str());
        self.note(&format!("{around}{key}"), &place(&choice.leaf.path), confidence, evidence);
        let level = confidence.as_str();
        let example = example(&choice.leaf);
        self.line(&format!("{key} = {value}  # {level}: {example}; {evidence}"));
    }

    fn notation(&mut self, spelling: &Spelling) {
        self.line("[notation]");
        let evidence = &spelling.money_evidence;
        match &spelling.money {
            Money::Decimal => self.line(&format!("money = \"decimal\"  # {evidence}")),
            Money::MinorUnits => {
                self.todo(format!("see whether amounts really are in minor units: {evidence}"));
                self.line("money = \"minor_units\"");
            }
            Money::Text => self.line(&format!("money = \"money_text\"  # {evidence}")),
            Money::Object(amount, currency) => {
                self.line(&format!("money = \"money_object\"  # {evidence}"));
                self.line(&format!("amount_member = {}", quoted(amount)));
                self.line(&format!("currency_member = {}", quoted(currency)));
            }
        }
        if spelling.comma {
            self.line("decimal_mark = \",\"");
            if !spelling.groups.is_empty() {
                self.line(&format!("group_marks = {}", quoted(&spelling.groups)));
            }
        }
        if spelling.day_is_open {
            self.todo("say whether the day or the month comes first: no sample tells".into());
        }
        self.line(&format!("date = {}", quoted(spelling.day)));
        if !spelling.epoch {
            self.line(&format!("instant = {}", quoted(spelling.instant)));
        }
        if spelling.bare_times {
            self.todo("times carry no zone; say whose clock they show".into());
            self.line(&format!("zone = {}", quoted(spelling.zone)));
        }
    }

    fn feed(&mut self, sheet: &Sheet, guessed: &Guessed, spelling: &Spelling) {
        let name = sheet.entity.name();
        self.line("");
        self.line(&format!("# from {}", sheet.files.join(", ")));
        self.line("[[feed]]");
        self.line(&format!("name = {}", quoted(name)));
        self.line(&format!("entity = {}", quoted(name)));
        self.todo("write the list's path below the base URL".into());
        self.line(&format!("path = \"/TODO/{name}\""));
        match &sheet.items {
            Some(path) => {
                self.note("items", &place(path), Confidence::High, "a list of objects");
                self.line(&format!("items = {}", quoted(&place(path))));
            }
            None => {
                self.todo(
                    "say where a list's answer holds its rows: only documents were seen".into(),
                );
                self.line("items = \"$\"");
            }
        }
        match guessed.of("id") {
            Some(id) => self.choice(id, "id", ""),
            None => {
                self.todo("say where the record's own id stands".into());
                self.line("id = \"$.id\"");
            }
        }
        if sheet.entity == Kind::Invoices && guessed.of("kind").is_none() {
            self.todo("say where credit notes are, and what tells them from invoices".into());
            self.line("kind = \"invoice\"");
        }
        self.envelope(sheet);
        self.delta(guessed, spelling);
        self.detail(sheet, guessed);
        match sheet.entity {
            Kind::Orders | Kind::Invoices => self.document(sheet.entity, guessed, spelling),
            Kind::Suppliers => self.supplier(guessed),
            Kind::Receipts => self.receipt(guessed),
        }
    }

    /// Success, total and paging, out of what stands around the rows.
    fn envelope(&mut self, sheet: &Sheet) {
        let around = leaves(std::slice::from_ref(&sheet.envelope), false);
        let named = |words: &[&str]| {
            around.iter().find(|leaf| words.contains(&leaf.last.concat().as_str()))
        };
        let number = |leaf: &Leaf| match leaf.values.first() {
            Some(Value::String(text)) => text.parse().ok(),
            Some(value) => value.as_u64(),
            None => None,
        };
        let total = named(&[
            "total",
            "totalcount",
            "totrecords",
            "totalrecords",
            "count",
            "totalelements",
            "totalitems",
            "totalresults",
        ])
        .filter(|leaf| number(leaf).is_some());
        if let Some(success) = named(&["returncode", "status", "success", "resultcode", "ok"])
            && let Some(value) = success.values.first()
        {
            let word = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let at = place(&success.path);
            self.note("success", &at, Confidence::Medium, "it stands around the rows");
            self.line(&format!(
                "success = {{ at = {}, is = [{}] }}  # medium: it stands around the rows",
                quoted(&at),
                quoted(&word)
            ));
        }
        if let Some(message) = named(&["returnmessage", "message", "error", "errormessage"]) {
            self.line(&format!("error = {}", quoted(&place(&message.path))));
        }
        if let Some(total) = total {
            let at = place(&total.path);
            self.note("total", &at, Confidence::High, "its name");
            self.line(&format!("total = {}", quoted(&at)));
        }
        self.line("");
        // `null` at the end of a list is a cursor as well.
        let empty_cursor = sheet.envelope.as_object().and_then(|members| {
            members
                .iter()
                .find(|(name, value)| value.is_null() && name.to_lowercase().contains("cursor"))
        });
        let cursor = around
            .iter()
            .find(|leaf| leaf.last.iter().any(|word| word == "cursor" || word == "continuation"))
            .map(|leaf| place(&leaf.path))
            .or_else(|| empty_cursor.map(|(name, _)| place(std::slice::from_ref(name))));
        let next = around.iter().find(|leaf| {
            leaf.last.iter().any(|word| word == "next")
                && leaf.values.iter().any(|value| {
                    value.as_str().is_some_and(|text| text.contains('/') || text.contains('?'))
                })
        });
        let more = named(&["hasmore", "more", "hasnext", "hasnextpage"]);
        let start = named(&["offset", "startat", "start", "startindex", "skip"]);
        let page = named(&["page", "pagenumber", "currentpage"]);
        let paging = |to: &mut Self, what: &str, lines: Vec<String>| {
            to.line("[feed.paging]");
            to.note("paging", what, Confidence::Medium, "what stands around the rows");
            for line in lines {
                to.line(&line);
            }
        };
        let end = match (more, total) {
            (Some(leaf), _) => format!("more = {}", quoted(&place(&leaf.path))),
            (None, Some(_)) => "end = \"total\"".to_owned(),
            (None, None) => "end = \"empty_page\"".to_owned(),
        };
        if let Some(cursor) = cursor {
            let cursor = format!("cursor = {}", quoted(&cursor));
            paging(self, "cursor", vec!["kind = \"cursor\"".into(), cursor]);
            self.todo(
                "see what the cursor's query parameter is called, and the page size's".into(),
            );
            self.line("parameter = \"cursor\"");
        } else if let Some(next) = next {
            let next = format!("next = {}", quoted(&place(&next.path)));
            paging(self, "link", vec!["kind = \"link\"".into(), next]);
        } else if let Some(start) = start {
            let first = number(start).filter(|first| *first <= 1).unwrap_or(0);
            let name = start.path.last().cloned().unwrap_or_default();
            let lines = vec!["kind = \"offset\"".into(), format!("first = {first}"), end];
            paging(self, "offset", lines);
            self.todo(
                "see what the offset's query parameter is called, and the page size's".into(),
            );
            self.line(&format!("parameter = {}", quoted(&name)));
        } else if let Some(page) = page {
            let first = number(page).filter(|first| *first <= 1).unwrap_or(1);
            let name = page.path.last().cloned().unwrap_or_default();
            let lines = vec!["kind = \"page\"".into(), format!("first = {first}"), end];
            paging(self, "page", lines);
            self.todo("see what the page's query parameter is called, and the page size's".into());
            self.line(&format!("parameter = {}", quoted(&name)));
        } else {
            self.line("[feed.paging]");
            self.todo("say how the list is paged: its answer does not tell".into());
            self.line("kind = \"none\"");
        }
    }

    fn delta(&mut self, guessed: &Guessed, spelling: &Spelling) {
        self.line("");
        let Some(stamp) = guessed.of("stamp") else {
            return self.todo("say where a record tells when it last changed".into());
        };
        self.line("[feed.delta]");
        let at = quoted(&place(&stamp.leaf.path));
        let value = match spelling.epoch {
            true => format!("{{ at = {at}, type = \"epoch_ms\" }}"),
            false => at,
        };
        self.field(stamp, "field", &value, "delta.");
        self.todo(
            "name the query parameter that asks for changes (`parameter`), its `format` and \
             `compare`; without it the list is always read whole"
                .into(),
        );
    }

    /// The list holds less than the documents that were given beside it.
    fn detail(&mut self, sheet: &Sheet, guessed: &Guessed) {
        let whole = !matches!(sheet.entity, Kind::Suppliers) && guessed.lines.is_none();
        let shown_apart = !sheet.rows.is_empty()
            && inner_lists(&sheet.rows).len() < inner_lists(&sheet.records).len();
        if !whole && !shown_apart {
            return;
        }
        let id = guessed.of("id").map_or("$.id".to_owned(), |id| place(&id.leaf.path));
        self.line("");
        self.todo(
            "the list has no lines: write the path of the call for one document; `take` and \
             `under` if it holds the lines alone"
                .into(),
        );
        let mark = if shown_apart { "" } else { "# " };
        self.line(&format!("{mark}[feed.detail]"));
        self.line(&format!("{mark}path = \"/TODO/{}/{{id}}\"", sheet.entity.name()));
        self.line(&format!("{mark}parts = {{ id = {} }}", quoted(&id)));
    }

    fn document(&mut self, entity: Kind, guessed: &Guessed, spelling: &Spelling) {
        let table = if entity == Kind::Orders { "purchase_order" } else { "invoice" };
        self.line("");
        self.line(&format!("[feed.{table}]"));
        let needed: &[&str] = match entity {
            Kind::Orders => &["number", "currency", "ordered_on"],
            Kind::Invoices | Kind::Suppliers | Kind::Receipts => {
                &["number", "currency", "invoiced_on", "gross"]
            }
        };
        for choice in &guessed.header {
            match choice.field {
                "id" | "stamp" | "vendor.source_id" | "vendor.erp_number" | "vendor.name" => {}
                "kind" => self.kind(choice),
                field => self.choice(choice, field, ""),
            }
        }
        for field in needed.iter().filter(|field| guessed.of(field).is_none()) {
            let amount = guessed.of("gross").map(|gross| quoted(&place(&gross.leaf.path)));
            match (*field, &spelling.money, amount) {
                ("currency", Money::Object(_, member), Some(gross)) => {
                    let inside = format!("{}.{member}\"", gross.trim_end_matches('"'));
                    self.line(&format!("currency = {inside}  # medium: of the gross amount"));
                }
                ("currency", Money::Text, Some(gross)) => {
                    self.line(&format!("currency = {{ at = {gross}, type = \"money_text\" }}"));
                }
                (field, _, _) => {
                    self.todo(format!("say where `{field}` stands: it is needed"));
                    self.line(&format!("{field} = \"$.TODO\""));
                }
            }
        }
        if entity == Kind::Invoices {
            let sign = if guessed.positive_credits { "positive" } else { "negative" };
            if guessed.of("kind").is_none() || !guessed.positive_credits {
                self.todo("see how amounts of a credit note are written".into());
            }
            self.line(&format!("credit_notes = \"{sign}\""));
        }
        for sum in &guessed.sums {
            self.line(&format!("# {sum}"));
        }
        self.line("");
        self.line(&format!("[feed.{table}.vendor]"));
        for (field, key) in [
            ("vendor.source_id", "source_id"),
            ("vendor.erp_number", "erp_number"),
            ("vendor.name", "name"),
        ] {
            match guessed.of(field) {
                Some(choice) => self.choice(choice, key, "vendor."),
                None => self.todo(format!("say where the vendor's `{key}` stands, if anywhere")),
            }
        }
        self.status(table, entity, guessed);
        self.lines(table, guessed.lines.as_ref());
    }

    fn kind(&mut self, choice: &Choice) {
        let words: BTreeSet<String> =
            choice.leaf.values.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        let mut table = Vec::new();
        for word in &words {
            match is_credit(word) {
                Some(true) => table.push(format!("{} = \"credit_note\"", quoted(word))),
                Some(false) => table.push(format!("{} = \"invoice\"", quoted(word))),
                None => self.todo(format!("say whether `{word}` is an invoice or a credit note")),
            }
        }
        let at = quoted(&place(&choice.leaf.path));
        let value = format!("{{ at = {at}, table = {{ {} }} }}", table.join(", "));
        self.field(choice, "kind", &value, "");
        if !words.iter().any(|word| is_credit(word) == Some(true)) {
            self.todo("no credit note was seen: add its word to the table of `kind`".into());
        }
    }

    fn status(&mut self, table: &str, entity: Kind, guessed: &Guessed) {
        self.line("");
        self.line(&format!("[feed.{table}.status]"));
        if guessed.statuses.is_empty() {
            self.todo(
                "say where the status stands, and which words mean that it may be posted".into(),
            );
            self.line("fields = {}");
            return self.line("rules = []");
        }
        let fields: Vec<String> = guessed
            .statuses
            .iter()
            .map(|(name, leaf)| format!("{name} = {}", quoted(&place(&leaf.path))))
            .collect();
        for (name, leaf) in &guessed.statuses {
            let at = place(&leaf.path);
            self.note(&format!("status.{name}"), &at, Confidence::Medium, "its name and words");
        }
        self.line(&format!("fields = {{ {} }}", fields.join(", ")));
        self.todo("confirm with the customer which words mean that it may be posted".into());
        let of_order = entity == Kind::Orders;
        let words = |leaf: &Leaf, wanted: Option<Meaning>| -> Vec<String> {
            let all: BTreeSet<&str> = leaf.values.iter().filter_map(Value::as_str).collect();
            let fitting = all.into_iter().filter(|word| meaning(word, of_order) == wanted);
            fitting.map(quoted).collect()
        };
        self.line("rules = [");
        for (then, wanted) in [("cancelled", Meaning::Cancelled), ("not_yet", Meaning::NotYet)] {
            for (name, leaf) in &guessed.statuses {
                let words = words(leaf, Some(wanted));
                if !words.is_empty() {
                    self.line(&format!(
                        "    {{ then = \"{then}\", when = {{ {name} = [{}] }} }},",
                        words.join(", ")
                    ));
                }
            }
        }
        let ripe: Vec<String> = guessed
            .statuses
            .iter()
            .map(|(name, leaf)| {
                format!("{name} = [{}]", words(leaf, Some(Meaning::Ripe)).join(", "))
            })
            .collect();
        self.line(&format!("    {{ then = \"ripe\", when = {{ {} }} }},", ripe.join(", ")));
        self.line("]");
        for (name, leaf) in &guessed.statuses {
            let unknown = words(leaf, None);
            if !unknown.is_empty() {
                self.todo(format!("say what these words of `{name}` mean: {}", unknown.join(", ")));
            }
        }
    }

    fn lines(&mut self, table: &str, lines: Option<&Lines>) {
        self.line("");
        self.line(&format!("[feed.{table}.lines]"));
        let Some(lines) = lines else {
            self.todo("no lines were seen: give a whole document as a sample".into());
            self.line("list = \"$.lines\"");
            self.line("number = \"$.number\"");
            return self.line("pricing = { net = \"$.net\" }");
        };
        self.note("lines", &lines.list, Confidence::High, "rows with quantities and sums");
        self.line(&format!("list = {}", quoted(&lines.list)));
        const PRICING: &[&str] = &["quantity", "unit", "unit_price", "price_basis", "net"];
        let is_order = table == "purchase_order";
        for choice in &lines.choices {
            match choice.field {
                field if PRICING.contains(&field) || field.starts_with("order.") => {}
                "requested_on" | "contract" if !is_order => {}
                field => self.choice(choice, field, "lines."),
            }
        }
        let of = |field: &str| lines.choices.iter().find(|choice| choice.field == field);
        if of("number").is_none() && of("key").is_none() {
            self.todo("say where a line's number or id stands: one of them is needed".into());
            self.line("number = \"$.TODO\"");
        }
        if !is_order && let Some(order) = of("order.number") {
            let mut members = vec![format!("number = {}", quoted(&place(&order.leaf.path)))];
            for (field, key) in
                [("order.line_number", "line_number"), ("order.line_key", "line_key")]
            {
                if let Some(choice) = of(field) {
                    let at = place(&choice.leaf.path);
                    self.note(&format!("lines.{field}"), &at, choice.confidence, &choice.evidence);
                    members.push(format!("{key} = {}", quoted(&at)));
                }
            }
            self.field(order, "order", &format!("{{ {} }}", members.join(", ")), "lines.");
        }
        self.line("");
        self.line(&format!("[feed.{table}.lines.pricing]"));
        for field in PRICING {
            if let Some(choice) = of(field) {
                self.choice(choice, field, "lines.");
            }
        }
        if let Some((holds, of)) = lines.product
            && holds * 10 < of * 8
        {
            self.todo(format!(
                "quantity × price is the net in {holds} of {of} lines only: see why"
            ));
        }
        if of("net").is_none() {
            self.todo("no net amount was seen on lines: it is computed".into());
            self.line("net_rule = \"quantity_times_price\"");
        }
        if let Some((list, choices)) = &lines.taxes {
            self.line("");
            self.line(&format!("[[feed.{table}.lines.taxes]]"));
            if let Some(list) = list {
                self.line(&format!("list = {}", quoted(list)));
            }
            for choice in choices {
                self.choice(choice, choice.field, "lines.taxes.");
            }
        }
        if let Some(shares) = &lines.shares {
            self.line("");
            self.line(&format!("[feed.{table}.lines.distributions]"));
            self.note(
                "lines.distributions",
                &shares.list,
                Confidence::Medium,
                "accounts in a list",
            );
            self.line(&format!("list = {}", quoted(&shares.list)));
            for choice in &shares.choices {
                self.choice(choice, choice.field, "lines.distributions.");
            }
            match &shares.segments {
                Segments::Pairs(list, dimension, value) => self.line(&format!(
                    "segments = {{ list = {}, dimension = {}, value = {} }}",
                    quoted(list),
                    quoted(dimension),
                    quoted(value)
                )),
                Segments::Members(members) => {
                    let members: Vec<String> = members
                        .iter()
                        .map(|(name, at)| format!("{} = {}", quoted(name), quoted(at)))
                        .collect();
                    self.line(&format!("segments = {{ members = {{ {} }} }}", members.join(", ")));
                }
            }
        } else {
            self.todo("say where a line's accounts stand (`distributions`), if anywhere".into());
        }
    }

    fn supplier(&mut self, guessed: &Guessed) {
        self.line("");
        self.line("[feed.supplier]");
        let mut address = Vec::new();
        for choice in &guessed.header {
            match choice.field.strip_prefix("address.") {
                Some(key) => {
                    let at = place(&choice.leaf.path);
                    self.note(choice.field, &at, choice.confidence, &choice.evidence);
                    address.push(format!("{key} = {}", quoted(&at)));
                }
                None if matches!(choice.field, "id" | "stamp") => {}
                None => self.choice(choice, choice.field, ""),
            }
        }
        if !address.is_empty() {
            self.line(&format!("address = {{ {} }}", address.join(", ")));
        }
        if guessed.of("name").is_none() {
            self.todo("say where `name` stands: it is needed".into());
            self.line("name = \"$.TODO\"");
        }
        self.todo(
            "say what tells that a supplier is no longer active (`active`), if anything".into(),
        );
        if !guessed.accounts.is_empty() {
            self.line("bank_accounts = [");
            for (kind, list, number) in &guessed.accounts {
                self.note("bank_accounts", list, Confidence::Medium, "its members' names");
                self.line(&format!(
                    "    {{ kind = \"{kind}\", list = {}, number = {} }},",
                    quoted(list),
                    quoted(number)
                ));
            }
            self.line("]");
        }
    }

    fn receipt(&mut self, guessed: &Guessed) {
        self.line("");
        self.line("[feed.receipt]");
        for choice in &guessed.header {
            if !matches!(choice.field, "id" | "stamp") {
                self.choice(choice, choice.field, "");
            }
        }
        if guessed.of("number").is_none() {
            self.todo("say where `number` stands: it is needed".into());
            self.line("number = \"$.TODO\"");
        }
        self.line("");
        self.line("[feed.receipt.lines]");
        let lines = guessed.lines.as_ref();
        let list = lines.map_or("$.lines", |lines| lines.list.as_str());
        self.line(&format!("list = {}", quoted(list)));
        let choices = lines.map(|lines| lines.choices.as_slice()).unwrap_or_default();
        for choice in choices {
            self.choice(choice, choice.field, "lines.");
        }
        for field in ["order", "quantity"] {
            if !choices.iter().any(|choice| choice.field == field) {
                self.todo(format!("say where `{field}` stands: it is needed"));
                self.line(&format!("{field} = \"$.TODO\""));
            }
        }
    }
}
