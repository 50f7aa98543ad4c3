use super::clock::amount;
use super::{Check, counted};
use crate::jaggaer::{Error, Stamp};
use jiff::{SignedDuration, Timestamp};

/// A filter may take whole days only, in whatever zone: rows older than this before what was asked
/// for are those that it should have kept out.
const COARSEST_FILTER: SignedDuration = SignedDuration::from_hours(26);
/// A change stamped later than this after now was written by another zone's clock than it is read by.
const CLOCK_PLAY: SignedDuration = SignedDuration::from_mins(3);
/// A change stamped this recently proves its zone: zones lie at least a quarter of an hour apart.
const FRESH: SignedDuration = SignedDuration::from_mins(14);

/// What the configuration says of a source, for words.
#[derive(Debug, Clone, Copy)]
pub struct SourceFacts<'a> {
    pub id: &'a str,
    pub base_url: &'a str,
    pub client_id: &'a str,
    pub profile: &'a str,
}

/// What one JAGGAER instance showed.
#[derive(Debug, Clone)]
pub struct SourceSeen {
    pub sign_in: Result<(), Error>,
    /// In the profile's order; empty when the sign-in failed.
    pub feeds: Vec<FeedSeen>,
    /// The instance's own clock where it told it, else ours.
    pub now: Timestamp,
}

#[derive(Debug, Clone)]
pub struct FeedSeen {
    pub name: String,
    /// The error says no more than that an optional list is not there.
    pub is_lacking: bool,
    pub page: Result<PageSeen, Error>,
    /// `None`: the profile has no filter, or no row carried a stamp.
    pub delta: Option<Result<DeltaSeen, Error>>,
}

/// The first page of a list, read through the profile.
#[derive(Debug, Clone, Default)]
pub struct PageSeen {
    pub rows: usize,
    /// Rows asked for; `None`: the list takes no such wish.
    pub asked: Option<u64>,
    /// The page ended the list by being short, and rows follow all the same.
    pub is_cut: bool,
    /// Documents that were read through the profile, and those that could not be.
    pub tried: usize,
    pub faulty: usize,
    pub first_fault: Option<String>,
    /// The call for a whole document failed.
    pub detail: Option<Error>,
    pub stamps: Vec<Stamp>,
}

/// The same list, asked for what changed since the newest row of that page.
#[derive(Debug, Clone)]
pub struct DeltaSeen {
    pub since: Stamp,
    /// By how much more the profile asks.
    pub overlap: SignedDuration,
    /// The query parameter as it was sent.
    pub query: String,
    pub rows: usize,
    pub asked: Option<u64>,
    pub stamps: Vec<Stamp>,
    pub brings_newest: bool,
}

/// Judges a source that answers.
pub fn source(facts: &SourceFacts<'_>, seen: &SourceSeen) -> Vec<Check> {
    let name = |what: &str| format!("source {}: {what}", facts.id);
    if let Err(error) = &seen.sign_in {
        return vec![Check::failed(name("sign-in"), error.to_string(), fix(error, facts))];
    }
    let mut checks = vec![Check::good(name("sign-in"), "signed in")];
    checks.extend(seen.feeds.iter().map(|feed| list(name(&feed.name), feed, facts)));
    checks.push(page_size(name("page size"), &seen.feeds));
    checks.push(changes_only(name("changes only"), &seen.feeds, facts));
    checks.push(time_zone(name("time zone"), seen, facts));
    checks
}

