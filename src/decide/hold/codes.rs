use super::{Entry, Hold, entry, list};
use crate::mapping::CodingFault;
use crate::mapping::vat::VatFault;
use std::collections::BTreeMap;

#[rustfmt::skip]
pub(super) const ENTRIES: &[Entry] = &[
    entry("account_inactive", "The account is closed in Visma", "Accounting", "Reopen the account, or map to another").by_itself("the account or the mapping"),
    entry("account_missing", "A line or share has no account", "Requester or AP", "Code it in JAGGAER, or set a default").by_itself("the mapping"),
    entry("account_not_allowed", "The account is a cash account, which only payments may move", "AP", "Correct the coding, or map to another").by_itself("the account or the mapping"),
    entry("account_not_mapped", "The mapping does not name JAGGAER's account", "Integration", "Add it to `mapping.accounts`").by_itself("the mapping"),
    entry("account_unknown", "The account does not exist in Visma", "AP or accounting", "Correct the coding, map it, or create the account").by_itself("the account or the mapping"),
    entry("branch_inactive", "The branch is not active in Visma", "Accounting", "Choose another in `mapping.branches`").by_itself("the branch or the mapping"),
    entry("branch_not_mapped", "The mapping does not name the business unit", "Integration", "Add it to `mapping.branches`").by_itself("the mapping"),
    entry("branch_unknown", "The mapped branch does not exist in Visma", "Integration", "Correct `mapping.branches`").by_itself("the branch or the mapping"),
    entry("coding_not_decided", "No row of the coding table fits, or its rows disagree on what a document has one of", "Accounting or integration", "Add or correct a row with `mapping import`").by_itself("the mapping"),
    entry("combination_blocked", "The company's table of combinations forbids the account with these segment values", "AP or accounting", "Correct the coding, or the table of combinations").by_itself("the mapping"),
    entry("project_not_mapped", "The mapping does not name the project", "Integration", "Add it to `mapping.projects`").by_itself("the mapping"),
    entry("segment_inactive", "The segment value is not active in Visma", "AP or accounting", "Correct the coding, or activate it").by_itself("the segment value or the mapping"),
    entry("segment_missing", "A segment of the subaccount has no value", "AP or integration", "Code it in JAGGAER, or set a default").by_itself("the mapping"),
    entry("segment_not_in_visma", "The mapping names a segment that Visma lacks", "Integration", "Correct `mapping.segments`").by_itself("the mapping"),
    entry("segment_not_mapped", "The mapping does not name the dimension value", "Integration", "Add it to `mapping.segments`").by_itself("the mapping"),
    entry("segment_too_long", "The value is longer than the segment", "Integration", "Map it to a value that fits").by_itself("the mapping"),
    entry("segment_unknown", "The segment value does not exist in Visma", "AP or accounting", "Correct the coding, map it, or create it").by_itself("the segment value or the mapping"),
    entry("terms_not_mapped", "The mapping does not name the payment terms", "Integration", "Add them to `mapping.terms`").by_itself("the mapping"),
    entry("terms_unknown", "The mapped terms do not exist in Visma", "Integration", "Correct `mapping.terms`").by_itself("the terms or the mapping"),
    entry("unit_not_mapped", "The mapping does not name the unit", "Integration", "Add it to `mapping.units`").by_itself("the mapping"),
    entry("vat_category_inactive", "The VAT category is not active in Visma", "Accounting", "Choose another in `mapping.vat`").by_itself("the category or the mapping"),
    entry("vat_category_unknown", "The mapped VAT category does not exist in Visma", "Integration", "Correct `mapping.vat` (categories, not VAT ids)").by_itself("the category or the mapping"),
    entry("vat_kind_unsupported", "VAT of a kind that the connector cannot compute", "Accounting", "Use another category, or post by hand").by_itself("the mapping"),
    entry("vat_missing", "A line states no tax", "AP", "Set the tax code, or a default").by_itself("the mapping"),
    entry("vat_not_mapped", "The mapping does not name the tax code or rate", "Integration", "Add it to `mapping.vat`").by_itself("the mapping"),
    entry("vat_rate_missing", "The VAT has no purchase rate on the date", "Accounting", "Enter the rate in Visma").by_itself("the rate or the mapping"),
    entry("vat_several", "One line with taxes of different categories", "AP", "Split the line").by_itself("the mapping"),
    entry("vat_zone_unmatched", "No VAT of the category applies in the supplier's zone", "Accounting", "Correct the supplier's zone or the category").by_itself("the supplier's VAT zone or the mapping"),
];

