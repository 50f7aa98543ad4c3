use super::answer::{self, encoded};
use super::send::{Outcome, refused, settled};
use super::{Client, Error};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::Value;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Job {
    status: Option<String>,
    status_code: Option<u16>,
    error_message: Option<String>,
    has_response_content: Option<bool>,
    original_uri: Option<String>,
    response_headers: Option<serde_json::Map<String, Value>>,
}

impl Client {
    /// What has become of a job so far; `Accepted` while it runs. An error means only that the
    /// question could not be put now.
    ///
    /// `Finished` says that the job ended, not that it succeeded: the status of the call inside
    /// decides.
    pub async fn background_outcome(&self, job: &str) -> Result<Outcome, Error> {
        let path = format!("/v1/background/{}", encoded(job));
        let state: Job = match self.get(&path).await {
            Ok(answer) => answer.body,
            Err(Error::NotFound { .. }) => {
                return Ok(Outcome::uncertain("visma does not know the job (any more)"));
            }
            Err(Error::Refused { status: 410, .. }) => {
                return Ok(Outcome::uncertain("visma has forgotten the job"));
            }
            Err(error) => return Err(error),
        };
        let words = || match &state.error_message {
            Some(message) if !message.trim().is_empty() => {
                answer::bounded(&self.inner.redactor.scrub_text(message.clone()))
            }
            _ => "no reason given".to_owned(),
        };
        match state.status.as_deref() {
            Some("Finished") => {}
            Some("Failed") => {
                return Ok(Outcome::uncertain(format!("the job failed: {}", words())));
            }
            // Started, and words to come that are no end either.
            Some(_) => return Ok(Outcome::Accepted { job: job.to_owned() }),
            None => {
                return Ok(Outcome::uncertain("visma's answer about the job has no status"));
            }
        }
        let status = state.status_code.unwrap_or_default();
        let action = state.original_uri.as_deref().is_some_and(|uri| uri.contains("/action/"));
        let content = self.content(&path, &state).await?;
        let headers = headers(state.response_headers.as_ref());
        let clean = |body: String| self.inner.redactor.scrub(body.into_bytes());
        Ok(match (status, content) {
            (202, _) => Outcome::uncertain("the job ended by starting another"),
            (200..=299, content) => {
                let location = answer::text(&headers, reqwest::header::LOCATION);
                let key = location.as_deref().and_then(answer::last_segment);
                let body = content.map(|content| content.to_string()).unwrap_or_default();
                settled(action, key, &headers, &clean(body))
            }
            (0, _) => Outcome::uncertain("the job ended without a status"),
            (status, Some(content)) => refused(status, &clean(content.to_string()), None),
            (status, None) => refused(status, words().as_bytes(), None),
        })
    }

    /// The body of the call inside, when there is one. It is kept for a day only, and its loss
    /// changes no outcome.
    async fn content(&self, path: &str, state: &Job) -> Result<Option<Value>, Error> {
        if state.has_response_content != Some(true) {
            return Ok(None);
        }
        match self.get::<Value>(&format!("{path}/content")).await {
            Ok(answer) => Ok(Some(answer.body)),
            Err(error) if error.is_retryable() && !matches!(error, Error::Unreadable { .. }) => {
                Err(error)
            }
            Err(_) => Ok(None),
        }
    }
}

fn headers(told: Option<&serde_json::Map<String, Value>>) -> HeaderMap {
    let pairs = told.into_iter().flatten().filter_map(|(name, value)| {
        let name: HeaderName = name.parse().ok()?;
        let value = match value {
            Value::String(text) => text.as_str(),
            // Headers of this kind are also written as lists of one.
            Value::Array(values) => values.first()?.as_str()?,
            _ => return None,
        };
        Some((name, HeaderValue::from_str(value).ok()?))
    });
    pairs.collect()
}

#[cfg(test)]
mod tests;
