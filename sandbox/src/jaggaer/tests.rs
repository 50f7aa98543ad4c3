use super::*;
use crate::faults::cable::{Cable, CableListener};
use crate::world::Settings as WorldSettings;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const JI: &str = "/j1p/api/public/ji/v1";
const FORM: &str =
    "grant_type=client_credentials&client_id=sandbox-jaggaer&client_secret=sandbox-jaggaer-secret";

struct Server {
    at: SocketAddr,
    jaggaer: Arc<Jaggaer>,
    world: Arc<World>,
}

/// An answer: status, head, body, and whether the body came whole.
struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
    whole: bool,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("a JSON body")
    }
}

impl Server {
    async fn start(profile: Profile, documents: usize, faults: Faults) -> Self {
        let world = Arc::new(World::generate(&WorldSettings {
            documents,
            attachments: true,
            plant_waiting: true,
            plant_not_ripe: true,
            ..WorldSettings::default()
        }));
        let settings = Settings { profile, page_size: 20, ..Settings::defaults() };
        let board = Arc::new(Board::new(faults));
        let jaggaer = Jaggaer::new(settings, Arc::clone(&world), board);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let at = listener.local_addr().expect("bound");
        let service = jaggaer.router().into_make_service_with_connect_info::<Cable>();
        tokio::spawn(axum::serve(CableListener(listener), service).into_future());
        Self { at, jaggaer, world }
    }

    async fn send(&self, method: &str, path: &str, headers: &str, body: &str) -> Answer {
        let mut stream = TcpStream::connect(self.at).await.expect("the server listens");
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: sandbox\r\nconnection: close\r\n{headers}content-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).await.expect("sent");
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes).await;
        let end = bytes.windows(4).position(|w| w == b"\r\n\r\n").expect("a head");
        let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
        let body = bytes[end + 4..].to_vec();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .and_then(|length| length.parse().ok())
            .unwrap_or(body.len());
        let status = head[9..12].parse().expect("a status");
        Answer { status, whole: body.len() == length, head, body }
    }

    async fn token(&self) -> String {
        let answer = self.send("POST", token::PATH, "", FORM).await;
        assert_eq!(answer.status, 200);
        let token = answer.json()["access_token"].as_str().expect("a token").to_string();
        format!("authorization: Bearer {token}\r\n")
    }

    async fn get(&self, bearer: &str, path: &str) -> Answer {
        self.send("GET", path, bearer, "").await
    }

    /// All rows of a list of the served profile, in the order they came.
    async fn all(&self, bearer: &str, entity: &str) -> Vec<Value> {
        let mut rows = Vec::new();
        let mut next = String::new();
        for _ in 0..200 {
            let page = self.get(bearer, &format!("{JI}/{entity}?limit=20{next}")).await;
            assert_eq!(page.status, 200);
            let page = page.json();
            rows.extend(page["items"].as_array().expect("items").iter().cloned());
            match page["nextCursor"].as_str() {
                Some(cursor) => next = format!("&cursor={cursor}"),
                None => return rows,
            }
        }
        panic!("the list does not end");
    }

    async fn all_observed(&self, bearer: &str, entity: &str) -> Vec<Value> {
        let mut rows = Vec::new();
        let mut start = 1;
        for _ in 0..200 {
            let page = self.get(bearer, &format!("{JI}/{entity}?start={start}")).await.json();
            assert_eq!(page["returnCode"].to_string(), "0");
            let list = page[format!("ji{}List", singular(entity))]
                [format!("ji{}", singular(entity))]
            .as_array()
            .expect("rows")
            .clone();
            start += list.len();
            rows.extend(list);
            if start as u64 > page["totRecords"].as_u64().expect("a total") {
                return rows;
            }
        }
        panic!("the list does not end");
    }
}

fn singular(entity: &str) -> &'static str {
    if entity == "invoices" { "invoice" } else { "purchaseorder" }
}

fn only(fault: Fault, per_mille: u16, most: u32) -> Faults {
    let rate = Rate { per_mille, at_most: Some(most) };
    Faults { seed: 1, rates: BTreeMap::from([(fault, rate)]), ..Faults::default() }
}