/// `Did you mean 6540 (Kontorrekvisita)? `, when something comes close.
fn meant(near: &[String]) -> String {
    match near {
        [] => String::new(),
        near => format!("Did you mean {}? ", near.join(" or ")),
    }
}

impl Hold {
    /// `at` starts the sentence: `Line 2, share 1`.
    pub(crate) fn coding(at: &str, fault: &CodingFault) -> Self {
        match fault {
            CodingFault::AccountMissing { dimension } => Self::account_missing(at, dimension),
            CodingFault::AccountNotMapped { code } => Self::account_not_mapped(at, code),
            CodingFault::AccountUnknown { account, near } => {
                Self::account_unknown(at, account, near)
            }
            CodingFault::AccountInactive { account, name } => {
                Self::account_inactive(at, account, name)
            }
            CodingFault::AccountNotAllowed { account, name } => {
                Self::account_not_allowed(at, account, name)
            }
            CodingFault::SegmentMissing { segment, dimension } => {
                Self::segment_missing(at, segment, dimension.as_deref())
            }
            CodingFault::SegmentNotMapped { segment, code } => {
                Self::segment_not_mapped(at, segment, code)
            }
            CodingFault::SegmentUnknown { segment, value, near } => {
                Self::segment_unknown(at, segment, value, near)
            }
            CodingFault::SegmentInactive { segment, value, name } => {
                Self::segment_inactive(at, segment, value, name)
            }
            CodingFault::SegmentTooLong { segment, value, length } => {
                Self::segment_too_long(at, segment, value, *length)
            }
            CodingFault::SegmentNotInErp { id } => Self::segment_not_in_visma(id),
            CodingFault::ProjectNotMapped { code } => Self::project_not_mapped(at, code),
            CodingFault::CombinationBlocked { account, with, row } => {
                Self::combination_blocked(at, account, with, *row)
            }
        }
    }

    pub(crate) fn coding_not_decided(at: &str) -> Self {
        Self::new(
            "coding_not_decided",
            format!("{at}: no row of the coding table fits, and the table is declared complete."),
            "Add a row to the coding table (`mapping export`, then `mapping import`), or correct the \
             coding in JAGGAER; then release.",
        )
    }

    /// `terms` with the first row that says them.
    pub(crate) fn coding_terms_differ(terms: &BTreeMap<&str, usize>) -> Self {
        let said: Vec<String> =
            terms.iter().map(|(terms, row)| format!("{terms} (row {row})")).collect();
        Self::new(
            "coding_not_decided",
            format!(
                "The coding table gives the document's lines different credit terms: {}. A document \
                 has one.",
                list(&said)
            ),
            "Take the terms out of all but one of these rows of the coding table (`mapping export`, \
             then `mapping import`); then release.",
        )
    }

    /// `branch`: of the whole order, if it has one.
    pub(crate) fn coding_branch_differs(at: &str, other: &str, branch: Option<&str>) -> Self {
        let of_order = match branch {
            Some(branch) => format!("branch {branch}"),
            None => "no branch of its own".into(),
        };
        Self::new(
            "coding_not_decided",
            format!(
                "{at}: the coding table says branch {other}, but the order has {of_order}. An order in \
                 Visma is for one branch."
            ),
            "Order for one branch at a time in JAGGAER, or correct the branch in the coding table \
             (`mapping export`, then `mapping import`); then release.",
        )
    }

    fn combination_blocked(at: &str, account: &str, with: &[String], row: usize) -> Self {
        Self::new(
            "combination_blocked",
            format!(
                "{at}: account {account} may not go with {}, by row {row} of the table of combinations.",
                list(with)
            ),
            "Correct the coding in JAGGAER, or let accounting change the table of combinations \
             (`mapping export --table combinations`, then `mapping import`); then release.",
        )
    }

    fn account_missing(at: &str, dimension: &str) -> Self {
        Self::new(
            "account_missing",
            format!("{at}: there is no account (JAGGAER's dimension {dimension} is empty)."),
            "Code the line in JAGGAER, or set a default in [connection.mapping.accounts]; then release.",
        )
    }

    fn account_not_mapped(at: &str, code: &str) -> Self {
        Self::new(
            "account_not_mapped",
            format!("{at}: the mapping has no Visma account for JAGGAER's account {code}."),
            format!("Map {code} in the mapping table accounts; then release."),
        )
    }

    fn account_unknown(at: &str, account: &str, near: &[String]) -> Self {
        Self::new(
            "account_unknown",
            format!("{at}: account {account} does not exist in Visma."),
            format!(
                "{}Correct the coding in JAGGAER, map {account} to another in the \
                 mapping table accounts, or ask accounting to create it; then release.",
                meant(near)
            ),
        )
    }

