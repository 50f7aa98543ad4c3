use super::*;
use crate::procurement::{BankAccount, BankAccountKind};

fn supplier(number: &str, organisation: &str, vat: &str, country: &str) -> Supplier {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Supplier {
        number: number.into(),
        name: format!("Supplier {number}"),
        status: "Active".into(),
        organisation_number: some(organisation),
        vat_number: some(vat),
        country: some(country),
        ..Supplier::default()
    }
}

fn reference() -> ReferenceData {
    let mut suppliers: Vec<Supplier> = vec![
        supplier("50001", "988 077 917", "", "NO"),
        supplier("50002", "", "NO123456785MVA", "NO"),
        supplier("50003", "13585628", "", "DK"),
        supplier("50004", "123456-7897", "SE123456789701", "SE"),
        supplier("50005", "974760673", "", "NO"),
        supplier("50006", "974760673", "", "NO"),
        supplier("50007", "", "DE136695976", "DE"),
        supplier("50008", "2077474-0", "", ""),
        supplier("50009", "995525828", "", "NO"),
    ];
    suppliers[8].status = "OnHold".into();
    let suppliers = suppliers.into_iter().map(|s| (s.number.clone(), s)).collect();
    ReferenceData { suppliers, ..ReferenceData::default() }
}

struct Case {
    about: &'static str,
    document_number: &'static str,
    master_number: &'static str,
    unit_number: &'static str,
    organisation: &'static str,
    vat: &'static str,
    country: &'static str,
    expected: &'static str,
}

const EMPTY: Case = Case {
    about: "nothing to go by",
    document_number: "",
    master_number: "",
    unit_number: "",
    organisation: "",
    vat: "",
    country: "NO",
    expected: "unknown",
};

#[test]
fn every_way_to_a_supplier() {
    let cases = [
        EMPTY,
        Case { about: "number on document", document_number: "50001", expected: "50001", ..EMPTY },
        Case { about: "number on master", master_number: "50002", expected: "50002", ..EMPTY },
        Case {
            about: "number for the business unit first",
            unit_number: "50001",
            document_number: "50002",
            master_number: "50002",
            expected: "50001",
            ..EMPTY
        },
        Case {
            about: "a number that the ERP lacks does not stop the others",
            document_number: "99999",
            organisation: "988077917",
            expected: "50001",
            ..EMPTY
        },
        Case { about: "org", organisation: "988077917", expected: "50001", ..EMPTY },
        Case { about: "org in VAT", vat: "NO988077917MVA", expected: "50001", ..EMPTY },
        Case { about: "VAT holds org", organisation: "123 456 785", expected: "50002", ..EMPTY },
        Case { about: "SE", vat: "SE 123456-7897 01", country: "SE", expected: "50004", ..EMPTY },
        Case {
            about: "foreign VAT",
            vat: "DE136695976",
            country: "DE",
            expected: "50007",
            ..EMPTY
        },
        Case {
            about: "same digits in another country are another party",
            organisation: "988077917",
            country: "DE",
            expected: "unknown",
            ..EMPTY
        },
        Case {
            about: "the ERP does not say the country",
            organisation: "2077474-0",
            country: "FI",
            expected: "50008",
            ..EMPTY
        },
        Case {
            about: "wrong check digit is not used",
            organisation: "988077918",
            expected: "unknown",
            ..EMPTY
        },
        Case { about: "two share it", organisation: "974760673", expected: "ambiguous", ..EMPTY },
        Case {
            about: "the number tells the two apart",
            organisation: "974760673",
            document_number: "50006",
            expected: "50006",
            ..EMPTY
        },
        Case {
            about: "number and org contradict",
            organisation: "988077917",
            document_number: "50003",
            expected: "conflict",
            ..EMPTY
        },
        Case {
            about: "org and VAT contradict",
            organisation: "988077917",
            vat: "NO123456785MVA",
            expected: "conflict",
            ..EMPTY
        },
        Case { about: "blocked", organisation: "995525828", expected: "blocked", ..EMPTY },
    ];
    let reference = reference();
    let index = SupplierIndex::new(&reference);
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    for case in cases {
        let mut vendor = Vendor {
            source_id: "V1".into(),
            // The name of another supplier must not matter.
            name: "Supplier 50005".into(),
            erp_number: some(case.master_number),
            organisation_number: some(case.organisation),
            vat_number: some(case.vat),
            country: some(case.country),
            ..Vendor::default()
        };
        if let Some(number) = some(case.unit_number) {
            vendor.erp_number_by_business_unit.insert("UNIT".into(), number);
        }
        let vendors = BTreeMap::from([("V1".to_owned(), vendor)]);
        let named = VendorRef {
            source_id: Some("V1".into()),
            erp_number: some(case.document_number),
            name: None,
        };
        let suppliers = Suppliers {
            tables: &Tables::default(),
            vendors: &vendors,
            reference: &reference,
            index: &index,
        };
        let outcome = match resolve(&named, Some("UNIT"), suppliers) {
            Ok(settled) => settled.supplier.number.as_str(),
            Err(SupplierFault::Unknown { .. }) => "unknown",
            Err(SupplierFault::LinkBroken { .. }) => "link broken",
            Err(SupplierFault::Conflict { .. }) => "conflict",
            Err(SupplierFault::Ambiguous { .. }) => "ambiguous",
            Err(SupplierFault::Blocked { .. }) => "blocked",
        };
        assert_eq!(outcome, case.expected, "{}", case.about);
    }
}