/// A number or a text, as the same decimal.
fn decimal(value: &Value) -> rust_decimal::Decimal {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_string);
    text.parse::<rust_decimal::Decimal>().unwrap_or_else(|_| panic!("{text}")).normalize()
}

#[tokio::test]
async fn tokens_are_asked_for_and_needed() {
    let server = Server::start(Profile::Default, 3, Faults::default()).await;
    let path = format!("{JI}/invoices");
    assert_eq!(server.get("", &path).await.status, 401);
    assert_eq!(server.get("authorization: Bearer x\r\n", &path).await.status, 401);
    let wrong = server.send("POST", token::PATH, "", &FORM.replace("-secret", "-x")).await;
    assert_eq!((wrong.status, wrong.json()["error"].as_str()), (401, Some("invalid_client")));
    let realm = server.send("POST", "/auth/realms/other/protocol/x", "", FORM).await;
    assert_eq!(realm.status, 404);
    assert_eq!(realm.json()["error"], "Realm does not exist");
    // sandbox-jaggaer:sandbox-jaggaer-secret
    let basic = "authorization: Basic c2FuZGJveC1qYWdnYWVyOnNhbmRib3gtamFnZ2Flci1zZWNyZXQ=\r\n";
    let good = server.send("POST", token::PATH, basic, "grant_type=client_credentials").await;
    assert_eq!((good.status, good.json()["expires_in"].as_u64()), (200, Some(300)));
    let bearer = server.token().await;
    assert_eq!(server.get(&bearer, &path).await.status, 200);
    let calls = server.jaggaer.calls();
    assert_eq!((calls.token, calls.list, calls.refused), (4, 3, 4));
}

#[tokio::test]
async fn a_token_ends_and_may_not_say_when() {
    let faults = Faults { token_seconds: Some(0), token_without_expiry: true, ..Faults::default() };
    let server = Server::start(Profile::Default, 2, faults).await;
    let answer = server.send("POST", token::PATH, "", FORM).await.json();
    assert_eq!(answer["expires_in"], Value::Null);
    let bearer = server.token().await;
    assert_eq!(server.get(&bearer, &format!("{JI}/suppliers")).await.status, 401);
}

#[tokio::test]
async fn paging_covers_all_in_order() {
    let server = Server::start(Profile::Default, 90, Faults::default()).await;
    let bearer = server.token().await;
    for entity in ["purchase-orders", "invoices", "suppliers"] {
        let rows = server.all(&bearer, entity).await;
        let keys: Vec<(&str, &str)> = rows
            .iter()
            .map(|row| (row["updatedAt"].as_str().expect("stamp"), row["id"].as_str().expect("id")))
            .collect();
        assert!(keys.is_sorted(), "{entity}");
        let ids: BTreeSet<&str> = keys.iter().map(|(_, id)| *id).collect();
        assert_eq!(ids.len(), rows.len());
        let expected = if entity == "suppliers" { server.world.vendors().len() } else { 90 };
        assert_eq!(rows.len(), expected, "{entity}");
    }
}

#[tokio::test]
async fn the_default_profile_is_strict() {
    let server = Server::start(Profile::Default, 60, Faults::default()).await;
    let bearer = server.token().await;
    let all = server.all(&bearer, "invoices").await;
    let stamp = all[30]["updatedAt"].as_str().expect("a stamp");
    let since = server.get(&bearer, &format!("{JI}/invoices?updatedSince={stamp}&limit=200")).await;
    assert_eq!(since.json()["items"].as_array().map(Vec::len), Some(30), "inclusive");
    let page = server.get(&bearer, &format!("{JI}/invoices?limit=5&includeTotal=true")).await;
    let page = page.json();
    assert_eq!(page["totalCount"], 60);
    let cursor = page["nextCursor"].as_str().expect("more");
    for (query, status) in [
        ("updatedSince=2026-09-01".to_string(), 400),
        ("limit=201".into(), 400),
        ("limit=0".into(), 400),
        ("page=2".into(), 400),
        ("cursor=zz".into(), 400),
        (format!("cursor={cursor}&type=Invoice"), 400),
        (format!("cursor={cursor}"), 200),
        ("type=Invoice,CreditMemo&workflowStatus=Completed".into(), 200),
    ] {
        let answer = server.get(&bearer, &format!("{JI}/invoices?{query}")).await;
        assert_eq!(answer.status, status, "{query}");
        assert!(status == 200 || answer.head.contains("application/problem+json"), "{query}");
    }
    assert_eq!(server.get(&bearer, &format!("{JI}/invoices/1")).await.status, 404);
    assert_eq!(server.get(&bearer, "/j1p/api/public/ji/v2/invoices").await.status, 404);
}

