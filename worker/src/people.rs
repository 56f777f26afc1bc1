//! Who is told by name: whose alert it is (`rules`) and how they stand on a card (`mentions`). Pure; who somebody is in Feishu
//! is looked up in `directory`. Pure.

mod glob;
pub mod mentions;
mod patterns;
pub mod person;
pub mod rotation;
pub mod rules;
