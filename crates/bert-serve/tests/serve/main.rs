//! The server as its clients meet it: over TCP, with an answerer that looks for words.

mod access;
mod api;
mod batches;
mod browser;
mod client;
mod clients;
mod corpus;
mod fake;
mod hostile;
mod load;
mod metrics;
mod openapi;
mod page;
mod protocols;
mod several;
mod shutdown;
mod tabs;
mod tasks;
mod texts;
mod webdriver;
