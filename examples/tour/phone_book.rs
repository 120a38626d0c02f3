//! A phone book in a real SQL table.

use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, Row, params_from_iter};
use serde::{Deserialize, Serialize};

/// People and their numbers.
#[farcall::service]
pub(crate) trait PhoneBook {
    /// Finds people. Each parameter may be left out; those given must all be equal.
    async fn search(
        &self,
        number: Option<String>,
        last_name: Option<String>,
        first_name: Option<String>,
    ) -> Result<Vec<Person>, PhoneBookError>;
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Person {
    pub(crate) number: String,
    pub(crate) last_name: String,
    pub(crate) first_name: String,
}

#[derive(Debug, PartialEq, thiserror::Error, farcall::Fault)]
pub(crate) enum PhoneBookError {
    #[error("the phone book cannot be read")]
    #[fault(code = 5)]
    Unreadable,
}

/// The table, in memory or in a file.
pub(crate) struct Sqlite {
    connection: Arc<Mutex<Connection>>,
}

const PEOPLE: [[&str; 3]; 5] = [
    ["555-0100", "Lovelace", "Ada"],
    ["555-0101", "Hopper", "Grace"],
    ["555-0102", "Hamilton", "Margaret"],
    ["555-0103", "Liskov", "Barbara"],
    ["555-0104", "Hopper", "Vincent"],
];

impl Sqlite {
    pub(crate) fn open(file: Option<&str>) -> rusqlite::Result<Self> {
        let connection = match file {
            Some(file) => Connection::open(file)?,
            None => Connection::open_in_memory()?,
        };
        connection.execute_batch(
            "CREATE TABLE IF NOT EXISTS people (
                 number TEXT PRIMARY KEY, last_name TEXT NOT NULL, first_name TEXT NOT NULL
             )",
        )?;
        for person in PEOPLE {
            connection.execute("INSERT OR IGNORE INTO people VALUES (?1, ?2, ?3)", person)?;
        }
        Ok(Self {
            connection: Arc::new(Mutex::new(connection)),
        })
    }
}

impl PhoneBook for Sqlite {
    async fn search(
        &self,
        number: Option<String>,
        last_name: Option<String>,
        first_name: Option<String>,
    ) -> Result<Vec<Person>, PhoneBookError> {
        let connection = Arc::clone(&self.connection);
        // SQLite blocks its thread, so it gets one of its own.
        let found = tokio::task::spawn_blocking(move || {
            let connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
            find(&connection, &[number, last_name, first_name])
        });
        match found.await {
            Ok(Ok(people)) => Ok(people),
            Ok(Err(_)) | Err(_) => Err(PhoneBookError::Unreadable),
        }
    }
}

/// Finds by number, last name and first name, where they are given.
fn find(connection: &Connection, wanted: &[Option<String>; 3]) -> rusqlite::Result<Vec<Person>> {
    let mut query = connection.prepare_cached(
        "SELECT number, last_name, first_name FROM people
         WHERE (?1 IS NULL OR number = ?1)
           AND (?2 IS NULL OR last_name = ?2)
           AND (?3 IS NULL OR first_name = ?3)
         ORDER BY number",
    )?;
    query.query_map(params_from_iter(wanted), person)?.collect()
}

fn person(row: &Row<'_>) -> rusqlite::Result<Person> {
    Ok(Person {
        number: row.get(0)?,
        last_name: row.get(1)?,
        first_name: row.get(2)?,
    })
}
