//! Numbers that are not finite: JSON has null for them, which is read as NaN.

use serde::{Deserialize, Deserializer};

pub(super) fn nan_where_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(f64::NAN))
}

pub(super) fn some_nan_where_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    nan_where_null(deserializer).map(Some)
}

pub(super) fn nans_where_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Vec<f64>>, D::Error> {
    let lists = Vec::<Vec<Option<f64>>>::deserialize(deserializer)?;
    let numbers = |list: Vec<Option<f64>>| list.into_iter().map(|number| number.unwrap_or(f64::NAN)).collect();
    Ok(lists.into_iter().map(numbers).collect())
}
