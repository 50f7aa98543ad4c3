use super::*;

const GOOD: &str = r#"
[[source]]
id = "j"
base_url = "https://j.example"
client_id = "me"
client_secret = { env = "J" }
profile = "default"

[[company]]
id = "v"
client_id = "me"
client_secret = { file = "v.secret" }
tenant_id = "t"

[[connection]]
id = "no"
source = "j"
company = "v"
take_from = "2026-01-01"
"#;

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(text, Path::new("c.toml"))
}

#[test]
fn what_is_not_said_has_a_default() {
    let config = parse(GOOD).unwrap();
    let company = config.company("v").unwrap();
    assert_eq!(company.base_url, "https://api.finance.visma.net");
    assert_eq!(company.tenant_header, "tenant_id");
    assert_eq!(config.timing.settle_after_seconds, 600);
    assert_eq!(config.store.url, "sqlite:ml-connector.db");
}

#[test]
fn tables_that_are_imported_are_not_written_into_the_file() {
    for table in
        ["coding = \"then:account\\n6540\\n\"", "combinations = \"account,verdict\\n1,deny\\n\""]
    {
        let error = parse(&format!("{GOOD}\n[connection.mapping]\n{table}\n")).unwrap_err();
        assert!(error.to_string().contains("mapping import"), "{error}");
    }
}

#[test]
fn a_date_may_stand_with_or_without_quotes() {
    let bare = GOOD.replace("\"2026-01-01\"", "2026-01-01");
    let day = jiff::civil::date(2026, 1, 1);
    for text in [GOOD, bare.as_str()] {
        assert_eq!(parse(text).unwrap().connection("no").unwrap().rules.take_from, day);
    }
    assert!(parse(&GOOD.replace("\"2026-01-01\"", "07:32:00")).is_err());
}

#[test]
fn mistakes_are_named_with_their_line() {
    let cases = [
        (
            "profile = \"default\"",
            "profil = \"default\"",
            "line 7",
            "`source.profil`: `profil` is no key here: did you mean `profile`?",
        ),
        (
            "take_from = \"2026-01-01\"",
            "take_from = \"soon\"",
            "line 19",
            "`connection.take_from`: what stands here is no day",
        ),
        ("source = \"j\"", "source = \"x\"", "", "names the source `x`"),
        ("company = \"v\"", "company = \"x\"", "", "names the company `x`"),
        ("tenant_id = \"t\"", "", "line 9", "the key `tenant_id` is missing"),
    ];
    for (old, new, line, words) in cases {
        let error = parse(&GOOD.replace(old, new)).expect_err(new).to_string();
        assert!(error.contains(line) && error.contains(words), "{new}: {error}");
    }
    assert!(parse("").expect_err("empty").to_string().contains("no [[connection]]"));
}

#[test]
fn a_secret_in_the_file_is_refused_and_not_repeated() {
    for wrong in ["\"hunter2\"", "{ value = \"hunter2\" }", "{ env = \"A\", file = \"hunter2\" }"] {
        let text = GOOD.replace("{ env = \"J\" }", wrong);
        let error = parse(&text).expect_err(wrong).to_string();
        assert!(!error.contains("hunter2") && error.contains("env = \"NAME\""), "{error}");
    }
}

#[test]
fn connections_that_share_a_side_are_one_unit() {
    let second = GOOD.replace("\"j\"", "\"k\"").replace("\"no\"", "\"ab\"");
    let shared = format!(
        "{GOOD}{}",
        second.replace("[[company]]\nid = \"v\"", "[[company]]\nid = \"unused\"")
    );
    let units = parse(&shared).unwrap().units(&KnownUnits::default());
    assert_eq!(units.len(), 1);
    assert_eq!((units[0].id.as_str(), units[0].connections.len()), ("ab", 2));

    let apart = format!("{GOOD}{}", second.replace("\"v\"", "\"w\""));
    assert_eq!(parse(&apart).unwrap().units(&KnownUnits::default()).len(), 2);
}

