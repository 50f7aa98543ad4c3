//! What decisions look up about other documents, on both engines: by order line, by supplier and
//! number, by supplier and amount, by vendor.

use crate::stores;
use jiff::civil::{Date, date};
use ml_connector::decide::PastInvoice;
use ml_connector::matching::ReferenceForms;
use ml_connector::procurement::{
    BankAccount, BankAccountKind, Contract, Currency, DocumentKind, ErpInvoice, ErpInvoiceLine,
    InvoiceKind, Money, Receipt, ReceiptLine, VendorRef,
};
use ml_connector::store::{
    Change, DocumentFacts, DocumentState, Likeness, NewDocument, OwnBilling, Owned, PostingRow,
    PostingState, Step, Store,
};
use rust_decimal::Decimal;

const COMPANY: &str = "nordlys";

async fn open(url: &str) -> (Store, Owned) {
    let store = Store::open(url).await.unwrap();
    let owned = store.take_ownership("u", "me", 60_000_000, false).await.unwrap().unwrap();
    (store, owned)
}

fn nok(minor: i64) -> Money {
    Money::new(minor, Currency::NOK)
}

fn invoice(number: &str, reference: &str, on: Date, gross: i64) -> ErpInvoice {
    ErpInvoice {
        kind: Some(InvoiceKind::Invoice),
        document_type: "Invoice".into(),
        number: number.into(),
        supplier: "50001".into(),
        supplier_reference: Some(reference.into()),
        status: "Balanced".into(),
        currency: Currency::NOK,
        document_on: Some(on),
        gross: nok(gross),
        vat: None,
        balance: None,
        payment_reference: None,
        our_key: None,
        version: Some("1".into()),
        modified: None,
        attachments: vec![],
        lines: vec![],
    }
}

fn keep(change: &mut Change, invoice: &ErpInvoice) {
    let reference = invoice.supplier_reference.as_deref().unwrap_or_default();
    change.keep_erp_invoice(COMPANY, invoice, &ReferenceForms::of(reference));
}

fn line(number: i64, order: Option<(&str, i64)>, receipt: Option<(&str, i64)>) -> ErpInvoiceLine {
    ErpInvoiceLine {
        number,
        cost: nok(10_000),
        account: None,
        segments: vec![],
        vat_category: None,
        quantity: Some("2.5".parse().unwrap()),
        unit: Some("STK".into()),
        order_number: order.map(|(number, _)| number.into()),
        order_line: order.map(|(_, line)| line),
        receipt_number: receipt.map(|(number, _)| number.into()),
        receipt_line: receipt.map(|(_, line)| line),
    }
}

fn document(change: &mut Change, id: &str) {
    change.insert_document(&NewDocument {
        id: id.into(),
        connection: "no".into(),
        source: "jaggaer".into(),
        kind: DocumentKind::SupplierInvoice,
        source_id: id.into(),
        feed: "invoices".into(),
        row_hash: "h".into(),
        state: DocumentState::Posting,
        received_at: 1,
        routed: "r".into(),
    });
}

fn posting(document: &str, state: PostingState) -> PostingRow {
    PostingRow {
        id: format!("p-{document}"),
        company: COMPANY.into(),
        document: document.into(),
        step: Step::Create,
        step_key: String::new(),
        our_key: format!("k-{document}"),
        revision: 1,
        plan: "{}".into(),
        plan_hash: "h".into(),
        body: None,
        state,
        attempts: 0,
        absent: 0,
        epoch: 0,
        intent_at: None,
        settle_after: None,
        next_at: 1,
        visma_type: None,
        visma_number: None,
        etag: None,
        job: None,
        error: None,
        changed_at: 1,
    }
}

