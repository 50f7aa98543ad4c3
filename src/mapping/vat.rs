//! VAT: the category of a line, and the VAT that the ERP will compute from the categories. The
//! ERP sums per VAT id, so a document must be computed the same way before it is sent.

use super::nearest::{self, near};
use super::{Mapped, Tables};
use crate::procurement::{Currency, Money, ReferenceData, TaxLine, Vat, VatCategory};
use jiff::civil::Date;
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};

/// Why a line has no VAT category, or its VAT cannot be computed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum VatFault {
    /// No tax is stated and the mapping has no default.
    Missing,
    /// Several taxes that lead to different categories.
    Several {
        codes: Vec<String>,
    },
    NotMapped {
        code: String,
    },
    CategoryUnknown {
        category: String,
        /// What could be meant, as people read it.
        near: Vec<String>,
    },
    CategoryInactive {
        category: String,
        name: String,
    },
    ZoneUnmatched {
        category: String,
        zone: Option<String>,
    },
    RateMissing {
        vat: String,
        on: Date,
    },
    /// A kind of VAT whose computation is not known here.
    KindUnsupported {
        vat: String,
        kind: String,
    },
    TooLarge,
}

/// The category of a line by the taxes it states; when it states none, by the document's only
/// tax, else by the mapping's default.
pub fn category(
    line: &[TaxLine],
    document: &[TaxLine],
    tables: &Tables,
    reference: &ReferenceData,
) -> Result<String, VatFault> {
    let codes = stated(line, document);
    if codes.is_empty() {
        return match tables.vat.map(None) {
            Mapped::To(category) => checked_category(category, reference),
            Mapped::Absent | Mapped::NotMapped(_) => Err(VatFault::Missing),
        };
    }
    let mut categories = BTreeSet::new();
    for code in &codes {
        match tables.vat.map(Some(code)) {
            Mapped::To(category) => {
                categories.insert(category);
            }
            Mapped::Absent | Mapped::NotMapped(_) => {
                return Err(VatFault::NotMapped { code: code.clone() });
            }
        }
    }
    let mut settled = categories.into_iter();
    match (settled.next(), settled.next()) {
        (Some(category), None) => checked_category(category, reference),
        _ => Err(VatFault::Several { codes: codes.iter().cloned().collect() }),
    }
}

/// The taxes that count for a line: those it states; when it states none, the document's only one.
pub fn stated(line: &[TaxLine], document: &[TaxLine]) -> BTreeSet<String> {
    let codes: BTreeSet<String> = line.iter().filter_map(code).collect();
    if !codes.is_empty() {
        return codes;
    }
    let of_document: BTreeSet<String> = document.iter().filter_map(code).collect();
    if of_document.len() == 1 { of_document } else { codes }
}

/// The key of a tax in the mapping table: its code, or `rate:25` when it has none.
pub(super) fn code(tax: &TaxLine) -> Option<String> {
    match tax.code.as_deref().map(str::trim).filter(|code| !code.is_empty()) {
        Some(code) => Some(code.to_owned()),
        None => tax.rate.map(|rate| format!("rate:{}", rate.normalize())),
    }
}

/// The category, when the ERP has it and it is active.
pub fn checked_category(category: &str, reference: &ReferenceData) -> Result<String, VatFault> {
    match reference.vat_categories.get(category) {
        None => Err(VatFault::CategoryUnknown {
            category: category.into(),
            near: near(category, nearest::vat_categories(reference)),
        }),
        Some(known) if !known.active => Err(VatFault::CategoryInactive {
            category: category.into(),
            name: known.description.clone(),
        }),
        Some(_) => Ok(category.to_owned()),
    }
}

/// Where VAT is rounded to the minor unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rounding {
    PerVatId,
    PerLine,
}

