//! Pages as a browser reads them.

mod browser;
mod chromium;
mod comparison;
mod fixture;
mod markup;
mod narrow;
mod snapshot;
