//! Who is told by name: whose alert it is (`rules`), who that is in Feishu (`directory`), and who stands on a card
//! (`roster`).

mod glob;
pub mod person;
pub mod roster;
mod rotation;
pub mod rules;
