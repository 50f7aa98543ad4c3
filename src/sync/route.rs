//! Which connection a document goes by: decided after it was received, and anew when it, the profile
//! or the routes change. What no connection takes is held, with no connection, until one does.

use super::engine::{Engine, Source, entry};
use super::error::SyncError;
use super::gather::read_document;
use crate::clock;
use crate::decide::{Hold, Move, Routing, Seen};
use crate::jaggaer::Place;
use crate::procurement::Document;
use crate::store::{
    Change, CommitError, DocumentRow, DocumentState, HoldRow, PostingRow, PostingState,
};
use serde_json::{Value, json};

/// Documents looked at and committed at a time.
const TOGETHER: i64 = 128;

/// The routes of a source, ready to look at its documents.
pub struct Router {
    pub routing: Routing,
    /// The same text as long as every document is routed alike.
    pub version: String,
    places: Vec<Place>,
}

impl Router {
    /// The places were checked with the configuration. `profile` is the version by which documents
    /// are read.
    pub fn new(routing: Routing, profile: &str) -> Result<Self, String> {
        let places = routing.places().into_iter().map(Place::parse).collect::<Result<_, _>>()?;
        let text = serde_json::to_string(&routing).expect("routes are plain data");
        let version = crate::audit::hash_text(&format!("{text}\n{profile}"))[..16].to_owned();
        Ok(Self { routing, version, places })
    }

    /// Where every document of the source goes, with the version of the routes: there is no need to
    /// look at any of them.
    pub fn at_once(&self) -> Option<(&str, &str)> {
        let only = self.routing.only()?;
        Some((&only.connection, &self.version))
    }