/// Connections as `id source company`, what the store remembers as `source:unit`, and the units as
/// `name: connections` with what they join or were a part of.
#[test]
fn a_unit_keeps_its_name() {
    let cases: &[(&str, &str, &str)] = &[
        ("no j v", "", "no: no"),
        // One that sorts earlier comes, another goes, all are renamed.
        ("ab j w, no j v", "s:j=no c:v=no", "no: ab no"),
        ("ab j w", "s:j=no c:v=no", "no: ab"),
        ("zz j v", "s:j=no c:v=no", "no: zz"),
        // A new unit takes no name that a chain has.
        ("no k w, x j v", "s:j=no c:v=no", "no: x; no-2: no"),
        ("no k w", "no no-2", "no-3: no"),
        // Two become one.
        ("a j v, b k v", "s:j=a c:v=a s:k=b c:w=b", "a: a b joins b"),
        ("z j v, b k v", "s:j=z c:v=z s:k=b c:w=b", "b: b z joins z"),
        // One becomes two.
        ("a j v, b k w", "s:j=b s:k=b c:v=b c:w=b", "b: a; b-2: b from b"),
        ("c j v, b k w", "s:j=a s:k=a c:v=a c:w=a", "a: b; c: c from a"),
    ];
    for (connections, known, expected) in cases {
        let mut names = KnownUnits::default();
        for word in known.split_whitespace() {
            match word.split_once(':').and_then(|(kind, rest)| Some((kind, rest.split_once('=')?)))
            {
                Some((kind, (id, unit))) => {
                    let of = if kind == "s" { &mut names.sources } else { &mut names.companies };
                    of.insert(id.into(), unit.into());
                    names.names.insert(unit.into());
                }
                None => {
                    names.names.insert(word.into());
                }
            }
        }
        let mut text = String::new();
        let (mut sources, mut companies) = (BTreeSet::new(), BTreeSet::new());
        for line in connections.split(", ") {
            let words: Vec<&str> = line.split(' ').collect();
            sources.insert(words[1]);
            companies.insert(words[2]);
            text += &format!(
                "[[connection]]\nid = \"{0}\"\nsource = \"{1}\"\ncompany = \"{2}\"\ntake_from = 2026-01-01\n\
                 [[connection.route]]\nbusiness_unit = [\"{0}\"]\n",
                words[0], words[1], words[2]
            );
        }
        for id in sources {
            text += &format!(
                "[[source]]\nid = \"{id}\"\nbase_url = \"https://j\"\nclient_id = \"m\"\n\
                 client_secret = {{ env = \"J\" }}\nprofile = \"default\"\n"
            );
        }
        for id in companies {
            text += &format!(
                "[[company]]\nid = \"{id}\"\nclient_id = \"m\"\nclient_secret = {{ env = \"J\" }}\n\
                 tenant_id = \"t\"\n"
            );
        }
        let units = parse(&text).unwrap().units(&names);
        let told: Vec<String> = units
            .iter()
            .map(|unit| {
                let mut told = format!("{}: {}", unit.id, unit.connections.join(" "));
                if !unit.joins.is_empty() {
                    told += &format!(" joins {}", unit.joins.join(" "));
                }
                if let Some(before) = &unit.parted_from {
                    told += &format!(" from {before}");
                }
                told
            })
            .collect();
        assert_eq!(told.join("; "), *expected, "{connections} after {known}");
    }
}

#[test]
fn a_route_is_checked_with_the_file() {
    let second =
        "[[connection]]\nid = \"two\"\nsource = \"j\"\ncompany = \"v\"\ntake_from = 2026-01-01\n";
    let route = |text: &str| format!("[[connection.route]]\n{text}\n");
    let a = route("business_unit = [\"A\"]");
    let cases = [
        (format!("{GOOD}{second}"), "`no` does not say what it takes"),
        (format!("{GOOD}{a}{second}{a}"), "`no` and `two` both take the business unit \"A\""),
        (format!("{GOOD}{a}{second}rest = true\n"), ""),
        (format!("{GOOD}rest = true\n{second}rest = true\n"), "both say `rest = true`"),
        (format!("{GOOD}{}", route("fields = [{ at = \"$.a[\", is = [\"x\"] }]")), "`$.a[`"),
        (format!("{GOOD}{}", route("fields = [{ at = \"$.a\" }]")), "needs `is` or `begins`"),
        (format!("{GOOD}{}", route("")), "no condition"),
        (
            format!("{GOOD}{}", route("unit = [\"A\"]")),
            "`connection.route.unit`: `unit` is no key here",
        ),
        (format!("{GOOD}{}", route("kinds = [\"bill\"]")), "`bill` is none of the words"),
    ];
    for (text, words) in cases {
        let refused = parse(&text).map(|_| ()).map_err(|error| error.to_string());
        match words {
            "" => assert_eq!(refused, Ok(()), "{text}"),
            words => {
                let refused = refused.expect_err(&text);
                assert!(refused.contains(words), "{refused}");
            }
        }
    }
}