fn list(name: String, feed: &FeedSeen, facts: &SourceFacts<'_>) -> Check {
    let page = match &feed.page {
        Ok(page) => page,
        Err(error) if feed.is_lacking => {
            return Check::good(
                name,
                format!(
                    "not there; the profile calls it optional, so documents are judged without it ({error})"
                ),
            );
        }
        Err(error) => return Check::failed(name, error.to_string(), fix(error, facts)),
    };
    let rows = counted(page.rows, "row");
    if let Some(error) = &page.detail {
        return Check::failed(
            name,
            format!("{rows} on the first page, but the call for a whole document: {error}"),
            fix(error, facts),
        );
    }
    match (&page.first_fault, page.tried) {
        (_, 0) => Check::good(name, "answers in the profile's shape; no rows yet"),
        (None, tried) => Check::good(
            name,
            format!("{rows} on the first page, {tried} read through the profile without a fault"),
        ),
        (Some(fault), tried) if page.faulty == tried => Check::failed(
            name,
            format!(
                "{rows} on the first page, and none of the {tried} tried can be read; first: {fault}"
            ),
            format!(
                "correct the feed `{}` in the profile `{}`: `ml-connector profile check {}` shows it field by field",
                feed.name, facts.profile, facts.profile
            ),
        ),
        (Some(fault), tried) => Check::good(
            name,
            format!(
                "{rows} on the first page, {} of {tried} would be held as they are; first: {fault}",
                page.faulty
            ),
        ),
    }
}

fn page_size(name: String, feeds: &[FeedSeen]) -> Check {
    let pages: Vec<(&str, &PageSeen)> = feeds
        .iter()
        .filter_map(|feed| Some((feed.name.as_str(), feed.page.as_ref().ok()?)))
        .collect();
    if let Some((feed, page)) = pages.iter().find(|(_, page)| page.is_cut) {
        return Check::failed(
            name,
            format!(
                "{feed}: {} rows came where {} were asked for, and more follow: the list would end too early",
                page.rows,
                page.asked.unwrap_or_default()
            ),
            format!(
                "write `max_size = {}` into [feed.paging] of `{feed}` in the profile",
                page.rows
            ),
        );
    }
    let over = |page: &PageSeen| page.asked.is_some_and(|asked| page.rows as u64 > asked);
    if let Some((feed, page)) = pages.iter().find(|(_, page)| over(page)) {
        return Check::failed(
            name,
            format!(
                "{feed}: {} rows came where {} were asked for: the list does not heed the size",
                page.rows,
                page.asked.unwrap_or_default()
            ),
            format!("correct `size_parameter` in [feed.paging] of `{feed}` in the profile"),
        );
    }
    match pages.iter().filter(|(_, page)| page.asked.is_some()).count() {
        0 => Check::unknown(name, "no list of the profile takes a page size"),
        heeded => Check::good(name, format!("heeded by {}", counted(heeded, "list"))),
    }
}

enum Narrowing {
    Narrows,
    /// So many rows came that the filter should have kept out.
    Ignored(usize),
    /// The row itself did not come.
    LosesNewest,
    /// All rows changed within a day.
    CannotTell,
}

fn narrowing(page: &PageSeen, delta: &DeltaSeen) -> Narrowing {
    let since = SignedDuration::from_micros(delta.since.micros);
    let floor = (since - delta.overlap - COARSEST_FILTER).as_micros();
    let older =
        |stamps: &[Stamp]| stamps.iter().filter(|stamp| i128::from(stamp.micros) < floor).count();
    let is_whole = delta.asked.is_some_and(|asked| (delta.rows as u64) < asked);
    match older(&delta.stamps) {
        0 if !delta.brings_newest && is_whole => Narrowing::LosesNewest,
        0 if older(&page.stamps) > 0 => Narrowing::Narrows,
        0 => Narrowing::CannotTell,
        count => Narrowing::Ignored(count),
    }
}

