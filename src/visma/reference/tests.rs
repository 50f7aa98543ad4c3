use super::*;
use crate::visma::testing::{Reply, Server};
use rust_decimal::Decimal;

#[test]
fn periods_are_told_in_several_ways() {
    let cases = [
        (Some(2026), "11", Some("202611")),
        (Some(2026), "7", Some("202607")),
        (Some(2026), "202611", Some("202611")),
        (Some(2026), "112026", Some("202611")),
        (Some(2026), "11-2026", Some("202611")),
        (None, "202611", Some("202611")),
        (None, "11", None),
        (Some(2026), "112025", None),
        (Some(2026), "", None),
    ];
    for (year, written, expected) in cases {
        assert_eq!(period_id(year, written).as_deref(), expected, "{year:?} {written}");
    }
}

fn list(target: &str) -> &'static str {
    let path = target.split('?').next().unwrap_or_default();
    match path {
        "/v1/supplier" => {
            r#"[{"number": "50047", "name": "Lindqvist Industri AB", "status": "StatusToCome",
            "mainAddress": {"country": {"id": "SE"}}, "corporateId": "556677-8899",
            "vatRegistrationId": "SE556677889901", "vatZone": {"id": "03"}, "currencyId": "SEK",
            "creditTerms": {"id": "14"}, "metadata": {"totalCount": 1}}]"#
        }
        // A list that takes page numbers for decoration.
        "/v1/creditTerm" => {
            r#"[{"termsId": "14", "description": "14 days", "dueDateType": "FixedNumberOfDays", "dueDay1": 14},
            {"termsId": "30", "dueDateType": "EndOfMonth", "dueDay1": 30}]"#
        }
        "/v1/account" => {
            r#"[{"accountCD": "1920", "type": "Asset", "active": true, "cashAccount": true},
            {"accountCD": "6540", "type": "Expense", "active": null, "description": "Inventar"},
            {"accountCD": "6999", "type": "Expense", "active": false},
            {"accountCD": "6000", "active": true, "errorInfo": "broken"}]"#
        }
        "/v1/vat" => {
            r#"[{"vatId": "1", "type": "Vat", "calculateOn": "ItemAmount", "zones": [{"id": "01"}],
             "schedules": [{"startDate": "2020-01-01T00:00:00", "vatRate": 25.0, "groupType": "Input"},
                           {"vatRate": 25.0, "groupType": "Output"}]},
            {"vatId": "13", "type": "Vat"}]"#
        }
        "/v1/vatCategory" => {
            r#"[{"vatCategoryId": "K25", "active": true, "vatCategoryLines": [{"vatId": "1",
                "vatRates": [{"vatRate": 99, "groupType": "Input"}]}]},
            {"vatCategoryId": "K12", "excludeListedTaxes": true,
             "vatCategoryLines": [{"vatId": "13",
                "vatRates": [{"vatRate": 12.0, "groupType": "Input", "startDate": "2020-01-01"}]}]}]"#
        }
        "/v1/branch" => r#"[{"number": "1", "name": "Hovedkontor"}]"#,
        "/v1/currency" => {
            r#"[{"id": "NOK", "isBaseCurrency": true, "decimalPrecision": 2}, {"id": "EUR"}]"#
        }
        "/v2/currencyrate" => {
            r#"[{"fromCurrencyId": "EUR", "toCurrencyId": "NOK", "rate": 11.74, "multDiv": "Multiply",
             "effectiveDate": "2026-09-01T00:00:00"},
            {"fromCurrencyId": "EUR", "toCurrencyId": "NOK", "rate": 11.80, "multDiv": "Multiply",
             "effectiveDate": "2026-10-01T00:00:00"},
            {"fromCurrencyId": "NOK", "toCurrencyId": "EUR", "rate": 12.5, "multDiv": "Divide",
             "effectiveDate": "2026-09-01"}]"#
        }
        "/v1/financialPeriod" => {
            r#"[{"year": "2026", "period": "11", "startDate": "2026-11-01T00:00:00",
             "endDate": "2026-12-01T00:00:00", "closedInSupplierLedger": false}]"#
        }
        "/v1/dimension/SUBACCOUNT" => {
            r#"{"id": "SUBACCOUNT", "segments": [
             {"segmentId": 1, "description": "Avdeling", "length": "3", "validate": true,
              "segmentValues": [{"valueId": "110", "description": "IT", "active": true},
                                {"valueId": "399", "active": false}]},
             {"segmentId": 2, "description": "Prosjekt", "length": 6, "validate": false}]}"#
        }
        "/v1/dimension/SUBACCOUNT/2" => {
            r#"{"segmentId": 2, "segmentValues": [{"valueId": "P-2031", "active": true}]}"#
        }
        other => panic!("{other} was not expected"),
    }
}

