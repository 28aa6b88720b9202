//! Rules for the numbers of examples in a data set's files.

use super::{Refusal, Verdict, in_range};
use crate::config::{FilesHold, Settings};

/// Refuses numbers of examples that are 0 or more than the files hold.
pub(super) fn within_files(settings: &Settings, hold: FilesHold) -> Verdict {
    let found = if hold == FilesHold::of(hold.data, &[]) {
        ""
    } else {
        " that its files hold"
    };
    for (name, count, held, kind) in [
        ("train_examples", settings.train_len(), hold.train, "training"),
        ("test_examples", settings.test_len(), hold.test, "test"),
    ] {
        let range = format!("`Full` or 1 to {held}, the {kind} examples of {:?}{found}", hold.data);
        in_range((1..=held).contains(&count), name, count, range).map_err(|refusal| refusal.because_of(&["data"]))?;
    }
    Ok(())
}

/// Says for a message how many examples the files hold.
pub(super) fn in_words(hold: FilesHold) -> String {
    let FilesHold { data, train, test } = hold;
    format!("the files of {data:?} hold {train} training and {test} test examples")
}

/// Checks the `files_hold` list of a config.
pub(in crate::config) fn files_hold(files_hold: &[FilesHold]) -> Verdict {
    for (index, hold) in files_hold.iter().enumerate() {
        let refuse =
            |part: &str, message: String| Err(Refusal::new("files_hold", message).of_part(format!("[{index}].{part}")));
        if !hold.data.has_open_length() {
            let official = in_words(FilesHold::of(hold.data, &[]));
            return refuse("data", format!("{official}, which cannot change; leave it out"));
        }
        if files_hold[..index].iter().any(|other| other.data == hold.data) {
            return refuse("data", format!("{:?} is given a second time; keep one", hold.data));
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
pub(in crate::config) fn files_unchanged(then: FilesHold, now: FilesHold) -> Verdict {
    if then == now {
        return Ok(());
    }
    let message = format!(
        "{}, expected {} and {}, as this config records; name the folder of those files with --data, or start a new \
         run",
        in_words(now),
        then.train,
        then.test
    );
    Err(Refusal::new("files_hold", message))
}
