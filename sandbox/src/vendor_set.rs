//! Vendors against suppliers with the true pairs known: names with typing errors and moved words,
//! companies that merged, look-alikes, accounts that are shared.
//!
//! Everything is plain text, so that whoever links them can be measured without sharing a type.

use crate::world::supplier::Country;
use crate::world::{accounts, identifier};
use fastrand::Rng;
use std::collections::HashSet;

/// A vendor as the procurement system has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Party {
    /// The vendor's id, or the supplier's number.
    pub id: String,
    pub name: String,
    pub organisation_number: Option<String>,
    pub vat_number: Option<String>,
    pub duns: Option<String>,
    pub gln: Option<String>,
    /// Kind (`iban`, `bban`, `bankgiro`, `plusgiro`) and number.
    pub accounts: Vec<(String, String)>,
    pub street: Option<String>,
    pub postal_code: Option<String>,
    pub city: Option<String>,
    pub country: String,
    /// Of a vendor: the supplier's number, where it is known.
    pub erp_number: Option<String>,
}

/// What is known of a vendor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Likeness {
    /// Its number in the other system stands on it.
    Number,
    /// An identifier is the same, however it is written.
    Identifier,
    /// Only an account is the same.
    Account,
    /// Name and address are the same but for case and legal form; no identifier.
    Name,
    /// A typing error in the name; no identifier.
    Typo,
    /// The words of the name stand in another order; no identifier.
    MovedWords,
    /// It bought the supplier: the old identifier is gone, the name is both.
    Merged,
    /// There is a supplier with nearly this name, and it is another company.
    LookAlike,
    /// It is paid on a supplier's account (factoring), and is another company.
    SharedAccount,
    /// Its identifiers lead to two suppliers.
    Conflict,
    /// Not in the other system at all.
    Stranger,
}

impl Likeness {
    pub const ALL: [Self; 11] = [
        Self::Number,
        Self::Identifier,
        Self::Account,
        Self::Name,
        Self::Typo,
        Self::MovedWords,
        Self::Merged,
        Self::LookAlike,
        Self::SharedAccount,
        Self::Conflict,
        Self::Stranger,
    ];

    /// Whether a link may be made without a person: something that identifies says so, and
    /// nothing contradicts it.
    pub const fn may_link(self) -> bool {
        matches!(self, Self::Number | Self::Identifier | Self::Account)
    }
}

/// A vendor with the supplier that it truly is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelledVendor {
    pub vendor: Party,
    pub likeness: Likeness,
    /// The supplier's number. `None`: there is none, or nobody can tell.
    pub truth: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VendorSet {
    pub suppliers: Vec<Party>,
    pub vendors: Vec<LabelledVendor>,
}

const FIRST: &[&str] = &[
    "Åkerblom",
    "Bjørnstad",
    "Dalsgaard",
    "Eriksen",
    "Fossum",
    "Grønvold",
    "Hämäläinen",
    "Jørgensen",
    "Kråkerøy",
    "Lindqvist",
    "Mäkinen",
    "Nygård",
    "Østergaard",
    "Pettersson",
    "Rødland",
    "Söderström",
    "Thorvaldsson",
    "Ulvund",
    "Vestergård",
    "Ødegård",
];
const SECOND: &[&str] = &[
    "Elektro",
    "Byggevarer",
    "Transport",
    "Kontor",
    "Maskin",
    "Renhold",
    "Papir",
    "Energi",
    "Data",
    "Møbler",
    "Trykkeri",
    "Rørservice",
    "Emballasje",
    "Verktøy",
    "Konsult",
];
const THIRD: &[&str] =
    &["Nord", "Bergen", "Vest", "Norden", "Invest", "Gruppen", "Sør", "Malmö", "Aarhus", "Partner"];
const STREETS: &[&str] = &["Havnegata", "Storgatan", "Industriveien", "Nørregade", "Kauppakatu"];