#[tokio::test]
async fn both_profiles_tell_the_same() {
    let plain = Server::start(Profile::Default, 120, Faults::default()).await;
    let seen = Server::start(Profile::Observed, 120, Faults::default()).await;
    let (bearer, other) = (plain.token().await, seen.token().await);
    let documents = plain.all(&bearer, "invoices").await;
    let rows = seen.all_observed(&other, "invoices").await;
    assert_eq!((documents.len(), rows.len()), (120, 120));
    for document in &documents {
        let id = document["id"].as_str().expect("an id");
        let detail = seen.get(&other, &format!("{JI}/invoices/{id}")).await.json();
        let header = &detail["header"];
        assert_eq!(header["invoiceNumber"], document["invoiceNumber"]);
        assert_eq!(header["supplierInvoiceNumber"], document["supplierInvoiceNumber"]);
        assert_eq!(
            header["supplier"]["id"].to_string(),
            document["supplier"]["id"].as_str().expect("id")
        );
        assert_eq!(header["lastUpdate"], document["updatedAt"]);
        let gross = &document["grossAmount"]["amount"];
        if gross == "N/A" {
            assert_eq!(&header["total"]["value"], "N/A");
        } else {
            assert_eq!(decimal(&header["total"]["value"]), decimal(gross), "{id}");
        }
        assert_eq!(
            decimal(&header["taxCharge1"]),
            decimal(&document["taxAmount"]["amount"]),
            "{id}"
        );
        let lines = detail["lineList"]["invoiceLine"].as_array().expect("lines");
        let others = document["lines"].as_array().expect("lines");
        assert_eq!(lines.len(), others.len());
        for (line, other) in lines.iter().zip(others) {
            assert_eq!(line["lineId"].to_string(), other["lineId"].as_str().expect("id"));
            for (one, two) in [
                (&line["quantity"], &other["quantity"]),
                (&line["unitPrice"], &other["unitPrice"]["amount"]),
                (&line["extendedPrice"], &other["netAmount"]["amount"]),
            ] {
                assert_eq!(decimal(one), decimal(two), "{id}");
            }
            let splits = &line["splittableFieldSetGroupList"]["splittableFieldSetGroup"][0]["splittableFieldIndexSet"]
                [0]["splittableFieldIndexList"]["splittableFieldIndex"];
            let splits = splits.as_array().expect("splits");
            let shares = other["distributions"].as_array().expect("shares");
            assert_eq!(splits.len(), shares.len());
            for (split, share) in splits.iter().zip(shares) {
                let fields = split["customFieldValueList"]["customFieldValue"].as_array();
                let value = |name: &str| {
                    let mut fields = fields.expect("fields").iter();
                    fields.find(|field| field["internalName"] == name).map(|f| &f["value"])
                };
                assert_eq!(value("Account"), Some(&share["segments"][0]["value"]));
                let amount = value("SplitAmount").expect("an amount");
                assert_eq!(decimal(amount), decimal(&share["amount"]["amount"]));
            }
        }
    }
    let orders = plain.all(&bearer, "purchase-orders").await;
    let rows = seen.all_observed(&other, "purchase-orders").await;
    let ids = |rows: &[Value], place: &str| -> BTreeSet<String> {
        rows.iter()
            .map(|row| row.pointer(place).expect("an id").to_string().replace('"', ""))
            .collect()
    };
    assert_eq!(ids(&orders, "/id"), ids(&rows, "/header/poId"));
}

