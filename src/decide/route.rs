//! Which connection a document of a source belongs to. Pure: the conditions of the configuration
//! against what was seen of the document.

use super::Hold;
use super::hold::list;
use crate::procurement::DocumentKind;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What a connection takes of its source's documents.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Route {
    pub connection: String,
    pub company: String,
    /// One that fits is enough.
    pub entries: Vec<RouteEntry>,
    /// Takes what no entry of any connection takes.
    pub rest: bool,
}

/// Conditions that must all fit; a condition that is not said always does.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RouteEntry {
    pub kinds: BTreeSet<DocumentKind>,
    pub business_unit: BTreeSet<String>,
    pub ship_to: BTreeSet<String>,
    pub fields: Vec<FieldCondition>,
}

/// What must stand at a place of the document as JAGGAER sent it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldCondition {
    /// A path as RFC 9535 writes them.
    pub at: String,
    #[serde(default)]
    pub is: BTreeSet<String>,
    /// What the value may begin with instead.
    #[serde(default)]
    pub begins: BTreeSet<String>,
}

/// What the conditions look at. Of a document that cannot be read only its kind and what stands at
/// the places is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    pub kind: Option<DocumentKind>,
    pub business_unit: Option<String>,
    pub ship_to: Option<String>,
    /// What stands at each place that a condition names.
    pub fields: BTreeMap<String, Vec<String>>,
}

/// The routes of one source.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Routing {
    pub source: String,
    routes: Vec<Route>,
}

/// Who takes a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken<'a> {
    By(&'a Route),
    ByNone,
    BySeveral(Vec<&'a Route>),
}

/// Where a document goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Move<'a> {
    Stay,
    Go(&'a Route),
    /// No connection takes it, or several do.
    Nowhere(Hold),
    /// It was written to a company that it no longer goes to.
    Parted(Hold),
}

impl<'a> Move<'a> {
    fn to(route: &'a Route, connection: &str) -> Self {
        if route.connection == connection { Self::Stay } else { Self::Go(route) }
    }
}

fn names(routes: &[&Route]) -> String {
    let names: Vec<String> = routes.iter().map(|route| format!("`{}`", route.connection)).collect();
    list(&names)
}

/// Why the routes of a source cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RoutingFault {
    #[error(
        "source `{source_id}` has several connections, and `{connection}` does not say what it takes: \
         give it a [[connection.route]], or `rest = true` if it takes what no other takes"
    )]
    Unsaid { source_id: String, connection: String },
    #[error(
        "the connections `{0}` and `{1}` both say `rest = true`: only one of a source can take what no other takes"
    )]
    TwoRests(String, String),
    #[error(
        "connection `{0}`: a [[connection.route]] has no condition: write `rest = true` to take the rest"
    )]
    Empty(String),
    #[error("connection `{0}`: the field `{1}` needs `is` or `begins`")]
    NoValue(String, String),
    #[error("the connections `{0}` and `{1}` both take {2}: a document goes to one of them only")]
    Both(String, String, String),
}

impl Routing {
    /// The order of `routes` does not matter.
    pub fn new(source: &str, mut routes: Vec<Route>) -> Result<Self, RoutingFault> {
        routes.sort_by(|a, b| a.connection.cmp(&b.connection));
        for route in &routes {
            let name = || route.connection.clone();
            if routes.len() > 1 && route.entries.is_empty() && !route.rest {
                return Err(RoutingFault::Unsaid {
                    source_id: source.to_owned(),
                    connection: name(),
                });
            }
            if route.entries.iter().any(|entry| *entry == RouteEntry::default()) {
                return Err(RoutingFault::Empty(name()));
            }
            let mut fields = route.entries.iter().flat_map(|entry| &entry.fields);
            if let Some(field) = fields.find(|of| of.is.is_empty() && of.begins.is_empty()) {
                return Err(RoutingFault::NoValue(name(), field.at.clone()));
            }
        }
        let mut rests = routes.iter().filter(|route| route.rest);
        if let (Some(one), Some(two)) = (rests.next(), rests.next()) {
            return Err(RoutingFault::TwoRests(one.connection.clone(), two.connection.clone()));
        }
        for (n, one) in routes.iter().enumerate() {
            for two in &routes[n + 1..] {
                let mut pairs =
                    one.entries.iter().flat_map(|a| two.entries.iter().map(move |b| (a, b)));
                if let Some(shared) = pairs.find_map(|(a, b)| a.shares_with(b)) {
                    let names = (one.connection.clone(), two.connection.clone());
                    return Err(RoutingFault::Both(names.0, names.1, shared));
                }
            }
        }
        Ok(Self { source: source.to_owned(), routes })
    }

