//! The laws of `tests/laws` at scale.
//!
//! ```sh
//! cargo bench --bench properties                                   # 1,000,000 cases
//! cargo bench --bench properties -- --cases 10000000 --seed 1      # the same cases each time
//! cargo bench --bench properties -- --law money_is_kept            # one law
//! cargo bench --bench properties -- --law money_is_kept --case 17  # the case of one seed
//! ```
//!
//! The cases are shared by the laws, ten times as many for one of plain numbers. The seeds in `tests/laws/failed-seeds.txt` come first, and
//! the seed of a case that fails is added there.

#[path = "../tests/laws/mod.rs"]
mod laws;

use laws::{LAWS, Law, failed_once, seed_of};
use ml_connector::{decide, mapping, matching, procurement, validation};
use std::io::Write;
use std::process::ExitCode;
use std::time::Instant;

struct Asked {
    cases: u64,
    seed: u64,
    law: Option<String>,
    case: Option<u64>,
}

fn main() -> ExitCode {
    match asked(std::env::args().skip(1)).and_then(|asked| run(&asked)) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(failed) => {
            println!("{failed} laws do not hold");
            ExitCode::FAILURE
        }
        Err(why) => {
            eprintln!("{why}");
            ExitCode::from(2)
        }
    }
}

fn asked(mut words: impl Iterator<Item = String>) -> Result<Asked, String> {
    let mut asked = Asked { cases: 1_000_000, seed: 1, law: None, case: None };
    while let Some(word) = words.next() {
        // `cargo bench` adds `--bench`.
        if word == "--bench" {
            continue;
        }
        let value = words.next().ok_or_else(|| format!("{word} says nothing"))?;
        let number = || value.parse().map_err(|_| format!("{word} {value}: not a number"));
        match word.as_str() {
            "--cases" => asked.cases = number()?,
            "--seed" => asked.seed = number()?,
            "--case" => asked.case = Some(number()?),
            "--law" => asked.law = Some(value),
            _ => return Err(format!("{word} is not known: --cases, --seed, --law, --case")),
        }
    }
    Ok(asked)
}

/// How many laws do not hold.
fn run(asked: &Asked) -> Result<usize, String> {
    let wanted = |law: &&Law| asked.law.as_ref().is_none_or(|name| name == law.name);
    let laws: Vec<&Law> = LAWS.iter().filter(wanted).collect();
    if laws.is_empty() {
        let names: Vec<&str> = LAWS.iter().map(|law| law.name).collect();
        return Err(format!("there is no such law: {}", names.join(", ")));
    }
    let weights: u64 = laws.iter().map(|law| law.weight).sum();
    let (began, mut tried, mut failed) = (Instant::now(), 0, 0);
    for law in laws {
        let again = failed_once().into_iter().filter(|(of, _)| of.name == law.name);
        let each = (asked.cases * law.weight).div_ceil(weights);
        let seeds: Box<dyn Iterator<Item = u64>> = match asked.case {
            Some(seed) => Box::new(std::iter::once(seed)),
            None => Box::new(
                again.map(|(_, seed)| seed).chain((0..each).map(|case| seed_of(asked.seed, case))),
            ),
        };
        let (law_began, mut cases) = (Instant::now(), 0_u64);
        for seed in seeds {
            cases += 1;
            if let Err(how) = law.check(seed) {
                failed += 1;
                println!("{}, case {seed}: {how}", law.name);
                keep(law, seed)?;
                break;
            }
        }
        tried += cases;
        println!("{:<40} {cases:>10} cases {:>8.1} s", law.name, law_began.elapsed().as_secs_f64());
    }
    println!("{:<40} {tried:>10} cases {:>8.1} s", "all", began.elapsed().as_secs_f64());
    Ok(failed)
}

/// Adds the seed to those that are tried first.
fn keep(law: &Law, seed: u64) -> Result<(), String> {
    if failed_once().iter().any(|(of, known)| (of.name, *known) == (law.name, seed)) {
        return Ok(());
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/laws/failed-seeds.txt");
    std::fs::OpenOptions::new()
        .append(true)
        .open(path)
        .and_then(|mut file| writeln!(file, "{} {seed}", law.name))
        .map_err(|error| format!("{path}: {error}"))
}
