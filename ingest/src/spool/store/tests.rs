use std::fs;

use prometheus::Registry;
use proptest::prelude::*;
use queue::{Headers, Message, MessageDestination};
use tempfile::TempDir;

use super::*;

const MIB: u64 = 1 << 20;

fn metrics() -> (SpoolMetrics, Registry) {
    let registry = Registry::new();
    (SpoolMetrics::register(&registry).unwrap(), registry)
}

fn open(folder: &Path) -> Store {
    let config = SpoolConfig { dir: folder.to_owned(), max_bytes: 4 * MIB };
    Store::open(&config, metrics().0).unwrap()
}

fn alert(body: impl Into<bytes::Bytes>) -> Message {
    Message {
        to: MessageDestination::Alerts { shard_key: 7 },
        body: body.into(),
        headers: Headers::default(),
    }
}

fn is_stored(outcome: &WriteOutcome) -> bool {
    matches!(outcome, WriteOutcome::Stored(_))
}

fn keep(store: &mut Store, numbers: std::ops::Range<usize>) {
    let publishes: Vec<_> = numbers.map(|number| vec![alert(number.to_string())]).collect();
    let outcomes = store.keep(&publishes).unwrap();
    assert!(outcomes.iter().all(is_stored), "{outcomes:?}");
}

fn numbers(batch: &Batch) -> Vec<usize> {
    batch.iter().map(|(message, _)| str::from_utf8(&message.body).unwrap().parse().unwrap()).collect()
}

/// Replays everything.
fn drain(store: &mut Store) -> Vec<usize> {
    let mut all = Vec::new();
    loop {
        let batch = store.next();
        let Some((_, end)) = batch.last() else { return all };
        all.extend(numbers(&batch));
        store.advance(*end).unwrap();
    }
}

/// The names of the files with this end.
fn files_named(folder: &Path, end: &str) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<_> = paths.filter(|path| path.to_str().unwrap().ends_with(end)).collect();
    found.sort();
    found
}

#[test]
fn everything_comes_out_in_its_order_across_starts_and_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    for start in 0..3 {
        keep(&mut open(folder.path()), start * 10..start * 10 + 10);
    }
    let mut store = open(folder.path());
    assert_eq!(drain(&mut store), (0..30).collect::<Vec<_>>());
    assert!(store.is_empty() && store.held_bytes() == 0);
    assert_eq!(files_named(folder.path(), ".spool"), Vec::<PathBuf>::new());
    keep(&mut store, 30..31);
    assert_eq!(drain(&mut store), [30]);
}

#[test]
fn a_restart_goes_on_behind_what_was_confirmed() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    keep(&mut store, 0..10);
    let batch = store.next();
    store.advance(batch[3].1).unwrap();
    drop(store);
    assert_eq!(drain(&mut open(folder.path())), (4..10).collect::<Vec<_>>());
    // The number of a file that is gone is not used again: the cursor would be taken to be in the new one.
    keep(&mut open(folder.path()), 10..12);
    assert_eq!(drain(&mut open(folder.path())), [10, 11]);
}

#[test]
fn a_cursor_that_cannot_be_believed_repeats_rather_than_loses() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    keep(&mut store, 0..10);
    let batch = store.next();
    store.advance(batch[3].1).unwrap();
    drop(store);
    for damaged in [vec![0xff; 20], vec![1; 7]] {
        fs::write(folder.path().join("spool.cursor"), damaged).unwrap();
        assert_eq!(numbers(&open(folder.path()).next()), (0..10).collect::<Vec<_>>());
    }
}

#[test]
fn large_amounts_are_kept_in_several_files_and_deleted_one_by_one() {
    let folder = tempfile::tempdir().unwrap();
    let config = SpoolConfig { dir: folder.path().to_owned(), max_bytes: 64 * MIB };
    let mut store = Store::open(&config, metrics().0).unwrap();
    for _ in 0..40 {
        let outcomes = store.keep(&[vec![alert(vec![b'x'; 1 << 19])]]).unwrap();
        assert!(matches!(*outcomes, [WriteOutcome::Stored(_)]), "{outcomes:?}");
    }
    let mut files = files_named(folder.path(), ".spool").len();
    assert!(files >= 3, "{files}");
    let mut replayed = 0;
    while !store.is_empty() {
        let batch = store.next();
        replayed += batch.len();
        store.advance(batch.last().unwrap().1).unwrap();
        let left = files_named(folder.path(), ".spool").len();
        assert!(left + 1 >= files, "{files} → {left}");
        files = left;
    }
    assert_eq!((replayed, files), (40, 0));
}

