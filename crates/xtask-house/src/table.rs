//! Formats tables as aligned text or as JSON.

use std::fmt;

use serde_json::{Value, json};

/// Rows under a title.
pub struct Table {
    title: String,
    /// A sentence about the contents. May be empty.
    note: String,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// Creates a table with the names of its columns.
    pub fn new(title: &str, columns: &[&str]) -> Self {
        let columns = columns.iter().map(|column| (*column).to_owned()).collect();
        Self { title: title.to_owned(), note: String::new(), rows: vec![columns] }
    }

    /// Creates a table without rows, whose note gives the reason.
    pub fn skipped(title: &str, why: &str) -> Self {
        Self { title: title.to_owned(), note: why.to_owned(), rows: vec![Vec::new()] }
    }

    /// Adds a row.
    pub fn row<const WIDTH: usize>(&mut self, cells: [String; WIDTH]) {
        self.rows.push(cells.into());
    }

    /// Sets the note.
    pub fn with_note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    /// Returns all tables as one JSON document.
    pub fn json(tables: &[Self]) -> Value {
        let table = |table: &Self| {
            let (columns, rows) =
                table.rows.split_first().expect("the first row has the names of the columns");
            json!({ "title": table.title, "note": table.note, "columns": columns, "rows": rows })
        };
        Value::Array(tables.iter().map(table).collect())
    }
}

/// Aligns the columns: those of numbers to the right, others to the left.
impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "── {}", self.title)?;
        if !self.note.is_empty() {
            writeln!(f, "   {}", self.note)?;
        }
        let is_number =
            |cell: &str| cell.chars().all(|letter| letter.is_ascii_digit() || ".–".contains(letter));
        let cells = |column: usize| self.rows.iter().filter_map(move |row| row.get(column));
        let columns = self.rows[0].len();
        let widths: Vec<usize> = (0..columns)
            .map(|column| cells(column).map(|cell| cell.chars().count()).max().unwrap_or(0))
            .collect();
        let to_the_right: Vec<bool> =
            (0..columns).map(|column| cells(column).skip(1).all(|cell| is_number(cell))).collect();
        for row in self.rows.iter().filter(|row| !row.is_empty()) {
            let columns = row.iter().zip(&widths).zip(&to_the_right);
            let line: String = columns
                .map(|((cell, width), right)| match right {
                    true => format!("  {cell:>width$}"),
                    false => format!("  {cell:<width$}"),
                })
                .collect();
            writeln!(f, " {}", line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_aligns_words_to_the_left_and_numbers_to_the_right() {
        let mut table = Table::new("Title", &["name", "lines"]).with_note("A note.");
        table.row(["long name".to_owned(), "7".to_owned()]);
        table.row(["ä".to_owned(), "1234".to_owned()]);
        let expected =
            "── Title\n   A note.\n   name       lines\n   long name      7\n   ä           1234\n";
        assert_eq!(table.to_string(), expected);
        assert_eq!(Table::json(&[table])[0]["rows"][1][1], "1234");
    }
}