#[tokio::test]
async fn lines_of_vismas_invoices_are_found_by_order_and_by_receipt() {
    for test in stores::both().await {
        let (store, owned) = open(&test.url).await;
        let mut change = Change::new();
        let mut first = invoice("300001", "F-1", date(2026, 9, 1), 12_500);
        first.lines = vec![
            line(1, Some(("000401", 11)), None),
            line(2, None, Some(("R1", 3))),
            line(3, Some(("000401", 12)), Some(("R1", 4))),
            line(4, None, None),
        ];
        keep(&mut change, &first);
        let mut payment = invoice("300002", "F-2", date(2026, 9, 1), 12_500);
        payment.kind = None;
        payment.document_type = "Payment".into();
        payment.lines = vec![line(1, Some(("000401", 11)), None)];
        keep(&mut change, &payment);
        store.commit(&owned, change).await.unwrap();

        let mut by_order = store.erp_billing_of_order(COMPANY, "000401").await.unwrap();
        by_order.sort_by_key(|of| of.line);
        let told: Vec<_> = by_order
            .iter()
            .map(|of| (of.document_type.as_str(), of.line, of.order_line, of.net, of.quantity))
            .collect();
        let quantity = Some(Decimal::new(25, 1));
        let expected =
            [("Invoice", 1, 11, nok(10_000), quantity), ("Invoice", 3, 12, nok(10_000), quantity)];
        assert_eq!(told, expected);
        let by_receipt = store.erp_billing_of_receipt(COMPANY, "R1").await.unwrap();
        assert_eq!(by_receipt.len(), 1, "a line with an order is found by that: {by_receipt:?}");
        assert_eq!((by_receipt[0].line, by_receipt[0].receipt_line), (2, 3));
        assert!(store.erp_billing_of_order("other", "000401").await.unwrap().is_empty());

        // A newer version bills something else, and is voided in the end.
        first.lines = vec![line(1, Some(("000402", 1)), None)];
        first.status = "Voided".into();
        let mut change = Change::new();
        keep(&mut change, &first);
        store.commit(&owned, change).await.unwrap();
        assert!(store.erp_billing_of_order(COMPANY, "000401").await.unwrap().is_empty());
        assert!(store.erp_billing_of_receipt(COMPANY, "R1").await.unwrap().is_empty());
        let moved = store.erp_billing_of_order(COMPANY, "000402").await.unwrap();
        assert!(!moved[0].is_live());
    }
}

#[tokio::test]
async fn our_own_billing_counts_while_it_may_stand_in_visma() {
    for test in stores::both().await {
        let (store, owned) = open(&test.url).await;
        let mut change = Change::new();
        let states = [
            ("planned", PostingState::Planned),
            ("uncertain", PostingState::Uncertain),
            ("given-up", PostingState::Held),
            ("done", PostingState::Done),
            ("refused", PostingState::Refused),
        ];
        let billing = |line| OwnBilling {
            order: "000401".into(),
            line,
            kind: InvoiceKind::CreditNote,
            quantity: None,
            net: nok(10_000),
        };
        for (id, state) in states {
            document(&mut change, id);
            change.insert_posting(&posting(id, state));
            change.keep_own_billing(id, COMPANY, &format!("k-{id}"), &[billing(11), billing(12)]);
        }
        document(&mut change, "held-at-once");
        change.keep_own_billing("held-at-once", COMPANY, "k-held-at-once", &[billing(11)]);
        // Judged again: the later decision counts alone.
        change.keep_own_billing("planned", COMPANY, "k-planned", &[billing(13)]);
        store.commit(&owned, change).await.unwrap();

        let told = |own: Vec<ml_connector::store::OwnBilled>| {
            let mut told: Vec<String> = own
                .into_iter()
                .map(|of| {
                    let flags = (of.in_index, of.voided, of.by_hand);
                    format!("{} {} {flags:?}", of.document, of.billing.line)
                })
                .collect();
            told.sort();
            told
        };
        let no = "(false, false, false)";
        let mut expected = vec![
            format!("done 11 {no}"),
            format!("done 12 {no}"),
            format!("given-up 11 {no}"),
            format!("given-up 12 {no}"),
            format!("planned 13 {no}"),
            format!("uncertain 11 {no}"),
            format!("uncertain 12 {no}"),
        ];
        assert_eq!(told(store.own_billing_of_order(COMPANY, "000401").await.unwrap()), expected);

        // By our key in the index: live, voided; by number: made by a person.
        let mut change = Change::new();
        for (number, key, status) in
            [("300001", "k-done", "Balanced"), ("300002", "k-uncertain", "Voided")]
        {
            let mut seen = invoice(number, "F-1", date(2026, 9, 1), 12_500);
            (seen.our_key, seen.status) = (Some(key.into()), status.into());
            keep(&mut change, &seen);
        }
        keep(&mut change, &invoice("300003", "F-3", date(2026, 9, 1), 12_500));
        change.set_applied("given-up", 1, "{}", "Invoice", "300003");
        store.commit(&owned, change).await.unwrap();
        expected = vec![
            "done 11 (true, false, false)".into(),
            "done 12 (true, false, false)".into(),
            "given-up 11 (true, false, true)".into(),
            "given-up 12 (true, false, true)".into(),
            format!("planned 13 {no}"),
            "uncertain 11 (true, true, false)".into(),
            "uncertain 12 (true, true, false)".into(),
        ];
        assert_eq!(told(store.own_billing_of_order(COMPANY, "000401").await.unwrap()), expected);
    }
}