/// So many vendors, and ten times as many suppliers. The same seed gives the same set.
pub fn vendor_set(seed: u64, size: usize) -> VendorSet {
    let mut maker = Maker { rng: Rng::with_seed(seed ^ 0x7665_6e64), taken: HashSet::new() };
    let mut suppliers: Vec<Party> = (0..size * 10).map(|at| maker.supplier(at)).collect();
    let mut vendors = Vec::with_capacity(size);
    for at in 0..size {
        let likeness = Likeness::ALL[at % Likeness::ALL.len()];
        // Every supplier is drawn from a stretch of its own, so that no two vendors share one.
        let own = at * 10 + maker.rng.usize(0..5);
        let other = at * 10 + 5 + maker.rng.usize(0..5);
        let labelled = maker.vendor(at, likeness, (own, other), &mut suppliers);
        vendors.push(labelled);
    }
    maker.rng.shuffle(&mut vendors);
    maker.rng.shuffle(&mut suppliers);
    VendorSet { suppliers, vendors }
}

struct Maker {
    rng: Rng,
    /// Names and identifiers that stand on a party.
    taken: HashSet<String>,
}

impl Maker {
    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        self.rng.choice(from).copied().unwrap_or_default()
    }

    /// A name that no other party has, without its legal form. A number tells namesakes apart.
    fn name(&mut self) -> String {
        loop {
            let words = [self.pick(FIRST), self.pick(SECOND), self.pick(THIRD)];
            let name = match self.rng.u32(0..4) {
                0 => format!("{} {}", words[0], words[1]),
                1 => format!("{} & {} {}", words[0], self.pick(FIRST), words[1]),
                _ => words.join(" "),
            };
            let name = if self.rng.u32(0..3) == 0 { name } else { self.numbered(&name) };
            if self.taken.insert(name.to_lowercase()) {
                return name;
            }
        }
    }

    /// Towns and years stand in many names, and keep them apart in a large set.
    fn numbered(&mut self, name: &str) -> String {
        format!("{name} {}{}", syllable(&mut self.rng), syllable(&mut self.rng))
    }

    fn organisation(&mut self, country: Country) -> String {
        loop {
            let number = identifier::organisation_number(country, &mut self.rng);
            if self.taken.insert(format!("{}{number}", country.code())) {
                return number;
            }
        }
    }

    fn supplier(&mut self, at: usize) -> Party {
        let country = match self.rng.u32(0..10) {
            0..5 => Country::No,
            5..7 => Country::Se,
            7 => Country::Dk,
            8 => Country::Fi,
            _ => Country::Is,
        };
        let organisation = self.organisation(country);
        let vat = identifier::vat_number(country, &organisation, &mut self.rng);
        let name = self.name();
        let account = accounts::account(country, &mut self.rng);
        let street = format!("{} {}", self.pick(STREETS), self.rng.u32(1..180));
        let numbered = self.rng.u32(0..4) == 0;
        Party {
            id: (100_000 + at).to_string(),
            name: format!("{name} {}", legal_form(country)),
            organisation_number: Some(organisation),
            vat_number: (country != Country::Is).then_some(vat),
            duns: None,
            gln: numbered.then(|| gln(&mut self.rng)),
            accounts: vec![accounts::plain(&account)],
            street: Some(street),
            postal_code: Some(self.rng.u32(1_000..9_999).to_string()),
            city: Some(self.pick(THIRD).into()),
            country: country.code().into(),
            erp_number: None,
        }
    }

    /// A vendor that tells nothing but its name and where it is.
    fn bare(&self, at: usize, of: &Party) -> Party {
        Party {
            id: format!("V{:06}", 1 + at),
            name: of.name.clone(),
            street: of.street.clone(),
            postal_code: of.postal_code.clone(),
            city: of.city.clone(),
            country: of.country.clone(),
            ..Party::default()
        }
    }

    fn vendor(
        &mut self,
        at: usize,
        likeness: Likeness,
        (own, other): (usize, usize),
        suppliers: &mut [Party],
    ) -> LabelledVendor {
        let supplier = suppliers[own].clone();
        let mut vendor = self.bare(at, &supplier);
        let truth = match likeness {
            Likeness::Number => {
                vendor.erp_number = Some(supplier.id.clone());
                Some(supplier.id)
            }
            Likeness::Identifier => {
                match (self.rng.u32(0..3), &supplier.vat_number, &supplier.gln) {
                    (0, Some(vat), _) => vendor.vat_number = Some(vat.clone()),
                    (1, _, Some(gln)) => vendor.gln = Some(gln.clone()),
                    _ => vendor.organisation_number = self.spelled(&supplier),
                }
                vendor.name = self.typo(&supplier.name);
                Some(supplier.id)
            }
            Likeness::Account => {
                vendor.accounts.clone_from(&supplier.accounts);
                Some(supplier.id)
            }
            Likeness::Name => {
                vendor.name = without_form(&supplier.name).to_uppercase();
                Some(supplier.id)
            }
            Likeness::Typo => {
                vendor.name = self.typo(&supplier.name);
                Some(supplier.id)
            }
            Likeness::MovedWords => {
                let mut words: Vec<&str> = without_form(&supplier.name).split(' ').collect();
                words.rotate_left(1);
                vendor.name = words.join(" ");
                Some(supplier.id)
            }
            Likeness::Merged => {
                let bought = without_form(&suppliers[other].name);
                vendor.name = format!("{} {bought}", without_form(&supplier.name));
                let country = country_of(&supplier);
                vendor.organisation_number = Some(self.organisation(country));
                None
            }
            Likeness::LookAlike => {
                vendor.name = self.typo(&supplier.name);
                vendor.organisation_number = Some(self.organisation(country_of(&supplier)));
                vendor.street = Some(format!("{} {}", self.pick(STREETS), self.rng.u32(200..400)));
                vendor.postal_code = Some(self.rng.u32(1_000..9_999).to_string());
                None
            }
            Likeness::SharedAccount => {
                vendor.name = self.name();
                vendor.organisation_number = Some(self.organisation(country_of(&supplier)));
                vendor.accounts.clone_from(&supplier.accounts);
                vendor.street = None;
                vendor.postal_code = None;
                None
            }
            Likeness::Conflict => {
                // Numbers of two companies of one country, or none could say that they differ.
                let stranger = self.organisation(country_of(&supplier));
                suppliers[other].country.clone_from(&supplier.country);
                suppliers[other].organisation_number = Some(stranger.clone());
                suppliers[other].vat_number = None;
                vendor.erp_number = Some(supplier.id);
                vendor.organisation_number = Some(stranger);
                None
            }
            Likeness::Stranger => {
                vendor.name = self.name();
                vendor.organisation_number = Some(self.organisation(country_of(&supplier)));
                vendor.street = None;
                vendor.postal_code = None;
                None
            }
        };
        LabelledVendor { vendor, likeness, truth }
    }

    /// The organisation number as a person types it.
    fn spelled(&mut self, of: &Party) -> Option<String> {
        let number = of.organisation_number.as_deref()?;
        Some(match (of.country.as_str(), self.rng.bool()) {
            ("NO", true) => format!("{} {} {}", &number[..3], &number[3..6], &number[6..]),
            ("SE" | "IS", true) => format!("{}-{}", &number[..6], &number[6..]),
            _ => number.to_owned(),
        })
    }

    /// One letter too few, too many, another, or two that changed places.
    fn typo(&mut self, name: &str) -> String {
        let mut letters: Vec<char> = name.chars().collect();
        let at = self.rng.usize(1..4);
        match self.rng.u32(0..4) {
            0 => drop(letters.remove(at)),
            1 => letters.insert(at, letters[at]),
            2 => letters[at] = if letters[at] == 'e' { 'a' } else { 'e' },
            _ if letters[at] != letters[at + 1] => letters.swap(at, at + 1),
            _ => drop(letters.remove(at)),
        }
        letters.into_iter().collect()
    }
}

