//! What a person asks for: `release` and `replay`, `pause` and `resume`, `prune`. Asked by a row that the owner carries out, so
//! that it works beside a running process too.

use super::engine::{Engine, entry};
use super::error::SyncError;
use super::ids::moment_id;
use super::prune::PRUNE;
use crate::audit::hash_text;
use crate::clock;
use crate::config::Roles;
use crate::decide::{Override, Role, catalogue, overrides_in_force};
use crate::procurement::masked;
use crate::store::{Change, CommitError, DocumentRow, DocumentState, PauseRow, RequestRow, Store};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// What can be asked for one document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ManualVerb {
    /// A held document: judge it again and post it if it passes now.
    Release,
    /// Any document that stands still: decide it again from what is stored, post what is missing.
    Replay,
}

impl ManualVerb {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Replay => "replay",
        }
    }

    const fn takes(self, state: DocumentState) -> bool {
        match state {
            DocumentState::Held => true,
            DocumentState::Posted
            | DocumentState::Ignored
            | DocumentState::Cancelled
            | DocumentState::Waiting => matches!(self, Self::Replay),
            // These move by themselves.
            DocumentState::Unread | DocumentState::Ready | DocumentState::Posting => false,
        }
    }
}

/// A request as it was put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    pub id: String,
}

/// A hold that shall not stop the document, as the person saw it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetAside {
    pub code: String,
    pub text: String,
}

/// What a request says beside its verb.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Detail {
    set_aside: Vec<SetAside>,
    /// Take back what is released by a credit note, and make it anew.
    correct: bool,
}

impl ManualVerb {
    pub async fn ask(
        self,
        store: &Store,
        unit: &str,
        document: &str,
        actor: &str,
        reason: &str,
    ) -> Result<Asked, SyncError> {
        put(self, store, unit, document, (actor, reason), Detail::default()).await
    }
}

/// Asks to decide a document again, and to take back what is released where it is to be another.
pub async fn ask_to_correct(
    store: &Store,
    unit: &str,
    document: &str,
    actor: &str,
    reason: &str,
) -> Result<Asked, SyncError> {
    let detail = Detail { correct: true, ..Detail::default() };
    put(ManualVerb::Replay, store, unit, document, (actor, reason), detail).await
}

/// Asks to release a held document although these holds stand.
pub async fn ask_to_set_aside(
    store: &Store,
    unit: &str,
    document: &str,
    actor: &str,
    reason: &str,
    holds: Vec<SetAside>,
) -> Result<Asked, SyncError> {
    let detail = Detail { set_aside: holds, ..Detail::default() };
    put(ManualVerb::Release, store, unit, document, (actor, reason), detail).await
}

const PAUSE: &str = "pause";
const RESUME: &str = "resume";

/// Asks that a connection stands still from now on, or goes on again.
pub async fn ask_to_pause(
    store: &Store,
    unit: &str,
    connection: &str,
    paused: bool,
    actor: &str,
    reason: &str,
) -> Result<Asked, SyncError> {
    let at = clock::now();
    let id = moment_id(&format!("connection {connection}"), at);
    let request = RequestRow {
        id: id.clone(),
        verb: if paused { PAUSE } else { RESUME }.to_owned(),
        document: connection.to_owned(),
        actor: actor.to_owned(),
        reason: reason.to_owned(),
        detail: "{}".to_owned(),
    };
    store.ask(unit, &request, at).await?;
    Ok(Asked { id })
}

async fn put(
    verb: ManualVerb,
    store: &Store,
    unit: &str,
    document: &str,
    (actor, reason): (&str, &str),
    detail: Detail,
) -> Result<Asked, SyncError> {
    let at = clock::now();
    let id = moment_id(document, at);
    let request = RequestRow {
        id: id.clone(),
        verb: verb.as_str().to_owned(),
        document: document.to_owned(),
        actor: actor.to_owned(),
        reason: reason.to_owned(),
        detail: serde_json::to_string(&detail).expect("plain data"),
    };
    store.ask(unit, &request, at).await?;
    Ok(Asked { id })
}

/// The role in which an account may set holds of this code aside, or why it may not.
pub fn role_to_set_aside(roles: &Roles, account: &str, code: &str) -> Result<Role, String> {
    let entry = catalogue()
        .into_iter()
        .find(|entry| entry.code == code)
        .ok_or_else(|| format!("`{code}` is no code: `ml-connector hold catalogue` lists them"))?;
    let Some(role) = entry.override_by else {
        return Err(format!("`{code}` cannot be set aside by anybody: {}", lower_first(entry.fix)));
    };
    if roles.allow(account, role) {
        return Ok(role);
    }
    let list = match role {
        Role::TwoPeople => "ap",
        Role::Ap | Role::Buyer | Role::Controller => role.as_str(),
    };
    Err(format!(
        "`{code}` may be set aside by {}, and the account `{account}` has no such role: add it to the \
         configuration, e.g. {list} = [\"{account}\"] under [roles]",
        match role {
            Role::TwoPeople => "two people with any role".to_owned(),
            Role::Ap | Role::Buyer | Role::Controller => format!("the role {}", role.as_str()),
        }
    ))
}

fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

