//! The few messages of TensorBoard that an export writes, in the encoding of protocol buffers.
//!
//! Field numbers are those of `event.proto`, `summary.proto`, `tensor.proto` and of the HPARAMS plugin's
//! `plugin_data.proto` and `api.proto` (tensorboard 2.21).

/// A message that is being written: fields in the order in which they are added.
#[derive(Clone, Debug, Default)]
pub(crate) struct Message(Vec<u8>);

/// The encodings of a field's value.
const VARINT: u64 = 0;
const EIGHT_BYTES: u64 = 1;
const LENGTH_AND_BYTES: u64 = 2;
const FOUR_BYTES: u64 = 5;

impl Message {
    fn put_varint(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number.to_le_bytes()[0] | 0x80);
            number >>= 7;
        }
        self.0.push(number.to_le_bytes()[0]);
    }

    /// Adds an integer, a truth value (0 or 1) or the number of a variant.
    pub(crate) fn varint(mut self, field: u64, number: u64) -> Self {
        self.put_varint(field << 3 | VARINT);
        self.put_varint(number);
        self
    }

    pub(crate) fn double(mut self, field: u64, number: f64) -> Self {
        self.put_varint(field << 3 | EIGHT_BYTES);
        self.0.extend(number.to_le_bytes());
        self
    }

    pub(crate) fn float(mut self, field: u64, number: f32) -> Self {
        self.put_varint(field << 3 | FOUR_BYTES);
        self.0.extend(number.to_le_bytes());
        self
    }

    pub(crate) fn text(self, field: u64, text: &str) -> Self {
        self.bytes(field, text.as_bytes())
    }

    pub(crate) fn message(self, field: u64, message: &Self) -> Self {
        self.bytes(field, &message.0)
    }

    pub(crate) fn bytes(mut self, field: u64, bytes: &[u8]) -> Self {
        self.put_varint(field << 3 | LENGTH_AND_BYTES);
        self.put_varint(bytes.len() as u64);
        self.0.extend(bytes);
        self
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Returns an `Event` at this time of day and step.
pub(crate) fn event(wall_time: f64, step: u64) -> Message {
    Message::default().double(1, wall_time).varint(2, step)
}

/// Returns the first `Event` of a file: the version of the format.
pub(crate) fn first_event(wall_time: f64) -> Message {
    Message::default().double(1, wall_time).text(3, "brain.Event:2")
}

/// Returns an `Event` that says: values that were read from step 0 on are void.
pub(crate) fn start_event(wall_time: f64) -> Message {
    const START: u64 = 1;
    event(wall_time, 0).message(7, &Message::default().varint(1, START))
}

/// Returns an `Event` with these values.
pub(crate) fn summary_event(wall_time: f64, step: u64, values: &[Message]) -> Message {
    let summary = values
        .iter()
        .fold(Message::default(), |summary, value| summary.message(1, value));
    event(wall_time, step).message(5, &summary)
}

/// Returns a `Summary.Value` with a number. TensorBoard shows the description, in Markdown; only the first value of a tag
/// needs one.
pub(crate) fn scalar(tag: &str, number: f64, description: Option<&str>) -> Message {
    let value = Message::default().text(1, tag);
    // TensorBoard keeps scalars in 32 bits.
    let value = value.float(2, number as f32);
    match description {
        Some(words) => {
            let plugin = Message::default().text(1, "scalars");
            value.message(9, &Message::default().message(1, &plugin).text(3, words))
        }
        None => value,
    }
}

/// Returns a `Summary.Value` of the HPARAMS plugin. `data` is the field of `HParamsPluginData`.
pub(crate) fn hparams(tag: &str, (field, data): (u64, &Message)) -> Message {
    const FLOAT: u64 = 1;
    let content = Message::default().message(field, data);
    let plugin = Message::default().text(1, "hparams").bytes(2, content.as_bytes());
    let metadata = Message::default().message(1, &plugin);
    // The value itself has no elements.
    let shape = Message::default().message(2, &Message::default());
    let nothing = Message::default().varint(1, FLOAT).message(2, &shape);
    Message::default()
        .text(1, tag)
        .message(8, &nothing)
        .message(9, &metadata)
}

#[cfg(test)]
mod tests {
    use super::super::{Field, Fields};
    use super::*;

    fn decoded(bytes: &[u8]) -> Vec<(u64, Field<'_>)> {
        Fields::of(bytes).map(Result::unwrap).collect()
    }

    fn inner<'a>(fields: &[(u64, Field<'a>)], wanted: u64) -> Vec<(u64, Field<'a>)> {
        let found = fields.iter().find_map(|(field, value)| match value {
            Field::Bytes(bytes) if *field == wanted => Some(*bytes),
            _ => None,
        });
        decoded(found.unwrap())
    }

    #[test]
    fn an_event_with_a_number_is_read_back() {
        let value = scalar("lambda/lambda_max", 40.5, Some("the largest eigenvalue"));
        let event = summary_event(1.5e9, 300, &[value]);
        let fields = decoded(event.as_bytes());
        assert_eq!(fields[..2], [(1, Field::Double(1.5e9)), (2, Field::Number(300))]);
        let value = inner(&inner(&fields, 5), 1);
        assert_eq!(value[0], (1, Field::Bytes(b"lambda/lambda_max")));
        assert_eq!(value[1], (2, Field::Float(40.5)));
        assert_eq!(inner(&value, 9)[1], (3, Field::Bytes(b"the largest eigenvalue")));
        let nan = scalar("x", f64::NAN, None);
        let nan = decoded(nan.as_bytes());
        assert!(matches!(nan[1], (2, Field::Float(number)) if number.is_nan()));
    }
}
