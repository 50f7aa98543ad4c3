//! `fit`: what it says would happen is what a sync then does, and until then nothing happens at all.

use crate::flow::{Flow, run};
use crate::offices::{Offices, settings as of_offices};
use crate::stores;
use ml_connector_sandbox::{Settings, world};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// More days than any document of the sandbox is old.
const ALL: &str = "400";

fn with_holds(seed: u64, documents: usize) -> Settings {
    Settings {
        world: world::Settings { seed, documents, attachments: true, ..world::Settings::default() },
        ..Settings::default()
    }
}

/// Takes lines out of the configuration: what a new customer has not mapped yet.
fn without(folder: &Path, lines: &[&str]) {
    let path = folder.join("ml-connector.toml");
    let mut text = std::fs::read_to_string(&path).expect("it is there");
    for line in lines {
        assert!(text.contains(line), "{line}");
        text = text.replace(line, "");
    }
    std::fs::write(path, text).expect("writable");
}

fn number(of: &Value, key: &str) -> i64 {
    of[key].as_i64().unwrap_or_else(|| panic!("{key} in {of}"))
}

/// Everything that the simulated Visma would notice.
fn assert_untouched(flow: &Flow, before: usize) {
    let visma = flow.sandbox.visma();
    assert_eq!(visma.calls().writes, 0, "{:?}", visma.calls());
    assert_eq!(visma.documents().len(), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_fit_says_is_what_a_sync_then_does() {
    for test in stores::both().await {
        let flow = Flow::start(with_holds(11, 90), test).await;
        let before = flow.sandbox.visma().documents().len();
        let (fit, status) = flow.run_json(&["fit", "--days", ALL]).await;
        assert_untouched(&flow, before);
        assert_eq!(flow.documents().await, [], "the real store was not used");
        assert_eq!(status, 3, "something is held: {fit}");
        assert_eq!((number(&fit, "posted"), number(&fit, "uncertain")), (0, 0));
        let parts = ["would_post", "held", "ignored", "in_flight"];
        let sum: i64 = parts.iter().map(|part| number(&fit, part)).sum();
        assert_eq!(number(&fit, "received"), sum);

        let done = flow.sync_to_the_end().await.totals;
        assert_eq!(number(&fit, "received"), done.received);
        assert_eq!(number(&fit, "would_post"), done.posted, "{fit:#}");
        assert_eq!(number(&fit, "held") + number(&fit, "in_flight"), done.held + done.in_flight);
        let mut codes: BTreeMap<String, i64> = BTreeMap::new();
        for hold in flow.store.holds().await.expect("the store reads") {
            *codes.entry(hold.code).or_default() += 1;
        }
        let said = fit["connections"][0]["holds"].as_array().expect("a list").iter();
        let said: BTreeMap<String, i64> = said
            .map(|of| (of["code"].as_str().unwrap_or("").to_owned(), number(of, "documents")))
            .collect();
        assert_eq!(said, codes);
        flow.assert_clean();

        // Once more with everything in Visma: nothing is left to post, and nobody is fooled by our own.
        let writes = flow.writes();
        let (again, _) = flow.run_json(&["fit", "--days", ALL]).await;
        assert_eq!(flow.writes(), writes);
        assert_eq!(number(&again, "would_post"), done.posted, "{again:#}");
        let there = number(&again["connections"][0], "already_in_visma");
        assert_eq!(there, done.posted, "{again:#}");
        assert_eq!(number(&again["connections"][0]["cost"], "documents"), 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn codes_that_are_not_mapped_are_named_with_what_they_stop() {
    for test in stores::both().await {
        let flow = Flow::start(with_holds(11, 60), test).await;
        let before = flow.sandbox.visma().documents().len();
        let (whole, _) = flow.run_json(&["fit", "--days", ALL]).await;
        without(&flow.folder, &["NO-12 = \"K12\"\n", "NORDLYS-NO2 = \"2\"\n"]);
        let (fit, _) = flow.run_json(&["fit", "--days", ALL]).await;
        assert_untouched(&flow, before);

        let report = &fit["connections"][0];
        let todo = |code: &str| {
            let todo = report["todo"].as_array().expect("a list");
            todo.iter()
                .find(|of| of["code"] == code)
                .unwrap_or_else(|| panic!("{code}: {report:#}"))
        };
        assert_eq!(todo("NO-12")["suggestion"]["value"], "K12");
        assert_eq!(todo("NORDLYS-NO2")["suggestion"]["value"], "2");
        assert!(number(todo("NO-12"), "documents") > 0);
        let stopped = number(&whole, "would_post") - number(&fit, "would_post");
        assert!(stopped >= number(todo("NO-12"), "frees"), "{report:#}");
        // Both suggestions are right: with them it comes to what the whole mapping comes to.
        assert_eq!(report["trial"]["would_post"], whole["would_post"], "{report:#}");
        let vat = report["codes"].as_array().expect("a list");
        let vat = vat.iter().find(|of| of["table"] == "vat").expect("the VAT codes");
        assert_eq!(number(vat, "used") - number(vat, "matched"), 1, "{vat}");
        assert_eq!(vat["unmatched"][0]["code"], "NO-12");
    }
}

/// What every new customer lacks: nothing says yet where the segments of the subaccount come from.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn segments_that_nothing_fills_are_proposed_as_rules() {
    for test in stores::both().await {
        let flow = Flow::start(with_holds(11, 60), test).await;
        let (whole, _) = flow.run_json(&["fit", "--days", ALL]).await;
        let rules = [
            "[[connection.mapping.segments]]\nid = 1\ndimension = \"CostCenter\"\nsame_code = true\n",
            "[[connection.mapping.segments]]\nid = 2\ndimension = \"Project\"\nsame_code = true\n\
             default = \"000000\"\n",
        ];
        without(&flow.folder, &rules);
        let (fit, _) = flow.run_json(&["fit", "--days", ALL]).await;
        let report = &fit["connections"][0];
        assert_eq!(fit["would_post"], 0, "{report:#}");
        let todo = report["todo"].as_array().expect("a list");
        let proposed: Vec<&str> = todo
            .iter()
            .filter(|of| of["table"].as_str().is_some_and(|title| title.starts_with("Segment")))
            .filter_map(|of| of["suggestion"]["value"].as_str())
            .collect();
        let written: Vec<String> =
            rules.iter().map(|rule| rule.lines().skip(1).collect::<Vec<_>>().join(", ")).collect();
        let (centre, project) = (written[0].as_str(), written[1].as_str());
        assert!(proposed.contains(&centre) && proposed.contains(&project), "{proposed:?}");
        assert_eq!(report["trial"]["would_post"], whole["would_post"], "{report:#}");

        flow.run_json(&["sync"]).await;
        let (wanted, _) = flow.run_json(&["mapping", "suggest"]).await;
        let segments = wanted["segments"].as_array().expect("a list");
        let first: Vec<&Value> = segments.iter().map(|of| &of["suggestions"][0]["rule"]).collect();
        assert_eq!(first, [centre, project], "{wanted:#}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_holds_all_it_needs_and_nothing_that_runs() {
    let flow = Flow::start(with_holds(5, 40), stores::sqlite()).await;
    let before = flow.sandbox.visma().documents().len();
    let world = flow.sandbox.world();
    let order = world.add_order(flow.vendor());
    world.edit_order(&order, |order| {
        order.business_unit = "<img src=x onerror=alert(1)>\u{202e}&\"'</style>".into();
    });
    let page = flow.folder.join("fit.html");
    let said = flow.run(&["fit", "--days", ALL, "--html", &page.display().to_string()]).await;
    assert_eq!(said.status.code(), Some(3), "{}", String::from_utf8_lossy(&said.stderr));
    assert_untouched(&flow, before);
    let html = std::fs::read_to_string(&page).expect("it was written");
    for foreign in ["http://", "https://", "<script", "<link", "<img", "@import", "url(", "src="] {
        let escaped = html.replace("&#60;img src=x onerror", "");
        assert!(!escaped.contains(foreign), "{foreign}");
    }
    assert!(html.contains("&#60;img src=x onerror=alert(1)&#62;"), "the code is named");
    assert_eq!(html.matches("</style>").count(), 1);
    assert!(html.contains("<svg") && html.contains("prefers-color-scheme: dark"));
    // What turns the direction of text ends with its own element.
    for (at, _) in html.match_indices('\u{202e}') {
        let open = html[..at].matches("<bdi>").count() - html[..at].matches("</bdi>").count();
        assert_eq!(open, 1, "{}", &html[at.saturating_sub(200)..at]);
    }
    let terminal = String::from_utf8(said.stdout).expect("text");
    assert!(!terminal.contains('\u{202e}') && terminal.contains("nothing was posted"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn offices_that_share_an_instance_are_told_apart() {
    for test in stores::both().await {
        let offices = Offices::start(of_offices(7, 60, 0), test).await;
        let stray = offices.order("NORDLYS-SE");
        let (fit, _) = json_of(&offices.folder, &["fit", "--days", ALL]).await;
        for office in 0..3 {
            assert_eq!(offices.sandbox.visma_of(office).calls().writes, 0);
        }
        let reports = fit["connections"].as_array().expect("a list");
        assert_eq!(reports.len(), 3);
        let number_of = offices.sandbox.world().order(&stray).expect("it was added").number;
        for report in reports {
            assert!(number(report, "would_post") > 10, "{report:#}");
            let unrouted = &report["unrouted"][0];
            assert_eq!(
                (unrouted["code"].as_str(), number(unrouted, "documents")),
                (Some("no_route"), 1)
            );
            assert_eq!(unrouted["examples"][0]["number"], number_of);
        }
        offices.sync().await;
        let report = offices.sync().await;
        assert_eq!(number(&fit, "would_post"), report.totals.posted, "{fit:#}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_read_is_said_and_no_page_is_written() {
    let flow = Flow::start(with_holds(5, 10), stores::sqlite()).await;
    let path = flow.folder.join("ml-connector.toml");
    let text = std::fs::read_to_string(&path).expect("it is there");
    std::fs::write(&path, text.replace("sandbox-visma\"", "nobody\"")).expect("writable");
    let page = flow.folder.join("fit.html");
    let said = flow.run(&["fit", "--html", &page.display().to_string()]).await;
    assert_eq!(said.status.code(), Some(1));
    let told = String::from_utf8(said.stderr).expect("text");
    assert!(told.contains("ml-connector: nordlys:") && told.contains("was not written"), "{told}");
    assert!(!page.exists());
}

async fn json_of(folder: &Path, arguments: &[&str]) -> (Value, Option<i32>) {
    let output = run(folder, &[&["--json"], arguments].concat()).await;
    let value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    (value, output.status.code())
}