    pub fn routes(&self) -> &[Route] {
        &self.routes
    }

    /// The connection that takes everything: the only one, without conditions.
    pub fn only(&self) -> Option<&Route> {
        match self.routes.as_slice() {
            [only] if only.entries.is_empty() || only.rest => Some(only),
            _ => None,
        }
    }

    /// The company that a connection of this source leads to.
    pub fn company_of(&self, connection: &str) -> Option<&str> {
        let route = self.routes.iter().find(|route| route.connection == connection)?;
        Some(&route.company)
    }

    /// Every place that a condition names.
    pub fn places(&self) -> BTreeSet<&str> {
        let entries = self.routes.iter().flat_map(|route| &route.entries);
        entries.flat_map(|entry| &entry.fields).map(|field| field.at.as_str()).collect()
    }

    pub fn take(&self, seen: &Seen) -> Taken<'_> {
        if let Some(only) = self.only() {
            return Taken::By(only);
        }
        let fits = |route: &&Route| route.entries.iter().any(|entry| entry.fits(seen));
        let taking: Vec<&Route> = self.routes.iter().filter(fits).collect();
        match taking.as_slice() {
            [] => self.routes.iter().find(|route| route.rest).map_or(Taken::ByNone, Taken::By),
            [one] => Taken::By(one),
            _ => Taken::BySeveral(taking),
        }
    }

    /// What the conditions saw of a document, for a sentence.
    pub fn told(&self, seen: &Seen) -> String {
        let entries = || self.routes.iter().flat_map(|route| &route.entries);
        let mut parts = Vec::new();
        let value = |of: &Option<String>| of.as_deref().map_or("none".to_owned(), quoted);
        if entries().any(|entry| !entry.kinds.is_empty()) {
            parts.push(format!("kind {}", seen.kind.map_or("unknown", DocumentKind::as_str)));
        }
        if entries().any(|entry| !entry.business_unit.is_empty()) {
            parts.push(format!("business unit {}", value(&seen.business_unit)));
        }
        if entries().any(|entry| !entry.ship_to.is_empty()) {
            parts.push(format!("ship-to {}", value(&seen.ship_to)));
        }
        for place in self.places() {
            let found: Vec<String> =
                seen.fields.get(place).into_iter().flatten().map(|text| quoted(text)).collect();
            let found = if found.is_empty() { "none".to_owned() } else { list(&found) };
            parts.push(format!("{place} {found}"));
        }
        parts.join(", ")
    }

    /// Where a document goes from the connection that it has (empty: none). `written` is the company
    /// that it was written to; such a document leaves it only by a person's hand, and is held when the
    /// source moves it: when the revision that was written there, as it was seen `earlier`, goes elsewhere than
    /// the new one by these same routes.
    pub fn next(
        &self,
        seen: &Seen,
        earlier: Option<&Seen>,
        connection: &str,
        written: Option<&str>,
    ) -> Move<'_> {
        let taken = self.take(seen);
        match (taken, written) {
            (Taken::By(route), None) => Move::to(route, connection),
            (Taken::By(route), Some(company)) if route.company == company => {
                Move::to(route, connection)
            }
            (Taken::ByNone, None) => Move::Nowhere(Hold::no_route(&self.source, &self.told(seen))),
            (Taken::BySeveral(routes), None) => {
                Move::Nowhere(Hold::several_routes(&names(&routes), &self.told(seen)))
            }
            (taken, Some(company)) => match earlier {
                Some(earlier) if self.take(earlier) != taken => {
                    let to = match taken {
                        Taken::By(route) => {
                            format!(
                                "to the company `{}` (connection `{}`)",
                                route.company, route.connection
                            )
                        }
                        Taken::ByNone => "to no connection".to_owned(),
                        Taken::BySeveral(routes) => {
                            format!("to several connections ({})", names(&routes))
                        }
                    };
                    Move::Parted(Hold::route_changed(company, &to))
                }
                Some(_) | None => Move::Stay,
            },
        }
    }
}

