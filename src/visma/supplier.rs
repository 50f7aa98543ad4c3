//! A supplier as Visma's list shows it, into the core's words.

use super::read::{filled, required};
use super::settings::SupplierAttributes;
use super::wire;
use crate::procurement::check_digit::all_digits;
use crate::procurement::{BankAccount, BankAccountKind, PostalAddress, Supplier};

pub(super) fn supplier(
    row: wire::Supplier,
    attributes: &SupplierAttributes,
) -> Result<Supplier, String> {
    let bank_accounts = bank_accounts(
        row.supplier_payment_method_details.unwrap_or_default(),
        row.account_used_for_payment.as_deref(),
    );
    let rows = row.attributes.unwrap_or_default();
    let attribute = |id: &Option<String>| {
        let id = id.as_deref()?;
        let row = rows.iter().find(|row| row.id.as_deref().map(str::trim) == Some(id))?;
        filled(row.value.clone())
    };
    let (country, address) = row.main_address.map_or((None, None), |row| {
        let address = PostalAddress {
            street: filled(row.address_line1),
            postal_code: filled(row.postal_code),
            city: filled(row.city),
        };
        let written = address != PostalAddress::default();
        (row.country.and_then(|country| filled(country.id)), written.then_some(address))
    });
    Ok(Supplier {
        number: required(row.number, "number")?,
        name: row.name.unwrap_or_default(),
        status: row.status.unwrap_or_default(),
        organisation_number: filled(row.corporate_id),
        vat_number: filled(row.vat_registration_id),
        vat_zone: row.vat_zone.and_then(|zone| filled(zone.id)),
        currency: filled(row.currency_id),
        credit_terms: row.credit_terms.and_then(|terms| filled(terms.id)),
        country,
        duns: attribute(&attributes.duns),
        gln: attribute(&attributes.gln),
        parent: row.parent_record.and_then(|parent| filled(parent.number)),
        address,
        bank_accounts,
    })
}

/// The accounts among the details of the payment method. What a detail means stands only in its
/// description, in the language of the company; so it is told by the form of the value, and by the
/// technical type where Visma gives one. What is no account by either (a BIC, the name of a bank,
/// a clearing number) is passed over.
fn bank_accounts(
    details: Vec<wire::PaymentMethodDetail>,
    used_for_payment: Option<&str>,
) -> Vec<BankAccount> {
    let mut accounts: Vec<BankAccount> = Vec::new();
    for detail in details {
        let Some(number) = filled(detail.value) else { continue };
        let told = detail.banking_detail_type.as_deref().and_then(kind);
        let Some(kind) = told.or_else(|| kind_by_form(&number, used_for_payment)) else {
            continue;
        };
        let account = BankAccount { kind, number };
        if !accounts.iter().any(|known| known.same_as(&account)) {
            accounts.push(account);
        }
    }
    accounts
}

fn kind(word: &str) -> Option<BankAccountKind> {
    let word: String = word.chars().filter(char::is_ascii_alphanumeric).collect();
    match word.to_ascii_uppercase().as_str() {
        "IBAN" => Some(BankAccountKind::Iban),
        "BBAN" => Some(BankAccountKind::Bban),
        "BANKGIRO" => Some(BankAccountKind::Bankgiro),
        "PLUSGIRO" => Some(BankAccountKind::Plusgiro),
        _ => None,
    }
}