#[tokio::test]
async fn the_observed_profile_filters_and_fails_inside() {
    let server = Server::start(Profile::Observed, 60, Faults::default()).await;
    let bearer = server.token().await;
    let since = server
        .get(&bearer, &format!("{JI}/invoices?start=1&flt=LASTMODTIME%3E%3D20261015000000"))
        .await
        .json();
    let all = server.all_observed(&bearer, "invoices").await;
    let later =
        all.iter().filter(|row| row["header"]["lastUpdate"].as_str() >= Some("2026-10-15")).count();
    assert_eq!(since["totRecords"].as_u64(), Some(later as u64));
    assert!(later > 0 && later < 60);
    assert_eq!(since["returnedRecords"].as_u64(), Some(20.min(later as u64)));
    assert!(all[0]["lineList"].is_null(), "the list holds headers only");
    for query in ["start=x", "start=0", "flt=NAME==1"] {
        let answer = server.get(&bearer, &format!("{JI}/invoices?{query}")).await;
        assert_eq!(answer.status, 200);
        assert_ne!(answer.json()["returnCode"], 0, "{query}");
    }
    let suppliers = server
        .get(&bearer, "/j1p/api/public/ja/v1/companyprofiles?start=1&comp=returnCompanyInfo")
        .await
        .json();
    assert_eq!(suppliers["returnCode"], "0");
    let info = &suppliers["returnCompanyData"][0]["returnCompanyInfo"];
    assert_eq!(info["lastModTime"].as_str().map(str::len), Some(14));
}

#[tokio::test]
async fn moved_and_repeated_records_lose_nothing() {
    for (fault, seed) in [(Fault::MovedRecord, 1), (Fault::RepeatedRecord, 2)] {
        let faults = Faults { seed, ..only(fault, 900, 9) };
        let server = Server::start(Profile::Default, 90, faults.clone()).await;
        let bearer = server.token().await;
        let rows = server.all(&bearer, "invoices").await;
        let ids: BTreeSet<&str> = rows.iter().filter_map(|row| row["id"].as_str()).collect();
        assert_eq!(ids.len(), 90, "{fault:?}");
        assert!(server.jaggaer.board.happened()[&fault] > 0, "{fault:?}");
        let server = Server::start(Profile::Observed, 90, faults).await;
        let bearer = server.token().await;
        let rows = server.all_observed(&bearer, "invoices").await;
        let ids: BTreeSet<String> =
            rows.iter().map(|row| row["header"]["invoiceId"].to_string()).collect();
        assert_eq!(ids.len(), 90, "{fault:?}");
        assert!(server.jaggaer.board.happened()[&fault] > 0, "{fault:?}");
        assert_eq!(fault == Fault::RepeatedRecord, rows.len() > 90);
    }
}

#[tokio::test]
async fn faults_of_the_way() {
    for (fault, status) in
        [(Fault::UnauthorizedOnce, 401), (Fault::RateLimited, 429), (Fault::Unavailable, 503)]
    {
        let server = Server::start(Profile::Default, 20, only(fault, 1000, 1)).await;
        let bearer = server.token().await;
        let path = format!("{JI}/purchase-orders");
        let answer = server.get(&bearer, &path).await;
        assert_eq!(answer.status, status);
        assert_eq!(status == 429, answer.head.contains("retry-after: 1"));
        let again = if status == 401 { server.token().await } else { bearer };
        assert_eq!(server.get(&again, &path).await.status, 200);
    }
    let server = Server::start(Profile::Default, 60, only(Fault::CutPage, 1000, 1)).await;
    let bearer = server.token().await;
    let cut = server.get(&bearer, &format!("{JI}/invoices?limit=50")).await;
    assert!(cut.status == 200 && !cut.whole, "{} bytes", cut.body.len());
    assert!(server.get(&bearer, &format!("{JI}/invoices?limit=50")).await.whole);
    let server = Server::start(Profile::Default, 60, only(Fault::CursorGone, 1000, 1)).await;
    let bearer = server.token().await;
    let page = server.get(&bearer, &format!("{JI}/invoices?limit=5")).await.json();
    let next =
        format!("{JI}/invoices?limit=5&cursor={}", page["nextCursor"].as_str().expect("more"));
    assert_eq!(server.get(&bearer, &next).await.status, 410);
    assert_eq!(server.get(&bearer, &next).await.status, 200);
    let server = Server::start(Profile::Observed, 9, only(Fault::ErrorInside, 1000, 1)).await;
    let bearer = server.token().await;
    let failed = server.get(&bearer, &format!("{JI}/invoices")).await;
    assert_eq!((failed.status, failed.json()["returnCode"].as_i64()), (200, Some(-1)));
}

