//! Held documents and what they wait on: which could be judged again by themselves, and whether
//! anything moved since they last were.

use super::{Change, Statement, Store, StoreError, args};
use crate::procurement::ErpReceipt;
use sqlx::Any;

impl Store {
    /// A text that is the same as long as nothing moved that a decision of a connection looks at,
    /// beside rules, profile and reference data: suppliers, vendors, orders, Visma's own documents, and
    /// ours that were to come there and do not.
    pub async fn moved_inputs(&self, company: &str, source: &str) -> Result<String, StoreError> {
        let row = sqlx::query_as::<Any, (i64, i64, i64, i64, i64, i64, i64, i64)>(
            "select \
             (select count(*) from supplier where company = $1), \
             (select coalesce(max(changed_at), 0) from supplier where company = $1), \
             (select count(*) from vendor where source = $2), \
             (select coalesce(max(changed_at), 0) from vendor where source = $2), \
             (select coalesce(max(moved_at), 0) from moved where owner = $3), \
             (select coalesce(max(moved_at), 0) from moved where owner = $4), \
             (select coalesce(max(changed_at), 0) from document \
              where source = $2 and kind = 'purchase_order'), \
             (select coalesce(max(changed_at), 0) from posting \
              where company = $1 and state = 'refused' and step = 'create')",
        )
        .bind(company)
        .bind(source)
        .bind(company_owner(company))
        .bind(source_owner(source))
        .fetch_one(&mut self.readers.take().await?)
        .await?;
        Ok(format!("{row:?}"))
    }

    pub async fn held_inputs(&self, connection: &str) -> Result<Option<String>, StoreError> {
        let row = sqlx::query_as::<Any, (String,)>(
            "select inputs from held_inputs where connection = $1",
        )
        .bind(connection)
        .fetch_optional(&mut self.readers.take().await?)
        .await?;
        Ok(row.map(|(inputs,)| inputs))
    }
}

impl Change {
    pub fn keep_held_inputs(&mut self, connection: &str, inputs: &str) {
        self.push(Statement::new(
            "insert into held_inputs (connection, inputs) values ($1, $2) \
             on conflict (connection) do update set inputs = excluded.inputs",
            args![connection, inputs],
        ));
    }

    /// Visma's own documents of the company are not what they were.
    pub fn company_moved(&mut self, company: &str, at: i64) {
        self.push(Statement::new(
            "insert into moved (owner, moved_at) values ($1, $2) \
             on conflict (owner) do update set moved_at = excluded.moved_at",
            args![company_owner(company), at],
        ));
    }

    /// The same for a receipt, unless it is kept already as it is. Before it is kept.
    pub fn company_moved_by_receipt(&mut self, company: &str, receipt: &ErpReceipt, at: i64) {
        let body = serde_json::to_string(receipt).expect("plain data with text keys");
        self.push(Statement::new(
            "insert into moved (owner, moved_at) select $1, $2 where not exists \
             (select 1 from erp_receipt where company = $3 and receipt_type = $4 and number = $5 and body = $6) \
             on conflict (owner) do update set moved_at = excluded.moved_at",
            args![company_owner(company), at, company, &receipt.receipt_type, &receipt.number, body],
        ));
    }

    /// The same for a receipt of the source. Before it is kept.
    pub(super) fn source_moved_by_receipt(&mut self, source: &str, id: &str, hash: &str, at: i64) {
        self.push(Statement::new(
            "insert into moved (owner, moved_at) select $1, $2 where not exists \
             (select 1 from source_receipt where source = $3 and source_id = $4 and hash = $5) \
             on conflict (owner) do update set moved_at = excluded.moved_at",
            args![source_owner(source), at, source, id, hash],
        ));
    }

    /// The same for a contract. Before it is kept.
    pub(super) fn source_moved_by_contract(&mut self, source: &str, id: &str, hash: &str, at: i64) {
        self.push(Statement::new(
            "insert into moved (owner, moved_at) select $1, $2 where not exists \
             (select 1 from contract where source = $3 and source_id = $4 and hash = $5) \
             on conflict (owner) do update set moved_at = excluded.moved_at",
            args![source_owner(source), at, source, id, hash],
        ));
    }
}

/// A source and a company may have the same id.
fn company_owner(company: &str) -> String {
    format!("company:{company}")
}

