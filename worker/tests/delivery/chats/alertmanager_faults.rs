//! What people hear when Alertmanager does not do as it is asked.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use config::Secret;
use model::interaction::Interaction;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::harness::{OTHER_CHAT, firing};
use super::people::{answered, press, tenant};
use super::silence_faults::silencing_at;
use super::silences::configured;
use crate::logs;

/// Something where an Alertmanager should be. It answers everything alike, or nothing at all, and counts.
struct Stub {
    url: String,
    asked: Arc<AtomicUsize>,
    heard: Arc<Mutex<String>>,
    _tasks: JoinSet<()>,
}

impl Stub {
    async fn answering(answer: Option<&'static str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        let heard = Arc::<Mutex<String>>::default();
        let ear = Arc::clone(&heard);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut open = Vec::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::Relaxed);
                if let Some(answer) = answer {
                    let mut request = [0; 16 * 1024];
                    let read = stream.read(&mut request).await.unwrap_or(0);
                    ear.lock().unwrap().push_str(&String::from_utf8_lossy(&request[..read]));
                    let _written = stream.write_all(answer.as_bytes()).await;
                } else {
                    open.push(stream);
                }
            }
        });
        Self { url, asked, heard, _tasks: tasks }
    }
}

#[tokio::test]
async fn an_alertmanager_that_is_slow_is_waited_for_once_and_not_for_each_alert() {
    let stub = Stub::answering(None).await;
    let tenant = silencing_at(&stub.url).await;
    let mut hand = tenant.hand();
    hand.tell(&[&firing(1, &["A", "B", "C"])]).await;
    let sent = tenant.sent().remove(0);
    hand.done(&press("press:1", &sent, &sent.card().unwrap(), "Silence 1h")).await;
    let said = answered(&tenant, 1).await;
    assert!(said.contains("Not silenced. Alertmanager: it did not answer in time"), "{said}");
    assert_eq!(stub.asked.load(Ordering::Relaxed), 1);
    assert!(!tenant.now_shown(&sent).to_string().contains("Silenced by"));
}

#[tokio::test]
async fn a_mute_alertmanager_holds_up_one_press_of_six_and_nobody_in_another_chat() {
    let stub = Stub::answering(None).await;
    let tenant = silencing_at(&stub.url).await;
    let mut hand = tenant.hand();
    let mut elsewhere = firing(2, &["B"]);
    elsewhere.receiver = "other".into();
    hand.tell(&[&firing(1, &["A"])]).await;
    hand.tell(&[&elsewhere]).await;
    let [here, there] = tenant.sent().try_into().unwrap();
    let card = here.card().unwrap();
    let presses: Vec<_> = (0..6)
        .map(|index| hand.hears(&press(&format!("press:{index}"), &here, &card, "Silence 1h")))
        .collect();
    let other = press("press:other", &there, &there.card().unwrap(), "Acknowledge");
    let acknowledge = hand.hears(&Interaction { chat_id: OTHER_CHAT.to_owned(), ..other });
    hand.heard(acknowledge).await;
    tenant.shows(&there, "Acknowledged by <at id=ou_ann></at>").await;
    assert!(presses.iter().all(|tag| !hand.is_heard(*tag)), "the mute one is still waited for");
    for tag in presses {
        hand.heard(tag).await;
    }
    assert_eq!(stub.asked.load(Ordering::Relaxed), 1, "who had pressed before is told without asking again");
    assert!(hand.metric("larkfire_interactions_total{kind=\"button\",outcome=\"failed\"} 6"));
}

#[tokio::test]
async fn whatever_alertmanager_answers_the_person_hears_of_it_and_nothing_is_shown_as_silenced() {
    for (answer, words) in [
        ("HTTP/1.1 400 Bad Request\r\ncontent-length: 11\r\n\r\n\"too large\"", "(HTTP 400): too large"),
        ("HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n", "does not let us in (HTTP 401)"),
        ("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:9/\r\ncontent-length: 0\r\n\r\n", "HTTP 302"),
        ("HTTP/1.1 503 Service Unavailable\r\ncontent-length: 5\r\n\r\nlater", "(HTTP 503): later"),
        ("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}", "its answer cannot be read"),
        ("HTTP/1.1 200 OK\r\ncontent-length: 16\r\n\r\n{\"silenceID\":\"\"}", "its answer cannot be read"),
        (
            "HTTP/1.1 500 Oops\r\ncontent-length: 37\r\n\r\n<at user_id=\"all\">all</at> everybody !",
            "HTTP 500",
        ),
    ] {
        let stub = Stub::answering(Some(answer)).await;
        let tenant = silencing_at(&stub.url).await;
        let mut hand = tenant.hand();
        hand.tell(&[&firing(1, &["A"])]).await;
        let sent = tenant.sent().remove(0);
        hand.done(&press("press:1", &sent, &sent.card().unwrap(), "Silence 1h")).await;
        let said = answered(&tenant, 1).await;
        assert!(said.contains("Not silenced") && said.contains(words), "{words} in {said}");
        assert!(!said.contains("<at user_id=\"all\""), "{said}");
        assert!(hand.metric("larkfire_interactions_total{kind=\"button\",outcome=\"failed\"} 1"));
        assert!(!tenant.now_shown(&sent).to_string().contains("Silenced by"));
        let trail = tenant.trail().await;
        assert_eq!((trail[0].action.as_str(), trail[0].done), ("silence_1h", Some(0)));
        assert!(trail[0].outcome.as_ref().unwrap().starts_with("failed: "), "{trail:?}");
    }
}

#[tokio::test]
async fn credentials_go_to_alertmanager_under_its_path_and_nowhere_else() {
    let refused = "HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n";
    let stub = Stub::answering(Some(refused)).await;
    let mut tenant = tenant().await;
    let mut alertmanager = configured(&format!("{}behind/a/path/", stub.url));
    alertmanager.bearer_token = Some(Secret::new("t0ken-of-alertmanager"));
    tenant.alertmanagers = vec![alertmanager];
    let mut hand = tenant.hand();
    hand.tell(&[&firing(1, &["A"])]).await;
    let sent = tenant.sent().remove(0);
    hand.done(&press("press:1", &sent, &sent.card().unwrap(), "Silence 1h")).await;
    let said = answered(&tenant, 1).await;
    assert!(said.contains("does not let us in (HTTP 403)"), "{said}");
    let heard = stub.heard.lock().unwrap().clone();
    assert!(heard.starts_with("POST /behind/a/path/api/v2/silences HTTP/1.1"), "{heard}");
    assert!(heard.contains("Bearer t0ken-of-alertmanager"), "{heard}");
    let everywhere = format!("{said} {:?} {}", tenant.trail().await, logs::so_far());
    assert!(!everywhere.contains("t0ken-of-alertmanager") && !everywhere.contains(&stub.url), "{everywhere}");
}