fn syllable(rng: &mut Rng) -> String {
    const HEADS: &[&str] = &["B", "Dr", "F", "Gr", "H", "K", "L", "M", "N", "R", "S", "Tr", "V"];
    const TAILS: &[&str] = &["and", "erk", "il", "osk", "un", "ar", "evd", "imm", "olt", "ys"];
    let (head, tail) = (rng.choice(HEADS), rng.choice(TAILS));
    let head = head.copied().unwrap_or_default();
    format!("{head}{}", tail.copied().unwrap_or_default())
}

fn country_of(party: &Party) -> Country {
    match party.country.as_str() {
        "SE" => Country::Se,
        "DK" => Country::Dk,
        "FI" => Country::Fi,
        "IS" => Country::Is,
        _ => Country::No,
    }
}

fn legal_form(country: Country) -> &'static str {
    match country {
        Country::No => "AS",
        Country::Se => "AB",
        Country::Dk => "ApS",
        Country::Fi => "Oy",
        Country::Is => "hf.",
        Country::De => "GmbH",
    }
}

fn without_form(name: &str) -> &str {
    name.rsplit_once(' ').map_or(name, |(name, _)| name)
}

/// Thirteen digits; the last by GS1's mod 10, weights 3 and 1 from the right.
fn gln(rng: &mut Rng) -> String {
    let body = format!("70{:010}", rng.u64(0..10_000_000_000));
    let check = gln_check(&body);
    format!("{body}{check}")
}

