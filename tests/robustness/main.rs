//! Whatever comes in: octets from the network, texts from an operator. Nothing panics, what is answered is well-formed, and
//! what was written is read as it was meant, by us and by hickory-proto.

mod corpus;
mod messages;
mod on_purpose;
mod requests;
mod round_trips;
#[path = "../served/mod.rs"]
mod served;
mod texts;
mod values;
mod zones;
