use super::*;
use base64::engine::general_purpose::STANDARD;
use std::collections::BTreeMap;

const BODY: &[u8] = b"{\"entity\":\"Supplier\"}";
const KEY: &str = "a key of a test";
/// 2026-11-26 08:00:00 UTC.
const NOW: i64 = 1_795_680_000_000_000;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn tag(hash: Hash, key: &[u8], message: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hash.algorithm(), key), message).as_ref().to_vec()
}

fn scheme(hash: Hash, form: Form, prefix: &str, signed: &str, key_form: Form, key: &str) -> Scheme {
    let signed = Signed::parse(signed).expect("right");
    let stamp = signed.has_timestamp().then(|| Stamp {
        header: "X-Time".into(),
        prefix: String::new(),
        tolerance: 300_000_000,
    });
    let id_header = signed.has_id().then(|| "X-Id".to_owned());
    let key = Key::signing(hash, key_form, &SecretString::from(key)).expect("a key");
    Scheme {
        signing: Signing::Hmac { form, signed },
        keys: vec![key],
        header: "X-Signature".into(),
        prefix: prefix.into(),
        stamp,
        id_header,
    }
}

fn check(scheme: &Scheme, headers: &[(&str, &str)], body: &[u8]) -> Result<Genuine, Refused> {
    let headers: BTreeMap<String, String> =
        headers.iter().map(|(name, value)| (name.to_lowercase(), (*value).to_owned())).collect();
    scheme.check(|name| headers.get(&name.to_lowercase()).cloned(), body, NOW)
}

#[test]
fn each_hash_in_each_form_over_the_raw_body() {
    for hash in [Hash::Sha1, Hash::Sha256, Hash::Sha512] {
        let tag = tag(hash, KEY.as_bytes(), BODY);
        let (hexed, based) = (hex(&tag), STANDARD.encode(&tag));
        let cases = [
            (Form::Hex, "", hexed.clone(), true),
            (Form::Hex, "", hexed.to_uppercase(), true),
            (Form::Hex, "sha256=", format!("sha256={hexed}"), true),
            // The prefix is part of the form: without it, it is another.
            (Form::Hex, "sha256=", hexed.clone(), false),
            (Form::Hex, "", hexed[..hexed.len() - 2].to_owned(), false),
            (Form::Hex, "", hexed[..hexed.len() - 1].to_owned(), false),
            (Form::Hex, "", "é".repeat(20), false),
            (Form::Base64, "", based.clone(), true),
            (Form::Base64, "", based.trim_end_matches('=').to_owned(), true),
            (Form::Base64, "", hexed.clone(), false),
            (Form::Base64, "v1=", format!("t=12,v1={based},v0=x"), true),
            (Form::Base64, "", String::new(), false),
        ];
        for (form, prefix, value, good) in cases {
            let scheme = scheme(hash, form, prefix, "{body}", Form::Text, KEY);
            let said = check(&scheme, &[("x-signature", &value)], BODY);
            assert_eq!(said.is_ok(), good, "{hash:?} {form:?} `{value}`: {said:?}");
            if good {
                let other =
                    check(&scheme, &[("x-signature", &value)], b"{\"entity\":\"Suppliers\"}");
                assert!(matches!(other, Err(Refused::Signature(_))), "another body");
            }
        }
    }
}

#[test]
fn keys_are_written_in_three_ways() {
    let key = [0_u8, 200, 13, 10, 255];
    let tag = hex(&tag(Hash::Sha256, &key, BODY));
    for (form, text) in [
        (Form::Hex, hex(&key)),
        (Form::Base64, STANDARD.encode(key)),
        (Form::Base64, format!("whsec_{}", STANDARD.encode(key))),
    ] {
        let scheme = scheme(Hash::Sha256, Form::Hex, "", "{body}", form, &text);
        assert!(check(&scheme, &[("X-Signature", &tag)], BODY).is_ok(), "{form:?} {text}");
    }
    for (form, text) in [(Form::Hex, "xyz"), (Form::Base64, "*"), (Form::Hex, "")] {
        assert!(Key::signing(Hash::Sha256, form, &SecretString::from(text)).is_err(), "{text}");
    }
}

