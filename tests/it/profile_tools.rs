//! `profile check` and `profile infer` as an engineer uses them who has answers of an API and
//! nothing else.

use crate::flow::Flow;
use crate::stores;
use ml_connector::jaggaer::{self, Content, Profile, Sample};
use ml_connector_sandbox::jaggaer::Profile as Form;
use ml_connector_sandbox::{Settings, world};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// Some documents of every kind, and none of them broken.
async fn start(form: Form) -> Flow {
    let settings = Settings {
        world: world::Settings {
            seed: 5,
            documents: 40,
            held_per_mille: 0,
            plant_not_ripe: true,
            ..world::Settings::default()
        },
        profile: form,
        ..Settings::default()
    };
    Flow::start(settings, stores::sqlite()).await
}

/// What an engineer saves with `curl`: an answer as it came.
async fn saved(flow: &Flow, name: &str, path: &str) -> PathBuf {
    let form = flow.sandbox.profile();
    // Another test may have done it: one is enough for the whole process.
    drop(rustls::crypto::ring::default_provider().install_default());
    let http = reqwest::Client::new();
    let request = http.post(flow.sandbox.jaggaer_token_url());
    let (id, secret) = ("sandbox-jaggaer", "sandbox-jaggaer-secret");
    let grant = ("grant_type", "client_credentials");
    let request = match form {
        Form::Alternate => {
            let form = [grant, ("scope", "erp.read erp.write")];
            request.basic_auth(id, Some(secret)).form(&form)
        }
        Form::Default | Form::Observed => {
            request.form(&[grant, ("client_id", id), ("client_secret", secret)])
        }
    };
    let answer = request.send().await.unwrap().bytes().await.unwrap();
    let token: Value = serde_json::from_slice(&answer).unwrap();
    let answer = http
        .get(format!("{}{path}", flow.sandbox.jaggaer_url()))
        .bearer_auth(token["access_token"].as_str().unwrap())
        .header("X-Tenant", "nordlys")
        .header("Accept", "application/vnd.buyer.v2+json")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    let file = flow.folder.join(name);
    std::fs::write(&file, answer.bytes().await.unwrap()).unwrap();
    file
}

fn true_profile(form: Form) -> Profile {
    match form {
        Form::Default => Profile::built_in("default"),
        Form::Observed => Profile::built_in("observed"),
        Form::Alternate => Profile::from_file(
            concat!(env!("CARGO_MANIFEST_DIR"), "/profiles/alternate.toml").as_ref(),
        ),
    }
    .unwrap()
}

/// Whole documents of one feed, as the right profile makes them.
async fn documents(flow: &Flow, profile: &Profile, feed: &str) -> Vec<Value> {
    let settings = flow
        .config
        .jaggaer_settings(&flow.config.sources[0], &ml_connector::vault::Vault::default())
        .unwrap();
    let client = jaggaer::Client::new(settings).unwrap();
    let feed = profile.feed(feed).unwrap();
    let page = client.pager(feed, None).next().await.unwrap().unwrap();
    let mut documents = Vec::new();
    for row in page.rows {
        documents.push(client.detail(feed, &row.body).await.unwrap());
    }
    documents
}

fn sample(name: &str, body: Value) -> Sample {
    Sample { name: name.to_owned(), body }
}

fn sample_of(file: &PathBuf) -> Sample {
    Sample::parse(&file.display().to_string(), &std::fs::read(file).unwrap()).unwrap()
}

/// Each value of a document by the path of its field; places in lists are kept apart.
fn values(value: &Value, path: &str, found: &mut Vec<(String, String)>) {
    match value {
        Value::Object(members) => {
            for (name, inner) in members {
                values(inner, &format!("{path}.{name}"), found);
            }
        }
        Value::Array(rows) => {
            for row in rows {
                values(row, path, found);
            }
        }
        Value::Null => {}
        scalar => found.push((path.to_owned(), scalar.to_string())),
    }
}

fn read(profile: &Profile, feed: &str, body: &Value) -> Option<Value> {
    let read = profile.feed(feed)?.read(body);
    match read.content {
        Content::Document { document, .. } => serde_json::to_value(document.ok()?).ok(),
        Content::Vendor(vendor) => serde_json::to_value(vendor.ok()?).ok(),
        Content::Receipt(_) | Content::Contract(_) => None,
    }
}

/// Fields that the right profile reads, and those among them that the proposal reads the same.
#[derive(Default)]
struct Score {
    fields: BTreeMap<String, bool>,
}

