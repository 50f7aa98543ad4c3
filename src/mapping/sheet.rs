//! A table as a spreadsheet writes it: CSV in, CSV out.

use std::fmt;

/// A table of texts with a header. Cells are trimmed, and each row is as long as the header.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sheet {
    pub header: Vec<String>,
    pub rows: Vec<SheetRow>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SheetRow {
    /// As the spreadsheet counts: the header is row 1.
    pub number: usize,
    pub cells: Vec<String>,
}

/// What is wrong with a table, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SheetFault {
    pub row: Option<usize>,
    pub column: Option<String>,
    pub message: String,
}

impl SheetFault {
    pub fn whole(message: impl Into<String>) -> Self {
        Self { row: None, column: None, message: message.into() }
    }

    pub fn column(column: &str, message: impl Into<String>) -> Self {
        Self { row: None, column: Some(column.to_owned()), message: message.into() }
    }

    pub fn row(row: usize, message: impl Into<String>) -> Self {
        Self { row: Some(row), column: None, message: message.into() }
    }

    pub fn cell(row: usize, column: &str, message: impl Into<String>) -> Self {
        Self { row: Some(row), column: Some(column.to_owned()), message: message.into() }
    }
}

impl fmt::Display for SheetFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(row) = self.row {
            write!(f, "row {row}, ")?;
        }
        if let Some(column) = &self.column {
            write!(f, "column {column}, ")?;
        }
        f.write_str(&self.message)
    }
}

/// What a spreadsheet program takes for a formula at the start of a cell.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

impl Sheet {
    pub fn new(header: &[&str]) -> Self {
        Self { header: header.iter().map(|name| (*name).to_owned()).collect(), rows: Vec::new() }
    }

    /// Appends a row under the number that it will have in the file.
    pub fn push(&mut self, cells: impl IntoIterator<Item = String>) {
        let number = self.rows.len() + 2;
        self.rows.push(SheetRow { number, cells: cells.into_iter().collect() });
    }

    /// Reads CSV as spreadsheets write it: with or without a byte order mark; `;`, `,` or tabs
    /// between; any line ends; quoted cells. Empty rows are passed over.
    pub fn read(bytes: &[u8]) -> Result<Self, SheetFault> {
        let text = std::str::from_utf8(bytes).map_err(|_| {
            SheetFault::whole("it is not in UTF-8: save it as \"CSV UTF-8\" and try again")
        })?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let (delimiter, text) = delimiter(text);
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .has_headers(false)
            .flexible(true)
            .trim(csv::Trim::All)
            .from_reader(text.as_bytes());
        let mut sheet = Self::default();
        let mut number = 0;
        for record in reader.records() {
            let record = record.map_err(|error| SheetFault::whole(error.to_string()))?;
            number += 1;
            let mut cells: Vec<String> = record.iter().map(unguarded).collect();
            if sheet.header.is_empty() {
                while cells.last().is_some_and(String::is_empty) {
                    cells.pop();
                }
                sheet.header = cells;
                continue;
            }
            if cells.iter().all(String::is_empty) {
                continue;
            }
            let columns = sheet.header.len();
            if cells.iter().skip(columns).any(|cell| !cell.is_empty()) {
                return Err(SheetFault::row(
                    number,
                    format!("there are more cells than the {columns} columns of the header"),
                ));
            }
            cells.resize(columns, String::new());
            sheet.rows.push(SheetRow { number, cells });
        }
        sheet.check_header()?;
        Ok(sheet)
    }

    fn check_header(&self) -> Result<(), SheetFault> {
        if self.header.is_empty() {
            return Err(SheetFault::whole("it is empty: the first row names the columns"));
        }
        for (at, name) in self.header.iter().enumerate() {
            if name.is_empty() {
                return Err(SheetFault::row(1, format!("column {} has no name", at + 1)));
            }
            if self.header[..at].contains(name) {
                return Err(SheetFault::column(name, "it stands there twice"));
            }
        }
        Ok(())
    }

    /// As CSV, for keeping.
    pub fn write(&self) -> String {
        self.write_between(b',')
    }

    /// As CSV for a Nordic spreadsheet program, which splits at semicolons and believes in UTF-8
    /// only after a byte order mark.
    pub fn write_for_spreadsheet(&self) -> String {
        format!("\u{feff}{}", self.write_between(b';'))
    }

    /// No cell is taken for a formula.
    fn write_between(&self, delimiter: u8) -> String {
        let mut writer = csv::WriterBuilder::new()
            .delimiter(delimiter)
            .terminator(csv::Terminator::CRLF)
            .from_writer(Vec::new());
        let rows = self.rows.iter().map(|row| &row.cells);
        for cells in std::iter::once(&self.header).chain(rows) {
            let guarded: Vec<String> = cells.iter().map(|cell| guarded(cell)).collect();
            writer.write_record(guarded).expect("rows as long as the header, into memory");
        }
        let bytes = writer.into_inner().expect("memory takes all");
        String::from_utf8(bytes).expect("texts are UTF-8")
    }