/// The numbers of what is alike, each once, by number.
async fn alike(store: &Store, reference: &str, on: Date, gross: i64) -> Vec<String> {
    let forms = ReferenceForms::of(reference);
    let of = Likeness { supplier: "50001", on, gross: nok(gross), forms: &forms };
    let found = store.erp_invoices_alike(COMPANY, &of).await.unwrap();
    let mut numbers: Vec<String> = found.into_iter().map(|invoice| invoice.number).collect();
    numbers.sort();
    numbers.dedup();
    numbers
}

#[tokio::test]
async fn what_is_alike_is_found_by_amount_and_by_number() {
    for test in stores::both().await {
        let (store, owned) = open(&test.url).await;
        let mut change = Change::new();
        let day = date(2026, 9, 1);
        let far = |days: i64| day.saturating_add(jiff::Span::new().days(days));
        keep(&mut change, &invoice("amount", "X-1", day, 12_500));
        keep(&mut change, &invoice("400 before", "X-2", far(-400), 12_500));
        keep(&mut change, &invoice("401 before", "X-3", far(-401), 12_500));
        keep(&mut change, &invoice("400 after", "X-4", far(400), 12_500));
        keep(&mut change, &invoice("401 after", "X-5", far(401), 12_500));
        keep(&mut change, &invoice("look", "F-9OO17", far(-3000), 1));
        keep(&mut change, &invoice("digits", "Faktura 90017", far(-3000), 1));
        let mut other = invoice("other supplier", "F-90017", day, 12_500);
        other.supplier = "50002".into();
        keep(&mut change, &other);
        let mut voided = invoice("voided", "F-90017", day, 12_500);
        voided.status = "Voided".into();
        keep(&mut change, &voided);
        let mut foreign = invoice("other currency", "X-6", day, 12_500);
        foreign.gross.currency = Currency::parse("EUR").unwrap();
        keep(&mut change, &foreign);
        // Neither has digits: that is nothing in common.
        keep(&mut change, &invoice("wordless", "ABC", day, 2));
        store.commit(&owned, change).await.unwrap();

        let found = alike(&store, "F-90017", day, 12_500).await;
        assert_eq!(found, ["400 after", "400 before", "amount", "digits", "look"], "{}", test.url);
        assert_eq!(alike(&store, "XYZ", day, 3).await, Vec::<String>::new());

        let mut change = Change::new();
        let mut undated = invoice("undated", "f 90017", day, 7);
        undated.document_on = None;
        keep(&mut change, &undated);
        keep(&mut change, &invoice("dated", "f 90017", far(9), 8));
        store.commit(&owned, change).await.unwrap();
        let found = store.erp_invoices_numbered(COMPANY, "50001", "F90017", day).await.unwrap();
        let mut numbers: Vec<&str> = found.iter().map(|invoice| invoice.number.as_str()).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, ["dated", "undated"]);
    }
}

