//! The list's file changes: by a call, by itself, by a signal.

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use farcall::AllowListError;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::*;

type Outcome = Result<usize, String>;

/// The list in that file, and what is told of it.
fn followed(path: &Path) -> (AllowList, UnboundedReceiver<Outcome>) {
    let (told, heard) = unbounded_channel();
    let list = AllowList::from_file(path).unwrap();
    let list = list.on_reload(move |outcome| {
        let outcome = outcome.as_ref();
        let _ = told.send(outcome.copied().map_err(AllowListError::to_string));
    });
    (list, heard)
}

fn allows(list: &AllowList, ip: &str) -> bool {
    list.allows(ip.parse().unwrap())
}

#[test]
fn a_file_that_is_no_list_keeps_the_old_one_and_says_why() {
    let folder = Folder::new("bad-files");
    let path = folder.list();
    write(&path, "127.0.0.1\n");
    let (list, mut heard) = followed(&path);
    let large = "#".repeat(17 * 1024 * 1024);
    for (text, words) in [
        (&b""[..], "has no entry"),
        (b"# nobody\n\n", "has no entry"),
        (b"192.0.2.0/24", "no line feed"),
        (b"192.0.2.0/24\n192.0.2", "no line feed"),
        (b"192.0.2.0/24\n192.0.2\n", "line 2: `192.0.2` is no IPv4"),
        (
            b"192.0.2.0/24\n\n010.0.0.1\n",
            "line 3: `010.0.0.1` is no address: a leading zero",
        ),
        (
            b"192.0.2.0/24\nlocalhost\n",
            "line 2: `localhost` is no address: names",
        ),
        (b"\x00\xff\n", "line 1: the line is not UTF-8"),
        (large.as_bytes(), "more than 16777216 bytes"),
    ] {
        std::fs::write(&path, text).unwrap();
        let error = list.reload().unwrap_err().to_string();
        assert!(error.contains(words) && error.contains("allow"), "{error}");
        assert_eq!(heard.try_recv().unwrap(), Err(error));
        assert!(allows(&list, "127.0.0.1") && !allows(&list, "192.0.2.1"));
    }
    std::fs::remove_file(&path).unwrap();
    let missing = list.reload().unwrap_err();
    assert!(missing.to_string().contains("No such file"), "{missing}");
    std::fs::create_dir(&path).unwrap();
    let folder_there = list.reload().unwrap_err().to_string();
    assert!(folder_there.contains("no regular file"), "{folder_there}");
    assert!(allows(&list, "127.0.0.1"));

    std::fs::remove_dir(&path).unwrap();
    write(&path, "192.0.2.0/24\n");
    assert_eq!(list.reload().unwrap(), 1);
    assert!(!allows(&list, "127.0.0.1") && allows(&list, "192.0.2.1"));
}

#[test]
fn a_server_does_not_start_with_a_file_that_is_no_list() {
    let folder = Folder::new("no-list");
    let path = folder.list();
    assert!(AllowList::from_file(&path).is_err());
    write(&path, "\n");
    assert!(AllowList::from_file(&path).is_err());
    write(&path, "10.0.0.1/8\n");
    assert_eq!(AllowList::from_file(&path).unwrap_err().line(), Some(1));
}

#[test]
fn a_list_of_code_changes_by_code() {
    let list = AllowList::new(["127.0.0.1"]).unwrap();
    assert!(list.reload().unwrap_err().to_string().contains("file"));
    assert!(list.set(["192.0.2.1", "192.0.2.1/8"]).is_err());
    assert!(allows(&list, "127.0.0.1") && !allows(&list, "192.0.2.1"));
    list.clone().set(["192.0.2.1"]).unwrap();
    assert!(!allows(&list, "127.0.0.1") && allows(&list, "192.0.2.1"));
    list.set([] as [&str; 0]).unwrap();
    assert!(!allows(&list, "192.0.2.1"), "nobody is on an empty list");
}

#[tokio::test(start_paused = true)]
async fn a_changed_file_is_noticed() {
    let folder = Folder::new("watched");
    let path = folder.list();
    write(&path, "127.0.0.1\n");
    let (list, mut heard) = followed(&path);
    tokio::spawn(list.reload_on_change(Duration::from_secs(2)));
    for (text, entries) in [
        ("192.0.2.0/24\n::1\n", Some(2)),
        ("nonsense\n", None),
        // As long as the one before, and perhaps in the same instant.
        ("192.0.2.9\n", Some(1)),
        ("192.0.2.8\n", Some(1)),
    ] {
        write(&path, text);
        let outcome = heard.recv().await.unwrap();
        assert_eq!(outcome.ok(), entries, "{text}");
    }
    assert!(allows(&list, "192.0.2.8"));
    std::fs::remove_file(&path).unwrap();
    let missing = heard.recv().await.unwrap().unwrap_err();
    assert!(missing.contains("No such file"), "{missing}");
    // What stays as it is is told once.
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(heard.try_recv().is_err());
    write(&path, "192.0.2.8\n");
    assert_eq!(heard.recv().await.unwrap(), Ok(1));
}

#[tokio::test]
async fn a_hangup_reads_the_list_again() {
    let folder = Folder::new("hangup");
    let path = folder.list();
    write(&path, "127.0.0.1\n");
    let (list, mut heard) = followed(&path);
    tokio::spawn(list.reload_on_hangup().unwrap());
    write(&path, "192.0.2.0/24\n");
    let mut kill = tokio::process::Command::new("kill");
    let me = std::process::id().to_string();
    assert!(kill.args(["-HUP", &me]).status().await.unwrap().success());
    assert_eq!(heard.recv().await.unwrap(), Ok(1));
    assert!(!allows(&list, "127.0.0.1"));
}

/// Every second list has the caller, and half of all files are no list.
#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_reloads_disturb_nobody_who_stays_and_serve_nobody_who_does_not() {
    let folder = Folder::new("ten-thousand");
    let path = folder.list();
    write(&path, "127.0.0.1\n");
    let list = AllowList::from_file(&path).unwrap();
    let house = House::open(&list).await;
    let over = Arc::new(AtomicBool::new(false));
    let staying = {
        let (door, over) = (house.connect("bincode+tcp").await, Arc::clone(&over));
        tokio::spawn(async move {
            while !over.load(Ordering::Relaxed) {
                door.knock().await.expect("it stays on the list");
            }
        })
    };
    for round in 0..2_500 {
        write(&path, "127.0.0.1\n127.0.0.2\n");
        list.reload().unwrap();
        let door = (round % 50 == 0).then(|| house.connect_from("127.0.0.2"));
        let door = match door {
            Some(door) => Some(door.await),
            None => None,
        };
        if let Some(door) = &door {
            door.knock().await.unwrap();
        }
        write(&path, "127.0.0");
        list.reload().unwrap_err();
        assert!(allows(&list, "127.0.0.2"), "the old list stays");
        write(&path, "127.0.0.1\n");
        list.reload().unwrap();
        if let Some(door) = &door {
            door.knock().await.unwrap_err();
        }
        write(&path, "");
        list.reload().unwrap_err();
        assert!(allows(&list, "127.0.0.1") && !allows(&list, "127.0.0.2"));
    }
    over.store(true, Ordering::Relaxed);
    staying.await.unwrap();
}
