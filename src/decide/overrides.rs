//! Holds that people set aside: which words count, and which holds they take out.

use super::{Evidence, Hold, Inputs, Override, Role, catalogue};

/// The words that count, of all that were said about one document. Where two people must say it,
/// one alone does not; the two become one word.
pub fn in_force(said: &[Override]) -> Vec<Override> {
    let mut counted: Vec<Override> = Vec::new();
    for word in said {
        let same = |other: &&Override| {
            other.code == word.code && other.text == word.text && other.role == word.role
        };
        if counted.iter().any(|other| same(&other)) {
            continue;
        }
        match word.role {
            Role::Ap | Role::Buyer | Role::Controller => counted.push(word.clone()),
            Role::TwoPeople => {
                let second = said.iter().filter(same).find(|other| other.actor != word.actor);
                if let Some(second) = second {
                    counted.push(Override {
                        actor: format!("{} and {}", word.actor, second.actor),
                        reason: format!("{}; {}", word.reason, second.reason),
                        ..word.clone()
                    });
                }
            }
        }
    }
    counted
}

/// Takes out the holds that a person set aside and that may be set aside.
pub(super) fn apply(holds: Vec<Hold>, inputs: &Inputs<'_>, evidence: &mut Evidence) -> Vec<Hold> {
    if inputs.history.overrides.is_empty() {
        return holds;
    }
    let catalogue = catalogue();
    let (overridden, left): (Vec<Hold>, Vec<Hold>) =
        holds.into_iter().partition(|hold| {
            let entry = catalogue.iter().find(|entry| entry.code == hold.code);
            let role = entry.and_then(|entry| entry.override_by);
            inputs.history.overrides.iter().any(|word| {
                role == Some(word.role) && word.code == hold.code && word.text == hold.text
            })
        });
    evidence.overridden.extend(overridden);
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(code: &str, text: &str, actor: &str, role: Role) -> Override {
        Override {
            code: code.into(),
            text: text.into(),
            actor: actor.into(),
            role,
            reason: format!("{actor} says so"),
        }
    }

    #[test]
    fn two_people_are_two_people() {
        let one = word("bank", "To NO1.", "anna", Role::TwoPeople);
        let same_again = word("bank", "To NO1.", "anna", Role::TwoPeople);
        let other_facts = word("bank", "To NO2.", "bo", Role::TwoPeople);
        let second = word("bank", "To NO1.", "bo", Role::TwoPeople);
        assert_eq!(in_force(&[]), []);
        assert_eq!(in_force(std::slice::from_ref(&one)), []);
        assert_eq!(in_force(&[one.clone(), same_again.clone(), other_facts.clone()]), []);
        let both = in_force(&[one, same_again, other_facts, second]);
        let [both] = both.as_slice() else { panic!("{both:?}") };
        assert_eq!(both.actor, "anna and bo");
        assert_eq!(both.text, "To NO1.");
        assert_eq!(both.reason, "anna says so; bo says so");
    }

    #[test]
    fn one_person_is_enough_elsewhere_and_counts_once() {
        let said = [
            word("due", "A.", "anna", Role::Ap),
            word("due", "A.", "bo", Role::Ap),
            word("due", "B.", "bo", Role::Ap),
        ];
        let counted = in_force(&said);
        let actors: Vec<&str> = counted.iter().map(|word| word.actor.as_str()).collect();
        assert_eq!(actors, ["anna", "bo"]);
    }
}