fn kind_by_form(number: &str, used_for_payment: Option<&str>) -> Option<BankAccountKind> {
    let is = |kind| BankAccount { kind, number: number.to_owned() };
    if is(BankAccountKind::Iban).fault(None).is_none() {
        return Some(BankAccountKind::Iban);
    }
    let digits: String =
        number.chars().filter(|c| !matches!(c, ' ' | '.' | '-' | '\u{a0}')).collect();
    // Shorter ones are clearing numbers, longer ones no country has.
    if !all_digits(&digits) || !(7..=20).contains(&digits.len()) {
        return None;
    }
    if is(BankAccountKind::Bban).fault(Some("NO")).is_none() {
        return Some(BankAccountKind::Bban);
    }
    let giro = used_for_payment
        .and_then(kind)
        .filter(|kind| matches!(kind, BankAccountKind::Bankgiro | BankAccountKind::Plusgiro));
    match giro {
        Some(kind) if is(kind).fault(None).is_none() => Some(kind),
        Some(_) | None => Some(BankAccountKind::Unspecified),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Supplier {
        let row: wire::Supplier = serde_json::from_str(json).expect("the wire's form");
        let attributes =
            SupplierAttributes { gln: Some("GLN".into()), duns: Some("DUNSNR".into()) };
        supplier(row, &attributes).expect("a number")
    }

    #[test]
    fn everything_that_tells_suppliers_apart_is_read() {
        let supplier = read(
            r#"{"number": "50012", "name": "Fjord Kontor AS", "status": "Active",
            "mainAddress": {"addressLine1": "Strandgaten 18", "addressLine2": null,
                "postalCode": "5003", "city": " Bergen ", "country": {"id": "NO"}},
            "parentRecord": {"number": "50001", "name": "Fjord Gruppen AS"},
            "attributes": [{"id": "GLN", "value": "7300010000001"}, {"id": "DUNSNR", "value": ""},
                {"id": "OTHER", "value": "x"}]}"#,
        );
        let address = supplier.address.expect("an address");
        assert_eq!(address.street.as_deref(), Some("Strandgaten 18"));
        assert_eq!(address.postal_code.as_deref(), Some("5003"));
        assert_eq!(address.city.as_deref(), Some("Bergen"));
        assert_eq!(supplier.country.as_deref(), Some("NO"));
        assert_eq!(supplier.parent.as_deref(), Some("50001"));
        assert_eq!((supplier.gln.as_deref(), supplier.duns), (Some("7300010000001"), None));
        assert_eq!(read(r#"{"number": "1", "mainAddress": {}}"#).address, None);
    }

    #[test]
    fn accounts_are_told_by_their_form_in_any_language() {
        use BankAccountKind::{Bankgiro, Bban, Iban, Plusgiro, Unspecified};
        // (value, banking detail type, account used for payment, kind)
        let cases = [
            ("NO93 8601 1117 947", "", "", Some(Iban)),
            ("8601.11.17947", "", "", Some(Bban)),
            ("8601.11.17947", "", "BANKGIRO", Some(Bban)),
            ("5402-9681", "", "BANKGIRO", Some(Bankgiro)),
            ("5402-9681", "", "IBAN", Some(Unspecified)),
            ("2865434", "", "PLUSGIRO", Some(Plusgiro)),
            ("5402-9682", "", "BANKGIRO", Some(Unspecified)),
            ("2865434", "Plusgiro", "", Some(Plusgiro)),
            ("8601.11.17948", "BBAN", "", Some(Bban)),
            // What stands there besides accounts.
            ("DNBANOKKXXX", "", "", None),
            ("DNB Bank ASA", "", "", None),
            ("8601", "", "", None),
            ("  ", "IBAN", "", None),
        ];
        for (value, of_type, used, expected) in cases {
            let details = vec![wire::PaymentMethodDetail {
                value: Some(value.into()),
                banking_detail_type: (!of_type.is_empty()).then(|| of_type.into()),
            }];
            let found = bank_accounts(details, (!used.is_empty()).then_some(used));
            let expected: Vec<BankAccount> = expected
                .map(|kind| BankAccount { kind, number: value.trim().into() })
                .into_iter()
                .collect();
            assert_eq!(found, expected, "{value} {of_type} {used}");
        }
    }

    #[test]
    fn an_account_written_twice_is_one() {
        let supplier = read(
            r#"{"number": "1", "supplierPaymentMethodDetails": [
            {"paymentMethodDetailDescription": "Kontonummer", "paymentMethodDetailValue": "86011117947"},
            {"paymentMethodDetailDescription": "IBAN", "paymentMethodDetailValue": "NO9386011117947"},
            {"paymentMethodDetailDescription": "SWIFT", "paymentMethodDetailValue": "DNBANOKK"}]}"#,
        );
        assert_eq!(supplier.bank_accounts.len(), 1);
    }
}
