//! VAT and totals as the ERP computes them: one sum for each VAT id, rounded once, half away from zero.

use super::masters::{Masters, Vat};
use super::reply::round;
use rust_decimal::Decimal;

/// One row of the tax details.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tax {
    pub id: String,
    pub description: String,
    pub rate: Decimal,
    pub taxable: Decimal,
    pub amount: Decimal,
    /// Shown, not added: the buyer owes it.
    pub reverse: bool,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Totals {
    pub net: Decimal,
    pub vat: Decimal,
    pub gross: Decimal,
    pub taxes: Vec<Tax>,
}

/// The VAT that a line of this category carries in this zone.
pub(crate) fn of_line<'a>(
    masters: &'a Masters,
    zone: &str,
    category: Option<&str>,
) -> Option<&'a Vat> {
    masters.vats.iter().find(|vat| {
        category.is_some_and(|category| vat.categories.iter().any(|known| known == category))
            && vat.zones.iter().any(|known| known == zone)
    })
}

/// The totals of lines given as (VAT category, cost). `included`: the costs hold their VAT.
pub(crate) fn totals<'a>(
    masters: &Masters,
    zone: &str,
    decimals: u32,
    included: bool,
    lines: impl Iterator<Item = (Option<&'a str>, Decimal)>,
) -> Totals {
    let mut totals = Totals::default();
    let mut sums: Vec<(&Vat, Decimal)> = Vec::new();
    let mut sum = Decimal::ZERO;
    for (category, cost) in lines {
        sum += cost;
        if let Some(vat) = of_line(masters, zone, category) {
            match sums.iter_mut().find(|(known, _)| known.id == vat.id) {
                Some((_, taxable)) => *taxable += cost,
                None => sums.push((vat, cost)),
            }
        }
    }
    totals.net = sum;
    let hundred = Decimal::ONE_HUNDRED;
    for (vat, cost) in sums {
        let reverse = vat.kind == "ReverseVat";
        let inside = included && !reverse;
        let amount = if inside {
            round(cost * vat.rate / (hundred + vat.rate), decimals)
        } else {
            round(cost * vat.rate / hundred, decimals)
        };
        let taxable = if inside { cost - amount } else { cost };
        if inside {
            totals.net -= amount;
        }
        if !reverse {
            totals.vat += amount;
        }
        totals.taxes.push(Tax {
            id: vat.id.clone(),
            description: vat.description.clone(),
            rate: vat.rate,
            taxable,
            amount,
            reverse,
        });
    }
    totals.taxes.sort_by(|one, other| one.id.cmp(&other.id));
    totals.gross = totals.net + totals.vat;
    totals
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::visma::masters::nordlys;

    fn minor(amount: i64) -> Decimal {
        Decimal::new(amount, 2)
    }

    #[test]
    fn one_sum_for_each_vat_id() {
        let masters = nordlys();
        type Row<'a> = (&'a str, bool, &'a [(&'a str, i64)], (i64, i64, i64));
        let table: [Row; 7] = [
            ("01", false, &[("K25", 10_000), ("K25", 2_450)], (12_450, 3_113, 15_563)),
            // Two halves round once: 0.02 x 2 at 25 % is 0.01, not 0.02.
            ("01", false, &[("K25", 2), ("K25", 2)], (4, 1, 5)),
            (
                "01",
                false,
                &[("K25", 1_000), ("K15", 1_000), ("K12", 1_000), ("K0", 1_000)],
                (4_000, 520, 4_520),
            ),
            ("03", false, &[("K25", 10_000), ("K15", 5_000)], (15_000, 0, 15_000)),
            ("01", true, &[("K25", 12_500)], (10_000, 2_500, 12_500)),
            ("03", true, &[("K25", 12_500)], (12_500, 0, 12_500)),
            ("01", false, &[("K25", -1_002)], (-1_002, -251, -1_253)),
        ];
        for (zone, included, lines, (net, vat, gross)) in table {
            let got = totals(
                &masters,
                zone,
                2,
                included,
                lines.iter().map(|(category, cost)| (Some(*category), minor(*cost))),
            );
            assert_eq!(
                (got.net, got.vat, got.gross),
                (minor(net), minor(vat), minor(gross)),
                "{zone} {lines:?}"
            );
        }
    }

    #[test]
    fn reverse_charge_is_shown_and_not_added() {
        let got = totals(&nordlys(), "03", 2, false, [(Some("K25"), minor(10_000))].into_iter());
        assert_eq!(got.taxes.len(), 1);
        assert_eq!(
            (got.taxes[0].id.as_str(), got.taxes[0].amount, got.vat),
            ("86", minor(2_500), Decimal::ZERO)
        );
    }
}
