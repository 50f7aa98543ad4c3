//! One bad connection never stops the others.

use crate::flow::{Flow, postable};
use crate::stores;
use ml_connector::config::Config;
use ml_connector::store::DocumentState;

/// What is replaced in a block of the configuration.
type Changes = &'static [(&'static str, &'static str)];

/// The flow's configuration with one more route, whose source or company is changed.
async fn with_another_route(flow: &mut Flow, source: &[(&str, &str)], company: &[(&str, &str)]) {
    let path = flow.folder.join("ml-connector.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let (before, from_source) = text.split_once("[[source]]").unwrap();
    let (one_source, from_company) = from_source.split_once("[[company]]").unwrap();
    let (one_company, connection) = from_company.split_once("[[connection]]").unwrap();
    let changed = |block: &str, changes: &[(&str, &str)]| {
        changes.iter().fold(block.to_owned(), |block, (from, to)| {
            assert!(block.contains(from), "{from}");
            block.replace(from, to)
        })
    };
    let route = |source: &str, company: &str| {
        changed(
            connection,
            &[
                ("id = \"no\"", "id = \"bad\""),
                ("source = \"jaggaer\"", source),
                ("company = \"nordlys\"", company),
            ],
        )
    };
    let mut text = format!("{before}[[source]]{one_source}[[company]]{one_company}");
    let (mut use_source, mut use_company) = ("source = \"jaggaer\"", "company = \"nordlys\"");
    if !source.is_empty() {
        text += &format!("[[source]]{}", changed(one_source, source));
        use_source = "source = \"other\"";
    }
    if !company.is_empty() {
        text += &format!("[[company]]{}", changed(one_company, company));
        use_company = "company = \"elsewhere\"";
    }
    text += &format!("[[connection]]{}", route(use_source, use_company));
    text += &format!("[[connection]]{connection}");
    std::fs::write(flow.folder.join("wrong.secret"), "not-the-secret\n").unwrap();
    std::fs::write(&path, text).unwrap();
    flow.config = Config::load(&path).expect("it is good");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_cannot_sign_in_stops_no_other() {
    const OTHER_SOURCE: (&str, &str) = ("id = \"jaggaer\"", "id = \"other\"");
    const OTHER_COMPANY: (&str, &str) = ("id = \"nordlys\"", "id = \"elsewhere\"");
    // The bad one shares the company, or nothing.
    let cases: [(Changes, Changes, &str); 3] = [
        (
            &[OTHER_SOURCE, ("jaggaer.secret", "wrong.secret")],
            &[],
            "other: JAGGAER: sign-in refused",
        ),
        (
            &[OTHER_SOURCE],
            &[OTHER_COMPANY, ("visma.secret", "wrong.secret")],
            "elsewhere: Visma: visma connect refused the sign-in",
        ),
        (&[OTHER_SOURCE], &[OTHER_COMPANY, ("visma.secret", "nowhere.secret")], "nowhere.secret"),
    ];
    for (source, company, words) in cases {
        for test in stores::both().await {
            let mut flow = Flow::start(postable(13, 20), test).await;
            with_another_route(&mut flow, source, company).await;
            for _ in 0..2 {
                let report = flow.round().await;
                assert!(
                    report.errors.iter().any(|error| error.contains(words)),
                    "{words}: {:?}",
                    report.errors
                );
                assert_eq!(report.errors.len(), 1, "{:?}", report.errors);
            }
            let documents = flow.documents().await;
            let mut good = documents.iter().filter(|document| document.connection == "no");
            assert_eq!(good.clone().count(), 40);
            assert!(good.all(|document| document.state == DocumentState::Posted));
            flow.assert_clean();
            flow.assert_trail().await;
        }
    }
}

/// The two are one unit: they share the company.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_whose_imported_table_does_not_fit_stops_no_other() {
    for test in stores::both().await {
        let mut flow = Flow::start(postable(13, 20), test).await;
        with_another_route(&mut flow, &[("id = \"jaggaer\"", "id = \"other\"")], &[]).await;
        let by = ("anna", "a slip");
        flow.store.ask_mapping("bad", "accounts", Some("nonsense\n"), by, 0).await.unwrap();
        let report = flow.round().await;
        let [error] = report.errors.as_slice() else { panic!("{:?}", report.errors) };
        assert!(error.contains("the imported table `accounts`"), "{error}");
        let documents = flow.documents().await;
        assert_eq!(documents.len(), 40);
        assert!(documents.iter().all(|document| {
            document.connection == "no" && document.state == DocumentState::Posted
        }));
        flow.assert_clean();
        flow.assert_trail().await;
    }
}