impl Score {
    fn compare(&mut self, right: (&Profile, &str), guessed: (&Profile, &str), bodies: &[Value]) {
        let mut same: BTreeMap<String, (usize, usize)> = BTreeMap::new();
        for body in bodies {
            let Some(expected) = read(right.0, right.1, body) else { continue };
            let (mut wanted, mut found) = (Vec::new(), Vec::new());
            values(&expected, right.1, &mut wanted);
            if let Some(got) = read(guessed.0, guessed.1, body) {
                values(&got, right.1, &mut found);
            }
            let grouped = |all: Vec<(String, String)>| {
                let mut of: BTreeMap<String, Vec<String>> = BTreeMap::new();
                all.into_iter().for_each(|(path, value)| of.entry(path).or_default().push(value));
                of
            };
            let found = grouped(found);
            for (path, value) in grouped(wanted) {
                let entry = same.entry(path.clone()).or_default();
                entry.1 += 1;
                entry.0 += usize::from(found.get(&path) == Some(&value));
            }
        }
        for (path, (good, all)) in same {
            // One in twenty may differ: a word that no sample showed.
            self.fields.insert(path, good * 20 >= all * 19);
        }
    }

    fn right(&self) -> usize {
        self.fields.values().filter(|right| **right).count()
    }

    fn percent(&self) -> usize {
        self.right() * 100 / self.fields.len().max(1)
    }

    fn wrong(&self) -> Vec<&str> {
        self.fields.iter().filter(|(_, right)| !**right).map(|(path, _)| path.as_str()).collect()
    }
}

/// How much of each form a proposal gets right from samples alone; the floor is what it may not
/// fall below. Printed with `--nocapture`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proposal_gets_most_fields_right() {
    const FORMS: [(Form, [&str; 3], [&str; 3], usize); 3] = [
        (
            Form::Default,
            ["purchase_orders", "invoices", "suppliers"],
            [
                "/j1p/api/public/ji/v1/purchase-orders",
                "/j1p/api/public/ji/v1/invoices",
                "/j1p/api/public/ji/v1/suppliers",
            ],
            75,
        ),
        (
            Form::Observed,
            ["purchase_orders", "invoices", "suppliers"],
            [
                "/j1p/api/public/ji/v1/purchase-orders?start=1",
                "/j1p/api/public/ji/v1/invoices?start=1",
                "/j1p/api/public/ja/v1/companyprofiles?start=1",
            ],
            60,
        ),
        (
            Form::Alternate,
            ["orders", "invoices", "partners"],
            [
                "/api/v2/orders",
                "/api/v2/ap/vouchers?document_kind=invoice",
                "/api/v2/partners?role=vendor",
            ],
            75,
        ),
    ];
    let mut below = Vec::new();
    for (form, feeds, paths, floor) in FORMS {
        let flow = start(form).await;
        let right = true_profile(form);
        let mut samples = Vec::new();
        let mut bodies = Vec::new();
        for (feed, path) in feeds.iter().zip(paths) {
            let file = saved(&flow, &format!("{feed}.json"), path).await;
            samples.push(sample_of(&file));
            let whole = documents(&flow, &right, feed).await;
            if right.feed(feed).unwrap().needs_detail() {
                let some = whole.iter().take(25).enumerate();
                samples.extend(some.map(|(n, of)| sample(&format!("{feed}-{n}.json"), of.clone())));
            }
            bodies.push(whole);
        }
        let proposal = jaggaer::infer(&samples).unwrap();
        let guessed = Profile::parse("proposal", &proposal.text)
            .unwrap_or_else(|error| panic!("{error}\n{}", proposal.text));
        let mut score = Score::default();
        for ((feed, name), bodies) in
            feeds.iter().zip(["purchase_orders", "invoices", "suppliers"]).zip(&bodies)
        {
            score.compare((&right, feed), (&guessed, name), bodies);
        }
        println!(
            "{}: {} of {} fields right ({} %), {} left to a person; not right: {}",
            form.name(),
            score.right(),
            score.fields.len(),
            score.percent(),
            proposal.todo.len(),
            score.wrong().join(", ")
        );
        if score.percent() < floor {
            below.push(format!("{}: {} %\n{}", form.name(), score.percent(), proposal.text));
        }
    }
    let (score, text) = swedish();
    println!(
        "a fourth form: {} of {} fields right ({} %); not right: {}",
        score.right(),
        score.fields.len(),
        score.percent(),
        score.wrong().join(", ")
    );
    if score.percent() < 75 {
        below.push(format!("the fourth form: {} %\n{text}", score.percent()));
    }
    assert!(below.is_empty(), "{}", below.join("\n\n"));
}

