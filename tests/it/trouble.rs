//! What happens to a machine: it is switched off, the disk is full, the other side is away. The
//! program says so in words, and a later run completes.

use crate::connector::{
    COMPANY, Connector, Options, assert_whole, finish, finish_child, moves, signal, small_sandbox,
};
use crate::stores;
use ml_connector::store::PostingState;
use std::time::Duration;

const SEED: u64 = 7;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn death_at_a_moment_drawn_by_lot_loses_and_doubles_nothing() {
    let mut random = fastrand::Rng::with_seed(42);
    for test in stores::both().await {
        let sandbox = small_sandbox(30, SEED, true).await;
        let options = Options { mode: "released", ..Options::default() };
        let connector = Connector::new(&sandbox, &test.url, &options);
        for _ in 0..6 {
            let mut child = connector.command(&["sync"]).spawn().unwrap();
            // A process that took over waits for the dead one's lease on PostgreSQL.
            let wait = if test.url.starts_with("sqlite") { 0 } else { 1500 };
            let moment = Duration::from_millis(wait + random.u64(20..700));
            tokio::time::sleep(moment).await;
            // It may have come to its end by itself.
            let _ = child.kill();
            finish_child(child).await;
        }
        connector.sync_until_done(&test.url).await;
        assert_whole(&sandbox, &connector, &test.url).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_asked_to_stop_finishes_what_is_in_hand_and_says_so() {
    for (test, name) in stores::both().await.into_iter().zip(["TERM", "INT"]) {
        let sandbox = small_sandbox(60, SEED, true).await;
        let options = Options { mode: "released", ..Options::default() };
        let connector = Connector::new(&sandbox, &test.url, &options);
        let child = connector.command(&["sync"]).spawn().unwrap();
        while sandbox.visma().calls().writes < 5 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        signal(&child, name);
        let run = finish_child(child).await;
        assert_eq!(run.code(), Some(1), "{name}: {run:#?}");
        assert!(run.stderr.contains("finishing the documents in hand"), "{}", run.stderr);
        assert!(run.stderr.contains("the documents in hand were finished"), "{}", run.stderr);
        let report = run.json();
        assert_eq!(report["stopped"], true);
        assert_eq!(report["errors"], serde_json::json!([]), "{name}");
        assert!(report["in_flight"].as_i64().unwrap() > 0, "it was stopped too late: {report}");

        // Nothing was left half done: no write is without its outcome, and nothing needs settling.
        let store = connector.store().await;
        for state in [PostingState::Intended, PostingState::Uncertain] {
            assert_eq!(store.postings_in(COMPANY, state).await.unwrap(), Vec::new(), "{name}");
        }
        let next = connector.run(&["sync"]).await;
        assert_eq!(next.json()["in_flight"], 0, "{next:#?}");
        assert_whole(&sandbox, &connector, name).await;
        assert!(moves(&store).await.iter().all(|(_, _, to)| to != "uncertain"));
    }
}

/// A limit on the size of files is what a test can have of a full disk.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_told_in_words_and_harms_nothing() {
    let test = stores::sqlite();
    let sandbox = small_sandbox(30, SEED, true).await;
    let connector = Connector::new(&sandbox, &test.url, &Options::default());
    let mut stopped = 0;
    // In blocks of 512 bytes. From where not even the tables fit to where nearly all does.
    for blocks in [50, 400, 800, 1200, 1600, 2400] {
        // 25 is the signal that would kill the program before it can say anything.
        let limits = format!("trap '' 25; ulimit -f {blocks}");
        let run = finish(connector.command_under(&limits, &["sync"])).await;
        if run.code() == Some(1) {
            stopped += 1;
            assert!(!run.stderr.contains("panicked"), "{blocks}: {run:#?}");
            assert!(run.stderr.contains("disk"), "{blocks}: {run:#?}");
        } else {
            assert!(matches!(run.code(), Some(0 | 3)), "{blocks}: {run:#?}");
        }
    }
    assert!(stopped >= 2, "the limits stopped it {stopped} times only");
    connector.sync_until_done("with space again").await;
    assert_whole(&sandbox, &connector, "with space again").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_secret_is_told_in_words_and_loses_nothing() {
    for (file, side) in [("visma.secret", "Visma"), ("jaggaer.secret", "JAGGAER")] {
        let test = stores::sqlite();
        let sandbox = small_sandbox(12, SEED, false).await;
        let connector = Connector::new(&sandbox, &test.url, &Options::default());
        connector.write(file, "not-the-secret\n");
        let run = connector.run(&["sync"]).await;
        assert_eq!(run.code(), Some(1), "{run:#?}");
        let said = run.stderr.lines().any(|line| line.contains(side) && line.contains("secret"));
        assert!(said, "{}", run.stderr);
        assert!(!run.stderr.contains("not-the-secret"), "{}", run.stderr);
        assert_eq!(sandbox.visma().calls().writes, 0);
        connector.write(file, &format!("sandbox-{}-secret\n", side.to_lowercase()));
        connector.sync_until_done(side).await;
        assert_whole(&sandbox, &connector, side).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_is_away_is_told_in_words_and_loses_nothing() {
    let nowhere = "http://127.0.0.1:9";
    for side in ["Visma", "JAGGAER"] {
        let test = stores::sqlite();
        let sandbox = small_sandbox(12, SEED, false).await;
        let (visma, jaggaer) = (sandbox.visma_url(), sandbox.jaggaer_url());
        let options = Options::default();
        let connector = match side {
            "Visma" => Connector::at(nowhere, &jaggaer, &test.url, &options),
            _ => Connector::at(&visma, nowhere, &test.url, &options),
        };
        let run = connector.run(&["sync"]).await;
        assert_eq!(run.code(), Some(1), "{run:#?}");
        let told = run.stderr.lines().any(|line| line.contains(side) && line.contains("refused"));
        assert!(told, "{}", run.stderr);
        let connector = Connector::new(&sandbox, &test.url, &options);
        connector.sync_until_done(side).await;
        assert_whole(&sandbox, &connector, side).await;
    }
}
