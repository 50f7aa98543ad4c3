use super::{LONGEST_ANSWER, within};
use crate::doctor::{CompanySeen, ListSeen, ReferenceCounts};
use crate::visma::{self, Client, Error, List, Settings};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::time::Duration;

/// Rows asked for in one page: enough to see the list by, and quickly there.
const PAGE: u32 = 100;

/// Looks at one company in Visma.net: about twenty calls. After a list that does not answer at all nothing
/// else is asked, so that a look at a dead system ends.
pub async fn company(settings: Settings, now: Timestamp) -> Result<CompanySeen, Error> {
    let page_size = settings.page_size.min(PAGE);
    let client = Client::new(Settings {
        page_size,
        read_timeout: LONGEST_ANSWER,
        allowance_patience: Duration::from_secs(5),
        ..settings
    })?;
    let too_long = |path: &str| {
        let path = path.to_owned();
        move |reason| Error::Unreachable { path, reason }
    };
    let signed_in = within(client.sign_in(), too_long("the token endpoint")).await;
    let mut seen = CompanySeen {
        sign_in: match signed_in {
            Ok(()) => Ok(client.granted().await),
            Err(error) => Err(error),
        },
        lists: Vec::new(),
        reference: None,
        later_than_utc: None,
        allowance: client.allowance(),
        asked: page_size,
        now,
    };
    if seen.sign_in.is_err() {
        return Ok(seen);
    }
    for list in List::ALL {
        let page = within(client.look(list, None), too_long(list.name())).await;
        let is_hopeless = matches!(
            page,
            Err(Error::WrongTenant { .. }
                | Error::AccessWithdrawn { .. }
                | Error::Unreachable { .. })
        );
        let newest = page.as_ref().ok().and_then(|look| look.newest.as_deref());
        // The list of batches may take the moment for that very moment.
        let since =
            newest.filter(|_| list != List::Batches).and_then(|newest| visma::overlap(newest, 0));
        let changed = match since {
            Some(since) => {
                Some(within(client.look(list, Some(&since)), too_long(list.name())).await)
            }
            None => None,
        };
        seen.lists.push(ListSeen { list, page, changed });
        if is_hopeless {
            return Ok(seen);
        }
    }
    let in_utc = visma::filter_form(now.to_zoned(TimeZone::UTC).datetime());
    let later = client.look(List::Invoices, Some(&in_utc));
    seen.later_than_utc = Some(within(later, too_long("supplierInvoice")).await);
    let reference = within(client.reference_data(), too_long("the reference data")).await;
    seen.reference = Some(reference.map(|read| {
        let data = read.reference;
        ReferenceCounts {
            accounts: data.accounts.len(),
            segments: data.segments.len(),
            vat_categories: data.vat_categories.len(),
            credit_terms: data.credit_terms.len(),
            branches: data.branches.len(),
            periods: data.periods.len(),
        }
    }));
    seen.allowance = client.allowance();
    Ok(seen)
}
