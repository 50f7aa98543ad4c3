//! A made-up company's suppliers and vendors, with the truth about which is which. Knows nothing of
//! how they are found: it writes names, numbers and accounts by rules of its own.

use fastrand::Rng;
use ml_connector::procurement::{BankAccount, BankAccountKind, PostalAddress, Supplier, Vendor};
use std::collections::{BTreeMap, BTreeSet};

pub struct VendorWorld {
    pub suppliers: BTreeMap<String, Supplier>,
    pub vendors: BTreeMap<String, Vendor>,
    /// By vendor id.
    pub truth: BTreeMap<String, Truth>,
}

pub struct Truth {
    /// What was done to the vendor.
    pub kind: &'static str,
    /// The supplier that it is. `None`: Visma does not have it.
    pub supplier: Option<String>,
}

#[derive(Clone)]
struct Company {
    country: &'static str,
    words: Vec<String>,
    form: &'static str,
    organisation: String,
    vat: String,
    duns: String,
    gln: String,
    account: (BankAccountKind, String),
    postal_code: String,
    city: &'static str,
}

const STARTS: &[&str] = &[
    "Ber", "Fjor", "Nor", "Sø", "Vest", "Ål", "Gran", "Hav", "Lun", "Mo", "Skog", "Tind", "Ulv",
    "Ær", "Østr", "Bjør", "Dal", "Eng", "Fjell", "Gul", "Hel", "Kal", "Kvern", "Lind", "Malm",
    "Näs", "Ör", "Rim", "Sand", "Torv",
];
const MIDDLES: &[&str] = &["", "ka", "li", "me", "no", "ra", "se", "ti", "ve", "dö", "å", "mar"];
const ENDS: &[&str] = &[
    "berg", "by", "dal", "fors", "gård", "holm", "lund", "mark", "nes", "sen", "stad", "strøm",
    "sund", "vik", "voll", "ås", "felt", "bro", "kil", "sta",
];
const TRADES: &[&str] = &[
    "Kontor",
    "Transport",
    "Bygg",
    "Elektro",
    "Renhold",
    "Regnskap",
    "Data",
    "Trykk",
    "Maskin",
    "Konsult",
    "Møbler",
    "Logistikk",
    "Service",
    "Energi",
    "Verktøy",
    "Emballasje",
];
const TAILS: &[&str] =
    &["", "", "", "Vest", "Øst", "Nord", "Norge", "Holding", "Gruppen", "Partner"];
const CITIES: &[(&str, &[(&str, &str)])] = &[
    ("NO", &[("5003", "Bergen"), ("0155", "Oslo"), ("7010", "Trondheim"), ("9008", "Tromsø")]),
    ("SE", &[("411 04", "Göteborg"), ("211 20", "Malmö")]),
    ("DK", &[("8000", "Aarhus"), ("1050", "København")]),
    ("FI", &[("00100", "Helsinki"), ("33100", "Tampere")]),
    ("DE", &[("23552", "Lübeck"), ("80331", "München")]),
];

impl VendorWorld {
    pub fn new(seed: u64, suppliers: usize, vendors: usize) -> Self {
        let mut rng = Rng::with_seed(seed);
        let mut taken = BTreeSet::new();
        let known: Vec<Company> = (0..suppliers).map(|_| company(&mut rng, &mut taken)).collect();
        let mut world =
            Self { suppliers: BTreeMap::new(), vendors: BTreeMap::new(), truth: BTreeMap::new() };
        for (at, of) in known.iter().enumerate() {
            let supplier = as_supplier(at, of, &mut rng);
            world.suppliers.insert(supplier.number.clone(), supplier);
        }
        // A bank that buys invoices: its account stands on a few suppliers of Visma's.
        let factor = account("NO", &mut rng);
        for at in [1, suppliers / 2] {
            if let Some(supplier) = world.suppliers.get_mut(&number(at)) {
                supplier.bank_accounts = vec![bank(&factor)];
            }
        }
        for at in 0..vendors {
            let index = rng.usize(0..suppliers);
            let kind = KINDS[at % KINDS.len()];
            let (mut vendor, supplier) =
                dressed(kind, index, &known, &world, &factor, &mut rng, &mut taken);
            vendor.source_id = format!("V{at:06}");
            world.truth.insert(vendor.source_id.clone(), Truth { kind, supplier });
            world.vendors.insert(vendor.source_id.clone(), vendor);
        }
        world
    }
}

