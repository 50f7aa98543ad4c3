use super::super::{Settings, Tenants};
use super::{calm, company, invoice, line};
use crate::faults::Faults;
use std::time::Duration;

const READ: &str = "vismanet_erp_service_api:read";

fn form(secret: &str, tenant: &str, scope: &str) -> String {
    format!(
        "grant_type=client_credentials&client_id=sandbox-visma&client_secret={secret}&tenant_id={tenant}&scope={scope}"
    )
}

#[tokio::test]
async fn tokens_are_given_to_those_who_may_have_them() {
    let company = company(Settings::defaults(), Faults::default()).await;
    let Tenants { company: tenant, customer } = Settings::defaults().tenants;
    let table = [
        (form("sandbox-visma-secret", &tenant, READ), 200, None),
        (form("sandbox-visma-secret", &customer, READ), 200, None),
        (form("wrong", &tenant, READ), 400, Some("invalid_client")),
        (form("sandbox-visma-secret", "", READ), 400, Some("invalid_request")),
        (
            form("sandbox-visma-secret", "33333333-3333-4333-8333-333333333333", READ),
            400,
            Some("invalid_grant"),
        ),
        (
            form("sandbox-visma-secret", &tenant, "vismanet_erp_service_api:all"),
            400,
            Some("invalid_scope"),
        ),
        (form("sandbox-visma-secret", &tenant, ""), 400, Some("invalid_scope")),
        ("grant_type=password".into(), 400, Some("unsupported_grant_type")),
    ];
    for (form, status, error) in table {
        let answer = company.client.token(&form).await;
        assert_eq!((answer.status, answer.json()["error"].as_str()), (status, error), "{form}");
    }
    assert_eq!(company.visma.calls().tokens, 8);
}

#[tokio::test]
async fn token_tenant_header_and_scope() {
    let mut company = calm().await;
    assert_eq!(company.client.get("/v1/account").await.status, 200);
    assert_eq!(company.client.get("/v1/nothing").await.status, 404);
    assert_eq!(company.client.get("/v1/PurchaseReceipt").await.status, 404);

    let tenant = company.client.tenant.take();
    let answer = company.client.get("/v1/account").await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.json()["FaultCode"], "13008");
    company.client.tenant = Some(Settings::defaults().tenants.customer);
    assert_eq!(company.client.get("/v1/account").await.status, 401);

    let customer = Settings::defaults().tenants.customer;
    let answer = company.client.token(&form("sandbox-visma-secret", &customer, READ)).await;
    company.client.token = answer.json()["access_token"].as_str().expect("a token").into();
    assert_eq!(
        company.client.get("/v1/account").await.status,
        401,
        "a token of the customer tenant is good for nothing"
    );

    company.client.tenant = tenant;
    let answer = company
        .client
        .token(&form("sandbox-visma-secret", &Settings::defaults().tenants.company, READ))
        .await;
    company.client.token = answer.json()["access_token"].as_str().expect("a token").into();
    assert_eq!(company.client.get("/v1/account").await.status, 200);
    assert_eq!(
        company
            .client
            .send("POST", "/v1/supplierInvoice", &invoice("1", vec![line("10", "K25")]))
            .await
            .status,
        403
    );

    company.client.token = "made up".into();
    assert_eq!(
        company.client.get("/v1/account").await.message(),
        "Authorization has been denied for this request."
    );
}

#[tokio::test]
async fn tokens_end() {
    let mut company =
        company(Settings { token_seconds: 0, ..Settings::defaults() }, Faults::default()).await;
    company.client.sign_in().await;
    assert_eq!(company.client.get("/v1/account").await.status, 401);
}

#[tokio::test]
async fn the_allowance_is_told_and_kept() {
    let mut company =
        company(Settings { calls_per_window: 3, ..Settings::defaults() }, Faults::default()).await;
    company.client.sign_in().await;
    for left in ["2", "1", "0"] {
        let answer = company.client.get("/v1/branch").await;
        assert_eq!(
            (
                answer.status,
                answer.header("x-ratelimit-remaining"),
                answer.header("x-ratelimit-limit")
            ),
            (200, Some(left), Some("3"))
        );
    }
    let answer = company.client.get("/v1/branch").await;
    assert_eq!(answer.status, 429);
    let wait: u64 =
        answer.header("retry-after").and_then(|wait| wait.parse().ok()).expect("seconds");
    assert!((3590..=3600).contains(&wait), "{wait}");
    let calls = company.visma.calls();
    assert_eq!((calls.reads, calls.writes, calls.tokens), (4, 0, 1));
    assert_eq!(
        calls
            .by_route
            .iter()
            .map(|count| (count.route, count.status, count.count))
            .collect::<Vec<_>>(),
        [("/v1/branch", 200, 3), ("/v1/branch", 429, 1), ("/connect/token", 200, 1)]
    );
}

#[tokio::test]
async fn a_burst_is_stopped() {
    let settings = Settings { burst: Some((2, Duration::from_secs(30))), ..Settings::defaults() };
    let mut company = company(settings, Faults::default()).await;
    company.client.sign_in().await;
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(company.client.get("/v1/branch").await.status);
    }
    assert_eq!(statuses, [200, 200, 429]);
}
