//! Two decisions about one document, side by side.

use crate::decide::{Decision, Hold};
use crate::procurement::Plan;
use serde_json::{Value, json};

/// What the second would do otherwise than the first, one line each. Empty: the same.
pub fn differences(old: &Decision, new: &Decision) -> Vec<String> {
    match (plan_of(old), plan_of(new)) {
        (Some(old), Some(new)) => plan_differences(old, new),
        (Some(_), None) => vec![format!("posted -> {}", stated(new))],
        (None, Some(_)) => vec![format!("{} -> {}", stated(old), stated(new))],
        (None, None) => match (old, new) {
            (Decision::Hold(old), Decision::Hold(new)) => hold_differences(old, new),
            _ if old == new => Vec::new(),
            _ => vec![format!("{} -> {}", stated(old), stated(new))],
        },
    }
}

/// What the second plan asks for otherwise, member by member: `lines[1].account: "4000" -> "6540"`.
pub fn plan_differences(old: &Plan, new: &Plan) -> Vec<String> {
    let mut found = Vec::new();
    compare("", &json!(old), &json!(new), &mut found);
    found
}

pub fn plan_of(decision: &Decision) -> Option<&Plan> {
    match decision {
        Decision::Plan(plan) | Decision::Adopt { plan, .. } => Some(plan),
        Decision::Wait(_)
        | Decision::Hold(_)
        | Decision::Ignore(_)
        | Decision::NotRipe
        | Decision::Cancel => None,
    }
}

/// A decision in words, beside another.
fn stated(decision: &Decision) -> String {
    match decision {
        Decision::Hold(_) => format!("held: {}", outcome(decision)),
        Decision::Wait(_) => format!("waiting: {}", outcome(decision)),
        Decision::Plan(_)
        | Decision::Adopt { .. }
        | Decision::Ignore(_)
        | Decision::NotRipe
        | Decision::Cancel => outcome(decision),
    }
}

/// A decision in words.
pub fn outcome(decision: &Decision) -> String {
    let join = |texts: Vec<&str>| texts.join(" ");
    match decision {
        Decision::Plan(_) => "posted".into(),
        Decision::Adopt { number, .. } => format!("taken over from Visma as {number}"),
        Decision::Wait(waits) => join(waits.iter().map(|wait| wait.text.as_str()).collect()),
        Decision::Hold(holds) => join(holds.iter().map(|hold| hold.text.as_str()).collect()),
        Decision::Ignore(reason) => reason.clone(),
        Decision::NotRipe => "it is not approved in JAGGAER yet".into(),
        Decision::Cancel => "it is cancelled in JAGGAER".into(),
    }
}

fn hold_differences(old: &[Hold], new: &[Hold]) -> Vec<String> {
    let gone = old.iter().filter(|hold| !new.contains(hold));
    let come = new.iter().filter(|hold| !old.contains(hold));
    gone.map(|hold| format!("held no longer [{}] {}", hold.code, hold.text))
        .chain(come.map(|hold| format!("held now [{}] {}", hold.code, hold.text)))
        .collect()
}

fn compare(path: &str, old: &Value, new: &Value, found: &mut Vec<String>) {
    match (old, new) {
        (Value::Object(a), Value::Object(b)) => {
            for key in a.keys().chain(b.keys().filter(|key| !a.contains_key(*key))) {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                compare(
                    &path,
                    a.get(key).unwrap_or(&Value::Null),
                    b.get(key).unwrap_or(&Value::Null),
                    found,
                );
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (n, (a, b)) in a.iter().zip(b).enumerate() {
                compare(&format!("{path}[{}]", n + 1), a, b, found);
            }
        }
        _ if old == new => {}
        _ => found.push(format!("{path}: {old} -> {new}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hold(code: &str, text: &str) -> Hold {
        Hold { code: code.into(), text: text.into(), fix: "Do.".into() }
    }

    #[test]
    fn two_decisions_differ_in_what_is_gone_and_what_has_come() {
        let old = Decision::Hold(vec![hold("a", "A."), hold("b", "B.")]);
        let new = Decision::Hold(vec![hold("b", "B."), hold("c", "C.")]);
        assert_eq!(differences(&old, &old), Vec::<String>::new());
        assert_eq!(
            differences(&old, &new),
            ["held no longer [a] A.", "held now [c] C."].map(str::to_owned)
        );
        let ignored = Decision::Ignore("before go-live".into());
        assert_eq!(differences(&old, &ignored), ["held: A. B. -> before go-live"]);
        assert_eq!(differences(&ignored, &ignored), Vec::<String>::new());
    }

    #[test]
    fn members_are_named_by_their_path() {
        let (old, new) = (
            json!({ "lines": [{ "account": "4000", "net": "1.00" }], "note": null }),
            json!({ "lines": [{ "account": "6540", "net": "1.00" }], "note": "x" }),
        );
        let mut found = Vec::new();
        compare("", &old, &new, &mut found);
        assert_eq!(found, [r#"lines[1].account: "4000" -> "6540""#, r#"note: null -> "x""#]);
    }
}
