mod fulfilment;

use super::*;
use crate::jaggaer::{Feed, Profile};
use crate::procurement::{ChargeKind, Ripeness, SupplierInvoice};
use serde_json::json;
use std::sync::Arc;

fn data(name: &str) -> Value {
    let path = format!("{}/tests/data/jaggaer/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn feed(profile: &str, name: &str) -> Arc<Feed> {
    let profile = match profile {
        "alternate" => Profile::from_file(std::path::Path::new(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/profiles/alternate.toml"
        ))),
        built_in => Profile::built_in(built_in),
    };
    Arc::clone(profile.unwrap_or_else(|error| panic!("{error}")).feed(name).unwrap())
}

fn document(read: Read) -> Document {
    match read.content {
        Content::Document { document: Ok(document), .. } => *document,
        other => panic!("{other:?}"),
    }
}

fn invoice(read: Read) -> SupplierInvoice {
    match document(read) {
        Document::Invoice(invoice) => invoice,
        Document::Order(_) => panic!("an order"),
    }
}

fn problems(read: Read) -> Vec<String> {
    match read.content {
        Content::Document { document: Err(problems), .. }
        | Content::Vendor(Err(problems))
        | Content::Receipt(Err(problems))
        | Content::Contract(Err(problems)) => {
            problems.iter().map(|problem| format!("{}: {}", problem.field, problem.text)).collect()
        }
        other => panic!("{other:?}"),
    }
}

fn default_invoice() -> SupplierInvoice {
    invoice(feed("default", "invoices").read(&data("default")["invoice"]))
}

#[test]
fn the_default_profile_reads_an_invoice_whole() {
    let read = feed("default", "invoices").read(&data("default")["invoice"]);
    assert_eq!(read.source_id, "2526304");
    assert_eq!(read.stamp.as_ref().unwrap().raw, "2026-09-28T10:05:00.000Z");
    let invoice = invoice(read);
    assert_eq!(invoice.ripeness, Ripeness::Ripe);
    assert_eq!(invoice.status, "payment Payable, workflow Completed");
    assert_eq!(invoice.supplier_reference.as_deref(), Some("F-90017"));
    assert_eq!(invoice.payment_reference.as_deref(), Some("004711009283"));
    assert_eq!(invoice.gross.to_string(), "16552.50 NOK");
    assert_eq!(invoice.taxes.len(), 2);
    let line = &invoice.lines[0];
    assert_eq!((line.key.as_str(), line.number.as_str()), ("9912001", "1"));
    assert_eq!(line.net.minor, 1_200_000);
    assert_eq!(line.unit_price.unwrap().to_string(), "1200");
    assert_eq!(line.order.as_ref().unwrap().line_key.as_deref(), Some("8875911"));
    let share = &line.distributions[1];
    assert_eq!(share.amount.unwrap().minor, 480_000);
    assert_eq!(share.segments["Project"], "P-2031");
    let file = &invoice.attachments[0];
    assert_eq!(
        file.path.as_deref(),
        Some("/j1p/api/public/ji/v1/invoices/2526304/attachments/att-551")
    );
}

#[test]
fn a_credit_memo_is_turned_to_positive_amounts() {
    let read = feed("default", "invoices").read(&data("default")["credit_memo"]);
    let Content::Document { kind, .. } = &read.content else { panic!() };
    assert_eq!(*kind, DocumentKind::CreditNote);
    let credit = invoice(read);
    assert_eq!(credit.credits_reference.as_deref(), Some("F-90017"));
    assert_eq!(credit.ripeness, Ripeness::NotYet);
    assert!(credit.charges.is_empty(), "null and {{}} are no charges");
    let line = &credit.lines[0];
    assert!(line.order.is_none());
    let amounts = [
        credit.gross,
        credit.net.unwrap(),
        credit.tax.unwrap(),
        credit.taxes[0].base.unwrap(),
        line.net,
        line.taxes[0].amount.unwrap(),
        line.distributions[0].amount.unwrap(),
    ];
    let minor: Vec<i64> = amounts.iter().map(|amount| amount.minor).collect();
    assert_eq!(minor, [300_000, 240_000, 60_000, 240_000, 240_000, 60_000, 144_000]);
    assert_eq!(line.quantity.unwrap().to_string(), "2");
    assert_eq!(line.unit_price.unwrap().to_string(), "1200");
    assert_eq!(line.distributions[0].percent.unwrap().to_string(), "60");
}

