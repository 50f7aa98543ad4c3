use super::*;
use crate::visma::testing::{Reply, Server};
use std::sync::atomic::AtomicUsize;

fn sender(client: &Client) -> Sender {
    Sender::new(client)
}

fn creation() -> Request {
    Request {
        method: Method::Post,
        path: "/v1/supplierInvoice".into(),
        if_match: None,
        background: false,
        body: Body::Json(r#"{"hold":{"value":true}}"#.into()),
    }
}

fn action() -> Request {
    crate::visma::release_invoice("Invoice", "300457", "AAA=")
}

fn change() -> Request {
    Request { method: Method::Put, if_match: Some("\"AAA=\"".into()), ..creation() }
}

const CREATED: &[(&str, &str)] = &[
    ("Location", "http://another.example/API/controller/api/v1/supplierInvoice/300457"),
    ("ETag", "\"BBB=\""),
];

fn created() -> Outcome {
    Outcome::Done { location_key: Some("300457".into()), etag: Some("\"BBB=\"".into()) }
}

fn kind(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Done { .. } => "done",
        Outcome::Accepted { .. } => "accepted",
        Outcome::NotSent { .. } => "not sent",
        Outcome::Refused { .. } => "refused",
        Outcome::Conflict { .. } => "conflict",
        Outcome::NotFound { .. } => "not found",
        Outcome::Uncertain { .. } => "uncertain",
    }
}

async fn sent(request: &Request, reply: fn() -> Reply) -> (Outcome, usize) {
    let server = Server::signed_in(move |_, _| reply()).await;
    let outcome = sender(&server.client()).send(request, Arc::new(|| true)).await;
    (outcome, server.calls().len())
}