#[test]
fn the_files_together_are_never_larger_than_allowed() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let large = || vec![alert(vec![b'x'; 900_000])];
    let outcomes = store.keep(&[large(), large(), large(), large(), large(), vec![alert("0")]]).unwrap();
    // Whole publishes are left out; a small one may find room behind them.
    let are_stored: Vec<_> = outcomes.iter().map(is_stored).collect();
    assert_eq!(are_stored, [true, true, true, true, false, true]);
    assert_eq!(outcomes[4], WriteOutcome::Full);
    let on_disk = |end| -> u64 {
        files_named(folder.path(), end).iter().map(|path| path.metadata().unwrap().len()).sum()
    };
    assert!(on_disk(".spool") <= 4 * MIB);
    drop(store);

    // What was set aside counts too.
    let path = &files_named(folder.path(), ".spool")[0];
    fs::write(path, vec![b'?'; 4 << 20]).unwrap();
    let mut store = open(folder.path());
    assert!(store.next().is_empty());
    assert_eq!(store.keep(&[vec![alert("0")]]).unwrap(), [WriteOutcome::Full]);
    assert_eq!((on_disk(".spool"), on_disk(".corrupt")), (0, 4 * MIB));
    fs::remove_file(&files_named(folder.path(), ".corrupt")[0]).unwrap();
    assert!(store.next().is_empty());
    keep(&mut store, 0..1);
}

#[test]
fn a_write_that_was_cut_off_is_passed_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    keep(&mut open(folder.path()), 0..5);
    let path = files_named(folder.path(), ".spool").remove(0);
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
    keep(&mut open(folder.path()), 5..7);

    let (metrics, registry) = metrics();
    let config = SpoolConfig { dir: folder.path().to_owned(), max_bytes: MIB };
    let mut store = Store::open(&config, metrics).unwrap();
    assert_eq!(drain(&mut store), [0, 1, 2, 3, 5, 6]);
    let text = prometheus::TextEncoder::new().encode_to_string(&registry.gather()).unwrap();
    for line in [r#"damaged_segments_total{kind="torn"} 1"#, r#"damaged_segments_total{kind="corrupt"} 0"#] {
        assert!(text.contains(line), "{line} in {text}");
    }
    assert_eq!(files_named(folder.path(), ""), ["spool.cursor", "spool.lock"].map(|n| folder.path().join(n)));
}

#[test]
fn damage_in_the_middle_costs_the_rest_of_its_file_which_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    keep(&mut open(folder.path()), 0..5);
    keep(&mut open(folder.path()), 5..10);
    let path = files_named(folder.path(), ".spool").remove(0);
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, &bytes).unwrap();

    let mut store = open(folder.path());
    assert_eq!(drain(&mut store), [0, 1, 5, 6, 7, 8, 9]);
    assert_eq!(fs::read(&files_named(folder.path(), ".spool.corrupt")[0]).unwrap(), bytes);
}

#[test]
fn a_file_that_vanishes_or_is_none_of_ours_stops_nothing() {
    let folder = tempfile::tempdir().unwrap();
    keep(&mut open(folder.path()), 0..5);
    keep(&mut open(folder.path()), 5..10);
    fs::write(folder.path().join("00000000000000000005.spool"), "a letter").unwrap();
    fs::write(folder.path().join("00000000000000000006.spool"), "").unwrap();
    let mut store = open(folder.path());
    fs::remove_file(&files_named(folder.path(), ".spool")[0]).unwrap();
    assert_eq!(drain(&mut store), [5, 6, 7, 8, 9]);
    assert_eq!(files_named(folder.path(), ".spool.corrupt").len(), 1);
}

#[test]
fn one_directory_is_for_one_process() {
    let folder = tempfile::tempdir().unwrap();
    let _first = open(folder.path());
    let config = SpoolConfig { dir: folder.path().to_owned(), max_bytes: MIB };
    assert!(matches!(Store::open(&config, metrics().0), Err(OpenError::InUse(_))));
}

#[test]
fn a_disk_that_cannot_store_is_an_error_and_is_used_again_when_it_can() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("spool");
    let mut store = open(&folder);
    fs::remove_dir_all(&folder).unwrap();
    for _ in 0..2 {
        assert!(store.keep(&[vec![alert("0")]]).is_err() && store.probe().is_err());
    }
    assert!(store.is_empty() && store.held_bytes() == 0);
    fs::create_dir(&folder).unwrap();
    keep(&mut store, 0..3);
    assert_eq!(drain(&mut store), [0, 1, 2]);
}

/// Three files of five records each.
fn three_files() -> (TempDir, Vec<PathBuf>) {
    let folder = tempfile::tempdir().unwrap();
    for file in 0..3 {
        keep(&mut open(folder.path()), file * 5..file * 5 + 5);
    }
    let paths = files_named(folder.path(), ".spool");
    (folder, paths)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn damage_anywhere_costs_nothing_but_the_rest_of_its_file(
        file in 0_usize..3, at in any::<prop::sample::Index>(), bit in 0_u8..9,
    ) {
        let (folder, paths) = three_files();
        let mut bytes = fs::read(&paths[file]).unwrap();
        let at = at.index(bytes.len());
        // The ninth kind of damage is the end of the file.
        if bit < 8 { bytes[at] ^= 1_u8 << bit } else { bytes.truncate(at) }
        fs::write(&paths[file], &bytes).unwrap();
        let replayed = drain(&mut open(folder.path()));
        let of_file: Vec<_> = replayed.iter().copied().filter(|number| number / 5 == file).collect();
        prop_assert!(of_file.len() < 5);
        let expected: Vec<_> = (0..15).filter(|n| n / 5 != file || n % 5 < of_file.len()).collect();
        prop_assert_eq!(replayed, expected);
    }
}