/// A weekly bill of the same amount brings the nearest ones, not all.
#[tokio::test]
async fn of_many_the_nearest_come() {
    for test in stores::both().await {
        let (store, owned) = open(&test.url).await;
        let mut change = Change::new();
        let day = date(2026, 9, 1);
        for n in 0..200_i64 {
            let on = day.saturating_add(jiff::Span::new().days(n - 100));
            keep(&mut change, &invoice(&format!("{:03}", n), &format!("R{n}X{n}"), on, 12_500));
        }
        store.commit(&owned, change).await.unwrap();
        let found = alike(&store, "Z", day, 12_500).await;
        // 25 up to the day itself, which is number 100, and 25 after it.
        let expected: Vec<String> = (76..126).map(|n| format!("{n:03}")).collect();
        assert_eq!(found, expected);
    }
}

fn past(document: &str) -> PastInvoice {
    PastInvoice {
        document: document.into(),
        kind: InvoiceKind::Invoice,
        supplier: "50001".into(),
        reference: Some("F-90017".into()),
        invoiced_on: Some(date(2026, 9, 1)),
        gross: nok(12_500),
        balance: None,
        payment_reference: None,
        status: String::new(),
    }
}

#[tokio::test]
async fn an_invoice_of_ours_is_alike_until_the_index_shows_it() {
    for test in stores::both().await {
        let (store, owned) = open(&test.url).await;
        let forms = ReferenceForms::of("F-90017");
        let mut change = Change::new();
        for (id, state) in [("a", PostingState::Planned), ("b", PostingState::Refused)] {
            document(&mut change, id);
            change.insert_posting(&posting(id, state));
            let key = format!("k-{id}");
            change.keep_own_invoice(id, COMPANY, &key, None, &past(id), &forms);
        }
        store.commit(&owned, change).await.unwrap();
        let day = date(2026, 9, 8);
        let of = Likeness { supplier: "50001", on: day, gross: nok(1), forms: &forms };
        let found = async || {
            let mut found = store.own_invoices_alike(COMPANY, &of).await.unwrap();
            found.dedup();
            let numbered = store.own_invoices_numbered(COMPANY, "50001", "F90017", day).await;
            assert_eq!(found, numbered.unwrap());
            found.into_iter().map(|of| (of.document, of.invoice.status)).collect::<Vec<_>>()
        };
        assert_eq!(found().await, [("a".to_owned(), "posting".to_owned())]);

        let mut seen = invoice("300001", "F-90017", day, 12_500);
        seen.our_key = Some("k-a".into());
        let mut change = Change::new();
        keep(&mut change, &seen);
        store.commit(&owned, change).await.unwrap();
        assert!(found().await.is_empty(), "the index tells of it now");

        // Judged again, it does not come back beside the index; neither does one that was adopted.
        let mut change = Change::new();
        change.keep_own_invoice("a", COMPANY, "k-a", None, &past("a"), &forms);
        document(&mut change, "c");
        change.insert_posting(&posting("c", PostingState::Verified));
        let adopted = Some(("Invoice", "300001"));
        change.keep_own_invoice("c", COMPANY, "k-c", adopted, &past("c"), &forms);
        store.commit(&owned, change).await.unwrap();
        assert!(found().await.is_empty());
    }
}

