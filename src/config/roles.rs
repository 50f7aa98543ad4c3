use crate::decide::Role;
use serde::Deserialize;

/// Which accounts of this machine may set holds aside. Nobody, unless it is said here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Roles {
    /// Accounts payable.
    pub ap: Vec<String>,
    /// Whoever may buy: prices, quantities, missing receipts.
    pub buyer: Vec<String>,
    /// Accounting: periods, taxes, accounts.
    pub controller: Vec<String>,
}

impl Roles {
    /// Whether an account may say what this role may. Where two people are needed, each may have
    /// any role.
    pub fn allow(&self, account: &str, role: Role) -> bool {
        let has = |accounts: &[String]| accounts.iter().any(|named| named == account);
        match role {
            Role::Ap => has(&self.ap),
            Role::Buyer => has(&self.buyer),
            Role::Controller => has(&self.controller),
            Role::TwoPeople => has(&self.ap) || has(&self.buyer) || has(&self.controller),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_has_a_role_that_was_not_given() {
        let nobody = Roles::default();
        let some = Roles { ap: vec!["anna".into()], buyer: vec!["bo".into()], ..Roles::default() };
        for role in Role::ALL {
            assert!(!nobody.allow("anna", role), "{role:?}");
            assert!(!some.allow("", role) && !some.allow("Anna", role), "{role:?}");
            let anna = matches!(role, Role::Ap | Role::TwoPeople);
            assert_eq!(some.allow("anna", role), anna, "{role:?}");
            let bo = matches!(role, Role::Buyer | Role::TwoPeople);
            assert_eq!(some.allow("bo", role), bo, "{role:?}");
        }
    }
}
