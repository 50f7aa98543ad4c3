//! Answers before they become bytes.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::json;

/// An answer: status, content type, body, and a header or two.
#[derive(Debug)]
pub(super) struct Reply {
    pub status: StatusCode,
    pub content_type: &'static str,
    pub body: Vec<u8>,
    pub retry_after: Option<u32>,
    /// Only half of the body is sent, then the connection closes.
    pub cut: bool,
}

impl Reply {
    pub fn json(body: impl Into<Vec<u8>>) -> Self {
        Self::new(StatusCode::OK, "application/json", body.into())
    }

    pub fn new(status: StatusCode, content_type: &'static str, body: Vec<u8>) -> Self {
        Self { status, content_type, body, retry_after: None, cut: false }
    }

    /// `application/problem+json`.
    pub fn problem(status: StatusCode, code: &str, detail: &str) -> Self {
        let body = json!({
            "type": "about:blank", "title": status.canonical_reason().unwrap_or("Error"),
            "status": status.as_u16(), "code": code, "detail": detail,
            "traceId": format!("sandbox-{}", code.to_ascii_lowercase()),
        });
        Self::new(status, "application/problem+json", body.to_string().into_bytes())
    }

    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    pub fn into_response(self) -> Response {
        let length = self.body.len();
        // A body of unknown length that ends before the promised length makes the server close
        // the connection, as a broken line does.
        let body = if self.cut && length > 1 {
            let half = self.body[..length / 2].to_vec();
            Body::from_stream(Body::from(half).into_data_stream())
        } else {
            Body::from(self.body)
        };
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        if self.status != StatusCode::NO_CONTENT {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.content_type));
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
