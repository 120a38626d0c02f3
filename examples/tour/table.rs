//! The table that the tour prints.

use farcall::Address;

/// What was measured over one address.
pub(crate) struct Row {
    pub(crate) address: String,
    pub(crate) calls: usize,
    /// In µs.
    pub(crate) median: f64,
    /// In bytes.
    pub(crate) request: u64,
    /// In bytes.
    pub(crate) reply: u64,
}

#[derive(Default)]
pub(crate) struct Table {
    rows: Vec<Row>,
    failures: Vec<String>,
}

impl Table {
    pub(crate) fn add(&mut self, row: Row) {
        self.rows.push(row);
    }

    pub(crate) fn fail(&mut self, address: &Address, error: &dyn std::error::Error) {
        self.failures.push(format!("{address}: {error}"));
    }

    pub(crate) fn print(&self) {
        let width = self
            .rows
            .iter()
            .map(|row| row.address.len())
            .max()
            .unwrap_or(7)
            .max(7);
        println!(
            "{:width$}  calls  median µs  add(7, 3): request, reply (bytes)",
            "address"
        );
        for Row {
            address,
            calls,
            median,
            request,
            reply,
        } in &self.rows
        {
            println!("{address:width$}  {calls:5}  {median:9.1}  {request:18}, {reply}");
        }
        for failure in &self.failures {
            println!("WRONG  {failure}");
        }
    }
}
