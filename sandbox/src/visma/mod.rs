//! A Visma.net ERP company over HTTP, as strict and as forgetful as the real one: what it would refuse is refused,
//! what it would swallow is swallowed. It computes VAT and totals itself, and it keeps its own book of what it got.

mod attachment;
mod background;
mod book;
mod gate;
mod invoice;
mod invoice_lines;
mod invoice_write;
mod ledger;
mod list;
pub mod masters;
mod members;
mod order;
mod order_write;
mod read;
mod receipt;
mod reference;
mod reply;
mod routes;
mod rules;
mod seed;
mod service;
mod state;
#[cfg(test)]
mod tests;
mod token;
mod vat;
mod webhook;
mod wire;

pub use book::{CallCount, Calls, DocumentKind, ExpectedDocument, Findings, HeldDocument, Report};
pub use webhook::{Signature, Subscription};

use crate::faults::{Fault, Switchboard};
use jiff::civil::DateTime;
use masters::Masters;
use reply::{Refusal, Reply, version};
use state::{Delay, State};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// The two kinds of tenant that a token can be asked for.
#[derive(Debug, Clone)]
pub struct Tenants {
    pub company: String,
    /// Gets tokens that no call accepts.
    pub customer: String,
}

/// How the simulated company is set up.
#[derive(Debug, Clone)]
pub struct Settings {
    pub seed: u64,
    pub tenants: Tenants,
    pub client_id: String,
    pub client_secret: String,
    /// Scopes that the integration administrator has granted.
    pub granted_scopes: Vec<String>,
    pub token_seconds: u64,
    /// 400 or 401 for wrong client credentials.
    pub invalid_client_status: u16,
    /// Header that must name the tenant; `None`: not looked at.
    pub tenant_header: Option<String>,
    pub calls_per_window: u64,
    pub window: Duration,
    /// At most so many calls in so long.
    pub burst: Option<(usize, Duration)>,
    /// Every answer waits so long, as over a real network.
    pub answer_after: Duration,
    /// Company-local time at the start.
    pub now: DateTime,
    pub max_page_invoices: usize,
    pub max_page_orders: usize,
    pub max_page_receipts: usize,
    pub max_page_suppliers: usize,
    /// Lines on a page of journal batches.
    pub max_page_journal_lines: usize,
    /// The moment that the list of batches is filtered by means that very moment, not from it on.
    pub journal_moment_is_exact: bool,
    /// A batch may begin on one page and end on the next.
    pub batches_cut_at_pages: bool,
    /// Whether the application may read journal batches.
    pub journal_granted: bool,
    /// Batches of the ledger bring lines of one account and subaccount together.
    pub summary_batches: bool,
    pub payables_account: String,
    pub vat_account: String,
    /// VAT that the buyer owes himself stands here too, on the other side.
    pub reverse_vat_account: String,
    pub rounding_account: String,
    /// Lists come in no order of keys.
    pub shuffled_lists: bool,
    /// `Location` names another host than the one called.
    pub foreign_location: bool,
    pub refuse_repeated_reference: bool,
    /// What a document without `hold` becomes.
    pub hold_by_default: bool,
    /// A background job runs after so many questions for its state ...
    pub background_polls: u32,
    /// ... or after so long.
    pub background_delay: Duration,
    /// Longer texts are cut without a word.
    pub longest_reference: usize,
    pub longest_description: usize,
    pub longest_order_description: usize,
}

impl Settings {
    /// The set-up of the demonstration.
    pub fn defaults() -> Self {
        let scope = |right: &str| format!("vismanet_erp_service_api:{right}");
        Self {
            seed: 1,
            tenants: Tenants {
                company: "11111111-1111-4111-8111-111111111111".into(),
                customer: "22222222-2222-4222-8222-222222222222".into(),
            },
            client_id: "sandbox-visma".into(),
            client_secret: "sandbox-visma-secret".into(),
            granted_scopes: ["read", "create", "update", "delete"].map(scope).to_vec(),
            token_seconds: 3600,
            invalid_client_status: 400,
            tenant_header: Some("tenant_id".into()),
            calls_per_window: 5000,
            window: Duration::from_secs(3600),
            burst: None,
            answer_after: Duration::ZERO,
            now: jiff::civil::date(2026, 11, 23).at(8, 0, 0, 0),
            max_page_invoices: 500,
            max_page_orders: 500,
            max_page_receipts: 500,
            max_page_suppliers: 1000,
            max_page_journal_lines: 500,
            journal_moment_is_exact: false,
            batches_cut_at_pages: false,
            journal_granted: true,
            summary_batches: false,
            payables_account: "2400".into(),
            vat_account: "2710".into(),
            reverse_vat_account: "2701".into(),
            rounding_account: "7770".into(),
            shuffled_lists: false,
            foreign_location: false,
            refuse_repeated_reference: false,
            hold_by_default: true,
            background_polls: 2,
            background_delay: Duration::from_millis(100),
            longest_reference: 40,
            longest_description: 256,
            longest_order_description: 60,
        }
    }
}