#[test]
fn a_persons_link_beats_every_identifier() {
    let reference = reference();
    let index = SupplierIndex::new(&reference);
    let vendors = BTreeMap::new();
    let mut tables = Tables::default();
    tables.suppliers.insert("V1".into(), "50003".into());
    tables.suppliers.insert("OLD".into(), "60000".into());
    let resolve_with = |id: &str, number: Option<&str>| {
        let named = VendorRef {
            source_id: Some(id.into()),
            erp_number: number.map(str::to_owned),
            name: None,
        };
        let suppliers =
            Suppliers { tables: &tables, vendors: &vendors, reference: &reference, index: &index };
        resolve(&named, None, suppliers).map(|settled| settled.supplier.number.clone())
    };
    assert_eq!(resolve_with("V1", Some("50001")), Ok("50003".into()));
    assert!(matches!(
        resolve_with("V2", Some("OLD")),
        Err(SupplierFault::LinkBroken { number, .. }) if number == "60000"
    ));
}

fn party(number: &str, name: &str) -> Supplier {
    Supplier {
        number: number.into(),
        name: name.into(),
        status: "Active".into(),
        country: Some("NO".into()),
        ..Supplier::default()
    }
}

fn vendor(id: &str, name: &str) -> Vendor {
    Vendor {
        source_id: id.into(),
        name: name.into(),
        active: true,
        country: Some("NO".into()),
        ..Vendor::default()
    }
}

fn iban(number: &str) -> Vec<BankAccount> {
    vec![BankAccount { kind: BankAccountKind::Iban, number: number.into() }]
}

/// The supplier and remarks, or the fault's name, of the vendor `V1` among these.
fn outcome(vendors: Vec<Vendor>, suppliers: Vec<Supplier>) -> (String, Vec<String>) {
    let vendors = vendors.into_iter().map(|of| (of.source_id.clone(), of)).collect();
    let suppliers = suppliers.into_iter().map(|of| (of.number.clone(), of)).collect();
    let reference = ReferenceData { suppliers, ..ReferenceData::default() };
    let index = SupplierIndex::new(&reference);
    let named = VendorRef { source_id: Some("V1".into()), ..VendorRef::default() };
    let tables = Tables::default();
    let suppliers =
        Suppliers { tables: &tables, vendors: &vendors, reference: &reference, index: &index };
    match resolve(&named, None, suppliers) {
        Ok(settled) => (settled.supplier.number.clone(), settled.remarks),
        Err(SupplierFault::Unknown { candidates, .. }) => {
            let shown = |of: Candidate| format!("{}: {}", of.supplier, of.reasons.join(", "));
            ("unknown".into(), candidates.into_iter().map(shown).collect())
        }
        Err(SupplierFault::LinkBroken { .. }) => ("link broken".into(), vec![]),
        Err(SupplierFault::Conflict { says, .. }) => ("conflict".into(), says),
        Err(SupplierFault::Ambiguous { suppliers, .. }) => ("ambiguous".into(), suppliers),
        Err(SupplierFault::Blocked { .. }) => ("blocked".into(), vec![]),
    }
}