fn changes_only(name: String, feeds: &[FeedSeen], facts: &SourceFacts<'_>) -> Check {
    let (mut proved, mut unproved) = (Vec::new(), Vec::new());
    for feed in feeds {
        let (Ok(page), Some(delta)) = (&feed.page, &feed.delta) else { continue };
        let delta = match delta {
            Ok(delta) => delta,
            Err(error) => {
                return Check::failed(
                    name,
                    format!("{}: asked for changes only: {error}", feed.name),
                    format!(
                        "correct [feed.delta] of `{}` in the profile `{}`",
                        feed.name, facts.profile
                    ),
                );
            }
        };
        match narrowing(page, delta) {
            Narrowing::Narrows => proved.push(feed.name.as_str()),
            Narrowing::CannotTell => unproved.push(feed.name.as_str()),
            Narrowing::Ignored(count) => {
                return Check::failed(
                    name,
                    format!(
                        "{}: `{}` is ignored: {count} of {} rows are older, so every round would read the whole list",
                        feed.name, delta.query, delta.rows
                    ),
                    format!(
                        "correct `parameter` and `value` in [feed.delta] of `{}` in the profile `{}`",
                        feed.name, facts.profile
                    ),
                );
            }
            Narrowing::LosesNewest => {
                return Check::failed(
                    name,
                    format!(
                        "{}: `{}` does not bring the row that carries this very stamp: changes would be missed",
                        feed.name, delta.query
                    ),
                    format!(
                        "correct `zone`, `format` and `compare` in [feed.delta] of `{}` in the profile `{}`",
                        feed.name, facts.profile
                    ),
                );
            }
        }
    }
    match (proved.as_slice(), unproved.as_slice()) {
        ([], []) => Check::unknown(name, "no list has a filter and rows to try it on"),
        ([], lists) => Check::unknown(
            name,
            format!("{}: all rows seen changed within a day, so nothing shows", lists.join(", ")),
        ),
        (lists, _) => Check::good(name, format!("the filter narrows {}", lists.join(", "))),
    }
}

fn time_zone(name: String, seen: &SourceSeen, facts: &SourceFacts<'_>) -> Check {
    let stamps = seen.feeds.iter().flat_map(|feed| {
        let page = feed.page.iter().flat_map(|page| page.stamps.iter());
        let delta = feed.delta.iter().flatten().flat_map(|delta| delta.stamps.iter());
        page.chain(delta)
    });
    let Some(newest) = stamps.max() else {
        return Check::unknown(name, "no row carries a stamp yet");
    };
    let Some(at) = newest.timestamp() else {
        return Check::unknown(name, "the newest stamp is out of range");
    };
    let ago = seen.now.duration_since(at);
    let shown = &newest.raw;
    let says_zone = says_its_zone(shown);
    if ago < -CLOCK_PLAY {
        let ahead = amount(ago);
        return match says_zone {
            true => Check::failed(
                name,
                format!("the newest change, `{shown}`, lies {ahead} in the future"),
                "tell whoever runs JAGGAER for you: stamps and clock of the instance do not agree",
            ),
            false => Check::failed(
                name,
                format!(
                    "the newest change, `{shown}`, would lie {ahead} in the future: it was written in a zone at least that far east of the profile's"
                ),
                format!(
                    "set `zone` in [notation] (and [feed.delta]) of the profile `{}` to the zone that JAGGAER writes in, such as Europe/Oslo",
                    facts.profile
                ),
            ),
        };
    }
    let age = amount(ago);
    match says_zone {
        true => Check::good(name, format!("stamps say their zone; the newest change is {age} old")),
        false if ago < FRESH => Check::good(
            name,
            format!(
                "measured: the newest change, `{shown}`, is {age} old, so the profile's zone fits"
            ),
        ),
        false => Check::unknown(
            name,
            format!(
                "stamps such as `{shown}` carry no zone, and the newest is {age} old: nothing speaks against the profile's zone; change something in JAGGAER and ping again to have it measured"
            ),
        ),
    }
}

/// `...Z`, `...+01:00`, or a count since 1970.
fn says_its_zone(stamp: &str) -> bool {
    let stamp = stamp.trim().trim_matches('"');
    if !stamp.is_empty() && stamp.len() != 14 && stamp.bytes().all(|byte| byte.is_ascii_digit()) {
        return true;
    }
    let time = stamp.get(10..).unwrap_or_default();
    time.ends_with(['Z', 'z']) || time.contains(['+', '-'])
}

