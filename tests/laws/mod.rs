//! Laws: what holds for every document, whatever stands on it. Each is tried on a case that is made
//! from a number, its seed, so that a failure is a name and a number.
//!
//! `cargo bench --bench properties` tries them by the million, the unit test below some hundreds of
//! times; both begin with the seeds in `failed-seeds.txt`, which failed once.

pub mod allocation;
pub mod company;
pub mod decision;
pub mod oracle;
pub mod tables;

use std::panic::{AssertUnwindSafe, catch_unwind};

pub struct Law {
    pub name: &'static str,
    /// Its share of the cases of a run. A case of plain numbers costs a tenth of a whole decision.
    pub weight: u64,
    holds: fn(u64) -> Result<(), String>,
}

const fn of_numbers(name: &'static str, holds: fn(u64) -> Result<(), String>) -> Law {
    Law { name, weight: 10, holds }
}

const fn of_decisions(name: &'static str, holds: fn(u64) -> Result<(), String>) -> Law {
    Law { name, weight: 1, holds }
}

pub const LAWS: &[Law] = &[
    of_numbers("shares_keep_their_sum", allocation::shares_keep_their_sum),
    of_numbers("wrong_shares_are_a_fault", allocation::wrong_shares_are_a_fault),
    of_numbers("quantity_times_price_is_the_cost", allocation::quantity_times_price_is_the_cost),
    of_numbers("money_is_kept", allocation::money_is_kept),
    of_numbers("both_matchings_agree", oracle::both_implementations_agree),
    of_numbers("matching_knows_no_order", oracle::order_is_nothing),
    of_numbers("wider_limits_add_nothing", oracle::wider_adds_nothing),
    of_decisions("rows_know_no_order", tables::rows_know_no_order),
    of_decisions("lines_and_vat_are_the_gross", decision::lines_and_vat_are_the_gross),
    of_decisions("lines_with_tax_are_the_gross", decision::lines_with_tax_are_the_gross),
    of_decisions(
        "order_and_asking_again_change_nothing",
        decision::order_and_asking_again_change_nothing,
    ),
    of_decisions("a_batch_knows_no_arrival", decision::a_batch_knows_no_arrival),
    of_decisions("wider_tolerances_never_hold", decision::wider_tolerances_never_hold),
];

impl Law {
    /// Whether it holds for the case of this seed. A panic is a failure too.
    pub fn check(&self, seed: u64) -> Result<(), String> {
        catch_unwind(AssertUnwindSafe(|| (self.holds)(seed)))
            .unwrap_or_else(|_| Err("it panicked".to_owned()))
    }
}

/// The law and the seed of each line of `failed-seeds.txt`.
pub fn failed_once() -> Vec<(&'static Law, u64)> {
    let lines = include_str!("failed-seeds.txt").lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let (name, seed) = line.split_once(' ').expect("a law and a seed");
            let law = LAWS.iter().find(|law| law.name == name).expect("a law of this name");
            (law, seed.trim().parse().expect("a seed"))
        })
        .collect()
}

/// The seed of one case of a run.
pub fn seed_of(run: u64, case: u64) -> u64 {
    // SplitMix64: near numbers give seeds that have nothing in common.
    let mut z = run.wrapping_mul(0xd134_2543_de82_ef95).wrapping_add(case);
    z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn holds(it: bool, about: impl FnOnce() -> String) -> Result<(), String> {
    if it { Ok(()) } else { Err(about()) }
}

#[test]
fn every_law_holds() {
    let fresh =
        LAWS.iter().flat_map(|law| (0..100 * law.weight).map(move |case| (law, seed_of(0, case))));
    for (law, seed) in failed_once().into_iter().chain(fresh) {
        if let Err(how) = law.check(seed) {
            panic!("{} {seed}: {how}", law.name);
        }
    }
}
