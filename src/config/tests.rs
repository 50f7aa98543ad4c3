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
        ("profile = \"default\"", "profil = \"default\"", "line 7", "unknown field `profil`"),
        ("take_from = \"2026-01-01\"", "take_from = \"soon\"", "line 19", "year"),
        ("source = \"j\"", "source = \"x\"", "", "names the source `x`"),
        ("company = \"v\"", "company = \"x\"", "", "names the company `x`"),
        ("tenant_id = \"t\"", "", "line 9", "missing field `tenant_id`"),
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
    let units = parse(&shared).unwrap().units();
    assert_eq!(units.len(), 1);
    assert_eq!((units[0].id.as_str(), units[0].connections.len()), ("ab", 2));

    let apart = format!("{GOOD}{}", second.replace("\"v\"", "\"w\""));
    assert_eq!(parse(&apart).unwrap().units().len(), 2);
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
