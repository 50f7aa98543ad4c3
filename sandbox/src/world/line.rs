//! Lines: what is bought, how much of it, at what price, on whose account.

use super::document::{Line, Share, standard_vat};
use fastrand::Rng;
use jiff::civil::Date;
use rust_decimal::Decimal;

const GOODS: &[(&str, &str, &str)] = &[
    ("Kontorstol Ergo, høy rygg", "EA", "6540"),
    ("Kaffe, økologisk, kartong", "BX", "6860"),
    ("Kopipapir A4 80 g, 5-pakk", "BX", "6800"),
    ("Skrivebord, hev/senk 160×80", "EA", "6540"),
    ("Skruer M8×40, forsinket", "KGM", "4300"),
    ("Hansker, nitril, str. L", "BX", "4300"),
    ("Skärm 27\" QHD", "EA", "6540"),
    ("Rengjøringsmiddel, konsentrat", "KGM", "6800"),
];
const SERVICES: &[(&str, &str, &str)] = &[
    ("Renhold, ukentlig", "HUR", "6340"),
    ("Rådgivning, prosjektledelse", "HUR", "6705"),
    ("Leie av lift", "EA", "6300"),
    ("Reisekostnader, viderefakturert", "EA", "7140"),
    ("Annonse i fagblad", "EA", "7320"),
    ("Serviceavtale, kvartal", "EA", "6300"),
];
const COST_CENTERS: &[&str] = &["110", "120", "230", "310", "400"];
const PROJECTS: &[&str] = &["P-2031", "P-2044", "P-2050"];

/// What the lines of one document have in common.
pub struct Setting<'a> {
    pub currency: &'a str,
    pub domestic: bool,
    pub first_id: u64,
    pub requested_on: Option<Date>,
    /// One share for each line, a plain price: what a person would key in.
    pub simple: bool,
}

/// Mostly one to five, now and then up to two hundred.
pub fn count(rng: &mut Rng) -> usize {
    match rng.u32(0..1000) {
        0..860 => rng.usize(1..=5),
        860..975 => rng.usize(6..=25),
        975..995 => rng.usize(26..=80),
        _ => rng.usize(81..=200),
    }
}

/// Makes the lines of a document, priced out.
pub fn lines(count: usize, setting: &Setting<'_>, rng: &mut Rng) -> Vec<Line> {
    (0..count).map(|index| line(index, count, setting, rng)).collect()
}

fn line(index: usize, of: usize, setting: &Setting<'_>, rng: &mut Rng) -> Line {
    let service = rng.u32(0..10) < 3;
    let catalogue = if service { SERVICES } else { GOODS };
    let (description, unit, account) = *rng.choice(catalogue).expect("not empty");
    let (tax_code, rate) = tax(setting.domestic, rng);
    let (price, basis) = price(setting, rng);
    let mut line = Line {
        id: (setting.first_id + index as u64).to_string(),
        number: index as u32 + 1,
        cancelled: false,
        service,
        limit: false,
        contract: None,
        item: (rng.u32(0..10) < 7).then(|| format!("FK-{}", rng.u32(1000..9999))),
        description: if of > 5 {
            format!("{description}, pos. {}", index + 1)
        } else {
            description.into()
        },
        commodity: (rng.u32(0..10) < 6).then(|| format!("{}", rng.u32(44_000_000..57_000_000))),
        quantity: quantity(unit, basis, rng),
        unit: unit.into(),
        price,
        basis,
        net: Decimal::ZERO,
        tax_code: tax_code.into(),
        rate,
        shares: shares(account, setting, of, rng),
        requested_on: setting.requested_on,
        bills: None,
    };
    line.price_out(setting.currency);
    if line.net.is_zero() {
        line.quantity = Decimal::TEN;
        line.basis = Decimal::ONE;
        line.price += Decimal::ONE;
        line.price_out(setting.currency);
    }
    line
}

fn tax(domestic: bool, rng: &mut Rng) -> (&'static str, Decimal) {
    let (standard, rate) = standard_vat(domestic);
    match (domestic, rng.u32(0..100)) {
        (true, 0..78) | (false, 0..92) => (standard, rate),
        (true, 78..90) => ("NO-15", Decimal::from(15)),
        (true, 90..95) => ("NO-12", Decimal::from(12)),
        (true | false, _) => ("NO-0", Decimal::ZERO),
    }
}