#[test]
fn the_default_profile_reads_an_order_and_a_supplier() {
    let Document::Order(order) =
        document(feed("default", "purchase_orders").read(&data("default")["order"]))
    else {
        panic!()
    };
    assert_eq!((order.number.as_str(), order.revision), ("PO-2026-004711", Some(1)));
    assert_eq!(order.ripeness, Ripeness::Ripe);
    assert_eq!(order.lines.iter().map(|line| line.cancelled).collect::<Vec<_>>(), [false, true]);
    assert_eq!(order.lines[0].requested_on.unwrap().to_string(), "2026-10-05");
    assert_eq!(order.lines[0].distributions[0].amount, None);

    let Content::Vendor(Ok(vendor)) =
        feed("default", "suppliers").read(&data("default")["supplier"]).content
    else {
        panic!()
    };
    assert_eq!(vendor.erp_number_by_business_unit["NORDLYS-SE"], "70012");
    assert_eq!(vendor.country.as_deref(), Some("NO"));
    assert_eq!(vendor.other_names, ["Fjord Kontor og Interiør AS"]);
    assert_eq!(
        (vendor.duns.as_deref(), vendor.gln.as_deref()),
        (Some("345678901"), Some("7080000000029"))
    );
    let address = vendor.address.as_ref().unwrap();
    assert_eq!(address.street.as_deref(), Some("Strandgaten 18"), "of the main address");
    assert_eq!(
        (address.postal_code.as_deref(), address.city.as_deref()),
        (Some("5003"), Some("Bergen"))
    );
    let accounts: Vec<String> = vendor.bank_accounts.iter().map(ToString::to_string).collect();
    assert_eq!(
        accounts,
        ["IBAN NO9386011117947", "bankgiro 5402-9681"],
        "the first account stands there as an IBAN too"
    );
    assert!(vendor.active);
}

#[test]
fn both_built_in_profiles_read_the_same_invoice() {
    let mut plain = default_invoice();
    let mut observed = invoice(feed("observed", "invoices").read(&data("observed")["invoice"]));
    assert_eq!(observed.tax, plain.tax);
    // What the observed form does not carry.
    for invoice in [&mut plain, &mut observed] {
        invoice.net = None;
        invoice.taxes.clear();
        for line in &mut invoice.lines {
            for tax in &mut line.taxes {
                (tax.rate, tax.base) = (None, None);
            }
            for share in &mut line.distributions {
                share.percent = None;
            }
        }
    }
    assert_eq!(observed, plain);

    let Content::Vendor(Ok(vendor)) =
        feed("observed", "suppliers").read(&data("observed")["supplier"]).content
    else {
        panic!()
    };
    assert_eq!(vendor.source_id, "1003837241");
    assert_eq!(vendor.vat_number.as_deref(), Some("NO912345674MVA"));
}

