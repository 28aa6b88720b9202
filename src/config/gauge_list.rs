//! Reads a list of gauges that is given outside of a configuration.

use std::path::Path;

use super::{ConfigError, Gauge, explain, schema, validate};

/// Reads a list of gauges in the form of a configuration: `[Trace(), Spectrum(steps: 80)]`. `from` names the text in
/// errors.
///
/// # Errors
///
/// Returns an error if the text is not such a list, or if a number is out of range.
pub fn read_gauges(text: &str, from: &str) -> Result<Vec<Gauge>, ConfigError> {
    let path = Path::new(from);
    let gauges: Vec<Gauge> = schema::ron_options()
        .from_str(text)
        .map_err(|error| explain::malformed(path, text, String::new(), &error))?;
    validate::gauges(&gauges).map_err(|refusal| refusal.in_file(path))?;
    Ok(gauges)
}
