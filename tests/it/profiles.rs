//! The same paper read through either profile, in any order, is the same document.

use crate::flow::{Flow, postable};
use crate::stores;
use ml_connector::jaggaer::{Content, Entity};
use ml_connector::procurement::{Document, OrderLineKind, TaxLine, Vendor};
use ml_connector::{jaggaer as source, sync};
use ml_connector_sandbox::jaggaer::{Fault, Faults, Profile, Rate};
use ml_connector_sandbox::{Settings, world};
use std::collections::BTreeMap;

/// Everything that the source delivers, by kind and id. What cannot be read is its problems.
#[derive(Debug, Default, PartialEq)]
struct Delivered {
    documents: BTreeMap<(String, String), Result<Document, usize>>,
    vendors: BTreeMap<String, Vendor>,
}

async fn read_all(flow: &Flow, page_size: u64) -> Delivered {
    let mut wanted = flow.config.sources[0].clone();
    wanted.page_size = page_size;
    let settings = flow
        .config
        .jaggaer_settings(&wanted, &ml_connector::vault::Vault::default())
        .expect("settings");
    let client = source::Client::new(settings).expect("a client");
    let profile = sync::load_profile(&wanted.profile, &flow.folder).expect("built in");
    let mut delivered = Delivered::default();
    for feed in profile.feeds() {
        let mut pager = client.pager(feed, None);
        loop {
            let page = match pager.next().await {
                // A source need not have every list.
                Err(error) if feed.may_lack(&error) => break,
                page => page.expect("the list reads"),
            };
            let Some(page) = page else {
                assert!(pager.complete());
                break;
            };
            for row in page.rows {
                let body = match feed.needs_detail() {
                    true => client.detail(feed, &row.body).await.expect("the detail comes"),
                    false => row.body,
                };
                let read = feed.read(&body);
                match read.content {
                    Content::Document { kind, document } => {
                        assert_ne!(feed.entity(), Entity::Suppliers);
                        let key = (kind.as_str().to_owned(), read.source_id);
                        let document = document.map(|of| *of).map_err(|problems| problems.len());
                        delivered.documents.insert(key, document);
                    }
                    Content::Vendor(vendor) => {
                        delivered.vendors.insert(read.source_id, *vendor.expect("it reads"));
                    }
                    // The observed form has neither.
                    Content::Receipt(receipt) => drop(receipt.expect("it reads")),
                    Content::Contract(contract) => drop(contract.expect("it reads")),
                }
            }
        }
    }
    delivered
}

fn settings(profile: Profile) -> Settings {
    Settings {
        world: world::Settings {
            seed: 11,
            documents: 150,
            held_per_mille: 200,
            attachments: true,
            month: false,
            companies: 1,
            plant_not_ripe: true,
            plant_waiting: true,
        },
        profile,
        ..Settings::default()
    }
}

