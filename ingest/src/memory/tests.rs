use std::time::Duration;

use super::*;

fn memory(body_bytes: usize, bodies_bytes: usize) -> Memory {
    let second = Duration::from_secs(1);
    let limits = IngestLimits {
        connections: 1,
        header_bytes: 1,
        body_bytes,
        bodies_bytes,
        header_timeout: second,
        keep_alive: second,
        body_timeout: second,
    };
    Memory::new(&limits, IntGauge::new("held", "h").unwrap())
}

#[tokio::test(start_paused = true)]
async fn strangers_share_what_one_body_may_take_and_the_rest_is_for_those_who_have_proven_themselves() {
    let memory = memory(100, 400);
    let mut stranger = memory.admit(1).await.unwrap();
    stranger.grow(100).await.unwrap();
    // The only one to displace would be itself.
    assert!(matches!(stranger.grow(1).await, Err(Answer::MemoryFull)));
    let mut known = memory.admit(1).await.unwrap();
    known.vouch();
    known.grow(300).await.unwrap();
    assert_eq!(memory.0.held.get(), 400);
    drop((stranger, known));
    assert_eq!(memory.0.held.get(), 0);
    assert_eq!(memory.0.bodies.available_permits(), 400);
    assert_eq!(memory.0.bodies_of_strangers.available_permits(), 100);
}

#[tokio::test(start_paused = true)]
async fn whoever_finds_no_room_displaces_a_stranger_and_gets_its_room() {
    let memory = memory(100, 100);
    let mut stranger = memory.admit(1).await.unwrap();
    stranger.grow(100).await.unwrap();
    let leaves = async {
        stranger.displaced().await;
        drop(stranger);
    };
    let mut known = memory.admit(1).await.unwrap();
    known.vouch();
    let (taken, ()) = tokio::join!(known.grow(60), leaves);
    taken.unwrap();
    // One that does not react in time is no room.
    let mut deaf = memory.admit(1).await.unwrap();
    deaf.grow(40).await.unwrap();
    assert!(matches!(known.grow(1).await, Err(Answer::MemoryFull)));
}

#[tokio::test(start_paused = true)]
async fn headers_have_a_limit_of_their_own() {
    let memory = memory(10, 10);
    let first = memory.admit(HEADERS_BYTES_MIN).await.unwrap();
    let leaves = async {
        first.displaced().await;
        drop(first);
    };
    let (second, ()) = tokio::join!(memory.admit(10), leaves);
    let mut second = second.unwrap();
    second.vouch();
    let mut third = memory.admit(HEADERS_BYTES_MIN - 10).await.unwrap();
    third.vouch();
    assert!(matches!(memory.admit(1).await, Err(Answer::MemoryFull)), "nobody has to leave for it");
}

#[tokio::test(start_paused = true)]
async fn what_a_body_becomes_is_what_counts() {
    let memory = memory(100, 400);
    let mut held = memory.admit(1).await.unwrap();
    held.vouch();
    held.grow(50).await.unwrap();
    held.resize(300).await.unwrap();
    assert_eq!((held.body_bytes(), memory.0.held.get()), (300, 300));
    held.resize(20).await.unwrap();
    assert_eq!((held.body_bytes(), memory.0.bodies.available_permits()), (20, 380));
    let refused = held.resize(401).await;
    assert!(matches!(refused, Err(Answer::TooLargeInMemory { bytes: 401, limit_bytes: 400 })));
}