#[test]
fn a_quite_different_layout_is_read_from_a_file_alone() {
    let voucher = &data("alternate")["voucher"];
    let read = feed("alternate", "invoices").read(voucher);
    assert_eq!(
        read.stamp.as_ref().unwrap().timestamp().unwrap().to_string(),
        "2026-09-28T10:05:00Z"
    );
    let alternate = invoice(read);
    let plain = default_invoice();
    assert_eq!(alternate.gross, plain.gross);
    assert_eq!(alternate.net, plain.net);
    assert_eq!(alternate.invoiced_on, plain.invoiced_on);
    assert_eq!(alternate.vendor, plain.vendor);
    for (line, expected) in alternate.lines.iter().zip(&plain.lines) {
        assert_eq!(line.net, expected.net);
        assert_eq!(line.unit_price, expected.unit_price);
        assert_eq!(line.taxes[0].amount, expected.taxes[0].amount);
        let segments = |line: &crate::procurement::InvoiceLine| {
            line.distributions.iter().map(|share| share.segments.clone()).collect::<Vec<_>>()
        };
        assert_eq!(segments(line), segments(expected));
        assert_eq!(line.distributions[0].amount, None);
    }
    assert_eq!(alternate.lines[1].number, "20", "line numbers are kept, not counted");

    let credit = feed("alternate", "credits").read(voucher);
    let Content::Document { kind, .. } = &credit.content else { panic!() };
    assert_eq!(*kind, DocumentKind::CreditNote);
    assert_eq!(invoice(credit).gross, plain.gross, "already positive in this source");
}

/// The example that teaches must itself be right.
#[test]
fn the_worked_example_in_the_manual_reads_its_document() {
    let manual = include_str!("../../../docs/profiles.md");
    let block = |language: &str| {
        let (_, after) = manual.split_once(&format!("```{language}\n")).unwrap();
        after.split_once("```").unwrap().0
    };
    let profile = Profile::parse("docs/profiles.md", block("toml")).unwrap();
    let answer: Value = serde_json::from_str(block("json")).unwrap();
    let invoice = invoice(profile.feed("vouchers").unwrap().read(&answer["data"][0]));
    assert_eq!(invoice.gross.to_string(), "15000.00 NOK");
    assert_eq!(invoice.invoiced_on.to_string(), "2026-09-28");
    assert_eq!(invoice.lines[0].quantity.unwrap().to_string(), "10");
    assert_eq!(invoice.lines[0].distributions[1].segments["CostCenter"], "120");
    assert_eq!(invoice.ripeness, Ripeness::Ripe);
}

#[test]
fn watermarks_go_back_in_each_profile_s_own_words() {
    let stamp = |text: &str| Stamp {
        micros: text.parse::<jiff::Timestamp>().unwrap().as_microsecond(),
        raw: text.to_owned(),
    };
    for (profile, name, at, expected) in [
        (
            "default",
            "invoices",
            "2026-09-28T10:05:00.123Z",
            ("updatedSince", "2026-09-28T10:00:00.123Z"),
        ),
        (
            "observed",
            "invoices",
            "2026-09-28T10:05:00.999Z",
            ("flt", "LASTMODTIME>=20260928100000"),
        ),
        // Exclusive: a second more than the overlap.
        (
            "alternate",
            "invoices",
            "2026-09-28T10:05:00Z",
            ("filter[modified_gt]", "2026-09-28 11:59:59"),
        ),
        // 02:40 comes twice that night; nothing between may be missed.
        (
            "alternate",
            "invoices",
            "2026-10-25T01:45:01Z",
            ("filter[modified_gt]", "2026-10-25 01:40:00"),
        ),
    ] {
        let found = feed(profile, name).since_query(&stamp(at)).unwrap();
        assert_eq!((found.0.as_str(), found.1.as_str()), expected, "{profile} {at}");
    }
    assert!(stamp("2026-01-01T00:00:00Z") < stamp("2026-01-01T00:00:00.000001Z"));
}