impl RouteEntry {
    fn fits(&self, seen: &Seen) -> bool {
        let kind =
            self.kinds.is_empty() || seen.kind.is_some_and(|kind| self.kinds.contains(&kind));
        kind && among(&self.business_unit, seen.business_unit.as_deref())
            && among(&self.ship_to, seen.ship_to.as_deref())
            && self.fields.iter().all(|field| {
                let found = seen.fields.get(&field.at);
                found.is_some_and(|found| found.iter().any(|value| field.takes(value)))
            })
    }

    /// What two entries certainly both take, in words. Conditions on different things are not
    /// compared: whether they ever meet in one document is not known before it comes.
    fn shares_with(&self, other: &Self) -> Option<String> {
        if !(self.kinds.is_empty()
            || other.kinds.is_empty()
            || !self.kinds.is_disjoint(&other.kinds))
        {
            return None;
        }
        let mut shared = Vec::new();
        for (name, one, two) in [
            ("the business unit", &self.business_unit, &other.business_unit),
            ("the ship-to", &self.ship_to, &other.ship_to),
        ] {
            match (one.is_empty(), two.is_empty()) {
                (true, true) => {}
                (false, false) => {
                    shared.push(format!("{name} {}", quoted(one.intersection(two).next()?)));
                }
                (true, false) | (false, true) => return None,
            }
        }
        let places =
            |of: &Self| of.fields.iter().map(|field| field.at.clone()).collect::<BTreeSet<_>>();
        if places(self) != places(other) {
            return None;
        }
        for field in &self.fields {
            let of = other.fields.iter().find(|of| of.at == field.at)?;
            let value = field.both_take(of)?;
            shared.push(format!("{} {}", field.at, quoted(value)));
        }
        if shared.is_empty() {
            shared.push("documents of the same kind".to_owned());
        }
        Some(list(&shared))
    }
}

impl FieldCondition {
    fn takes(&self, value: &str) -> bool {
        self.is.contains(value) || self.begins.iter().any(|begin| value.starts_with(begin.as_str()))
    }

    fn both_take<'a>(&'a self, other: &'a Self) -> Option<&'a str> {
        let one = self.is.iter().find(|value| other.takes(value));
        let two = || other.is.iter().find(|value| self.takes(value));
        let begins = || {
            let of = |begin: &&String| {
                other
                    .begins
                    .iter()
                    .any(|of| begin.starts_with(of.as_str()) || of.starts_with(begin.as_str()))
            };
            self.begins.iter().find(of)
        };
        one.or_else(two).or_else(begins).map(String::as_str)
    }
}

fn among(values: &BTreeSet<String>, value: Option<&str>) -> bool {
    values.is_empty() || value.is_some_and(|value| values.contains(value.trim()))
}

fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn set(values: &[&str]) -> BTreeSet<String> {
        values.iter().map(|&value| value.into()).collect()
    }

    fn units(values: &[&str]) -> RouteEntry {
        RouteEntry { business_unit: set(values), ..RouteEntry::default() }
    }

    fn field(at: &str, is: &[&str], begins: &[&str]) -> RouteEntry {
        let condition = FieldCondition { at: at.into(), is: set(is), begins: set(begins) };
        RouteEntry { fields: vec![condition], ..RouteEntry::default() }
    }

    fn route(connection: &str, entries: Vec<RouteEntry>, rest: bool) -> Route {
        Route { connection: connection.into(), company: format!("of {connection}"), entries, rest }
    }

    fn seen(unit: Option<&str>, ship_to: Option<&str>, region: &[&str]) -> Seen {
        Seen {
            kind: Some(DocumentKind::SupplierInvoice),
            business_unit: unit.map(Into::into),
            ship_to: ship_to.map(Into::into),
            fields: BTreeMap::from([(
                "$.region".into(),
                region.iter().map(|&of| of.into()).collect(),
            )]),
        }
    }

    fn who(routing: &Routing, seen: &Seen) -> String {
        match routing.take(seen) {
            Taken::By(route) => route.connection.clone(),
            Taken::ByNone => "none".into(),
            Taken::BySeveral(routes) => {
                routes.iter().map(|of| of.connection.as_str()).collect::<Vec<_>>().join("+")
            }
        }
    }

    #[test]
    fn all_conditions_of_one_entry_or_another_entry() {
        let orders =
            RouteEntry { kinds: BTreeSet::from([DocumentKind::PurchaseOrder]), ..units(&["NORD"]) };
        let both = RouteEntry { ship_to: set(&["BGO-01"]), ..units(&["VEST"]) };
        let routing = Routing::new(
            "j",
            vec![
                route(
                    "oslo",
                    vec![units(&["OSL", "OSL2"]), field("$.region", &["East"], &["E-"])],
                    false,
                ),
                route("bergen", vec![both], false),
                route("nord", vec![orders], false),
            ],
        )
        .unwrap();
        let cases = [
            (seen(Some("OSL"), None, &[]), "oslo"),
            (seen(Some(" OSL2 "), None, &[]), "oslo"),
            (seen(Some("osl"), None, &[]), "none"),
            (seen(None, None, &["East"]), "oslo"),
            (seen(None, None, &["West", "E-12"]), "oslo"),
            (seen(None, None, &["West"]), "none"),
            (seen(Some("VEST"), None, &[]), "none"),
            (seen(Some("VEST"), Some("BGO-01"), &[]), "bergen"),
            (seen(Some("VEST"), Some("BGO-01"), &["East"]), "bergen+oslo"),
            (seen(Some("NORD"), None, &[]), "none"),
            (
                Seen { kind: Some(DocumentKind::PurchaseOrder), ..seen(Some("NORD"), None, &[]) },
                "nord",
            ),
            (Seen { kind: None, ..seen(Some("NORD"), None, &[]) }, "none"),
        ];
        for (seen, expected) in cases {
            assert_eq!(who(&routing, &seen), expected, "{seen:?}");
        }
        let hold_of = |seen: &Seen| match routing.next(seen, None, "", None) {
            Move::Nowhere(hold) => Some(hold),
            Move::Stay | Move::Go(_) | Move::Parted(_) => None,
        };
        let hold = hold_of(&seen(Some("SE"), None, &["West"])).unwrap();
        assert_eq!(hold.code, "no_route");
        for part in
            ["kind supplier_invoice", "business unit \"SE\"", "ship-to none", "$.region \"West\""]
        {
            assert!(hold.text.contains(part), "{}", hold.text);
        }
        let hold = hold_of(&seen(Some("VEST"), Some("BGO-01"), &["East"])).unwrap();
        assert_eq!(hold.code, "several_routes");
        assert!(hold.text.contains("`bergen` and `oslo`"), "{}", hold.text);
        assert_eq!(hold_of(&seen(Some("OSL"), None, &[])), None);
    }

    #[test]
    fn what_was_written_to_a_company_stays_there() {
        let branch =
            Route { company: "of a".into(), ..route("branch", vec![units(&["A2"])], false) };
        let routes = vec![
            route("a", vec![units(&["A"])], false),
            branch,
            route("b", vec![units(&["B"]), field("$.region", &["West"], &[])], false),
        ];
        let routing = Routing::new("j", routes).unwrap();
        let of = |unit: &str| seen(Some(unit), None, &[]);
        let both = seen(Some("A"), None, &["West"]);
        // What is seen, what was seen, whose it is, where it was written, and what comes of it.
        type Case<'a> = (Seen, Option<Seen>, &'a str, Option<&'a str>, &'a str);
        let cases: Vec<Case> = vec![
            (of("A"), None, "", None, "a"),
            (of("A"), None, "a", None, "stay"),
            (of("B"), None, "a", None, "b"),
            (of("X"), None, "a", None, "no_route"),
            (both.clone(), None, "a", None, "several_routes"),
            // Written: another branch of the company is no other company.
            (of("A"), None, "a", Some("of a"), "stay"),
            (of("A2"), Some(of("A")), "a", Some("of a"), "branch"),
            (of("A2"), None, "gone", Some("of a"), "branch"),
            // The routes changed, and the document did not.
            (of("B"), None, "a", Some("of a"), "stay"),
            (of("B"), Some(of("B")), "a", Some("of a"), "stay"),
            (of("X"), None, "a", Some("of a"), "stay"),
            (of("X"), Some(of("Y")), "a", Some("of a"), "stay"),
            // The document changed.
            (of("B"), Some(of("A")), "a", Some("of a"), "route_changed"),
            (of("X"), Some(of("A")), "a", Some("of a"), "route_changed"),
            (both, Some(of("A")), "a", Some("of a"), "route_changed"),
        ];
        for (seen, earlier, connection, written, expected) in cases {
            let next = match routing.next(&seen, earlier.as_ref(), connection, written) {
                Move::Stay => "stay".to_owned(),
                Move::Go(route) => route.connection.clone(),
                Move::Nowhere(hold) | Move::Parted(hold) => hold.code,
            };
            assert_eq!(
                next, expected,
                "{seen:?} after {earlier:?} from {connection} in {written:?}"
            );
        }
    }

    #[test]
    fn the_rest_goes_to_one() {
        let with_rest =
            vec![route("a", vec![units(&["A"])], false), route("b", vec![units(&["B"])], true)];
        let routing = Routing::new("j", with_rest).unwrap();
        for (unit, expected) in [(Some("A"), "a"), (Some("B"), "b"), (Some("C"), "b"), (None, "b")]
        {
            assert_eq!(who(&routing, &seen(unit, None, &[])), expected, "{unit:?}");
        }
        assert_eq!(routing.only(), None);
        let only = Routing::new("j", vec![route("a", vec![], false)]).unwrap();
        assert_eq!(who(&only, &Seen::default()), "a");
        let some = Routing::new("j", vec![route("a", vec![units(&["A"])], false)]).unwrap();
        assert_eq!((some.only(), who(&some, &Seen::default()).as_str()), (None, "none"));
    }

    #[test]
    fn routes_that_cannot_be_told_apart_are_refused_in_words() {
        let ship = |entry: RouteEntry, to: &str| RouteEntry { ship_to: set(&[to]), ..entry };
        let of = |entry: RouteEntry, kind: DocumentKind| RouteEntry {
            kinds: BTreeSet::from([kind]),
            ..entry
        };
        let (order, invoice) = (DocumentKind::PurchaseOrder, DocumentKind::SupplierInvoice);
        let cases: Vec<(RouteEntry, RouteEntry, Option<&str>)> = vec![
            (units(&["A", "B"]), units(&["B", "C"]), Some("the business unit \"B\"")),
            (units(&["A"]), units(&["B"]), None),
            (units(&["A"]), of(units(&["A"]), order), Some("the business unit \"A\"")),
            (of(units(&["A"]), invoice), of(units(&["A"]), order), None),
            (ship(units(&["A"]), "1"), ship(units(&["A"]), "2"), None),
            (ship(units(&["A"]), "1"), ship(units(&["A"]), "1"), Some("and the ship-to \"1\"")),
            (units(&["A"]), ship(RouteEntry::default(), "1"), None),
            (field("$.r", &["N1"], &[]), field("$.r", &[], &["N"]), Some("$.r \"N1\"")),
            (field("$.r", &[], &["NO"]), field("$.r", &[], &["N"]), Some("$.r \"NO\"")),
            (field("$.r", &["N"], &[]), field("$.q", &["N"], &[]), None),
            (
                of(RouteEntry::default(), order),
                of(RouteEntry::default(), order),
                Some("documents of the same kind"),
            ),
        ];
        for (a, b, expected) in cases {
            let routes =
                vec![route("a", vec![a.clone()], false), route("b", vec![b.clone()], false)];
            let refused = Routing::new("j", routes).err().map(|fault| fault.to_string());
            match expected {
                None => assert_eq!(refused, None, "{a:?} {b:?}"),
                Some(words) => {
                    let refused = refused.unwrap_or_else(|| panic!("{a:?} {b:?}"));
                    assert!(
                        refused.contains("`a` and `b`") && refused.contains(words),
                        "{refused}"
                    );
                }
            }
        }
        for (routes, words) in [
            (vec![route("a", vec![], false), route("b", vec![], true)], "`a` does not say"),
            (vec![route("a", vec![], true), route("b", vec![], true)], "`a` and `b` both say"),
            (vec![route("a", vec![RouteEntry::default()], false)], "no condition"),
            (vec![route("a", vec![field("$.r", &[], &[])], false)], "`$.r` needs"),
        ] {
            let refused = Routing::new("j", routes).unwrap_err().to_string();
            assert!(refused.contains(words), "{refused}");
        }
    }

    proptest! {
        /// Whoever takes a document takes it in whatever order the file names the connections.
        #[test]
        fn the_order_of_connections_does_not_matter(
            of in proptest::collection::vec(proptest::collection::btree_set("[A-F]", 1..3), 1..5),
            rest in 0_usize..6,
            unit in proptest::option::of("[A-G]"),
            turn in 0_usize..5,
        ) {
            let routes: Vec<Route> = of
                .iter()
                .enumerate()
                .map(|(n, units)| {
                    // Two fields, so that two routes may both fit one document.
                    let entry = if n % 2 == 0 {
                        RouteEntry { business_unit: units.clone(), ..RouteEntry::default() }
                    } else {
                        let at = format!("$.f{n}");
                        let fields = vec![FieldCondition { at, is: units.clone(), begins: BTreeSet::new() }];
                        RouteEntry { fields, ..RouteEntry::default() }
                    };
                    route(&format!("c{n}"), vec![entry], n == rest)
                })
                .collect();
            let mut turned = routes.clone();
            let by = turn % turned.len();
            turned.rotate_left(by);
            turned.reverse();
            let (one, two) = (Routing::new("j", routes), Routing::new("j", turned));
            prop_assert_eq!(&one, &two);
            if let (Ok(one), Ok(two)) = (one, two) {
                let value: Vec<String> = unit.clone().into_iter().collect();
                let fields = one.places().into_iter().map(|at| (at.to_owned(), value.clone())).collect();
                let seen = Seen { kind: None, business_unit: unit, ship_to: None, fields };
                prop_assert_eq!(one.take(&seen), two.take(&seen));
                let goes = matches!(one.next(&seen, None, "", None), Move::Go(_));
                prop_assert_eq!(goes, matches!(one.take(&seen), Taken::By(_)));
            }
        }
    }
}