pub const KINDS: &[&str] = &[
    "organisation number",
    "organisation number, name mistyped",
    "organisation number, renamed",
    "VAT number",
    "VAT number, words moved",
    "DUNS number, name mistyped",
    "GLN, words moved",
    "account, other spelling",
    "account, name mistyped",
    "mistyped organisation number",
    "name only",
    "name only, mistyped",
    "name only, words moved",
    "name only, other form",
    "name only, one word",
    "look-alike",
    "look-alike with its own number",
    "merged into a supplier",
    "daughter with the account of its sister",
    "daughter with a number and the account of its sister",
    "daughter with the DUNS number of its sister",
    "client of the factoring bank",
    "number of a supplier, identifiers of another",
    "stranger",
    "stranger with numbers",
];

/// A vendor of one kind around the company at `index`, and the supplier that it is.
fn dressed(
    kind: &str,
    index: usize,
    known: &[Company],
    world: &VendorWorld,
    factor: &(BankAccountKind, String),
    rng: &mut Rng,
    taken: &mut BTreeSet<String>,
) -> (Vendor, Option<String>) {
    let own = known[index].clone();
    let itself = Some(number(index));
    let plain = |of: &Company, name: String| Vendor {
        name,
        active: true,
        country: Some(of.country.into()),
        address: Some(PostalAddress {
            street: None,
            postal_code: Some(of.postal_code.clone()),
            city: Some(of.city.into()),
        }),
        ..Vendor::default()
    };
    // Identifiers only help if Visma has them too; that is the world's luck, not the finder's.
    match kind {
        "organisation number" => {
            let name = spelled(&own, rng);
            let organisation_number = Some(separated(&own.organisation, rng));
            (Vendor { organisation_number, ..plain(&own, name) }, itself)
        }
        "organisation number, name mistyped" => {
            let name = format!("{} {}", mistyped(&own.words.join(" "), rng), own.form);
            let organisation_number = Some(separated(&own.organisation, rng));
            (Vendor { organisation_number, ..plain(&own, name) }, itself)
        }
        "organisation number, renamed" => {
            let name = full(&company(rng, taken));
            let organisation_number = Some(own.organisation.clone());
            (Vendor { organisation_number, ..plain(&own, name) }, itself)
        }
        "VAT number" => {
            let name = spelled(&own, rng);
            (Vendor { vat_number: Some(own.vat.clone()), ..plain(&own, name) }, itself)
        }
        "VAT number, words moved" => {
            let name = moved(&own, rng);
            (Vendor { vat_number: Some(own.vat.clone()), ..plain(&own, name) }, itself)
        }
        "DUNS number, name mistyped" => {
            let name = format!("{} {}", mistyped(&own.words.join(" "), rng), own.form);
            (Vendor { duns: Some(own.duns.clone()), ..plain(&own, name) }, itself)
        }
        "GLN, words moved" => {
            let name = moved(&own, rng);
            (Vendor { gln: Some(own.gln.clone()), ..plain(&own, name) }, itself)
        }
        "account, other spelling" => {
            let name = spelled(&own, rng);
            (Vendor { bank_accounts: vec![bank(&own.account)], ..plain(&own, name) }, itself)
        }
        "account, name mistyped" => {
            let name = format!("{} {}", mistyped(&own.words.join(" "), rng), own.form);
            (Vendor { bank_accounts: vec![bank(&own.account)], ..plain(&own, name) }, itself)
        }
        "mistyped organisation number" => {
            let mut digits: Vec<u8> = own.organisation.bytes().collect();
            let at = rng.usize(1..digits.len() - 1);
            if digits[at].is_ascii_digit() {
                digits[at] = b'0' + (digits[at] - b'0' + rng.u8(1..10)) % 10;
            }
            let organisation_number = Some(String::from_utf8(digits).expect("digits"));
            (Vendor { organisation_number, ..plain(&own, full(&own)) }, itself)
        }
        "name only" => (plain(&own, spelled(&own, rng)), itself),
        "name only, mistyped" => {
            let name = format!("{} {}", mistyped(&own.words.join(" "), rng), own.form);
            (plain(&own, name), itself)
        }
        "name only, words moved" => (plain(&own, moved(&own, rng)), itself),
        "name only, other form" => {
            let form = if own.form == "ASA" { "AS" } else { "ASA" };
            (plain(&own, format!("{} {form}", own.words.join(" "))), itself)
        }
        "name only, one word" => {
            (plain(&own, format!("{} {}", own.words.concat(), own.form)), itself)
        }
        "look-alike" => {
            let name = format!(
                "{} {} {}",
                own.words.join(" "),
                rng.choice(&["Sør", "Invest", "2"]).unwrap(),
                own.form
            );
            (plain(&own, name), None)
        }
        "look-alike with its own number" => {
            let other = company(rng, taken);
            let organisation_number = Some(other.organisation.clone());
            let twin = Company { country: other.country, ..own.clone() };
            (Vendor { organisation_number, ..plain(&twin, full(&own)) }, None)
        }
        "merged into a supplier" => {
            let gone = company(rng, taken);
            let vendor = Vendor {
                organisation_number: Some(gone.organisation.clone()),
                bank_accounts: vec![bank(&own.account)],
                ..plain(&gone, full(&gone))
            };
            (vendor, None)
        }
        "daughter with the account of its sister" => {
            let name = format!("{} Eiendom {}", own.words.join(" "), own.form);
            (Vendor { bank_accounts: vec![bank(&own.account)], ..plain(&own, name) }, None)
        }
        "daughter with a number and the account of its sister" => {
            let daughter = company(rng, taken);
            let vendor = Vendor {
                organisation_number: Some(daughter.organisation.clone()),
                bank_accounts: vec![bank(&own.account)],
                ..plain(&daughter, format!("{} Eiendom {}", own.words.join(" "), own.form))
            };
            (vendor, None)
        }
        "daughter with the DUNS number of its sister" => {
            let name = format!("{} Eiendom {}", own.words.join(" "), own.form);
            (Vendor { duns: Some(own.duns.clone()), ..plain(&own, name) }, None)
        }
        "client of the factoring bank" => {
            let stranger = company(rng, taken);
            let name = full(&stranger);
            (Vendor { bank_accounts: vec![bank(factor)], ..plain(&stranger, name) }, None)
        }
        "number of a supplier, identifiers of another" => {
            let other = world.suppliers.get(&number(index)).expect("it was made");
            let stranger = company(rng, taken);
            let same_country = Company { country: own.country, ..stranger };
            let vendor = Vendor {
                erp_number: Some(other.number.clone()),
                organisation_number: Some(organisation(own.country, rng, taken)),
                ..plain(&same_country, full(&same_country))
            };
            // Where Visma has no number of it to compare, nothing speaks against the ERP number.
            let comparable = other.organisation_number.is_some() && own.country != "DE";
            (vendor, (!comparable).then(|| other.number.clone()))
        }
        "stranger" => {
            let stranger = company(rng, taken);
            (plain(&stranger, full(&stranger)), None)
        }
        "stranger with numbers" => {
            let stranger = company(rng, taken);
            let vendor = Vendor {
                organisation_number: Some(stranger.organisation.clone()),
                vat_number: Some(stranger.vat.clone()),
                bank_accounts: vec![bank(&stranger.account)],
                ..plain(&stranger, full(&stranger))
            };
            (vendor, None)
        }
        other => panic!("{other} is not made"),
    }
}