/// The VAT of a document as the ERP will compute it.
pub fn compute(
    lines: &[(&str, Money)],
    zone: Option<&str>,
    on: Date,
    rounding: Rounding,
    currency: Currency,
    reference: &ReferenceData,
) -> Result<Money, BTreeSet<VatFault>> {
    let mut faults = BTreeSet::new();
    let mut rates: BTreeMap<&str, Vec<(&str, Decimal)>> = BTreeMap::new();
    for (category, _) in lines {
        if rates.contains_key(category) {
            continue;
        }
        match rates_of(category, zone, on, reference) {
            Ok(of_category) => {
                rates.insert(category, of_category);
            }
            Err(fault) => {
                faults.insert(fault);
            }
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let too_large = || BTreeSet::from([VatFault::TooLarge]);
    let vat_of = |base: Money, rate: Decimal| -> Option<Money> {
        let exact = base.amount().checked_mul(rate)?.checked_div(Decimal::ONE_HUNDRED)?;
        Money::rounded(exact, currency).ok()
    };
    let mut total = Money::zero(currency);
    let mut bases: BTreeMap<&str, (Decimal, Money)> = BTreeMap::new();
    for (category, cost) in lines {
        for (vat, rate) in rates.get(category).into_iter().flatten() {
            match rounding {
                Rounding::PerLine => {
                    let vat = vat_of(*cost, *rate).ok_or_else(too_large)?;
                    total = total.checked_add(vat).map_err(|_| too_large())?;
                }
                Rounding::PerVatId => {
                    let (_, base) = bases.entry(vat).or_insert((*rate, Money::zero(currency)));
                    *base = base.checked_add(*cost).map_err(|_| too_large())?;
                }
            }
        }
    }
    for (rate, base) in bases.into_values() {
        let vat = vat_of(base, rate).ok_or_else(too_large)?;
        total = total.checked_add(vat).map_err(|_| too_large())?;
    }
    Ok(total)
}

/// The VAT ids that apply, each with the percentage it adds to the document.
pub fn rates_of<'a>(
    category: &str,
    zone: Option<&str>,
    on: Date,
    reference: &'a ReferenceData,
) -> Result<Vec<(&'a str, Decimal)>, VatFault> {
    let known = reference
        .vat_categories
        .get(category)
        .ok_or_else(|| VatFault::CategoryUnknown { category: category.into(), near: Vec::new() })?;
    let mut applies = false;
    let mut rates = Vec::new();
    for (id, vat) in &reference.vats {
        if !belongs(id, known) || !in_zone(vat, zone) {
            continue;
        }
        applies = true;
        rates.push((id.as_str(), added_rate(vat, on)?));
    }
    if !applies {
        return Err(VatFault::ZoneUnmatched {
            category: category.into(),
            zone: zone.map(str::to_owned),
        });
    }
    Ok(rates)
}

/// Whether the buyer owes the tax of a category in a zone, so that no supplier may charge it.
pub fn is_reverse_charge(category: &str, zone: Option<&str>, reference: &ReferenceData) -> bool {
    let Some(known) = reference.vat_categories.get(category) else { return false };
    let mut applying =
        reference.vats.iter().filter(|(id, vat)| belongs(id, known) && in_zone(vat, zone));
    applying.any(|(_, vat)| vat.kind == "ReverseVat")
}

fn belongs(id: &str, category: &VatCategory) -> bool {
    let listed = category.vat_ids.iter().any(|listed| listed == id);
    listed != category.excludes_listed
}

/// A VAT id without zones: the ERP did not say, and it applies everywhere.
fn in_zone(vat: &Vat, zone: Option<&str>) -> bool {
    vat.zones.is_empty() || zone.is_some_and(|zone| vat.zones.iter().any(|of| of == zone))
}

fn added_rate(vat: &Vat, on: Date) -> Result<Decimal, VatFault> {
    let unsupported =
        |kind: &str| VatFault::KindUnsupported { vat: vat.id.clone(), kind: kind.to_owned() };
    match vat.kind.as_str() {
        // Booked on both sides or not at all: nothing is owed to the supplier.
        "ReverseVat" | "ExemptVat" | "StatisticalVat" => return Ok(Decimal::ZERO),
        "Vat" => {}
        other => return Err(unsupported(other)),
    }
    match vat.calculate_on.as_deref() {
        None | Some("ItemAmount" | "DocumentAmount") => {}
        Some(other) => return Err(unsupported(other)),
    }
    vat.rates
        .iter()
        .filter(|rate| rate.input && rate.from.is_none_or(|from| from <= on))
        .max_by_key(|rate| rate.from)
        .map(|rate| rate.rate)
        .ok_or_else(|| VatFault::RateMissing { vat: vat.id.clone(), on })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::procurement::VatRate;
    use jiff::civil::date;

    fn reference() -> ReferenceData {
        let vat = |id: &str, kind: &str, zones: &[&str], rates: &[(Option<Date>, i64, bool)]| Vat {
            id: id.into(),
            kind: kind.into(),
            zones: zones.iter().map(|zone| (*zone).to_owned()).collect(),
            rates: rates
                .iter()
                .map(|(from, rate, input)| VatRate {
                    from: *from,
                    rate: Decimal::from(*rate),
                    input: *input,
                })
                .collect(),
            ..Vat::default()
        };
        let category = |id: &str, active, excludes_listed, vat_ids: &[&str]| VatCategory {
            id: id.into(),
            description: format!("Category {id}"),
            active,
            excludes_listed,
            vat_ids: vat_ids.iter().map(|id| (*id).to_owned()).collect(),
        };
        ReferenceData {
            vats: [
                vat(
                    "1",
                    "Vat",
                    &["01"],
                    &[
                        (None, 24, true),
                        (Some(date(2020, 1, 1)), 25, true),
                        (Some(date(2021, 1, 1)), 99, false),
                        (Some(date(2030, 1, 1)), 30, true),
                    ],
                ),
                vat("86", "ReverseVat", &["03"], &[(None, 25, true)]),
                vat("0", "ExemptVat", &[], &[]),
                vat("W", "Withholding", &["09"], &[(None, 5, true)]),
                vat("O", "Vat", &["08"], &[(None, 25, false)]),
            ]
            .into_iter()
            .map(|vat| (vat.id.clone(), vat))
            .collect(),
            vat_categories: [
                category("K25", true, false, &["1", "86", "W", "O"]),
                category("K0", true, false, &["0"]),
                category("KX", false, false, &["1"]),
                category("NOT0", true, true, &["0", "86", "W", "O"]),
            ]
            .into_iter()
            .map(|category| (category.id.clone(), category))
            .collect(),
            ..ReferenceData::default()
        }
    }

    fn nok(minor: i64) -> Money {
        Money::new(minor, Currency::NOK)
    }

    fn vat(
        lines: &[(&str, i64)],
        zone: Option<&str>,
        on: Date,
        rounding: Rounding,
    ) -> Result<i64, BTreeSet<VatFault>> {
        let lines: Vec<(&str, Money)> = lines.iter().map(|(c, minor)| (*c, nok(*minor))).collect();
        compute(&lines, zone, on, rounding, Currency::NOK, &reference()).map(|vat| vat.minor)
    }

    #[test]
    fn vat_is_what_the_erp_will_compute() {
        let on = date(2026, 10, 1);
        let home = Some("01");
        let per_id = Rounding::PerVatId;
        let cases = [
            (vec![("K25", 10_000)], home, on, per_id, 2_500),
            // 0.02 + 0.02 = 0.04, of which 25 % is 0.01; on each line 0.005 goes up to 0.01.
            (vec![("K25", 2), ("K25", 2)], home, on, per_id, 1),
            (vec![("K25", 2), ("K25", 2)], home, on, Rounding::PerLine, 2),
            (vec![("K25", -2)], home, on, per_id, -1),
            (vec![("K25", 10_000), ("K0", 10_000)], home, on, per_id, 2_500),
            // The same VAT id under two categories has one base.
            (vec![("K25", 2), ("NOT0", 2)], home, on, per_id, 1),
            (vec![("K25", 10_000), ("NOT0", 10_000)], home, on, per_id, 5_000),
            (vec![("K25", 10_000)], Some("03"), on, per_id, 0),
            (vec![("K25", 10_000)], home, date(2019, 12, 31), per_id, 2_400),
            (vec![("K0", 10_000)], None, on, per_id, 0),
            (vec![], home, on, per_id, 0),
        ];
        for (lines, zone, on, rounding, expected) in cases {
            assert_eq!(vat(&lines, zone, on, rounding), Ok(expected), "{lines:?} {zone:?} {on}");
        }
    }

    #[test]
    fn what_cannot_be_computed() {
        let on = date(2026, 10, 1);
        let unmatched = |zone: Option<&str>| VatFault::ZoneUnmatched {
            category: "K25".into(),
            zone: zone.map(str::to_owned),
        };
        let cases = [
            (Some("02"), unmatched(Some("02"))),
            (None, unmatched(None)),
            (Some("09"), VatFault::KindUnsupported { vat: "W".into(), kind: "Withholding".into() }),
            (Some("08"), VatFault::RateMissing { vat: "O".into(), on }),
        ];
        for (zone, fault) in cases {
            assert_eq!(
                vat(&[("K25", 100)], zone, on, Rounding::PerVatId),
                Err(BTreeSet::from([fault]))
            );
        }
    }

    #[test]
    fn the_category_of_a_line() {
        let tax = |code: Option<&str>, rate: Option<&str>| TaxLine {
            code: code.map(str::to_owned),
            rate: rate.map(|rate| rate.parse().unwrap()),
            base: None,
            amount: None,
        };
        let mut tables = Tables::default();
        for (from, to) in [
            ("NO-25", "K25"),
            ("NO-25B", "K25"),
            ("rate:25", "K25"),
            ("NO-0", "K0"),
            ("X", "KX"),
            ("Y", "KY"),
        ] {
            tables.vat.table.insert(from.into(), to.into());
        }
        let no25 = || tax(Some("NO-25"), None);
        let no0 = || tax(Some("NO-0"), Some("0"));
        type Case = (Vec<TaxLine>, Vec<TaxLine>, Result<&'static str, VatFault>);
        let cases: Vec<Case> = vec![
            (vec![no25()], vec![], Ok("K25")),
            (vec![tax(None, Some("25.00"))], vec![], Ok("K25")),
            (vec![tax(Some(" "), Some("25"))], vec![], Ok("K25")),
            (vec![no25(), tax(Some("NO-25B"), None)], vec![], Ok("K25")),
            (vec![], vec![no0()], Ok("K0")),
            (vec![], vec![no0(), no25()], Err(VatFault::Missing)),
            (vec![no25()], vec![no0()], Ok("K25")),
            (
                vec![no25(), no0()],
                vec![],
                Err(VatFault::Several { codes: vec!["NO-0".into(), "NO-25".into()] }),
            ),
            (
                vec![tax(Some("Z"), Some("25"))],
                vec![],
                Err(VatFault::NotMapped { code: "Z".into() }),
            ),
            (
                vec![tax(None, Some("12"))],
                vec![],
                Err(VatFault::NotMapped { code: "rate:12".into() }),
            ),
            (
                vec![tax(Some("X"), None)],
                vec![],
                Err(VatFault::CategoryInactive {
                    category: "KX".into(),
                    name: "Category KX".into(),
                }),
            ),
            (
                vec![tax(Some("Y"), None)],
                vec![],
                Err(VatFault::CategoryUnknown { category: "KY".into(), near: Vec::new() }),
            ),
        ];
        for (line, document, expected) in cases {
            let got = category(&line, &document, &tables, &reference());
            assert_eq!(got, expected.map(str::to_owned), "{line:?} {document:?}");
        }
        tables.vat.default = Some("K0".into());
        assert_eq!(category(&[], &[], &tables, &reference()), Ok("K0".into()));
    }
}