#[test]
fn what_cannot_be_read_is_named() {
    let feed = feed("default", "invoices");
    let cases: &[(&str, Value, &str)] = &[
        ("/grossAmount/amount", json!("N/A"), "gross: not a number"),
        (
            "/grossAmount/amount",
            json!("16552.505"),
            "gross: 16552.505 has more decimals than NOK has (2)",
        ),
        ("/grossAmount/currency", json!("SEK"), "gross: an amount in SEK on a document in NOK"),
        ("/grossAmount", json!(null), "gross: an amount is missing"),
        ("/currency", json!("KRONER"), "currency: `KRONER` is not an ISO 4217 currency code"),
        ("/currency", json!(""), "currency: a text is missing"),
        (
            "/invoiceDate",
            json!("28.09.2026"),
            "invoiced_on: not a date written as 2026-09-28 or 2026-09-28T10:05:00Z",
        ),
        (
            "/type",
            json!("Proforma"),
            "kind: not in the profile's value table (CreditMemo, Invoice)",
        ),
        ("/id", json!(null), "id: a text is missing"),
        ("/lines/1/netAmount", json!({}), "lines[1].net: an amount is missing"),
        (
            "/lines/0/quantity",
            json!([1, 2]),
            "lines[0].quantity: a list, where one value was expected",
        ),
        ("/lines/0/taxLines/0/rate", json!("high"), "lines[0].taxes[0].tax.rate: not a number"),
        (
            "/lines/0/distributions/0/amount/amount",
            json!("x"),
            "lines[0].distributions[0].amount: not a number",
        ),
        (
            "/supplier/name",
            json!({"first": "x"}),
            "vendor.name: an object, where one value was expected",
        ),
        (
            "/supplierInvoiceNumber",
            json!("x".repeat(501)),
            "supplier_reference: longer than 500 characters",
        ),
    ];
    for (pointer, value, expected) in cases {
        let mut body = data("default")["invoice"].clone();
        *body.pointer_mut(pointer).unwrap() = value.clone();
        assert_eq!(problems(feed.read(&body)), [*expected], "{pointer}");
    }
}

#[test]
fn shapes_from_nowhere_never_panic() {
    for profile in ["default", "observed", "alternate"] {
        let profile = match profile {
            "alternate" => Profile::parse("a", include_str!("../../../profiles/alternate.toml")),
            name => Profile::built_in(name),
        }
        .unwrap();
        for feed in profile.feeds() {
            for body in [json!(null), json!({}), json!([]), json!("x"), json!(7), json!([[{}]])] {
                let read = feed.read(&body);
                assert!(read.source_id.starts_with("no-id:"), "{}", feed.name());
                assert!(!problems(read).is_empty());
            }
        }
    }
}

#[test]
fn absent_optional_fields_are_none_in_all_their_forms() {
    let feed = feed("default", "invoices");
    for nothing in [json!(null), json!(""), json!("  "), json!({}), json!([])] {
        let mut body = data("default")["invoice"].clone();
        for member in [
            "supplierInvoiceNumber",
            "dueDate",
            "paymentReference",
            "businessUnit",
            "netAmount",
            "attachments",
        ] {
            body[member] = nothing.clone();
        }
        body["lines"][0]["po"] = nothing.clone();
        let invoice = invoice(feed.read(&body));
        assert_eq!(invoice.supplier_reference, None);
        assert_eq!(invoice.due_on, None);
        assert_eq!(invoice.business_unit, None);
        assert_eq!(invoice.net, None);
        assert!(invoice.attachments.is_empty());
        assert_eq!(invoice.lines[0].order, None);
    }
}

#[test]
fn numbers_and_texts_change_places_without_harm() {
    let feed = feed("default", "invoices");
    let text = data("default")["invoice"].to_string();
    let swapped = text
        .replace("\"16552.50\"", "16552.50")
        .replace("\"quantity\":\"10\"", "\"quantity\":10.000")
        .replace("\"lineNumber\":1", "\"lineNumber\":\"1\"")
        .replace("\"id\":\"2526304\",\"invoiceNumber\"", "\"id\":2526304,\"invoiceNumber\"");
    let body: Value = serde_json::from_str(&swapped).unwrap();
    assert_eq!(invoice(feed.read(&body)), default_invoice());
}

