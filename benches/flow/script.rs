//! The calls of one run, in an order that can be played again.

use super::Failure;
use serde::{Deserialize, Serialize};
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
}

impl Call {
    pub fn is_token(&self) -> bool {
        self.path.ends_with("/token")
    }

    /// A change in Visma: around it stand an intent and an outcome.
    pub fn is_write(&self) -> bool {
        self.method != "GET" && !self.is_token()
    }
}

/// Waves of calls: those of one wave were under way side by side, the next began after its end.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Script {
    pub urls: Vec<String>,
    pub waves: Vec<Vec<Call>>,
}

impl Script {
    /// `calls` with the instants of their beginning and end.
    pub fn new(mut calls: Vec<(u128, u128, Call)>) -> Self {
        calls.sort_by_key(|(began, _, _)| *began);
        let mut waves: Vec<Vec<Call>> = Vec::new();
        let mut all_ended = 0;
        for (began, ended, call) in calls {
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
        Self { urls: Vec::new(), waves }
    }

    pub fn calls(&self) -> usize {
        self.waves.iter().map(Vec::len).sum()
    }

    pub fn writes(&self) -> usize {
        self.waves.iter().flatten().filter(|call| call.is_write()).count()
    }

    pub fn write(&self, folder: &Path, urls: [&String; 2]) -> Result<(), Failure> {
        let script = Self { urls: urls.map(String::clone).to_vec(), waves: self.waves.clone() };
        let file = BufWriter::new(File::create(folder.join("script.json"))?);
        Ok(serde_json::to_writer(file, &script)?)
    }

    pub fn read(folder: &Path) -> Result<Self, Failure> {
        Ok(serde_json::from_reader(BufReader::new(File::open(folder.join("script.json"))?))?)
    }
}
