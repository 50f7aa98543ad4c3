use super::{LONGEST_ANSWER, within};
use crate::doctor::{DeltaSeen, FeedSeen, PageSeen, SourceSeen};
use crate::jaggaer::{Client, Content, Error, Feed, Profile, Read, Settings, Stamp};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::sync::Arc;

/// Documents of a page that are read through the profile, where the list holds whole ones.
const MOST_READ: usize = 50;

/// Looks at one JAGGAER instance. Two calls for each list of the profile, a third where documents are
/// fetched one by one. After a list that does not answer at all no other is asked.
pub async fn source(
    settings: Settings,
    profile: &Profile,
    now: Timestamp,
) -> Result<SourceSeen, Error> {
    let client =
        Client::new(Settings { attempts: 2, request_timeout: LONGEST_ANSWER, ..settings })?;
    let sign_in = within(client.sign_in(), Error::SignInBroken).await;
    let mut feeds = Vec::new();
    if sign_in.is_ok() {
        for feed in profile.feeds() {
            let seen = one(&client, feed).await;
            let is_hopeless = matches!(seen.page, Err(Error::NoAnswer { .. }));
            feeds.push(seen);
            if is_hopeless {
                break;
            }
        }
    }
    Ok(SourceSeen { sign_in, feeds, now })
}

async fn one(client: &Client, feed: &Arc<Feed>) -> FeedSeen {
    let too_long = |text| Error::NoAnswer { path: feed.name().to_owned(), text };
    let name = feed.name().to_owned();
    let look = match within(client.look(feed, None), too_long).await {
        Ok(look) => look,
        Err(error) => {
            let is_lacking = feed.may_lack(&error);
            return FeedSeen { name, is_lacking, page: Err(error), delta: None };
        }
    };
    let stamps: Vec<Stamp> = look.rows.iter().filter_map(|row| feed.stamp(row)).collect();
    let mut page = PageSeen {
        rows: look.rows.len(),
        asked: look.asked,
        is_cut: look.cut == Some(true),
        stamps,
        ..PageSeen::default()
    };
    if feed.needs_detail() {
        if let Some(row) = look.rows.first() {
            match within(client.detail(feed, row), too_long).await {
                Ok(document) => tally(&mut page, &feed.read(&document)),
                Err(error) => page.detail = Some(error),
            }
        }
    } else {
        for row in look.rows.iter().take(MOST_READ) {
            tally(&mut page, &feed.read(row));
        }
    }
    let delta = match (page.stamps.iter().max(), feed.overlap()) {
        (Some(since), Some(overlap)) => {
            let asked = within(client.look(feed, Some(since)), too_long).await;
            Some(asked.map(|look| delta_seen(feed, since, overlap, look.asked, &look.rows)))
        }
        _ => None,
    };
    FeedSeen { name, is_lacking: false, page: Ok(page), delta }
}

fn delta_seen(
    feed: &Feed,
    since: &Stamp,
    overlap: SignedDuration,
    asked: Option<u64>,
    rows: &[Value],
) -> DeltaSeen {
    let stamps: Vec<Stamp> = rows.iter().filter_map(|row| feed.stamp(row)).collect();
    let query = feed.since_query(since).map(|(name, value)| format!("{name}={value}"));
    DeltaSeen {
        since: since.clone(),
        overlap,
        query: query.unwrap_or_default(),
        rows: rows.len(),
        asked,
        brings_newest: stamps.iter().any(|stamp| stamp.micros >= since.micros),
        stamps,
    }
}

fn tally(page: &mut PageSeen, read: &Read) {
    page.tried += 1;
    let problems = match &read.content {
        Content::Document { document, .. } => document.as_ref().err(),
        Content::Vendor(vendor) => vendor.as_ref().err(),
        Content::Receipt(receipt) => receipt.as_ref().err(),
        Content::Contract(contract) => contract.as_ref().err(),
    };
    if let Some(first) = problems.and_then(|problems| problems.first()) {
        page.faulty += 1;
        page.first_fault.get_or_insert_with(|| first.to_string());
    }
}