fn price(setting: &Setting<'_>, rng: &mut Rng) -> (Decimal, Decimal) {
    if setting.currency == "ISK" {
        return (Decimal::from(rng.i64(200..250_000)), Decimal::ONE);
    }
    let whole = match rng.u32(0..10) {
        0..6 => rng.i64(15..1_500),
        6..9 => rng.i64(1_500..12_000),
        _ => rng.i64(12_000..90_000),
    };
    match rng.u32(0..20) {
        0..8 => (Decimal::from(whole), Decimal::ONE),
        8..17 => (Decimal::new(whole * 100 + rng.i64(1..100), 2), Decimal::ONE),
        17 if !setting.simple => {
            (Decimal::new(whole * 10_000 + rng.i64(1..10_000), 4), Decimal::ONE)
        }
        18 if !setting.simple => {
            (Decimal::new(whole * 100 + rng.i64(0..100), 2), Decimal::ONE_HUNDRED)
        }
        _ => (Decimal::new(whole * 10 + 5, 1), Decimal::ONE),
    }
}

fn quantity(unit: &str, basis: Decimal, rng: &mut Rng) -> Decimal {
    let quantity = match (unit, rng.u32(0..10)) {
        ("HUR", _) => Decimal::new(rng.i64(1..160) * 25, 2),
        ("KGM", 0..7) => Decimal::new(rng.i64(200..60_000), 3),
        (_, 0..5) => Decimal::from(rng.i64(1..4)),
        _ => Decimal::from(rng.i64(1..40)),
    };
    if basis > Decimal::ONE { quantity.ceil() * Decimal::TEN } else { quantity }
}

/// One share mostly, up to five, in parts that do not divide evenly.
fn shares(account: &str, setting: &Setting<'_>, of: usize, rng: &mut Rng) -> Vec<Share> {
    let count = if setting.simple || of > 30 {
        1
    } else {
        match rng.u32(0..20) {
            0..14 => 1,
            14..17 => 2,
            17..19 => 3,
            _ => rng.usize(4..=5),
        }
    };
    let mut left = Decimal::ONE_HUNDRED;
    let thirds = rng.u32(0..3) == 0;
    (0..count)
        .map(|index| {
            let percent = if index + 1 == count {
                left
            } else if thirds {
                (Decimal::ONE_HUNDRED / Decimal::from(count as u64)).trunc_with_scale(6)
            } else {
                let most = left - Decimal::from((count - index - 1) as u64);
                let most = i64::try_from(most.trunc()).unwrap_or(1).clamp(1, 70);
                Decimal::from(rng.i64(1..=most))
            };
            left -= percent;
            Share {
                percent,
                amount: Decimal::ZERO,
                account: account.into(),
                cost_center: COST_CENTERS
                    [(rng.usize(0..COST_CENTERS.len()) + index) % COST_CENTERS.len()]
                .into(),
                project: (rng.u32(0..4) == 0)
                    .then(|| (*rng.choice(PROJECTS).expect("not empty")).into()),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up_and_none_is_empty() {
        let mut rng = Rng::with_seed(5);
        let mut most = 0;
        for currency in ["NOK", "ISK", "EUR"] {
            let setting = Setting {
                currency,
                domestic: currency == "NOK",
                first_id: 1,
                requested_on: None,
                simple: false,
            };
            for line in (0..2000).flat_map(|_| lines(1, &setting, &mut rng)) {
                let sum: Decimal = line.shares.iter().map(|share| share.amount).sum();
                let percent: Decimal = line.shares.iter().map(|share| share.percent).sum();
                assert_eq!((sum, percent), (line.net, Decimal::ONE_HUNDRED), "{line:?}");
                assert!(line.net > Decimal::ZERO);
                assert!(line.shares.iter().all(|share| share.amount > Decimal::ZERO), "{line:?}");
                most = most.max(line.shares.len());
            }
        }
        assert_eq!(most, 5);
    }
}
