//! A chat takes 5 messages a second from all bots in it, and is never sent more.

use std::time::Duration;

use feishu_sim::{Record, Verdict};

use super::harness::{APP, Tenant, firing, over};
use crate::harness::EAGER;

#[tokio::test]
async fn a_chat_is_never_sent_more_than_it_takes() {
    let tenant = Tenant::strict(EAGER).await;
    let mut hand = tenant.hand();
    let names: Vec<_> = (1..=20).map(|index| format!("A{index}")).collect();
    for (index, name) in (1..).zip(&names) {
        hand.tell(&[&firing(index, &[name])]).await;
    }
    for (index, name) in (101..).zip(&names) {
        hand.tell(&[&over(index, &[name])]).await;
    }
    let records = tenant.sim.records(APP);
    let refused: Vec<_> =
        records.iter().filter(|record| matches!(record.verdict, Verdict::Refused(_))).collect();
    assert!(refused.is_empty(), "{refused:?}");
    let sent: Vec<&Record> = records.iter().filter(|record| record.verdict == Verdict::Accepted).collect();
    for burst in sent.windows(6) {
        let took = burst[5].at.duration_since(burst[0].at);
        assert!(took.unsigned_abs() >= Duration::from_millis(900), "6 messages within {took:?}");
    }
}
