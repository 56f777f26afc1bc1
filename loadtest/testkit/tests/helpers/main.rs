//! The helpers of all tests, tested.

mod chaos_proxy;
mod process;
mod rabbitmq;
