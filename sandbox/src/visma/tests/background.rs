use super::{calm, invoice, line, v, with};
use serde_json::{Value, json};

const INVOICES: &str = "/v1/supplierInvoice";

#[tokio::test]
async fn attachments_need_a_name_and_count_revisions() {
    let company = calm().await;
    let client = &company.client;
    let number =
        client.send("POST", INVOICES, &invoice("A-1", vec![line("10", "K25")])).await.key();
    let etag = client.get(&format!("{INVOICES}/{number}")).await.header("etag").map(String::from);
    let form = |name: &str| {
        format!(
            "--B\r\nContent-Disposition: form-data; name=\"any\"; filename=\"{name}\"\r\nContent-Type: application/pdf\r\n\r\n%PDF\r\n--B--\r\n"
        )
    };
    let path = format!("{INVOICES}/{number}/attachment");
    for (name, status) in [("faktura.pdf", 201), ("faktura.pdf", 201), ("faktura", 400)] {
        let headers = [("Content-Type", "multipart/form-data; boundary=B")];
        let answer = client
            .try_call("POST", &path, &headers, form(name).as_bytes())
            .await
            .expect("an answer");
        assert_eq!(answer.status, status, "{name}");
        if status == 201 {
            assert_eq!(
                client.get(&format!("/v1/attachment/{}", answer.key())).await.bytes,
                b"%PDF"
            );
        }
    }
    let read = client.get(&format!("{INVOICES}/{number}")).await;
    assert_ne!(read.header("etag").map(String::from), etag, "attaching changes the row version");
    assert_eq!(read.json()["attachments"].as_array().map(Vec::len), Some(1));
    assert_eq!(read.json()["attachments"][0]["revision"].as_i64(), Some(2));
    assert!(
        client.rows("/v1/supplierInvoice?pageNumber=1&status=Hold").await[0]["attachments"]
            .is_null()
    );
    assert!(
        client.rows("/v1/supplierInvoice?pageNumber=1&status=Hold&expandAttachment=true").await[0]
            ["attachments"]
            .is_array()
    );
    assert_eq!(client.send("POST", &path, &json!({})).await.status, 400);
}

#[tokio::test]
async fn background_release_with_a_version() {
    let company = calm().await;
    let client = &company.client;
    let number = client
        .send(
            "POST",
            INVOICES,
            &with(invoice("A-1", vec![line("10", "K25")]), json!({"hold": v(false)})),
        )
        .await
        .key();
    let release = format!("{INVOICES}/{number}/action/release");
    let background = ("erp-api-background", "none");
    let stale = client
        .send_with("POST", &release, &[background, ("If-Match", "\"AAAAAAAAAAA=\"")], &json!({}))
        .await;
    assert_eq!(stale.status, 412);
    let etag = client
        .get(&format!("{INVOICES}/{number}"))
        .await
        .header("etag")
        .expect("an ETag")
        .to_owned();
    let accepted =
        client.send_with("POST", &release, &[background, ("If-Match", &etag)], &json!({})).await;
    assert_eq!(accepted.status, 202);
    let job = accepted.json()["id"].as_str().expect("an id").to_owned();
    assert_eq!(
        client.get(&format!("{INVOICES}/{number}")).await.json()["status"],
        "Balanced",
        "not yet"
    );
    let mut state = Value::Null;
    for _ in 0..5 {
        state = client.get(&format!("/v1/background/{job}")).await.json();
        if state["status"] == "Finished" {
            break;
        }
        assert_eq!(state["statusCode"].as_i64(), Some(0));
    }
    assert_eq!(
        (state["status"].as_str(), state["statusCode"].as_i64()),
        (Some("Finished"), Some(200))
    );
    assert_eq!(client.get(&format!("{INVOICES}/{number}")).await.json()["status"], "Open");

    // A second release is Finished and yet a failure.
    let again = client.send_with("POST", &release, &[background], &json!({})).await.json()["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    for _ in 0..2 {
        state = client.get(&format!("/v1/background/{again}")).await.json();
    }
    assert_eq!(
        (
            state["status"].as_str(),
            state["statusCode"].as_i64(),
            state["hasResponseContent"].as_bool()
        ),
        (Some("Finished"), Some(400), Some(true))
    );
    assert!(
        client.get(&format!("/v1/background/{again}/content")).await.message().contains("Open")
    );
    assert_eq!(client.get("/v1/background/none-such").await.status, 404);
    company.visma.advance(jiff::SignedDuration::from_hours(25));
    assert_eq!(client.get(&format!("/v1/background/{job}")).await.status, 410);
}