/// The simulator. One value is one company.
pub struct Visma {
    settings: Settings,
    masters: Masters,
    board: Arc<Switchboard>,
    state: Mutex<State>,
}

impl Visma {
    /// A company with its masters and its hand-keyed documents.
    ///
    /// # Panics
    /// When a hand-keyed document names masters that are not there.
    pub fn new(settings: Settings, masters: Masters, board: Arc<Switchboard>) -> Arc<Self> {
        let state = State::new(settings.now, settings.seed, Instant::now());
        let visma = Self { settings, masters, board, state: Mutex::new(state) };
        visma.with_desk(|desk| desk.key_in_documents());
        Arc::new(visma)
    }

    /// The API and its token endpoint. Unknown paths are answered here too.
    pub fn router(self: &Arc<Self>) -> axum::Router {
        axum::Router::new().fallback(service::handle).with_state(Arc::clone(self))
    }

    /// Moves the company's clock.
    pub fn advance(&self, by: jiff::SignedDuration) {
        let mut state = self.lock();
        state.clock = state.clock.saturating_add(by);
    }

    /// All that is open on an order arrives, and its receipt is released; `false`: there is no such order.
    pub fn receive(&self, order_number: &str) -> bool {
        self.with_desk(|desk| {
            let Some(row) = desk.state.orders.get(order_number) else { return false };
            let open = row.live.doc.lines.iter().enumerate();
            let lines = open
                .map(|(order_line, line)| masters::ReceiptLine {
                    order: 0,
                    order_line,
                    quantity: line.quantity - line.received,
                })
                .filter(|line| line.quantity > rust_decimal::Decimal::ZERO)
                .collect();
            let receipt = masters::Receipt {
                received_on: desk.settings.now.date(),
                status: "Released".into(),
                lines,
            };
            desk.key_in_receipt(&receipt, &[order_number.to_owned()]);
            true
        })
    }