fn company(rng: &mut Rng, taken: &mut BTreeSet<String>) -> Company {
    let country = match rng.u32(0..100) {
        0..60 => "NO",
        60..78 => "SE",
        78..88 => "DK",
        88..95 => "FI",
        _ => "DE",
    };
    let form = match country {
        "NO" => *rng.choice(&["AS", "AS", "AS", "ASA", "ANS"]).unwrap(),
        "SE" => "AB",
        "DK" => *rng.choice(&["A/S", "ApS"]).unwrap(),
        "FI" => *rng.choice(&["Oy", "Oyj"]).unwrap(),
        _ => "GmbH",
    };
    let words = loop {
        let stem = format!(
            "{}{}{}",
            rng.choice(STARTS).unwrap(),
            rng.choice(MIDDLES).unwrap(),
            rng.choice(ENDS).unwrap()
        );
        let mut words = vec![stem, (*rng.choice(TRADES).unwrap()).to_owned()];
        words.extend(rng.choice(TAILS).filter(|tail| !tail.is_empty()).map(|t| (*t).to_owned()));
        // A register gives a name once.
        if taken.insert(format!("name {}", words.concat().to_lowercase())) || taken.len() > 900_000
        {
            break words;
        }
    };
    let organisation = organisation(country, rng, taken);
    let digits = organisation.replace(['-', ' '], "");
    let vat = match country {
        "NO" => format!("NO{digits}MVA"),
        "SE" => format!("SE{digits}01"),
        "DE" => format!("DE{}", rng.u32(100_000_000..999_999_999)),
        _ => format!("{country}{digits}"),
    };
    let gln = {
        let body = format!("70{:010}", rng.u64(1_000_000_000..9_999_999_999));
        let sum: u32 = body
            .bytes()
            .enumerate()
            .map(|(at, digit)| u32::from(digit - b'0') * if at % 2 == 0 { 1 } else { 3 })
            .sum();
        format!("{body}{}", (10 - sum % 10) % 10)
    };
    let cities = CITIES.iter().find(|(of, _)| *of == country).expect("listed").1;
    let (postal_code, city) = *rng.choice(cities).unwrap();
    Company {
        country,
        words,
        form,
        organisation,
        vat,
        duns: format!("{:09}", rng.u32(200_000_000..989_000_000)),
        gln,
        account: account(country, rng),
        postal_code: postal_code.into(),
        city,
    }
}