#[tokio::test]
async fn all_reference_data_is_read_into_the_cores_words() {
    let server = Server::signed_in(|heard, _| Reply::json(list(&heard.target))).await;
    let client = server.client();
    let ReferenceRead { reference: found, unreadable, without_rates } =
        client.reference_data().await.expect("readable");
    assert_eq!(without_rates, None);

    assert!(found.suppliers.is_empty(), "they are read by what changed");
    assert!(found.accounts["1920"].is_cash_account && !found.accounts["6999"].active);
    assert!(found.accounts["6540"].active, "what does not say that it is closed is open");
    assert!(!found.accounts.contains_key("6000"));
    assert_eq!(unreadable.len(), 1);
    assert_eq!(unreadable[0].key, "/v1/account 6000");

    let (first, second) = (&found.segments[&1], &found.segments[&2]);
    assert!(first.values["110"].active && !first.values["399"].active);
    assert_eq!((first.length, first.validate, second.validate), (3, true, false));
    assert!(second.values["P-2031"].active, "values left out are fetched for their segment");

    let vat = &found.vats["1"];
    assert_eq!((vat.rates.len(), vat.rates[0].rate), (2, Decimal::from(25)));
    assert_eq!((vat.rates[0].input, vat.rates[1].input), (true, false));
    assert_eq!(vat.zones, ["01"]);
    assert_eq!(found.vats["13"].rates[0].rate, Decimal::from(12), "from the category's lines");
    assert_eq!(found.vat_categories["K25"].vat_ids, ["1"]);
    assert!(found.vat_categories["K12"].excludes_listed && found.vat_categories["K12"].active);

    assert_eq!(found.credit_terms.len(), 2);
    assert_eq!(found.credit_terms["14"].days, Some(14));
    assert_eq!(found.credit_terms["30"].days, None, "counted from the end of a month");
    let rates: Vec<String> = found
        .exchange_rates
        .iter()
        .map(|rate| format!("{} {} {} {}", rate.from, rate.currency, rate.to, rate.rate))
        .collect();
    assert_eq!(
        rates,
        ["2026-10-01 EUR NOK 11.80", "2026-09-01 EUR NOK 11.74", "2026-09-01 NOK EUR 0.08"]
    );
    assert!(found.branches["1"].active && found.currencies["NOK"].is_base);
    let period = &found.periods["202611"];
    assert!(period.active && !period.closed_in_supplier_ledger);
    assert_eq!(period.starts_on, jiff::civil::date(2026, 11, 1));

    let asked: Vec<String> = server.calls().into_iter().map(|call| call.target).collect();
    let accounts = asked.iter().filter(|target| target.starts_with("/v1/account")).count();
    assert_eq!(accounts, 1, "a list without pages is asked for once");
    assert!(asked.contains(&"/v1/dimension/SUBACCOUNT?expandSegmentsValues=true".to_owned()));
}

#[tokio::test]
async fn rates_that_cannot_be_read_are_no_fault() {
    for (status, body) in [
        (403, "{}"),
        (404, "{}"),
        (400, "{}"),
        (500, "{}"),
        (200, "<html>Welcome</html>"),
        (200, "{}"),
        (200, r#"[{"fromCurrencyId": "EUR", "toCurrencyId": "NOK", "rate": 0}]"#),
    ] {
        let server = Server::signed_in(move |heard, _| match heard.target.as_str() {
            "/v2/currencyrate" => Reply::new(status, &[], body),
            target => Reply::json(list(target)),
        })
        .await;
        let found = server.client().reference_data().await.expect("complete");
        assert_eq!(found.reference.exchange_rates, [], "{status} {body}");
        assert_eq!(found.without_rates.is_some(), !body.starts_with('['), "{status} {body}");
        let lists: Vec<&str> = found.unreadable.iter().map(|row| row.key.as_str()).collect();
        assert_eq!(lists, ["/v1/account 6000"], "nothing is read again for a rate's sake");
    }
}

#[tokio::test]
async fn a_single_document_comes_with_its_tag() {
    let server = Server::signed_in(|_, _| {
        let body = r#"{"documentType": "DebitAdj", "referenceNumber": "7", "currencyId": "NOK",
            "amount": 5.00, "supplier": {"number": "1"}, "timeStamp": "ROW=", "errorInfo": ""}"#;
        Reply::new(200, &[("ETag", "\"TAG=\"")], body)
    })
    .await;
    let (invoice, etag) = server.client().invoice("DebitAdj", "7").await.expect("readable");
    assert_eq!(etag.as_deref(), Some("\"TAG=\""));
    assert_eq!(invoice.version, etag, "the tag is what If-Match is held against");
    assert_eq!(server.calls()[0].target, "/v1/supplierInvoice/DebitAdj/7");

    let server = Server::signed_in(|_, _| Reply::json(r#"{"errorInfo": "locked"}"#)).await;
    let error = server.client().order("PO1").await.expect_err("marked");
    assert!(error.to_string().contains("locked"), "{error}");
    assert_eq!(server.calls()[0].target, "/v1/purchaseorder/PO1?includeCustomFreeFields=true");
}

#[tokio::test]
async fn suppliers_are_read_into_the_cores_words() {
    let server = Server::signed_in(|heard, _| Reply::json(list(&heard.target))).await;
    let (suppliers, _) = server.client().suppliers(None).all().await.expect("complete");
    let supplier = suppliers.iter().find(|one| one.number == "50047").expect("it is listed");
    assert_eq!(supplier.organisation_number.as_deref(), Some("556677-8899"));
    assert_eq!(
        (supplier.country.as_deref(), supplier.vat_zone.as_deref()),
        (Some("SE"), Some("03"))
    );
    assert_eq!(supplier.status, "StatusToCome");
}