fn fix(error: &Error, facts: &SourceFacts<'_>) -> String {
    let client = facts.client_id;
    match error {
        Error::NoAnswer { .. } | Error::SignInBroken(_) => format!(
            "check base_url ({}) and token_url in [[source]], and that this machine may reach them (name, port, firewall, proxy)",
            facts.base_url
        ),
        Error::SignInRefused { code, .. } if code == "invalid_scope" => format!(
            "take `scope` out of [[source]], or have whoever runs JAGGAER for you assign it to the client `{client}` (Keycloak: Clients, {client}, Client scopes)"
        ),
        Error::SignInRefused { code, .. }
            if matches!(code.as_str(), "unauthorized_client" | "unsupported_grant_type") =>
        {
            format!(
                "have whoever runs JAGGAER for you switch on Service accounts for the client `{client}` (Keycloak, realm J1p-integrations: Clients, {client}, Settings); or the secret is wrong"
            )
        }
        Error::SignInRefused { status: 404, .. } => {
            "correct token_url in [[source]]: it ends in /protocol/openid-connect/token of the realm that JAGGAER named at onboarding".into()
        }
        Error::SignInRefused { .. } => format!(
            "compare client_id (`{client}`) and the secret with what JAGGAER gave you (Keycloak, realm J1p-integrations: Clients, {client}, Credentials); if they are right, try client_auth = \"basic\""
        ),
        Error::Unauthorised { .. } => format!(
            "check that base_url ({}) is the API of the same instance that token_url signs in to, and that the client `{client}` may use it",
            facts.base_url
        ),
        Error::Forbidden { .. } => format!(
            "have whoever runs JAGGAER for you give the client `{client}` the role that reads this list (Keycloak: Clients, {client}, Service accounts roles)"
        ),
        Error::Settings(_) | Error::ForeignAddress(_) | Error::Redirected { .. } => {
            "correct base_url in [[source]]: https, the API's host, no path that redirects".into()
        }
        Error::Throttled { .. } => {
            "wait, or lower requests_per_second and concurrent_requests in [[source]]".into()
        }
        Error::NotFound { path } => format!(
            "compare the path {path} with JAGGAER's API document: correct base_url in [[source]], or `path` of the feed in the profile `{}` (docs/profiles.md)",
            facts.profile
        ),
        Error::BrokenAnswer { .. }
        | Error::TooLarge { .. }
        | Error::Status { .. }
        | Error::Failed { .. }
        | Error::WrongShape { .. }
        | Error::Endless { .. }
        | Error::Moved { .. } => format!(
            "compare path, `items` and page settings of the feed in the profile `{}` with JAGGAER's API document (docs/profiles.md)",
            facts.profile
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;

    const FACTS: SourceFacts<'_> = SourceFacts {
        id: "j",
        base_url: "https://j.example",
        client_id: "me",
        profile: "mine.toml",
    };
    const NOW: &str = "2026-11-26T12:00:00Z";

    fn stamp(at: &str) -> Stamp {
        let micros = at.parse::<Timestamp>().unwrap().as_microsecond();
        Stamp { micros, raw: at.to_owned() }
    }

    fn page(stamps: &[&str]) -> PageSeen {
        PageSeen {
            rows: stamps.len(),
            asked: Some(100),
            tried: stamps.len(),
            stamps: stamps.iter().map(|at| stamp(at)).collect(),
            ..PageSeen::default()
        }
    }

    fn feed(page: PageSeen, delta: Option<DeltaSeen>) -> FeedSeen {
        FeedSeen {
            name: "invoices".into(),
            is_lacking: false,
            page: Ok(page),
            delta: delta.map(Ok),
        }
    }

    fn judged(feeds: Vec<FeedSeen>, what: &str) -> Check {
        let seen = SourceSeen { sign_in: Ok(()), feeds, now: NOW.parse().unwrap() };
        let checks = source(&FACTS, &seen);
        checks.into_iter().find(|check| check.name.ends_with(what)).expect(what)
    }

    fn delta(since: &str, stamps: &[&str], brings_newest: bool) -> DeltaSeen {
        DeltaSeen {
            since: stamp(since),
            overlap: SignedDuration::from_mins(5),
            query: "updatedSince=x".into(),
            rows: stamps.len(),
            asked: Some(100),
            stamps: stamps.iter().map(|at| stamp(at)).collect(),
            brings_newest,
        }
    }

    #[test]
    fn whether_the_filter_narrows() {
        let (old, new) = ("2026-10-01T00:00:00Z", "2026-11-20T00:00:00Z");
        let cases = [
            ("narrows", page(&[old, new]), delta(new, &[new], true), Verdict::Good, "narrows"),
            (
                "ignored",
                page(&[old, new]),
                delta(new, &[old, new], true),
                Verdict::Failed,
                "ignored",
            ),
            ("loses", page(&[old, new]), delta(new, &[], false), Verdict::Failed, "missed"),
            (
                "all alike",
                page(&[new, new]),
                delta(new, &[new, new], true),
                Verdict::Unknown,
                "within a day",
            ),
        ];
        for (case, page, delta, verdict, words) in cases {
            let check = judged(vec![feed(page, Some(delta))], "changes only");
            assert_eq!(check.verdict, verdict, "{case}: {check:?}");
            assert!(check.detail.contains(words), "{case}: {check:?}");
        }
        assert_eq!(judged(vec![feed(page(&[]), None)], "changes only").verdict, Verdict::Unknown);
    }

    #[test]
    fn the_zone_is_measured_by_the_newest_change() {
        let zoneless = |micros_of: &str, raw: &str| Stamp { raw: raw.into(), ..stamp(micros_of) };
        let cases = [
            (stamp("2026-11-26T11:30:00Z"), Verdict::Good, "say their zone"),
            (stamp("2026-11-26T13:00:00Z"), Verdict::Failed, "1 h in the future"),
            (zoneless("2026-11-26T13:00:00Z", "2026-11-26 13:00:00"), Verdict::Failed, "east of"),
            (zoneless("2026-11-26T11:55:00Z", "2026-11-26 11:55:00"), Verdict::Good, "measured"),
            (zoneless("2026-11-26T09:55:00Z", "20261126095500"), Verdict::Unknown, "no zone"),
        ];
        for (newest, verdict, words) in cases {
            let page = PageSeen { stamps: vec![newest.clone()], ..page(&[]) };
            let check = judged(vec![feed(page, None)], "time zone");
            assert_eq!(check.verdict, verdict, "{newest:?}: {check:?}");
            assert!(check.detail.contains(words), "{newest:?}: {check:?}");
        }
        for (text, says) in [
            ("2026-11-26T11:30:00Z", true),
            ("2026-11-26T11:30:00+01:00", true),
            ("1795692600000", true),
            ("20261126095500", false),
            ("2026-11-26 11:55:00", false),
            ("", false),
        ] {
            assert_eq!(says_its_zone(text), says, "{text}");
        }
    }

    #[test]
    fn pages_that_are_cut_and_rows_that_cannot_be_read() {
        let cut = PageSeen { rows: 50, is_cut: true, ..page(&[]) };
        let check = judged(vec![feed(cut, None)], "page size");
        assert!(!check.is_ok() && check.fix.contains("max_size = 50"), "{check:?}");
        let over = PageSeen { rows: 101, ..page(&[]) };
        let check = judged(vec![feed(over, None)], "page size");
        assert!(!check.is_ok() && check.fix.contains("size_parameter"), "{check:?}");

        let fault = Some("number ($.no): found nothing".to_owned());
        let none =
            PageSeen { rows: 2, tried: 2, faulty: 2, first_fault: fault.clone(), ..page(&[]) };
        let check = judged(vec![feed(none.clone(), None)], "invoices");
        assert!(!check.is_ok() && check.fix.contains("profile check mine.toml"), "{check:?}");
        let some = PageSeen { faulty: 1, ..none };
        let check = judged(vec![feed(some, None)], "invoices");
        assert!(check.is_ok() && check.detail.contains("1 of 2 would be held"), "{check:?}");
    }
}
