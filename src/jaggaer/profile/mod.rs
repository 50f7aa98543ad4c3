//! A profile: how one JAGGAER instance lays out its API, read from a TOML file and checked as a
//! whole before the first call. `docs/profiles.md` teaches how to write one.

mod feed;
mod field;
mod fulfilment;
mod kind;
mod layout;
mod place;
mod report;

pub(crate) use feed::{End, Layout, PAGE_IN_PATH, PagingKind, Request, Success};
pub use feed::{Entity, Feed};
pub(crate) use field::{Field, FieldRule, Kind, Notation, OneOrMany, Sign, TimeFormat, ValueType};
pub(crate) use fulfilment::{ContractLayout, ReceiptLayout};
pub(crate) use kind::{Amount, Count, Day, Flag, Moment, Number, Price, Prose, Quantity, Text};
pub(crate) use layout::{
    AttachmentLayout, BankAccountLayout, ChargeLayout, CreditNotes, DistributionLayout,
    InvoiceLayout, NetRule, OrderLayout, PricingLayout, SegmentsLayout, StatusLayout, TaxLayout,
    VendorLayout, VendorRefLayout,
};
pub(crate) use place::{Origin, Place, is_empty};
pub(crate) use report::Method;
pub use report::{ReportCall, ReportLayout, Subject};

use crate::procurement::{About, DocumentKind};
use feed::FeedTable;
use report::ReportTable;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

const DEFAULT: &str = include_str!("../../../profiles/default.toml");
const OBSERVED: &str = include_str!("../../../profiles/observed.toml");

/// How one JAGGAER instance lays out its API.
#[derive(Debug)]
pub struct Profile {
    name: String,
    version: String,
    text: String,
    feeds: Vec<Arc<Feed>>,
    reports: Vec<ReportLayout>,
}

/// A profile that cannot be used; the text names the file, the line and the key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    #[error("profile {file}: cannot be read: {text}")]
    Unreadable { file: String, text: String },
    #[error("profile {file}: {text}")]
    Wrong { file: String, text: String },
    #[error("profile {file}: feed `{feed}`: {text}")]
    WrongFeed { file: String, feed: String, text: String },
    #[error("profile {file}: report {n}: {text}")]
    WrongReport { file: String, n: usize, text: String },
    #[error("no built-in profile is called `{0}`; there are `default` and `observed`")]
    NotBuiltIn(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProfileTable {
    name: String,
    #[serde(default)]
    notation: Notation,
    /// Sent with every call of every feed.
    #[serde(default)]
    headers: BTreeMap<String, String>,
    feed: Vec<FeedTable>,
    /// What the instance is told.
    #[serde(default)]
    report: Vec<ReportTable>,
}

impl Profile {
    /// A profile that ships with the program: `default` or `observed`.
    pub fn built_in(name: &str) -> Result<Self, ProfileError> {
        match name {
            "default" => Self::parse("default", DEFAULT),
            "observed" => Self::parse("observed", OBSERVED),
            other => Err(ProfileError::NotBuiltIn(other.to_owned())),
        }
    }

    pub fn from_file(path: &Path) -> Result<Self, ProfileError> {
        let file = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|error| ProfileError::Unreadable {
            file: file.clone(),
            text: error.to_string(),
        })?;
        Self::parse(&file, &text)
    }

    /// `file` is named in errors only.
    pub fn parse(file: &str, text: &str) -> Result<Self, ProfileError> {
        let table: ProfileTable = toml::from_str(text).map_err(|error| ProfileError::Wrong {
            file: file.to_owned(),
            text: error.to_string(),
        })?;
        let notation = Arc::new(table.notation);
        let mut feeds: Vec<Arc<Feed>> = Vec::new();
        for feed_table in table.feed {
            let name = feed_table.name.clone();
            let feed =
                build_feed(feed_table, &feeds, &notation, &table.headers).map_err(|text| {
                    ProfileError::WrongFeed { file: file.to_owned(), feed: name, text }
                })?;
            feeds.push(Arc::new(feed));
        }
        let mut reports = Vec::new();
        for (n, report) in (1..).zip(table.report) {
            let built = ReportLayout::build(report, &notation, &table.headers);
            reports.push(built.map_err(|text| ProfileError::WrongReport {
                file: file.to_owned(),
                n,
                text,
            })?);
        }
        let digest = Sha256::digest(text.as_bytes());
        let version: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { name: table.name, version, text: text.to_owned(), feeds, reports })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file's SHA-256 in hexadecimal: another text is another version.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The file as it was read.
    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn feeds(&self) -> &[Arc<Feed>] {
        &self.feeds
    }

    /// Whether the instance is told anything about it at all.
    pub fn tells(&self, about: About) -> bool {
        self.reports.iter().any(|report| report.about == about)
    }

    /// How the instance is told this of such a document; `None`: it is not.
    pub fn report(&self, about: About, kind: DocumentKind) -> Option<&ReportLayout> {
        self.reports.iter().find(|report| report.fits(about, kind))
    }

    pub fn feed(&self, name: &str) -> Option<&Arc<Feed>> {
        self.feeds.iter().find(|feed| feed.name == name)
    }

    /// All feeds that deliver an entity, in the file's order.
    pub fn feeds_of(&self, entity: Entity) -> impl Iterator<Item = &Arc<Feed>> {
        self.feeds.iter().filter(move |feed| feed.entity == entity)
    }
}

