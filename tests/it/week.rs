//! A week of schedules over a change of the clocks. The time is simulated; the scheduler, the rounds, the
//! wire, the store and both systems are the real ones of every other story. The source is the one that
//! stamps in local time without a zone, so that an hour of its stamps comes twice in autumn.
//!
//! What the simulated time does not reach: the engine stamps its own rows by the machine's clock, and waits for
//! uncertain writes by it.

use crate::flow::{Flow as World, postable};
use crate::stores::{self, TestStore};
use ml_connector::schedule::{Event, Flow, LastRun, MINUTE, Member, Scheduler};
use ml_connector::store::Change;
use ml_connector::sync::{
    Access, Engine, Silent, Worker, open_connections, rules_anew, run_round, take_unit, units,
};
use ml_connector::vault::Vault;
use ml_connector_sandbox::jaggaer::{Fault, Faults, Profile, Rate};
use ml_connector_sandbox::world::OrderChange;
use ml_connector_sandbox::{Settings, faults};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// Reconciling is no poll of documents, and of no matter here. The papers keep the dates of the sandbox's own autumn, so
/// they may lie ahead of the week.
const SCHEDULE: &str = "[connection.schedule]\norders = \"every hour\"\ninvoices = \"20 * * * *\"\n\
    suppliers = \"every 12 hours\"\naccounts = \"30 2 * * *\"\ndimensions = \"0 4 * * mon-fri\"\n\
    status_back = \"never\"\n    reconcile = \"never\"\njitter_seconds = 600\n\
    [connection.validation]\nfuture_days = 366\n";

fn at(text: &str) -> i64 {
    text.parse::<jiff::Timestamp>().expect("an instant").as_microsecond()
}

/// What happens in JAGGAER, at which simulated instant.
#[derive(Debug, Clone, Copy)]
enum Happens {
    Order,
    /// Bills the oldest order that was not billed.
    Invoice,
    /// The newest order that was not billed is ordered anew.
    OrderChanged,
    /// Nothing but the stamp moves.
    Touched,
}

/// Papers come all week, and every seven minutes in the six hours around the change.
fn script(from: i64, change: i64, random: &mut fastrand::Rng) -> BTreeMap<i64, Happens> {
    let mut times: Vec<i64> = (0..50).map(|n| change - 3 * HOUR + n * 7 * MINUTE).collect();
    times.extend((0..40).map(|_| random.i64(from + HOUR..from + 7 * DAY - 4 * HOUR)));
    times.sort_unstable();
    let kinds = [Happens::Order, Happens::Touched, Happens::OrderChanged, Happens::Invoice];
    times.into_iter().enumerate().map(|(n, time)| (time, kinds[n % 4])).collect()
}

struct Week {
    world: World,
    script: BTreeMap<i64, Happens>,
    unbilled: Vec<String>,
    /// What JAGGAER has made since the beginning, by flow.
    made: BTreeMap<Flow, Vec<String>>,
    /// The simulated time.
    now: i64,
    rounds: u64,
    bad_rounds: u64,
    starts: BTreeMap<Flow, u64>,
    firsts: BTreeMap<Flow, i64>,
    asked_jaggaer: u64,
}

impl Week {
    /// All that happens until the simulated now.
    fn happen(&mut self) {
        let world = self.world.sandbox.world();
        let vendor = self.world.vendor();
        let later = self.script.split_off(&(self.now + 1));
        for (time, what) in std::mem::replace(&mut self.script, later) {
            // It stamps a second after this.
            world.put_clock(time / 1000 - 1000);
            match what {
                Happens::Order => {
                    let id = world.add_order(vendor);
                    self.made.entry(Flow::Orders).or_default().push(id.clone());
                    self.unbilled.push(id);
                }
                Happens::Invoice if self.unbilled.is_empty() => {}
                Happens::Invoice => {
                    let order = self.unbilled.remove(0);
                    let id = world.add_invoice(&order).expect("the order is there");
                    self.made.entry(Flow::Invoices).or_default().push(id);
                }
                Happens::OrderChanged => {
                    if let Some(order) = self.unbilled.last() {
                        let change = OrderChange::Quantity { line: 0, quantity: 3.into() };
                        assert!(world.change_order(order, &change));
                    }
                }
                Happens::Touched => {
                    if let Some(order) = self.unbilled.last() {
                        assert!(world.change_order(order, &OrderChange::Touch));
                    }
                }
            }
        }
    }