fn gln_check(body: &str) -> u32 {
    let sum: u32 = body
        .bytes()
        .rev()
        .enumerate()
        .map(|(at, byte)| u32::from(byte - b'0') * if at % 2 == 0 { 3 } else { 1 })
        .sum();
    (10 - sum % 10) % 10
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn the_same_seed_gives_the_same_set_of_the_size_asked() {
        let set = vendor_set(3, 220);
        assert_eq!(set, vendor_set(3, 220));
        assert_ne!(set, vendor_set(4, 220));
        assert_eq!((set.vendors.len(), set.suppliers.len()), (220, 2_200));
        let mut counts: BTreeMap<Likeness, usize> = BTreeMap::new();
        for vendor in &set.vendors {
            *counts.entry(vendor.likeness).or_default() += 1;
        }
        assert_eq!(counts.into_values().collect::<Vec<_>>(), [20; 11]);
    }

    #[test]
    fn check_digit_of_a_published_gln() {
        assert_eq!(gln_check("730001000000"), 1);
    }

    /// What the labels say holds by the texts alone.
    #[test]
    fn labels_are_true() {
        let set = vendor_set(7, 550);
        let by_id: BTreeMap<&str, &Party> =
            set.suppliers.iter().map(|supplier| (supplier.id.as_str(), supplier)).collect();
        let bare = |number: &str| number.replace([' ', '-'], "");
        let owners = |number: &Option<String>| -> Vec<&str> {
            let Some(number) = number.as_deref().map(bare) else { return Vec::new() };
            let has = |party: &&Party| {
                party.organisation_number.as_deref().map(bare).as_deref() == Some(&number)
            };
            set.suppliers.iter().filter(has).map(|party| party.id.as_str()).collect()
        };
        for LabelledVendor { vendor, likeness, truth } in &set.vendors {
            let supplier = truth.as_deref().map(|id| by_id[id]);
            let organisation = owners(&vendor.organisation_number);
            match likeness {
                Likeness::Number => assert_eq!(vendor.erp_number, *truth),
                Likeness::Identifier => {
                    let supplier = supplier.expect("it is one");
                    let same = organisation == [supplier.id.as_str()]
                        || vendor.vat_number.is_some() && vendor.vat_number == supplier.vat_number
                        || vendor.gln.is_some() && vendor.gln == supplier.gln;
                    assert!(same, "{vendor:?} {supplier:?}");
                }
                Likeness::Account => {
                    assert_eq!(supplier.map(|supplier| &supplier.accounts), Some(&vendor.accounts));
                }
                Likeness::Name | Likeness::Typo | Likeness::MovedWords => {
                    assert!(vendor.organisation_number.is_none() && vendor.accounts.is_empty());
                    assert!(supplier.is_some_and(|supplier| supplier.name != vendor.name));
                }
                Likeness::Conflict => {
                    assert_eq!(organisation.len(), 1, "{vendor:?}");
                    assert_ne!(vendor.erp_number.as_deref(), organisation.first().copied());
                }
                Likeness::Merged
                | Likeness::LookAlike
                | Likeness::SharedAccount
                | Likeness::Stranger => {
                    assert!(organisation.is_empty() && truth.is_none(), "{vendor:?}");
                }
            }
        }
    }

    #[test]
    fn nobody_shares_a_name_or_a_number() {
        let set = vendor_set(1, 500);
        let names: HashSet<&str> = set.suppliers.iter().map(|party| party.name.as_str()).collect();
        let numbers: HashSet<_> =
            set.suppliers.iter().map(|party| &party.organisation_number).collect();
        assert_eq!((names.len(), numbers.len()), (5_000, 5_000));
    }
}