fn organisation(country: &str, rng: &mut Rng, taken: &mut BTreeSet<String>) -> String {
    loop {
        let made = match country {
            "NO" => eleven(rng.u32(80_000_000..99_999_999), &[3, 2, 7, 6, 5, 4, 3, 2]),
            "DK" => eleven(rng.u32(1_000_000..9_999_999), &[2, 7, 6, 5, 4, 3, 2]),
            "FI" => eleven(rng.u32(1_000_000..3_999_999), &[7, 9, 10, 5, 8, 4, 2])
                .map(|number| format!("{}-{}", &number[..7], &number[7..])),
            "SE" => {
                let body = format!("55{:07}", rng.u32(6_000_000..9_999_999));
                Some(format!("{body}{}", ten(&body)))
            }
            _ => Some(format!("HRB {}", rng.u32(10_000..9_999_999))),
        };
        if let Some(number) = made
            && taken.insert(format!("{country} {number}"))
        {
            return number;
        }
    }
}

/// With the check digit by which the weighted sum is divisible by eleven, if there is one.
fn eleven(body: u32, weights: &[u32]) -> Option<String> {
    let body = body.to_string();
    let sum: u32 = body.bytes().zip(weights).map(|(d, w)| u32::from(d - b'0') * w).sum();
    match (11 - sum % 11) % 11 {
        10 => None,
        check => Some(format!("{body}{check}")),
    }
}

fn ten(body: &str) -> u32 {
    let doubled = |(at, digit): (usize, u8)| {
        let digit = u32::from(digit - b'0') * if at % 2 == 0 { 2 } else { 1 };
        if digit > 9 { digit - 9 } else { digit }
    };
    (10 - body.bytes().rev().enumerate().map(doubled).sum::<u32>() % 10) % 10
}

