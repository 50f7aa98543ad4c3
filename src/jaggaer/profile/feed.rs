use super::field::{Field, Notation, OneOrMany, TimeFormat, Zone};
use super::fulfilment::{ContractLayout, ReceiptLayout};
use super::kind::{Moment, Text};
use super::layout::{InvoiceLayout, OrderLayout, VendorLayout};
use super::place::Place;
use crate::jaggaer::{Error, Stamp};
use crate::procurement::InvoiceKind;
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a feed delivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entity {
    PurchaseOrders,
    Invoices,
    Suppliers,
    Receipts,
    Contracts,
}

/// One list of JAGGAER's API: where it is, how it is paged, how its documents read.
#[derive(Debug)]
pub struct Feed {
    pub(crate) name: String,
    pub(crate) entity: Entity,
    pub(crate) path: String,
    pub(crate) request: Request,
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) items: Place,
    pub(crate) total: Option<Place>,
    pub(crate) id: Field<Text>,
    pub(crate) success: Option<Success>,
    pub(crate) error: Option<Place>,
    pub(crate) paging: Paging,
    pub(crate) delta: Option<Delta>,
    pub(crate) detail: Option<Detail>,
    pub(crate) kind: Option<InvoiceKind>,
    /// An instance may lack this list, or refuse it to this client: it brings nothing then.
    pub(crate) optional: bool,
    pub(crate) layout: Layout,
    pub(crate) notation: Arc<Notation>,
}

#[derive(Debug, Clone)]
pub(crate) enum Layout {
    Order(Arc<OrderLayout>),
    Invoice(Arc<InvoiceLayout>),
    Vendor(Arc<VendorLayout>),
    Receipt(Arc<ReceiptLayout>),
    Contract(Arc<ContractLayout>),
}

/// A feed as the file writes it. What is missing is taken from the feed that `like` names.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FeedTable {
    pub(crate) name: String,
    pub(crate) entity: Entity,
    pub(crate) like: Option<String>,
    pub(crate) path: Option<PathBelowBase>,
    pub(crate) request: Option<Request>,
    pub(crate) query: Option<BTreeMap<String, String>>,
    pub(crate) headers: Option<BTreeMap<String, String>>,
    pub(crate) items: Option<Place>,
    pub(crate) total: Option<Place>,
    pub(crate) id: Option<Field<Text>>,
    pub(crate) success: Option<Success>,
    pub(crate) error: Option<Place>,
    pub(crate) paging: Option<Paging>,
    pub(crate) delta: Option<Delta>,
    pub(crate) detail: Option<Detail>,
    pub(crate) kind: Option<InvoiceKind>,
    pub(crate) optional: Option<bool>,
    pub(crate) purchase_order: Option<OrderLayout>,
    pub(crate) invoice: Option<InvoiceLayout>,
    pub(crate) supplier: Option<VendorLayout>,
    pub(crate) receipt: Option<ReceiptLayout>,
    pub(crate) contract: Option<ContractLayout>,
}

#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct PathBelowBase(pub(crate) String);

impl TryFrom<String> for PathBelowBase {
    type Error = String;

    fn try_from(path: String) -> Result<Self, String> {
        if path.starts_with('/') && !path.starts_with("//") && !path.contains(['?', '#']) {
            Ok(Self(path))
        } else {
            Err(format!(
                "`{path}` must begin with one `/`, below the base URL, and its query stands in `query`"
            ))
        }
    }
}

/// How a list is asked for.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Request {
    /// Parameters stand in the query.
    #[default]
    Get,
    /// Parameters stand in a JSON body, beside these members. A name such as `page.size` is a
    /// member of a member.
    Post(serde_json::Map<String, serde_json::Value>),
}

/// The answer says that it worked.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Success {
    pub(crate) at: Place,
    /// As text: `0` takes the number 0 and the text "0".
    pub(crate) is: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PagingKind {
    Cursor,
    Page,
    Offset,
    Link,
    None,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum End {
    NoCursor,
    Total,
    ShortPage,
    EmptyPage,
    /// `more` says so.
    NoMore,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "PagingTable")]
pub(crate) struct Paging {
    pub(crate) kind: PagingKind,
    pub(crate) parameter: String,
    pub(crate) first: u64,
    pub(crate) cursor: Option<Place>,
    pub(crate) cursor_header: Option<String>,
    /// Of kind `link`: where the next page's address stands in the answer, when not in a header.
    pub(crate) next: Option<Place>,
    /// A yes or no: whether there is a next page.
    pub(crate) more: Option<Place>,
    pub(crate) size_parameter: Option<String>,
    pub(crate) max_size: Option<u64>,
    pub(crate) end: Vec<End>,
    pub(crate) overlap_rows: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PagingTable {
    kind: PagingKind,
    parameter: Option<String>,
    first: Option<u64>,
    cursor: Option<Place>,
    cursor_header: Option<String>,
    next: Option<Place>,
    more: Option<Place>,
    size_parameter: Option<String>,
    max_size: Option<u64>,
    #[serde(default)]
    end: OneOrMany<End>,
    overlap_rows: Option<u64>,
}

impl TryFrom<PagingTable> for Paging {
    type Error = String;

