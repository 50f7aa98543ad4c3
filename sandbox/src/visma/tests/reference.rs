use super::super::Settings;
use super::{calm, company};
use crate::faults::Faults;

#[tokio::test]
async fn unpaged_lists_give_everything_on_every_page() {
    let company = calm().await;
    for (path, rows) in [
        ("account", 15),
        ("branch", 3),
        ("vat", 6),
        ("vatCategory", 5),
        ("currency", 5),
        ("financialPeriod", 36),
        ("unitofmeasure", 6),
    ] {
        for page in [1, 2, 99] {
            assert_eq!(
                company
                    .client
                    .rows(&format!("/v1/{path}?pageNumber={page}&pageSize=2"))
                    .await
                    .len(),
                rows,
                "{path}"
            );
        }
    }
    let closed: Vec<_> = company
        .client
        .rows("/v1/financialPeriod")
        .await
        .into_iter()
        .filter(|period| period["closedInSupplierLedger"] == true)
        .collect();
    assert_eq!(closed.len(), 19);
    assert!(closed.iter().any(|period| period["period"] == "202608"));
}

#[tokio::test]
async fn terms_are_paged_without_metadata() {
    let company = calm().await;
    let rows = company.client.rows("/v1/creditTerm?pageNumber=1&pageSize=3").await;
    assert_eq!(rows.len(), 3);
    assert!(rows.iter().all(|row| row.get("metadata").is_none()));
    assert_eq!(company.client.rows("/v1/creditTerm?pageNumber=2&pageSize=3").await.len(), 1);
    assert_eq!(company.client.rows("/v1/creditTerm?pageNumber=3&pageSize=3").await.len(), 0);
}

#[tokio::test]
async fn segment_values_come_only_when_asked_for() {
    let company = calm().await;
    let plain = company.client.get("/v1/dimension/SUBACCOUNT").await.json();
    assert!(plain["segments"][0]["segmentValues"].is_null());
    let full =
        company.client.get("/v1/dimension/SUBACCOUNT?expandSegmentsValues=true").await.json();
    assert_eq!(full["segments"][0]["segmentValues"].as_array().map(Vec::len), Some(7));
    assert_eq!(
        (full["segments"][1]["length"].as_i64(), full["segments"][1]["validate"].as_bool()),
        (Some(6), Some(true))
    );
    assert_eq!(
        company.client.get("/v1/dimension/SUBACCOUNT/2").await.json()["segmentValues"]
            .as_array()
            .map(Vec::len),
        Some(4)
    );
    assert_eq!(company.client.get("/v1/dimension/NOPE").await.status, 404);
}

#[tokio::test]
async fn suppliers_page_and_filter() {
    let mut company =
        company(Settings { max_page_suppliers: 2, ..Settings::defaults() }, Faults::default())
            .await;
    company.client.sign_in().await;
    let rows = company.client.rows("/v1/supplier?pageNumber=1&pageSize=1000").await;
    assert_eq!(rows.len(), 2, "the page size is cut without a word");
    assert_eq!(
        (rows[0]["metadata"]["totalCount"].as_i64(), rows[0]["metadata"]["maxPageSize"].as_i64()),
        (Some(5), Some(2))
    );
    assert_eq!(
        rows[0]["vatZone"]["metadata"]["maxPageSize"].as_i64(),
        Some(1000),
        "nested objects carry another count"
    );
    assert_eq!(company.client.rows("/v1/supplier?pageNumber=3&pageSize=1000").await.len(), 1);
    assert_eq!(company.client.rows("/v1/supplier?pageNumber=4").await.len(), 0);
    assert_eq!(company.client.rows("/v1/supplier?status=OnHold").await[0]["number"], "50061");
    assert_eq!(company.client.rows("/v1/supplier?corporateId=950047").await[0]["number"], "50047");
    assert_eq!(
        company.client.rows("/v1/supplier?supplierReference=none").await.len(),
        2,
        "an unknown filter filters nothing"
    );
    for wrong in [
        "pageNumber=0",
        "pageNumber=x",
        "pageSize=-1",
        "status=Sleeping",
        "lastModifiedDateTime=2026-01-01",
        "lastModifiedDateTimeCondition=%3E",
        "numberToRead=2&pageNumber=1",
    ] {
        assert_eq!(
            company.client.get(&format!("/v1/supplier?{wrong}")).await.status,
            400,
            "{wrong}"
        );
    }
    assert_eq!(company.client.get("/v1/supplier/50012").await.json()["currencyId"], "NOK");
    assert_eq!(company.client.get("/v1/supplier/1").await.status, 404);
}

#[tokio::test]
async fn receipts_are_read_under_v2() {
    let company = calm().await;
    let order = company.client.rows("/v1/purchaseorder?pageNumber=1").await[0].clone();
    let number = order["orderNbr"].as_str().expect("a number");
    let receipts =
        company.client.rows(&format!("/v2/PurchaseReceipt?poOrderNbr={number}&pageNumber=1")).await;
    assert_eq!(receipts.len(), 1);
    assert_eq!(receipts[0]["lines"][0]["poOrderLineNbr"], order["lines"][1]["lineNbr"]);
    assert_eq!(order["lines"][1]["qtyOnReceipts"].to_string(), "4.0");
    assert_eq!(
        company.client.rows("/v2/PurchaseReceipt?poOrderNbr=PO9&pageNumber=1").await.len(),
        0
    );
}
