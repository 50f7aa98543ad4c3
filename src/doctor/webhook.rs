use super::Check;

/// What one connection's address for webhooks showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WebhookSeen {
    /// A secret or key is missing or cannot be used.
    NoSecret(String),
    /// No address from outside is known.
    NotTold,
    /// It is not https, and not of this machine.
    InTheClear,
    /// What answered, with which status.
    Answered(u16),
    Silent(String),
}

/// Judges whether Visma can tell a connection of changes. From inside nobody can see the way from the internet whole.
pub fn webhook(connection: &str, seen: &WebhookSeen) -> Check {
    let name = format!("connection {connection}: webhooks");
    match seen {
        WebhookSeen::NoSecret(reason) => Check::failed(
            name,
            reason.clone(),
            "put it where `url_secret` and `signing_keys` say: `ml-connector secret set`, the environment variable, or \
             the file; then send `serve` a SIGHUP",
        ),
        WebhookSeen::NotTold => Check::unknown(
            name,
            "secrets are there; whether the address is reached from outside cannot be told: write `public_url` in \
             [serve] to have it looked at",
        ),
        WebhookSeen::InTheClear => Check::failed(
            name,
            "`public_url` is not https: the secret in the address would travel in the clear",
            "write https:// in public_url of [serve], and have a proxy end TLS there (docs/webhooks.md)",
        ),
        WebhookSeen::Answered(200) => {
            Check::good(name, "the address is reached through `public_url`, and `serve` knows it")
        }
        WebhookSeen::Answered(404) => Check::failed(
            name,
            "something answers at `public_url`, but does not know the address (404)",
            "have the proxy pass /webhooks/ on to `listen` of [serve]; if it does, `serve` does not know the secret yet: \
             start it, or send it a SIGHUP",
        ),
        WebhookSeen::Answered(status) => Check::failed(
            name,
            format!("what answers at `public_url` answers the address with {status}"),
            "have the proxy pass /webhooks/ on to `listen` of [serve], without a sign-in, and start `serve`",
        ),
        WebhookSeen::Silent(reason) => Check::failed(
            name,
            format!("`public_url` does not answer: {reason}"),
            "start `serve`, and check public_url of [serve] and the proxy in front of it",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;

    #[test]
    fn each_sight_has_its_verdict_and_its_next_step() {
        for (seen, verdict, word) in [
            (WebhookSeen::NoSecret("the vault has no `x`".into()), Verdict::Failed, "secret set"),
            (WebhookSeen::NotTold, Verdict::Unknown, ""),
            (WebhookSeen::InTheClear, Verdict::Failed, "https://"),
            (WebhookSeen::Answered(200), Verdict::Good, ""),
            (WebhookSeen::Answered(404), Verdict::Failed, "SIGHUP"),
            (WebhookSeen::Answered(502), Verdict::Failed, "proxy"),
            (WebhookSeen::Silent("refused".into()), Verdict::Failed, "start `serve`"),
        ] {
            let check = webhook("no", &seen);
            assert_eq!(check.verdict, verdict, "{seen:?}");
            assert!(check.fix.contains(word), "{seen:?}: {}", check.fix);
        }
    }
}