    fn try_from(table: PagingTable) -> Result<Self, String> {
        let fail = |text: &str| Err(text.to_owned());
        let has_cursor = table.cursor.is_some() || table.cursor_header.is_some();
        let mut end = match table.kind {
            PagingKind::Cursor | PagingKind::Link if table.end.0.is_empty() => vec![End::NoCursor],
            PagingKind::None => Vec::new(),
            PagingKind::Cursor | PagingKind::Link | PagingKind::Page | PagingKind::Offset => {
                table.end.0
            }
        };
        if table.more.is_some() && !end.contains(&End::NoMore) {
            end.push(End::NoMore);
        }
        if end.contains(&End::NoMore) && table.more.is_none() {
            return fail(
                "`no_more` needs `more`: where the answer says whether there is a next page",
            );
        }
        match table.kind {
            PagingKind::Cursor if !has_cursor => {
                return fail("paging by cursor needs `cursor` or `cursor_header`");
            }
            PagingKind::Page | PagingKind::Offset if end.is_empty() => {
                return fail(
                    "paging needs `end`: `total`, `short_page` or `empty_page`; or `more`",
                );
            }
            PagingKind::None if table.more.is_some() => {
                return fail("`more` belongs to lists that have pages");
            }
            PagingKind::Page | PagingKind::Offset if end.contains(&End::NoCursor) => {
                return fail("`no_cursor` ends a list with cursors only");
            }
            PagingKind::Cursor
            | PagingKind::Page
            | PagingKind::Offset
            | PagingKind::Link
            | PagingKind::None => {}
        }
        if end.contains(&End::ShortPage) && table.size_parameter.is_none() {
            return fail("`short_page` needs `size_parameter`: else nobody knows what short is");
        }
        if table.kind != PagingKind::Cursor && has_cursor {
            return fail("`cursor` belongs to paging of kind `cursor`");
        }
        if table.kind != PagingKind::Link && table.next.is_some() {
            return fail("`next` belongs to paging of kind `link`");
        }
        if table.overlap_rows.is_some() && table.kind != PagingKind::Offset {
            return fail("`overlap_rows` belongs to paging of kind `offset`");
        }
        Ok(Self {
            kind: table.kind,
            parameter: table.parameter.unwrap_or_default(),
            first: table.first.unwrap_or(u64::from(table.kind == PagingKind::Page)),
            cursor: table.cursor,
            cursor_header: table.cursor_header,
            next: table.next,
            more: table.more,
            size_parameter: table.size_parameter,
            max_size: table.max_size,
            end,
            overlap_rows: table.overlap_rows.unwrap_or(3),
        })
    }
}

/// Stands in a path where the page, offset or cursor goes.
pub(crate) const PAGE_IN_PATH: &str = "{page}";

impl Paging {
    /// The page is named in one place: by a parameter or in the path.
    pub(crate) fn fits_path(&self, path: &str) -> Result<(), String> {
        let in_path = path.contains(PAGE_IN_PATH);
        let numbered = match self.kind {
            PagingKind::Cursor | PagingKind::Page | PagingKind::Offset => true,
            PagingKind::Link | PagingKind::None => false,
        };
        if path.replace(PAGE_IN_PATH, "").contains(['{', '}']) {
            return Err(format!("`{path}`: a list's path has no part but `{PAGE_IN_PATH}`"));
        }
        match (numbered, in_path, self.parameter.is_empty()) {
            (true, true, true) | (true, false, false) | (false, false, true) => Ok(()),
            (true, true, false) => {
                Err(format!("the page stands in `path` as `{PAGE_IN_PATH}`: leave `parameter` out"))
            }
            (true, false, true) => Err(format!(
                "paging needs `parameter` (the query parameter with the page, offset or cursor) or \
                 `{PAGE_IN_PATH}` in `path`"
            )),
            (false, _, _) => {
                Err("`parameter` belongs to paging of kind `cursor`, `page` or `offset`".to_owned())
            }
        }
    }
}

/// The call that fetches one document whole.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "DetailTable")]
pub(crate) struct Detail {
    pub(crate) path: String,
    pub(crate) parts: BTreeMap<String, Field<Text>>,
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) take: Option<Place>,
    /// Put under this member of the list's row; absent: it replaces the row.
    pub(crate) under: Option<String>,
    pub(crate) success: Option<Success>,
    pub(crate) error: Option<Place>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DetailTable {
    path: PathBelowBase,
    parts: BTreeMap<String, Field<Text>>,
    #[serde(default)]
    query: BTreeMap<String, String>,
    take: Option<Place>,
    under: Option<String>,
    success: Option<Success>,
    error: Option<Place>,
}

impl TryFrom<DetailTable> for Detail {
    type Error = String;