    /// The place of a column.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.header.iter().position(|column| column == name)
    }
}

/// The mark between cells, by the header, and the text without a line that only names the mark.
fn delimiter(text: &str) -> (u8, &str) {
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    if let Some([mark]) = first.trim_end().strip_prefix("sep=").map(str::as_bytes) {
        return (*mark, rest);
    }
    let mut inside_quotes = false;
    let mut counts = [(b';', 0), (b'\t', 0), (b',', 0)];
    for byte in first.bytes() {
        inside_quotes ^= byte == b'"';
        for (mark, count) in &mut counts {
            *count += usize::from(!inside_quotes && byte == *mark);
        }
    }
    let most = counts.iter().rev().max_by_key(|(_, count)| *count);
    (most.map_or(b',', |(mark, _)| *mark), text)
}

/// With a mark in front that makes a spreadsheet program take it for text.
fn guarded(cell: &str) -> String {
    if cell.trim_start_matches('\'').starts_with(FORMULA) {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
}

fn unguarded(cell: &str) -> String {
    match cell.strip_prefix('\'') {
        Some(rest) if rest.trim_start_matches('\'').starts_with(FORMULA) => rest.to_owned(),
        Some(_) | None => cell.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cells(sheet: &Sheet) -> Vec<Vec<&str>> {
        let rows = sheet.rows.iter();
        rows.map(|row| row.cells.iter().map(String::as_str).collect()).collect()
    }

    #[test]
    fn what_spreadsheets_write_is_read() {
        let texts = [
            "jaggaer,visma\n0100,6540\n\"a,b\",\"say \"\"so\"\"\"\n",
            "\u{feff}jaggaer;visma\r\n0100;6540\r\n;\r\n\"a,b\";\"say \"\"so\"\"\"\r\n",
            "jaggaer\tvisma\t\n 0100 \t6540\na,b\tsay \"so\"\n",
            "sep=;\r\njaggaer;visma\r\n0100;6540\r\na,b;\"say \"\"so\"\"\"",
            "\"jaggaer\",\"visma\"\n0100,6540,\n\"a,b\",\"say \"\"so\"\"\",,\n",
        ];
        for text in texts {
            let sheet = Sheet::read(text.as_bytes()).unwrap();
            assert_eq!(sheet.header, ["jaggaer", "visma"], "{text}");
            assert_eq!(cells(&sheet), [["0100", "6540"], ["a,b", "say \"so\""]], "{text}");
        }
    }

    #[test]
    fn rows_are_counted_as_the_spreadsheet_does() {
        let sheet = Sheet::read(b"a;b\n1;2\n;\n3\n").unwrap();
        assert_eq!(sheet.rows[1], SheetRow { number: 4, cells: vec!["3".into(), String::new()] });
        let fault = Sheet::read(b"a;b\n1;2\n1;2;3\n").unwrap_err();
        assert_eq!(
            fault.to_string(),
            "row 3, there are more cells than the 2 columns of the header"
        );
    }

    #[test]
    fn what_is_no_table_is_refused() {
        let cases: [(&[u8], &str); 4] = [
            (b"", "it is empty"),
            (b"konto;\xe5r\n", "it is not in UTF-8"),
            (b"a;;b\n", "row 1, column 2 has no name"),
            (b"a;a\n", "column a, it stands there twice"),
        ];
        for (bytes, says) in cases {
            let fault = Sheet::read(bytes).unwrap_err().to_string();
            assert!(fault.starts_with(says), "{fault}");
        }
    }

    #[test]
    fn no_cell_is_a_formula() {
        let mut sheet = Sheet::new(&["jaggaer", "note"]);
        let texts = ["=1+1", "-5..0", "+47", "@x", "'=a", "''=a", "it's", "'quoted'"];
        for text in texts {
            sheet.push([text.to_owned(), text.to_owned()]);
        }
        let written = sheet.write();
        for line in written.lines().skip(1) {
            assert!(!line.starts_with(FORMULA) && !line.contains(",="), "{line}");
        }
        assert_eq!(Sheet::read(written.as_bytes()).unwrap(), sheet);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(
            rows in prop::collection::vec(prop::collection::vec("[-='+@;,\"a0 \t\u{e5}]{0,6}", 3), 0..6)
        ) {
            let mut sheet = Sheet::new(&["a", "b", "c"]);
            for row in rows {
                let row: Vec<String> = row.iter().map(|cell| cell.trim().to_owned()).collect();
                if row.iter().any(|cell| !cell.is_empty()) {
                    sheet.push(row);
                }
            }
            prop_assert_eq!(Sheet::read(sheet.write().as_bytes()).unwrap(), sheet.clone());
            let written = sheet.write_for_spreadsheet();
            prop_assert_eq!(Sheet::read(written.as_bytes()).unwrap(), sheet);
        }
    }
}