impl Engine {
    /// Carries out what was asked since the last look.
    pub async fn carry_out_requests(&self) -> Result<u64, SyncError> {
        let mut done = 0;
        for request in self.store.open_requests(&self.unit.id).await? {
            let at = clock::now();
            if matches!(request.verb.as_str(), PAUSE | RESUME) {
                self.carry_out_pause(&request, at).await?;
                done += 1;
                continue;
            }
            if request.verb == PRUNE {
                self.carry_out_prune(&request).await?;
                done += 1;
                continue;
            }
            let verb = [ManualVerb::Release, ManualVerb::Replay]
                .into_iter()
                .find(|verb| verb.as_str() == request.verb);
            let document = self.store.document(&request.document).await?;
            let mut change = Change::new();
            let result = match (verb, &document) {
                (Some(ManualVerb::Release), Some(document))
                    if document.state == DocumentState::Posted && document.attention.is_some() =>
                {
                    self.release_posted(document, &request, at, &mut change).await?
                }
                (Some(_), Some(DocumentRow { pruned: Some(pruned), .. })) => {
                    format!("not done: it is not decided again. {}", pruned.in_words())
                }
                (Some(verb), Some(document)) if verb.takes(document.state) => {
                    self.carry_out_request(verb, &request, document, at, &mut change).await?
                }
                (Some(verb), Some(document)) => {
                    format!(
                        "not done: the document is {}, which {} does not take",
                        document.state.as_str(),
                        verb.as_str()
                    )
                }
                (None, _) | (_, None) => "not done: no such document or verb".into(),
            };
            change.finish_request(&request.id, &result, at);
            match self.commit(change).await {
                Ok(()) => done += 1,
                // It moved meanwhile; the next look sees where it stands.
                Err(SyncError::Commit(CommitError::Guard(_))) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }

    /// `request.document` is the connection here.
    async fn carry_out_pause(&self, request: &RequestRow, at: i64) -> Result<(), SyncError> {
        let connection = &request.document;
        let known = self.store.pauses().await?;
        let known = known.iter().find(|row| row.connection == *connection);
        let mut change = Change::new();
        let result = match (request.verb == PAUSE, known) {
            (true, Some(row)) => {
                format!("not done: it is paused already, by {} ({})", row.actor, row.reason)
            }
            (false, None) => "not done: it is not paused".to_owned(),
            (paused, _) => {
                if paused {
                    change.pause(&PauseRow {
                        connection: connection.clone(),
                        actor: request.actor.clone(),
                        reason: request.reason.clone(),
                        since: at,
                    });
                } else {
                    change.resume(connection);
                }
                let mut log = entry(connection, "", &request.verb, at);
                log.actor = request.actor.clone();
                log.detail = json!({ "reason": request.reason, "request": request.id }).to_string();
                change.log(log);
                "carried out".to_owned()
            }
        };
        change.finish_request(&request.id, &result, at);
        self.commit(change).await
    }

    async fn carry_out_request(
        &self,
        verb: ManualVerb,
        request: &RequestRow,
        document: &DocumentRow,
        at: i64,
        change: &mut Change,
    ) -> Result<String, SyncError> {
        let detail: Detail = serde_json::from_str(&request.detail)
            .map_err(|error| SyncError::Inner(error.to_string()))?;
        if !detail.set_aside.is_empty() {
            let words = match self.words(request, &detail.set_aside).await? {
                Ok(words) => words,
                Err(why) => return Ok(format!("not done: {why}")),
            };
            for word in &words {
                change.keep_override(&document.id, word, at);
                let mut log = entry(&document.connection, &document.id, "override", at);
                log.actor = request.actor.clone();
                // Which sentence it was is proven by its hash; the trail is handed out, accounts are not.
                log.detail = json!({
                    "code": word.code, "text": masked(&word.text),
                    "text_sha256": hash_text(&word.text), "role": word.role.as_str(),
                    "reason": word.reason, "request": request.id,
                })
                .to_string();
                change.log(log);
            }
            let said = self.store.overrides_of(&document.id).await?;
            let said: Vec<Override> =
                said.into_iter().map(|row| row.word).chain(words.iter().cloned()).collect();
            let counted = overrides_in_force(&said);
            let counts = |word: &Override| {
                counted.iter().any(|of| of.code == word.code && of.text == word.text)
            };
            if !words.iter().any(counts) {
                return Ok("waits for a second person".into());
            }
        }
        if detail.correct {
            if request.reason.trim().is_empty() {
                return Ok("not done: what is released is taken back with a reason only".into());
            }
            change.ask_correction(&document.id);
        }
        change.move_document(&document.id, document.state, DocumentState::Ready, at);
        if document.connection.is_empty() {
            change.route_again(&document.id);
        }
        let action = if detail.correct { "correct" } else { verb.as_str() };
        let mut log = entry(&document.connection, &document.id, action, at);
        log.actor = request.actor.clone();
        log.from_state = document.state.as_str().into();
        log.to_state = DocumentState::Ready.as_str().into();
        log.detail = json!({ "reason": request.reason, "request": request.id }).to_string();
        change.log(log);
        Ok("carried out".into())
    }

    /// What the person says, if this person may say it about holds that still stand so.
    async fn words(
        &self,
        request: &RequestRow,
        set_aside: &[SetAside],
    ) -> Result<Result<Vec<Override>, String>, SyncError> {
        if request.reason.trim().is_empty() {
            return Ok(Err("a hold is set aside with a reason only".into()));
        }
        let holds = self.store.holds_of(&request.document).await?;
        let mut words = Vec::new();
        for SetAside { code, text } in set_aside {
            let role = match role_to_set_aside(&self.roles, &request.actor, code) {
                Ok(role) => role,
                Err(why) => return Ok(Err(why)),
            };
            if !holds.iter().any(|hold| hold.code == *code && hold.text == *text) {
                return Ok(Err(format!(
                    "the document is not held by `{code}` with these numbers any more"
                )));
            }
            words.push(Override {
                code: code.clone(),
                text: text.clone(),
                actor: request.actor.clone(),
                role,
                reason: request.reason.clone(),
            });
        }
        Ok(Ok(words))
    }
}
