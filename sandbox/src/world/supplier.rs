//! Who sells to us: JAGGAER's vendor master and Visma's supplier of the same company.

use super::identifier;
use super::time;
use fastrand::Rng;
use std::collections::HashSet;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Country {
    No,
    Se,
    Dk,
    Fi,
    Is,
    De,
}

impl Country {
    pub const fn code(self) -> &'static str {
        match self {
            Self::No => "NO",
            Self::Se => "SE",
            Self::Dk => "DK",
            Self::Fi => "FI",
            Self::Is => "IS",
            Self::De => "DE",
        }
    }

    pub const fn currency(self) -> &'static str {
        match self {
            Self::No => "NOK",
            Self::Se => "SEK",
            Self::Dk => "DKK",
            Self::Fi | Self::De => "EUR",
            Self::Is => "ISK",
        }
    }

    const fn cities(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::No => &[("Bergen", "5003"), ("Oslo", "0155"), ("Tromsø", "9008")],
            Self::Se => &[("Göteborg", "411 04"), ("Malmö", "211 20"), ("Umeå", "903 26")],
            Self::Dk => &[("Aarhus", "8000"), ("København", "1050"), ("Ribe", "6760")],
            Self::Fi => &[("Hämeenlinna", "13100"), ("Helsinki", "00100"), ("Oulu", "90100")],
            Self::Is => &[("Reykjavík", "101"), ("Akureyri", "600")],
            Self::De => &[("Lübeck", "23552"), ("München", "80331")],
        }
    }
}

/// An account to be paid on, as somebody wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BankAccount {
    Iban(String),
    Bban(String),
    Bankgiro(String),
    Plusgiro(String),
}

/// A vendor as JAGGAER keeps it.
#[derive(Debug, Clone, PartialEq)]
pub struct Vendor {
    pub id: String,
    /// The ERP's number, where JAGGAER knows it. Stands on the vendor's documents too.
    pub number: Option<String>,
    pub name: String,
    pub country: Country,
    pub city: String,
    pub postal_code: String,
    /// As a person typed it: with spaces, dashes or none.
    pub organisation_number: Option<String>,
    pub vat_number: Option<String>,
    pub currency: &'static str,
    pub terms_days: u32,
    /// The first is the one to pay on.
    pub bank_accounts: Vec<BankAccount>,
    pub parent: Option<String>,
    pub active: bool,
    pub created_ms: i64,
    pub updated_ms: i64,
    /// The same company in Visma. `None`: Visma does not know it.
    pub visma: Option<VismaSupplier>,
}

impl Vendor {
    /// Whether documents of this vendor can be posted.
    pub fn is_payable(&self) -> bool {
        self.visma.as_ref().is_some_and(|supplier| {
            supplier.status == "Active" || supplier.status == "HoldPayments"
        })
    }

    /// Supplied from within Norway: VAT stands on the paper.
    pub fn is_domestic(&self) -> bool {
        self.country == Country::No
    }
}

/// A supplier as it stands in Visma before the first run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VismaSupplier {
    pub number: String,
    pub name: String,
    /// `Active`, `OnHold`, `HoldPayments`, `Inactive`.
    pub status: &'static str,
    pub corporate_id: Option<String>,
    pub vat_registration_id: Option<String>,
    /// `01` domestic, `03` abroad.
    pub vat_zone: &'static str,
    pub currency: &'static str,
    pub credit_terms: String,
    pub country: &'static str,
    pub bank_accounts: Vec<BankAccount>,
}

/// The vendors of a world, and which of them cannot be posted on.
#[derive(Debug, Clone)]
pub struct Vendors {
    pub all: Vec<Vendor>,
    /// Indices of those that Visma takes documents for.
    pub payable: Vec<usize>,
    /// Visma does not know these at all.
    pub unknown: Vec<usize>,
    /// Visma knows these and refuses documents for them.
    pub blocked: Vec<usize>,
}

const STEMS: &[&str] = &[
    "Fjord",
    "Åkerblom",
    "Østergård",
    "Nordlys",
    "Hämäläinen",
    "Skog",
    "Sjø",
    "Bjørk",
    "Lund",
    "Viken",
    "Kråkerøy",
    "Söder",
    "Vesterhav",
    "Järvi",
    "Hekla",
    "Elbe",
    "Fjell",
    "Grønn",
    "Blå",
    "Ytter",
];
const TRADES: &[&str] = &[
    "Kontor",
    "Bygg",
    "Elektro",
    "Renhold",
    "Data",
    "Transport",
    "Rør",
    "Kaffe",
    "Møbler",
    "Papir",
    "Energi",
    "Vakt",
    "Trykk",
    "Maskin",
    "Rådgivning",
];