/// A form that nobody served: flat, Swedish, with commas and month-long words.
fn swedish() -> (Score, String) {
    const RIGHT: &str = r#"
        name = "swedish"
        [notation]
        decimal_mark = ","
        group_marks = " "
        date = "%d.%m.%Y"
        instant = "%d.%m.%Y %H:%M"
        zone = "Europe/Stockholm"
        [[feed]]
        name = "invoices"
        entity = "invoices"
        path = "/fakturor"
        items = "$.resultat.fakturor"
        id = "$.fakturaId"
        paging = { kind = "none" }
        delta = { field = "$.andrad" }
        [feed.invoice]
        number = "$.fakturanummer"
        kind = { at = "$.typ", table = { Faktura = "invoice", Kreditfaktura = "credit_note" } }
        supplier_reference = "$.externRef"
        currency = "$.valuta"
        invoiced_on = "$.fakturadatum"
        due_on = "$.forfallodatum"
        payment_reference = "$.ocr"
        net = "$.netto"
        tax = "$.moms"
        gross = "$.brutto"
        vendor = { source_id = "$.leverantor.id", erp_number = "$.leverantor.nummer", name = "$.leverantor.namn" }
        status = { fields = { status = "$.status" }, rules = [
            { then = "ripe", when = { status = ["Godkänd"] } },
            { then = "not_yet", when = { status = ["Utkast"] } },
            { then = "cancelled", when = { status = ["Makulerad"] } } ] }
        [feed.invoice.lines]
        list = "$.rader"
        number = "$.radnr"
        item = "$.artikelnr"
        description = "$.beskrivning"
        order = { number = "$.ordernummer" }
        pricing = { quantity = "$.antal", unit = "$.enhet", unit_price = "$.pris", net = "$.belopp" }
        taxes = [{ rate = "$.momssats", amount = "$.moms" }]
        distributions = { list = "$.kontering", percent = "$.andel", segments = { members = { Account = "$.konto", CostCenter = "$.kostnadsstalle" } } }
    "#;
    let money = |ore: i64| {
        let (crowns, ore) = (ore / 100, ore % 100);
        match crowns / 1000 {
            0 => format!("{crowns},{ore:02}"),
            thousands => format!("{thousands} {:03},{ore:02}", crowns % 1000),
        }
    };
    let rows: Vec<Value> = (1..=12)
        .map(|n: i64| {
            let lines: Vec<Value> = (1..=1 + n % 3)
                .map(|k| {
                    let (quantity, price) = (k + n % 4, 12_345 + 1_111 * n + 70 * k);
                    json!({
                        "radnr": k, "artikelnr": format!("A-{}", 100 * n + k),
                        "beskrivning": format!("Skärm {k}"), "ordernummer": format!("B{}", 400 + n),
                        "antal": quantity.to_string(), "enhet": "st", "pris": money(price),
                        "belopp": money(quantity * price), "momssats": "25",
                        "moms": money(quantity * price / 4),
                        "kontering": [
                            { "konto": "5410", "kostnadsstalle": "110", "andel": "60" },
                            { "konto": "5410", "kostnadsstalle": "120", "andel": "40" },
                        ],
                    })
                })
                .collect();
            let net: i64 =
                (1..=1 + n % 3).map(|k| (k + n % 4) * (12_345 + 1_111 * n + 70 * k)).sum();
            json!({
                "fakturaId": format!("f{n:04}"), "fakturanummer": format!("{}", 7000 + n),
                "typ": if n % 6 == 0 { "Kreditfaktura" } else { "Faktura" },
                "externRef": format!("X{}", 900 + n), "valuta": "SEK",
                "fakturadatum": format!("{:02}.09.2026", n + 13),
                "forfallodatum": format!("{:02}.10.2026", n + 13), "ocr": format!("4711{n:04}"),
                "netto": money(net), "moms": money(net / 4), "brutto": money(net + net / 4),
                "leverantor": { "id": 88 + n, "nummer": format!("{}", 500 + n), "namn": "Snickeri AB" },
                "status": (["Godkänd", "Utkast", "Makulerad"][(n % 3) as usize]),
                "andrad": format!("{:02}.10.2026 08:15", n + 1), "rader": lines,
            })
        })
        .collect();
    let right = Profile::parse("right", RIGHT).unwrap();
    let body = json!({ "resultat": { "fakturor": rows } });
    let proposal = jaggaer::infer(&[sample("svar.json", body)]).unwrap();
    let guessed = Profile::parse("proposal", &proposal.text)
        .unwrap_or_else(|error| panic!("{error}\n{}", proposal.text));
    let mut score = Score::default();
    score.compare((&right, "invoices"), (&guessed, "invoices"), &rows);
    (score, proposal.text)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_live_lists_are_read_field_by_field() {
    let flow = start(Form::Alternate).await;
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/profiles/alternate.toml");
    let (found, status) = flow.run_json(&["profile", "check", file, "no"]).await;
    assert_eq!((status, found["ok"].as_bool()), (0, Some(true)), "{found:#}");
    let feeds: BTreeSet<&str> =
        found["feeds"].as_array().unwrap().iter().map(|of| of["feed"].as_str().unwrap()).collect();
    assert_eq!(feeds, BTreeSet::from(["credits", "invoices", "orders", "partners"]));
    let field = |feed: &str, field: &str| {
        let fields = found["fields"].as_array().unwrap().iter();
        let mut of = fields.filter(|of| of["feed"] == feed && of["field"] == field);
        of.next().unwrap_or_else(|| panic!("{feed} has no {field}")).clone()
    };
    let gross = field("invoices", "gross");
    assert_eq!((&gross["place"], &gross["missing"]), (&json!("$.totals.gross"), &json!(0)));
    assert_eq!(gross["examples"].as_array().unwrap().len(), 3);
    // Of an account only its end is shown.
    let account = field("partners", "bank_accounts.number");
    let examples: Vec<&str> =
        account["examples"].as_array().unwrap().iter().map(|of| of.as_str().unwrap()).collect();
    assert!(!examples.is_empty() && examples.iter().all(|of| of.contains("*****")), "{account}");
    assert!(field("invoices", "lines.distributions.segments.Account")["found"].as_u64() > Some(9));
    for feed in found["feeds"].as_array().unwrap() {
        assert_eq!(feed["records"], feed["readable"], "{feed:#}");
        for sum in feed["sums"].as_array().unwrap() {
            let exact = sum["sum"] != "line net = quantity × price";
            assert!(!exact || sum["holds"] == sum["of"], "{sum}");
        }
    }
    // The wrong profile: every list fails, and says how.
    let (found, status) = flow.run_json(&["profile", "check", "default", "no"]).await;
    assert_eq!((status, found["ok"].as_bool()), (1, Some(false)));
    let failed = found["failed"].as_array().unwrap();
    assert!(failed.len() >= 3, "{failed:#?}");
    assert!(
        failed.iter().all(|of| of["error"].as_str().unwrap().contains("/ji/v1/")),
        "{failed:#?}"
    );
    let text = flow.run(&["profile", "check", file]).await;
    let text = String::from_utf8(text.stdout).unwrap();
    for part in ["invoices: ", "$.totals.gross", "gross = net + tax: holds in", "FERDIG"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_profile_is_made_from_answers_and_checked_against_them() {
    let flow = start(Form::Default).await;
    let list = "/j1p/api/public/ji/v1/invoices";
    let file = saved(&flow, "invoices.json", list).await;
    let file = file.to_str().unwrap();
    let out = flow.folder.join("mine.toml");
    let out = out.to_str().unwrap();
    let (made, status) = flow.run_json(&["profile", "infer", "--sample", file, "--out", out]).await;
    assert_eq!((status, made["ok"].as_bool()), (0, Some(true)), "{made:#}");
    assert!(
        made["todo"].as_array().unwrap().iter().any(|of| { of.as_str().unwrap().contains("path") })
    );
    let (checked, status) = flow.run_json(&["profile", "check", out, "--sample", file]).await;
    assert_eq!((status, checked["ok"].as_bool()), (0, Some(true)), "{checked:#}");
    // What somebody may have corrected is not written over.
    let (again, status) =
        flow.run_json(&["profile", "infer", "--sample", file, "--out", out]).await;
    assert_eq!(status, 1);
    assert!(again["error"].as_str().unwrap().contains("not written over"), "{again}");
    // A field that stands nowhere fails, and so does a file that is no answer.
    let text = std::fs::read_to_string(out).unwrap();
    let (first, rest) = text.split_once("gross = ").unwrap();
    let rest = rest.split_once('\n').unwrap().1;
    std::fs::write(out, format!("{first}gross = \"$.nowhere\"\n{rest}")).unwrap();
    let (checked, status) = flow.run_json(&["profile", "check", out, "--sample", file]).await;
    assert_eq!((status, checked["ok"].as_bool()), (1, Some(false)));
    let gross = checked["fields"].as_array().unwrap().iter().find(|of| of["field"] == "gross");
    let gross = gross.unwrap();
    assert_eq!((&gross["found"], &gross["required"]), (&json!(0), &json!(true)));
    let broken = flow.folder.join("broken.json");
    std::fs::write(&broken, "<html>").unwrap();
    let broken = broken.to_str().unwrap();
    let (said, status) = flow.run_json(&["profile", "check", "default", "--sample", broken]).await;
    assert_eq!(status, 1);
    assert!(said["error"].as_str().unwrap().contains("not JSON"), "{said}");
    let (said, status) =
        flow.run_json(&["profile", "check", "default", "--sample", file, "--feed", "x"]).await;
    assert_eq!(status, 2);
    assert!(said["error"].as_str().unwrap().contains("purchase_orders"), "{said}");
}
