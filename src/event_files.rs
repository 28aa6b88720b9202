//! TensorBoard's event files: the framing of their records, and the few messages that the program writes and reads.

mod fields;
mod messages;
mod records;

pub(crate) use fields::{Field, Fields, Malformed};
pub(crate) use messages::{Message, first_event, hparams, scalar, start_event, summary_event};
pub(crate) use records::{record, take_record};
