//! Features and labels in safetensors files: the tensors `features` (n × f) and `labels` (n).

use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensors};

use super::DataError;
use super::bytes::{of_file, whole};
use super::half::{Half, classes_of, highest};
use super::images::{RawImages, Values};
use super::numbers::{ALLOWED, is_allowed, quoted, whole_number};

/// Reads the examples of a file. Labels begin at `first`.
pub(super) fn half(path: &Path, (first, classes): (u32, usize)) -> Result<Half, DataError> {
    let file = path.display().to_string();
    let bytes = whole(&file, &of_file(path)?)?;
    let unexpected = |place: &str, found: String, expected: &str| DataError::Unexpected {
        file: file.clone(),
        place: place.to_owned(),
        found,
        expected: expected.to_owned(),
    };
    let tensors = SafeTensors::deserialize(&bytes)
        .map_err(|error| unexpected("header", quoted(&error.to_string()), "a complete safetensors file"))?;
    let tensor = |name: &str| {
        let tensor = tensors.tensor(name).map_err(|_| {
            let mut names: Vec<String> = tensors.names().into_iter().take(8).map(quoted).collect();
            names.sort();
            unexpected(
                "header",
                format!("the tensors {}", names.join(", ")),
                "the tensors \"features\" and \"labels\"",
            )
        })?;
        let values = values(tensor.dtype(), tensor.data()).ok_or_else(|| {
            let found = format!("values of type {:?}", tensor.dtype());
            unexpected(name, found, "F32, F64, or integers of 8 to 64 bits")
        })?;
        Ok((tensor.shape().to_vec(), values))
    };
    let (features_shape, features) = tensor("features")?;
    let (labels_shape, labels) = tensor("labels")?;
    let &[count, width] = &features_shape[..] else {
        let expected = "(examples, features); images are read from IDX files, with `data: Idx(…)`";
        return Err(unexpected(
            "features",
            format!("the shape {features_shape:?}"),
            expected,
        ));
    };
    if width == 0 {
        return Err(unexpected("features", "no feature".to_owned(), "at least one"));
    }
    if labels_shape != [count] {
        let expected = format!("[{count}], one label for each row of \"features\"");
        return Err(unexpected("labels", format!("the shape {labels_shape:?}"), &expected));
    }
    if let Some(at) = features.iter().position(|value| !is_allowed(*value)) {
        let place = format!("features[{}][{}]", at / width, at % width);
        return Err(unexpected(&place, features[at].to_string(), ALLOWED));
    }
    let whole = labels.iter().enumerate().map(|(at, &label)| {
        let expected = format!("a label from {first} to {}", highest(first, classes));
        whole_number(label).ok_or_else(|| unexpected(&format!("labels[{at}]"), label.to_string(), &expected))
    });
    let labels = whole.collect::<Result<Vec<i64>, DataError>>()?;
    Ok(Half {
        labels: classes_of(&file, labels.into_iter(), first, classes)?,
        images_file: file.clone(),
        labels_file: file,
        images: RawImages {
            count,
            channels: width,
            height: 1,
            width: 1,
            values: Values::Numbers(features),
        },
    })
}

/// Returns little-endian values as numbers of 64 bits; `None` for other types.
// Larger integers than 2⁵³ are rounded; one macro serves types that need a cast and types that do not.
#[allow(clippy::cast_precision_loss, clippy::cast_lossless)]
fn values(kind: Dtype, bytes: &[u8]) -> Option<Vec<f64>> {
    macro_rules! read {
        ($type:ty) => {
            bytes
                .as_chunks()
                .0
                .iter()
                .map(|bytes| <$type>::from_le_bytes(*bytes) as f64)
                .collect()
        };
    }
    Some(match kind {
        Dtype::F32 => read!(f32),
        Dtype::F64 => read!(f64),
        Dtype::U8 => read!(u8),
        Dtype::I8 => read!(i8),
        Dtype::I16 => read!(i16),
        Dtype::U16 => read!(u16),
        Dtype::I32 => read!(i32),
        Dtype::U32 => read!(u32),
        Dtype::I64 => read!(i64),
        Dtype::U64 => read!(u64),
        _ => return None,
    })
}
