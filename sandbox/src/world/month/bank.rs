//! Accounts to be paid on: given to every vendor, then kept, written in another form, or changed.

use super::maker::Maker;
use crate::world::accounts::{account, with_check};
use crate::world::document::Invoice;
use crate::world::supplier::{BankAccount, Vendor};
use fastrand::Rng;

/// One account mostly, now and then two or three, the same in JAGGAER and in Visma.
pub fn give_accounts(vendor: &mut Vendor, rng: &mut Rng) {
    let count = match rng.u32(0..10) {
        0..6 => 1,
        6..9 => 2,
        _ => 3,
    };
    vendor.bank_accounts = (0..count).map(|_| account(vendor.country, rng)).collect();
    if let Some(supplier) = &mut vendor.visma {
        supplier.bank_accounts = vendor.bank_accounts.clone();
    }
}

/// The same account, written otherwise.
fn other_form(account: &BankAccount) -> BankAccount {
    let in_groups = |number: &str| {
        let letters: Vec<char> = number.chars().collect();
        let groups: Vec<String> = letters.chunks(4).map(|group| group.iter().collect()).collect();
        groups.join(" ")
    };
    match account {
        BankAccount::Bban(number) if number.len() == 11 => {
            BankAccount::Iban(with_check("NO", number))
        }
        BankAccount::Bban(number) => BankAccount::Bban(in_groups(number)),
        BankAccount::Iban(number) if number.starts_with("NO") => {
            let plain = &number[4..];
            BankAccount::Bban(format!("{}.{}.{}", &plain[..4], &plain[4..6], &plain[6..]))
        }
        BankAccount::Iban(number) => BankAccount::Iban(in_groups(number).to_lowercase()),
        BankAccount::Bankgiro(number) => {
            BankAccount::Bankgiro(format!("{}-{}", &number[..4], &number[4..]))
        }
        BankAccount::Plusgiro(number) => {
            let (body, check) = number.split_at(number.len() - 1);
            BankAccount::Plusgiro(format!("{}-{check}", in_groups(body)))
        }
    }
}

/// The last digit becomes another, so that no check comes out.
fn spoiled(account: &BankAccount) -> BankAccount {
    let next = |number: &str| {
        let (body, last) = number.split_at(number.len() - 1);
        let digit = last.bytes().next().map_or(0, |byte| byte.wrapping_sub(b'0') % 10);
        format!("{body}{}", (digit + 1) % 10)
    };
    match account {
        BankAccount::Iban(number) => BankAccount::Iban(next(number)),
        BankAccount::Bban(number) => BankAccount::Bban(next(number)),
        BankAccount::Bankgiro(number) => BankAccount::Bankgiro(next(number)),
        BankAccount::Plusgiro(number) => BankAccount::Plusgiro(next(number)),
    }
}

fn any_invoice(m: &mut Maker, vendor: usize) -> Invoice {
    if m.rng.bool() {
        m.plain_invoice(vendor)
    } else {
        let order = m.simple_order(vendor);
        m.bill_all(order)
    }
}

pub fn changed(m: &mut Maker) {
    let vendor = m.vendor();
    let mut invoice = any_invoice(m, vendor);
    let country = m.of(vendor).country;
    invoice.payee = Some(account(country, &mut m.rng));
    m.hold(invoice);
}

pub fn invalid(m: &mut Maker) {
    let vendor = m.vendor();
    let mut invoice = any_invoice(m, vendor);
    invoice.payee = m.of(vendor).bank_accounts.first().map(spoiled);
    m.hold(invoice);
}

pub fn in_other_form(m: &mut Maker) {
    let vendor = m.vendor();
    let mut invoice = any_invoice(m, vendor);
    invoice.payee = m.of(vendor).bank_accounts.first().map(other_form);
    m.pass(invoice);
}

pub fn second_account(m: &mut Maker) {
    let vendor = m.vendor_where(|vendor| vendor.bank_accounts.len() > 1);
    let mut invoice = any_invoice(m, vendor);
    invoice.payee = m.of(vendor).bank_accounts.last().cloned();
    m.pass(invoice);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::accounts::{kontonummer_check, luhn, rest};
    use crate::world::supplier::Country;

    #[test]
    fn every_account_is_right_and_the_spoiled_one_is_not() {
        let mut rng = Rng::with_seed(2);
        let right = |account: &BankAccount| match account {
            BankAccount::Iban(number) => rest(&format!("{}{}", &number[4..], &number[..4])) == 1,
            BankAccount::Bban(number) => {
                kontonummer_check(&number[..10]).map(|check| check.to_string()).as_deref()
                    == Some(&number[10..])
            }
            BankAccount::Bankgiro(number) | BankAccount::Plusgiro(number) => {
                let (body, check) = number.split_at(number.len() - 1);
                luhn(body).to_string() == check
            }
        };
        for country in
            [Country::No, Country::Se, Country::Dk, Country::Fi, Country::Is, Country::De]
        {
            for _ in 0..200 {
                let account = account(country, &mut rng);
                assert!(right(&account), "{account:?}");
                assert!(!right(&spoiled(&account)), "{account:?}");
            }
        }
    }

    #[test]
    fn other_forms() {
        for (account, other) in [
            (BankAccount::Bban("86011117947".into()), BankAccount::Iban("NO9386011117947".into())),
            (
                BankAccount::Iban("NO9386011117947".into()),
                BankAccount::Bban("8601.11.17947".into()),
            ),
            (BankAccount::Bankgiro("54029681".into()), BankAccount::Bankgiro("5402-9681".into())),
            (BankAccount::Plusgiro("2865434".into()), BankAccount::Plusgiro("2865 43-4".into())),
            (
                BankAccount::Iban("FI2112345600000785".into()),
                BankAccount::Iban("fi21 1234 5600 0007 85".into()),
            ),
        ] {
            assert_eq!(other_form(&account), other);
        }
    }
}
