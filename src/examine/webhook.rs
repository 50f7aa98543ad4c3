use super::LONGEST_ANSWER;
use crate::doctor::WebhookSeen;
use reqwest::Url;

/// Looks at an address for webhooks as Visma would reach it. Nothing that is said of it carries its secret.
pub async fn webhook(public_url: Option<&str>, secret: &str) -> WebhookSeen {
    let Some(text) = public_url else { return WebhookSeen::NotTold };
    let address = format!("{}/webhooks/{secret}", text.trim_end_matches('/'));
    let Ok(url) = Url::parse(&address) else {
        return WebhookSeen::Silent("it is not an address such as https://host".into());
    };
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let is_loopback = host == "localhost"
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    if url.scheme() != "https" && !is_loopback {
        return WebhookSeen::InTheClear;
    }
    let http =
        crate::http::client().connect_timeout(LONGEST_ANSWER).timeout(LONGEST_ANSWER).build();
    let answer = match http {
        Ok(http) => http.get(url).send().await,
        Err(error) => Err(error),
    };
    match answer {
        Ok(answer) => WebhookSeen::Answered(answer.status().as_u16()),
        Err(error) => WebhookSeen::Silent(super::reach::chain(&error.without_url())),
    }
}
