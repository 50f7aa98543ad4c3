//! A client of plain bytes: it sees exactly what is on the wire, a broken answer too.

use super::super::Visma;
use crate::faults::cable;
use serde_json::Value;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

pub(super) struct Client {
    address: SocketAddr,
    pub token: String,
    pub tenant: Option<String>,
}

#[derive(Debug)]
pub(super) struct Answer {
    pub status: u16,
    headers: Vec<(String, String)>,
    pub bytes: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).expect("the answer is JSON")
    }

    pub fn message(&self) -> String {
        self.json()["message"].as_str().unwrap_or_default().to_owned()
    }

    /// The last segment of `Location`.
    pub fn key(&self) -> String {
        self.header("location")
            .and_then(|place| place.rsplit('/').next())
            .expect("a Location")
            .to_owned()
    }
}

impl Client {
    pub async fn serving(visma: &Arc<Visma>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        tokio::spawn(cable::serve(listener, visma.router()));
        Self {
            address,
            token: String::new(),
            tenant: Some("11111111-1111-4111-8111-111111111111".into()),
        }
    }

    /// The same simulator behind an ordinary listener.
    pub async fn serving_plainly(visma: &Arc<Visma>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let router = visma.router();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self {
            address,
            token: String::new(),
            tenant: Some("11111111-1111-4111-8111-111111111111".into()),
        }
    }

    /// `Err`: no answer, or a part of one; with the bytes that came.
    pub async fn raw(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Answer, Vec<u8>> {
        let mut stream = TcpStream::connect(self.address).await.expect("the simulator listens");
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nHost: visma.test\r\nConnection: close\r\nContent-Length: {}\r\n",
            body.len()
        );
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        head += "\r\n";
        stream.write_all(&[head.as_bytes(), body].concat()).await.map_err(|_| Vec::new())?;
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes).await;
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
            return Err(bytes);
        };
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let mut lines = head.lines();
        let status = lines
            .next()
            .and_then(|line| line.split(' ').nth(1))
            .and_then(|status| status.parse().ok())
            .expect("a status line");
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        let answer = Answer { status, headers, bytes: bytes[end + 4..].to_vec() };
        let promised: usize =
            answer.header("content-length").map_or(0, |length| length.parse().expect("a length"));
        if answer.bytes.len() < promised { Err(bytes) } else { Ok(answer) }
    }

    pub async fn token(&self, form: &str) -> Answer {
        self.raw(
            "POST",
            "/connect/token",
            &[("Content-Type", "application/x-www-form-urlencoded")],
            form.as_bytes(),
        )
        .await
        .expect("an answer")
    }

    pub async fn sign_in(&mut self) {
        let tenant = "11111111-1111-4111-8111-111111111111";
        let scope = "vismanet_erp_service_api%3Aread+vismanet_erp_service_api%3Acreate+vismanet_erp_service_api%3Aupdate+vismanet_erp_service_api%3Adelete";
        let form = format!(
            "grant_type=client_credentials&client_id=sandbox-visma&client_secret=sandbox-visma-secret&tenant_id={tenant}&scope={scope}"
        );
        self.token =
            self.token(&form).await.json()["access_token"].as_str().expect("a token").to_owned();
    }

    pub async fn try_call(
        &self,
        method: &str,
        path: &str,
        more: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Answer, Vec<u8>> {
        let bearer = format!("Bearer {}", self.token);
        let mut headers = vec![("Authorization", bearer.as_str())];
        if let Some(tenant) = &self.tenant {
            headers.push(("tenant_id", tenant));
        }
        headers.extend(more);
        self.raw(method, path, &headers, body).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.try_call("GET", path, &[], b"").await.expect("an answer")
    }

    /// The rows of one page.
    pub async fn rows(&self, path: &str) -> Vec<Value> {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", String::from_utf8_lossy(&answer.bytes));
        answer.json().as_array().expect("rows").clone()
    }

    pub async fn send(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.send_with(method, path, &[], body).await
    }

    pub async fn send_with(
        &self,
        method: &str,
        path: &str,
        more: &[(&str, &str)],
        body: &Value,
    ) -> Answer {
        let mut headers = vec![("Content-Type", "application/json")];
        headers.extend(more);
        self.try_call(method, path, &headers, body.to_string().as_bytes()).await.expect("an answer")
    }
}
