//! Money is divided and multiplied without gaining or losing a minor unit.

use super::holds;
use crate::procurement::{
    AllocationFault, Currency, Distribution, Money, Priced, Whole, allocate, parts,
    quantity_and_cost,
};
use fastrand::Rng;
use rust_decimal::Decimal;

/// Of no, two and three decimals.
const CURRENCIES: [&str; 6] = ["NOK", "EUR", "SEK", "ISK", "JPY", "KWD"];

pub fn currency(rng: &mut Rng) -> Currency {
    Currency::parse(CURRENCIES[rng.usize(0..CURRENCIES.len())]).expect("a known code")
}

/// Mostly small, now and then very large.
fn minor(rng: &mut Rng) -> i64 {
    let most = 10_i64.pow(rng.u32(0..14));
    rng.i64(-most..=most)
}

/// Whole numbers at or above 0 that add up to `sum`.
fn cut(rng: &mut Rng, sum: i64, pieces: usize) -> Vec<i64> {
    let mut cuts: Vec<i64> = (1..pieces).map(|_| rng.i64(0..=sum)).collect();
    cuts.extend([0, sum]);
    cuts.sort_unstable();
    cuts.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

/// How the shares of one level say what they are.
#[derive(Debug, Clone, Copy, PartialEq)]
enum By {
    Amount,
    Percent,
    Quantity,
    Ratio,
}

/// The shares of one level, and what each must at least nearly get: weight and sum of weights.
fn level(rng: &mut Rng, whole: Whole, by: By) -> (Vec<Distribution>, Vec<i64>) {
    let pieces = if rng.u32(0..50) == 0 { rng.usize(1..400) } else { rng.usize(1..7) };
    let mut shares = vec![Distribution::default(); pieces];
    let weights = match by {
        By::Amount => {
            // Amounts may have any sign; what is left stands on the last.
            let mut left = whole.net.minor;
            let (last, first) = shares.split_last_mut().expect("at least one");
            for share in first {
                let amount = minor(rng) / 1_000;
                left -= amount;
                share.amount = Some(Money::new(amount, whole.net.currency));
            }
            last.amount = Some(Money::new(left, whole.net.currency));
            Vec::new()
        }
        By::Percent => {
            let decimals = rng.u32(0..5);
            let percents = cut(rng, 100 * 10_i64.pow(decimals), pieces);
            for (share, percent) in shares.iter_mut().zip(&percents) {
                share.percent = Some(Decimal::new(*percent, decimals));
            }
            percents
        }
        By::Quantity => {
            let sum = match whole.quantity {
                Some(quantity) => quantity,
                None => Decimal::new(rng.i64(1..10_000), 2),
            };
            let scale = 10_i64.pow(sum.scale());
            let whole = i64::try_from(sum * Decimal::from(scale)).expect("small");
            let quantities = cut(rng, whole.abs(), pieces);
            for (share, quantity) in shares.iter_mut().zip(&quantities) {
                share.quantity = Some(Decimal::new(quantity * whole.signum(), sum.scale()));
            }
            quantities
        }
        By::Ratio => {
            let mut ratios: Vec<i64> = (0..pieces).map(|_| rng.i64(0..1_000)).collect();
            ratios[0] += 1;
            for (share, ratio) in shares.iter_mut().zip(&ratios) {
                share.ratio = Some(Decimal::new(*ratio, 1));
            }
            ratios
        }
    };
    (shares, weights)
}

fn a_whole(rng: &mut Rng) -> Whole {
    let currency = currency(rng);
    let quantity = rng.bool().then(|| Decimal::new(rng.i64(1..1_000_000), rng.u32(0..4)));
    let quantity = quantity.map(|of| if rng.u32(0..5) == 0 { -of } else { of });
    Whole { net: Money::new(minor(rng), currency), quantity }
}

fn a_by(rng: &mut Rng) -> By {
    [By::Amount, By::Percent, By::Quantity, By::Ratio][rng.usize(0..4)]
}

fn sum(amounts: &[Money]) -> i64 {
    amounts.iter().map(|of| of.minor).sum()
}

/// Shares, shares of shares and theirs: what each is divided into adds up to exactly it, and what
/// is divided by a proportion is at most 5 minor units beside it and never has another sign.
pub fn shares_keep_their_sum(seed: u64) -> Result<(), String> {
    let rng = &mut Rng::with_seed(seed);
    let whole = a_whole(rng);
    let by = a_by(rng);
    let (mut shares, weights) = level(rng, whole, by);
    let got =
        allocate(whole, &shares).map_err(|fault| format!("{fault:?}: {whole:?} {shares:?}"))?;
    let about = || format!("{whole:?} by {by:?} {shares:?}: {got:?}");
    holds(got.len() == shares.len() && sum(&got) == whole.net.minor, about)?;
    holds(got.iter().all(|of| of.currency == whole.net.currency), about)?;
    let total: i128 = weights.iter().copied().map(i128::from).sum();
    for (of, weight) in got.iter().zip(&weights) {
        let beside =
            i128::from(of.minor) * total - i128::from(whole.net.minor) * i128::from(*weight);
        holds(beside.abs() <= 5 * total, about)?;
        holds(of.minor == 0 || of.minor.signum() == whole.net.minor.signum(), about)?;
        holds(*weight != 0 || of.minor == 0, about)?;
    }
    let flat = got;
    for depth in 0..2 {
        for (share, net) in shares.iter_mut().zip(&flat).take(8) {
            if rng.bool() {
                continue;
            }
            let below = Whole { net: *net, quantity: share.quantity.filter(|of| !of.is_zero()) };
            let mut by = a_by(rng);
            // A share of no quantity is no quantity to divide.
            if by == By::Quantity && share.quantity.is_some_and(|of| of.is_zero()) {
                by = By::Ratio;
            }
            share.parts = level(rng, below, by).0;
            if depth == 1 && rng.bool() {
                let first = &mut share.parts[0];
                first.parts =
                    vec![Distribution { ratio: Some(Decimal::ONE), ..Default::default() }; 3];
            }
        }
        let leaves = allocate(whole, &shares).map_err(|fault| format!("{fault:?}: {shares:?}"))?;
        let about = || format!("{whole:?} {shares:?}: {leaves:?}");
        holds(leaves.len() == parts(&shares).len(), about)?;
        let mut at = 0;
        for (share, net) in shares.iter().zip(&flat) {
            let own = if share.parts.is_empty() { 1 } else { parts(&share.parts).len() };
            holds(sum(&leaves[at..at + own]) == net.minor, about)?;
            at += own;
        }
    }
    Ok(())
}

/// What does not add up is a fault and is never divided.
pub fn wrong_shares_are_a_fault(seed: u64) -> Result<(), String> {
    let rng = &mut Rng::with_seed(seed);
    let whole = a_whole(rng);
    let by = a_by(rng);
    let (mut shares, _) = level(rng, whole, by);
    let last = shares.len() - 1;
    let off = if rng.bool() { 1 } else { -1 };
    let currency = whole.net.currency;
    match by {
        By::Amount => {
            let amount = shares[last].amount.as_mut().expect("it says an amount");
            *amount = Money::new(amount.minor + off, currency);
        }
        By::Percent => {
            let percent = shares[last].percent.as_mut().expect("it says a percentage");
            *percent += Decimal::new(off, 6);
        }
        // One share alone, or a line without a quantity, cannot be wrong.
        By::Quantity if last == 0 || whole.quantity.is_none() => return Ok(()),
        By::Quantity => {
            let quantity = shares[last].quantity.as_mut().expect("it says a quantity");
            *quantity += Decimal::new(off, 6);
        }
        By::Ratio if last == 0 => return Ok(()),
        By::Ratio => shares[last].ratio = Some(Decimal::NEGATIVE_ONE),
    }
    let got = allocate(whole, &shares);
    let expected = match (&got, by) {
        (Err(AllocationFault::Amounts { .. }), By::Amount)
        | (Err(AllocationFault::Percents { .. } | AllocationFault::Unclear), By::Percent)
        | (Err(AllocationFault::Quantities { .. }), By::Quantity)
        | (Err(AllocationFault::Unclear), By::Ratio) => true,
        (Ok(_) | Err(_), _) => false,
    };
    holds(expected, || format!("{whole:?} by {by:?} {shares:?}: {got:?}"))
}

/// Quantity times unit cost, rounded, is the cost, whatever the line states.
pub fn quantity_times_price_is_the_cost(seed: u64) -> Result<(), String> {
    let rng = &mut Rng::with_seed(seed);
    let currency = currency(rng);
    let (net, cost) = (Money::new(minor(rng), currency), Money::new(minor(rng), currency));
    let cost = if rng.bool() { net } else { cost };
    let line = Priced {
        quantity: rng.bool().then(|| Decimal::new(minor(rng), rng.u32(0..5))),
        unit_price: rng.bool().then(|| Decimal::new(minor(rng).abs(), rng.u32(0..7))),
        price_basis: (rng.u32(0..3) == 0).then(|| Decimal::from(rng.i64(0..1_001))),
    };
    let decimals = rng.u32(currency.decimals()..8);
    let (quantity, unit_cost) = quantity_and_cost(line, net, cost, decimals);
    let about = || format!("{line:?} {net} {cost} {decimals}: {quantity} at {unit_cost}");
    holds(Money::rounded(quantity * unit_cost, currency) == Ok(cost), about)?;
    holds(unit_cost.scale() <= decimals && !quantity.is_zero(), about)
}

/// An amount comes back from its text and from its decimal as it was; what is finer than the
/// minor unit is refused; adding is undone by adding the opposite.
pub fn money_is_kept(seed: u64) -> Result<(), String> {
    let rng = &mut Rng::with_seed(seed);
    let currency = currency(rng);
    let (one, other) = (Money::new(rng.i64(..), currency), Money::new(minor(rng), currency));
    let about = || format!("{one} and {other}");
    holds(Money::exact(one.amount(), currency) == Ok(one), about)?;
    let text = serde_json::to_string(&one).map_err(|error| error.to_string())?;
    let read: Money = serde_json::from_str(&text).map_err(|error| format!("{text}: {error}"))?;
    holds(read == one, || format!("{text} came back as {read}"))?;
    let finer = other.amount() + Decimal::new(1, currency.decimals() + 1);
    holds(Money::exact(finer, currency).is_err(), about)?;
    holds(
        Money::rounded(finer, currency).is_ok_and(|of| (of.minor - other.minor).abs() <= 1),
        about,
    )?;
    match one.checked_add(other) {
        Ok(sum) => holds(sum.checked_add(other.negated()) == Ok(one), about),
        Err(_) => holds(one.minor.checked_add(other.minor).is_none(), about),
    }
}
