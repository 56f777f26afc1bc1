//! Chats of the app's: one alert, one card, its whole life, with one worker and with several.

mod budget;
mod crashes;
mod ends;
mod fleet;
mod marks;
mod named;
mod people;
mod silences;
mod stage;
