//! Links the program so that it finds the LibTorch of the build without LD_LIBRARY_PATH, and records LibTorch's
//! version.

use std::fs;
use std::path::Path;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // torch-sys exports the folder of LibTorch's libraries. Without the feature `tch` the variable is not set.
    println!("cargo:rerun-if-env-changed=DEP_TCH_LIBTORCH_LIB");
    if let Ok(libraries) = std::env::var("DEP_TCH_LIBTORCH_LIB") {
        println!("cargo:rustc-link-arg=-Wl,-rpath,{libraries}");
        if let Some(version) = version(Path::new(&libraries)) {
            println!("cargo:rustc-env=SHARPTUI_LIBTORCH_VERSION={version}");
        }
    }
}

/// Reads the version of the LibTorch whose libraries are in this folder. PyTorch's wheel has it in `version.py`, a
/// separate LibTorch in `build-version`.
fn version(libraries: &Path) -> Option<String> {
    let folder = libraries.parent()?;
    let in_python = fs::read_to_string(folder.join("version.py")).ok().and_then(|text| {
        let line = text.lines().find_map(|line| line.strip_prefix("__version__ = "))?;
        Some(line.trim_matches(['\'', '"']).to_owned())
    });
    let alone = || Some(fs::read_to_string(folder.join("build-version")).ok()?.trim().to_owned());
    in_python.or_else(alone)
}