#[tokio::test]
async fn earlier_credit_notes_of_one_invoice_are_found_until_they_are_voided() {
    for test in stores::both().await {
        let (store, owned) = open(&test.url).await;
        let mut change = Change::new();
        let states = [
            ("a", PostingState::Planned),
            ("b", PostingState::Refused),
            ("c", PostingState::Done),
            ("d", PostingState::Done),
        ];
        for (id, state) in states {
            document(&mut change, id);
            change.insert_posting(&posting(id, state));
            let credit = PastInvoice { kind: InvoiceKind::CreditNote, ..past(id) };
            change.keep_own_credit(id, COMPANY, &format!("k-{id}"), Some("F90017"), &credit);
        }
        for (number, key, status) in [("1", "k-c", "Voided"), ("2", "k-d", "Open")] {
            let mut seen = invoice(number, "K-1", date(2026, 9, 1), 12_500);
            (seen.our_key, seen.status) = (Some(key.into()), status.into());
            keep(&mut change, &seen);
        }
        store.commit(&owned, change).await.unwrap();
        let found = async |key: &str| {
            let found = store.own_credits(COMPANY, "50001", key).await.unwrap();
            let mut ids: Vec<String> = found.into_iter().map(|of| of.document).collect();
            ids.sort();
            ids
        };
        assert_eq!(found("F90017").await, ["a", "d"]);
        assert_eq!(found("F90018").await, Vec::<String>::new());
        let mut change = Change::new();
        change.keep_own_credit("a", COMPANY, "k-a", None, &past("a"));
        store.commit(&owned, change).await.unwrap();
        assert_eq!(found("F90017").await, ["d"], "its next revision credits nothing");
    }
}

