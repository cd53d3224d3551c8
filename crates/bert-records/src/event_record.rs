//! The messages of TensorBoard's event files and the frame around each.
//!
//! Field numbers: TensorBoard's `event.proto` and `summary.proto`. Frame: TensorFlow's TFRecord, that is the length as
//! eight bytes, its checksum, the message and its checksum, all little-endian.

use prost::{Enumeration, Message, Oneof};

/// What happened at a step.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Event {
    /// Seconds since 1970.
    #[prost(double, tag = "1")]
    pub(crate) wall_time: f64,
    #[prost(int64, tag = "2")]
    pub(crate) step: i64,
    #[prost(oneof = "What", tags = "3, 5, 7")]
    pub(crate) what: Option<What>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(crate) enum What {
    #[prost(string, tag = "3")]
    FileVersion(String),
    #[prost(message, tag = "5")]
    Summary(Summary),
    #[prost(message, tag = "7")]
    SessionLog(SessionLog),
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Summary {
    #[prost(message, repeated, tag = "1")]
    pub(crate) value: Vec<SummaryValue>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct SummaryValue {
    #[prost(string, tag = "1")]
    pub(crate) tag: String,
    /// One of several kinds of value in `summary.proto`, and so optional: a plain field would leave out a zero.
    #[prost(float, optional, tag = "2")]
    pub(crate) simple_value: Option<f32>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct SessionLog {
    #[prost(enumeration = "SessionStatus", tag = "1")]
    pub(crate) status: i32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Enumeration)]
#[repr(i32)]
pub(crate) enum SessionStatus {
    StatusUnspecified = 0,
    Start = 1,
}

/// The event as it stands in a file.
pub(crate) fn framed(event: &Event) -> Vec<u8> {
    let message = event.encode_to_vec();
    let length = (message.len() as u64).to_le_bytes();
    let mut record = Vec::with_capacity(message.len() + 16);
    record.extend(length);
    record.extend(masked_crc32c(&length).to_le_bytes());
    record.extend(&message);
    record.extend(masked_crc32c(&message).to_le_bytes());
    record
}

/// TFRecord stores no plain checksum: one of data that hold checksums themselves is a weak one.
fn masked_crc32c(bytes: &[u8]) -> u32 {
    crc32c::crc32c(bytes)
        .rotate_right(15)
        .wrapping_add(0xa282_ead8)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Reads a file's events again and checks every checksum.
    pub(crate) fn events(mut bytes: &[u8]) -> Vec<Event> {
        let mut events = Vec::new();
        while !bytes.is_empty() {
            let length = take(&mut bytes, 8);
            assert_eq!(take(&mut bytes, 4), masked_crc32c(length).to_le_bytes());
            let length = u64::from_le_bytes(length.try_into().expect("eight bytes"));
            let message = take(&mut bytes, usize::try_from(length).expect("a small file"));
            assert_eq!(take(&mut bytes, 4), masked_crc32c(message).to_le_bytes());
            events.push(Event::decode(message).expect("it is an event"));
        }
        events
    }

    fn take<'a>(bytes: &mut &'a [u8], count: usize) -> &'a [u8] {
        let (taken, rest) = bytes.split_at(count);
        *bytes = rest;
        taken
    }

    #[test]
    fn records_are_what_tensorboard_writes() {
        // Expected bytes: `RecordWriter` of the Python package tensorboard 2.21.0 (protobuf 7.36.2) over
        // `Event(...).SerializeToString()`.
        let value = |tag: &str, value| SummaryValue {
            tag: tag.to_owned(),
            simple_value: Some(value),
        };
        let cases: [(i64, What, &[u8]); 3] = [
            (
                0,
                What::FileVersion("brain.Event:2".to_owned()),
                b"\x18\x00\x00\x00\x00\x00\x00\x00\xa3\x7fK\"\
                  \t\x00\x00 @\xfcT\xd9A\x1a\rbrain.Event:2\
                  +51\x10",
            ),
            (
                300,
                What::Summary(Summary {
                    value: vec![value("train/loss", 0.5), value("lr", 0.0)],
                }),
                b",\x00\x00\x00\x00\x00\x00\x00\xf4\xae\xccE\
                  \t\x00\x00 @\xfcT\xd9A\x10\xac\x02*\x1e\
                  \n\x11\n\ntrain/loss\x15\x00\x00\x00?\
                  \n\t\n\x02lr\x15\x00\x00\x00\x00\
                  a\xb1\xa8{",
            ),
            (
                301,
                What::SessionLog(SessionLog {
                    status: SessionStatus::Start.into(),
                }),
                b"\x10\x00\x00\x00\x00\x00\x00\x00\x95\xfb\xfe\x18\
                  \t\x00\x00 @\xfcT\xd9A\x10\xad\x02:\x02\x08\x01\
                  Yo?y",
            ),
        ];
        for (step, what, expected) in cases {
            let event = Event {
                wall_time: 1_700_000_000.5,
                step,
                what: Some(what),
            };
            assert_eq!(framed(&event), expected, "{event:?}");
            assert_eq!(events(expected), [event]);
        }
    }
}