/// Makes the vendors. `documents` says how many are worth having.
pub fn vendors(documents: usize, rng: &mut Rng) -> Vendors {
    let count = (documents / 12).clamp(14, 400);
    let mut taken = HashSet::new();
    let mut all = Vec::with_capacity(count + 6);
    for index in 0..count {
        let country = country(index, rng);
        all.push(vendor(index, country, rng, &mut taken));
    }
    let mut unknown = Vec::new();
    for _ in 0..2 {
        let index = all.len();
        let mut stranger = vendor(index, Country::No, rng, &mut taken);
        stranger.visma = None;
        unknown.push(index);
        all.push(stranger);
    }
    let mut blocked = Vec::new();
    for status in ["Inactive", "OnHold"] {
        let index = all.len();
        let mut vendor = vendor(index, Country::No, rng, &mut taken);
        if let Some(supplier) = &mut vendor.visma {
            supplier.status = status;
        }
        blocked.push(index);
        all.push(vendor);
    }
    let payable = (0..count).collect();
    Vendors { all, payable, unknown, blocked }
}

/// Mostly Norwegian, and one of each other country even in the smallest world.
fn country(index: usize, rng: &mut Rng) -> Country {
    match index {
        0..=3 => Country::No,
        4 => Country::Se,
        5 => Country::Dk,
        6 => Country::Fi,
        7 => Country::Is,
        8 => Country::De,
        _ => match rng.u32(0..100) {
            0..60 => Country::No,
            60..77 => Country::Se,
            77..88 => Country::Dk,
            88..95 => Country::Fi,
            95..97 => Country::Is,
            _ => Country::De,
        },
    }
}

fn vendor(index: usize, country: Country, rng: &mut Rng, taken: &mut HashSet<String>) -> Vendor {
    let organisation = loop {
        let number = identifier::organisation_number(country, rng);
        if taken.insert(format!("org {}{number}", country.code())) {
            break number;
        }
    };
    let vat = loop {
        let number = identifier::vat_number(country, &organisation, rng);
        if taken.insert(number.clone()) {
            break number;
        }
    };
    let name = name(index, country, rng);
    let terms_days = *rng.choice(&[14, 30, 30, 30, 45, 60]).expect("not empty");
    let visma_number = format!("{}", 50_000 + index);
    let hold_payments = index % 29 == 28;
    let visma = VismaSupplier {
        number: visma_number.clone(),
        name: if rng.u32(0..10) == 0 { name.to_uppercase() } else { name.clone() },
        status: if hold_payments { "HoldPayments" } else { "Active" },
        corporate_id: Some(spelled(&organisation, country, rng)),
        vat_registration_id: Some(vat.clone()),
        vat_zone: if country == Country::No { "01" } else { "03" },
        currency: country.currency(),
        credit_terms: terms_days.to_string(),
        country: country.code(),
        bank_accounts: Vec::new(),
    };
    // How JAGGAER can name it to the ERP: by number, by organisation number alone, by VAT
    // number alone. No check of a German or Icelandic number is relied on.
    let by_number = matches!(country, Country::De | Country::Is);
    let (number, organisation_number, vat_number) = match rng.u32(0..100) {
        72..86 if !by_number => (None, Some(spelled(&organisation, country, rng)), None),
        86..100 if !by_number => (None, None, Some(spelled(&vat, country, rng))),
        _ => (
            Some(visma_number),
            Some(spelled(&organisation, country, rng)),
            (rng.u32(0..4) > 0).then_some(vat),
        ),
    };
    let (city, postal_code) = *rng.choice(country.cities()).expect("not empty");
    let created_ms = time::millis(jiff::civil::date(2024, 2, 1)) + rng.i64(0..40_000_000_000);
    let parent = (index > 20 && index.is_multiple_of(17)).then(|| vendor_id(index - 1));
    Vendor {
        id: vendor_id(index),
        number,
        name,
        country,
        city: city.into(),
        postal_code: postal_code.into(),
        organisation_number,
        vat_number,
        currency: country.currency(),
        terms_days,
        bank_accounts: if rng.u32(0..3) > 0 {
            vec![BankAccount::Iban(iban(country, index))]
        } else {
            Vec::new()
        },
        parent,
        active: true,
        created_ms,
        updated_ms: created_ms + rng.i64(0..15_000_000_000),
        visma: Some(visma),
    }
}