const ACCOUNT: &str = "NO9386011117947";

#[test]
fn an_account_decides_only_for_the_same_name() {
    let with_account = |supplier: Supplier| Supplier {
        bank_accounts: vec![BankAccount {
            kind: BankAccountKind::Bban,
            number: "8601.11.17947".into(),
        }],
        ..supplier
    };
    let one = |name: &str| {
        let seller = Vendor { bank_accounts: iban(ACCOUNT), ..vendor("V1", name) };
        outcome(vec![seller], vec![with_account(party("1", "Fjord Kontor AS"))]).0
    };
    assert_eq!(one("Fjord Kontor A/S"), "1");
    assert_eq!(one("Kontor, Fjord"), "1");
    // Another company of the group, and a client of the same factoring bank.
    for name in ["Fjord Kontor Vest AS", "Fjord Kontor ASA", "Fjord Kontro AS", "Hansen AS"] {
        assert_eq!(one(name), "unknown", "{name}");
    }
    let by_account =
        outcome(vec![Vendor { bank_accounts: iban(ACCOUNT), ..vendor("V1", "Hansen AS") }], {
            vec![with_account(party("1", "Fjord Kontor AS"))]
        });
    assert_eq!(by_account.1, ["1: same IBAN NO9386011117947"]);
    let shared = vec![
        with_account(party("1", "Fjord Kontor AS")),
        with_account(party("2", "Fjord Kontor Vest AS")),
    ];
    let seller = Vendor { bank_accounts: iban(ACCOUNT), ..vendor("V1", "Fjord Kontor AS") };
    assert_eq!(outcome(vec![seller], shared).0, "ambiguous");
}

#[test]
fn another_organisation_number_stops_whatever_else_agrees() {
    let seller = Vendor {
        organisation_number: Some("988077917".into()),
        bank_accounts: iban(ACCOUNT),
        duns: Some("345678901".into()),
        erp_number: Some("1".into()),
        ..vendor("V1", "Fjord Kontor AS")
    };
    let known = Supplier {
        organisation_number: Some("974760673".into()),
        bank_accounts: iban(ACCOUNT),
        duns: Some("345678901".into()),
        ..party("1", "Fjord Kontor AS")
    };
    let ways: [fn(&mut Vendor); 3] = [
        |of| (of.bank_accounts, of.duns) = (vec![], None),
        |of| (of.erp_number, of.duns) = (None, None),
        |of| (of.erp_number, of.bank_accounts) = (None, vec![]),
    ];
    for change in ways {
        let mut seller = seller.clone();
        change(&mut seller);
        let (outcome, says) = outcome(vec![seller], vec![known.clone()]);
        assert_eq!(outcome, "conflict");
        let last = "1 has organisation number 974760673, the vendor 988077917";
        assert_eq!(says.last().map(String::as_str), Some(last));
    }
    // A number of another country says nothing against it.
    let abroad = Supplier { country: Some("SE".into()), ..known.clone() };
    let abroad = Supplier { organisation_number: Some("123456-7897".into()), ..abroad };
    let by_number = Vendor { bank_accounts: vec![], duns: None, ..seller.clone() };
    assert_eq!(outcome(vec![by_number], vec![abroad.clone()]).0, "1");
    // But what groups share says nothing across a border.
    let by_duns = Vendor { bank_accounts: vec![], erp_number: None, ..seller };
    let (outcome, says) = outcome(vec![by_duns], vec![abroad]);
    assert_eq!(outcome, "conflict");
    assert_eq!(says.last().map(String::as_str), Some("1 is in SE, the vendor 988077917"));
}

