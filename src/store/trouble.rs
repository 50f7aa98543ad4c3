//! Why a store does not open, in words that say what to do.

use std::path::Path;

/// `file` is that of a file store.
pub(super) fn in_words(error: &sqlx::Error, file: Option<&Path>) -> String {
    match (error, file) {
        (sqlx::Error::Database(error), Some(file)) => {
            of_a_file(error.code().as_deref().unwrap_or_default(), error.message(), file)
        }
        (sqlx::Error::Database(error), None) => {
            of_a_server(error.code().as_deref().unwrap_or_default(), error.message())
        }
        (sqlx::Error::Io(error), None) => format!(
            "no PostgreSQL answers there ({error}): is it running, and are host and port in store.url right?"
        ),
        (sqlx::Error::Tls(error), None) => format!(
            "the encrypted connection does not come about ({error}): see sslmode in store.url"
        ),
        (sqlx::Error::Configuration(error), None) => {
            format!("store.url cannot be understood ({error})")
        }
        (other, _) => other.to_string(),
    }
}

/// By SQLite's result code; an extended one says the same in its last byte.
fn of_a_file(code: &str, message: &str, file: &Path) -> String {
    const PERM: i32 = 3;
    const READONLY: i32 = 8;
    const CORRUPT: i32 = 11;
    const FULL: i32 = 13;
    const CANTOPEN: i32 = 14;
    const NOTADB: i32 = 26;
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    match code.parse::<i32>().unwrap_or_default() & 0xFF {
        CANTOPEN if file.is_dir() => "that is a folder: name a file in it".into(),
        CANTOPEN if folder.is_some_and(|folder| !folder.exists()) => format!(
            "the folder {} is not there: make it, or name another in store.url",
            folder.expect("just looked at").display()
        ),
        PERM | READONLY | CANTOPEN => format!(
            "this account may not write it or its folder ({message}): see who owns both"
        ),
        NOTADB => "the file is not a store: name another in store.url, or restore a backup (docs/backup.md)"
            .into(),
        CORRUPT => format!("the file is damaged ({message}): restore a backup (docs/backup.md)"),
        FULL => format!("the disk is full ({message}): make room and start again"),
        _ => message.to_owned(),
    }
}

/// By PostgreSQL's error code.
fn of_a_server(code: &str, message: &str) -> String {
    let advice = match code {
        "28P01" | "28000" => "see the user in store.url and store.password",
        "3D000" => "make the database (createdb), or name another in store.url",
        "42501" => "let the user of store.url own the database, so that it can make tables in it",
        "53300" => "let the server take more connections; each process needs five",
        "57P03" => "the server is starting or stopping: try again in a moment",
        _ => return message.to_owned(),
    };
    format!("{message}: {advice}")
}