#[test]
fn a_password_goes_into_the_store_url_escaped() {
    let folder = std::env::temp_dir().join(format!("ml_connector_config_{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("pw"), "a@b/c\n").unwrap();
    let text =
        format!("[store]\nurl = \"postgres://me@db/x\"\npassword = {{ file = \"pw\" }}\n{GOOD}");
    let mut config = parse(&text).unwrap();
    config.folder = folder.clone();
    assert_eq!(config.store_url().unwrap(), "postgres://me:a%40b%2Fc@db/x");
    std::fs::remove_dir_all(folder).unwrap();
}

const VAULT: &str = "[vault]\nkey = \"a\"\n[[vault.master_key]]\nname = \"a\"\nfile = \"a.key\"\n";

#[test]
fn a_secret_that_is_left_out_is_in_the_vault() {
    let left_out = GOOD
        .replace(
            "client_secret = { env = \"J\" }\n",
            "headers = { k = { vault = \"proxy\" }, l = \"x\" }\n",
        )
        .replace("client_secret = { file = \"v.secret\" }\n", "");
    let error = parse(&left_out).unwrap_err().to_string();
    assert!(error.contains("source `j`") && error.contains("[vault]"), "{error}");
    let config = parse(&format!("{left_out}{VAULT}")).unwrap();
    let names: Vec<String> = config.vault_names().into_iter().map(|(_, name)| name).collect();
    assert_eq!(names, ["source/j", "proxy", "company/v"]);

    let value = |name: &str| (name.to_owned(), secrecy::SecretString::from(format!("of {name}")));
    let vault = Vault::new(["source/j", "proxy", "company/v", "company/v"].map(value));
    let source = config.jaggaer_settings(&config.sources[0], &vault).unwrap();
    let shown = |secret: &secrecy::SecretString| {
        use secrecy::ExposeSecret;
        secret.expose_secret().to_owned()
    };
    assert_eq!(shown(&source.client_secret), "of source/j");
    assert!(source.previous_secret.is_none());
    let headers: Vec<String> = source.headers.iter().map(|(_, value)| shown(value)).collect();
    assert_eq!(headers, ["of proxy", "x"]);
    let company = config.visma_settings(&config.companies[0], &vault).unwrap();
    assert_eq!(company.previous_secret.as_ref().map(shown).as_deref(), Some("of company/v"));
    let error = config.visma_settings(&config.companies[0], &Vault::default()).unwrap_err();
    assert!(error.to_string().contains("secret set 'company/v'"), "{error}");
}

#[test]
fn a_vault_that_cannot_work_is_refused() {
    let key =
        |rest: &str| format!("[vault]\nkey = \"a\"\n[[vault.master_key]]\nname = \"a\"\n{rest}");
    let one_place = "one of file, env and command";
    for (text, words) in [
        (key(""), one_place),
        (key("file = \"a\"\nenv = \"A\""), one_place),
        (key("command = []"), one_place),
        (
            key("env = \"A\"\n[[vault.master_key]]\nname = \"a\"\nenv = \"B\""),
            "two of [[vault.master_key]]",
        ),
        (VAULT.replace("key = \"a\"", "key = \"b\""), "names the master key `b`"),
        (VAULT.replace("key = \"a\"", ""), "add `key`"),
        (format!("{VAULT}[store]\npassword = {{ vault = \"p\" }}"), "store.password"),
    ] {
        let error = parse(&format!("{GOOD}{text}")).expect_err(&text).to_string();
        assert!(error.contains(words), "{text}: {error}");
    }
}

#[test]
fn a_header_is_not_shown() {
    let text = GOOD.replace("tenant_id", "headers = { k = \"hunter2\" }\ntenant_id");
    let config = parse(&text).unwrap();
    assert!(!format!("{config:?}").contains("hunter2"));
    let wrong = GOOD.replace("tenant_id", "headers = { k = { value = \"hunter2\" } }\ntenant_id");
    assert!(!parse(&wrong).unwrap_err().to_string().contains("hunter2"));
}

#[test]
fn a_company_keeps_its_material_as_long_as_its_law_says() {
    let with = |table: &str| {
        GOOD.replace(
            "tenant_id = \"t\"\n",
            &format!("tenant_id = \"t\"\n[company.retention]\n{table}\n"),
        )
    };
    let kept = parse(&with("country = \"no\"\nkeep_years = 5")).unwrap();
    assert_eq!(kept.companies[0].retention.keep_years, Some(5));
    assert_eq!(parse(GOOD).unwrap().companies[0].retention, RetentionConfig::default());
    for (table, words) in [
        (
            "country = \"se\"\nkeep_years = 6",
            "c.toml: keep_years in [company.retention] of company `v` is 6, but Sweden",
        ),
        ("keep_years = 10", "needs `country`"),
        ("country = \"de\"", "known: \"no\" (Norway)"),
        ("country = \"no\"\nkeep_year = 5", "did you mean `keep_years`?"),
        ("country = \"no\"\nkeep_years = \"5\"", "a whole number"),
    ] {
        let error = parse(&with(table)).expect_err(table).to_string();
        assert!(error.contains(words), "{error}");
    }
}