fn build_feed(
    mut table: FeedTable,
    before: &[Arc<Feed>],
    notation: &Arc<Notation>,
    headers: &BTreeMap<String, String>,
) -> Result<Feed, String> {
    if before.iter().any(|feed| feed.name == table.name) {
        return Err("two feeds have this name".to_owned());
    }
    let shared =
        match &table.like {
            Some(name) => Some(before.iter().find(|feed| feed.name == *name).ok_or_else(|| {
                format!("`like` names `{name}`, and no feed above has that name")
            })?),
            None => None,
        };
    let layout = layout_of(&mut table, shared)?;
    let fits = match (table.entity, &layout) {
        (Entity::PurchaseOrders, Layout::Order(_))
        | (Entity::Invoices, Layout::Invoice(_))
        | (Entity::Suppliers, Layout::Vendor(_))
        | (Entity::Receipts, Layout::Receipt(_))
        | (Entity::Contracts, Layout::Contract(_)) => true,
        (
            Entity::PurchaseOrders
            | Entity::Invoices
            | Entity::Suppliers
            | Entity::Receipts
            | Entity::Contracts,
            _,
        ) => false,
    };
    if !fits {
        return Err(
            "its fields stand under the table of another entity than `entity` says".to_owned()
        );
    }
    let needed = |key: &str| format!("`{key}` is missing");
    let feed = Feed {
        name: table.name,
        entity: table.entity,
        path: table
            .path
            .map(|path| path.0)
            .or_else(|| shared.map(|feed| feed.path.clone()))
            .ok_or_else(|| needed("path"))?,
        request: table
            .request
            .or_else(|| shared.map(|feed| feed.request.clone()))
            .unwrap_or_default(),
        query: table.query.or_else(|| shared.map(|feed| feed.query.clone())).unwrap_or_default(),
        headers: table
            .headers
            .map(|own| headers.clone().into_iter().chain(own).collect())
            .or_else(|| shared.map(|feed| feed.headers.clone()))
            .unwrap_or_else(|| headers.clone()),
        items: table
            .items
            .or_else(|| shared.map(|feed| feed.items.clone()))
            .ok_or_else(|| needed("items"))?,
        total: table.total.or_else(|| shared?.total.clone()),
        id: table.id.or_else(|| shared.map(|feed| feed.id.clone())).ok_or_else(|| needed("id"))?,
        success: table.success.or_else(|| shared?.success.clone()),
        error: table.error.or_else(|| shared?.error.clone()),
        paging: table
            .paging
            .or_else(|| shared.map(|feed| feed.paging.clone()))
            .ok_or_else(|| needed("paging"))?,
        delta: table.delta.or_else(|| shared?.delta.clone()),
        detail: table.detail.or_else(|| shared?.detail.clone()),
        kind: table.kind.or_else(|| shared?.kind),
        optional: table.optional.unwrap_or_else(|| shared.is_some_and(|feed| feed.optional)),
        layout,
        notation: Arc::clone(notation),
    };
    if let Layout::Invoice(invoice) = &feed.layout
        && invoice.kind.is_none()
        && feed.kind.is_none()
    {
        return Err("neither the feed nor its invoice fields say which `kind` it is".to_owned());
    }
    if feed.paging.end.contains(&End::Total) && feed.total.is_none() {
        return Err("paging ends by `total`, but `total` (where it stands) is missing".to_owned());
    }
    feed.paging.fits_path(&feed.path)?;
    Ok(feed)
}