fn source_owner(source: &str) -> String {
    format!("source:{source}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::procurement::{Contract, DocumentKind, Receipt, Supplier, Vendor, VendorRef};
    use crate::store::{DocumentFacts, DocumentState, NewDocument, PostingRow, PostingState};

    fn order(id: &str, kind: DocumentKind) -> NewDocument {
        NewDocument {
            id: id.into(),
            connection: "no".into(),
            source: "same".into(),
            kind,
            source_id: id.into(),
            feed: "orders".into(),
            row_hash: "h".into(),
            state: DocumentState::Ready,
            received_at: 7,
            routed: String::new(),
        }
    }

    /// Each change, and whether a held document may come out otherwise after it. Source and company
    /// have one id here, and are told apart.
    #[tokio::test]
    async fn only_what_moved_makes_held_documents_looked_at_again() {
        let folder = std::env::temp_dir().join(format!("ml-connector-held-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let store = Store::open(&format!("sqlite:{}/store.db", folder.display())).await.unwrap();
        let owned = store.take_ownership("u", "me", 60_000_000, true).await.unwrap().unwrap();
        let supplier: Supplier = serde_json::from_value(serde_json::json!({
            "number": "50012", "name": "Nordlys", "status": "Active",
        }))
        .unwrap();
        let vendor = Vendor { source_id: "7".into(), ..Vendor::default() };
        let receipt = ErpReceipt {
            receipt_type: "PoReceipt".into(),
            number: "1".into(),
            status: "Released".into(),
            supplier: supplier.number.clone(),
            modified: None,
            version: None,
            lines: Vec::new(),
        };
        let arrived = Receipt {
            source_id: "G1".into(),
            number: "G1".into(),
            received_on: None,
            cancelled: false,
            lines: Vec::new(),
        };
        let contract = Contract {
            source_id: "C1".into(),
            number: "C1".into(),
            in_force: true,
            vendor: VendorRef::default(),
            starts_on: None,
            ends_on: None,
            ceiling: None,
            consumed: None,
        };
        let ended = Contract { in_force: false, ..contract.clone() };
        type Step<'a> = (&'a str, bool, Box<dyn Fn(&mut Change) + 'a>);
        let steps: Vec<Step<'_>> = vec![
            ("a supplier", true, Box::new(|of| of.keep_supplier("same", &supplier, 10))),
            ("the same supplier", false, Box::new(|of| of.keep_supplier("same", &supplier, 11))),
            ("another's supplier", false, Box::new(|of| of.keep_supplier("other", &supplier, 12))),
            ("a vendor", true, Box::new(|of| of.keep_vendor("same", &vendor, 13))),
            ("the same vendor", false, Box::new(|of| of.keep_vendor("same", &vendor, 14))),
            (
                "a receipt",
                true,
                Box::new(|of| {
                    of.company_moved_by_receipt("same", &receipt, 15);
                    of.keep_erp_receipt("same", &receipt);
                }),
            ),
            (
                "the same receipt",
                false,
                Box::new(|of| of.company_moved_by_receipt("same", &receipt, 16)),
            ),
            ("Visma's documents", true, Box::new(|of| of.company_moved("same", 17))),
            ("another company's", false, Box::new(|of| of.company_moved("other", 18))),
            (
                "the source's receipt",
                true,
                Box::new(|of| of.keep_source_receipt("same", &arrived, 19)),
            ),
            ("the same again", false, Box::new(|of| of.keep_source_receipt("same", &arrived, 20))),
            ("a contract", true, Box::new(|of| of.keep_contract("same", &contract, 21))),
            ("the same contract", false, Box::new(|of| of.keep_contract("same", &contract, 22))),
            ("it ended", true, Box::new(|of| of.keep_contract("same", &ended, 23))),
            ("another's contract", false, Box::new(|of| of.keep_contract("other", &ended, 24))),
            (
                "an order",
                true,
                Box::new(|of| {
                    let order = order("o", DocumentKind::PurchaseOrder);
                    of.insert_read_document(&order, &DocumentFacts::default());
                }),
            ),
            (
                "an invoice",
                false,
                Box::new(|of| {
                    let invoice = order("i", DocumentKind::SupplierInvoice);
                    of.insert_read_document(&invoice, &DocumentFacts::default());
                }),
            ),
        ];
        let refused = |company: &str, state: PostingState| PostingRow {
            id: format!("{company}{}", state.as_str()),
            company: company.into(),
            document: "i".into(),
            step: crate::store::Step::Create,
            step_key: company.into(),
            our_key: format!("{company}{}", state.as_str()),
            revision: 1,
            plan: "{}".into(),
            plan_hash: "h".into(),
            body: None,
            state,
            attempts: 1,
            absent: 0,
            epoch: 1,
            intent_at: None,
            settle_after: None,
            next_at: 0,
            visma_type: None,
            visma_number: None,
            etag: None,
            job: None,
            error: None,
            changed_at: 30,
        };
        // It bills nothing any more: what was held because of it may pass.
        let ours = [
            ("one of ours goes on its way", false, refused("same", PostingState::Planned)),
            ("another company's is refused", false, refused("other", PostingState::Refused)),
        ];
        let gone = PostingRow { state: PostingState::Refused, ..ours[0].2.clone() };
        let mut steps = steps;
        for (what, moves, row) in &ours {
            steps.push((*what, *moves, Box::new(|of| of.insert_posting(row))));
        }
        steps.push((
            "ours is refused",
            true,
            Box::new(|of| of.move_posting(PostingState::Planned, 1, &gone)),
        ));
        let mut before = store.moved_inputs("same", "same").await.unwrap();
        for (what, moves, step) in &steps {
            let mut change = Change::new();
            step(&mut change);
            store.commit(&owned, change).await.unwrap();
            let after = store.moved_inputs("same", "same").await.unwrap();
            assert_eq!(after != before, *moves, "{what}");
            before = after;
        }
        let mut change = Change::new();
        change.keep_held_inputs("no", &before);
        store.commit(&owned, change).await.unwrap();
        assert_eq!(store.held_inputs("no").await.unwrap(), Some(before));
        std::fs::remove_dir_all(folder).unwrap();
    }
}
