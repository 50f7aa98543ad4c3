use serde::Serialize;
use std::fmt::Display;
use std::process::ExitCode;

/// Where words and JSON go.
pub struct Output {
    pub json: bool,
}

/// Why a command did not do what was asked, with its exit status.
pub struct Failure {
    message: String,
    code: u8,
}

impl Failure {
    /// Exit 1.
    pub fn could_not(message: impl Display) -> Self {
        Self { message: message.to_string(), code: 1 }
    }

    /// Exit 2.
    pub fn configuration(message: impl Display) -> Self {
        Self { message: message.to_string(), code: 2 }
    }
}

impl From<ml_connector::store::StoreError> for Failure {
    fn from(error: ml_connector::store::StoreError) -> Self {
        match error {
            ml_connector::store::StoreError::Url(_) => Self::configuration(error),
            error => Self::could_not(error),
        }
    }
}

impl From<ml_connector::sync::SyncError> for Failure {
    fn from(error: ml_connector::sync::SyncError) -> Self {
        use ml_connector::sync::SyncError;
        match error {
            SyncError::Configuration(_) | SyncError::Vault(_) => Self::configuration(error),
            error => Self::could_not(error),
        }
    }
}

impl Output {
    pub fn failed(&self, failure: &Failure) -> ExitCode {
        if self.json {
            self.print(&serde_json::json!({ "error": failure.message }));
        }
        eprintln!("ml-connector: {}", failure.message);
        ExitCode::from(failure.code)
    }

    /// The command's one JSON document.
    pub fn print(&self, value: &impl Serialize) {
        use std::io::Write;
        if self.json {
            let text = serde_json::to_string_pretty(value).expect("plain data with text keys");
            // A reader that went away (`| head`) is no error of ours.
            let _ = writeln!(std::io::stdout(), "{text}");
        }
    }

    /// For people, on stdout; nothing with `--json`.
    pub fn say(&self, text: impl Display) {
        use std::io::Write;
        if !self.json {
            let _ = writeln!(std::io::stdout(), "{text}");
        }
    }
}

/// A text from outside, made harmless for a terminal: no control characters, and none that turns the
/// direction of what follows.
pub fn plain(text: &str) -> String {
    let turns = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().map(|c| if c.is_control() || turns(c) { '\u{fffd}' } else { c }).collect()
}

/// `1 hold`, `2 holds`.
pub fn counted(count: impl Display, what: &str) -> String {
    let count = count.to_string();
    let end = if count == "1" { "" } else { "s" };
    format!("{count} {what}{end}")
}

/// A table for people.
pub fn table(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> comfy_table::Table {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::UTF8_BORDERS_ONLY).set_header(header.to_vec());
    if let Ok(size) = rustix::termios::tcgetwinsize(std::io::stdout()) {
        table.set_content_arrangement(comfy_table::ContentArrangement::Dynamic);
        table.set_width(size.ws_col.max(60));
    }
    for row in rows {
        table.add_row(row);
    }
    table
}