    /// What the routes look at, of a document as it is read and as JAGGAER sent it.
    fn seen(&self, row: &DocumentRow, read: Option<&Document>, raw: &str) -> Seen {
        let body: Value = serde_json::from_str(raw).unwrap_or(Value::Null);
        let fields = self.places.iter().map(|place| {
            let found = place.nodes(&body).into_iter().filter_map(text).collect();
            (place.text().to_owned(), found)
        });
        Seen {
            kind: Some(row.kind),
            business_unit: read.and_then(Document::business_unit).map(str::to_owned),
            ship_to: read.and_then(Document::ship_to).map(str::to_owned),
            fields: fields.collect(),
        }
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

impl Engine {
    /// Routes what is not routed yet. Returns how many documents moved.
    pub async fn route(&self, source: &Source) -> Result<u64, SyncError> {
        let router = &source.router;
        if let Some(only) = router.routing.only()
            && !self.to_route(source, "", 1).await?.is_empty()
        {
            let mut change = Change::new();
            let (connection, company) = (&only.connection, &only.company);
            change.keep_routed(&source.id, connection, company, &router.version);
            self.commit(change).await?;
        }
        let (mut moved, mut after) = (0, String::new());
        loop {
            let documents = self.to_route(source, &after, TOGETHER).await?;
            let Some(last) = documents.last() else { return Ok(moved) };
            after = last.id.clone();
            self.check()?;
            let mut commits = Vec::new();
            for document in &documents {
                match self.route_one(source, document).await {
                    Ok(change) => commits.push(self.commit(change)),
                    Err(error) if error.concerns_one_document() => {
                        tracing::error!(document = document.id, %error, "a document cannot be routed");
                    }
                    Err(error) => return Err(error),
                }
            }
            for result in futures_util::future::join_all(commits).await {
                match result {
                    Ok(()) => moved += 1,
                    // It moved meanwhile: the next look routes it as it stands then.
                    Err(SyncError::Commit(CommitError::Guard(_))) => {}
                    Err(error) => return Err(error),
                }
            }
        }
    }

    async fn to_route(
        &self,
        source: &Source,
        after: &str,
        limit: i64,
    ) -> Result<Vec<DocumentRow>, SyncError> {
        let version = &source.router.version;
        Ok(self.store.documents_to_route(&source.id, version, after, limit).await?)
    }

    async fn route_one(
        &self,
        source: &Source,
        document: &DocumentRow,
    ) -> Result<Change, SyncError> {
        let router = &source.router;
        let (seen, unreadable) = self.seen(source, document, document.latest_revision).await?;
        let postings = match document.company.as_str() {
            "" => Vec::new(),
            _ => self.store.postings_of(&document.id).await?,
        };
        let written = !document.company.is_empty() && !was_never_written(document, &postings);
        // Only JAGGAER's own change may part a document from its company, not one of the routes.
        let earlier = match (written && document.routed.is_empty(), stands(document, &postings)) {
            (true, Some(revision)) => Some(self.seen(source, document, revision).await?.0),
            _ => None,
        };
        let company = Some(document.company.as_str()).filter(|_| written);
        let next = router.routing.next(&seen, earlier.as_ref(), &document.connection, company);

        let at = clock::now();
        let mut change = Change::new();
        match next {
            Move::Stay => change.route_document(document, &document.connection, &router.version),
            Move::Go(route) => {
                change.route_document(document, &route.connection, &router.version);
                let to = if written { document.state } else { DocumentState::Ready };
                if !written && !document.company.is_empty() && document.company != route.company {
                    change.leave_company(&document.id, &postings);
                }
                if to != document.state {
                    change.move_document(&document.id, document.state, to, at);
                }
                log(document, &route.connection, "routed", to, at, &mut change);
            }
            Move::Nowhere(hold) => {
                change.route_document(document, "", &router.version);
                change.leave_company(&document.id, &postings);
                let holds: Vec<Hold> = [hold].into_iter().chain(unreadable).collect();
                hold_for(document, "", &holds, at, &mut change);
            }
            Move::Parted(hold) => {
                change.route_document(document, &document.connection, &router.version);
                let stand = self.store.holds_of(&document.id).await?;
                let others = stand.iter().map(HoldRow::hold).filter(|of| of.code != hold.code);
                let holds: Vec<Hold> = [hold.clone()].into_iter().chain(others).collect();
                hold_for(document, &document.connection, &holds, at, &mut change);
            }
        }
        Ok(change)
    }

    /// What the routes see of one revision, and why it cannot be read.
    async fn seen(
        &self,
        source: &Source,
        document: &DocumentRow,
        revision: i64,
    ) -> Result<(Seen, Vec<Hold>), SyncError> {
        let raw = self.store.revision(&document.id, revision).await?.map(|of| of.raw);
        let raw = raw.unwrap_or_default();
        let (read, unreadable) = match read_document(&source.profile, document, &raw) {
            Ok(read) => (Some(read), Vec::new()),
            Err(holds) => (None, holds),
        };
        Ok((source.router.seen(document, read.as_ref(), &raw), unreadable))
    }
}

fn hold_for(
    document: &DocumentRow,
    connection: &str,
    holds: &[Hold],
    at: i64,
    change: &mut Change,
) {
    change.move_document(&document.id, document.state, DocumentState::Held, at);
    change.set_holds(&document.id, holds, at);
    let action = holds.first().map_or("held", |hold| hold.code.as_str());
    log(document, connection, action, DocumentState::Held, at, change);
}

fn log(
    document: &DocumentRow,
    connection: &str,
    action: &str,
    to: DocumentState,
    at: i64,
    change: &mut Change,
) {
    let mut log = entry(connection, &document.id, action, at);
    log.from_state = document.state.as_str().into();
    log.to_state = to.as_str().into();
    log.detail = json!({
        "revision": document.latest_revision, "from_connection": document.connection,
        "to_connection": connection, "company": document.company,
    })
    .to_string();
    change.log(log);
}

/// The revision by which the document was written to its company.
fn stands(document: &DocumentRow, postings: &[PostingRow]) -> Option<i64> {
    document.applied_revision.or_else(|| postings.iter().map(|row| row.revision).max())
}

/// Nothing of it can be in Visma: no request ever left, or the only one was refused. What was sent more
/// often may still turn up there.
fn was_never_written(document: &DocumentRow, postings: &[PostingRow]) -> bool {
    document.visma_number.is_none()
        && postings.iter().all(|row| match row.state {
            PostingState::Planned => row.attempts == 0,
            PostingState::Refused => row.attempts <= 1,
            PostingState::Intended
            | PostingState::Accepted
            | PostingState::Uncertain
            | PostingState::Done
            | PostingState::Verified
            | PostingState::Differs
            | PostingState::Held => false,
        })
}
