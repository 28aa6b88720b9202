//! Compiles the C++ file against the LibTorch that torch-sys found.

use std::env;
use std::path::{Path, PathBuf};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=src/operations.cpp");
    for variable in ["LIBTORCH", "LIBTORCH_INCLUDE", "LIBTORCH_CXX11_ABI"] {
        println!("cargo:rerun-if-env-changed={variable}");
    }
    let libraries = env::var("DEP_TCH_LIBTORCH_LIB").expect("torch-sys sets the path of LibTorch's libraries");
    let abi = env::var("LIBTORCH_CXX11_ABI").unwrap_or_else(|_| "1".to_owned());
    let headers = headers(Path::new(&libraries));
    cc::Build::new()
        .cpp(true)
        .pic(true)
        .std("c++17")
        // LibTorch's own headers cause warnings.
        .warnings(false)
        .define("_GLIBCXX_USE_CXX11_ABI", abi.as_str())
        .include(&headers)
        .include(headers.join("torch/csrc/api/include"))
        .file("src/operations.cpp")
        .compile("sharptui_libtorch");
}

/// Returns the directory of LibTorch's headers. It is next to the libraries, unless LIBTORCH_INCLUDE is set, as for
/// torch-sys.
fn headers(libraries: &Path) -> PathBuf {
    let named = env::var_os("LIBTORCH_INCLUDE").map(|folder| PathBuf::from(folder).join("include"));
    named.unwrap_or_else(|| libraries.with_file_name("include"))
}
