use super::output::{Failure, Output};
use ml_connector::audit::{ChainFault, ChainLink, ChainedEntry, Head, Verifier};
use ml_connector::clock;
use ml_connector::store::Store;
use serde_json::json;
use std::collections::BTreeMap;
use std::io::Write;
use std::process::ExitCode;

const PAGE: i64 = 1000;

#[derive(clap::Subcommand)]
pub enum Command {
    /// Reads every chain and says whether it holds.
    Verify {
        /// A head printed earlier (`SEQ:HASH` or the hash): must be found in a chain.
        #[arg(long)]
        head: Option<String>,
    },
    /// The whole trail as JSON Lines on stdout.
    Export,
}

pub async fn run(command: &Command, store: &Store, output: &Output) -> Result<ExitCode, Failure> {
    match command {
        Command::Verify { head } => verify_command(store, head.as_deref(), output).await,
        Command::Export => export(store).await,
    }
}

/// What reading the chains found.
pub struct Verified {
    pub entries: i64,
    pub heads: BTreeMap<String, Head>,
    pub faults: Vec<ChainFault>,
}

pub async fn verify(store: &Store, kept: Option<&str>) -> Result<Verified, Failure> {
    let mut verified = Verified { entries: 0, heads: BTreeMap::new(), faults: Vec::new() };
    let kept_hash = kept.map(|kept| kept.rsplit(':').next().unwrap_or(kept).to_owned());
    let mut kept_found = kept_hash.is_none();
    let mut linking: Vec<ChainedEntry> = Vec::new();
    for row in store.ownerships().await? {
        let mut verifier = Verifier::new(&row.unit);
        let mut after = 0;
        let mut fault = None;
        'chain: loop {
            let page = store.audit_page(&row.unit, after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = last.seq;
            for entry in &page {
                if let Err(found) = verifier.next(entry) {
                    fault = Some(found);
                    break 'chain;
                }
                verified.entries += 1;
                if ChainLink::of(entry).is_some() {
                    linking.push(entry.clone());
                }
                kept_found |= kept_hash.as_deref() == Some(entry.hash.as_str());
            }
        }
        let end = Head { seq: row.head_seq, hash: row.head_hash };
        match fault.map_or_else(|| verifier.finish(&end), Err) {
            Ok(head) => {
                verified.heads.insert(row.unit, head);
            }
            Err(fault) => verified.faults.push(fault),
        }
    }
    for entry in &linking {
        verified.faults.extend(fault_of_link(store, &verified.heads, entry).await?);
    }
    if !kept_found {
        verified.faults.push(ChainFault::HeadUnknown { head: kept.unwrap_or_default().to_owned() });
    }
    Ok(verified)
}

/// What is wrong with an entry that names another chain.
async fn fault_of_link(
    store: &Store,
    heads: &BTreeMap<String, Head>,
    entry: &ChainedEntry,
) -> Result<Option<ChainFault>, Failure> {
    let (link, is_the_end) = match ChainLink::of(entry) {
        None => return Ok(None),
        Some(Err(fault)) => return Ok(Some(fault)),
        Some(Ok(link)) => link,
    };
    let (unit, seq) = (entry.unit.clone(), entry.seq);
    if is_the_end && heads.get(&unit).is_some_and(|head| head.seq != seq) {
        return Ok(Some(ChainFault::AfterEnd { unit, seq }));
    }
    let named = store.audit_page(&link.unit, link.seq - 1, 1).await?;
    let hash = named.first().filter(|named| named.seq == link.seq).map(|named| named.hash.as_str());
    Ok((!link.holds(hash)).then(|| ChainFault::OtherChain {
        unit,
        seq,
        other: link.unit.clone(),
        named: link.seq,
    }))
}

async fn verify_command(
    store: &Store,
    kept: Option<&str>,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let verified = verify(store, kept).await?;
    let ok = verified.faults.is_empty();
    let faults: Vec<String> = verified.faults.iter().map(ToString::to_string).collect();
    let head = verified.heads.values().next().map(|head| format!("{}:{}", head.seq, head.hash));
    output.print(&json!({
        "ok": ok, "entries": verified.entries, "head": head, "heads": verified.heads, "faults": faults,
    }));
    for fault in &faults {
        eprintln!("ml-connector: {fault}");
    }
    if ok {
        output.say(format!("the trail holds: {} entries", verified.entries));
        for (unit, head) in &verified.heads {
            output.say(format!("head of {unit}: {}:{}", head.seq, head.hash));
        }
        Ok(ExitCode::SUCCESS)
    } else {
        Ok(ExitCode::from(1))
    }
}

async fn export(store: &Store) -> Result<ExitCode, Failure> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for row in store.ownerships().await? {
        let mut after = 0;
        loop {
            let page = store.audit_page(&row.unit, after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = last.seq;
            for chained in &page {
                let line = json!({
                    "unit": chained.unit, "seq": chained.seq, "at": clock::rfc3339(chained.entry.at),
                    "at_micros": chained.entry.at, "actor": chained.entry.actor,
                    "action": chained.entry.action, "connection": chained.entry.connection,
                    "document": chained.entry.document, "from": chained.entry.from_state,
                    "to": chained.entry.to_state, "detail": chained.entry.detail,
                    "previous_hash": chained.previous_hash, "hash": chained.hash,
                });
                writeln!(out, "{line}").map_err(Failure::could_not)?;
            }
        }
    }
    out.flush().map_err(Failure::could_not)?;
    Ok(ExitCode::SUCCESS)
}