    /// One process, from now until `until` or until it dies in the middle of a round.
    async fn process(&mut self, until: i64, dies: bool, random: &mut fastrand::Rng) {
        let (config, store) = (self.world.config.clone(), self.world.store.clone());
        let unit = units(&store, &config).await.expect("units").remove(0);
        let (lease, patience) = (Duration::from_secs(30), Duration::from_secs(5));
        let worker = Worker::join(&store, false, lease, patience).await.expect("nobody else");
        let vault = Vault::default();
        let opened = open_connections(&config, &vault, &unit, None, Access::ReadAndWrite);
        let owned = take_unit(&store, &unit, &worker, patience).await;
        let (_ask, stop) = tokio::sync::watch::channel(false);
        let mut engine = Engine::new(
            store.clone(),
            &config,
            unit.clone(),
            opened.connections.clone(),
            owned.expect("the unit is free"),
            Arc::new(Silent),
            stop,
        );
        let members = vec![Member {
            connection: "no".into(),
            timetable: config.timetable(&unit, &config.connections[0]),
            paused: false,
        }];
        let kept = store.flow_runs(&unit.id).await.expect("the store reads");
        let mut scheduler = Scheduler::new(members, &kept, self.now);
        while self.now < until {
            self.happen();
            let look = scheduler.look(self.now);
            let due: BTreeSet<Flow> = look.due.iter().map(|due| due.flow).collect();
            if due.is_empty() {
                self.now = look.next.expect("something is always planned").min(until);
                continue;
            }
            let started = self.now;
            for flow in &due {
                assert!(!scheduler.is_running(*flow), "two rounds of {flow} at once");
                scheduler.tell(Event::Started(*flow), started);
            }
            rules_anew(&mut engine, &opened.connections).await.expect("rules");
            let (requests, told) = run_round(&engine, &due).await;
            self.asked_jaggaer += requests.jaggaer;
            self.rounds += 1;
            // Most rounds are short, and some last longer than the next planned time is away.
            let lasts = if random.u8(0..20) == 0 { 150 * MINUTE } else { 2 * MINUTE };
            self.now += lasts;
            assert!(scheduler.look(self.now).due.iter().all(|next| !due.contains(&next.flow)));
            if self.now >= until && dies {
                break;
            }
            let failed = !told.errors.is_empty();
            self.bad_rounds += u64::from(failed);
            let mut change = Change::new();
            for flow in &due {
                let event = if failed { Event::Failed(*flow) } else { Event::Ended(*flow) };
                scheduler.tell(event, self.now);
                let last = scheduler.last(*flow).expect("it ran");
                change.keep_flow_run(&unit.id, *flow, &last);
                *self.starts.entry(*flow).or_default() += 1;
                self.firsts.entry(*flow).or_insert(started);
            }
            engine.commit(change).await.expect("kept");
            if !failed {
                self.assert_seen(&due, started).await;
            }
        }
        engine.close().await.expect("given back");
    }

    /// A good round of a flow has brought everything that JAGGAER had when it began.
    async fn assert_seen(&self, due: &BTreeSet<Flow>, started: i64) {
        let documents = self.world.documents().await;
        let known: BTreeSet<&str> = documents.iter().map(|of| of.source_id.as_str()).collect();
        for flow in due {
            for id in self.made.get(flow).into_iter().flatten() {
                let time = jiff::Timestamp::from_microsecond(started).expect("in range");
                assert!(known.contains(id.as_str()), "{id} was not seen by the round at {time}");
            }
        }
    }
}

/// Both sides misbehave, and a little more than that happens while pages are read.
fn misbehave(world: &World, seed: u64) {
    let rates = [
        (Fault::UnauthorizedOnce, 10, 8),
        (Fault::Unavailable, 20, 20),
        (Fault::CutPage, 20, 10),
        (Fault::MovedRecord, 100, 20),
        (Fault::RepeatedRecord, 100, 20),
        (Fault::ChangedWhilePaging, 150, 30),
        (Fault::ErrorInside, 20, 10),
    ];
    let rates = rates
        .map(|(fault, per_mille, at_most)| (fault, Rate { per_mille, at_most: Some(at_most) }));
    let faults = Faults { seed, rates: BTreeMap::from(rates), ..Faults::default() };
    world.sandbox.jaggaer_faults().set(faults);
    world.sandbox.visma_faults().set(faults::Faults::level(faults::Level::Some, seed));
}

