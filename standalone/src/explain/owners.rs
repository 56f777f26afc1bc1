//! Whose the alerts are.

use std::fmt::Write;

use super::rows::Rows;
use config::{Config, ReceiverOwners};
use jiff::Timestamp;
use model::alert::Alert;
use model::envelope::Envelope;
use worker::people::person::Person;
use worker::people::rules::{OwnerRules, Why};
use worker::routing::{Parting, Router};

/// Who would be named on the cards, and why. Nobody is looked up: that would be more than explaining.
pub(super) fn list(
    told: &mut Rows,
    envelope: &Envelope<'_>,
    config: &Config,
    router: &Router,
    now: Timestamp,
) {
    let nobody = ReceiverOwners::default();
    // A receiver with several bots has several places among the router's names, and one in the configuration.
    let each =
        config.receivers.iter().flat_map(|receiver| vec![&receiver.owners; receiver.addresses().len()]);
    let owners: Vec<&ReceiverOwners> = each.collect();
    let of = |place: Option<usize>| place.and_then(|place| owners.get(place).copied()).unwrap_or(&nobody);
    let told_to: Vec<(&ReceiverOwners, &Alert<'_>)> = match router.part(envelope) {
        Parting::Whole(place) => envelope.alerts.iter().map(|alert| (of(place), alert)).collect(),
        Parting::Parts(parts) => {
            let alerts =
                parts.iter().flat_map(|part| part.alerts.iter().map(|alert| (part.receiver, *alert)));
            alerts.filter_map(|(place, alert)| Some((of(place), envelope.alerts.get(alert)?))).collect()
        }
    };
    let rules = OwnerRules::new(&config.owners, config.timezone.clone());
    let duty = rules.at(now, &config.rotations, &[]);
    let mut lines: Vec<String> = Vec::new();
    for (receiver, alert) in told_to {
        let (why, people) = duty.owners_of(alert, receiver);
        let line = if why == Why::Nobody {
            why.to_string()
        } else {
            format!("{}, because {why}", said(&people, receiver))
        };
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    let always = duty.always();
    if !always.is_empty() {
        lines.push(format!("{}, because owners.always_mention names them", said(&always, &nobody)));
    }
    for (number, line) in lines.iter().enumerate() {
        let head = if number == 0 { "owners" } else { "" };
        // Writing to a string cannot fail.
        let _written = writeln!(told, "{head:10} {line}");
    }
}

fn said(people: &[Person], receiver: &ReceiverOwners) -> String {
    let name = |person: &Person| match person {
        Person::All if receiver.allow_mention_all => "everybody".to_owned(),
        Person::All => "everybody (written only: receivers.NAME.allow_mention_all is false)".to_owned(),
        Person::OpenId(id) => id.as_str().to_owned(),
        Person::Mobile(_) => "a mobile number".to_owned(),
        Person::Name(name) => name.clone(),
    };
    people.iter().map(name).collect::<Vec<_>>().join(", ")
}
