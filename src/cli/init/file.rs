use std::collections::BTreeMap;

/// The file that explains every setting; a test holds it against what the program reads.
const EXPLAINED: &str = include_str!("../../../ml-connector.example.toml");
const HEAD: &str = "\
# ml-connector: the configuration of one connection, written by `ml-connector init`. Every other setting stands
# here with its default, switched off.
#
";
/// Where the head of the example ends.
const AFTER_HEAD: &str = "# How to read this file:";

#[derive(Default)]
pub(super) struct Answers {
    given: BTreeMap<String, String>,
    pub headers: BTreeMap<String, String>,
}

impl Answers {
    /// An empty answer leaves the key out.
    pub fn give(&mut self, flag: &str, answer: String) {
        if !answer.is_empty() {
            self.given.insert(flag.to_owned(), answer);
        }
    }

    pub fn get(&self, flag: &str) -> Option<&str> {
        self.given.get(flag).map(String::as_str)
    }

    /// What is switched on: (table, key, value as TOML).
    fn settings(&self) -> Vec<(&'static str, &'static str, String)> {
        let mut on = vec![
            ("[[source]]", "id", quoted("jaggaer")),
            ("[[connection]]", "id", quoted(self.get("company").unwrap_or_default())),
            ("[[connection]]", "source", quoted("jaggaer")),
            // Most customers give both systems the same chart of accounts; what is not there is held.
            ("[connection.mapping.accounts]", "same_code", "true".to_owned()),
        ];
        let texts = [
            ("[store]", "url", "store"),
            ("[[source]]", "base_url", "jaggaer-url"),
            ("[[source]]", "token_url", "jaggaer-token-url"),
            ("[[source]]", "client_id", "jaggaer-client-id"),
            ("[[source]]", "client_auth", "jaggaer-auth"),
            ("[[source]]", "scope", "jaggaer-scope"),
            ("[[source]]", "profile", "profile"),
            ("[[company]]", "id", "company"),
            ("[[company]]", "client_id", "visma-client-id"),
            ("[[company]]", "tenant_id", "tenant-id"),
            ("[[company]]", "base_url", "visma-url"),
            ("[[company]]", "token_url", "visma-token-url"),
            ("[[company]]", "time_zone", "time-zone"),
            ("[[connection]]", "company", "company"),
            ("[[connection]]", "take_from", "take-from"),
        ];
        for (table, key, flag) in texts {
            on.extend(self.get(flag).map(|answer| (table, key, quoted(answer))));
        }
        if !self.headers.is_empty() {
            let pairs: Vec<String> = self
                .headers
                .iter()
                .map(|(name, value)| format!("{} = {}", quoted(name), quoted(value)))
                .collect();
            on.push(("[[source]]", "headers", format!("{{ {} }}", pairs.join(", "))));
        }
        let reference = |kind: &str, place: &str| format!("{{ {kind} = {} }}", quoted(place));
        match self.get("secrets") {
            Some("env") => {
                on.push(("[[source]]", "client_secret", reference("env", "JAGGAER_CLIENT_SECRET")));
                on.push(("[[company]]", "client_secret", reference("env", "VISMA_CLIENT_SECRET")));
            }
            Some("file") => {
                on.push(("[[source]]", "client_secret", reference("file", "jaggaer.secret")));
                on.push(("[[company]]", "client_secret", reference("file", "visma.secret")));
            }
            // Left out: in the vault, under the names of source and company.
            Some(_) | None => {
                let keys = "[{ name = \"main\", file = \"master.key\" }]";
                on.push(("[vault]", "key", quoted("main")));
                on.push(("[vault]", "master_key", keys.to_owned()));
            }
        }
        on
    }
}

fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

/// The explained file with these settings switched on, and every other one off.
pub(super) fn render(answers: &Answers) -> String {
    let mut wanted = answers.settings();
    let (_, rest) = EXPLAINED.split_once(AFTER_HEAD).expect("the example says how to read it");
    let mut tables: Vec<Vec<&str>> = vec![Vec::new()];
    for line in AFTER_HEAD.split('\n').chain(rest.split('\n').skip(1)) {
        if line.starts_with('[') {
            tables.push(Vec::new());
        }
        tables.last_mut().expect("there is one").push(line);
    }
    let mut text = HEAD.to_owned();
    for lines in tables {
        text.push_str(&table(&lines, &mut wanted));
    }
    debug_assert!(wanted.is_empty(), "the example lacks {wanted:?}");
    text.trim_end().to_owned() + "\n"
}