#[tokio::test]
async fn odd_content_and_equal_stamps_by_switch() {
    let server = Server::start(Profile::Default, 60, Faults::default()).await;
    let bearer = server.token().await;
    let before = server.all(&bearer, "invoices").await;
    let faults = Faults {
        equal_timestamps: true,
        unknown_fields: true,
        numbers_for_texts: true,
        ..Faults::default()
    };
    let faults = serde_json::to_string(&faults).expect("plain");
    assert_eq!(server.send("PUT", "/sandbox/faults", "", &faults).await.status, 200);
    assert_eq!(server.send("PUT", "/sandbox/faults", "", "{\"x\":1}").await.status, 400);
    let after = server.all(&bearer, "invoices").await;
    assert_eq!(before.len(), after.len());
    assert!(
        after
            .iter()
            .all(|row| { row["updatedAt"].as_str().is_some_and(|at| at.ends_with(":00:00.000Z")) })
    );
    assert!(after.iter().any(|row| row["id"].is_number()));
    assert!(after.iter().any(|row| row["eInvoiceChannel"].is_object()));
}

#[tokio::test]
async fn files_and_status_reports() {
    for profile in [Profile::Default, Profile::Observed] {
        let server = Server::start(profile, 60, Faults::default()).await;
        let bearer = server.token().await;
        let (id, file) = {
            let state = server.world.state();
            let invoice = state.invoices.iter().find(|invoice| !invoice.attachments.is_empty());
            let invoice = invoice.expect("some have files");
            (invoice.id.clone(), invoice.attachments[0].clone())
        };
        let path = format!("{JI}/invoices/{id}/attachments/{}", file.id);
        let answer = server.get(&bearer, &path).await;
        assert_eq!((answer.status, answer.body), (200, file.bytes));
        assert!(answer.head.contains(file.content_type));
        assert_eq!(server.get(&bearer, &format!("{path}x")).await.status, 404);
        assert_eq!(server.jaggaer.calls().attachment, 2);
    }
    let server = Server::start(Profile::Default, 20, Faults::default()).await;
    let bearer = server.token().await;
    let id = server.all(&bearer, "invoices").await[0]["id"].as_str().expect("id").to_string();
    let path = format!("{JI}/invoices/{id}/erp-status");
    let keyed = format!("{bearer}idempotency-key: k1\r\n");
    let body = r#"{"status":"Created","erpNumber":"300001","occurredAt":"2026-11-23T08:00:00Z"}"#;
    let other = body.replace("300001", "300002");
    for (body, status) in [(body, 204), (body, 204), (other.as_str(), 409), ("{}", 409)] {
        assert_eq!(server.send("POST", &path, &keyed, body).await.status, status);
    }
    assert_eq!(server.send("POST", &path, &bearer, "{}").await.status, 400);
    let reports = server.jaggaer.status_reports();
    assert_eq!((reports.len(), reports[0].source_id.as_str()), (1, id.as_str()));
}

#[tokio::test]
async fn a_change_is_served_at_once() {
    let server = Server::start(Profile::Default, 30, Faults::default()).await;
    let bearer = server.token().await;
    let id = {
        let state = server.world.state();
        let order = state.orders.iter().find(|order| order.status == "Sent");
        order.expect("most are sent").id.clone()
    };
    let path = format!("{JI}/purchase-orders/{id}");
    let before = server.get(&bearer, &path).await.json();
    let quantity = 7777.into();
    let change = crate::world::OrderChange::Quantity { line: 0, quantity };
    assert!(server.world.change_order(&id, &change));
    let after = server.get(&bearer, &path).await.json();
    assert_eq!(after["revision"].as_u64(), before["revision"].as_u64().map(|n| n + 1));
    assert_eq!(after["lines"][0]["quantity"], "7777");
    let since = before["updatedAt"].as_str().expect("a stamp");
    assert!(after["updatedAt"].as_str() > Some(since));
}
