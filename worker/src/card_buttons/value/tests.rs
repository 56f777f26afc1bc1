use serde_json::json;

use super::*;

fn keys(secrets: &[&str]) -> Keys {
    let secrets: Vec<_> = secrets.iter().map(|secret| Secret::new((*secret).to_owned())).collect();
    Keys::of(&secrets)
}

fn pressed() -> Pressed {
    Pressed { press: Press::Silence(4), receiver: "ops".to_owned(), card: "ab".repeat(20) }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + seconds).unwrap()
}

#[test]
fn what_was_signed_is_read_until_it_expires() {
    let keys = keys(&["secret-0001"]);
    let value = keys.sign(&pressed(), at(0)).unwrap();
    let last = i64::try_from(PRESSABLE.as_secs()).unwrap() - 1;
    assert_eq!(keys.read(&value, at(last)), Ok(pressed()));
    assert_eq!(keys.read(&value, at(last + 1)), Err(ValueError::Expired));
}

#[test]
fn nothing_in_a_value_can_be_changed() {
    let keys = keys(&["secret-0001"]);
    let value = keys.sign(&pressed(), at(0)).unwrap();
    for (name, other) in [
        ("action", json!("ack")),
        ("receiver", json!("dev")),
        ("card", json!("cd".repeat(20))),
        ("expires", json!(1_900_000_000)),
        ("v", json!(2)),
        ("sig", json!("00".repeat(16))),
        ("sig", json!("not hex")),
        ("sig", json!("")),
        ("expires", json!("soon")),
    ] {
        let mut forged = value.clone();
        forged.insert(name.to_owned(), other.clone());
        assert_eq!(keys.read(&forged, at(1)), Err(ValueError::Forged), "{name} = {other}");
        forged.remove(name);
        assert_eq!(keys.read(&forged, at(1)), Err(ValueError::Forged), "without {name}");
    }
}

#[test]
fn keys_rotate_and_a_foreign_one_is_not_taken() {
    let old = keys(&["secret-0001"]).sign(&pressed(), at(0)).unwrap();
    assert_eq!(keys(&["secret-0002", "secret-0001"]).read(&old, at(1)), Ok(pressed()));
    assert_eq!(keys(&["secret-0002"]).read(&old, at(1)), Err(ValueError::Forged));
    assert_eq!(keys(&[]).read(&old, at(1)), Err(ValueError::Forged));
    assert_eq!(keys(&[]).sign(&pressed(), at(1)), None);
}

#[test]
fn a_value_is_short_and_the_key_is_not_shown() {
    let keys = keys(&["secret-0001"]);
    let value = keys.sign(&pressed(), at(0)).unwrap();
    assert!(serde_json::to_string(&value).unwrap().len() < 200, "{value:?}");
    assert_eq!(format!("{keys:?}"), "1 keys");
}

#[test]
fn every_press_has_a_word_of_its_own() {
    for press in Press::ALL {
        assert_eq!(Press::of(press.as_str()), Some(press));
    }
    assert_eq!(Press::of("confirm_diagnosis"), None);
}