/// One table. Its header goes where nothing in it is on that the example has on: it may need what is off.
fn table(lines: &[&str], wanted: &mut Vec<(&'static str, &'static str, String)>) -> String {
    let header = lines.first().copied().filter(|line| line.starts_with('['));
    let (mut body, mut was_on, mut is_on) = (String::new(), false, false);
    for line in lines.iter().skip(usize::from(header.is_some())) {
        let found = wanted
            .iter()
            .position(|(of, key, _)| Some(*of) == header && key_of(line) == Some(*key));
        let active = !line.starts_with('#') && key_of(line).is_some();
        was_on |= active;
        match found {
            Some(at) => {
                let (_, key, value) = wanted.remove(at);
                is_on = true;
                body.push_str(&format!("{key} = {value}"));
            }
            None if active => body.push_str(&format!("# e.g. {line}")),
            None => body.push_str(line),
        }
        body.push('\n');
    }
    match header {
        None => body,
        Some(header) if was_on && !is_on => format!("# {header}\n{body}"),
        Some(header) => format!("{header}\n{body}"),
    }
}

/// The key that a line sets, or shows switched off.
fn key_of(line: &str) -> Option<&str> {
    let line = line.strip_prefix("# ").unwrap_or(line);
    let line = line.strip_prefix("e.g. ").unwrap_or(line);
    let (key, _) = line.split_once(" = ")?;
    let is_key = |byte: u8| byte.is_ascii_alphanumeric() || b"_-\"".contains(&byte);
    (!key.is_empty() && key.bytes().all(is_key)).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ml_connector::config::Config;
    use std::path::Path;

    fn answers(secrets: &str, profile: &str) -> Answers {
        let mut answers = Answers::default();
        for (flag, answer) in [
            ("jaggaer-url", "https://j.example"),
            ("jaggaer-client-id", "me \"quoted\""),
            ("profile", profile),
            ("visma-client-id", "isv_me"),
            ("tenant-id", "1b2c3d4e-0000-4000-8000-123456789abc"),
            ("company", "nordlys-no"),
            ("time-zone", "Europe/Stockholm"),
            ("take-from", "2026-12-01"),
            ("secrets", secrets),
            ("store", "sqlite:ml-connector.db"),
        ] {
            answers.give(flag, answer.to_owned());
        }
        answers
    }

    #[test]
    fn what_is_written_loads_and_says_what_was_answered() {
        for secrets in ["vault", "file", "env"] {
            for profile in ["default", "observed", "alternate.toml"] {
                let text = render(&answers(secrets, profile));
                let config = Config::parse(&text, Path::new("x.toml")).expect(secrets);
                let (source, company) = (&config.sources[0], &config.companies[0]);
                assert_eq!(source.base_url, "https://j.example");
                assert_eq!(source.client_id, "me \"quoted\"");
                assert_eq!((source.profile.as_str(), &source.token_url), (profile, &None));
                assert_eq!(company.client_id, "isv_me");
                assert_eq!(company.time_zone.iana_name(), Some("Europe/Stockholm"));
                let connection = &config.connections[0];
                assert_eq!(connection.id, "nordlys-no");
                assert_eq!(connection.rules.take_from.to_string(), "2026-12-01");
                assert!(connection.rules.charges.is_empty());
                assert!(connection.rules.mapping.segments.is_empty());
                assert_eq!(config.vault.key.is_some(), secrets == "vault");
            }
        }
    }

    #[test]
    fn rare_answers_are_switched_on_where_they_stand() {
        let mut answers = answers("file", "default");
        answers.give("jaggaer-token-url", "https://t.example/token".into());
        answers.give("jaggaer-auth", "basic".into());
        answers.give("jaggaer-scope", "erp.read".into());
        answers.give("visma-url", "https://v.example".into());
        answers.headers.insert("X-Tenant".into(), "nordlys".into());
        let text = render(&answers);
        let config = Config::parse(&text, Path::new("x.toml")).expect("it loads");
        let source = &config.sources[0];
        assert_eq!(source.token_url.as_deref(), Some("https://t.example/token"));
        assert_eq!(source.scope.as_deref(), Some("erp.read"));
        assert_eq!(source.headers.len(), 1);
        assert_eq!(config.companies[0].base_url, "https://v.example");
        assert_eq!(text.matches("\ntoken_url = ").count(), 1);
    }

    /// Every line of explanation is still there, and every setting with it.
    #[test]
    fn nothing_of_the_explanation_is_lost() {
        let text = render(&answers("vault", "default"));
        let (_, rest) = EXPLAINED.split_once(AFTER_HEAD).unwrap();
        for line in rest.lines() {
            let shown = match key_of(line) {
                Some(key) => text.contains(&format!("{key} = ")),
                None => text.contains(line),
            };
            assert!(shown, "{line}");
        }
    }
}