#[tokio::test]
async fn each_answer_has_one_outcome_and_is_asked_for_once() {
    type Case = (fn() -> Request, fn() -> Reply, &'static str, usize);
    let cases: Vec<Case> = vec![
        (creation, || Reply::new(201, CREATED, "{}"), "done", 1),
        (creation, || Reply::new(201, CREATED, ""), "done", 1),
        // The key is in the headers: nothing in the body matters.
        (creation, || Reply::new(201, CREATED, "{\"long\":1}").cut(5), "done", 1),
        (creation, || Reply::new(201, CREATED, "{}").hung(1), "done", 1),
        (creation, || Reply::new(201, &[], "{}"), "done", 1),
        (creation, || Reply::new(201, &[], "{}").cut(1), "uncertain", 1),
        (creation, || Reply::new(200, &[], r#"{"message":"oh"}"#), "uncertain", 1),
        (creation, || Reply::new(202, &[], r#"{"id":"j1"}"#), "accepted", 1),
        (creation, || Reply::new(202, &[], r#"{"id":"j1"}"#).cut(2), "uncertain", 1),
        (creation, || Reply::new(202, &[], ""), "uncertain", 1),
        (creation, || Reply::new(400, &[], r#"{"message":"no such account"}"#), "refused", 1),
        (creation, || Reply::new(400, &[], "cut").cut(2), "refused", 1),
        (creation, || Reply::new(403, &[], ""), "refused", 1),
        (creation, || Reply::new(409, &[], ""), "refused", 1),
        (creation, || Reply::new(302, &[("location", "/login")], ""), "refused", 1),
        (creation, || Reply::new(404, &[], ""), "not found", 1),
        (creation, || Reply::new(408, &[], ""), "uncertain", 1),
        (creation, || Reply::new(429, &[("retry-after", "9")], ""), "not sent", 1),
        (creation, || Reply::new(401, &[], ""), "not sent", 2),
        (creation, || Reply::new(500, &[], r#"{"message":"credit limit"}"#), "uncertain", 1),
        (creation, || Reply::new(502, &[], "<html>"), "uncertain", 1),
        (creation, Reply::nothing, "uncertain", 1),
        (creation, Reply::silence, "uncertain", 1),
        (creation, || Reply::new(201, &[], "").cut(2), "uncertain", 1),
        (change, || Reply::new(204, &[("ETag", "\"C=\"")], ""), "done", 1),
        (change, || Reply::new(412, &[], ""), "conflict", 1),
        (change, || Reply::new(200, &[], r#"{"errorInfo":"line 2"}"#), "uncertain", 1),
        (action, || Reply::new(202, &[], r#"{"id":"j2"}"#), "accepted", 1),
        (action, || Reply::json(r#"{"actionResult":"Done","errorInfo":""}"#), "done", 1),
        (action, || Reply::json(r#"{"actionResult":"Failed"}"#), "refused", 1),
        (action, || Reply::json(r#"{"actionResult":"Done","errorInfo":"no"}"#), "refused", 1),
        (action, || Reply::json(r#"{"actionResult":"Queued"}"#), "uncertain", 1),
        (action, || Reply::json(r#"{"actionResult":"InProcess"}"#), "uncertain", 1),
        (action, || Reply::json(r#"{"actionResult":"Done"}"#).cut(3), "uncertain", 1),
        (action, || Reply::json("<html>"), "uncertain", 1),
        (action, || Reply::new(204, &[], ""), "done", 1),
    ];
    for (case, (request, reply, expected, calls)) in cases.into_iter().enumerate() {
        let (outcome, heard) = sent(&request(), reply).await;
        assert_eq!((kind(&outcome), heard), (expected, calls), "case {case}: {outcome:?}");
    }
}

#[tokio::test]
async fn the_key_comes_from_the_end_of_the_location_alone() {
    let (outcome, _) = sent(&creation(), || Reply::new(201, CREATED, "{}")).await;
    assert_eq!(outcome, created());
}

#[tokio::test]
async fn words_of_a_refusal_come_through_bounded() {
    let (outcome, _) =
        sent(&creation(), || Reply::new(400, &[], "{\"message\":\"'Account'\\r\\n unknown\"}"))
            .await;
    assert_eq!(outcome, Outcome::Refused { status: 400, message: "'Account' unknown".into() });
    assert!(outcome.needs_person() && !outcome.outcome_unknown());
}

#[tokio::test]
async fn a_pause_is_told_with_its_length() {
    let (outcome, _) = sent(&creation(), || Reply::new(429, &[("retry-after", "90")], "")).await;
    let Outcome::NotSent { retry_after: Some(wait), .. } = outcome else { panic!("{outcome:?}") };
    assert!(wait > Duration::from_secs(80) && wait <= Duration::from_secs(90), "{wait:?}");
}

#[tokio::test]
async fn the_request_leaves_as_it_was_stored() {
    let server = Server::signed_in(|_, _| Reply::new(202, &[], r#"{"id":"j"}"#)).await;
    let client = server.client();
    let mut release = action();
    let stored = serde_json::to_string(&release).expect("serialises");
    release = serde_json::from_str(&stored).expect("reads back");
    sender(&client).send(&release, Arc::new(|| true)).await;
    sender(&client).send(&creation(), Arc::new(|| true)).await;
    let calls = server.calls();
    assert_eq!(calls[0].target, "/v1/supplierInvoice/Invoice/300457/action/release");
    assert_eq!(calls[0].header("if-match"), "\"AAA=\"");
    assert_eq!(calls[0].header("erp-api-background"), "none");
    assert_eq!(calls[0].header("tenant_id"), "the-company");
    assert_eq!(calls[0].body, "");
    assert_eq!(calls[1].header("content-type"), "application/json");
    assert_eq!(calls[1].body, r#"{"hold":{"value":true}}"#);
    assert!(!calls[1].headers.contains_key("erp-api-background"));
    assert_eq!(client.calls().writes, 2);
}

#[tokio::test]
async fn a_file_leaves_as_a_form() {
    let server = Server::signed_in(|_, _| Reply::new(201, &[], "")).await;
    let client = server.client();
    let bytes = b"%PDF-1.7".to_vec();
    let request = crate::visma::attach("DebitAdj", "7", "kjøp.pdf", Some("application/pdf"), bytes);
    assert_eq!(kind(&sender(&client).send(&request, Arc::new(|| true)).await), "done");
    let call = &server.calls()[0];
    assert_eq!(call.target, "/v1/supplierInvoice/documentType/DebitAdj/7/attachment");
    assert!(call.header("content-type").starts_with("multipart/form-data; boundary="));
    for part in [r#"name="file""#, r#"filename="kjøp.pdf""#, "application/pdf", "%PDF-1.7"] {
        assert!(call.body.contains(part), "{part} in {}", call.body);
    }
    let stored = serde_json::to_string(&request).expect("serialises");
    let without: Request = serde_json::from_str(&stored).expect("reads back");
    assert_eq!(kind(&sender(&client).send(&without, Arc::new(|| true)).await), "not sent");
    assert_eq!(server.calls().len(), 1);
}

/// A gate that says yes so many times.
fn open_for(times: usize) -> (Gate, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    (Arc::new(move || counter.fetch_add(1, Ordering::SeqCst) < times), asked)
}

/// A process that is frozen after the first question and wakes up too late: what has left is half
/// a request, and nobody carries that out.
#[tokio::test]
async fn the_last_bytes_do_not_leave_without_the_right_to_write() {
    let server = Server::signed_in(|_, _| Reply::new(201, CREATED, "")).await;
    let client = server.client();
    let (gate, asked) = open_for(1);
    let outcome = sender(&client).send(&creation(), gate).await;
    assert_eq!(kind(&outcome), "not sent", "{outcome:?}");
    assert_eq!((asked.load(Ordering::SeqCst), server.calls().len()), (2, 0));
    assert_eq!(sender(&client).send(&creation(), Arc::new(|| true)).await, created());
}

#[tokio::test]
async fn the_gate_is_asked_before_each_departure() {
    let server = Server::signed_in(|heard, _| match heard.header("authorization") {
        "Bearer token-0" => Reply::new(401, &[], ""),
        _ => Reply::new(201, CREATED, ""),
    })
    .await;
    let client = server.client();
    assert_eq!(kind(&sender(&client).send(&creation(), Arc::new(|| false)).await), "not sent");
    assert_eq!(server.calls().len(), 0);
    // Twice for the first departure (before it, and at its last bytes), once for the second.
    let (gate, asked) = open_for(2);
    assert_eq!(kind(&sender(&client).send(&creation(), gate).await), "not sent");
    assert_eq!((asked.load(Ordering::SeqCst), server.calls().len()), (3, 1));
    assert_eq!(sender(&client).send(&creation(), Arc::new(|| true)).await, created());
}

#[tokio::test]
async fn nobody_there_is_not_sent() {
    let server = Server::signed_in(|_, _| Reply::json("[]")).await;
    let mut settings = server.settings();
    let unused = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    settings.base_url = format!("http://{}", unused.local_addr().expect("bound"));
    drop(unused);
    let outcome = sender(&Client::new(settings.clone()).expect("usable"))
        .send(&creation(), Arc::new(|| true))
        .await;
    assert_eq!(kind(&outcome), "not sent", "{outcome:?}");
    settings.base_url = "http://no-such-host.invalid".into();
    let outcome =
        sender(&Client::new(settings).expect("usable")).send(&creation(), Arc::new(|| true)).await;
    assert_eq!(kind(&outcome), "not sent", "{outcome:?}");
}

#[tokio::test]
async fn no_token_is_not_sent() {
    let server = Server::start(|_, _| Reply::new(400, &[], r#"{"error":"invalid_client"}"#)).await;
    let outcome = sender(&server.client()).send(&creation(), Arc::new(|| true)).await;
    assert_eq!(kind(&outcome), "not sent", "{outcome:?}");
    assert!(server.calls().is_empty());
}

#[tokio::test]
async fn a_write_may_use_the_reserve_but_not_more() {
    let server = Server::signed_in(|_, n| {
        let left = if n == 0 { "1" } else { "0" };
        let headers = [
            ("X-RateLimit-Limit", "100"),
            ("X-RateLimit-Remaining", left),
            ("X-RateLimit-Reset", "1800"),
            ("Location", "/v1/supplierInvoice/1"),
        ];
        Reply::new(201, &headers, "")
    })
    .await;
    let client = server.client();
    for expected in ["done", "done", "not sent"] {
        assert_eq!(kind(&sender(&client).send(&creation(), Arc::new(|| true)).await), expected);
    }
    assert_eq!(server.calls().len(), 2);
}

#[tokio::test]
async fn a_location_that_names_the_list_names_no_document() {
    const LIST: &[(&str, &str)] = &[("Location", "https://api.example/v1/supplierinvoice/")];
    let (outcome, _) = sent(&creation(), || Reply::new(201, LIST, "{}")).await;
    assert_eq!(outcome, Outcome::Done { location_key: None, etag: None });
}
