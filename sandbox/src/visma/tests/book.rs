use super::super::{DocumentKind, ExpectedDocument, HandChange, Settings};
use super::{calm, company, invoice, line};
use crate::faults::Faults;

const INVOICES: &str = "/v1/supplierInvoice";

#[tokio::test]
async fn a_repeated_reference_is_refused_only_where_the_company_wants_it() {
    for (refuse, status) in [(false, 201), (true, 400)] {
        let mut company = company(
            Settings { refuse_repeated_reference: refuse, ..Settings::defaults() },
            Faults::default(),
        )
        .await;
        company.client.sign_in().await;
        assert_eq!(
            company
                .client
                .send("POST", INVOICES, &invoice("H-77", vec![line("10", "K25")]))
                .await
                .status,
            status
        );
    }
}

#[tokio::test]
async fn the_book_tells_missing_doubled_wrong_and_unexpected() {
    let company = calm().await;
    let expected = |reference: &str, cost: i64, gross: i64| ExpectedDocument {
        kind: DocumentKind::Invoice,
        supplier: "50012".into(),
        reference: reference.into(),
        currency: "NOK".into(),
        total_minor: gross,
        lines: vec![("6540".into(), "110-P-2031".into(), "K25".into(), cost)],
    };
    for (reference, cost) in [
        ("one", "10"),
        ("two", "10"),
        ("two", "10"),
        ("wrong", "10"),
        ("extra", "10"),
        ("long", "10.00"),
    ] {
        let answer = company
            .client
            .send("POST", INVOICES, &invoice(reference, vec![line(cost, "K25")]))
            .await;
        assert_eq!(answer.status, 201);
    }
    let findings = company.visma.check(&[
        expected("one", 1000, 1250),
        expected("two", 1000, 1250),
        expected("wrong", 1001, 1251),
        expected("long", 1000, 1250),
        expected("gone", 1000, 1250),
        // Keyed in by hand with another coding: there, and nobody's mistake.
        expected("H-77", 5, 5),
    ]);
    assert_eq!(
        (
            findings.missing.len(),
            findings.duplicated.len(),
            findings.wrong.len(),
            findings.unexpected.len()
        ),
        (1, 1, 1, 1),
        "{findings:?}"
    );
    assert!(
        findings.missing[0].contains("gone")
            && findings.duplicated[0].contains("two")
            && findings.wrong[0].contains("wrong")
            && findings.unexpected[0].contains("extra")
    );
    let report = company.visma.report();
    assert_eq!(
        (report.made["Invoice Hold"], report.keyed["Invoice Open"], report.repeated.len()),
        (6, 1, 1)
    );
    assert_eq!(report.calls.writes, 6);
    assert!(serde_json::to_string(&report).is_ok_and(|text| text.contains("\"by_route\"")));
}

#[tokio::test]
async fn a_person_changes_a_draft_and_voids_it() {
    let company = calm().await;
    let answer =
        company.client.send("POST", INVOICES, &invoice("P-1", vec![line("10", "K25")])).await;
    let number = answer.key();
    let path = format!("{INVOICES}/{number}");
    assert!(company.visma.change_by_hand(
        "Invoice",
        &number,
        HandChange::Description("seen by Kari")
    ));
    let read = company.client.get(&path).await;
    assert_ne!(read.header("etag"), answer.header("etag"));
    assert_eq!(read.json()["description"], "seen by Kari");
    assert!(company.visma.change_by_hand("Invoice", &number, HandChange::Status("Voided")));
    assert_eq!(company.client.get(&path).await.json()["balanceInCurrency"].to_string(), "0.0");
    let held = company.visma.documents();
    let ours = held.iter().find(|held| !held.keyed).expect("the invoice made over HTTP");
    assert_eq!((ours.live, ours.own_text.as_deref()), (false, Some("ml-connector:P-1")));
    assert!(!company.visma.change_by_hand("Invoice", "1", HandChange::Status("Voided")));
}
