use jiff::civil::Date;
use jiff::tz::TimeZone;

/// One thing to know.
pub(super) struct Question {
    /// Its flag, without the dashes.
    pub flag: &'static str,
    pub words: &'static str,
    pub hint: &'static str,
    /// Taken when nothing is said; empty: the key is left out.
    pub default: Option<&'static str>,
    /// Asked for on a terminal; the others are flags for the few who need them.
    pub is_asked: bool,
    pub is_needed: bool,
    /// The answer as it is written, or why it is none.
    pub check: fn(&str) -> Result<String, String>,
}

const fn needed(
    flag: &'static str,
    words: &'static str,
    hint: &'static str,
    check: fn(&str) -> Result<String, String>,
) -> Question {
    Question { flag, words, hint, default: None, is_asked: true, is_needed: true, check }
}

const fn usual(
    flag: &'static str,
    words: &'static str,
    hint: &'static str,
    default: &'static str,
    check: fn(&str) -> Result<String, String>,
) -> Question {
    let default = Some(default);
    Question { flag, words, hint, default, is_asked: true, is_needed: false, check }
}

const fn rare(flag: &'static str, check: fn(&str) -> Result<String, String>) -> Question {
    Question { flag, words: "", hint: "", default: None, is_asked: false, is_needed: false, check }
}

pub(super) const QUESTIONS: &[Question] = &[
    needed(
        "jaggaer-url",
        "Address of JAGGAER's API",
        "e.g. https://customer.api.jaggaer.com, without the path behind the host",
        base_url,
    ),
    usual(
        "jaggaer-token-url",
        "Address where JAGGAER signs in",
        "Enter: Keycloak's path for J1P below the address above",
        "",
        address,
    ),
    needed("jaggaer-client-id", "Client id that JAGGAER gave you", "client id", client_id),
    usual(
        "profile",
        "How this instance lays out its API",
        "default, observed, or a profile's file (docs/profiles.md)",
        "default",
        words,
    ),
    needed("visma-client-id", "Client id from the Visma Developer Portal", "client id", client_id),
    needed(
        "tenant-id",
        "Tenant id of the company (not of the customer)",
        "Visma Admin: Company, Edit, Configuration, Tenant id",
        tenant_id,
    ),
    usual(
        "company",
        "Your name for this company; it stands in every document's key, so choose it once",
        "small letters, digits, - and _",
        "company",
        name,
    ),
    usual("time-zone", "Where the company is", "an IANA name", "Europe/Oslo", time_zone),
    needed("take-from", "Go-live: older documents are never posted", "YYYY-MM-DD", day),
    usual(
        "secrets",
        "Where the two client secrets will be",
        "vault (encrypted in the store), file, or env",
        "vault",
        |text| one_of(text, &["vault", "file", "env"]),
    ),
    usual(
        "store",
        "Where the connector keeps its own data",
        "sqlite:FILE on a local disk, or postgres://user@host/database",
        "sqlite:ml-connector.db",
        store,
    ),
    rare("jaggaer-auth", |text| one_of(text, &["post", "basic"])),
    rare("jaggaer-scope", words),
    rare("visma-url", base_url),
    rare("visma-token-url", address),
];

fn one_of(text: &str, choices: &[&str]) -> Result<String, String> {
    match choices.contains(&text.trim()) {
        true => Ok(text.trim().to_owned()),
        false => Err(format!("`{text}` is none of {}", choices.join(", "))),
    }
}

fn words(text: &str) -> Result<String, String> {
    let text = text.trim();
    match text.is_empty() || text.chars().any(char::is_control) {
        true => Err("it is empty, or not one line of text".to_owned()),
        false => Ok(text.to_owned()),
    }
}

fn client_id(text: &str) -> Result<String, String> {
    let text = words(text)?;
    match text.contains(char::is_whitespace) || text.len() > 200 {
        true => Err("a client id is one word".to_owned()),
        false => Ok(text),
    }
}

fn name(text: &str) -> Result<String, String> {
    let text = text.trim();
    let fits =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
    match (1..=64).contains(&text.len()) && text.bytes().all(fits) {
        true => Ok(text.to_owned()),
        false => Err("1 to 64 small letters, digits, - and _".to_owned()),
    }
}

fn tenant_id(text: &str) -> Result<String, String> {
    let text = text.trim().trim_matches(['{', '}']).to_ascii_lowercase();
    let lengths: Vec<usize> = text.split('-').map(str::len).collect();
    let is_hex = text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    if lengths != [8, 4, 4, 4, 12] || !is_hex {
        return Err("a tenant id looks like 1b2c3d4e-0000-4000-8000-123456789abc (the company number is another thing)".to_owned());
    }
    if text.bytes().all(|byte| matches!(byte, b'0' | b'-')) {
        return Err("this is only a placeholder".to_owned());
    }
    Ok(text)
}

