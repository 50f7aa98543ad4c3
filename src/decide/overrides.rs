use super::{Evidence, Hold, Inputs, catalogue};

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