#[test]
fn statuses() {
    let feed = feed("default", "invoices");
    for (workflow, payment, expected) in [
        (json!("Completed"), json!("Payable"), Ripeness::Ripe),
        (json!("Completed"), json!("OnHold"), Ripeness::NotYet),
        (json!("Pending"), json!("Payable"), Ripeness::NotYet),
        (json!("Cancelled"), json!("Payable"), Ripeness::Cancelled),
        (json!("Completed"), json!("Surprise"), Ripeness::Unknown),
        (json!("Completed"), json!("Paid"), Ripeness::Unknown),
        (json!("Completed"), json!(null), Ripeness::Unknown),
        (json!("completed"), json!("Payable"), Ripeness::Unknown),
    ] {
        let mut body = data("default")["invoice"].clone();
        (body["workflowStatus"], body["paymentStatus"]) = (workflow.clone(), payment.clone());
        assert_eq!(invoice(feed.read(&body)).ripeness, expected, "{workflow} {payment}");
    }
}

#[test]
fn charges_add_to_the_net_as_they_should() {
    let mut body = data("default")["invoice"].clone();
    body["shippingAmount"] = json!({"amount": "100.00", "currency": "NOK"});
    body["discountAmount"] = json!({"amount": "50.00", "currency": "NOK"});
    body["handlingAmount"] = json!({"amount": "0.00", "currency": "NOK"});
    let charges = invoice(feed("default", "invoices").read(&body)).charges;
    let found: Vec<_> = charges.iter().map(|charge| (charge.kind, charge.amount.minor)).collect();
    assert_eq!(found, [(ChargeKind::Shipping, 10_000), (ChargeKind::Discount, -5_000)]);
}

#[test]
fn coding_schemes_header_shares_and_impossible_shares() {
    let feed = feed("observed", "invoices");
    let share = |pairs: &[(&str, &str)]| {
        let values: Vec<Value> = pairs
            .iter()
            .map(|(name, value)| json!({"internalName": name, "value": value}))
            .collect();
        json!({"customFieldValueList": {"customFieldValue": values}})
    };
    let group = |shares: &[Value]| {
        json!({"splittableFieldIndexSet": [{"context": "Line",
            "splittableFieldIndexList": {"splittableFieldIndex": shares}}]})
    };
    let set = |body: &mut Value, at: &str, groups: &[Value]| {
        body.pointer_mut(at).unwrap()["splittableFieldSetGroupList"] =
            json!({"splittableFieldSetGroup": groups});
    };
    let base = data("observed")["invoice"].clone();

    // Two schemes side by side: one split, told in two places.
    let mut body = base.clone();
    let account = share(&[("Account", "6540"), ("SplitAmount", "12000")]);
    set(
        &mut body,
        "/lineList/invoiceLine/0",
        &[group(&[account]), group(&[share(&[("Project", "P-2031")])])],
    );
    let found = invoice(feed.read(&body)).lines[0].distributions.clone();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].segments.len(), 2);

    // No shares on the line: the header's hold, by percent.
    let mut body = base.clone();
    set(&mut body, "/lineList/invoiceLine/1", &[]);
    let halves = [("110", "50"), ("120", "50")].map(|(centre, percent)| {
        share(&[("CostCenter", centre), ("SplitPercent", percent), ("SplitAmount", "9999")])
    });
    set(&mut body, "/header", &[group(&halves)]);
    let found = invoice(feed.read(&body)).lines[1].distributions.clone();
    assert_eq!(found.len(), 2);
    assert_eq!((found[1].amount, found[1].percent.unwrap().to_string()), (None, "50".to_owned()));

    // Two shares that say nothing of their size.
    let mut body = base.clone();
    let bare = [share(&[("CostCenter", "110")]), share(&[("CostCenter", "120")])];
    set(&mut body, "/lineList/invoiceLine/0", &[group(&bare)]);
    assert_eq!(problems(feed.read(&body)).len(), 1);

    // One share that says nothing of its size takes all.
    let mut body = base.clone();
    set(&mut body, "/lineList/invoiceLine/0", &[group(&bare[..1])]);
    assert_eq!(invoice(feed.read(&body)).lines[0].distributions[0].amount, None);

    // Schemes that contradict each other.
    let mut body = base;
    let other = share(&[("Account", "6860")]);
    set(
        &mut body,
        "/lineList/invoiceLine/0",
        &[group(&[share(&[("Account", "6540")])]), group(&[other])],
    );
    assert!(problems(feed.read(&body))[0].contains("both `6540` and `6860`"));
}

