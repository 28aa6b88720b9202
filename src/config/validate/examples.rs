//! Rules for the numbers of examples in a data set's files.

use super::{Refusal, Verdict, in_range};
use crate::config::{FilesHold, Settings};

/// Refuses numbers of examples that are 0 or more than the files hold.
pub(super) fn within_files(settings: &Settings, hold: &FilesHold) -> Verdict {
    let found = if hold.is_official() { "" } else { " that its files hold" };
    for (name, count, held, kind) in [
        ("train_examples", settings.train_len(), hold.train, "training"),
        ("test_examples", settings.test_len(), hold.test, "test"),
    ] {
        let range = format!("`Full` or 1 to {held}, the {kind} examples of {}{found}", hold.data);
        in_range((1..=held).contains(&count), name, count, range).map_err(|refusal| refusal.because_of(&["data"]))?;
    }
    Ok(())
}

/// Says for a message how many examples the files hold.
pub(super) fn in_words(hold: &FilesHold) -> String {
    let FilesHold {
        data,
        train,
        test,
        shape,
    } = hold;
    let shape = shape.map_or_else(String::new, |[channels, height, width]| {
        format!(" of {channels}×{height}×{width}")
    });
    format!("the files of {data} hold {train} training and {test} test examples{shape}")
}

/// Checks the `files_hold` list of a config.
pub(in crate::config) fn files_hold(files_hold: &[FilesHold]) -> Verdict {
    for (index, hold) in files_hold.iter().enumerate() {
        let refuse =
            |part: &str, message: String| Err(Refusal::new("files_hold", message).of_part(format!("[{index}].{part}")));
        let official = FilesHold::of(&hold.data, &[]).filter(|_| !hold.data.has_open_length());
        if let Some(official) = official {
            let official = in_words(&official);
            return refuse("data", format!("{official}, which cannot change; leave it out"));
        }
        let wants_shape = hold.data.official_len().is_none();
        if wants_shape != hold.shape.is_some() || hold.shape.is_some_and(|shape| shape.contains(&0)) {
            let message = match hold.shape {
                Some(_) if !wants_shape => {
                    format!("cannot be given for {}, whose shape is known; leave it out", hold.data)
                }
                _ => "must be three numbers of at least 1: channels, height and width of an example".to_owned(),
            };
            return refuse("shape", message);
        }
        if files_hold[..index].iter().any(|other| other.data.is_same(&hold.data)) {
            return refuse("data", format!("{} is given a second time; keep one", hold.data));
        }
        for (part, count) in [("train", hold.train), ("test", hold.test)] {
            in_range(count >= 1, "files_hold", count, "at least 1")
                .map_err(|refusal| refusal.of_part(format!("[{index}].{part}")))?;
        }
    }
    Ok(())
}

/// Refuses files whose numbers of examples differ from those in the resolved config: the cells of one run would train
/// on different data.
pub(in crate::config) fn files_unchanged(then: &FilesHold, now: &FilesHold) -> Verdict {
    if (then.train, then.test, then.shape) == (now.train, now.test, now.shape) {
        return Ok(());
    }
    let shape = then.shape.map_or_else(String::new, |[channels, height, width]| {
        format!(" of {channels}×{height}×{width}")
    });
    let message = format!(
        "{}, expected {} and {}{shape}, as this config records; name the folder of those files with --data, or start a new \
         run",
        in_words(now),
        then.train,
        then.test
    );
    Err(Refusal::new("files_hold", message))
}
