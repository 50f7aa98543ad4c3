use super::clock::amount;
use super::{Check, counted};
use crate::visma::{self, AllowanceSnapshot, Error, Granted, List, Look};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// A change stamped later than this after now was written by another zone's clock than the company's.
const CLOCK_PLAY: SignedDuration = SignedDuration::from_mins(3);
const OLD_HOST: &str = "integration.visma.net";
const PORTAL: &str = "Visma Developer Portal, My Applications";

/// What the configuration says of a company, for words.
#[derive(Debug, Clone, Copy)]
pub struct CompanyFacts<'a> {
    pub id: &'a str,
    pub base_url: &'a str,
    pub token_url: &'a str,
    pub client_id: &'a str,
    pub tenant_id: &'a str,
    pub scopes: &'a [String],
    pub page_size: u32,
    pub reserve_for_writes: u32,
    pub time_zone: &'a TimeZone,
    pub overlap_minutes: i64,
    pub verify_ledger: bool,
}

/// What one company in Visma.net showed.
#[derive(Debug, Clone)]
pub struct CompanySeen {
    pub sign_in: Result<Granted, Error>,
    /// Empty when the sign-in failed; only the first when the tenant was refused.
    pub lists: Vec<ListSeen>,
    /// `None`: not looked at any more.
    pub reference: Option<Result<ReferenceCounts, Error>>,
    /// Invoices stamped later than now in UTC: there are some only where stamps are local times.
    pub later_than_utc: Option<Result<Look, Error>>,
    pub allowance: AllowanceSnapshot,
    /// Rows asked for in a page.
    pub asked: u32,
    /// Visma's own clock where it told it, else ours.
    pub now: Timestamp,
}

