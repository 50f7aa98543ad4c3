use super::{Answer, Ask, Client, failure_text, header_map, passes, unicode, with_query};
use crate::jaggaer::Error;
use crate::jaggaer::profile::{Method, ReportCall, ReportLayout};
use reqwest::header::HeaderMap;
use serde_json::Value;

impl Client {
    /// Tells the instance what became of a document. Tried once: a report whose answer was lost may be
    /// sent again under the same key, and says the same.
    pub async fn report(
        &self,
        layout: &ReportLayout,
        call: &ReportCall,
        key: &str,
    ) -> Result<(), Error> {
        let url = with_query(self.inner.base.below(&call.path)?, &layout.query);
        let mut headers: HeaderMap =
            header_map(layout.headers.iter().map(|(name, value)| (name, value.as_str())))?;
        if let Some(name) = &layout.key_header {
            headers.extend(header_map([(name, key)])?);
        }
        let method = match layout.method {
            Method::Post => reqwest::Method::POST,
            Method::Put => reqwest::Method::PUT,
            Method::Patch => reqwest::Method::PATCH,
        };
        let ask =
            Ask { url: &url, headers: &headers, method, body: Some(&call.body), is_write: true };
        let path = url.path();
        let error_at = layout.error.as_ref();
        let parse = |answer: Answer| {
            let Some(test) = &layout.success else { return Ok(()) };
            let text = unicode(&answer.headers, &answer.body);
            let body: Value = serde_json::from_slice(&text).map_err(|error| {
                Error::BrokenAnswer { path: path.to_owned(), text: error.to_string() }
            })?;
            if passes(test, &body) {
                return Ok(());
            }
            let clean = self.inner.sign_in.redactor.scrub(text.into_owned());
            let body = serde_json::from_slice(&clean).unwrap_or_default();
            let text = failure_text(test, error_at, &body);
            Err(Error::Failed { path: path.to_owned(), text })
        };
        self.call(&ask, self.inner.settings.largest_page, error_at, &parse).await
    }
}
