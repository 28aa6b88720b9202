//! Links the program so that it finds LibTorch without LD_LIBRARY_PATH, and records the back ends that are built in.

use std::fs;
use std::path::Path;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=SHARPTUI_RPATH");
    let mut back_ends = Vec::new();
    if std::env::var_os("CARGO_FEATURE_FLEX").is_some() {
        back_ends.push("flex".to_owned());
    }
    // torch-sys exports the folder of LibTorch's libraries. Without the feature `tch` the variable is not set.
    println!("cargo:rerun-if-env-changed=DEP_TCH_LIBTORCH_LIB");
    if let Ok(libraries) = std::env::var("DEP_TCH_LIBTORCH_LIB") {
        // A program that is carried to other machines looks for LibTorch relative to itself.
        let place = std::env::var("SHARPTUI_RPATH").unwrap_or_else(|_| libraries.clone());
        println!("cargo:rustc-link-arg=-Wl,-rpath,{place}");
        let version = version(Path::new(&libraries));
        if let Some(version) = &version {
            println!("cargo:rustc-env=SHARPTUI_LIBTORCH_VERSION={version}");
        }
        back_ends.push(format!(
            "libtorch {}",
            version.as_deref().unwrap_or("of unknown version")
        ));
    }
    println!("cargo:rustc-env=SHARPTUI_BACK_ENDS={}", back_ends.join(", "));
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