#[derive(Debug, Clone)]
pub struct ListSeen {
    pub list: List,
    pub page: Result<Look, Error>,
    /// The list again, of what changed since the newest row of that page; `None`: nothing to try it on.
    pub changed: Option<Result<Look, Error>>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReferenceCounts {
    pub accounts: usize,
    pub segments: usize,
    pub vat_categories: usize,
    pub credit_terms: usize,
    pub branches: usize,
    pub periods: usize,
}

/// Judges a company that answers.
pub fn company(facts: &CompanyFacts<'_>, seen: &CompanySeen) -> Vec<Check> {
    let name = |what: &str| format!("company {}: {what}", facts.id);
    let mut checks = Vec::new();
    if facts.base_url.contains(OLD_HOST) {
        checks.push(Check::failed(
            name("address"),
            format!(
                "{OLD_HOST} is Visma's old address: it allows few calls and is being shut down"
            ),
            "write base_url = \"https://api.finance.visma.net\" in [[company]], or leave it out",
        ));
    }
    let granted = match &seen.sign_in {
        Ok(granted) => granted,
        Err(error) => {
            checks.push(Check::failed(name("sign-in"), error.to_string(), fix(error, facts)));
            return checks;
        }
    };
    let lasts = amount(SignedDuration::try_from(granted.lasts).unwrap_or_default());
    checks.push(Check::good(name("sign-in"), format!("signed in, for {lasts} at a time")));
    checks.push(scopes(name("scopes"), granted, facts));
    let tenant = seen.lists.iter().find_map(|list| match &list.page {
        Err(error @ (Error::WrongTenant { .. } | Error::AccessWithdrawn { .. })) => Some(error),
        _ => None,
    });
    if let Some(error) = tenant {
        checks.push(Check::failed(name("tenant"), error.to_string(), fix(error, facts)));
        return checks;
    }
    if seen.lists.iter().any(|list| list.page.is_ok()) {
        checks.push(Check::good(name("tenant"), format!("{} is a company's", facts.tenant_id)));
    }
    checks.extend(seen.lists.iter().filter_map(|seen| list(name(seen.list.name()), seen, facts)));
    if let Some(read) = &seen.reference {
        checks.push(reference(name("reference data"), read, facts));
    }
    checks.push(writing(name("write permission"), granted, facts));
    checks.push(page_size(name("page size"), seen, facts));
    checks.push(changes_only(name("changes only"), &seen.lists));
    checks.push(time_zone(name("time zone"), seen, facts));
    checks.push(allowance(name("allowance"), &seen.allowance, facts));
    checks
}

/// What the token may do: as it says, or as it was asked for.
fn held<'a>(granted: &'a Granted, facts: &CompanyFacts<'a>) -> &'a [String] {
    granted.scopes.as_deref().unwrap_or(facts.scopes)
}

fn scopes(name: String, granted: &Granted, facts: &CompanyFacts<'_>) -> Check {
    let held = held(granted, facts);
    let missing: Vec<&str> =
        facts.scopes.iter().filter(|scope| !held.contains(scope)).map(String::as_str).collect();
    if missing.is_empty() {
        let source =
            if granted.scopes.is_some() { "the token carries" } else { "granted as asked" };
        return Check::good(name, format!("{source}: {}", held.join(", ")));
    }
    Check::failed(
        name,
        format!("asked for, but not in the token: {}", missing.join(", ")),
        grant(facts),
    )
}

fn grant(facts: &CompanyFacts<'_>) -> String {
    format!(
        "{PORTAL}, the application `{}`: add the scope; then have the company's integration administrator approve the application once more in Visma Admin",
        facts.client_id
    )
}

fn writing(name: String, granted: &Granted, facts: &CompanyFacts<'_>) -> Check {
    let held = held(granted, facts);
    let missing: Vec<&str> = [":create", ":update"]
        .into_iter()
        .filter(|right| !held.iter().any(|scope| scope.ends_with(right)))
        .collect();
    if missing.is_empty() {
        return Check::unknown(
            name,
            "the token carries :create and :update; whether a role in the company forbids it is not known until the first write",
        );
    }
    Check::failed(
        name,
        format!("the token carries no {}: nothing could be posted", missing.join(" and no ")),
        format!("see that `scopes` in [[company]] names them; then {}", grant(facts)),
    )
}

fn list(name: String, seen: &ListSeen, facts: &CompanyFacts<'_>) -> Option<Check> {
    let is_ledger = seen.list == List::Batches;
    match &seen.page {
        Ok(look) if look.unreadable > 0 && look.unreadable == look.rows => Some(Check::failed(
            name,
            format!(
                "{} on the first page, and none can be read; first: {}",
                counted(look.rows, "row"),
                look.reason.as_deref().unwrap_or("no reason")
            ),
            "send this line to whoever supports you: what answers is not laid out as Visma.net ERP is",
        )),
        Ok(look) if look.unreadable > 0 => Some(Check::good(
            name,
            format!(
                "{} on the first page, {} of them cannot be read: {}",
                counted(look.rows, "row"),
                look.unreadable,
                look.reason.as_deref().unwrap_or("no reason")
            ),
        )),
        Ok(look) => Some(Check::good(
            name,
            match look.total {
                Some(total) => {
                    format!("{} on the first page, {total} in all", counted(look.rows, "row"))
                }
                None => format!("{} on the first page", counted(look.rows, "row")),
            },
        )),
        Err(_) if is_ledger && !facts.verify_ledger => None,
        Err(
            error @ (Error::Forbidden { .. }
            | Error::NotFound { .. }
            | Error::Refused { .. }
            | Error::Unreadable { .. }),
        ) if is_ledger => Some(Check::good(
            name,
            format!(
                "{error}: released documents are not held against the general ledger; give the application's user read access to journal transactions, or set verify_ledger = false"
            ),
        )),
        Err(error) => Some(Check::failed(name, error.to_string(), fix(error, facts))),
    }
}

fn reference(
    name: String,
    read: &Result<ReferenceCounts, Error>,
    facts: &CompanyFacts<'_>,
) -> Check {
    let counts = match read {
        Ok(counts) => counts,
        Err(error) => return Check::failed(name, error.to_string(), fix(error, facts)),
    };
    let detail = format!(
        "{} accounts, {} segments, {} VAT categories, {} credit terms, {} branches, {} periods",
        counts.accounts,
        counts.segments,
        counts.vat_categories,
        counts.credit_terms,
        counts.branches,
        counts.periods
    );
    let empty: Vec<&str> = [
        ("accounts", counts.accounts),
        ("VAT categories", counts.vat_categories),
        ("periods", counts.periods),
    ]
    .into_iter()
    .filter(|(_, count)| *count == 0)
    .map(|(what, _)| what)
    .collect();
    if empty.is_empty() {
        return Check::good(name, detail);
    }
    Check::failed(
        name,
        format!("{detail}: without {} nothing can be posted", empty.join(" and ")),
        "in Visma.net ERP, see that the company has them and that the application's user may read them; else tenant_id is another company's",
    )
}

fn page_size(name: String, seen: &CompanySeen, facts: &CompanyFacts<'_>) -> Check {
    let looks = || seen.lists.iter().filter_map(|seen| Some((seen.list, seen.page.as_ref().ok()?)));
    let asked = seen.asked as usize;
    // A page of batches is filled by their lines.
    let over = looks().find(|(list, look)| *list != List::Batches && look.rows > asked);
    if let Some((list, look)) = over {
        return Check::failed(
            name,
            format!("{}: {} rows came where {asked} were asked for", list.name(), look.rows),
            "take away what drops the query between here and Visma (a proxy or gateway), or set base_url to Visma's own address",
        );
    }
    let cut: Vec<String> = looks()
        .filter_map(|(list, look)| {
            let most = look.max_page_size.filter(|most| *most < u64::from(facts.page_size))?;
            Some(format!("{} {most}", list.name()))
        })
        .collect();
    match (cut.is_empty(), looks().any(|(_, look)| look.max_page_size.is_some())) {
        (true, true) => Check::good(name, format!("{} rows a page are taken", facts.page_size)),
        (true, false) => Check::unknown(name, "no list has rows, or says its largest page"),
        (false, _) => Check::good(
            name,
            format!(
                "cut from {} (page_size), as Visma does: {}; lists are read to their end all the same",
                facts.page_size,
                cut.join(", ")
            ),
        ),
    }
}

fn changes_only(name: String, lists: &[ListSeen]) -> Check {
    let (mut proved, mut unproved) = (Vec::new(), Vec::new());
    for seen in lists {
        let (Ok(page), Some(changed)) = (&seen.page, &seen.changed) else { continue };
        let list = seen.list.name();
        let changed = match changed {
            Ok(changed) => changed,
            Err(error) => {
                return Check::failed(
                    name,
                    format!("{list}: asked for changes only: {error}"),
                    "see that nothing between here and Visma (a proxy or gateway) alters the query",
                );
            }
        };
        if changed.outside > 0 {
            return Check::failed(
                name,
                format!(
                    "{list}: lastModifiedDateTime is ignored: {} of {} rows are older, so every round would read the whole list and spend the allowance",
                    changed.outside, changed.rows
                ),
                "take away what drops the query between here and Visma (a proxy or gateway), or set base_url to Visma's own address",
            );
        }
        if changed.rows == 0 {
            return Check::failed(
                name,
                format!(
                    "{list}: asked since `{}`, the row that carries this very stamp did not come: the filter is read in another zone than rows are written in",
                    page.newest.as_deref().unwrap_or_default()
                ),
                "set overlap_minutes in [[company]] to more than the hours between the two zones, in minutes",
            );
        }
        if page.oldest == page.newest {
            unproved.push(list);
        } else {
            proved.push(list);
        }
    }
    match (proved.as_slice(), unproved.as_slice()) {
        ([], []) => Check::unknown(name, "no list has rows to try the filter on"),
        ([], lists) => Check::unknown(
            name,
            format!("{}: all rows changed at one moment, so nothing shows", lists.join(", ")),
        ),
        (lists, _) => {
            Check::good(name, format!("lastModifiedDateTime narrows {}", lists.join(", ")))
        }
    }
}

fn time_zone(name: String, seen: &CompanySeen, facts: &CompanyFacts<'_>) -> Check {
    let looks =
        seen.lists.iter().flat_map(|list| list.page.iter().chain(list.changed.iter().flatten()));
    let newest = looks
        .chain(seen.later_than_utc.iter().flatten())
        .filter_map(|look| {
            let text = look.newest.as_deref()?;
            Some((visma::civil(text)?, text))
        })
        .max();
    let zone = facts.time_zone.iana_name().unwrap_or("the configured zone");
    let overlap = facts.overlap_minutes;
    let Some((newest, text)) = newest else {
        return Check::unknown(
            name,
            format!(
                "no row carries a stamp yet; overlap_minutes = {overlap} covers UTC and local time"
            ),
        );
    };
    let utc = seen.now.to_zoned(TimeZone::UTC).datetime();
    let local = seen.now.to_zoned(facts.time_zone.clone()).datetime();
    let after = |clock: DateTime| newest.duration_since(clock);
    if after(local.max(utc)) > CLOCK_PLAY {
        return Check::failed(
            name,
            format!(
                "the newest change, `{text}`, lies {} in the future of {zone}: Visma writes in a zone further east",
                amount(after(local))
            ),
            "set time_zone in [[company]] to the zone of the company in Visma.net, such as Europe/Helsinki",
        );
    }
    if after(utc) > CLOCK_PLAY {
        return Check::good(
            name,
            format!("measured: `{text}` is ahead of UTC, so stamps are local time, as in {zone}"),
        );
    }
    Check::unknown(
        name,
        format!(
            "the newest change, `{text}`, fits UTC and {zone}: not known yet; overlap_minutes = {overlap} covers both (save something in Visma and ping again to have it measured)"
        ),
    )
}

fn allowance(name: String, seen: &AllowanceSnapshot, facts: &CompanyFacts<'_>) -> Check {
    let (Some(limit), Some(left)) = (seen.limit, seen.remaining) else {
        return Check::unknown(name, "the answers carry no X-RateLimit headers");
    };
    let resets = seen.resets_in.map(|time| {
        format!(", the hour ends in {}", amount(SignedDuration::try_from(time).unwrap_or_default()))
    });
    let detail = format!("{left} of {limit} calls left{}", resets.unwrap_or_default());
    let reserve = limit * u64::from(facts.reserve_for_writes) / 100;
    if left > reserve {
        return Check::good(name, detail);
    }
    Check::failed(
        name,
        format!("{detail}; reads stop at {reserve}, which are kept for writes"),
        format!(
            "wait until the hour ends; if it happens again, give the connector a client id of its own ({PORTAL}: a new application), because others spend from `{}` too",
            facts.client_id
        ),
    )
}

fn fix(error: &Error, facts: &CompanyFacts<'_>) -> String {
    let client = facts.client_id;
    match error {
        Error::Unreachable { .. } | Error::Settings(_) | Error::Redirected { .. } => format!(
            "check base_url ({}) and token_url ({}) in [[company]], and that this machine may reach them (name, port, firewall, proxy)",
            facts.base_url, facts.token_url
        ),
        // The codes of OAuth (RFC 6749, 5.2); Visma's own words may stand behind them.
        Error::SignIn { message, .. } if message.contains("invalid_scope") => grant(facts),
        Error::SignIn { message, .. } if message.contains("invalid_client") => format!(
            "{PORTAL}, the application `{client}`, Credentials: compare client_id, and make a new client secret if this one is lost or has ended"
        ),
        Error::SignIn { message, .. } if message.contains("unauthorized_client") => format!(
            "{PORTAL}: the application `{client}` must be of the type service; another type cannot sign in by itself"
        ),
        Error::SignIn { .. } => format!(
            "compare tenant_id with Visma Admin (Company, Edit, Configuration, Tenant id), and see there that the application `{client}` is approved for the company; client_id, secret and scopes stand in {PORTAL}"
        ),
        Error::WrongTenant { .. } => {
            "put the tenant id of the company, not of the customer, into tenant_id of [[company]]: Visma Admin, Company, Edit, Configuration, Tenant id".into()
        }
        Error::AccessWithdrawn { .. } => format!(
            "have the company's integration administrator look in Visma Admin whether the application `{client}` is still approved"
        ),
        Error::Forbidden { path, .. } => format!(
            "in Visma.net ERP, give the application's user the role that reads {path}; if the scope is missing: {}",
            grant(facts)
        ),
        Error::AllowanceLow { .. } | Error::Busy { .. } => {
            "try again when the hour of the allowance is over".into()
        }
        Error::NotFound { .. } => format!(
            "see that base_url ({}) is the API's address without a path behind it",
            facts.base_url
        ),
        Error::Refused { .. }
        | Error::Server { .. }
        | Error::Unreadable { .. }
        | Error::Incomplete { .. } => {
            "try again; if it stays, send this line to whoever supports you".into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;
    use std::time::Duration;

    const NOW: &str = "2026-11-26T12:00:00Z";

    fn judged(seen: &CompanySeen, what: &str) -> Check {
        let scopes: Vec<String> =
            ["read", "create", "update"].map(|right| format!("erp:{right}")).into();
        let time_zone = TimeZone::get("Europe/Oslo").unwrap();
        let facts = CompanyFacts {
            id: "no",
            base_url: "https://api.finance.visma.net",
            token_url: "https://connect.visma.com/connect/token",
            client_id: "isv_me",
            tenant_id: "t",
            scopes: &scopes,
            page_size: 1000,
            reserve_for_writes: 20,
            time_zone: &time_zone,
            overlap_minutes: 130,
            verify_ledger: true,
        };
        let checks = company(&facts, seen);
        let found = checks.iter().find(|check| check.name == format!("company no: {what}"));
        found.unwrap_or_else(|| panic!("{what}: {checks:#?}")).clone()
    }

    fn look(oldest: &str, newest: &str) -> Look {
        Look {
            rows: 2,
            total: Some(2),
            max_page_size: Some(500),
            oldest: Some(oldest.into()),
            newest: Some(newest.into()),
            ..Look::default()
        }
    }

    fn seen(page: Look, changed: Option<Look>) -> CompanySeen {
        CompanySeen {
            sign_in: Ok(Granted { scopes: None, lasts: Duration::from_secs(3600) }),
            lists: vec![ListSeen {
                list: List::Invoices,
                page: Ok(page),
                changed: changed.map(Ok),
            }],
            reference: None,
            later_than_utc: None,
            allowance: AllowanceSnapshot::default(),
            asked: 100,
            now: NOW.parse().unwrap(),
        }
    }

    #[test]
    fn a_write_permission_is_told_without_writing() {
        let good = seen(Look::default(), None);
        let check = judged(&good, "write permission");
        assert_eq!(check.verdict, Verdict::Unknown);
        assert!(check.detail.contains("not known until the first write"), "{check:?}");
        let scopes = |list: &[&str]| CompanySeen {
            sign_in: Ok(Granted {
                scopes: Some(list.iter().map(|scope| (*scope).to_owned()).collect()),
                lasts: Duration::ZERO,
            }),
            ..good.clone()
        };
        let check = judged(&scopes(&["erp:read", "erp:create"]), "write permission");
        assert!(!check.is_ok() && check.detail.contains("no :update"), "{check:?}");
        let check = judged(&scopes(&["erp:read", "erp:create"]), "scopes");
        assert!(!check.is_ok() && check.detail.ends_with("erp:update"), "{check:?}");
        assert!(
            check.fix.contains("Developer Portal") && check.fix.contains("isv_me"),
            "{check:?}"
        );
    }

    #[test]
    fn whether_the_filter_narrows() {
        let (old, new) = ("2026-10-01T08:00:00", "2026-11-20T08:00:00.123");
        let cases = [
            (look(old, new), look(new, new), Verdict::Good, "narrows supplierInvoice"),
            (look(old, new), Look { outside: 1, ..look(old, new) }, Verdict::Failed, "ignored"),
            (look(old, new), Look::default(), Verdict::Failed, "another zone"),
            (look(new, new), look(new, new), Verdict::Unknown, "one moment"),
        ];
        for (page, changed, verdict, words) in cases {
            let check = judged(&seen(page, Some(changed)), "changes only");
            assert_eq!(check.verdict, verdict, "{check:?}");
            assert!(check.detail.contains(words), "{check:?}");
        }
    }

    #[test]
    fn the_zone_is_measured_by_the_newest_change() {
        // 12:00 in UTC is 13:00 in Oslo.
        for (newest, verdict, words) in [
            ("2026-11-26T12:40:00", Verdict::Good, "local time"),
            ("2026-11-26T11:59:00", Verdict::Unknown, "fits UTC and Europe/Oslo"),
            ("2026-11-26T13:50:00", Verdict::Failed, "50 min in the future of Europe/Oslo"),
        ] {
            let check = judged(&seen(look("2026-10-01T08:00:00", newest), None), "time zone");
            assert_eq!(check.verdict, verdict, "{newest}: {check:?}");
            assert!(check.detail.contains(words), "{newest}: {check:?}");
        }
    }

    #[test]
    fn the_allowance_is_good_above_the_reserve() {
        for (left, ok) in [(201, true), (200, false)] {
            let allowance = AllowanceSnapshot {
                limit: Some(1000),
                remaining: Some(left),
                resets_in: Some(Duration::from_secs(600)),
                paused_for: None,
            };
            let seen = CompanySeen { allowance, ..seen(Look::default(), None) };
            assert_eq!(judged(&seen, "allowance").is_ok(), ok, "{left}");
        }
        assert_eq!(judged(&seen(Look::default(), None), "allowance").verdict, Verdict::Unknown);
    }
}