    fn try_from(table: DetailTable) -> Result<Self, String> {
        let path = table.path.0;
        if let Some(name) = table.parts.keys().find(|name| !path.contains(&format!("{{{name}}}"))) {
            return Err(format!("`{path}` has no place for the part `{{{name}}}`"));
        }
        let left =
            table.parts.keys().fold(path.clone(), |p, name| p.replace(&format!("{{{name}}}"), ""));
        if left.contains(['{', '}']) {
            return Err(format!("`{path}` names a part that `parts` does not fill"));
        }
        Ok(Self {
            path,
            parts: table.parts,
            query: table.query,
            take: table.take,
            under: table.under,
            success: table.success,
            error: table.error,
        })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Compare {
    #[default]
    Inclusive,
    Exclusive,
}

/// How a list is asked for what changed since an instant.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Delta {
    pub(crate) field: Field<Moment>,
    /// Absent: the list is always read whole.
    parameter: Option<String>,
    #[serde(default = "bare_stamp")]
    value: String,
    #[serde(default)]
    format: DeltaFormat,
    zone: Option<Zone>,
    #[serde(default)]
    compare: Compare,
    #[serde(default = "five_minutes")]
    overlap_seconds: u32,
}

fn bare_stamp() -> String {
    "{stamp}".to_owned()
}

fn five_minutes() -> u32 {
    300
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(try_from = "String")]
pub(crate) enum DeltaFormat {
    #[default]
    Rfc3339Ms,
    Rfc3339S,
    EpochMs,
    EpochS,
    Pattern(String),
}

impl TryFrom<String> for DeltaFormat {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Ok(match text.as_str() {
            "rfc3339_ms" => Self::Rfc3339Ms,
            "rfc3339_s" => Self::Rfc3339S,
            "epoch_ms" => Self::EpochMs,
            "epoch_s" => Self::EpochS,
            pattern => {
                let parsed = TimeFormat::deserialize(serde::de::value::StrDeserializer::<
                    serde::de::value::Error,
                >::new(pattern));
                match parsed {
                    Ok(TimeFormat::Pattern(pattern)) => Self::Pattern(pattern),
                    Ok(TimeFormat::Iso) => return Err("say `rfc3339_ms` or `rfc3339_s`".to_owned()),
                    Err(error) => return Err(error.to_string()),
                }
            }
        })
    }
}

impl Delta {
    /// The query parameter that asks for everything since `stamp`: a little more, never less.
    pub(crate) fn query(&self, stamp: &Stamp) -> Option<(String, String)> {
        let parameter = self.parameter.clone()?;
        let mut back = SignedDuration::from_secs(i64::from(self.overlap_seconds));
        if self.compare == Compare::Exclusive {
            // Formats may cut below the second, and "after" leaves out the instant itself.
            back += SignedDuration::from_secs(1);
        }
        let since = stamp
            .timestamp()
            .and_then(|at| at.checked_sub(back).ok())
            .unwrap_or(Timestamp::UNIX_EPOCH);
        let text = match &self.format {
            DeltaFormat::Rfc3339Ms => since.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string(),
            DeltaFormat::Rfc3339S => since.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            DeltaFormat::EpochMs => since.as_millisecond().to_string(),
            DeltaFormat::EpochS => since.as_second().to_string(),
            DeltaFormat::Pattern(pattern) => {
                let zone = self.zone.as_ref().map_or(TimeZone::UTC, |zone| zone.0.clone());
                let mut at = since.to_zoned(zone);
                // An hour that the clock shows twice: take the one before, whichever was meant.
                while matches!(
                    at.time_zone().to_ambiguous_zoned(at.datetime()).offset(),
                    AmbiguousOffset::Fold { .. }
                ) {
                    at = match at.checked_sub(SignedDuration::from_hours(1)) {
                        Ok(earlier) => earlier,
                        Err(_) => break,
                    };
                }
                at.strftime(pattern).to_string()
            }
        };
        Some((parameter, self.value.replace("{stamp}", &text)))
    }
}

impl Feed {
    /// Unique in its profile.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn entity(&self) -> Entity {
        self.entity
    }

    /// Whether the error says no more than that an optional list is not there, or not for us.
    pub fn may_lack(&self, error: &Error) -> bool {
        self.optional && matches!(error, Error::NotFound { .. } | Error::Forbidden { .. })
    }

    /// A row of the list is not the whole document: `Client::detail` must follow.
    pub fn needs_detail(&self) -> bool {
        self.detail.is_some()
    }

    /// By how much earlier than the watermark changes are asked for; `None`: the list is always read whole.
    pub fn overlap(&self) -> Option<SignedDuration> {
        let delta = self.delta.as_ref().filter(|delta| delta.parameter.is_some())?;
        Some(SignedDuration::from_secs(i64::from(delta.overlap_seconds)))
    }

    /// The query parameter that asks for what changed since the watermark, with the profile's
    /// overlap taken off. `None`: the list is always read whole.
    pub fn since_query(&self, watermark: &Stamp) -> Option<(String, String)> {
        self.delta.as_ref()?.query(watermark)
    }
}
