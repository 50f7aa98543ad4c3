//! What a posting's move and a hold leave in the trail.

use crate::decide::Hold;
use crate::store::{Change, DocumentRow, DocumentState, PostingRow};
use crate::sync::engine::{Connection, entry};
use serde_json::json;

/// A posting's move, for the trail; the caller adds the detail.
pub fn step_entry(
    connection: &Connection,
    from: &PostingRow,
    to: &PostingRow,
    now: i64,
) -> crate::audit::Entry {
    let mut log = entry(
        &connection.id,
        &from.document,
        &format!("{}_{}", from.step.as_str(), to.state.as_str()),
        now,
    );
    log.from_state = from.state.as_str().into();
    log.to_state = to.state.as_str().into();
    log.detail = json!({ "step": from.step.as_str(), "error": to.error }).to_string();
    log
}

pub fn hold_document(
    connection: &Connection,
    document: &DocumentRow,
    hold: &Hold,
    now: i64,
    change: &mut Change,
) {
    change.move_document(&document.id, document.state, DocumentState::Held, now);
    change.set_holds(&document.id, std::slice::from_ref(hold), now);
    let mut log = entry(&connection.id, &document.id, "held", now);
    log.from_state = document.state.as_str().into();
    log.to_state = DocumentState::Held.as_str().into();
    log.detail = json!({ "codes": [&hold.code], "text": hold.text }).to_string();
    change.log(log);
}