#[test]
fn duns_and_gln_decide_for_nearly_the_same_name() {
    let known = |change: fn(&mut Supplier)| {
        let mut known = party("1", "Fjord Kontor AS");
        change(&mut known);
        known
    };
    let seller = |name: &str, change: fn(&mut Vendor)| {
        let mut seller = vendor("V1", name);
        change(&mut seller);
        seller
    };
    let duns = known(|of| of.duns = Some("34-567-8901".into()));
    let gln = known(|of| of.gln = Some("7300010000001".into()));
    let by_duns = |name| seller(name, |of| of.duns = Some("345678901".into()));
    let by_gln = |name| seller(name, |of| of.gln = Some("7300010000001".into()));
    assert_eq!(outcome(vec![by_duns("Fjord Kontr AS")], vec![duns.clone()]).0, "1");
    assert_eq!(outcome(vec![by_gln("Kontor Fjord ASA")], vec![gln.clone()]).0, "1");
    // A daughter that carries the number of its group.
    for name in ["Hansen", "Fjord Kontor Vest AS", "Fjord Motor AS"] {
        assert_eq!(outcome(vec![by_duns(name)], vec![duns.clone()]).0, "unknown", "{name}");
        assert_eq!(outcome(vec![by_gln(name)], vec![gln.clone()]).0, "unknown", "{name}");
    }
    let both = seller("Hansen", |of| {
        of.duns = Some("345678901".into());
        of.other_names = vec!["Fjord Kontor".into()];
    });
    assert_eq!(outcome(vec![both], vec![duns]).0, "1", "another name of it");
}

#[test]
fn an_account_that_is_another_suppliers_is_told() {
    let seller = Vendor {
        organisation_number: Some("988077917".into()),
        bank_accounts: iban(ACCOUNT),
        ..vendor("V1", "Fjord Kontor AS")
    };
    let own =
        Supplier { organisation_number: Some("988077917".into()), ..party("1", "Fjord Kontor AS") };
    let other = Supplier { bank_accounts: iban(ACCOUNT), ..party("2", "Bank Factoring AS") };
    let (outcome, remarks) = outcome(vec![seller], vec![own, other]);
    assert_eq!(outcome, "1");
    let remark = "The vendor's IBAN NO9386011117947 is that of supplier 2 in Visma.";
    assert_eq!(remarks, [remark]);
}

#[test]
fn a_replaced_record_does_not_stop_the_one_in_use() {
    let seller =
        Vendor { organisation_number: Some("988077917".into()), ..vendor("V1", "Fjord AS") };
    let with = |number: &str, status: &str| Supplier {
        organisation_number: Some("988077917".into()),
        status: status.into(),
        ..party(number, "Fjord AS")
    };
    let two = |left: &str, right: &str| {
        outcome(vec![seller.clone()], vec![with("1", left), with("2", right)]).0
    };
    assert_eq!(two("Inactive", "Active"), "2");
    assert_eq!(two("Inactive", "OnHold"), "blocked");
    assert_eq!(two("OnHold", "Active"), "ambiguous");
    assert_eq!(two("Inactive", "Inactive"), "ambiguous");
}

#[test]
fn a_parent_suggests_and_never_decides() {
    let branch = Vendor { parent: Some("V0".into()), ..vendor("V1", "Avdeling Vest") };
    let head = Vendor { organisation_number: Some("988077917".into()), ..vendor("V0", "Fjord") };
    let known =
        Supplier { organisation_number: Some("988077917".into()), ..party("1", "Fjord AS") };
    let (fault, suggested) = outcome(vec![branch, head.clone()], vec![known.clone()]);
    assert_eq!(fault, "unknown");
    assert_eq!(suggested, ["1: it is its parent V0 (Fjord)"]);

    let branch = Vendor {
        parent: Some("V0".into()),
        organisation_number: Some("974760673".into()),
        ..vendor("V1", "Avdeling Vest")
    };
    let own = |parent: &str| Supplier {
        organisation_number: Some("974760673".into()),
        parent: Some(parent.into()),
        ..party("2", "Avdeling Vest")
    };
    let vendors = || vec![branch.clone(), head.clone()];
    assert_eq!(outcome(vendors(), vec![known.clone(), own("1")]), ("2".into(), vec![]));
    let remark = "The vendor belongs to V0 (Fjord), which is supplier 1; in Visma 2 belongs to 3.";
    assert_eq!(outcome(vendors(), vec![known, own("3")]), ("2".into(), vec![remark.into()]));
}