/// `planned`: how often invoices and accounts are planned in that week, counted by hand.
async fn week(test: TestStore, from: &str, change: &str, planned: (i64, i64)) {
    let (from, change) = (at(from), at(change));
    let to = from + 7 * DAY;
    let settings = Settings { profile: Profile::Alternate, ..postable(31, 30) };
    let mut world = World::start(settings, test).await;
    let path = world.folder.join("ml-connector.toml");
    let text = std::fs::read_to_string(&path).expect("written before");
    // Small pages, so that what a read brings has several and something can happen between them.
    let text = text.replace("requests_per_second = 0", "requests_per_second = 0\npage_size = 4");
    std::fs::write(&path, format!("{text}\n{SCHEDULE}")).expect("writable");
    world.config = ml_connector::config::Config::load(&path).expect("good");
    world.sandbox.world().put_clock(from / 1000 - 60_000);
    let mut random = fastrand::Rng::with_seed(7);
    let mut week = Week {
        script: script(from, change, &mut random),
        world,
        unbilled: Vec::new(),
        made: BTreeMap::new(),
        now: from,
        rounds: 0,
        bad_rounds: 0,
        starts: BTreeMap::new(),
        firsts: BTreeMap::new(),
        asked_jaggaer: 0,
    };
    misbehave(&week.world, 5);
    // The process dies on the second day in the middle of a round, and is away for nine hours.
    week.process(from + 28 * HOUR, true, &mut random).await;
    week.now += 9 * HOUR;
    week.process(to, false, &mut random).await;

    let happened = week.world.sandbox.jaggaer_faults().happened();
    for fault in [Fault::ChangedWhilePaging, Fault::MovedRecord, Fault::RepeatedRecord] {
        assert!(happened.get(&fault).is_some_and(|times| *times > 3), "{fault:?}: {happened:?}");
    }
    // Every planned time went somewhere, and every start came from somewhere.
    let kept: BTreeMap<Flow, LastRun> = week.world.store.flow_runs("no").await.expect("reads");
    let unit = units(&week.world.store, &week.world.config).await.expect("units").remove(0);
    let timetable = week.world.config.timetable(&unit, &week.world.config.connections[0]);
    for (flow, last) in &kept {
        let account = last.account;
        assert_eq!(account.planned, account.run + account.folded, "{flow}: {account:?}");
        assert_eq!(week.starts[flow], account.run + account.extra, "{flow}: {account:?}");
        let whole = last.started_at - week.firsts[flow];
        match flow {
            Flow::Orders => assert!((account.planned as i64 - whole / HOUR).abs() <= 1),
            Flow::Suppliers => assert!((account.planned as i64 - whole / (12 * HOUR)).abs() <= 1),
            Flow::Invoices => {
                assert!((planned.0 - 1..=planned.0).contains(&(account.planned as i64)))
            }
            Flow::Accounts => assert_eq!(account.planned as i64, planned.1),
            Flow::Dimensions | Flow::StatusBack | Flow::Reconcile => {}
        }
        // Nothing that was planned in this week is left over.
        let next = timetable.next_after(*flow, last.started_at).expect("it goes on");
        assert!(next >= to - 3 * HOUR, "{flow}");
    }
    assert!(
        week.bad_rounds > 0 && week.bad_rounds * 4 < week.rounds,
        "{} of {}",
        week.bad_rounds,
        week.rounds
    );
    // Every poll: the rounds tell of as many requests as JAGGAER had.
    let rounds = week.world.store.rounds(10_000).await.expect("the store reads");
    assert_eq!(rounds.len() as u64, week.rounds);
    assert_eq!(week.asked_jaggaer, week.world.sandbox.jaggaer().calls().total());

    // Nothing is lost and nothing is there twice, as Visma's own book has it.
    week.world.sandbox.jaggaer_faults().set(Faults::default());
    week.world.sandbox.visma_faults().set(faults::Faults::default());
    week.world.sync_to_the_end().await;
    week.world.assert_clean();
    // And as JAGGAER's own list has it, and Visma's.
    let (done, status) = week.world.run_json(&["reconcile"]).await;
    assert_eq!((done["balanced"].as_bool(), status), (Some(true), 0), "{done:#}");
}

const AUTUMN: (&str, &str, (i64, i64)) = ("2026-10-21T22:00:00Z", "2026-10-25T01:00:00Z", (168, 7));
const SPRING: (&str, &str, (i64, i64)) = ("2026-03-25T23:00:00Z", "2026-03-29T01:00:00Z", (168, 7));

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_week_over_the_change_in_autumn() {
    for test in stores::both().await {
        week(test, AUTUMN.0, AUTUMN.1, AUTUMN.2).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_week_over_the_change_in_spring() {
    for test in stores::both().await {
        week(test, SPRING.0, SPRING.1, SPRING.2).await;
    }
}