/// Takes away what the observed form has no place for, and nothing more.
fn carried_by_both(document: &mut Document) {
    // `NET30` there, `Net 30` here: the mapping names both.
    let plain_terms = |terms: &mut Option<String>| {
        if let Some(terms) = terms {
            *terms = terms.to_uppercase().replace(' ', "");
        }
    };
    let without_base = |taxes: &mut Vec<TaxLine>| {
        for tax in taxes {
            tax.base = None;
        }
    };
    match document {
        Document::Order(order) => {
            plain_terms(&mut order.terms);
            // Where it is delivered.
            order.ship_to = None;
            for line in &mut order.lines {
                // What the line is, and the contract behind it.
                (line.kind, line.contract) = (OrderLineKind::Unspecified, None);
                // For how many units the price is; quantity and net say the same.
                line.price_basis = None;
                without_base(&mut line.taxes);
            }
        }
        Document::Invoice(invoice) => {
            plain_terms(&mut invoice.terms);
            // No net and no taxes on the header: the gross and the lines tell.
            invoice.net = None;
            invoice.taxes.clear();
            for line in &mut invoice.lines {
                // For how many units the price is; quantity and net say the same.
                line.price_basis = None;
                without_base(&mut line.taxes);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_profiles_deliver_the_same_documents() {
    let one = Flow::start(settings(Profile::Default), stores::sqlite()).await;
    let two = Flow::start(settings(Profile::Observed), stores::sqlite()).await;
    let (one, two) = (read_all(&one, 50).await, read_all(&two, 50).await);
    assert!(one.documents.len() >= 300);
    assert_eq!(one.documents.keys().collect::<Vec<_>>(), two.documents.keys().collect::<Vec<_>>());
    let mut differing: BTreeMap<String, (usize, String)> = BTreeMap::new();
    for (key, left) in &one.documents {
        let right = &two.documents[key];
        match (left, right) {
            (Ok(left), Ok(right)) => {
                let (mut left, mut right) = (left.clone(), right.clone());
                carried_by_both(&mut left);
                carried_by_both(&mut right);
                let (left, right) =
                    (serde_json::to_value(left).unwrap(), serde_json::to_value(right).unwrap());
                let mut found = Vec::new();
                compare("", &left, &right, &mut found);
                for (path, what) in found {
                    differing.entry(path).or_insert((0, format!("{key:?} {what}"))).0 += 1;
                }
            }
            (Err(_), Err(_)) => {}
            (left, right) => panic!("{key:?} is read by one only: {left:?} {right:?}"),
        }
    }
    for (id, left) in &one.vendors {
        // The observed form shows no account of a vendor's.
        let left = Vendor { bank_accounts: vec![], ..left.clone() };
        let (left, right) =
            (serde_json::to_value(left).unwrap(), serde_json::to_value(&two.vendors[id]).unwrap());
        let mut found = Vec::new();
        compare("vendor", &left, &right, &mut found);
        for (path, what) in found {
            differing.entry(path).or_insert((0, format!("{id} {what}"))).0 += 1;
        }
    }
    assert!(differing.is_empty(), "{differing:#?}");
}

/// The paths at which two values differ; places in lists are left out of the path.
fn compare(
    path: &str,
    left: &serde_json::Value,
    right: &serde_json::Value,
    found: &mut Vec<(String, String)>,
) {
    use serde_json::Value::{Array, Object};
    match (left, right) {
        (Object(a), Object(b)) => {
            for key in a.keys().chain(b.keys().filter(|key| !a.contains_key(*key))) {
                let null = serde_json::Value::Null;
                let path = format!("{path}.{key}");
                let pair = (a.get(key).unwrap_or(&null), b.get(key).unwrap_or(&null));
                compare(&path, pair.0, pair.1, found);
            }
        }
        (Array(a), Array(b)) if a.len() == b.len() => {
            for (a, b) in a.iter().zip(b) {
                compare(&format!("{path}[]"), a, b, found);
            }
        }
        _ if left == right => {}
        _ => found.push((path.to_owned(), format!("{left} / {right}"))),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_order_of_pages_and_rows_gives_the_same_documents() {
    for profile in [Profile::Default, Profile::Observed, Profile::Alternate] {
        let plain = Flow::start(settings(profile), stores::sqlite()).await;
        let expected = read_all(&plain, 200).await;
        // A list that moves three times is given up until the next round: two are borne.
        let rates = [(Fault::MovedRecord, 300), (Fault::RepeatedRecord, 500)]
            .map(|(fault, per_mille)| (fault, Rate { per_mille, at_most: Some(2) }));
        for (page_size, seed) in [(1, 1), (7, 2), (33, 3), (100, 4)] {
            let mut settings = settings(profile);
            settings.jaggaer.page_size = page_size as usize;
            let flow = Flow::start(settings, stores::sqlite()).await;
            let faults = Faults { seed, rates: BTreeMap::from(rates), ..Faults::default() };
            flow.sandbox.jaggaer_faults().set(faults);
            let found = read_all(&flow, page_size).await;
            assert_eq!(found.documents.len(), expected.documents.len());
            assert!(found == expected, "{profile:?} with pages of {page_size}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_stands_in_visma_does_not_depend_on_the_profile() {
    for test in stores::both().await {
        let mut stands = Vec::new();
        for profile in [Profile::Default, Profile::Observed, Profile::Alternate] {
            let settings = Settings { profile, ..postable(12, 60) };
            let flow = Flow::start(settings, stores::another(&test).await).await;
            flow.sync().await;
            flow.assert_clean();
            let mut documents: Vec<_> = flow
                .sandbox
                .visma()
                .documents()
                .into_iter()
                .map(|held| format!("{:?} {} {:?}", held.document, held.status, held.own_text))
                .collect();
            documents.sort();
            stands.push(documents);
        }
        assert!(stands[0] == stands[1]);
        assert!(stands[0] == stands[2], "{}", first_difference(&stands[0], &stands[2]));
    }
}

fn first_difference(one: &[String], other: &[String]) -> String {
    let differing = one.iter().zip(other).find(|(one, other)| one != other);
    differing.map_or_else(|| "in number".into(), |(one, other)| format!("{one}\n{other}"))
}
