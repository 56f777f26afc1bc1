//! Chats of the app's: one alert, one card, its whole life, with one worker and with several.

mod alertmanager_faults;
mod budget;
mod calls;
mod contention;
mod crashes;
mod doubts;
mod ends;
mod escalations;
mod fleet;
mod formats;
mod harness;
mod marks;
mod named;
mod once;
mod people;
mod pictures;
mod silence_faults;
mod silences;
mod worded;