/// The feed's own fields, or those of the feed that `like` names.
fn layout_of(table: &mut FeedTable, shared: Option<&Arc<Feed>>) -> Result<Layout, String> {
    let mut found = Vec::new();
    found.extend(table.purchase_order.take().map(|order| Layout::Order(Arc::new(order))));
    found.extend(table.invoice.take().map(|invoice| Layout::Invoice(Arc::new(invoice))));
    found.extend(table.supplier.take().map(|vendor| Layout::Vendor(Arc::new(vendor))));
    found.extend(table.receipt.take().map(|receipt| Layout::Receipt(Arc::new(receipt))));
    found.extend(table.contract.take().map(|contract| Layout::Contract(Arc::new(contract))));
    if found.is_empty() {
        found.extend(shared.map(|feed| feed.layout.clone()));
    }
    match found.pop() {
        Some(layout) if found.is_empty() => Ok(layout),
        Some(_) | None => {
            Err("a feed needs exactly one of `purchase_order`, `invoice`, `supplier`, `receipt`, \
                 `contract`, or `like`"
                .to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_the_content() {
        let plain = Profile::built_in("default").unwrap();
        let touched = Profile::parse("default", &format!("{DEFAULT}\n# a remark\n")).unwrap();
        assert_eq!(plain.version().len(), 64);
        assert_ne!(plain.version(), touched.version());
        assert_eq!(plain.feeds_of(Entity::Invoices).count(), 1);
        assert!(Profile::built_in("mine").is_err());
    }

    /// Each mistake is told with the file and what is wrong; those of TOML's kind with the line.
    #[test]
    fn mistakes_are_told_with_their_place() {
        let cases: &[(&str, &str, &[&str])] = &[
            (
                "number = \"$.poNumber\"",
                "numbr = \"$.poNumber\"",
                &["my.toml", "line", "numbr", "number"],
            ),
            ("\"$.poNumber\"", "\"/poNumber\"", &["my.toml", "line", "JSONPath", "/poNumber"]),
            (
                "revision = \"$.revision\"",
                "revision = { at = \"$.revision\", type = \"date\" }",
                &["line", "does not fit", "integer"],
            ),
            ("kind = \"cursor\"", "kind = \"offset\"", &["line", "end"]),
            ("format = \"rfc3339_ms\"", "format = \"yyyy-MM-dd\"", &["line", "yyyy-MM-dd"]),
            (
                "path = \"/j1p/api/public/ji/v1/purchase-orders\"",
                "path = \"https://x.example/orders\"",
                &["line", "https://x.example/orders"],
            ),
            ("when = { status = [\"Draft\"", "when = { state = [\"Draft\"", &["line", "`state`"]),
            (
                "net = \"$.netAmount\"\n\n[[feed.purchase_order.lines.taxes]]",
                "\n[[feed.purchase_order.lines.taxes]]",
                &["line", "net_rule"],
            ),
            (
                "name = \"invoices\"",
                "name = \"purchase_orders\"",
                &["feed `purchase_orders`", "two feeds"],
            ),
            (
                "kind = { at = \"$.type\", table = { Invoice = \"invoice\", CreditMemo = \"credit_note\" } }",
                "",
                &["feed `invoices`", "kind"],
            ),
            ("entity = \"invoices\"", "entity = \"suppliers\"", &["feed `invoices`", "entity"]),
            ("money = \"money_object\"", "zone = \"Oslo\"", &["line", "Europe/Oslo"]),
        ];
        for (good, bad, expected) in cases {
            assert!(DEFAULT.contains(good), "{good}");
            let text = DEFAULT.replacen(good, bad, 1);
            let error = Profile::parse("my.toml", &text).expect_err(bad).to_string();
            for part in *expected {
                assert!(error.contains(part), "`{part}` is missing in: {error}");
            }
        }
    }
}