    fn account_inactive(at: &str, account: &str, name: &str) -> Self {
        Self::new(
            "account_inactive",
            format!("{at}: account {account} ({name}) is not active in Visma."),
            format!(
                "Ask accounting to reopen the account in Visma, or map {account} to another in the \
                 mapping table accounts; then release."
            ),
        )
    }

    fn account_not_allowed(at: &str, account: &str, name: &str) -> Self {
        Self::new(
            "account_not_allowed",
            format!(
                "{at}: account {account} ({name}) is a cash account, which only payments may move."
            ),
            format!(
                "Correct the coding in JAGGAER, or map {account} to another in the \
                 mapping table accounts; then release."
            ),
        )
    }

    fn segment_missing(at: &str, segment: &str, dimension: Option<&str>) -> Self {
        let (why, fix) = match dimension {
            Some(dimension) => (
                format!("JAGGAER's dimension {dimension} is empty"),
                format!(
                    "Code {dimension} in JAGGAER, or set a default for the segment in \
                     [[connection.mapping.segments]]; then release."
                ),
            ),
            None => (
                "the mapping does not say what goes there".into(),
                "Add a rule or a default for the segment in [[connection.mapping.segments]]; then \
                 release."
                    .into(),
            ),
        };
        Self::new("segment_missing", format!("{at}: segment {segment} has no value: {why}."), fix)
    }

    fn segment_not_mapped(at: &str, segment: &str, code: &str) -> Self {
        Self::new(
            "segment_not_mapped",
            format!("{at}: the mapping has no value of segment {segment} for JAGGAER's {code}."),
            format!("Map {code} in the mapping table segments; then release."),
        )
    }

    fn segment_unknown(at: &str, segment: &str, value: &str, near: &[String]) -> Self {
        Self::new(
            "segment_unknown",
            format!("{at}: segment {segment} has no value {value} in Visma."),
            format!(
                "{}Correct the coding in JAGGAER, map {value} to another in the \
                 mapping table segments, or ask accounting to create it; then release.",
                meant(near)
            ),
        )
    }

    fn segment_inactive(at: &str, segment: &str, value: &str, name: &str) -> Self {
        Self::new(
            "segment_inactive",
            format!("{at}: value {value} ({name}) of segment {segment} is not active in Visma."),
            format!(
                "Correct the coding in JAGGAER, map {value} to another in the \
                 mapping table segments, or ask accounting to activate it; then release."
            ),
        )
    }

    fn segment_too_long(at: &str, segment: &str, value: &str, length: i64) -> Self {
        Self::new(
            "segment_too_long",
            format!(
                "{at}: value {value} is longer than the {length} characters that segment {segment} \
                 has in Visma."
            ),
            format!(
                "Map {value} to a value that fits in the mapping table segments; then release."
            ),
        )
    }

    fn segment_not_in_visma(id: &str) -> Self {
        Self::new(
            "segment_not_in_visma",
            format!(
                "The mapping has a rule for segment {id}, which Visma's subaccount does not have."
            ),
            "Correct [[connection.mapping.segments]] to the segments of the Visma company; then release.",
        )
    }

    fn project_not_mapped(at: &str, code: &str) -> Self {
        Self::new(
            "project_not_mapped",
            format!("{at}: the mapping has no Visma project for JAGGAER's {code}."),
            format!("Map {code} in the mapping table projects; then release."),
        )
    }

    /// `at` is `Line 2`, or `Visma's VAT` for what concerns the whole document.
    pub(crate) fn vat(at: &str, fault: &VatFault) -> Self {
        match fault {
            VatFault::Missing => Self::vat_missing(at),
            VatFault::Several { codes } => Self::vat_several(at, codes),
            VatFault::NotMapped { code } => Self::vat_not_mapped(at, code),
            VatFault::CategoryUnknown { category, near } => {
                Self::vat_category_unknown(at, category, near)
            }
            VatFault::CategoryInactive { category, name } => {
                Self::vat_category_inactive(at, category, name)
            }
            VatFault::ZoneUnmatched { category, zone } => {
                Self::vat_zone_unmatched(category, zone.as_deref())
            }
            VatFault::RateMissing { vat, on } => Self::vat_rate_missing(vat, &on.to_string()),
            VatFault::KindUnsupported { vat, kind } => Self::vat_kind_unsupported(vat, kind),
            VatFault::TooLarge => Self::amount_too_large(at),
        }
    }