#[test]
fn net_amounts_are_computed_where_the_profile_says_so() {
    let feed = feed("observed", "invoices");
    let line = |quantity: &str, price: &str, basis: &str, discount: &str| {
        let mut body = data("observed")["invoice"].clone();
        let line = body.pointer_mut("/lineList/invoiceLine/0").unwrap();
        for (name, text) in [
            ("quantity", quantity),
            ("unitPrice", price),
            ("priceUnitQuantity", basis),
            ("discountAmount", discount),
        ] {
            line[name] = serde_json::from_str(text).unwrap();
        }
        feed.read(&body)
    };
    for (quantity, price, basis, discount, net) in [
        ("10", "1200", "null", "0", 1_200_000),
        ("3", "0.335", "null", "0", 101),
        ("2.5", "99.99", "100", "null", 250),
        ("10", "12.5", "1", "25", 10_000),
    ] {
        let read = line(quantity, price, basis, discount);
        assert_eq!(invoice(read).lines[0].net.minor, net, "{quantity} {price} {basis}");
    }
    assert_eq!(problems(line("10", "1200", "0", "0")).len(), 1, "division by zero");
    assert_eq!(problems(line("null", "1200", "1", "0")).len(), 1);
}

mod any_order {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        /// The reading of a row depends on nothing but the row.
        #[test]
        fn rows_in_any_order_give_the_same_documents(order in Just((0..6_usize).collect::<Vec<_>>()).prop_shuffle()) {
            let feed = feed("default", "invoices");
            let row = |index: usize| {
                let mut body = data("default")[if index < 3 { "invoice" } else { "credit_memo" }].clone();
                body["id"] = json!(index.to_string());
                body
            };
            let straight: Vec<Read> = (0..6).map(|index| feed.read(&row(index))).collect();
            let mut shuffled: Vec<Read> = order.into_iter().map(|index| feed.read(&row(index))).collect();
            shuffled.sort_by(|a, b| a.source_id.cmp(&b.source_id));
            prop_assert_eq!(straight, shuffled);
        }
    }
}

#[test]
fn a_vendor_can_have_names_and_accounts_at_several_places() {
    let profile = Profile::parse(
        "names.toml",
        r#"
        name = "names"
        [[feed]]
        name = "suppliers"
        entity = "suppliers"
        path = "/partners"
        items = "$"
        id = "$.id"
        paging = { kind = "none" }
        [feed.supplier]
        name = "$.display"
        other_names = ["$.trade", "$.former"]
        remit_to = "$.paid.key"
        address = { city = "$.place" }
        bank_accounts = [{ kind = "plusgiro", number = "$.pg" }, { kind = "unspecified", list = "$.acc", number = "$.no" }]
        "#,
    )
    .unwrap();
    let feed = profile.feed("suppliers").unwrap();
    let read = |body: Value| match feed.read(&body).content {
        Content::Vendor(vendor) => vendor,
        Content::Document { .. } | Content::Receipt(_) | Content::Contract(_) => {
            panic!("a vendor was expected")
        }
    };
    let vendor = read(json!({
        "id": "7", "display": "Ny AS", "trade": "Butikken", "former": ["Gammel AS", "Butikken", "Ny AS"],
        "paid": { "key": "9" }, "place": " ", "pg": "286543-4",
        "acc": [{ "no": "1234.56.78903" }, { "no": null }, { "no": "12345678903" }],
    }))
    .unwrap();
    assert_eq!(vendor.other_names, ["Butikken", "Gammel AS"]);
    assert_eq!(vendor.remit_to.as_deref(), Some("9"));
    assert_eq!(vendor.address, None, "a blank city is no address");
    let accounts: Vec<String> = vendor.bank_accounts.iter().map(ToString::to_string).collect();
    assert_eq!(accounts, ["plusgiro 286543-4", "account 1234.56.78903"]);

    let problems = read(json!({ "id": "7", "display": "Ny AS", "former": [1] })).unwrap_err();
    assert_eq!(problems[0].field, "other_names");
}