    /// A person opens an invoice in the ERP and changes it; `false`: there is no such invoice.
    pub fn change_by_hand(
        self: &Arc<Self>,
        document_type: &str,
        number: &str,
        change: HandChange<'_>,
    ) -> bool {
        let changed = self.with_desk(|desk| {
            let Some(kind) = invoice_write::document_type(document_type) else { return false };
            let key = (kind, number.to_owned());
            let Some(mut invoice) = desk.state.invoices.get(&key).map(|row| row.live.doc.clone())
            else {
                return false;
            };
            match change {
                HandChange::Status(status) => {
                    let before = std::mem::replace(&mut invoice.status, status.into());
                    let counts = invoice.released() && status != "Voided";
                    if !counts {
                        desk.unbook(&mut invoice);
                    } else if matches!(before.as_str(), "Hold" | "Balanced") {
                        desk.book(&mut invoice);
                    }
                }
                HandChange::PaidInPart(minor) => {
                    let decimals = desk.decimals(&invoice.currency);
                    invoice.paid += rust_decimal::Decimal::new(minor, decimals);
                }
                HandChange::Deleted => return desk.delete_invoice(&key).is_ok(),
                HandChange::Description(text) => invoice.description = Some(text.into()),
                HandChange::BatchPutRight => return desk.put_batch_right(&key),
                HandChange::DearerBy(more) => {
                    let Some(line) = invoice.lines.first_mut() else { return false };
                    line.quantity = rust_decimal::Decimal::ONE;
                    line.unit_cost = line.cost + more;
                    line.cost += more;
                    if desk.settle(&mut invoice).is_err() {
                        return false;
                    }
                    // The amount at the head is keyed in with it.
                    let gross = invoice.gross();
                    invoice.control_amount = invoice.control_amount.map(|_| gross);
                }
                HandChange::KeyedInAgain(note) => {
                    invoice.number = desk.next_invoice_number(kind);
                    invoice.note = note.map(str::to_owned);
                    let stamp = desk.stamp();
                    let key = (kind, invoice.number.clone());
                    desk.state.invoices.insert(key, state::Row::new(invoice, stamp, true, None));
                    return true;
                }
            }
            desk.change_invoice_row(&key, invoice);
            true
        });
        self.send_letters();
        changed
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn with_desk<T>(&self, work: impl FnOnce(&mut Desk<'_>) -> T) -> T {
        let mut state = self.lock();
        let mut desk = Desk {
            state: &mut state,
            masters: &self.masters,
            settings: &self.settings,
            board: &self.board,
            now: Instant::now(),
        };
        work(&mut desk)
    }
}

/// What a person does to an invoice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HandChange<'a> {
    /// `Hold`, `Balanced`, `Open`, `Closed` (paid) or `Voided`.
    Status(&'a str),
    Description(&'a str),
    /// So much of it is paid, in the currency's minor unit; what is left stays open.
    PaidInPart(i64),
    /// A draft goes, without a trace in any list.
    Deleted,
    /// The document's batch in the ledger becomes what it should be, and is posted.
    BatchPutRight,
    /// The first line costs so much more.
    DearerBy(rust_decimal::Decimal),
    /// Another one like it, with this note.
    KeyedInAgain(Option<&'a str>),
}

/// A request, read and taken apart.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub method: &'static str,
    pub path: String,
    pub query: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub upload: Option<attachment::Upload>,
    pub if_match: Option<String>,
    pub background: bool,
    /// The end of the job is to be told.
    pub is_subscribed: bool,
    pub host: String,
}

/// Where a call is worked on: the state, and all that the work may look at.
pub(crate) struct Desk<'a> {
    pub state: &'a mut State,
    pub masters: &'a Masters,
    pub settings: &'a Settings,
    pub board: &'a Switchboard,
    pub now: Instant,
}

impl Desk<'_> {
    /// A new row version and its time.
    pub fn stamp(&mut self) -> (u64, DateTime) {
        let stand_still = self.board.fires(Fault::EqualTimestamps);
        self.state.stamp(stand_still)
    }

    /// When lists show the change that is being made.
    pub fn delay(&self) -> Delay {
        self.board.fires(Fault::DelayedVisibility).then(|| {
            let faults = self.board.settings();
            (
                self.state.calls + faults.visible_after_calls,
                self.now + Duration::from_millis(faults.visible_after_milliseconds),
            )
        })
    }

    /// 201 with the new key in `Location` and an empty object.
    pub fn created(&self, call: &Call, place: &str, row: u64) -> Reply {
        let host = if self.settings.foreign_location { "other.invalid" } else { &call.host };
        Reply::text(201, "{}".into())
            .with("location", format!("http://{host}{place}"))
            .with("etag", format!("\"{}\"", version(row)))
    }

    /// Runs the background jobs whose time has come; all of them when the company closes its books.
    pub fn run_jobs(&mut self, all: bool) {
        if self.state.jobs.is_empty() {
            return;
        }
        let ends = self.silence_ends();
        let due: Vec<String> = self
            .state
            .jobs
            .iter()
            .filter(|(_, job)| {
                job.reply.is_none()
                    && job.silence(ends, self.now) != background::Silence::WithoutWork
                    && (all || job.due(self.settings, self.now))
            })
            .map(|(id, _)| id.clone())
            .collect();
        for id in due {
            let Some(call) = self.state.jobs.get(&id).map(|job| job.call.clone()) else { continue };
            let reply = self.carry_out(&call);
            let status = reply.status;
            let Some(job) = self.state.jobs.get_mut(&id) else { continue };
            job.reply = Some(reply);
            if call.is_subscribed && job.silence(ends, self.now) == background::Silence::Talks {
                self.tell_job(&id, status, &call.host);
            }
        }
    }

    pub fn silence_ends(&self) -> Option<Duration> {
        self.board.settings().silence_milliseconds.map(Duration::from_millis)
    }

    /// The work of a call, now.
    pub fn carry_out(&mut self, call: &Call) -> Reply {
        let result: Result<Reply, Refusal> = routes::carry_out(self, call);
        result.unwrap_or_else(Reply::from)
    }
}
