//! A receiver whose settings are wrong refuses everything until somebody changes them.

use feishu_sim::{Fault, Lasting};
use shared::config::{BrokenReceiver, DeliveryConfig};
use shared::queue::{Destination, Reason, Settlement};

use crate::stage::{EAGER, OTHER_TOKEN, Stage, TOKEN, envelope};

fn refusal(code: i64) -> Fault {
    Fault::Refusal { code, msg: "no".to_owned() }
}

#[tokio::test]
async fn its_alerts_wait_parked_and_it_is_shown() {
    for (code, requests) in [(19001, 1), (19022, 1), (19024, 1), (19021, 2)] {
        let mut stage = Stage::set(EAGER).await;
        stage.sim.fault(TOKEN, &refusal(code), Lasting::UntilCleared).unwrap();
        for index in [1, 2] {
            let tag = stage.deliver(&envelope("default", index));
            assert_eq!(stage.fate(tag).await, Settlement::Done { tag }, "{code}");
        }
        let parked = stage.queue.published();
        assert!(
            parked.iter().all(|message| matches!(message.to, Destination::Parked { .. })),
            "{code}: {parked:?}"
        );
        assert_eq!(parked[0].headers.failure.as_ref().unwrap().code, Some(code));
        assert_eq!(stage.sim.totals().faulted, requests, "{code}: the second alert was not sent");
        assert!(stage.shows("larkfire_receiver_broken{receiver=\"default\"} 1"), "{code}");
        assert!(stage.shows("larkfire_receiver_broken{receiver=\"other\"} 0"), "{code}");

        let tag = stage.deliver(&envelope("other", 3));
        assert_eq!(stage.fate(tag).await, Settlement::Done { tag }, "{code}");
        assert_eq!(stage.sim.records(OTHER_TOKEN).len(), 1, "{code}: nobody else is concerned");
    }
}

#[tokio::test]
async fn its_alerts_are_buried_at_once_where_that_is_asked_for() {
    let delivery = DeliveryConfig { broken_receiver: BrokenReceiver::Bury, ..EAGER };
    let mut stage = Stage::set(delivery).await;
    stage.sim.fault(TOKEN, &refusal(19001), Lasting::UntilCleared).unwrap();
    for index in [1, 2] {
        let tag = stage.deliver(&envelope("default", index));
        assert_eq!(stage.fate(tag).await, Settlement::Done { tag });
    }
    let dead = stage.queue.published();
    assert!(dead.iter().all(|message| message.to == Destination::Dead), "{dead:?}");
    let reasons = dead.iter().map(|message| message.headers.failure.as_ref().unwrap().reason);
    assert!(reasons.eq([Reason::Refused; 2]));
    assert!(stage.shows("larkfire_alerts_total{outcome=\"dead\"} 2"));
}