    fn vat_missing(at: &str) -> Self {
        Self::new(
            "vat_missing",
            format!("{at}: JAGGAER states no tax."),
            "Set the tax code in JAGGAER, or a default in [connection.mapping.vat]; then release.",
        )
    }

    fn vat_several(at: &str, codes: &[String]) -> Self {
        Self::new(
            "vat_several",
            format!(
                "{at}: JAGGAER states several taxes ({}), and a line in Visma has one VAT category.",
                list(codes)
            ),
            "Split the line in JAGGAER, or map the codes to one category in \
             the mapping table vat; then release.",
        )
    }

    fn vat_not_mapped(at: &str, code: &str) -> Self {
        Self::new(
            "vat_not_mapped",
            format!("{at}: the mapping has no VAT category for JAGGAER's tax {code}."),
            format!("Map {code} in the mapping table vat; then release."),
        )
    }

    fn vat_category_unknown(at: &str, category: &str, near: &[String]) -> Self {
        Self::new(
            "vat_category_unknown",
            format!(
                "{at}: VAT category {category} does not exist in Visma. (A VAT category is not a \
                 VAT id: the two lists differ.)"
            ),
            format!(
                "{}Correct the category in the mapping table vat or in [connection.charges]; then \
                 release.",
                meant(near)
            ),
        )
    }

    fn vat_category_inactive(at: &str, category: &str, name: &str) -> Self {
        Self::new(
            "vat_category_inactive",
            format!("{at}: VAT category {category} ({name}) is not active in Visma."),
            "Ask accounting which category to use, and correct the mapping table vat or \
             [connection.charges]; then release.",
        )
    }

    fn vat_zone_unmatched(category: &str, zone: Option<&str>) -> Self {
        let zone = match zone {
            Some(zone) => {
                format!("no VAT of category {category} applies in the supplier's VAT zone {zone}")
            }
            None => format!(
                "the supplier has no VAT zone in Visma, so no VAT of category {category} applies"
            ),
        };
        Self::new(
            "vat_zone_unmatched",
            format!("The VAT cannot be computed: {zone}."),
            "Ask accounting to correct the supplier's VAT zone or the VAT category in Visma; then release.",
        )
    }

    fn vat_rate_missing(vat: &str, on: &str) -> Self {
        Self::new(
            "vat_rate_missing",
            format!("The VAT cannot be computed: VAT {vat} has no purchase rate on {on} in Visma."),
            "Ask accounting to enter the rate in Visma, or map to another category in \
             the mapping table vat; then release.",
        )
    }

    fn vat_kind_unsupported(vat: &str, kind: &str) -> Self {
        Self::new(
            "vat_kind_unsupported",
            format!(
                "The VAT cannot be computed: VAT {vat} is of the kind {kind}, which is not supported."
            ),
            "Map to another VAT category in the mapping table vat, or key the document in by \
             hand in Visma; then release.",
        )
    }

    pub(crate) fn terms_not_mapped(code: &str) -> Self {
        Self::new(
            "terms_not_mapped",
            format!("The mapping has no credit terms for JAGGAER's {code}."),
            format!("Map {code} in the mapping table terms; then release."),
        )
    }

    pub(crate) fn terms_unknown(terms: &str, near: &[String]) -> Self {
        Self::new(
            "terms_unknown",
            format!("Credit terms {terms} do not exist in Visma."),
            format!(
                "{}Correct the mapping table terms, or ask accounting to create them; then release.",
                meant(near)
            ),
        )
    }

    pub(crate) fn unit_not_mapped(at: &str, unit: &str) -> Self {
        Self::new(
            "unit_not_mapped",
            format!("{at}: the mapping has no Visma unit for JAGGAER's {unit}."),
            format!("Map {unit} in the mapping table units; then release."),
        )
    }

    pub(crate) fn branch_not_mapped(unit: &str) -> Self {
        Self::new(
            "branch_not_mapped",
            format!("The mapping has no Visma branch for the business unit {unit}."),
            format!("Map {unit} in the mapping table branches; then release."),
        )
    }

    pub(crate) fn branch_unknown(branch: &str, near: &[String]) -> Self {
        Self::new(
            "branch_unknown",
            format!("Branch {branch} does not exist in Visma."),
            format!("{}Correct the mapping table branches; then release.", meant(near)),
        )
    }

    pub(crate) fn branch_inactive(branch: &str, name: &str) -> Self {
        Self::new(
            "branch_inactive",
            format!("Branch {branch} ({name}) is not active in Visma."),
            "Ask accounting which branch to use, and correct the mapping table branches; then release.",
        )
    }
}
