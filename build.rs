//! Lets the program find LibTorch where it was built, without LD_LIBRARY_PATH, and say which version that is.

use std::fs;
use std::path::Path;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // torch-sys exports where it found LibTorch's libraries; without the feature `tch` it is not there.
    println!("cargo:rerun-if-env-changed=DEP_TCH_LIBTORCH_LIB");
    if let Ok(libraries) = std::env::var("DEP_TCH_LIBTORCH_LIB") {
        println!("cargo:rustc-link-arg=-Wl,-rpath,{libraries}");
        if let Some(version) = version(Path::new(&libraries)) {
            println!("cargo:rustc-env=SHARPTUI_LIBTORCH_VERSION={version}");
        }
    }
}

/// The version of the LibTorch whose libraries are in this folder: PyTorch says it in one file, LibTorch alone in
/// another.
fn version(libraries: &Path) -> Option<String> {
    let folder = libraries.parent()?;
    let in_python = fs::read_to_string(folder.join("version.py")).ok().and_then(|text| {
        let line = text.lines().find_map(|line| line.strip_prefix("__version__ = "))?;
        Some(line.trim_matches(['\'', '"']).to_owned())
    });
    let alone = || Some(fs::read_to_string(folder.join("build-version")).ok()?.trim().to_owned());
    in_python.or_else(alone)
}