#[test]
fn where_an_invoice_asks_to_be_paid_and_in_which_money() {
    use crate::procurement::BankAccountKind::{Bankgiro, Iban};
    let feed = feed("default", "invoices");
    let mut body = data("default")["invoice"].clone();
    let plain = invoice(feed.read(&body));
    assert_eq!((plain.payee, plain.exchange_rate), (None, None));
    assert!(!plain.prices_include_tax);
    body["exchangeRate"] = json!("11.742500");
    body["lines"][0]["commodityCode"] = json!("56112102");
    for (payee, kind, number) in [
        (
            json!({ "iban": "NO93 8601 1117 947", "bban": "86011117947" }),
            Iban,
            "NO93 8601 1117 947",
        ),
        (json!({ "iban": null, "bankgiro": "5402-9681" }), Bankgiro, "5402-9681"),
    ] {
        body["payee"] = payee;
        let read = invoice(feed.read(&body));
        let account = read.payee.expect("it stands there");
        assert_eq!((account.kind, account.number.as_str()), (kind, number));
        assert_eq!(read.exchange_rate, Some("11.7425".parse().unwrap()));
        assert_eq!(read.lines[0].commodity.as_deref(), Some("56112102"));
    }
}

#[test]
fn amounts_with_their_currency_in_one_text() {
    const TEXT: &str = r#"
        name = "t"
        notation = { money = "money_text", decimal_mark = ",", group_marks = " ." }
        [[feed]]
        name = "i"
        entity = "invoices"
        kind = "invoice"
        path = "/i"
        items = "$"
        id = "$.id"
        paging = { kind = "none" }
        [feed.invoice]
        number = "$.id"
        currency = { at = "$.sum", type = "money_text" }
        invoiced_on = { at = "$.on", type = "epoch_ms" }
        gross = "$.sum"
        vendor = { name = "$.who" }
        status = { fields = { s = "$.s" }, rules = [{ then = "ripe", when = { s = ["Y"] } }] }
        lines = { list = "$.l", number = "$.n", pricing = { net = "$.net", unit_price = { at = "$.price", type = "minor_units" } } }
    "#;
    let profile = Profile::parse("t", TEXT).unwrap();
    let mut rows = json!([{"id": 7, "sum": "NOK 1 234,50", "on": 1_790_589_900_123_u64, "who": "x",
        "s": "Y", "l": [{"n": 1, "net": "1.234,50 nok", "price": 123_450.5}]}]);
    let feed = &profile.feeds()[0];
    let found = feed.items.take_list(&mut rows).unwrap();
    let read = invoice(feed.read(&found[0]));
    assert_eq!(read.gross.to_string(), "1234.50 NOK");
    assert_eq!(read.lines[0].net.to_string(), "1234.50 NOK");
    assert_eq!(read.lines[0].unit_price.unwrap().to_string(), "1234.505", "finer than an øre");
    assert_eq!(read.invoiced_on.to_string(), "2026-09-28");
    let mut other = found[0].clone();
    other["l"][0]["net"] = json!("EUR 5");
    assert_eq!(
        problems(feed.read(&other)),
        ["lines[0].net: an amount in EUR on a document in NOK"]
    );
}
