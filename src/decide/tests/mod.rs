//! The judgement as a whole, in a small company. By subject, because most cases need the same
//! company around them.

mod arrivals;
mod bench;
mod coding;
mod company;
mod holds;
mod invoices;
mod links;
mod matching;
mod orders;
mod positions;
mod properties;
mod scene;
mod validation;