/// Visma shows the day that a document is booked on; ours is known by its paper.
#[tokio::test]
async fn a_paper_of_ours_keeps_its_own_day() {
    for test in stores::both().await {
        let (store, owned) = open(&test.url).await;
        let mut change = Change::new();
        for n in 0..60 {
            let id = format!("d{n}");
            document(&mut change, &id);
            change.insert_posting(&posting(&id, PostingState::Done));
            let day = date(2026, 1, 1).saturating_add(jiff::Span::new().days(n));
            let facts = DocumentFacts {
                document_on: (n != 7).then(|| day.to_string()),
                ..DocumentFacts::default()
            };
            change.set_facts(&id, &facts);
        }
        store.commit(&owned, change).await.unwrap();
        let keys: Vec<String> = (0..61).map(|n| format!("k-d{n}")).collect();
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let days = store.days_on_paper(COMPANY, &keys).await.unwrap();
        assert_eq!(days.len(), 59, "one has no day, one is nobody's");
        assert_eq!(days["k-d59"], date(2026, 3, 1));
        assert!(store.days_on_paper(COMPANY, &[]).await.unwrap().is_empty());
        assert!(store.days_on_paper("other", &keys).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn where_a_vendor_was_paid_before() {
    for test in stores::both().await {
        let (store, owned) = open(&test.url).await;
        let account = |n: i64| BankAccount {
            kind: BankAccountKind::Bban,
            number: format!("8601 11 179{n:02}"),
        };
        let mut change = Change::new();
        for n in 0..30_i64 {
            let id = format!("d{n}");
            document(&mut change, &id);
            let on = date(2026, 1, 1).saturating_add(jiff::Span::new().days(n));
            change.keep_payee(&id, "jaggaer", "V1", on, &account(n));
            let number = format!("{}", 300_000 + n);
            let mut seen = invoice(&number, "F-1", on, 12_500);
            if n == 29 {
                seen.status = "Voided".into();
            }
            // The 28th does not stand in Visma.
            if n != 28 {
                keep(&mut change, &seen);
                change.set_applied(&id, 1, "{}", "Invoice", &number);
            }
        }
        store.commit(&owned, change).await.unwrap();
        let found = store.paid_to("jaggaer", "V1", COMPANY, "d27").await.unwrap();
        let days: Vec<Date> = found.iter().map(|of| of.invoiced_on).collect();
        let expected: Vec<Date> = (7..27)
            .rev()
            .map(|n| date(2026, 1, 1).saturating_add(jiff::Span::new().days(n)))
            .collect();
        assert_eq!(days, expected);
        assert_eq!(found[0].account, account(26));
        assert!(store.paid_to("jaggaer", "V2", COMPANY, "d27").await.unwrap().is_empty());

        // A later revision names another account, or none.
        let mut change = Change::new();
        change.keep_payee("d26", "jaggaer", "V1", date(2026, 2, 1), &account(99));
        change.drop_payee("d25");
        store.commit(&owned, change).await.unwrap();
        let found = store.paid_to("jaggaer", "V1", COMPANY, "").await.unwrap();
        assert_eq!(found[0].account, account(99));
        assert!(found.iter().all(|of| of.account != account(26) && of.account != account(25)));
    }
}

#[tokio::test]
async fn receipts_and_contracts_are_kept_with_their_versions() {
    for test in stores::both().await {
        let (store, owned) = open(&test.url).await;
        let receipt = |order: &str, cancelled: bool| Receipt {
            source_id: "7001".into(),
            number: "R-7001".into(),
            received_on: None,
            cancelled,
            lines: vec![
                ReceiptLine {
                    order_number: order.into(),
                    order_line_number: Some("1".into()),
                    order_line_key: None,
                    quantity: Some(Decimal::TEN),
                    unit: None,
                    amount: None,
                };
                2
            ],
        };
        let contract = |id: &str, in_force: bool| Contract {
            source_id: id.into(),
            number: "C-1".into(),
            in_force,
            vendor: VendorRef::default(),
            starts_on: None,
            ends_on: None,
            ceiling: Some(nok(100)),
            consumed: None,
        };
        let mut at = 0;
        let mut commit = async |fill: &dyn Fn(&mut Change, i64)| {
            at += 1;
            let mut change = Change::new();
            fill(&mut change, at);
            store.commit(&owned, change).await.unwrap();
        };
        commit(&|change, at| change.keep_source_receipt("s", &receipt("PO-1", false), at)).await;
        commit(&|change, at| change.keep_source_receipt("s", &receipt("PO-1", false), at)).await;
        let of = async |order: &str| store.source_receipts_of("s", order).await.unwrap();
        assert_eq!(of("PO-1").await, [receipt("PO-1", false)]);
        commit(&|change, at| change.keep_source_receipt("s", &receipt("PO-2", true), at)).await;
        assert_eq!(of("PO-1").await, []);
        assert_eq!(of("PO-2").await, [receipt("PO-2", true)]);
        assert!(store.source_receipts_of("t", "PO-2").await.unwrap().is_empty());

        commit(&|change, at| change.keep_contract("s", &contract("1", true), at)).await;
        commit(&|change, at| change.keep_contract("s", &contract("2", false), at)).await;
        let numbered = async || store.contract_by_number("s", "C-1").await.unwrap().unwrap();
        assert_eq!(numbered().await.source_id, "1", "the one in force");
        commit(&|change, at| change.keep_contract("s", &contract("2", true), at)).await;
        assert_eq!(numbered().await.source_id, "2", "the latest of those in force");
        assert_eq!(store.contract_by_number("s", "C-2").await.unwrap(), None);

        let versions = versions(&test.url).await;
        let expected = [("contract", "1", 1), ("contract", "2", 2), ("receipt", "7001", 2)]
            .map(|(kind, number, count)| (kind.to_owned(), number.to_owned(), count));
        assert_eq!(versions, expected);
    }
}

/// (kind, number, how many versions).
async fn versions(url: &str) -> Vec<(String, String, i64)> {
    use sqlx::Connection;
    let mut connection = sqlx::AnyConnection::connect(url).await.unwrap();
    let mut rows: Vec<(String, String, i64)> =
        sqlx::query_as("select kind, number, count(*) from party_version group by kind, number")
            .fetch_all(&mut connection)
            .await
            .unwrap();
    rows.sort();
    rows
}