#[test]
fn several_keys_and_several_signatures_are_tried() {
    let mut scheme = scheme(Hash::Sha256, Form::Base64, "v1,", "{body}", Form::Text, "new");
    let old = Key::signing(Hash::Sha256, Form::Text, &SecretString::from("old")).expect("a key");
    scheme.keys.push(old);
    for (key, good) in [("new", true), ("old", true), ("other", false)] {
        let tag = STANDARD.encode(tag(Hash::Sha256, key.as_bytes(), BODY));
        let value = format!("v1a,AAAA v1,{tag}");
        assert_eq!(check(&scheme, &[("X-Signature", &value)], BODY).is_ok(), good, "{key}");
    }
}

#[test]
fn what_is_signed_with_the_body_counts() {
    let scheme =
        scheme(Hash::Sha256, Form::Base64, "v1,", "{id}.{timestamp}.{body}", Form::Text, KEY);
    let signed = |id: &str, time: &str| {
        let message = [format!("{id}.{time}.").as_bytes(), BODY].concat();
        format!("v1,{}", STANDARD.encode(tag(Hash::Sha256, KEY.as_bytes(), &message)))
    };
    let cases = [
        // Seconds, milliseconds, microseconds, RFC 3339; at the limit either way and past it.
        ("1795680000", Ok(false)),
        ("1795680000123", Ok(false)),
        ("1795680000123456", Ok(false)),
        ("2026-11-26T09:00:00+01:00", Ok(false)),
        ("1795679700", Ok(false)),
        ("1795679699", Ok(true)),
        ("1795680300", Ok(false)),
        ("1795680301", Ok(true)),
        ("-5", Err(Refused::NoTime("X-Time".into()))),
        ("soon", Err(Refused::NoTime("X-Time".into()))),
        ("", Err(Refused::NoTime("X-Time".into()))),
    ];
    for (time, expected) in cases {
        let headers = [("X-Id", "e-1"), ("X-Time", time), ("X-Signature", &signed("e-1", time))];
        let said = check(&scheme, &headers, BODY);
        assert_eq!(said.clone().map(|genuine| genuine.is_stale), expected, "{time}");
        if let Ok(genuine) = said {
            assert_eq!(genuine.id.as_deref(), Some("e-1"));
            // A copy under another time or id is not signed.
            for (id, copied) in [("e-1", "1795680001"), ("e-2", time)] {
                let headers =
                    [("X-Id", id), ("X-Time", copied), ("X-Signature", &signed("e-1", time))];
                let said = check(&scheme, &headers, BODY);
                assert_eq!(said, Err(Refused::Signature("X-Signature".into())), "{id} {copied}");
            }
        }
    }
    for left_out in ["X-Id", "X-Time", "X-Signature"] {
        let signature = signed("e-1", "1795680000");
        let mut headers =
            vec![("X-Id", "e-1"), ("X-Time", "1795680000"), ("X-Signature", signature.as_str())];
        headers.retain(|(name, _)| *name != left_out);
        assert_eq!(check(&scheme, &headers, BODY), Err(Refused::Missing(left_out.into())));
    }
}

#[test]
fn a_token_is_the_whole_header() {
    let scheme = Scheme {
        signing: Signing::Token,
        keys: vec![Key::token(&SecretString::from("s3cret")), Key::token(&SecretString::from("2"))],
        header: "Authorization".into(),
        prefix: "Bearer ".into(),
        stamp: None,
        id_header: None,
    };
    for (value, good) in [
        ("Bearer s3cret", true),
        ("Bearer 2", true),
        ("s3cret", false),
        ("Bearer s3cre", false),
        ("Bearer s3cret,s3cret", false),
        ("Bearer ", false),
    ] {
        assert_eq!(check(&scheme, &[("authorization", value)], BODY).is_ok(), good, "{value}");
    }
    assert!(matches!(check(&scheme, &[], BODY), Err(Refused::Missing(_))));
    assert!(!format!("{scheme:?}").contains("s3cret"));
}

#[test]
fn what_would_be_signed_is_checked_before() {
    for good in ["{body}", "{timestamp}.{body}", "v0:{timestamp}:{body}", "{id}{body}\n"] {
        assert!(Signed::parse(good).is_ok(), "{good}");
    }
    for bad in ["", "{timestamp}", "{url}{body}", "{body", "body"] {
        assert!(Signed::parse(bad).is_err(), "{bad}");
    }
}
