//! Several workers and one card.

use feishu_sim::{Call, Record, Verdict};
use queue::Settlement;

use super::harness::{APP, Tenant, firing, header, over};
use crate::harness::EAGER;

/// How many alerts a card says are over.
fn resolved(record: &Record, names: &[&str]) -> usize {
    let card = record.card().unwrap().to_string();
    names.iter().filter(|name| card.contains(&format!("🟢 **{name}**"))).count()
}

/// The end reaches one worker while the other is about to tell the beginning: whoever is first, in the end nothing in
/// the chat says that it fires.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_beginning_and_its_end_at_two_workers_never_leave_a_burning_card() {
    let tenant = Tenant::shared(EAGER).await;
    let mut first = tenant.hand();
    let mut second = tenant.hand();
    for round in 0..6 {
        let name = format!("A{round}");
        let begun = firing(10 + round, &[&name]);
        let ended = over(60 + round, &[&name]);
        let tags = (first.deliver(&[&begun]), second.deliver(&[&ended]));
        assert_eq!(first.fate(tags.0).await, Settlement::Done { tag: tags.0 });
        assert_eq!(second.fate(tags.1).await, Settlement::Done { tag: tags.1 });
    }
    for sent in tenant.sent() {
        tenant.shows(&sent, "green").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_that_update_the_same_card_never_show_an_older_state_after_a_newer_one() {
    let tenant = Tenant::shared(EAGER).await;
    let names: Vec<_> = (0..12).map(|index| format!("A{index:02}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let mut first = tenant.hand();
    let mut second = tenant.hand();
    first.tell(&[&firing(1, &names)]).await;
    let mut tags = Vec::new();
    for (index, name) in names.iter().enumerate() {
        let hand = if index % 2 == 0 { &mut first } else { &mut second };
        tags.push(hand.deliver(&[&over(10 + u8::try_from(index).unwrap(), &[name])]));
    }
    for (index, tag) in tags.into_iter().enumerate() {
        let hand = if index % 2 == 0 { &mut first } else { &mut second };
        hand.fate(tag).await;
    }
    let sent = tenant.sent();
    assert_eq!(sent.len(), 1);
    let shown = tenant.sim.shown(sent[0].message_id.as_deref().unwrap());
    assert_eq!(header(&shown.last().unwrap().card().unwrap()).0, "green");
    let counts: Vec<_> = shown.iter().map(|record| resolved(record, &names)).collect();
    assert!(counts.is_sorted(), "{counts:?}");
    assert!(shown.len() <= 8, "{} updates of one card", shown.len() - 1);
    let refused = |record: &Record| matches!(record.verdict, Verdict::Refused(_));
    assert_eq!(tenant.sim.records(APP).iter().filter(|record| refused(record)).count(), 0);
    first.stop().await;
    second.stop().await;
    assert_eq!(tenant.count(Call::Reply, &Verdict::Accepted), 1);
}
