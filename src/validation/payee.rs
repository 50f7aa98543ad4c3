//! Where an invoice asks to be paid, against where the supplier is known to be paid.

use crate::procurement::{BankAccount, BankAccountFault};

/// The accounts that the two masters have.
#[derive(Debug, Clone, Copy)]
pub struct Masters<'a> {
    pub vendor: &'a [BankAccount],
    pub supplier: &'a [BankAccount],
}

impl<'a> Masters<'a> {
    fn all(self) -> impl Iterator<Item = &'a BankAccount> {
        self.vendor.iter().chain(self.supplier)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PayeeFault<'a> {
    /// The number can be no account.
    Invalid { account: &'a BankAccount, why: BankAccountFault },
    /// Neither master has it, and nothing was paid there before.
    Unknown { account: &'a BankAccount, known: Vec<&'a BankAccount> },
    /// The invoice does not say; neither master has the account that was paid last any more.
    MasterChanged { paid: &'a BankAccount, now: Vec<&'a BankAccount> },
    /// There is nothing to compare it with.
    NothingKnown { account: &'a BankAccount },
}

/// `paid`: where earlier invoices that are paid asked to be paid, the latest first. An account on an
/// invoice that is not paid proves nothing: the first false invoice would vouch for the second.
pub fn payee<'a>(
    asked: Option<&'a BankAccount>,
    masters: Masters<'a>,
    paid: &[&'a BankAccount],
    country: Option<&str>,
) -> Option<PayeeFault<'a>> {
    let Some(account) = asked else {
        let paid = *paid.first()?;
        let now: Vec<&BankAccount> = masters.all().collect();
        let changed = !now.is_empty() && !now.iter().any(|of| of.same_as(paid));
        return changed.then_some(PayeeFault::MasterChanged { paid, now: distinct(now) });
    };
    if let Some(why) = account.fault(country) {
        return Some(PayeeFault::Invalid { account, why });
    }
    let known: Vec<&BankAccount> = masters.all().chain(paid.iter().copied()).collect();
    if known.is_empty() {
        return Some(PayeeFault::NothingKnown { account });
    }
    let is_known = known.iter().any(|of| of.same_as(account));
    (!is_known).then_some(PayeeFault::Unknown { account, known: distinct(known) })
}

fn distinct(accounts: Vec<&BankAccount>) -> Vec<&BankAccount> {
    let mut each: Vec<&BankAccount> = Vec::new();
    for account in accounts {
        if !each.iter().any(|of| of.same_as(account)) {
            each.push(account);
        }
    }
    each
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::procurement::BankAccountKind::{Bankgiro, Bban, Iban, Plusgiro};

    #[test]
    fn the_account_against_what_is_known() {
        let account = |kind, number: &str| BankAccount { kind, number: number.into() };
        let a = || account(Bban, "8601.11.17947");
        let a_as_iban = || account(Iban, "NO93 8601 1117 947");
        let b = || account(Bban, "1234 56 78903");
        let giro = || account(Bankgiro, "5402-9681");
        let none = Vec::new;
        type Case = (
            &'static str,
            Option<BankAccount>,
            Vec<BankAccount>,
            Vec<BankAccount>,
            Vec<BankAccount>,
            &'static str,
        );
        let cases: Vec<Case> = vec![
            ("in JAGGAER's master", Some(a()), vec![b(), a_as_iban()], none(), none(), "known"),
            ("in Visma's", Some(a()), vec![b()], vec![a_as_iban()], none(), "known"),
            ("paid before", Some(a()), vec![b()], vec![b()], vec![b(), a()], "known"),
            ("new", Some(a()), vec![b()], vec![b()], vec![b()], "new, 1 known"),
            ("new to Visma alone", Some(a()), none(), vec![b()], none(), "new, 1 known"),
            (
                "another kind",
                Some(account(Plusgiro, "54029681")),
                vec![giro()],
                none(),
                none(),
                "new, 1 known",
            ),
            ("nothing known", Some(a()), none(), none(), none(), "nothing"),
            ("mistyped", Some(account(Bban, "86011117948")), vec![a()], none(), none(), "invalid"),
            (
                "mistyped in both",
                Some(account(Iban, "NO9486011117947")),
                vec![account(Iban, "NO9486011117947")],
                none(),
                none(),
                "invalid",
            ),
            ("not said", None, vec![a()], vec![a()], vec![a()], "known"),
            ("not said, never paid", None, vec![a()], none(), none(), "known"),
            ("not said, no master", None, none(), none(), vec![a()], "known"),
            ("not said, one master kept it", None, vec![b()], vec![a()], vec![a()], "known"),
            ("not said, masters changed", None, vec![b()], vec![b()], vec![a()], "changed, 1 now"),
            ("not said, changed long ago", None, vec![b()], none(), vec![b(), a()], "known"),
        ];
        for (about, asked, vendor, supplier, paid, expected) in cases {
            let masters = Masters { vendor: &vendor, supplier: &supplier };
            let paid: Vec<&BankAccount> = paid.iter().collect();
            let found = match payee(asked.as_ref(), masters, &paid, Some("NO")) {
                None => "known".to_owned(),
                Some(PayeeFault::Invalid { .. }) => "invalid".into(),
                Some(PayeeFault::Unknown { known, .. }) => format!("new, {} known", known.len()),
                Some(PayeeFault::MasterChanged { now, .. }) => {
                    format!("changed, {} now", now.len())
                }
                Some(PayeeFault::NothingKnown { .. }) => "nothing".into(),
            };
            assert_eq!(found, expected, "{about}");
        }
    }
}