#[test]
fn a_number_alone_that_leads_to_a_stranger_is_told() {
    let seller = Vendor { erp_number: Some("1".into()), ..vendor("V1", "Hansen Transport AS") };
    let (found, remarks) = outcome(vec![seller], vec![party("1", "Fjord Kontor AS")]);
    assert_eq!(found, "1");
    let remark = "Only the supplier number says that Hansen Transport AS is 1 (Fjord Kontor AS).";
    assert_eq!(remarks, [remark]);
}

#[test]
fn a_number_of_another_business_unit_is_not_used() {
    let mut seller = vendor("V1", "Fjord Kontor AS");
    seller.erp_number_by_business_unit.insert("SE".into(), "70012".into());
    let named = VendorRef { erp_number: Some("70012 ".into()), ..VendorRef::default() };
    assert_eq!(erp_number(&named, Some(&seller), Some("SE")), Some("70012"));
    assert_eq!(erp_number(&named, Some(&seller), Some("NO")), None);
    assert_eq!(erp_number(&named, Some(&seller), None), Some("70012"));
    seller.erp_number = Some("70012".into());
    assert_eq!(erp_number(&named, Some(&seller), Some("NO")), Some("70012"));
    seller.erp_number = Some("50012".into());
    assert_eq!(erp_number(&named, Some(&seller), Some("NO")), Some("50012"));
    assert_eq!(erp_number(&named, None, Some("NO")), Some("70012"));
}

#[test]
fn a_suggestion_is_made_for_a_vendor_that_leads_nowhere_and_for_no_other() {
    let mut by_unit = vendor("V2", "Kun Sverige AB");
    by_unit.erp_number_by_business_unit.insert("SE".into(), "2".into());
    let vendors: BTreeMap<String, Vendor> = [
        vendor("V1", "Fjord Kontr AS"),
        by_unit,
        Vendor { erp_number: Some("1".into()), ..vendor("V3", "Fjord Kontor AS") },
        vendor("V4", "Ukjent AS"),
    ]
    .into_iter()
    .map(|of| (of.source_id.clone(), of))
    .collect();
    let suppliers: BTreeMap<String, Supplier> =
        [party("1", "Fjord Kontor AS"), party("2", "Sverige AB")]
            .into_iter()
            .map(|of| (of.number.clone(), of))
            .collect();
    let reference = ReferenceData { suppliers, ..ReferenceData::default() };
    let index = SupplierIndex::new(&reference);
    let tables = Tables::default();
    let by_id = |id: &str| VendorRef { source_id: Some(id.into()), ..VendorRef::default() };
    let not_in_the_master = VendorRef {
        erp_number: Some("70".into()),
        name: Some("Fjord Kontor A/S".into()),
        ..VendorRef::default()
    };
    let cases = [
        (by_id("V1"), None, Some("V1: 1")),
        (by_id("V2"), Some("SE"), None),
        (by_id("V2"), None, Some("V2: 2")),
        (by_id("V3"), None, None),
        (by_id("V4"), None, Some("V4: ")),
        (not_in_the_master, None, Some("70: 1")),
    ];
    for (named, unit, expected) in cases {
        let found = crate::mapping::suggest_supplier(
            &named,
            unit,
            Suppliers { tables: &tables, vendors: &vendors, reference: &reference, index: &index },
        );
        let shown = found.as_ref().map(|of| {
            let numbers: Vec<&str> = of.candidates.iter().map(|c| &*c.supplier).collect();
            format!("{}: {}", of.link_by.as_deref().unwrap_or_default(), numbers.join(" "))
        });
        assert_eq!(shown.as_deref(), expected, "{named:?}");
    }
}