fn account(country: &str, rng: &mut Rng) -> (BankAccountKind, String) {
    match country {
        "NO" => loop {
            if let Some(number) = kontonummer(rng.u64(1_000_000_000..9_999_999_999)) {
                return if rng.bool() {
                    (BankAccountKind::Bban, number)
                } else {
                    (BankAccountKind::Iban, iban("NO", &number))
                };
            }
        },
        "SE" => {
            let body = format!("{:07}", rng.u32(1_000_000..9_999_999));
            (BankAccountKind::Bankgiro, format!("{body}{}", ten(&body)))
        }
        "DE" => (BankAccountKind::Iban, iban("DE", &format!("{:018}", rng.u64(0..u64::MAX / 20)))),
        _ => (
            BankAccountKind::Iban,
            iban(country, &format!("{:014}", rng.u64(0..99_999_999_999_999))),
        ),
    }
}

fn kontonummer(body: u64) -> Option<String> {
    let body = body.to_string();
    let weights = [5, 4, 3, 2, 7, 6, 5, 4, 3, 2];
    let sum: u32 = body.bytes().zip(weights).map(|(d, w)| u32::from(d - b'0') * w).sum();
    match (11 - sum % 11) % 11 {
        10 => None,
        check => Some(format!("{body}{check}")),
    }
}

fn iban(country: &str, bban: &str) -> String {
    let rest = bban.chars().chain(country.chars()).chain("00".chars()).fold(0_u64, |rest, c| {
        let value = u64::from(c.to_digit(36).expect("alphanumeric"));
        (rest * if value > 9 { 100 } else { 10 } + value) % 97
    });
    format!("{country}{:02}{bban}", 98 - rest)
}

fn bank((kind, number): &(BankAccountKind, String)) -> BankAccount {
    BankAccount { kind: *kind, number: number.clone() }
}

fn number(at: usize) -> String {
    format!("{}", 50_000 + at)
}

/// A number as a person types it.
fn separated(number: &str, rng: &mut Rng) -> String {
    match rng.u32(0..3) {
        0 if number.len() == 9 && !number.contains('-') => {
            format!("{} {} {}", &number[..3], &number[3..6], &number[6..])
        }
        1 => format!(" {number}"),
        _ => number.to_owned(),
    }
}

/// As Visma keeps it: not everything is filled in.
fn as_supplier(at: usize, of: &Company, rng: &mut Rng) -> Supplier {
    let often = |rng: &mut Rng, percent: u32, text: &str| {
        (rng.u32(0..100) < percent).then(|| text.to_owned())
    };
    Supplier {
        number: number(at),
        name: spelled(of, rng),
        status: "Active".into(),
        organisation_number: often(rng, 80, &of.organisation),
        vat_number: often(rng, 60, &of.vat),
        country: Some(of.country.into()),
        duns: often(rng, 30, &of.duns),
        gln: often(rng, 30, &of.gln),
        address: Some(PostalAddress {
            street: None,
            postal_code: Some(of.postal_code.clone()),
            city: Some(of.city.into()),
        }),
        bank_accounts: if rng.u32(0..100) < 70 { vec![bank(&of.account)] } else { Vec::new() },
        ..Supplier::default()
    }
}

fn full(of: &Company) -> String {
    format!("{} {}", of.words.join(" "), of.form)
}

/// Case, legal form, letters of other keyboards.
fn spelled(of: &Company, rng: &mut Rng) -> String {
    match rng.u32(0..5) {
        0 => full(of).to_uppercase(),
        1 => of.words.join(" "),
        2 => full(of).replace('ø', "o").replace('å', "a").replace('Ø', "O"),
        3 => full(of).replace('å', "aa").replace('Å', "Aa").replace('ø', "oe").replace('æ', "ae"),
        _ => full(of),
    }
}

fn moved(of: &Company, rng: &mut Rng) -> String {
    let mut words = of.words.clone();
    let by = rng.usize(1..words.len().max(2));
    let len = words.len();
    words.rotate_left(by % len);
    format!("{}, {}", words.join(" "), of.form)
}

/// One letter dropped, doubled or swapped with its neighbour, inside the first word.
fn mistyped(text: &str, rng: &mut Rng) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    let first = letters.iter().position(|c| *c == ' ').unwrap_or(letters.len());
    let at = rng.usize(1..first.saturating_sub(1).max(2));
    match rng.u32(0..3) {
        0 => {
            letters.remove(at);
        }
        1 => letters.insert(at, letters[at]),
        _ => letters.swap(at, at + 1),
    }
    letters.into_iter().collect()
}
