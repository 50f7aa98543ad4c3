//! Which rule counts, and what is wrong with rules.

use super::{limit, quantities};
use crate::laws::oracle::dec;
use crate::matching::*;
use crate::procurement::Currency;

#[test]
fn the_most_specific_rule_counts_and_twins_are_refused() {
    let rule = |vendor: Option<&str>, category: Option<&str>, percent: &str| MatchRule {
        vendor: vendor.map(str::to_owned),
        category: category.map(str::to_owned),
        limits: Limits { price_over: Some(limit(percent, "")), ..Limits::default() },
        ..MatchRule::default()
    };
    let mut rules = MatchRules {
        rules: vec![
            rule(None, Some("43"), "1"),
            rule(None, Some("4321"), "2"),
            rule(Some("50001"), None, "3"),
            rule(Some("50001"), Some("99"), "4"),
        ],
        ..MatchRules::default()
    };
    assert_eq!(rules.check(), Ok(()));
    for (vendor, category, percent) in [
        ("50002", Some("43210000"), "2"),
        ("50002", Some("43990000"), "1"),
        ("50001", Some("43210000"), "3"),
        ("50001", Some("99000000"), "4"),
    ] {
        let policy = rules.policy(Facts { vendor, category, ..Facts::default() });
        assert_eq!(policy.price_over, Some(&limit(percent, "")), "{vendor} {category:?}");
    }
    assert!(rules.policy(Facts { vendor: "50002", ..Facts::default() }).price_over.is_none());
    rules.rules.push(rule(None, Some("43"), "9"));
    assert!(rules.check().is_err_and(|fault| fault.contains("same conditions (category 43)")));
    for wrong in [
        MatchRules { rules: vec![MatchRule::default()], ..MatchRules::default() },
        MatchRules {
            small_difference: [(Currency::NOK, dec("0.001"))].into(),
            ..MatchRules::default()
        },
        MatchRules {
            limits: Limits { price_over: Some(limit("-1", "")), ..Limits::default() },
            ..MatchRules::default()
        },
    ] {
        assert!(wrong.check().is_err(), "{wrong:?}");
    }
}

#[test]
fn what_is_wrong_with_rules_is_said() {
    type Set = fn(&mut MatchRules);
    fn add(rules: &mut MatchRules, from: &str, to: &str, factor: &str) {
        let (from, to) = (from.to_owned(), to.to_owned());
        rules.factors.push(UnitFactor { item: None, from, to, factor: dec(factor) });
    }
    fn of_vendor(rules: &mut MatchRules, category: Option<&str>, limits: Limits) {
        let (vendor, category) = (Some("50001".to_owned()), category.map(str::to_owned));
        rules.rules.push(MatchRule { vendor, category, limits, ..MatchRule::default() });
    }
    let cases: &[(Set, &str)] = &[
        (|_| {}, ""),
        (|r| r.limits.price_over = Some(limit("0", "0")), ""),
        (|r| r.limits.price_over = Some(Limit { any: true, ..limit("1", "") }), "stands alone"),
        (|r| r.limits.price_over = Some(Limit { any: true, ..limit("", "1") }), "stands alone"),
        (|r| r.limits.price_over = Some(Limit { any: true, ..Limit::default() }), ""),
        (
            |r| r.limits.quantity_over = Some(QuantityLimit { any: true, ..quantities("1", "") }),
            "stands alone",
        ),
        (
            |r| r.limits.quantity_over = Some(QuantityLimit { any: true, ..quantities("", "1") }),
            "stands alone",
        ),
        (|r| r.limits.quantity_under = Some(quantities("-1", "")), "below 0"),
        (|r| add(r, "BX", "EA", "0"), "above 0"),
        (|r| add(r, "BX", "EA", "-1"), "above 0"),
        (|r| add(r, "EA", "EA", "1"), "one unit"),
        (|r| add(r, "ea", " EA", "5"), "one unit"),
        (|r| add(r, "BX", " ", "6"), "two units"),
        (|r| add(r, "BX", "EA", "0.000001"), ""),
        (|r| add(r, "BX", "EA", "6"), ""),
        (
            |r| {
                add(r, "BX", "EA", "6");
                add(r, "EA", "BX", "6");
            },
            "stated twice",
        ),
        (
            |r| {
                add(r, "BX", "EA", "6");
                add(r, "bx", "ea", "12");
            },
            "stated twice",
        ),
        (
            |r| {
                add(r, "BX", "EA", "6");
                add(r, "BX", "EA", "12");
                r.factors[1].item = Some("X-1".into());
            },
            "",
        ),
        (
            |r| {
                add(r, "BX", "EA", "6");
                add(r, "BX", "DZN", "2");
            },
            "",
        ),
        (
            |r| {
                let header_over = Some(limit("1", ""));
                of_vendor(r, None, Limits { header_over, ..Limits::default() });
            },
            "",
        ),
        (
            |r| {
                let header_over = Some(limit("1", ""));
                of_vendor(r, Some("43"), Limits { header_over, ..Limits::default() });
            },
            "can depend on the vendor only",
        ),
        (
            |r| {
                let charge_over = Some(limit("1", ""));
                of_vendor(r, Some("43"), Limits { charge_over, ..Limits::default() });
            },
            "can depend on the vendor only",
        ),
        (|r| of_vendor(r, Some("43"), Limits::default()), ""),
    ];
    for (nth, (set, fault)) in cases.iter().enumerate() {
        let mut rules = MatchRules::default();
        set(&mut rules);
        match rules.check() {
            Ok(()) => assert!(fault.is_empty(), "case {nth}: {fault}"),
            Err(found) => assert!(!fault.is_empty() && found.contains(fault), "{nth}: {found}"),
        }
    }
}