fn day(text: &str) -> Result<String, String> {
    let day: Date = text.trim().parse().map_err(|_| "write a day as 2026-12-31".to_owned())?;
    Ok(day.to_string())
}

fn time_zone(text: &str) -> Result<String, String> {
    TimeZone::get(text.trim())
        .map(|_| text.trim().to_owned())
        .map_err(|_| format!("`{text}` is not a time zone such as Europe/Oslo"))
}

fn store(text: &str) -> Result<String, String> {
    let text = words(text)?;
    let Some(rest) = text.strip_prefix("postgres://") else {
        return match text.strip_prefix("sqlite:") {
            Some(file) if !file.is_empty() => Ok(text),
            _ => Err("it begins with sqlite: or postgres://".to_owned()),
        };
    };
    match rest.split_once('@') {
        Some((user, host)) if !user.contains(':') && host.contains('/') => Ok(text),
        Some((user, _)) if user.contains(':') => Err(
            "no password stands in it: write postgres://user@host/database and name the password in [store]".to_owned(),
        ),
        _ => Err("write postgres://user@host/database".to_owned()),
    }
}

/// An address to which secrets may travel: encrypted, or on this machine.
fn address(text: &str) -> Result<String, String> {
    let text = words(text)?;
    let (rest, is_encrypted) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
        (Some(rest), _) => (rest, true),
        (None, Some(rest)) => (rest, false),
        (None, None) => return Err("an address begins with https://".to_owned()),
    };
    let host = rest.split('/').next().unwrap_or_default();
    if host.contains('@') {
        return Err("no name or password stands in an address".to_owned());
    }
    let name = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((name, _)) => name,
        None => host.split(':').next().unwrap_or_default(),
    };
    let is_name =
        |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.' || byte == b':';
    if name.is_empty() || !name.bytes().all(is_name) || rest.contains(['?', '#', ' ']) {
        return Err(
            "an address is https://, a host's name, and perhaps a path; no query".to_owned()
        );
    }
    let is_here = name == "localhost"
        || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    match is_encrypted || is_here {
        true => Ok(text),
        false => Err("secrets would travel in the clear: write https://".to_owned()),
    }
}

fn base_url(text: &str) -> Result<String, String> {
    let text = address(text)?;
    let text = text.trim_end_matches('/');
    if text.contains("/auth/realms") || text.ends_with("/token") {
        return Err("this is where to sign in; here the address of the API is wanted".to_owned());
    }
    if text.contains("/j1p/") {
        return Err(
            "only up to the host: the paths behind it (/j1p/...) stand in the profile".to_owned()
        );
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_meant_is_refused() {
        type Check = fn(&str) -> Result<String, String>;
        let cases: &[(Check, &[&str], &[&str])] = &[
            (
                base_url,
                &[
                    "https://a.example",
                    "https://a.example/",
                    "http://127.0.0.1:8602",
                    "http://[::1]:1",
                    "https://a.example/erp",
                ],
                &[
                    "a.example",
                    "ftp://a.example",
                    "http://a.example",
                    "https://",
                    "https://me:pw@a.example",
                    "https://a.example?x=1",
                    "https://a.example/auth/realms/x",
                    "https://a.example/j1p/api/public/ji/v1",
                    "https://a b",
                    "",
                ],
            ),
            (
                tenant_id,
                &["1b2c3d4e-0000-4000-8000-123456789abc", "{1B2C3D4E-0000-4000-8000-123456789ABC}"],
                &[
                    "1234567",
                    "00000000-0000-0000-0000-000000000000",
                    "1b2c3d4e00004000800012345678",
                    "zb2c3d4e-0000-4000-8000-123456789abc",
                ],
            ),
            (day, &["2026-12-31"], &["31.12.2026", "2026-02-30", "tomorrow"]),
            (time_zone, &["Europe/Oslo"], &["Oslo", "CET+1h"]),
            (name, &["nordlys-no"], &["Nordlys", "a b", ""]),
            (client_id, &["isv_me"], &["two words", "", "a\nb"]),
            (
                store,
                &["sqlite:a.db", "postgres://me@h/d"],
                &["sqlite:", "postgres://me:pw@h/d", "postgres://h/d", "mysql:x"],
            ),
        ];
        for (check, good, bad) in cases {
            for text in *good {
                assert!(check(text).is_ok(), "{text}: {:?}", check(text));
            }
            for text in *bad {
                assert!(check(text).is_err(), "{text}: {:?}", check(text));
            }
        }
    }
}
