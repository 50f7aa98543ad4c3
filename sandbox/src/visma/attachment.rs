//! Attachments: one file in a form, its name with an extension, a new revision when the name is there already.

use super::invoice::Attachment;
use super::reply::{Refusal, Reply, version};
use super::state::InvoiceKey;
use super::{Call, Desk};
use axum::extract::multipart::Multipart;

/// What came in the form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Upload {
    File { name: String, bytes: Vec<u8> },
    Refused(&'static str),
}

/// Reads the form; the name of its field does not matter.
pub(crate) async fn read(mut form: Multipart) -> Upload {
    let mut file = None;
    loop {
        match form.next_field().await {
            Ok(Some(field)) => {
                let Some(name) = field.file_name().map(String::from) else {
                    return Upload::Refused("The form field is not a file.");
                };
                let Ok(bytes) = field.bytes().await else {
                    return Upload::Refused("The file could not be read.");
                };
                if file.replace(Upload::File { name, bytes: bytes.to_vec() }).is_some() {
                    return Upload::Refused("Only one file can be attached at a time.");
                }
            }
            Ok(None) => return file.unwrap_or(Upload::Refused("No file was sent.")),
            Err(_) => return Upload::Refused("The form could not be read."),
        }
    }
}

impl Desk<'_> {
    pub fn attach(
        &mut self,
        call: &Call,
        key: &InvoiceKey,
        line: Option<i64>,
    ) -> Result<Reply, Refusal> {
        let (name, bytes) = match &call.upload {
            Some(Upload::File { name, bytes }) => (name, bytes),
            Some(Upload::Refused(why)) => return Err(Refusal::rule(format!("Error: {why}"))),
            None => return Err(Refusal::rule("Error: No file was sent.")),
        };
        let extension = name
            .rsplit_once('.')
            .filter(|(stem, extension)| !stem.is_empty() && !extension.is_empty());
        if extension.is_none() {
            return Err(Refusal::rule("Error: The file name must have an extension."));
        }
        let mut invoice = self.invoice_for_write(call, key)?;
        let files = match line {
            None => &mut invoice.attachments,
            Some(number) => match invoice.lines.iter_mut().find(|line| line.number == number) {
                Some(line) => &mut line.attachments,
                None => return Err(Refusal { status: 404, message: String::new() }),
            },
        };
        let id = match files.iter_mut().find(|file| file.name == *name) {
            Some(file) => {
                file.revision += 1;
                file.id.clone()
            }
            None => {
                let id = self.state.guid();
                files.push(Attachment { name: name.clone(), id: id.clone(), revision: 1 });
                id
            }
        };
        self.state.files.insert(id.clone(), bytes.clone());
        let stamp = self.change_invoice_row(key, invoice);
        Ok(Reply::text(201, "{}".into())
            .with("location", format!("http://{}/v1/attachment/{id}", call.host))
            .with("etag", format!("\"{}\"", version(stamp))))
    }

    pub fn attachment(&self, id: &str) -> Reply {
        match self.state.files.get(id) {
            None => Reply::not_found(),
            Some(bytes) => Reply {
                status: 200,
                headers: vec![("content-type", "application/octet-stream".into())],
                body: bytes.clone(),
            },
        }
    }
}
