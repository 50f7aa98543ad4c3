//! Who is paid in a vendor's place. JAGGAER can name another vendor to remit to; Visma pays the
//! supplier that stands on the invoice. Where the two differ, money would go astray.

use super::supplier::{Suppliers, settle, shown};
use crate::procurement::{BankAccount, Supplier, VendorRef};

/// The source wants another to be paid than the supplier on the invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemitToFault {
    /// The vendor as the clerk knows it.
    pub vendor: String,
    /// The vendor that is to be paid, as the clerk knows it.
    pub remit_to: String,
    /// The supplier on the invoice.
    pub supplier: String,
    pub supplier_name: String,
    /// The supplier that the other one is. `None`: it is not clear which.
    pub other: Option<String>,
}

/// Whether the payment reaches the vendor that the source names. `Some` sentence: it names another,
/// and the money reaches that one all the same.
pub fn remit_to(
    named: &VendorRef,
    supplier: &Supplier,
    suppliers: Suppliers<'_>,
) -> Result<Option<String>, RemitToFault> {
    let vendor = named.source_id.as_deref().and_then(|id| suppliers.vendors.get(id));
    let Some(vendor) = vendor else { return Ok(None) };
    let id = vendor.remit_to.as_deref().map(str::trim).filter(|id| !id.is_empty());
    let Some(id) = id.filter(|id| *id != vendor.source_id) else { return Ok(None) };
    let paid = suppliers.vendors.get(id);
    let paid_ref = VendorRef { source_id: Some(id.into()), ..VendorRef::default() };
    let other = settle(&paid_ref, None, suppliers).ok().map(|settled| settled.supplier);
    let paid_shown = shown(&paid_ref, paid);
    if other.is_some_and(|other| other.number == supplier.number) {
        return Ok(None);
    }
    let one_account = paid
        .is_some_and(|of| shares_account(&of.bank_accounts, &supplier.bank_accounts))
        || other.is_some_and(|of| shares_account(&of.bank_accounts, &supplier.bank_accounts));
    if one_account {
        return Ok(Some(format!(
            "JAGGAER pays {} for this vendor; supplier {} has the same account in Visma.",
            paid_shown, supplier.number
        )));
    }
    // With two different accounts in Visma, being the parent does not bring the money there.
    let is_parent = other.is_some_and(|other| {
        supplier.parent.as_deref() == Some(other.number.as_str())
            && (other.bank_accounts.is_empty() || supplier.bank_accounts.is_empty())
    });
    if is_parent {
        return Ok(Some(format!(
            "JAGGAER pays {} for this vendor, which is the parent of supplier {} in Visma too.",
            paid_shown, supplier.number
        )));
    }
    Err(RemitToFault {
        vendor: shown(named, Some(vendor)),
        remit_to: paid_shown,
        supplier: supplier.number.clone(),
        supplier_name: supplier.name.clone(),
        other: other.map(|other| format!("{} ({})", other.number, other.name)),
    })
}

fn shares_account(left: &[BankAccount], right: &[BankAccount]) -> bool {
    left.iter().any(|one| right.iter().any(|other| one.same_as(other)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::{SupplierIndex, Tables};
    use crate::procurement::{BankAccountKind, ReferenceData, Vendor};
    use std::collections::BTreeMap;

    fn accounts(number: &str) -> Vec<BankAccount> {
        let account = BankAccount { kind: BankAccountKind::Bban, number: number.into() };
        (!number.is_empty()).then_some(account).into_iter().collect()
    }

    struct Case {
        about: &'static str,
        remit_to: &'static str,
        /// ERP number of the vendor that is paid.
        paid_number: &'static str,
        paid_account: &'static str,
        /// Of supplier 1, which the invoice is booked on, and of supplier 2.
        parent: &'static str,
        account: &'static str,
        other_account: &'static str,
        expected: &'static str,
    }

    const EMPTY: Case = Case {
        about: "nobody else is named",
        remit_to: "",
        paid_number: "2",
        paid_account: "",
        parent: "",
        account: "",
        other_account: "",
        expected: "fine",
    };

    #[test]
    fn the_payment_reaches_whom_the_source_names_or_is_held() {
        let (a, b) = ("86011117947", "12345678903");
        let cases = [
            EMPTY,
            Case { about: "itself", remit_to: "V1", ..EMPTY },
            Case { about: "blank", remit_to: " ", ..EMPTY },
            Case { about: "another", remit_to: "V2", expected: "2 (Paid)", ..EMPTY },
            Case { about: "the same supplier", remit_to: "V2", paid_number: "1", ..EMPTY },
            Case { about: "a stranger", remit_to: "V3", expected: "nobody", ..EMPTY },
            Case {
                about: "one that leads nowhere",
                remit_to: "V2",
                paid_number: "9",
                expected: "nobody",
                ..EMPTY
            },
            Case {
                about: "paid on the same account, as JAGGAER says",
                remit_to: "V2",
                paid_number: "9",
                paid_account: a,
                account: a,
                expected: "remark",
                ..EMPTY
            },
            Case {
                about: "paid on the same account, as Visma says",
                remit_to: "V2",
                account: a,
                other_account: a,
                expected: "remark",
                ..EMPTY
            },
            Case {
                about: "the parent in Visma too",
                remit_to: "V2",
                parent: "2",
                account: a,
                expected: "remark",
                ..EMPTY
            },
            Case {
                about: "the parent, with another account",
                remit_to: "V2",
                parent: "2",
                account: a,
                other_account: b,
                expected: "2 (Paid)",
                ..EMPTY
            },
        ];
        for case in cases {
            let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
            let vendor = |id: &str, number: &str| Vendor {
                source_id: id.into(),
                name: format!("Vendor {id}"),
                erp_number: some(number),
                ..Vendor::default()
            };
            let from = Vendor { remit_to: some(case.remit_to), ..vendor("V1", "1") };
            let paid = Vendor {
                bank_accounts: accounts(case.paid_account),
                ..vendor("V2", case.paid_number)
            };
            let vendors = BTreeMap::from([("V1".to_owned(), from), ("V2".to_owned(), paid)]);
            let supplier = |number: &str, name: &str, parent: &str, account: &str| Supplier {
                number: number.into(),
                name: name.into(),
                status: "Active".into(),
                parent: some(parent),
                bank_accounts: accounts(account),
                ..Supplier::default()
            };
            let suppliers = [
                supplier("1", "Booked", case.parent, case.account),
                supplier("2", "Paid", "", case.other_account),
            ];
            let suppliers = suppliers.into_iter().map(|of| (of.number.clone(), of)).collect();
            let reference = ReferenceData { suppliers, ..ReferenceData::default() };
            let index = SupplierIndex::new(&reference);
            let named = VendorRef { source_id: Some("V1".into()), ..VendorRef::default() };
            let found = remit_to(
                &named,
                &reference.suppliers["1"],
                Suppliers {
                    tables: &Tables::default(),
                    vendors: &vendors,
                    reference: &reference,
                    index: &index,
                },
            );
            let outcome = match found {
                Ok(None) => "fine".to_owned(),
                Ok(Some(_)) => "remark".to_owned(),
                Err(fault) => fault.other.unwrap_or_else(|| "nobody".into()),
            };
            assert_eq!(outcome, case.expected, "{}", case.about);
        }
    }
}