fn vendor_id(index: usize) -> String {
    (1_003_837_000 + index * 7).to_string()
}

fn name(index: usize, country: Country, rng: &mut Rng) -> String {
    let stem = STEMS[index % STEMS.len()];
    let trade = rng.choice(TRADES).expect("not empty");
    let form = match country {
        Country::No => "AS",
        Country::Se => "AB",
        Country::Dk => "ApS",
        Country::Fi => "Oy",
        Country::Is => "ehf.",
        Country::De => "GmbH & Co. KG",
    };
    match index / STEMS.len() {
        0 => format!("{stem} {trade} {form}"),
        round => format!("{stem} {trade} {} {form}", round + 1),
    }
}

/// An identifier as people write it.
fn spelled(number: &str, country: Country, rng: &mut Rng) -> String {
    let style = rng.u32(0..3);
    let digits = number.chars().all(|c| c.is_ascii_digit());
    match (country, style) {
        (Country::No, 1) if digits => {
            format!("{} {} {}", &number[..3], &number[3..6], &number[6..])
        }
        (Country::No, 1) if number.ends_with("MVA") => {
            format!("NO {} {} {} MVA", &number[2..5], &number[5..8], &number[8..11])
        }
        (Country::No, 2) if number.ends_with("MVA") => number[2..].to_string(),
        (Country::Se | Country::Is, 1) if digits => {
            format!("{}-{}", &number[..6], &number[6..])
        }
        (Country::Dk, 1) if digits => {
            format!("{} {} {} {}", &number[..2], &number[2..4], &number[4..6], &number[6..])
        }
        (Country::No | Country::Se | Country::Dk | Country::Fi | Country::Is | Country::De, _) => {
            number.to_string()
        }
    }
}

/// Well-formed for its country, with the right check digits.
fn iban(country: Country, index: usize) -> String {
    let length = match country {
        Country::No => 11,
        Country::Dk | Country::Fi => 14,
        Country::Se => 20,
        Country::Is => 22,
        Country::De => 18,
    };
    let body = format!("{:0>length$}", 86_011_117_947_u64 + index as u64);
    let mut rest: u64 = 0;
    for c in body.chars().chain(country.code().chars()).chain("00".chars()) {
        let value = c.to_digit(36).map_or(0, u64::from);
        rest = (rest * if value > 9 { 100 } else { 10 } + value) % 97;
    }
    format!("{}{:02}{body}", country.code(), 98 - rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ibans_pass_mod_97() {
        for country in
            [Country::No, Country::Se, Country::Dk, Country::Fi, Country::Is, Country::De]
        {
            let iban = iban(country, 7);
            let rest = iban[4..].chars().chain(iban[..4].chars()).fold(0_u64, |rest, c| {
                let value = u64::from(c.to_digit(36).expect("alphanumeric"));
                (rest * if value > 9 { 100 } else { 10 } + value) % 97
            });
            assert_eq!(rest, 1, "{iban}");
        }
    }

    #[test]
    fn every_country_and_every_way_to_be_found() {
        let mut rng = Rng::with_seed(3);
        let vendors = vendors(1000, &mut rng);
        let numbered = vendors.all.iter().filter(|vendor| vendor.number.is_some()).count();
        let by_organisation = vendors
            .all
            .iter()
            .filter(|vendor| vendor.number.is_none() && vendor.organisation_number.is_some())
            .count();
        let by_vat = vendors
            .all
            .iter()
            .filter(|vendor| vendor.number.is_none() && vendor.organisation_number.is_none())
            .count();
        assert!(numbered > by_organisation && by_organisation > 0 && by_vat > 0);
        assert!(vendors.payable.iter().all(|&index| vendors.all[index].is_payable()));
        assert!(vendors.blocked.iter().all(|&index| !vendors.all[index].is_payable()));
        let ids: HashSet<_> = vendors.all.iter().map(|vendor| &vendor.id).collect();
        assert_eq!(ids.len(), vendors.all.len());
    }
}
