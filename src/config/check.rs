//! What the parser cannot know: whether addresses, numbers and names can be worked with.

use super::{Config, ConfigError, fault, list};
use std::ops::RangeInclusive;

impl Config {
    fn addresses(&self) -> Vec<(String, &str)> {
        let mut addresses = Vec::new();
        for source in &self.sources {
            let of = |key: &str| format!("{key} of source `{}`", source.id);
            addresses.push((of("base_url"), source.base_url.as_str()));
            addresses.extend(source.token_url.as_deref().map(|url| (of("token_url"), url)));
        }
        for company in &self.companies {
            let of = |key: &str| format!("{key} of company `{}`", company.id);
            addresses.push((of("base_url"), company.base_url.as_str()));
            addresses.push((of("token_url"), company.token_url.as_str()));
        }
        addresses
    }

    /// Of both systems: a request needs to know where to go.
    pub(super) fn check_addresses(&self) -> Result<(), ConfigError> {
        for (what, url) in self.addresses() {
            if !(url.starts_with("https://") || url.starts_with("http://")) {
                return Err(ConfigError::Meaning(format!(
                    "{what} is no address such as https://host/path"
                )));
            }
        }
        Ok(())
    }

    /// Visma may call any address that stands there; ours is told to it in its portal.
    pub(super) fn check_background_replies(&self) -> Result<(), ConfigError> {
        for company in &self.companies {
            let reply = &company.background_reply;
            let is_known =
                reply == "none" || reply == "subscription" || reply.starts_with("subscription:");
            if !is_known || !reply.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
                return Err(ConfigError::Meaning(format!(
                    "background_reply of company `{}`: write \"none\", \"subscription\" or \
                     \"subscription:name=value\"",
                    company.id
                )));
            }
        }
        Ok(())
    }

    /// Numbers with which nothing would ever be done, or everything at once.
    pub(super) fn check_numbers(&self) -> Result<(), ConfigError> {
        const DAY: u64 = 86_400;
        let timing = &self.timing;
        let mut numbers: Vec<(String, i128, RangeInclusive<i128>)> = vec![
            ("timing.lease_seconds".into(), timing.lease_seconds.into(), 1..=DAY.into()),
            (
                "timing.settle_after_seconds".into(),
                timing.settle_after_seconds.into(),
                1..=DAY.into(),
            ),
            ("timing.attempts".into(), timing.attempts.into(), 1..=100),
        ];
        for source in &self.sources {
            let of = |key: &str| format!("{key} of source `{}`", source.id);
            numbers.push((of("page_size"), source.page_size.into(), 1..=100_000));
            numbers.push((of("concurrent_requests"), source.concurrent_requests as i128, 1..=64));
        }
        for company in &self.companies {
            let of = |key: &str| format!("{key} of company `{}`", company.id);
            numbers.push((of("page_size"), company.page_size.into(), 1..=100_000));
            numbers.push((of("concurrent_requests"), company.concurrent_requests as i128, 1..=64));
            numbers.push((of("reserve_for_writes"), company.reserve_for_writes.into(), 0..=100));
            numbers.push((of("index_months"), company.index_months.into(), 0..=1200));
            numbers.push((of("overlap_minutes"), company.overlap_minutes.into(), 0..=100_000));
        }
        for (what, number, range) in numbers {
            if !range.contains(&number) {
                let (least, most) = range.into_inner();
                return Err(ConfigError::Meaning(format!(
                    "{what} is {number}: write a number from {least} to {most}"
                )));
            }
        }
        Ok(())
    }
}

/// A connection names a source or a company that is not there.
pub(super) fn no_such<'a>(
    connection: &str,
    side: &str,
    name: &str,
    known: impl Iterator<Item = &'a str>,
) -> String {
    let known: Vec<&str> = known.collect();
    let meant = fault::nearest(name, &known);
    let meant = meant.map_or_else(String::new, |near| format!(": did you mean `{near}`?"));
    let known = list(known.into_iter());
    format!(
        "connection `{connection}` names the {side} `{name}`, which is not there{meant}; there are: {known}"
    )
}
