//! The last values of a cell within a snapshot, as JSON; null stands for a number that is not finite.

use ron::value::RawValue;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer, ser};

use crate::event::Summary;

/// The last values, written as a JSON string. Earlier versions wrote a RON struct.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct LastValues(pub(super) Summary);

impl Serialize for LastValues {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let json = serde_json::to_string(&self.0).map_err(ser::Error::custom)?;
        serializer.serialize_str(&json)
    }
}

impl<'de> Deserialize<'de> for LastValues {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw: Box<RawValue> = Deserialize::deserialize(deserializer)?;
        let read = match raw.into_rust::<String>() {
            Ok(json) => serde_json::from_str(&json).map_err(D::Error::custom)?,
            Err(_) => of_earlier_version(raw.get_ron()).map_err(D::Error::custom)?,
        };
        Ok(Self(read))
    }
}

/// Reads the RON struct of earlier versions, in which every field was an option: `None` if it was not measured.
fn of_earlier_version(ron: &str) -> Result<Summary, serde_json::Error> {
    let mut value: ron::Value = ron::from_str(ron).map_err(serde_json::Error::custom)?;
    if let ron::Value::Map(fields) = &mut value {
        fields.retain(|_, field| *field != ron::Value::Option(None));
    }
    serde_json::from_value(serde_json::to_value(value)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Values;

    fn summary() -> Summary {
        Summary {
            steps: 5_312,
            epochs: 1_770.666_666_666_666_7,
            seconds: 0.259_399_31,
            lambda_converged: Some(true),
            lambda_step: Some(4_000),
            lambda_on: Some("held-out, 20 examples".to_owned()),
            values: Values::from([
                ("train_loss", 1.185_896_428_426_106_9),
                ("lambda_max", 36.852_237_304_701_376),
                ("threshold", 20.0),
            ]),
            ..Summary::default()
        }
    }

    #[test]
    fn they_come_back_to_the_last_bit_also_where_one_is_not_finite() {
        let mut summary = summary();
        let back: LastValues = ron::from_str(&ron::to_string(&LastValues(summary.clone())).unwrap()).unwrap();
        assert_eq!(back.0, summary);
        summary.values.set("lambda_max", f64::NAN);
        let back: LastValues = ron::from_str(&ron::to_string(&LastValues(summary)).unwrap()).unwrap();
        assert!(back.0.values.get("lambda_max").is_some_and(f64::is_nan));
    }

    #[test]
    fn those_of_version_0_1_0_are_read() {
        let text = "(steps:5312,epochs:1770.6666666666667,seconds:0.25939931,reached_aim:None,changed_by_hand:false,\
            train_loss:Some(1.1858964284261069),test_loss:None,lambda_max:Some(36.852237304701376),lambda_converged:Some(true),\
            lambda_step:Some(4000),lambda_on:Some(\"held-out, 20 examples\"),threshold:Some(20.0))";
        assert_eq!(ron::from_str::<LastValues>(text).unwrap().0, summary());
    }
}
