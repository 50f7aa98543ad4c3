//! The calls of one run, in an order that can be played again.

use super::Failure;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::Path;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Call {
    /// Index of the system: 0 is Visma, 1 is JAGGAER.
    pub system: usize,
    pub method: String,
    /// With its query.
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
    /// The last part of the answer's `Location`.
    pub key: Option<String>,
    /// The answer to a list of orders: it tells the numbers of their lines.
    #[serde(skip)]
    pub answer: String,
}

impl Call {
    pub fn is_token(&self) -> bool {
        self.path.ends_with("/token")
    }

    /// A change in Visma: around it stand an intent and an outcome.
    pub fn is_write(&self) -> bool {
        self.method != "GET" && !self.is_token()
    }

    pub fn lists_orders(&self) -> bool {
        self.method == "GET" && self.path.starts_with("/v1/purchaseorder?")
    }
}

/// Waves of calls: those of one wave were under way side by side, the next began after its end.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Script {
    pub urls: Vec<String>,
    /// Number of each order's first line in the recorded run. Visma counts from anywhere.
    pub first_lines: HashMap<String, i64>,
    pub waves: Vec<Vec<Call>>,
}

impl Script {
    /// `calls` with the instants of their beginning and end.
    pub fn new(mut calls: Vec<(u128, u128, Call)>) -> Self {
        calls.sort_by_key(|(began, _, _)| *began);
        let mut waves: Vec<Vec<Call>> = Vec::new();
        let mut lines = HashMap::new();
        let mut all_ended = 0;
        for (began, ended, call) in calls {
            first_lines(&call.answer, &mut lines);
            let apart = began > all_ended;
            all_ended = ended.max(all_ended);
            match waves.last_mut() {
                // A moment without a call between two writes is the run's own doing: the floor
                // does not have to wait there.
                Some(wave)
                    if !apart || (call.is_write() && wave.iter().all(|other| other.is_write())) =>
                {
                    wave.push(call);
                }
                Some(_) | None => waves.push(vec![call]),
            }
        }
        Self { urls: Vec::new(), first_lines: lines, waves }
    }

    pub fn calls(&self) -> usize {
        self.waves.iter().map(Vec::len).sum()
    }

    pub fn writes(&self) -> usize {
        self.waves.iter().flatten().filter(|call| call.is_write()).count()
    }

    pub fn write(&self, folder: &Path, urls: [&String; 2]) -> Result<(), Failure> {
        let script = Self { urls: urls.map(String::clone).to_vec(), ..self.clone() };
        let file = BufWriter::new(File::create(folder.join("script.json"))?);
        Ok(serde_json::to_writer(file, &script)?)
    }

    pub fn read(folder: &Path) -> Result<Self, Failure> {
        Ok(serde_json::from_reader(BufReader::new(File::open(folder.join("script.json"))?))?)
    }
}

/// Adds what a list of orders tells, by looking for two members: reading it all would be more
/// than a floor does. An order's lines stand before its number.
pub fn first_lines(answer: &str, into: &mut HashMap<String, i64>) {
    const LINE: &str = "\"lineNbr\":";
    const ORDER: &str = "\"orderNbr\":\"";
    let mut rest = answer;
    let mut first: Option<i64> = None;
    loop {
        let order = rest.find(ORDER);
        match (rest.find(LINE), order) {
            (Some(at), order) if order.is_none_or(|order| at < order) && first.is_none() => {
                rest = &rest[at + LINE.len()..];
                let end = rest.find(|char: char| !char.is_ascii_digit()).unwrap_or(rest.len());
                first = rest[..end].parse().ok();
            }
            (_, Some(at)) => {
                rest = &rest[at + ORDER.len()..];
                let number = rest.split('"').next().unwrap_or_default();
                if let Some(line) = first.take() {
                    into.insert(number.to_owned(), line);
                }
            }
            (_, None) => return,
        }
    }
}
