//! The exact request of a posting, made against what stands in Visma where that matters.

use super::stored_plan::read_plan;
use super::{number_of, standing};
use crate::decide::Hold;
use crate::procurement::{AttachmentRef, Plan};
use crate::store::{DocumentRow, PostingRow, Step};
use crate::sync::engine::{Company, Connection, Engine};
use crate::sync::error::SyncError;
use crate::sync::judge::{credited_by_hand, not_to_be_taken_back};
use crate::visma::{self, Request};

/// What a posting's request came to.
pub(super) enum Prepared {
    Send(Request),
    /// What stands is what is wanted.
    NothingToDo {
        etag: Option<String>,
    },
    /// It was made already, under this number.
    Stands {
        number: String,
    },
    Refuse(Hold),
}

impl Engine {
    /// The exact request of a posting, made against what stands in Visma where that matters.
    pub(super) async fn prepare(
        &self,
        company: &Company,
        connection: &Connection,
        row: &PostingRow,
        document: &DocumentRow,
        file: Option<Vec<u8>>,
    ) -> Result<Prepared, SyncError> {
        let client = &company.client;
        let kind =
            row.visma_type.clone().or_else(|| document.visma_type.clone()).unwrap_or_default();
        let number = number_of(row, document).to_owned();
        // One that is not made yet stands nowhere; of any other it must be known which one is changed.
        if row.step != Step::Create
            && let Some(hold) = self.doubled_hold(company, document).await?
        {
            return Ok(Prepared::Refuse(hold));
        }
        Ok(match row.step {
            Step::Create => {
                // A store that was restored from a backup plans what it had posted since.
                let standing = self.live_under(company, &row.our_key).await?;
                match (standing.as_slice(), read_plan(&row.plan)?) {
                    ([], Plan::Order(plan)) => Prepared::Send(visma::create_order(
                        &plan,
                        &row.our_key,
                        client.key_fields(),
                    )),
                    ([], Plan::Invoice(plan)) => {
                        Prepared::Send(visma::create_invoice(&plan, &row.our_key))
                    }
                    ([(_, number)], _) => Prepared::Stands { number: number.clone() },
                    (several, _) => Prepared::Refuse(Hold::doubled_in_visma(&named(several))),
                }
            }
            Step::TakeBack => {
                let Plan::Invoice(plan) = read_plan(&row.plan)? else {
                    return Err(SyncError::Inner("only an invoice can be taken back".into()));
                };
                if let Some((_, number)) = self.live_under(company, &row.our_key).await?.first() {
                    return Ok(Prepared::Stands { number: number.clone() });
                }
                // At the last moment, of the document itself: it may have been paid since the list was read.
                let kind = document.visma_type.as_deref().unwrap_or_default();
                let number = document.visma_number.as_deref().unwrap_or_default();
                let applied = document.applied_plan.as_deref().unwrap_or_default();
                let Plan::Invoice(applied) = read_plan(applied)? else {
                    return Err(SyncError::Inner("only an invoice can be taken back".into()));
                };
                let stands = match client.invoice(kind, number).await {
                    Ok((stands, _)) => stands,
                    Err(visma::Error::NotFound { .. }) => {
                        let why = "Visma does not know it any more";
                        let hold = Hold::not_correctable(&standing(document), why);
                        return Ok(Prepared::Refuse(hold));
                    }
                    Err(error) => return Err(error.into()),
                };
                let mut why = not_to_be_taken_back(&applied, &stands);
                if why.is_none() {
                    why = credited_by_hand(&self.store, &company.id, &plan).await?;
                }
                let differences: Vec<String> = visma::invoice_matches(&applied, &stands)
                    .iter()
                    .map(ToString::to_string)
                    .collect();
                if !differences.is_empty() {
                    why.get_or_insert(format!(
                        "it is not as it was posted: {}",
                        differences.join("; ")
                    ));
                }
                match why {
                    Some(why) => Prepared::Refuse(Hold::not_correctable(&standing(document), &why)),
                    None => Prepared::Send(visma::create_invoice(&plan, &row.our_key)),
                }
            }
            // The change may stand there already: an older store was put back. A patch made again
            // would insert its new lines twice.
            Step::Update => {
                let applied = document.applied_plan.as_deref().unwrap_or(&row.plan);
                match (read_plan(applied)?, read_plan(&row.plan)?) {
                    (Plan::Order(old), Plan::Order(new)) => {
                        let (stands, etag) = client.order(&number).await?;
                        if visma::order_matches(&new, &stands).is_empty()
                            && !visma::order_matches(&old, &stands).is_empty()
                        {
                            return Ok(Prepared::NothingToDo { etag });
                        }
                        let request = visma::update_order(
                            &old,
                            &new,
                            &stands,
                            etag.as_deref(),
                            client.key_fields(),
                        );
                        prepared(request, etag, &number)
                    }
                    (Plan::Invoice(old), Plan::Invoice(new)) => {
                        let (stands, etag) = client.invoice(&kind, &number).await?;
                        if !stands.is_draft() {
                            return Ok(Prepared::Refuse(Hold::changed_after_posting(
                                &number,
                                &stands.status,
                            )));
                        }
                        if visma::invoice_matches(&new, &stands).is_empty()
                            && !visma::invoice_matches(&old, &stands).is_empty()
                        {
                            return Ok(Prepared::NothingToDo { etag });
                        }
                        prepared(visma::update_invoice(&old, &new, &stands), etag, &number)
                    }
                    (Plan::Order(_), Plan::Invoice(_)) | (Plan::Invoice(_), Plan::Order(_)) => {
                        return Err(SyncError::Inner(format!(
                            "the plans of document {} do not fit each other",
                            document.id
                        )));
                    }
                }
            }
            Step::Cancel => {
                let (stands, etag) = client.order(&number).await?;
                if stands.is_over() {
                    Prepared::NothingToDo { etag }
                } else {
                    Prepared::Send(visma::cancel_order(&stands))
                }
            }
            Step::Attach => {
                let attachment: AttachmentRef =
                    serde_json::from_str(&row.plan).map_err(|error| {
                        SyncError::Inner(format!("the stored attachment cannot be read: {error}"))
                    })?;
                let bytes = match file {
                    Some(bytes) => bytes,
                    None => connection.source.client.attachment(&attachment).await?,
                };
                if crate::audit::hash_bytes(&bytes) != row.step_key {
                    let why = "it changed in JAGGAER after it was planned";
                    return Ok(Prepared::Refuse(Hold::attachment_failed(
                        &attachment.file_name,
                        why,
                    )));
                }
                Prepared::Send(visma::attach(
                    &kind,
                    &number,
                    &attachment.file_name,
                    attachment.content_type.as_deref(),
                    bytes,
                ))
            }
            Step::Release => {
                let version = match &row.etag {
                    Some(etag) => etag.clone(),
                    None => {
                        // A person may have changed the draft: what is released is what was planned.
                        let Plan::Invoice(plan) = read_plan(&row.plan)? else {
                            return Err(SyncError::Inner("only an invoice can be released".into()));
                        };
                        let (stands, etag) = client.invoice(&kind, &number).await?;
                        if !stands.is_draft() {
                            return Ok(Prepared::NothingToDo { etag });
                        }
                        let differences: Vec<String> = visma::invoice_matches(&plan, &stands)
                            .iter()
                            .map(ToString::to_string)
                            .collect();
                        if !differences.is_empty() {
                            return Ok(Prepared::Refuse(Hold::changed_in_visma(
                                &number,
                                &differences.join("; "),
                            )));
                        }
                        etag.or(stands.version).unwrap_or_default()
                    }
                };
                Prepared::Send(visma::release_invoice(&kind, &number, &version))
            }
        })
    }
}

fn prepared(
    request: Result<Option<Request>, visma::CannotWrite>,
    etag: Option<String>,
    number: &str,
) -> Prepared {
    match request {
        Ok(Some(mut request)) => {
            if request.if_match.is_none() {
                request.if_match = etag;
            }
            Prepared::Send(request)
        }
        Ok(None) => Prepared::NothingToDo { etag },
        Err(reason) => Prepared::Refuse(Hold::changed_in_visma(number, &reason.to_string())),
    }
}

fn named(several: &[(String, String)]) -> Vec<String> {
    several.iter().map(|(kind, number)| format!("{kind} {number}")).collect()
}
